/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/zone.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "zone/rdata.h"
#include "zone/zone_data.h"

#define SLOTS_MIN    16u
#define SCRATCH_SIZE 65536u
#define TTL_MAX      0x7fffffffu /* RFC 2181 8 */
#define MESSAGE_MAX  65535u

static const char no_memory[] = "there is no memory for it";

__attribute__((format(printf, 2, 3))) static bool refuse(char *problem, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(problem, ZONE_PROBLEM_SIZE, format, arguments);
	va_end(arguments);
	return false;
}

static void put_slot(struct zone_slot *slots, uint32_t n_slots, uint32_t hash, uint32_t ref)
{
	uint32_t i = hash & (n_slots - 1);

	while (slots[i].ref != 0)
		i = (i + 1) & (n_slots - 1);
	slots[i] = (struct zone_slot){hash, ref};
}

static bool grow_slots(struct zone *z)
{
	const uint32_t n_slots = z->n_slots ? z->n_slots * 2 : SLOTS_MIN;
	struct zone_slot *slots = calloc(n_slots, sizeof(*slots));

	if (!slots)
		return false;
	for (uint32_t i = 0; i < z->n_slots; i++) {
		if (z->slots[i].ref != 0)
			put_slot(slots, n_slots, z->slots[i].hash, z->slots[i].ref);
	}
	free(z->slots);
	z->slots = slots;
	z->n_slots = n_slots;
	return true;
}

static bool grow_nodes(struct zone *z)
{
	const uint32_t room = z->room ? z->room + z->room / 2 : SLOTS_MIN;
	uint32_t *nodes = realloc(z->nodes, room * sizeof(*nodes));

	if (!nodes)
		return false;
	z->nodes = nodes;
	z->room = room;
	return true;
}

/* A node without records; NULL if there is no memory. */
static struct zone_node *add_node(struct zone *z, struct zone_node *parent, const uint8_t *name)
{
	const size_t size = name_size(name, NAME_SIZE_MAX);
	uint32_t ref;

	if (z->n_nodes + 1 > z->n_slots / 4 * 3 && !grow_slots(z))
		return NULL;
	if (z->n_nodes == z->room && !grow_nodes(z))
		return NULL;
	struct zone_node *n = arena_alloc(&z->arena, offsetof(struct zone_node, name) + size, &ref);

	if (!n)
		return NULL;
	memset(n, 0, offsetof(struct zone_node, name));
	n->parent = parent;
	n->name_size = (uint8_t)size;
	memcpy(n->name, name, size);
	if (parent) {
		n->hash = zone_hash(parent->hash, name);
		put_slot(z->slots, z->n_slots, n->hash, ref);
		if (name_is_wildcard(name))
			parent->wildcard = n;
	}
	z->nodes[z->n_nodes++] = ref;
	return n;
}

struct zone *zone_new(const uint8_t *apex)
{
	const size_t size = name_size(apex, NAME_SIZE_MAX);
	struct zone *z = calloc(1, sizeof(*z));
	uint8_t name[NAME_SIZE_MAX];

	ASSERT(size > 0);
	if (!z)
		return NULL;
	name_lower(name, apex, size);
	z->scratch = malloc(SCRATCH_SIZE);
	z->apex_labels = name_labels(name);
	z->apex = add_node(z, NULL, name);
	if (!z->scratch || !z->apex) {
		zone_free(z);
		return NULL;
	}
	z->apex->flags = ZONE_NODE_APEX;
	return z;
}

/* The node of @name, made with those above it if they are not there; NULL if there is no memory. */
static struct zone_node *need_node(
	struct zone *z, const uint8_t *name, const uint8_t *offsets, int depth)
{
	struct zone_node *n = z->apex;

	for (; depth > 0; depth--) {
		const uint8_t *label = name + offsets[depth - 1];
		struct zone_node *child = zone_child(z, n, label, zone_hash(n->hash, label));

		if (!child)
			child = add_node(z, n, label);
		if (!child)
			return NULL;
		n = child;
	}
	return n;
}

/* The file's name in the arena; the same pointer as long as it is the same file. */
static const char *keep_file(struct zone *z, const char *file)
{
	if (!file)
		return NULL;
	if (z->last_file && strcmp(z->last_file, file) == 0)
		return z->last_file;
	const size_t size = strnlen(file, ARENA_ALLOC_MAX - 1) + 1;
	char *kept = arena_alloc(&z->arena, size, NULL);

	if (!kept)
		return NULL; /* a message will lack it, no more */
	memcpy(kept, file, size - 1);
	kept[size - 1] = '\0';
	z->last_file = kept;
	return kept;
}

void zone_set_file(struct zone *z, const char *file)
{
	z->file = keep_file(z, file);
}

/* What may stand beside a CNAME (RFC 4034 3 and 4, RFC 2535 2.3.5). */
static bool may_be_beside_cname(uint16_t type)
{
	switch (type) {
	case RDATA_CNAME:
	case RDATA_RRSIG:
	case RDATA_NSEC:
	case RDATA_SIG:
	case RDATA_NXT:
	case RDATA_KEY: return true;
	default: return false;
	}
}

/* RFC 2181 10.1, RFC 1034 3.6.2: an alias has no other data, whichever of them comes first. */
static bool check_alias(const struct zone_node *n, uint16_t type, char *problem)
{
	char name[ZONE_NAME_SIZE], here[ZONE_TYPE_SIZE], there[ZONE_TYPE_SIZE];
	char where[ZONE_PLACE_SIZE];

	if (type != RDATA_CNAME && may_be_beside_cname(type))
		return true;
	for (const struct zone_rrset *s = n->rrsets; s; s = s->next) {
		const struct zone_place place = {s->file, s->line};

		if (type == RDATA_CNAME ? may_be_beside_cname(s->type) : s->type != RDATA_CNAME)
			continue;
		return refuse(problem,
			"%s has %s data here and %s data at %s; an alias (CNAME) has no other data",
			zone_name_show(n->name, name), zone_type_format(type, here),
			zone_type_format(s->type, there), zone_place_format(&place, where));
	}
	return true;
}

/* Of these there is one in an RRset: RFC 1035 5.2, RFC 2181 10.1, RFC 6672 2.4. */
static bool is_single(uint16_t type)
{
	return type == RDATA_SOA || type == RDATA_CNAME || type == RDATA_DNAME;
}

static bool has_record(const struct zone_rrset *s, const uint8_t *rdata, uint16_t size)
{
	const uint8_t *at = s->records;
	uint16_t other;

	for (uint32_t i = 0; i < s->n_records; i++, at += 2u + other) {
		memcpy(&other, at, 2);
		if (other == size && memcmp(at + 2, rdata, size) == 0)
			return true;
	}
	return false;
}

/* An empty RRset, of no node yet; NULL if there is no memory. */
static struct zone_rrset *new_rrset(struct zone *z, const struct zone_record *r)
{
	const char *file = keep_file(z, r->place.file);
	struct zone_rrset *s = arena_alloc(&z->arena, sizeof(*s), NULL);

	if (!s)
		return NULL;
	*s = (struct zone_rrset){
		.type = r->type,
		.ttl = r->ttl,
		.service = r->service,
		.file = file,
		.line = r->place.line,
	};
	return s;
}

static void link_rrset(struct zone *z, struct zone_node *n, struct zone_rrset *s)
{
	struct zone_rrset **at = &n->rrsets;

	if (!n->rrsets)
		z->n_names++;
	while (*at && (*at)->type < s->type)
		at = &(*at)->next;
	s->next = *at;
	*at = s;
}

/* Room for @more bytes of records behind those that are there. The last in the arena grows where
 * it is; another one moves to twice the room, so that records in any order cost no more than
 * twice the memory. */
static bool make_room(struct zone *z, struct zone_rrset *s, size_t more)
{
	const size_t room = s->room * 8u, need = s->size + more;
	size_t new_room = (need + 7) & ~(size_t)7;

	if (need <= room)
		return true;
	if (room == 0 || !arena_extend(&z->arena, s->records, room, new_room)) {
		if (room != 0)
			new_room = new_room > room * 2 ? new_room : room * 2;
		uint8_t *records = arena_alloc(&z->arena, new_room, NULL);

		if (!records)
			return false;
		if (s->size > 0)
			memcpy(records, s->records, s->size);
		s->records = records;
	}
	s->room = (uint16_t)(new_room / 8);
	return true;
}

/* RFC 2181 5.2. Signatures have the TTLs of what they sign (RFC 4034 3), whatever their
 * neighbours have. */
static bool merge_ttl(struct zone_rrset *s, const struct zone_record *r)
{
	if (s->ttl != r->ttl && s->type != RDATA_RRSIG)
		s->flags |= ZONE_RRSET_TTL_DIFFERED;
	if (s->ttl > r->ttl)
		s->ttl = r->ttl;
	return true;
}

/* Whether one more record of @size bytes can be in the RRset @s of @n. */
static bool check_room(
	const struct zone_node *n, const struct zone_rrset *s, uint16_t size, char *problem)
{
	char name[ZONE_NAME_SIZE], type[ZONE_TYPE_SIZE], where[ZONE_PLACE_SIZE];
	const struct zone_place place = {s->file, s->line};
	/* A message with the RRset alone: header, question, owners as pointers, OPT. */
	const size_t message =
		12u + n->name_size + 4u + s->size + s->n_records * 10u + 12u + size + 11u;

	if (is_single(s->type) && s->n_records > 0)
		return refuse(problem, "a second %s record of %s; the first is at %s",
			zone_type_format(s->type, type), zone_name_show(n->name, name),
			zone_place_format(&place, where));
	if (message > MESSAGE_MAX)
		return refuse(problem, "all %s records of %s don't fit into one DNS message",
			zone_type_format(s->type, type), zone_name_show(n->name, name));
	return true;
}

/* Adds the record, whose canonical data are in z->scratch, to @n, and with its RRset if it is the
 * first. */
static bool add_record(
	struct zone *z, struct zone_node *n, const struct zone_record *r, char *problem)
{
	const uint16_t size = r->rdata_size;
	struct zone_rrset *old = (struct zone_rrset *)zone_rrset_of(n, r->type);

	if (old && has_record(old, z->scratch, size))
		return merge_ttl(old, r);
	struct zone_rrset *s = old ? old : new_rrset(z, r);

	if (!s)
		return refuse(problem, "%s", no_memory);
	if (!check_room(n, s, size, problem))
		return false;
	if (!make_room(z, s, 2u + size))
		return refuse(problem, "%s", no_memory);
	memcpy(s->records + s->size, &size, 2);
	memcpy(s->records + s->size + 2, z->scratch, size);
	s->size += 2u + size;
	s->n_records++;
	if (!old)
		link_rrset(z, n, s);
	return merge_ttl(s, r);
}

static bool check_record(const struct zone *z, const struct zone_record *r, char *problem)
{
	char type[ZONE_TYPE_SIZE];

	if (!rdata_may_be_stored(r->type))
		return refuse(problem, "a record of type %s can't be in a zone",
			zone_type_format(r->type, type));
	if (r->ttl > TTL_MAX)
		return refuse(problem, "the TTL %u is above %u (RFC 2181 8)", r->ttl, TTL_MAX);
	if (!rdata_canonical(r->type, r->rdata, r->rdata_size, z->scratch))
		return refuse(problem, "the data is not that of a record of type %s",
			zone_type_format(r->type, type));
	return true;
}

/* The node of the record's owner, made if it is not there. NULL with a clause in @problem. */
static struct zone_node *owner_node(struct zone *z, const struct zone_record *r, char *problem)
{
	char text[ZONE_NAME_SIZE], apex[ZONE_NAME_SIZE];
	uint8_t owner[NAME_SIZE_MAX], offsets[NAME_LABELS_MAX + 1];
	const size_t size = name_size(r->owner, NAME_SIZE_MAX);

	name_lower(owner, r->owner, size);
	if (z->last && z->last->name_size == size && memcmp(z->last->name, owner, size) == 0)
		return z->last;
	const int depth = zone_depth(z, owner, offsets, name_split(owner, offsets));

	if (depth < 0) {
		refuse(problem, "%s is outside the zone %s", zone_name_show(owner, text),
			zone_name_show(z->apex->name, apex));
		return NULL;
	}
	if (r->type == RDATA_SOA && depth > 0) {
		refuse(problem, "an SOA record of %s; it belongs to %s alone",
			zone_name_show(owner, text), zone_name_show(z->apex->name, apex));
		return NULL;
	}
	struct zone_node *n = need_node(z, owner, offsets, depth);

	if (!n)
		refuse(problem, "%s", no_memory);
	z->last = n;
	return n;
}

bool zone_add(struct zone *z, const struct zone_record *r, char problem[static ZONE_PROBLEM_SIZE])
{
	ASSERT(!z->finished);
	if (!check_record(z, r, problem))
		return false;
	struct zone_node *n = owner_node(z, r, problem);

	if (!n || !check_alias(n, r->type, problem))
		return false;
	return add_record(z, n, r, problem);
}
