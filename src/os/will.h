/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What a daemon leaves behind: memory that it shares with its guardian (os/guardian), who carries it out
 * when the daemon is dead. Whatever that takes lies in it ready-made.
 *
 *    fast thread ── what it advertises last ──────►┐        ┌──► will_send(): raw sockets
 *    slow thread ── addresses that it adds ───────►│  will  │──► will_remove(): netlink
 *    both ───────── signs of life ────────────────►┘        └──► will_turns(), will_is_open()
 *
 * An advertisement is written beside the one before and takes its place by one store, so that a death in
 * the middle of writing leaves the one before whole. A removal is switched on or off by one store.
 * Only the signature is left to the guardian, who has the keys anyway: with the sequence after the last one that was sent
 * (doc/design/0010-guardian.md).
 *
 * Once will_new() has returned nothing here allocates, waits or fails.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "os/destinations.h"
#include "os/raw.h"
#include "plan/plan.h"
#include "wire/advert.h"

struct will;

/* Takes shared memory for what @plan can make necessary; all is borrowed. NULL if there is none. */
struct will *will_new(const struct plan *plan, const struct destinations *destinations);
void will_free(struct will *w);

/* A new life is about to begin: nothing is left of the one before. */
void will_clear(struct will *w);

/* ---- the fast thread's ---- */

/* What is said for a router: for the VIPs that it serves, and for those that it is about to. */
enum will_say { WILL_SAY_LEAVING, WILL_SAY_PARTING, WILL_SAYS };

/* From now on @advert is the last word of this kind for @router; without addresses there is none. */
void will_say(struct will *w, uint32_t router, enum will_say say, uint32_t ifindex,
	const struct advert *advert);

/* It signs with nothing above @sequence (0: it does not sign) before it says so here. */
void will_note_sequence(struct will *w, uint64_t sequence);

/* It has taken one more turn. */
void will_count_turn(struct will *w);

/*
 * The kernel opens the will in the moment that this thread dies, which may be long before the process is gone,
 * with its memory, its sockets and its other threads. To be closed again by a thread that returns.
 */
void will_bind(struct will *w);
void will_unbind(struct will *w);

/* ---- the slow thread's ---- */

enum will_place { WILL_ON_INTERFACE, WILL_ON_LOOPBACK, WILL_PLACES };

/* @vip is about to be, or not any more, among the addresses of the interface @ifindex. */
void will_hold(struct will *w, uint32_t vip, enum will_place place, uint32_t ifindex);
void will_release(struct will *w, uint32_t vip, enum will_place place);

/* The daemon's start has succeeded. */
void will_set_ready(struct will *w);

/* ---- of any thread, from a signal handler ---- */

/* The process is about to die of a fault, after what may be a long core dump. */
void will_open(struct will *w);

/* ---- the guardian's ---- */

bool will_is_ready(const struct will *w);
uint64_t will_turns(const struct will *w);
uint64_t will_sequence(const struct will *w);
bool will_is_open(const struct will *w);

/*
 * Waits until the will is opened, or *@signals is not 0 any more, or for @timeout_ms. At once if it
 * has been @seen open.
 */
void will_wait(struct will *w, const _Atomic uint32_t *signals, uint32_t timeout_ms, bool seen);

/* One of the last words of @router, as it is for the @destination-th of its destinations. */
struct will_word {
	struct raw_route route;
	const uint8_t *message; /* not signed yet; in the will */
	size_t size;
};

/* False if there is none. */
bool will_read(const struct will *w, uint32_t router, enum will_say say, uint32_t destination,
	struct will_word *ret_word);

/* Sends the last words through @raw, and returns how many messages that were. */
uint32_t will_send(const struct will *w, struct raw *raw);

/* Takes the addresses away through @fd, a netlink socket, and returns how many there were. */
uint32_t will_remove(const struct will *w, int fd);
