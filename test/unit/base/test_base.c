/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <netinet/in.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/tick.h"

static struct addr parsed(const char *text)
{
	struct addr a;

	ck_assert_msg(addr_parse(text, &a), "%s", text);
	return a;
}

START_TEST(addresses_survive_text)
{
	static const char *const texts[] = {"10.1.1.201", "0.0.0.0", "2001:db8::1", "fe80::1"};
	char buffer[ADDR_STRLEN];

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const struct addr a = parsed(texts[i]);

		ck_assert_str_eq(addr_format(&a, buffer), texts[i]);
	}
}
END_TEST

START_TEST(socket_addresses_of_both_families_are_read)
{
	const struct sockaddr_in four = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a0101c9)};
	const struct sockaddr_in6 six = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	const struct sockaddr other = {.sa_family = AF_UNIX};
	const struct addr v4 = parsed("10.1.1.201"), v6 = parsed("::1");
	struct addr a;

	ck_assert(addr_from_sockaddr((const struct sockaddr *)&four, &a));
	ck_assert(addr_equal(&a, &v4));
	ck_assert(addr_from_sockaddr((const struct sockaddr *)&six, &a));
	ck_assert(addr_equal(&a, &v6));
	ck_assert(!addr_from_sockaddr(&other, &a));
	ck_assert(!addr_from_sockaddr(NULL, &a));
	ck_assert(addr_equal(&a, &v6));
}
END_TEST

START_TEST(nonsense_is_no_address)
{
	struct addr a;

	ck_assert(!addr_parse("10.1.1", &a));
	ck_assert(!addr_parse("10.1.1.256", &a));
	ck_assert(!addr_parse("www", &a));
	ck_assert(!addr_parse("", &a));
}
END_TEST

START_TEST(addresses_compare_unsigned_in_network_order)
{
	const struct addr low = parsed("10.1.1.2"), high = parsed("10.1.1.200");

	ck_assert_int_lt(addr_compare(&low, &high), 0);
	ck_assert_int_gt(addr_compare(&high, &low), 0);
	ck_assert_int_eq(addr_compare(&low, &low), 0);
}
END_TEST

START_TEST(prefixes_contain_their_own_family_only)
{
	const struct addr v4 = parsed("10.1.1.9"), outside = parsed("10.1.2.9");
	const struct addr v6 = parsed("2001:db8::9");
	const struct prefix net4 = {parsed("10.1.1.0"), 120}, odd = {parsed("10.1.1.8"), 125};
	const struct prefix net6 = {parsed("2001:db8::"), 64}, all = {parsed("::"), 0};

	ck_assert(prefix_contains(&net4, &v4));
	ck_assert(!prefix_contains(&net4, &outside));
	ck_assert(prefix_contains(&odd, &v4));
	ck_assert(!prefix_contains(&net4, &v6));
	ck_assert(prefix_contains(&net6, &v6));
	ck_assert(!prefix_contains(&all, &v4));
}
END_TEST

START_TEST(a_reader_that_ran_out_stays_failed)
{
	const uint8_t bytes[] = {1, 2, 3};
	struct reader r = reader_of(bytes, sizeof bytes);

	ck_assert_uint_eq(reader_u16(&r), 0x0102);
	ck_assert_uint_eq(reader_u16(&r), 0);
	ck_assert(r.failed);
	ck_assert_uint_eq(reader_u8(&r), 0);
	ck_assert_uint_eq(reader_left(&r), 0);
}
END_TEST

START_TEST(a_writer_never_writes_past_its_end)
{
	uint8_t bytes[3] = {0};
	struct writer w = writer_of(bytes, 2);

	writer_u8(&w, 7);
	writer_u16(&w, 0xffff);
	ck_assert(w.failed);
	ck_assert_uint_eq(bytes[0], 7);
	ck_assert_uint_eq(bytes[1], 0);
	ck_assert_uint_eq(bytes[2], 0);
}
END_TEST

START_TEST(spans_saturate_instead_of_wrapping)
{
	ck_assert_uint_eq(tick_add(TICK_NEVER, 1), TICK_NEVER);
	ck_assert_uint_eq(tick_add(TICK_NEVER - 5, 10), TICK_NEVER);
	ck_assert_uint_eq(tick_since(5, 10), 0);
	ck_assert_uint_eq(tick_cs(1), tick_ms(10));
}
END_TEST

START_TEST(link_local_addresses_are_known_in_both_families)
{
	static const struct {
		const char *text;
		bool is;
	} rows[] = {
		{"169.254.0.1", true}, /* RFC 3927 2.1 */
		{"169.253.0.1", false},
		{"168.254.0.1", false},
		{"fe80::1", true}, /* RFC 4291 2.5.6 */
		{"febf:ffff::1", true},
		{"fec0::1", false},
		{"ff80::1", false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct addr a = parsed(rows[i].text);

		ck_assert_msg(addr_is_link_local(&a) == rows[i].is, "%s", rows[i].text);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		addresses_survive_text,
		socket_addresses_of_both_families_are_read,
		nonsense_is_no_address,
		addresses_compare_unsigned_in_network_order,
		prefixes_contain_their_own_family_only,
		a_reader_that_ran_out_stays_failed,
		a_writer_never_writes_past_its_end,
		spans_saturate_instead_of_wrapping,
		link_local_addresses_are_known_in_both_families,
	};

	return run_suite("base", tests, sizeof tests / sizeof tests[0]);
}
