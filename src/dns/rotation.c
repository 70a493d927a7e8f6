/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/rotation.h"

static void swap(uint16_t *a, uint16_t *b)
{
	const uint16_t t = *a;

	*a = *b;
	*b = t;
}

/* Fisher and Yates: every order is as likely. */
static void shuffle(struct rng *rng, uint16_t *order, uint32_t n)
{
	for (uint32_t i = n; i > 1; i--)
		swap(&order[i - 1], &order[rng_below(rng, i)]);
}

bool rotation_any_held(const struct rotation *r, struct rotation_held held)
{
	for (uint32_t i = 0; i < r->n; i++) {
		if (rotation_is_held(held, r->members[i].vip))
			return true;
	}
	return false;
}

uint32_t rotation_shuffle(struct rng *rng, uint32_t n, uint16_t order[static ROTATION_MAX])
{
	for (uint32_t i = 0; i < n; i++)
		order[i] = (uint16_t)i;
	shuffle(rng, order, n);
	return n;
}

/* The place in @order of one that is drawn in proportion to its weight. */
static uint32_t draw(const struct rotation *r, struct rng *rng, const uint16_t *order, uint32_t n)
{
	uint32_t total = 0, at, i = 0;

	if (!r->weights_differ)
		return rng_below(rng, n);
	for (uint32_t k = 0; k < n; k++)
		total += r->members[order[k]].weight;
	for (at = rng_below(rng, total); at >= r->members[order[i]].weight; i++)
		at -= r->members[order[i]].weight;
	return i;
}

uint32_t rotation_order(const struct rotation *r, struct rotation_held held, struct rng *rng,
	uint16_t order[static ROTATION_MAX], bool *ret_fail_open)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		if (rotation_is_held(held, r->members[i].vip))
			order[n++] = (uint16_t)i;
	}
	if (n == 0) {
		*ret_fail_open = true;
		for (; n < r->n; n++)
			order[n] = (uint16_t)n;
	}
	swap(&order[0], &order[draw(r, rng, order, n)]);
	if (r->policy == CONFIG_ROTATION_WEIGHTED)
		return 1;
	shuffle(rng, order + 1, n - 1);
	return n;
}
