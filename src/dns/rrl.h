/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Response rate limiting: a name server answers whoever seems to ask, and a forged source makes it a weapon.
 * So equal answers to one network are limited; of those beyond the limit every second one, by chance, is sent
 * truncated ("slip"), upon which an honest asker comes back over TCP, where nothing can be forged.
 *
 * Who gets how much is kept in a table of fixed size that all threads share without a lock: one word for each
 * network (/24 of IPv4, /56 of IPv6) and kind of answer (rcode and subject), which holds a tag and the time at which its bucket will
 * be full again (the generic cell rate algorithm: a token bucket in one number). A race between two threads or a
 * word that had to make room costs a few answers more or less, never correctness.
 */

#include <stdint.h>

#include "base/addr.h"
#include "base/rng.h"
#include "base/tick.h"

enum rrl_verdict {
	RRL_PASS,
	RRL_SLIP, /* send it truncated */
	RRL_DROP,
};

struct rrl;

/* NULL if there is no memory. @seed makes it unforeseeable which networks share a word. */
struct rrl *rrl_new(uint64_t seed);
void rrl_free(struct rrl *r);

/* What counts as one: the same @rcode to the same network, about the same @subject (struct answer_reply). */
uint64_t rrl_key(
	const struct rrl *r, const struct addr *client, uint8_t rcode, const void *subject);

/* Whether an answer of this key may be sent now, at @rate (1 to 1,000,000) a second with as much at once. */
enum rrl_verdict rrl_judge(struct rrl *r, uint64_t key, uint32_t rate, tick now, struct rng *rng);
