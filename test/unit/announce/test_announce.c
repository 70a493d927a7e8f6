/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include "announce/announce.h"

#define T0 tick_s(1000)
#define N  200u

static struct config_announce usual(void)
{
	return (struct config_announce){
		.shots = {0, tick_ms(50), tick_ms(300), tick_ms(1100), tick_s(3)},
		.n_shots = 5,
		.refresh = tick_s(60),
		.rate = 1000,
		.burst = 64,
	};
}

struct bench {
	struct config_announce config;
	struct announce_vip vips[N];
	struct announce a;
};

static struct bench *bench_of(uint32_t n_vips)
{
	static struct bench b; /* each test runs in a process of its own */

	b.config = usual();
	announce_init(&b.a, &b.config, b.vips, n_vips, 1, T0);
	return &b;
}

static uint32_t take(struct bench *b, tick now)
{
	uint32_t due[N];

	return announce_take(&b->a, now, due, N);
}

START_TEST(a_move_is_announced_by_the_schedule_and_then_refreshed)
{
	static const uint32_t at_ms[] = {0, 50, 300, 1100, 3000};
	struct bench *b = bench_of(1);

	ck_assert_uint_eq(announce_deadline(&b->a), TICK_NEVER);
	announce_start(&b->a, 0, T0);
	for (size_t i = 0; i < sizeof at_ms / sizeof at_ms[0]; i++) {
		ck_assert_uint_eq(announce_deadline(&b->a), T0 + tick_ms(at_ms[i]));
		ck_assert_uint_eq(take(b, T0 + tick_ms(at_ms[i])), 1);
		ck_assert_uint_eq(take(b, T0 + tick_ms(at_ms[i])), 0);
	}
	ck_assert_uint_ge(announce_deadline(&b->a), T0 + tick_s(3 + 54));
	ck_assert_uint_le(announce_deadline(&b->a), T0 + tick_s(3 + 67));
}
END_TEST

START_TEST(beginning_anew_is_at_once_but_never_closer_than_50_ms)
{
	struct bench *b = bench_of(1);

	announce_start(&b->a, 0, T0);
	ck_assert_uint_eq(take(b, T0), 1);
	announce_start(&b->a, 0, T0 + tick_ms(10));
	ck_assert_uint_eq(take(b, T0 + tick_ms(10)), 0);
	ck_assert_uint_eq(announce_deadline(&b->a), T0 + tick_ms(50));
	ck_assert_uint_eq(take(b, T0 + tick_ms(50)), 1);
	announce_start(&b->a, 0, T0 + tick_ms(200));
	ck_assert_uint_eq(take(b, T0 + tick_ms(200)), 1);
}
END_TEST

START_TEST(a_cancelled_one_is_silent)
{
	struct bench *b = bench_of(2);

	announce_start(&b->a, 0, T0);
	announce_start(&b->a, 1, T0);
	announce_cancel(&b->a, 0);
	ck_assert_uint_eq(take(b, T0), 1);
	ck_assert_uint_eq(b->vips[0].last, 0);
}
END_TEST

START_TEST(the_bucket_lets_a_burst_pass_and_then_keeps_the_rate)
{
	struct bench *b = bench_of(N);
	uint32_t sent;

	for (uint32_t i = 0; i < N; i++)
		announce_start(&b->a, i, T0);
	sent = take(b, T0);
	ck_assert_uint_eq(sent, 64);
	for (tick now = T0; sent < N; now = announce_deadline(&b->a)) {
		const uint32_t n = take(b, now);

		ck_assert_uint_lt(now, T0 + tick_ms(200));
		sent += n;
		/* 64 at once and one a millisecond */
		ck_assert_uint_le(sent, 64 + (now - T0) / tick_ms(1));
	}
}
END_TEST

START_TEST(those_that_wait_longest_go_first)
{
	struct bench *b = bench_of(N);
	uint32_t due[N], n;

	for (uint32_t i = N; i-- > 0;)
		announce_start(&b->a, i, T0 + tick_us(N - i));
	n = announce_take(&b->a, T0 + tick_us(100), due, N);
	ck_assert_uint_eq(n, 64);
	/* of the hundred that were due then, the rest comes before those that became due later */
	n = announce_take(&b->a, T0 + tick_us(36200), due, N);
	ck_assert_uint_eq(n, 36);
	for (uint32_t i = 0; i < n; i++)
		ck_assert_uint_ge(due[i], 100);
}
END_TEST

START_TEST(one_interface_does_not_hold_up_another)
{
	struct bench *b = bench_of(N);
	uint32_t due[N], n;

	b->vips[N - 1].interface = 1;
	announce_init(&b->a, &b->config, b->vips, N, 1, T0);
	for (uint32_t i = 0; i < N; i++)
		announce_start(&b->a, i, T0);
	n = announce_take(&b->a, T0, due, N);
	ck_assert_uint_eq(n, 65);
	ck_assert_uint_eq(due[64], N - 1);
}
END_TEST

START_TEST(without_a_refresh_the_schedule_ends)
{
	struct bench *b = bench_of(1);

	b->config.refresh = 0;
	b->config.n_shots = 1;
	announce_start(&b->a, 0, T0);
	ck_assert_uint_eq(take(b, T0), 1);
	ck_assert_uint_eq(announce_deadline(&b->a), TICK_NEVER);
}
END_TEST

START_TEST(what_does_not_fit_into_one_call_is_taken_by_the_next)
{
	struct bench *b = bench_of(3);
	uint32_t due[2];

	for (uint32_t i = 0; i < 3; i++)
		announce_start(&b->a, i, T0);
	ck_assert_uint_eq(announce_take(&b->a, T0, due, 2), 2);
	ck_assert_uint_eq(due[0] + due[1], 0 + 1);
	ck_assert_uint_le(announce_deadline(&b->a), T0);
	ck_assert_uint_eq(announce_take(&b->a, T0, due, 2), 1);
	ck_assert_uint_eq(due[0], 2);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_move_is_announced_by_the_schedule_and_then_refreshed,
		beginning_anew_is_at_once_but_never_closer_than_50_ms,
		a_cancelled_one_is_silent,
		the_bucket_lets_a_burst_pass_and_then_keeps_the_rate,
		those_that_wait_longest_go_first,
		one_interface_does_not_hold_up_another,
		without_a_refresh_the_schedule_ends,
		what_does_not_fit_into_one_call_is_taken_by_the_next,
	};

	return run_suite("announce", tests, sizeof tests / sizeof tests[0]);
}
