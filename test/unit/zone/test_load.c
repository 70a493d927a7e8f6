/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "directory.h"
#include "zone/rdata.h"
#include "zones.h"

/* The unfinished zone of a file, and what was told. */
static struct zone *loaded(const char *path, struct complaints *c)
{
	const struct load_listener listener = listener_to(c);
	const struct zone_place named = {"roost.yaml", 3};
	const struct name apex = name_of("example.com");

	return load_file(path, apex.bytes, &named, &listener);
}

/* What loading a file says, which refuses it if there is an error. */
static void expect_file(const char *path, const char *expected)
{
	struct complaints c = {0};
	struct zone *z = loaded(path, &c);

	ck_assert_str_eq(c.text, expected);
	ck_assert_int_eq(z == NULL, c.n_errors > 0);
	zone_free(z);
}

static const struct zone_rrset *set_of(const struct zone *z, const char *name, uint16_t type)
{
	const struct name n = name_of(name);
	const struct zone_node *node = zone_lookup(z, n.bytes);

	ck_assert_msg(node != NULL, "%s", name);
	const struct zone_rrset *s = zone_rrset_of(node, type);

	ck_assert_ptr_nonnull(s);
	return s;
}

START_TEST(several_errors_are_told_at_once)
{
	struct complaints c = {0};

	ck_assert_ptr_null(zone_of(APEX "www A 192.0.2.256\n"
					"mail MX host\n"
					"; a comment\n"
					"txt TXT \"a\n"
					"www 60 HS A 192.0.2.1\n"
					"good A 192.0.2.7\n"
					"www.example.org. A 192.0.2.1\n"
					"big 2147483647 A 192.0.2.1\n"
					"big 2147483648 A 192.0.2.1\n",
		&c));
	ck_assert_str_eq(c.text,
		"test.zone:5: error: \"192.0.2.256\": invalid IPv4 address\n"
		"test.zone:6: error: \"host\": invalid number\n"
		"test.zone:8: error: \"\"a\": invalid text character\n"
		"test.zone:9: error: \"HS\": a TTL, IN or a known type of record is expected "
		"here\n"
		"test.zone:11: error: www.example.org. is outside the zone example.com.\n"
		"test.zone:13: error: the TTL 2147483648 is above 2147483647 (RFC 2181 8)\n");
}
END_TEST

static void expect_quoted(const char *line, const char *expected)
{
	struct complaints c = {0};
	char text[512], whole[512];

	snprintf(text, sizeof text, APEX "%s", line);
	snprintf(whole, sizeof whole, "test.zone:%s\n", expected);
	ck_assert_ptr_null(zone_of(text, &c));
	ck_assert_str_eq(c.text, whole);
}

START_TEST(the_word_that_is_wrong_is_quoted)
{
	static const char eighty[] =
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	char line[256], expected[256];

	/* a blank in the owner, and types that there are not */
	expect_quoted("my host A 192.0.2.1\n",
		"5: error: \"host\": a TTL, IN or a known type of record is expected here");
	expect_quoted("www 60 FOO bar ; baz\n",
		"5: error: \"FOO\": a TTL, IN or a known type of record is expected here");
	expect_quoted("xA 192.0.2.1\n",
		"5: error: \"192.0.2.1\": a TTL, IN or a known type of record is expected here");
	expect_quoted("www (\n 60\n AX\n 192.0.2.1 )\n",
		"7: error: \"AX\": a TTL, IN or a known type of record is expected here");
	expect_quoted("$GENERATE 1-3 a$ A 192.0.2.$\n",
		"5: error: \"$GENERATE\": there are no directives but $ORIGIN, $TTL and $INCLUDE");
	expect_quoted("$TTL abc\n", "5: error: \"abc\": invalid number");
	expect_quoted("mail MX 70000 mail\n", "5: error: \"70000\": number is bigger than 16 bits");
	/* the last line may lack its end */
	expect_quoted("www A 192.0.2.", "5: error: \"192.0.2.\": invalid IPv4 address");
	expect_quoted("www FOO",
		"5: error: \"FOO\": a TTL, IN or a known type of record is expected here");
	snprintf(line, sizeof line, "www A %s%s\n", eighty, eighty);
	snprintf(expected, sizeof expected, "5: error: \"%s\": invalid address character", eighty);
	expect_quoted(line, expected);
	/* nothing is there */
	expect_quoted("$INCLUDE \n", "5: error: invalid text character");
}
END_TEST

START_TEST(after_twenty_errors_it_is_given_up)
{
	char text[4096] = APEX;
	struct complaints c = {0};

	for (int i = 0; i < 30; i++)
		strcat(text, "www A 1.2.3\n");
	ck_assert_ptr_null(zone_of(text, &c));
	ck_assert_uint_eq(c.n_errors, LOAD_ERRORS_MAX + 1);
	ck_assert_ptr_nonnull(
		strstr(c.text, "test.zone:24: error: \"1.2.3\": invalid IPv4 address\n"
			       "test.zone:24: error: too many errors; no more are looked for\n"));
}
END_TEST

/* RFC 1035 5.1: the origin, the owner before, parentheses, comments. */
START_TEST(the_format_of_master_files_is_understood)
{
	struct zone *z = good_zone("; a comment\n"
				   "$TTL 1h\n"
				   "@ IN SOA ns1 host\\.master (\n"
				   "     7 ; serial\n"
				   "     4h 1h 2w 5m )\n"
				   "  IN NS ns1\n"
				   "ns1 60 IN A 192.0.2.1\n"
				   "    IN 120 AAAA 2001:db8::1\n"
				   "$ORIGIN sub.example.com.\n"
				   "www TXT \"a;b\" c\n"
				   "$ORIGIN other.sub.example.com.\n"
				   "www A 192.0.2.4");

	ck_assert_uint_eq(zone_serial(z), 7);
	ck_assert_uint_eq(set_of(z, "example.com", RDATA_SOA)->ttl, 3600);
	ck_assert_uint_eq(set_of(z, "ns1.example.com", RDATA_A)->ttl, 60);
	ck_assert_uint_eq(set_of(z, "ns1.example.com", RDATA_AAAA)->ttl, 120);
	ck_assert_uint_eq(set_of(z, "www.sub.example.com", 16)->line, 10);
	ck_assert_uint_eq(set_of(z, "www.other.sub.example.com", RDATA_A)->line, 12);
	zone_free(z);
}
END_TEST

START_TEST(an_omitted_ttl_is_the_last_that_was_stated)
{
	struct zone *z = good_zone("@ SOA ns1 hostmaster 7 14400 3600 1209600 300\n"
				   "@ NS ns1\n"
				   "ns1 60 A 192.0.2.1\n"
				   "www A 192.0.2.2\n"
				   "$TTL 90\n"
				   "a A 192.0.2.2\n"
				   "b 30 A 192.0.2.2\n"
				   "c A 192.0.2.2\n");

	/* RFC 1035 3.3.13 and 5.1, RFC 2308 4 */
	ck_assert_uint_eq(set_of(z, "example.com", RDATA_SOA)->ttl, 300);
	ck_assert_uint_eq(set_of(z, "example.com", RDATA_NS)->ttl, 300);
	ck_assert_uint_eq(set_of(z, "www.example.com", RDATA_A)->ttl, 60);
	ck_assert_uint_eq(set_of(z, "a.example.com", RDATA_A)->ttl, 90);
	ck_assert_uint_eq(set_of(z, "c.example.com", RDATA_A)->ttl, 90);
	zone_free(z);
}
END_TEST

START_TEST(a_record_needs_a_ttl_from_somewhere)
{
	struct complaints c = {0};

	ck_assert_ptr_null(zone_of("www A 192.0.2.1\n", &c));
	ck_assert_str_eq(c.text,
		"test.zone:1: error: the record has no TTL, and neither $TTL nor a record before "
		"it says one\n");
}
END_TEST

/* RFC 2181 8: as little as any other that is above 2147483647. */
START_TEST(the_largest_number_is_no_ttl)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{APEX "a 4294967295 A 192.0.2.1\n",
			"test.zone:5: error: the TTL 4294967295 is too large (RFC 2181 8)\n"},
		{APEX "$TTL 4294967295\na A 192.0.2.1\n",
			"test.zone:6: error: the TTL 4294967295 is too large (RFC 2181 8)\n"},
		/* without a $TTL before it */
		{"@ 60 SOA ns1 hostmaster 7 1 1 1 1\n@ NS ns1\nns1 A 192.0.2.1\n"
		 "a 4294967295 A 192.0.2.1\nb 60 A 192.0.2.2\n",
			"test.zone:4: error: the TTL 4294967295 is too large (RFC 2181 8)\n"},
		{"@ SOA ns1 hostmaster 7 1 1 1 4294967295\n@ 60 NS ns1\nns1 A 192.0.2.1\n",
			"test.zone:1: error: the TTL 4294967295 is above 2147483647 (RFC 2181 "
			"8)\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct complaints c = {0};

		ck_assert_ptr_null(zone_of(cases[i].text, &c));
		ck_assert_str_eq(c.text, cases[i].told);
	}
	/* the one before it is as wrong */
	expect_quoted("a 4294967294 A 192.0.2.1",
		"5: error: the TTL 4294967294 is above 2147483647 (RFC 2181 8)");
}
END_TEST

START_TEST(all_types_are_known)
{
	struct zone *z = good_zone(APEX
		"www HTTPS 1 . alpn=\"h2,h3\" ipv4hint=192.0.2.1\n"
		"_dns SVCB 1 ns1 port=853\n"
		"@ CAA 0 issue \"ca.example.net\"\n"
		"_443._tcp.www TLSA 3 1 1 "
		"0000000000000000000000000000000000000000000000000000000000000000\n"
		"@ NAPTR 100 10 \"u\" \"sip+E2U\" \"!^.*$!sip:info@example.com!\" .\n"
		"@ DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n"
		"@ LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m\n"
		"@ TYPE65534 \\# 3 010203\n");

	ck_assert_uint_eq(set_of(z, "www.example.com", 65)->n_records, 1);
	ck_assert_uint_eq(set_of(z, "_dns.example.com", 64)->n_records, 1);
	ck_assert_uint_eq(set_of(z, "_443._tcp.www.example.com", 52)->n_records, 1);
	ck_assert_uint_eq(set_of(z, "example.com", 65534)->n_records, 1);
	zone_free(z);
}
END_TEST

START_TEST(files_are_included_relative_to_their_includer)
{
	struct complaints c = {0};

	enter_directory();
	ck_assert_int_eq(mkdir("parts", 0700), 0);
	ck_assert_int_eq(mkdir("parts/more", 0700), 0);
	write_file("main.zone", APEX "first A 192.0.2.2\n$INCLUDE parts/hosts sub.example.com.\n"
				     "   TXT \"of first\"\nlast A 192.0.2.3\n");
	write_file("parts/hosts", "a A 192.0.2.4\n$INCLUDE more/hosts\n@ A 192.0.2.5\n$TTL 5\n");
	write_file("parts/more/hosts", "\nb 77 A 192.0.2.6\n");
	struct zone *z = loaded("main.zone", &c);

	ck_assert_str_eq(c.text, "");
	/* RFC 1035 5.1: the includer's origin and owner stay as they were. */
	ck_assert_uint_eq(set_of(z, "first.example.com", 16)->line, 7);
	ck_assert_uint_eq(set_of(z, "last.example.com", RDATA_A)->ttl, 300);
	ck_assert_str_eq(set_of(z, "sub.example.com", RDATA_A)->file, "parts/hosts");
	ck_assert_str_eq(set_of(z, "b.sub.example.com", RDATA_A)->file, "parts/more/hosts");
	ck_assert_uint_eq(set_of(z, "b.sub.example.com", RDATA_A)->line, 2);
	ck_assert_uint_eq(set_of(z, "b.sub.example.com", RDATA_A)->ttl, 77);
	zone_free(z);
	leave_directory();
}
END_TEST

/* RFC 2308 4: it holds until the next $TTL; one in an included file ends with it. */
START_TEST(an_included_file_begins_with_the_ttl_of_its_includer)
{
	struct complaints c = {0};

	enter_directory();
	write_file("main.zone", APEX "first 60 A 192.0.2.2\n$INCLUDE part\nlast A 192.0.2.3\n");
	write_file("part", "a A 192.0.2.4\n$TTL 5\nb A 192.0.2.5\n");
	struct zone *z = loaded("main.zone", &c);

	ck_assert_str_eq(c.text, "");
	ck_assert_uint_eq(set_of(z, "a.example.com", RDATA_A)->ttl, 300);
	ck_assert_uint_eq(set_of(z, "b.example.com", RDATA_A)->ttl, 5);
	ck_assert_uint_eq(set_of(z, "last.example.com", RDATA_A)->ttl, 300);
	zone_free(z);
	leave_directory();
}
END_TEST

/* RFC 2181 8 */
START_TEST(an_included_file_does_not_begin_with_what_is_no_ttl)
{
	enter_directory();
	write_file("main.zone",
		"@ 60 SOA ns1 hostmaster 7 1 1 1 1\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n"
		"$TTL 4294967295\n$INCLUDE part\n");
	write_file("part", "a A 192.0.2.4\n");
	expect_file(
		"main.zone", "main.zone:5: error: the TTL 4294967295 is too large (RFC 2181 8)\n");
	leave_directory();
}
END_TEST

START_TEST(errors_in_included_files_are_told_with_their_place)
{
	enter_directory();
	write_file("main.zone", APEX "$INCLUDE part\nwww A 4.5.6\n");
	write_file("part", "\n\nwww A 1.2.3\n");
	expect_file("main.zone", "part:3: error: \"1.2.3\": invalid IPv4 address\n"
				 "main.zone:6: error: \"4.5.6\": invalid IPv4 address\n");
	leave_directory();
}
END_TEST

START_TEST(a_file_does_not_include_itself)
{
	enter_directory();
	write_file("main.zone", APEX "$INCLUDE part\n");
	write_file("part", "$INCLUDE other\n");
	/* By another name, too. */
	ck_assert_int_eq(symlink("main.zone", "other"), 0);
	expect_file("main.zone", "part:1: error: other includes itself\n");
	leave_directory();
}
END_TEST

START_TEST(files_are_included_ten_deep_and_no_deeper)
{
	char path[16], text[32];

	enter_directory();
	write_file("0", APEX "$INCLUDE 1\n");
	for (int i = 1; i <= LOAD_DEPTH_MAX; i++) {
		snprintf(path, sizeof(path), "%d", i);
		snprintf(text, sizeof(text), "$INCLUDE %d\n", i + 1);
		write_file(path, i < LOAD_DEPTH_MAX ? text : "www A 192.0.2.2\n");
	}
	expect_file("0", "");
	write_file("10", "$INCLUDE 11\n");
	expect_file("0", "10:1: error: $INCLUDE is more than 10 files deep\n");
	leave_directory();
}
END_TEST

START_TEST(what_is_no_file_is_not_included)
{
	enter_directory();
	write_file("main.zone", APEX "$INCLUDE missing\n$INCLUDE /dev/zero\n$INCLUDE .\n");
	expect_file("main.zone",
		"main.zone:5: error: missing can't be read: No such file or directory\n"
		"main.zone:6: error: /dev/zero is no regular file\n"
		"main.zone:7: error: . is no regular file\n");
	expect_file("missing.zone",
		"roost.yaml:3: error: missing.zone can't be read: No such file or directory\n");
	leave_directory();
}
END_TEST

START_TEST(names_may_be_written_in_any_script)
{
	struct complaints c = {0};
	uint16_t size;

	enter_directory();
	write_file("main.zone",
		APEX "кафе MX 10 почта ; главная\n     TXT \"привет\"\n$INCLUDE teil\n");
	write_file("teil", "bücher A 192.0.2.5\n");
	struct zone *z = loaded("main.zone", &c);

	ck_assert_str_eq(c.text, "");
	const struct zone_rrset *s = set_of(z, "xn--80akn5b.example.com", RDATA_MX);

	ck_assert_mem_eq(zone_rdata(s, 0, &size), "\0\012\014xn--80a1acny\7example", 23);
	s = set_of(z, "xn--80akn5b.example.com", 16);
	ck_assert_mem_eq(zone_rdata(s, 0, &size), "\014привет", 13);
	ck_assert_uint_eq(set_of(z, "xn--bcher-kva.example.com", RDATA_A)->line, 1);
	zone_free(z);
	/* Every file is looked at, and the line is that of the file as it was written. */
	write_file("teil", "\nbü..cher A 192.0.2.5\n");
	ck_assert_ptr_null(loaded("main.zone", &c));
	ck_assert_msg(strncmp(c.text, "teil:2: error: ", 15) == 0, "%s", c.text);
	leave_directory();
}
END_TEST

START_TEST(what_is_quoted_of_a_file_does_not_steer_a_terminal)
{
	struct complaints c = {0};

	ck_assert_ptr_null(zone_of(APEX "a \"\033[2Jü\" A 192.0.2.1\n$INCLUDE \033[2J\n", &c));
	ck_assert_uint_ge(c.n_errors, 1);
	ck_assert_ptr_null(strchr(c.text, '\033'));
	ck_assert_ptr_nonnull(strstr(c.text, "?[2J"));
}
END_TEST

START_TEST(text_can_not_include_files)
{
	struct complaints c = {0};

	ck_assert_ptr_null(zone_of(APEX "$INCLUDE /etc/passwd\n", &c));
	ck_assert_str_eq(c.text, "test.zone:5: error: $INCLUDE is not possible here\n");
}
END_TEST

/* libzscanner wants it absolute. */
START_TEST(a_relative_origin_is_refused_with_a_hint)
{
	struct complaints c = {0};

	ck_assert_ptr_null(zone_of(APEX "$ORIGIN sub\nwww A 192.0.2.1\n", &c));
	ck_assert_str_eq(c.text,
		"test.zone:5: error: \"sub\": the origin must be an absolute name, with a final "
		"dot\n");
}
END_TEST

START_TEST(an_empty_file_is_a_zone_without_an_apex)
{
	struct complaints c = {0};

	ck_assert_ptr_null(zone_of("", &c));
	ck_assert_str_eq(c.text, "test.zone: error: the zone example.com. has no SOA record\n"
				 "test.zone: error: the zone example.com. has no NS records\n");
}
END_TEST

START_TEST(warnings_are_told_up_to_a_number)
{
	char text[4096] = APEX;
	struct complaints c = {0};
	struct zone *z;

	for (int i = 0; i < 15; i++)
		strcat(text, "xn--a A 192.0.2.1\n");
	enter_directory();
	write_file("part", text + strlen(APEX)); /* 15 of either file */
	strcat(text, "$INCLUDE part\n");
	write_file("main.zone", text);
	z = loaded("main.zone", &c);
	ck_assert_ptr_nonnull(z);
	ck_assert_uint_eq(c.n_warnings, LOAD_WARNINGS_MAX);
	ck_assert_ptr_nonnull(strstr(c.text, "main.zone:5: warning: \"xn--a\" is no A-label"));
	ck_assert_ptr_nonnull(strstr(c.text, "part:5: warning: \"xn--a\" is no A-label"));
	ck_assert_ptr_null(strstr(c.text, "part:6: "));
	zone_free(z);
	leave_directory();
}
END_TEST

START_TEST(nobody_need_listen)
{
	const struct load_listener nobody = {0};
	const struct load_text bad = {"test.zone", "www A 1.2.3\n", 12}, none = {.file = "none"};
	const struct name apex = name_of("example.com");
	struct zone *z;

	ck_assert_ptr_null(load_text(&bad, apex.bytes, &nobody));
	z = load_text(&none, apex.bytes, &nobody);
	ck_assert_ptr_nonnull(z); /* without a record */
	zone_free(z);
}
END_TEST

START_TEST(an_soa_that_is_none_says_no_ttl)
{
	struct complaints c = {0};

	ck_assert_ptr_null(zone_of("@ SOA \\# 1 00\n", &c));
	ck_assert_str_eq(c.text,
		"test.zone:1: error: the record has no TTL, and neither $TTL nor a record before "
		"it says one\n");
}
END_TEST

START_TEST(a_delete_character_is_not_told_as_such)
{
	enter_directory();
	write_file("main.zone", APEX "$INCLUDE a\\127\n");
	expect_file(
		"main.zone", "main.zone:5: error: a? can't be read: No such file or directory\n");
	leave_directory();
}
END_TEST

START_TEST(a_file_that_is_too_large_is_not_read)
{
	enter_directory();
	write_file("main.zone", APEX "$INCLUDE large\n");
	write_file("large", "");
	ck_assert_int_eq(truncate("large", (off_t)LOAD_FILE_MAX + 1), 0);
	expect_file("main.zone", "main.zone:5: error: large is larger than 4294967296 bytes\n");
	leave_directory();
}
END_TEST

/* Including that file says just this; where there is none, nothing is looked at. */
static void expect_included(const char *path, const char *problem)
{
	char text[512], expected[512];

	if (access(path, R_OK) != 0)
		return;
	snprintf(text, sizeof text, APEX "$INCLUDE %s\n", path);
	snprintf(expected, sizeof expected, "main.zone:5: error: %s can't be read: %s\n", path,
		problem);
	write_file("main.zone", text);
	expect_file("main.zone", expected);
}

START_TEST(a_file_that_is_not_what_it_says_is_told)
{
	enter_directory();
	/* of a page, they say, but one has a line and the other can't be read */
	expect_included("/sys/devices/system/cpu/online", "Stale file handle");
	expect_included("/sys/class/net/lo/speed", "Invalid argument");
	leave_directory();
}
END_TEST

START_TEST(a_file_of_another_device_is_another_file)
{
	enter_directory();
	write_file("main.zone", APEX "$INCLUDE /proc/sys/kernel/ostype\nwww A 192.0.2.2\n");
	expect_file("main.zone", ""); /* it says that it is empty */
	leave_directory();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		several_errors_are_told_at_once,
		the_word_that_is_wrong_is_quoted,
		after_twenty_errors_it_is_given_up,
		the_format_of_master_files_is_understood,
		an_omitted_ttl_is_the_last_that_was_stated,
		a_record_needs_a_ttl_from_somewhere,
		the_largest_number_is_no_ttl,
		all_types_are_known,
		files_are_included_relative_to_their_includer,
		an_included_file_begins_with_the_ttl_of_its_includer,
		an_included_file_does_not_begin_with_what_is_no_ttl,
		errors_in_included_files_are_told_with_their_place,
		a_file_does_not_include_itself,
		files_are_included_ten_deep_and_no_deeper,
		what_is_no_file_is_not_included,
		names_may_be_written_in_any_script,
		what_is_quoted_of_a_file_does_not_steer_a_terminal,
		text_can_not_include_files,
		a_relative_origin_is_refused_with_a_hint,
		an_empty_file_is_a_zone_without_an_apex,
		warnings_are_told_up_to_a_number,
		nobody_need_listen,
		an_soa_that_is_none_says_no_ttl,
		a_delete_character_is_not_told_as_such,
		a_file_that_is_too_large_is_not_read,
		a_file_that_is_not_what_it_says_is_told,
		a_file_of_another_device_is_another_file,
	};

	return run_suite("load", tests, ARRAY_SIZE(tests));
}
