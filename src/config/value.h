/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Single values: numbers, durations, names, addresses. Each function reports what it refuses, leaves
 * its out-parameter alone then, and returns false.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/tick.h"
#include "config/config.h"
#include "config/schema.h"

#define VALUE_DURATION_SIZE 32

/* Readers for tables of keys; the field's type is in the name. */
schema_read_fn value_read_u8, value_read_u32, value_read_bool, value_read_duration, value_read_name;

/* Says that @value is no such thing as @key wants. */
void value_refuse(
	struct findings *findings, const struct schema_key *key, const struct tree *value);

bool value_number(struct findings *findings, const struct schema_key *key, const struct tree *value,
	uint64_t *ret_number);
bool value_duration(struct findings *findings, const struct schema_key *key,
	const struct tree *value, tick *ret_duration);

/* @ret_word: its index in @words. False, and said, if it is none of them. */
bool value_word(struct findings *findings, const struct schema_key *key, const struct tree *value,
	const char *const *words, uint32_t n_words, uint32_t *ret_word);

/* @what such as "VIP" is for messages. */
bool value_name(struct findings *findings, const struct tree *value, const char *what,
	char ret_name[static CONFIG_NAME_SIZE]);
/* The name of a node or of a service without a dot: as value_name(), or with U-labels, which become A-labels. */
bool value_own_name(struct findings *findings, const struct tree *value, const char *what,
	char ret_name[static CONFIG_NAME_SIZE]);

/* A domain name, U-labels as A-labels, without the final dot; not the root. */
bool value_domain(struct findings *findings, const struct tree *value, const char *what,
	char ret_name[static CONFIG_DOMAIN_SIZE]);
/* The same, or a wildcard: its first label may be `*` (RFC 4592). */
bool value_pattern(struct findings *findings, const struct tree *value, const char *what,
	char ret_name[static CONFIG_DOMAIN_SIZE]);

bool value_path(struct findings *findings, const struct schema_key *key, const struct tree *value,
	char ret_path[static CONFIG_PATH_SIZE]);
bool value_interface(struct findings *findings, const struct tree *value, char ret_name[static 16]);
bool value_address(struct findings *findings, const struct tree *value, const char *what,
	struct addr *ret_address);

/* True for the mapping that YAML makes of 2001:db8:: where it ends a line or comes before a comma. */
bool value_is_unquoted_ipv6(const struct tree *value);

/* What @a is that no single server in a network can have, such as "a multicast address"; else NULL. */
const char *value_host_problem(const struct addr *a);
bool value_is_loopback(const struct addr *a);

/* 100ms, 1.5s, 5min. */
const char *value_format_duration(tick duration, char buffer[static VALUE_DURATION_SIZE]);

/* A list's entries, or the value itself: where a list is expected a single value will do. */
static inline const struct tree *value_first(const struct tree *value)
{
	return value->kind == TREE_LIST ? value->first : value;
}

static inline const struct tree *value_next(const struct tree *value, const struct tree *entry)
{
	return value->kind == TREE_LIST ? entry->next : NULL;
}
