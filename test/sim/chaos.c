/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random worlds, random faults. Everything is drawn from the seed. */
#include "sim.h"

#include "base/assert.h"

#define FAULTS_MAX 10
#define DRIFT_PPM  1000

/* A planned hand-over may have two holders for the linger, for the spacing of announcements if two
 * nodes claimed at once, and for the time that wakes and netlink take. */
#define OVERLAP_MS (50 + 30)

/* Without a linger, clients may learn of it so much later than the node that yields. */
#define GAP_US 200

static uint32_t between(struct sim *s, uint32_t least, uint32_t most)
{
	return least + rng_below(&s->rng, most - least + 1);
}

static bool chance(struct sim *s, uint32_t percent)
{
	return rng_below(&s->rng, 100) < percent;
}

static void fault(struct sim *s, enum sim_fault_kind kind, uint32_t place, uint32_t amount)
{
	sim_apply(s, &(struct sim_fault){.kind = kind, .place = (uint8_t)place, .amount = amount});
}

/* ----------------------------------------------------------------- worlds */

static struct config_vrrp random_vrrp(struct sim *s, bool ipv6)
{
	static const uint32_t intervals_ms[] = {10, 100, 100, 100, 100, 100, 1000};
	struct config_vrrp vrrp = {
		.version = 3,
		.interval = tick_ms(intervals_ms[rng_below(&s->rng, ARRAY_SIZE(intervals_ms))]),
		.redundancy = chance(s, 70) ? CONFIG_REDUNDANCY_AUTO : (uint8_t)between(s, 1, 4),
		.preempt = chance(s, 85),
		.preempt_delay = chance(s, 15) ? tick_ms(between(s, 1, 2000)) : 0,
		.linger = tick_ms(chance(s, 80) ? 20 : between(s, 0, 50)),
	};

	if (!ipv6 && chance(s, 5)) {
		vrrp.version = 2;
		vrrp.interval = tick_s(1);
	}
	return vrrp;
}

static struct sim_file_spec random_file(struct sim *s, uint32_t most_nodes)
{
	const uint32_t n_ipv6 = chance(s, 40) ? between(s, 1, 4) : 0;
	const uint32_t n_nodes = chance(s, 3) ? 1 : between(s, 2, most_nodes);
	struct sim_file_spec spec = sim_file_spec(n_nodes, between(s, 1, 8), n_ipv6, tick_ms(100));

	spec.services[0].vrrp = random_vrrp(s, n_ipv6 > 0);
	spec.services[0].bundle = chance(s, 20) ? 2 : 1;
	spec.vrid_first = (uint8_t)between(s, 1, 255);
	spec.refresh = tick_s(60);
	if (chance(s, 20))
		for (uint32_t i = 0; i < n_nodes; i++)
			spec.weight[i] = between(s, 1, 3);
	return spec;
}

/* Another version of the same file: some of what an operator may change. */
static struct sim_file_spec edited_file(struct sim *s, const struct sim_file_spec *old)
{
	struct sim_file_spec spec = *old;
	struct sim_service_spec *service = &spec.services[0];

	if (chance(s, 50)) /* VIPs appended; IPv4 numbers from 8 on are unused so far */
		for (uint32_t i = between(s, 1, 4); i > 0; i--)
			service->vips[service->n_vips++] = (uint8_t)(7 + i);
	if (chance(s, 50)) {
		spec.members[spec.n_members] = (uint8_t)spec.n_members;
		spec.n_members++;
	}
	if (chance(s, 30))
		service->bundle = 3 - service->bundle;
	if (chance(s, 30)) {
		for (uint32_t i = 0; i < spec.n_members; i++)
			spec.members[i] = (uint8_t)(spec.n_members - 1 - i);
	}
	if (chance(s, 30))
		spec.vrid_first = (uint8_t)between(s, 1, 255);
	if (chance(s, 20))
		service->vrrp.preempt = !service->vrrp.preempt;
	return spec;
}

static void add_machines(struct sim *s, uint32_t file, uint32_t n)
{
	for (; n > 0; n--)
		sim_add_machine(s, file);
}

static void build_versions(struct sim *s)
{
	const struct sim_file_spec old = random_file(s, 4);
	const struct sim_file_spec new = edited_file(s, &old);
	const uint32_t a = sim_add_file(s, &old), b = sim_add_file(s, &new);

	for (uint32_t i = 0; i < new.n_members; i++)
		add_machines(s, i >= old.n_members || chance(s, 50) ? b : a, 1);
}

/* Two clusters that know nothing of each other and draw their VRIDs from the same range. */
static void build_neighbours(struct sim *s)
{
	const struct sim_file_spec one = random_file(s, 3);
	struct sim_file_spec other = random_file(s, 3);

	other.vrid_first = one.vrid_first;
	for (uint32_t i = 0; i < other.n_members; i++)
		other.members[i] = (uint8_t)(one.n_members + i);
	for (uint32_t i = 0; i < other.services[0].n_vips; i++)
		other.services[0].vips[i] += 8;
	for (uint32_t i = other.n_members; i > 0; i--)
		other.weight[one.n_members + i - 1] = other.weight[i - 1];
	add_machines(s, sim_add_file(s, &one), one.n_members);
	add_machines(s, sim_add_file(s, &other), other.n_members);
}

/* A foreign router with VIPs of its own that uses a VRID of ours. */
static void build_squatter(struct sim *s)
{
	const struct sim_file_spec spec = random_file(s, 4);

	add_machines(s, sim_add_file(s, &spec), spec.n_members);
	sim_add_foreigner(s, 3u << 14, spec.vrid_first, (uint8_t)between(s, 1, 255),
		spec.services[0].vrrp.interval);
}

/* A service that is shared with a foreign router, beside one that is not. */
static void build_shared(struct sim *s)
{
	struct sim_file_spec spec = random_file(s, 3);
	struct sim_service_spec *shared = &spec.services[spec.n_services++];
	const uint32_t base = chance(s, 50) ? 12 : SIM_VIP_IPV6 + 12;

	shared->vips[shared->n_vips++] = (uint8_t)base;
	shared->vips[shared->n_vips++] = (uint8_t)(base + 1);
	shared->bundle = 1;
	shared->foreign_vrid = 51;
	shared->vrrp = spec.services[0].vrrp;
	shared->vrrp.version = 3;
	for (uint32_t i = 0; i < spec.n_members; i++)
		shared->priority[i] = (uint8_t)between(s, 1, 254);
	add_machines(s, sim_add_file(s, &spec), spec.n_members);
	for (uint32_t i = between(s, 1, 2); i > 0; i--)
		sim_add_foreigner(
			s, 3u << base, 51, (uint8_t)between(s, 1, 254), shared->vrrp.interval);
}

/* True if it is one cluster with one file: then more can be said of it. */
static bool build(struct sim *s)
{
	const uint32_t dice = rng_below(&s->rng, 100);

	if (dice < 10) {
		build_versions(s);
	} else if (dice < 20) {
		build_neighbours(s);
	} else if (dice < 25) {
		build_squatter(s);
	} else if (dice < 30) {
		build_shared(s);
	} else {
		const struct sim_file_spec spec = random_file(s, 6);

		add_machines(s, sim_add_file(s, &spec), spec.n_members);
		return true;
	}
	return false;
}

/* ----------------------------------------------------------------- faults */

/*
 * Which faults there may be, as a bit set. The winner of a conflict learns of it from the loser. If
 * that message may get lost, or the loser may die behind a partition, its clients are told by the
 * slow refresh and not before; so are those of one whose clock stood still, and that does not know
 * that it was away, and of one that can't announce before the next partition. Such worlds have a
 * fast refresh, and the others show that none is needed.
 */
static uint32_t random_mood(struct sim *s)
{
	const uint32_t all = (UINT32_C(1) << SIM_FAULT_KINDS) - 1;
	const uint32_t single = 1u << SIM_LOSS | 1u << SIM_CUT | 1u << SIM_REFUSE;
	const uint32_t split = 1u << SIM_PARTITION | 1u << SIM_PAUSE;
	const uint32_t death = 1u << SIM_CRASH | 1u << SIM_KILL | 1u << SIM_KILL_BOTH |
			       1u << SIM_STOP | 1u << SIM_UNPLUG;

	switch (rng_below(&s->rng, 4)) {
	case 0: return all & ~single & ~split;
	case 1: return all & ~single & ~death & ~(1u << SIM_STALL);
	default: break;
	}
	for (uint32_t i = 0; i < s->n_files; i++) {
		s->files[i].spec.refresh = tick_s(3);
		s->files[i].config.announce.refresh = tick_s(3);
	}
	return all;
}

static struct sim_fault random_fault(struct sim *s, uint32_t allowed, tick interval, tick left)
{
	const uint32_t left_ms = (uint32_t)tick_to_ms(left) + 1;
	struct sim_fault f = {
		.kind = rng_below(&s->rng, SIM_FAULT_KINDS),
		.place = (uint8_t)rng_below(&s->rng, s->n_places),
		.peer = (uint8_t)rng_below(&s->rng, s->n_places),
	};

	while (!(allowed >> f.kind & 1))
		f.kind = rng_below(&s->rng, SIM_FAULT_KINDS);
	switch (f.kind) {
	case SIM_LEAP: f.amount = between(s, 1, chance(s, 50) ? 200 : 10000); break;
	case SIM_PARTITION: f.amount = between(s, 1, (1u << s->n_places) - 1); break;
	case SIM_LOSS: f.amount = between(s, 1, chance(s, 70) ? 300 : 1000); break;
	case SIM_DELAY: f.amount = between(s, 1, (uint32_t)(interval / 1000)); break;
	case SIM_DUPLICATE: f.amount = between(s, 1, 500); break;
	case SIM_STALL: f.amount = between(s, 1, left_ms); break;
	case SIM_FAIL: f.amount = between(s, 100, 1000); break;
	case SIM_REFUSE: f.amount = between(s, 10, 1000); break;
	case SIM_STEAL: f.amount = rng_below(&s->rng, SIM_VIPS_MAX); break;
	case SIM_KILL:
	case SIM_FREEZE: f.amount = chance(s, 50) ? between(s, 1, SIM_STAGES - 1) : 0; break;
	case SIM_KILL_BOTH:
		/* who has announced a claim and dies before it could advertise it leaves nobody who
		 * could tell the clients */
		if (chance(s, 50) && s->files[0].spec.refresh < tick_s(60))
			f.amount = between(s, 1, SIM_STAGES - 1);
		break;
	case SIM_PAUSE:
		/* a successor that came and went meanwhile leaves nobody who could tell the clients */
		f.amount = chance(s, 50) && s->files[0].spec.refresh < tick_s(60);
		break;
	case SIM_START:
	case SIM_CRASH:
	case SIM_STOP:
	case SIM_DRAIN:
	case SIM_UNDRAIN:
	case SIM_THAW:
	case SIM_RESUME:
	case SIM_UNPLUG:
	case SIM_PLUG:
	case SIM_CUT:
	case SIM_HEAL:
	case SIM_DEAFEN:
	case SIM_FAULT_KINDS: break;
	}
	return f;
}

/* What undoes a fault that lasts; SIM_FAULT_KINDS if nothing need. */
static enum sim_fault_kind undo(enum sim_fault_kind kind)
{
	static const enum sim_fault_kind undos[SIM_FAULT_KINDS] = {
		[SIM_CRASH] = SIM_START,
		[SIM_KILL] = SIM_START,
		[SIM_KILL_BOTH] = SIM_START,
		[SIM_STOP] = SIM_START,
		[SIM_DRAIN] = SIM_UNDRAIN,
		[SIM_FREEZE] = SIM_THAW,
		[SIM_PAUSE] = SIM_RESUME,
		[SIM_UNPLUG] = SIM_PLUG,
		[SIM_CUT] = SIM_HEAL,
		[SIM_PARTITION] = SIM_HEAL,
		[SIM_LOSS] = SIM_LOSS,
		[SIM_DELAY] = SIM_DELAY,
		[SIM_DUPLICATE] = SIM_DUPLICATE,
		[SIM_FAIL] = SIM_FAIL,
		[SIM_REFUSE] = SIM_REFUSE,
	};

	return undos[kind] ? undos[kind] : SIM_FAULT_KINDS;
}

static void break_things(struct sim *s, uint32_t allowed, tick interval)
{
	const tick window = tick_ms(between(s, 1000, 3000)) + interval * between(s, 5, 40);

	for (uint32_t i = between(s, 1, FAULTS_MAX); i > 0; i--) {
		const tick at = rng_next(&s->rng) % window;
		const struct sim_fault f = random_fault(s, allowed, interval, window - at);
		const struct sim_fault undone = {.kind = undo(f.kind), .place = f.place};

		sim_apply_at(s, &f, s->now + at);
		if (undone.kind != SIM_FAULT_KINDS && chance(s, 60))
			sim_apply_at(s, &undone, s->now + at + rng_next(&s->rng) % (window - at));
	}
	sim_run(s, window);
}

/* The network is whole again, or in two clean parts; whoever is still down may stay so, except that
 * without a fence a daemon that was killed has left its addresses, and must come back or take its
 * machine along. */
static void mend_things(struct sim *s)
{
	fault(s, SIM_HEAL, 0, 0);
	fault(s, SIM_LOSS, 0, 0);
	fault(s, SIM_DELAY, 0, 0);
	fault(s, SIM_DUPLICATE, 0, 0);
	for (uint32_t i = 0; i < s->n_places; i++) {
		const struct sim_machine *m = &s->machines[i];

		fault(s, SIM_FAIL, i, 0);
		fault(s, SIM_REFUSE, i, 0);
		fault(s, SIM_RESUME, i, 0);
		fault(s, SIM_THAW, i, 0);
		if (chance(s, 90))
			fault(s, SIM_PLUG, i, 0);
		if (!sim_is_running(m) && m->present && chance(s, 20))
			fault(s, SIM_CRASH, i, 0);
		else if (chance(s, 80) || (s->unfenced && m->present))
			fault(s, SIM_START, i, 0);
	}
	if (chance(s, 75))
		return;
	/* not from one partition into another: nobody could know what a client brings along */
	sim_run(s, sim_calm_span(s));
	fault(s, SIM_PARTITION, 0, between(s, 1, (1u << s->n_places) - 1));
}

/* ------------------------------------------------------------------- calm */

static bool is_whole(const struct sim *s)
{
	for (uint32_t i = 0; i < s->n_places; i++)
		if (sim_component(s, i) != (1u << s->n_places) - 1 ||
			(s->machines[i].up && !s->machines[i].carrier))
			return false;
	return true;
}

static uint32_t held_by(const struct sim *s, uint32_t place)
{
	uint32_t held = 0;

	for (uint32_t number = 0; number < SIM_VIPS_MAX; number++)
		if (sim_holder(s, number) == (int32_t)place)
			held |= UINT32_C(1) << number;
	return held;
}

static uint32_t n_running(const struct sim *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n_places; i++)
		n += sim_is_running(&s->machines[i]);
	return n;
}

/* The service ends without a word, or with the guardian's. */
static bool is_death(enum sim_fault_kind act)
{
	return act == SIM_CRASH || act == SIM_KILL || act == SIM_KILL_BOTH || act == SIM_FREEZE;
}

static enum sim_fault_kind random_act(struct sim *s, uint32_t place)
{
	/* without a fence the last two are no deaths */
	static const enum sim_fault_kind acts[] = {
		SIM_CRASH, SIM_STOP, SIM_DRAIN, SIM_UNDRAIN, SIM_KILL, SIM_KILL_BOTH, SIM_FREEZE};

	if (!sim_is_running(&s->machines[place]))
		return SIM_START;
	return acts[rng_below(&s->rng, ARRAY_SIZE(acts) - (s->unfenced ? 2 : 0))];
}

/* Does one thing to a quiet cluster that is whole, and expects just what that one thing may do. */
static void disturb_calm(struct sim *s)
{
	const uint32_t place = rng_below(&s->rng, s->n_places);
	const enum sim_fault_kind act = random_act(s, place);
	const uint32_t held = held_by(s, place);
	const tick bound = sim_outage_bound(s, place);
	const tick linger = s->files[0].services[0].vrrp.linger;
	const bool may_move_others = act == SIM_UNDRAIN || act == SIM_START ||
				     (act == SIM_KILL && s->machines[place].node->drained);

	if (!is_whole(s) || n_running(s) < 2)
		return;
	sim_watch(s);
	fault(s, act, place, 0);
	sim_run(s, sim_calm_span(s));
	sim_unwatch(s);
	if (is_death(act) && s->watch.outage > bound)
		sim_complain(
			s, "an outage of %.3f ms after a death", (double)s->watch.outage / 1e6);
	/* the last announcement and the first advertisement are on their way together */
	if (!is_death(act) && s->watch.outage > (linger ? 0 : tick_us(GAP_US)))
		sim_complain(s, "a gap of %.3f ms in a planned hand-over",
			(double)s->watch.outage / 1e6);
	/* one whose daemon was killed is back at once, and takes over again */
	if (s->watch.overlap > (linger + tick_ms(OVERLAP_MS)) * (act == SIM_KILL ? 2 : 1))
		sim_complain(s, "an overlap of %.3f ms", (double)s->watch.overlap / 1e6);
	if (!may_move_others && (s->watch.moved | s->watch.left) & ~held)
		sim_complain(s, "VIPs %x moved, though only %x had to", s->watch.moved, held);
	if (act == SIM_FREEZE) {
		fault(s, SIM_THAW, place, 0);
		sim_run(s, sim_calm_span(s));
	}
	sim_check_quiet(s);
}

struct sim *chaos_run(uint64_t seed, enum sim_sabotage sabotage)
{
	struct sim *s = sim_new(seed);
	uint32_t allowed;
	bool one;
	tick interval;

	s->sabotage = sabotage;
	one = build(s);
	allowed = random_mood(s);
	s->unfenced = sabotage == SIM_SANE && chance(s, 5);
	if (chance(s, 60))
		for (uint32_t i = 0; i < s->n_places; i++)
			s->machines[i].ppm = (int32_t)between(s, 0, 2 * DRIFT_PPM) - DRIFT_PPM;
	s->late_wakes = chance(s, 80) ? 4 : 32;
	interval = s->files[0].spec.services[0].vrrp.interval;
	for (uint32_t i = 0; i < s->n_places; i++) {
		fault(s, SIM_START, i, 0);
		sim_run(s, tick_ms(between(s, 0, 200)));
	}
	sim_run(s, sim_calm_span(s));
	sim_check_quiet(s);
	if (one && chance(s, 50))
		disturb_calm(s);
	for (uint32_t rounds = chance(s, 80) ? 1 : 3; rounds > 0 && !s->complaint[0]; rounds--) {
		break_things(s, allowed, interval);
		mend_things(s);
		sim_run(s, sim_settle_span(s));
		sim_check_quiet(s);
		if (is_whole(s))
			continue;
		fault(s, SIM_HEAL, 0, 0);
		sim_run(s, sim_settle_span(s));
		sim_check_quiet(s);
	}
	if (one && chance(s, 50) && !s->complaint[0])
		disturb_calm(s);
	return s;
}
