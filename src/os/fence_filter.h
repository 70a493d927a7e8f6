/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What spares most packets the search in the table of VIPs. A coarse sieve: one bit for all the addresses of the same
 * number; an address whose bit is not set is no VIP. And slots, each for one of the VIPs whose numbers end alike: who
 * is not in its slot, is in the table alone. The daemon fills them and fence.bpf.c reads them, so both include this.
 */

#include <stdint.h>

#define FENCE_FILTER_WORDS 1024 /* of 64 bits: 10,000 VIPs fill a seventh of it */
#define FENCE_SLOTS        2048 /* of 300 VIPs, nine in ten find theirs free */

/* A slot's words: four of the address, then the VIP's index and one (0: it is free); the rest is unused. */
#define FENCE_SLOT_WORDS 8
#define FENCE_SLOT_VIP   4

/* @words: the address, four words as they lie in memory. */
static inline uint32_t fence_filter_bit(const uint32_t words[4])
{
	/* Fibonacci hashing: the upper bits of the product depend on all the others */
	return (words[0] ^ words[1] ^ words[2] ^ words[3]) * 0x9e3779b1u >> 16;
}

/* @address: of the VIP with this index, 16 bytes. */
static inline void fence_filter_add(unsigned long long filter[FENCE_FILTER_WORDS],
	uint32_t slots[FENCE_SLOTS][FENCE_SLOT_WORDS], const void *address, uint32_t vip)
{
	uint32_t words[4], bit, *slot;

	__builtin_memcpy(words, address, sizeof words);
	bit = fence_filter_bit(words);
	filter[bit / 64] |= 1ull << bit % 64;
	slot = slots[bit % FENCE_SLOTS];
	if (slot[FENCE_SLOT_VIP] > 0)
		return;
	__builtin_memcpy(slot, words, sizeof words);
	slot[FENCE_SLOT_VIP] = vip + 1;
}
