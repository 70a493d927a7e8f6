/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "suite.h"
#include "world.h"

/* What an authoritative server says, case by case. */

#define TXT 16

#define SOA     "example.com. 60 SOA ns1.example.com. hostmaster.example.com. 1 7200 3600 1209600 60\n"
#define NET_SOA "example.net. 120 SOA ns1.example.com. h.example.com. 3 1 1 1 3600\n"
#define CHILD_SOA                                                                                  \
	"child.example.com. 30 SOA ns.child.example.com. hostmaster.child.example.com. 7 1 1 1 "   \
	"30\n"
#define WWW(owner) owner " 300 A 192.0.2.10\n" owner " 300 A 192.0.2.8\n" owner " 300 A 192.0.2.9\n"
#define MAIL                                                                                       \
	"mail.example.com. 300 A 192.0.2.5\nmail.example.com. 300 A 192.0.2.6\n"                   \
	"mail.example.com. 300 AAAA 2001:db8::5\nmail.example.com. 300 AAAA 2001:db8::6\n"
#define DELEG                                                                                      \
	"deleg.example.com. 300 NS ns.deleg.example.com.\ndeleg.example.com. 300 NS "              \
	"ns.other.test.\n"                                                                         \
	"deleg.example.com. 300 NS ns1.example.com.\ndeleg.example.com. 300 NS "                   \
	"ns2.deleg.example.com.\n"
#define DELEG_GLUE                                                                                 \
	"ns.deleg.example.com. 300 A 192.0.2.16\nns.deleg.example.com. 300 A 192.0.2.17\n"         \
	"ns.deleg.example.com. 300 AAAA 2001:db8::16\n"                                            \
	"ns1.example.com. 300 A 192.0.2.3\nns1.example.com. 300 AAAA 2001:db8::3\n"                \
	"ns2.deleg.example.com. 300 A 192.0.2.18\n"

static struct world *world;
static struct asking asking;
static struct told told;

static void setup(void)
{
	world = world_new();
	asking = (struct asking){.answerer = answerer_new(1), .catalog = world->catalog};
	ck_assert(asking.answerer);
}

static void teardown(void)
{
	answerer_free(asking.answerer);
	world_free(world);
}

struct expected {
	const char *name;
	uint16_t type;
	const char *flags; /* and the RCODE */
	const char *answer, *authority, *additional;
};

static void assert_expected(const struct expected *e, const char *text)
{
	const char *rest = strchr(text, '\n');
	char *records = NULL;

	ck_assert_msg(rest && strncmp(text, e->flags, strlen(e->flags)) == 0 &&
			      text[strlen(e->flags)] == ';',
		"%s %u: %s", e->name, e->type, text);
	ck_assert_int_ge(asprintf(&records, "\n; answer:\n%s; authority:\n%s; additional:\n%s",
				 e->answer, e->authority, e->additional),
		0);
	ck_assert_msg(strcmp(rest, records) == 0, "%s %u: %s", e->name, e->type, text);
	free(records);
}

static void assert_all(const struct expected *expected, size_t n)
{
	setup();
	for (size_t i = 0; i < n; i++) {
		for (int way = WAY_ANY; way <= WAY_SLOW; way += WAY_SLOW - WAY_ANY) {
			const struct asked q = {.name = expected[i].name, .type = expected[i].type};
			char *text;

			if (way == WAY_SLOW && q.type == DNS_ANY)
				continue;
			asking.way = (enum way)way;
			ask(&asking, &q, &told);
			text = told_text(&told);
			assert_expected(&expected[i], text);
			free(text);
		}
	}
	teardown();
}

START_TEST(test_what_there_is_and_what_there_is_not)
{
	static const struct expected cases[] = {
		{"www.example.com", DNS_A, "NOERROR AA", WWW("www.example.com."), "", ""},
		{"mixed.case.example.com", DNS_A, "NOERROR AA",
			"mixed.case.example.com. 300 A 192.0.2.21\n", "", ""},
		{"unknown.example.com", 65400, "NOERROR AA", /* RFC 3597 */
			"unknown.example.com. 300 TYPE65400 \\# 3 010203\n", "", ""},
		/* RFC 2308 5: the lesser of the SOA's TTL and MINIMUM. */
		{"www.example.com", DNS_MX, "NOERROR AA", "", SOA, ""},
		{"nothing.example.com", DNS_A, "NXDOMAIN AA", "", SOA, ""},
		{"very.deep.nothing.example.com", DNS_A, "NXDOMAIN AA", "", SOA, ""},
		{"nothing.example.net", DNS_A, "NXDOMAIN AA", "", NET_SOA, ""},
		{"nothing.test", DNS_A, "NXDOMAIN AA", "",
			"test. 0 SOA ns.test. h.test. 3 1 1 1 0\n", ""},
		/* RFC 4592 2.2.2, RFC 8020: a name above others exists. */
		{"ent.example.com", DNS_A, "NOERROR AA", "", SOA, ""},
		{"c.ent.example.com", DNS_A, "NOERROR AA", "", SOA, ""},
		{"b.ent.example.com", DNS_A, "NXDOMAIN AA", "", SOA, ""},
		{"_tcp.example.com", DNS_SRV, "NOERROR AA", "", SOA, ""},
		{"example.com", DNS_SOA, "NOERROR AA",
			"example.com. 3600 SOA ns1.example.com. hostmaster.example.com. 1 7200 "
			"3600 1209600 60\n",
			"", ""},
		{"example.org", DNS_A, "REFUSED", "", "", ""},
		{"com", DNS_NS, "REFUSED", "", "", ""},
		{"", DNS_NS, "REFUSED", "", "", ""},
		{"notexample.com", DNS_A, "REFUSED", "", "", ""},
	};

	assert_all(cases, ARRAY_SIZE(cases));
}
END_TEST

/* RFC 4592. */
START_TEST(test_a_wildcard_answers_for_what_is_not_there)
{
	static const struct expected cases[] = {
		{"a.wild.example.com", DNS_A, "NOERROR AA",
			"a.wild.example.com. 300 A 192.0.2.12\na.wild.example.com. 300 A "
			"192.0.2.13\n",
			"", ""},
		{"b.a.wild.example.com", DNS_A, "NOERROR AA",
			"b.a.wild.example.com. 300 A 192.0.2.12\nb.a.wild.example.com. 300 A "
			"192.0.2.13\n",
			"", ""},
		{"a.wild.example.com", DNS_MX, "NOERROR AA",
			"a.wild.example.com. 300 MX 10 mail.example.com.\n", "", MAIL},
		{"a.wild.example.com", DNS_AAAA, "NOERROR AA", "", SOA, ""},
		{"wild.example.com", DNS_A, "NOERROR AA", "", SOA, ""},
		{"*.wild.example.com", DNS_AAAA, "NOERROR AA", "", SOA, ""},
		/* y.wild exists, with nothing; and it is the closest encloser, which has no wildcard. */
		{"y.wild.example.com", DNS_A, "NOERROR AA", "", SOA, ""},
		{"z.y.wild.example.com", DNS_A, "NXDOMAIN AA", "", SOA, ""},
		/* 2.2.1: the name *.wild exists, and has no wildcard below it. */
		{"a.*.wild.example.com", DNS_A, "NXDOMAIN AA", "", SOA, ""},
		{"q.wildalias.example.com", DNS_A, "NOERROR AA",
			"q.wildalias.example.com. 300 CNAME www.example.com.\n" WWW(
				"www.example.com."),
			"", ""},
	};

	assert_all(cases, ARRAY_SIZE(cases));
}
END_TEST

START_TEST(test_aliases_are_followed_within_our_zones)
{
	static const struct expected cases[] = {
		{"alias.example.com", DNS_CNAME, "NOERROR AA",
			"alias.example.com. 300 CNAME www.example.com.\n", "", ""},
		{"alias2.example.com", DNS_A, "NOERROR AA",
			"alias.example.com. 300 CNAME www.example.com.\n"
			"alias2.example.com. 300 CNAME alias.example.com.\n" WWW(
				"www.example.com."),
			"", ""},
		{"across.example.com", DNS_A, "NOERROR AA",
			"across.example.com. 300 CNAME host.example.net.\n"
			"host.example.net. 120 A 198.51.100.1\nhost.example.net. 120 A "
			"198.51.100.2\n",
			"", ""},
		{"away.example.com", DNS_A, "NOERROR AA",
			"away.example.com. 300 CNAME www.elsewhere.org.\n", "", ""},
		{"dangling.example.com", DNS_A, "NXDOMAIN AA", /* RFC 6604 2.1: of the last name */
			"dangling.example.com. 300 CNAME nothing.example.com.\n", SOA, ""},
		{"empty.example.com", DNS_A, "NOERROR AA",
			"empty.example.com. 300 CNAME c.ent.example.com.\n", SOA, ""},
		{"circle1.example.com", DNS_A, "NOERROR AA",
			"circle1.example.com. 300 CNAME circle2.example.com.\n"
			"circle2.example.com. 300 CNAME circle1.example.com.\n",
			"", ""},
		{"itself.example.com", DNS_A, "NOERROR AA",
			"itself.example.com. 300 CNAME itself.example.com.\n", "", ""},
		/* AA speaks of the first name (RFC 1035 4.1.1). */
		{"intocut.example.com", DNS_A, "NOERROR AA",
			"intocut.example.com. 300 CNAME x.deleg.example.com.\n", DELEG, DELEG_GLUE},
	};

	assert_all(cases, ARRAY_SIZE(cases));
}
END_TEST

START_TEST(test_a_delegation_is_referred_to)
{
	static const struct expected cases[] = {
		{"x.y.deleg.example.com", DNS_A, "NOERROR", "", DELEG, DELEG_GLUE},
		{"deleg.example.com", DNS_A, "NOERROR", "", DELEG, DELEG_GLUE},
		{"deleg.example.com", DNS_NS, "NOERROR", "", DELEG, DELEG_GLUE},
		{"ns.deleg.example.com", DNS_A, "NOERROR", "", DELEG,
			DELEG_GLUE}, /* glue is no answer */
		{"ns.deleg.example.com", DNS_DS, "NOERROR", "", DELEG, DELEG_GLUE},
		{"far.example.com", DNS_A, "NOERROR", "",
			"far.example.com. 300 NS ns.other.test.\n", ""},
		{"sibling.example.com", DNS_A, "NOERROR", "",
			"sibling.example.com. 300 NS ns.deleg.example.com.\n",
			"ns.deleg.example.com. 300 A 192.0.2.16\nns.deleg.example.com. 300 A "
			"192.0.2.17\n"
			"ns.deleg.example.com. 300 AAAA 2001:db8::16\n"},
		/* RFC 4035 3.1.4.1: DS is on the parent's side, also if the child is ours. */
		{"deleg.example.com", DNS_DS, "NOERROR AA",
			"deleg.example.com. 300 DS 12345 8 2 "
			"0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF\n",
			"", ""},
		{"far.example.com", DNS_DS, "NOERROR AA", "", SOA, ""},
		{"child.example.com", DNS_DS, "NOERROR AA",
			"child.example.com. 300 DS 1 8 2 "
			"0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF\n",
			"", ""},
		{"example.com", DNS_DS, "NOERROR AA", "", SOA, ""}, /* com is not ours */
		/* The child itself, the longest match. */
		{"www.child.example.com", DNS_A, "NOERROR AA",
			"www.child.example.com. 60 A 192.0.2.22\n", "", ""},
		{"www.child.example.com", DNS_DS, "NOERROR AA", "", CHILD_SOA, ""},
		{"child.example.com", DNS_NS, "NOERROR AA",
			"child.example.com. 60 NS ns.child.example.com.\n", "",
			"ns.child.example.com. 60 A 192.0.2.19\n"},
	};

	assert_all(cases, ARRAY_SIZE(cases));
}
END_TEST

/* RFC 6672. */
START_TEST(test_a_dname_renames_what_is_below_it)
{
	static const struct expected cases[] = {
		{"x.dname.example.com", DNS_A, "NOERROR AA",
			"dname.example.com. 300 DNAME target.example.net.\n"
			"x.dname.example.com. 300 CNAME x.target.example.net.\n"
			"x.target.example.net. 120 A 198.51.100.4\n",
			"", ""},
		{"y.dname.example.com", DNS_A, "NOERROR AA",
			"dname.example.com. 300 DNAME target.example.net.\nhost.example.net. 120 A "
			"198.51.100.1\n"
			"host.example.net. 120 A 198.51.100.2\n"
			"y.dname.example.com. 300 CNAME y.target.example.net.\n"
			"y.target.example.net. 120 CNAME host.example.net.\n",
			"", ""},
		{"no.dname.example.com", DNS_A, "NXDOMAIN AA",
			"dname.example.com. 300 DNAME target.example.net.\n"
			"no.dname.example.com. 300 CNAME no.target.example.net.\n",
			NET_SOA, ""},
		{"x.dname.example.com", DNS_CNAME, "NOERROR AA",
			"dname.example.com. 300 DNAME target.example.net.\n"
			"x.dname.example.com. 300 CNAME x.target.example.net.\n",
			"", ""},
		/* 2.3: the name itself is not renamed. */
		{"dname.example.com", DNS_A, "NOERROR AA", "", SOA, ""},
		{"dname.example.com", TXT, "NOERROR AA", "dname.example.com. 300 TXT \"beside\"\n",
			"", ""},
		{"dname.example.com", DNS_DNAME, "NOERROR AA",
			"dname.example.com. 300 DNAME target.example.net.\n", "", ""},
	};

	assert_all(cases, ARRAY_SIZE(cases));
}
END_TEST

#define LABEL_60 "012345678901234567890123456789012345678901234567890123456789."

START_TEST(test_a_name_that_a_dname_makes_too_long_is_told)
{
	const struct asked q = {.name = LABEL_60 LABEL_60 LABEL_60
				"0123456789012345678901234567890123456789012345678901"
				".dname.example.com",
		.type = DNS_A};
	char *text;

	setup();
	ask(&asking, &q, &told);
	text = told_text(&told);
	ck_assert_msg(strncmp(text, "YXDOMAIN AA;", 12) == 0, "%s", text); /* RFC 6672 2.2 */
	ck_assert(strstr(text, "dname.example.com. 300 DNAME target.example.net."));
	free(text);
	teardown();
}
END_TEST

START_TEST(test_a_chain_of_dnames_tells_each_once)
{
	const struct asked q = {.name = "q.dnameloop.example.com", .type = DNS_A};
	const char *first;
	char *text;

	setup();
	asking.tcp = true;
	ask(&asking, &q, &told);
	text = told_text(&told);
	first = strstr(text, "dnameloop.example.com. 300 DNAME");
	ck_assert(first && !strstr(first + 1, "\ndnameloop.example.com. 300 DNAME"));
	free(text);
	teardown();
}
END_TEST

START_TEST(test_addresses_come_with_the_names_that_need_them)
{
	static const struct expected cases[] = {
		{"example.com", DNS_MX, "NOERROR AA",
			"example.com. 300 MX 10 mail.example.com.\nexample.com. 300 MX 20 "
			"mail2.example.com.\n"
			"example.com. 300 MX 30 mail.other.test.\n",
			"", MAIL "mail2.example.com. 300 A 192.0.2.7\n"},
		{"mx-twice.example.com", DNS_MX, "NOERROR AA",
			"mx-twice.example.com. 300 MX 1 mail.example.com.\n"
			"mx-twice.example.com. 300 MX 2 mail.example.com.\n",
			"", MAIL},
		{"mx-null.example.com", DNS_MX, "NOERROR AA", "mx-null.example.com. 300 MX 0 .\n",
			"", ""},
		{"mx-glue.example.com", DNS_MX, "NOERROR AA", /* it is not ours to tell */
			"mx-glue.example.com. 300 MX 10 ns.deleg.example.com.\n", "", ""},
		{"_sip._tcp.example.com", DNS_SRV, "NOERROR AA",
			"_sip._tcp.example.com. 300 SRV 0 5 5060 mail.example.com.\n"
			"_sip._tcp.example.com. 300 SRV 0 5 5060 single.example.com.\n"
			"_sip._tcp.example.com. 300 SRV 1 5 5060 www.example.com.\n",
			"",
			MAIL "single.example.com. 300 A 192.0.2.11\n" WWW(
				"www.example.com.") "www.example.com. 300 AAAA "
						    "2001:db8::10\nwww.example.com. 300 AAAA "
						    "2001:db8::8\n"
						    "www.example.com. 300 AAAA 2001:db8::9\n"},
		/* RFC 9460 4.1: an alias brings its target's records, "." is the owner. */
		{"example.com", DNS_HTTPS, "NOERROR AA",
			"example.com. 300 HTTPS 0 svc.example.com.\n", "",
			"svc.example.com. 300 A 192.0.2.20\nsvc.example.com. 300 AAAA "
			"2001:db8::20\n"
			"svc.example.com. 300 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.20\n"},
		{"q.wild.example.com", DNS_HTTPS, "NOERROR AA",
			"q.wild.example.com. 300 HTTPS 1 . alpn=h2\n", "",
			"q.wild.example.com. 300 A 192.0.2.12\nq.wild.example.com. 300 A "
			"192.0.2.13\n"},
		{"example.com", DNS_NS, "NOERROR AA",
			"example.com. 300 NS ns.other.test.\nexample.com. 300 NS ns1.example.com.\n"
			"example.com. 300 NS ns2.example.com.\n",
			"",
			"ns1.example.com. 300 A 192.0.2.3\nns1.example.com. 300 AAAA 2001:db8::3\n"
			"ns2.example.com. 300 A 192.0.2.4\n"},
	};

	assert_all(cases, ARRAY_SIZE(cases));
}
END_TEST

/* RFC 4343 3: the data of SVCB and HTTPS is told as it was written, and its names are looked up as any other. */
START_TEST(test_a_target_in_capitals_is_the_same_name)
{
	static const struct expected cases[] = {
		{"svc4.example.com", DNS_HTTPS, "NOERROR AA",
			"svc4.example.com. 300 HTTPS 1 MAIL.example.com. alpn=h2\n", "", MAIL},
		{"svc5.example.com", DNS_HTTPS, "NOERROR AA",
			"svc5.example.com. 300 HTTPS 0 SVC.example.com.\n", "",
			"svc.example.com. 300 A 192.0.2.20\nsvc.example.com. 300 AAAA "
			"2001:db8::20\n"
			"svc.example.com. 300 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.20\n"},
		/* once, whatever it is spelled like */
		{"svc6.example.com", DNS_SVCB, "NOERROR AA",
			"svc6.example.com. 300 SVCB 1 Mail.EXAMPLE.com. alpn=h2\n"
			"svc6.example.com. 300 SVCB 2 mail.example.com.\n"
			"svc6.example.com. 300 SVCB 3 SVC6.example.com.\n",
			"", MAIL "svc6.example.com. 300 A 192.0.2.23\n"},
		/* which is not what the wildcard stands for */
		{"q.wildsvc.example.com", DNS_HTTPS, "NOERROR AA",
			"q.wildsvc.example.com. 300 HTTPS 1 *.WildSvc.example.com.\n", "",
			"*.wildsvc.example.com. 300 A 192.0.2.24\n"},
	};

	assert_all(cases, ARRAY_SIZE(cases));
}
END_TEST

/* RFC 8482 4.1: one RRset, nothing additional, and no alias is followed. */
START_TEST(test_any_gets_one_rrset)
{
	static const struct expected cases[] = {
		{"single.example.com", DNS_ANY, "NOERROR AA",
			"single.example.com. 300 A 192.0.2.11\n", "", ""},
		{"svc.example.com", DNS_ANY, "NOERROR AA", "svc.example.com. 300 A 192.0.2.20\n",
			"", ""},
		{"alias.example.com", DNS_ANY, "NOERROR AA",
			"alias.example.com. 300 CNAME www.example.com.\n", "", ""},
		{"mx-alias.example.com", DNS_ANY, "NOERROR AA",
			"mx-alias.example.com. 300 MX 10 mail.example.com.\n", "", ""},
		{"svc2.example.com", DNS_ANY, "NOERROR AA",
			"svc2.example.com. 300 HTTPS 1 mail.example.com. alpn=h3\n", "", ""},
		{"ent.example.com", DNS_ANY, "NOERROR AA", "", SOA, ""},
		{"nothing.example.com", DNS_ANY, "NXDOMAIN AA", "", SOA, ""},
	};

	assert_all(cases, ARRAY_SIZE(cases));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_what_there_is_and_what_there_is_not,
		test_a_wildcard_answers_for_what_is_not_there,
		test_aliases_are_followed_within_our_zones,
		test_a_delegation_is_referred_to,
		test_a_dname_renames_what_is_below_it,
		test_a_name_that_a_dname_makes_too_long_is_told,
		test_a_chain_of_dnames_tells_each_once,
		test_addresses_come_with_the_names_that_need_them,
		test_a_target_in_capitals_is_the_same_name,
		test_any_gets_one_rrset,
	};

	return run_suite("answer", tests, ARRAY_SIZE(tests));
}
