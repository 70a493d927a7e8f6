/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/compile.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "dns/catalog_data.h"
#include "dns/query.h"
#include "dns/records.h"

#define QUESTION_TAIL 4      /* QTYPE and QCLASS: the body begins so far behind QNAME's end */
#define QNAME_POINTER 0xc00c /* QNAME always begins behind the header */

#define POINTERS_MAX 255
#define GROUPS_MAX   255
#define KNOWN_MAX    256
#define TARGETS_MAX  128

/* A name that a pointer can go to, and its distance from QNAME's end. */
struct known {
	const uint8_t *name;
	int16_t distance;
};

struct builder {
	struct catalog *catalog;
	const struct zone *zone;
	const uint8_t *qname; /* the owner that is QNAME, whatever it is spelled like; or NULL */
	struct writer w;
	uint16_t counts[3];
	struct body_group groups[GROUPS_MAX];
	uint16_t pointers[POINTERS_MAX];
	struct known known[KNOWN_MAX];
	struct name targets[TARGETS_MAX]; /* that have their addresses */
	uint32_t n_groups, n_pointers, n_known, n_targets;
	bool no_memory;
	uint8_t bytes[BODY_MAX];
};

enum section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL };

/* The suffixes of @name that are longer than @end, which is one of them. */
static void learn_name(struct builder *b, const uint8_t *name, const uint8_t *end, int distance)
{
	for (; name != end && b->n_known < KNOWN_MAX; name = name_parent(name)) {
		b->known[b->n_known++] = (struct known){name, (int16_t)distance};
		distance += 1 + *name;
	}
}

/* Every QNAME that the body is for ends in @common. */
static void start_body(struct builder *b, const uint8_t *qname, const uint8_t *common)
{
	const size_t common_size = name_size(common, NAME_SIZE_MAX);

	b->qname = qname;
	b->w = writer_of(b->bytes, sizeof b->bytes);
	memset(b->counts, 0, sizeof b->counts);
	b->n_groups = b->n_pointers = b->n_known = b->n_targets = 0;
	learn_name(b, common, common + common_size - 1, -(int)common_size);
}

static void put_pointer(struct builder *b, int16_t distance)
{
	if (b->n_pointers == POINTERS_MAX) {
		b->w.failed = true;
		return;
	}
	b->pointers[b->n_pointers++] = (uint16_t)b->w.at;
	writer_bytes(&b->w, &distance, sizeof distance);
}

static const struct known *find_known(const struct builder *b, const uint8_t *name)
{
	for (uint32_t i = 0; i < b->n_known; i++) {
		if (name_equal(b->known[i].name, name))
			return &b->known[i];
	}
	return NULL;
}

/* Writes the name, the part that is known as a pointer. */
static void put_name(struct builder *b, const uint8_t *name)
{
	const uint8_t *whole = name;
	const int start = (int)b->w.at + QUESTION_TAIL;

	for (; *name != 0; name = name_parent(name)) {
		const struct known *k = find_known(b, name);

		if (k) {
			put_pointer(b, k->distance);
			break;
		}
		writer_bytes(&b->w, name, 1u + *name);
	}
	if (*name == 0)
		writer_u8(&b->w, 0);
	learn_name(b, whole, name, start);
}

static void put_owner(struct builder *b, const uint8_t *owner)
{
	if (owner == b->qname)
		writer_u16(&b->w, QNAME_POINTER);
	else
		put_name(b, owner);
}

/* The data, and its length before it. */
static void put_rdata(struct builder *b, uint16_t type, struct record r)
{
	const struct record_names names = record_names(type);
	const size_t start = b->w.at + 2;
	const uint8_t *p = r.rdata;

	writer_u16(&b->w, 0);
	writer_bytes(&b->w, p, names.at);
	p += names.at;
	for (int i = 0; i < names.n; i++) {
		put_name(b, p);
		p += name_size(p, NAME_SIZE_MAX);
	}
	writer_bytes(&b->w, p, (size_t)(r.rdata + r.size - p));
	if (!b->w.failed) {
		struct writer length = writer_of(b->bytes + start - 2, 2);

		writer_u16(&length, (uint16_t)(b->w.at - start));
	}
}

/* Notes that the records from @at on are addresses to be put in order. */
static void put_group(struct builder *b, const struct zone_rrset *s, size_t at, size_t first_fixed)
{
	const uint16_t size = record_first(s).size;
	uint32_t rotation = BODY_NO_ROTATION;

	ASSERT(s->service == ZONE_NO_SERVICE || b->catalog->config);
	if (s->service != ZONE_NO_SERVICE && !catalog_add_rotation(b->catalog, s, &rotation))
		b->no_memory = true;
	if (rotation == BODY_NO_ROTATION && s->n_records < 2)
		return;
	/* All owners but the first are pointers, unless there were too many names to remember. */
	if (b->n_groups == GROUPS_MAX ||
		b->w.at != at + first_fixed + size +
				   (s->n_records - 1u) * (size_t)(BODY_RECORD_FIXED + size))
		b->w.failed = true;
	if (b->n_groups == GROUPS_MAX)
		return;
	b->groups[b->n_groups++] = (struct body_group){.at = (uint16_t)at,
		.n = s->n_records,
		.first_fixed = (uint16_t)first_fixed,
		.address_size = size,
		.rotation = rotation};
}

static void put_rrset(struct builder *b, enum section section, const uint8_t *owner,
	const struct zone_rrset *s, uint32_t ttl)
{
	const size_t start = b->w.at;
	uint32_t i = 0, n_pointers = 0;
	size_t first_fixed = 0;

	for (struct record r = record_first(s); r.rdata; r = record_next(s, r)) {
		put_owner(b, owner);
		if (i++ == 0)
			first_fixed = b->w.at - start + BODY_RECORD_FIXED - 2;
		if (i <= 2)
			n_pointers = b->n_pointers;
		writer_u16(&b->w, s->type);
		writer_u16(&b->w, DNS_CLASS_IN);
		writer_u32(&b->w, ttl);
		put_rdata(b, s->type, r);
		b->counts[section]++;
	}
	if (record_is_address(s->type)) {
		b->n_pointers = n_pointers;
		put_group(b, s, start, first_fixed);
	}
}

bool compile_may_add(uint16_t type, const struct zone_node *target)
{
	return type == DNS_NS || !(target->flags & (ZONE_NODE_BELOW | ZONE_NODE_CUT));
}

/* The target in lower case, as names of the zone are and data need not be (RFC 4343 3), for as long as the body is
 * made; NULL if it was there already. */
static const uint8_t *note_target(struct builder *b, const uint8_t *target)
{
	struct name lower = {.size = (uint8_t)name_size(target, NAME_SIZE_MAX)};

	name_lower(lower.bytes, target, lower.size);
	for (uint32_t i = 0; i < b->n_targets; i++) {
		if (name_equal(b->targets[i].bytes, lower.bytes))
			return NULL;
	}
	if (b->n_targets == TARGETS_MAX) {
		b->w.failed = true;
		return NULL;
	}
	b->targets[b->n_targets] = lower;
	return b->targets[b->n_targets++].bytes;
}

/* What the zone has for @target, once: its addresses, and of an alias the records of @type (RFC 9460 4.1). */
static void put_target(struct builder *b, uint16_t type, const uint8_t *target, bool is_alias)
{
	const uint8_t *lower = note_target(b, target);
	const struct zone_node *n = lower ? zone_lookup(b->zone, lower) : NULL;

	if (!n || !compile_may_add(type, n))
		return;
	for (const struct zone_rrset *s = n->rrsets; s; s = s->next) {
		if (record_is_address(s->type) || (is_alias && s->type == type))
			put_rrset(b, SECTION_ADDITIONAL, target == b->qname ? target : lower, s,
				s->ttl);
	}
}

/* The addresses of the names that @s names; if @below, only of those at or below that name. */
static void put_targets(struct builder *b, const struct zone_node *n, const struct zone_rrset *s,
	const uint8_t *below)
{
	for (struct record r = record_first(s); r.rdata; r = record_next(s, r)) {
		const uint8_t *target = record_target(s->type, r, n->name);

		if (target && (!below || name_is_within(target, below)))
			put_target(b, s->type, target, record_is_alias(s->type, r));
	}
}

/* The body so far, in the catalog's arena; of none that is too large, only what rotates it. */
static struct body *finish_body(struct builder *b)
{
	const bool too_large = b->w.failed;
	const uint32_t n_groups = too_large ? (b->n_groups > 0) : b->n_groups;
	const uint32_t n_pointers = too_large ? 0 : b->n_pointers;
	const size_t size = too_large ? 0 : b->w.at;
	struct body *body = b->no_memory
				    ? NULL
				    : arena_alloc(&b->catalog->arena,
					      sizeof *body + n_groups * sizeof b->groups[0] +
						      n_pointers * sizeof b->pointers[0] + size,
					      NULL);

	if (!body)
		return NULL;
	*body = (struct body){.size = (uint16_t)size,
		.n_answer = b->counts[SECTION_ANSWER],
		.n_authority = b->counts[SECTION_AUTHORITY],
		.n_additional = b->counts[SECTION_ADDITIONAL],
		.n_groups = (uint8_t)n_groups,
		.n_pointers = (uint8_t)n_pointers,
		.too_large = too_large};
	memcpy(body->groups, b->groups, n_groups * sizeof b->groups[0]);
	memcpy(body->groups + n_groups, b->pointers, n_pointers * sizeof b->pointers[0]);
	memcpy((uint8_t *)(body->groups + n_groups) + n_pointers * sizeof b->pointers[0], b->bytes,
		size);
	return body;
}

/* The positive answer, of the name or of all names that the wildcard stands for. */
static bool compile_rrset(struct builder *b, const struct zone_node *n, struct zone_rrset *s)
{
	const bool wildcard = name_is_wildcard(n->name);

	start_body(b, n->name, wildcard ? name_parent(n->name) : n->name);
	put_rrset(b, SECTION_ANSWER, n->name, s, s->ttl);
	put_targets(b, n, s, NULL);
	return (s->compiled = finish_body(b)) != NULL;
}

/* NS in the authority section, and their addresses, those first that can't be found without (RFC 9471). */
static bool compile_referral(struct builder *b, struct zone_node *cut)
{
	const struct zone_rrset *ns = zone_rrset_of(cut, DNS_NS);

	ASSERT(ns);
	start_body(b, NULL, cut->name);
	put_rrset(b, SECTION_AUTHORITY, cut->name, ns, ns->ttl);
	put_targets(b, cut, ns, cut->name);
	put_targets(b, cut, ns, NULL);
	return (cut->compiled = finish_body(b)) != NULL;
}

/* The SOA for NODATA and NXDOMAIN (RFC 2308 2, 3, 5). */
static bool compile_negative(struct builder *b, struct zone_node *apex)
{
	const struct zone_rrset *soa = zone_soa(b->zone);

	start_body(b, NULL, apex->name);
	put_rrset(b, SECTION_AUTHORITY, apex->name, soa, record_negative_ttl(soa));
	return (apex->compiled = finish_body(b)) != NULL;
}

bool compile_zone(struct catalog *c, struct zone *z)
{
	struct builder b = {.catalog = c, .zone = z};

	for (uint32_t i = 0; i < zone_n_nodes(z); i++) {
		struct zone_node *n = zone_node_to_compile(z, i);

		if (n->flags & ZONE_NODE_BELOW)
			continue;
		if ((n->flags & ZONE_NODE_APEX) && !compile_negative(&b, n))
			return false;
		if ((n->flags & ZONE_NODE_CUT) && !compile_referral(&b, n))
			return false;
		for (struct zone_rrset *s = n->rrsets; s; s = s->next) {
			if (!compile_rrset(&b, n, s))
				return false;
		}
	}
	return true;
}
