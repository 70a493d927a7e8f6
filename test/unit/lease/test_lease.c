/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include "base/rng.h"
#include "lease/lease.h"

#define T0      tick_s(1000)
#define OLD_AGE tick_s(2)

/* The earliest that a Backup takes over which heard an advertisement with @interval at @heard. */
static tick takeover(tick heard, tick interval)
{
	return heard + vrrp_active_down(3, 254, interval);
}

START_TEST(a_new_lease_is_closed)
{
	const struct lease l = {0};

	ck_assert_uint_eq(l.until, 0);
}
END_TEST

START_TEST(it_runs_for_2_9_intervals_from_the_sample)
{
	struct lease l = {0};

	ck_assert_uint_eq(lease_span(tick_ms(10)), tick_ms(29));
	ck_assert_uint_eq(lease_span(tick_cs(4095)), tick_ms(118755));
	ck_assert_uint_eq(lease_span(tick_s(255)), tick_ms(739500));
	lease_renew(&l, tick_ms(100), T0);
	ck_assert_uint_eq(l.until, T0 + tick_ms(290));
	lease_renew(&l, tick_ms(100), T0 + tick_ms(100));
	ck_assert_uint_eq(l.until, T0 + tick_ms(390));
}
END_TEST

START_TEST(a_late_store_renews_only_from_the_sample)
{
	struct lease l = {0};

	/* frozen for a minute between the sample and this call */
	lease_renew(&l, tick_ms(10), T0);
	ck_assert_uint_lt(l.until, T0 + tick_s(60));
}
END_TEST

START_TEST(closed_is_closed_at_once)
{
	struct lease l = {0};

	lease_renew(&l, tick_ms(100), T0);
	lease_close(&l);
	ck_assert_uint_eq(l.until, 0);
	lease_renew(&l, tick_ms(100), T0 + tick_ms(1));
	ck_assert_uint_eq(l.until, T0 + tick_ms(291));
}
END_TEST

START_TEST(it_ends_before_the_quickest_backup_takes_over_though_clocks_drift)
{
	static const tick intervals_ms[] = {10, 50, 100, 1000, 40950};

	for (size_t i = 0; i < sizeof intervals_ms / sizeof intervals_ms[0]; i++) {
		const tick interval = tick_ms(intervals_ms[i]);
		struct lease l = {0};

		lease_renew(&l, interval, T0);
		/* ours slow and the Backup's fast by 1000 ppm each */
		ck_assert_uint_lt((l.until - T0) * 1002 / 1000, takeover(0, interval));
	}
}
END_TEST

START_TEST(a_shorter_interval_counts_at_once)
{
	struct lease l = {0};

	lease_renew(&l, tick_ms(1000), T0);
	lease_renew(&l, tick_ms(10), T0 + tick_ms(1));
	ck_assert_uint_eq(l.until, T0 + tick_ms(30));
}
END_TEST

START_TEST(a_longer_interval_counts_when_every_backup_has_learned_it)
{
	struct lease l = {0};

	lease_renew(&l, tick_ms(10), T0);
	lease_renew(&l, tick_ms(20), T0 + tick_ms(10));
	ck_assert_uint_eq(l.until, T0 + tick_ms(39));
	lease_renew(&l, tick_ms(20), T0 + tick_ms(30));
	ck_assert_uint_eq(l.until, T0 + tick_ms(59));
	/* 40 ms after the first with the new one */
	lease_renew(&l, tick_ms(20), T0 + tick_ms(50));
	ck_assert_uint_eq(l.until, T0 + tick_ms(108));
}
END_TEST

START_TEST(a_closed_lease_remembers_what_the_backups_go_by)
{
	struct lease l = {0};

	lease_renew(&l, tick_ms(10), T0);
	lease_close(&l);
	lease_renew(&l, tick_ms(1000), T0 + tick_ms(5));
	ck_assert_uint_eq(l.until, T0 + tick_ms(34));
}
END_TEST

START_TEST(of_several_changes_in_a_row_the_shortest_interval_counts)
{
	struct lease l = {0};

	lease_renew(&l, tick_ms(10), T0);
	lease_renew(&l, tick_ms(500), T0 + tick_ms(10));
	lease_renew(&l, tick_ms(1000), T0 + tick_ms(20));
	ck_assert_uint_eq(l.until, T0 + tick_ms(49));
	/* a Backup may have heard the one with 500 ms and nothing since */
	lease_renew(&l, tick_ms(1000), T0 + tick_ms(1020));
	ck_assert_uint_eq(l.until, T0 + tick_ms(1049));
	lease_renew(&l, tick_ms(1000), T0 + tick_ms(2020));
	ck_assert_uint_eq(l.until, T0 + tick_ms(4920));
}
END_TEST

struct heard {
	tick at, interval;
};

/* Whichever advertisement a Backup heard last: unless it has taken over by now, the lease is
 * shorter than what it waits for. */
static void check_against_backups(const struct lease *l, const struct heard *all, int n, tick now)
{
	for (int i = 0; i < n; i++) {
		const tick wait = takeover(0, all[i].interval);

		if (all[i].at + wait > now)
			ck_assert_uint_lt(l->until - now, wait);
	}
}

static void change_at_random(uint64_t seed)
{
	struct rng rng = {seed};
	struct heard all[200];
	struct lease l = {0};
	tick now = T0, interval = tick_cs(1);

	for (int i = 0; i < 200; i++) {
		if (rng_below(&rng, 4) == 0)
			interval = tick_cs(1 + rng_below(&rng, 50));
		lease_renew(&l, interval, now);
		all[i] = (struct heard){now, interval};
		check_against_backups(&l, all, i + 1, now);
		now += interval;
	}
	/* and it is long again in the end */
	now += OLD_AGE;
	lease_renew(&l, interval, now);
	ck_assert_uint_eq(l.until, now + lease_span(interval));
}

START_TEST(however_the_interval_changes_no_backup_goes_by_a_shorter_one)
{
	for (uint64_t seed = 0; seed < 200; seed++)
		change_at_random(seed);
}
END_TEST

START_TEST(permission_follows_what_is_wanted_and_else_what_is_there)
{
	static const struct {
		enum vrrp_hold wanted, observed;
		enum lease_permission permission;
	} cases[] = {
		{VRRP_HOLD_NONE, VRRP_HOLD_NONE, LEASE_ABSENT},
		{VRRP_HOLD_NONE, VRRP_HOLD_DATA, LEASE_CLOSED},
		{VRRP_HOLD_NONE, VRRP_HOLD_FULL, LEASE_CLOSED},
		{VRRP_HOLD_DATA, VRRP_HOLD_NONE, LEASE_DATA},
		{VRRP_HOLD_DATA, VRRP_HOLD_FULL, LEASE_DATA},
		{VRRP_HOLD_FULL, VRRP_HOLD_NONE, LEASE_FULL},
		{VRRP_HOLD_FULL, VRRP_HOLD_DATA, LEASE_FULL},
		{VRRP_HOLD_FULL, VRRP_HOLD_FULL, LEASE_FULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_int_eq(
			lease_permission(cases[i].wanted, cases[i].observed), cases[i].permission);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_new_lease_is_closed,
		it_runs_for_2_9_intervals_from_the_sample,
		a_late_store_renews_only_from_the_sample,
		closed_is_closed_at_once,
		it_ends_before_the_quickest_backup_takes_over_though_clocks_drift,
		a_shorter_interval_counts_at_once,
		a_longer_interval_counts_when_every_backup_has_learned_it,
		a_closed_lease_remembers_what_the_backups_go_by,
		of_several_changes_in_a_row_the_shortest_interval_counts,
		however_the_interval_changes_no_backup_goes_by_a_shorter_one,
		permission_follows_what_is_wanted_and_else_what_is_there,
	};

	return run_suite("lease", tests, sizeof tests / sizeof tests[0]);
}
