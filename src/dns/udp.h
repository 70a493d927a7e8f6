/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * A thread that answers datagrams: as many at a time as there are, up to a batch, with two system calls for all of
 * them and one look at the clock. Each thread has its own socket for each address, between which the kernel spreads
 * the clients, so that threads share nothing but the edition and the limits.
 *
 *    epoll ─► recvmmsg ─► snapshot_take ─► answer … answer ─► snapshot_release ─► sendmmsg
 *
 * An answer goes out from the address that was asked, whatever else the machine has.
 */

#include <stdint.h>

#include "dns/answer.h"
#include "dns/counters.h"
#include "dns/mailbox.h"
#include "dns/rrl.h"
#include "dns/snapshot.h"

struct udp;

/* All borrowed. */
struct udp_setup {
	struct snapshot *editions; /* of struct edition */
	uint32_t reader;           /* of @editions, this thread */
	struct answerer *answerer;
	struct rrl *rrl;
	uint64_t seed;
};

/* Starts the thread, which inherits blocked signals and gives up all capabilities. 0 or negative errno. */
int udp_start(const struct udp_setup *setup, struct udp **ret_udp);

/* Ends it and closes its sockets. */
void udp_stop(struct udp *u);

/* Where it is told which sockets to serve. */
const struct mailbox *udp_mailbox(const struct udp *u);

const struct counters *udp_counters(const struct udp *u);
