/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "config/config.h"

/* Letters inserted, left out, replaced or swapped with their neighbour that make @b of @a. */
static uint32_t edit_distance(const char *a, const char *b)
{
	uint32_t rows[3][CONFIG_NAME_SIZE + 1];
	const size_t n_a = strlen(a);
	const size_t n_b = strlen(b);

	if (n_a > CONFIG_NAME_SIZE || n_b > CONFIG_NAME_SIZE)
		return UINT32_MAX;
	for (uint32_t j = 0; j <= n_b; j++)
		rows[0][j] = j;
	for (uint32_t i = 1; i <= n_a; i++) {
		uint32_t *const row = rows[i % 3];
		const uint32_t *const above = rows[(i - 1) % 3];

		row[0] = i;
		for (uint32_t j = 1; j <= n_b; j++) {
			uint32_t least = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < least)
				least = above[j] + 1;
			if (row[j - 1] + 1 < least)
				least = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				rows[(i - 2) % 3][j - 2] + 1 < least)
				least = rows[(i - 2) % 3][j - 2] + 1;
			row[j] = least;
		}
	}
	return rows[n_a % 3][n_b];
}

const char *schema_nearest(const char *word, const char *const *words, uint32_t n_words)
{
	const size_t length = strlen(word);
	uint32_t nearest = (uint32_t)(length / 3 + 1); /* "a" is not a misspelt "b" */
	const char *found = NULL;

	for (uint32_t i = 0; i < n_words; i++) {
		const uint32_t distance = edit_distance(word, words[i]);

		if (distance < nearest) {
			nearest = distance;
			found = words[i];
		}
	}
	return found;
}

void schema_defaults(const struct schema *schema, void *target)
{
	struct findings findings = {0};

	for (uint32_t i = 0; i < schema->n_keys; i++) {
		const struct schema_key *const key = &schema->keys[i];
		struct tree value = {.kind = TREE_SCALAR, .text = key->initial};

		if (key->read && key->initial && key->initial[0] != '[')
			key->read(&findings, key, &value, target);
	}
	ASSERT(findings.n_errors == 0);
	findings_fini(&findings);
}

static const struct schema_key *find_key(const struct schema *schema, const char *name)
{
	for (uint32_t i = 0; i < schema->n_keys; i++)
		if (strcmp(schema->keys[i].name, name) == 0)
			return &schema->keys[i];
	return NULL;
}

static void report_unknown(
	struct findings *findings, const struct schema *schema, const struct tree *key)
{
	const char *words[SCHEMA_KEYS_MAX];
	char known[256] = "";
	const char *nearest;

	ASSERT(schema->n_keys <= SCHEMA_KEYS_MAX);
	for (uint32_t i = 0; i < schema->n_keys; i++) {
		const size_t used = strlen(known);

		words[i] = schema->keys[i].name;
		snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "", words[i]);
	}
	nearest = schema_nearest(key->text, words, schema->n_keys);
	if (nearest) {
		findings_error(findings, key->at, "unknown key \"%s\"; did you mean \"%s\"?",
			key->text, nearest);
		return;
	}
	for (uint32_t i = 0; config_schemas[i]; i++) {
		if (find_key(config_schemas[i], key->text)) {
			findings_error(findings, key->at,
				"unknown key \"%s\" in %s; it belongs in %s", key->text,
				schema->name, config_schemas[i]->name);
			return;
		}
	}
	findings_error(findings, key->at, "unknown key \"%s\" in %s; known are: %s", key->text,
		schema->name, known);
}

bool schema_read(struct findings *findings, const struct schema *schema, const struct tree *mapping,
	void *target, const struct tree **ret_at)
{
	bool all_known = true;

	ASSERT(mapping->kind == TREE_MAPPING);
	for (uint32_t i = 0; i < schema->n_keys; i++)
		ret_at[i] = NULL;
	for (const struct tree *value = mapping->first; value; value = value->next) {
		const struct schema_key *const key = find_key(schema, value->key->text);
		const struct tree **at;

		if (!key) {
			report_unknown(findings, schema, value->key);
			all_known = false;
			continue;
		}
		at = &ret_at[key - schema->keys];
		if (*at)
			findings_error(findings, value->key->at,
				"\"%s\" is there twice; it is on line %u already", key->name,
				(*at)->key->at.line);
		else
			*at = value;
	}
	for (uint32_t i = 0; i < schema->n_keys; i++)
		if (ret_at[i] && schema->keys[i].read)
			schema->keys[i].read(findings, &schema->keys[i], ret_at[i], target);
	return all_known;
}

static int by_text_and_place(const void *left, const void *right)
{
	const struct tree *const a = *(const struct tree *const *)left;
	const struct tree *const b = *(const struct tree *const *)right;
	const int order = strcmp(a->text, b->text);

	if (order != 0)
		return order;
	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	return a->at.column < b->at.column ? -1 : a->at.column > b->at.column;
}

void schema_find_duplicates(struct findings *findings, const struct tree *mapping, const char *what)
{
	const struct tree **keys;
	uint32_t n = 0;
	uint32_t first = 0;

	if (mapping->n < 2)
		return;
	keys = calloc(mapping->n, sizeof *keys);
	if (!keys) {
		findings_error(findings, mapping->at, "out of memory");
		return;
	}
	for (const struct tree *value = mapping->first; value; value = value->next)
		keys[n++] = value->key;
	qsort(keys, n, sizeof *keys, by_text_and_place);
	for (uint32_t i = 1; i < n; i++) {
		if (strcmp(keys[i]->text, keys[first]->text) != 0)
			first = i;
		else
			findings_error(findings, keys[i]->at,
				"%s \"%s\" is there twice; it is on line %u already", what,
				keys[i]->text, keys[first]->at.line);
	}
	free(keys);
}
