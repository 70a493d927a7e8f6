/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Domain names as DNS carries them: labels with their lengths before them, the root at the end
 * (RFC 1035 3.1). In memory always of lower case (ASCII letters alone, RFC 4343), so that names are
 * equal when their bytes are. Pure; nothing here allocates.
 *
 * A `const uint8_t *name` is a name that name_size() or name_parse() has found to be one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_SIZE_MAX   255 /* RFC 1035 2.3.4, with the root's byte */
#define NAME_LABEL_MAX  63
#define NAME_LABELS_MAX 127
#define NAME_TEXT_SIZE  1024 /* of name_format(): every byte may need an escape \DDD */

/* A name that owns its bytes. */
struct name {
	uint8_t size; /* 1 for the root */
	uint8_t bytes[NAME_SIZE_MAX];
};

/* The size of the name at @bytes, at most @size of them, without compression; 0 if it is none. */
size_t name_size(const uint8_t *bytes, size_t size);

/* How many labels, the root not counted. */
uint32_t name_labels(const uint8_t *name);

/* Where each label begins, the leftmost first, and at last the root. Returns how many labels. */
uint32_t name_split(const uint8_t *name, uint8_t offsets[static NAME_LABELS_MAX + 1]);

/* The name without its first label; of the root, the root. */
const uint8_t *name_parent(const uint8_t *name);

/* Whether its first label is `*` (RFC 4592 2.1.1). */
static inline bool name_is_wildcard(const uint8_t *name)
{
	return name[0] == 1 && name[1] == '*';
}

/* Whether @name is @ancestor or lies below it; both of lower case. */
bool name_is_within(const uint8_t *name, const uint8_t *ancestor);

/* Whether both, of lower case, are the same name. */
bool name_equal(const uint8_t *a, const uint8_t *b);

/* Copies @size bytes to @to, which may be @from, letters in lower case. It leaves label lengths
 * alone, for they are below any letter. */
void name_lower(uint8_t *to, const uint8_t *from, size_t size);

/* Canonical order of names (RFC 4034 6.1): negative, zero or positive; both of lower case. */
int name_compare(const uint8_t *a, const uint8_t *b);

/* From text in ASCII, with \DDD and \X escapes; relative to @origin if it does not end in a dot.
 * @origin may be NULL: then every name is absolute. `@` is the origin. False, with a clause in
 * *@ret_why, if it is no name. */
bool name_parse(
	const char *text, const struct name *origin, struct name *ret_name, const char **ret_why);

/* As a master file writes it, with a final dot. Returns @text. */
char *name_format(const uint8_t *name, char text[static NAME_TEXT_SIZE]);
