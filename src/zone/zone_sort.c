/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Canonical order (RFC 4034 6.1) of a zone's nodes. Names are compared from their ends, which is
 * slow to do over and over; so each name is written down once as a key, in which the order of bytes
 * is that of names: the labels from the apex on, each ended by a byte that is below any other.
 */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "zone/zone_data.h"

struct sort_entry {
	uint64_t prefix; /* the first eight bytes of the key, in an order of numbers */
	const uint8_t *key;
	uint32_t size;
	uint32_t ref;
};

/* The bytes 0 and 1 are escaped by a 1, so that a label's end, 0, is below all. */
static uint32_t write_key(const struct zone *z, const uint8_t *name, uint8_t *key)
{
	uint8_t offsets[NAME_LABELS_MAX + 1];
	uint8_t *to = key;

	for (uint32_t i = name_split(name, offsets) - z->apex_labels; i > 0; i--) {
		const uint8_t *label = name + offsets[i - 1];

		for (uint32_t k = 1; k <= *label; k++) {
			if (label[k] <= 1)
				*to++ = 1;
			*to++ = label[k];
		}
		*to++ = 0;
	}
	return (uint32_t)(to - key);
}

static uint64_t prefix_of(const uint8_t *key, uint32_t size)
{
	uint64_t prefix = 0;

	for (uint32_t i = 0; i < sizeof(prefix); i++)
		prefix = prefix << 8 | (i < size ? key[i] : 0);
	return prefix;
}

static int compare_entries(const void *a, const void *b)
{
	const struct sort_entry *x = a, *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	const int order = memcmp(x->key, y->key, x->size < y->size ? x->size : y->size);

	return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

static bool is_sorted(const struct zone *z)
{
	for (uint32_t i = 1; i < z->n_nodes; i++) {
		const struct zone_node *a = arena_at(&z->arena, z->nodes[i - 1]);
		const struct zone_node *b = arena_at(&z->arena, z->nodes[i]);

		if (name_compare(a->name, b->name) > 0)
			return false;
	}
	return true;
}

bool zone_sort(struct zone *z)
{
	struct sort_entry *entries;
	uint8_t *keys, *to;
	size_t size = 0;

	if (is_sorted(z)) /* most zones were written by a program */
		return true;
	for (uint32_t i = 0; i < z->n_nodes; i++) {
		const struct zone_node *n = arena_at(&z->arena, z->nodes[i]);

		size += n->name_size * 2u;
	}
	entries = malloc(z->n_nodes * sizeof(*entries));
	keys = malloc(size);
	to = keys;
	for (uint32_t i = 0; i < z->n_nodes && entries && keys; i++) {
		const struct zone_node *n = arena_at(&z->arena, z->nodes[i]);
		const uint32_t key_size = write_key(z, n->name, to);

		entries[i] =
			(struct sort_entry){prefix_of(to, key_size), to, key_size, z->nodes[i]};
		to += key_size;
	}
	if (entries && keys) {
		qsort(entries, z->n_nodes, sizeof(*entries), compare_entries);
		for (uint32_t i = 0; i < z->n_nodes; i++)
			z->nodes[i] = entries[i].ref;
	}
	const bool done = entries && keys;

	free(keys);
	free(entries);
	return done;
}
