/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The segment: advertisements to every socket, announcements to every client. */
#include "internal.h"

#include <stdlib.h>

#include "base/assert.h"

/* A switch keeps the order of what goes one way; only the fault of delay lets packets overtake. */
#define WIRE_US   30
#define JITTER_US 100

/* An announcement may cross the news that somebody has just removed the address. */
#define NEWS_MS 10

uint32_t net_packet(struct sim *s)
{
	if (s->n_free == 0) {
		const uint32_t more = s->n_packets ? s->n_packets : 64;

		s->packets = realloc(s->packets, (s->n_packets + more) * sizeof *s->packets);
		s->free_packets =
			realloc(s->free_packets, (s->n_packets + more) * sizeof *s->free_packets);
		ASSERT(s->packets && s->free_packets);
		for (uint32_t i = 0; i < more; i++)
			s->free_packets[s->n_free++] = s->n_packets + more - 1 - i;
		s->n_packets += more;
	}
	const uint32_t packet = s->free_packets[--s->n_free];

	s->packets[packet].users = 1;
	return packet;
}

void net_release(struct sim *s, uint32_t packet)
{
	ASSERT(s->packets[packet].users > 0);
	if (--s->packets[packet].users == 0)
		s->free_packets[s->n_free++] = packet;
}

static bool is_unlucky(struct sim *s, uint32_t permille)
{
	return permille && rng_below(&s->rng, 1000) < permille;
}

static tick arrival(struct sim *s, uint32_t from, uint32_t to)
{
	tick at = s->now + tick_us(WIRE_US + rng_below(&s->rng, JITTER_US));

	if (s->delay_us)
		return at + tick_us(rng_below(&s->rng, s->delay_us));
	at = tick_max(at, s->last_at[from][to]);
	s->last_at[from][to] = at;
	return at;
}

static void transmit(struct sim *s, struct sim_event ev)
{
	const bool advert = ev.kind == SIM_EV_ADVERT;
	uint32_t copies = is_unlucky(s, s->duplicate_permille) ? 2 : 1;

	if (is_unlucky(s, s->loss_permille))
		return;
	for (; copies > 0; copies--) {
		ev.at = arrival(s, ev.from, ev.to);
		if (advert)
			s->packets[ev.what].users++;
		sim_push(s, ev);
	}
}

void net_send(struct sim *s, uint32_t from, uint32_t packet, bool leaves)
{
	const bool deafened = s->sabotage == SIM_DEAF_ONE_WAY && from == 0;
	struct sim_packet *p = &s->packets[packet];

	s->packets_sent += leaves;
	p->from = (uint8_t)from;
	p->serial = ++s->serial;
	p->vips = 0;
	for (uint32_t i = 0; i < p->advert.n_addresses; i++)
		p->vips |= UINT32_C(1) << sim_vip_number(&p->advert.addresses[i]);
	claims_said(s, &s->machines[from], packet, leaves);
	for (uint32_t to = 0; to < s->n_places && leaves && !deafened; to++)
		if (to != from && sim_reaches(s, from, to))
			transmit(s, (struct sim_event){
					    .kind = SIM_EV_ADVERT,
					    .from = (uint8_t)from,
					    .to = (uint8_t)to,
					    .what = packet,
				    });
	net_release(s, packet);
}

void net_announce(struct sim *s, uint32_t from, uint32_t number)
{
	const struct sim_machine *m = &s->machines[from];
	const bool stolen =
		m->stolen_at[number] && s->now - m->stolen_at[number] < tick_ms(NEWS_MS);

	sim_note(s, from, number, "announces VIP %u", number);
	if (!(m->present >> number & 1) && !stolen)
		sim_complain(s, "place %u announces VIP %u, which it does not hold", from, number);
	if (!fence_passes_announcement(s, m, number))
		return;
	for (uint32_t to = 0; to < s->n_places; to++)
		if (sim_reaches(s, from, to))
			transmit(s, (struct sim_event){
					    .kind = SIM_EV_ANNOUNCEMENT,
					    .from = (uint8_t)from,
					    .to = (uint8_t)to,
					    .what = number,
				    });
}

static void enqueue(struct sim *s, struct sim_machine *m, uint32_t packet)
{
	if (!sim_is_running(m) || !m->carrier || m->socket_size == SIM_SOCKET_MAX) {
		net_release(s, packet);
		return;
	}
	m->socket[(m->socket_head + m->socket_size++) % SIM_SOCKET_MAX] = packet;
	sim_want_turn(s, m, s->now + sim_latency(s));
}

void net_arrive(struct sim *s, const struct sim_event *ev)
{
	if (ev->kind == SIM_EV_ADVERT) {
		enqueue(s, &s->machines[ev->to], ev->what);
		return;
	}
	s->client[ev->to][ev->what] = (int8_t)ev->from;
	s->absent[ev->to] &= ~(UINT32_C(1) << ev->what);
	/* it was on its way when the way was cut, and whoever contradicts it may be cut off as well */
	if (!sim_reaches(s, ev->from, ev->to))
		s->absent[ev->to] |= UINT32_C(1) << ev->what;
	s->dirty = true;
}
