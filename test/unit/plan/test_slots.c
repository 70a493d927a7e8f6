/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/assert.h"
#include "base/rng.h"
#include "plan/slots.h"
#include "suite.h"

/* Long enough to pass the exact row's period, and to come from one window to many others. */
#define LENGTH 2000

static uint8_t slots[SLOTS_MAX], before[SLOTS_MAX];

static const uint32_t equal[CONFIG_NODES_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

/* Some spread widely, some little, some not at all. */
static void fill_weights(struct rng *r, uint32_t *weights, uint32_t n)
{
	const uint32_t most = 1 + rng_below(r, 1u << rng_below(r, 10));

	for (uint32_t i = 0; i < n; i++)
		weights[i] = 1 + rng_below(r, most);
}

static uint64_t sum(const uint32_t *weights, uint32_t n)
{
	uint64_t whole = 0;

	for (uint32_t i = 0; i < n; i++)
		whole += weights[i];
	return whole;
}

/* How far any node ever is above and below its share, rounded up and down, among the first @length. */
struct spread {
	int64_t above, below;
};

static struct spread spread_of(const uint32_t *weights, uint32_t n, uint32_t length)
{
	const int64_t whole = (int64_t)sum(weights, n);
	int64_t load[CONFIG_NODES_MAX] = {0};
	struct spread s = {0};

	slots_fill(slots, length, weights, n);
	for (uint32_t k = 0; k < length; k++) {
		load[slots[k]]++;
		for (uint32_t i = 0; i < n; i++) {
			const int64_t share = (int64_t)(k + 1) * weights[i];
			const int64_t above = load[i] - (share + whole - 1) / whole;
			const int64_t below = share / whole - load[i];

			s.above = above > s.above ? above : s.above;
			s.below = below > s.below ? below : s.below;
		}
	}
	return s;
}

START_TEST(up_to_eight_equal_nodes_share_any_number_of_slots_exactly)
{
	for (uint32_t n = 1; n <= SLOTS_EXACT_NODES; n++) {
		const struct spread s = spread_of(equal, n, LENGTH);

		ck_assert_int_eq(s.above, 0);
		ck_assert_int_eq(s.below, 0);
	}
}
END_TEST

START_TEST(the_first_slots_go_to_the_nodes_in_turn)
{
	for (uint32_t n = 1; n <= SLOTS_EXACT_NODES; n++) {
		slots_fill(slots, n, equal, n);
		for (uint32_t k = 0; k < n; k++)
			ck_assert_uint_eq(slots[k], k);
	}
}
END_TEST

START_TEST(no_equal_node_ever_has_two_slots_more_than_its_share)
{
	for (uint32_t n = SLOTS_EXACT_NODES + 1; n <= CONFIG_NODES_MAX; n += 5) {
		const struct spread s = spread_of(equal, n, CONFIG_VIPS_MAX);

		ck_assert_int_le(s.above, 1);
		ck_assert_int_le(s.below, 3);
	}
}
END_TEST

/* @n nodes, the last of which was appended. */
static void expect_growth(const uint32_t *weights, uint32_t n)
{
	const uint64_t whole = sum(weights, n);
	uint64_t taken = 0;
	bool exact = true;

	slots_fill(before, LENGTH, weights, n - 1);
	slots_fill(slots, LENGTH, weights, n);
	for (uint32_t k = 0; k < LENGTH; k++) {
		const uint64_t share = (uint64_t)(k + 1) * weights[n - 1];

		taken += slots[k] == n - 1;
		exact &= taken >= share / whole && taken <= (share + whole - 1) / whole;
		exact &= slots[k] == n - 1 || slots[k] == before[k];
	}
	ck_assert(exact);
}

START_TEST(a_further_node_takes_its_share_and_moves_nothing_else)
{
	struct rng r = {1};

	for (uint32_t n = 2; n <= CONFIG_NODES_MAX; n += n < 16 ? 1 : 8)
		expect_growth(equal, n);
	for (uint32_t i = 0; i < 100; i++) {
		uint32_t weights[CONFIG_NODES_MAX], n = 2 + rng_below(&r, i % 10 ? 10 : 63);

		fill_weights(&r, weights, n);
		expect_growth(weights, n);
	}
}
END_TEST

START_TEST(further_slots_change_none_before_them)
{
	struct rng r = {2};

	for (uint32_t i = 0; i < 100; i++) {
		uint32_t weights[CONFIG_NODES_MAX], n = 1 + rng_below(&r, i % 10 ? 10 : 64);
		const uint32_t few = rng_below(&r, LENGTH);

		fill_weights(&r, weights, n);
		slots_fill(before, few, weights, n);
		slots_fill(slots, LENGTH, weights, n);
		ck_assert_mem_eq(before, slots, few);
	}
}
END_TEST

START_TEST(unequal_nodes_stay_near_their_shares)
{
	struct rng r = {3};

	for (uint32_t i = 0; i < 200; i++) {
		uint32_t weights[CONFIG_NODES_MAX], n = 2 + rng_below(&r, 7);
		struct spread s;

		fill_weights(&r, weights, n);
		s = spread_of(weights, n, LENGTH);
		ck_assert_int_le(s.above, 2);
		ck_assert_int_le(s.below, 3);
	}
}
END_TEST

START_TEST(a_node_of_a_thousand_times_the_weight_leaves_the_other_its_share)
{
	static const uint32_t weights[] = {1, 1000};
	struct spread s;

	for (uint32_t length = 1; length <= LENGTH; length += 100) {
		s = spread_of(weights, 2, length);
		ck_assert_int_eq(s.above, 0);
		ck_assert_int_eq(s.below, 0);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		up_to_eight_equal_nodes_share_any_number_of_slots_exactly,
		the_first_slots_go_to_the_nodes_in_turn,
		no_equal_node_ever_has_two_slots_more_than_its_share,
		a_further_node_takes_its_share_and_moves_nothing_else,
		further_slots_change_none_before_them,
		unequal_nodes_stay_near_their_shares,
		a_node_of_a_thousand_times_the_weight_leaves_the_other_its_share,
	};

	return run_suite("slots", tests, ARRAY_SIZE(tests));
}
