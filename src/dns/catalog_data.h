/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* What a catalog is made of; only for what compiles and answers. */

#include <stdatomic.h>

#include "dns/catalog.h"
#include "dns/rotation.h"
#include "zone/arena.h"

struct catalog_slot {
	uint32_t hash;
	uint32_t zone; /* index + 1; 0: empty */
};

struct catalog {
	struct zone **zones;
	uint32_t n_zones;
	const struct config *config; /* or NULL */
	struct arena arena;          /* of bodies and rotations */

	/* The zones by name: a power of two of slots, and which numbers of labels there are at all. */
	struct catalog_slot *slots;
	uint32_t mask;
	uint64_t label_counts[2];

	const struct rotation **rotations;
	uint32_t n_rotations, rotations_room;

	atomic_uint_fast64_t *held;   /* bit by VIP */
	const struct rotation **sets; /* by VIP: the RRset that it is in; NULL: none */
	uint32_t n_vips;
};

/* How the addresses of a service's RRset are answered: *@ret_index in c->rotations. False if there is no memory. */
bool catalog_add_rotation(struct catalog *c, const struct zone_rrset *s, uint32_t *ret_index);
