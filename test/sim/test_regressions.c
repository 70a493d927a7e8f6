/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What random seeds have found: one scenario for each mended bug. */
#include "scenario.h"

/* In one run of sixty or so, a client hears none of the winner's five announcements, and waits for the refresh. */
START_TEST(the_loser_of_a_conflict_is_heard_through_loss)
{
	const struct sim_file_spec spec = sim_file_spec(3, 6, 0, INTERVAL);
	unsigned n_unlucky = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct sim *s = cluster_of(&spec, seed);

		apply(s, SIM_PARTITION, 0, 1 << 0);
		settle(s);
		apply(s, SIM_LOSS, 0, 150);
		apply(s, SIM_HEAL, 0, 0);
		sim_run(s, tick_s(4));
		apply(s, SIM_LOSS, 0, 0);
		sim_run(s, sim_settle_span(s));
		expect_no_complaint(s);
		sim_check_quiet(s); /* clients know the winner long before the refresh */
		n_unlucky += s->complaint[0] != '\0';
		sim_free(s);
	}
	ck_assert_uint_le(n_unlucky, 2);
}
END_TEST

START_TEST(one_that_gives_up_what_it_inherited_says_so)
{
	const struct sim_file_spec spec = sim_file_spec(2, 1, 0, INTERVAL);
	struct sim *s = cluster_of(&spec, 1);
	const uint32_t first = (uint32_t)sim_holder(s, 0), second = 1 - first;

	/* the second takes over, unheard by the first, and dies without letting go */
	apply(s, SIM_FREEZE, first, 0);
	apply(s, SIM_UNPLUG, first, 0);
	sim_run(s, tick_s(2));
	ck_assert_int_eq(s->client[second][0], second);
	apply(s, SIM_KILL, second, 0);
	apply(s, SIM_PLUG, first, 0);
	apply(s, SIM_THAW, first, 0);
	apply(s, SIM_START, second, 0);
	settle(s);
	ck_assert_int_eq(sim_holder(s, 0), first);
	sim_free(s);
}
END_TEST

/* While its netlink stalls, a server's carrier goes and comes, and its successor likewise. Seed 1030295. */
START_TEST(a_loss_of_carrier_that_was_over_before_it_was_seen_is_one)
{
	const struct sim_file_spec spec = sim_file_spec(2, 1, 0, INTERVAL);
	struct sim *s = cluster_of(&spec, 1);
	const uint32_t first = (uint32_t)sim_holder(s, 0), second = 1 - first;

	apply(s, SIM_STALL, first, 5000);
	apply(s, SIM_UNPLUG, first, 0);
	sim_run(s, tick_s(2));
	ck_assert_int_eq(s->client[second][0], second);
	apply(s, SIM_CRASH, second, 0);
	apply(s, SIM_PLUG, first, 0);
	sim_run(s, tick_s(5));
	settle(s);
	ck_assert_int_eq(sim_holder(s, 0), first);
	sim_free(s);
}
END_TEST

/* The best, which did not preempt, and the next in the order claim in the same instant. */
START_TEST(two_claimants_leave_no_client_in_the_dark)
{
	struct sim_file_spec spec = sim_file_spec(4, 6, 0, tick_ms(10));

	spec.services[0].vrrp.preempt = false;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct sim *s = sim_new(seed);
		struct sim_watch w;

		sim_add_cluster(s, &spec);
		for (uint32_t place = 1; place < 4; place++)
			apply(s, SIM_CRASH, place, 0);
		settle(s);
		for (uint32_t place = 1; place < 4; place++)
			apply(s, SIM_START, place, 0);
		settle(s);
		w = watch(s, SIM_STOP, 0, 0);
		expect_smooth(s, &w);
		sim_free(s);
	}
}
END_TEST

/* Whoever is next claims, but its netlink stalls a little, so the one after it claims too, and
 * either may be the last to announce. */
START_TEST(a_late_claimant_leaves_no_client_in_the_dark)
{
	const struct sim_file_spec spec = sim_file_spec(6, 8, 8, tick_ms(10));

	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct sim *s = cluster_of(&spec, seed);

		s->late_wakes = 128;
		for (uint32_t i = 0; i < 24; i++) {
			const uint32_t leaver = i % 6;
			struct sim_watch w;

			for (uint32_t k = 0; k < 6; k += 2)
				apply(s, SIM_STALL, (leaver + k) % 6, 4 + i);
			w = watch(s, SIM_STOP, leaver, 0);
			ck_assert_uint_eq(w.outage, 0);
			w = watch(s, SIM_START, leaver, 0);
			ck_assert_uint_eq(w.outage, 0);
		}
		sim_free(s);
	}
}
END_TEST

START_TEST(an_active_that_hears_a_rival_leave_announces_again)
{
	struct sim *s = cluster();

	apply(s, SIM_FREEZE, 0, 0);
	sim_run(s, tick_s(2));
	apply(s, SIM_STOP, 0, 0);
	apply(s, SIM_THAW, 0, 0); /* announces, being better, and leaves at once */
	settle(s);
	sim_free(s);
}
END_TEST

START_TEST(one_that_leaves_announces_no_more)
{
	const struct sim_file_spec spec = sim_file_spec(3, 6, 0, INTERVAL);

	/* the shots are due 0, 50, 300, 1100 and 3000 ms after some 310 ms from the start */
	for (uint32_t i = 0; i < 100; i++) {
		struct sim *s = sim_new(i);
		struct sim_watch w;

		sim_add_cluster(s, &spec);
		sim_run(s, tick_ms(3295) + tick_us(100) * i);
		w = watch(s, SIM_STOP, i % 3, 0);
		expect_smooth(s, &w);
		sim_free(s);
	}
}
END_TEST

/* It is repeated, and by then the one that yielded may be the better of the two again. */
START_TEST(a_parting_word_beats_nobody)
{
	const struct sim_file_spec spec = sim_file_spec(3, 3, 0, tick_s(1));

	for (uint32_t number = 0; number < 3; number++) {
		struct sim *s = cluster_of(&spec, 1);
		const uint32_t first = (uint32_t)sim_holder(s, number);
		uint32_t second;

		apply(s, SIM_DRAIN, first, 0);
		while (s->machines[first].present >> number & 1)
			sim_run(s, tick_ms(10));
		second = (uint32_t)sim_holder(s, number);
		ck_assert_uint_ne(second, first);
		/* the winner worse, or the loser better, before the word is said again */
		apply(s, number == 0 ? SIM_DRAIN : SIM_UNDRAIN, number == 0 ? second : first, 0);
		sim_watch(s);
		settle(s);
		sim_unwatch(s);
		ck_assert_uint_eq(s->watch.outage, 0);
		sim_free(s);
	}
}
END_TEST

/* It hears a lesser one first and means to take over, so it has nothing to say; then that one gets
 * better. */
START_TEST(one_that_lapsed_says_that_it_lets_go_though_it_hesitated)
{
	const struct sim_file_spec spec = sim_file_spec(2, 1, 0, INTERVAL);
	struct sim *s = cluster_of(&spec, 1);
	const uint32_t first = (uint32_t)sim_holder(s, 0), second = 1 - first;

	apply(s, SIM_DRAIN, first, 0);
	settle(s);
	apply(s, SIM_PARTITION, 0, 1u << first);
	settle(s);
	apply(s, SIM_FREEZE, second, 0);
	sim_run(s, tick_s(2));
	apply(s, SIM_HEAL, 0, 0);
	sim_run(s, INTERVAL); /* an advertisement waits in its socket */
	apply(s, SIM_THAW, second, 0);
	sim_run(s, MOMENT);
	apply(s, SIM_UNDRAIN, first, 0);
	settle(s);
	ck_assert_int_eq(sim_holder(s, 0), first);
	sim_free(s);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_loser_of_a_conflict_is_heard_through_loss,
		one_that_gives_up_what_it_inherited_says_so,
		a_loss_of_carrier_that_was_over_before_it_was_seen_is_one,
		two_claimants_leave_no_client_in_the_dark,
		a_late_claimant_leaves_no_client_in_the_dark,
		an_active_that_hears_a_rival_leave_announces_again,
		one_that_leaves_announces_no_more,
		a_parting_word_beats_nobody,
		one_that_lapsed_says_that_it_lets_go_though_it_hesitated,
	};

	return run_suite("regressions", tests, sizeof tests / sizeof tests[0]);
}
