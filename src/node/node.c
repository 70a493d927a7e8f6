/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/node.h"

#include <string.h>

#include "base/assert.h"
#include "node/internal.h"

/* The kernel side that makes no progress for so long has failed: others should serve. */
#define SETTLE_LIMIT tick_s(1)

/* `auto` falls by one after so long without a loss: from 4 to 1 within a minute. */
#define REDUNDANCY_DECAY tick_s(20)
#define REDUNDANCY_MAX   4

/* A conflict that lasts is recorded, and a stranger is named, no more often than this. */
#define CONFLICT_QUIET  tick_s(10)
#define STRANGER_QUIET  tick_s(60)
#define UNTRUSTED_QUIET tick_s(60)

static void record(struct node *n, const struct node_record *r)
{
	if (n->n_records < n->max_records)
		n->records[n->n_records++] = *r;
	else
		n->records_lost++;
}

static const struct plan_router *plan_router_of(const struct node *n, uint32_t router)
{
	return &n->setup.plan->routers[router];
}

static const uint32_t *unit_vips(const struct node *n, const struct node_unit *u)
{
	return &n->setup.plan->members[u->first];
}

/* ---- redundancy ---- */

static void set_redundancy(struct node *n, uint8_t redundancy, tick now)
{
	if (n->redundancy != redundancy)
		record(n, &(struct node_record){
				  .kind = NODE_RECORD_REDUNDANCY, .at = now, .number = redundancy});
	n->redundancy = redundancy;
	n->redundancy_until = redundancy > 1 ? now + REDUNDANCY_DECAY : TICK_NEVER;
	for (uint32_t i = 0; i < n->n_routers; i++) {
		const struct config_vrrp *options =
			&n->setup.config->services[plan_router_of(n, i)->service].vrrp;
		struct vrrp_config *c = &n->routers[i].vrrp;

		c->period = c->interval / node_redundancy(n, options, c->strict);
	}
}

/* ---- units: effects of their steps ---- */

static void settle(struct node *n, tick now)
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
		settle(n, now);
}

/* Neither while it leaves, for the successor's must be the last word, nor while it only listens. */
static bool may_announce(const struct node_unit *u)
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
		.interface = plan_router_of(n, u->router)->interface,
		.peer = u->vrrp.active,
	};

	for (uint32_t i = 0; i < u->n_vips; i++) {
		r.vip = unit_vips(n, u)[i];
		record(n, &r);
	}
}

static void record_conflict(struct node *n, struct node_unit *u, const struct addr *rival, tick now)
{
	n->counters.conflicts++;
	if (!n->late)
		set_redundancy(n, REDUNDANCY_MAX, now);
	if (u->conflict_at && now - u->conflict_at < CONFLICT_QUIET)
		return;
	u->conflict_at = now;
	record(n, &(struct node_record){
			  .kind = NODE_RECORD_CONFLICT,
			  .at = now,
			  .vip = unit_vips(n, u)[0],
			  .interface = plan_router_of(n, u->router)->interface,
			  .peer = *rival,
		  });
}

static void step_unit(struct node *n, struct node_unit *u, const struct vrrp_event *ev, tick now)
{
	struct node_router *r = &n->routers[u->router];
	const unsigned fx = vrrp_step(&u->vrrp, &r->vrrp, ev, now);

	for (uint32_t i = 0; i < u->n_vips; i++) {
		const uint32_t vip = unit_vips(n, u)[i];
		const enum vrrp_hold wanted = node_wanted_hold(n, vip, now);

		if (n->vips[vip].wanted != wanted)
			want(n, vip, wanted, now);
		if (fx & VRRP_FX_ANNOUNCE)
			node_announce(n, vip, now);
		if (!may_announce(u))
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
		set_redundancy(n, REDUNDANCY_MAX, now);
	}
	r->deadline = 0; /* to be found anew by the TICK */
}

void node_refresh(struct node *n, struct node_unit *u, tick now)
{
	step_unit(n, u, &(struct vrrp_event){.kind = VRRP_EV_TICK, .late = n->late}, now);
}

static void step_router(struct node *n, uint32_t router, const struct vrrp_event *ev, tick now)
{
	const struct node_router *r = &n->routers[router];

	for (uint32_t i = r->first_unit; i < r->first_unit + r->n_units; i++)
		step_unit(n, &n->units[i], ev, now);
}

/* ---- advertisements that came in ---- */

/* The configured node behind an advertisement for @u. A link-local source names nobody, but among
 * roost's nodes the priority tells the place in the order. */
static int32_t find_node(const struct node *n, const struct node_unit *u, const struct addr *source,
	uint8_t priority)
{
	const int32_t by_address = config_find_node(n->setup.config, source);
	uint32_t place;

	if (by_address != CONFIG_NO_NODE || !addr_is_link_local(source) || priority == 0)
		return by_address;
	if (n->routers[u->router].vrrp.strict)
		return CONFIG_NO_NODE;
	place = plan_priority_place(priority, n->setup.plan->n_nodes);
	if (place >= n->setup.plan->n_nodes)
		return CONFIG_NO_NODE;
	return plan_order(n->setup.plan, plan_router_of(n, u->router)->order)[place];
}

/* Whether the Active that @u knew is just before this node in the order, so that this node is the one
 * that may skip its skew. Where a better one may be alive and just not preempt, nobody may. */
static bool is_next(const struct node *n, const struct node_unit *u)
{
	const struct vrrp_config *c = &n->routers[u->router].vrrp;
	const uint32_t place = plan_priority_place(u->vrrp.active_priority, n->setup.plan->n_nodes);

	if (place > 0 && (!c->preempt || c->preempt_delay > 0))
		return false;
	return u->vrrp.heard && u->vrrp.priority >= VRRP_PRIORITY_HEALTHY && place + 1 == u->place;
}

/* IPv4 version 3 has two checksums, and a stranger may accept only its own. roost's nodes accept both
 * and are not learned from: two speakers that follow each other would alternate for ever. */
static void learn_checksum(struct node *n, uint32_t router, const struct advert *a)
{
	const struct config *c = n->setup.config;

	if (c->services[plan_router_of(n, router)->service].vrrp.checksum == CONFIG_CHECKSUM_AUTO &&
		a->version == 3 && a->family == FAMILY_IPV4 &&
		config_find_node(c, &a->source) == CONFIG_NO_NODE)
		n->routers[router].pseudo_checksum = a->checksum == ADVERT_CHECKSUM_PSEUDO;
}

static void hear(struct node *n, struct node_unit *u, const struct node_event *event, tick now)
{
	const struct advert *a = event->advert;
	const tick shot = n->announce_vips[unit_vips(n, u)[0]].last;
	const struct vrrp_event ev = {
		.kind = VRRP_EV_ADVERT,
		.priority = a->priority,
		.next = a->priority == VRRP_PRIORITY_LEAVING && is_next(n, u),
		.announced = shot && now - shot < VRRP_BELIEVED,
		.source = a->source,
		.interval = a->interval,
		.received = event->received,
	};

	learn_checksum(n, u->router, a);
	step_unit(n, u, &ev, now);
}

static void hear_peer(struct node *n, const struct node_unit *u, const struct advert *a,
	uint64_t missed, tick now)
{
	const int32_t peer = find_node(n, u, &a->source, a->priority);

	if (peer == CONFIG_NO_NODE)
		return;
	n->peers[peer].heard = now;
	n->peers[peer].source = a->source;
	n->peers[peer].adverts++;
	n->peers[peer].missed += missed ? 1 : 0;
}

static bool may_tell_strange(const struct node *n, tick now)
{
	return !n->stranger_at || now - n->stranger_at >= STRANGER_QUIET;
}

/* Whether @u's service hears that source: a unicast one hears nodes and peers alone. A link-local address
 * names nobody, and has not come from afar. */
static bool is_heard(struct node *n, const struct node_unit *u, const struct advert *a, tick now)
{
	const struct config *c = n->setup.config;
	const struct plan_router *p = plan_router_of(n, u->router);
	const struct config_vrrp *vrrp = &c->services[p->service].vrrp;

	if (!vrrp->unicast || addr_is_link_local(&a->source) ||
		config_find_node(c, &a->source) != CONFIG_NO_NODE)
		return true;
	for (uint32_t i = 0; i < vrrp->n_peers; i++)
		if (addr_equal(&vrrp->peers[i], &a->source))
			return true;
	n->counters.unknown_peer++;
	if (may_tell_strange(n, now)) {
		n->stranger_at = now;
		record(n, &(struct node_record){
				  .kind = NODE_RECORD_UNKNOWN_PEER,
				  .at = now,
				  .vip = unit_vips(n, u)[0],
				  .interface = p->interface,
				  .peer = a->source,
			  });
	}
	return false;
}

/* To the letter of RFC 9568 7.1 and RFC 3768 7.1: the VRID is what counts. */
static bool hear_foreign(struct node *n, const struct node_event *ev, tick now)
{
	const struct advert *a = ev->advert;
	const struct node_router *r;
	const struct plan_router *p;

	for (uint32_t i = 0; i < n->n_routers; i++) {
		r = &n->routers[i];
		p = plan_router_of(n, i);
		if (!r->vrrp.strict || p->vrid != a->vrid || p->interface != ev->interface ||
			p->family != a->family)
			continue;
		if (!r->up || !is_heard(n, &n->units[r->first_unit], a, now))
			return true;
		if (a->version != r->vrrp.version) {
			n->counters.wrong_version++;
			return true;
		}
		if (a->version == 2 && a->interval != r->vrrp.interval) {
			n->counters.wrong_interval++; /* RFC 3768 7.1: discard */
			return true;
		}
		if (a->n_addresses != p->n_vips)
			n->counters.list_mismatch++; /* RFC 9568 7.1: may be logged, is accepted */
		hear(n, &n->units[r->first_unit], ev, now);
		hear_peer(n, &n->units[r->first_unit], a, 0, now);
		return true;
	}
	return false;
}

/* Among roost's nodes: each listed address for itself, whatever VRID and version carried it. */
static bool hear_listed(struct node *n, const struct node_event *ev, tick now)
{
	const struct advert *a = ev->advert;
	const uint64_t missed = n->counters.missed;
	struct node_unit *u = NULL;
	bool ours = false;

	for (uint32_t i = 0; i < a->n_addresses; i++) {
		const int32_t vip = config_index_vip(&n->index, &a->addresses[i]);
		struct node_unit *of;

		if (vip < 0)
			continue;
		ours = true;
		of = &n->units[n->vips[vip].unit];
		if (n->routers[of->router].vrrp.strict || !n->routers[of->router].up ||
			plan_router_of(n, of->router)->interface != ev->interface)
			continue;
		if (!is_heard(n, of, a, now))
			return true; /* nor are its others */
		u = of;
		hear(n, u, ev, now);
	}
	if (u)
		hear_peer(n, u, a, n->counters.missed - missed, now);
	return ours;
}

static void note_stranger(struct node *n, uint32_t interface, const struct advert *a, tick now)
{
	n->counters.not_ours++;
	if (!may_tell_strange(n, now))
		return;
	for (uint32_t i = 0; i < n->n_routers; i++) {
		const struct plan_router *p = plan_router_of(n, i);

		if (p->vrid != a->vrid || p->interface != interface || p->family != a->family)
			continue;
		n->stranger_at = now;
		record(n, &(struct node_record){
				  .kind = NODE_RECORD_STRANGER,
				  .at = now,
				  .interface = interface,
				  .number = a->vrid,
				  .peer = a->source,
			  });
		return;
	}
}

/* The configured node behind an advertisement for addresses of ours, or CONFIG_NO_NODE. */
static int32_t find_speaker(const struct node *n, const struct advert *a)
{
	for (uint32_t i = 0; i < a->n_addresses; i++) {
		const int32_t vip = config_index_vip(&n->index, &a->addresses[i]);

		if (vip >= 0)
			return find_node(n, &n->units[n->vips[vip].unit], &a->source, a->priority);
	}
	return CONFIG_NO_NODE;
}

/* A configured node whose word is not to be trusted has another key than ours, or somebody uses its name. */
static void note_untrusted(struct node *n, const struct node_event *ev, tick now)
{
	const int32_t speaker = find_speaker(n, ev->advert);
	struct node_peer *peer = &n->peers[speaker == CONFIG_NO_NODE ? 0 : speaker];

	if (speaker == CONFIG_NO_NODE || speaker == (int32_t)n->setup.self)
		return;
	if (peer->untrusted_at && now - peer->untrusted_at < UNTRUSTED_QUIET)
		return;
	peer->untrusted_at = now;
	record(n, &(struct node_record){
			  .kind = NODE_RECORD_UNTRUSTED,
			  .at = now,
			  .interface = ev->interface,
			  .number = ev->auth,
			  .node = (uint32_t)speaker,
			  .peer = ev->advert->source,
		  });
}

/* Whether the election counts it. Up to `enforce` all do: who can send what does not verify could as well
 * send what is not signed, and a key that was mistyped must not part the cluster. */
static bool may_count(struct node *n, const struct node_event *ev, tick now)
{
	const enum config_auth_mode mode = n->setup.config->auth.mode;

	if (mode == CONFIG_AUTH_OFF)
		return true;
	ASSERT(ev->auth < AUTH_VERDICTS);
	n->counters.auth[ev->auth]++;
	if (ev->auth == AUTH_VERIFIED)
		return true;
	if (mode == CONFIG_AUTH_ENFORCE || ev->auth != AUTH_UNSIGNED)
		note_untrusted(n, ev, now);
	return mode != CONFIG_AUTH_ENFORCE;
}

static void on_advert(struct node *n, const struct node_event *ev, tick now)
{
	const struct advert *a = ev->advert;

	ASSERT(ev->interface < n->setup.config->n_interfaces);
	if (addr_equal(&a->source, &n->interfaces[ev->interface].sources[a->family])) {
		n->counters.own_source++;
		return;
	}
	if (!may_count(n, ev, now))
		return;
	if (!hear_foreign(n, ev, now) && !hear_listed(n, ev, now))
		note_stranger(n, ev->interface, a, now);
}

/* ---- the other events ---- */

/* The router's interface can speak. What a previous life left on it is kept while listening. */
static void start_router(struct node *n, uint32_t router, tick now)
{
	const struct node_router *r = &n->routers[router];

	for (uint32_t i = r->first_unit; i < r->first_unit + r->n_units; i++) {
		struct node_unit *u = &n->units[i];
		struct vrrp_event ev = {.kind = VRRP_EV_START, .inherited = true};

		for (uint32_t k = 0; k < u->n_vips; k++)
			ev.inherited &= n->vips[unit_vips(n, u)[k]].observed == VRRP_HOLD_FULL;
		step_unit(n, u, &ev, now);
	}
}

static void set_link(
	struct node *n, uint32_t interface, const struct node_interface *link, tick now)
{
	struct node_interface *was = &n->interfaces[interface];

	if (was->up != link->up)
		record(n, &(struct node_record){
				  .kind = link->up ? NODE_RECORD_LINK_UP : NODE_RECORD_LINK_DOWN,
				  .at = now,
				  .interface = interface,
			  });
	*was = *link;
	for (uint32_t i = 0; i < n->n_routers; i++) {
		const struct plan_router *p = plan_router_of(n, i);
		struct node_router *r = &n->routers[i];
		const bool up = link->up && !addr_is_none(&link->sources[p->family]);

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

/* A loss that was over before it was seen is one all the same: others may have come and gone meanwhile, and
 * told neighbours that nobody has told again. */
static void on_link(struct node *n, const struct node_event *ev, tick now)
{
	const struct node_interface *was = &n->interfaces[ev->interface];
	struct node_interface lost = ev->link;

	ASSERT(ev->interface < n->setup.config->n_interfaces);
	lost.up = false;
	if (was->up && ev->link.up && was->spell != ev->link.spell)
		set_link(n, ev->interface, &lost, now);
	set_link(n, ev->interface, &ev->link, now);
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
	settle(n, now);
	if (v->wanted != VRRP_HOLD_FULL)
		return;
	if (ev->hold != VRRP_HOLD_FULL) {
		/* taken away by somebody: neighbours are told again once it is back */
		announce_cancel(&n->announce, ev->vip);
		v->announce_pending = may_announce(&n->units[v->unit]);
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
		step_unit(n, &n->units[v->unit], &(struct vrrp_event){.kind = VRRP_EV_ANNOUNCED},
			now);
}

/* A node that is drained, or whose kernel side has failed, offers itself as a last resort only. */
static void set_priorities(struct node *n, tick now)
{
	const bool ill = n->drained || n->kernel_ill;

	for (uint32_t i = 0; i < n->n_units; i++) {
		struct node_unit *u = &n->units[i];
		const struct plan_router *p = plan_router_of(n, u->router);
		const uint8_t own = n->setup.config->services[p->service].priority[n->setup.self];
		const uint8_t foreign = ill ? 1 : own;
		const struct vrrp_event ev = {
			.kind = VRRP_EV_PRIORITY,
			.priority = n->routers[u->router].vrrp.strict
					    ? foreign
					    : plan_priority(u->place, n->setup.plan->n_nodes, ill),
		};

		step_unit(n, u, &ev, now);
	}
}

static void set_ill(struct node *n, bool drained, bool kernel_ill, tick now)
{
	const bool was = n->drained || n->kernel_ill, is = drained || kernel_ill;

	n->drained = drained;
	n->kernel_ill = kernel_ill;
	if (was == is)
		return;
	record(n, &(struct node_record){
			  .kind = is ? NODE_RECORD_ILL : NODE_RECORD_WELL,
			  .at = now,
			  .number = drained ? 1 : 2,
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
		settle(n, now); /* the kernel side may have been away as well */
	else if (tick_since(now, n->unsettled_since) >= SETTLE_LIMIT)
		set_ill(n, n->drained, true, now);
}

static void fire_timers(struct node *n, tick now)
{
	const struct vrrp_event ev = {.kind = VRRP_EV_TICK, .late = n->late};

	if (now >= n->redundancy_until)
		set_redundancy(n, (uint8_t)(n->redundancy - 1), now);
	for (uint32_t i = 0; i < n->n_routers; i++) {
		struct node_router *r = &n->routers[i];
		tick least = TICK_NEVER;

		if (r->deadline > now)
			continue;
		for (uint32_t k = r->first_unit; k < r->first_unit + r->n_units; k++) {
			if (vrrp_deadline(&n->units[k].vrrp) <= now)
				step_unit(n, &n->units[k], &ev, now);
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
				n->setup.config->vips[unit_vips(n, u)[k]].address;
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

static void on_tick(struct node *n, tick now, struct node_effects *fx)
{
	watch_kernel(n, now);
	fire_timers(n, now);
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
			ev.inherited &= n->vips[unit_vips(n, u)[k]].observed == VRRP_HOLD_FULL;
		step_unit(n, u, &ev, now);
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
	record(n, &(struct node_record){.kind = NODE_RECORD_LAPSED,
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
	record(n,
		&(struct node_record){
			.kind = NODE_RECORD_LATE, .at = now, .number = (uint32_t)tick_to_ms(away)});
}

void node_step(struct node *n, const struct node_event *ev, tick now, struct node_effects *fx)
{
	const tick latest = ev->kind == NODE_EV_ADVERT ? tick_max(now, ev->received) : now;

	if (latest > n->looked_at)
		look_back(n, latest);
	switch (ev->kind) {
	case NODE_EV_TICK: on_tick(n, now, fx); break;
	case NODE_EV_ADVERT: on_advert(n, ev, now); break;
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

int32_t node_holder(const struct node *n, uint32_t vip, tick now)
{
	const struct node_unit *u = &n->units[n->vips[vip].unit];

	if (u->vrrp.state == VRRP_ACTIVE || u->vrrp.state == VRRP_LEAVING)
		return (int32_t)n->setup.self;
	if (!u->vrrp.heard || now >= u->vrrp.served_until)
		return CONFIG_NO_NODE;
	return find_node(n, u, &u->vrrp.active, u->vrrp.active_priority);
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
	ASSERT(n->redundancy >= 1 && n->redundancy <= REDUNDANCY_MAX);
}
