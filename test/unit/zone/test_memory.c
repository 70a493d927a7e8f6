/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "memory.h"
#include "zone/derive.h"
#include "zone/print.h"
#include "zones.h"

static void count(void *context, enum zone_severity severity, const struct zone_place *place,
	const char *text)
{
	uint32_t *n_errors = context;

	(void)place, (void)text;
	*n_errors += severity == ZONE_ERROR;
}

/* Something that tells of what it does not do. */
struct telling {
	bool (*attempt)(const struct load_listener *listener);
	bool lied; /* done with an error, or neither */
};

static bool attempt_and_look(void *context)
{
	struct telling *t = context;
	uint32_t n_errors = 0;
	const struct load_listener listener = {count, &n_errors};
	const bool done = t->attempt(&listener);

	t->lied |= done != (n_errors == 0);
	return done;
}

static uint32_t refuse_each_and_be_told(bool (*attempt)(const struct load_listener *listener))
{
	struct telling t = {attempt, false};
	const uint32_t n = memory_refuse_each(attempt_and_look, &t);

	ck_assert(!t.lied);
	return n;
}

static const struct name apex = {13, "\7example\3com"};
static char zone_text[16384]; /* more than fits into the first chunk and the first table */

static bool load(const struct load_listener *listener)
{
	const struct load_text text = {"test.zone", zone_text, strlen(zone_text)};
	char problem[ZONE_PROBLEM_SIZE];
	struct zone *z = load_text(&text, apex.bytes, listener);
	const bool done = z && zone_finish(z, listener->tell, listener->context, problem);

	zone_free(z);
	return done;
}

START_TEST(a_zone_is_whole_or_refused_when_memory_runs_out)
{
	strcpy(zone_text, APEX);
	for (int i = 0; i < 100; i++)
		sprintf(zone_text + strlen(zone_text), "h%d A 192.0.2.1\n", (i * 37) % 100);
	strcat(zone_text, "large TXT"); /* one that needs a chunk for itself */
	for (int i = 0; i < 40; i++)
		sprintf(zone_text + strlen(zone_text), " %0200d", i);
	strcat(zone_text, "\n");
	ck_assert_uint_gt(refuse_each_and_be_told(load), 10);
}
END_TEST

static bool load_included(const struct load_listener *listener)
{
	char problem[ZONE_PROBLEM_SIZE];
	struct zone *z = load_file("main.zone", apex.bytes, &(struct zone_place){0}, listener);
	const bool done = z && zone_finish(z, listener->tell, listener->context, problem);

	zone_free(z);
	return done;
}

START_TEST(files_in_any_script_are_whole_or_refused_when_memory_runs_out)
{
	char directory[] = "/tmp/roost-memory-XXXXXX";
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	f = fopen("main.zone", "we");
	fputs("$ORIGIN пример.example.com.\n$ORIGIN example.com.\n" APEX "$INCLUDE part\n", f);
	fclose(f);
	f = fopen("part", "we");
	for (int i = 0; i < 300; i++) /* A-labels are longer, so that the pass needs more room */
		fprintf(f, "ж MX %d ж\n", i % 10);
	fclose(f);
	ck_assert_uint_gt(refuse_each_and_be_told(load_included), 10);
	unlink("main.zone");
	unlink("part");
	rmdir(directory);
}
END_TEST

static bool derive(const struct load_listener *listener)
{
	struct config_node node = {.name = "www1", .n_addresses = 1};
	struct config_service service = {.name = "www", .n_vips = 1};
	struct config_vip vip = {.weight = 1};
	struct config_name name = {.name = "www.example.com", .node = -1};
	const struct config config = {
		.nodes = &node,
		.services = &service,
		.vips = &vip,
		.names = &name,
		.n_nodes = 1,
		.n_services = 1,
		.n_vips = 1,
		.n_names = 1,
	};
	const struct derive_input in = {&config, "roost.yaml", 1};
	uint32_t n = 0;
	struct zone **zones = derive_zones(&in, listener, &n);

	derive_free(zones, n);
	return zones;
}

START_TEST(zones_are_derived_or_refused_when_memory_runs_out)
{
	ck_assert_uint_gt(refuse_each_and_be_told(derive), 5);
}
END_TEST

struct printing {
	struct zone *zone;
	FILE *to;
};

static bool print(void *context)
{
	const struct printing *p = context;

	return zone_print(p->zone, p->to);
}

START_TEST(nothing_is_printed_when_memory_runs_out)
{
	struct printing p = {good_zone(APEX), fopen("/dev/null", "we")};

	ck_assert_ptr_nonnull(p.to);
	ck_assert_uint_ge(memory_refuse_each(print, &p), 2);
	fclose(p.to);
	zone_free(p.zone);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_zone_is_whole_or_refused_when_memory_runs_out,
		files_in_any_script_are_whole_or_refused_when_memory_runs_out,
		zones_are_derived_or_refused_when_memory_runs_out,
		nothing_is_printed_when_memory_runs_out,
	};

	return run_suite("memory", tests, ARRAY_SIZE(tests));
}
