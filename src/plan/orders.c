/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan/orders.h"

#include <string.h>

#include "base/assert.h"
#include "plan/holders.h"

/* One decision: which node is next in the order of a bundle of @size VIPs. */
struct choice {
	uint32_t n_nodes;
	const uint32_t *weight;
	uint64_t before; /* nodes that are in the order already */
	uint64_t *used;  /* nodes that orders with the same nodes before have here already */
	uint32_t limit;  /* of their number */
	uint32_t from;   /* among equals the next behind this one, round the ring */
	uint32_t size;
	const uint32_t *load;    /* when those before are down */
	const uint32_t *breaker; /* of ties: the lesser first; or NULL */
};

static bool has(uint64_t set, uint32_t node)
{
	return set >> node & 1;
}

static uint32_t next_on_ring(uint32_t node, uint32_t n_nodes)
{
	return node + 1 < n_nodes ? node + 1 : 0;
}

static bool is_better(const struct choice *c, uint32_t a, uint32_t b)
{
	const uint64_t a_weight = c->weight[a], b_weight = c->weight[b];
	const uint64_t a_load = (c->load[a] + c->size) * b_weight;
	const uint64_t b_load = (c->load[b] + c->size) * a_weight;

	if (a_load != b_load || !c->breaker)
		return a_load < b_load;
	return c->breaker[a] * b_weight < c->breaker[b] * a_weight;
}

static uint32_t choose(const struct choice *c)
{
	const bool full = (uint32_t)__builtin_popcountll(*c->used) >= c->limit;
	const uint64_t eligible = (full ? *c->used : UINT64_MAX) & ~c->before;
	uint32_t best = PLAN_NONE, i = c->from;

	do {
		i = next_on_ring(i, c->n_nodes);
		if (has(eligible, i) && (best == PLAN_NONE || is_better(c, i, best)))
			best = i;
	} while (i != c->from);
	ASSERT(best != PLAN_NONE);
	*c->used |= UINT64_C(1) << best;
	return best;
}

/* By node: what it takes over as second when @first is down. */
static uint32_t *seconds_of(struct plan_work *w, const struct config *c, uint32_t first)
{
	return w->orders.second + (size_t)first * c->n_nodes;
}

/* By node: what it takes over as third when @a and @b are down. */
static uint16_t *thirds_of(struct plan_work *w, const struct config *c, uint32_t a, uint32_t b)
{
	const size_t row = a < b ? (size_t)a * c->n_nodes + b : (size_t)b * c->n_nodes + a;

	return w->orders.third + row * c->n_nodes;
}

static size_t triple_index(const struct config *c, uint32_t x, uint32_t y, uint32_t z)
{
	return ((size_t)x * c->n_nodes + y) * c->n_nodes + z;
}

static bool is_foreign(const struct config *c, uint32_t bundle)
{
	return c->services[c->bundles[bundle].service].foreign_vrid != 0;
}

/* Foreign services' orders are given; what they add to the loads is to be known to all others. */
static void place_foreign(const struct config *c, struct plan_work *w, uint8_t *orders)
{
	struct orders_work *o = &w->orders;
	const uint32_t n = c->n_nodes;

	for (uint32_t b = 0; b < c->n_bundles; b++) {
		const uint32_t size = c->bundles[b].n_vips;
		uint8_t *order = orders + (size_t)b * n;

		o->load[w->holder[b]] += size;
		if (!is_foreign(c, b))
			continue;
		holders_by_priority(c, c->bundles[b].service, order);
		if (n > 1) {
			seconds_of(w, c, order[0])[order[1]] += size;
			o->seconds[order[1]] += size;
		}
		if (n > 2)
			thirds_of(w, c, order[0], order[1])[order[2]] += (uint16_t)size;
	}
}

static uint32_t limit_of_seconds(const struct config *c, uint32_t level)
{
	return level < c->n_nodes - 1 ? level : c->n_nodes - 1;
}

static uint32_t limit_of_thirds(const struct config *c, uint32_t level)
{
	return level < c->n_nodes ? 1 : level - c->n_nodes + 2;
}

uint32_t orders_level_max(uint32_t n_nodes)
{
	return n_nodes < 3 ? 1 : 2 * n_nodes - 4;
}

static void place_first(const struct config *c, struct plan_work *w, uint32_t b, uint8_t *order)
{
	(void)c;
	order[0] = w->holder[b];
}

static void place_second(const struct config *c, struct plan_work *w, uint32_t b, uint8_t *order)
{
	struct orders_work *o = &w->orders;
	const struct config_bundle *bundle = &c->bundles[b];
	const uint32_t interface = c->services[bundle->service].interface;
	const uint32_t first = order[0];
	uint32_t *second = seconds_of(w, c, first);
	uint32_t load[CONFIG_NODES_MAX];
	struct choice choice = {
		.n_nodes = c->n_nodes,
		.weight = o->weight,
		.before = UINT64_C(1) << first,
		.used = &o->second_used[interface * c->n_nodes + first],
		.limit = limit_of_seconds(c, w->level[interface]),
		.from = first,
		.size = bundle->n_vips,
		.load = load,
		.breaker = o->seconds,
	};

	for (uint32_t i = 0; i < c->n_nodes; i++)
		load[i] = o->load[i] + second[i];
	order[1] = (uint8_t)choose(&choice);
	second[order[1]] += bundle->n_vips;
	o->seconds[order[1]] += bundle->n_vips;
}

static void place_third(
	const struct config *c, struct plan_work *w, uint32_t number, uint8_t *order)
{
	struct orders_work *o = &w->orders;
	const struct config_bundle *bundle = &c->bundles[number];
	const uint32_t interface = c->services[bundle->service].interface;
	const uint32_t first = order[0], second = order[1];
	const uint32_t *a = seconds_of(w, c, first), *b = seconds_of(w, c, second);
	uint16_t *third = thirds_of(w, c, first, second);
	uint32_t load[CONFIG_NODES_MAX];
	struct choice choice = {
		.n_nodes = c->n_nodes,
		.weight = o->weight,
		.before = UINT64_C(1) << first | UINT64_C(1) << second,
		.used = &o->third_used[(interface * c->n_nodes + first) * c->n_nodes + second],
		.limit = limit_of_thirds(c, w->level[interface]),
		.from = second,
		.size = bundle->n_vips,
		.load = load,
	};

	for (uint32_t i = 0; i < c->n_nodes; i++)
		load[i] = o->load[i] + a[i] + b[i] + third[i];
	order[2] = (uint8_t)choose(&choice);
	third[order[2]] += (uint16_t)bundle->n_vips;
	o->triple[triple_index(c, first, second, order[2])] += (uint16_t)bundle->n_vips;
}

/* What each node serves when @d[0] to @d[2] are down, as far as fourths are decided. */
static void load_without_three(
	struct plan_work *w, const struct config *c, const uint8_t *d, uint32_t *load)
{
	static const uint8_t ways[6][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct orders_work *o = &w->orders;

	memcpy(load, o->load, c->n_nodes * sizeof *load);
	for (uint32_t k = 0; k < 3; k++) {
		const uint32_t *second = seconds_of(w, c, d[k]);
		const uint16_t *third = thirds_of(w, c, d[k], d[(k + 1) % 3]);

		for (uint32_t i = 0; i < c->n_nodes; i++)
			load[i] += second[i] + third[i];
	}
	for (size_t k = 0; k < ARRAY_SIZE(ways); k++) {
		const size_t at = triple_index(c, d[ways[k][0]], d[ways[k][1]], d[ways[k][2]]);

		if (o->fourth[at])
			load[o->fourth[at] - 1u] += o->triple[at];
	}
}

/* The first three nodes decide the fourth, so that it adds nothing to the number of orders. */
static uint8_t find_fourth(const struct config *c, struct plan_work *w, const uint8_t *order)
{
	struct orders_work *o = &w->orders;
	const size_t at = triple_index(c, order[0], order[1], order[2]);
	uint32_t load[CONFIG_NODES_MAX];
	uint64_t used = 0;
	const struct choice choice = {
		.n_nodes = c->n_nodes,
		.weight = o->weight,
		.before =
			UINT64_C(1) << order[0] | UINT64_C(1) << order[1] | UINT64_C(1) << order[2],
		.used = &used,
		.limit = 1,
		.from = order[2],
		.size = o->triple[at],
		.load = load,
	};

	if (!o->fourth[at]) {
		load_without_three(w, c, order, load);
		o->fourth[at] = (uint8_t)(choose(&choice) + 1);
	}
	return o->fourth[at] - 1;
}

/* From the fifth place on round the ring. */
static void place_rest(const struct config *c, struct plan_work *w, uint32_t b, uint8_t *order)
{
	uint64_t placed = 0;
	uint32_t place;

	(void)b;
	order[3] = find_fourth(c, w, order);
	for (place = 0; place < 4; place++)
		placed |= UINT64_C(1) << order[place];
	for (uint32_t node = order[3]; place < c->n_nodes; node = next_on_ring(node, c->n_nodes)) {
		if (has(placed, node))
			continue;
		order[place++] = (uint8_t)node;
		placed |= UINT64_C(1) << node;
	}
}

static void prepare(const struct config *c, struct orders_work *o)
{
	const size_t n = c->n_nodes;

	for (size_t i = 0; i < n; i++)
		o->weight[i] = c->nodes[i].weight;
	memset(o->load, 0, sizeof o->load);
	memset(o->seconds, 0, sizeof o->seconds);
	memset(o->second, 0, n * n * sizeof *o->second);
	memset(o->third, 0, n * n * n * sizeof *o->third);
	memset(o->triple, 0, n * n * n * sizeof *o->triple);
	memset(o->fourth, 0, n * n * n * sizeof *o->fourth);
	memset(o->second_used, 0, c->n_interfaces * n * sizeof *o->second_used);
	memset(o->third_used, 0, c->n_interfaces * n * n * sizeof *o->third_used);
}

typedef void placing(const struct config *c, struct plan_work *w, uint32_t bundle, uint8_t *order);

/* Decides one place of every order that is not given, before any order's next place: what all carry
 * as second is part of what a third finds, and so on. */
static void place_all(const struct config *c, struct plan_work *w, uint8_t *orders, placing *place)
{
	for (uint32_t b = 0; b < c->n_bundles; b++)
		if (!is_foreign(c, b))
			place(c, w, b, orders + (size_t)b * c->n_nodes);
}

void orders_fill(const struct config *config, struct plan_work *w, uint8_t *orders)
{
	prepare(config, &w->orders);
	place_foreign(config, w, orders);
	place_all(config, w, orders, place_first);
	if (config->n_nodes > 1)
		place_all(config, w, orders, place_second);
	if (config->n_nodes > 2)
		place_all(config, w, orders, place_third);
	if (config->n_nodes > 3)
		place_all(config, w, orders, place_rest);
}
