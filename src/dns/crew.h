/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The threads that answer over UDP (dns/udp.h): for each address as many as the configuration says, each with a
 * socket of its own. One whose address is not wanted any more rests until there is another.
 */

#include <stdint.h>

#include "config/config.h"
#include "dns/udp.h"

#define CREW_EACH_MAX 64
#define CREW_MAX      (CREW_EACH_MAX * CONFIG_LISTEN_MAX)

struct crew_member {
	struct udp *udp;
	uint32_t task; /* CREW_RESTS: it has no socket */
};

#define CREW_RESTS UINT32_MAX

struct crew {
	struct snapshot *editions; /* borrowed; its readers from 0 to CREW_MAX - 1 are the crew */
	struct rrl *rrl;           /* borrowed */
	struct crew_member members[CREW_MAX];
	uint32_t n;
};

/* Gives a member the socket, for a task of the caller's numbering. 0 or negative errno, and the socket is closed. */
int crew_serve(struct crew *c, int fd, uint32_t task);

/* Ends a task; its sockets are closed. */
void crew_leave(struct crew *c, uint32_t task);

/* What the kernel dropped before it reached a task's sockets. */
uint64_t crew_dropped(const struct crew *c, uint32_t task);

void crew_fini(struct crew *c);
