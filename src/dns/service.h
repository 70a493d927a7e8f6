/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Answers for the TCP thread: dns/tcp.h asks, dns/answer.h knows. */

#include "dns/answer.h"
#include "dns/snapshot.h"
#include "dns/tcp.h"

/* All borrowed; of the TCP thread alone. */
struct service {
	struct snapshot *editions;
	uint32_t reader;
	struct answerer *answerer;
};

/* As struct tcp_service's, with a struct service for a context. */
enum tcp_outcome service_answer(
	void *context, const struct tcp_question *question, struct tcp_answer *answer);
int service_stream_next(void *context, void *stream, uint8_t *buffer, size_t room);
void service_stream_end(void *context, void *stream);
