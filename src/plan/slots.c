/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan/slots.h"

#include <string.h>

#include "base/assert.h"

/* Loads, shares and distances are compared in this part of a VIP: in whole numbers, since all nodes
 * must come to the same result, whatever their processors make of fractions. */
#define UNIT 1024

/* A node whose load would leave its share by more than the tolerance must give up a slot, or keep
 * it, come what may. Equal nodes need no more than two VIPs, and find their balance better that way;
 * unequal ones are to stay within one. */
#define URGENT            (1 << 20)
#define TOLERANCE_EQUAL   (2 * UNIT)
#define TOLERANCE_UNEQUAL UNIT

/* How far one looks beyond a window, in windows. */
#define AHEAD 3

/* One node's way through the row: the slots before @at are settled and counted. */
struct stage {
	uint8_t *slots;
	uint32_t n_slots;
	const uint32_t *weights;
	uint32_t node;   /* the one that is appended; its holders so far are 0 to node - 1 */
	uint64_t before; /* the weight of all before it */
	uint64_t weight; /* and with it */
	int64_t tolerance;
	uint32_t at;
	uint32_t load[CONFIG_NODES_MAX];
	int64_t latest[CONFIG_NODES_MAX]; /* the slot served last */
};

/* From this window a node takes (or leaves) exactly one slot. */
struct window {
	uint32_t begin, end;
	uint32_t ahead; /* so many slots behind it are looked at */
};

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The @number-th window (from 1) of a node with @part of @whole weight: one slot in each keeps its
 * load at floor or ceiling of its share, however many slots there are. */
static struct window window_of(uint64_t number, uint64_t part, uint64_t whole, uint32_t at)
{
	const uint64_t end = (number * whole + part - 1) / part;
	const uint64_t begin = end - at > SLOTS_WINDOW_MAX ? end - SLOTS_WINDOW_MAX : at;
	const uint64_t ahead = min64((end - begin) * AHEAD, SLOTS_AHEAD_MAX);

	return (struct window){
		.begin = (uint32_t)min64(begin, SLOTS_MAX),
		.end = (uint32_t)min64(end, SLOTS_MAX),
		.ahead = (uint32_t)ahead,
	};
}

static void settle(struct stage *s, uint32_t end)
{
	for (; s->at < end; s->at++) {
		s->load[s->slots[s->at]]++;
		s->latest[s->slots[s->at]] = s->at;
	}
}

/* The share of @holder in @n slots when weights sum up to @whole. */
static int64_t share(const struct stage *s, uint32_t holder, uint32_t n, uint64_t whole)
{
	return (int64_t)((uint64_t)UNIT * n * s->weights[holder] / whole);
}

/* What is known of each holder while a window is gone through. */
struct outlook {
	uint32_t inside[CONFIG_NODES_MAX]; /* slots in the window */
	uint32_t behind[CONFIG_NODES_MAX]; /* slots in what follows it */
	uint32_t urgent[CONFIG_NODES_MAX]; /* no later slot may be taken; 0 if any may */
	uint32_t next[SLOTS_WINDOW_MAX];   /* the same holder's next slot */
	uint32_t seen[CONFIG_NODES_MAX];   /* slots of the window so far */
	int64_t latest[CONFIG_NODES_MAX];  /* the slot served last, so far */
};

static void look_out(const struct stage *s, const struct window *w, struct outlook *ret_outlook)
{
	const uint32_t horizon = w->end + w->ahead;
	struct outlook o = {0};
	uint32_t next[CONFIG_NODES_MAX];

	memcpy(o.latest, s->latest, sizeof o.latest);
	for (uint32_t i = 0; i < s->node; i++)
		next[i] = horizon;
	for (uint32_t k = horizon; k-- > w->end;) {
		o.behind[s->slots[k]]++;
		next[s->slots[k]] = k;
	}
	for (uint32_t k = w->end; k-- > w->begin;) {
		o.inside[s->slots[k]]++;
		o.next[k - w->begin] = next[s->slots[k]];
		next[s->slots[k]] = k;
	}
	for (uint32_t k = w->begin; k < w->end; k++) {
		const uint32_t holder = s->slots[k];
		const int64_t load = UNIT * (int64_t)(s->load[holder] + ++o.seen[holder]);

		if (!o.urgent[holder] && load - share(s, holder, k + 1, s->weight) >= s->tolerance)
			o.urgent[holder] = k + 1;
	}
	memset(o.seen, 0, sizeof o.seen);
	*ret_outlook = o;
}

/*
 * How good it would be to take slot @k from its holder. Good: the holder has more than its share,
 * at @k, at the window's end and, from what is known, behind it. Bad: the holder would then serve
 * nothing for long, which no further node could make good.
 */
static int64_t rate(const struct stage *s, const struct window *w, struct outlook *o, uint32_t k)
{
	const uint32_t h = s->slots[k];
	const uint32_t load = s->load[h], next = o->next[k - w->begin];
	const int64_t now = UNIT * (int64_t)(load + ++o->seen[h]) - share(s, h, k + 1, s->weight);
	const int64_t soon = UNIT * (int64_t)(load + o->inside[h]) - share(s, h, w->end, s->weight);
	const int64_t later = UNIT * (int64_t)o->behind[h] - share(s, h, w->ahead, s->before);
	const int64_t gap =
		UNIT * (o->next[k - w->begin] - o->latest[h]) * s->weights[h] / (int64_t)s->before;

	const int64_t lack = share(s, h, next, s->weight) - UNIT * (int64_t)(load + o->seen[h] - 1);
	int64_t rating = 2 * soon + later + now - 2 * gap;

	o->latest[h] = k;
	if (k < o->urgent[h])
		rating += URGENT;
	if (lack > s->tolerance)
		rating -= URGENT;
	return rating;
}

/* The node takes its share, one slot in each window, from whom it suits best. How many slots of the
 * row are then known. */
static uint32_t take_slots(struct stage *s)
{
	for (uint64_t number = 1;; number++) {
		const struct window w = window_of(number, s->weights[s->node], s->weight, s->at);
		struct outlook o;
		int64_t best = INT64_MIN;
		uint32_t taken = w.begin;

		if (w.end + w.ahead > s->n_slots)
			return (uint32_t)min64(w.begin, s->n_slots);
		settle(s, w.begin);
		look_out(s, &w, &o);
		for (uint32_t k = w.begin; k < w.end; k++) {
			const int64_t rating = rate(s, &w, &o, k);

			if (rating > best) {
				best = rating;
				taken = k;
			}
		}
		s->slots[taken] = (uint8_t)s->node;
		settle(s, w.end);
	}
}

/* A node that is to serve more than half takes all but one slot in each window, which it leaves to
 * the holder that lacks most. */
static uint32_t leave_slots(struct stage *s)
{
	for (uint64_t number = 1;; number++) {
		const struct window w = window_of(number, s->before, s->weight, s->at);
		int64_t best = INT64_MIN;
		uint32_t left = w.begin;
		uint8_t holder;

		if (w.end > s->n_slots) {
			for (; s->at < w.begin && s->at < s->n_slots; s->at++)
				s->slots[s->at] = (uint8_t)s->node;
			return s->at;
		}
		for (uint32_t k = w.begin; k < w.end; k++) {
			const uint32_t h = s->slots[k];
			const int64_t lack =
				share(s, h, k + 1, s->weight) - UNIT * (int64_t)s->load[h];

			if (lack > best) {
				best = lack;
				left = k;
			}
		}
		holder = s->slots[left];
		for (uint32_t k = s->at; k < w.end; k++)
			s->slots[k] = (uint8_t)s->node;
		s->slots[left] = holder;
		settle(s, w.end);
	}
}

/* So many slots behind those that are asked for are used up by the windows of node @node. */
static uint32_t reach(const uint32_t *weights, uint32_t node, uint64_t whole)
{
	const uint64_t rest = whole - weights[node];
	const uint64_t part = rest < weights[node] ? rest : weights[node];
	const uint64_t window = min64((whole + part - 1) / part + 1, SLOTS_WINDOW_MAX);

	return (uint32_t)(window + min64(window * AHEAD, SLOTS_AHEAD_MAX));
}

/* The exact row of @n_nodes, repeated over @n_slots. */
static void copy_exact(uint8_t *slots, uint32_t n_slots, uint32_t n_nodes)
{
	for (uint32_t k = 0; k < n_slots; k++) {
		uint32_t holder = n_nodes - 1;

		while (!(slots_exact[k % SLOTS_EXACT_PERIOD] >> holder & 1))
			holder--;
		slots[k] = (uint8_t)holder;
	}
}

void slots_fill(uint8_t slots[static SLOTS_MAX], uint32_t n_slots, const uint32_t *weights,
	uint32_t n_nodes)
{
	uint32_t n_exact = 1, known = n_slots;
	uint64_t weight;

	ASSERT(n_slots <= CONFIG_VIPS_MAX && n_nodes >= 1 && n_nodes <= CONFIG_NODES_MAX);
	while (n_exact < n_nodes && n_exact < SLOTS_EXACT_NODES && weights[n_exact] == weights[0])
		n_exact++;
	weight = (uint64_t)n_exact * weights[0];
	for (uint32_t node = n_exact; node < n_nodes; node++) {
		weight += weights[node];
		known += reach(weights, node, weight);
	}
	ASSERT(known <= SLOTS_MAX);
	copy_exact(slots, known, n_exact);

	weight = (uint64_t)n_exact * weights[0];
	for (uint32_t node = n_exact; node < n_nodes; node++) {
		struct stage s = {
			.slots = slots,
			.n_slots = known,
			.weights = weights,
			.node = node,
			.before = weight,
			.weight = weight + weights[node],
			.tolerance = TOLERANCE_EQUAL,
		};

		for (uint32_t i = 0; i <= node; i++) {
			s.latest[i] = -1;
			if (weights[i] != weights[0])
				s.tolerance = TOLERANCE_UNEQUAL;
		}
		known = weights[node] > weight ? leave_slots(&s) : take_slots(&s);
		weight = s.weight;
	}
	ASSERT(known >= n_slots);
}
