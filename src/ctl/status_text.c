/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/status_text.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "idn/idn.h"

/* An order longer than this ends in "and N more"; nobody reads the 60th place. */
#define ORDER_SHOWN 6
/* Where the line of counters is broken. */
#define LINE_WIDTH 100
/* A node that holds VIPs advertises several times a second; silence beyond this is worth a colour.
 */
#define SILENCE_S 5.0

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "?";
}

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static bool truth_of(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

const char *span_format(double seconds, char text[static SPAN_SIZE])
{
	/* Hostile numbers end here: everything below fits an unsigned. */
	const double sane = seconds > 0 ? (seconds < 3e9 ? seconds : 3e9) : 0;
	const unsigned s = (unsigned)sane, min = s / 60, h = min / 60, d = h / 24;

	if (sane < 0.9995)
		snprintf(text, SPAN_SIZE, "%.0f ms", sane * 1e3);
	else if (sane < 9.95)
		snprintf(text, SPAN_SIZE, "%.1f s", sane);
	else if (s < 120)
		snprintf(text, SPAN_SIZE, "%u s", s);
	else if (min < 60)
		snprintf(text, SPAN_SIZE, "%u min", min);
	else if (h < 24)
		snprintf(text, SPAN_SIZE, "%u h %u min", h, min % 60);
	else
		snprintf(text, SPAN_SIZE, "%u d %u h", d, h % 24);
	return text;
}

static void print_summary(const json_t *document, const struct paper *p)
{
	const char *state = text_of(document, "state");
	const bool serving = strcmp(state, "serving") == 0;
	char up[SPAN_SIZE];
	char shown[IDN_SHOWN_SIZE];

	paper_print(
		p, STYLE_HEADING, "%s", idn_show(text_of(document, "node"), shown, sizeof shown));
	paper_print(p, STYLE_PLAIN, " of cluster ");
	paper_print(p, STYLE_HEADING, "%s", text_of(document, "cluster"));
	paper_print(p, STYLE_PLAIN, ": ");
	paper_print(p, serving ? STYLE_GOOD : STYLE_WARN, "%s", state);
	paper_print(p, STYLE_PLAIN, ", up for %s, redundancy %.0f, roostd %s",
		span_format(number_of(document, "uptime_s"), up), number_of(document, "redundancy"),
		text_of(document, "version"));
	fputc('\n', p->out);
}

static void print_dropped(json_t *dropped, const struct paper *p)
{
	const char *separator = "; dropped: ";
	const char *name;
	json_t *value;

	json_object_foreach(dropped, name, value)
	{
		if (!(json_number_value(value) > 0))
			continue;
		paper_print(p, STYLE_PLAIN, "%s%s %.0f", separator, name, json_number_value(value));
		separator = ", ";
	}
}

/* What is not protected in full is said even if no reason comes with it. */
static void print_fence(const json_t *fence, const struct paper *p)
{
	const char *mechanism = text_of(fence, "mechanism");
	const char *reason = json_string_value(json_object_get(fence, "reason"));
	const bool is_off = strcmp(mechanism, "off") == 0, full = truth_of(fence, "protected");

	paper_print(p, STYLE_PLAIN, "fence: ");
	paper_print(p, is_off ? STYLE_BAD : full ? STYLE_GOOD : STYLE_WARN, "%s", mechanism);
	if (fence && !full)
		paper_print(p, is_off ? STYLE_BAD : STYLE_WARN, " (not %sprotected%s%s)",
			is_off ? "" : "fully ", reason ? ": " : "", reason ? reason : "");
	else if (reason)
		paper_print(p, STYLE_DIM, " (%s)", reason);
	print_dropped(json_object_get(fence, "dropped"), p);
	fputc('\n', p->out);
}

static void holder_cell(struct table *t, const json_t *vip)
{
	const char *holder = json_string_value(json_object_get(vip, "holder"));
	const char *stranger = json_string_value(json_object_get(vip, "stranger"));
	const char *first = json_string_value(json_array_get(json_object_get(vip, "order"), 0));
	char shown[IDN_UNICODE_SIZE];

	if (holder)
		table_cell(t, first && strcmp(holder, first) == 0 ? STYLE_GOOD : STYLE_WARN, "%s",
			idn_show_brief(holder, shown, sizeof shown));
	else if (stranger)
		table_cell(t, STYLE_WARN, "%s (stranger)", stranger);
	else
		table_cell(t, STYLE_BAD, "nobody");
}

/* What this node is to the VIP, and whether the kernel agrees. */
static void state_cell(struct table *t, const json_t *vip)
{
	const char *state = text_of(vip, "state");
	const bool held = truth_of(vip, "held"), active = strcmp(state, "active") == 0;
	const json_t *conflict = json_object_get(vip, "conflict");

	if (conflict && truth_of(conflict, "yielded"))
		table_cell(t, STYLE_BAD, "left to %s", text_of(conflict, "mac"));
	else if (conflict)
		table_cell(t, STYLE_BAD, "%s; %s answers too", state, text_of(conflict, "mac"));
	else if (active && !held)
		table_cell(t, STYLE_BAD, "active, not held yet");
	else if (strcmp(state, "backup") == 0 && held)
		table_cell(t, STYLE_WARN, "backup, still held");
	else
		table_cell(t, active ? STYLE_GOOD : STYLE_DIM, "%s", state);
}

static void since_cell(struct table *t, const json_t *vip)
{
	const double age = number_of(vip, "since_s");
	const char *since = text_of(vip, "since");
	char span[SPAN_SIZE];

	/* "2026-11-22T19:00:00Z": of an old one, the date and minute say more than the span. */
	if (age >= 86400 && strlen(since) == strlen("2026-11-22T19:00:00Z"))
		table_cell(t, STYLE_PLAIN, "%.10s %.5sZ", since, since + 11);
	else
		table_cell(t, STYLE_PLAIN, "%s ago", span_format(age, span));
}

static void order_cell(struct table *t, const json_t *order)
{
	const size_t n = json_array_size(order);
	const size_t shown = n > ORDER_SHOWN ? ORDER_SHOWN - 1 : n;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		err(1, NULL);
	for (size_t i = 0; i < shown; i++) {
		const char *name = json_string_value(json_array_get(order, i));
		char brief[IDN_UNICODE_SIZE];

		fprintf(out, "%s%s", i ? " > " : "",
			idn_show_brief(name ? name : "?", brief, sizeof brief));
	}
	if (shown < n)
		fprintf(out, " and %zu more", n - shown);
	if (fclose(out) != 0)
		err(1, NULL);
	table_cell(t, STYLE_DIM, "%s", text);
	free(text);
}

static bool same_group(const json_t *a, const json_t *b)
{
	return strcmp(text_of(a, "service"), text_of(b, "service")) == 0 &&
	       strcmp(text_of(a, "interface"), text_of(b, "interface")) == 0;
}

/* The VIPs of one service from @first on; returns the index behind the last. */
static size_t print_service(const json_t *vips, size_t first, const struct paper *p)
{
	static const char *const headings[] = {"VIP", "HOLDER", "HERE", "SINCE", "WHY", "ORDER"};
	const json_t *leader = json_array_get(vips, first);
	char shown[IDN_SHOWN_SIZE];
	struct table t;
	size_t i;

	table_init(&t, headings, ARRAY_SIZE(headings));
	for (i = first; i < json_array_size(vips); i++) {
		const json_t *vip = json_array_get(vips, i);

		if (!same_group(leader, vip))
			break;
		table_cell(&t, STYLE_PLAIN, "%s", text_of(vip, "address"));
		holder_cell(&t, vip);
		state_cell(&t, vip);
		since_cell(&t, vip);
		table_cell(&t, STYLE_PLAIN, "%s", text_of(vip, "why"));
		order_cell(&t, json_object_get(vip, "order"));
	}
	fputc('\n', p->out);
	paper_print(
		p, STYLE_HEADING, "%s", idn_show(text_of(leader, "service"), shown, sizeof shown));
	paper_print(p, STYLE_PLAIN, " on %s", text_of(leader, "interface"));
	fputc('\n', p->out);
	table_print(&t, p, 2);
	table_fini(&t);
	return i;
}

/* Whether @name comes first for some VIP, so that it ought to serve and to be heard. */
static bool has_share(const json_t *vips, const char *name)
{
	for (size_t i = 0; i < json_array_size(vips); i++) {
		const json_t *order = json_object_get(json_array_get(vips, i), "order");
		const char *first = json_string_value(json_array_get(order, 0));

		if (first && strcmp(first, name) == 0)
			return true;
	}
	return false;
}

static void heard_cell(struct table *t, const json_t *node, const json_t *vips)
{
	const json_t *heard = json_object_get(node, "heard_s");
	const bool idle = number_of(node, "vips") == 0;
	const bool amiss = idle && has_share(vips, text_of(node, "name"));
	char span[SPAN_SIZE];

	if (truth_of(node, "self"))
		table_cell(t, STYLE_GOOD, "this node");
	else if (!json_is_number(heard))
		table_cell(t, amiss ? STYLE_BAD : STYLE_DIM, "never");
	else
		table_cell(t, amiss ? STYLE_BAD : STYLE_PLAIN, amiss ? "silent for %s" : "%s ago",
			span_format(json_number_value(heard), span));
}

static void addresses_cell(struct table *t, const json_t *addresses)
{
	const char *first = json_string_value(json_array_get(addresses, 0));
	const size_t n = json_array_size(addresses);

	if (n > 1)
		table_cell(t, STYLE_PLAIN, "%s +%zu", first ? first : "?", n - 1);
	else
		table_cell(t, STYLE_PLAIN, "%s", first ? first : "?");
}

static void print_nodes(const json_t *document, const struct paper *p)
{
	const json_t *nodes = json_object_get(document, "nodes");
	const json_t *vips = json_object_get(document, "vips");
	static const char *const headings[] = {
		"NODE", "ADDRESS", ">WEIGHT", ">VIPS", "HEARD", ">ADVERTS", ">MISSED"};
	struct table t;

	table_init(&t, headings, ARRAY_SIZE(headings));
	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *node = json_array_get(nodes, i);
		const double missed = number_of(node, "missed");
		char shown[IDN_SHOWN_SIZE];

		table_cell(&t, STYLE_PLAIN, "%s",
			idn_show(text_of(node, "name"), shown, sizeof shown));
		addresses_cell(&t, json_object_get(node, "addresses"));
		table_cell(&t, STYLE_PLAIN, "%.0f", number_of(node, "weight"));
		table_cell(&t, STYLE_PLAIN, "%.0f", number_of(node, "vips"));
		heard_cell(&t, node, vips);
		table_cell(&t, STYLE_PLAIN, "%.0f", number_of(node, "adverts"));
		table_cell(&t, missed > 0 ? STYLE_WARN : STYLE_PLAIN, "%.0f", missed);
	}
	fputc('\n', p->out);
	table_print(&t, p, 0);
	table_fini(&t);
}

/* Whether there are VIPs of the family on the interface: without an address of it they are not served here. */
static bool has_vips(const json_t *vips, const char *interface, bool ipv6)
{
	for (size_t i = 0; i < json_array_size(vips); i++) {
		const json_t *vip = json_array_get(vips, i);

		if (strcmp(text_of(vip, "interface"), interface) == 0 &&
			(strchr(text_of(vip, "address"), ':') != NULL) == ipv6)
			return true;
	}
	return false;
}

static void source_cell(
	struct table *t, const json_t *interface, const json_t *vips, const char *family)
{
	const char *source = json_string_value(json_object_get(interface, family));
	const bool ipv6 = strcmp(family, "ipv6") == 0;

	if (source)
		table_cell(t, STYLE_PLAIN, "%s", source);
	else if (truth_of(interface, "up") && has_vips(vips, text_of(interface, "name"), ipv6))
		table_cell(t, STYLE_BAD, "none for its VIPs");
	else
		table_cell(t, STYLE_DIM, "none");
}

static void print_interfaces(const json_t *interfaces, const json_t *vips, const struct paper *p)
{
	static const char *const headings[] = {"INTERFACE", "LINK", "IPV4", "IPV6"};
	struct table t;

	table_init(&t, headings, ARRAY_SIZE(headings));
	for (size_t i = 0; i < json_array_size(interfaces); i++) {
		const json_t *interface = json_array_get(interfaces, i);
		const bool up = truth_of(interface, "up");

		table_cell(&t, STYLE_PLAIN, "%s", text_of(interface, "name"));
		table_cell(&t, up ? STYLE_GOOD : STYLE_BAD, "%s", up ? "up" : "down");
		source_cell(&t, interface, vips, "ipv4");
		source_cell(&t, interface, vips, "ipv6");
	}
	fputc('\n', p->out);
	table_print(&t, p, 0);
	table_fini(&t);
}

static void print_counters(json_t *counters, const struct paper *p)
{
	size_t column = (size_t)fprintf(p->out, "\nCounters:");
	const char *name;
	json_t *value;

	json_object_foreach(counters, name, value)
	{
		char text[128];
		int width;

		if (!(json_number_value(value) > 0))
			continue;
		width = snprintf(text, sizeof text, "%s %.0f", name, json_number_value(value));
		if (column + (size_t)width + 2 > LINE_WIDTH)
			column = (size_t)fprintf(p->out, "\n         ") - 1;
		paper_print(p, STYLE_PLAIN, "  %s", text);
		column += (size_t)width + 2;
	}
	fputc('\n', p->out);
}

void status_text_print(const json_t *document, const struct paper *p)
{
	const json_t *vips = json_object_get(document, "vips");

	print_summary(document, p);
	print_fence(json_object_get(document, "fence"), p);
	for (size_t i = 0; i < json_array_size(vips);)
		i = print_service(vips, i, p);
	print_nodes(document, p);
	print_interfaces(json_object_get(document, "interfaces"), vips, p);
	print_counters(json_object_get(document, "counters"), p);
}
