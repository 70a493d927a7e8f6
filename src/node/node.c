/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/node.h"

#include <string.h>

#include "base/assert.h"
#include "node/internal.h"

/* The kernel side that makes no progress for so long has failed: others should serve. */
#define SETTLE_LIMIT tick_s(1)

/* ---- events ---- */

static void step_router(struct node *n, uint32_t router, const struct vrrp_event *ev, tick now)
{
	const struct node_router *r = &n->routers[router];

	for (uint32_t i = r->first_unit; i < r->first_unit + r->n_units; i++)
		node_step_unit(n, &n->units[i], ev, now);
}

/* The router's interface can speak. What a previous life left on it is kept while listening. */
static void start_router(struct node *n, uint32_t router, tick now)
{
	const struct node_router *r = &n->routers[router];

	for (uint32_t i = r->first_unit; i < r->first_unit + r->n_units; i++) {
		struct node_unit *u = &n->units[i];
		struct vrrp_event ev = {.kind = VRRP_EV_START, .inherited = true};

		for (uint32_t k = 0; k < u->n_vips; k++)
			ev.inherited &= n->vips[node_vips_of(n, u)[k]].observed == VRRP_HOLD_FULL;
		node_step_unit(n, u, &ev, now);
	}
}

/* Who is told of a service by unicast hears nodes' own addresses alone: from another one this node would serve
 * without being heard. */
bool node_can_speak(const struct node_setup *s, uint32_t router, const struct node_interface *link)
{
	const struct plan_router *p = &s->plan->routers[router];
	const struct addr *source = &link->sources[p->family];

	if (!link->up || addr_is_none(source))
		return false;
	return !s->config->services[p->service].vrrp.unicast || addr_is_link_local(source) ||
	       config_find_node(s->config, source) == (int32_t)s->self;
}

static void set_link(
	struct node *n, uint32_t interface, const struct node_interface *link, tick now)
{
	struct node_interface *was = &n->interfaces[interface];

	if (was->up != link->up)
		node_note(n, &(struct node_record){
				     .kind = link->up ? NODE_RECORD_LINK_UP : NODE_RECORD_LINK_DOWN,
				     .at = now,
				     .interface = interface,
			     });
	*was = *link;
	for (uint32_t i = 0; i < n->n_routers; i++) {
		const struct plan_router *p = node_plan_of(n, i);
		struct node_router *r = &n->routers[i];
		const bool up = node_can_speak(&n->setup, i, link);

		if (p->interface != interface)
			continue;
		r->vrrp.self = link->sources[p->family];
		if (r->up == up)
			continue;
		r->up = up;
		if (!up)
			step_router(n, i, &(struct vrrp_event){.kind = VRRP_EV_DOWN}, now);
		else if (!n->stopping)
			start_router(n, i, now);
	}
}

/* The interface has another MAC: what neighbours believe in is nobody's any more. Nothing moves for that. */
static void announce_served(struct node *n, uint32_t interface, tick now)
{
	for (uint32_t vip = 0; vip < n->n_vips; vip++) {
		const struct node_unit *u = &n->units[n->vips[vip].unit];

		if (node_plan_of(n, u->router)->interface == interface &&
			n->vips[vip].wanted == VRRP_HOLD_FULL && node_may_announce(u))
			node_announce(n, vip, now);
	}
}

/* A loss that was over before it was seen is one all the same: others may have come and gone meanwhile, and
 * told neighbours that nobody has told again. */
static void on_link(struct node *n, const struct node_event *ev, tick now)
{
	const struct node_interface *was = &n->interfaces[ev->interface];
	const bool other_mac = memcmp(was->mac, ev->link.mac, sizeof was->mac) != 0;
	struct node_interface lost = ev->link;

	ASSERT(ev->interface < n->setup.config->n_interfaces);
	lost.up = false;
	if (was->up && ev->link.up && was->spell != ev->link.spell)
		set_link(n, ev->interface, &lost, now);
	set_link(n, ev->interface, &ev->link, now);
	if (other_mac)
		announce_served(n, ev->interface, now);
}

static void on_held(struct node *n, const struct node_event *ev, tick now)
{
	struct node_vip *v = &n->vips[ev->vip];
	const bool was_settled = v->wanted == v->observed;

	ASSERT(ev->vip < n->n_vips);
	v->observed = ev->hold;
	node_permit(n, ev->vip);
	if (was_settled != (v->wanted == v->observed))
		n->n_unsettled += was_settled ? 1 : -1;
	node_settle(n, now);
	if (v->wanted != VRRP_HOLD_FULL)
		return;
	if (ev->hold != VRRP_HOLD_FULL) {
		/* taken away by somebody: neighbours are told again once it is back */
		announce_cancel(&n->announce, ev->vip);
		v->announce_pending = node_may_announce(&n->units[v->unit]);
	} else if (v->announce_pending) {
		v->announce_pending = false;
		announce_start(&n->announce, ev->vip, now);
	}
}

static void on_announced(struct node *n, const struct node_event *ev, tick now)
{
	const struct node_vip *v = &n->vips[ev->vip];

	ASSERT(ev->vip < n->n_vips);
	n->counters.announced++;
	/* one from before this hold does not count */
	if (v->wanted == VRRP_HOLD_FULL && v->observed == VRRP_HOLD_FULL)
		node_step_unit(n, &n->units[v->unit],
			&(struct vrrp_event){.kind = VRRP_EV_ANNOUNCED}, now);
}

/* A node that is drained, or whose kernel side has failed, offers itself as a last resort only. */
static void set_priorities(struct node *n, tick now)
{
	const bool ill = n->drained || n->kernel_ill;

	for (uint32_t i = 0; i < n->n_units; i++) {
		struct node_unit *u = &n->units[i];
		const struct plan_router *p = node_plan_of(n, u->router);
		const uint8_t own = n->setup.config->services[p->service].priority[n->setup.self];
		const uint8_t foreign = ill ? 1 : own;
		const struct vrrp_event ev = {
			.kind = VRRP_EV_PRIORITY,
			.priority = n->routers[u->router].vrrp.strict
					    ? foreign
					    : plan_priority(u->place, n->setup.plan->n_nodes, ill),
		};

		node_step_unit(n, u, &ev, now);
	}
}

static void set_ill(struct node *n, bool drained, bool kernel_ill, tick now)
{
	const bool was = n->drained || n->kernel_ill, is = drained || kernel_ill;

	n->drained = drained;
	n->kernel_ill = kernel_ill;
	if (was == is)
		return;
	node_note(n, &(struct node_record){
			     .kind = is ? NODE_RECORD_ILL : NODE_RECORD_WELL,
			     .at = now,
			     .number = drained ? NODE_ILL_DRAINED : NODE_ILL_KERNEL,
		     });
	set_priorities(n, now);
}

static void on_stop(struct node *n, tick now)
{
	n->stopping = true;
	for (uint32_t i = 0; i < n->n_routers; i++)
		step_router(n, i, &(struct vrrp_event){.kind = VRRP_EV_LEAVE}, now);
}

/* ---- the end of a turn ---- */

static void watch_kernel(struct node *n, tick now)
{
	if (n->n_unsettled == 0)
		set_ill(n, n->drained, false, now);
	else if (n->late)
		node_settle(n, now); /* the kernel side may have been away as well */
	else if (tick_since(now, n->unsettled_since) >= SETTLE_LIMIT)
		set_ill(n, n->drained, true, now);
}

static void fire_timers(struct node *n, bool unread, tick now)
{
	const struct vrrp_event ev = {.kind = VRRP_EV_TICK, .late = n->late, .unread = unread};

	if (now >= n->redundancy_until)
		node_set_redundancy(n, (uint8_t)(n->redundancy - 1), now);
	for (uint32_t i = 0; i < n->n_routers; i++) {
		struct node_router *r = &n->routers[i];
		tick least = TICK_NEVER;

		if (r->deadline > now)
			continue;
		for (uint32_t k = r->first_unit; k < r->first_unit + r->n_units; k++) {
			if (vrrp_deadline(&n->units[k].vrrp) <= now)
				node_step_unit(n, &n->units[k], &ev, now);
			least = tick_min(least, vrrp_deadline(&n->units[k].vrrp));
		}
		r->deadline = least;
		node_settle_leases(n, r);
	}
}

static uint8_t said_priority(const struct node_unit *u, enum node_say say)
{
	if (say == NODE_SAY_LEAVING)
		return VRRP_PRIORITY_LEAVING;
	return say == NODE_SAY_PARTING ? VRRP_PRIORITY_PARTING : u->vrrp.priority;
}

static void send(
	struct node *n, uint32_t router, enum node_say say, struct node_effects *fx, tick now)
{
	struct node_router *r = &n->routers[router];
	struct node_send *s = &fx->sends[fx->n_sends];
	bool serves = false;

	*s = (struct node_send){.router = router, .first = fx->n_addresses};
	for (uint32_t i = r->first_unit; i < r->first_unit + r->n_units; i++) {
		struct node_unit *u = &n->units[i];
		const bool active = u->vrrp.state == VRRP_ACTIVE;

		if (u->say != say && !(say == NODE_SAY_PRIORITY && active))
			continue;
		for (uint32_t k = 0; k < u->n_vips; k++)
			fx->addresses[fx->n_addresses++] =
				n->setup.config->vips[node_vips_of(n, u)[k]].address;
		s->priority = said_priority(u, say);
		if (active)
			vrrp_advertised(&u->vrrp, &r->vrrp, now);
		serves |= active || u->vrrp.state == VRRP_LEAVING;
		u->say = NODE_SAY_NOTHING;
	}
	s->n_addresses = fx->n_addresses - s->first;
	if (s->n_addresses == 0)
		return;
	if (serves)
		node_renew_service(r, now);
	fx->n_sends++;
	n->counters.sent++;
}

/* What could not be said before the link went need not be so any more when it is back. */
static void say_nothing(struct node *n, const struct node_router *r)
{
	for (uint32_t i = r->first_unit; i < r->first_unit + r->n_units; i++)
		n->units[i].say = NODE_SAY_NOTHING;
}

/* The fence drops the announcement of a claim whose lease has run out, however long the kernel took. */
static void renew_claim(struct node *n, uint32_t vip, tick now)
{
	const struct node_unit *u = &n->units[n->vips[vip].unit];

	if (u->vrrp.state == VRRP_CLAIMING)
		node_renew_claim(&n->routers[u->router], now);
}

static void collect(struct node *n, struct node_effects *fx, tick now)
{
	fx->n_sends = fx->n_addresses = fx->n_holds = 0;
	for (uint32_t i = 0; i < n->n_routers; i++) {
		if (!n->routers[i].due)
			continue;
		n->routers[i].due = false;
		if (n->routers[i].up) {
			send(n, i, NODE_SAY_PRIORITY, fx, now);
			send(n, i, NODE_SAY_LEAVING, fx, now);
			send(n, i, NODE_SAY_PARTING, fx, now);
		} else {
			say_nothing(n, &n->routers[i]);
		}
	}
	for (uint32_t i = 0; i < n->n_changed; i++) {
		n->vips[n->changed[i]].changed = false;
		fx->holds[fx->n_holds++] = n->changed[i];
	}
	n->n_changed = 0;
	fx->n_announces = announce_take(&n->announce, now, fx->announces, n->n_vips);
	for (uint32_t i = 0; i < fx->n_announces; i++)
		renew_claim(n, fx->announces[i], now);
	memcpy(fx->records, n->records, n->n_records * sizeof *n->records);
	fx->n_records = n->n_records;
	fx->records_lost = n->records_lost;
	n->n_records = 0;
	n->records_lost = 0;
}

static void on_tick(struct node *n, const struct node_event *ev, tick now, struct node_effects *fx)
{
	watch_kernel(n, now);
	fire_timers(n, ev->unread, now);
	collect(n, fx, now);
	n->promised = tick_max(node_deadline(n), now);
	n->late = false;
	node_check(n);
}

/* The kernel has closed what the router serves, and another node may serve it by now. */
static void lapse(struct node *n, uint32_t router, tick now)
{
	struct node_router *r = &n->routers[router];

	for (uint32_t i = r->first_unit; i < r->first_unit + r->n_units; i++) {
		struct node_unit *u = &n->units[i];
		struct vrrp_event ev = {.kind = VRRP_EV_LAPSE, .inherited = n->setup.fenced};

		for (uint32_t k = 0; k < u->n_vips; k++)
			ev.inherited &= n->vips[node_vips_of(n, u)[k]].observed == VRRP_HOLD_FULL;
		node_step_unit(n, u, &ev, now);
	}
	lease_close(&r->service); /* or it would lapse once more at the end of the turn */
}

static void notice_lapses(struct node *n, tick away, tick now)
{
	bool lapsed = false;

	for (uint32_t i = 0; i < n->n_routers; i++) {
		if (!node_has_lapsed(&n->routers[i], now))
			continue;
		lapse(n, i, now);
		lapsed = true;
	}
	if (!lapsed)
		return;
	n->counters.lapses++;
	node_note(n, &(struct node_record){.kind = NODE_RECORD_LAPSED,
			     .at = now,
			     .number = (uint32_t)tick_to_ms(away)});
}

/* Before anything else of a turn, and whenever the clock was read anew: has this node itself been away? */
static void look_back(struct node *n, tick now)
{
	const tick away = n->promised == TICK_NEVER ? 0 : tick_since(now, n->promised);

	n->looked_at = now;
	notice_lapses(n, away, now);
	if (n->late || away < n->late_after)
		return;
	n->late = true;
	n->counters.late_turns++;
	node_note(n,
		&(struct node_record){
			.kind = NODE_RECORD_LATE, .at = now, .number = (uint32_t)tick_to_ms(away)});
}

void node_step(struct node *n, const struct node_event *ev, tick now, struct node_effects *fx)
{
	const tick latest = ev->kind == NODE_EV_ADVERT ? tick_max(now, ev->received) : now;

	if (latest > n->looked_at)
		look_back(n, latest);
	switch (ev->kind) {
	case NODE_EV_TICK: on_tick(n, ev, now, fx); break;
	case NODE_EV_ADVERT: node_hear(n, ev, now); break;
	case NODE_EV_LINK: on_link(n, ev, now); break;
	case NODE_EV_HELD: on_held(n, ev, now); break;
	case NODE_EV_ANNOUNCED: on_announced(n, ev, now); break;
	case NODE_EV_DRAIN: set_ill(n, ev->drain, n->kernel_ill, now); break;
	case NODE_EV_CONFLICT: node_yield(n, ev->vip, ev->yield, now); break;
	case NODE_EV_STOP: on_stop(n, now); break;
	}
}

tick node_deadline(const struct node *n)
{
	tick at = tick_min(announce_deadline(&n->announce), n->redundancy_until);

	if (!n->kernel_ill)
		at = tick_min(at, tick_add(n->unsettled_since, SETTLE_LIMIT));
	for (uint32_t i = 0; i < n->n_routers; i++)
		at = tick_min(at, n->routers[i].deadline);
	return at;
}

void node_check(const struct node *n)
{
	uint32_t unsettled = 0;

	for (uint32_t i = 0; i < n->n_routers; i++) {
		const struct node_router *r = &n->routers[i];

		ASSERT(r->first_unit + r->n_units <= n->n_units);
		ASSERT(!r->due);
	}
	for (uint32_t i = 0; i < n->n_vips; i++) {
		const struct node_vip *v = &n->vips[i];

		unsettled += v->wanted != v->observed;
		ASSERT(!v->announce_pending || v->wanted != VRRP_HOLD_FULL ||
			v->observed != VRRP_HOLD_FULL);
	}
	ASSERT(unsettled == n->n_unsettled);
	ASSERT(n->n_changed == 0 && n->n_records == 0);
	ASSERT(n->redundancy >= 1 && n->redundancy <= NODE_REDUNDANCY_MAX);
}
