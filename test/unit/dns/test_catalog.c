/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "suite.h"
#include "world.h"
#include "zone/load.h"

/* Zones are found, and what is too much for a compiled answer is answered all the same. */

static struct told told;

static struct name name_of(const char *text)
{
	struct name name;
	const char *why;

	ck_assert(name_parse(text, NULL, &name, &why));
	return name;
}

static struct zone *load_zone(const char *apex, const char *text)
{
	const struct load_text t = {.file = apex, .text = text, .size = strlen(text)};
	const struct load_listener nobody = {NULL, NULL};
	const struct name name = name_of(apex);
	struct zone *z = load_text(&t, name.bytes, &nobody);

	ck_assert(z);
	return z;
}

static void finish_zone(struct zone *z)
{
	char problem[ZONE_PROBLEM_SIZE];

	ck_assert_msg(zone_finish(z, NULL, NULL, problem), "%s", problem);
}

static char *ask_text(
	struct answerer *a, const struct catalog *c, const char *name, uint16_t type, enum way way)
{
	const struct asked q = {.name = name, .type = type};
	const struct asking how = {.answerer = a, .catalog = c, .tcp = true, .way = way};

	ask(&how, &q, &told);
	return told_text(&told);
}

static unsigned count(const char *text, const char *part)
{
	unsigned n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

static struct answerer *make_answerer(void)
{
	struct answerer *a = answerer_new(1);

	ck_assert(a);
	return a;
}

#define HEAD "$TTL 60\n@ SOA ns h 1 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n"

START_TEST(test_the_longest_zone_is_found)
{
	static const struct {
		const char *name, *zone;
	} cases[] = {{"www.example.com.", "example.com."}, {"example.com.", "example.com."},
		{"child.example.com.", "child.example.com."},
		{"a.b.c.child.example.com.", "child.example.com."},
		{"grandchild.example.com.", "example.com."}, {"a.b.c.d.e.test.", "test."},
		{"com.", NULL}, {".", NULL}, {"xtest.", NULL}};
	struct world *w = world_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct name name = name_of(cases[i].name);
		const struct zone *z = catalog_find(w->catalog, name.bytes);
		char text[NAME_TEXT_SIZE];

		ck_assert_msg(!z == !cases[i].zone, "%s", cases[i].name);
		if (z)
			ck_assert_str_eq(name_format(zone_apex(z), text), cases[i].zone);
	}
	ck_assert_uint_eq(catalog_n_zones(w->catalog), 4);
	world_free(w);
}
END_TEST

START_TEST(test_a_zone_is_found_by_its_own_name_alone)
{
	const struct name apex = name_of("child.example.com."),
			  below = name_of("www.child.example.com.");
	struct world *w = world_new();
	const struct zone *z = catalog_zone_named(w->catalog, apex.bytes);

	ck_assert(z && name_equal(zone_apex(z), apex.bytes));
	ck_assert_ptr_eq(catalog_zone(w->catalog, 1), z);
	ck_assert_ptr_null(catalog_zone_named(w->catalog, below.bytes));
	world_free(w);
}
END_TEST

START_TEST(test_each_of_a_thousand_zones_is_found)
{
	struct zone *zones[1000];
	struct catalog *c;

	for (unsigned i = 0; i < ARRAY_SIZE(zones); i++) {
		char apex[64];

		snprintf(apex, sizeof apex, "%szone-%u.example.", i % 3 ? "a.b." : "", i);
		zones[i] = load_zone(apex, HEAD);
		finish_zone(zones[i]);
	}
	c = catalog_new(zones, ARRAY_SIZE(zones), NULL);
	ck_assert(c);
	for (unsigned i = 0; i < ARRAY_SIZE(zones); i++) {
		struct name name;
		char below[80];

		snprintf(below, sizeof below, "www.%szone-%u.example.", i % 3 ? "a.b." : "", i);
		name = name_of(below);
		ck_assert_ptr_eq(catalog_find(c, name.bytes), zones[i]);
	}
	ck_assert_uint_gt(catalog_memory(c), 1000 * sizeof(void *));
	catalog_free(c);
}
END_TEST

START_TEST(test_no_zone_is_none)
{
	const struct name name = name_of("www.example.com.");
	struct catalog *c = catalog_new(NULL, 0, NULL);

	ck_assert(c);
	ck_assert_ptr_null(catalog_find(c, name.bytes));
	catalog_free(c);
	catalog_free(NULL);
}
END_TEST

/* 140 mail servers with two addresses each: more targets, names and groups than a body has room for. */
START_TEST(test_too_much_for_a_compiled_answer_is_answered_the_slow_way)
{
	char *zone = NULL, *text;
	size_t size;
	FILE *f = open_memstream(&zone, &size);
	struct answerer *a = make_answerer();
	struct catalog *c;

	ck_assert(f);
	fprintf(f, HEAD);
	for (unsigned i = 0; i < 140; i++) {
		fprintf(f, "@ MX %u m%u\nm%u A 192.0.2.%u\nm%u A 198.51.100.%u\n", i, i, i, i, i,
			i);
		fprintf(f, "ptr PTR p%u.a%u\n", i, i);
		if (i < 126)
			fprintf(f, "few MX %u m%u\n", i, i);
	}
	fclose(f);
	c = world_catalog_of("example.com.", zone);
	text = ask_text(a, c, "example.com", DNS_MX, WAY_FAST);
	ck_assert_str_eq(text, "nothing");
	free(text);
	text = ask_text(a, c, "example.com", DNS_MX, WAY_ANY);
	ck_assert_uint_eq(count(text, " MX "), 140);
	ck_assert_uint_gt(count(text, " A "), 250); /* the rest is only helpful */
	free(text);
	for (unsigned i = 0; i < 2; i++) {
		char *other;

		answerer_seed(a, 3);
		text = ask_text(a, c, i ? "few.example.com" : "ptr.example.com",
			i ? DNS_MX : DNS_PTR, WAY_ANY);
		answerer_seed(a, 3);
		other = ask_text(a, c, i ? "few.example.com" : "ptr.example.com",
			i ? DNS_MX : DNS_PTR, WAY_SLOW);
		ck_assert_str_eq(text, other);
		free(text);
		free(other);
	}
	catalog_free(c);
	answerer_free(a);
	free(zone);
}
END_TEST

static void add_address(
	struct zone *z, const char *owner, const uint8_t address[4], uint32_t service)
{
	const struct name name = name_of(owner);
	const struct zone_record r = {.owner = name.bytes,
		.type = DNS_A,
		.ttl = 60,
		.rdata = address,
		.rdata_size = 4,
		.service = service};
	char problem[ZONE_PROBLEM_SIZE];

	ck_assert(zone_add(z, &r, problem));
}

START_TEST(test_an_address_of_a_service_that_is_no_vip_is_always_answered)
{
	static const uint8_t vip[4] = {10, 0, 0, 1}, other[4] = {10, 0, 0, 2};
	struct config_vip vips[] = {{.address = addr_from_ipv4(vip), .weight = 1}};
	struct config_service services[] = {{.n_vips = 1}};
	const struct config config = {
		.services = services, .n_services = 1, .vips = vips, .n_vips = 1};
	struct zone *z = load_zone("example.com.", HEAD);
	struct answerer *a = make_answerer();
	struct catalog *c;
	char *text;

	add_address(z, "www.example.com.", vip, 0);
	add_address(z, "www.example.com.", other, 0);
	finish_zone(z);
	c = catalog_new(&z, 1, &config);
	ck_assert(c);
	ck_assert(catalog_is_held(c, 0)); /* at first */
	text = ask_text(a, c, "www.example.com", DNS_A, WAY_ANY);
	ck_assert_uint_eq(count(text, " A 10.0.0."), 2);
	free(text);
	catalog_set_held(c, 0, false);
	text = ask_text(a, c, "www.example.com", DNS_A, WAY_ANY);
	ck_assert_uint_eq(count(text, " A 10.0.0."), 1);
	ck_assert_uint_eq(count(text, " A 10.0.0.2"), 1);
	free(text);
	catalog_free(c);
	answerer_free(a);
}
END_TEST

START_TEST(test_a_lone_vip_is_answered_whoever_holds_it)
{
	static const uint8_t vip[4] = {10, 0, 0, 1};
	struct config_vip vips[] = {{.address = addr_from_ipv4(vip), .weight = 1}};
	struct config_service services[] = {{.n_vips = 1}};
	const struct config config = {
		.services = services, .n_services = 1, .vips = vips, .n_vips = 1};
	struct zone *z = load_zone("example.com.", HEAD);
	struct answerer *a = make_answerer();
	struct catalog *c;

	add_address(z, "www.example.com.", vip, 0);
	finish_zone(z);
	c = catalog_new(&z, 1, &config);
	ck_assert(c);
	catalog_set_held(c, 0, false);
	for (int way = WAY_ANY; way <= WAY_SLOW; way++) {
		char *text = ask_text(a, c, "www.example.com", DNS_A, (enum way)way);

		ck_assert_uint_eq(count(text, " A 10.0.0.1"), 1);
		free(text);
	}
	ck_assert_uint_eq(atomic_load(&answerer_counters(a)->fail_open), 3);
	catalog_free(c);
	answerer_free(a);
}
END_TEST

/* Found by trying: the hashes of each pair are equal, as those of other names may be. */
START_TEST(test_zones_whose_hashes_are_equal_are_told_apart)
{
	static const char *const pairs[][2] = {
		{"zone109689.test.", "zone138197.test."}, {"zone92971.test.", "zone223445.test."}};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		const struct name first = name_of(pairs[i][0]), second = name_of(pairs[i][1]);
		struct zone *zones[2] = {
			load_zone(pairs[i][0], HEAD), load_zone(pairs[i][1], HEAD)};
		struct catalog *c;

		finish_zone(zones[0]);
		finish_zone(zones[1]);
		c = catalog_new(&zones[0], 1, NULL);
		ck_assert_ptr_eq(catalog_find(c, first.bytes), zones[0]);
		ck_assert_ptr_null(catalog_find(c, second.bytes));
		catalog_free(c);
		zones[0] = load_zone(pairs[i][0], HEAD);
		finish_zone(zones[0]);
		c = catalog_new(zones, 2, NULL);
		ck_assert_ptr_eq(catalog_find(c, first.bytes), zones[0]);
		ck_assert_ptr_eq(catalog_find(c, second.bytes), zones[1]);
		catalog_free(c);
	}
}
END_TEST

/* A service of @n VIPs of 10.1.x.y each; every third is weighted otherwise, every fourth by the other policy. */
static void fill_service(struct config *config, uint32_t i, uint32_t n)
{
	config->services[i] = (struct config_service){.first_vip = i * n, .n_vips = n};
	if (i % 4 == 3)
		config->services[i].rotation = CONFIG_ROTATION_WEIGHTED;
	for (uint32_t k = 0; k < n; k++)
		config->vips[i * n + k] = (struct config_vip){
			.address = addr_from_ipv4((const uint8_t[]){10, 1, (uint8_t)i, (uint8_t)k}),
			.weight = i % 3 == 2 && k > 0 ? 2 : 1};
}

START_TEST(test_each_of_many_services_has_the_rotation_of_its_own)
{
	enum { SERVICES = 40, EACH = 2 };
	struct config_vip vips[SERVICES * EACH];
	struct config_service services[SERVICES];
	struct config config = {.services = services,
		.n_services = SERVICES,
		.vips = vips,
		.n_vips = ARRAY_SIZE(vips)};
	struct zone *z = load_zone("example.com.", HEAD);
	struct answerer *a = make_answerer();
	struct catalog *c;

	for (uint32_t i = 0; i < SERVICES; i++) {
		fill_service(&config, i, EACH);
		for (uint32_t k = 0; k < 2 * EACH; k++) { /* by two names */
			char owner[64];

			snprintf(owner, sizeof owner, "%s%u.example.com.", k % 2 ? "s" : "t", i);
			add_address(z, owner, addr_ipv4_bytes(&vips[i * EACH + k / 2].address), i);
		}
	}
	finish_zone(z);
	c = catalog_new(&z, 1, &config);
	ck_assert(c);
	for (uint32_t i = 0; i < SERVICES; i++) {
		for (uint32_t k = 0; k < EACH; k++)
			catalog_set_held(c, i * EACH + k, k == 1);
		for (int way = WAY_ANY; way <= WAY_SLOW; way++) {
			char owner[64], held[64], *text;

			snprintf(owner, sizeof owner, "s%u.example.com", i);
			snprintf(held, sizeof held, " A 10.1.%u.1\n", i);
			text = ask_text(a, c, owner, DNS_A, (enum way)way);
			ck_assert_uint_eq(count(text, " A 10.1."), 1);
			ck_assert_uint_eq(count(text, held), 1);
			free(text);
		}
	}
	catalog_free(c);
	answerer_free(a);
}
END_TEST

/* Both ways, and how often @part is in the answer. */
static unsigned count_both(struct answerer *a, const struct catalog *c, const char *name,
	uint16_t type, const char *part)
{
	char *fast = ask_text(a, c, name, type, WAY_ANY);
	char *slow = ask_text(a, c, name, type, WAY_SLOW);
	const unsigned n = count(fast, part);

	ck_assert_uint_eq(count(slow, part), n);
	free(fast);
	free(slow);
	return n;
}

START_TEST(test_names_of_many_addresses_of_both_families_are_answered)
{
	char *zone = NULL;
	size_t size;
	FILE *f = open_memstream(&zone, &size);
	struct answerer *a = make_answerer();
	struct catalog *c;

	ck_assert(f);
	fprintf(f, HEAD);
	/* 128 targets, and 256 sets of two, which are more than a compiled answer counts */
	for (unsigned i = 0; i < 128; i++)
		fprintf(f,
			"@ MX %u m%u\nm%u A 192.0.2.%u\nm%u A 198.51.100.%u\n"
			"m%u AAAA 2001:db8::%u\nm%u AAAA 2001:db8:1::%u\n",
			i, i, i, i, i, i, i, i, i, i);
	fclose(f);
	c = world_catalog_of("example.com.", zone);
	ck_assert_uint_eq(count_both(a, c, "example.com", DNS_MX, " MX "), 128);
	ck_assert_uint_eq(count_both(a, c, "example.com", DNS_MX, " A "), 256);
	ck_assert_uint_eq(count_both(a, c, "example.com", DNS_MX, " AAAA "), 256);
	catalog_free(c);
	answerer_free(a);
	free(zone);
}
END_TEST

/* RFC 9471 3.1: a resolver can't go on without any of them */
START_TEST(test_a_delegation_to_very_many_servers_has_all_their_addresses)
{
	char *zone = NULL;
	size_t size;
	FILE *f = open_memstream(&zone, &size);
	struct answerer *a = make_answerer();
	struct catalog *c;

	ck_assert(f);
	fprintf(f, HEAD);
	for (unsigned i = 0; i < 200; i++)
		fprintf(f, "sub NS n%u.sub\nn%u.sub A 192.0.2.%u\nn%u.sub TXT no address\n", i, i,
			i, i);
	fprintf(f, "sub NS .\n");
	fclose(f);
	c = world_catalog_of("example.com.", zone);
	ck_assert_uint_eq(count_both(a, c, "x.sub.example.com", DNS_A, " NS "), 201);
	ck_assert_uint_eq(count_both(a, c, "x.sub.example.com", DNS_A, " A 192.0.2."), 200);
	ck_assert_uint_eq(count_both(a, c, "x.sub.example.com", DNS_A, "TXT"), 0);
	catalog_free(c);
	answerer_free(a);
	free(zone);
}
END_TEST

/* RFC 9460 2.4.2, 4.1: and of no other type */
START_TEST(test_an_alias_brings_records_of_its_own_type)
{
	struct catalog *c = world_catalog_of("example.com.", HEAD
		"@ HTTPS 0 svc\n@ SVCB 256 svc\nsvc HTTPS 1 . alpn=h2\nsvc SVCB 1 .\nsvc TXT text\n"
		"svc A 192.0.2.2\n");
	struct answerer *a = make_answerer();

	ck_assert_uint_eq(
		count_both(a, c, "example.com", DNS_HTTPS, "svc.example.com. 60 HTTPS 1"), 1);
	ck_assert_uint_eq(count_both(a, c, "example.com", DNS_HTTPS, "svc.example.com. 60 A "), 1);
	ck_assert_uint_eq(count_both(a, c, "example.com", DNS_HTTPS, "SVCB"), 0);
	ck_assert_uint_eq(count_both(a, c, "example.com", DNS_HTTPS, "TXT"), 0);
	/* 256 is a priority, though its second byte is 0 */
	ck_assert_uint_eq(count_both(a, c, "example.com", DNS_SVCB, "svc.example.com. 60 SVCB"), 0);
	ck_assert_uint_eq(count_both(a, c, "example.com", DNS_SVCB, "svc.example.com. 60 A "), 1);
	catalog_free(c);
	answerer_free(a);
}
END_TEST

/* RFC 4592 4.2 leaves it open */
START_TEST(test_a_wildcard_delegates_nothing)
{
	struct catalog *c = world_catalog_of("example.com.", HEAD "*.w NS ns\n*.w TXT text\n");
	struct answerer *a = make_answerer();

	ck_assert_uint_eq(
		count_both(a, c, "x.w.example.com", DNS_NS, "x.w.example.com. 60 NS ns"), 1);
	ck_assert_uint_eq(count_both(a, c, "x.w.example.com", 16, "x.w.example.com. 60 TXT"), 1);
	ck_assert_uint_eq(count_both(a, c, "x.w.example.com", DNS_A, " SOA "), 1);
	catalog_free(c);
	answerer_free(a);
}
END_TEST

START_TEST(test_a_chain_of_aliases_ends_somewhere)
{
	char *zone = NULL;
	size_t size;
	FILE *f = open_memstream(&zone, &size);
	struct answerer *a = make_answerer();
	struct catalog *c;

	ck_assert(f);
	fprintf(f, HEAD);
	for (unsigned i = 0; i < 30; i++)
		fprintf(f, "c%u CNAME c%u\n", i, i + 1);
	fprintf(f, "c30 A 192.0.2.2\n");
	fclose(f);
	c = world_catalog_of("example.com.", zone);
	ck_assert_uint_eq(count_both(a, c, "c0.example.com", DNS_A, " CNAME "), 17);
	ck_assert_uint_eq(count_both(a, c, "c0.example.com", DNS_A, " A "), 0);
	ck_assert_uint_eq(count_both(a, c, "c14.example.com", DNS_A, " CNAME "), 16);
	ck_assert_uint_eq(count_both(a, c, "c14.example.com", DNS_A, " A "), 1);
	catalog_free(c);
	answerer_free(a);
	free(zone);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_the_longest_zone_is_found,
		test_a_zone_is_found_by_its_own_name_alone,
		test_each_of_a_thousand_zones_is_found,
		test_no_zone_is_none,
		test_too_much_for_a_compiled_answer_is_answered_the_slow_way,
		test_an_address_of_a_service_that_is_no_vip_is_always_answered,
		test_a_lone_vip_is_answered_whoever_holds_it,
		test_zones_whose_hashes_are_equal_are_told_apart,
		test_each_of_many_services_has_the_rotation_of_its_own,
		test_names_of_many_addresses_of_both_families_are_answered,
		test_a_delegation_to_very_many_servers_has_all_their_addresses,
		test_an_alias_brings_records_of_its_own_type,
		test_a_wildcard_delegates_nothing,
		test_a_chain_of_aliases_ends_somewhere,
	};

	return run_suite("catalog", tests, ARRAY_SIZE(tests));
}
