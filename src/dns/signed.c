/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/signed.h"

#include <string.h>

#include "base/assert.h"
#include "dns/answerer.h"

/* A question that is larger has no reason to be. */
#define QUESTION_MAX 4096

/* The message without its TSIG record. */
static struct answer_request cut(
	const struct answer_request *in, const struct query *q, uint8_t bytes[QUESTION_MAX])
{
	struct answer_request without = *in;
	uint8_t *additional = bytes + 10;

	memcpy(bytes, in->message, q->tsig_at);
	answer_put_u16(additional, ((unsigned)additional[0] << 8 | additional[1]) - 1);
	without.message = bytes;
	without.size = q->tsig_at;
	return without;
}

/* What a signature leaves of @limit. */
static size_t room_beside(const struct tsig *t, size_t limit)
{
	const size_t size = tsig_size(t);

	return limit > size ? limit - size : 0;
}

/* RFC 8945 5.3: what does not fit with the signature is asked for over TCP; then there is nothing but the question, and
 * no RCODE unless it is about the signature. OPT stays (RFC 6891 7) if @room allows it. */
static void shorten(const struct tsig *t, size_t room, struct answer_reply *out)
{
	answer_cut(out);
	if (t->error == TSIG_NO_ERROR) {
		out->buffer[3] &= 0xf0;
		out->rcode = DNS_NOERROR;
	}
	if (out->size <= room)
		return;
	out->size = out->opt_at;
	out->opt_size = 0;
	answer_put_u16(out->buffer + 10, 0);
}

/* An asker whose key and question leave no room in what it takes (RFC 1035 4.2.1) hears nothing. */
static enum answer_outcome sign(
	struct tsig *t, size_t limit, uint64_t now_s, struct answer_reply *out)
{
	const size_t room = room_beside(t, limit);

	if (answer_is_truncated(out) || out->size > room)
		shorten(t, room, out);
	out->size = out->size > room ? 0 : tsig_sign(t, out->buffer, out->size, now_s);
	return out->size > 0 ? ANSWER_SENT : ANSWER_NONE;
}

static enum answer_outcome answer_verified(struct answerer *a, const struct catalog *c,
	const struct answer_request *in, const struct query *q, struct tsig *t,
	struct answer_reply *out)
{
	const size_t limit = answer_limit(in, q, out);
	uint8_t bytes[QUESTION_MAX];
	const struct answer_request without = cut(in, q, bytes);
	const size_t room = room_beside(t, limit);
	struct answer_reply reply = *out;
	enum answer_outcome outcome;

	reply.room = room > ANSWER_ROOM_LEAST ? room : ANSWER_ROOM_LEAST;
	outcome = answer(a, c, &without, &reply);
	if (outcome != ANSWER_SENT)
		return ANSWER_NONE;
	reply.room = out->room;
	*out = reply;
	/* A signature shows better than a cookie that the asker is where it says. */
	out->cookie_valid = true;
	return sign(t, limit, in->wall_s, out);
}

enum answer_outcome signed_answer(struct answerer *a, const struct catalog *c,
	const struct tsig_key *key, const struct answer_request *in, struct answer_reply *out)
{
	const enum answer_outcome outcome = answer(a, c, in, out);
	enum tsig_verdict verdict = TSIG_MALFORMED;
	struct query q;
	struct tsig t;

	if (outcome != ANSWER_SIGNED)
		return outcome;
	(void)query_parse(in->message, in->size, &q);
	ASSERT(q.tsig_at > 0 && out->room >= DNS_UDP_MAX);
	if (q.tsig_at <= QUESTION_MAX)
		verdict = tsig_verify(key, &(struct tsig_message){in->message, in->size, q.tsig_at},
			in->wall_s, &t);
	switch (verdict) {
	case TSIG_VALID: return answer_verified(a, c, in, &q, &t, out);
	case TSIG_MALFORMED:
		answer_briefly(in, &q, DNS_FORMERR, ANSWER_ERROR_NONE, out);
		return ANSWER_SENT;
	case TSIG_REFUSED: break;
	}
	out->tsig_error = (uint8_t)t.error;
	answer_briefly(in, &q, DNS_NOTAUTH, ANSWER_ERROR_NONE, out);
	return sign(&t, answer_limit(in, &q, out), in->wall_s, out);
}
