/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Shared by the files of node/ alone. */

#include "node/node.h"

/* leases.c: what the state of a VIP's unit means for the fence; lists the VIP if that changed. */
void node_permit(struct node *n, uint32_t vip);

/* The advertisement of VIPs that are served is about to leave; @now was sampled before. */
void node_renew_service(struct node_router *r, tick now);

/* A unit of the router begins to claim, or announces its claim. */
void node_renew_claim(struct node_router *r, tick now);

/* After its units' steps: ends the leases that nobody of the router needs any more. */
void node_settle_leases(struct node *n, struct node_router *r);

/* Whether its lease of service ran out while this node was away. */
bool node_has_lapsed(const struct node_router *r, tick now);

/* hearing.c: NODE_EV_ADVERT. */
void node_hear(struct node *n, const struct node_event *ev, tick now);

/* unit.c: steps the unit's state machine, and does what follows. */
void node_step_unit(struct node *n, struct node_unit *u, const struct vrrp_event *ev, tick now);

/* unit.c: finds anew what is wanted of the unit's VIPs, though nothing happened to it. */
void node_refresh(struct node *n, struct node_unit *u, tick now);

/* unit.c: @vip is to be announced as soon as it is held. */
void node_announce(struct node *n, uint32_t vip, tick now);

/* unit.c: neither while it leaves, for the successor's must be the last word, nor while it only listens. */
bool node_may_announce(const struct node_unit *u);

/* unit.c: the kernel side has made progress, or is given time anew. */
void node_settle(struct node *n, tick now);

/* unit.c: how many advertisements per interval `auto` sends from now on. */
#define NODE_REDUNDANCY_MAX 4
void node_set_redundancy(struct node *n, uint8_t redundancy, tick now);

/* unit.c: copied into the effects of this turn, or counted as lost. */
void node_note(struct node *n, const struct node_record *r);

/* yield.c: what is wanted of a VIP, by its unit's state and by whether it was yielded. */
enum vrrp_hold node_wanted_hold(struct node *n, uint32_t vip, tick now);

/* yield.c: NODE_EV_CONFLICT. */
void node_yield(struct node *n, uint32_t vip, bool yield, tick now);

static inline const struct plan_router *node_plan_of(const struct node *n, uint32_t router)
{
	return &n->setup.plan->routers[router];
}

static inline const uint32_t *node_vips_of(const struct node *n, const struct node_unit *u)
{
	return &n->setup.plan->members[u->first];
}

/* The VIP is to be in the effects. */
static inline void node_list(struct node *n, uint32_t vip)
{
	struct node_vip *v = &n->vips[vip];

	if (v->changed)
		return;
	v->changed = true;
	n->changed[n->n_changed++] = vip;
}

/* Advertisements per interval for a router of these options, now. A strict router sends one unless
 * the file asks for more. */
static inline uint8_t node_redundancy(
	const struct node *n, const struct config_vrrp *options, bool strict)
{
	if (options->redundancy != CONFIG_REDUNDANCY_AUTO)
		return options->redundancy;
	return strict ? 1 : n->redundancy;
}
