/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan/plan.h"

#include <stdlib.h>

#include "base/assert.h"
#include "plan/holders.h"
#include "plan/orders.h"
#include "plan/routers.h"
#include "wire/advert.h"

#define PRIORITY_BEST     254
#define PRIORITY_SPREAD   126 /* from the best healthy priority to the least one, 128 */
#define PRIORITY_ILL      127 /* below the same place's healthy priority */
#define PRIORITY_LEAST    2   /* 1 says "I yield"; of 64 ill nodes the last two share 2 */
#define PRIORITY_WIDE_MAX 4   /* so many places have wide gaps */

static const char *const out_of_memory = "there is not enough memory for the plan";
static const char *const pinned_overflow =
	"a service with a pinned VRID has more VIPs of one family than an advertisement lists; "
	"split it into services with VRIDs of their own";
static const char *const too_few_vrids =
	"the range of VRIDs is too small: each service needs one for every node that serves VIPs "
	"of "
	"it, in each family; grant more with `vrids:`, or spread the services over interfaces";

/* Plans within the levels set. False if a pinned VRID has too many VIPs. */
static bool make(struct plan *p, struct plan_work *w, uint32_t mtu)
{
	orders_fill(p->config, w, p->orders);
	return routers_group(p, w, mtu);
}

/*
 * The highest level of @interface at which its routers fit; 0 if there is none. Found by doubling and
 * halving: big clusters, whose plans take longest, end up low. Levels have little to do with each
 * other across interfaces, so one after the other is good enough.
 */
static uint32_t find_level(struct plan *p, struct plan_work *w, uint32_t mtu, uint32_t interface)
{
	uint32_t fits = 0, exceeds = w->level[interface];

	while (exceeds - fits > 1) {
		const uint32_t half = (fits + exceeds) / 2;

		w->level[interface] = half < 2 * fits + 1 ? half : 2 * fits + 1;
		make(p, w, mtu);
		if (routers_fit(w, interface))
			fits = w->level[interface];
		else
			exceeds = w->level[interface];
	}
	return fits;
}

/* Lowers the levels until all routers fit. False if even the lowest do not. */
static bool limit_orders(struct plan *p, struct plan_work *w, uint32_t mtu)
{
	bool all_fit;

	do {
		all_fit = true;
		for (uint32_t i = 0; i < p->config->n_interfaces; i++) {
			if (routers_fit(w, i))
				continue;
			all_fit = false;
			w->level[i] = find_level(p, w, mtu, i);
			if (w->level[i] == 0)
				return false;
			make(p, w, mtu);
		}
		/* what was found for the first may have changed by what was found for the last */
	} while (!all_fit);
	return true;
}

/* The problem, or NULL: then @p is complete. */
static const char *fill(struct plan *p, struct plan_work *w, uint32_t mtu, bool limited)
{
	for (uint32_t i = 0; i < p->config->n_interfaces; i++)
		w->level[i] = orders_level_max(p->n_nodes);
	holders_fill(p->config, w);
	if (!make(p, w, mtu))
		return pinned_overflow;
	p->n_orders_wanted = p->n_orders;
	if (!limited)
		return NULL;
	if (!limit_orders(p, w, mtu))
		return too_few_vrids;
	routers_number(p, w);
	return NULL;
}

static struct plan *plan_make(
	const struct config *config, uint32_t mtu, bool limited, const char **ret_problem)
{
	struct plan_work *w = malloc(sizeof *w);
	struct plan *p = calloc(1, sizeof *p);
	const char *problem = out_of_memory;

	ASSERT(config->n_nodes >= 1 && config->n_nodes <= CONFIG_NODES_MAX);
	ASSERT(config->n_bundles <= config->n_vips && config->n_vips <= CONFIG_VIPS_MAX);
	ASSERT(config->n_interfaces <= CONFIG_INTERFACES_MAX);
	if (!w || !p)
		goto out;
	/* from the first mode on, so that later steps of a roll-out change no router */
	if (config->auth.mode != CONFIG_AUTH_OFF)
		mtu -= ADVERT_TRAILER_SIZE;
	p->config = config;
	p->n_nodes = config->n_nodes;
	p->orders = calloc((size_t)config->n_bundles * config->n_nodes + 1, 1);
	p->routers = calloc(config->n_vips + 1, sizeof *p->routers);
	p->members = calloc(config->n_vips + 1, sizeof *p->members);
	if (p->orders && p->routers && p->members)
		problem = fill(p, w, mtu, limited);
out:
	free(w);
	if (!problem)
		return p;
	plan_free(p);
	if (ret_problem)
		*ret_problem = problem;
	return NULL;
}

struct plan *plan_new(const struct config *config, uint32_t mtu, const char **ret_problem)
{
	return plan_make(config, mtu, true, ret_problem);
}

struct plan *plan_new_unlimited(const struct config *config, uint32_t mtu)
{
	return plan_make(config, mtu, false, NULL);
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	free(p->orders);
	free(p->routers);
	free(p->members);
	free(p);
}

const uint8_t *plan_order(const struct plan *p, uint32_t bundle)
{
	ASSERT(bundle < p->config->n_bundles);
	return p->orders + (size_t)bundle * p->n_nodes;
}

int32_t plan_holder(const struct plan *p, uint32_t bundle, uint64_t down)
{
	const uint8_t *order = plan_order(p, bundle);

	for (uint32_t place = 0; place < p->n_nodes; place++)
		if (!(down >> order[place] & 1))
			return order[place];
	return -1;
}

unsigned plan_families(const struct plan *p)
{
	unsigned families = 0;

	for (uint32_t i = 0; i < p->n_routers; i++)
		families |= 1u << p->routers[i].family;
	return families;
}

uint32_t plan_place(const struct plan *p, uint32_t bundle, uint32_t node)
{
	const uint8_t *order = plan_order(p, bundle);
	uint32_t place = 0;

	ASSERT(node < p->n_nodes);
	while (order[place] != node)
		place++;
	return place;
}

uint8_t plan_priority(uint32_t place, uint32_t n_nodes, bool ill)
{
	uint32_t below; /* the best */

	ASSERT(place < n_nodes && n_nodes <= CONFIG_NODES_MAX);
	if (n_nodes == 1) {
		below = 0;
	} else if (n_nodes <= PRIORITY_WIDE_MAX) {
		below = place * PRIORITY_SPREAD / (n_nodes - 1);
	} else {
		const uint32_t narrow = PRIORITY_SPREAD / (n_nodes + 2);
		const uint32_t wide = (PRIORITY_SPREAD - (n_nodes - PRIORITY_WIDE_MAX) * narrow) /
				      (PRIORITY_WIDE_MAX - 1);

		below = place < PRIORITY_WIDE_MAX
				? place * wide
				: (PRIORITY_WIDE_MAX - 1) * wide +
					  (place - PRIORITY_WIDE_MAX + 1) * narrow;
	}
	if (!ill)
		return (uint8_t)(PRIORITY_BEST - below);
	if (below + PRIORITY_ILL + PRIORITY_LEAST > PRIORITY_BEST)
		return PRIORITY_LEAST;
	return (uint8_t)(PRIORITY_BEST - below - PRIORITY_ILL);
}

uint32_t plan_priority_place(uint8_t priority, uint32_t n_nodes)
{
	for (uint32_t place = 0; place < n_nodes; place++)
		if (plan_priority(place, n_nodes, false) == priority ||
			plan_priority(place, n_nodes, true) == priority)
			return place;
	return n_nodes;
}
