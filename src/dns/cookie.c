/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/cookie.h"

#include <sodium.h>
#include <string.h>

#include "base/bytes.h"

#define VERSION     1
#define HEAD_SIZE   8 /* version, three reserved bytes, time */
#define AGE_MAX_S   3600
#define AHEAD_MAX_S 300
#define AGE_FRESH_S 1800

/* The hash of a cookie whose first bytes are @head, reserved ones included (RFC 9018 4.4). */
static void hash_cookie(const uint8_t *secret, const struct cookie_asker *asker,
	const uint8_t *head, uint8_t ret_hash[static crypto_shorthash_BYTES])
{
	uint8_t input[COOKIE_CLIENT_SIZE + HEAD_SIZE + sizeof asker->address];
	struct writer w = writer_of(input, sizeof input);

	writer_bytes(&w, asker->client_cookie, COOKIE_CLIENT_SIZE);
	writer_bytes(&w, head, HEAD_SIZE);
	if (addr_is_ipv4(&asker->address))
		writer_bytes(&w, addr_ipv4_bytes(&asker->address), addr_wire_size(FAMILY_IPV4));
	else
		writer_bytes(&w, asker->address.b, addr_wire_size(FAMILY_IPV6));
	crypto_shorthash(ret_hash, input, w.at, secret);
}

void cookie_make(const uint8_t secret[static COOKIE_SECRET_SIZE], const struct cookie_asker *asker,
	uint8_t ret_cookie[static COOKIE_SERVER_SIZE])
{
	struct writer w = writer_of(ret_cookie, HEAD_SIZE);

	writer_u32(&w, (uint32_t)VERSION << 24);
	writer_u32(&w, asker->now_s);
	hash_cookie(secret, asker, ret_cookie, ret_cookie + HEAD_SIZE);
}

enum cookie_verdict cookie_check(const uint8_t secret[static COOKIE_SECRET_SIZE],
	const struct cookie_asker *asker, const uint8_t *cookie, uint8_t size)
{
	struct reader r = reader_of(cookie, size);
	uint8_t hash[crypto_shorthash_BYTES];
	uint32_t age;

	if (size != COOKIE_SERVER_SIZE || reader_u32(&r) >> 24 != VERSION)
		return COOKIE_BAD;
	/* RFC 9018 4.3: by serial number arithmetic an hour back and five minutes ahead. */
	age = asker->now_s - reader_u32(&r);
	if (age > AGE_MAX_S && age < 0u - AHEAD_MAX_S)
		return COOKIE_BAD;
	hash_cookie(secret, asker, cookie, hash);
	if (sodium_memcmp(hash, cookie + HEAD_SIZE, sizeof hash) != 0)
		return COOKIE_BAD;
	return age > AGE_FRESH_S && age <= AGE_MAX_S ? COOKIE_STALE : COOKIE_GOOD;
}
