/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Authenticated advertisements: a trailer of 28 bytes behind the VRRP message, with a keyed hash, and a
 * sequence number against replay; the format of keepalived's `auth_hmac`, so that both interoperate.
 *
 *     0        1        2                4                       8         10        12
 *    ┌────────┬────────┬────────────────┬───────────────────────┬─────────┬─────────┬──────────────┐
 *    │scheme 1│ key id │ reserved, zero │ sequence: UTC seconds │fraction │ counter │ HMAC, 16 B   │
 *    └────────┴────────┴────────────────┴───────────────────────┴─────────┴─────────┴──────────────┘
 *
 * The hash is HMAC-SHA256, truncated, over a pseudo-header (family, VRRP version, VRID, source), the
 * message with its checksum as zero, and the trailer with zeros where the hash stands. Pure; the
 * wall clock is passed in.
 *
 *    node's advertisement ─► advert_build() ─► auth_sign() ─► wire
 *    wire ─► advert_parse() ─► auth_verify() ─► verdict, for the node to judge
 *
 * Each sender has a mark for each VRID, its highest sequence that has verified, which strangers can
 * therefore neither create nor push ahead. What is not above the mark is a replay. The window of time
 * is asked only of a sender without a mark, as all are to a node that has just started: whoever was
 * heard once is measured by its own sequence, so that a clock that is set parts nobody.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "wire/advert.h"

#define AUTH_KEY_MIN  32
#define AUTH_KEY_MAX  64
#define AUTH_KEYS_MAX 8

struct auth_key {
	uint8_t id; /* 1 to 255 */
	uint8_t size;
	uint8_t bytes[AUTH_KEY_MAX];
};

/* One sender's highest sequence that has verified, for a VRID. */
struct auth_mark {
	struct addr sender; /* addr_none: empty */
	uint64_t sequence;
	uint8_t vrid;
};

struct auth {
	struct auth_key keys[AUTH_KEYS_MAX]; /* the first one signs, all verify */
	uint32_t n_keys;
	uint32_t window_s;       /* between a new sender's clock and ours; 0: any */
	uint64_t sequence;       /* last sent; 0: none yet. The shell keeps it over restarts */
	struct auth_mark *marks; /* borrowed, n_marks of them, empty at first */
	uint32_t n_marks;        /* a power of two; half of them are used at most */
	uint32_t n_used;
};

enum auth_verdict {
	AUTH_VERIFIED,
	AUTH_UNSIGNED,    /* no trailer */
	AUTH_MALFORMED,   /* scheme, reserved bytes or size */
	AUTH_UNKNOWN_KEY, /* a key id that is not ours */
	AUTH_BAD_HMAC,    /* another key by the same id, or tampered with */
	AUTH_REPLAYED,    /* not above the sender's mark */
	AUTH_OUTSIDE,     /* the first of this sender, and outside the window of time */
	AUTH_TABLE_FULL,  /* more senders than there are marks for */
	AUTH_VERDICTS,
};

/* Whether a hash was computed for nothing: so many of them must not keep a receiver busy. */
bool auth_is_costly(enum auth_verdict verdict);

/* A short name such as "bad_hmac", for counters and logs. */
const char *auth_verdict_name(enum auth_verdict verdict);

/*
 * Reads the keys of @text, `ID HEX` a line, into @a. Returns NULL, or what is wrong in line
 * *@ret_line (0: with the whole); the words repeat nothing of the text.
 */
const char *auth_read_keys(struct auth *a, const char *text, size_t size, uint32_t *ret_line);

/*
 * Signs the @size bytes of message from @source, which lie in a buffer with room for
 * ADVERT_TRAILER_SIZE more, and returns the new size. @utc is nanoseconds since 1970. Over IPv6 the
 * checksum is written anew, over the trailer too, for @destination. There must be a key.
 */
size_t auth_sign(struct auth *a, uint8_t *message, size_t size, const struct addr *source,
	const struct addr *destination, uint64_t utc);

/* What is signed from now on is above @sequence, too, which another has signed with; 0: nobody has. */
void auth_skip_to(struct auth *a, uint64_t sequence);

/*
 * Judges what follows the first @message_size of the @size bytes that came from @source and passed
 * advert_parse(), and raises the sender's mark if it verifies. At most one hash is computed, and none
 * for what can be refused without.
 */
enum auth_verdict auth_verify(struct auth *a, const uint8_t *bytes, size_t size,
	size_t message_size, const struct addr *source, uint64_t utc);

/* The sequence of a time, @ns since 1970; or of a span of time, to be added to one. */
uint64_t auth_sequence(uint64_t ns);

/* How many marks suffice for @n_senders of @n_routers each: for struct auth's n_marks. */
uint32_t auth_marks_wanted(uint32_t n_senders, uint32_t n_routers);
