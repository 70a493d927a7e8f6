/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sections of options: `vrrp:`, of the file and of each service, `announce:` and `control:`. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "config/reading.h"
#include "config/value.h"

#define MS 1000000ull
#define S  (1000 * MS)

/* Advertisement intervals: 12 bits of centiseconds (RFC 9568 5.2.7); one byte of seconds (RFC 3768 5.3.7). */
#define INTERVAL_LEAST   (10 * MS)
#define INTERVAL_MOST_V3 (40950 * MS)
#define INTERVAL_MOST_V2 (255 * S)
#define INTERVAL_INIT_V3 (100 * MS)
#define INTERVAL_INIT_V2 (1 * S)

#define SCHEDULE_MOST (10 * 60 * S)

static const tick initial_schedule[] = {0, 50 * MS, 300 * MS, 1100 * MS, 3000 * MS};

static schema_read_fn read_redundancy, read_checksum, read_peers, read_vrids, read_schedule,
	read_conflict;

static const struct schema_key vrrp_keys[] = {
	[VRRP_VERSION] =
		{
			.name = "version",
			.read = value_read_u8,
			.offset = offsetof(struct vrrp_section, options.version),
			.least = 2,
			.most = 3,
			.initial = "3",
			.form = "2 or 3",
		},
	[VRRP_INTERVAL] =
		{
			.name = "interval",
			.read = value_read_duration,
			.offset = offsetof(struct vrrp_section, options.interval),
			.least = INTERVAL_LEAST,
			.most = INTERVAL_MOST_V2, /* by version: check_interval() */
			.step = 10 * MS,
			.initial = "100ms",
			.form = "a duration from 10ms to 40.95s; in version 2, whole seconds up to "
				"255s",
		},
	[VRRP_REDUNDANCY] =
		{
			.name = "redundancy",
			.read = read_redundancy,
			.offset = offsetof(struct vrrp_section, options.redundancy),
			.least = 1,
			.most = 8,
			.initial = "auto",
			.form = "auto or a number from 1 to 8",
		},
	[VRRP_PREEMPT] =
		{
			.name = "preempt",
			.read = value_read_bool,
			.offset = offsetof(struct vrrp_section, options.preempt),
			.initial = "true",
		},
	[VRRP_PREEMPT_DELAY] =
		{
			.name = "preempt_delay",
			.read = value_read_duration,
			.offset = offsetof(struct vrrp_section, options.preempt_delay),
			.most = 3600 * S,
			.initial = "0s",
		},
	[VRRP_LINGER] =
		{
			.name = "linger",
			.read = value_read_duration,
			.offset = offsetof(struct vrrp_section, options.linger),
			.most = 10 * S,
			.initial = "20ms",
		},
	[VRRP_PEERS] =
		{
			.name = "peers",
			.read = read_peers,
			.offset = offsetof(struct vrrp_section, options),
			.initial = "multicast",
			.form = "multicast, unicast or a list of further peers' addresses",
		},
	[VRRP_CHECKSUM] =
		{
			.name = "checksum",
			.read = read_checksum,
			.offset = offsetof(struct vrrp_section, options.checksum),
			.initial = "auto",
			.form = "auto, message or pseudo-header",
		},
	[VRRP_VRIDS] =
		{
			.name = "vrids",
			.read = read_vrids,
			.least = 1,
			.most = 255,
			.form = "a range such as 100-199 or one number, from 1 to 255",
		},
};

_Static_assert(ARRAY_SIZE(vrrp_keys) == VRRP_KEYS, "a table of all keys");

const struct schema vrrp_schema = {"\"vrrp\"", vrrp_keys, VRRP_KEYS};

static const struct schema_key announce_keys[] = {
	{
		.name = "schedule",
		.read = read_schedule,
		.most = SCHEDULE_MOST,
		.initial = "[0s, 50ms, 300ms, 1.1s, 3s]", /* initial_schedule */
		.form = "a list of rising durations, up to 10min",
	},
	{
		.name = "refresh",
		.read = value_read_duration,
		.offset = offsetof(struct config_announce, refresh),
		.most = 86400 * S,
		.initial = "60s",
	},
	{
		.name = "rate",
		.read = value_read_u32,
		.offset = offsetof(struct config_announce, rate),
		.least = 1,
		.most = 1000000,
		.initial = "2000",
	},
	{
		.name = "burst",
		.read = value_read_u32,
		.offset = offsetof(struct config_announce, burst),
		.least = 1,
		.most = 1000000,
		.initial = "1024",
	},
	{
		.name = "conflict",
		.read = read_conflict,
		.initial = "defend",
		.form = "defend or yield",
	},
};

const struct schema announce_schema = {"\"announce\"", announce_keys, ARRAY_SIZE(announce_keys)};

static const struct schema_key control_keys[] = {
	{
		.name = "read",
		.read = value_read_name,
		.offset = offsetof(struct config_control, read),
	},
	{
		.name = "steer",
		.read = value_read_name,
		.offset = offsetof(struct config_control, steer),
	},
};

const struct schema control_schema = {"\"control\"", control_keys, ARRAY_SIZE(control_keys)};

static bool is_word(const struct tree *value, const char *word)
{
	return value->kind == TREE_SCALAR && strcmp(value->text, word) == 0;
}

static void read_redundancy(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct vrrp_section *const section = target;

	if (is_word(value, "auto"))
		section->options.redundancy = CONFIG_REDUNDANCY_AUTO;
	else
		value_read_u8(findings, key, value, target);
}

static void read_checksum(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	static const char *const words[] = {
		[CONFIG_CHECKSUM_AUTO] = "auto",
		[CONFIG_CHECKSUM_MESSAGE] = "message",
		[CONFIG_CHECKSUM_PSEUDO] = "pseudo-header",
	};
	struct vrrp_section *const section = target;
	uint32_t word;

	if (value_word(findings, key, value, words, ARRAY_SIZE(words), &word))
		section->options.checksum = (enum config_checksum)word;
}

static void read_peer(
	struct findings *findings, const struct tree *value, struct config_vrrp *options)
{
	struct addr peer;

	if (!value_address(findings, value, "a peer", &peer))
		return;
	if (addr_is_multicast(&peer)) {
		findings_error(findings, value->at,
			"%s is a multicast address; a peer is one router, or write \"peers: "
			"multicast\"",
			value->text);
		return;
	}
	for (uint32_t i = 0; i < options->n_peers; i++) {
		if (addr_equal(&options->peers[i], &peer)) {
			findings_error(
				findings, value->at, "the peer %s is there twice", value->text);
			return;
		}
	}
	if (options->n_peers < CONFIG_PEERS_MAX)
		options->peers[options->n_peers] = peer;
	else if (options->n_peers == CONFIG_PEERS_MAX)
		findings_error(findings, value->at, "more than %d peers", CONFIG_PEERS_MAX);
	else
		return;
	options->n_peers++;
}

static void read_peers(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct config_vrrp *const options = &((struct vrrp_section *)target)->options;

	struct addr any;

	options->unicast = !is_word(value, "multicast");
	options->n_peers = 0;
	if (is_word(value, "multicast") || is_word(value, "unicast"))
		return;
	if (value->kind != TREE_LIST &&
		!(value->kind == TREE_SCALAR && addr_parse(value->text, &any))) {
		value_refuse(findings, key, value);
		return;
	}
	for (const struct tree *entry = value_first(value); entry; entry = value_next(value, entry))
		read_peer(findings, entry, options);
	if (options->n_peers > CONFIG_PEERS_MAX)
		options->n_peers = CONFIG_PEERS_MAX; /* reported */
}

/* "100-199" or "51". */
static void read_vrids(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct vrrp_section *const section = target;
	unsigned first, last;
	char rest;
	int n;

	n = sscanf(value->text, "%3u-%3u%c", &first, &last, &rest);
	if (n == 1 && strspn(value->text, "0123456789") == strlen(value->text) &&
		strlen(value->text) <= 3) {
		last = first;
		n = 2;
	}
	if (value->kind != TREE_SCALAR || n != 2 || first < 1 || first > 255 || last < 1 ||
		last > 255 || strspn(value->text, "0123456789-") != strlen(value->text)) {
		value_refuse(findings, key, value);
	} else if (first > last) {
		findings_error(findings, value->at, "the range ends before it begins; write %u-%u",
			last, first);
	} else {
		section->vrid_first = (uint8_t)first;
		section->vrid_count = (uint8_t)(last - first + 1);
	}
}

static void read_schedule(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct config_announce *const announce = target;
	tick shots[CONFIG_SHOTS_MAX];
	uint32_t n = 0;
	bool good = true;

	if ((value->kind != TREE_LIST && value->kind != TREE_SCALAR) ||
		(value->kind == TREE_LIST && value->n == 0)) {
		value_refuse(findings, key, value);
		return;
	}
	for (const struct tree *entry = value_first(value); entry;
		entry = value_next(value, entry)) {
		if (n == CONFIG_SHOTS_MAX) {
			findings_error(findings, entry->at, "more than %d announcements",
				CONFIG_SHOTS_MAX);
			return;
		}
		if (!value_duration(findings, key, entry, &shots[n])) {
			good = false;
			continue;
		}
		if (n > 0 && shots[n] <= shots[n - 1]) {
			char before[VALUE_DURATION_SIZE];

			findings_error(findings, entry->at,
				"the schedule does not rise here: %s comes after %s; each time "
				"counts "
				"from the move",
				entry->text, value_format_duration(shots[n - 1], before));
			good = false;
		}
		n++;
	}
	if (!good)
		return;
	memcpy(announce->shots, shots, n * sizeof *shots);
	announce->n_shots = n;
}

static void read_conflict(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	static const char *const words[] = {
		[CONFIG_CONFLICT_DEFEND] = "defend",
		[CONFIG_CONFLICT_YIELD] = "yield",
	};
	struct config_announce *const announce = target;
	uint32_t word;

	if (value_word(findings, key, value, words, ARRAY_SIZE(words), &word))
		announce->conflict = (enum config_conflict)word;
}

void vrrp_section_init(struct vrrp_section *section)
{
	*section = (struct vrrp_section){0};
	schema_defaults(&vrrp_schema, section);
}

/* Reported where the interval stands, or where the version that makes an inherited one wrong does. */
static void check_interval(struct reading *r, const struct vrrp_section *s)
{
	const struct tree *const own = s->at[VRRP_INTERVAL];
	const struct place at = own ? own->at : s->at[VRRP_VERSION]->at;
	const tick given = s->options.interval;
	char duration[VALUE_DURATION_SIZE];
	char text[VALUE_DURATION_SIZE + 32];

	snprintf(text, sizeof text, "%s", value_format_duration(given, duration));
	if (!own)
		snprintf(text, sizeof text, "%s (line %u)", duration,
			r->vrrp.at[VRRP_INTERVAL]->at.line);

	if (s->options.version == 3) {
		if (given > INTERVAL_MOST_V3)
			findings_error(r->findings, at,
				"the interval of %s is too long; version 3 allows 10ms to 40.95s",
				text);
		return;
	}
	if (given < S)
		findings_error(r->findings, at,
			"the interval of %s is below a second; VRRP version 2 knows whole seconds "
			"only: write 1s, or \"version: 3\"",
			text);
	else if (given % S != 0)
		findings_error(r->findings, at,
			"the interval of %s is no whole number of seconds, as VRRP version 2 "
			"wants; write %llus",
			text, (unsigned long long)(given / S));
}

void read_vrrp(struct reading *r, const struct tree *value, struct vrrp_section *section)
{
	tick *const interval = &section->options.interval;
	const tick inherited = *interval;

	if (value->kind != TREE_MAPPING) {
		findings_error(r->findings, value->at,
			"\"vrrp\" is a mapping of options, such as \"interval: 100ms\", and this "
			"is %s",
			tree_kind_name(value));
		return;
	}
	*interval = 0;
	schema_read(r->findings, &vrrp_schema, value, section, section->at);
	if (section != &r->vrrp && section->at[VRRP_VRIDS])
		findings_error(r->findings, section->at[VRRP_VRIDS]->key->at,
			"\"vrids\" is for all services alike; it belongs in the file's own "
			"\"vrrp\"");

	/* The default depends on the version; what somebody wrote does not. */
	if (section->at[VRRP_INTERVAL])
		section->interval_given = true;
	else if (section->interval_given)
		*interval = inherited;
	if (*interval == 0)
		*interval = section->options.version == 2 ? INTERVAL_INIT_V2 : INTERVAL_INIT_V3;
	else if (section->at[VRRP_INTERVAL] || section->at[VRRP_VERSION])
		check_interval(r, section);
}

void read_announce(struct reading *r, const struct tree *value)
{
	const struct tree *at[SCHEMA_KEYS_MAX];
	struct config_announce *const announce = &r->config->announce;

	schema_defaults(&announce_schema, announce);
	memcpy(announce->shots, initial_schedule, sizeof initial_schedule);
	announce->n_shots = ARRAY_SIZE(initial_schedule);
	if (!value)
		return;
	if (value->kind != TREE_MAPPING) {
		findings_error(r->findings, value->at,
			"\"announce\" is a mapping of options, such as \"rate: 1000\", and this is "
			"%s",
			tree_kind_name(value));
		return;
	}
	schema_read(r->findings, &announce_schema, value, announce, at);
}

void read_control(struct reading *r, const struct tree *value)
{
	const struct tree *at[SCHEMA_KEYS_MAX];

	if (!value)
		return;
	if (value->kind != TREE_MAPPING) {
		findings_error(r->findings, value->at,
			"\"control\" names groups of users, such as \"steer: operators\", and this "
			"is %s",
			tree_kind_name(value));
		return;
	}
	schema_read(r->findings, &control_schema, value, &r->config->control, at);
}
