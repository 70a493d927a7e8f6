/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The keys of each section of the file, as tables. They drive the reading, the suggestion for a key that is
 * misspelt, and the test that holds roost.yaml(5) against them: each key and each default must be in it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/findings.h"
#include "config/tree.h"

#define SCHEMA_KEYS_MAX 16

struct schema_key;

/* Reads @value into the field of @target that @key describes, which keeps its default if @value is bad. */
typedef void schema_read_fn(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target);

struct schema_key {
	const char *name;
	schema_read_fn *read; /* NULL: the section's own code reads it */
	size_t offset;
	uint64_t least, most; /* durations: as ticks */
	uint64_t step;        /* 0: any */
	const char *initial;  /* the default as the file would say it; NULL: none */
	const char *form;     /* what it is, where that does not follow from the above */
};

struct schema {
	const char *name; /* the section, for messages */
	const struct schema_key *keys;
	uint32_t n_keys;
};

/* All of them, ended by NULL. */
extern const struct schema *const config_schemas[];

/* Sets the fields of @target that have a reader and a default in the table, but for lists. */
void schema_defaults(const struct schema *schema, void *target);

/*
 * Reads the entries of @mapping into @target, in the table's order; reports unknown keys and
 * duplicates. @ret_at gets each key's value, in the table's order; NULL for a key that is not there.
 * False if a key was unknown: then none may be called missing, since that one may be meant.
 */
bool schema_read(struct findings *findings, const struct schema *schema, const struct tree *mapping,
	void *target, const struct tree **ret_at);

/* Of @n_words words, the one that @word was probably meant to be, or NULL. */
const char *schema_nearest(const char *word, const char *const *words, uint32_t n_words);

/* Reports each key of @mapping that was there before; @what is what the keys name. */
void schema_find_duplicates(
	struct findings *findings, const struct tree *mapping, const char *what);
