/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * A thread that answers the datagrams of one socket: as many at a time as there are, up to a batch, with two system
 * calls for all of them and one look at the clock. It waits in recvmmsg itself: a socket that an epoll watches wakes
 * it for each answer that goes out. Of the sockets of one address the kernel gives each a share of the clients, so
 * that threads have nothing in common but the edition and the limits.
 *
 *    udp_serve ─► recvmmsg ─► snapshot_take ─► answer … answer ─► snapshot_release ─► sendmmsg
 *                     ▲                                                                  │
 *                     └──────────────────────────────────────────────────────────────────┘
 *
 * An answer goes out from the address that was asked, whatever else the machine has. Sending does not wait: what
 * finds no room in the send buffer is not sent. An interface that finds none is given a buffer of its own, so that one
 * which is slower than its askers is not in the way of the others.
 * A thread outlives its socket and may be given another one; what it has counted stays.
 */

#include <stdint.h>

#include "dns/answer.h"
#include "dns/counters.h"
#include "dns/rrl.h"
#include "dns/snapshot.h"

struct udp;

struct udp_setup {
	struct snapshot *editions; /* of struct edition; borrowed, as are the others */
	uint32_t reader;           /* of @editions, this thread */
	struct rrl *rrl;
	uint64_t seed; /* of the orders of addresses, and of who is limited */
};

/* Starts the thread, which inherits blocked signals and gives up all capabilities. 0 or negative errno. */
int udp_start(const struct udp_setup *setup, struct udp **ret_udp);

/* Ends it, and closes its socket. */
void udp_stop(struct udp *u);

/* Gives it a socket, which it owns from now on; it must have none. Called by who may bind its port. */
void udp_serve(struct udp *u, int fd);

/* Takes its socket away: what waits in it is answered, a reload loses no query; then it is closed. */
void udp_leave(struct udp *u);

/* How many datagrams the kernel had no room for since it serves this socket; 0 if it has none. Asked by who gives and
 * takes sockets. */
uint32_t udp_dropped(const struct udp *u);

/* Both may be read by any thread. */
const struct counters *udp_counters(const struct udp *u);
const struct answer_counters *udp_answers(const struct udp *u);
