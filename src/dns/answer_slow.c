/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RFC 1034 4.3.2 as it is written, with what later RFCs added: every answer can be made here, by walking down the
 * names and letting libknot write the message.
 */
#include <string.h>

#include <libknot/libknot.h>

#include "base/assert.h"
#include "dns/answerer.h"
#include "dns/catalog_data.h"
#include "dns/compile.h"
#include "dns/records.h"

#define CHAIN_MAX 16  /* aliases that are followed for one question */
#define ADDED_MAX 128 /* targets for the additional section */

/* An owner, and where in the message its name is already, as far as libknot remembers. */
struct owner {
	const uint8_t *name; /* of lower case */
	uint16_t hint;
};

struct arena_left {
	uint8_t *at;
	size_t size;
};

/* One answer in the making. */
struct making {
	struct answerer *a;
	const struct catalog *catalog;
	const struct query *q;
	uint16_t type; /* that is looked for */
	struct arena_left arena;
	knot_mm_t mm;
	knot_pkt_t *pkt;
	struct owner names[CHAIN_MAX + 1]; /* QNAME and what it is an alias for */
	uint32_t n_names;
	const uint8_t *added[ADDED_MAX];
	uint32_t n_added;
	uint16_t naming; /* the RRset whose data names owners that may follow */
	const void *subject;
	unsigned rcode;
	bool authoritative, full, no_memory;
};

static void *arena_take(void *context, size_t size)
{
	struct arena_left *left = context;
	const size_t rounded = (size + 15) & ~(size_t)15;
	void *p = left->at;

	if (rounded > left->size)
		return NULL;
	left->at += rounded;
	left->size -= rounded;
	return p;
}

static void arena_leave(void *p)
{
	(void)p; /* all of it goes with the answer */
}

/* How many records of @s are answered, and in which order: all in theirs unless they are addresses. */
static uint32_t order_records(struct making *m, const struct zone_rrset *s)
{
	const struct body *b = compiled_answer(s);
	bool fail_open = false;
	uint32_t n;

	if (!record_is_address(s->type))
		return s->n_records;
	ASSERT(s->n_records <= ROTATION_MAX);
	if (!b || b->n_groups == 0 || b->groups[0].rotation == BODY_NO_ROTATION)
		return rotation_shuffle(&m->a->rng, s->n_records, m->a->order);
	n = rotation_order(m->catalog->rotations[b->groups[0].rotation],
		(struct rotation_held){m->catalog->held}, &m->a->rng, m->a->order, &fail_open);
	if (fail_open)
		answer_count(&m->a->counters.fail_open);
	return n;
}

/* The data as libknot has it. */
static bool copy_records(struct making *m, const struct zone_rrset *s, knot_rdataset_t *set)
{
	const bool ordered = record_is_address(s->type);
	const struct record first = record_first(s);
	const uint32_t n = order_records(m, s);
	uint8_t *p = arena_take(&m->arena, s->size + s->n_records);
	struct record r = first;

	if (!p)
		return false;
	set->rdata = (knot_rdata_t *)(void *)p;
	set->count = (uint16_t)n;
	for (uint32_t i = 0; i < n; i++) {
		knot_rdata_t *to = (knot_rdata_t *)(void *)p;

		if (ordered)
			r.rdata = first.rdata + m->a->order[i] * (2u + first.size);
		to->len = r.size;
		memcpy(to->data, r.rdata, r.size);
		p += knot_rdata_size(r.size);
		if (!ordered)
			r = record_next(s, r);
	}
	set->size = (uint32_t)(p - (uint8_t *)set->rdata);
	return true;
}

/* What is not put for want of room makes the answer one with TC, unless it may be missing (RFC 2181 9). */
static void put(struct making *m, struct owner owner, const struct zone_rrset *s, uint32_t ttl,
	bool may_be_missing)
{
	knot_rrset_t set;
	int r;

	if (m->full || m->no_memory)
		return;
	knot_rrset_init(&set, (knot_dname_t *)owner.name, s->type, KNOT_CLASS_IN, ttl);
	if (!copy_records(m, s, &set.rrs)) {
		m->no_memory = !may_be_missing;
		return;
	}
	r = knot_pkt_put(m->pkt, owner.hint, &set, may_be_missing ? KNOT_PF_NOTRUNC : 0);
	if (r == KNOT_ESPACE && !may_be_missing)
		m->full = true;
	else if (r != KNOT_EOK && r != KNOT_ESPACE && !may_be_missing)
		m->no_memory = true;
}

/* The same for records whose data names others. */
static void put_naming(struct making *m, struct owner owner, const struct zone_rrset *s)
{
	m->naming = m->pkt->rrset_count;
	put(m, owner, s, s->ttl, false);
}

/* The @i-th name in that data, of records that have one name each. */
static struct owner named(const struct making *m, const uint8_t *name, uint32_t i)
{
	const bool known = m->naming < m->pkt->rrset_count && i < KNOT_COMPR_HINT_COUNT;

	return (struct owner){name, known ? knot_compr_hint(&m->pkt->rr_info[m->naming],
						    (uint16_t)(KNOT_COMPR_HINT_RDATA + i))
					  : (uint16_t)KNOT_COMPR_HINT_NONE};
}

static struct owner unnamed(const uint8_t *name)
{
	return (struct owner){name, KNOT_COMPR_HINT_NONE};
}

/* The SOA of a zone that has nothing to say (RFC 2308 2, 3, 5). */
static void put_negative(struct making *m, const struct zone *z)
{
	const struct zone_rrset *soa = zone_soa(z);

	knot_pkt_begin(m->pkt, KNOT_AUTHORITY);
	put(m, unnamed(zone_apex(z)), soa, record_negative_ttl(soa), false);
}

/* A target in lower case, as names of the zone are and data need not be (RFC 4343 3). NULL if there is no memory. */
static const uint8_t *lower_target(struct making *m, const uint8_t *target)
{
	const size_t size = name_size(target, NAME_SIZE_MAX);
	uint8_t *copy = arena_take(&m->arena, size);

	if (copy)
		name_lower(copy, target, size);
	return copy;
}

static bool was_added(struct making *m, const uint8_t *target)
{
	for (uint32_t i = 0; i < m->n_added; i++) {
		if (name_equal(m->added[i], target))
			return true;
	}
	if (m->n_added == ADDED_MAX)
		return true;
	m->added[m->n_added++] = target;
	return false;
}

/* What the zone knows of the names that @s, at @n and told of as @owner's, names. */
static void put_additional(struct making *m, const struct zone *z, const struct zone_node *n,
	const struct zone_rrset *s, struct owner owner)
{
	uint32_t i = 0;

	for (struct record r = record_first(s); r.rdata; r = record_next(s, r), i++) {
		const uint8_t *target = record_target(s->type, r, owner.name);
		const bool own = target == owner.name;
		const struct zone_node *t;

		if (target && !own)
			target = lower_target(m, target);
		if (!target || was_added(m, target))
			continue;
		t = own ? n : zone_lookup(z, target);
		if (!t || !compile_may_add(s->type, t))
			continue;
		for (const struct zone_rrset *add = t->rrsets; add; add = add->next) {
			if (record_is_address(add->type) ||
				(add->type == s->type && record_is_alias(s->type, r)))
				put(m, own ? owner : named(m, target, i), add, add->ttl, true);
		}
	}
}

/* The addresses of name servers, either those at or below the cut, which a resolver can't go on without
 * (RFC 9471 3.1), or the others. */
static void put_glue(struct making *m, const struct zone *z, const struct zone_node *cut,
	const struct zone_rrset *ns, bool required)
{
	uint32_t i = 0;

	for (struct record r = record_first(ns); r.rdata; r = record_next(ns, r), i++) {
		const uint8_t *target = record_target(ns->type, r, NULL);
		const struct zone_node *t = target ? zone_lookup(z, target) : NULL;

		if (!t || name_is_within(target, cut->name) != required)
			continue;
		for (const struct zone_rrset *add = t->rrsets; add; add = add->next) {
			if (record_is_address(add->type))
				put(m, named(m, target, i), add, add->ttl, !required);
		}
	}
}

static void put_referral(struct making *m, const struct zone *z, const struct zone_node *cut)
{
	const struct zone_rrset *ns = zone_rrset_of(cut, DNS_NS);

	knot_pkt_begin(m->pkt, KNOT_AUTHORITY);
	put_naming(m, unnamed(cut->name), ns);
	knot_pkt_begin(m->pkt, KNOT_ADDITIONAL);
	put_glue(m, z, cut, ns, true);
	put_glue(m, z, cut, ns, false);
	m->subject = cut;
	if (m->n_names == 1)
		m->authoritative = false;
}

/* Goes on with another name; false if that leads nowhere. */
static bool follow(struct making *m, const uint8_t *name, size_t size)
{
	uint8_t *copy;

	if (m->n_names > CHAIN_MAX || m->full || m->no_memory)
		return false;
	for (uint32_t i = 0; i < m->n_names; i++) {
		if (name_equal(m->names[i].name, name))
			return false; /* in a circle */
	}
	copy = arena_take(&m->arena, size);
	if (!copy) {
		m->no_memory = true;
		return false;
	}
	name_lower(copy, name, size);
	m->names[m->n_names++] = named(m, copy, 0);
	return true;
}

/* The records at @n, which answers for @name. True if they are those of an alias that is to be followed. */
static bool put_node(
	struct making *m, const struct zone *z, const struct zone_node *n, struct owner name)
{
	const struct zone_rrset *s = m->type == DNS_ANY ? n->rrsets : zone_rrset_of(n, m->type);
	const struct zone_rrset *alias = zone_rrset_of(n, DNS_CNAME);

	m->subject = n;
	if (s) {
		/* To ANY one RRset is answer enough (RFC 8482 4.1). */
		put_naming(m, name, s);
		knot_pkt_begin(m->pkt, KNOT_ADDITIONAL);
		if (m->type != DNS_ANY)
			put_additional(m, z, n, s, name);
		return false;
	}
	if (alias) {
		const struct record r = record_first(alias);

		put_naming(m, name, alias);
		return follow(m, r.rdata, r.size);
	}
	put_negative(m, z);
	return false;
}

/* A chain that comes by the same DNAME twice tells it once: only its owner is told as the zone has it. */
static bool was_put(const struct making *m, const uint8_t *owner)
{
	for (unsigned i = 0; i < m->pkt->rrset_count; i++) {
		if (m->pkt->rr[i].owner == owner)
			return true;
	}
	return false;
}

/* A DNAME at @n, above @name, and the CNAME that follows from it (RFC 6672 3.1). True: go on. */
static bool put_dname(
	struct making *m, const struct zone_node *n, const struct zone_rrset *s, struct owner name)
{
	const struct record target = record_first(s);
	const size_t prefix = name_size(name.name, NAME_SIZE_MAX) - n->name_size;
	uint8_t alias[2 + NAME_SIZE_MAX]; /* as a record of a zone_rrset: the length before it */
	uint16_t size;
	struct zone_rrset cname;

	m->subject = n;
	if (!was_put(m, n->name))
		put(m, unnamed(n->name), s, s->ttl, false);
	if (prefix + target.size > NAME_SIZE_MAX) {
		m->rcode = DNS_YXDOMAIN;
		return false;
	}
	size = (uint16_t)(prefix + target.size);
	memcpy(alias, &size, sizeof size);
	memcpy(alias + 2, name.name, prefix);
	memcpy(alias + 2 + prefix, target.rdata, target.size);
	cname = (struct zone_rrset){.type = DNS_CNAME,
		.n_records = 1,
		.ttl = s->ttl,
		.size = 2u + size,
		.service = ZONE_NO_SERVICE,
		.records = alias};
	put_naming(m, name, &cname);
	/* A question for the CNAME itself has its answer now (RFC 6672 3.2). */
	if (m->type == DNS_CNAME)
		return false;
	return follow(m, alias + 2, size);
}

/* Down from the apex, label by label (RFC 1034 4.3.2, step 3). True: the name is an alias; go on with the next. */
static bool answer_name(struct making *m, const struct zone *z, struct owner name)
{
	const struct zone_node *n = zone_apex_node(z);
	const struct zone_rrset *dname;
	uint8_t offsets[NAME_LABELS_MAX + 1];
	const uint32_t depth = name_split(name.name, offsets) - name_labels(zone_apex(z));

	for (uint32_t left = depth;; left--) {
		const struct zone_node *child;

		/* A: a cut; the DS of which is on this side of it (RFC 4035 3.1.4.1). */
		if (left != depth && zone_rrset_of(n, DNS_NS) &&
			!(left == 0 && m->type == DNS_DS)) {
			put_referral(m, z, n);
			return false;
		}
		if (left == 0)
			return put_node(m, z, n, name);
		child = zone_lookup(z, name.name + offsets[left - 1]);
		if (!child)
			break;
		n = child;
	}
	dname = zone_rrset_of(n, DNS_DNAME);
	if (dname)
		return put_dname(m, n, dname, name);
	if (n->wildcard) /* RFC 4592 3.3.1: of the closest encloser, and of no other */
		return put_node(m, z, n->wildcard, name);
	m->rcode = DNS_NXDOMAIN;
	m->subject = z;
	put_negative(m, z);
	return false;
}

/* The zone that answers for @name; of DS, the one above. */
static const struct zone *find_zone(const struct making *m, const uint8_t *name)
{
	const struct zone *z = catalog_find(m->catalog, name), *above;

	if (!z || m->type != DNS_DS || *name == 0 || !name_equal(zone_apex(z), name))
		return z;
	above = catalog_find(m->catalog, name_parent(name));
	return above ? above : z;
}

static bool start(struct making *m, const struct answer_reply *out, size_t limit, size_t reserved)
{
	m->arena = (struct arena_left){m->a->arena, m->a->arena_size};
	m->mm = (knot_mm_t){.ctx = &m->arena, .alloc = arena_take, .free = arena_leave};
	m->pkt = knot_pkt_new(out->buffer, (uint16_t)limit, &m->mm);
	if (!m->pkt)
		return false;
	knot_pkt_clear(m->pkt);
	return knot_pkt_put_question(m->pkt, m->q->question, m->q->class, m->q->type) == KNOT_EOK &&
	       knot_pkt_reserve(m->pkt, (uint16_t)reserved) == KNOT_EOK &&
	       knot_pkt_begin(m->pkt, KNOT_ANSWER) == KNOT_EOK;
}

/* What libknot wrote, as an answer to this question. */
static void finish(const struct making *m, struct answer_reply *out)
{
	const unsigned flags = (m->authoritative ? DNS_AA : 0) | (m->full ? DNS_TC : 0);
	uint8_t counts[6];

	memcpy(counts, out->buffer + 6, sizeof counts);
	answer_put_head(m->q, flags, m->rcode, out);
	memcpy(out->buffer + 6, counts, sizeof counts);
	out->size = m->pkt->size;
	out->rcode = (uint8_t)m->rcode;
	out->subject = m->subject;
}

bool answer_slow(struct answerer *a, const struct catalog *c, const struct answer_request *in,
	const struct query *q, struct answer_reply *out)
{
	struct making m = {.a = a, .catalog = c, .q = q, .type = q->type, .authoritative = true};
	const struct zone *z;

	if (q->type == DNS_IXFR)
		m.type =
			DNS_SOA; /* over UDP: how new we are, and so to ask over TCP (RFC 1995 2) */
	m.names[m.n_names++] = (struct owner){q->name.bytes, KNOT_COMPR_HINT_QNAME};
	z = find_zone(&m, q->name.bytes);
	if (!z) {
		answer_briefly(in, q, DNS_REFUSED, ANSWER_ERROR_NOT_AUTHORITATIVE, out);
		return true;
	}
	answer_count(&a->counters.slow);
	m.no_memory = !start(
		&m, out, answer_limit(in, q, out), answer_opt_size(in, q, ANSWER_ERROR_NONE));
	while (!m.no_memory && z && answer_name(&m, z, m.names[m.n_names - 1]))
		z = find_zone(&m, m.names[m.n_names - 1].name);
	if (m.no_memory) {
		answer_briefly(in, q, DNS_SERVFAIL, ANSWER_ERROR_NONE, out);
		return true;
	}
	finish(&m, out);
	answer_put_opt(in, q, ANSWER_ERROR_NONE, out);
	return true;
}
