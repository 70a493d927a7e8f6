/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What follows from the steps of a unit's state machine. */
#include "node/internal.h"

/* `auto` falls by one after so long without a loss: from 4 to 1 within a minute. */
#define REDUNDANCY_DECAY tick_s(20)

/* A conflict that lasts is recorded no more often than this. */
#define CONFLICT_QUIET tick_s(10)

void node_note(struct node *n, const struct node_record *r)
{
	if (n->n_records < n->max_records)
		n->records[n->n_records++] = *r;
	else
		n->records_lost++;
}

void node_set_redundancy(struct node *n, uint8_t redundancy, tick now)
{
	if (n->redundancy != redundancy)
		node_note(n,
			&(struct node_record){
				.kind = NODE_RECORD_REDUNDANCY, .at = now, .number = redundancy});
	n->redundancy = redundancy;
	n->redundancy_until = redundancy > 1 ? now + REDUNDANCY_DECAY : TICK_NEVER;
	for (uint32_t i = 0; i < n->n_routers; i++) {
		const struct config_vrrp *options =
			&n->setup.config->services[node_plan_of(n, i)->service].vrrp;
		struct vrrp_config *c = &n->routers[i].vrrp;

		c->period = c->interval / node_redundancy(n, options, c->strict);
	}
}

void node_settle(struct node *n, tick now)
{
	n->unsettled_since = n->n_unsettled ? now : TICK_NEVER;
}

/* No announcement of @vip may leave any more. */
static void hush(struct node *n, uint32_t vip)
{
	n->vips[vip].announce_pending = false;
	announce_cancel(&n->announce, vip);
}

static void want(struct node *n, uint32_t vip, enum vrrp_hold wanted, tick now)
{
	struct node_vip *v = &n->vips[vip];
	const bool was_settled = v->wanted == v->observed;

	v->wanted = wanted;
	node_list(n, vip);
	if (wanted != VRRP_HOLD_FULL)
		hush(n, vip);
	if (was_settled == (v->wanted == v->observed))
		return;
	n->n_unsettled += was_settled ? 1 : -1;
	if (n->unsettled_since == TICK_NEVER || n->n_unsettled == 0)
		node_settle(n, now);
}

bool node_may_announce(const struct node_unit *u)
{
	return u->vrrp.state == VRRP_ACTIVE || u->vrrp.state == VRRP_CLAIMING;
}

void node_announce(struct node *n, uint32_t vip, tick now)
{
	struct node_vip *v = &n->vips[vip];

	v->announce_pending = v->observed != VRRP_HOLD_FULL || v->wanted != VRRP_HOLD_FULL;
	if (!v->announce_pending)
		announce_start(&n->announce, vip, now);
}

static void record_move(struct node *n, const struct node_unit *u, tick now)
{
	struct node_record r = {
		.kind = u->vrrp.state == VRRP_ACTIVE ? NODE_RECORD_SERVING
						     : NODE_RECORD_NOT_SERVING,
		.why = u->vrrp.why,
		.at = now,
		.interface = node_plan_of(n, u->router)->interface,
		.peer = u->vrrp.active,
	};

	for (uint32_t i = 0; i < u->n_vips; i++) {
		r.vip = node_vips_of(n, u)[i];
		node_note(n, &r);
	}
}

static void record_conflict(struct node *n, struct node_unit *u, const struct addr *rival, tick now)
{
	n->counters.conflicts++;
	if (!n->late)
		node_set_redundancy(n, NODE_REDUNDANCY_MAX, now);
	if (u->conflict_at && now - u->conflict_at < CONFLICT_QUIET)
		return;
	u->conflict_at = now;
	node_note(n, &(struct node_record){
			     .kind = NODE_RECORD_CONFLICT,
			     .at = now,
			     .vip = node_vips_of(n, u)[0],
			     .interface = node_plan_of(n, u->router)->interface,
			     .peer = *rival,
		     });
}

void node_step_unit(struct node *n, struct node_unit *u, const struct vrrp_event *ev, tick now)
{
	struct node_router *r = &n->routers[u->router];
	const unsigned fx = vrrp_step(&u->vrrp, &r->vrrp, ev, now);

	for (uint32_t i = 0; i < u->n_vips; i++) {
		const uint32_t vip = node_vips_of(n, u)[i];
		const enum vrrp_hold wanted = node_wanted_hold(n, vip, now);

		if (n->vips[vip].wanted != wanted)
			want(n, vip, wanted, now);
		if (fx & VRRP_FX_ANNOUNCE)
			node_announce(n, vip, now);
		if (!node_may_announce(u))
			hush(n, vip);
		node_permit(n, vip);
	}
	if (u->vrrp.state == VRRP_CLAIMING && fx & VRRP_FX_ANNOUNCE)
		node_renew_claim(r, now);
	if (fx & VRRP_FX_ADVERTISE)
		u->say = NODE_SAY_PRIORITY;
	if (fx & VRRP_FX_ADVERTISE_LEAVING)
		u->say = NODE_SAY_LEAVING;
	if (fx & VRRP_FX_ADVERTISE_PARTING)
		u->say = NODE_SAY_PARTING;
	if (u->say == NODE_SAY_PRIORITY && u->vrrp.state != VRRP_ACTIVE)
		u->say = NODE_SAY_NOTHING; /* it yielded before it could speak */
	if (u->say != NODE_SAY_NOTHING)
		r->due = true;
	if (fx & VRRP_FX_MOVED)
		record_move(n, u, now);
	if (fx & VRRP_FX_MOVED && u->vrrp.state == VRRP_ACTIVE && u->vrrp.why == VRRP_WHY_SILENCE)
		n->counters.takeovers++;
	if (fx & VRRP_FX_CONFLICT)
		record_conflict(n, u, &ev->source, now);
	if (fx & VRRP_FX_MISSED && !n->late) {
		n->counters.missed++;
		node_set_redundancy(n, NODE_REDUNDANCY_MAX, now);
	}
	r->deadline = 0; /* to be found anew by the TICK */
}

void node_refresh(struct node *n, struct node_unit *u, tick now)
{
	node_step_unit(n, u, &(struct vrrp_event){.kind = VRRP_EV_TICK, .late = n->late}, now);
}
