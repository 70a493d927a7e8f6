/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine: its kernel's addresses, and the daemon's slow thread, which keeps them as wanted. */
#include "internal.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"

static void tell(struct sim_machine *m, uint32_t number)
{
	if (!m->node)
		return;
	if (m->n_news == SIM_NEWS_MAX) {
		m->overrun = true;
		return;
	}
	m->news[m->n_news++] = (struct sim_news){
		.number = (uint8_t)number,
		.present = m->present >> number & 1,
		.ours = m->ours >> number & 1,
	};
}

/* Whom nobody can tell that @place gave up VIP @number: see sim.absent. */
static void excuse_clients(struct sim *s, uint32_t place, uint32_t number)
{
	const uint32_t here = sim_component(s, place);
	bool rival_is_away = false;

	for (uint32_t i = 0; i < s->n_places; i++)
		rival_is_away |= !(here >> i & 1) && s->machines[i].present >> number & 1;
	for (uint32_t i = 0; i < s->n_places; i++)
		if (s->client[i][number] == (int8_t)place && (rival_is_away || !(here >> i & 1)))
			s->absent[i] |= UINT32_C(1) << number;
}

static void set_address(struct sim *s, struct sim_machine *m, uint32_t number, bool present)
{
	const uint32_t bit = UINT32_C(1) << number;

	sim_note(s, sim_place(s, m), number, "%s VIP %u", present ? "has" : "has no more", number);
	m->present = present ? m->present | bit : m->present & ~bit;
	m->ours = present ? m->ours | bit : m->ours & ~bit;
	s->dirty = true;
	if (!present)
		excuse_clients(s, sim_place(s, m), number);
	fence_review(s, m);
	tell(m, number);
}

void machine_power(struct sim *s, struct sim_machine *m, bool on)
{
	m->up = on;
	m->carrier = on;
	m->present = 0;
	m->ours = 0;
	m->stalled_until = 0;
	m->paused_at = 0;
	m->stands = false;
	m->guarded = false;
	memset(m->stolen_at, 0, sizeof m->stolen_at);
	memset(m->answer_by, 0, sizeof m->answer_by);
	fence_remove(s, m);
	s->dirty = true;
}

/* The daemon starts with a dump: what a previous life left is reported before anything is
 * decided. */
void machine_begin(struct sim *s, struct sim_machine *m)
{
	const tick now = sim_clock(s, m);

	m->apply_at = TICK_NEVER;
	m->answer_at = TICK_NEVER;
	m->slow_at = TICK_NEVER;
	m->n_ops = 0;
	m->n_news = 0;
	m->overrun = false;
	m->announce_news = 0;
	m->carrier_told = m->carrier;
	m->losses_told = m->losses;
	m->link_news = true;
	m->held_news = 0;
	m->announced_news = 0;
	kernel_init(&m->kernel, m->kernel_vips, m->file->config.n_vips);
	kernel_forget(&m->kernel);
	for (uint32_t i = 0; i < m->file->config.n_vips; i++) {
		const uint32_t number = m->file->number[i];

		m->wanted[i] = VRRP_HOLD_NONE;
		m->held[i] = VRRP_HOLD_NONE;
		if (!(m->present >> number & 1))
			continue;
		kernel_see(&m->kernel, i, true, m->ours >> number & 1, now);
		if (m->ours >> number & 1)
			m->wanted[i] = VRRP_HOLD_FULL; /* until the node has decided */
		m->held[i] = kernel_hold(&m->kernel, i);
		m->held_news |= UINT32_C(1) << i;
	}
}

static void apply_batch(struct sim *s, struct sim_machine *m)
{
	for (uint32_t i = 0; i < m->n_ops; i++) {
		const struct kernel_op *op = &m->ops[i];
		const uint32_t number = m->file->number[op->vip];
		const bool present = m->present >> number & 1;
		const bool add = op->kind == KERNEL_ADD;

		m->errors[i] = 0;
		if (m->fail_permille && rng_below(&s->rng, 1000) < m->fail_permille)
			m->errors[i] = -ENOMEM;
		else if (add == present)
			m->errors[i] = add ? -EEXIST : -EADDRNOTAVAIL;
		else if (add || s->sabotage != SIM_STICKY_KERNEL)
			set_address(s, m, number, add);
	}
	m->apply_at = TICK_NEVER;
}

/* A system call that is under way is finished though its caller dies. */
void machine_end(struct sim *s, struct sim_machine *m)
{
	if (m->apply_at != TICK_NEVER && rng_below(&s->rng, 2))
		apply_batch(s, m);
	m->apply_at = TICK_NEVER;
	m->answer_at = TICK_NEVER;
	m->slow_at = TICK_NEVER;
}

void machine_steal(struct sim *s, struct sim_machine *m, uint32_t number)
{
	if (!m->file || !(m->present >> number & 1))
		return;
	set_address(s, m, number, false);
	m->stolen_at[number] = s->now;
	if (m->node)
		sim_want_slow(s, m, s->now + sim_latency(s));
}

void machine_clear(struct sim *s, struct sim_machine *m)
{
	for (uint32_t left = m->ours; left; left &= left - 1)
		set_address(s, m, (uint32_t)__builtin_ctz(left), false);
}

/* Level-triggered: how things are wanted now. A link that is down gives up its VIPs here and now,
 * and the fast thread is told of it. */
static void read_boards(struct sim *s, struct sim_machine *m)
{
	const bool abrupt = s->sabotage == SIM_ABRUPT_LEAVER && (m->stop_news || m->node->stopping);

	for (uint32_t i = 0; i < m->file->config.n_vips; i++)
		kernel_want(&m->kernel, i, m->carrier && !abrupt ? m->wanted[i] : VRRP_HOLD_NONE);
	if (m->carrier == m->carrier_told && m->losses == m->losses_told)
		return;
	m->carrier_told = m->carrier;
	m->losses_told = m->losses;
	m->link_news = true;
	sim_want_turn(s, m, s->now + sim_latency(s));
}

static void read_news(struct sim *s, struct sim_machine *m)
{
	const tick now = sim_clock(s, m);

	for (uint32_t i = 0; i < m->n_news; i++) {
		const struct sim_news *news = &m->news[i];
		const int8_t vip = m->file->index[news->number];

		if (vip >= 0)
			kernel_see(&m->kernel, (uint32_t)vip, news->present, news->ours, now);
	}
	m->n_news = 0;
	if (!m->overrun)
		return;
	m->overrun = false;
	kernel_forget(&m->kernel);
	for (uint32_t i = 0; i < m->file->config.n_vips; i++) {
		const uint32_t number = m->file->number[i];

		if (m->present >> number & 1)
			kernel_see(&m->kernel, i, true, m->ours >> number & 1, now);
	}
}

static void report_holds(struct sim *s, struct sim_machine *m)
{
	uint32_t news = 0;

	for (uint32_t i = 0; i < m->file->config.n_vips; i++) {
		const enum vrrp_hold hold = kernel_hold(&m->kernel, i);

		if (hold == m->held[i])
			continue;
		m->held[i] = hold;
		news |= UINT32_C(1) << i;
	}
	m->held_news |= news;
	if (news)
		sim_want_turn(s, m, s->now + sim_latency(s));
}

/* The schedule is the core's; a request waits here until the address is there. */
static void send_announcements(struct sim *s, struct sim_machine *m)
{
	const bool swallowed = s->sabotage == SIM_SILENT_WINNER && s->now > tick_s(5);

	for (uint32_t i = 0; i < m->file->config.n_vips && m->announce_news; i++) {
		const uint32_t bit = UINT32_C(1) << i;

		if (!(m->announce_news & bit))
			continue;
		if (kernel_hold(&m->kernel, i) != VRRP_HOLD_FULL)
			continue;
		m->announce_news &= ~bit;
		m->announced_news |= bit;
		if (m->carrier && !swallowed)
			net_announce(s, sim_place(s, m), m->file->number[i]);
		sim_want_turn(s, m, s->now + sim_latency(s));
	}
}

static void begin_batch(struct sim *s, struct sim_machine *m)
{
	const bool stalled = s->now < m->stalled_until;
	tick work;

	m->n_ops = kernel_plan(&m->kernel, sim_clock(s, m), m->ops, SIM_VIPS_MAX);
	if (m->n_ops == 0)
		return;
	for (uint32_t i = 0; i < m->n_ops && s->sabotage == SIM_RASH_SHOUTER; i++)
		if (m->ops[i].kind == KERNEL_ADD)
			net_announce(s, sim_place(s, m), m->file->number[m->ops[i].vip]);
	/* some 10 µs for each address; while RTNL is somebody else's, nothing happens */
	work = tick_us(20 + 10 * m->n_ops + rng_below(&s->rng, 50));
	m->apply_at = (stalled ? m->stalled_until : s->now) + work;
	m->answer_at = m->apply_at + tick_us(10 + rng_below(&s->rng, 20));
}

bool machine_is_empty(const struct sim_machine *m)
{
	for (uint32_t i = 0; i < m->file->config.n_vips; i++)
		if (m->kernel_vips[i].present && m->kernel_vips[i].ours)
			return false;
	return m->n_ops == 0;
}

static void end_batch(struct sim *s, struct sim_machine *m)
{
	m->answer_at = TICK_NEVER;
	for (uint32_t i = 0; i < m->n_ops; i++)
		kernel_done(&m->kernel, &m->ops[i], m->errors[i], sim_clock(s, m));
	m->n_ops = 0;
	if (m->node->stopping)
		sim_want_turn(s, m, s->now + sim_latency(s));
}

/* When the slow thread, awake and not waiting for the kernel, is to run next. */
static tick next_run(const struct sim *s, const struct sim_machine *m)
{
	const tick retry = kernel_deadline(&m->kernel);

	if (retry == TICK_NEVER)
		return TICK_NEVER;
	return tick_max(s->now + tick_us(50), sim_world_time(s, m, retry));
}

tick machine_deadline(const struct sim_machine *m)
{
	if (m->paused_at)
		return TICK_NEVER;
	if (m->apply_at != TICK_NEVER)
		return m->apply_at;
	if (!m->node || m->frozen)
		return TICK_NEVER;
	return m->answer_at != TICK_NEVER ? m->answer_at : m->slow_at;
}

/*
 * One step of the slow thread: boards, news, what must be changed, what may be announced. A batch
 * blocks it from the system call to the answer; announcements wait for that as well.
 */
void machine_step(struct sim *s, struct sim_machine *m)
{
	if (m->apply_at != TICK_NEVER) {
		apply_batch(s, m);
		return;
	}
	if (m->answer_at != TICK_NEVER)
		end_batch(s, m);
	m->slow_at = TICK_NEVER;
	read_boards(s, m);
	read_news(s, m);
	begin_batch(s, m);
	report_holds(s, m);
	kernel_check(&m->kernel);
	if (m->n_ops)
		return;
	send_announcements(s, m);
	m->slow_at = tick_min(m->slow_at, next_run(s, m));
}
