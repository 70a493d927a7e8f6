/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What a thread counts: written by that thread alone, read by the one that tells the status. Hence no atomic
 * additions, which cost more than the rest of an answer's bookkeeping. What kind of answers there were, counts whoever
 * made them (dns/answer.h).
 */

#include <stdatomic.h>
#include <stdint.h>

/* Extended ones, too: BADVERS is 16, BADCOOKIE 23. */
#define COUNTERS_RCODES 24

typedef _Atomic uint64_t counter;

struct counters {
	_Alignas(64) counter udp4, udp6, tcp4, tcp6; /* queries */
	counter rcodes[COUNTERS_RCODES];             /* of answers */
	counter rrl_slipped;                         /* sent truncated */
	counter rrl_dropped;
	counter unsent;    /* answers that the kernel did not take, or would not have */
	counter transfers; /* of whole zones, begun */
	counter tcp_accepted;
	counter tcp_refused; /* could not be looked after */
	counter tcp_evicted; /* closed for a newer one */
	counter tcp_expired; /* closed after a time without progress */
};

static inline void counter_add(counter *c, uint64_t n)
{
	atomic_store_explicit(
		c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline uint64_t counter_read(const counter *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}
