/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A VRRP speaker to the letter of RFC 9568 6.4, with nothing of roost's in it: a neighbour to live
 * with. */
#include "internal.h"

#include "base/assert.h"

static enum family family_of(const struct sim_foreigner *f)
{
	return f->vips >> SIM_VIP_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4;
}

static tick skew(const struct sim_foreigner *f)
{
	return f->active_interval * (256u - f->priority) / 256u;
}

static void advertise(struct sim *s, struct sim_machine *m, uint8_t priority)
{
	const struct sim_foreigner *f = &m->foreign;
	const uint32_t packet = net_packet(s);
	struct advert *a = &s->packets[packet].advert;

	a->source = sim_place_address(sim_place(s, m), family_of(f));
	a->link_local = family_of(f) == FAMILY_IPV6 ? advert_link_local(f->vrid) : addr_none;
	a->interval = f->interval;
	a->family = family_of(f);
	a->version = 3;
	a->vrid = f->vrid;
	a->priority = priority;
	a->checksum = ADVERT_CHECKSUM_MESSAGE;
	a->n_addresses = 0;
	for (uint32_t number = 0; number < SIM_VIPS_MAX; number++)
		if (f->vips >> number & 1)
			a->addresses[a->n_addresses++] = sim_vip_address(number);
	if (m->carrier)
		net_send(s, sim_place(s, m), packet, true);
	else
		net_release(s, packet);
}

static void become_backup(struct sim *s, struct sim_machine *m)
{
	struct sim_foreigner *f = &m->foreign;

	f->state = SIM_FOREIGN_BACKUP;
	f->timer = s->now + 3 * f->active_interval + skew(f);
	m->present = 0;
	fence_review(s, m);
	sim_note(s, sim_place(s, m), f->vrid, "foreign: backup");
}

/* 6.4.2 (140) to (180), and 6.4.1 for an owner */
static void become_active(struct sim *s, struct sim_machine *m)
{
	struct sim_foreigner *f = &m->foreign;

	f->state = SIM_FOREIGN_ACTIVE;
	f->timer = s->now + f->interval;
	m->present = f->vips;
	fence_review(s, m);
	sim_note(s, sim_place(s, m), f->vrid, "foreign: active");
	advertise(s, m, f->priority);
	for (uint32_t number = 0; number < SIM_VIPS_MAX; number++)
		if (f->vips >> number & 1)
			net_announce(s, sim_place(s, m), number);
}

/* 6.4.1 */
void foreign_start(struct sim *s, struct sim_machine *m)
{
	struct sim_foreigner *f = &m->foreign;

	f->active_interval = f->interval;
	if (f->priority == 255)
		become_active(s, m);
	else
		become_backup(s, m);
	sim_want_turn(s, m, f->timer);
}

void foreign_stop(struct sim *s, struct sim_machine *m, bool orderly)
{
	struct sim_foreigner *f = &m->foreign;

	if (orderly && f->state == SIM_FOREIGN_ACTIVE)
		advertise(s, m, 0);
	f->state = SIM_FOREIGN_OFF;
	m->present = 0;
	fence_review(s, m);
	m->turn_at = TICK_NEVER;
}

/* 6.4.2 */
static void hear_as_backup(struct sim *s, struct sim_foreigner *f, const struct advert *a)
{
	if (a->priority == 0) {
		f->timer = s->now + skew(f);
	} else if (!f->preempt || a->priority >= f->priority) {
		f->active_interval = a->interval;
		f->timer = s->now + 3 * f->active_interval + skew(f);
	}
}

/* 6.4.3 */
static void hear_as_active(struct sim *s, struct sim_machine *m, const struct advert *a)
{
	struct sim_foreigner *f = &m->foreign;
	const struct addr own = sim_place_address(sim_place(s, m), family_of(f));

	if (a->priority != 0 &&
		(a->priority > f->priority ||
			(a->priority == f->priority && addr_compare(&a->source, &own) > 0))) {
		f->active_interval = a->interval;
		become_backup(s, m);
		return;
	}
	advertise(s, m, f->priority);
	f->timer = s->now + f->interval;
}

static void hear(struct sim *s, struct sim_machine *m, uint32_t packet)
{
	const struct advert *a = &s->packets[packet].advert;
	const struct sim_foreigner *f = &m->foreign;

	/* 7.1: of another virtual router; a list that differs is only logged */
	if (a->version != 3 || a->vrid != f->vrid || a->family != family_of(f))
		return;
	if (f->state == SIM_FOREIGN_BACKUP)
		hear_as_backup(s, &m->foreign, a);
	else
		hear_as_active(s, m, a);
}

void foreign_turn(struct sim *s, struct sim_machine *m)
{
	struct sim_foreigner *f = &m->foreign;

	for (; m->socket_size; m->socket_size--) {
		const uint32_t packet = m->socket[m->socket_head];

		m->socket_head = (m->socket_head + 1) % SIM_SOCKET_MAX;
		hear(s, m, packet);
		net_release(s, packet);
	}
	if (s->now >= f->timer && f->state == SIM_FOREIGN_BACKUP) {
		become_active(s, m);
	} else if (s->now >= f->timer) {
		advertise(s, m, f->priority);
		f->timer += f->interval;
	}
	m->turn_at = TICK_NEVER;
	sim_want_turn(s, m, f->timer + sim_latency(s));
}
