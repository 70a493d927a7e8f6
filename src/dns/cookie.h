/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Server cookies that any server with the same secret understands (RFC 9018): SipHash-2-4 over the client's
 * cookie, version, time and address. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define COOKIE_CLIENT_SIZE 8
#define COOKIE_SERVER_SIZE 16
#define COOKIE_SECRET_SIZE 16

/* Whose cookie, and when: seconds since 1970, of which 32 bits are used. */
struct cookie_asker {
	const uint8_t *client_cookie; /* COOKIE_CLIENT_SIZE bytes */
	struct addr address;
	uint32_t now_s;
};

void cookie_make(const uint8_t secret[static COOKIE_SECRET_SIZE], const struct cookie_asker *asker,
	uint8_t ret_cookie[static COOKIE_SERVER_SIZE]);

enum cookie_verdict {
	COOKIE_BAD,   /* not of this secret, this asker or this time */
	COOKIE_STALE, /* good, but the asker should get a new one */
	COOKIE_GOOD,
};

/* @cookie has @size bytes. */
enum cookie_verdict cookie_check(const uint8_t secret[static COOKIE_SECRET_SIZE],
	const struct cookie_asker *asker, const uint8_t *cookie, uint8_t size);
