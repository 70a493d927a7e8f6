/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * A YAML file as a small tree: scalars, lists and mappings, each with its place. libfyaml reads the
 * YAML; nothing else in this folder knows it. Configuration needs no more of YAML, so anchors,
 * aliases (which may grow a small file into a giant), tags and further documents are refused.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/findings.h"

#define TREE_FILE_MAX  (4u << 20) /* bytes; 10,000 VIPs with a line each are a tenth of it */
#define TREE_NODES_MAX 200000
#define TREE_DEPTH_MAX 10 /* the schema is 6 deep */

enum tree_kind { TREE_NOTHING, TREE_SCALAR, TREE_LIST, TREE_MAPPING };

struct tree {
	enum tree_kind kind;
	struct place at;
	const char *text;        /* SCALAR: without quotes, never NULL; else "" */
	const struct tree *key;  /* of an entry of a mapping: a scalar; else NULL */
	const struct tree *next; /* in the list or mapping that it is an entry of */
	const struct tree *first;
	struct tree *last;
	uint32_t n; /* entries */
};

struct tree_file;

/* NULL, with what is wrong in *@findings, if @text is no YAML or nothing but comments. Borrows nothing. */
struct tree_file *tree_read(const char *text, size_t size, struct findings *findings);
void tree_free(struct tree_file *file);
const struct tree *tree_root(const struct tree_file *file);

/* "a list" and the like, for messages. */
const char *tree_kind_name(const struct tree *tree);
