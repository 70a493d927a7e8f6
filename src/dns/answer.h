/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * From a message to its answer.
 *
 *    query_parse() ─ PLAIN ─► answer_fast(): compiled bodies, copied; addresses in a fresh order
 *         │                        │ false: not compiled (CNAME, DNAME, what must be cut short ...)
 *         └─ UNUSUAL ──────► answer_slow(): libknot, the whole algorithm of RFC 1034 4.3.2
 *
 * Both give equal answers but for the order of addresses; a test asserts it. Nothing is remembered from one
 * answer to the next: what a thread needs to answer is its struct answerer.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "dns/catalog.h"
#include "dns/cookie.h"
#include "dns/query.h"

#define ANSWER_SECRETS_MAX 2
#define ANSWER_NSID_MAX    64
#define ANSWER_VERSION_MAX 63

/* The server, as its answers show it. */
struct answer_self {
	char nsid[ANSWER_NSID_MAX + 1];       /* "": none is told (RFC 5001) */
	char version[ANSWER_VERSION_MAX + 1]; /* in class CHAOS, with NSID beside it; "": neither */
	/* The first makes cookies, all verify them (RFC 9018); none: cookies are neither seen nor sent. */
	uint8_t cookie_secrets[ANSWER_SECRETS_MAX][COOKIE_SECRET_SIZE];
	uint32_t n_cookie_secrets;
};

/* What came in, from whom and how. */
struct answer_request {
	const uint8_t *message;
	size_t size;
	struct addr client;
	bool tcp;
	uint16_t idle_ds; /* over TCP: how long it may idle, in tenths of a second (RFC 7828 3.1) */
	uint64_t wall_s;  /* seconds since 1970, for cookies */
	const struct answer_self *self;
};

/* There is always room for a header, a question and OPT: who takes room away for a signature leaves that. */
#define ANSWER_ROOM_LEAST 400

/* Where the answer goes, and what it is. */
struct answer_reply {
	uint8_t *buffer;
	size_t room; /* at least ANSWER_ROOM_LEAST; DNS_UDP_MAX or DNS_MESSAGE_MAX is always enough */

	/* Set if there is an answer. */
	size_t size;
	uint16_t opt_at, opt_size; /* OPT in it; 0 bytes: there is none */
	uint8_t rcode;
	uint8_t tsig_error; /* why its signature is refused (dns/tsig.h); 0: it is not, or there is none */
	/* The asker has shown that it gets what is sent to its address: no limit of the rate (RFC 7873 6). */
	bool cookie_valid;
	/* What a limiter counts as one, with @rcode: a node of a zone (the name's, the wildcard's, the cut's), a
	 * zone for names that do not exist in it, or NULL. To be compared, never followed. */
	const void *subject;
};

enum answer_outcome {
	ANSWER_NONE,     /* say nothing */
	ANSWER_SENT,     /* the reply holds it */
	ANSWER_TRANSFER, /* over TCP: an AXFR or IXFR, signed or not; see dns/transfer.h */
	ANSWER_SIGNED, /* it has a TSIG record: verify it, cut the message there and ask again, then sign */
};

/* By whom: one for each thread. */
struct answerer;

/* Written by the answerer's thread, read by any. */
struct answer_counters {
	atomic_uint_fast64_t fast, slow;
	atomic_uint_fast64_t ignored; /* no answer: responses, runts */
	atomic_uint_fast64_t truncated;
	atomic_uint_fast64_t fail_open; /* nobody holds any VIP of a service: all were given */
	atomic_uint_fast64_t no_memory; /* SERVFAIL */
};

/* @seed is that of the orders of addresses. NULL if there is no memory. */
struct answerer *answerer_new(uint64_t seed);
void answerer_free(struct answerer *a);
const struct answer_counters *answerer_counters(const struct answerer *a);

/* Starts the orders of addresses anew, for tests. */
void answerer_seed(struct answerer *a, uint64_t seed);

/* The answer to @in into @out, over UDP never more than the asker takes, then with TC. All is borrowed for the
 * call. */
enum answer_outcome answer(struct answerer *a, const struct catalog *c,
	const struct answer_request *in, struct answer_reply *out);

/* The two ways to answer @q, which query_parse() made of @in. False: this one does not. The slow one answers
 * whatever is no transfer and not signed. */
bool answer_fast(struct answerer *a, const struct catalog *c, const struct answer_request *in,
	const struct query *q, struct answer_reply *out);
bool answer_slow(struct answerer *a, const struct catalog *c, const struct answer_request *in,
	const struct query *q, struct answer_reply *out);

/* Makes the answer one that says only "ask over TCP": what a limiter sends now and then instead of silence.
 * Question and OPT stay (RFC 6891 7), and so the cookie by which the asker comes past the limit. */
void answer_cut(struct answer_reply *out);
