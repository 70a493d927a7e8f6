/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/findings.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "idn/idn.h"

/* Longer lines are shown in part, so that a hostile file can't fill the journal. */
#define SHOWN_COLUMNS 160
#define SHOWN_BEFORE  40
#define MESSAGE_SIZE  600

/* A message that quotes very much ends in dots, after a whole character. */
static void abridge(char message[static MESSAGE_SIZE])
{
	size_t end = MESSAGE_SIZE - 4;

	while (end > 0 && ((unsigned char)message[end] & 0xc0) == 0x80)
		end--;
	memcpy(message + end, "...", 4);
}

__attribute__((format(printf, 4, 0))) static void add(struct findings *f, enum finding_kind kind,
	struct place at, const char *format, va_list arguments)
{
	char message[MESSAGE_SIZE];
	int size;

	if (kind == FINDING_ERROR)
		f->n_errors++;
	else
		f->n_warnings++;
	if (f->n == FINDINGS_MAX)
		return;
	if (f->n == f->capacity) {
		const uint32_t capacity = f->capacity > 0 ? 2 * f->capacity : 16;
		struct finding *list = realloc(f->list, capacity * sizeof *list);

		if (!list)
			return;
		f->list = list;
		f->capacity = capacity;
	}
	size = vsnprintf(message, sizeof message, format, arguments);
	if (size >= (int)sizeof message)
		abridge(message);
	f->list[f->n] = (struct finding){
		.kind = kind,
		.at = at,
		.number = f->n,
		.message = strdup(message),
	};
	if (f->list[f->n].message)
		f->n++;
}

void findings_error(struct findings *f, struct place at, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(f, FINDING_ERROR, at, format, arguments);
	va_end(arguments);
}

void findings_warning(struct findings *f, struct place at, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(f, FINDING_WARNING, at, format, arguments);
	va_end(arguments);
}

void findings_fini(struct findings *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		free(f->list[i].message);
	free(f->list);
	*f = (struct findings){0};
}

static int by_place(const void *left, const void *right)
{
	const struct finding *a = left;
	const struct finding *b = right;

	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	if (a->at.column != b->at.column)
		return a->at.column < b->at.column ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* Text from the file, or made of it: what could steer a terminal is shown as '?'. */
static void print_harmless(const char *text, size_t size, FILE *out)
{
	for (size_t i = 0; i < size;) {
		const size_t steering = text[i] == '\t' ? 0 : idn_is_steering(text + i, size - i);

		fputc(steering > 0 ? '?' : text[i], out);
		i += steering > 0 ? steering : 1;
	}
}

/* Steps over the character at @at: UTF-8's further bytes are 10xxxxxx. */
static const char *next_character(const char *at, const char *end)
{
	at++;
	while (at < end && ((unsigned char)*at & 0xc0) == 0x80)
		at++;
	return at;
}

static void print_times(char c, size_t n, FILE *out)
{
	while (n-- > 0)
		fputc(c, out);
}

/* The line that @at is in, and below it a caret under the place. @line points to its beginning. */
static void print_line(const char *line, const char *end, struct place at, FILE *out)
{
	const char *newline = memchr(line, '\n', (size_t)(end - line));
	const uint32_t skipped = at.column > SHOWN_COLUMNS ? at.column - 1 - SHOWN_BEFORE : 0;
	uint32_t column = 1;
	const char *p, *mark;
	size_t width;

	if (newline)
		end = newline;
	if (end > line && end[-1] == '\r')
		end--;
	for (uint32_t i = 0; i < skipped && line < end; i++)
		line = next_character(line, end);
	for (p = line; p < end && column <= SHOWN_COLUMNS; column++)
		p = next_character(p, end);

	fputs(skipped > 0 ? "  ..." : "  ", out);
	print_harmless(line, (size_t)(p - line), out);
	fputs(p < end ? "...\n" : "\n", out);

	fputs(skipped > 0 ? "     " : "  ", out);
	end = p;
	p = line;
	for (uint32_t i = skipped + 1; i < at.column; i++) {
		const char *const next = p < end ? next_character(p, end) : p;

		/* a tab for a tab, so that the caret stands below whatever the terminal does */
		if (p == end || *p == '\t')
			fputc(p < end ? '\t' : ' ', out);
		else
			print_times(' ', idn_width(p, (size_t)(next - p)), out);
		p = next;
	}
	fputc('^', out);
	mark = p;
	for (uint32_t i = 0; i < at.width && p < end; i++)
		p = next_character(p, end);
	width = idn_width(mark, (size_t)(p - mark));
	print_times('~', width > 0 ? width - 1 : 0, out);
	fputc('\n', out);
}

static void print_finding(const struct finding *f, const char *name, FILE *out)
{
	if (f->at.line > 0)
		fprintf(out, "%s:%u:%u: ", name, f->at.line, f->at.column);
	else
		fprintf(out, "%s: ", name);
	fputs(f->kind == FINDING_ERROR ? "error: " : "warning: ", out);
	print_harmless(f->message, strlen(f->message), out);
	fputc('\n', out);
}

void findings_print(struct findings *f, const char *name, const char *text, size_t size, FILE *out)
{
	const char *const end = text ? text + size : NULL;
	const char *line = text;
	uint32_t number = 1;

	if (f->n > 1)
		qsort(f->list, f->n, sizeof *f->list, by_place);
	for (uint32_t i = 0; i < f->n; i++) {
		const struct finding *const finding = &f->list[i];

		print_finding(finding, name, out);
		if (!text || finding->at.line == 0)
			continue;
		while (number < finding->at.line && line < end) {
			const char *newline = memchr(line, '\n', (size_t)(end - line));

			line = newline ? newline + 1 : end;
			number++;
		}
		if (number == finding->at.line && line < end)
			print_line(line, end, finding->at, out);
	}
	if (f->n_errors + f->n_warnings > f->n)
		fprintf(out, "%s: and %u more\n", name, f->n_errors + f->n_warnings - f->n);
}
