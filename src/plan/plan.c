/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan/plan.h"

#include <stdlib.h>

#include "base/assert.h"
#include "plan/orders.h"
#include "plan/routers.h"

#define PRIORITY_BEST     254
#define PRIORITY_SPREAD   126 /* from the best healthy priority to the least one, 128 */
#define PRIORITY_ILL      127 /* below the same place's healthy priority */
#define PRIORITY_WIDE_MAX 4   /* so many places have wide gaps */

struct plan *plan_new(const struct config *config, uint32_t mtu, const char **ret_problem)
{
	struct plan *p = calloc(1, sizeof *p);

	ASSERT(p);
	ASSERT(config->n_nodes >= 1 && config->n_nodes <= CONFIG_NODES_MAX);
	p->config = config;
	p->n_nodes = config->n_nodes;
	p->orders = calloc((size_t)config->n_bundles * config->n_nodes + 1, 1);
	ASSERT(p->orders);
	orders_fill(config, p->orders);
	if (!routers_assign(p, mtu, ret_problem)) {
		plan_free(p);
		return NULL;
	}
	return p;
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
	return (uint8_t)(PRIORITY_BEST - below - (ill ? PRIORITY_ILL : 0));
}

uint32_t plan_priority_place(uint8_t priority, uint32_t n_nodes)
{
	for (uint32_t place = 0; place < n_nodes; place++)
		if (plan_priority(place, n_nodes, false) == priority ||
			plan_priority(place, n_nodes, true) == priority)
			return place;
	return n_nodes;
}
