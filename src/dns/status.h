/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What roost-dns says of itself, as JSON on one line; `roost dns` makes text of it. doc/design/0016 describes it
 * field by field. Pure but for memory.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"
#include "dns/answer.h"
#include "dns/counters.h"
#include "dns/edition.h"
#include "dns/holders.h"
#include "dns/listeners.h"
#include "dns/notify.h"

/* Where it listens and `roost dns` asks, unless told otherwise. */
#define DNS_STATUS_SOCKET_PATH "/run/roost-dns/roost-dns.sock"

/* All borrowed. */
struct dns_status {
	const char *version, *node; /* @node: "" if it is none of the file's */
	tick started, now;
	const struct edition *edition;
	tick loaded;         /* when @edition was */
	uint32_t reloads;    /* that brought a new one */
	uint32_t failed;     /* that did not */
	const char *problem; /* why the last one did not; "": it did */
	bool loading;
	const struct listeners *listeners;
	const struct holders *holders;
	const struct notify_secondary *secondaries;
	uint32_t n_secondaries;
	/* By thread. */
	const struct counters **counters;
	const struct answer_counters **answers;
	uint32_t n_threads;
	uint32_t n_connections;
};

/* The document without a newline, to be freed by the caller; NULL if there is no memory. */
char *dns_status_render(const struct dns_status *in);
