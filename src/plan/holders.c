/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan/holders.h"

#include <string.h>

#include "base/assert.h"

void holders_by_priority(const struct config *config, uint32_t service, uint8_t *ret_order)
{
	const uint8_t *priority = config->services[service].priority;

	for (uint32_t node = 0; node < config->n_nodes; node++) {
		uint32_t place = node;

		for (; place > 0 && priority[ret_order[place - 1]] < priority[node]; place--)
			ret_order[place] = ret_order[place - 1];
		ret_order[place] = (uint8_t)node;
	}
}

/* The node that the file names for @bundle, or CONFIG_NO_NODE. */
static int32_t named_node(const struct config *c, uint32_t bundle)
{
	const struct config_bundle *b = &c->bundles[bundle];
	uint8_t order[CONFIG_NODES_MAX];

	if (!c->services[b->service].foreign_vrid)
		return b->preferred;
	holders_by_priority(c, b->service, order);
	return order[0];
}

/*
 * Each size of bundles has a deal of its own, since equal ones can be shared best: the first of a
 * size takes a slot that follows the bundles before it, the others of its size those after. Each
 * further size leaves one slot more free, or its first would sit beside the next of the size before.
 */
static void deal(const struct config *c, struct holders_work *h)
{
	h->n_classes = 0;
	memset(h->of_size, 0, c->n_vips + 1);
	for (uint32_t b = 0; b < c->n_bundles; b++) {
		uint8_t *class = &h->of_size[c->bundles[b].n_vips];

		if (!*class) {
			ASSERT(h->n_classes < PLAN_SIZES_MAX);
			h->next_slot[h->n_classes] = b + h->n_classes;
			memset(h->movable[h->n_classes], 0xff, sizeof h->movable[0]);
			memset(h->owed[h->n_classes], 0xff, sizeof h->owed[0]);
			*class = (uint8_t)++h->n_classes;
		}
		h->class_of[b] = *class - 1;
		h->natural[b] = h->slots[h->next_slot[h->class_of[b]]++];
	}
}

static void push(struct holders_work *h, bundle_lists lists, uint32_t node, uint32_t bundle)
{
	uint32_t *head = &lists[h->class_of[bundle]][node];

	h->next[bundle] = *head;
	*head = bundle;
}

/* The latest in the list of @bundle's size and @node, or PLAN_NONE. */
static uint32_t pop(struct holders_work *h, bundle_lists lists, uint32_t node, uint32_t bundle)
{
	uint32_t *head = &lists[h->class_of[bundle]][node];
	const uint32_t popped = *head;

	if (popped != PLAN_NONE)
		*head = h->next[popped];
	return popped;
}

/* Gives @bundle, which has no preference, to @node; or, if another took a slot of @node that it did
 * not have, to the node that thereby went without. */
static void give(struct plan_work *w, uint32_t bundle, uint32_t node)
{
	struct holders_work *h = &w->holders;
	uint32_t debtor;

	while ((debtor = pop(h, h->owed, node, bundle)) != PLAN_NONE)
		node = h->natural[debtor];
	w->holder[bundle] = (uint8_t)node;
	push(h, h->movable, node, bundle);
}

/*
 * A bundle that belongs to a named node swaps slots with the nearest one before it that has a slot
 * of that node and no preference. If there is none, the first that comes later must do, so that the
 * loads are what the slots say again.
 */
static void swap_for_named(const struct config *c, struct plan_work *w)
{
	struct holders_work *h = &w->holders;

	for (uint32_t b = 0; b < c->n_bundles; b++) {
		const int32_t named = named_node(c, b);
		uint32_t other;

		if (named == CONFIG_NO_NODE) {
			give(w, b, h->natural[b]);
			continue;
		}
		w->holder[b] = (uint8_t)named;
		if (named == h->natural[b])
			continue;
		other = pop(h, h->movable, (uint32_t)named, b);
		if (other == PLAN_NONE)
			push(h, h->owed, (uint32_t)named, b);
		else
			give(w, other, h->natural[b]);
	}
}

static bool has_equal_weights(const struct config *c)
{
	for (uint32_t i = 1; i < c->n_nodes; i++)
		if (c->nodes[i].weight != c->nodes[0].weight)
			return false;
	return true;
}

/*
 * With unequal weights the slots may leave a node more than one VIP off its share. Then VIPs that
 * stand alone, the latest first, move from the node that has most too many to the one that has most
 * too few. This is the one step that looks at the file's end; it seldom has anything to do.
 */
static void round_shares(const struct config *c, struct plan_work *w)
{
	struct holders_work *h = &w->holders;
	const uint32_t single = h->of_size[1] - 1u;
	int64_t surplus[CONFIG_NODES_MAX] = {0}; /* in VIPs times @whole */
	int64_t whole = 0;

	for (uint32_t i = 0; i < c->n_nodes; i++)
		whole += c->nodes[i].weight;
	for (uint32_t b = 0; b < c->n_bundles; b++)
		surplus[w->holder[b]] += whole * c->bundles[b].n_vips;
	for (uint32_t i = 0; i < c->n_nodes; i++)
		surplus[i] -= (int64_t)c->n_vips * c->nodes[i].weight;
	for (;;) {
		uint32_t most = PLAN_NONE, least = 0, bundle;

		for (uint32_t i = 0; i < c->n_nodes; i++) {
			if (h->movable[single][i] != PLAN_NONE &&
				(most == PLAN_NONE || surplus[i] > surplus[most]))
				most = i;
			if (surplus[i] < surplus[least])
				least = i;
		}
		if (most == PLAN_NONE || surplus[most] - surplus[least] <= whole ||
			(surplus[most] <= whole && surplus[least] >= -whole))
			break;
		bundle = h->movable[single][most];
		h->movable[single][most] = h->next[bundle];
		push(h, h->movable, least, bundle);
		w->holder[bundle] = (uint8_t)least;
		surplus[most] -= whole;
		surplus[least] += whole;
	}
}

void holders_fill(const struct config *config, struct plan_work *w)
{
	struct holders_work *h = &w->holders;
	uint32_t weights[CONFIG_NODES_MAX];

	for (uint32_t i = 0; i < config->n_nodes; i++)
		weights[i] = config->nodes[i].weight;
	slots_fill(h->slots, config->n_vips, weights, config->n_nodes);
	deal(config, h);
	swap_for_named(config, w);
	if (!has_equal_weights(config) && h->of_size[1])
		round_shares(config, w);
}
