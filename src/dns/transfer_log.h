/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Lines about transfers, for who looks after secondaries: what each of them was sent, and why it was not. There are few
 * in a minute, since anybody may ask. Any thread may. */

#include "config/config.h"
#include "dns/answer.h"
#include "zone/zone.h"

/* @in is a transfer that is not to be, or a question whose signature is refused; @out says why. */
void transfer_log_refused(const struct config_dns *dns, const struct answer_request *in,
	const struct answer_reply *out);

/* A transfer of @zone is over, complete or not, after so many bytes. */
void transfer_log_over(
	const struct addr *client, const struct zone *zone, uint64_t bytes, bool complete);
