/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Which node serves the first VIP, the second, and so on, while all nodes are up: an endless row of
 * slots, each with its holder. The row grows in two directions, and neither disturbs what is there:
 *
 *    slot      0 1 2 3 4 5 ...          a further VIP takes the next slot
 *    1 node    a a a a a a
 *    2 nodes   a b b a a b              a further node takes some of the slots for itself
 *    3 nodes   a b c a c b   ...        and the rest keep their holders
 *
 * Any number of slots from the start is shared by weight: exactly, to floor or ceiling, by up to
 * SLOTS_EXACT_NODES nodes of equal weight. See doc/design/0002-failover-orders.md.
 */

#include <stdint.h>

#include "config/config.h"

/* With more nodes than this, no row is exact for every number of VIPs and of nodes. */
#define SLOTS_EXACT_NODES 8
/* The exact row repeats after the least common multiple of 1 to 8. */
#define SLOTS_EXACT_PERIOD 840

/* Taking a slot well needs a look at those that follow; so many for each node at most. */
#define SLOTS_WINDOW_MAX 256
#define SLOTS_AHEAD_MAX  192

#define SLOTS_MAX (CONFIG_VIPS_MAX + CONFIG_NODES_MAX * (SLOTS_WINDOW_MAX + SLOTS_AHEAD_MAX))

/* For each slot of a period a bit for every node that takes it when it is appended. */
extern const uint8_t slots_exact[SLOTS_EXACT_PERIOD];

/*
 * Fills the first @n_slots (at most CONFIG_VIPS_MAX) of @slots with node indexes; what follows them
 * is scratch. @weights: of the @n_nodes nodes, from 1.
 */
void slots_fill(uint8_t slots[static SLOTS_MAX], uint32_t n_slots, const uint32_t *weights,
	uint32_t n_nodes);
