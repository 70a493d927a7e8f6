/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What a zone is made of; only for the zone's own files. Nodes are found by a table with open
 * addressing, keyed by the parent and the first label: a node's hash is its parent's hash, mixed
 * with its label.
 */

#include "zone/arena.h"
#include "zone/zone.h"

struct zone_slot {
	uint32_t hash;
	uint32_t ref; /* in the arena; 0: empty */
};

struct zone {
	struct arena arena;
	struct zone_node *apex;
	uint32_t apex_labels;
	bool finished;
	const char *file; /* in the arena, of the zone as a whole; NULL: roost.yaml */
	uint64_t digest;  /* once finished */

	struct zone_slot *slots; /* a power of two of them, at most three quarters of it in use */
	uint32_t n_slots;

	/* References: in the order of their making, once finished in canonical order. */
	uint32_t *nodes;
	uint32_t n_nodes, room;
	uint32_t n_names;

	/* While it is built. */
	struct zone_node *last; /* that got a record, or NULL; the next one is often the same */
	const char *last_file;  /* in the arena */
	uint8_t *scratch;       /* 64 KiB, for a record's data */
};

uint32_t zone_hash(uint32_t parent, const uint8_t *label);

/* The child of @parent that begins with @label, or NULL. */
struct zone_node *zone_child(
	const struct zone *z, const struct zone_node *parent, const uint8_t *label, uint32_t hash);

/* How many labels @name, of which @offsets are the labels, has below the apex; -1 if it is
 * outside. */
int zone_depth(
	const struct zone *z, const uint8_t *name, const uint8_t *offsets, uint32_t n_labels);

/* Puts all nodes in canonical order. False if there is no memory. */
bool zone_sort(struct zone *z);

/* The type's mnemonic, or TYPE and its number (RFC 3597 5). Returns @text. */
#define ZONE_TYPE_SIZE 16
const char *zone_type_format(uint16_t type, char text[static ZONE_TYPE_SIZE]);
