/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Advertisements that came in: who speaks, whether that counts, and which units it is about. */
#include "base/assert.h"
#include "node/internal.h"

/* A stranger, and a peer that is not trusted, is named no more often than this. */
#define STRANGER_QUIET  tick_s(60)
#define UNTRUSTED_QUIET tick_s(60)

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
	return plan_order(n->setup.plan, node_plan_of(n, u->router)->order)[place];
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

	if (c->services[node_plan_of(n, router)->service].vrrp.checksum == CONFIG_CHECKSUM_AUTO &&
		a->version == 3 && a->family == FAMILY_IPV4 &&
		config_find_node(c, &a->source) == CONFIG_NO_NODE)
		n->routers[router].pseudo_checksum = a->checksum == ADVERT_CHECKSUM_PSEUDO;
}

static void hear(struct node *n, struct node_unit *u, const struct node_event *event, tick now)
{
	const struct advert *a = event->advert;
	const tick shot = n->announce_vips[node_vips_of(n, u)[0]].last;
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
	node_step_unit(n, u, &ev, now);
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
	const struct plan_router *p = node_plan_of(n, u->router);
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
		node_note(n, &(struct node_record){
				     .kind = NODE_RECORD_UNKNOWN_PEER,
				     .at = now,
				     .vip = node_vips_of(n, u)[0],
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
		p = node_plan_of(n, i);
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
			node_plan_of(n, of->router)->interface != ev->interface)
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
		const struct plan_router *p = node_plan_of(n, i);

		if (p->vrid != a->vrid || p->interface != interface || p->family != a->family)
			continue;
		n->stranger_at = now;
		node_note(n, &(struct node_record){
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
	node_note(n, &(struct node_record){
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

void node_hear(struct node *n, const struct node_event *ev, tick now)
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

int32_t node_holder(const struct node *n, uint32_t vip, tick now)
{
	const struct node_unit *u = &n->units[n->vips[vip].unit];

	if (u->vrrp.state == VRRP_ACTIVE || u->vrrp.state == VRRP_LEAVING)
		return (int32_t)n->setup.self;
	if (!u->vrrp.heard || now >= u->vrrp.served_until)
		return CONFIG_NO_NODE;
	return find_node(n, u, &u->vrrp.active, u->vrrp.active_priority);
}
