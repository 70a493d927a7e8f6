/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libknot/descriptor.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "zone/rdata.h"
#include "zone/zone_data.h"

/* Eight bytes at a time; a label's last bytes are read overlapping, so that nothing is copied
 * bytewise. The order of bytes does not matter, since a hash leaves the machine as little as the
 * zone does. */
uint32_t zone_hash(uint32_t parent, const uint8_t *label)
{
	const uint64_t k = 0x9e3779b97f4a7c15u;
	const size_t size = 1u + *label;
	uint64_t h = parent * k + size, part = 0;
	size_t at = 0;

	for (; at + 8 <= size; at += 8) {
		memcpy(&part, label + at, 8);
		h = (h ^ part) * k;
		h ^= h >> 32;
	}
	if (size >= 8) {
		memcpy(&part, label + size - 8, 8);
	} else if (size >= 4) {
		uint32_t first, last;

		memcpy(&first, label, 4);
		memcpy(&last, label + size - 4, 4);
		part = (uint64_t)first << 32 | last;
	} else {
		part = (uint64_t)label[0] << 16 | (uint64_t)label[size / 2] << 8 | label[size - 1];
	}
	h = (h ^ part) * k;
	h ^= h >> 29;
	return (uint32_t)((h * k) >> 32);
}

struct zone_node *zone_child(
	const struct zone *z, const struct zone_node *parent, const uint8_t *label, uint32_t hash)
{
	const uint32_t mask = z->n_slots - 1;

	for (uint32_t i = hash & mask; z->slots[i].ref != 0; i = (i + 1) & mask) {
		if (z->slots[i].hash != hash)
			continue;
		struct zone_node *n = arena_at(&z->arena, z->slots[i].ref);

		if (n->parent == parent && memcmp(n->name, label, 1u + *label) == 0)
			return n;
	}
	return NULL;
}

int zone_depth(const struct zone *z, const uint8_t *name, const uint8_t *offsets, uint32_t n_labels)
{
	const struct zone_node *apex = z->apex;

	if (n_labels < z->apex_labels)
		return -1;
	const uint32_t depth = n_labels - z->apex_labels;

	if (offsets[n_labels] + 1 - offsets[depth] != apex->name_size)
		return -1;
	return memcmp(name + offsets[depth], apex->name, apex->name_size) == 0 ? (int)depth : -1;
}

const struct zone_node *zone_find(const struct zone *z, const uint8_t *name, bool *ret_exact)
{
	uint8_t offsets[NAME_LABELS_MAX + 1];
	const uint32_t n_labels = name_split(name, offsets);
	int depth = zone_depth(z, name, offsets, n_labels);
	const struct zone_node *n = z->apex;

	if (depth < 0)
		return NULL;
	while (depth > 0) {
		const uint8_t *label = name + offsets[depth - 1];
		const struct zone_node *child = zone_child(z, n, label, zone_hash(n->hash, label));

		if (!child)
			break;
		n = child;
		depth--;
	}
	*ret_exact = depth == 0;
	return n;
}

const struct zone_node *zone_lookup(const struct zone *z, const uint8_t *name)
{
	bool exact;
	const struct zone_node *n = zone_find(z, name, &exact);

	return n && exact ? n : NULL;
}

const struct zone_rrset *zone_rrset_of(const struct zone_node *n, uint16_t type)
{
	for (const struct zone_rrset *s = n->rrsets; s; s = s->next) {
		if (s->type == type)
			return s;
	}
	return NULL;
}

const uint8_t *zone_rdata(const struct zone_rrset *s, uint32_t i, uint16_t *ret_size)
{
	const uint8_t *at = s->records;
	uint16_t size;

	ASSERT(i < s->n_records);
	for (memcpy(&size, at, 2); i > 0; i--, memcpy(&size, at, 2))
		at += 2u + size;
	*ret_size = size;
	return at + 2;
}

const uint8_t *zone_apex(const struct zone *z)
{
	return z->apex->name;
}

const struct zone_node *zone_apex_node(const struct zone *z)
{
	return z->apex;
}

const struct zone_rrset *zone_soa(const struct zone *z)
{
	return zone_rrset_of(z->apex, RDATA_SOA);
}

uint32_t zone_serial(const struct zone *z)
{
	const struct zone_rrset *soa = zone_soa(z);
	uint16_t size;

	ASSERT(soa);
	const uint8_t *rdata = zone_rdata(soa, 0, &size);
	struct reader numbers = reader_of(rdata + size - RDATA_SOA_NUMBERS, RDATA_SOA_NUMBERS);

	return reader_u32(&numbers);
}

void zone_set_serial(struct zone *z, uint32_t serial)
{
	const struct zone_rrset *soa = zone_soa(z);
	struct writer w = writer_of(soa->records + soa->size - RDATA_SOA_NUMBERS, 4);

	ASSERT(z->finished);
	writer_u32(&w, serial);
}

uint64_t zone_digest(const struct zone *z)
{
	ASSERT(z->finished);
	return z->digest;
}

uint32_t zone_n_names(const struct zone *z)
{
	return z->n_names;
}

size_t zone_memory(const struct zone *z)
{
	return sizeof(*z) + z->arena.total + z->n_slots * sizeof(*z->slots) +
	       z->room * sizeof(*z->nodes);
}

uint32_t zone_n_nodes(const struct zone *z)
{
	return z->n_nodes;
}

struct zone_node *zone_node_to_compile(struct zone *z, uint32_t i)
{
	ASSERT(i < z->n_nodes && z->finished);
	return arena_at(&z->arena, z->nodes[i]);
}

const struct zone_node *zone_node_at(const struct zone *z, uint32_t i)
{
	ASSERT(i < z->n_nodes && z->finished);
	return arena_at(&z->arena, z->nodes[i]);
}

void zone_free(struct zone *z)
{
	if (!z)
		return;
	arena_fini(&z->arena);
	free(z->slots);
	free(z->nodes);
	free(z->scratch);
	free(z);
}

const char *zone_place_format(const struct zone_place *place, char text[static ZONE_PLACE_SIZE])
{
	const char *file = place->file ? place->file : "roost.yaml";

	if (place->line != 0)
		snprintf(text, ZONE_PLACE_SIZE, "%.256s:%u", file, place->line);
	else
		snprintf(text, ZONE_PLACE_SIZE, "%.256s", file);
	return text;
}

const char *zone_name_show(const uint8_t *name, char text[static ZONE_NAME_SIZE])
{
	char ascii[NAME_TEXT_SIZE];

	return idn_show(name_format(name, ascii), text, ZONE_NAME_SIZE);
}

const char *zone_type_format(uint16_t type, char text[static ZONE_TYPE_SIZE])
{
	const int length = knot_rrtype_to_string(type, text, ZONE_TYPE_SIZE);

	ASSERT(length > 0);
	return text;
}
