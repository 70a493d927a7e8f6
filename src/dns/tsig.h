/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Messages signed with a secret that both sides have (RFC 8945). The signature is a record, the last of the
 * message; each one covers the one before it, so that an answer belongs to its question and a stream of answers
 * can't lose one.
 *
 *    question: tsig_verify() ─► struct tsig ─► tsig_sign() an answer, then the next one of a stream ...
 *    our own:  tsig_start()  ─► struct tsig ─► tsig_sign() the question
 *
 * Pure but for the memory of a digest: what time it is, the caller says.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/name.h"

#define TSIG_MAC_MAX       64 /* SHA-512 */
#define TSIG_SECRET_MAX    512
#define TSIG_ALGORITHM_MAX 13 /* "hmac-sha256", as a name */

enum tsig_algorithm { TSIG_SHA1, TSIG_SHA224, TSIG_SHA256, TSIG_SHA384, TSIG_SHA512 };

struct tsig_key {
	struct name name; /* of lower case */
	enum tsig_algorithm algorithm;
	uint8_t secret[TSIG_SECRET_MAX];
	size_t secret_size;
};

/* Reads @key's secret from text that has it in base64, and nothing else. NULL, or what is wrong. */
const char *tsig_read_secret(struct tsig_key *key, const char *text, size_t size);

/* A TSIG record's own errors (RFC 8945 3); the message's RCODE is NOTAUTH then (5.2). */
enum tsig_error {
	TSIG_NO_ERROR = 0,
	TSIG_BADSIG = 16,
	TSIG_BADKEY = 17,
	TSIG_BADTIME = 18,
	TSIG_BADTRUNC = 22,
};

/* A conversation that is signed. */
struct tsig {
	const struct tsig_key *key; /* borrowed; NULL: one that we do not have */
	enum tsig_error error;
	bool continued;  /* one of our messages is signed already */
	uint64_t time_s; /* of the asker's clock */
	/* What the next signature covers: the question's, or that of the message before. */
	uint8_t mac[TSIG_MAC_MAX];
	uint16_t mac_size;
	/* As the asker named them, of lower case, to be repeated where we know better than to sign. */
	struct name key_name, algorithm;
};

enum tsig_verdict {
	TSIG_VALID,
	TSIG_REFUSED,   /* @ret_tsig->error says why, and signs the answer that says so */
	TSIG_MALFORMED, /* FORMERR, without a signature (RFC 8945 5.2) */
};

/* What is to be verified: a message, as it came, and where its TSIG record begins (struct query's @tsig_at). */
struct tsig_message {
	const uint8_t *bytes;
	size_t size, tsig_at;
};

/* @key may be NULL: there is none. @now_s: seconds since 1970. */
enum tsig_verdict tsig_verify(const struct tsig_key *key, const struct tsig_message *message,
	uint64_t now_s, struct tsig *ret_tsig);

/* Begins a conversation with a question of ours. */
struct tsig tsig_start(const struct tsig_key *key);

/* How many bytes tsig_sign() adds, at most. */
size_t tsig_size(const struct tsig *t);

/* Signs the message of @size bytes where it lies, with room for tsig_size() more, and returns its size, 0 if there is
 * no memory. Of a stream each message is signed, in order. */
size_t tsig_sign(struct tsig *t, uint8_t *message, size_t size, uint64_t now_s);
