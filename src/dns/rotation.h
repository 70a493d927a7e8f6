/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Which addresses of an RRset are answered, and in which order: drawn anew for each answer by the thread's own
 * generator, so that no counter is shared and no pattern of questions, such as A and AAAA in turns, can fall in
 * step with it. Pure.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "config/config.h"

/* At most so many addresses are in one RRset: a message has no room for more. */
#define ROTATION_MAX 4096

#define ROTATION_NO_VIP UINT32_MAX

struct rotation_member {
	uint32_t vip;    /* of the configuration; ROTATION_NO_VIP: taken for held always */
	uint32_t weight; /* at least 1 */
};

/* How the addresses of a service in one family are answered; the members are in the order of the records. */
struct rotation {
	enum config_rotation policy;
	uint32_t n;
	bool weights_differ;
	struct rotation_member members[];
};

/* Bit by VIP. */
struct rotation_held {
	const atomic_uint_fast64_t *words;
};

static inline bool rotation_is_held(struct rotation_held held, uint32_t vip)
{
	return vip == ROTATION_NO_VIP ||
	       (atomic_load_explicit(&held.words[vip / 64], memory_order_relaxed) >> vip % 64 & 1);
}

/* Whether somebody holds a member. */
bool rotation_any_held(const struct rotation *r, struct rotation_held held);

/* The records' indexes to answer, in their order, out of @n. Returns how many, at least 1 if @n is. */
uint32_t rotation_shuffle(struct rng *rng, uint32_t n, uint16_t order[static ROTATION_MAX]);

/* The same for a service's: VIPs that nobody holds are left out; if that leaves none, all are given, and
 * *@ret_fail_open is set. The first is drawn by weight, the rest is uniform; by the weighted policy there is
 * only the first. */
uint32_t rotation_order(const struct rotation *r, struct rotation_held held, struct rng *rng,
	uint16_t order[static ROTATION_MAX], bool *ret_fail_open);
