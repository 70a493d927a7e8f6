/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan/orders.h"

static void fill_round_robin(uint8_t *order, uint32_t n_nodes, uint32_t first)
{
	for (uint32_t place = 0; place < n_nodes; place++)
		order[place] = (uint8_t)((first + place) % n_nodes);
}

static void fill_by_priority(uint8_t *order, uint32_t n_nodes, const uint8_t *priority)
{
	for (uint32_t node = 0; node < n_nodes; node++) {
		uint32_t place = node;

		for (; place > 0 && priority[order[place - 1]] < priority[node]; place--)
			order[place] = order[place - 1];
		order[place] = (uint8_t)node;
	}
}

void orders_fill(const struct config *config, uint8_t *orders)
{
	for (uint32_t b = 0; b < config->n_bundles; b++) {
		const struct config_bundle *bundle = &config->bundles[b];
		const struct config_service *service = &config->services[bundle->service];
		uint8_t *order = orders + (size_t)b * config->n_nodes;

		if (service->foreign_vrid)
			fill_by_priority(order, config->n_nodes, service->priority);
		else
			fill_round_robin(order, config->n_nodes,
				bundle->preferred == CONFIG_NO_NODE ? b % config->n_nodes
								    : (uint32_t)bundle->preferred);
	}
}
