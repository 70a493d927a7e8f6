/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The rooms in which a plan is made; one allocation, not cleared, freed when the plan is
 * done: each step clears what it uses. Internal to plan/.
 *
 *    slots ──► holders: who serves each bundle ──► orders: who comes next ──► routers and VRIDs
 *                                                    ▲                           │
 *                                                    └── limits: fewer orders ◄──┘ too few VRIDs
 */

#include <stdbool.h>
#include <stdint.h>

#include "plan/plan.h"
#include "plan/slots.h"

/* Bundles of different sizes are dealt apart; 141 different sizes sum up to more than 10,000. */
#define PLAN_SIZES_MAX 141

#define PLAN_NONE UINT32_MAX

/* Heads of lists that run through holders_work.next. */
typedef uint32_t bundle_lists[PLAN_SIZES_MAX][CONFIG_NODES_MAX];

struct holders_work {
	uint8_t slots[SLOTS_MAX];
	uint8_t natural[CONFIG_VIPS_MAX];     /* the slot's holder, by bundle */
	uint8_t class_of[CONFIG_VIPS_MAX];    /* by bundle: which size, in order of appearance */
	uint8_t of_size[CONFIG_VIPS_MAX + 1]; /* class + 1, by number of VIPs; 0: none seen yet */
	uint32_t next_slot[PLAN_SIZES_MAX];
	uint32_t n_classes;
	bundle_lists movable; /* by holder: bundles without a preference, the latest first */
	bundle_lists owed;    /* by holder: bundles that took a slot of it which it did not have */
	uint32_t next[CONFIG_VIPS_MAX];
};

/*
 * How many VIPs a node takes over, by those that are down. The tables have as many rows and columns
 * as there are nodes, so that a small cluster touches little memory.
 */
struct orders_work {
	uint32_t weight[CONFIG_NODES_MAX];
	uint32_t load[CONFIG_NODES_MAX];    /* with none down */
	uint32_t seconds[CONFIG_NODES_MAX]; /* all that it would take over as second */
	uint32_t second[CONFIG_NODES_MAX * CONFIG_NODES_MAX];
	uint16_t third[CONFIG_NODES_MAX * CONFIG_NODES_MAX * CONFIG_NODES_MAX];
	/* By first, second and third: the VIPs, and the fourth + 1 */
	uint16_t triple[CONFIG_NODES_MAX * CONFIG_NODES_MAX * CONFIG_NODES_MAX];
	uint8_t fourth[CONFIG_NODES_MAX * CONFIG_NODES_MAX * CONFIG_NODES_MAX];
	/* Which nodes the orders of an interface have there already, as bits. */
	uint64_t second_used[CONFIG_INTERFACES_MAX * CONFIG_NODES_MAX];
	uint64_t third_used[CONFIG_INTERFACES_MAX * CONFIG_NODES_MAX * CONFIG_NODES_MAX];
};

#define PLAN_VRID_MAX 255

/* The VRIDs of one interface and family. */
struct vrid_pool {
	uint8_t next;
	uint32_t left;                  /* of the range, not yet looked at */
	bool pinned[PLAN_VRID_MAX + 1]; /* by foreign services */
};

struct routers_work {
	uint32_t order_of[CONFIG_VIPS_MAX];           /* bundle: number of its order */
	uint32_t router_of[CONFIG_VIPS_MAX];          /* VIP: index of its router */
	uint32_t table[4 * CONFIG_VIPS_MAX];          /* bundles by the hash of their order */
	uint32_t open[FAMILY_COUNT][CONFIG_VIPS_MAX]; /* by order: the latest router */
	uint32_t needed[CONFIG_INTERFACES_MAX][FAMILY_COUNT]; /* VRIDs */
	struct vrid_pool pools[CONFIG_INTERFACES_MAX][FAMILY_COUNT];
};

struct plan_work {
	uint8_t holder[CONFIG_VIPS_MAX]; /* by bundle, with none down */
	/* By interface: how many orders there may be, as orders_level_max() explains. */
	uint32_t level[CONFIG_INTERFACES_MAX];
	struct holders_work holders;
	struct orders_work orders;
	struct routers_work routers;
};
