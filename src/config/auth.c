/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The section `auth:`. The keys themselves are in a file of their own, which is read elsewhere. */
#include <string.h>

#include "base/assert.h"
#include "config/reading.h"
#include "config/value.h"

/* Larger than the clocks of two servers that keep time should ever differ. */
#define WINDOW_LEAST tick_s(5)
#define WINDOW_MOST  3600000000000ull
#define SECOND       1000000000ull

/* Until resolve_auth_window() */
#define WINDOW_AUTO TICK_NEVER

static schema_read_fn read_mode, read_path, read_window;

static const struct schema_key auth_keys[] = {
	[AUTH_MODE] =
		{
			.name = "mode",
			.read = read_mode,
			.offset = offsetof(struct config_auth, mode),
			.initial = "off",
			.form = "off, receive-only, permissive or enforce",
		},
	[AUTH_KEYS] =
		{
			.name = "keys",
			.read = read_path,
			.offset = offsetof(struct config_auth, keys),
			.initial = "/etc/roost/keys",
			.form = "the path of a file, from / on",
		},
	[AUTH_WINDOW] =
		{
			.name = "window",
			.read = read_window,
			.offset = offsetof(struct config_auth, window),
			.most = WINDOW_MOST,
			.step = SECOND,
			.initial = "auto",
			.form = "auto or a duration of whole seconds up to 60min",
		},
};

_Static_assert(ARRAY_SIZE(auth_keys) == AUTH_KEYS_COUNT, "a table of all keys");

const struct schema auth_schema = {"\"auth\"", auth_keys, AUTH_KEYS_COUNT};

static void read_mode(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	static const char *const modes[] = {
		[CONFIG_AUTH_OFF] = "off",
		[CONFIG_AUTH_RECEIVE_ONLY] = "receive-only",
		[CONFIG_AUTH_PERMISSIVE] = "permissive",
		[CONFIG_AUTH_ENFORCE] = "enforce",
	};
	struct config_auth *const auth = target;
	uint32_t mode;

	if (value_word(findings, key, value, modes, ARRAY_SIZE(modes), &mode))
		auth->mode = (enum config_auth_mode)mode;
}

static void read_path(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct config_auth *const auth = target;

	value_path(findings, key, value, auth->keys);
}

static void read_window(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct config_auth *const auth = target;

	if (value->kind == TREE_SCALAR && strcmp(value->text, "auto") == 0)
		auth->window = WINDOW_AUTO;
	else
		value_read_duration(findings, key, value, auth);
}

void read_auth(struct reading *r, const struct tree *value)
{
	const struct tree *at[SCHEMA_KEYS_MAX];
	struct config_auth *const auth = &r->config->auth;
	bool all_known;

	schema_defaults(&auth_schema, auth);
	if (!value)
		return;
	if (value->kind != TREE_MAPPING) {
		findings_error(r->findings, value->at,
			"\"auth\" is a mapping of options, such as \"mode: enforce\", and this is "
			"%s",
			tree_kind_name(value));
		return;
	}
	all_known = schema_read(r->findings, &auth_schema, value, auth, at);
	r->auth_mode = at[AUTH_MODE];
	if (all_known && !at[AUTH_MODE])
		findings_warning(r->findings, value->key->at,
			"nothing is authenticated without a mode; add \"mode: receive-only\" as "
			"the first step");
}

void resolve_auth_window(struct config *c)
{
	tick longest = 0;

	if (c->auth.window != WINDOW_AUTO)
		return;
	for (uint32_t i = 0; i < c->n_services; i++)
		longest = tick_max(longest, c->services[i].vrrp.interval);
	c->auth.window = tick_max(WINDOW_LEAST, 3 * longest);
	c->auth.window += (SECOND - c->auth.window % SECOND) % SECOND;
}
