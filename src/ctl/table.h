/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Text for people: tables whose columns are as wide as their widest cell, in colours where a
 * terminal shows them. Text that came over the socket is made harmless: a control character prints
 * as a question mark.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 12

enum style {
	STYLE_PLAIN,
	STYLE_HEADING,
	STYLE_DIM,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLES,
};

/* Where text goes, and whether in colours. */
struct paper {
	FILE *out;
	bool terminal; /* one on which the cursor can be moved */
	bool colour;
};

/* Colours for a terminal that can show them, unless NO_COLOR is set (https://no-color.org). */
struct paper paper_of(FILE *out);

/* Prints like printf() in @style. */
__attribute__((format(printf, 3, 4))) void paper_print(
	const struct paper *p, enum style style, const char *format, ...);

struct table_cell {
	char *text;
	enum style style;
};

struct table {
	size_t n_columns;
	bool right[TABLE_COLUMNS_MAX]; /* numbers stand at the right */
	struct table_cell *cells;      /* row after row; the headings first */
	size_t n_cells, room;
};

/* @headings: @n_columns of them; one that begins with '>' names a column that is set at the right.
 */
void table_init(struct table *t, const char *const *headings, size_t n_columns);
void table_fini(struct table *t);

/* The next cell, formatted like printf(); a row is full after n_columns of them. */
__attribute__((format(printf, 3, 4))) void table_cell(
	struct table *t, enum style style, const char *format, ...);

/* Each row is indented by @indent; columns stand two spaces apart; no trailing spaces. */
void table_print(const struct table *t, const struct paper *p, int indent);
