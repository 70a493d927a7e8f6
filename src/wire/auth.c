/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/auth.h"

#include <sodium.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "wire/checksum.h"

#define SCHEME_HMAC_SHA256_128 1
#define HMAC_SIZE              16
#define HMAC_AT                12
#define CHECKSUM_AT            6
#define MARKS_MIN              1024
#define MARKS_MAX              (1u << 20)
#define NS                     1000000000u

struct trailer {
	uint8_t scheme, key_id;
	uint16_t reserved;
	uint64_t sequence;
};

bool auth_is_costly(enum auth_verdict verdict)
{
	switch (verdict) {
	case AUTH_BAD_HMAC:
	case AUTH_OUTSIDE:
	case AUTH_TABLE_FULL: return true;
	case AUTH_VERIFIED:
	case AUTH_UNSIGNED:
	case AUTH_MALFORMED:
	case AUTH_UNKNOWN_KEY:
	case AUTH_REPLAYED:
	case AUTH_VERDICTS: break;
	}
	return false;
}

const char *auth_verdict_name(enum auth_verdict verdict)
{
	static const char *const names[AUTH_VERDICTS] = {
		[AUTH_VERIFIED] = "verified",
		[AUTH_UNSIGNED] = "unsigned",
		[AUTH_MALFORMED] = "malformed_trailer",
		[AUTH_UNKNOWN_KEY] = "unknown_key",
		[AUTH_BAD_HMAC] = "bad_hmac",
		[AUTH_REPLAYED] = "replayed",
		[AUTH_OUTSIDE] = "outside_window",
		[AUTH_TABLE_FULL] = "too_many_senders",
	};

	ASSERT(verdict < AUTH_VERDICTS);
	return names[verdict];
}

static struct trailer read_trailer(const uint8_t *bytes)
{
	struct reader r = reader_of(bytes, ADVERT_TRAILER_SIZE);
	struct trailer t = {.scheme = reader_u8(&r), .key_id = reader_u8(&r)};

	t.reserved = reader_u16(&r);
	t.sequence = (uint64_t)reader_u32(&r) << 32;
	t.sequence |= reader_u32(&r);
	return t;
}

/* The truncated hash of @message (of @size bytes, without the trailer) and of @trailer's head. */
static void compute(const struct auth_key *key, const uint8_t *message, size_t size,
	const uint8_t *trailer, const struct addr *source, uint8_t hmac[static HMAC_SIZE])
{
	static const uint8_t zeros[HMAC_SIZE];
	const bool ipv4 = addr_is_ipv4(source);
	uint8_t full[crypto_auth_hmacsha256_BYTES];
	uint8_t head[20] = {ipv4 ? 4 : 6, message[0] >> 4, message[1]};
	crypto_auth_hmacsha256_state state;

	memcpy(head + 4, ipv4 ? addr_ipv4_bytes(source) : source->b, ipv4 ? 4 : 16);
	crypto_auth_hmacsha256_init(&state, key->bytes, key->size);
	crypto_auth_hmacsha256_update(&state, head, sizeof head);
	crypto_auth_hmacsha256_update(&state, message, CHECKSUM_AT);
	crypto_auth_hmacsha256_update(&state, zeros, 2);
	crypto_auth_hmacsha256_update(&state, message + CHECKSUM_AT + 2, size - CHECKSUM_AT - 2);
	crypto_auth_hmacsha256_update(&state, trailer, HMAC_AT);
	crypto_auth_hmacsha256_update(&state, zeros, HMAC_SIZE);
	crypto_auth_hmacsha256_final(&state, full);
	memcpy(hmac, full, HMAC_SIZE);
}

/* Serial arithmetic: the seconds have 32 bits, and so an end, in 2106. */
static bool is_above(uint64_t sequence, uint64_t other)
{
	return (int64_t)(sequence - other) > 0;
}

uint64_t auth_sequence(uint64_t ns)
{
	return ns / NS << 32 | (ns % NS << 16) / NS << 16;
}

/* Always above the last one, even if the clock is not. */
static uint64_t next_sequence(const struct auth *a, uint64_t utc)
{
	const uint64_t clock = auth_sequence(utc);

	return a->sequence == 0 || is_above(clock, a->sequence) ? clock : a->sequence + 1;
}

void auth_skip_to(struct auth *a, uint64_t sequence)
{
	if (sequence != 0 && (a->sequence == 0 || is_above(sequence, a->sequence)))
		a->sequence = sequence;
}

size_t auth_sign(struct auth *a, uint8_t *message, size_t size, const struct addr *source,
	const struct addr *destination, uint64_t utc)
{
	uint8_t *const trailer = message + size;
	struct writer w = writer_of(trailer, ADVERT_TRAILER_SIZE);
	uint64_t sum;

	ASSERT(a->n_keys > 0 && size >= CHECKSUM_AT + 2);
	a->sequence = next_sequence(a, utc);
	writer_u8(&w, SCHEME_HMAC_SHA256_128);
	writer_u8(&w, a->keys[0].id);
	writer_u16(&w, 0);
	writer_u32(&w, (uint32_t)(a->sequence >> 32));
	writer_u32(&w, (uint32_t)a->sequence);
	compute(&a->keys[0], message, size, trailer, source, writer_reserve(&w, HMAC_SIZE));
	ASSERT(!w.failed);
	size += ADVERT_TRAILER_SIZE;
	if (addr_is_ipv4(source))
		return size; /* its checksum ends with the message */
	memset(message + CHECKSUM_AT, 0, 2);
	sum = checksum_pseudo(source, destination, ADVERT_IP_PROTOCOL, (uint16_t)size);
	checksum_write(checksum_add(sum, message, size), message + CHECKSUM_AT);
	return size;
}

static const struct auth_key *find_key(const struct auth *a, uint8_t id)
{
	for (uint32_t i = 0; i < a->n_keys; i++)
		if (a->keys[i].id == id)
			return &a->keys[i];
	return NULL;
}

/* The sender's mark, or the empty slot where it would be: there is one, since half of them are. */
static struct auth_mark *find_mark(struct auth *a, const struct addr *sender, uint8_t vrid)
{
	uint32_t slot = (uint32_t)addr_hash(sender) + vrid * 0x9e3779b1u;

	for (;; slot++) {
		struct auth_mark *m = &a->marks[slot & (a->n_marks - 1)];

		if (addr_is_none(&m->sender) || (m->vrid == vrid && addr_equal(&m->sender, sender)))
			return m;
	}
}

static bool is_inside(const struct auth *a, uint64_t sequence, uint64_t utc)
{
	const int32_t ahead = (int32_t)((uint32_t)(sequence >> 32) - (uint32_t)(utc / NS));
	const uint32_t off = ahead < 0 ? -(uint32_t)ahead : (uint32_t)ahead;

	return a->window_s == 0 || off <= a->window_s;
}

enum auth_verdict auth_verify(struct auth *a, const uint8_t *bytes, size_t size,
	size_t message_size, const struct addr *source, uint64_t utc)
{
	const uint8_t *const trailer = bytes + message_size;
	const struct auth_key *key;
	uint8_t hmac[HMAC_SIZE];
	struct auth_mark *mark;
	struct trailer t;
	bool is_new;

	ASSERT(message_size > CHECKSUM_AT + 2 && size >= message_size);
	ASSERT(a->n_marks && (a->n_marks & (a->n_marks - 1)) == 0);
	if (size == message_size)
		return AUTH_UNSIGNED;
	if (addr_is_none(source)) /* an empty mark's; advert_parse() refuses it */
		return AUTH_MALFORMED;
	if (size != message_size + ADVERT_TRAILER_SIZE)
		return AUTH_MALFORMED;
	t = read_trailer(trailer);
	if (t.scheme != SCHEME_HMAC_SHA256_128 || t.reserved != 0)
		return AUTH_MALFORMED;
	key = find_key(a, t.key_id);
	if (!key)
		return AUTH_UNKNOWN_KEY;
	mark = find_mark(a, source, bytes[1]);
	is_new = addr_is_none(&mark->sender);
	if (!is_new && !is_above(t.sequence, mark->sequence))
		return AUTH_REPLAYED;
	compute(key, bytes, message_size, trailer, source, hmac);
	if (sodium_memcmp(hmac, trailer + HMAC_AT, HMAC_SIZE) != 0)
		return AUTH_BAD_HMAC;
	if (is_new && !is_inside(a, t.sequence, utc))
		return AUTH_OUTSIDE;
	if (is_new && a->n_used >= a->n_marks / 2)
		return AUTH_TABLE_FULL;
	a->n_used += is_new;
	*mark = (struct auth_mark){.sender = *source, .sequence = t.sequence, .vrid = bytes[1]};
	return AUTH_VERIFIED;
}

uint32_t auth_marks_wanted(uint32_t n_senders, uint32_t n_routers)
{
	/* twice as many for senders whose address changes, twice again so that half stay empty */
	const uint64_t wanted = (uint64_t)n_senders * n_routers * 4;
	uint32_t n = MARKS_MIN;

	while (n < wanted && n < MARKS_MAX)
		n *= 2;
	return n;
}
