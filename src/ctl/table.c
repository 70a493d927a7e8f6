/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/table.h"

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "idn/idn.h"

static const char *const style_codes[STYLES] = {
	[STYLE_PLAIN] = "",
	[STYLE_HEADING] = "\033[1m",
	[STYLE_DIM] = "\033[2m",
	[STYLE_GOOD] = "\033[32m",
	[STYLE_WARN] = "\033[33m",
	[STYLE_BAD] = "\033[1;31m",
};

struct paper paper_of(FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	const bool terminal = term && strcmp(term, "dumb") != 0 && isatty(fileno(out));

	return (struct paper){
		.out = out,
		.terminal = terminal,
		.colour = terminal && (!no_color || !*no_color),
	};
}

__attribute__((format(printf, 1, 0))) static char *format_text(
	const char *format, va_list arguments)
{
	char *text, *harmless;

	if (vasprintf(&text, format, arguments) < 0)
		err(1, NULL);
	harmless = text;
	for (const char *c = text; *c;) {
		const size_t steering = idn_is_steering(c, strnlen(c, 4));

		*harmless++ = steering > 0 ? '?' : *c;
		c += steering > 0 ? steering : 1;
	}
	*harmless = '\0';
	return text;
}

static void print_styled(const struct paper *p, enum style style, const char *text)
{
	const bool colour = p->colour && style != STYLE_PLAIN;

	fprintf(p->out, "%s%s%s", colour ? style_codes[style] : "", text, colour ? "\033[0m" : "");
}

void paper_print(const struct paper *p, enum style style, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = format_text(format, arguments);
	va_end(arguments);
	print_styled(p, style, text);
	free(text);
}

static size_t text_width(const char *text)
{
	return idn_width(text, strlen(text));
}

void table_init(struct table *t, const char *const *headings, size_t n_columns)
{
	ASSERT(n_columns >= 1 && n_columns <= TABLE_COLUMNS_MAX);
	*t = (struct table){.n_columns = n_columns};
	for (size_t i = 0; i < n_columns; i++) {
		t->right[i] = headings[i][0] == '>';
		table_cell(t, STYLE_HEADING, "%s", headings[i] + t->right[i]);
	}
}

void table_fini(struct table *t)
{
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i].text);
	free(t->cells);
	*t = (struct table){0};
}

void table_cell(struct table *t, enum style style, const char *format, ...)
{
	va_list arguments;

	if (t->n_cells == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->cells = reallocarray(t->cells, t->room, sizeof *t->cells);
		if (!t->cells)
			err(1, NULL);
	}
	va_start(arguments, format);
	t->cells[t->n_cells++] = (struct table_cell){format_text(format, arguments), style};
	va_end(arguments);
}

static void print_row(
	const struct table *t, size_t first, const size_t *widths, const struct paper *p)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		const struct table_cell *cell = &t->cells[first + i];
		const int padding = (int)(widths[i] - text_width(cell->text));
		const bool last = i + 1 == t->n_columns;

		if (t->right[i])
			fprintf(p->out, "%*s", padding, "");
		print_styled(p, cell->style, cell->text);
		if (!last)
			fprintf(p->out, "%*s", (t->right[i] ? 0 : padding) + 2, "");
	}
	fputc('\n', p->out);
}

void table_print(const struct table *t, const struct paper *p, int indent)
{
	size_t widths[TABLE_COLUMNS_MAX] = {0};

	ASSERT(t->n_cells % t->n_columns == 0);
	for (size_t i = 0; i < t->n_cells; i++) {
		size_t *width = &widths[i % t->n_columns];
		const size_t own = text_width(t->cells[i].text);

		*width = own > *width ? own : *width;
	}
	for (size_t first = 0; first < t->n_cells; first += t->n_columns) {
		fprintf(p->out, "%*s", indent, "");
		print_row(t, first, widths, p);
	}
}
