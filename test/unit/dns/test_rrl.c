/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/assert.h"
#include "dns/rrl.h"
#include "suite.h"

#define RATE 200

struct tally {
	uint32_t passed, slipped, dropped;
};

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert(addr_parse(text, &a));
	return a;
}

static uint64_t key_of(const struct rrl *r, const char *client)
{
	const struct addr a = address(client);

	return rrl_key(r, &a, 0, "www");
}

/* @n answers, evenly over @span from @from on. */
static struct tally send(struct rrl *r, uint64_t key, uint32_t n, tick from, tick span)
{
	struct rng rng = {.state = 4711};
	struct tally t = {0};

	for (uint32_t i = 0; i < n; i++) {
		switch (rrl_judge(r, key, RATE, from + span * i / n, &rng)) {
		case RRL_PASS: t.passed++; break;
		case RRL_SLIP: t.slipped++; break;
		case RRL_DROP: t.dropped++; break;
		}
	}
	return t;
}

START_TEST(as_many_as_the_rate_pass_and_half_of_the_others_slip)
{
	struct rrl *r = rrl_new(1);
	const uint64_t key = key_of(r, "192.0.2.1");
	struct tally t = send(r, key, RATE, tick_s(1), 0);

	ck_assert_uint_eq(t.passed, RATE); /* the burst */
	t = send(r, key, 20000, tick_s(1), tick_s(10));
	ck_assert_uint_ge(t.passed, 10 * RATE - 1);
	ck_assert_uint_le(t.passed, 10 * RATE + 1);
	ck_assert_uint_gt(t.slipped, 8500);
	ck_assert_uint_gt(t.dropped, 8500);
	ck_assert_uint_eq(t.passed + t.slipped + t.dropped, 20000);
	rrl_free(r);
}
END_TEST

START_TEST(who_asks_less_than_the_rate_is_never_limited)
{
	struct rrl *r = rrl_new(1);
	const struct tally t = send(r, key_of(r, "192.0.2.1"), 1900, tick_s(1), tick_s(10));

	ck_assert_uint_eq(t.passed, 1900);
	rrl_free(r);
}
END_TEST

START_TEST(a_bucket_is_full_again_after_a_second)
{
	struct rrl *r = rrl_new(1);
	const uint64_t key = key_of(r, "192.0.2.1");

	ck_assert_uint_eq(send(r, key, 1000, tick_s(1), 0).passed, RATE);
	ck_assert_uint_eq(send(r, key, 1000, tick_s(2), 0).passed, RATE);
	/* nor is there more after a long time, even one in which the clock of a word has wrapped */
	ck_assert_uint_eq(send(r, key, 1000, tick_s(100), 0).passed, RATE);
	ck_assert_uint_eq(send(r, key, 1000, tick_s(1100000), 0).passed, RATE);
	ck_assert_uint_eq(send(r, key, 1000, tick_s(1700000), 0).passed, RATE);
	rrl_free(r);
}
END_TEST

START_TEST(a_slash_24_and_a_slash_56_count_as_one)
{
	struct rrl *r = rrl_new(1);

	ck_assert_uint_eq(key_of(r, "192.0.2.1"), key_of(r, "192.0.2.254"));
	ck_assert_uint_ne(key_of(r, "192.0.2.1"), key_of(r, "192.0.3.1"));
	ck_assert_uint_eq(key_of(r, "2001:db8:0:ff::1"), key_of(r, "2001:db8:0:1::2"));
	ck_assert_uint_ne(key_of(r, "2001:db8:0:ff::1"), key_of(r, "2001:db8:0:100::1"));
	rrl_free(r);
}
END_TEST

START_TEST(other_answers_to_the_same_network_have_a_limit_of_their_own)
{
	struct rrl *r = rrl_new(1);
	const struct addr a = address("192.0.2.1");
	const char www[] = "www", ftp[] = "ftp";
	const uint64_t key = rrl_key(r, &a, 0, www);

	ck_assert_uint_ne(key, rrl_key(r, &a, 3, www));
	ck_assert_uint_ne(key, rrl_key(r, &a, 0, ftp));
	ck_assert_uint_eq(send(r, key, 1000, tick_s(1), 0).passed, RATE);
	ck_assert_uint_eq(send(r, rrl_key(r, &a, 0, ftp), 1000, tick_s(1), 0).passed, RATE);
	rrl_free(r);
}
END_TEST

START_TEST(a_hundred_thousand_networks_do_not_lift_the_limit_of_one)
{
	struct rrl *r = rrl_new(1);
	const uint64_t key = key_of(r, "192.0.2.1");
	struct rng rng = {.state = 1};
	uint32_t passed = 0;

	for (uint32_t i = 0; i < 100000; i++) {
		const uint8_t other[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
		const struct addr a = addr_from_ipv4(other);
		const tick now = tick_s(1) + i * tick_us(1);

		(void)rrl_judge(r, rrl_key(r, &a, 0, "www"), RATE, now, &rng);
		passed += rrl_judge(r, key, RATE, now, &rng) == RRL_PASS;
	}
	/* 0.1 s: the burst, and a tenth of the rate */
	ck_assert_uint_le(passed, RATE + RATE / 10 + 1);
	rrl_free(r);
}
END_TEST

/* The @i-th key whose word is in one set with the others': the set is chosen by the lowest bits. */
static uint64_t crowded(uint64_t i)
{
	return (2 * i + 1) << 40 | 7;
}

START_TEST(in_a_crowded_set_who_has_been_idle_for_longest_makes_room)
{
	const tick later = tick_s(1) + tick_us(100);
	struct rrl *r = rrl_new(1);

	for (uint64_t i = 0; i < 8; i++) { /* all of a set, the third first */
		const uint64_t key = crowded((i + 2) % 8);

		ck_assert_uint_eq(send(r, key, RATE, tick_s(1) + tick_us(i), 0).passed, RATE);
	}
	ck_assert_uint_eq(send(r, crowded(8), 1, later, 0).passed, 1);
	for (uint64_t i = 0; i < 8; i++) /* the others are as they were */
		if (i != 2)
			ck_assert_uint_eq(send(r, crowded(i), 1, later, 0).passed, 0);
	ck_assert_uint_eq(send(r, crowded(2), 1, later, 0).passed, 1);
	rrl_free(r);
}
END_TEST

struct sharer {
	struct rrl *rrl;
	_Atomic bool *go;
	uint32_t passed;
};

static void *share(void *context)
{
	struct sharer *s = context;
	struct rng rng = {.state = (uintptr_t)s};

	while (!atomic_load(s->go))
		;
	for (int i = 0; i < 300000; i++)
		s->passed += rrl_judge(s->rrl, 4711, 1000000, tick_s(1), &rng) == RRL_PASS;
	return NULL;
}

START_TEST(threads_that_answer_one_network_share_its_limit)
{
	enum { THREADS = 4 };
	_Atomic bool go = false;
	struct rrl *r = rrl_new(1);
	struct sharer sharers[THREADS];
	pthread_t threads[THREADS];
	uint32_t passed = 0;

	for (int i = 0; i < THREADS; i++) {
		sharers[i] = (struct sharer){r, &go, 0};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, share, &sharers[i]), 0);
	}
	atomic_store(&go, true);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		passed += sharers[i].passed;
	}
	/* of 1,200,000 at one time, a second's worth: none is lost, and none is counted twice */
	ck_assert_uint_eq(passed, 1000000);
	rrl_free(r);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		as_many_as_the_rate_pass_and_half_of_the_others_slip,
		who_asks_less_than_the_rate_is_never_limited,
		a_bucket_is_full_again_after_a_second,
		a_slash_24_and_a_slash_56_count_as_one,
		other_answers_to_the_same_network_have_a_limit_of_their_own,
		a_hundred_thousand_networks_do_not_lift_the_limit_of_one,
		in_a_crowded_set_who_has_been_idle_for_longest_makes_room,
		threads_that_answer_one_network_share_its_limit,
	};

	return run_suite("rrl", tests, ARRAY_SIZE(tests));
}
