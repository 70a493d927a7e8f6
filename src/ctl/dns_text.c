/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/dns_text.h"

#include "base/assert.h"
#include "ctl/status_text.h"
#include "idn/idn.h"

/* Where the line of counters is broken. */
#define LINE_WIDTH 100

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

static void print_summary(const json_t *document, const struct paper *p)
{
	const json_t *read = json_object_get(document, "zones_read");
	const char *node = text_of(document, "node");
	char up[SPAN_SIZE], ago[SPAN_SIZE], shown[IDN_SHOWN_SIZE];

	paper_print(p, STYLE_HEADING, "roost-dns %s", text_of(document, "version"));
	if (node[0] != '\0')
		paper_print(p, STYLE_PLAIN, " on %s", idn_show(node, shown, sizeof shown));
	paper_print(p, STYLE_PLAIN, ", up for %s; zones read %s ago",
		span_format(number_of(document, "uptime_s"), up),
		span_format(number_of(read, "ago_s"), ago));
	if (truth_of(read, "last_failed")) {
		fputc('\n', p->out);
		paper_print(p, STYLE_BAD, "the last reload failed: %s", text_of(read, "problem"));
	}
	fputc('\n', p->out);
}

/* The texts of @list, as the keys of an object that is the caller's. */
static json_t *set_of(const json_t *list)
{
	json_t *set = json_object();

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text)
			(void)json_object_set_new(set, text, json_true());
	}
	return set;
}

/* One line of those of @vips that are in @unknown, or are not; none if there are none. */
static void print_vips(const char *heading, const json_t *vips, const json_t *unknown,
	bool are_unknown, const struct paper *p)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(vips); i++) {
		const char *text = json_string_value(json_array_get(vips, i));

		if ((text && json_object_get(unknown, text)) != are_unknown)
			continue;
		if (n++ == 0)
			paper_print(p, STYLE_WARN, "%s", heading);
		paper_print(p, STYLE_PLAIN, " %s", text ? text : "?");
	}
	if (n > 0)
		fputc('\n', p->out);
}

static void print_roostd(const json_t *roostd, const struct paper *p)
{
	const json_t *left_out = json_object_get(roostd, "left_out");
	const json_t *given = json_object_get(roostd, "given_anyway");
	const char *refusal = json_string_value(json_object_get(roostd, "refusal"));
	json_t *unknown = set_of(json_object_get(roostd, "unknown"));

	if (!truth_of(roostd, "answers")) {
		if (refusal)
			paper_print(p, STYLE_WARN,
				"roostd refuses to answer, %s: every VIP is given", refusal);
		else
			paper_print(p, STYLE_WARN, "roostd does not answer: every VIP is given");
		fputc('\n', p->out);
	} else if (json_array_size(left_out) + json_array_size(given) == 0) {
		paper_print(p, STYLE_GOOD, "every VIP is held");
		fputc('\n', p->out);
	}
	print_vips("VIPs that nobody holds are left out:", left_out, unknown, false, p);
	print_vips("VIPs unknown to roostd are left out until it is restarted:", left_out, unknown,
		true, p);
	print_vips(
		"VIPs that nobody holds are given, for want of others:", given, unknown, false, p);
	print_vips(
		"VIPs unknown to roostd are given, for want of others:", given, unknown, true, p);
	json_decref(unknown);
}

static void print_zones(const json_t *zones, const struct paper *p)
{
	static const char *const headings[] = {"ZONE", ">NAMES", ">SERIAL"};
	struct table t;

	table_init(&t, headings, ARRAY_SIZE(headings));
	for (size_t i = 0; i < json_array_size(zones); i++) {
		const json_t *zone = json_array_get(zones, i);
		char shown[IDN_SHOWN_SIZE];

		table_cell(&t, STYLE_PLAIN, "%s",
			idn_show(text_of(zone, "name"), shown, sizeof shown));
		table_cell(&t, STYLE_PLAIN, "%.0f", number_of(zone, "names"));
		table_cell(&t, STYLE_PLAIN, "%.0f", number_of(zone, "serial"));
	}
	fputc('\n', p->out);
	table_print(&t, p, 0);
	table_fini(&t);
}

static void open_cell(struct table *t, const json_t *listener, const char *protocol)
{
	const bool open = truth_of(listener, protocol);

	table_cell(t, open ? STYLE_GOOD : STYLE_BAD, "%s", open ? "open" : "closed");
}

/* The reason has a column of its own if there is any. */
static void print_listeners(const json_t *listeners, const struct paper *p)
{
	static const char *const headings[] = {"LISTENS ON", ">PORT", "UDP", "TCP", "PROBLEM"};
	bool failing = false;
	struct table t;

	for (size_t i = 0; i < json_array_size(listeners); i++)
		failing |= json_is_string(json_object_get(json_array_get(listeners, i), "error"));
	table_init(&t, headings, ARRAY_SIZE(headings) - !failing);
	for (size_t i = 0; i < json_array_size(listeners); i++) {
		const json_t *listener = json_array_get(listeners, i);
		const char *error = json_string_value(json_object_get(listener, "error"));

		table_cell(&t, STYLE_PLAIN, "%s", text_of(listener, "address"));
		table_cell(&t, STYLE_PLAIN, "%.0f", number_of(listener, "port"));
		open_cell(&t, listener, "udp");
		open_cell(&t, listener, "tcp");
		if (failing)
			table_cell(&t, STYLE_PLAIN, "%s", error ? error : "-");
	}
	fputc('\n', p->out);
	table_print(&t, p, 0);
	table_fini(&t);
}

/* How many zones each is to be told of, and was told of in vain. */
static void print_secondaries(const json_t *secondaries, const struct paper *p)
{
	static const char *const headings[] = {
		"SECONDARY", ">PORT", ">TO BE TOLD", ">REFUSED", ">UNANSWERED"};
	static const char *const keys[] = {"waiting", "refused", "unanswered"};
	struct table t;

	if (json_array_size(secondaries) == 0)
		return;
	table_init(&t, headings, ARRAY_SIZE(headings));
	for (size_t i = 0; i < json_array_size(secondaries); i++) {
		const json_t *s = json_array_get(secondaries, i);

		table_cell(&t, STYLE_PLAIN, "%s", text_of(s, "address"));
		table_cell(&t, STYLE_PLAIN, "%.0f", number_of(s, "port"));
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			const double n = number_of(s, keys[k]);

			table_cell(&t, k > 0 && n > 0 ? STYLE_WARN : STYLE_PLAIN, "%.0f", n);
		}
	}
	fputc('\n', p->out);
	table_print(&t, p, 0);
	table_fini(&t);
}

/* Those that are not zero; the objects among them in place. Returns the column that it ends at. */
static size_t print_counted(json_t *counters, size_t column, const struct paper *p)
{
	const char *name;
	json_t *value;

	json_object_foreach(counters, name, value)
	{
		char text[128];
		size_t width;

		if (json_is_object(value))
			column = print_counted(value, column, p);
		if (!(json_number_value(value) > 0))
			continue;
		width = (size_t)snprintf(
			text, sizeof text, "%s %.0f", name, json_number_value(value));
		if (column + width + 2 > LINE_WIDTH)
			column = (size_t)fprintf(p->out, "\n         ") - 1;
		paper_print(p, STYLE_PLAIN, "  %s", text);
		column += width + 2;
	}
	return column;
}

void dns_text_print(const json_t *document, const struct paper *p)
{
	print_summary(document, p);
	print_roostd(json_object_get(document, "roostd"), p);
	print_zones(json_object_get(document, "zones"), p);
	print_listeners(json_object_get(document, "listen"), p);
	print_secondaries(json_object_get(document, "secondaries"), p);
	(void)print_counted(
		json_object_get(document, "counters"), (size_t)fprintf(p->out, "\nCounters:"), p);
	fputc('\n', p->out);
}
