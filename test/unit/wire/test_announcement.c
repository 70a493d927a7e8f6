/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <stdlib.h>

#include "hex.h"
#include "wire/announcement.h"

/* Golden frames: 10.1.1.201 or 2001:db8::201 at 02:00:00:00:00:01; checksums added up by hand. */

/* RFC 826, RFC 5227 3: a request whose addresses are both the VIP */
#define GOLDEN_ARP                                                                                 \
	"ffffffffffff 020000000001 0806 0001 0800 06 04 0001"                                      \
	"020000000001 0a0101c9 000000000000 0a0101c9"

/* who has 10.1.1.1? */
#define GOLDEN_ARP_QUERY                                                                           \
	"ffffffffffff 020000000001 0806 0001 0800 06 04 0001"                                      \
	"020000000001 0a0101c9 000000000000 0a010101"

/* RFC 4861 4.4: Router and Override, target link-layer address, to all nodes */
#define GOLDEN_NA                                                                                  \
	"333300000001 020000000001 86dd 60000000 0020 3a ff"                                       \
	"20010db800000000 0000000000000201 ff02000000000000 0000000000000001"                      \
	"88 00 752a a0000000 20010db800000000 0000000000000201 02 01 020000000001"

/* ... from a host that does not forward: the checksum moves by 8000 */
#define GOLDEN_NA_HOST                                                                             \
	"333300000001 020000000001 86dd 60000000 0020 3a ff"                                       \
	"20010db800000000 0000000000000201 ff02000000000000 0000000000000001"                      \
	"88 00 f52a 20000000 20010db800000000 0000000000000201 02 01 020000000001"

/* RFC 4861 4.3: for fe80::1, source link-layer address, to its solicited-node group */
#define GOLDEN_NS                                                                                  \
	"3333ff000001 020000000001 86dd 60000000 0020 3a ff"                                       \
	"20010db800000000 0000000000000201 ff02000000000000 00000001ff000001"                      \
	"87 00 4961 00000000 fe80000000000000 0000000000000001 01 01 020000000001"

static struct announcement announcement(const char *vip, const char *gateway)
{
	struct announcement a = {.mac = {2, 0, 0, 0, 0, 1}};

	ck_assert(addr_parse(vip, &a.vip));
	ck_assert(!gateway || addr_parse(gateway, &a.gateway));
	return a;
}

typedef size_t build_function(const struct announcement *a, uint8_t *frame, size_t size);

/* The very bytes when there is room, nothing when there is one byte less, or none. */
static void expect(build_function *build, const struct announcement *a, const char *hex)
{
	uint8_t frame[ANNOUNCEMENT_SIZE_MAX], expected[ANNOUNCEMENT_SIZE_MAX];
	const size_t size = hex_read(hex, expected, sizeof expected);

	ck_assert_uint_eq(build(a, frame, sizeof frame), size);
	ck_assert_mem_eq(frame, expected, size);
	for (size_t room = 0; room < size; room++) {
		uint8_t *tight = malloc(room ? room : 1);

		ck_assert_ptr_nonnull(tight);
		ck_assert_uint_eq(build(a, tight, room), 0);
		free(tight);
	}
}

START_TEST(an_ipv4_vip_is_announced_by_a_broadcast_arp_request)
{
	const struct announcement a = announcement("10.1.1.201", NULL);

	expect(announcement_build, &a, GOLDEN_ARP);
}
END_TEST

START_TEST(an_ipv6_vip_is_announced_by_an_advertisement_to_all_nodes)
{
	struct announcement a = announcement("2001:db8::201", NULL);

	a.router = true;
	expect(announcement_build, &a, GOLDEN_NA);
}
END_TEST

START_TEST(a_host_that_does_not_forward_is_no_router)
{
	const struct announcement a = announcement("2001:db8::201", NULL);

	expect(announcement_build, &a, GOLDEN_NA_HOST);
}
END_TEST

START_TEST(the_ipv4_gateway_is_asked_in_the_name_of_the_vip)
{
	const struct announcement a = announcement("10.1.1.201", "10.1.1.1");

	expect(announcement_build_query, &a, GOLDEN_ARP_QUERY);
}
END_TEST

START_TEST(the_ipv6_gateway_is_solicited_in_the_name_of_the_vip)
{
	const struct announcement a = announcement("2001:db8::201", "fe80::1");

	expect(announcement_build_query, &a, GOLDEN_NS);
}
END_TEST

START_TEST(without_a_gateway_nobody_is_asked)
{
	const struct announcement ipv4 = announcement("10.1.1.201", NULL);
	const struct announcement ipv6 = announcement("2001:db8::201", NULL);
	uint8_t frame[ANNOUNCEMENT_SIZE_MAX];

	ck_assert_uint_eq(announcement_build_query(&ipv4, frame, sizeof frame), 0);
	ck_assert_uint_eq(announcement_build_query(&ipv6, frame, sizeof frame), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_ipv4_vip_is_announced_by_a_broadcast_arp_request,
		an_ipv6_vip_is_announced_by_an_advertisement_to_all_nodes,
		a_host_that_does_not_forward_is_no_router,
		the_ipv4_gateway_is_asked_in_the_name_of_the_vip,
		the_ipv6_gateway_is_solicited_in_the_name_of_the_vip,
		without_a_gateway_nobody_is_asked,
	};

	return run_suite("announcement", tests, sizeof tests / sizeof tests[0]);
}
