/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "dns/answerer.h"
#include "dns/cookie.h"

#define OPT_FIXED          11
#define OPTION_FIXED       4
#define OPTION_NSID        3
#define OPTION_COOKIE      10
#define OPTION_KEEPALIVE   11
#define OPTION_ERROR       15
#define OPTION_COOKIE_SIZE (COOKIE_CLIENT_SIZE + COOKIE_SERVER_SIZE)

/* All options that we have, each with its head. */
#define OPT_MAX                                                                                    \
	(OPT_FIXED + OPTION_FIXED + OPTION_COOKIE_SIZE + OPTION_FIXED + ANSWER_NSID_MAX +          \
		2 * (OPTION_FIXED + 2))

/* A record of class CHAOS. */
#define CHAOS_NAME_MAX 17
#define CHAOS_MAX      (CHAOS_NAME_MAX + 4 + 12 + 1 + ANSWER_NSID_MAX)

_Static_assert(DNS_HEADER_SIZE + DNS_QUESTION_MAX + OPT_MAX <= ANSWER_ROOM_LEAST &&
		       DNS_HEADER_SIZE + CHAOS_MAX + OPT_MAX <= ANSWER_ROOM_LEAST,
	"the least always fits");

struct answerer *answerer_new(uint64_t seed)
{
	struct answerer *a = calloc(1, sizeof *a);

	if (!a)
		return NULL;
	a->rng.state = seed;
	a->arena_size = sizeof a->arena;
	return a;
}

void answerer_free(struct answerer *a)
{
	free(a);
}

const struct answer_counters *answerer_counters(const struct answerer *a)
{
	return &a->counters;
}

void answerer_seed(struct answerer *a, uint64_t seed)
{
	a->rng.state = seed;
}

size_t answer_put_head(
	const struct query *q, unsigned flags, unsigned rcode, const struct answer_reply *out)
{
	uint8_t *p = out->buffer;

	memset(p, 0, DNS_HEADER_SIZE);
	answer_put_u16(p, q->id);
	/* RD is told back, AD and CD are not (RFC 1035 4.1.1, RFC 4035 3.1.6). */
	answer_put_u16(p + 2, DNS_QR | flags | (rcode & 0xf) | (q->flags & (DNS_OPCODE | DNS_RD)));
	p[5] = q->question_size != 0;
	if (q->question_size != 0)
		memcpy(p + DNS_HEADER_SIZE, q->question, q->question_size);
	return DNS_HEADER_SIZE + q->question_size;
}

static bool has_cookie(const struct answer_request *in, const struct query *q)
{
	return in->self->n_cookie_secrets != 0 && q->client_cookie;
}

static bool has_nsid(const struct answer_request *in, const struct query *q)
{
	return in->self->nsid[0] != '\0' && q->nsid;
}

/* RFC 7828 3.3.1, 3.3.2: over TCP alone. */
static bool has_keepalive(const struct answer_request *in, const struct query *q)
{
	return in->tcp && q->keepalive;
}

size_t answer_opt_size(
	const struct answer_request *in, const struct query *q, enum answer_error error)
{
	size_t size = OPT_FIXED;

	if (!q->edns)
		return 0; /* RFC 6891 7: only who sends OPT understands it */
	if (has_cookie(in, q))
		size += OPTION_FIXED + OPTION_COOKIE_SIZE;
	if (has_nsid(in, q))
		size += OPTION_FIXED + strlen(in->self->nsid);
	if (has_keepalive(in, q))
		size += OPTION_FIXED + 2;
	if (error != ANSWER_ERROR_NONE)
		size += OPTION_FIXED + 2;
	return size;
}

/* The asker's cookie and ours. A good one of ours is given back as it is, so that it is not computed twice. */
static void put_cookie(const struct answer_request *in, const struct query *q, uint8_t *p,
	struct answer_reply *out)
{
	const struct answer_self *self = in->self;
	const struct cookie_asker asker = {.client_cookie = q->client_cookie,
		.address = in->client,
		.now_s = (uint32_t)in->wall_s};
	uint8_t *ours = p + COOKIE_CLIENT_SIZE;

	memcpy(p, q->client_cookie, COOKIE_CLIENT_SIZE);
	for (uint32_t i = 0; i < self->n_cookie_secrets && q->server_cookie; i++) {
		const enum cookie_verdict v = cookie_check(
			self->cookie_secrets[i], &asker, q->server_cookie, q->server_cookie_size);

		if (v == COOKIE_BAD)
			continue;
		out->cookie_valid = true;
		if (v == COOKIE_GOOD && i == 0) {
			memcpy(ours, q->server_cookie, COOKIE_SERVER_SIZE);
			return;
		}
		break;
	}
	cookie_make(self->cookie_secrets[0], &asker, ours);
}

/* An option's head, and where its data goes. */
static uint8_t *put_option(uint8_t *p, unsigned code, size_t size)
{
	answer_put_u16(p, code);
	answer_put_u16(p + 2, (unsigned)size);
	return p + OPTION_FIXED;
}

static uint8_t *put_u16_option(uint8_t *p, unsigned code, unsigned value)
{
	p = put_option(p, code, 2);
	answer_put_u16(p, value);
	return p + 2;
}

void answer_put_opt(const struct answer_request *in, const struct query *q, enum answer_error error,
	struct answer_reply *out)
{
	const size_t size = answer_opt_size(in, q, error);
	uint8_t *p = out->buffer + out->size, *additional = out->buffer + 10;

	out->opt_at = (uint16_t)out->size;
	out->opt_size = (uint16_t)size;
	if (size == 0)
		return;
	/* The root's, OPT, our size, extended RCODE, version 0, DO alone of the flags (RFC 6891 6.1.3). */
	p[0] = 0;
	answer_put_u16(p + 1, DNS_OPT);
	answer_put_u16(p + 3, DNS_UDP_MAX);
	p[5] = (uint8_t)(out->rcode >> 4);
	p[6] = 0;
	answer_put_u16(p + 7, q->dnssec_ok ? 0x8000 : 0);
	answer_put_u16(p + 9, (unsigned)(size - OPT_FIXED));
	p += OPT_FIXED;
	if (has_cookie(in, q)) {
		put_cookie(in, q, put_option(p, OPTION_COOKIE, OPTION_COOKIE_SIZE), out);
		p += OPTION_FIXED + OPTION_COOKIE_SIZE;
	}
	if (has_nsid(in, q)) {
		const size_t length = strlen(in->self->nsid);

		p = put_option(p, OPTION_NSID, length);
		memcpy(p, in->self->nsid, length);
		p += length;
	}
	if (has_keepalive(in, q))
		p = put_u16_option(p, OPTION_KEEPALIVE, in->idle_ds);
	if (error != ANSWER_ERROR_NONE)
		(void)put_u16_option(p, OPTION_ERROR, (unsigned)error);
	answer_put_u16(additional, (unsigned)(additional[0] << 8 | additional[1]) + 1);
	out->size += size;
}

void answer_briefly(const struct answer_request *in, const struct query *q, unsigned rcode,
	enum answer_error error, struct answer_reply *out)
{
	out->rcode = (uint8_t)rcode;
	out->size = answer_put_head(q, 0, rcode, out);
	answer_put_opt(in, q, error, out);
}

static void count_reply(struct answerer *a, const struct answer_reply *out)
{
	if (out->rcode == DNS_SERVFAIL)
		answer_count(&a->counters.no_memory);
	if (answer_is_truncated(out))
		answer_count(&a->counters.truncated);
}

/* What a name of class CHAOS tells (RFC 4892 2); "": nothing. */
static const char *chaos_text(const struct answer_self *self, const uint8_t *name)
{
	const struct {
		const char *name; /* as it is on the wire */
		const char *text;
	} names[] = {
		{"\7version\4bind", self->version},
		{"\7version\6server", self->version},
		{"\10hostname\4bind", self->nsid},
		{"\2id\6server", self->nsid},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (name_equal(name, (const uint8_t *)names[i].name))
			return self->version[0] != '\0' ? names[i].text : "";
	return "";
}

/* One TXT record, or a refusal. */
static void answer_chaos(
	const struct answer_request *in, const struct query *q, struct answer_reply *out)
{
	const char *text = chaos_text(in->self, q->name.bytes);
	const uint8_t length = (uint8_t)strlen(text);
	struct writer w;

	if (length == 0 || (q->type != DNS_TXT && q->type != DNS_ANY)) {
		answer_briefly(in, q, DNS_REFUSED, ANSWER_ERROR_NOT_AUTHORITATIVE, out);
		return;
	}
	out->rcode = DNS_NOERROR;
	out->size = answer_put_head(q, DNS_AA, DNS_NOERROR, out);
	answer_put_u16(out->buffer + 6, 1);
	w = writer_of(out->buffer + out->size, out->room - out->size);
	writer_u16(&w, 0xc000 | DNS_HEADER_SIZE);
	writer_u16(&w, DNS_TXT);
	writer_u16(&w, DNS_CLASS_CHAOS);
	writer_u32(&w, 0);
	writer_u16(&w, 1u + length);
	writer_u8(&w, length);
	writer_bytes(&w, (const uint8_t *)text, length);
	ASSERT(!w.failed);
	out->size += w.at;
	answer_put_opt(in, q, ANSWER_ERROR_NONE, out);
}

/* A cookie is all that is asked for, or whether the one that the asker has is still good (RFC 7873 5.4). */
static void answer_cookie(
	const struct answer_request *in, const struct query *q, struct answer_reply *out)
{
	answer_briefly(
		in, q, has_cookie(in, q) ? DNS_NOERROR : DNS_FORMERR, ANSWER_ERROR_NONE, out);
	if (has_cookie(in, q) && q->server_cookie && !out->cookie_valid)
		answer_briefly(in, q, DNS_BADCOOKIE, ANSWER_ERROR_NONE, out);
}

/* What is neither a transfer nor signed. */
static void answer_unusual(struct answerer *a, const struct catalog *c,
	const struct answer_request *in, const struct query *q, struct answer_reply *out)
{
	if (q->class == DNS_CLASS_CHAOS)
		answer_chaos(in, q, out);
	else if (q->class != DNS_CLASS_IN)
		answer_briefly(in, q, DNS_REFUSED, ANSWER_ERROR_NOT_AUTHORITATIVE, out);
	else if (q->type == DNS_AXFR)
		/* RFC 5936 4.2: not over UDP. */
		answer_briefly(in, q, DNS_FORMERR, ANSWER_ERROR_NOT_SUPPORTED, out);
	else if (q->type == DNS_IXFR && !catalog_zone_named(c, q->name.bytes))
		/* RFC 5936 2.2.1: it is about a zone, as over TCP */
		answer_briefly(in, q, DNS_NOTAUTH, ANSWER_ERROR_NOT_AUTHORITATIVE, out);
	else
		answer_slow(a, c, in, q, out);
}

enum answer_outcome answer(struct answerer *a, const struct catalog *c,
	const struct answer_request *in, struct answer_reply *out)
{
	struct query q;
	const enum query_verdict verdict = query_parse(in->message, in->size, &q);

	ASSERT(out->room >= ANSWER_ROOM_LEAST);
	out->cookie_valid = false;
	out->subject = NULL;
	switch (verdict) {
	case QUERY_IGNORE: answer_count(&a->counters.ignored); return ANSWER_NONE;
	case QUERY_FORMERR: answer_briefly(in, &q, DNS_FORMERR, ANSWER_ERROR_NONE, out); break;
	case QUERY_NOTIMP: answer_briefly(in, &q, DNS_NOTIMP, ANSWER_ERROR_NONE, out); break;
	case QUERY_BADVERS: answer_briefly(in, &q, DNS_BADVERS, ANSWER_ERROR_NONE, out); break;
	case QUERY_COOKIE: answer_cookie(in, &q, out); break;
	case QUERY_UNUSUAL:
		if (in->tcp && q.class == DNS_CLASS_IN &&
			(q.type == DNS_AXFR || q.type == DNS_IXFR))
			return ANSWER_TRANSFER;
		if (q.tsig_at != 0)
			return ANSWER_SIGNED;
		answer_unusual(a, c, in, &q, out);
		break;
	case QUERY_PLAIN:
		if (!answer_fast(a, c, in, &q, out))
			answer_slow(a, c, in, &q, out);
		break;
	}
	count_reply(a, out);
	return ANSWER_SENT;
}

void answer_cut(struct answer_reply *out)
{
	uint8_t *p = out->buffer;

	ASSERT(out->size >= DNS_HEADER_SIZE && out->opt_at + out->opt_size <= out->size);
	p[2] |= DNS_TC >> 8;
	memset(p + 6, 0, 6);
	out->size = DNS_HEADER_SIZE;
	if (p[5] != 0)
		out->size += name_size(p + DNS_HEADER_SIZE, NAME_SIZE_MAX) + 4;
	p[11] = out->opt_size != 0;
	memmove(p + out->size, p + out->opt_at, out->opt_size);
	out->opt_at = (uint16_t)out->size;
	out->size += out->opt_size;
}
