/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/index.h"

#include <stdlib.h>

/* The slot of the VIP with this address, or the empty one where it would be. */
static uint32_t find_slot(const struct config_index *ix, const struct addr *address)
{
	uint32_t slot = (uint32_t)addr_hash(address) & ix->mask;

	while (ix->slots[slot] &&
		!addr_equal(&ix->config->vips[ix->slots[slot] - 1].address, address))
		slot = (slot + 1) & ix->mask;
	return slot;
}

bool config_index_init(struct config_index *ix, const struct config *config)
{
	uint32_t size = 16;

	while (size < 2 * config->n_vips)
		size *= 2;
	*ix = (struct config_index){
		.config = config,
		.slots = calloc(size, sizeof *ix->slots),
		.mask = size - 1,
	};
	if (!ix->slots)
		return false;
	for (uint32_t vip = 0; vip < config->n_vips; vip++)
		ix->slots[find_slot(ix, &config->vips[vip].address)] = vip + 1;
	return true;
}

void config_index_fini(struct config_index *ix)
{
	free(ix->slots);
	ix->slots = NULL;
}

int32_t config_index_vip(const struct config_index *ix, const struct addr *address)
{
	return (int32_t)ix->slots[find_slot(ix, address)] - 1;
}

int32_t config_find_node(const struct config *c, const struct addr *address)
{
	for (uint32_t i = 0; i < c->n_nodes; i++)
		for (uint32_t k = 0; k < c->nodes[i].n_addresses; k++)
			if (addr_equal(&c->nodes[i].addresses[k], address))
				return (int32_t)i;
	return CONFIG_NO_NODE;
}
