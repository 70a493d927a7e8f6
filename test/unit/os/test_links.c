/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "os/links.h"
#include "suite.h"

#define ETH0 7u
#define LO   1u

static struct config_node node = {.name = "www1", .n_addresses = 2};
static struct config_interface interfaces[] = {{.name = "eth0"}, {.name = "eth1"}};
static const struct config config = {
	.nodes = &node, .n_nodes = 1, .interfaces = interfaces, .n_interfaces = 2};
static struct links links;

static struct addr parsed(const char *text)
{
	struct addr a;

	ck_assert_msg(addr_parse(text, &a), "%s", text);
	return a;
}

static void fresh(void)
{
	node.addresses[0] = parsed("10.1.1.2");
	node.addresses[1] = parsed("2001:db8::2");
	links_init(&links, &config, 0);
}

static void see_link(uint32_t ifindex, const char *name, bool present, bool running)
{
	struct netlink_link news = {
		.ifindex = ifindex, .present = present, .running = running, .ethernet = true};

	strcpy(news.name, name);
	news.loopback = ifindex == LO;
	news.mac[0] = 2;
	news.mac[5] = (uint8_t)ifindex;
	links_see_link(&links, &news);
}

static bool see(const char *address, bool present, bool tentative)
{
	return links_see_address(&links, &(struct netlink_address){
						 .ifindex = ETH0,
						 .address = parsed(address),
						 .present = present,
						 .tentative = tentative,
					 });
}

/* @prefix with numbers from 0 on; how many of them say that what had no room is to be told again. */
static uint32_t see_many(const char *prefix, int n, bool present)
{
	char text[ADDR_STRLEN];
	uint32_t again = 0;

	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof text, "%s%d", prefix, i);
		again += see(text, present, false);
	}
	return again;
}

static void expect_source(enum family family, const char *text)
{
	const struct node_interface is = links_node_interface(&links, 0);
	const struct addr wanted = text ? parsed(text) : addr_none;
	char buffer[ADDR_STRLEN];

	ck_assert_msg(addr_equal(&is.sources[family], &wanted), "it is %s",
		addr_format(&is.sources[family], buffer));
}

START_TEST(an_interface_is_up_when_it_is_there_and_runs)
{
	fresh();
	ck_assert(!links_node_interface(&links, 0).up);
	see_link(ETH0, "eth0", true, false);
	ck_assert(!links_node_interface(&links, 0).up);
	see_link(ETH0, "eth0", true, true);
	ck_assert(links_node_interface(&links, 0).up);
	ck_assert(!links_node_interface(&links, 1).up);
	ck_assert_int_eq(links_find(&links, ETH0), 0);
	see_link(ETH0, "eth0", false, false);
	ck_assert(!links_node_interface(&links, 0).up);
	ck_assert_int_eq(links_find(&links, ETH0), -1);
}
END_TEST

START_TEST(each_loss_of_carrier_begins_another_spell)
{
	struct netlink_link news = {
		.ifindex = ETH0, .name = "eth0", .present = true, .running = true, .losses = 3};
	uint64_t spell;

	fresh();
	links_see_link(&links, &news);
	spell = links_node_interface(&links, 0).spell;
	links_see_link(&links, &news);
	ck_assert_uint_eq(links_node_interface(&links, 0).spell, spell);
	news.losses++;
	links_see_link(&links, &news);
	ck_assert_uint_ne(links_node_interface(&links, 0).spell, spell);
	/* made anew, with as many losses */
	spell = links_node_interface(&links, 0).spell;
	news.ifindex++;
	links_see_link(&links, &news);
	ck_assert_uint_ne(links_node_interface(&links, 0).spell, spell);
}
END_TEST

START_TEST(another_mac_is_seen_and_is_the_same_spell)
{
	struct netlink_link news = {
		.ifindex = ETH0, .name = "eth0", .present = true, .running = true, .mac = {2}};
	struct node_interface was, is;

	fresh();
	links_see_link(&links, &news);
	was = links_node_interface(&links, 0);
	news.mac[5] = 1;
	links_see_link(&links, &news);
	is = links_node_interface(&links, 0);
	ck_assert_mem_eq(is.mac, news.mac, sizeof is.mac);
	ck_assert_mem_ne(is.mac, was.mac, sizeof is.mac);
	ck_assert_uint_eq(is.spell, was.spell);
}
END_TEST

START_TEST(an_interface_returns_under_its_name_without_its_addresses)
{
	fresh();
	see_link(ETH0, "eth0", true, true);
	see("10.1.1.2", true, false);
	expect_source(FAMILY_IPV4, "10.1.1.2");
	see_link(ETH0 + 1, "eth0", true, true);
	expect_source(FAMILY_IPV4, NULL);
	ck_assert_int_eq(links_find(&links, ETH0 + 1), 0);
	ck_assert_int_eq(links_find(&links, ETH0), -1);
}
END_TEST

START_TEST(a_renamed_interface_is_gone)
{
	fresh();
	see_link(ETH0, "eth0", true, true);
	see_link(ETH0, "old0", true, true);
	ck_assert(!links_node_interface(&links, 0).up);
	see_link(ETH0, "eth1", true, true);
	ck_assert_int_eq(links_find(&links, ETH0), 1);
}
END_TEST

START_TEST(the_nodes_own_address_is_the_ipv4_source)
{
	fresh();
	see_link(ETH0, "eth0", true, true);
	see("10.1.1.77", true, false);
	expect_source(FAMILY_IPV4, "10.1.1.77");
	see("10.1.1.2", true, false);
	see("10.1.1.78", true, false);
	expect_source(FAMILY_IPV4, "10.1.1.2");
	see("10.1.1.2", false, false);
	expect_source(FAMILY_IPV4, "10.1.1.77");
	see("10.1.1.77", false, false);
	expect_source(FAMILY_IPV4, "10.1.1.78");
}
END_TEST

/* RFC 9568 5.1.2.1: the IPv6 source is link-local */
START_TEST(the_first_usable_link_local_address_is_the_ipv6_source)
{
	fresh();
	see_link(ETH0, "eth0", true, true);
	see("2001:db8::2", true, false);
	expect_source(FAMILY_IPV6, NULL);
	see("fe80::1", true, true);
	expect_source(FAMILY_IPV6, NULL);
	see("fe80::1", true, false);
	see("fe80::2", true, false);
	expect_source(FAMILY_IPV6, "fe80::1");
}
END_TEST

START_TEST(the_loopback_counts_while_it_is_up)
{
	fresh();
	see_link(LO, "lo", true, true);
	ck_assert_uint_eq(links.loopback, LO);
	see_link(LO, "lo", true, false);
	ck_assert_uint_eq(links.loopback, 0);
}
END_TEST

START_TEST(more_addresses_than_there_is_room_for_are_left_out)
{
	fresh();
	see_link(ETH0, "eth0", true, true);
	see_many("10.1.2.", 2 * LINKS_ADDRS_MAX, true);
	expect_source(FAMILY_IPV4, "10.1.2.0");
	ck_assert_uint_eq(links.links[0].n_addresses, LINKS_ADDRS_MAX);
}
END_TEST

/* The kernel lists IPv4 first, and link-local addresses last. */
START_TEST(many_addresses_of_one_kind_leave_room_for_the_others)
{
	fresh();
	see_link(ETH0, "eth0", true, true);
	see_many("10.1.2.", 100, true);
	see_many("2001:db8::1:", 100, true);
	see("fe80::1", true, false);
	expect_source(FAMILY_IPV4, "10.1.2.0");
	expect_source(FAMILY_IPV6, "fe80::1");
}
END_TEST

START_TEST(the_nodes_own_address_always_finds_room)
{
	fresh();
	see_link(ETH0, "eth0", true, true);
	see_many("10.1.2.", 100, true);
	see_many("fe80::", 100, true);
	see("10.1.1.2", true, false);
	see("2001:db8::2", true, false);
	expect_source(FAMILY_IPV4, "10.1.1.2");
	expect_source(FAMILY_IPV6, "fe80::");
	ck_assert_uint_eq(links.links[0].n_addresses, 2 * LINKS_ADDRS_MAX);
	see("10.1.1.2", false, false);
	expect_source(FAMILY_IPV4, "10.1.2.0");
}
END_TEST

START_TEST(what_had_no_room_is_asked_for_when_the_others_are_gone)
{
	fresh();
	see_link(ETH0, "eth0", true, true);
	see_many("10.1.2.", LINKS_ADDRS_MAX, true);
	ck_assert_uint_eq(see_many("10.1.2.", LINKS_ADDRS_MAX, false), 0);
	see_many("10.1.2.", LINKS_ADDRS_MAX + 1, true);
	ck_assert_uint_eq(see_many("10.1.2.", LINKS_ADDRS_MAX - 1, false), 0);
	ck_assert(see("10.1.2.15", false, false));
	expect_source(FAMILY_IPV4, NULL);
	links_forget(&links);
	see_link(ETH0, "eth0", true, true);
	see("10.1.2.16", true, false);
	expect_source(FAMILY_IPV4, "10.1.2.16");
	ck_assert(!see("10.1.2.16", false, false));
}
END_TEST

static bool has_mac(uint8_t last)
{
	return links_has_mac(&links, (const uint8_t[]){2, 0, 0, 0, 0, last});
}

START_TEST(the_macs_of_all_interfaces_are_known)
{
	char name[16];

	fresh();
	see_link(ETH0, "eth0", true, true);
	see_link(20, "dmz0", true, true);
	see_link(21, "dmz1", true, true);
	ck_assert(has_mac(ETH0) && has_mac(20) && has_mac(21) && !has_mac(22));
	see_link(20, "dmz0", false, false);
	see_link(21, "eth1", true, true);
	ck_assert(!has_mac(20) && has_mac(21));
	ck_assert_uint_eq(links.n_others, 0);
	for (uint32_t i = 0; i < 2 * LINKS_OTHERS_MAX; i++) {
		snprintf(name, sizeof name, "veth%u", i);
		see_link(100 + i, name, true, true);
	}
	ck_assert_uint_eq(links.n_others, LINKS_OTHERS_MAX);
	ck_assert(has_mac(100) && !has_mac(99 + 2 * LINKS_OTHERS_MAX));
	links_forget(&links);
	ck_assert(!has_mac(100) && !has_mac(ETH0));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_interface_is_up_when_it_is_there_and_runs,
		each_loss_of_carrier_begins_another_spell,
		another_mac_is_seen_and_is_the_same_spell,
		an_interface_returns_under_its_name_without_its_addresses,
		a_renamed_interface_is_gone,
		the_nodes_own_address_is_the_ipv4_source,
		the_first_usable_link_local_address_is_the_ipv6_source,
		the_loopback_counts_while_it_is_up,
		more_addresses_than_there_is_room_for_are_left_out,
		many_addresses_of_one_kind_leave_room_for_the_others,
		the_nodes_own_address_always_finds_room,
		what_had_no_room_is_asked_for_when_the_others_are_gone,
		the_macs_of_all_interfaces_are_known,
	};

	return run_suite("links", tests, ARRAY_SIZE(tests));
}
