/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/status.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "idn/idn.h"

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
	if (at == TICK_NEVER)
		return json_null();
	return json_real((double)tick_to_ms(tick_since(now, at)) / 1000.0);
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

	format_name(zone_apex(z), ascii);
	return json_pack("{s:s, s:s, s:I, s:I}", "name", ascii, "unicode",
		idn_to_unicode(ascii, unicode, sizeof unicode), "serial",
		(json_int_t)zone_serial(z), "names", (json_int_t)zone_n_names(z));
}

static json_t *zones_array(const struct catalog *c)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < catalog_n_zones(c); i++)
		(void)json_array_append_new(array, zone_object(catalog_zone(c, i)));
	return array;
}

static json_t *listen_array(const struct listeners *l)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < l->n; i++) {
		const struct listener *what = &l->list[i];
		char address[ADDR_STRLEN];

		(void)json_array_append_new(
			array, json_pack("{s:s, s:i, s:b, s:b, s:I, s:s?}", "address",
				       addr_format(&what->endpoint.address, address), "port",
				       (int)what->endpoint.port, "udp", (int)what->udp, "tcp",
				       (int)what->tcp, "dropped", (json_int_t)what->dropped,
				       "error", what->error ? strerror(-what->error) : NULL));
	}
	return array;
}

static json_t *roostd_object(const struct dns_status *in)
{
	const struct config *config = in->edition->config;
	const char *refusal = holders_refusal(in->holders);
	json_t *left_out = json_array(), *unknown = json_array();

	for (uint32_t i = 0; i < config->n_vips; i++) {
		char text[ADDR_STRLEN];
		const char *address = addr_format(&config->vips[i].address, text);

		if (catalog_is_held(in->edition->catalog, i))
			continue;
		(void)json_array_append_new(left_out, json_string(address));
		if (holders_is_unknown(in->holders, i, in->now))
			(void)json_array_append_new(unknown, json_string(address));
	}
	return json_pack("{s:b, s:s?, s:o, s:i, s:o, s:o}", "answers",
		(int)holders_are_trusted(in->holders, in->now), "refusal",
		refusal[0] ? refusal : NULL, "heard_s",
		seconds_since(in->now, holders_heard(in->holders)), "vips", (int)config->n_vips,
		"left_out", left_out, "unknown", unknown);
}

static json_t *secondaries_array(const struct dns_status *in)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < in->n_secondaries; i++) {
		const struct notify_secondary *s = &in->secondaries[i];
		char address[ADDR_STRLEN];

		(void)json_array_append_new(
			array, json_pack("{s:s, s:i, s:i, s:i, s:i}", "address",
				       addr_format(&s->endpoint.address, address), "port",
				       (int)s->endpoint.port, "waiting", (int)s->waiting, "refused",
				       (int)s->refused, "unanswered", (int)s->unanswered));
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

static void put(json_t *object, const char *name, uint64_t value)
{
	(void)json_object_set_new(object, name, json_integer((json_int_t)value));
}

static json_t *rcodes_object(const struct dns_status *in)
{
	json_t *object = json_object();

	for (size_t i = 0; i < COUNTERS_RCODES; i++) {
		const uint64_t n = sum(in, offsetof(struct counters, rcodes) + i * sizeof(counter));

		if (rcodes[i])
			put(object, rcodes[i], n);
	}
	return object;
}

#define COUNTER(field)                                                                             \
	{                                                                                          \
#field, offsetof(struct counters, field)                                           \
	}
#define ANSWERS(field)                                                                             \
	{                                                                                          \
#field, offsetof(struct answer_counters, field)                                    \
	}

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
	json_t *object = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		put(object, own[i].name, sum(in, own[i].offset));
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		put(object, answers[i].name, sum_answers(in, answers[i].offset));
	(void)json_object_set_new(object, "rcodes", rcodes_object(in));
	return object;
}

static json_t *zones_read_object(const struct dns_status *in)
{
	const bool failed = in->problem[0] != '\0';

	return json_pack("{s:o, s:i, s:i, s:b, s:s?, s:b}", "ago_s",
		seconds_since(in->now, in->loaded), "reloads", (int)in->reloads, "failed",
		(int)in->failed, "last_failed", (int)failed, "problem", failed ? in->problem : NULL,
		"reading", (int)in->loading);
}

char *dns_status_render(const struct dns_status *in)
{
	json_t *document = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:o}",
		"version", in->version, "node", in->node, "uptime_s",
		seconds_since(in->now, in->started), "zones_read", zones_read_object(in), "zones",
		zones_array(in->edition->catalog), "listen", listen_array(in->listeners), "roostd",
		roostd_object(in), "secondaries", secondaries_array(in), "threads",
		(int)in->n_threads, "connections", (int)in->n_connections, "counters",
		counters_object(in));
	char *text = document ? json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;

	json_decref(document);
	return text;
}
