/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The promises of the lease (doc/design/0009-lease.md), checked at every instant and from outside:
 * by what left, what was read and what the fence lets pass, not by what a daemon makes of it.
 *
 * (a) A machine answers for a VIP no longer than a lease after its last advertisement of it, by its
 *     own clock; for what it claims, no longer than a lease after the claim or its announcement; for
 *     what it lost, no longer than the linger.
 * (b) Of two machines, one begins to answer while the other does only with its consent (a planned
 *     hand-over), or if it had not read the other's last advertisement when it took over; or, where
 *     it was only interrupted, if either has not read the other's.
 * (c) One that has read a better one's advertisement is not Active any more.
 */
#include "internal.h"

/* A thread may wake so late. */
#define WAKE tick_ms(5)

tick claims_span(const struct sim *s, tick interval)
{
	return s->sabotage == SIM_LONG_LEASE ? interval * 35 / 10 : lease_span(interval);
}

static const struct node_unit *unit_of(const struct sim_machine *m, uint32_t number)
{
	const int8_t vip = m->file->index[number];

	return m->node && vip >= 0 ? &m->node->units[m->node->vips[vip].unit] : NULL;
}

/* With foreign speakers, who have no lease. */
static bool is_shared(const struct sim_machine *m, uint32_t number)
{
	const struct sim_file *f = m->file;

	return f->index[number] < 0 ||
	       f->services[f->vips[f->index[number]].service].foreign_vrid != 0;
}

/* ---- what is said and read ---- */

static void allow(struct sim_machine *m, uint32_t number, tick until)
{
	m->answer_by[number] = tick_max(m->answer_by[number], until);
}

/* An advertisement of what @m serves leaves now; or is lost before it could. */
void claims_said(struct sim *s, struct sim_machine *m, uint32_t packet, bool leaves)
{
	const struct sim_packet *p = &s->packets[packet];

	if (!m->file)
		return;
	for (uint32_t left = p->vips; left; left &= left - 1) {
		const uint32_t number = (uint32_t)__builtin_ctz(left);

		if (p->advert.priority == VRRP_PRIORITY_PARTING && !is_shared(m, number))
			return;
		s->said[p->from][number] = p->serial;
		if (leaves)
			allow(m, number, sim_clock(s, m) + claims_span(s, p->advert.interval));
	}
	for (uint32_t to = 0; to < s->n_places; to++)
		s->unheard[p->from][to] |= p->vips;
}

void claims_read(struct sim *s, const struct sim_machine *m, uint32_t packet)
{
	const struct sim_packet *p = &s->packets[packet];
	uint32_t *unheard = &s->unheard[p->from][sim_place(s, m)];

	for (uint32_t left = p->vips & *unheard; left; left &= left - 1) {
		const uint32_t number = (uint32_t)__builtin_ctz(left);

		if (s->said[p->from][number] == p->serial)
			*unheard &= ~(UINT32_C(1) << number);
	}
}

/* @m begins to listen: what others said before is nothing that it goes by. */
void claims_deafened(struct sim *s, const struct sim_machine *m)
{
	for (uint32_t from = 0; from < s->n_places; from++)
		s->unheard[from][sim_place(s, m)] = UINT32_MAX;
}

/* @m's clock has stood still: what it said is longer ago than it knows, and what it took over and
 * has not begun with is as if it had been interrupted. Whoever took over meanwhile and has not begun
 * either, its advertisements being refused, was right to think it gone. */
void claims_lost_time(struct sim *s, struct sim_machine *m)
{
	const uint32_t from = sim_place(s, m);

	for (uint32_t number = 0; number < SIM_VIPS_MAX; number++)
		s->said[from][number] = ++s->serial;
	for (uint32_t to = 0; to < s->n_places; to++) {
		s->unheard[from][to] = UINT32_MAX;
		s->machines[to].judged[from] = UINT32_MAX;
	}
	m->untried = 0;
}

/* ---- what is decided and stored ---- */

/* The VIPs of a router share its lease of hand-over: it goes by the last claim and its last
 * announcement, and by what lingers last. */
static void allow_claims(const struct sim *s, struct sim_machine *m, uint32_t router)
{
	const struct node *n = m->node;
	const struct node_router *r = &n->routers[router];
	const bool renewed = r->claimed_until == m->woken_at + lease_span(r->vrrp.interval);
	tick until = renewed ? m->woken_at + claims_span(s, r->vrrp.interval) : 0;

	for (uint32_t i = 0; i < n->n_vips; i++)
		if (n->units[n->vips[i].unit].router == router &&
			n->vips[i].wanted == VRRP_HOLD_DATA)
			until = tick_max(until, m->answer_by[m->file->number[i]]);
	for (uint32_t i = 0; i < n->n_vips; i++) {
		const struct node_unit *u = &n->units[n->vips[i].unit];

		if (u->router == router &&
			(u->vrrp.state == VRRP_CLAIMING || n->vips[i].wanted == VRRP_HOLD_DATA))
			allow(m, m->file->number[i], until);
	}
}

/* What it has not read so far, it has judged to be silence. */
static void remember_unheard(const struct sim *s, struct sim_machine *m, uint32_t vip)
{
	const uint32_t bit = UINT32_C(1) << m->file->number[vip];

	if (m->node->units[m->node->vips[vip].unit].vrrp.state != VRRP_ACTIVE)
		return;
	m->taken_at[m->file->number[vip]] = s->now;
	m->untried |= bit;
	for (uint32_t i = 0; i < s->n_places; i++)
		m->judged[i] = (m->judged[i] & ~bit) | (s->unheard[i][sim_place(s, m)] & bit);
}

static tick linger_end(const struct sim *s, const struct sim_machine *m, uint32_t vip)
{
	const struct node_unit *u = &m->node->units[m->node->vips[vip].unit];

	return sim_clock(s, m) + m->node->routers[u->router].vrrp.linger + VRRP_BELIEVED + WAKE;
}

static void allow_handovers(const struct sim *s, struct sim_machine *m)
{
	if (m->fx->n_holds + m->fx->n_announces == 0)
		return;
	for (uint32_t router = 0; router < m->node->n_routers; router++)
		allow_claims(s, m, router);
}

void claims_decided(struct sim *s, struct sim_machine *m)
{
	for (uint32_t i = 0; i < m->fx->n_holds; i++) {
		const uint32_t vip = m->fx->holds[i];

		remember_unheard(s, m, vip);
		if (m->node->vips[vip].wanted == VRRP_HOLD_DATA)
			allow(m, m->file->number[vip], linger_end(s, m, vip));
	}
	allow_handovers(s, m);
}

void claims_stored(struct sim *s, struct sim_machine *m)
{
	for (uint32_t i = 0; i < m->fx->n_holds; i++) {
		const uint32_t vip = m->fx->holds[i];
		tick *answer_by = &m->answer_by[m->file->number[vip]];

		if (m->node->vips[vip].wanted == VRRP_HOLD_NONE)
			*answer_by = sim_clock(s, m);
		if (m->node->vips[vip].wanted == VRRP_HOLD_DATA)
			*answer_by = linger_end(s, m, vip);
	}
	allow_handovers(s, m);
}

/* ---- the claims ---- */

static bool is_in(const struct sim_machine *m, uint32_t number, enum vrrp_state state)
{
	const struct node_unit *u = unit_of(m, number);

	return u && u->vrrp.state == state;
}

/* It has the consent of another, or has given its own. */
static bool is_handing_over(const struct sim_machine *m, uint32_t number)
{
	return fence_is_handover(m, number) || is_in(m, number, VRRP_LEAVING);
}

/* The other is told, and serves on until it hears that it need not. */
static bool is_planned(const struct sim_machine *m, uint32_t number)
{
	const struct node_unit *u = unit_of(m, number);

	if (!u)
		return false;
	/* or it lingers, though its address has only just come */
	if (m->node->vips[m->file->index[number]].wanted == VRRP_HOLD_DATA)
		return true;
	return is_in(m, number, VRRP_CLAIMING) ||
	       (u->vrrp.state == VRRP_ACTIVE &&
		       (u->vrrp.why == VRRP_WHY_LEFT || u->vrrp.why == VRRP_WHY_PREEMPT));
}

/* Whether @m, which begins to answer while @other does, knew that it would; of two that took over
 * at the same time, the later one had to. */
static bool has_heard(const struct sim *s, const struct sim_machine *m,
	const struct sim_machine *other, uint32_t number)
{
	const uint32_t here = sim_place(s, m), there = sim_place(s, other);
	const uint32_t bit = UINT32_C(1) << number;
	uint32_t unheard = s->unheard[there][here];

	unheard |= m->untried & bit ? m->judged[there] : s->unheard[here][there];
	if (other->taken_at[number] >= m->taken_at[number])
		unheard |= other->judged[here];
	return !(unheard & bit);
}

static void check_begin(struct sim *s, const struct sim_machine *m, uint32_t number)
{
	const uint32_t place = sim_place(s, m), bit = UINT32_C(1) << number;

	if (is_shared(m, number) || is_planned(m, number))
		return;
	for (uint32_t i = 0; i < s->n_places; i++) {
		const struct sim_machine *other = &s->machines[i];

		if (i == place || !other->file || !(other->answers & bit) ||
			is_handing_over(other, number))
			continue;
		if (has_heard(s, m, other, number))
			sim_complain(s,
				"VIP %u: place %u begins to answer while %u does, and has read its "
				"last advertisement",
				number, place, i);
	}
}

void claims_answering(struct sim *s, struct sim_machine *m, uint32_t began)
{
	const tick now = sim_clock(s, m);

	for (; began; began &= began - 1)
		check_begin(s, m, (uint32_t)__builtin_ctz(began));
	m->untried &= ~m->answers;
	for (uint32_t left = m->answers; left; left &= left - 1) {
		const uint32_t number = (uint32_t)__builtin_ctz(left);

		if (now > m->answer_by[number])
			sim_complain(s, "VIP %u: place %u answers %.3f ms longer than it may",
				number, sim_place(s, m),
				(double)(now - m->answer_by[number]) / 1e6);
	}
}

uint32_t claims_beaten(const struct sim *s, const struct sim_machine *m, uint32_t packet)
{
	const struct advert *a = &s->packets[packet].advert;
	const struct addr own = sim_place_address(sim_place(s, m), a->family);
	uint32_t beaten = 0;

	for (uint32_t left = s->packets[packet].vips; left; left &= left - 1) {
		const uint32_t number = (uint32_t)__builtin_ctz(left);
		const struct node_unit *u = unit_of(m, number);

		if (!u || is_shared(m, number) || u->vrrp.state != VRRP_ACTIVE)
			continue;
		if (a->priority > u->vrrp.priority ||
			(a->priority == u->vrrp.priority && addr_compare(&a->source, &own) > 0))
			beaten |= UINT32_C(1) << number;
	}
	return beaten;
}
