/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/assert.h"
#include "zone/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A name survives being written and read. */
static void check(const uint8_t *name)
{
	char text[NAME_TEXT_SIZE];
	uint8_t offsets[NAME_LABELS_MAX + 1];
	struct name lower = {.size = (uint8_t)name_size(name, NAME_SIZE_MAX)}, back;
	const char *why;

	name_lower(lower.bytes, name, lower.size);
	ASSERT(name_parse(name_format(lower.bytes, text), NULL, &back, &why));
	ASSERT(back.size == lower.size && memcmp(back.bytes, lower.bytes, back.size) == 0);
	ASSERT(name_compare(back.bytes, lower.bytes) == 0);
	ASSERT(name_split(lower.bytes, offsets) == name_labels(lower.bytes));
	ASSERT(name_is_within(lower.bytes, name_parent(lower.bytes)));
}

/* The bytes as a name, and as a name's text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct name origin = {.size = 9, .bytes = "\7example"};
	char text[1024];
	struct name n;
	const char *why = NULL;
	const size_t length = name_size(data, size);

	if (length > 0) {
		uint8_t whole[NAME_SIZE_MAX] = {0};

		ASSERT(length <= size && length <= NAME_SIZE_MAX);
		memcpy(whole, data, length);
		check(whole);
	}
	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (name_parse(text, &origin, &n, &why)) {
		ASSERT(name_size(n.bytes, n.size) == n.size);
		check(n.bytes);
	} else {
		ASSERT(why);
	}
	return 0;
}
