/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/plural.h"
#include "ctl/plan_report.h"
#include "idn/idn.h"

static const struct {
	const char *key, *text;
} cases[] = {
	{"now", "no node down"},
	{"one_down", "any one node down"},
	{"two_down", "any two nodes down"},
};

/* More nodes than this do not fit beside each other; then each node's peaks are told instead. */
#define COLUMNS_NODES 10

static uint32_t number_of(const json_t *object, const char *key)
{
	return (uint32_t)json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* "www1", "www1 and www2"; "" if none is down. To be freed. */
static char *join_names(const json_t *names)
{
	const char *first = json_string_value(json_array_get(names, 0));
	const char *second = json_string_value(json_array_get(names, 1));
	char shown[2][IDN_UNICODE_SIZE];
	char *text;

	if (asprintf(&text, "%s%s%s",
		    idn_show_brief(first ? first : "", shown[0], IDN_UNICODE_SIZE),
		    second ? " and " : "",
		    idn_show_brief(second ? second : "", shown[1], IDN_UNICODE_SIZE)) < 0)
		err(1, NULL);
	return text;
}

static char *scenario_name(const json_t *down)
{
	char *names = join_names(down), *text;

	if (asprintf(&text, "%s%s", *names ? names : "now", *names ? " down" : "") < 0)
		err(1, NULL);
	free(names);
	return text;
}

/* A row for each scenario, a column for each node. */
static void print_matrix(const json_t *document, const struct paper *p)
{
	const json_t *nodes = json_object_get(document, "nodes");
	const json_t *scenarios = json_object_get(document, "scenarios");
	const size_t n_nodes = json_array_size(nodes);
	char headings_text[COLUMNS_NODES][IDN_UNICODE_SIZE + 1];
	const char *headings[COLUMNS_NODES + 1] = {"VIPS"};
	struct table t;

	for (size_t i = 0; i < n_nodes; i++) {
		headings_text[i][0] = '>';
		idn_show_brief(text_of(json_array_get(nodes, i), "name"), headings_text[i] + 1,
			IDN_UNICODE_SIZE);
		headings[i + 1] = headings_text[i];
	}
	table_init(&t, headings, n_nodes + 1);
	for (size_t i = 0; i < json_array_size(scenarios); i++) {
		const json_t *scenario = json_array_get(scenarios, i);
		const json_t *vips = json_object_get(scenario, "vips");
		const char *hottest = text_of(scenario, "hottest");
		char *name = scenario_name(json_object_get(scenario, "down"));

		table_cell(&t, STYLE_PLAIN, "%s", name);
		free(name);
		for (size_t node = 0; node < n_nodes; node++) {
			const char *key = text_of(json_array_get(nodes, node), "name");
			const json_t *load = json_object_get(vips, key);
			const bool is_hot =
				strcmp(key, hottest) == 0 && number_of(scenario, "excess");

			if (load)
				table_cell(&t, is_hot ? STYLE_WARN : STYLE_PLAIN, "%u",
					number_of(vips, key));
			else
				table_cell(&t, STYLE_DIM, "-");
		}
	}
	table_print(&t, p, 0);
	table_fini(&t);
}

static void peak_cells(struct table *t, const json_t *peak)
{
	char *when = join_names(json_object_get(peak, "down"));

	if (!peak)
		table_cell(t, STYLE_DIM, "-");
	else
		table_cell(t, STYLE_PLAIN, "%u", number_of(peak, "vips"));
	table_cell(t, STYLE_DIM, "%s", *when ? when : "-");
	free(when);
}

/* A row for each node: the most that it ever serves, and when. */
static void print_peaks(const json_t *document, const struct paper *p)
{
	static const char *const headings[] = {
		"NODE", ">WEIGHT", ">NOW", ">ONE DOWN", "WHEN", ">TWO DOWN", "WHEN"};
	const json_t *nodes = json_object_get(document, "nodes");
	struct table t;

	table_init(&t, headings, ARRAY_SIZE(headings));
	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *node = json_array_get(nodes, i);
		char shown[IDN_SHOWN_SIZE];

		table_cell(&t, STYLE_PLAIN, "%s",
			idn_show(text_of(node, "name"), shown, sizeof shown));
		table_cell(&t, STYLE_PLAIN, "%u", number_of(node, "weight"));
		table_cell(&t, STYLE_PLAIN, "%u", number_of(json_object_get(node, "now"), "vips"));
		peak_cells(&t, json_object_get(node, "one_down"));
		peak_cells(&t, json_object_get(node, "two_down"));
	}
	table_print(&t, p, 0);
	table_fini(&t);
}

static void print_hottest(const json_t *document, const struct paper *p)
{
	const json_t *hottest = json_object_get(document, "hottest");
	const uint32_t vips = number_of(hottest, "vips");
	char *when = scenario_name(json_object_get(hottest, "down"));
	char shown[IDN_SHOWN_SIZE];

	paper_print(p, STYLE_PLAIN, "Hottest: %s with %u VIP%s, %s%s.",
		idn_show(text_of(hottest, "node"), shown, sizeof shown), vips, plural(vips),
		strcmp(when, "now") == 0 ? "" : "with ", when);
	fputc('\n', p->out);
	free(when);
}

static void print_balance(const json_t *document, const struct paper *p)
{
	const json_t *excess = json_object_get(document, "excess");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const uint32_t n = number_of(excess, cases[i].key);

		if (!json_object_get(excess, cases[i].key))
			continue;
		paper_print(p, STYLE_PLAIN, "Balance with %s: ", cases[i].text);
		if (n == 0)
			paper_print(p, STYLE_GOOD, "as even as can be");
		else
			paper_print(p, n > 1 ? STYLE_WARN : STYLE_PLAIN,
				"at most %u above a fair share", n);
		fputc('\n', p->out);
	}
}

static void print_vrids(const json_t *document, const struct paper *p)
{
	const json_t *vrids = json_object_get(document, "vrids");
	const json_t *cost = json_object_get(vrids, "cost");
	const uint32_t orders = number_of(vrids, "orders"),
		       wanted = number_of(vrids, "orders_wanted");

	paper_print(p, STYLE_PLAIN, "VRIDs: %u virtual routers for %u failover orders",
		number_of(vrids, "virtual_routers"), orders);
	if (orders >= wanted)
		paper_print(p, STYLE_PLAIN, ", as many as wanted");
	else if (json_object_size(cost) == 0)
		paper_print(p, STYLE_WARN, " of %u wanted", wanted);
	else
		paper_print(p, STYLE_WARN,
			" of %u wanted; the limit costs the worst node %u VIPs with one node "
			"down, %u with two",
			wanted, number_of(cost, "one_down"), number_of(cost, "two_down"));
	fputc('\n', p->out);
}

/* Which numbers of VIPs could be shared without a remainder. */
static void print_even(const json_t *document, const struct paper *p)
{
	const json_t *even = json_object_get(document, "even");
	const uint32_t vips = number_of(document, "vips");

	paper_print(p, STYLE_PLAIN, "Numbers of VIPs that could be even:");
	for (size_t i = 0; i < ARRAY_SIZE(cases) && json_object_get(even, cases[i].key); i++) {
		const uint32_t n = number_of(even, cases[i].key);

		paper_print(p, STYLE_PLAIN, i == 0 ? " " : ", ");
		if (n == 0)
			paper_print(p, STYLE_WARN, "none up to %d", CONFIG_VIPS_MAX);
		else
			paper_print(p, n == vips ? STYLE_GOOD : STYLE_PLAIN, "%u", n);
		if (n > vips)
			paper_print(p, STYLE_PLAIN, " (%u more)", n - vips);
		paper_print(p, STYLE_PLAIN, " with %s", cases[i].text);
	}
	fputc('\n', p->out);
}

/* The nodes that would serve more than they can bear, and in how mild a case already. */
static void print_too_small(const json_t *document, const struct paper *p)
{
	const json_t *nodes = json_object_get(document, "nodes");

	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *node = json_array_get(nodes, i);
		const json_t *capacity = json_object_get(node, "capacity");

		for (size_t k = 0; json_is_integer(capacity) && k < ARRAY_SIZE(cases); k++) {
			const json_t *peak = json_object_get(node, cases[k].key);
			char shown[IDN_SHOWN_SIZE];
			char *when;

			if (number_of(peak, "vips") <= number_of(node, "capacity"))
				continue;
			when = scenario_name(json_object_get(peak, "down"));
			paper_print(p, STYLE_BAD,
				"Too small: %s can bear %u VIP%s and gets %u, %s%s",
				idn_show(text_of(node, "name"), shown, sizeof shown),
				number_of(node, "capacity"), plural(number_of(node, "capacity")),
				number_of(peak, "vips"), k == 0 ? "" : "with ", when);
			fputc('\n', p->out);
			free(when);
			break;
		}
	}
}

void plan_report_print(const json_t *document, const struct paper *p)
{
	const uint32_t n_nodes = (uint32_t)json_array_size(json_object_get(document, "nodes"));
	const uint32_t n_vips = number_of(document, "vips");

	paper_print(p, STYLE_HEADING, "%s", text_of(document, "cluster"));
	paper_print(p, STYLE_PLAIN, ": %u VIP%s on %u node%s", n_vips, plural(n_vips), n_nodes,
		plural(n_nodes));
	fputs("\n\n", p->out);
	if (n_nodes <= COLUMNS_NODES)
		print_matrix(document, p);
	else
		print_peaks(document, p);
	fputc('\n', p->out);
	print_hottest(document, p);
	print_balance(document, p);
	print_vrids(document, p);
	print_even(document, p);
	print_too_small(document, p);
}
