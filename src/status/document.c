/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "status/document.h"

#include <stdlib.h>

/* Times are told in whole milliseconds; twelve digits hold thirty years of them. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(12))

void document_put(json_t **object, const char *key, json_t *value)
{
	if (*object && json_object_set_new(*object, key, value) == 0)
		return;
	if (!*object)
		json_decref(value);
	json_decref(*object);
	*object = NULL;
}

void document_append(json_t **array, json_t *value)
{
	if (*array && json_array_append_new(*array, value) == 0)
		return;
	if (!*array)
		json_decref(value);
	json_decref(*array);
	*array = NULL;
}

json_t *document_number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

json_t *document_seconds(tick span)
{
	return json_real((double)tick_to_ms(span) / 1e3);
}

char *document_text(json_t *document)
{
	/* not json_dumps(): jansson 2.14 leaves out a key for which its buffer can't grow */
	const size_t size = document ? json_dumpb(document, NULL, 0, DUMP_FLAGS) : 0;
	char *text = size > 0 ? malloc(size + 1) : NULL;

	if (text && json_dumpb(document, text, size, DUMP_FLAGS) == size) {
		text[size] = '\0';
	} else {
		free(text);
		text = NULL;
	}
	json_decref(document);
	return text;
}
