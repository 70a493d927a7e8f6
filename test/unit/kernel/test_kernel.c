/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "base/rng.h"
#include "kernel/kernel.h"

#define N_VIPS 4

static struct kernel_vip vips[N_VIPS];
static struct kernel kernel;
static struct kernel_op ops[N_VIPS];

static void fresh(void)
{
	kernel_init(&kernel, vips, N_VIPS);
}

static void expect_nothing(tick now)
{
	ck_assert_uint_eq(kernel_plan(&kernel, now, ops, N_VIPS), 0);
	kernel_check(&kernel);
}

/* Just one operation is due; it is left in ops[0]. */
static void expect_one(enum kernel_op_kind kind, uint32_t vip, tick now)
{
	ck_assert_uint_eq(kernel_plan(&kernel, now, ops, N_VIPS), 1);
	ck_assert_int_eq(ops[0].kind, kind);
	ck_assert_uint_eq(ops[0].vip, vip);
	kernel_check(&kernel);
}

static void done(enum kernel_op_kind kind, uint32_t vip, int error, tick now)
{
	const struct kernel_op op = {kind, vip};

	kernel_done(&kernel, &op, error, now);
	kernel_check(&kernel);
}

/* VIP 1 is wanted and held. */
static void hold_one(void)
{
	kernel_want(&kernel, 1, VRRP_HOLD_FULL);
	done(KERNEL_ADD, 1, 0, tick_s(1));
	kernel_see(&kernel, 1, true, true, tick_s(1));
}

START_TEST(what_is_wanted_is_added_once)
{
	expect_nothing(tick_s(1));
	kernel_want(&kernel, 1, VRRP_HOLD_FULL);
	ck_assert_int_eq(kernel_hold(&kernel, 1), VRRP_HOLD_NONE);
	expect_one(KERNEL_ADD, 1, tick_s(1));
	done(KERNEL_ADD, 1, 0, tick_s(1));
	ck_assert_int_eq(kernel_hold(&kernel, 1), VRRP_HOLD_FULL);
	expect_nothing(tick_s(1));
	ck_assert_uint_eq(kernel_deadline(&kernel), TICK_NEVER);
}
END_TEST

START_TEST(what_is_no_longer_wanted_is_removed_once)
{
	hold_one();
	kernel_want(&kernel, 1, VRRP_HOLD_NONE);
	expect_one(KERNEL_REMOVE, 1, tick_s(1));
	done(KERNEL_REMOVE, 1, 0, tick_s(1));
	ck_assert_int_eq(kernel_hold(&kernel, 1), VRRP_HOLD_NONE);
	expect_nothing(tick_s(1));
}
END_TEST

START_TEST(lingering_keeps_the_address)
{
	hold_one();
	kernel_want(&kernel, 1, VRRP_HOLD_DATA);
	expect_nothing(tick_s(1));
	ck_assert_int_eq(kernel_hold(&kernel, 1), VRRP_HOLD_DATA);
	kernel_want(&kernel, 1, VRRP_HOLD_NONE);
	ck_assert_int_eq(kernel_hold(&kernel, 1), VRRP_HOLD_DATA); /* until it is gone */
}
END_TEST

START_TEST(removals_come_first_and_no_more_than_fit)
{
	kernel_want(&kernel, 0, VRRP_HOLD_FULL);
	kernel_want(&kernel, 2, VRRP_HOLD_FULL);
	kernel_see(&kernel, 3, true, true, tick_s(1));
	ck_assert_uint_eq(kernel_plan(&kernel, tick_s(1), ops, 2), 2);
	ck_assert_int_eq(ops[0].kind, KERNEL_REMOVE);
	ck_assert_uint_eq(ops[0].vip, 3);
	ck_assert_int_eq(ops[1].kind, KERNEL_ADD);
	ck_assert_uint_eq(ops[1].vip, 0);
	ck_assert_uint_eq(kernel_plan(&kernel, tick_s(1), ops, N_VIPS), 3);
	ck_assert_uint_eq(kernel_plan(&kernel, tick_s(1), ops, 0), 0);
}
END_TEST

START_TEST(a_leftover_is_reported_and_can_be_adopted)
{
	ck_assert(!kernel_see(&kernel, 2, true, true, tick_s(1)));
	ck_assert_int_eq(kernel_hold(&kernel, 2), VRRP_HOLD_FULL);
	kernel_want(&kernel, 2, VRRP_HOLD_FULL);
	expect_nothing(tick_s(1));
}
END_TEST

START_TEST(a_leftover_that_nobody_wants_is_removed)
{
	kernel_see(&kernel, 2, true, true, tick_s(1));
	expect_one(KERNEL_REMOVE, 2, tick_s(1));
}
END_TEST

START_TEST(what_an_administrator_configured_is_left_alone)
{
	kernel_see(&kernel, 2, true, false, tick_s(1));
	ck_assert_int_eq(kernel_hold(&kernel, 2), VRRP_HOLD_NONE);
	expect_nothing(tick_s(1));
}
END_TEST

START_TEST(an_untagged_address_that_is_wanted_becomes_ours)
{
	kernel_see(&kernel, 2, true, false, tick_s(1));
	kernel_want(&kernel, 2, VRRP_HOLD_FULL);
	ck_assert_int_eq(kernel_hold(&kernel, 2), VRRP_HOLD_FULL); /* it answers already */
	expect_one(KERNEL_ADD, 2, tick_s(1));
	done(KERNEL_ADD, 2, 0, tick_s(1));
	expect_nothing(tick_s(1));
}
END_TEST

START_TEST(failures_are_retried_ever_more_slowly)
{
	static const unsigned waits_ms[] = {10, 20, 40, 80, 160, 320, 640, 1000, 1000};
	tick now = tick_s(1);

	kernel_want(&kernel, 1, VRRP_HOLD_FULL);
	for (size_t i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
		const tick due = now + tick_ms(waits_ms[i]);

		expect_one(KERNEL_ADD, 1, now);
		done(KERNEL_ADD, 1, -ENOBUFS, now);
		ck_assert_uint_eq(kernel_deadline(&kernel), due);
		expect_nothing(due - 1);
		now = due;
	}
	done(KERNEL_ADD, 1, 0, now);
	ck_assert_uint_eq(vips[1].failures, 0);
	ck_assert_uint_eq(kernel_deadline(&kernel), TICK_NEVER);
}
END_TEST

START_TEST(the_deadline_is_the_least_of_all)
{
	kernel_want(&kernel, 1, VRRP_HOLD_FULL);
	kernel_want(&kernel, 2, VRRP_HOLD_FULL);
	done(KERNEL_ADD, 1, -ENOBUFS, tick_ms(30));
	done(KERNEL_ADD, 2, -ENOBUFS, tick_ms(20));
	ck_assert_uint_eq(kernel_deadline(&kernel), tick_ms(30));
	kernel_want(&kernel, 2, VRRP_HOLD_NONE);
	ck_assert_uint_eq(kernel_deadline(&kernel), tick_ms(40));
	kernel_want(&kernel, 1, VRRP_HOLD_NONE);
	ck_assert_uint_eq(kernel_deadline(&kernel), TICK_NEVER);
}
END_TEST

START_TEST(a_changed_mind_does_not_wait_for_old_failures)
{
	kernel_want(&kernel, 1, VRRP_HOLD_FULL);
	done(KERNEL_ADD, 1, -ENOBUFS, tick_s(1));
	kernel_want(&kernel, 1, VRRP_HOLD_NONE);
	kernel_want(&kernel, 1, VRRP_HOLD_FULL);
	expect_one(KERNEL_ADD, 1, tick_s(1));
}
END_TEST

START_TEST(a_failure_of_what_is_no_longer_wanted_does_not_count)
{
	kernel_want(&kernel, 1, VRRP_HOLD_FULL);
	kernel_want(&kernel, 1, VRRP_HOLD_NONE);
	done(KERNEL_ADD, 1, -ENOBUFS, tick_s(1));
	ck_assert_uint_eq(kernel_deadline(&kernel), TICK_NEVER);
	kernel_want(&kernel, 1, VRRP_HOLD_FULL);
	done(KERNEL_REMOVE, 1, -EBUSY, tick_s(1));
	expect_one(KERNEL_ADD, 1, tick_s(1));
}
END_TEST

START_TEST(adding_what_exists_and_removing_what_is_gone_succeed)
{
	kernel_want(&kernel, 1, VRRP_HOLD_FULL);
	done(KERNEL_ADD, 1, -EEXIST, tick_s(1));
	expect_nothing(tick_s(1));
	kernel_want(&kernel, 1, VRRP_HOLD_NONE);
	done(KERNEL_REMOVE, 1, -EADDRNOTAVAIL, tick_s(1));
	expect_nothing(tick_s(1));
	kernel_see(&kernel, 1, true, true, tick_s(1));
	done(KERNEL_REMOVE, 1, -ENODEV, tick_s(1)); /* gone with its interface */
	expect_nothing(tick_s(1));
}
END_TEST

START_TEST(the_first_thefts_are_undone_at_once)
{
	hold_one();
	for (int i = 0; i < 4; i++) {
		ck_assert(kernel_see(&kernel, 1, false, false, tick_s(2)));
		ck_assert_int_eq(kernel_hold(&kernel, 1), VRRP_HOLD_NONE);
		expect_one(KERNEL_ADD, 1, tick_s(2));
		done(KERNEL_ADD, 1, 0, tick_s(2));
	}
	ck_assert_uint_eq(vips[1].thefts, 4);
}
END_TEST

static void steal(tick now)
{
	ck_assert(kernel_see(&kernel, 1, false, false, now));
	kernel_check(&kernel);
}

START_TEST(a_thief_who_insists_is_paced)
{
	static const unsigned waits_ms[] = {10, 20, 40, 80, 160, 320, 640, 1000, 1000};
	tick now = tick_s(2);

	hold_one();
	for (int i = 0; i < 4; i++) {
		steal(now);
		done(KERNEL_ADD, 1, 0, now);
	}
	for (size_t i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
		const tick due = now + tick_ms(waits_ms[i]);

		steal(now);
		expect_nothing(due - 1);
		ck_assert_uint_eq(kernel_deadline(&kernel), due);
		expect_one(KERNEL_ADD, 1, due);
		done(KERNEL_ADD, 1, 0, due);
		now = due;
	}
}
END_TEST

START_TEST(rare_thefts_are_always_undone_at_once)
{
	hold_one();
	for (unsigned i = 1; i < 20; i++) {
		steal(tick_s(10 * i));
		expect_one(KERNEL_ADD, 1, tick_s(10 * i));
		done(KERNEL_ADD, 1, 0, tick_s(10 * i));
	}
}
END_TEST

START_TEST(replacing_ours_by_an_untagged_address_is_theft)
{
	hold_one();
	ck_assert(kernel_see(&kernel, 1, true, false, tick_s(2)));
	expect_one(KERNEL_ADD, 1, tick_s(2));
}
END_TEST

START_TEST(an_address_that_comes_back_by_itself_is_not_added)
{
	hold_one();
	steal(tick_s(2));
	ck_assert(!kernel_see(&kernel, 1, true, true, tick_s(2)));
	expect_nothing(tick_s(2));
}
END_TEST

/* The news of a removal may be read only after the address was added again. */
START_TEST(our_own_removal_is_no_theft)
{
	hold_one();
	kernel_want(&kernel, 1, VRRP_HOLD_NONE);
	done(KERNEL_REMOVE, 1, 0, tick_s(2));
	kernel_want(&kernel, 1, VRRP_HOLD_FULL);
	done(KERNEL_ADD, 1, 0, tick_s(2));
	ck_assert(!kernel_see(&kernel, 1, false, false, tick_s(2)));
	ck_assert(!kernel_see(&kernel, 1, true, true, tick_s(2)));
	ck_assert_uint_eq(vips[1].thefts, 0);
	steal(tick_s(3)); /* ... but the next one is */
}
END_TEST

START_TEST(what_a_dump_does_not_mention_is_absent)
{
	hold_one();
	kernel_see(&kernel, 2, true, true, tick_s(2));
	done(KERNEL_REMOVE, 2, -EBUSY, tick_s(2));
	kernel_forget(&kernel);
	ck_assert_uint_eq(kernel_deadline(&kernel), TICK_NEVER);
	expect_one(KERNEL_ADD, 1, tick_s(2));
	ck_assert(!kernel_see(&kernel, 1, true, true, tick_s(2)));
	expect_nothing(tick_s(2));
}
END_TEST

/* Carries out what is planned on the interface @actual; one in @odds fails, none with 0. */
static void carry_out(bool actual[N_VIPS], struct rng *rng, uint32_t odds, tick now)
{
	const uint32_t n = kernel_plan(&kernel, now, ops, N_VIPS);

	for (uint32_t i = 0; i < n; i++) {
		bool *present = &actual[ops[i].vip];
		const bool add = ops[i].kind == KERNEL_ADD;

		if (odds > 0 && rng_below(rng, odds) == 0) {
			kernel_done(&kernel, &ops[i], -ENOBUFS, now);
			continue;
		}
		kernel_done(&kernel, &ops[i], !add && !*present ? -EADDRNOTAVAIL : 0, now);
		*present = add;
	}
}

/* Wishes change, operations fail, others meddle, news is late or lost: a dump and a second later all is well. */
START_TEST(whatever_happens_the_wanted_state_is_reached)
{
	for (unsigned seed = 1; seed <= 300; seed++) {
		struct rng rng = {.state = seed};
		bool actual[N_VIPS] = {false};
		tick now = tick_s(1);

		fresh();
		for (int step = 0; step < 200; step++) {
			const uint32_t vip = rng_below(&rng, N_VIPS);

			now += tick_ms(rng_below(&rng, 20));
			switch (rng_below(&rng, 5)) {
			case 0: kernel_want(&kernel, vip, rng_below(&rng, 3)); break;
			case 1: actual[vip] = false; break; /* and nobody tells */
			case 2: kernel_see(&kernel, vip, actual[vip], true, now); break;
			case 3: kernel_forget(&kernel); break; /* the dump got lost */
			default: carry_out(actual, &rng, 3, now);
			}
			kernel_check(&kernel);
		}
		kernel_forget(&kernel);
		for (uint32_t i = 0; i < N_VIPS; i++) {
			if (actual[i])
				kernel_see(&kernel, i, true, true, now);
		}
		carry_out(actual, &rng, 0, now + tick_s(1));
		for (uint32_t i = 0; i < N_VIPS; i++)
			ck_assert_msg(
				actual[i] == (vips[i].wanted != VRRP_HOLD_NONE), "seed %u", seed);
		expect_nothing(now + tick_s(1));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kernel");
	TCase *t = tcase_create("kernel");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, fresh, NULL);
	tcase_add_test(t, what_is_wanted_is_added_once);
	tcase_add_test(t, what_is_no_longer_wanted_is_removed_once);
	tcase_add_test(t, lingering_keeps_the_address);
	tcase_add_test(t, removals_come_first_and_no_more_than_fit);
	tcase_add_test(t, a_leftover_is_reported_and_can_be_adopted);
	tcase_add_test(t, a_leftover_that_nobody_wants_is_removed);
	tcase_add_test(t, what_an_administrator_configured_is_left_alone);
	tcase_add_test(t, an_untagged_address_that_is_wanted_becomes_ours);
	tcase_add_test(t, failures_are_retried_ever_more_slowly);
	tcase_add_test(t, the_deadline_is_the_least_of_all);
	tcase_add_test(t, a_changed_mind_does_not_wait_for_old_failures);
	tcase_add_test(t, a_failure_of_what_is_no_longer_wanted_does_not_count);
	tcase_add_test(t, adding_what_exists_and_removing_what_is_gone_succeed);
	tcase_add_test(t, the_first_thefts_are_undone_at_once);
	tcase_add_test(t, a_thief_who_insists_is_paced);
	tcase_add_test(t, rare_thefts_are_always_undone_at_once);
	tcase_add_test(t, replacing_ours_by_an_untagged_address_is_theft);
	tcase_add_test(t, an_address_that_comes_back_by_itself_is_not_added);
	tcase_add_test(t, our_own_removal_is_no_theft);
	tcase_add_test(t, what_a_dump_does_not_mention_is_absent);
	tcase_add_test(t, whatever_happens_the_wanted_state_is_reached);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
