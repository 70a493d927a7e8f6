/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loads.h"

#include <string.h>

#include "base/assert.h"

void loads_of(const struct plan *p, uint64_t down, uint32_t ret_load[static CONFIG_NODES_MAX])
{
	memset(ret_load, 0, CONFIG_NODES_MAX * sizeof *ret_load);
	for (uint32_t b = 0; b < p->config->n_bundles; b++)
		ret_load[plan_holder(p, b, down)] += p->config->bundles[b].n_vips;
}

int32_t excess_of(const struct plan *p, uint64_t down)
{
	const struct config *c = p->config;
	uint32_t load[CONFIG_NODES_MAX], weight = 0;
	int32_t worst = INT32_MIN;

	loads_of(p, down, load);
	for (uint32_t i = 0; i < c->n_nodes; i++)
		weight += down >> i & 1 ? 0 : c->nodes[i].weight;
	for (uint32_t i = 0; i < c->n_nodes; i++) {
		const uint32_t share = (c->n_vips * c->nodes[i].weight + weight - 1) / weight;

		if (!(down >> i & 1) && (int32_t)(load[i] - share) > worst)
			worst = (int32_t)(load[i] - share);
	}
	return worst;
}

int32_t worst_excess(const struct plan *p, uint32_t n_down)
{
	const uint32_t n = p->n_nodes;
	int32_t worst = INT32_MIN;

	ASSERT(n_down <= 2 && n_down < n);
	if (n_down == 0)
		return excess_of(p, 0);
	for (uint32_t a = 0; a < n; a++) {
		for (uint32_t b = n_down == 1 ? a : 0; b <= a; b++) {
			const uint64_t down = UINT64_C(1) << a | UINT64_C(1) << b;
			const int32_t excess = n_down == 2 && a == b ? worst : excess_of(p, down);

			if (excess > worst)
				worst = excess;
		}
	}
	return worst;
}

struct moves moves_between(const struct plan *before, const struct plan *after)
{
	struct moves m = {0};

	for (uint32_t b = 0; b < before->config->n_bundles; b++) {
		const int32_t holder = plan_holder(after, b, 0);

		if (holder == plan_holder(before, b, 0))
			continue;
		if ((uint32_t)holder == after->n_nodes - 1)
			m.onto_last++;
		else
			m.elsewhere++;
	}
	return m;
}
