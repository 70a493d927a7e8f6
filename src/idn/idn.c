/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "idn/idn.h"

#include <langinfo.h>
#include <stdio.h>
#include <string.h>

#include "idn/internal.h"

#define NAME_LENGTH_MAX (IDN_ASCII_SIZE - 3)

char *idn_to_unicode(const char *ascii, char *buffer, size_t size)
{
	const char *const end = ascii + strlen(ascii);
	const char *at = ascii;
	size_t used = 0;
	bool fits = true;

	while (at < end && fits) {
		const struct idn_span label = idn_next_label(&at, end);
		const size_t n = idn_label_to_unicode(label, buffer + used, size - used);

		used += n;
		fits = (n > 0 || label.size == 0) && used + 1 < size;
		if (at < end && fits) {
			buffer[used++] = '.';
			at += idn_dot(at, (size_t)(end - at));
		}
	}
	if (fits)
		buffer[used] = '\0';
	else
		snprintf(buffer, size, "%s", ascii);
	return buffer;
}

char *idn_show_brief(const char *ascii, char *buffer, size_t size)
{
	if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return idn_to_unicode(ascii, buffer, size);
	snprintf(buffer, size, "%s", ascii);
	return buffer;
}

char *idn_show(const char *ascii, char *buffer, size_t size)
{
	char unicode[IDN_UNICODE_SIZE];

	if (strcmp(idn_show_brief(ascii, unicode, sizeof unicode), ascii) != 0 &&
		strlen(ascii) < sizeof unicode)
		snprintf(buffer, size, "%s (%s)", unicode, ascii);
	else
		snprintf(buffer, size, "%s", ascii);
	return buffer;
}

/* A label of a name without escapes: what a host, a service or a wildcard is called. */
static bool check_ascii_label(struct idn_span label, char problem[static IDN_PROBLEM_SIZE])
{
	if (label.size > IDN_LABEL_MAX)
		return idn_refuse(problem, label, "has more than 63 characters");
	if (idn_is_prefixed(label.at, label.size))
		return idn_check_alabel(label.at, label.size, problem);
	if (label.size == 1 && label.at[0] == '*')
		return true;
	for (size_t i = 0; i < label.size; i++)
		if (!idn_is_letter_or_digit(label.at[i]) && !strchr("-_/", label.at[i]))
			return idn_refuse(problem, label,
				"has something else than letters, digits, \"-\" and \"_\"");
	return true;
}

/* One label of a name into @ret_ascii; its length, or 0 with a clause in @problem. */
static size_t convert_label(struct idn_span label, char ret_ascii[static IDN_LABEL_SIZE],
	char problem[static IDN_PROBLEM_SIZE])
{
	if (!idn_is_ascii(label))
		return idn_label_to_ascii(label.at, label.size, ret_ascii, problem)
			       ? strlen(ret_ascii)
			       : 0;
	if (!check_ascii_label(label, problem))
		return 0;
	memcpy(ret_ascii, label.at, label.size);
	return label.size;
}

bool idn_to_ascii(const char *name, char ret_ascii[static IDN_ASCII_SIZE],
	char problem[static IDN_PROBLEM_SIZE])
{
	const struct idn_span whole = {name, strlen(name)};
	const char *const end = name + whole.size;
	char ascii[IDN_ASCII_SIZE + IDN_LABEL_SIZE] = ".";
	const char *at = name;
	size_t used = 0;

	if (!idn_is_utf8(name, whole.size))
		return idn_refuse(problem, whole, "is not UTF-8");
	if (whole.size == 0)
		return idn_refuse(problem, whole, "has no label");
	if (idn_dot(name, whole.size) == whole.size) {
		at = end; /* the root */
		used = 1;
	}
	while (at < end) {
		const struct idn_span label = idn_next_label(&at, end);
		size_t length;

		if (label.size == 0)
			return idn_refuse(problem, whole, "has an empty label");
		length = convert_label(label, ascii + used, problem);
		if (length == 0)
			return false;
		used += length;
		if (used > NAME_LENGTH_MAX)
			return idn_refuse(problem, whole, "has more than 253 characters");
		if (at < end)
			ascii[used++] = '.';
		at += idn_dot(at, (size_t)(end - at));
	}
	ascii[used] = '\0';
	if (!idn_check_directions(ascii, problem))
		return false;
	memcpy(ret_ascii, ascii, used + 1);
	return true;
}
