/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file and its zones, read again and again, each time in the place of what was read before. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "directory.h"
#include "dns/edition.h"
#include "idn/idn.h"
#include "suite.h"

#define CHANGED_AT 1795390947u /* when roost.yaml was, unless a test says otherwise */

static char folder[] = "/tmp/roost-edition-XXXXXX";
static char roost_yaml[64], zone_file[64], log_file[64];

static void set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(roost_yaml, sizeof roost_yaml, "%s/roost.yaml", folder);
	snprintf(zone_file, sizeof zone_file, "%s/example.org.zone", folder);
	snprintf(log_file, sizeof log_file, "%s/log", folder);
	ck_assert_ptr_nonnull(freopen(log_file, "w+", stderr));
}

static void tear_down(void)
{
	unlink(roost_yaml);
	unlink(zone_file);
	unlink(log_file);
	rmdir(folder);
}

/* @vips: of www.example.com, which has no file, and of www.example.org, which has one. */
static void write_config(const char *vips, const char *dns, uint32_t changed_at)
{
	const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = changed_at}};
	char text[1024];

	snprintf(text, sizeof text,
		"interface: eth0\n"
		"nodes: {www1: 10.1.1.11, www2: 10.1.1.12}\n"
		"services: {www: {names: [www.example.com, www.example.org], vips: [%s]}}\n"
		"dns: {zones: {example.org: %s}, %s}\n",
		vips, zone_file, dns);
	write_file(roost_yaml, text);
	ck_assert_int_eq(utimensat(AT_FDCWD, roost_yaml, times, 0), 0);
}

static void write_zone(uint32_t serial, const char *more)
{
	char text[256];

	snprintf(text, sizeof text, "$TTL 60\n@ SOA ns h %u 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n%s",
		serial, more);
	write_file(zone_file, text);
}

#define ONE       "10.1.1.201"
#define TWO       "10.1.1.201, 10.1.1.202"
#define SECONDARY "transfer: [10.1.1.99]"
#define NOBODY    "rate: 0"

/* In the place of *@served. */
static void reload(struct edition **served)
{
	char problem[EDITION_PROBLEM_SIZE];
	struct edition *next = edition_load(roost_yaml, *served, problem);

	ck_assert_ptr_nonnull(next);
	edition_free(*served);
	*served = next;
}

static struct name name_of(const char *text)
{
	const char *why;
	struct name name;

	ck_assert(name_parse(text, NULL, &name, &why));
	return name;
}

static uint32_t serial_of(const struct edition *e, const char *zone)
{
	const struct name name = name_of(zone);

	return zone_serial(catalog_zone_named(e->catalog, name.bytes));
}

/* Whether the next reload says, of the zone's file and its line of the SOA, that; NULL: nothing. */
static void expect_told(struct edition **served, const char *text)
{
	char expected[256], line[512] = "";
	FILE *log = fopen(log_file, "r");

	ck_assert_ptr_nonnull(log);
	fseek(log, 0, SEEK_END);
	reload(served);
	if (text) {
		snprintf(expected, sizeof expected, "roost-dns: %s:2: %s\n", zone_file, text);
		ck_assert_ptr_nonnull(fgets(line, sizeof line, log));
		ck_assert_str_eq(line, expected);
	}
	ck_assert_msg(!fgets(line, sizeof line, log), "%s", line);
	fclose(log);
}

START_TEST(the_serial_of_a_zone_without_a_file_grows_with_each_change)
{
	struct edition *e = NULL;

	write_zone(1, "");
	write_config(ONE, NOBODY, CHANGED_AT);
	reload(&e);
	ck_assert_uint_eq(serial_of(e, "example.com."), CHANGED_AT);
	/* within the second */
	write_config(TWO, NOBODY, CHANGED_AT);
	reload(&e);
	ck_assert_uint_eq(serial_of(e, "example.com."), CHANGED_AT + 1);
	/* nor does it fall, whatever the time of the file */
	write_config(TWO, NOBODY, CHANGED_AT - 100);
	reload(&e);
	ck_assert_uint_eq(serial_of(e, "example.com."), CHANGED_AT + 1);
	write_config(ONE, NOBODY, CHANGED_AT - 100);
	reload(&e);
	ck_assert_uint_eq(serial_of(e, "example.com."), CHANGED_AT + 2);
	write_config(TWO, NOBODY, CHANGED_AT + 100);
	reload(&e);
	ck_assert_uint_eq(serial_of(e, "example.com."), CHANGED_AT + 100);
	/* that of a file is its own */
	ck_assert_uint_eq(serial_of(e, "example.org."), 1);
	edition_free(e);
}
END_TEST

/* The serial of example.org when it has no file any more, where that was changed at CHANGED_AT. */
static uint32_t serial_without_file(uint32_t serial_of_file)
{
	const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = CHANGED_AT}};
	struct edition *e = NULL;
	uint32_t serial;

	write_zone(serial_of_file, "");
	write_config(ONE, NOBODY, CHANGED_AT);
	reload(&e);
	ck_assert_uint_eq(serial_of(e, "example.org."), serial_of_file);
	write_file(roost_yaml, "interface: eth0\nnodes: {www1: 10.1.1.11, www2: 10.1.1.12}\n"
			       "services: {www.example.org: 10.1.1.201}\n");
	ck_assert_int_eq(utimensat(AT_FDCWD, roost_yaml, times, 0), 0);
	reload(&e);
	serial = serial_of(e, "example.org.");
	edition_free(e);
	return serial;
}

START_TEST(a_zone_without_a_file_goes_on_from_the_serial_of_its_file)
{
	ck_assert_uint_eq(serial_without_file(2026112901), 2026112902);
	ck_assert_uint_eq(serial_without_file(7), CHANGED_AT);
	/* RFC 1982 3.2: what is around the circle is behind, though it is the lesser number */
	ck_assert_uint_eq(serial_without_file(0xfffffffe), CHANGED_AT);
	ck_assert_uint_eq(serial_without_file(CHANGED_AT + 0x7ffffffe), CHANGED_AT + 0x7fffffff);
	ck_assert_uint_eq(serial_without_file(CHANGED_AT - 0x7fffffff), CHANGED_AT);
}
END_TEST

static uint32_t ttl_of(const struct edition *e, const char *owner, uint16_t type)
{
	const struct name name = name_of(owner);
	const struct zone_node *n = zone_lookup(catalog_find(e->catalog, name.bytes), name.bytes);

	ck_assert_ptr_nonnull(n);
	ck_assert_ptr_nonnull(zone_rrset_of(n, type));
	return zone_rrset_of(n, type)->ttl;
}

START_TEST(the_ttl_of_the_configuration_is_that_of_the_services_alone)
{
	static const struct {
		const char *dns;
		uint32_t ttl;
	} cases[] = {{"rate: 0", 60}, {"ttl: 90s", 90}, {"ttl: 7", 7}, {"ttl: 0", 0}};

	write_zone(1, "");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct edition *e = NULL;

		write_config(ONE, cases[i].dns, CHANGED_AT);
		reload(&e);
		ck_assert_uint_eq(ttl_of(e, "www.example.com.", DNS_A), cases[i].ttl);
		ck_assert_uint_eq(ttl_of(e, "www.example.org.", DNS_A), cases[i].ttl);
		ck_assert_uint_eq(ttl_of(e, "www1.example.com.", DNS_A), 3600);
		ck_assert_uint_eq(ttl_of(e, "example.com.", DNS_NS), 3600);
		ck_assert_uint_eq(ttl_of(e, "ns.example.org.", DNS_A), 60); /* its file's */
		edition_free(e);
	}
}
END_TEST

START_TEST(a_change_that_secondaries_will_not_see_is_told)
{
	static const char stale[] = "the zone example.org. has changed, but its serial has not "
				    "grown: secondaries will not fetch it until it is above 10";
	struct edition *e = NULL;

	write_zone(10, "");
	write_config(ONE, SECONDARY, CHANGED_AT);
	expect_told(&e, NULL);
	expect_told(&e, NULL);
	write_zone(10, "www2 A 192.0.2.2\n");
	expect_told(&e, stale);
	expect_told(&e, NULL); /* once */
	write_zone(11, "www2 A 192.0.2.3\n");
	expect_told(&e, NULL);
	write_zone(10, "www2 A 192.0.2.3\n");
	expect_told(&e, "the serial of example.org. went back from 11 to 10: secondaries will not "
			"fetch it until it is above 11");
	/* the VIPs are in the zone, too */
	write_config(TWO, SECONDARY, CHANGED_AT);
	expect_told(&e, stale);
	/* RFC 1982 3.2 */
	write_zone(0xfffffffe - 0x7fffffff + 10, "");
	expect_told(&e, NULL);
	write_zone(0xfffffffe, "");
	expect_told(&e, NULL);
	write_zone(3, "");
	expect_told(&e, NULL);
	edition_free(e);
}
END_TEST

START_TEST(without_secondaries_nobody_minds_a_serial)
{
	struct edition *e = NULL;

	write_zone(10, "");
	write_config(ONE, NOBODY, CHANGED_AT);
	expect_told(&e, NULL);
	write_zone(10, "www2 A 192.0.2.2\n");
	expect_told(&e, NULL);
	write_zone(9, "");
	expect_told(&e, NULL);
	edition_free(e);
}
END_TEST

/* Of several mistakes the first, which is told thus. */
static void expect_problem(const char *path, const char *begins)
{
	char problem[EDITION_PROBLEM_SIZE], expected[EDITION_PROBLEM_SIZE];

	ck_assert_ptr_null(edition_load(roost_yaml, NULL, problem));
	snprintf(expected, sizeof expected, "%s%s", path, begins);
	ck_assert_msg(strncmp(problem, expected, strlen(expected)) == 0, "%s", problem);
}

START_TEST(the_first_mistake_is_given_back)
{
	write_config(ONE, NOBODY, CHANGED_AT);
	write_zone(1, "a A 1.2.3\nb A 1.2\n");
	expect_problem(zone_file, ":5: ");
	unlink(zone_file);
	write_file(roost_yaml, "nodes: {www1: 10.1.1.11}\nintervall: 1\nintervalll: 2\n");
	expect_problem(roost_yaml, ":2:1: error: ");
	unlink(roost_yaml);
	expect_problem(roost_yaml, ": error: ");
}
END_TEST

START_TEST(what_is_given_back_is_one_line_of_text)
{
	char text[1024], problem[EDITION_PROBLEM_SIZE], path[64];

	/* cut off within a character, in one of two cases */
	for (int i = 0; i < 2; i++) {
		size_t n = (size_t)snprintf(
			text, sizeof text, "nodes: {www1: 10.1.1.11}\n%s", i == 0 ? "a" : "aa");

		while (n < 800)
			n += (size_t)snprintf(text + n, sizeof text - n, "ü");
		snprintf(text + n, sizeof text - n, ": 1\n");
		write_file(roost_yaml, text);
		ck_assert_ptr_null(edition_load(roost_yaml, NULL, problem));
		ck_assert_uint_ge(strlen(problem), sizeof problem - 2);
		ck_assert(idn_is_utf8(problem, strlen(problem)));
	}
	snprintf(path, sizeof path, "%s/a\x7f", folder);
	ck_assert_ptr_null(edition_load(path, NULL, problem));
	ck_assert_ptr_nonnull(strstr(problem, "/a?: "));
	/* whatever the file is called */
	snprintf(path, sizeof path, "%s/\xff", folder);
	ck_assert_ptr_null(edition_load(path, NULL, problem));
	ck_assert_str_eq(problem, "see the log");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_serial_of_a_zone_without_a_file_grows_with_each_change,
		a_zone_without_a_file_goes_on_from_the_serial_of_its_file,
		the_ttl_of_the_configuration_is_that_of_the_services_alone,
		a_change_that_secondaries_will_not_see_is_told,
		without_secondaries_nobody_minds_a_serial,
		the_first_mistake_is_given_back,
		what_is_given_back_is_one_line_of_text,
	};

	return run_suite_around("edition", tests, ARRAY_SIZE(tests), set_up, tear_down);
}
