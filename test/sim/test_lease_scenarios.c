/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a dead, hung or sleeping daemon leaves behind its fence; doc/design/0009-lease.md. The claims
 * themselves are checked at every instant of every scenario (claims.c). */
#include "scenario.h"

#define LEASE (INTERVAL * 29 / 10)

/* Three servers whose clocks drift from each other as far as @ppm allows. */
static struct sim *drifting_cluster(int32_t ppm, tick interval, uint64_t seed)
{
	const struct sim_file_spec spec = sim_file_spec(3, 4, 2, interval);
	struct sim *s = sim_new(seed);

	sim_add_cluster(s, &spec);
	for (uint32_t place = 0; place < 3; place++)
		s->machines[place].ppm = place == 1 ? -ppm : ppm;
	return s;
}

/* @place is frozen for @span at @stage of a turn; all is watched until it is quiet again. */
static struct sim_watch freeze(struct sim *s, uint32_t place, enum sim_stage stage, tick span)
{
	sim_watch(s);
	apply(s, SIM_FREEZE, place, stage);
	sim_run(s, span);
	apply(s, SIM_THAW, place, 0);
	sim_run(s, sim_settle_span(s));
	sim_unwatch(s);
	return s->watch;
}

static void expect_taken_over(struct sim *s, const struct sim_watch *w, uint32_t place)
{
	ck_assert_uint_gt(w->moved, 0);
	ck_assert_uint_eq(w->overlap, 0);
	ck_assert_uint_le(w->outage, sim_outage_bound(s, place));
}

/* ------------------------------------------------------------------- death */

START_TEST(a_killed_daemon_is_succeeded_within_moments)
{
	struct sim *s = cluster();
	const uint32_t held = held_by(s, 1);

	sim_watch(s);
	apply(s, SIM_KILL, 1, 0);
	sim_run(s, tick_ms(90)); /* before its next life */
	sim_unwatch(s);
	ck_assert_uint_eq(s->watch.moved, held);
	ck_assert_uint_eq(s->watch.overlap, 0);
	ck_assert_uint_gt(s->watch.outage, 0);
	ck_assert_uint_le(s->watch.outage, MOMENT);
	ck_assert_uint_eq(s->machines[1].present, 0);
	settle(s);
	ck_assert_uint_eq(held_by(s, 1), held);
	sim_free(s);
}
END_TEST

START_TEST(a_daemon_killed_with_its_guardian_leaves_addresses_that_do_not_answer)
{
	struct sim *s = cluster();
	const uint32_t held = held_by(s, 1);
	const tick bound = sim_outage_bound(s, 1);
	const struct sim_watch w = watch(s, SIM_KILL_BOTH, 1, 0);

	ck_assert_uint_eq(w.moved, held);
	ck_assert_uint_eq(w.overlap, 0);
	ck_assert_uint_le(w.outage, bound);
	ck_assert_uint_eq(s->machines[1].present, held);
	ck_assert_uint_eq(s->machines[1].answers, 0);
	apply(s, SIM_START, 1, 0);
	settle(s);
	sim_free(s);
}
END_TEST

START_TEST(the_next_life_of_a_daemon_neither_flaps_nor_steals)
{
	struct sim *s = cluster();
	const uint32_t held = held_by(s, 1);
	struct sim_watch w;

	apply(s, SIM_KILL_BOTH, 1, 0);
	settle(s);
	w = watch(s, SIM_START, 1, 0);
	ck_assert_uint_eq(w.moved, held);
	expect_smooth(s, &w);
	sim_free(s);
}
END_TEST

START_TEST(a_death_at_any_stage_of_a_turn_is_no_double_service)
{
	static const enum sim_fault_kind deaths[] = {SIM_KILL, SIM_KILL_BOTH};

	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t stage = 1; stage < SIM_STAGES; stage++) {
			struct sim *s = cluster();

			sim_watch(s);
			apply(s, deaths[i], 0, stage);
			sim_run(s, tick_ms(95));
			sim_unwatch(s);
			sim_run(s, sim_settle_span(s));
			expect_no_complaint(s);
			ck_assert_uint_eq(s->watch.overlap, 0);
			sim_free(s);
		}
	}
}
END_TEST

/* ------------------------------------------------------------------- sleep */

START_TEST(a_frozen_daemon_is_succeeded_and_nobody_answers_twice)
{
	struct sim *s = cluster();
	const tick bound = sim_outage_bound(s, 0);
	struct sim_watch w;

	ck_assert_uint_ne(held_by(s, 0), 0);
	w = freeze(s, 0, SIM_STAGE_NONE, tick_s(10));
	expect_no_complaint(s);
	/* the lease ends a tenth of an interval before the successor's Active_Down at the earliest */
	ck_assert_uint_le(w.outage, bound);
	ck_assert_uint_le(w.overlap, s->files[0].services[0].vrrp.linger + SPACING + MOMENT);
	sim_free(s);
}
END_TEST

START_TEST(a_freeze_at_any_stage_of_a_turn_is_no_double_service)
{
	for (uint32_t stage = 0; stage < SIM_STAGES; stage++) {
		for (uint64_t seed = 1; seed <= 10; seed++) {
			const struct sim_file_spec spec = sim_file_spec(3, 4, 2, INTERVAL);
			struct sim *s = cluster_of(&spec, seed);

			sim_watch(s);
			apply(s, SIM_FREEZE, 0, stage);
			sim_run(s, tick_s(2));
			sim_unwatch(s);
			expect_no_complaint(s);
			expect_taken_over(s, &s->watch, 0);
			sim_free(s);
		}
	}
}
END_TEST

START_TEST(a_frozen_daemon_answers_until_its_lease_is_over)
{
	struct sim *s = cluster();

	apply(s, SIM_FREEZE, 0, SIM_STAGE_WIDENED); /* an advertisement has just left */
	sim_run(s, INTERVAL + MOMENT);
	ck_assert(s->machines[0].frozen);
	sim_run(s, LEASE - INTERVAL - 2 * MOMENT);
	ck_assert_uint_ne(s->machines[0].answers, 0);
	sim_run(s, 2 * MOMENT);
	ck_assert_uint_eq(s->machines[0].answers, 0);
	expect_no_complaint(s);
	sim_free(s);
}
END_TEST

START_TEST(a_stall_shorter_than_the_lease_moves_nothing)
{
	struct sim *s = cluster();
	const struct sim_watch w = freeze(s, 0, SIM_STAGE_NONE, INTERVAL * 18 / 10);

	ck_assert_uint_eq(w.moved, 0);
	ck_assert_uint_eq(w.outage, 0);
	expect_no_complaint(s);
	sim_free(s);
}
END_TEST

START_TEST(a_suspended_machine_wakes_up_closed)
{
	struct sim *s = cluster();

	sim_watch(s);
	apply(s, SIM_PAUSE, 0, 0);
	sim_run(s, tick_s(10));
	apply(s, SIM_RESUME, 0, 0);
	ck_assert_uint_eq(s->machines[0].answers, 0);
	sim_run(s, tick_ms(5));
	sim_unwatch(s);
	expect_taken_over(s, &s->watch, 0);
	settle(s);
	sim_free(s);
}
END_TEST

/* It can't know how long it was away: the one window that no clock of its own can close. */
START_TEST(a_machine_whose_clock_stood_still_answers_until_it_has_read_the_news)
{
	struct sim *s = cluster();

	apply(s, SIM_PAUSE, 0, 1);
	sim_run(s, tick_s(10));
	sim_watch(s);
	apply(s, SIM_RESUME, 0, 0);
	ck_assert_uint_ne(s->machines[0].answers, 0);
	sim_run(s, tick_ms(200));
	sim_unwatch(s);
	ck_assert_uint_gt(s->watch.overlap, 0);
	/* one that it comes before in the order answers its advertisement, and lets go */
	ck_assert_uint_le(s->watch.overlap, INTERVAL + tick_ms(20) + VRRP_BELIEVED + MOMENT);
	settle(s);
	sim_free(s);
}
END_TEST

/* ... and begins to, if its address came late: it took over before its clock stood still. */
START_TEST(a_machine_whose_clock_stood_still_begins_with_what_it_took_over)
{
	const struct sim_file_spec spec = sim_file_spec(2, 1, 0, INTERVAL);
	struct sim *s = cluster_of(&spec, 1);
	const uint32_t first = (uint32_t)sim_holder(s, 0), second = 1 - first;

	apply(s, SIM_DRAIN, first, 0);
	settle(s);
	apply(s, SIM_CRASH, second, 0);
	apply(s, SIM_UNDRAIN, first, 0);
	apply(s, SIM_STALL, first, 600);
	sim_run(s, tick_ms(200));
	apply(s, SIM_START, second, 0);
	sim_run(s, tick_ms(300));
	ck_assert_int_eq(s->machines[first].node->units[0].vrrp.state, VRRP_ACTIVE);
	ck_assert_uint_eq(s->machines[first].answers, 0);
	apply(s, SIM_PAUSE, first, 1);
	sim_run(s, tick_s(2));
	ck_assert_uint_ne(s->machines[second].answers, 0);
	sim_watch(s);
	apply(s, SIM_RESUME, first, 0);
	settle(s);
	sim_unwatch(s);
	ck_assert_uint_gt(s->watch.overlap, 0);
	ck_assert_uint_le(s->watch.overlap, INTERVAL + MOMENT);
	sim_free(s);
}
END_TEST

/* What took over from it meanwhile could not say so, and begins once it can: there is no consent, and its first
 * advertisement ends the service of both. Seed 7574. */
START_TEST(who_took_over_from_a_clock_that_stood_still_begins_when_it_can_say_so)
{
	const struct sim_file_spec spec = sim_file_spec(2, 1, 0, INTERVAL);
	struct sim *s = cluster_of(&spec, 1);
	const uint32_t first = (uint32_t)sim_holder(s, 0), second = 1 - first;

	apply(s, SIM_REFUSE, second, 1000);
	apply(s, SIM_PAUSE, first, 1);
	sim_run(s, tick_s(1));
	ck_assert_int_eq(s->machines[second].node->units[0].vrrp.state, VRRP_ACTIVE);
	ck_assert_uint_eq(s->machines[second].answers, 0);
	apply(s, SIM_RESUME, first, 0);
	apply(s, SIM_DRAIN, first, 0);
	sim_run(s, INTERVAL);
	ck_assert_uint_ne(s->machines[first].answers, 0);
	sim_watch(s);
	apply(s, SIM_REFUSE, second, 0);
	settle(s);
	sim_unwatch(s);
	ck_assert_uint_gt(s->watch.overlap, 0);
	ck_assert_uint_le(s->watch.overlap, MOMENT + SPACING + tick_ms(60));
	ck_assert_int_eq(sim_holder(s, 0), second);
	sim_free(s);
}
END_TEST

START_TEST(a_machine_whose_clock_stood_still_answers_no_longer_than_its_lease)
{
	struct sim *s = cluster();

	apply(s, SIM_PAUSE, 0, 1);
	sim_run(s, tick_s(10));
	apply(s, SIM_FREEZE, 0, 0); /* the daemon never runs again */
	sim_watch(s);
	apply(s, SIM_RESUME, 0, 0);
	sim_run(s, tick_s(2));
	sim_unwatch(s);
	expect_no_complaint(s);
	ck_assert_uint_gt(s->watch.overlap, 0);
	ck_assert_uint_le(s->watch.overlap, LEASE);
	sim_free(s);
}
END_TEST

/* ------------------------------------------------------------------ clocks */

START_TEST(clocks_that_drift_by_1000_ppm_are_no_double_service)
{
	static const uint32_t intervals_ms[] = {10, 100, 1000};

	for (uint32_t i = 0; i < 3; i++) {
		for (uint64_t seed = 1; seed <= 5; seed++) {
			struct sim *s = drifting_cluster(1000, tick_ms(intervals_ms[i]), seed);

			settle(s);
			sim_watch(s);
			apply(s, SIM_FREEZE, 1, 0);
			sim_run(s, 6 * tick_ms(intervals_ms[i]));
			sim_unwatch(s);
			expect_no_complaint(s);
			expect_taken_over(s, &s->watch, 1);
			sim_free(s);
		}
	}
}
END_TEST

/* The control: the margin is a tenth of an interval and the skew, and 10 % each way are too much. */
START_TEST(clocks_that_drift_by_10_percent_are_double_service)
{
	struct sim *s = drifting_cluster(100000, tick_s(1), 1);

	sim_run(s, sim_settle_span(s));
	expect_no_complaint(s);
	sim_watch(s);
	apply(s, SIM_FREEZE, 1, SIM_STAGE_WIDENED);
	sim_run(s, tick_s(6));
	sim_unwatch(s);
	ck_assert_uint_gt(s->watch.overlap, 0);
	ck_assert_msg(strstr(s->complaint, "begins to answer"), "%s", s->complaint);
	sim_free(s);
}
END_TEST

/* ----------------------------------------------------------------- network */

START_TEST(late_packets_are_no_double_service)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		const struct sim_file_spec spec = sim_file_spec(3, 4, 2, INTERVAL);
		struct sim *s = cluster_of(&spec, seed);

		apply(s, SIM_DELAY, 0, 5 * 1000); /* less than what two skews differ by */
		sim_run(s, tick_s(1));
		sim_watch(s);
		apply(s, SIM_FREEZE, 0, (uint32_t)(seed % SIM_STAGES));
		sim_run(s, tick_s(2));
		sim_unwatch(s);
		expect_no_complaint(s);
		ck_assert_uint_gt(s->watch.moved, 0);
		ck_assert_uint_eq(s->watch.overlap, 0);
		sim_free(s);
	}
}
END_TEST

START_TEST(the_first_advertisement_ends_a_double_service_though_netlink_stalls)
{
	struct sim *s = cluster();

	apply(s, SIM_PARTITION, 0, 1 << 0);
	settle(s);
	for (uint32_t place = 0; place < 3; place++)
		apply(s, SIM_STALL, place, 5000);
	sim_watch(s);
	apply(s, SIM_HEAL, 0, 0);
	sim_run(s, tick_s(1));
	sim_unwatch(s);
	ck_assert_uint_gt(s->watch.overlap, 0);
	ck_assert_uint_le(s->watch.overlap, INTERVAL + tick_ms(20) + VRRP_BELIEVED + MOMENT);
	sim_run(s, tick_s(10));
	settle(s);
	sim_free(s);
}
END_TEST

/* A Backup is held up between its clock and its socket, and the Active dies as it goes on. */
static struct sim *stall_before_reading(enum sim_sabotage sabotage)
{
	const struct sim_file_spec spec = sim_file_spec(2, 1, 0, INTERVAL);
	struct sim *s = cluster_of(&spec, 1);
	const uint32_t active = (uint32_t)sim_holder(s, 0), backup = 1 - active;

	s->sabotage = sabotage;
	apply(s, SIM_FREEZE, backup, SIM_STAGE_WOKEN);
	sim_run(s, 3 * INTERVAL);
	ck_assert(s->machines[backup].frozen);
	apply(s, SIM_FREEZE, active, 0);
	apply(s, SIM_THAW, backup, 0);
	sim_watch(s);
	sim_run(s, 5 * INTERVAL);
	sim_unwatch(s);
	ck_assert_int_eq(s->watch.moved, 1 << 0);
	return s;
}

START_TEST(a_backup_that_is_held_up_before_it_reads_does_not_take_over_early)
{
	struct sim *s = stall_before_reading(SIM_SANE);

	expect_no_complaint(s);
	ck_assert_uint_eq(s->watch.overlap, 0);
	sim_free(s);
	s = stall_before_reading(SIM_EARLY_CLOCK);
	ck_assert_msg(strstr(s->complaint, "begins to answer"), "%s", s->complaint);
	ck_assert_uint_gt(s->watch.overlap, INTERVAL);
	sim_free(s);
}
END_TEST

START_TEST(an_active_that_is_held_up_before_it_reads_lapses_before_it_reads)
{
	struct sim *s = cluster();
	const struct node_counters *counters = &s->machines[0].node->counters;

	apply(s, SIM_FREEZE, 0, SIM_STAGE_WOKEN);
	sim_run(s, tick_s(2));
	apply(s, SIM_THAW, 0, 0);
	sim_run(s, tick_us(200));
	ck_assert_uint_eq(counters->lapses, 1);
	ck_assert_uint_eq(counters->conflicts, 0);
	settle(s);
	sim_free(s);
}
END_TEST

/* The one who leaves can't be told any more, so its lease has to end first. */
START_TEST(a_hand_over_from_a_daemon_that_freezes_overlaps_for_its_lease_at_most)
{
	tick longest = 0;

	for (uint32_t i = 0; i < 40; i++) {
		struct sim *s = cluster();

		sim_watch(s);
		apply(s, SIM_STOP, 0, 0);
		sim_run(s, tick_us(50) * i);
		apply(s, SIM_FREEZE, 0, 0);
		sim_run(s, tick_s(1));
		sim_unwatch(s);
		longest = tick_max(longest, s->watch.overlap);
		apply(s, SIM_THAW, 0, 0);
		settle(s);
		sim_free(s);
	}
	ck_assert_uint_gt(longest, MOMENT);
	ck_assert_uint_le(longest, LEASE);
}
END_TEST

/* Server 0 has one virtual router for both VIPs; server 1, whose file is another, keeps one of
 * them. */
START_TEST(one_that_listens_stays_closed_when_its_router_begins_to_serve)
{
	struct sim_file_spec spec = sim_file_spec(2, 2, 0, INTERVAL);
	struct sim *s = sim_new(1);

	sim_add_file(s, &spec);
	spec.services[0].bundle = 2;
	sim_add_file(s, &spec);
	sim_add_machine(s, 1);
	sim_add_machine(s, 0);
	apply(s, SIM_START, 0, 0);
	apply(s, SIM_START, 1, 0);
	settle(s);
	ck_assert_uint_eq(s->machines[0].node->n_routers, 1);
	ck_assert_uint_eq(held_by(s, 0), 1 << 0);
	ck_assert_uint_eq(held_by(s, 1), 1 << 1);
	apply(s, SIM_CRASH, 1, 0);
	apply(s, SIM_LEAP, 0, 1000);
	sim_run(s, INTERVAL + INTERVAL / 4);
	ck_assert_uint_eq(s->machines[0].answers, 1 << 1);
	settle(s);
	ck_assert_uint_eq(held_by(s, 0), 1 << 0 | 1 << 1);
	sim_free(s);
}
END_TEST

/* ---------------------------------------------------------------- controls */

START_TEST(without_a_fence_the_dead_and_the_frozen_answer_beside_their_successors)
{
	static const enum sim_fault_kind acts[] = {SIM_KILL_BOTH, SIM_FREEZE};

	for (uint32_t i = 0; i < 2; i++) {
		const struct sim_file_spec spec = sim_file_spec(3, 4, 2, INTERVAL);
		struct sim *s = unfenced_cluster_of(&spec, 1);

		sim_watch(s);
		apply(s, acts[i], 0, 0);
		sim_run(s, tick_s(10));
		sim_unwatch(s);
		ck_assert_uint_ge(s->watch.overlap, tick_s(9));
		sim_free(s);
	}
}
END_TEST

START_TEST(seeds_find_a_machine_without_a_fence)
{
	expect_found(SIM_NO_FENCE, "longer than it may");
}
END_TEST

START_TEST(seeds_find_a_lease_that_is_renewed_before_the_advertisement_has_left)
{
	expect_found(SIM_EARLY_LEASE, "longer than it may");
}
END_TEST

START_TEST(seeds_find_a_lease_that_counts_from_when_it_is_stored)
{
	expect_found(SIM_STALE_LEASE, "longer than it may");
}
END_TEST

START_TEST(seeds_find_a_lease_that_is_too_long)
{
	expect_found(SIM_LONG_LEASE, "begins to answer");
}
END_TEST

START_TEST(seeds_find_permissions_that_stay)
{
	expect_found(SIM_STICKY_CELL, "longer than it may");
}
END_TEST

START_TEST(seeds_find_an_active_that_does_not_yield)
{
	expect_found(SIM_STUBBORN, "has heard a better one");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_killed_daemon_is_succeeded_within_moments,
		a_daemon_killed_with_its_guardian_leaves_addresses_that_do_not_answer,
		the_next_life_of_a_daemon_neither_flaps_nor_steals,
		a_death_at_any_stage_of_a_turn_is_no_double_service,
		a_frozen_daemon_is_succeeded_and_nobody_answers_twice,
		a_freeze_at_any_stage_of_a_turn_is_no_double_service,
		a_frozen_daemon_answers_until_its_lease_is_over,
		a_stall_shorter_than_the_lease_moves_nothing,
		a_suspended_machine_wakes_up_closed,
		a_machine_whose_clock_stood_still_answers_until_it_has_read_the_news,
		a_machine_whose_clock_stood_still_begins_with_what_it_took_over,
		who_took_over_from_a_clock_that_stood_still_begins_when_it_can_say_so,
		a_machine_whose_clock_stood_still_answers_no_longer_than_its_lease,
		clocks_that_drift_by_1000_ppm_are_no_double_service,
		clocks_that_drift_by_10_percent_are_double_service,
		late_packets_are_no_double_service,
		the_first_advertisement_ends_a_double_service_though_netlink_stalls,
		a_backup_that_is_held_up_before_it_reads_does_not_take_over_early,
		an_active_that_is_held_up_before_it_reads_lapses_before_it_reads,
		a_hand_over_from_a_daemon_that_freezes_overlaps_for_its_lease_at_most,
		one_that_listens_stays_closed_when_its_router_begins_to_serve,
		without_a_fence_the_dead_and_the_frozen_answer_beside_their_successors,
		seeds_find_a_machine_without_a_fence,
		seeds_find_a_lease_that_is_renewed_before_the_advertisement_has_left,
		seeds_find_a_lease_that_counts_from_when_it_is_stored,
		seeds_find_a_lease_that_is_too_long,
		seeds_find_permissions_that_stay,
		seeds_find_an_active_that_does_not_yield,
	};

	return run_suite("lease-scenarios", tests, sizeof tests / sizeof tests[0]);
}
