/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The thread that may not be late: it owns the node and the raw sockets' data path. It never
 * allocates, blocks, logs or talks to the kernel but by recvmmsg, sendmmsg and ppoll.
 *
 *    wait ─► clock ─► drain sockets ─► the board's news ─► TICK ─► send, fence ─► write to the board ─┐
 *      └────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * The sockets are drained before the TICK, always: an advertisement that waits in the socket must be
 * heard before its sender is judged silent, however late this thread was. What the fence must no longer
 * pass is closed before anything is sent, and a lease is renewed, from the clock of the turn, after the
 * advertisement that renews it has left.
 *
 * A daemon whose slow thread stands still can't be trusted with addresses; then the whole of it aborts.
 */

#include "node/node.h"
#include "os/board.h"
#include "os/destinations.h"
#include "os/fence.h"
#include "os/raw.h"
#include "os/will.h"

struct fast;

/* All borrowed until fast_join(). */
struct fast_setup {
	struct node *node;
	struct node *snapshot; /* a second node of the same setup, for status */
	struct board *board;
	struct raw *raw;
	struct auth *auth; /* verifies what comes in; NULL: nothing is verified */
	struct fence_words words;
	const struct destinations *destinations;
	struct will *will;
};

/* Returns 0 or negative errno; the thread runs from here on. */
int fast_start(const struct fast_setup *setup, struct fast **ret_fast);

/* Waits for the thread, which returns soon after board_quit(), and frees what is its own. */
void fast_join(struct fast *f);

/* Whether it was granted real-time scheduling. */
bool fast_is_realtime(const struct fast *f);
