/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/zones.h"
#include "directory.h"
#include "fixtures.h"

#define APEX "@ 60 SOA ns hostmaster 1 3600 600 86400 60\n@ 60 NS ns\nns 60 A 10.1.1.2\n"

/* What is said of a file with these zones, and services of these names. */
static void expect_said(
	const struct config *part, const char *expected, struct config_report counts)
{
	struct config_report report = {0};
	struct cluster k;
	struct sheet s;

	cluster_init(&k, 2, 2, tick_ms(100));
	k.config.names = part->names;
	k.config.n_names = part->n_names;
	k.config.dns.zones = part->dns.zones;
	k.config.dns.n_zones = part->dns.n_zones;
	snprintf(k.config.domain, sizeof k.config.domain, "%s", part->domain);
	sheet_open(&s, false);
	zones_check(&k.config, &(struct zones_reader){"r.yaml", s.paper.out, &report});
	ck_assert_str_eq(sheet_close(&s), expected);
	ck_assert_uint_eq(report.n_errors, counts.n_errors);
	ck_assert_uint_eq(report.n_warnings, counts.n_warnings);
	free(s.text);
}

/* Beside a service that is called www.example.com. */
static void expect_said_of_zones(
	struct config_zone *zones, uint32_t n, const char *expected, struct config_report counts)
{
	struct config_name name = {.name = "www.example.com", .node = -1, .line = 4};
	const struct config part = {.domain = "example.com",
		.names = &name,
		.n_names = 1,
		.dns = {.zones = zones, .n_zones = n}};

	expect_said(&part, expected, counts);
}

START_TEST(a_file_without_zones_is_fine)
{
	expect_said_of_zones(NULL, 0, "", (struct config_report){0, 0});
}
END_TEST

START_TEST(zones_are_looked_at_as_the_name_server_reads_them)
{
	struct config_zone zones[] = {
		{"example.com", "com.zone", 7},
		{"example.net", "net.zone", 8},
		{"example.org", "org.zone", 9},
	};

	enter_directory();
	write_file("com.zone", APEX "www 60 A 10.1.1.9\n");
	write_file("net.zone", APEX "www 60 A 10.1.1.999\n$INCLUDE part\n");
	write_file("org.zone", APEX "www 60 A 10.1.1.9\nwww 70 A 10.1.1.10\n");
	expect_said_of_zones(zones, 3,
		"r.yaml:4: error: www.example.com. has its addresses from here and from "
		"com.zone:4; one of them must go\n"
		"net.zone:4: error: \"10.1.1.999\": invalid IPv4 address\n"
		"net.zone:5: error: part can't be read: No such file or directory\n"
		"org.zone:4: warning: the A records of www.example.org. have different TTLs; the "
		"least is served: 60\n",
		(struct config_report){3, 1});
	leave_directory();
}
END_TEST

/* On another machine than the name server's, there need be no zones. */
START_TEST(a_master_file_that_is_not_here_is_a_warning)
{
	struct config_zone zones[] = {
		{"example.com", "/nonexistent/com.zone", 7},
		{"example.net", "net.zone", 8},
	};

	enter_directory();
	write_file("net.zone", "@ 60 NS ns.example.com.\n");
	expect_said_of_zones(zones, 2,
		"r.yaml:7: warning: /nonexistent/com.zone can't be looked at: No such file or "
		"directory\n"
		"net.zone: error: the zone example.net. has no SOA record\n",
		(struct config_report){1, 1});
	leave_directory();
}
END_TEST

/* What `roost zone NAME` complains of. */
static void expect_complaint(const char *name, const char *expected)
{
	char *argv[] = {(char[]){"zone"}, (char *)name, (char[]){"r.yaml"}, NULL};
	char text[512] = "";
	const int error = dup(STDERR_FILENO);
	FILE *f = fopen("complaint", "w+e");

	ck_assert_ptr_nonnull(f);
	dup2(fileno(f), STDERR_FILENO);
	optind = 0;
	ck_assert_int_eq(ctl_zone(3, argv), CTL_FAILED);
	dup2(error, STDERR_FILENO);
	close(error);
	rewind(f);
	ck_assert_uint_gt(fread(text, 1, sizeof text - 1, f), 0);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, expected));
}

START_TEST(a_zone_above_its_names_that_nothing_names_is_a_warning)
{
	static const struct {
		const char *domain, *names[2], *expected;
	} cases[] = {
		{"", {"www.example.co.uk", "a.example.co.uk"},
			"r.yaml:1: warning: www.example.co.uk. is served in the zone "
			"example.co.uk., "
			"which nothing names: \"domain\" should be that zone if it is delegated to "
			"the nodes, or the name itself if only that is\n"},
		{"", {"www.example.com", "example.com"}, ""},
		{"", {"*.lan", "lan"}, ""},
		{"", {"*.a.lan", "*.b.lan"}, ""},
		{"example.com", {"www.example.com", "a.example.net"}, ""},
		{"www.example.com", {"www.example.com", "a.www.example.com"}, ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct config_name names[2] = {{.node = -1, .line = 1}, {.node = -1, .line = 2}};
		struct config part = {.names = names, .n_names = 2};

		for (size_t k = 0; k < 2; k++)
			snprintf(names[k].name, sizeof names[k].name, "%s", cases[i].names[k]);
		snprintf(part.domain, sizeof part.domain, "%s", cases[i].domain);
		expect_said(&part, cases[i].expected,
			(struct config_report){0, cases[i].expected[0] != '\0'});
	}
}
END_TEST

START_TEST(a_zone_is_asked_for_by_a_name_as_the_file_has_them)
{
	enter_directory();
	write_file("r.yaml", "interface: eth0\nnodes: {www1: 10.1.1.2, www2: 10.1.1.3}\n"
			     "services: {www.example.com: [10.1.1.201]}\n");
	expect_complaint("раypal.com", "\"раypal\" mixes Cyrillic and Latin");
	expect_complaint("a..com", "\"a..com\" has an empty label");
	setlocale(LC_CTYPE, "C.UTF-8");
	expect_complaint(
		"почта.рф", "r.yaml: error: почта.рф. (xn--80a1acny.xn--p1ai.) is in none");
	setlocale(LC_CTYPE, "C");
	leave_directory();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_file_without_zones_is_fine,
		zones_are_looked_at_as_the_name_server_reads_them,
		a_master_file_that_is_not_here_is_a_warning,
		a_zone_above_its_names_that_nothing_names_is_a_warning,
		a_zone_is_asked_for_by_a_name_as_the_file_has_them,
	};

	return run_suite("ctl-zones", tests, sizeof tests / sizeof tests[0]);
}
