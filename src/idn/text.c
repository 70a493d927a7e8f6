/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names as text: their labels, and what may be shown of them. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>
#include <uniwidth.h>

#include "idn/internal.h"

#define QUOTE_MAX 60

char idn_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool idn_is_letter_or_digit(char c)
{
	return (idn_lower(c) >= 'a' && idn_lower(c) <= 'z') || (c >= '0' && c <= '9');
}

bool idn_is_prefixed(const char *label, size_t size)
{
	return size >= 4 && idn_lower(label[0]) == 'x' && idn_lower(label[1]) == 'n' &&
	       label[2] == '-' && label[3] == '-';
}

bool idn_is_ascii(struct idn_span s)
{
	for (size_t i = 0; i < s.size; i++)
		if ((unsigned char)s.at[i] >= 0x80)
			return false;
	return true;
}

bool idn_is_utf8(const char *text, size_t size)
{
	return u8_check((const uint8_t *)text, size) == NULL;
}

size_t idn_dot(const char *text, size_t size)
{
	static const char *const dots[] = {"\u3002", "\uff0e", "\uff61"};

	if (size > 0 && text[0] == '.')
		return 1;
	for (size_t i = 0; i < sizeof dots / sizeof *dots; i++)
		if (size >= 3 && memcmp(text, dots[i], 3) == 0)
			return 3;
	return 0;
}

struct idn_span idn_next_label(const char **at, const char *end)
{
	struct idn_span label = {.at = *at};

	while (*at < end && idn_dot(*at, (size_t)(end - *at)) == 0)
		*at += **at == '\\' && end - *at > 1 ? 2 : 1;
	label.size = (size_t)(*at - label.at);
	return label;
}

bool idn_has_dot(const char *name)
{
	const char *const end = name + strlen(name);
	const char *at = name;

	idn_next_label(&at, end);
	return at < end;
}

bool idn_is_beyond_ascii(const char *name)
{
	const struct idn_span whole = {name, strlen(name)};
	const char *const end = name + whole.size;

	for (const char *at = name; at < end; at += idn_dot(at, (size_t)(end - at))) {
		const struct idn_span label = idn_next_label(&at, end);

		if (!idn_is_ascii(label) || idn_is_prefixed(label.at, label.size))
			return true;
	}
	return !idn_is_ascii(whole);
}

size_t idn_is_steering(const char *text, size_t size)
{
	ucs4_t code;
	const int n = size > 0 ? u8_mbtoucr(&code, (const uint8_t *)text, size) : 0;

	if (n <= 0)
		return 0;
	return code < ' ' || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
			       (code >= 0x2066 && code <= 0x2069)
		       ? (size_t)n
		       : 0;
}

size_t idn_width(const char *text, size_t size)
{
	size_t width = 0;

	for (size_t i = 0; i < size;) {
		ucs4_t code;
		const int n = u8_mbtoucr(&code, (const uint8_t *)text + i, size - i);
		const int columns = n > 0 ? uc_width(code, "UTF-8") : 1;

		if (idn_is_steering(text + i, size - i) > 0)
			width++;
		else if (columns > 0)
			width += (size_t)columns;
		i += n > 0 ? (size_t)n : 1;
	}
	return width;
}

__attribute__((format(printf, 3, 4))) bool idn_refuse(
	char problem[static IDN_PROBLEM_SIZE], struct idn_span label, const char *reason, ...)
{
	const bool whole = label.size <= QUOTE_MAX;
	size_t used = 0;
	va_list arguments;

	problem[used++] = '"';
	for (size_t i = 0; i < label.size;) {
		const uint8_t *const c = (const uint8_t *)label.at + i;
		ucs4_t code;
		const int n = u8_mbtoucr(&code, c, label.size - i);

		if (n <= 0 || used + (size_t)n > QUOTE_MAX + 1)
			break;
		if (uc_is_general_category_withtable(code, UC_CATEGORY_MASK_C))
			problem[used++] = '?';
		else
			for (int k = 0; k < n; k++)
				problem[used++] = (char)c[k];
		i += (size_t)n;
	}
	used += (size_t)snprintf(problem + used, IDN_PROBLEM_SIZE - used, whole ? "\" " : "...\" ");
	va_start(arguments, reason);
	vsnprintf(problem + used, IDN_PROBLEM_SIZE - used, reason, arguments);
	va_end(arguments);
	return false;
}
