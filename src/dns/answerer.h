/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* What those who write answers share; only for answer*.c, signed.c and transfer.c. */

#include "base/rng.h"
#include "dns/answer.h"
#include "dns/rotation.h"

/* What libknot allocates for one answer. */
#define ANSWERER_ARENA_SIZE ((size_t)256 * 1024)

struct answerer {
	struct rng rng;
	struct answer_counters counters;
	uint16_t order[ROTATION_MAX]; /* scratch */
	size_t arena_size;            /* all of it; less in a test */
	_Alignas(16) uint8_t arena[ANSWERER_ARENA_SIZE];
};

/* Extended DNS errors (RFC 8914 4). */
enum answer_error {
	ANSWER_ERROR_NONE = -1,
	ANSWER_ERROR_PROHIBITED = 18,
	ANSWER_ERROR_NOT_AUTHORITATIVE = 20,
	ANSWER_ERROR_NOT_SUPPORTED = 21,
};

static inline void answer_count(atomic_uint_fast64_t *counter)
{
	/* One thread writes it, so that this need not be one step. */
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
		memory_order_relaxed);
}

static inline void answer_put_u16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline bool answer_is_truncated(const struct answer_reply *out)
{
	return out->buffer[2] & DNS_TC >> 8;
}

/* The largest answer that may go back. */
static inline size_t answer_limit(
	const struct answer_request *in, const struct query *q, const struct answer_reply *out)
{
	const size_t most = in->tcp ? DNS_MESSAGE_MAX : q->udp_size;

	return out->room < most ? out->room : most;
}

/* The header, with no record yet, and the question as it came: *@out must have room for both. */
size_t answer_put_head(
	const struct query *q, unsigned flags, unsigned rcode, const struct answer_reply *out);

/* OPT, if the question had one: its size, and itself behind the @out->size bytes of an answer that counts
 * @n_additional records without it. There must be room. */
size_t answer_opt_size(
	const struct answer_request *in, const struct query *q, enum answer_error error);
void answer_put_opt(const struct answer_request *in, const struct query *q, enum answer_error error,
	struct answer_reply *out);

/* An answer without records. */
void answer_briefly(const struct answer_request *in, const struct query *q, unsigned rcode,
	enum answer_error error, struct answer_reply *out);
