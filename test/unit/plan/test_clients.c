/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <string.h>

#include "plan/clients.h"

#define MAX 8

struct case_of {
	const char *addresses[MAX]; /* sorted */
	uint8_t len;
	double shares[MAX];
};

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

static void expect(const struct case_of *c)
{
	struct addr addresses[MAX];
	double shares[MAX], sum = 0;
	const uint32_t n = parse_all(c->addresses, addresses);

	clients_shares(addresses, n, c->len, shares);
	for (uint32_t i = 0; i < n; i++) {
		ck_assert_double_eq_tol(shares[i], c->shares[i], 0.01);
		sum += shares[i];
	}
	ck_assert_double_eq_tol(sum, 1, 1e-9);
}

START_TEST(vips_of_an_aligned_block_are_equally_near)
{
	expect(&(struct case_of){{"10.1.1.200", "10.1.1.201", "10.1.1.202", "10.1.1.203"}, 96 + 24,
		{.25, .25, .25, .25}});
	expect(&(struct case_of){
		{"10.1.1.201", "10.1.1.202", "10.1.1.203"}, 96 + 24, {1. / 3, 1. / 3, 1. / 3}});
}
END_TEST

/* what getaddrinfo() of glibc did with these: the clients below .128 all chose one of the first two */
START_TEST(a_vip_apart_has_its_half_of_the_network)
{
	expect(&(struct case_of){
		{"10.53.0.3", "10.53.0.4", "10.53.0.130"}, 96 + 24, {.25, .25, .5}});
}
END_TEST

START_TEST(a_lone_vip_has_all)
{
	expect(&(struct case_of){{"2001:db8::1"}, 64, {1}});
}
END_TEST

/* every address of a small network in turn as a client, by the letter of the rule */
START_TEST(shares_are_those_of_every_client_asked)
{
	static const char *const texts[] = {"10.0.0.1", "10.0.0.6", "10.0.0.7", "10.0.0.40", NULL};
	struct addr vips[MAX];
	double shares[MAX], counted[MAX] = {0};
	const uint32_t n = parse_all(texts, vips);

	for (uint32_t host = 0; host < 64; host++) {
		uint32_t best = UINT32_MAX, n_best = 0;

		for (uint32_t i = 0; i < n; i++) {
			const uint32_t distance = host ^ vips[i].b[15];
			const uint32_t rank = distance ? 32 - (uint32_t)__builtin_clz(distance) : 0;

			n_best = rank < best ? 1 : n_best + (rank == best);
			best = rank < best ? rank : best;
		}
		for (uint32_t i = 0; i < n; i++) {
			const uint32_t distance = host ^ vips[i].b[15];
			const uint32_t rank = distance ? 32 - (uint32_t)__builtin_clz(distance) : 0;

			counted[i] += rank == best ? 1. / n_best : 0;
		}
	}
	clients_shares(vips, n, 96 + 26, shares);
	for (uint32_t i = 0; i < n; i++)
		ck_assert_double_eq_tol(shares[i], counted[i] / 64, 1e-9);
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

int main(void)
{
	const TTest *const tests[] = {
		vips_of_an_aligned_block_are_equally_near,
		a_vip_apart_has_its_half_of_the_network,
		a_lone_vip_has_all,
		shares_are_those_of_every_client_asked,
		a_block_is_aligned_free_and_within_the_network,
		a_block_is_looked_for_in_a_network_of_ipv6,
		a_network_that_is_smaller_than_the_block_has_none,
	};

	return run_suite("clients", tests, sizeof tests / sizeof tests[0]);
}
