/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/rrl.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Words in a set, which is one cache line, and sets: a megabyte. */
#define WAYS 8
#define SETS 16384u

/* A word: the tag above, below it a time in microseconds, which wraps after 12 days. */
#define TIME_BITS 40
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)

#define SECOND_US 1000000u

#define IPV4_PREFIX_BYTES 15 /* of ::ffff:a.b.c.d: a /24 */
#define IPV6_PREFIX_BYTES 7  /* a /56 */

struct set {
	_Alignas(64) _Atomic uint64_t words[WAYS];
};

struct rrl {
	uint64_t seed;
	struct set *sets;
};

struct rrl *rrl_new(uint64_t seed)
{
	struct rrl *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->seed = seed;
	r->sets = aligned_alloc(_Alignof(struct set), SETS * sizeof *r->sets);
	if (!r->sets) {
		free(r);
		return NULL;
	}
	memset(r->sets, 0, SETS * sizeof *r->sets);
	return r;
}

void rrl_free(struct rrl *r)
{
	if (!r)
		return;
	free(r->sets);
	free(r);
}

/* splitmix64's last step: each bit of the result depends on each of @z. */
static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t rrl_key(const struct rrl *r, const struct addr *client, uint8_t rcode, const void *subject)
{
	uint64_t network[2] = {0, 0};

	memcpy(network, client->b, addr_is_ipv4(client) ? IPV4_PREFIX_BYTES : IPV6_PREFIX_BYTES);
	return mix(mix(mix(r->seed + network[0]) + network[1] + rcode) + (uintptr_t)subject);
}

/* How long after @now the time of @word is, within half a turn: negative if it was before. */
static int64_t ahead(uint64_t word, uint64_t now_us)
{
	const uint64_t difference = (word - now_us) & TIME_MASK;

	return difference >> (TIME_BITS - 1) ? (int64_t)(difference | ~TIME_MASK)
					     : (int64_t)difference;
}

/* The word of this tag; if there is none, the one of its set that has been idle for longest. */
static _Atomic uint64_t *find(struct set *set, uint64_t tag, uint64_t now_us)
{
	_Atomic uint64_t *oldest = &set->words[0];
	int64_t least = INT64_MAX;

	for (unsigned i = 0; i < WAYS; i++) {
		const uint64_t word = atomic_load_explicit(&set->words[i], memory_order_relaxed);

		if (word >> TIME_BITS == tag)
			return &set->words[i];
		/* all zero: never used */
		if (word == 0 || ahead(word, now_us) < least) {
			least = word == 0 ? INT64_MIN : ahead(word, now_us);
			oldest = &set->words[i];
		}
	}
	return oldest;
}

enum rrl_verdict rrl_judge(struct rrl *r, uint64_t key, uint32_t rate, tick now, struct rng *rng)
{
	const uint64_t now_us = now / 1000;
	const uint64_t tag = key >> TIME_BITS | 1; /* never 0, which is an unused word's */
	_Atomic uint64_t *word = find(&r->sets[key % SETS], tag, now_us);
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed);
	int64_t full_in; /* from now until the bucket is full again */

	do {
		full_in = old >> TIME_BITS == tag ? ahead(old, now_us) : 0;
		/* It is never full later than this; else the word is from days ago. */
		if (full_in < 0 || full_in > 2 * SECOND_US)
			full_in = 0;
		full_in += SECOND_US / rate;
		if (full_in > SECOND_US)
			return rng_below(rng, 2) == 0 ? RRL_SLIP : RRL_DROP;
	} while (!atomic_compare_exchange_weak_explicit(word, &old,
		tag << TIME_BITS | ((now_us + (uint64_t)full_in) & TIME_MASK), memory_order_relaxed,
		memory_order_relaxed));
	return RRL_PASS;
}
