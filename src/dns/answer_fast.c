/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "dns/answerer.h"
#include "dns/catalog_data.h"
#include "dns/compile.h"

/* What is to be said: a body, or nothing but an RCODE. */
struct found {
	const struct body *body;
	const void *subject;
	unsigned flags, rcode;
	enum answer_error error;
};

static const struct body empty_body;

/* The records of @type at a node that answers for QNAME, or that there are none. */
static bool find_rrset(
	const struct zone *z, const struct zone_node *n, uint16_t type, struct found *ret_found)
{
	const struct zone_rrset *s = zone_rrset_of(n, type);

	if (!s && (n->flags & ZONE_NODE_CNAME))
		return false;
	ret_found->body = s ? compiled_answer(s) : compiled_negative(z);
	ret_found->subject = n;
	return true;
}

/* RFC 1034 4.3.2 on what was compiled. False: that is not enough. */
static bool find_body(const struct catalog *c, const struct query *q, struct found *ret_found)
{
	const struct zone *z = catalog_find(c, q->name.bytes);
	const struct zone_node *n;
	bool exact;

	if (!z) {
		*ret_found = (struct found){
			&empty_body, NULL, 0, DNS_REFUSED, ANSWER_ERROR_NOT_AUTHORITATIVE};
		return true;
	}
	n = zone_find(z, q->name.bytes, &exact);
	*ret_found = (struct found){.flags = DNS_AA, .error = ANSWER_ERROR_NONE};
	/* DS is the parent's, which may be a zone of ours, too (RFC 4035 3.1.4.1). */
	if (q->type == DNS_DS && exact && (n->flags & ZONE_NODE_APEX))
		return false;
	if (n->flags & (ZONE_NODE_CUT | ZONE_NODE_BELOW)) {
		if (q->type == DNS_DS && exact && !(n->flags & ZONE_NODE_BELOW))
			return find_rrset(z, n, q->type, ret_found);
		while (!(n->flags & ZONE_NODE_CUT)) /* none is below another */
			n = n->parent;
		ret_found->body = compiled_referral(n);
		ret_found->subject = n;
		ret_found->flags = 0;
		return true;
	}
	if (exact)
		return find_rrset(z, n, q->type, ret_found);
	if (n->flags & ZONE_NODE_DNAME)
		return false;
	if (n->flags & ZONE_NODE_WILDCARD)
		return !(n->wildcard->flags & ZONE_NODE_CUT) &&
		       find_rrset(z, n->wildcard, q->type, ret_found);
	ret_found->body = compiled_negative(z);
	ret_found->subject = z;
	ret_found->rcode = DNS_NXDOMAIN;
	return true;
}

/* A body on its way into a message. */
struct copy {
	const uint8_t *bytes;
	uint8_t *out;
	const uint16_t *pointers, *pointers_end; /* still to be moved */
	unsigned name_end;                       /* where QNAME ends in the message */
	unsigned left_out;                       /* records */
};

/* The bytes as they are, but for the pointers. */
static void copy_span(struct copy *c, unsigned from, unsigned to)
{
	uint8_t *start = c->out;

	memcpy(c->out, c->bytes + from, to - from);
	c->out += to - from;
	for (; c->pointers < c->pointers_end && *c->pointers < to; c->pointers++) {
		uint8_t *p = start + (*c->pointers - from);
		int16_t distance;

		memcpy(&distance, p, sizeof distance);
		answer_put_u16(p, 0xc000u | (c->name_end + (unsigned)distance));
	}
}

/* The addresses of a group, those and in the order that were drawn. */
static void copy_group(
	struct copy *c, const struct body_group *g, const uint16_t *order, uint32_t n)
{
	const unsigned stride = BODY_RECORD_FIXED + g->address_size, first = g->at + g->first_fixed,
		       second = first + g->address_size;
	const uint8_t *fixed = NULL;

	copy_span(c, g->at, first);
	for (uint32_t i = 0; i < n; i++) {
		if (i == 1) {
			fixed = c->out;
			copy_span(c, second, second + BODY_RECORD_FIXED);
		} else if (i > 1) {
			memcpy(c->out, fixed, BODY_RECORD_FIXED);
			c->out += BODY_RECORD_FIXED;
		}
		memcpy(c->out, c->bytes + first + order[i] * stride, g->address_size);
		c->out += g->address_size;
	}
	/* The second record's pointer, if there is none. */
	while (c->pointers < c->pointers_end && *c->pointers < body_group_end(g))
		c->pointers++;
	c->left_out += g->n - n;
}

/* Draws which of a group's addresses are given, and in which order, into a->order. Returns how many. */
static uint32_t draw_order(struct answerer *a, const struct catalog *c, const struct body_group *g)
{
	const struct rotation_held held = {c->held};
	bool fail_open = false;
	uint32_t n;

	if (g->rotation == BODY_NO_ROTATION)
		return rotation_shuffle(&a->rng, g->n, a->order);
	n = rotation_order(c->rotations[g->rotation], held, &a->rng, a->order, &fail_open);
	if (fail_open)
		answer_count(&a->counters.fail_open);
	return n;
}

static void copy_body(
	struct answerer *a, const struct catalog *catalog, const struct body *b, struct copy *c)
{
	unsigned from = 0;

	for (unsigned i = 0; i < b->n_groups; i++) {
		const struct body_group *g = &b->groups[i];

		copy_span(c, from, g->at);
		copy_group(c, g, a->order, draw_order(a, catalog, g));
		from = body_group_end(g);
	}
	copy_span(c, from, b->size);
}

bool answer_fast(struct answerer *a, const struct catalog *c, const struct answer_request *in,
	const struct query *q, struct answer_reply *out)
{
	struct found f;
	size_t head;

	if (!find_body(c, q, &f) || f.body->too_large)
		return false;
	if (DNS_HEADER_SIZE + q->question_size + f.body->size + answer_opt_size(in, q, f.error) >
		answer_limit(in, q, out))
		return false;
	head = answer_put_head(q, f.flags, f.rcode, out);
	struct copy copy = {.bytes = body_bytes(f.body),
		.out = out->buffer + head,
		.pointers = body_pointers(f.body),
		.pointers_end = body_pointers(f.body) + f.body->n_pointers,
		.name_end = (unsigned)head - 4}; /* before QTYPE and QCLASS */

	copy_body(a, c, f.body, &copy);
	out->size = (size_t)(copy.out - out->buffer);
	/* A body's addresses are either its answer or additional. */
	answer_put_u16(
		out->buffer + 6, f.body->n_answer - (f.body->n_additional ? 0 : copy.left_out));
	answer_put_u16(out->buffer + 8, f.body->n_authority);
	answer_put_u16(out->buffer + 10,
		f.body->n_additional - (f.body->n_additional ? copy.left_out : 0));
	out->rcode = (uint8_t)f.rcode;
	out->subject = f.subject;
	answer_put_opt(in, q, f.error, out);
	answer_count(&a->counters.fast);
	return true;
}
