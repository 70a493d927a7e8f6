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

/* RFC 8945 5.3: what does not fit with the signature is asked for over TCP. */
static void sign(struct tsig *t, size_t limit, uint64_t now_s, struct answer_reply *out)
{
	if (out->size + tsig_size(t) > limit)
		answer_cut(out);
	out->size = tsig_sign(t, out->buffer, out->size, now_s);
}

static enum answer_outcome answer_verified(struct answerer *a, const struct catalog *c,
	const struct answer_request *in, const struct query *q, struct tsig *t,
	struct answer_reply *out)
{
	const size_t limit = answer_limit(in, q, out);
	uint8_t bytes[QUESTION_MAX];
	const struct answer_request without = cut(in, q, bytes);
	const size_t room = limit - tsig_size(t);
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
	sign(t, limit, in->wall_s, out);
	return out->size > 0 ? ANSWER_SENT : ANSWER_NONE;
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
	sign(&t, answer_limit(in, &q, out), in->wall_s, out);
	return out->size > 0 ? ANSWER_SENT : ANSWER_NONE;
}
