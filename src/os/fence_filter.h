/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * A coarse sieve before the table of VIPs: one bit for all the addresses of the same number. An
 * address whose bit is not set is no VIP, which spares most packets of others the search. The
 * daemon fills it and fence.bpf.c reads it, so both include this.
 */

#include <stdint.h>

#define FENCE_FILTER_WORDS 1024 /* of 64 bits: 10,000 VIPs fill a seventh of it */

/* @words: the address, four words as they lie in memory. */
static inline uint32_t fence_filter_bit(const uint32_t words[4])
{
	/* Fibonacci hashing: the upper bits of the product depend on all the others */
	return (words[0] ^ words[1] ^ words[2] ^ words[3]) * 0x9e3779b1u >> 16;
}
