/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/zone.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "zone/rdata.h"
#include "zone/zone_data.h"

/* Who listens, and whether there was an error. */
struct checking {
	const struct zone *z;
	zone_tell *tell;
	void *context;
	char *problem; /* the first error's text; empty before */
};

__attribute__((format(printf, 4, 5))) static void say(struct checking *c,
	enum zone_severity severity, const struct zone_rrset *about, const char *format, ...)
{
	const struct zone_place whole = {.file = c->z->file};
	const struct zone_place place =
		about ? (struct zone_place){about->file, about->line} : whole;
	char text[ZONE_PROBLEM_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (c->tell)
		c->tell(c->context, severity, &place, text);
	if (severity == ZONE_ERROR && c->problem[0] == '\0')
		memcpy(c->problem, text, sizeof(text));
}

static void check_apex(struct checking *c)
{
	const struct zone_node *apex = c->z->apex;
	char name[ZONE_NAME_SIZE];

	if (!zone_rrset_of(apex, RDATA_SOA)) /* RFC 1035 5.2 */
		say(c, ZONE_ERROR, NULL, "the zone %s has no SOA record",
			zone_name_show(apex->name, name));
	if (!zone_rrset_of(apex, RDATA_NS)) /* RFC 1034 4.2.1 */
		say(c, ZONE_ERROR, NULL, "the zone %s has no NS records",
			zone_name_show(apex->name, name));
}

/* Parents come before their children. */
static void set_flags(struct zone_node *n)
{
	uint16_t flags = n->flags;

	if (n->wildcard)
		flags |= ZONE_NODE_WILDCARD;
	if (n->parent && n->parent->flags & (ZONE_NODE_CUT | ZONE_NODE_BELOW))
		flags |= ZONE_NODE_BELOW;
	for (const struct zone_rrset *s = n->rrsets; s; s = s->next) {
		if (s->type == RDATA_NS && !(flags & (ZONE_NODE_APEX | ZONE_NODE_BELOW)))
			flags |= ZONE_NODE_CUT;
		if (s->type == RDATA_DNAME)
			flags |= ZONE_NODE_DNAME;
		if (s->type == RDATA_CNAME)
			flags |= ZONE_NODE_CNAME;
	}
	n->flags = flags;
}

/* RFC 6672 2.4: nothing is below a DNAME. Told once for each, with the first name below it. */
static void check_dname(struct checking *c, uint32_t i)
{
	const struct zone_node *n = zone_node_at(c->z, i);
	char name[ZONE_NAME_SIZE], below[ZONE_NAME_SIZE];

	if (!(n->flags & ZONE_NODE_DNAME) || i + 1 >= c->z->n_nodes)
		return;
	const struct zone_node *next = zone_node_at(c->z, ++i);

	/* In canonical order what is below a name follows it, and an empty non-terminal is
	 * followed by the name that it is there for. */
	if (next->parent != n)
		return;
	while (!next->rrsets)
		next = zone_node_at(c->z, ++i);
	say(c, ZONE_ERROR, next->rrsets, "%s is below %s, a DNAME, which can have nothing below it",
		zone_name_show(next->name, below), zone_name_show(n->name, name));
}

/* The delegation that @n is at or below, or NULL. */
static const struct zone_node *cut_above(const struct zone_node *n)
{
	while (n && !(n->flags & ZONE_NODE_CUT))
		n = n->parent;
	return n;
}

static bool has_address(const struct zone_node *n)
{
	return zone_rrset_of(n, RDATA_A) || zone_rrset_of(n, RDATA_AAAA);
}

/* Whether somebody who follows a record of @n to @target, in the zone, finds no address there.
 * Below another delegation it is that zone's business. */
static bool lacks_address(
	const struct checking *c, const struct zone_node *n, const uint8_t *target)
{
	bool exact;
	const struct zone_node *found = zone_find(c->z, target, &exact);

	if (!found || (exact && has_address(found)))
		return false;
	const struct zone_node *cut = cut_above(found);

	if (cut && cut != n)
		return false;
	return exact || !found->wildcard || !has_address(found->wildcard);
}

/* The name that a record of NS or MX leads to: where it is, and that it is no alias (RFC 2181
 * 10.3). */
static void check_target(struct checking *c, const struct zone_node *n, const struct zone_rrset *s,
	const uint8_t *target)
{
	char name[ZONE_NAME_SIZE], to[ZONE_NAME_SIZE], type[ZONE_TYPE_SIZE];
	const struct zone_node *found =
		name_is_within(target, c->z->apex->name) ? zone_lookup(c->z, target) : NULL;

	if (found && zone_rrset_of(found, RDATA_CNAME))
		say(c, ZONE_WARNING, s,
			"%s has an %s record that names %s, an alias (RFC 2181 10.3)",
			zone_name_show(n->name, name), zone_type_format(s->type, type),
			zone_name_show(target, to));
	else if (s->type == RDATA_NS && lacks_address(c, n, target))
		say(c, ZONE_WARNING, s,
			"%s has an NS record that names %s, which has no address here",
			zone_name_show(n->name, name), zone_name_show(target, to));
}

static void check_rrset(struct checking *c, const struct zone_node *n, const struct zone_rrset *s)
{
	char name[ZONE_NAME_SIZE], type[ZONE_TYPE_SIZE];
	const uint8_t *at = s->records;
	uint16_t size;

	if (s->flags & ZONE_RRSET_TTL_DIFFERED)
		say(c, ZONE_WARNING, s,
			"the %s records of %s have different TTLs; the least is served: %u",
			zone_type_format(s->type, type), zone_name_show(n->name, name), s->ttl);
	if (s->type != RDATA_NS && s->type != RDATA_MX)
		return;
	for (uint32_t i = 0; i < s->n_records; i++, at += 2u + size) {
		memcpy(&size, at, 2);
		check_target(c, n, s, at + (s->type == RDATA_MX ? 4 : 2));
	}
}

/* A sum over all records, since their order means nothing. Whoever writes a zone wants its changes to be seen, so nobody
 * looks for two that meet. */
static uint64_t digest_rrset(uint64_t owner, const struct zone_rrset *s)
{
	const uint32_t head[] = {s->type, s->ttl};
	const uint64_t set = hash_bytes(owner, (const uint8_t *)head, sizeof(head));
	const size_t numbers = s->type == RDATA_SOA ? RDATA_SOA_NUMBERS : 0;
	const uint8_t *at = s->records;
	uint64_t sum = 0;
	uint16_t size;

	for (uint32_t i = 0; i < s->n_records; i++, at += 2u + size) {
		memcpy(&size, at, 2);
		uint64_t record = hash_bytes(set, at, 2u + size - numbers);

		if (numbers > 0) /* without the first, the serial */
			record = hash_bytes(record, at + 2u + size - numbers + 4, numbers - 4);
		sum += record;
	}
	return sum;
}

static uint64_t digest(const struct zone *z)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < z->n_nodes; i++) {
		const struct zone_node *n = zone_node_at(z, i);
		const uint64_t owner = hash_bytes(0, n->name, n->name_size);

		for (const struct zone_rrset *s = n->rrsets; s; s = s->next)
			sum += digest_rrset(owner, s);
	}
	return sum;
}

bool zone_finish(
	struct zone *z, zone_tell *tell, void *context, char problem[static ZONE_PROBLEM_SIZE])
{
	struct checking c = {z, tell, context, problem};

	ASSERT(!z->finished);
	problem[0] = '\0';
	free(z->scratch);
	z->scratch = NULL;
	z->last = NULL;
	if (!zone_sort(z)) {
		say(&c, ZONE_ERROR, NULL, "there is no memory for the zone");
		return false;
	}
	z->finished = true;
	for (uint32_t i = 0; i < z->n_nodes; i++)
		set_flags(arena_at(&z->arena, z->nodes[i]));
	check_apex(&c);
	for (uint32_t i = 0; i < z->n_nodes; i++) {
		const struct zone_node *n = zone_node_at(z, i);

		check_dname(&c, i);
		for (const struct zone_rrset *s = n->rrsets; s; s = s->next)
			check_rrset(&c, n, s);
	}
	z->digest = digest(z);
	return problem[0] == '\0';
}
