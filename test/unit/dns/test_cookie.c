/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/assert.h"
#include "dns/cookie.h"
#include "dns/cookie_secrets.h"
#include "suite.h"

/* Server cookies that all servers make alike: the vectors of RFC 9018, appendix A. */

static const uint8_t secret[16] = {0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f, 0x48, 0xe7, 0xdc,
	0x84, 0x9e, 0x37, 0xbf, 0xcf};

static struct cookie_asker asker_of(
	const uint8_t *client_cookie, const char *address, uint32_t now_s)
{
	struct cookie_asker a = {.client_cookie = client_cookie, .now_s = now_s};

	ck_assert(addr_parse(address, &a.address));
	return a;
}

static const uint8_t first_client[8] = {0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57};
static const uint8_t first_server[16] = {0x01, 0x00, 0x00, 0x00, 0x5c, 0xf7, 0x9f, 0x11, 0x1f, 0x81,
	0x30, 0xc3, 0xee, 0xe2, 0x94, 0x80};

#define FIRST_ADDRESS "198.51.100.100"
#define FIRST_TIME    1559731985

START_TEST(test_a_new_cookie_is_that_of_rfc_9018_a_1)
{
	const struct cookie_asker a = asker_of(first_client, FIRST_ADDRESS, FIRST_TIME);
	uint8_t cookie[16];

	cookie_make(secret, &a, cookie);
	ck_assert_mem_eq(cookie, first_server, sizeof cookie);
	ck_assert_int_eq(cookie_check(secret, &a, cookie, sizeof cookie), COOKIE_GOOD);
}
END_TEST

START_TEST(test_one_that_was_renewed_is_that_of_rfc_9018_a_2)
{
	static const uint8_t renewed[16] = {0x01, 0x00, 0x00, 0x00, 0x5c, 0xf7, 0xa8, 0x71, 0xd4,
		0xa5, 0x64, 0xa1, 0x44, 0x2a, 0xca, 0x77};
	const struct cookie_asker a = asker_of(first_client, FIRST_ADDRESS, 1559734385);
	uint8_t cookie[16];

	ck_assert_int_eq(cookie_check(secret, &a, first_server, sizeof first_server), COOKIE_STALE);
	cookie_make(secret, &a, cookie);
	ck_assert_mem_eq(cookie, renewed, sizeof cookie);
}
END_TEST

START_TEST(test_reserved_bytes_count_as_they_came_as_in_rfc_9018_a_3)
{
	static const uint8_t client[8] = {0xfc, 0x93, 0xfc, 0x62, 0x80, 0x7d, 0xdb, 0x86};
	static const uint8_t server[16] = {0x01, 0xab, 0xcd, 0xef, 0x5c, 0xf7, 0x8f, 0x71, 0xa3,
		0x14, 0x22, 0x7b, 0x66, 0x79, 0xeb, 0xf5};
	const struct cookie_asker a = asker_of(client, "203.0.113.203", 1559727985);
	uint8_t changed[16];

	ck_assert_int_ne(cookie_check(secret, &a, server, sizeof server), COOKIE_BAD);
	memcpy(changed, server, sizeof changed);
	changed[1] = 0;
	ck_assert_int_eq(cookie_check(secret, &a, changed, sizeof changed), COOKIE_BAD);
}
END_TEST

START_TEST(test_an_old_secret_and_ipv6_are_those_of_rfc_9018_a_4)
{
	static const uint8_t old_secret[16] = {0xdd, 0x3b, 0xdf, 0x93, 0x44, 0xb6, 0x78, 0xb1, 0x85,
		0xa6, 0xf5, 0xcb, 0x60, 0xfc, 0xa7, 0x15};
	static const uint8_t new_secret[16] = {0x44, 0x55, 0x36, 0xbc, 0xd2, 0x51, 0x32, 0x98, 0x07,
		0x5a, 0x5d, 0x37, 0x96, 0x63, 0xc9, 0x62};
	static const uint8_t client[8] = {0x22, 0x68, 0x1a, 0xb9, 0x7d, 0x52, 0xc2, 0x98};
	static const uint8_t old_cookie[16] = {0x01, 0x00, 0x00, 0x00, 0x5c, 0xf7, 0xc5, 0x79, 0x26,
		0x55, 0x6b, 0xd0, 0x93, 0x4c, 0x72, 0xf8};
	static const uint8_t new_cookie[16] = {0x01, 0x00, 0x00, 0x00, 0x5c, 0xf7, 0xc6, 0x09, 0xa6,
		0xbb, 0x79, 0xd1, 0x66, 0x25, 0x50, 0x7a};
	const struct cookie_asker a =
		asker_of(client, "2001:db8:220:1:59de:d0f4:8769:82b8", 1559741961);
	uint8_t cookie[16];

	ck_assert_int_eq(cookie_check(old_secret, &a, old_cookie, sizeof old_cookie), COOKIE_GOOD);
	ck_assert_int_eq(cookie_check(new_secret, &a, old_cookie, sizeof old_cookie), COOKIE_BAD);
	cookie_make(new_secret, &a, cookie);
	ck_assert_mem_eq(cookie, new_cookie, sizeof cookie);
}
END_TEST

/* RFC 9018 4.3. */
START_TEST(test_a_cookie_is_good_for_an_hour_and_five_minutes_ahead)
{
	static const struct {
		int64_t later_s;
		enum cookie_verdict verdict;
	} cases[] = {{0, COOKIE_GOOD}, {1800, COOKIE_GOOD}, {1801, COOKIE_STALE},
		{3600, COOKIE_STALE}, {3601, COOKIE_BAD}, {-300, COOKIE_GOOD}, {-301, COOKIE_BAD},
		{1u << 31, COOKIE_BAD}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cookie_asker a = asker_of(
			first_client, FIRST_ADDRESS, (uint32_t)(FIRST_TIME + cases[i].later_s));

		ck_assert_int_eq(cookie_check(secret, &a, first_server, sizeof first_server),
			cases[i].verdict);
	}
}
END_TEST

START_TEST(test_the_clock_may_wrap_between)
{
	const struct cookie_asker before = asker_of(first_client, FIRST_ADDRESS, UINT32_MAX - 5);
	const struct cookie_asker after = asker_of(first_client, FIRST_ADDRESS, 5);
	uint8_t cookie[16];

	cookie_make(secret, &before, cookie);
	ck_assert_int_eq(cookie_check(secret, &after, cookie, sizeof cookie), COOKIE_GOOD);
}
END_TEST

START_TEST(test_a_cookie_is_of_one_asker_one_secret_and_one_size)
{
	const struct cookie_asker a = asker_of(first_client, FIRST_ADDRESS, FIRST_TIME);
	const struct cookie_asker other = asker_of(first_client, "198.51.100.101", FIRST_TIME);
	uint8_t longer[17] = {0};

	memcpy(longer, first_server, sizeof first_server);
	ck_assert_int_eq(cookie_check(secret, &other, first_server, 16), COOKIE_BAD);
	ck_assert_int_eq(cookie_check(secret, &a, longer, 17), COOKIE_BAD);
	ck_assert_int_eq(cookie_check(secret, &a, first_server, 8), COOKIE_BAD);
	longer[0] = 2;
	ck_assert_int_eq(cookie_check(secret, &a, longer, 16), COOKIE_BAD);
	for (int bit = 0; bit < 128; bit++) {
		uint8_t changed[16];

		memcpy(changed, first_server, sizeof changed);
		changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(cookie_check(secret, &a, changed, 16), COOKIE_BAD);
	}
}
END_TEST

#define SECRET "e5e973e5a6b2a43f48e7dc849e37bfcf"

START_TEST(test_a_file_has_a_secret_or_two)
{
	static const char one[] = SECRET, two[] = "# ours\n\n" SECRET " \t\r\n"
						  "00000000000000000000000000000007\n";
	struct answer_self self = {.n_cookie_secrets = 2};
	uint32_t line = 7;

	ck_assert_ptr_null(cookie_secrets_read(&self, one, strlen(one), &line));
	ck_assert_uint_eq(self.n_cookie_secrets, 1);
	ck_assert_mem_eq(self.cookie_secrets[0], secret, sizeof secret);
	ck_assert_ptr_null(cookie_secrets_read(&self, two, strlen(two), &line));
	ck_assert_uint_eq(self.n_cookie_secrets, 2);
	ck_assert_mem_eq(self.cookie_secrets[0], secret, sizeof secret);
	ck_assert_uint_eq(self.cookie_secrets[1][15], 7);
}
END_TEST

START_TEST(test_what_is_no_secret_is_told_with_its_line)
{
	static const struct {
		const char *text;
		uint32_t line;
		const char *problem;
	} files[] = {
		{"", 0, "there is no secret"},
		{"# e5e973e5a6b2a43f48e7dc849e37bfcf\n", 0, "there is no secret"},
		{"\ne5e973e5a6b2a43f48e7dc849e37bfc\n", 2, "this is no secret"},
		{"e5e973e5a6b2a43f48e7dc849e37bfcf0", 1, "this is no secret"},
		{"e5e973e5a6b2a43f48e7dc849e37bfcg", 1, "this is no secret"},
		{" " SECRET, 1, "this is no secret"},
		{SECRET "\n" SECRET "\n\n" SECRET "\n", 4, "a third secret"},
	};
	struct answer_self self = {0};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		uint32_t line = 7;
		const char *problem =
			cookie_secrets_read(&self, files[i].text, strlen(files[i].text), &line);

		ck_assert_msg(problem && strstr(problem, files[i].problem), "%zu: %s", i, problem);
		ck_assert_uint_eq(line, files[i].line);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_a_new_cookie_is_that_of_rfc_9018_a_1,
		test_one_that_was_renewed_is_that_of_rfc_9018_a_2,
		test_reserved_bytes_count_as_they_came_as_in_rfc_9018_a_3,
		test_an_old_secret_and_ipv6_are_those_of_rfc_9018_a_4,
		test_a_cookie_is_good_for_an_hour_and_five_minutes_ahead,
		test_the_clock_may_wrap_between,
		test_a_cookie_is_of_one_asker_one_secret_and_one_size,
		test_a_file_has_a_secret_or_two,
		test_what_is_no_secret_is_told_with_its_line,
	};

	return run_suite("cookie", tests, ARRAY_SIZE(tests));
}
