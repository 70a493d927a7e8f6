/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time, faults, and the world that they happen in. */
#include "internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define ALL_PLACES ((UINT32_C(1) << SIM_PLACES_MAX) - 1)

/* ------------------------------------------------------------------ trace */

void sim_note(struct sim *s, uint32_t place, uint64_t what, const char *format, ...)
{
	const uint64_t facts[] = {s->now, place, what, (uint8_t)format[0]};
	va_list args;

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		s->hash = (s->hash ^ facts[i]) * UINT64_C(0x9e3779b97f4a7c15);
		s->hash ^= s->hash >> 29;
	}
	if (!s->trace)
		return;
	fprintf(stderr, "%10.6f  %2u  ", (double)s->now / 1e9, place);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* ------------------------------------------------------------------ queue */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->sequence < b->sequence;
}

void sim_push(struct sim *s, struct sim_event ev)
{
	uint32_t i = s->n_events++;

	if (s->n_events > s->events_size) {
		s->events_size = s->events_size ? 2 * s->events_size : 256;
		s->heap = realloc(s->heap, s->events_size * sizeof *s->heap);
		ASSERT(s->heap);
	}
	ev.sequence = s->sequence++;
	for (; i > 0 && is_before(&ev, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = ev;
}

static struct sim_event pop(struct sim *s)
{
	const struct sim_event first = s->heap[0];
	const struct sim_event last = s->heap[--s->n_events];
	uint32_t i = 0;

	for (uint32_t child = 1; child < s->n_events; child = 2 * i + 1) {
		if (child + 1 < s->n_events && is_before(&s->heap[child + 1], &s->heap[child]))
			child++;
		if (!is_before(&s->heap[child], &last))
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = last;
	return first;
}

/* ---------------------------------------------------------------- threads */

uint32_t sim_place(const struct sim *s, const struct sim_machine *m)
{
	return (uint32_t)(m - s->machines);
}

bool sim_is_running(const struct sim_machine *m)
{
	return m->node || (m->up && m->foreign.state != SIM_FOREIGN_OFF);
}

bool sim_reaches(const struct sim *s, uint32_t from, uint32_t to)
{
	return from == to || s->open[from] >> to & 1;
}

/* Some tens of µs, and now and then a few ms. */
tick sim_latency(struct sim *s)
{
	const uint64_t dice = rng_next(&s->rng);

	if (dice % 1024 < s->late_wakes)
		return tick_us(1000 + (dice >> 32) % 3000);
	return tick_us(20) + (dice >> 32) % tick_us(80);
}

void sim_want_turn(struct sim *s, struct sim_machine *m, tick at)
{
	(void)s;
	m->turn_at = tick_min(m->turn_at, at);
}

void sim_want_slow(struct sim *s, struct sim_machine *m, tick at)
{
	(void)s;
	m->slow_at = tick_min(m->slow_at, at);
}

tick sim_clock(const struct sim *s, const struct sim_machine *m)
{
	const tick world = m->stands ? m->paused_at : s->now;

	return world + (tick)(m->clock + (int64_t)world * m->ppm / 1000000);
}

tick sim_world_time(const struct sim *s, const struct sim_machine *m, tick clock)
{
	const tick now = sim_clock(s, m);
	const int64_t left = clock > now ? (int64_t)(clock - now) : 0;

	/* rounded to a moment later: nothing is due before its time */
	return s->now + (tick)(left - left * m->ppm / (1000000 + m->ppm)) + (m->ppm && left);
}

/* ----------------------------------------------------------------- faults */

const char *sim_fault_text(const struct sim_fault *fault, char *text, size_t size)
{
	static const char *const names[SIM_FAULT_KINDS] = {
		[SIM_START] = "start",
		[SIM_CRASH] = "crash",
		[SIM_KILL] = "kill",
		[SIM_KILL_BOTH] = "kill with guardian",
		[SIM_STOP] = "stop",
		[SIM_DRAIN] = "drain",
		[SIM_UNDRAIN] = "undrain",
		[SIM_FREEZE] = "freeze",
		[SIM_THAW] = "thaw",
		[SIM_PAUSE] = "pause",
		[SIM_RESUME] = "resume",
		[SIM_UNPLUG] = "unplug",
		[SIM_PLUG] = "plug",
		[SIM_LEAP] = "leap",
		[SIM_CUT] = "cut",
		[SIM_PARTITION] = "partition",
		[SIM_HEAL] = "heal",
		[SIM_LOSS] = "loss",
		[SIM_DELAY] = "delay",
		[SIM_DUPLICATE] = "duplicate",
		[SIM_STALL] = "stall",
		[SIM_FAIL] = "fail",
		[SIM_REFUSE] = "refuse",
		[SIM_STEAL] = "steal",
		[SIM_DEAFEN] = "deafen",
	};

	snprintf(text, size, "fault: %s, place %u, peer %u, amount %u", names[fault->kind],
		fault->place, fault->peer, fault->amount);
	return text;
}

static void start(struct sim *s, struct sim_machine *m)
{
	if (sim_is_running(m))
		return;
	if (!m->up)
		machine_power(s, m, true);
	if (m->file)
		daemon_start(s, m);
	else
		foreign_start(s, m);
}

static void stop(struct sim *s, struct sim_machine *m)
{
	if (!sim_is_running(m))
		return;
	if (!m->file) {
		foreign_stop(s, m, true);
		return;
	}
	m->stop_news = true;
	sim_want_turn(s, m, s->now + sim_latency(s));
	sim_want_slow(s, m, s->now + sim_latency(s));
}

static void crash(struct sim *s, struct sim_machine *m)
{
	if (m->file)
		daemon_end(s, m);
	else
		foreign_stop(s, m, false);
	machine_power(s, m, false);
}

static void plug(struct sim *s, struct sim_machine *m, bool carrier)
{
	if (!m->up || m->carrier == carrier)
		return;
	m->carrier = carrier;
	m->losses += !carrier;
	s->dirty = true;
	fence_review(s, m);
	if (m->node)
		sim_want_slow(s, m, s->now + sim_latency(s));
}

static void drain_command(struct sim *s, struct sim_machine *m, bool drained)
{
	if (!m->node)
		return;
	m->drain = drained;
	m->drain_news = true;
	sim_want_turn(s, m, s->now + sim_latency(s));
}

static void wake(struct sim *s, struct sim_machine *m)
{
	if (!m->node)
		return;
	sim_want_turn(s, m, s->now + sim_latency(s));
	sim_want_slow(s, m, s->now + sim_latency(s));
}

/* At once, or when a turn has come to the stage that is asked for. */
static void interrupt(struct sim *s, struct sim_machine *m, const struct sim_fault *fault)
{
	if (!m->node)
		return;
	if (fault->amount && m->stage == SIM_STAGE_NONE) {
		ASSERT(fault->amount < SIM_STAGES);
		m->doom = fault->kind;
		m->doomed_at = fault->amount;
	} else if (fault->kind == SIM_FREEZE) {
		m->frozen = true;
	} else {
		daemon_kill(s, m, fault->kind == SIM_KILL_BOTH);
	}
}

static void thaw(struct sim *s, struct sim_machine *m)
{
	m->doomed_at = SIM_STAGE_NONE;
	m->frozen = false;
	wake(s, m);
}

/* Its timers find themselves late. For the others it is as if it measured their silence wrongly. */
static void leap(struct sim *s, struct sim_machine *m, tick span)
{
	m->clock += (int64_t)span;
	claims_deafened(s, m);
	fence_review(s, m);
	wake(s, m);
}

static void pause_machine(struct sim *s, struct sim_machine *m, bool stands)
{
	if (!m->file || !m->up || m->paused_at)
		return;
	m->stands = stands;
	m->paused_at = s->now;
	fence_review(s, m);
}

static void resume_machine(struct sim *s, struct sim_machine *m)
{
	const tick stood_at = sim_clock(s, m);

	if (!m->paused_at)
		return;
	m->paused_at = 0;
	if (m->stands) {
		m->stands = false;
		m->clock -= (int64_t)(sim_clock(s, m) - stood_at);
		claims_lost_time(s, m);
	}
	fence_review(s, m);
	wake(s, m);
}

static void partition(struct sim *s, uint32_t side)
{
	for (uint32_t i = 0; i < SIM_PLACES_MAX; i++)
		s->open[i] &= side >> i & 1 ? side : ~side;
}

void sim_apply(struct sim *s, const struct sim_fault *fault)
{
	struct sim_machine *m = &s->machines[fault->place];
	char text[80];

	ASSERT(fault->place < SIM_PLACES_MAX && fault->peer < SIM_PLACES_MAX);
	sim_note(s, fault->place, (uint64_t)fault->kind << 32 | fault->amount, "%s",
		s->trace ? sim_fault_text(fault, text, sizeof text) : "");
	switch (fault->kind) {
	case SIM_START: start(s, m); break;
	case SIM_CRASH: crash(s, m); break;
	case SIM_KILL:
	case SIM_KILL_BOTH:
	case SIM_FREEZE: interrupt(s, m, fault); break;
	case SIM_THAW: thaw(s, m); break;
	case SIM_PAUSE: pause_machine(s, m, fault->amount); break;
	case SIM_RESUME: resume_machine(s, m); break;
	case SIM_STOP: stop(s, m); break;
	case SIM_DRAIN: drain_command(s, m, true); break;
	case SIM_UNDRAIN: drain_command(s, m, false); break;
	case SIM_LEAP: leap(s, m, tick_ms(fault->amount)); break;
	case SIM_UNPLUG: plug(s, m, false); break;
	case SIM_PLUG: plug(s, m, true); break;
	case SIM_CUT: s->open[fault->place] &= ~(UINT32_C(1) << fault->peer); break;
	case SIM_PARTITION: partition(s, fault->amount); break;
	case SIM_HEAL:
		for (uint32_t i = 0; i < SIM_PLACES_MAX; i++)
			s->open[i] = ALL_PLACES;
		break;
	case SIM_LOSS: s->loss_permille = fault->amount; break;
	case SIM_DELAY: s->delay_us = fault->amount; break;
	case SIM_DUPLICATE: s->duplicate_permille = fault->amount; break;
	case SIM_STALL: m->stalled_until = s->now + tick_ms(fault->amount); break;
	case SIM_FAIL: m->fail_permille = fault->amount; break;
	case SIM_REFUSE: m->refuse_permille = fault->amount; break;
	case SIM_STEAL: machine_steal(s, m, fault->amount); break;
	case SIM_DEAFEN:
		m->n_news = 0;
		m->overrun = true;
		if (m->node)
			sim_want_slow(s, m, s->now + sim_latency(s));
		break;
	case SIM_FAULT_KINDS: ASSERT(!"a fault");
	}
	s->dirty = true;
}

void sim_apply_at(struct sim *s, const struct sim_fault *fault, tick at)
{
	ASSERT(s->n_script < ARRAY_SIZE(s->script));
	s->script[s->n_script] = *fault;
	sim_push(s, (struct sim_event){.kind = SIM_EV_FAULT, .at = at, .what = s->n_script++});
}

/* -------------------------------------------------------------------- run */

static tick fast_deadline(const struct sim_machine *m)
{
	return m->frozen || m->paused_at ? TICK_NEVER : m->turn_at;
}

static void perform(struct sim *s, const struct sim_event *ev)
{
	switch (ev->kind) {
	case SIM_EV_ADVERT:
	case SIM_EV_ANNOUNCEMENT: net_arrive(s, ev); break;
	case SIM_EV_FAULT: sim_apply(s, &s->script[ev->what]); break;
	case SIM_EV_GUARDIAN: daemon_guard(s, ev); break;
	}
}

/* Carries out whatever is due next, unless that is after @until. */
static bool step(struct sim *s, tick until)
{
	tick at = s->n_events ? s->heap[0].at : TICK_NEVER;
	struct sim_machine *machine = NULL;

	for (uint32_t i = 0; i < s->n_places; i++) {
		struct sim_machine *m = &s->machines[i];
		const tick run_at = tick_min(fast_deadline(m), machine_deadline(m));
		const tick due = tick_min(run_at, m->review_at);

		if (due >= at)
			continue;
		at = due;
		machine = m;
	}
	if (at > until)
		return false;
	s->now = tick_max(s->now, at);
	if (!machine) {
		const struct sim_event ev = pop(s);

		perform(s, &ev);
	} else if (machine->review_at == at) {
		fence_review(s, machine);
	} else if (fast_deadline(machine) != at) {
		machine_step(s, machine);
	} else {
		machine->file ? daemon_turn(s, machine) : foreign_turn(s, machine);
	}
	return true;
}

void sim_run(struct sim *s, tick span)
{
	const tick until = s->now + span;

	do {
		if (s->dirty && s->watching)
			sim_observe(s);
	} while (step(s, until));
	s->now = until;
}

tick sim_calm_span(const struct sim *s)
{
	tick interval = 0, delay = 0;

	for (uint32_t i = 0; i < s->n_files; i++) {
		const struct sim_file_spec *spec = &s->files[i].spec;

		for (uint32_t k = 0; k < spec->n_services; k++) {
			const struct config_vrrp *vrrp = &spec->services[k].vrrp;

			interval = tick_max(interval, vrrp->interval);
			delay = tick_max(delay, vrrp->preempt_delay);
		}
	}
	return 10 * interval + delay + tick_ms(500);
}

tick sim_settle_span(const struct sim *s)
{
	tick refresh = 0;

	for (uint32_t i = 0; i < s->n_files; i++)
		if (s->files[i].spec.refresh < tick_s(60))
			refresh = tick_max(refresh, s->files[i].spec.refresh);
	/* netlink is tried again within a second; the refresh has its jitter */
	return sim_calm_span(s) + tick_max(tick_ms(1500), refresh + refresh / 8);
}

/* ------------------------------------------------------------------ world */

struct sim *sim_new(uint64_t seed)
{
	struct sim *s = calloc(1, sizeof *s);

	ASSERT(s);
	s->rng.state = seed;
	s->now = tick_s(1);
	s->late_wakes = 4;
	s->trace = getenv("TRACE");
	s->hash = seed;
	for (uint32_t i = 0; i < SIM_PLACES_MAX; i++) {
		s->open[i] = ALL_PLACES;
		memset(s->client[i], SIM_NOBODY, sizeof s->client[i]);
	}
	return s;
}

void sim_free(struct sim *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n_places; i++)
		daemon_end(s, &s->machines[i]);
	for (uint32_t i = 0; i < s->n_files; i++)
		plan_free(s->files[i].plan);
	free(s->heap);
	free(s->packets);
	free(s->free_packets);
	free(s);
}

static struct sim_machine *add_machine(struct sim *s)
{
	struct sim_machine *m = &s->machines[s->n_places++];

	ASSERT(s->n_places <= SIM_PLACES_MAX);
	m->turn_at = TICK_NEVER;
	m->review_at = TICK_NEVER;
	m->slow_at = TICK_NEVER;
	m->apply_at = TICK_NEVER;
	m->answer_at = TICK_NEVER;
	/* boot clocks have nothing to do with each other */
	m->clock = (int64_t)tick_s(rng_below(&s->rng, 1000000));
	return m;
}

uint32_t sim_add_machine(struct sim *s, uint32_t file)
{
	const uint32_t place = s->n_places;
	struct sim_machine *m = add_machine(s);

	ASSERT(file < s->n_files);
	m->file = &s->files[file];
	m->self = UINT32_MAX;
	for (uint32_t i = 0; i < m->file->spec.n_members; i++)
		if (m->file->spec.members[i] == place)
			m->self = i;
	ASSERT(m->self < m->file->spec.n_members);
	return place;
}

void sim_add_cluster(struct sim *s, const struct sim_file_spec *spec)
{
	const uint32_t file = sim_add_file(s, spec);

	for (uint32_t i = 0; i < spec->n_members; i++) {
		const uint32_t place = sim_add_machine(s, file);

		sim_apply(s, &(struct sim_fault){.kind = SIM_START, .place = (uint8_t)place});
	}
}

uint32_t sim_add_foreigner(
	struct sim *s, uint32_t vips, uint8_t vrid, uint8_t priority, tick interval)
{
	const uint32_t place = s->n_places;
	struct sim_machine *m = add_machine(s);

	m->foreign = (struct sim_foreigner){
		.vips = vips,
		.vrid = vrid,
		.priority = priority,
		.preempt = true,
		.interval = interval,
	};
	return place;
}
