/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The daemon's fast thread, as os/fast.c has it, and the guardian that cleans up after it. */
#include "internal.h"

#include "base/assert.h"

/* So long does the guardian take to notice a death, and a new life to begin. The first one begins
 * without a pause, the next ones after pauses that double. */
#define NOTICE_US    100
#define START_MS     20
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 10000
#define LONG_LIFE    tick_s(60)

static void note_record(struct sim *s, const struct sim_machine *m, const struct node_record *r)
{
	static const char *const names[NODE_RECORD_KINDS] = {
		[NODE_RECORD_SERVING] = "serves",
		[NODE_RECORD_NOT_SERVING] = "serves no more",
		[NODE_RECORD_CONFLICT] = "conflict",
		[NODE_RECORD_STRANGER] = "stranger",
		[NODE_RECORD_UNKNOWN_PEER] = "unknown peer",
		[NODE_RECORD_LINK_UP] = "link up",
		[NODE_RECORD_LINK_DOWN] = "link down",
		[NODE_RECORD_REDUNDANCY] = "redundancy",
		[NODE_RECORD_LATE] = "late",
		[NODE_RECORD_LAPSED] = "lapsed",
		[NODE_RECORD_ILL] = "ill",
		[NODE_RECORD_WELL] = "well",
		[NODE_RECORD_UNTRUSTED] = "untrusted",
	};
	const uint32_t number = r->vip < SIM_VIPS_MAX ? m->file->number[r->vip] : 0;

	sim_note(s, sim_place(s, m), number << 8 | r->kind, "%s: VIP %u, %s, number %u",
		names[r->kind] ? names[r->kind] : "?", number, vrrp_reason_text(r->why), r->number);
}

/* ------------------------------------------------------------ life and death */

void daemon_start(struct sim *s, struct sim_machine *m)
{
	const struct node_setup setup = {
		.config = &m->file->config,
		.plan = m->file->plan,
		.self = m->self,
		.seed = rng_next(&s->rng),
		.fenced = !s->unfenced,
	};

	m->node = node_new(&setup, sim_clock(s, m));
	m->fx = m->node ? node_effects_new(m->node) : NULL;
	ASSERT(m->fx);
	m->life++;
	m->born_at = s->now;
	m->guarded = true;
	m->retiring = false;
	m->will = 0;
	m->will_part = 0;
	m->frozen = false;
	m->stage = SIM_STAGE_NONE;
	m->doomed_at = SIM_STAGE_NONE;
	m->turn_at = TICK_NEVER;
	m->stop_news = false;
	m->drain_news = false;
	fence_open(s, m);
	machine_begin(s, m);
	sim_want_turn(s, m, s->now + sim_latency(s));
}

static void empty_socket(struct sim *s, struct sim_machine *m)
{
	for (; m->socket_size; m->socket_size--) {
		net_release(s, m->socket[m->socket_head]);
		m->socket_head = (m->socket_head + 1) % SIM_SOCKET_MAX;
	}
}

void daemon_end(struct sim *s, struct sim_machine *m)
{
	if (!m->node)
		return;
	machine_end(s, m);
	empty_socket(s, m);
	node_effects_free(m->fx);
	node_free(m->node);
	m->fx = NULL;
	m->node = NULL;
	m->turn_at = TICK_NEVER;
	s->dirty = true;
}

static void want_guardian(
	struct sim *s, const struct sim_machine *m, enum sim_guardian_act act, tick at)
{
	sim_push(s, (struct sim_event){
			    .kind = SIM_EV_GUARDIAN,
			    .at = at,
			    .from = (uint8_t)act,
			    .to = (uint8_t)sim_place(s, m),
			    .what = m->life,
		    });
}

void daemon_kill(struct sim *s, struct sim_machine *m, bool guardian_too)
{
	const bool died = m->node;

	m->retiring = died && (m->stop_news || m->node->stopping);
	m->guarded &= !guardian_too;
	daemon_end(s, m);
	if (died && m->guarded)
		want_guardian(s, m, SIM_GUARDIAN_SPEAKS, s->now + tick_us(NOTICE_US));
}

/* ------------------------------------------------------------------ guardian */

/* What the daemon left ready: of @vips, that it is not there any more. */
static void send_last_word(struct sim *s, const struct sim_machine *m, uint32_t router,
	uint8_t priority, uint32_t vips)
{
	const struct plan_router *p = &m->file->plan->routers[router];
	const struct config_vrrp *vrrp = &m->file->config.services[p->service].vrrp;
	const uint32_t packet = net_packet(s);
	struct advert *a = &s->packets[packet].advert;

	*a = (struct advert){
		.source = sim_place_address(sim_place(s, m), p->family),
		.link_local = p->family == FAMILY_IPV6 ? advert_link_local(p->vrid) : addr_none,
		.interval = vrrp->interval,
		.family = p->family,
		.version = vrrp->version,
		.vrid = p->vrid,
		.priority = priority,
	};
	for (uint32_t i = p->first; i < p->first + p->n_vips; i++) {
		const uint32_t number = m->file->number[m->file->plan->members[i]];

		if (vips >> number & 1)
			a->addresses[a->n_addresses++] = sim_vip_address(number);
	}
	if (a->n_addresses > 0 && m->carrier)
		net_send(s, sim_place(s, m), packet, true);
	else
		net_release(s, packet);
}

static void restart(struct sim *s, struct sim_machine *m)
{
	if (s->now - m->born_at >= LONG_LIFE)
		m->pause_ms = 0;
	want_guardian(
		s, m, SIM_GUARDIAN_RESTARTS, s->now + tick_ms(START_MS) + tick_ms(m->pause_ms));
	m->pause_ms = m->pause_ms ? 2 * m->pause_ms : PAUSE_MIN_MS;
	if (m->pause_ms > PAUSE_MAX_MS)
		m->pause_ms = PAUSE_MAX_MS;
}

/* The daemon has died: its leases, its last words, its addresses; and then the next life. */
void daemon_guard(struct sim *s, const struct sim_event *ev)
{
	struct sim_machine *m = &s->machines[ev->to];

	if (m->node || !m->guarded || ev->what != m->life)
		return;
	if (m->paused_at) {
		want_guardian(s, m, ev->from, s->now + tick_ms(1));
		return;
	}
	switch ((enum sim_guardian_act)ev->from) {
	case SIM_GUARDIAN_SPEAKS:
		fence_shut(s, m);
		for (uint32_t i = 0; i < m->file->plan->n_routers; i++) {
			send_last_word(s, m, i, VRRP_PRIORITY_LEAVING, m->will);
			send_last_word(s, m, i, VRRP_PRIORITY_PARTING, m->will_part);
		}
		want_guardian(s, m, SIM_GUARDIAN_CLEARS,
			tick_max(s->now, m->stalled_until) + tick_us(50));
		return;
	case SIM_GUARDIAN_CLEARS:
		machine_clear(s, m);
		m->guarded = !m->retiring;
		if (m->guarded)
			restart(s, m);
		return;
	case SIM_GUARDIAN_RESTARTS: daemon_start(s, m); return;
	}
}

/* ---------------------------------------------------------------------- turn */

static void read_advert(struct sim *s, struct sim_machine *m, uint32_t packet, tick now)
{
	const struct node_event ev = {
		.kind = NODE_EV_ADVERT,
		.advert = &s->packets[packet].advert,
		.received = s->sabotage == SIM_EARLY_CLOCK ? 0 : sim_clock(s, m),
	};
	uint32_t beaten = claims_beaten(s, m, packet);

	claims_read(s, m, packet);
	if (!beaten || s->sabotage != SIM_STUBBORN)
		node_step(m->node, &ev, now, m->fx);
	beaten &= claims_beaten(s, m, packet);
	if (beaten)
		sim_complain(s, "place %u serves VIPs %x on, though it has heard a better one",
			sim_place(s, m), beaten);
}

/* What the boards and the socket hold, as events of one turn. */
static void drain(struct sim *s, struct sim_machine *m, tick now)
{
	struct node_event ev = {0};

	for (; m->socket_size; m->socket_size--) {
		const uint32_t packet = m->socket[m->socket_head];

		m->socket_head = (m->socket_head + 1) % SIM_SOCKET_MAX;
		read_advert(s, m, packet, now);
		net_release(s, packet);
	}
	for (ev.vip = 0; m->held_news; ev.vip++, m->held_news >>= 1) {
		ev.kind = NODE_EV_HELD;
		ev.hold = m->held[ev.vip];
		if (m->held_news & 1)
			node_step(m->node, &ev, now, m->fx);
	}
	/* an answer to an older request than the last says nothing */
	m->announced_news &= ~m->announce_news;
	for (ev.vip = 0; m->announced_news; ev.vip++, m->announced_news >>= 1) {
		ev.kind = NODE_EV_ANNOUNCED;
		if (m->announced_news & 1)
			node_step(m->node, &ev, now, m->fx);
	}
	if (m->link_news) {
		ev.kind = NODE_EV_LINK;
		ev.link.up = m->carrier;
		ev.link.spell = m->losses;
		for (enum family f = 0; f < FAMILY_COUNT; f++)
			ev.link.sources[f] = sim_place_address(sim_place(s, m), f);
		node_step(m->node, &ev, now, m->fx);
		claims_deafened(s, m);
		m->relinked = true;
		m->link_news = false;
	}
	if (m->drain_news) {
		ev.kind = NODE_EV_DRAIN;
		ev.drain = m->drain;
		node_step(m->node, &ev, now, m->fx);
	}
	if (m->stop_news) {
		ev.kind = NODE_EV_STOP;
		node_step(m->node, &ev, now, m->fx);
	}
	m->drain_news = false;
	m->stop_news = false;
}

static void watch_hold(struct sim *s, struct sim_machine *m, uint32_t vip)
{
	const enum vrrp_hold wanted = m->node->vips[vip].wanted;
	const uint32_t bit = UINT32_C(1) << m->file->number[vip];

	if (m->wanted[vip] == VRRP_HOLD_NONE && wanted != VRRP_HOLD_NONE)
		s->watch.moved |= bit;
	if (m->wanted[vip] != VRRP_HOLD_NONE && wanted == VRRP_HOLD_NONE)
		s->watch.left |= bit;
}

/* ---- its stages: whoever dies or stands still between two of them has done the earlier ones ---- */

static void send_adverts(struct sim *s, struct sim_machine *m)
{
	const struct node_effects *fx = m->fx;

	for (uint32_t i = 0; i < fx->n_sends; i++) {
		const struct node_send *send = &fx->sends[i];
		const uint32_t packet = net_packet(s);
		const bool leaves =
			m->carrier &&
			(m->refuse_permille == 0 || rng_below(&s->rng, 1000) >= m->refuse_permille);

		node_fill_advert(m->node, fx, send, &s->packets[packet].advert);
		m->left[send->router] |= leaves && !node_is_parting(m->node, send);
		net_send(s, sim_place(s, m), packet, leaves);
	}
}

static void post_boards(struct sim *s, struct sim_machine *m)
{
	const struct node_effects *fx = m->fx;

	for (uint32_t i = 0; i < fx->n_holds; i++) {
		const uint32_t vip = fx->holds[i];

		watch_hold(s, m, vip);
		m->wanted[vip] = m->node->vips[vip].wanted;
		sim_note(s, sim_place(s, m), (uint64_t)m->wanted[vip] << 8 | m->file->number[vip],
			"wants VIP %u: %u", m->file->number[vip], m->wanted[vip]);
	}
	if (m->relinked) /* also what a previous life left and this node did not adopt */
		for (uint32_t i = 0; i < m->file->config.n_vips; i++)
			m->wanted[i] = m->node->vips[i].wanted;
	for (uint32_t i = 0; i < fx->n_announces; i++)
		m->announce_news |= UINT32_C(1) << fx->announces[i];
	for (uint32_t i = 0; i < fx->n_records; i++)
		note_record(s, m, &fx->records[i]);
	if (m->relinked || fx->n_holds || fx->n_announces)
		sim_want_slow(s, m, s->now + sim_latency(s));
	m->relinked = false;
}

/* What the guardian is to say if this turn is the last. */
static void make_will(struct sim_machine *m)
{
	m->will = 0;
	m->will_part = 0;
	for (uint32_t i = 0; i < m->node->n_vips; i++) {
		const enum vrrp_state state = m->node->units[m->node->vips[i].unit].vrrp.state;
		const uint32_t bit = UINT32_C(1) << m->file->number[i];

		if (state == VRRP_ACTIVE || state == VRRP_LEAVING)
			m->will |= bit;
		if (state == VRRP_CLAIMING)
			m->will_part |= bit;
	}
}

static void hand_on(struct sim *s, struct sim_machine *m)
{
	make_will(m);
	post_boards(s, m);
}

static void wake(struct sim *s, struct sim_machine *m)
{
	s->turns++;
	m->woken_at = sim_clock(s, m);
}

static void decide(struct sim *s, struct sim_machine *m)
{
	const struct node_event end = {.kind = NODE_EV_TICK};

	drain(s, m, m->woken_at);
	node_step(m->node, &end, m->woken_at, m->fx);
	node_check(m->node);
	claims_decided(s, m);
	fence_narrow(s, m);
}

/* Does what the turn's doom says, at its time. */
static bool is_interrupted(struct sim *s, struct sim_machine *m)
{
	if (!m->doomed_at || m->doomed_at != m->stage)
		return false;
	/* the later stages are of interest only if something is sent */
	if (m->stage > SIM_STAGE_WOKEN && m->fx->n_sends == 0)
		return false;
	m->doomed_at = SIM_STAGE_NONE;
	if (m->doom == SIM_FREEZE)
		m->frozen = true;
	else
		daemon_kill(s, m, m->doom == SIM_KILL_BOTH);
	return true;
}

/* False if it was interrupted. */
static bool carry_out(struct sim *s, struct sim_machine *m)
{
	static void (*const acts[SIM_STAGES])(struct sim *, struct sim_machine *) = {
		[SIM_STAGE_NONE] = wake,
		[SIM_STAGE_WOKEN] = decide,
		[SIM_STAGE_NARROWED] = send_adverts,
		[SIM_STAGE_SENT] = fence_widen,
		[SIM_STAGE_WIDENED] = hand_on,
	};

	for (; m->stage < SIM_STAGES; m->stage++) {
		if (is_interrupted(s, m))
			return false;
		acts[m->stage](s, m);
	}
	m->stage = SIM_STAGE_NONE;
	return true;
}

void daemon_turn(struct sim *s, struct sim_machine *m)
{
	tick deadline;

	m->turn_at = TICK_NEVER;
	if (!carry_out(s, m))
		return;
	if (node_is_stopped(m->node) && machine_is_empty(m)) {
		sim_note(s, sim_place(s, m), 0, "daemon ends");
		daemon_end(s, m);
		m->guarded = false;
		fence_remove(s, m);
		return;
	}
	deadline = m->socket_size ? 0 : node_deadline(m->node);
	if (deadline != TICK_NEVER)
		sim_want_turn(s, m, sim_world_time(s, m, deadline) + sim_latency(s));
}
