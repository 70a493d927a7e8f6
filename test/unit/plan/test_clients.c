/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <string.h>

#include "base/rng.h"
#include "plan/clients.h"

#define MAX 8

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert(addr_parse(text, &a));
	return a;
}

static uint32_t parse_all(const char *const *texts, struct addr *ret_addresses)
{
	uint32_t n = 0;

	while (n < MAX && texts[n]) {
		ret_addresses[n] = address(texts[n]);
		n++;
	}
	return n;
}

/* @middle: the first of the second half; 0: the clients are not split. */
static void expect_split(const char *const *texts, uint8_t len, uint32_t middle)
{
	struct addr addresses[MAX];
	struct clients_half halves[2];
	const uint32_t n = parse_all(texts, addresses);

	ck_assert_msg(clients_split(addresses, n, len, halves) == (middle > 0), "%s", texts[0]);
	if (middle == 0)
		return;
	ck_assert_uint_eq(halves[0].first, 0);
	ck_assert_uint_eq(halves[0].n, middle);
	ck_assert_uint_eq(halves[1].first, middle);
	ck_assert_uint_eq(halves[1].n, n - middle);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < 2; k++)
			ck_assert(prefix_contains(&halves[k].network, &addresses[i]) ==
				  (k == (i >= middle)));
}

#define SPLIT(len, middle, ...) expect_split((const char *const[MAX + 1]){__VA_ARGS__}, len, middle)

START_TEST(vips_that_fill_a_block_split_nobody)
{
	SPLIT(96 + 24, 0, "10.1.1.200", "10.1.1.201", "10.1.1.202", "10.1.1.203");
	SPLIT(96 + 24, 0, "10.1.1.201", "10.1.1.202", "10.1.1.203");
	SPLIT(96 + 24, 0, "10.1.1.201", "10.1.1.202", "10.1.1.203", "10.1.1.204", "10.1.1.205",
		"10.1.1.206");
	SPLIT(96 + 24, 0, "10.1.1.201", "10.1.1.202"); /* half full */
	SPLIT(64, 0, "2001:db8::200", "2001:db8::201");
	SPLIT(96 + 31, 0, "10.1.1.0", "10.1.1.1");
}
END_TEST

/* RFC 6724 6, rule 9; what getaddrinfo() of glibc did with these */
START_TEST(vips_apart_split_the_clients_among_them)
{
	SPLIT(96 + 24, 2, "10.53.0.3", "10.53.0.4", "10.53.0.130");
	SPLIT(96 + 24, 1, "10.1.1.10", "10.1.1.150");
	SPLIT(96 + 24, 1, "10.1.1.203", "10.1.1.204"); /* .200 to .207 */
	SPLIT(64, 1, "fd00:1::3000", "fd00:1::8000");
	SPLIT(64, 1, "2001:db8:53:1::1", "2001:db8:8000::1");
	SPLIT(64, 1, "2001:db8::1", "fd00::1");
	SPLIT(64, 1, "2001:db8::1", "2001:db8:0:0:8000::1");
}
END_TEST

START_TEST(what_a_block_has_left_is_much_in_a_small_network)
{
	SPLIT(96 + 28, 0, "10.1.1.4", "10.1.1.5", "10.1.1.6");
	SPLIT(96 + 28, 4, "10.1.1.0", "10.1.1.1", "10.1.1.2", "10.1.1.3", "10.1.1.4");
	SPLIT(96 + 27, 0, "10.1.1.0", "10.1.1.1", "10.1.1.2", "10.1.1.3", "10.1.1.4");
}
END_TEST

/* How many bits the host parts of two addresses of a /26 have in common. */
static uint32_t common_bits(uint32_t a, uint32_t b)
{
	uint32_t n = 0;

	while (n < 6 && a >> (5 - n) == b >> (5 - n))
		n++;
	return n;
}

/* The VIPs, as bits, that are next to the client by the letter of the rule. */
static uint64_t nearest(const struct addr *vips, uint32_t n, uint32_t client)
{
	uint32_t best = 0;
	uint64_t choice = 0;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t common = common_bits(client, vips[i].b[15]);

		if (common > best)
			choice = 0;
		if (common >= best)
			choice |= UINT64_C(1) << vips[i].b[15];
		best = common > best ? common : best;
	}
	return choice;
}

/* Whether what clients_split() says of each client of 10.0.0.0/26 is so. */
static void check_each_client(const struct addr *vips, uint32_t n)
{
	struct clients_half halves[2];
	const bool is_split = clients_split(vips, n, 96 + 26, halves);
	uint32_t n_strangers = 0;
	uint64_t all = 0;

	for (uint32_t i = 0; i < n; i++)
		all |= UINT64_C(1) << vips[i].b[15];
	for (uint32_t client = 0; client < 64; client++) {
		const struct addr a = addr_from_ipv4((uint8_t[]){10, 0, 0, (uint8_t)client});
		const uint64_t choice = nearest(vips, n, client);
		uint64_t half = 0;

		for (uint32_t k = 0; is_split && k < 2; k++)
			for (uint32_t i = 0; i < halves[k].n; i++)
				if (prefix_contains(&halves[k].network, &a))
					half |= UINT64_C(1) << vips[halves[k].first + i].b[15];
		if (is_split && half == 0)
			ck_assert_uint_eq(choice, all);
		else if (is_split)
			ck_assert_uint_eq(choice & ~half, 0);
		n_strangers += choice != all && !(all >> client & 1);
	}
	if (!is_split)
		ck_assert_uint_le(n_strangers, n < 8 ? n : 8);
}

START_TEST(each_client_chooses_by_the_rule)
{
	for (uint32_t seed = 0; seed < 20000; seed++) {
		struct rng rng = {seed};
		uint64_t set = rng_next(&rng) & rng_next(&rng);
		struct addr vips[64];
		uint32_t n = 0;

		/* few VIPs, and many; scattered, and close together */
		for (uint32_t i = 0; i < seed % 5; i++)
			set &= seed % 2 ? set << 1 : rng_next(&rng);
		for (uint32_t i = 0; i < 64; i++)
			if (set >> i & 1)
				vips[n++] = addr_from_ipv4((uint8_t[]){10, 0, 0, (uint8_t)i});
		if (n >= 2)
			check_each_client(vips, n);
	}
}
END_TEST

static void expect_block(const char *near, uint32_t n, const char *first, const char *last)
{
	const struct addr taken[] = {
		address("10.1.1.11"), address("10.1.1.200"), address("10.1.1.206")};
	const struct addr at = address(near);
	const struct clients_room room = {{address("10.1.1.0"), 96 + 24}, taken, 3};
	struct addr found[2];

	ck_assert(clients_find_block(&room, &at, n, &found[0], &found[1]) == (first != NULL));
	if (!first)
		return;
	ck_assert(addr_equal(&found[0], &(struct addr[]){address(first)}[0]));
	ck_assert(addr_equal(&found[1], &(struct addr[]){address(last)}[0]));
}

START_TEST(a_block_is_aligned_free_and_within_the_network)
{
	expect_block("10.1.1.201", 2, "10.1.1.202", "10.1.1.203");
	expect_block("10.1.1.201", 3, "10.1.1.196", "10.1.1.199");
	expect_block("10.1.1.2", 4, "10.1.1.4", "10.1.1.7");       /* .0 is the network's own */
	expect_block("10.1.1.254", 4, "10.1.1.248", "10.1.1.251"); /* .255 is for all */
	expect_block("10.1.1.100", 200, NULL, NULL);
}
END_TEST

START_TEST(a_block_is_looked_for_in_a_network_of_ipv6)
{
	const struct addr near = address("2001:db8::53");
	const struct clients_room room = {{address("2001:db8::"), 64}, &near, 1};
	const struct addr expected[] = {address("2001:db8::54"), address("2001:db8::55")};
	struct addr found[2];

	ck_assert(clients_find_block(&room, &near, 2, &found[0], &found[1]));
	ck_assert(addr_equal(&found[0], &expected[0]) && addr_equal(&found[1], &expected[1]));
}
END_TEST

START_TEST(a_network_that_is_smaller_than_the_block_has_none)
{
	const struct addr near = address("10.1.1.2");
	const struct clients_room room = {{address("10.1.1.0"), 96 + 29}, NULL, 0};
	struct addr found[2];

	ck_assert(!clients_find_block(&room, &near, 9, &found[0], &found[1]));
	ck_assert(clients_find_block(&room, &near, 2, &found[0], &found[1])); /* a control */
}
END_TEST

/* Whichever n of its addresses are taken. */
START_TEST(a_block_that_is_found_splits_nobody)
{
	const struct addr near = address("10.1.1.77");
	uint32_t n_found = 0;

	for (uint32_t n = 2; n < 130; n++) {
		for (uint8_t len = 96 + 20; len < 127; len++) {
			const struct clients_room room = {{near, len}, NULL, 0};
			struct addr vips[256], first, last;
			struct clients_half halves[2];

			if (!clients_find_block(&room, &near, n, &first, &last))
				continue;
			n_found++;
			for (uint32_t skipped = 0; skipped < 2; skipped++) {
				for (uint32_t i = 0; i < n; i++) {
					vips[i] = first;
					vips[i].b[15] += (uint8_t)(i + (i > 0 ? skipped : 0));
				}
				if (addr_compare(&vips[n - 1], &last) <= 0)
					ck_assert(!clients_split(vips, n, len, halves));
			}
		}
	}
	ck_assert_uint_gt(n_found, 500);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		vips_that_fill_a_block_split_nobody,
		vips_apart_split_the_clients_among_them,
		what_a_block_has_left_is_much_in_a_small_network,
		each_client_chooses_by_the_rule,
		a_block_is_aligned_free_and_within_the_network,
		a_block_is_looked_for_in_a_network_of_ipv6,
		a_network_that_is_smaller_than_the_block_has_none,
		a_block_that_is_found_splits_nobody,
	};

	return run_suite("clients", tests, sizeof tests / sizeof tests[0]);
}
