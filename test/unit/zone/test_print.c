/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "zone/print.h"
#include "zones.h"

/* To be freed. */
static char *printed(const struct zone *z)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	ck_assert(zone_print(z, f));
	ck_assert_int_eq(fclose(f), 0);
	return text;
}

START_TEST(a_zone_is_printed_in_canonical_order)
{
	struct zone *z = good_zone(APEX "www 60 A 192.0.2.2\n"
					"www 60 A 192.0.2.1\n"
					"a.b A 192.0.2.3\n"
					"b TXT \"a \\\"b\\\"\" c\n"
					"*.b MX 10 .\n");
	char *text = printed(z);

	ck_assert_str_eq(text, "$ORIGIN example.com.\n"
			       "@                           300 IN SOA     ns1.example.com. "
			       "hostmaster.example.com. 7 14400 3600 1209600 300\n"
			       "@                           300 IN NS      ns1.example.com.\n"
			       "b                           300 IN TXT     \"a \\\"b\\\"\" \"c\"\n"
			       "*.b                         300 IN MX      10 .\n"
			       "a.b                         300 IN A       192.0.2.3\n"
			       "ns1                         300 IN A       192.0.2.1\n"
			       "www                          60 IN A       192.0.2.2\n"
			       "www                          60 IN A       192.0.2.1\n");
	free(text);
	zone_free(z);
}
END_TEST

/* Whatever is in a zone: what is printed loads to what is printed the same. */
START_TEST(a_printed_zone_is_the_same_zone)
{
	struct zone *z = good_zone(
		APEX "a\\.b.\\@.\\000\\255.\\$x A 192.0.2.1\n"
		     "b\\195\\188cher TXT \"\\000\\255;()\\\\\" \"\"\n"
		     "www HTTPS 1 . alpn=\"h2,h3\" ipv4hint=192.0.2.1 key65000=\\001\n"
		     "www SVCB 0 svc.example.net.\n"
		     "www SVCB 1 . alpn=\"(h2;,\\\"(\" key65001=\\\"\\(\\;\\)\n"
		     "@ CAA 0 issue \"ca.example.net; x=y\"\n"
		     "_443._tcp.www TLSA 3 1 1 "
		     "0000000000000000000000000000000000000000000000000000000000000000\n"
		     "@ NAPTR 100 10 \"u\" \"sip+E2U\" \"!^.*$!sip:info@example.com!\" .\n"
		     "@ LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m\n"
		     "@ TYPE65534 \\# 3 010203\n"
		     "t TYPE65533 \\# 0\n"
		     "t LOC \\# 1 00\n" /* none of its kind, but RFC 3597 5 can write it */
		     "t DS \\# 3 000100\n"
		     "@ RRSIG A 13 2 300 20300101000000 20200101000000 1 example.com. AAAA\n"
		     "@ NSEC a A NS SOA RRSIG NSEC\n"
		     "@ DNSKEY 257 3 13 AAAA\n"
		     "@ SSHFP 1 1 0000000000000000000000000000000000000000\n"
		     "@ HINFO \"a b\" c\n"
		     "@ APL 1:192.0.2.0/24 !2:2001:db8::/32\n");
	char *first = printed(z);
	struct zone *again = good_zone(first);
	char *second = printed(again);

	ck_assert_str_eq(first, second);
	ck_assert_uint_eq(zone_n_names(z), zone_n_names(again));
	free(first);
	free(second);
	zone_free(z);
	zone_free(again);
}
END_TEST

START_TEST(a_full_disk_is_noticed)
{
	struct zone *z = good_zone(APEX);
	FILE *full = fopen("/dev/full", "we");

	ck_assert_ptr_nonnull(full);
	ck_assert(!zone_print(z, full));
	fclose(full);
	zone_free(z);
}
END_TEST

START_TEST(a_line_that_was_lost_is_noticed_in_the_end)
{
	struct zone *z = good_zone(APEX);
	FILE *full = fopen("/dev/full", "we");

	ck_assert_ptr_nonnull(full);
	ck_assert_int_eq(setvbuf(full, NULL, _IONBF, 0), 0); /* so that nothing is left to flush */
	ck_assert(!zone_print(z, full));
	fclose(full);
	zone_free(z);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_zone_is_printed_in_canonical_order,
		a_printed_zone_is_the_same_zone,
		a_full_disk_is_noticed,
		a_line_that_was_lost_is_noticed_in_the_end,
	};

	return run_suite("print", tests, ARRAY_SIZE(tests));
}
