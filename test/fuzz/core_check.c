/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core_check.h"

#include <string.h>

#include "base/assert.h"

void world_begin(struct world *w, const struct core_file *file, uint32_t self, bool fenced)
{
	const struct node_setup setup = {
		.config = file->config,
		.plan = file->plan,
		.self = self,
		.seed = 1,
		.fenced = fenced,
	};

	ASSERT(file->config->n_vips <= WORLD_VIPS_MAX);
	ASSERT(file->plan->n_routers <= WORLD_ROUTERS_MAX);
	w->config = file->config;
	w->plan = file->plan;
	w->node = node_new(&setup, w->now);
	w->copy = node_new(&setup, w->now);
	ASSERT(w->node && w->copy);
	w->fx = node_effects_new(w->node);
	ASSERT(w->fx);
}

void world_end(struct world *w)
{
	node_effects_free(w->fx);
	node_free(w->copy);
	node_free(w->node);
}

static const struct node_unit *unit_of(const struct world *w, uint32_t vip)
{
	return &w->node->units[w->node->vips[vip].unit];
}

const struct plan_router *world_router_of(const struct world *w, uint32_t vip)
{
	return &w->plan->routers[unit_of(w, vip)->router];
}

static struct advert carry(const struct advert *a)
{
	const struct advert_envelope e = {
		.source = a->source,
		.destination = *advert_group(a->family),
		.family = a->family,
		.ttl = ADVERT_TTL,
	};
	uint8_t bytes[ADVERT_SIZE_MAX];
	const size_t size = advert_build(a, &e.destination, bytes, sizeof bytes);
	struct advert got;

	ASSERT(size > 0 && size == advert_message_size(a));
	ASSERT(advert_parse(bytes, size, &e, &got) == ADVERT_ACCEPTED);
	ASSERT(got.n_addresses == a->n_addresses && got.priority == a->priority);
	return got;
}

void world_hear(struct world *w, uint32_t interface, const struct advert *a, enum auth_verdict auth)
{
	const struct advert heard = carry(a);

	node_step(w->node,
		&(struct node_event){.kind = NODE_EV_ADVERT,
			.interface = interface,
			.advert = &heard,
			.auth = auth},
		w->now, w->fx);
}

void world_follow(struct world *w)
{
	for (uint32_t vip = 0; vip < w->config->n_vips; vip++) {
		struct node_event ev = {.kind = NODE_EV_HELD, .vip = vip, .hold = w->wanted[vip]};

		if (w->node->vips[vip].observed != ev.hold)
			node_step(w->node, &ev, w->now, w->fx);
		ev.kind = NODE_EV_ANNOUNCED;
		if (w->announcing[vip])
			node_step(w->node, &ev, w->now, w->fx);
		w->announcing[vip] = false;
	}
}

/* ---- effects ---- */

static int32_t find_vip(const struct world *w, const struct addr *address)
{
	for (uint32_t i = 0; i < w->config->n_vips; i++)
		if (addr_equal(&w->config->vips[i].address, address))
			return (int32_t)i;
	return -1;
}

/* One address of an advertisement: said of a VIP that is in the state for it. */
static void check_said(struct world *w, const struct node_send *s, const struct addr *address)
{
	const int32_t vip = find_vip(w, address);
	const struct node_unit *u;

	ASSERT(vip >= 0);
	u = unit_of(w, (uint32_t)vip);
	ASSERT(u->router == s->router);
	if (s->priority == VRRP_PRIORITY_LEAVING) {
		/* it may have heard its successor in the same turn */
		ASSERT(u->vrrp.state == VRRP_LEAVING || u->vrrp.state == VRRP_INITIALIZE);
	} else if (s->priority != VRRP_PRIORITY_PARTING || u->vrrp.state == VRRP_ACTIVE) {
		ASSERT(u->vrrp.state == VRRP_ACTIVE && u->vrrp.priority == s->priority);
	} else {
		return;
	}
	w->said_at[vip] = w->served_at[s->router] = w->now;
}

static void check_sends(struct world *w)
{
	const bool is_signed = w->config->auth.mode != CONFIG_AUTH_OFF;

	for (uint32_t i = 0; i < w->fx->n_sends; i++) {
		const struct node_send *s = &w->fx->sends[i];
		struct advert a;

		ASSERT(s->router < w->node->n_routers && w->node->routers[s->router].up);
		node_fill_advert(w->node, w->fx, s, &a);
		carry(&a);
		ASSERT(advert_message_size(&a) + (is_signed ? ADVERT_TRAILER_SIZE : 0) <= PLAN_MTU);
		for (uint32_t k = 0; k < s->n_addresses; k++)
			check_said(w, s, &w->fx->addresses[s->first + k]);
	}
}

static void check_holds(struct world *w)
{
	uint32_t seen = 0;

	for (uint32_t i = 0; i < w->fx->n_holds; i++) {
		const uint32_t vip = w->fx->holds[i];

		ASSERT(vip < w->config->n_vips && !(seen >> vip & 1));
		seen |= UINT32_C(1) << vip;
		w->wanted[vip] = w->node->vips[vip].wanted;
	}
	for (uint32_t vip = 0; vip < w->config->n_vips; vip++) {
		const struct node_vip *v = &w->node->vips[vip];
		const struct node_unit *u = unit_of(w, vip);

		/* nothing that changed was left out */
		ASSERT(v->wanted == w->wanted[vip]);
		ASSERT(v->wanted ==
			(v->yielded ? VRRP_HOLD_NONE : vrrp_wanted_hold(&u->vrrp, w->now)));
		ASSERT(w->node->routers[u->router].up || w->wanted[vip] == VRRP_HOLD_NONE);
	}
}

static void check_announces(struct world *w)
{
	uint32_t seen = 0;

	for (uint32_t i = 0; i < w->fx->n_announces; i++) {
		const uint32_t vip = w->fx->announces[i];
		const enum vrrp_state state = unit_of(w, vip)->vrrp.state;

		ASSERT(vip < w->config->n_vips && !(seen >> vip & 1));
		seen |= UINT32_C(1) << vip;
		ASSERT(state == VRRP_ACTIVE || state == VRRP_CLAIMING);
		ASSERT(w->node->vips[vip].observed == VRRP_HOLD_FULL);
		ASSERT(!w->node->vips[vip].yielded);
		w->announcing[vip] = true;
	}
}

static void check_records(const struct world *w)
{
	ASSERT(w->fx->records_lost == 0 || w->fx->n_records > 0);
	for (uint32_t i = 0; i < w->fx->n_records; i++) {
		const struct node_record *r = &w->fx->records[i];

		ASSERT(r->kind < NODE_RECORD_KINDS && r->why < VRRP_REASONS);
		ASSERT(r->vip < w->config->n_vips && r->node < w->config->n_nodes);
		ASSERT(r->interface < w->config->n_interfaces && r->at == w->now);
	}
}

/* ---- state ---- */

/* What a neighbour may be told: one that serves, and never the same address by two nodes of one name. */
static void check_holders(const struct world *w)
{
	for (uint32_t vip = 0; vip < w->config->n_vips; vip++) {
		const enum vrrp_state state = unit_of(w, vip)->vrrp.state;
		const int32_t holder = node_holder(w->node, vip, w->now);

		ASSERT(holder >= CONFIG_NO_NODE && holder < (int32_t)w->config->n_nodes);
		if (state == VRRP_ACTIVE || state == VRRP_LEAVING)
			ASSERT(holder == (int32_t)w->node->setup.self);
	}
}

/* No longer than 2.9 intervals after the last advertisement that said so. */
static void check_leases(const struct world *w)
{
	for (uint32_t vip = 0; vip < w->config->n_vips; vip++) {
		const struct node_vip *v = &w->node->vips[vip];
		const struct node_unit *u = unit_of(w, vip);
		const struct node_router *r = &w->node->routers[u->router];
		const bool serves = u->vrrp.state == VRRP_ACTIVE || u->vrrp.state == VRRP_LEAVING;
		const tick span = lease_span(r->vrrp.interval);
		const tick until = v->handover ? r->handover_until : r->service.until;

		ASSERT(!u->vrrp.inherited || v->permission <= LEASE_CLOSED);
		ASSERT(v->permission <= LEASE_CLOSED ||
			v->permission == lease_permission(v->wanted, v->observed));
		ASSERT(r->service.until <= tick_add(w->served_at[u->router], span));
		if (v->permission <= LEASE_CLOSED || until <= w->now)
			continue; /* the fence lets nothing pass */
		if (serves)
			ASSERT(!v->handover && until <= tick_add(w->said_at[vip], span));
		else if (u->vrrp.state == VRRP_CLAIMING)
			ASSERT(v->handover && until <= tick_add(w->now, span));
		else /* lingers, and answers no ARP */
			ASSERT(v->handover && v->permission == LEASE_DATA);
	}
}

void world_check(struct world *w)
{
	check_sends(w);
	check_holds(w);
	check_announces(w);
	check_records(w);
	check_holders(w);
	check_leases(w);
	for (uint32_t i = 0; i < w->node->n_units; i++) {
		vrrp_check(&w->node->units[i].vrrp);
		/* what could not be said in its turn is not said in another */
		ASSERT(w->node->units[i].say == NODE_SAY_NOTHING);
	}
}
