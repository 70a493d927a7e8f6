/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/loads.h"

#include "base/assert.h"

static bool is_down(uint64_t down, uint32_t node)
{
	return down >> node & 1;
}

static uint64_t live_weight(const struct config *c, uint64_t down)
{
	uint64_t weight = 0;

	for (uint32_t i = 0; i < c->n_nodes; i++)
		weight += is_down(down, i) ? 0 : c->nodes[i].weight;
	return weight;
}

/* Whether @a VIPs on a node of weight @a_weight are more than @b on one of @b_weight. */
static bool is_hotter(uint32_t a, uint32_t a_weight, uint32_t b, uint32_t b_weight)
{
	return (uint64_t)a * b_weight > (uint64_t)b * a_weight;
}

void loads_compute(const struct plan *p, uint64_t down, struct loads *ret_loads)
{
	const struct config *c = p->config;
	const uint64_t weight = live_weight(c, down);
	struct loads l = {.down = down, .hottest = UINT32_MAX};

	ASSERT(weight > 0);
	for (uint32_t i = 0; i < c->n_bundles; i++)
		l.vips[plan_holder(p, i, down)] += c->bundles[i].n_vips;
	for (uint32_t i = 0; i < c->n_nodes; i++) {
		const uint32_t own = c->nodes[i].weight;

		if (is_down(down, i))
			continue;
		l.fair[i] = (uint32_t)(((uint64_t)c->n_vips * own + weight - 1) / weight);
		if (l.vips[i] > l.fair[i] && l.vips[i] - l.fair[i] > l.excess)
			l.excess = l.vips[i] - l.fair[i];
		if (l.hottest == UINT32_MAX ||
			is_hotter(l.vips[i], own, l.vips[l.hottest], c->nodes[l.hottest].weight))
			l.hottest = i;
	}
	*ret_loads = l;
}

/* The next number with as many bits set; from the lowest of them on (Gosper's hack). */
static uint64_t next_set(uint64_t set)
{
	const uint64_t low = set & -set;
	const uint64_t high = set + low;

	return high | ((set ^ high) >> 2) / low;
}

static void worsen(struct loads_worst *w, const struct loads *l, const struct config *c)
{
	const uint32_t now = l->hottest, before = w->loads.hottest;

	if (is_hotter(l->vips[now], c->nodes[now].weight, w->loads.vips[before],
		    c->nodes[before].weight))
		w->loads = *l;
	if (l->excess > w->excess)
		w->excess = l->excess;
	for (uint32_t i = 0; i < c->n_nodes; i++) {
		if (l->vips[i] > w->peak[i]) {
			w->peak[i] = l->vips[i];
			w->peak_down[i] = l->down;
		}
	}
}

void loads_find_worst(const struct plan *p, uint32_t n_down, struct loads_worst *ret_worst)
{
	const uint32_t n = p->config->n_nodes;
	const uint64_t all = n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
	uint64_t down = (UINT64_C(1) << n_down) - 1;
	struct loads_worst w = {0};
	struct loads l;

	ASSERT(n_down < n && n_down <= LOADS_DOWN_MAX);
	for (;;) {
		loads_compute(p, down, &l);
		worsen(&w, &l, p->config);
		/* the highest nodes are down: that was the last case */
		if (n_down == 0 || down == (all & ~(all >> n_down)))
			break;
		down = next_set(down);
	}
	*ret_worst = w;
}

static uint64_t greatest_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		const uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Makes @*multiple divisible by @factor too; false if that exceeds what a file may have. */
static bool multiply(uint64_t *multiple, uint64_t factor)
{
	*multiple *= factor / greatest_divisor(*multiple, factor);
	return *multiple <= CONFIG_VIPS_MAX;
}

/*
 * Of V VIPs, a node of weight w is due V w / W while the live nodes weigh W. All of these are whole
 * if V is a multiple of W / gcd(W, every live w).
 */
static uint64_t even_factor(const struct config *c, uint64_t down)
{
	const uint64_t weight = live_weight(c, down);
	uint64_t divisor = weight;

	for (uint32_t i = 0; i < c->n_nodes; i++)
		if (!is_down(down, i))
			divisor = greatest_divisor(divisor, c->nodes[i].weight);
	return weight / divisor;
}

uint32_t loads_even_number(const struct config *c, uint32_t n_down, uint32_t at_least)
{
	const uint32_t n = c->n_nodes;
	uint64_t multiple = 1;

	ASSERT(n_down < n && n_down <= LOADS_DOWN_MAX);
	/* a == b stands for one node down, a == b == n for none */
	for (uint32_t a = n_down > 0 ? 0 : n; a <= n; a++) {
		for (uint32_t b = n_down > 1 && a < n ? 0 : a; b <= a; b++) {
			const uint64_t down =
				(a < n ? UINT64_C(1) << a : 0) | (b < n ? UINT64_C(1) << b : 0);

			if (!multiply(&multiple, even_factor(c, down)))
				return 0;
		}
	}
	multiple *= (at_least + multiple - 1) / multiple;
	return multiple <= CONFIG_VIPS_MAX ? (uint32_t)multiple : 0;
}
