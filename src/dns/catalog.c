/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "dns/catalog_data.h"
#include "dns/compile.h"
#include "dns/records.h"

static uint32_t hash_name(const uint8_t *name, size_t size)
{
	return (uint32_t)(hash_bytes(size, name, size) >> 32);
}

/* The slot of the zone of that name, or the empty one where it would be. */
static struct catalog_slot *find_slot(const struct catalog *c, const uint8_t *name, size_t size)
{
	const uint32_t hash = hash_name(name, size);
	uint32_t i = hash & c->mask;

	for (; c->slots[i].zone != 0; i = (i + 1) & c->mask) {
		const struct zone_node *apex;

		if (c->slots[i].hash != hash)
			continue;
		apex = zone_apex_node(c->zones[c->slots[i].zone - 1]);
		if (apex->name_size == size && memcmp(apex->name, name, size) == 0)
			break;
	}
	return &c->slots[i];
}

static const struct zone *zone_in(const struct catalog *c, const struct catalog_slot *slot)
{
	return slot->zone != 0 ? c->zones[slot->zone - 1] : NULL;
}

const struct zone *catalog_zone_named(const struct catalog *c, const uint8_t *name)
{
	return zone_in(c, find_slot(c, name, name_size(name, NAME_SIZE_MAX)));
}

const struct zone *catalog_find(const struct catalog *c, const uint8_t *name)
{
	uint8_t offsets[NAME_LABELS_MAX + 1];
	const uint32_t n_labels = name_split(name, offsets);
	const size_t size = offsets[n_labels] + 1u;

	for (uint32_t i = 0; i <= n_labels; i++) {
		const uint32_t count = n_labels - i;
		const struct zone *z;

		if (!(c->label_counts[count / 64] >> count % 64 & 1))
			continue;
		z = zone_in(c, find_slot(c, name + offsets[i], size - offsets[i]));
		if (z)
			return z;
	}
	return NULL;
}

uint32_t catalog_n_zones(const struct catalog *c)
{
	return c->n_zones;
}

const struct zone *catalog_zone(const struct catalog *c, uint32_t i)
{
	ASSERT(i < c->n_zones);
	return c->zones[i];
}

size_t catalog_memory(const struct catalog *c)
{
	return sizeof *c + c->arena.total + (c->mask + 1u) * sizeof *c->slots +
	       c->n_zones * sizeof(void *) + c->rotations_room * sizeof(void *) +
	       (c->n_vips / 64 + 1) * sizeof *c->held + c->n_vips * sizeof *c->sets;
}

void catalog_set_held(struct catalog *c, uint32_t vip, bool held)
{
	const uint64_t bit = (uint64_t)1 << vip % 64;

	ASSERT(vip < c->n_vips);
	if (held)
		atomic_fetch_or_explicit(&c->held[vip / 64], bit, memory_order_relaxed);
	else
		atomic_fetch_and_explicit(&c->held[vip / 64], ~bit, memory_order_relaxed);
}

bool catalog_is_held(const struct catalog *c, uint32_t vip)
{
	ASSERT(vip < c->n_vips);
	return rotation_is_held((struct rotation_held){c->held}, vip);
}

bool catalog_is_given_anyway(const struct catalog *c, uint32_t vip)
{
	ASSERT(vip < c->n_vips);
	return c->sets[vip] && !rotation_any_held(c->sets[vip], (struct rotation_held){c->held});
}

/* The member that a record of a service is. An address that is none of its VIPs is always answered. */
static struct rotation_member member_of(
	const struct config *config, uint32_t service, struct record r)
{
	const struct config_service *s = &config->services[service];
	struct rotation_member member = {.vip = ROTATION_NO_VIP, .weight = 1};
	struct addr a;

	if (r.size == sizeof a.b)
		memcpy(a.b, r.rdata, sizeof a.b);
	else
		a = addr_from_ipv4(r.rdata);
	for (uint32_t i = s->first_vip; i < s->first_vip + s->n_vips; i++) {
		if (addr_equal(&config->vips[i].address, &a))
			member = (struct rotation_member){
				.vip = i, .weight = config->vips[i].weight};
	}
	ASSERT(member.weight > 0);
	return member;
}

static bool rotation_equal(const struct rotation *a, const struct rotation *b)
{
	if (a->policy != b->policy || a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++) {
		if (a->members[i].vip != b->members[i].vip) /* and so has another weight or not */
			return false;
	}
	return true;
}

static struct rotation *make_rotation(struct catalog *c, const struct zone_rrset *s)
{
	struct rotation *r =
		arena_alloc(&c->arena, sizeof *r + s->n_records * sizeof r->members[0], NULL);

	if (!r)
		return NULL;
	*r = (struct rotation){.policy = c->config->services[s->service].rotation};
	for (struct record rec = record_first(s); rec.rdata; rec = record_next(s, rec)) {
		r->members[r->n] = member_of(c->config, s->service, rec);
		if (r->members[r->n].weight != r->members[0].weight)
			r->weights_differ = true;
		r->n++;
	}
	return r;
}

/* All names of a service have the same sets, so it does not matter which one is noted. */
static void note_sets(struct catalog *c, const struct rotation *r)
{
	for (uint32_t i = 0; i < r->n; i++) {
		if (r->members[i].vip != ROTATION_NO_VIP)
			c->sets[r->members[i].vip] = r;
	}
}

bool catalog_add_rotation(struct catalog *c, const struct zone_rrset *s, uint32_t *ret_index)
{
	struct rotation *r = make_rotation(c, s);

	if (!r)
		return false;
	/* The names of a service come together, and their sets are alike. */
	for (uint32_t i = c->n_rotations; i > 0 && i + 4 > c->n_rotations; i--) {
		if (rotation_equal(c->rotations[i - 1], r)) {
			*ret_index = i - 1;
			return true;
		}
	}
	if (c->n_rotations == c->rotations_room) {
		const uint32_t room = c->rotations_room ? 2 * c->rotations_room : 16;
		const struct rotation **more =
			reallocarray(c->rotations, room, sizeof c->rotations[0]);

		if (!more)
			return false;
		c->rotations = more;
		c->rotations_room = room;
	}
	*ret_index = c->n_rotations;
	c->rotations[c->n_rotations++] = r;
	note_sets(c, r);
	return true;
}

/* All that is not the zones. */
static void free_tables(struct catalog *c)
{
	arena_fini(&c->arena);
	free(c->rotations);
	free(c->held);
	free(c->sets);
	free(c->slots);
	free(c->zones);
	free(c);
}

/* The tables, with no zone in them. */
static struct catalog *new_tables(uint32_t n_zones, const struct config *config)
{
	struct catalog *c = calloc(1, sizeof *c);
	uint32_t n_slots = 8;

	if (!c)
		return NULL;
	while (n_slots < 2 * n_zones)
		n_slots *= 2;
	c->config = config;
	c->n_vips = config ? config->n_vips : 0;
	c->mask = n_slots - 1;
	c->zones = calloc(n_zones + 1, sizeof c->zones[0]);
	c->slots = calloc(n_slots, sizeof c->slots[0]);
	c->held = calloc(c->n_vips / 64 + 1, sizeof c->held[0]);
	c->sets = calloc(c->n_vips + 1, sizeof c->sets[0]);
	if (!c->zones || !c->slots || !c->held || !c->sets) {
		free_tables(c);
		return NULL;
	}
	for (uint32_t i = 0; i < c->n_vips; i++)
		catalog_set_held(c, i, true);
	return c;
}

static void add_zone(struct catalog *c, struct zone *z)
{
	const struct zone_node *apex = zone_apex_node(z);
	struct catalog_slot *slot = find_slot(c, apex->name, apex->name_size);
	const uint32_t labels = name_labels(apex->name);

	ASSERT(slot->zone == 0);
	c->zones[c->n_zones++] = z;
	slot->hash = hash_name(apex->name, apex->name_size);
	slot->zone = c->n_zones;
	c->label_counts[labels / 64] |= (uint64_t)1 << labels % 64;
}

struct catalog *catalog_new(struct zone **zones, uint32_t n_zones, const struct config *config)
{
	struct catalog *c = new_tables(n_zones, config);

	if (!c)
		return NULL;
	for (uint32_t i = 0; i < n_zones; i++) {
		add_zone(c, zones[i]);
		if (!compile_zone(c, zones[i])) {
			free_tables(c);
			return NULL;
		}
	}
	return c;
}

void catalog_free(struct catalog *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < c->n_zones; i++)
		zone_free(c->zones[i]);
	free_tables(c);
}
