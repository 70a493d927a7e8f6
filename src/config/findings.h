/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What is wrong with a file: collected while it is read, in whatever order the checks run, and
 * printed at the end in the file's order, as compilers do:
 *
 *    roost.yaml:7:3: error: unknown key "intervall"; did you mean "interval"?
 *      intervall: 100ms
 *      ^~~~~~~~~
 *
 * A message says what is wrong and, after a semicolon, what would be right. A hostile file costs no
 * more than FINDINGS_MAX messages; further ones are counted.
 */

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#define FINDINGS_MAX 1000

/* Where something stands: lines and columns (in characters) from 1, @width of it to underline.
 * Line 0 is the file as a whole. */
struct place {
	uint32_t line, column, width;
};

enum finding_kind { FINDING_ERROR, FINDING_WARNING };

struct finding {
	enum finding_kind kind;
	struct place at;
	uint32_t number; /* keeps findings at one place in the order in which they were made */
	char *message;
};

struct findings {
	struct finding *list;
	uint32_t n, capacity;
	uint32_t n_errors, n_warnings; /* all, listed or not */
};

void findings_fini(struct findings *f);

void findings_error(struct findings *f, struct place at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void findings_warning(struct findings *f, struct place at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Prints them by line and column. @text, @size bytes of UTF-8, is the file that they speak of; NULL
 * if it could not be read. */
void findings_print(struct findings *f, const char *name, const char *text, size_t size, FILE *out);
