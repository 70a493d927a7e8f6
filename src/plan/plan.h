/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Failover orders: for every bundle of VIPs all the nodes, the preferred first. The first live and
 * healthy node in the order serves it. Pure, deterministic, computed alike on every node from the
 * same file. doc/design/0002-failover-orders.md tells how the orders grow and what they promise.
 *
 *    struct config ──► plan_new() ──► orders: who serves what, whoever is down
 *                                └──► routers: bundles with the same order share a VRID
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "config/config.h"

/* Bundles' VIPs of one service, family and order (or one foreign service and family): what one
 * advertisement lists. */
struct plan_router {
	uint32_t service;
	uint32_t interface;
	enum family family;
	uint8_t vrid;
	uint32_t first, n_vips; /* contiguous in plan.members */
	uint32_t order;         /* the bundle whose order it follows */
};

struct plan {
	const struct config *config; /* borrowed; outlives the plan */
	uint32_t n_nodes;
	uint8_t *orders; /* [bundle][place] = node index; n_bundles x n_nodes */
	struct plan_router *routers;
	uint32_t n_routers;
	uint32_t *members;        /* VIP indexes, router after router; n_vips of them */
	uint32_t n_orders;        /* distinct orders in use */
	uint32_t n_orders_wanted; /* what there would be without the limit of VRIDs */
};

/* Ethernet's: what a plan assumes of every interface, since it must be the same on every node. */
#define PLAN_MTU 1500

/*
 * Plans @config. @mtu limits how many addresses a router lists (PLAN_MTU, but for tests), and a
 * trailer has to fit as well where `auth:` is not off. NULL if the VRIDs that the file grants do not
 * suffice for any plan; then @ret_problem, if given, points to a static sentence that says which and
 * what would do.
 */
struct plan *plan_new(const struct config *config, uint32_t mtu, const char **ret_problem);
void plan_free(struct plan *p);

/*
 * The plan that there would be with as many VRIDs as one could wish for, to compare loads with. Its
 * routers have neither VRIDs nor members. NULL if there is none.
 */
struct plan *plan_new_unlimited(const struct config *config, uint32_t mtu);

/* The order of @bundle: n_nodes node indexes. */
const uint8_t *plan_order(const struct plan *p, uint32_t bundle);

/* The families that its routers speak: of each the bit (1 << FAMILY_...). */
unsigned plan_families(const struct plan *p);

/* Who serves @bundle when the nodes with a bit in @down are down; -1 if all are. */
int32_t plan_holder(const struct plan *p, uint32_t bundle, uint64_t down);

/* The place of @node in @bundle's order, from 0. */
uint32_t plan_place(const struct plan *p, uint32_t bundle, uint32_t node);

/*
 * The priority of a node at @place of @n_nodes: healthy 254 down to 128, ill 127 down to 2, with
 * wide gaps between the first four places, since skew follows priority.
 */
uint8_t plan_priority(uint32_t place, uint32_t n_nodes, bool ill);

/* The place that a priority sent by a roost node of a cluster of @n_nodes stands for; n_nodes if
 * none does. */
uint32_t plan_priority_place(uint8_t priority, uint32_t n_nodes);
