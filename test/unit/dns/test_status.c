/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The document that doc/design/0016 describes. */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "dns/status.h"
#include "memory.h"
#include "suite.h"
#include "world.h"
#include "zone/load.h"

#define NOW tick_s(1000)

static struct config_vip vips[2];
static struct config config = {.vips = vips, .n_vips = 2};
static struct edition edition = {.config = &config};
static struct listeners listeners;
static struct counters counters[2];
static struct answer_counters answers[2];
static struct holders *holders;

/* In the place of what was served before. */
static void serve_zone(const char *apex, const char *text)
{
	const struct load_text in = {"test.zone", text, strlen(text)};
	const struct load_listener nobody = {0};
	char problem[ZONE_PROBLEM_SIZE];
	const char *why;
	struct name name;
	struct zone *z;

	ck_assert(name_parse(apex, NULL, &name, &why));
	z = load_text(&in, name.bytes, &nobody);
	ck_assert(z && zone_finish(z, NULL, NULL, problem));
	catalog_free(edition.catalog);
	edition.catalog = catalog_new(&z, 1, &config);
	ck_assert_ptr_nonnull(edition.catalog);
}

/* Two threads, two endpoints, one of which is taken, and 10.1.1.202, which nobody holds. */
static struct dns_status make_status(void)
{
	static const struct counters *all_counters[] = {&counters[0], &counters[1]};
	static const struct answer_counters *all_answers[] = {&answers[0], &answers[1]};
	static struct notify_secondary secondary = {
		.endpoint.port = 5300, .waiting = 3, .refused = 2, .unanswered = 1};
	struct dns_status s = {.version = "1.2",
		.node = "www1",
		.started = NOW - tick_ms(61500),
		.now = NOW,
		.edition = &edition,
		.loaded = NOW - tick_s(2),
		.reloads = 3,
		.failed = 1,
		.problem = "roost.yaml:7: no",
		.listeners = &listeners,
		.holders = holders,
		.secondaries = &secondary,
		.n_secondaries = 1,
		.counters = all_counters,
		.answers = all_answers,
		.n_threads = 2,
		.n_connections = 5};

	ck_assert(addr_parse("10.1.1.12", &secondary.endpoint.address));
	ck_assert(addr_parse("10.1.1.201", &vips[0].address));
	ck_assert(addr_parse("10.1.1.202", &vips[1].address));
	serve_zone("xn--e1afmkfd.xn--p1ai.",
		"$TTL 60\n@ SOA ns h 7 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n");
	ck_assert(addr_parse("0.0.0.0", &listeners.list[0].endpoint.address));
	ck_assert(addr_parse("2001:db8::1", &listeners.list[1].endpoint.address));
	listeners.list[0].endpoint.port = 53;
	listeners.list[0].udp = listeners.list[0].tcp = true;
	listeners.list[0].dropped = 42;
	listeners.list[1].endpoint.port = 5353;
	listeners.list[1].error = -EADDRINUSE;
	listeners.n = 2;
	counter_add(&counters[0].udp4, 10);
	counter_add(&counters[1].udp4, 5);
	counter_add(&counters[1].rcodes[3], 2);
	counter_add(&counters[0].rcodes[16], 1);
	atomic_store(&answers[0].fast, 14);
	atomic_store(&answers[1].fast, 1);
	return s;
}

static void expect_part(const char *document, const char *part)
{
	ck_assert_msg(strstr(document, part), "%s is not in %s", part, document);
}

START_TEST(the_state_is_told_on_one_line)
{
	const struct dns_status s = make_status();
	char *text = dns_status_render(&s);

	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_null(strchr(text, '\n'));
	expect_part(text,
		"{\"version\":\"1.2\",\"node\":\"www1\",\"uptime_s\":61.5,"
		"\"zones_read\":{\"ago_s\":2.0,\"reloads\":3,\"failed\":1,"
		"\"last_failed\":true,\"problem\":\"roost.yaml:7: no\",\"reading\":false},");
	expect_part(text,
		"\"zones\":[{\"name\":\"xn--e1afmkfd.xn--p1ai\",\"unicode\":\"пример.рф\","
		"\"serial\":7,\"names\":2}],");
	expect_part(text,
		"\"listen\":[{\"address\":\"0.0.0.0\",\"port\":53,\"udp\":true,"
		"\"tcp\":true,\"dropped\":42,\"error\":null},{\"address\":\"2001:db8::1\","
		"\"port\":5353,\"udp\":false,\"tcp\":false,\"dropped\":0,"
		"\"error\":\"Address already in use\"}],");
	expect_part(text, "\"secondaries\":[{\"address\":\"10.1.1.12\",\"port\":5300,"
			  "\"waiting\":3,\"refused\":2,\"unanswered\":1}],");
	expect_part(text, "\"threads\":2,\"connections\":5,");
	free(text);
}
END_TEST

START_TEST(counters_are_the_sums_of_all_threads)
{
	const struct dns_status s = make_status();
	char *text = dns_status_render(&s);

	expect_part(text, "\"udp4\":15,");
	expect_part(text, "\"fast\":15,");
	expect_part(text, "\"NXDOMAIN\":2,");
	expect_part(text, "\"BADVERS\":1,");
	expect_part(text, "\"REFUSED\":0,");
	free(text);
}
END_TEST

START_TEST(what_roostd_says_is_told_with_what_comes_of_it)
{
	static const char said[] = "{\"held\":[],\"unheld\":[\"10.1.1.202\"]}";
	const struct dns_status s = make_status();
	char *text = dns_status_render(&s);

	expect_part(text, "\"roostd\":{\"answers\":false,\"refusal\":null,\"heard_s\":null,"
			  "\"vips\":2,\"left_out\":[],\"given_anyway\":[],"
			  "\"unknown\":[]},");
	free(text);
	ck_assert(holders_set_config(holders, &config));
	ck_assert(holders_read(holders, said, strlen(said), NOW - tick_ms(400)));
	catalog_free(edition.catalog);
	edition.catalog = catalog_new(NULL, 0, &config);
	catalog_set_held(edition.catalog, 0, false);
	catalog_set_held(edition.catalog, 1, false);
	text = dns_status_render(&s);
	expect_part(text,
		"\"roostd\":{\"answers\":true,\"refusal\":null,\"heard_s\":0.4,\"vips\":2,"
		"\"left_out\":[\"10.1.1.201\",\"10.1.1.202\"],\"given_anyway\":[],"
		"\"unknown\":[\"10.1.1.201\"]},");
	expect_part(text, "\"zones\":[],");
	free(text);
}
END_TEST

START_TEST(what_is_given_for_want_of_others_is_not_left_out)
{
	static const char said[] = "{\"held\":[],\"unheld\":[\"10.1.1.1\",\"2001:db8:f::\"]}";
	static const uint32_t not_held[] = {1, 2, 4, 5};
	struct world *w = world_new();
	const struct edition e = {.config = w->config, .catalog = w->catalog};
	struct dns_status s = make_status();
	char *text;

	s.edition = &e;
	ck_assert(holders_set_config(holders, w->config));
	ck_assert(holders_read(holders, said, strlen(said), NOW));
	for (size_t i = 0; i < ARRAY_SIZE(not_held); i++)
		catalog_set_held(w->catalog, not_held[i], false);
	text = dns_status_render(&s);
	/* nobody holds an IPv6 address of that service */
	expect_part(text, "\"left_out\":[\"10.1.1.1\",\"10.1.1.2\"],"
			  "\"given_anyway\":[\"2001:db8:f::\",\"2001:db8:f::1\"],"
			  "\"unknown\":[\"10.1.1.2\",\"2001:db8:f::1\"]},");
	free(text);
	world_free(w);
}
END_TEST

START_TEST(the_root_has_its_dot_for_a_name)
{
	const struct dns_status s = make_status();
	char *text;

	serve_zone(".", "$TTL 5\n. SOA a. b. 1 1 1 1 1\n. NS a.\na. A 192.0.2.1\n");
	text = dns_status_render(&s);
	expect_part(
		text, "\"zones\":[{\"name\":\".\",\"unicode\":\".\",\"serial\":1,\"names\":2}],");
	free(text);
}
END_TEST

START_TEST(what_is_no_text_is_not_told)
{
	struct dns_status s = make_status();

	s.node = "\xff";
	ck_assert_ptr_null(dns_status_render(&s));
}
END_TEST

static bool render(void *context)
{
	char *text = dns_status_render(context);

	free(text);
	return text;
}

START_TEST(without_memory_there_is_no_document_rather_than_half_of_one)
{
	static const char said[] = "{\"held\":[],\"unheld\":[\"10.1.1.202\"]}";
	struct dns_status s = make_status();

	ck_assert(holders_set_config(holders, &config));
	ck_assert(holders_read(holders, said, strlen(said), NOW - tick_ms(400)));
	catalog_set_held(edition.catalog, 0, false);
	json_set_alloc_funcs(malloc, free);
	ck_assert_uint_gt(memory_refuse_each(render, &s), 50);
}
END_TEST

static void set_up(void)
{
	holders = holders_new();
	ck_assert_ptr_nonnull(holders);
	for (uint32_t i = 0; i < 2; i++)
		vips[i].weight = 1;
}

static void tear_down(void)
{
	holders_free(holders);
	catalog_free(edition.catalog);
}

int main(void)
{
	const TTest *const tests[] = {
		the_state_is_told_on_one_line,
		counters_are_the_sums_of_all_threads,
		what_roostd_says_is_told_with_what_comes_of_it,
		what_is_given_for_want_of_others_is_not_left_out,
		without_memory_there_is_no_document_rather_than_half_of_one,
		the_root_has_its_dot_for_a_name,
		what_is_no_text_is_not_told,
	};

	return run_suite_around("status", tests, ARRAY_SIZE(tests), set_up, tear_down);
}
