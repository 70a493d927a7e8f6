/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/status.h"

#include <string.h>

#include "base/assert.h"
#include "idn/idn.h"
#include "status/document.h"

static const char *const rcodes[COUNTERS_RCODES] = {
	[0] = "NOERROR",
	[1] = "FORMERR",
	[2] = "SERVFAIL",
	[3] = "NXDOMAIN",
	[4] = "NOTIMP",
	[5] = "REFUSED",
	[6] = "YXDOMAIN",
	[9] = "NOTAUTH",
	[16] = "BADVERS",
	[23] = "BADCOOKIE",
};

static json_t *seconds_since(tick now, tick at)
{
	return at == TICK_NEVER ? json_null() : document_seconds(tick_since(now, at));
}

/* In place of a text that is empty: null. */
static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

/* A name without its final dot, but for the root. */
static void format_name(const uint8_t *name, char text[static NAME_TEXT_SIZE])
{
	size_t length;

	(void)name_format(name, text);
	length = strlen(text);
	if (length > 1)
		text[length - 1] = '\0';
}

static json_t *zone_object(const struct zone *z)
{
	char ascii[NAME_TEXT_SIZE], unicode[IDN_UNICODE_SIZE];
	json_t *o = json_object();

	format_name(zone_apex(z), ascii);
	document_put(&o, "name", json_string(ascii));
	document_put(&o, "unicode", json_string(idn_to_unicode(ascii, unicode, sizeof unicode)));
	document_put(&o, "serial", document_number(zone_serial(z)));
	document_put(&o, "names", document_number(zone_n_names(z)));
	return o;
}

static json_t *zones_array(const struct catalog *c)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < catalog_n_zones(c); i++)
		document_append(&array, zone_object(catalog_zone(c, i)));
	return array;
}

static void put_endpoint(json_t **object, const struct config_endpoint *e)
{
	char address[ADDR_STRLEN];

	document_put(object, "address", json_string(addr_format(&e->address, address)));
	document_put(object, "port", document_number(e->port));
}

static json_t *listen_array(const struct listeners *l)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < l->n; i++) {
		const struct listener *what = &l->list[i];
		json_t *o = json_object();

		put_endpoint(&o, &what->endpoint);
		document_put(&o, "udp", json_boolean(what->udp));
		document_put(&o, "tcp", json_boolean(what->tcp));
		document_put(&o, "dropped", document_number(what->dropped));
		document_put(&o, "error", text_or_null(what->error ? strerror(-what->error) : ""));
		document_append(&array, o);
	}
	return array;
}

static json_t *roostd_object(const struct dns_status *in)
{
	const struct config *config = in->edition->config;
	json_t *left_out = json_array(), *given_anyway = json_array(), *unknown = json_array();
	json_t *o = json_object();

	for (uint32_t i = 0; i < config->n_vips; i++) {
		char text[ADDR_STRLEN];
		const char *address = addr_format(&config->vips[i].address, text);

		if (catalog_is_held(in->edition->catalog, i))
			continue;
		document_append(catalog_is_given_anyway(in->edition->catalog, i) ? &given_anyway
										 : &left_out,
			json_string(address));
		if (holders_is_unknown(in->holders, i, in->now))
			document_append(&unknown, json_string(address));
	}
	document_put(&o, "answers", json_boolean(holders_are_trusted(in->holders, in->now)));
	document_put(&o, "refusal", text_or_null(holders_refusal(in->holders)));
	document_put(&o, "heard_s", seconds_since(in->now, holders_heard(in->holders)));
	document_put(&o, "vips", document_number(config->n_vips));
	document_put(&o, "left_out", left_out);
	document_put(&o, "given_anyway", given_anyway);
	document_put(&o, "unknown", unknown);
	return o;
}

static json_t *secondaries_array(const struct dns_status *in)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < in->n_secondaries; i++) {
		const struct notify_secondary *s = &in->secondaries[i];
		json_t *o = json_object();

		put_endpoint(&o, &s->endpoint);
		document_put(&o, "waiting", document_number(s->waiting));
		document_put(&o, "refused", document_number(s->refused));
		document_put(&o, "unanswered", document_number(s->unanswered));
		document_append(&array, o);
	}
	return array;
}

/* The sum over all threads of the counter at @offset. */
static uint64_t sum(const struct dns_status *in, size_t offset)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < in->n_threads; i++)
		total += counter_read(
			(const counter *)(const void *)((const char *)in->counters[i] + offset));
	return total;
}

static uint64_t sum_answers(const struct dns_status *in, size_t offset)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < in->n_threads; i++) {
		const char *base = (const char *)in->answers[i];

		total += atomic_load_explicit(
			(const atomic_uint_fast64_t *)(const void *)(base + offset),
			memory_order_relaxed);
	}
	return total;
}

static json_t *rcodes_object(const struct dns_status *in)
{
	json_t *o = json_object();

	for (size_t i = 0; i < COUNTERS_RCODES; i++) {
		const uint64_t n = sum(in, offsetof(struct counters, rcodes) + i * sizeof(counter));

		if (rcodes[i])
			document_put(&o, rcodes[i], document_number(n));
	}
	return o;
}

/* clang-format off */
#define COUNTER(field) {.name = #field, .offset = offsetof(struct counters, field)}
#define ANSWERS(field) {.name = #field, .offset = offsetof(struct answer_counters, field)}
/* clang-format on */

struct named_counter {
	const char *name;
	size_t offset;
};

static json_t *counters_object(const struct dns_status *in)
{
	static const struct named_counter own[] = {COUNTER(udp4), COUNTER(udp6), COUNTER(tcp4),
		COUNTER(tcp6), COUNTER(rrl_slipped), COUNTER(rrl_dropped), COUNTER(unsent),
		COUNTER(transfers), COUNTER(tcp_accepted), COUNTER(tcp_refused),
		COUNTER(tcp_evicted), COUNTER(tcp_expired)};
	static const struct named_counter answers[] = {ANSWERS(fast), ANSWERS(slow),
		ANSWERS(ignored), ANSWERS(truncated), ANSWERS(fail_open), ANSWERS(no_memory)};
	json_t *o = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		document_put(&o, own[i].name, document_number(sum(in, own[i].offset)));
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		document_put(
			&o, answers[i].name, document_number(sum_answers(in, answers[i].offset)));
	document_put(&o, "rcodes", rcodes_object(in));
	return o;
}

static json_t *zones_read_object(const struct dns_status *in)
{
	json_t *o = json_object();

	document_put(&o, "ago_s", seconds_since(in->now, in->loaded));
	document_put(&o, "reloads", document_number(in->reloads));
	document_put(&o, "failed", document_number(in->failed));
	document_put(&o, "last_failed", json_boolean(in->problem[0] != '\0'));
	document_put(&o, "problem", text_or_null(in->problem));
	document_put(&o, "reading", json_boolean(in->loading));
	return o;
}

char *dns_status_render(const struct dns_status *in)
{
	json_t *o = json_object();

	document_put(&o, "version", json_string(in->version));
	document_put(&o, "node", json_string(in->node));
	document_put(&o, "uptime_s", seconds_since(in->now, in->started));
	document_put(&o, "zones_read", zones_read_object(in));
	document_put(&o, "zones", zones_array(in->edition->catalog));
	document_put(&o, "listen", listen_array(in->listeners));
	document_put(&o, "roostd", roostd_object(in));
	document_put(&o, "secondaries", secondaries_array(in));
	document_put(&o, "threads", document_number(in->n_threads));
	document_put(&o, "connections", document_number(in->n_connections));
	document_put(&o, "counters", counters_object(in));
	return document_text(o);
}
