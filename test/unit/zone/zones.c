/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zones.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct name name_of(const char *text)
{
	const char *why = "";
	struct name n;

	ck_assert_msg(name_parse(text, NULL, &n, &why), "%s: %s", text, why);
	return n;
}

static void note(void *context, enum zone_severity severity, const struct zone_place *place,
	const char *text)
{
	struct complaints *c = context;
	char where[ZONE_PLACE_SIZE];

	if (!c)
		return;
	if (severity == ZONE_ERROR)
		c->n_errors++;
	else
		c->n_warnings++;
	c->size += (size_t)snprintf(c->text + c->size, sizeof(c->text) - c->size, "%s: %s: %s\n",
		zone_place_format(place, where), severity == ZONE_ERROR ? "error" : "warning",
		text);
	ck_assert_uint_lt(c->size, sizeof(c->text));
}

struct load_listener listener_to(struct complaints *to)
{
	return (struct load_listener){note, to};
}

struct zone *zone_of(const char *text, struct complaints *complaints)
{
	const struct load_text in = {"test.zone", text, strlen(text)};
	const struct load_listener listener = listener_to(complaints);
	const struct name apex = name_of("example.com");
	char problem[ZONE_PROBLEM_SIZE];
	struct zone *z = load_text(&in, apex.bytes, &listener);

	if (z && !zone_finish(z, note, complaints, problem)) {
		ck_assert_str_ne(problem, "");
		zone_free(z);
		return NULL;
	}
	return z;
}

struct zone *good_zone(const char *text)
{
	struct complaints c = {0};
	struct zone *z = zone_of(text, &c);

	ck_assert_str_eq(c.text, "");
	ck_assert_ptr_nonnull(z);
	return z;
}
