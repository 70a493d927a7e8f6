/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * How many VIPs each node serves when some are down, as a plan says; and which numbers of VIPs could
 * be spread evenly at all. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "plan/plan.h"

/* So many nodes down at once are looked at: none, one, two. */
#define LOADS_DOWN_MAX 2

/* What each node serves when exactly the nodes in @down are down. */
struct loads {
	uint64_t down; /* a bit for each node */
	uint32_t vips[CONFIG_NODES_MAX];
	uint32_t fair[CONFIG_NODES_MAX]; /* share by weight, rounded up; 0 if down */
	uint32_t excess;                 /* of the node that is furthest above its fair share */
	uint32_t hottest;                /* the node with the most VIPs by weight */
};

/* Not all nodes may be down. */
void loads_compute(const struct plan *p, uint64_t down, struct loads *ret_loads);

/* What is worst for the cluster, and for each node, when @n_down of them are down. */
struct loads_worst {
	struct loads loads;                   /* the hottest node of all cases is hottest here */
	uint32_t excess;                      /* the greatest of all cases */
	uint32_t peak[CONFIG_NODES_MAX];      /* the most that this node ever serves ... */
	uint64_t peak_down[CONFIG_NODES_MAX]; /* ... and when */
};

/* @n_down is less than the number of nodes and at most LOADS_DOWN_MAX. */
void loads_find_worst(const struct plan *p, uint32_t n_down, struct loads_worst *ret_worst);

/*
 * The least number of VIPs, not below @at_least, that nodes of these weights could share without a
 * remainder, whichever up to @n_down of them are down; 0 if it exceeds CONFIG_VIPS_MAX.
 */
uint32_t loads_even_number(const struct config *c, uint32_t n_down, uint32_t at_least);
