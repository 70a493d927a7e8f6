/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Randomness for decisions that a test must be able to repeat: a small generator (splitmix64) whose
 * seed lies in the state. getrandom(2) seeds it in the daemon, the test's seed in the simulator. Not
 * for secrets.
 */

#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Uniform over 0 .. @bound - 1; @bound is at least 1. The bias is below 2^-32 for small bounds. */
static inline uint32_t rng_below(struct rng *r, uint32_t bound)
{
	return (uint32_t)(((rng_next(r) >> 32) * bound) >> 32);
}
