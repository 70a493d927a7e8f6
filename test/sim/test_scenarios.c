/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clusters in trouble, one named trouble at a time. Places are servers; VIPs go by their
 * numbers. */
#include "scenario.h"

/* Takeovers because of silence, of all daemons. */
static uint64_t takeovers(const struct sim *s)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < s->n_places; i++)
		n += s->machines[i].node ? s->machines[i].node->counters.takeovers : 0;
	return n;
}

/* ------------------------------------------------------- failing, leaving */

START_TEST(three_servers_share_six_vips_two_each)
{
	struct sim *s = cluster();

	for (uint32_t place = 0; place < 3; place++)
		ck_assert_int_eq(__builtin_popcount(held_by(s, place)), 2);
	sim_free(s);
}
END_TEST

START_TEST(a_crash_moves_only_the_dead_servers_vips_within_active_down)
{
	struct sim *s = cluster();
	const uint32_t held = held_by(s, 1), kept = held_by(s, 0);
	const tick bound = sim_outage_bound(s, 1);
	const struct sim_watch w = watch(s, SIM_CRASH, 1, 0);

	ck_assert_uint_eq(w.moved, held);
	ck_assert_uint_eq(w.left, 0);
	ck_assert_uint_eq(held_by(s, 0) & kept, kept);
	ck_assert_uint_ge(w.outage, tick_ms(200)); /* else nothing was measured */
	ck_assert_uint_le(w.outage, bound);
	ck_assert_uint_eq(w.overlap, 0);
	sim_free(s);
}
END_TEST

START_TEST(a_stop_hands_over_without_a_gap)
{
	struct sim *s = cluster();
	const uint32_t held = held_by(s, 2);
	const struct sim_watch w = watch(s, SIM_STOP, 2, 0);

	ck_assert_uint_eq(w.moved, held);
	expect_smooth(s, &w);
	ck_assert_ptr_null(s->machines[2].node);
	sim_free(s);
}
END_TEST

START_TEST(the_next_in_the_order_does_not_wait_when_one_leaves)
{
	const struct sim_file_spec spec = sim_file_spec(3, 6, 0, tick_s(1));
	struct sim *s = cluster_of(&spec, 1);

	apply(s, SIM_STOP, 0, 0);
	sim_run(s, MOMENT); /* its skew would be a quarter of a second */
	ck_assert_int_eq(__builtin_popcount(held_by(s, 1) | held_by(s, 2)), 6);
	settle(s);
	sim_free(s);
}
END_TEST

START_TEST(dropping_the_addresses_at_once_makes_a_gap)
{
	struct sim *s = cluster();

	s->sabotage = SIM_ABRUPT_LEAVER;
	ck_assert_uint_gt(watch(s, SIM_STOP, 2, 0).outage, 0);
	sim_free(s);
}
END_TEST

START_TEST(a_drain_hands_over_without_a_gap_and_its_end_takes_back)
{
	struct sim *s = cluster();
	const uint32_t held = held_by(s, 0);
	struct sim_watch w = watch(s, SIM_DRAIN, 0, 0);

	ck_assert_uint_eq(w.moved, held);
	ck_assert_uint_eq(held_by(s, 0), 0);
	expect_smooth(s, &w);
	w = watch(s, SIM_UNDRAIN, 0, 0);
	ck_assert_uint_eq(w.moved, held);
	ck_assert_uint_eq(held_by(s, 0), held);
	expect_smooth(s, &w);
	sim_free(s);
}
END_TEST

START_TEST(drained_servers_serve_when_nobody_else_does)
{
	struct sim *s = cluster();

	apply(s, SIM_DRAIN, 0, 0);
	apply(s, SIM_DRAIN, 1, 0);
	settle(s);
	apply(s, SIM_CRASH, 2, 0);
	settle(s);
	ck_assert_int_eq(__builtin_popcount(held_by(s, 0) | held_by(s, 1)), 6);
	sim_free(s);
}
END_TEST

START_TEST(a_returning_server_takes_its_share_back_without_a_gap)
{
	struct sim *s = cluster();
	const uint32_t held = held_by(s, 1);
	struct sim_watch w;

	apply(s, SIM_CRASH, 1, 0);
	settle(s);
	w = watch(s, SIM_START, 1, 0);
	ck_assert_uint_eq(w.moved, held);
	ck_assert_uint_eq(held_by(s, 1), held);
	expect_smooth(s, &w);
	sim_free(s);
}
END_TEST

START_TEST(a_returning_server_waits_for_the_preempt_delay)
{
	struct sim_file_spec spec = sim_file_spec(3, 6, 0, INTERVAL);
	struct sim *s;

	spec.services[0].vrrp.preempt_delay = tick_s(2);
	s = cluster_of(&spec, 1);
	apply(s, SIM_CRASH, 1, 0);
	settle(s);
	apply(s, SIM_START, 1, 0);
	sim_run(s, tick_ms(1900));
	ck_assert_uint_eq(held_by(s, 1), 0);
	sim_run(s, tick_ms(600));
	ck_assert_uint_ne(held_by(s, 1), 0);
	settle(s);
	sim_free(s);
}
END_TEST

START_TEST(nobody_waits_for_the_preempt_delay_when_nobody_serves)
{
	struct sim_file_spec spec = sim_file_spec(2, 4, 0, INTERVAL);
	struct sim *s = sim_new(1);

	spec.services[0].vrrp.preempt_delay = tick_s(60);
	sim_add_cluster(s, &spec);
	sim_run(s, 5 * INTERVAL);
	ck_assert_uint_eq(held_by(s, 0) | held_by(s, 1), 0xf);
	sim_free(s);
}
END_TEST

START_TEST(without_preemption_a_return_moves_nothing)
{
	struct sim_file_spec spec = sim_file_spec(3, 6, 0, INTERVAL);
	struct sim *s;

	spec.services[0].vrrp.preempt = false;
	s = cluster_of(&spec, 1);
	apply(s, SIM_CRASH, 0, 0);
	settle(s);
	ck_assert_uint_eq(watch(s, SIM_START, 0, 0).moved, 0);
	sim_free(s);
}
END_TEST

START_TEST(version_2_fails_over_and_back)
{
	struct sim_file_spec spec = sim_file_spec(3, 6, 0, tick_s(1));
	struct sim *s;
	tick bound;

	spec.services[0].vrrp.version = 2;
	s = cluster_of(&spec, 1);
	bound = sim_outage_bound(s, 0);
	ck_assert_uint_le(watch(s, SIM_CRASH, 0, 0).outage, bound);
	ck_assert_uint_eq(watch(s, SIM_START, 0, 0).outage, 0);
	sim_free(s);
}
END_TEST

/* ---------------------------------------------------------------- network */

START_TEST(each_side_of_a_partition_serves_everything_and_healing_leaves_one)
{
	struct sim *s = cluster();
	const uint32_t held = held_by(s, 0);

	apply(s, SIM_PARTITION, 0, 1 << 0);
	settle(s); /* checks either side */
	ck_assert_int_eq(sim_holder(s, 0), SIM_NOBODY);
	ck_assert_uint_eq(watch(s, SIM_HEAL, 0, 0).moved, 0);
	ck_assert_uint_eq(held_by(s, 0), held);
	sim_free(s);
}
END_TEST

START_TEST(clients_are_told_within_50_ms_of_the_healing)
{
	struct sim *s = cluster();

	apply(s, SIM_PARTITION, 0, 1 << 1);
	settle(s);
	apply(s, SIM_HEAL, 0, 0);
	/* the first advertisement ends the conflict */
	sim_run(s, INTERVAL + tick_ms(50));
	sim_check_quiet(s);
	expect_no_complaint(s);
	sim_free(s);
}
END_TEST

START_TEST(a_way_that_is_open_in_one_direction_only_does_no_lasting_harm)
{
	struct sim *s = cluster();

	sim_apply(s, &(struct sim_fault){.kind = SIM_CUT, .place = 0, .peer = 1});
	sim_run(s, tick_s(5));
	apply(s, SIM_HEAL, 0, 0);
	settle(s);
	sim_free(s);
}
END_TEST

static struct sim *lossy_cluster(uint8_t redundancy)
{
	struct sim_file_spec spec = sim_file_spec(3, 6, 0, tick_ms(10));

	spec.services[0].vrrp.redundancy = redundancy;
	return cluster_of(&spec, 1);
}

START_TEST(one_missed_advertisement_makes_everybody_redundant_and_moves_nothing)
{
	struct sim *s = cluster();

	sim_watch(s);
	apply(s, SIM_LOSS, 0, 1000);
	sim_run(s, INTERVAL + MOMENT);
	apply(s, SIM_LOSS, 0, 0);
	sim_run(s, 2 * INTERVAL);
	sim_unwatch(s);
	ck_assert_uint_eq(s->watch.moved, 0);
	for (uint32_t place = 0; place < 3; place++)
		ck_assert_uint_eq(s->machines[place].node->redundancy, 4);
	sim_run(s, tick_s(61));
	for (uint32_t place = 0; place < 3; place++)
		ck_assert_uint_eq(s->machines[place].node->redundancy, 1);
	sim_free(s);
}
END_TEST

START_TEST(with_30_percent_loss_redundancy_keeps_vips_where_they_are)
{
	struct sim *s = lossy_cluster(CONFIG_REDUNDANCY_AUTO);
	uint64_t before;

	apply(s, SIM_LOSS, 0, 300);
	sim_run(s, tick_s(1)); /* auto learns */
	before = takeovers(s);
	sim_run(s, tick_s(30));
	ck_assert_uint_le(takeovers(s) - before, 2);
	sim_free(s);
}
END_TEST

START_TEST(with_30_percent_loss_and_no_redundancy_vips_flutter)
{
	struct sim *s = lossy_cluster(1);
	const uint64_t before = takeovers(s);

	apply(s, SIM_LOSS, 0, 300);
	sim_run(s, tick_s(30));
	ck_assert_uint_ge(takeovers(s) - before, 100);
	sim_free(s);
}
END_TEST

START_TEST(duplicates_and_packets_that_overtake_each_other_move_nothing)
{
	struct sim *s = cluster();
	struct sim_watch w;

	apply(s, SIM_DUPLICATE, 0, 500);
	w = watch(s, SIM_DELAY, 0, 50000);
	ck_assert_uint_eq(w.moved, 0);
	ck_assert_uint_eq(w.outage, 0);
	sim_free(s);
}
END_TEST

START_TEST(a_server_without_carrier_gives_up_its_vips_and_returns_without_a_gap)
{
	struct sim *s = cluster();
	const uint32_t held = held_by(s, 1);
	struct sim_watch w = watch(s, SIM_UNPLUG, 1, 0);

	ck_assert_uint_eq(w.moved, held);
	ck_assert_uint_eq(w.left, held);
	w = watch(s, SIM_PLUG, 1, 0);
	ck_assert_uint_eq(w.outage, 0);
	ck_assert_uint_eq(held_by(s, 1), held);
	sim_free(s);
}
END_TEST

/* ----------------------------------------------------- threads and clocks */

START_TEST(a_frozen_server_that_wakes_leaves_one_holder_and_clients_that_know_it)
{
	struct sim *s = cluster();

	apply(s, SIM_FREEZE, 0, 0);
	sim_run(s, tick_s(5));
	ck_assert_uint_ne(held_by(s, 1) | held_by(s, 2), 0);
	apply(s, SIM_THAW, 0, 0);
	settle(s);
	sim_free(s);
}
END_TEST

START_TEST(an_active_that_slept_announces_when_its_successor_has_died)
{
	struct sim *s = cluster();

	sim_run(s, tick_s(3)); /* its schedule is through */
	apply(s, SIM_FREEZE, 0, 0);
	apply(s, SIM_PARTITION, 0, 1 << 0); /* nor does its socket hear of them */
	sim_run(s, tick_ms(600));
	apply(s, SIM_CRASH, 1, 0);
	apply(s, SIM_CRASH, 2, 0);
	apply(s, SIM_HEAL, 0, 0);
	apply(s, SIM_THAW, 0, 0);
	settle(s);
	ck_assert_int_eq(__builtin_popcount(held_by(s, 0)), 6);
	sim_free(s);
}
END_TEST

START_TEST(one_that_was_suspended_listens_before_it_serves_again)
{
	struct sim *s = cluster();

	for (uint32_t place = 0; place < 3; place++) {
		const struct sim_watch w = watch(s, SIM_LEAP, place, 3600 * 1000);

		ck_assert_uint_eq(w.moved, 0);
		ck_assert_uint_eq(w.overlap, 0);
		ck_assert_uint_ge(w.outage, INTERVAL + INTERVAL / 2);
		ck_assert_uint_le(w.outage, 2 * INTERVAL + MOMENT);
	}
	sim_free(s);
}
END_TEST

START_TEST(a_daemon_killed_with_its_guardian_that_restarts_soon_serves_on_with_what_it_left)
{
	struct sim *s = cluster();
	const uint32_t held = held_by(s, 1);

	sim_watch(s);
	apply(s, SIM_KILL_BOTH, 1, 0);
	sim_run(s, tick_ms(50));
	ck_assert_uint_eq(s->machines[1].present, held);
	apply(s, SIM_START, 1, 0);
	settle(s);
	sim_unwatch(s);
	ck_assert_uint_eq(s->watch.moved, 0);
	ck_assert_uint_le(s->watch.outage, 2 * INTERVAL + MOMENT); /* it listens first */
	ck_assert_uint_eq(s->watch.overlap, 0);
	sim_free(s);
}
END_TEST

START_TEST(without_a_fence_a_killed_daemon_that_restarts_ends_the_double_service)
{
	const struct sim_file_spec spec = sim_file_spec(3, 4, 2, INTERVAL);
	struct sim *s = unfenced_cluster_of(&spec, 1);

	apply(s, SIM_KILL_BOTH, 1, 0);
	sim_run(s, tick_s(10));
	apply(s, SIM_START, 1, 0);
	settle(s);
	sim_free(s);
}
END_TEST

/* ----------------------------------------------------------------- kernel */

START_TEST(an_address_that_somebody_removes_comes_back_and_is_announced)
{
	struct sim *s = cluster();
	const int32_t holder = sim_holder(s, 3);
	struct sim_watch w;

	ck_assert_int_ne(holder, SIM_NOBODY);
	w = watch(s, SIM_STEAL, (uint32_t)holder, 3);
	ck_assert_uint_eq(w.moved, 0);
	ck_assert_uint_gt(w.outage, 0);
	ck_assert_uint_le(w.outage, tick_ms(10));
	sim_free(s);
}
END_TEST

START_TEST(an_address_that_vanishes_unheard_comes_back_with_the_resync)
{
	struct sim *s = cluster();
	const int32_t holder = sim_holder(s, 3);

	ck_assert_int_ne(holder, SIM_NOBODY);
	apply(s, SIM_FREEZE, (uint32_t)holder, 0);
	apply(s, SIM_STEAL, (uint32_t)holder, 3);
	apply(s, SIM_DEAFEN, (uint32_t)holder, 0);
	apply(s, SIM_THAW, (uint32_t)holder, 0);
	settle(s);
	ck_assert_int_eq(sim_holder(s, 3), holder);
	sim_free(s);
}
END_TEST

START_TEST(a_server_whose_netlink_stalls_passes_on_what_it_cannot_hold)
{
	struct sim *s = cluster();

	for (uint32_t place = 0; place < 2; place++)
		apply(s, SIM_STALL, place, 20 * 1000);
	sim_watch(s);
	/* whoever takes over for the dead one has a kernel that does not answer */
	apply(s, SIM_CRASH, 2, 0);
	apply(s, SIM_STALL, 1, 0);
	sim_run(s, tick_s(8));
	sim_unwatch(s);
	for (uint32_t number = 0; number < 4; number++)
		ck_assert(s->machines[0].present >> number & 1 ||
			  s->machines[1].present >> number & 1);
	ck_assert_uint_le(s->watch.outage, sim_outage_bound(s, 2) + tick_s(2));
	sim_run(s, tick_s(20));
	settle(s);
	sim_free(s);
}
END_TEST

START_TEST(failing_netlink_is_tried_again)
{
	struct sim *s = cluster();

	apply(s, SIM_FAIL, 1, 1000);
	apply(s, SIM_CRASH, 0, 0);
	sim_run(s, tick_s(5));
	apply(s, SIM_FAIL, 1, 0);
	settle(s);
	sim_free(s);
}
END_TEST

/* -------------------------------------------------- strangers and versions */

START_TEST(servers_with_different_files_agree_on_every_vip)
{
	const struct sim_file_spec old = sim_file_spec(3, 4, 2, INTERVAL);
	struct sim_file_spec new = sim_file_spec(4, 7, 3, INTERVAL);
	struct sim *s = sim_new(1);

	/* VIPs and a server appended, VIPs grouped, the VRIDs elsewhere */
	new.services[0].bundle = 2;
	new.vrid_first = 2;
	sim_add_file(s, &old);
	sim_add_file(s, &new);
	sim_add_machine(s, 0);
	sim_add_machine(s, 1);
	sim_add_machine(s, 0);
	sim_add_machine(s, 1);
	for (uint32_t place = 0; place < 4; place++)
		apply(s, SIM_START, place, 0);
	settle(s);
	for (uint32_t place = 0; place < 4; place++) {
		apply(s, SIM_CRASH, place, 0);
		settle(s);
		apply(s, SIM_START, place, 0);
		settle(s);
	}
	sim_free(s);
}
END_TEST

START_TEST(two_clusters_with_the_same_vrids_do_not_notice_each_other)
{
	const struct sim_file_spec one = sim_file_spec(3, 6, 0, INTERVAL);
	struct sim_file_spec other = sim_file_spec(2, 4, 0, INTERVAL);
	struct sim *s = sim_new(1);
	struct sim_watch w;

	for (uint32_t i = 0; i < 2; i++)
		other.members[i] = (uint8_t)(3 + i);
	for (uint32_t i = 0; i < 4; i++)
		other.services[0].vips[i] = (uint8_t)(8 + i);
	sim_add_cluster(s, &one);
	sim_add_cluster(s, &other);
	settle(s);
	w = watch(s, SIM_CRASH, 0, 0);
	ck_assert_uint_eq(w.moved & 0xf00, 0);
	w = watch(s, SIM_CRASH, 3, 0);
	ck_assert_uint_eq(w.moved & 0x0ff, 0);
	sim_free(s);
}
END_TEST

START_TEST(a_foreign_router_with_one_of_our_vrids_takes_nothing_from_us)
{
	const struct sim_file_spec spec = sim_file_spec(3, 6, 0, INTERVAL);
	struct sim *s = sim_new(1);
	uint32_t squatter;

	sim_add_cluster(s, &spec);
	squatter = sim_add_foreigner(s, 1 << 15, 1, 255, INTERVAL);
	settle(s);
	ck_assert_uint_eq(watch(s, SIM_START, squatter, 0).moved, 0);
	ck_assert_uint_eq(watch(s, SIM_CRASH, squatter, 0).moved, 0);
	sim_free(s);
}
END_TEST

/* A service that servers 0 (priority 200) and 1 (100) share with a foreign router. */
static struct sim *shared_service(uint8_t foreign_priority)
{
	struct sim_file_spec spec = sim_file_spec(2, 2, 0, INTERVAL);
	struct sim *s = sim_new(1);

	spec.services[0].foreign_vrid = 51;
	spec.services[0].priority[0] = 200;
	spec.services[0].priority[1] = 100;
	sim_add_cluster(s, &spec);
	apply(s, SIM_START, sim_add_foreigner(s, 3, 51, foreign_priority, INTERVAL), 0);
	settle(s);
	return s;
}

START_TEST(a_foreign_router_of_higher_priority_serves_and_roost_takes_over_from_it)
{
	struct sim *s = shared_service(220);

	ck_assert_uint_eq(s->machines[2].present, 3);
	apply(s, SIM_CRASH, 2, 0);
	settle(s);
	ck_assert_uint_eq(held_by(s, 0), 3);
	apply(s, SIM_START, 2, 0);
	settle(s);
	ck_assert_uint_eq(s->machines[2].present, 3);
	apply(s, SIM_STOP, 2, 0);
	settle(s);
	ck_assert_uint_eq(held_by(s, 0), 3);
	sim_free(s);
}
END_TEST

START_TEST(a_foreign_router_of_lower_priority_takes_over_from_roost)
{
	struct sim *s = shared_service(150);

	ck_assert_uint_eq(held_by(s, 0), 3);
	apply(s, SIM_STOP, 0, 0);
	settle(s);
	ck_assert_uint_eq(s->machines[2].present, 3);
	apply(s, SIM_START, 0, 0);
	settle(s);
	ck_assert_uint_eq(held_by(s, 0), 3);
	apply(s, SIM_CRASH, 0, 0);
	settle(s);
	ck_assert_uint_eq(s->machines[2].present, 3);
	sim_free(s);
}
END_TEST

/* ------------------------------------------------------- the simulator itself */

START_TEST(the_same_seed_gives_the_same_history)
{
	uint64_t before = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct sim *a = chaos_run(seed, SIM_SANE);
		struct sim *b = chaos_run(seed, SIM_SANE);

		ck_assert_uint_eq(a->hash, b->hash);
		ck_assert_uint_ne(a->hash, before);
		before = a->hash;
		sim_free(a);
		sim_free(b);
	}
}
END_TEST

START_TEST(seeds_find_a_winner_that_does_not_announce)
{
	expect_found(SIM_SILENT_WINNER, "the client at place");
}
END_TEST

START_TEST(seeds_find_advertisements_that_never_arrive)
{
	expect_found(SIM_DEAF_ONE_WAY, "machines have it");
}
END_TEST

START_TEST(seeds_find_addresses_that_are_not_removed)
{
	expect_found(SIM_STICKY_KERNEL, "machines have it");
}
END_TEST

START_TEST(seeds_find_announcements_of_what_is_not_held)
{
	expect_found(SIM_RASH_SHOUTER, "which it does not hold");
}
END_TEST

START_TEST(seeds_find_an_abrupt_leaver)
{
	expect_found(SIM_ABRUPT_LEAVER, "a gap");
}
END_TEST

START_TEST(seeds_find_a_wrong_balance)
{
	expect_found(SIM_WRONG_PLAN, "planned is");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		three_servers_share_six_vips_two_each,
		a_crash_moves_only_the_dead_servers_vips_within_active_down,
		a_stop_hands_over_without_a_gap,
		the_next_in_the_order_does_not_wait_when_one_leaves,
		dropping_the_addresses_at_once_makes_a_gap,
		a_drain_hands_over_without_a_gap_and_its_end_takes_back,
		drained_servers_serve_when_nobody_else_does,
		a_returning_server_takes_its_share_back_without_a_gap,
		a_returning_server_waits_for_the_preempt_delay,
		nobody_waits_for_the_preempt_delay_when_nobody_serves,
		without_preemption_a_return_moves_nothing,
		version_2_fails_over_and_back,
		each_side_of_a_partition_serves_everything_and_healing_leaves_one,
		clients_are_told_within_50_ms_of_the_healing,
		a_way_that_is_open_in_one_direction_only_does_no_lasting_harm,
		one_missed_advertisement_makes_everybody_redundant_and_moves_nothing,
		with_30_percent_loss_redundancy_keeps_vips_where_they_are,
		with_30_percent_loss_and_no_redundancy_vips_flutter,
		duplicates_and_packets_that_overtake_each_other_move_nothing,
		a_server_without_carrier_gives_up_its_vips_and_returns_without_a_gap,
		a_frozen_server_that_wakes_leaves_one_holder_and_clients_that_know_it,
		an_active_that_slept_announces_when_its_successor_has_died,
		one_that_was_suspended_listens_before_it_serves_again,
		a_daemon_killed_with_its_guardian_that_restarts_soon_serves_on_with_what_it_left,
		without_a_fence_a_killed_daemon_that_restarts_ends_the_double_service,
		an_address_that_somebody_removes_comes_back_and_is_announced,
		an_address_that_vanishes_unheard_comes_back_with_the_resync,
		a_server_whose_netlink_stalls_passes_on_what_it_cannot_hold,
		failing_netlink_is_tried_again,
		servers_with_different_files_agree_on_every_vip,
		two_clusters_with_the_same_vrids_do_not_notice_each_other,
		a_foreign_router_with_one_of_our_vrids_takes_nothing_from_us,
		a_foreign_router_of_higher_priority_serves_and_roost_takes_over_from_it,
		a_foreign_router_of_lower_priority_takes_over_from_roost,
		the_same_seed_gives_the_same_history,
		seeds_find_a_winner_that_does_not_announce,
		seeds_find_advertisements_that_never_arrive,
		seeds_find_addresses_that_are_not_removed,
		seeds_find_announcements_of_what_is_not_held,
		seeds_find_an_abrupt_leaver,
		seeds_find_a_wrong_balance,
	};

	return run_suite("scenarios", tests, sizeof tests / sizeof tests[0]);
}
