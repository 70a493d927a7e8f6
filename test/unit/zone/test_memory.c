/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "zone/derive.h"
#include "zone/print.h"
#include "zones.h"

/*
 * Memory that runs out: the linker leads the code's calls of malloc() and its like to the functions
 * below, which refuse one of them. The sanitizers' build sees what would leak then.
 */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static uint32_t calls_left = UINT32_MAX; /* until one is refused */

static bool is_refused(void)
{
	return calls_left != UINT32_MAX && calls_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return is_refused() ? NULL : __real_realloc(p, size);
}

static void count(void *context, enum zone_severity severity, const struct zone_place *place,
	const char *text)
{
	uint32_t *n_errors = context;

	(void)place, (void)text;
	*n_errors += severity == ZONE_ERROR;
}

/* Runs @attempt, which has no assertions of Check in it, for these allocate: with the first
 * allocation refused, with the second, and so on until none is. Returns how many were. Whatever is
 * not done must have been told. */
static uint32_t refuse_each(bool (*attempt)(const struct load_listener *), bool tells)
{
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t n_errors = 0;
		const struct load_listener listener = {count, &n_errors};

		calls_left = i;
		const bool done = attempt(&listener);
		const bool refused = calls_left == UINT32_MAX;

		calls_left = UINT32_MAX;
		if (tells)
			ck_assert_msg(done == (n_errors == 0), "allocation %u", i);
		if (!refused) {
			ck_assert(done);
			return i;
		}
	}
	ck_abort_msg("it never succeeds");
}

static const struct name apex = {13, "\7example\3com"};
static char zone_text[8192]; /* more than fits into the first chunk and the first table */

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
	ck_assert_uint_gt(refuse_each(load, true), 10);
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
	ck_assert_uint_gt(refuse_each(derive, true), 5);
}
END_TEST

static struct zone *to_print;
static FILE *print_to;

static bool print(const struct load_listener *listener)
{
	(void)listener;
	return zone_print(to_print, print_to);
}

START_TEST(nothing_is_printed_when_memory_runs_out)
{
	to_print = good_zone(APEX);
	print_to = fopen("/dev/null", "we");
	ck_assert_ptr_nonnull(print_to);
	ck_assert_uint_ge(refuse_each(print, false), 2);
	fclose(print_to);
	zone_free(to_print);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_zone_is_whole_or_refused_when_memory_runs_out,
		zones_are_derived_or_refused_when_memory_runs_out,
		nothing_is_printed_when_memory_runs_out,
	};

	return run_suite("memory", tests, ARRAY_SIZE(tests));
}
