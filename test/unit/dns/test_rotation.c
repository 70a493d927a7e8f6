/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "dns/rotation.h"
#include "suite.h"
#include "world.h"

/* Fairness by Pearson's chi-square test: with a seed, so that a pass is a pass for ever. */

#define DRAWS 24000

/* The value that chi-square of @freedom degrees exceeds by chance once in a thousand (Wilson and Hilferty). */
static double critical(unsigned freedom)
{
	const double k = 2.0 / (9.0 * freedom);

	return freedom * pow(1 - k + 3.0902 * sqrt(k), 3);
}

static double chi_square(const unsigned *seen, const double *share, unsigned n)
{
	unsigned total = 0;
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		total += seen[i];
	for (unsigned i = 0; i < n; i++) {
		const double expected = total * share[i];

		sum += (seen[i] - expected) * (seen[i] - expected) / expected;
	}
	return sum;
}

static void assert_fair(const unsigned *seen, const double *share, unsigned n)
{
	const double x = chi_square(seen, share, n);

	ck_assert_msg(x < critical(n - 1), "chi-square is %f of %u", x, n - 1);
}

static void assert_uniform(const unsigned *seen, unsigned n)
{
	double share[24];

	ck_assert_uint_le(n, 24);
	for (unsigned i = 0; i < n; i++)
		share[i] = 1.0 / n;
	assert_fair(seen, share, n);
}

/* Which of the permutations of 0 .. @n - 1 this is. */
static unsigned permutation_number(const uint16_t *order, unsigned n)
{
	unsigned number = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned smaller = 0;

		for (unsigned k = i + 1; k < n; k++)
			smaller += order[k] < order[i];
		number = number * (n - i) + smaller;
	}
	return number;
}

static uint16_t order[ROTATION_MAX];

/* A service of @n VIPs, the first @n of the words. */
static struct rotation *make_rotation(
	enum config_rotation policy, const uint32_t *weights, uint32_t n)
{
	struct rotation *r = calloc(1, sizeof *r + n * sizeof r->members[0]);

	ck_assert(r);
	r->policy = policy;
	r->n = n;
	for (uint32_t i = 0; i < n; i++) {
		r->members[i] = (struct rotation_member){.vip = i, .weight = weights[i]};
		r->weights_differ |= weights[i] != weights[0];
	}
	return r;
}

START_TEST(test_the_measure_sees_what_is_not_fair)
{
	const unsigned cyclic[6] = {DRAWS / 3, 0, 0, DRAWS / 3, DRAWS / 3, 0};
	const unsigned skewed[2] = {DRAWS / 2 + 300, DRAWS / 2 - 300};
	const double sixths[6] = {1 / 6., 1 / 6., 1 / 6., 1 / 6., 1 / 6., 1 / 6.},
		     halves[2] = {.5, .5};

	ck_assert(chi_square(cyclic, sixths, 6) > critical(5));
	ck_assert(chi_square(skewed, halves, 2) > critical(1));
	ck_assert(fabs(critical(1) - 10.83) < 0.4); /* from tables */
	ck_assert(fabs(critical(23) - 49.73) < 0.3);
}
END_TEST

START_TEST(test_all_orders_of_2_3_and_4_addresses_are_as_likely)
{
	static const unsigned factorial[] = {1, 1, 2, 6, 24};

	for (unsigned n = 2; n <= 4; n++) {
		struct rng rng = {.state = n};
		unsigned seen[24] = {0};

		for (unsigned i = 0; i < DRAWS; i++) {
			ck_assert_uint_eq(rotation_shuffle(&rng, n, order), n);
			seen[permutation_number(order, n)]++;
		}
		assert_uniform(seen, factorial[n]);
	}
}
END_TEST

START_TEST(test_all_orders_of_a_service_of_equal_weights_are_as_likely)
{
	static const uint32_t weights[] = {7, 7, 7, 7};
	atomic_uint_fast64_t words[1] = {~(uint64_t)0};
	struct rotation *r = make_rotation(CONFIG_ROTATION_ALL, weights, 4);
	struct rng rng = {.state = 4};
	unsigned seen[24] = {0};
	bool fail_open = false;

	for (unsigned i = 0; i < DRAWS; i++) {
		ck_assert_uint_eq(
			rotation_order(r, (struct rotation_held){words}, &rng, order, &fail_open),
			4);
		seen[permutation_number(order, 4)]++;
	}
	assert_uniform(seen, 24);
	ck_assert(!fail_open);
	free(r);
}
END_TEST

START_TEST(test_weights_say_who_is_first_and_the_rest_is_uniform)
{
	static const uint32_t weights[] = {1, 2, 5};
	/* Orders 012, 021, 102, 120, 201, 210. */
	static const double share[] = {1 / 16., 1 / 16., 2 / 16., 2 / 16., 5 / 16., 5 / 16.};
	atomic_uint_fast64_t words[1] = {7};
	struct rotation *r = make_rotation(CONFIG_ROTATION_ALL, weights, 3);
	struct rng rng = {.state = 5};
	unsigned seen[6] = {0};
	bool fail_open = false;

	for (unsigned i = 0; i < DRAWS; i++) {
		rotation_order(r, (struct rotation_held){words}, &rng, order, &fail_open);
		seen[permutation_number(order, 3)]++;
	}
	assert_fair(seen, share, 6);
	free(r);
}
END_TEST

START_TEST(test_the_weighted_policy_gives_one_in_proportion)
{
	static const uint32_t weights[] = {1, 2, 5};
	static const double share[] = {1 / 8., 2 / 8., 5 / 8.};
	atomic_uint_fast64_t words[1] = {7};
	struct rotation *r = make_rotation(CONFIG_ROTATION_WEIGHTED, weights, 3);
	struct rng rng = {.state = 6};
	unsigned seen[3] = {0};
	bool fail_open = false;

	for (unsigned i = 0; i < DRAWS; i++) {
		ck_assert_uint_eq(
			rotation_order(r, (struct rotation_held){words}, &rng, order, &fail_open),
			1);
		seen[order[0]]++;
	}
	assert_fair(seen, share, 3);
	free(r);
}
END_TEST

START_TEST(test_a_vip_that_nobody_holds_is_left_out)
{
	static const uint32_t weights[] = {1, 2, 5};
	static const double share[] = {1 / 6., 5 / 6.};
	atomic_uint_fast64_t words[1] = {5}; /* not VIP 1 */
	struct rotation *r = make_rotation(CONFIG_ROTATION_ALL, weights, 3);
	struct rng rng = {.state = 7};
	unsigned seen[2] = {0};
	bool fail_open = false;

	for (unsigned i = 0; i < DRAWS; i++) {
		ck_assert_uint_eq(
			rotation_order(r, (struct rotation_held){words}, &rng, order, &fail_open),
			2);
		ck_assert(order[0] != 1 && order[1] != 1);
		seen[order[0] == 2]++;
	}
	assert_fair(seen, share, 2);
	ck_assert(!fail_open);
	free(r);
}
END_TEST

START_TEST(test_all_are_given_when_nobody_holds_any)
{
	static const uint32_t weights[] = {1, 1, 1};
	atomic_uint_fast64_t words[1] = {0};
	struct rotation *r = make_rotation(CONFIG_ROTATION_ALL, weights, 3);
	struct rng rng = {.state = 8};
	unsigned seen[6] = {0};

	for (unsigned i = 0; i < DRAWS; i++) {
		bool fail_open = false;

		ck_assert_uint_eq(
			rotation_order(r, (struct rotation_held){words}, &rng, order, &fail_open),
			3);
		ck_assert(fail_open);
		seen[permutation_number(order, 3)]++;
	}
	assert_uniform(seen, 6);
	free(r);
}
END_TEST

/* The last byte of the first address of an answer that has only one record type. */
static unsigned first_address(const struct told *t)
{
	struct reader r = reader_of(t->bytes, t->reply.size);
	unsigned size;

	ck_assert_int_eq(t->outcome, ANSWER_SENT);
	reader_take(&r, DNS_HEADER_SIZE + name_size(t->bytes + DNS_HEADER_SIZE, 255) + 4);
	reader_take(&r, 10);
	size = reader_u16(&r);
	const uint8_t *address = reader_take(&r, size);

	ck_assert(address && (size == 4 || size == 16));
	return address[size - 1];
}

/* What a dual-stack client sends, A and AAAA in turns, kills the rotation of a server with one counter. */
START_TEST(test_questions_for_A_and_AAAA_in_turns_are_answered_fairly)
{
	const struct asked questions[2] = {{.name = "float.example.com", .type = DNS_A},
		{.name = "float.example.com", .type = DNS_AAAA, .edns = true}};
	struct world *w = world_new();
	struct asking how = {.answerer = answerer_new(42), .catalog = w->catalog};
	unsigned seen[2][4] = {{0}}, pairs[8] = {0};
	static struct told t;

	for (unsigned i = 0; i < DRAWS; i++) {
		unsigned first[2];

		how.tcp = i % 2; /* and over both transports */
		for (unsigned k = 0; k < 2; k++) {
			ask(&how, &questions[k], &t);
			first[k] = first_address(&t);
			seen[k][first[k]]++;
		}
		pairs[first[0] * 2 + first[1]]++;
	}
	assert_uniform(seen[0], 4);
	assert_uniform(seen[1], 2);
	assert_uniform(pairs, 8); /* neither tells anything of the other */
	answerer_free(how.answerer);
	world_free(w);
}
END_TEST

START_TEST(test_addresses_of_a_master_file_are_shuffled_too_both_ways)
{
	const struct asked q = {.name = "www.example.com", .type = DNS_A};
	struct world *w = world_new();
	static struct told t;

	for (enum way way = WAY_FAST; way <= WAY_SLOW; way++) {
		struct asking how = {
			.answerer = answerer_new(43), .catalog = w->catalog, .way = way};
		unsigned seen[3] = {0};

		for (unsigned i = 0; i < DRAWS; i++) {
			ask(&how, &q, &t);
			seen[first_address(&t) - 8]++;
		}
		assert_uniform(seen, 3);
		answerer_free(how.answerer);
	}
	world_free(w);
}
END_TEST

/* How often each of the three VIPs of weights 1, 2 and 5 is the first of the answers to @name, that have @n. */
static void expect_weighted_answers(struct asking *how, const char *name, unsigned n)
{
	static const double share[] = {1 / 8., 2 / 8., 5 / 8.};
	const struct asked q = {.name = name, .type = DNS_A};
	unsigned seen[3] = {0};
	static struct told t;

	for (unsigned i = 0; i < DRAWS; i++) {
		ask(how, &q, &t);
		ck_assert_uint_eq(t.bytes[7], n);
		seen[first_address(&t)]++;
	}
	assert_fair(seen, share, 3);
}

START_TEST(test_answers_keep_the_weights_of_the_configuration_both_ways)
{
	struct world *w = world_new();

	for (enum way way = WAY_FAST; way <= WAY_SLOW; way++) {
		struct asking how = {
			.answerer = answerer_new(44), .catalog = w->catalog, .way = way};

		expect_weighted_answers(&how, "weight.example.com", 3);
		expect_weighted_answers(&how, "one.example.com", 1);
		answerer_free(how.answerer);
	}
	world_free(w);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_the_measure_sees_what_is_not_fair,
		test_all_orders_of_2_3_and_4_addresses_are_as_likely,
		test_all_orders_of_a_service_of_equal_weights_are_as_likely,
		test_weights_say_who_is_first_and_the_rest_is_uniform,
		test_the_weighted_policy_gives_one_in_proportion,
		test_a_vip_that_nobody_holds_is_left_out,
		test_all_are_given_when_nobody_holds_any,
		test_questions_for_A_and_AAAA_in_turns_are_answered_fairly,
		test_addresses_of_a_master_file_are_shuffled_too_both_ways,
		test_answers_keep_the_weights_of_the_configuration_both_ways,
	};

	return run_suite("rotation", tests, ARRAY_SIZE(tests));
}
