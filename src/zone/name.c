/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/name.h"

#include <string.h>

#include "base/assert.h"

size_t name_size(const uint8_t *bytes, size_t size)
{
	const size_t most = size < NAME_SIZE_MAX ? size : NAME_SIZE_MAX;
	size_t at = 0;

	while (at < most && bytes[at] != 0) {
		if (bytes[at] > NAME_LABEL_MAX)
			return 0;
		at += 1u + bytes[at];
	}
	return at < most ? at + 1 : 0;
}

uint32_t name_labels(const uint8_t *name)
{
	uint32_t n = 0;

	for (; *name != 0; name += 1 + *name)
		n++;
	return n;
}

uint32_t name_split(const uint8_t *name, uint8_t offsets[static NAME_LABELS_MAX + 1])
{
	uint32_t n = 0;
	size_t at = 0;

	for (; name[at] != 0; at += 1u + name[at]) {
		ASSERT(n < NAME_LABELS_MAX);
		offsets[n++] = (uint8_t)at;
	}
	offsets[n] = (uint8_t)at;
	return n;
}

const uint8_t *name_parent(const uint8_t *name)
{
	return *name == 0 ? name : name + 1 + *name;
}

bool name_equal(const uint8_t *a, const uint8_t *b)
{
	const size_t size = name_size(a, NAME_SIZE_MAX);

	return size == name_size(b, NAME_SIZE_MAX) && memcmp(a, b, size) == 0;
}

bool name_is_within(const uint8_t *name, const uint8_t *ancestor)
{
	const uint32_t n = name_labels(name), n_ancestor = name_labels(ancestor);

	if (n < n_ancestor)
		return false;
	for (uint32_t i = n; i > n_ancestor; i--)
		name = name_parent(name);
	return name_equal(name, ancestor);
}

void name_lower(uint8_t *to, const uint8_t *from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const uint8_t c = from[i];

		to[i] = (uint8_t)(c - 'A') < 26 ? (uint8_t)(c | 0x20) : c;
	}
}

int name_compare(const uint8_t *a, const uint8_t *b)
{
	uint8_t at_a[NAME_LABELS_MAX + 1], at_b[NAME_LABELS_MAX + 1];
	uint32_t n_a = name_split(a, at_a), n_b = name_split(b, at_b);

	while (n_a > 0 && n_b > 0) {
		const uint8_t *label_a = a + at_a[--n_a], *label_b = b + at_b[--n_b];
		const size_t least = *label_a < *label_b ? *label_a : *label_b;
		const int order = memcmp(label_a + 1, label_b + 1, least);

		if (order != 0)
			return order;
		if (*label_a != *label_b)
			return *label_a < *label_b ? -1 : 1;
	}
	return (n_a > 0) - (n_b > 0);
}

/* One character of a label, escaped or not. False if it is none. */
static bool parse_character(const char **text, uint8_t *ret_byte, const char **ret_why)
{
	const char *p = *text;
	unsigned value = 0;

	if (*p != '\\') {
		if (*p <= ' ' || *p > '~') {
			*ret_why = "it has a character that must be written as \\DDD";
			return false;
		}
		*ret_byte = (uint8_t)*p;
		*text = p + 1;
		return true;
	}
	p++;
	if (*p < '0' || *p > '9') {
		if (*p <= ' ' || *p > '~') {
			*ret_why = "nothing that can be escaped follows the backslash";
			return false;
		}
		*ret_byte = (uint8_t)*p;
		*text = p + 1;
		return true;
	}
	for (int i = 0; i < 3; i++, p++) {
		if (*p < '0' || *p > '9') {
			*ret_why = "a backslash and a digit need two more digits";
			return false;
		}
		value = value * 10 + (unsigned)(*p - '0');
	}
	if (value > UINT8_MAX) {
		*ret_why = "an escape \\DDD goes from \\000 to \\255";
		return false;
	}
	*ret_byte = (uint8_t)value;
	*text = p;
	return true;
}

/* One label, and the dot after it if there is one, which *@ret_dot says. */
static bool parse_label(const char **text, struct name *name, bool *ret_dot, const char **ret_why)
{
	const size_t start = name->size;
	size_t at = start + 1;

	while (**text != '\0' && **text != '.') {
		uint8_t byte;

		if (!parse_character(text, &byte, ret_why))
			return false;
		if (at - start > NAME_LABEL_MAX) {
			*ret_why = "a label has more than 63 bytes";
			return false;
		}
		if (at >= NAME_SIZE_MAX - 1) { /* the root's byte is to come */
			*ret_why = "it has more than 255 bytes";
			return false;
		}
		name->bytes[at++] = byte;
	}
	if (at == start + 1) {
		*ret_why = "it has an empty label";
		return false;
	}
	*ret_dot = **text == '.';
	*text += *ret_dot;
	name->bytes[start] = (uint8_t)(at - start - 1);
	name->size = (uint8_t)at;
	return true;
}

bool name_parse(
	const char *text, const struct name *origin, struct name *ret_name, const char **ret_why)
{
	static const struct name root = {.size = 1};
	struct name name = {0};
	bool absolute = false;

	if (!origin)
		origin = &root;
	if (*text == '\0') {
		*ret_why = "it is empty";
		return false;
	}
	if (strcmp(text, "@") == 0) {
		*ret_name = *origin;
		return true;
	}
	if (strcmp(text, ".") == 0) {
		*ret_name = root;
		return true;
	}
	while (*text != '\0') {
		if (!parse_label(&text, &name, &absolute, ret_why))
			return false;
	}
	if (absolute)
		origin = &root;
	if ((size_t)name.size + origin->size > NAME_SIZE_MAX) {
		*ret_why = "it has more than 255 bytes";
		return false;
	}
	memcpy(name.bytes + name.size, origin->bytes, origin->size);
	name.size = (uint8_t)(name.size + origin->size);
	name_lower(name.bytes, name.bytes, name.size);
	*ret_name = name;
	return true;
}

/* Readers of master files differ in which characters they take as they are; these they all do. */
static bool is_plain(uint8_t byte)
{
	return (uint8_t)(byte - '0') < 10 || (uint8_t)((byte | 0x20) - 'a') < 26 ||
	       strchr("-_*/", byte);
}

/* One byte of a label as text; returns where the next goes. */
static char *format_byte(char *to, uint8_t byte)
{
	if (byte <= ' ' || byte > '~') {
		*to++ = '\\';
		*to++ = (char)('0' + byte / 100);
		*to++ = (char)('0' + byte / 10 % 10);
		*to++ = (char)('0' + byte % 10);
		return to;
	}
	if (!is_plain(byte))
		*to++ = '\\';
	*to++ = (char)byte;
	return to;
}

char *name_format(const uint8_t *name, char text[static NAME_TEXT_SIZE])
{
	char *to = text;

	if (*name == 0)
		*to++ = '.';
	for (; *name != 0; name += 1 + *name) {
		for (uint8_t i = 1; i <= *name; i++)
			to = format_byte(to, name[i]);
		*to++ = '.';
	}
	*to = '\0';
	ASSERT(to < text + NAME_TEXT_SIZE);
	return text;
}
