/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Which addresses the server listens on: what the file says, as far as the kernel allows. Sockets are opened here
 * and handed to the threads. What could not be had is tried again from time to time: another program may end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "dns/crew.h"
#include "dns/tcp.h"

/* One endpoint of the file. */
struct listener {
	struct config_endpoint endpoint;
	uint32_t id;      /* of its sockets */
	bool udp, tcp;    /* open */
	int error;        /* why not: negative errno */
	uint64_t dropped; /* by the kernel, over UDP, as of listeners_look() */
};

struct listeners {
	struct crew *crew; /* borrowed */
	uint32_t n_udp;    /* sockets of each address, at most CREW_EACH_MAX */
	struct tcp *tcp;   /* borrowed */
	struct listener list[CONFIG_LISTEN_MAX];
	uint32_t n;
	uint32_t next_id;
};

/* Opens what is new and closes what is not wanted any more, in this order, so that no query finds nobody. What is
 * wrong goes to the log. */
void listeners_apply(struct listeners *l, const struct config_dns *wanted);

/* Tries again what is missing, without a word if it is still so. True if nothing is missing. */
bool listeners_retry(struct listeners *l);

/* Brings what the kernel counts up to date. */
void listeners_look(struct listeners *l);

/* Whether anybody can ask anything at all. */
bool listeners_any(const struct listeners *l);
