/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/rng.h"
#include "zone/rdata.h"
#include "zone/zone_data.h"
#include "zones.h"

#define TYPE_TXT 16

/* What zone_find() says of a name: the node's name, `exactly` if it is the name itself. */
static const char *found(const struct zone *z, const char *text, bool exactly)
{
	static char buffer[NAME_TEXT_SIZE];
	const struct name n = name_of(text);
	bool exact;
	const struct zone_node *node = zone_find(z, n.bytes, &exact);

	if (!node)
		return "outside";
	ck_assert_int_eq(exact, exactly);
	ck_assert_ptr_eq(zone_lookup(z, n.bytes), exact ? node : NULL);
	return name_format(node->name, buffer);
}

START_TEST(a_name_is_found_or_its_closest_encloser)
{
	struct zone *z = good_zone(APEX "www A 192.0.2.2\n"
					"host.a.b.c A 192.0.2.3\n"
					"*.wild TXT x\n");

	ck_assert_str_eq(found(z, "example.com", true), "example.com.");
	ck_assert_str_eq(found(z, "www.example.com", true), "www.example.com.");
	ck_assert_str_eq(found(z, "x.www.example.com", false), "www.example.com.");
	ck_assert_str_eq(found(z, "ww.example.com", false), "example.com.");
	ck_assert_str_eq(found(z, "1.2.3.4.5.example.com", false), "example.com.");
	/* RFC 4592 2.2.2: a name is there when something is below it. */
	ck_assert_str_eq(found(z, "b.c.example.com", true), "b.c.example.com.");
	ck_assert_str_eq(found(z, "x.b.c.example.com", false), "b.c.example.com.");
	/* RFC 4592 3.3.1: the wildcard is not its own encloser's answer here. */
	ck_assert_str_eq(found(z, "x.wild.example.com", false), "wild.example.com.");
	ck_assert_str_eq(found(z, "example.org", true), "outside");
	ck_assert_str_eq(found(z, "com", true), "outside");
	ck_assert_str_eq(found(z, ".", true), "outside");
	ck_assert_str_eq(found(z, "www.xexample.com", true), "outside");
	zone_free(z);
}
END_TEST

START_TEST(the_digest_is_of_all_but_the_serial_and_the_order)
{
	static const char *const others[] = {
		APEX "www A 192.0.2.2\n",
		APEX "www A 192.0.2.2\nwww A 192.0.2.4\nx TXT ab cd\n",
		APEX "ww2 A 192.0.2.2\nwww A 192.0.2.3\nx TXT ab cd\n",
		APEX "www 301 A 192.0.2.2\nwww 301 A 192.0.2.3\nx TXT ab cd\n",
		APEX "www A 192.0.2.2\nwww A 192.0.2.3\nx TXT abcd\n",
		APEX "www A 192.0.2.2\nwww A 192.0.2.3\nx TYPE16000 \\# 6 026162026364\n",
		"$TTL 300\n@ SOA ns1 hostmaster 7 14400 3600 1209600 301\n@ NS ns1\n"
		"ns1 A 192.0.2.1\nwww A 192.0.2.2\nwww A 192.0.2.3\nx TXT ab cd\n",
		"$TTL 300\n@ SOA ns2 hostmaster 7 14400 3600 1209600 300\n@ NS ns1\n"
		"ns1 A 192.0.2.1\nwww A 192.0.2.2\nwww A 192.0.2.3\nx TXT ab cd\n",
	};
	struct zone *z = good_zone(APEX "www A 192.0.2.2\nwww A 192.0.2.3\nx TXT ab cd\n");
	struct zone *same = good_zone("$TTL 300\n"
				      "@ SOA ns1 hostmaster 8 14400 3600 1209600 300\n"
				      "@ NS ns1\n"
				      "x TXT ab cd\n"
				      "WWW A 192.0.2.3\nwww A 192.0.2.2\n"
				      "ns1 A 192.0.2.1\n");

	ck_assert_uint_eq(zone_serial(z), 7);
	ck_assert_uint_eq(zone_serial(same), 8);
	ck_assert_uint_eq(zone_digest(z), zone_digest(same));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct zone *other = good_zone(others[i]);

		ck_assert_msg(zone_digest(z) != zone_digest(other), "%s", others[i]);
		zone_free(other);
	}
	zone_free(same);
	zone_free(z);
}
END_TEST

START_TEST(a_serial_is_set_and_compared) /* RFC 1982 3.2 */
{
	struct zone *z = good_zone(APEX);
	const uint64_t digest = zone_digest(z);

	zone_set_serial(z, 0xfffffffe);
	ck_assert_uint_eq(zone_serial(z), 0xfffffffe);
	ck_assert_uint_eq(zone_digest(z), digest);
	ck_assert_int_lt(zone_compare_serials(7, 8), 0);
	ck_assert_int_eq(zone_compare_serials(7, 7), 0);
	ck_assert_int_gt(zone_compare_serials(1, 0xfffffffe), 0);
	ck_assert_int_lt(zone_compare_serials(0xfffffffe, 1), 0);
	zone_free(z);
}
END_TEST

START_TEST(nodes_have_flags)
{
	struct zone *z = good_zone(APEX "sub NS ns.sub\n"
					"ns.sub A 192.0.2.3\n"
					"deep.ns.sub NS ns.sub\n"
					"*.wild TXT x\n"
					"alias CNAME www.example.org.\n"
					"moved DNAME example.org.\n");
	static const struct {
		const char *name;
		uint16_t flags;
	} expected[] = {
		{"example.com", ZONE_NODE_APEX},
		{"sub.example.com", ZONE_NODE_CUT},
		{"ns.sub.example.com", ZONE_NODE_BELOW},
		{"deep.ns.sub.example.com", ZONE_NODE_BELOW},
		{"wild.example.com", ZONE_NODE_WILDCARD},
		{"*.wild.example.com", 0},
		{"alias.example.com", ZONE_NODE_CNAME},
		{"moved.example.com", ZONE_NODE_DNAME},
	};

	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct name n = name_of(expected[i].name);
		const struct zone_node *node = zone_lookup(z, n.bytes);

		ck_assert_ptr_nonnull(node);
		ck_assert_msg(node->flags == expected[i].flags, "%s", expected[i].name);
		if (node->flags & ZONE_NODE_WILDCARD)
			ck_assert_ptr_eq(node->wildcard->parent, node);
	}
	zone_free(z);
}
END_TEST

START_TEST(records_are_kept_with_their_sets)
{
	struct zone *z = good_zone(APEX "www TXT \"one\"\n"
					"www A 192.0.2.2\n"
					"www TXT \"two\"\n"
					"www A 192.0.2.3\n"
					"www AAAA 2001:db8::1\n"
					"www A 192.0.2.2\n"); /* RFC 2181 5: there already */
	const struct name www = name_of("www.example.com");
	const struct zone_node *n = zone_lookup(z, www.bytes);
	static const uint16_t types[] = {RDATA_A, TYPE_TXT, RDATA_AAAA};
	const struct zone_rrset *s = n->rrsets;
	uint16_t size;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++, s = s->next) {
		ck_assert_uint_eq(s->type, types[i]);
		ck_assert_ptr_eq(zone_rrset_of(n, types[i]), s);
		ck_assert_uint_eq(s->service, ZONE_NO_SERVICE);
	}
	ck_assert_ptr_null(s);
	s = zone_rrset_of(n, RDATA_A);
	ck_assert_uint_eq(s->n_records, 2);
	ck_assert_uint_eq(s->line, 6);
	ck_assert_str_eq(s->file, "test.zone");
	ck_assert_mem_eq(zone_rdata(s, 1, &size), "\300\000\002\003", 4);
	ck_assert_uint_eq(size, 4);
	s = zone_rrset_of(n, TYPE_TXT);
	ck_assert_uint_eq(s->n_records, 2);
	ck_assert_mem_eq(zone_rdata(s, 1, &size), "\003two", 4);
	ck_assert_uint_eq(zone_serial(z), 7);
	ck_assert_uint_eq(zone_n_names(z), 3);
	ck_assert_uint_eq(zone_n_nodes(z), 3);
	zone_free(z);
}
END_TEST

/* RFC 4034 6.2: names in the data of the older types are of lower case, all else is left alone. */
START_TEST(data_are_canonical)
{
	struct zone *z = good_zone(APEX "a MX 10 Mail.Example.NET.\n"
					"a TXT \"Left Alone\"\n"
					"a SRV 1 2 3 Host.Example.NET.\n"
					"b HTTPS 1 Svc.Example.NET. alpn=\"H2\"\n"
					"b MX 10 MAIL.example.net.\n"
					"b MX 10 mail.example.net.\n");
	const struct name a = name_of("a.example.com"), b = name_of("b.example.com");
	uint16_t size;

	const struct zone_rrset *s = zone_rrset_of(zone_lookup(z, a.bytes), RDATA_MX);

	ck_assert_mem_eq(zone_rdata(s, 0, &size), "\0\012\4mail\7example\3net", 20);
	s = zone_rrset_of(zone_lookup(z, a.bytes), TYPE_TXT);
	ck_assert_mem_eq(zone_rdata(s, 0, &size), "\012Left Alone", 11);
	s = zone_rrset_of(zone_lookup(z, a.bytes), 33);
	ck_assert_mem_eq(zone_rdata(s, 0, &size), "\0\1\0\2\0\3\4host\7example\3net", 24);
	s = zone_rrset_of(zone_lookup(z, b.bytes), 65);
	ck_assert_mem_eq(zone_rdata(s, 0, &size), "\0\1\3Svc\7Example\3NET", 19);
	s = zone_rrset_of(zone_lookup(z, b.bytes), RDATA_MX);
	ck_assert_uint_eq(s->n_records, 1);
	zone_free(z);
}
END_TEST

/* What a zone's text is told to be. */
static void expect(const char *text, const char *expected)
{
	struct complaints c = {0};
	struct zone *z = zone_of(text, &c);

	ck_assert_str_eq(c.text, expected);
	ck_assert_int_eq(z == NULL, c.n_errors > 0);
	zone_free(z);
}

START_TEST(an_alias_stands_alone)
{
	/* RFC 2181 10.1, RFC 1034 3.6.2 */
	expect(APEX "www A 192.0.2.2\nwww CNAME a.example.net.\n",
		"test.zone:6: error: www.example.com. has CNAME data here and A data at "
		"test.zone:5; an alias (CNAME) has no other data\n");
	expect(APEX "www CNAME a.example.net.\nwww A 192.0.2.2\n",
		"test.zone:6: error: www.example.com. has A data here and CNAME data at "
		"test.zone:5; an alias (CNAME) has no other data\n");
	expect(APEX "www CNAME a.example.net.\nwww CNAME b.example.net.\n",
		"test.zone:6: error: a second CNAME record of www.example.com.; the first is at "
		"test.zone:5\n");
	expect(APEX "@ CNAME a.example.net.\n",
		"test.zone:5: error: example.com. has CNAME data here and NS data at "
		"test.zone:3; an alias (CNAME) has no other data\n");
	/* RFC 4035 2.5: but for its signature and what denies other data. */
	expect(APEX "www CNAME a.example.net.\nwww NSEC @ CNAME RRSIG NSEC\n", "");
}
END_TEST

START_TEST(a_zone_has_one_soa_and_name_servers_at_its_apex)
{
	expect("$TTL 60\n@ NS ns.example.net.\n",
		"test.zone: error: the zone example.com. has no SOA record\n");
	expect("$TTL 60\n@ SOA a b 1 2 3 4 5\n",
		"test.zone: error: the zone example.com. has no NS records\n");
	expect(APEX "@ SOA ns2 hostmaster 8 2 3 4 5\n",
		"test.zone:5: error: a second SOA record of example.com.; the first is at "
		"test.zone:2\n");
	expect(APEX "@ SOA NS1 HOSTmaster 7 14400 3600 1209600 300\n", "");
	expect(APEX "sub SOA ns1 hostmaster 7 14400 3600 1209600 300\n",
		"test.zone:5: error: an SOA record of sub.example.com.; it belongs to "
		"example.com. alone\n");
}
END_TEST

START_TEST(records_outside_the_zone_are_errors)
{
	expect(APEX "www.example.org. A 192.0.2.2\n",
		"test.zone:5: error: www.example.org. is outside the zone example.com.\n");
	expect(APEX "com. NS ns1\n", "test.zone:5: error: com. is outside the zone example.com.\n");
}
END_TEST

/* RFC 6672 2.4 */
START_TEST(nothing_is_below_a_dname)
{
	expect(APEX "b.a.moved A 192.0.2.2\nmoved DNAME example.org.\n",
		"test.zone:5: error: b.a.moved.example.com. is below moved.example.com., a DNAME, "
		"which can have nothing below it\n");
	expect(APEX "moved DNAME example.org.\nmoved DNAME example.net.\n",
		"test.zone:6: error: a second DNAME record of moved.example.com.; the first is at "
		"test.zone:5\n");
	expect(APEX "moved DNAME example.org.\nmoved A 192.0.2.2\nmovedx A 192.0.2.2\n", "");
	expect(APEX "z DNAME example.org.\n", ""); /* the last of all */
}
END_TEST

START_TEST(name_servers_without_an_address_are_told)
{
	expect(APEX "sub NS ns.sub\n",
		"test.zone:5: warning: sub.example.com. has an NS record that names "
		"ns.sub.example.com., which has no address here\n");
	expect(APEX "sub NS ns9\n",
		"test.zone:5: warning: sub.example.com. has an NS record that names "
		"ns9.example.com., which has no address here\n");
	/* Outside the zone, below another delegation, made by a wildcard: nothing to say. */
	expect(APEX "sub NS ns.example.net.\n", "");
	expect(APEX "sub NS ns.sub\nns.sub A 192.0.2.3\nother NS ns2.sub\n", "");
	expect(APEX "sub NS a.wild\n*.wild AAAA 2001:db8::1\n", "");
	/* whatever address the name above it has */
	expect(APEX "sub NS a.wild\n*.wild AAAA 2001:db8::1\nwild A 192.0.2.3\n", "");
	expect(APEX "sub NS ns.example.net.\nsub A 192.0.2.3\nother NS ns.sub\n", "");
	expect(APEX "sub NS a.wild\n*.wild TXT \"no address\"\n",
		"test.zone:5: warning: sub.example.com. has an NS record that names "
		"a.wild.example.com., which has no address here\n");
	expect(APEX "sub NS text\ntext TXT \"no address\"\n",
		"test.zone:5: warning: sub.example.com. has an NS record that names "
		"text.example.com., which has no address here\n");
	expect(APEX "sub NS a.host\nhost A 192.0.2.3\n",
		"test.zone:5: warning: sub.example.com. has an NS record that names "
		"a.host.example.com., which has no address here\n");
}
END_TEST

/* RFC 2181 10.3 */
START_TEST(name_servers_and_mail_exchangers_that_are_aliases_are_told)
{
	expect(APEX "sub NS alias\n@ MX 10 alias\nalias CNAME ns1\n",
		"test.zone:6: warning: example.com. has an MX record that names "
		"alias.example.com., an alias (RFC 2181 10.3)\n"
		"test.zone:5: warning: sub.example.com. has an NS record that names "
		"alias.example.com., an alias (RFC 2181 10.3)\n");
}
END_TEST

/* RFC 2181 5.2 */
START_TEST(the_least_ttl_of_a_set_counts)
{
	const struct name www = name_of("www.example.com");
	struct complaints c = {0};
	struct zone *z = zone_of(APEX "www 60 A 192.0.2.2\n"
				      "www 30 A 192.0.2.3\n"
				      "www 90 A 192.0.2.4\n",
		&c);

	ck_assert_str_eq(c.text,
		"test.zone:5: warning: the A records of www.example.com. have different TTLs; "
		"the least is served: 30\n");
	ck_assert_uint_eq(zone_lookup(z, www.bytes)->rrsets->ttl, 30);
	zone_free(z);
}
END_TEST

START_TEST(malformed_data_are_refused)
{
	/* What RFC 3597 5 can write for known types, too. */
	expect(APEX "www A \\# 3 c00002\n",
		"test.zone:5: error: the data is not that of a record of type A\n");
	expect(APEX "www NS \\# 2 0561\n",
		"test.zone:5: error: the data is not that of a record of type NS\n");
	expect(APEX "www MX \\# 4 0001c00c\n",
		"test.zone:5: error: the data is not that of a record of type MX\n");
	expect(APEX "www TXT \\# 2 0561\n",
		"test.zone:5: error: the data is not that of a record of type TXT\n");
	expect(APEX "www AAAA \\# 17 0000000000000000000000000000000000\n",
		"test.zone:5: error: the data is not that of a record of type AAAA\n");
	expect(APEX "www HINFO \\# 2 0161\n",
		"test.zone:5: error: the data is not that of a record of type HINFO\n");
	expect(APEX "www HINFO \\# 4 01610561\n",
		"test.zone:5: error: the data is not that of a record of type HINFO\n");
	/* RFC 6895 3.1: these are no data. */
	expect(APEX "www TYPE0 \\# 0\n",
		"test.zone:5: error: a record of type TYPE0 can't be in a zone\n");
	expect(APEX "www TYPE255 \\# 0\n",
		"test.zone:5: error: a record of type ANY can't be in a zone\n");
	expect(APEX "www TYPE41 \\# 0\n",
		"test.zone:5: error: a record of type OPT can't be in a zone\n");
	expect(APEX "www TYPE65280 \\# 2 abcd\n", "");
}
END_TEST

START_TEST(a_set_fits_into_one_message)
{
	const struct name apex = name_of("example.com"), www = name_of("www.example.com");
	struct zone *z = zone_new(apex.bytes);
	char problem[ZONE_PROBLEM_SIZE] = "";
	uint8_t address[4] = {0};
	struct zone_record r = {.owner = www.bytes,
		.type = RDATA_A,
		.ttl = 60,
		.rdata = address,
		.rdata_size = 4,
		.service = ZONE_NO_SERVICE};
	uint32_t n = 0;

	while (n < 10000 && zone_add(z, &r, problem)) {
		n++;
		address[3] = (uint8_t)n, address[2] = (uint8_t)(n >> 8);
	}
	ck_assert_str_eq(
		problem, "all A records of www.example.com. don't fit into one DNS message");
	ck_assert_uint_eq(n, (65535 - 12 - 17 - 4 - 11) / 16);
	ck_assert_uint_eq(zone_lookup(z, www.bytes)->rrsets->n_records, n);
	zone_free(z);
}
END_TEST

static int compare_nodes(const void *a, const void *b)
{
	const struct zone_node *const *x = a, *const *y = b;

	return name_compare((*x)->name, (*y)->name);
}

/* Labels that are hard to put in order: of all lengths, with bytes that sort before a label's
 * end. */
static void add_random(struct zone *z, struct rng *r, const struct name *apex)
{
	static const uint8_t bytes[] = {0, 1, 2, '*', '-', 'a', 'b', 0xff};
	struct name n = {0};
	char problem[ZONE_PROBLEM_SIZE];
	const uint8_t address[4] = {192, 0, 2, 1};

	for (uint32_t labels = 1 + rng_below(r, 3); labels > 0; labels--) {
		const uint32_t size = 1 + rng_below(r, rng_below(r, 8) == 0 ? 12 : 3);

		n.bytes[n.size++] = (uint8_t)size;
		for (uint32_t i = 0; i < size; i++)
			n.bytes[n.size++] = bytes[rng_below(r, sizeof(bytes))];
	}
	memcpy(n.bytes + n.size, apex->bytes, apex->size);
	const struct zone_record record = {.owner = n.bytes,
		.type = RDATA_A,
		.ttl = 60,
		.rdata = address,
		.rdata_size = 4,
		.service = ZONE_NO_SERVICE};

	ck_assert_msg(zone_add(z, &record, problem), "%s", problem);
	ck_assert_ptr_nonnull(zone_lookup(z, n.bytes));
}

/* RFC 4034 6.1, against a sort by name_compare(). */
START_TEST(nodes_are_in_canonical_order)
{
	const struct name apex = name_of("example.com");
	struct zone *z = zone_new(apex.bytes);
	char problem[ZONE_PROBLEM_SIZE];
	struct rng r = {42};

	for (int i = 0; i < 5000; i++)
		add_random(z, &r, &apex);
	ck_assert(!zone_finish(z, NULL, NULL, problem)); /* no SOA, but it is in order */
	const uint32_t n = zone_n_nodes(z);
	const struct zone_node **nodes = calloc(n, sizeof(*nodes));

	for (uint32_t i = 0; i < n; i++)
		nodes[i] = zone_node_at(z, i);
	qsort(nodes, n, sizeof(*nodes), compare_nodes);
	ck_assert_uint_gt(n, 4000);
	for (uint32_t i = 0; i < n; i++) {
		ck_assert_ptr_eq(zone_node_at(z, i), nodes[i]);
		ck_assert_ptr_eq(zone_lookup(z, nodes[i]->name), nodes[i]);
	}
	free(nodes);
	zone_free(z);
}
END_TEST

START_TEST(a_large_zone_loses_nothing)
{
	const struct name apex = name_of("example.com");
	struct zone *z = zone_new(apex.bytes);
	char text[64], problem[ZONE_PROBLEM_SIZE];
	uint8_t address[4] = {10};

	for (uint32_t i = 0; i < 40000; i++) {
		/* In two rounds, so that the second finds the sets of the first far behind. */
		snprintf(text, sizeof(text), "host-%u.example.com", i % 20000);
		const struct name n = name_of(text);

		memcpy(address, &i, 4);
		const struct zone_record r = {.owner = n.bytes,
			.type = RDATA_A,
			.ttl = 60,
			.rdata = address,
			.rdata_size = 4,
			.service = i % 20000};

		ck_assert(zone_add(z, &r, problem));
	}
	ck_assert_uint_eq(zone_n_names(z), 20000);
	for (uint32_t i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "host-%u.example.com", i);
		const struct name n = name_of(text);
		const struct zone_rrset *s = zone_lookup(z, n.bytes)->rrsets;
		uint32_t first, second;
		uint16_t size;

		ck_assert_uint_eq(s->n_records, 2);
		ck_assert_uint_eq(s->service, i);
		memcpy(&first, zone_rdata(s, 0, &size), 4);
		memcpy(&second, zone_rdata(s, 1, &size), 4);
		ck_assert_uint_eq(first, i);
		ck_assert_uint_eq(second, i + 20000);
	}
	ck_assert_uint_lt(zone_memory(z), 6000000);
	zone_free(z);
}
END_TEST

/* A name of 127 labels is stopped where the zone ends; the root's zone has all names. */
START_TEST(the_deepest_name_is_found_in_the_root_zone)
{
	const struct name root = name_of(".");
	struct zone *z = zone_new(root.bytes);
	char deep[256] = "", problem[ZONE_PROBLEM_SIZE];
	const uint8_t address[4] = {192, 0, 2, 1};
	bool exact;

	for (int i = 0; i < 127; i++)
		strcat(deep, "a.");
	const struct name n = name_of(deep), other = name_of("b.a.a.");
	const struct zone_record r = {.owner = n.bytes,
		.type = RDATA_A,
		.ttl = 60,
		.rdata = address,
		.rdata_size = 4,
		.service = ZONE_NO_SERVICE};

	ck_assert(zone_add(z, &r, problem));
	ck_assert_uint_eq(zone_n_names(z), 1);
	ck_assert_ptr_nonnull(zone_lookup(z, n.bytes)->rrsets);
	ck_assert_ptr_eq(zone_find(z, other.bytes, &exact), zone_lookup(z, name_of("a.a.").bytes));
	ck_assert(!exact);
	zone_free(z);
}
END_TEST

START_TEST(places_and_types_are_told_as_text)
{
	char text[ZONE_PLACE_SIZE > ZONE_TYPE_SIZE ? ZONE_PLACE_SIZE : ZONE_TYPE_SIZE];

	ck_assert_str_eq(zone_place_format(&(struct zone_place){"a.zone", 7}, text), "a.zone:7");
	ck_assert_str_eq(zone_place_format(&(struct zone_place){"a.zone", 0}, text), "a.zone");
	ck_assert_str_eq(zone_place_format(&(struct zone_place){NULL, 7}, text), "roost.yaml:7");
	ck_assert_str_eq(zone_type_format(RDATA_SOA, text), "SOA");
	ck_assert_str_eq(zone_type_format(65280, text), "TYPE65280");
}
END_TEST

/* RFC 4034 3: they are those of what is signed */
START_TEST(signatures_may_have_different_ttls)
{
	const struct name ns1 = name_of("ns1.example.com");
	struct zone *z = good_zone(
		APEX "ns1 60 RRSIG A 13 3 300 20300101000000 20200101000000 1 @ AAAA\n"
		     "ns1 30 RRSIG NSEC 13 3 300 20300101000000 20200101000000 1 @ AAAA\n");

	ck_assert_uint_eq(zone_rrset_of(zone_lookup(z, ns1.bytes), RDATA_RRSIG)->ttl, 30);
	zone_free(z);
}
END_TEST

/* Found by trying: their hashes are equal, as those of other names may be. */
START_TEST(names_whose_hashes_are_equal_are_told_apart)
{
	const struct name here = name_of("h217773.example.com"),
			  alike = name_of("h599428.example.com"),
			  below = name_of("h346922.a.example.com"),
			  other = name_of("h505593.example.com");
	struct zone *z = good_zone(APEX "h217773 A 192.0.2.2\nh505593 A 192.0.2.3\na TXT a\n");

	ck_assert_uint_eq(zone_hash(0, here.bytes), zone_hash(0, alike.bytes));
	ck_assert_uint_eq(zone_hash(zone_hash(0, (const uint8_t *)"\1a"), below.bytes),
		zone_hash(0, other.bytes));
	ck_assert_ptr_nonnull(zone_lookup(z, here.bytes));
	ck_assert_ptr_nonnull(zone_lookup(z, other.bytes));
	ck_assert_ptr_null(zone_lookup(z, alike.bytes));
	ck_assert_ptr_null(zone_lookup(z, below.bytes));
	zone_free(z);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_name_is_found_or_its_closest_encloser,
		the_digest_is_of_all_but_the_serial_and_the_order,
		a_serial_is_set_and_compared,
		nodes_have_flags,
		records_are_kept_with_their_sets,
		data_are_canonical,
		an_alias_stands_alone,
		a_zone_has_one_soa_and_name_servers_at_its_apex,
		records_outside_the_zone_are_errors,
		nothing_is_below_a_dname,
		name_servers_without_an_address_are_told,
		name_servers_and_mail_exchangers_that_are_aliases_are_told,
		the_least_ttl_of_a_set_counts,
		malformed_data_are_refused,
		a_set_fits_into_one_message,
		nodes_are_in_canonical_order,
		a_large_zone_loses_nothing,
		the_deepest_name_is_found_in_the_root_zone,
		places_and_types_are_told_as_text,
		signatures_may_have_different_ttls,
		names_whose_hashes_are_equal_are_told_apart,
	};

	return run_suite("zone", tests, ARRAY_SIZE(tests));
}
