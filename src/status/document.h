/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * JSON documents are built straight through and judged once: a value that could not be made (NULL: there is no memory)
 * turns the whole that it was to be put into to NULL. All values given are taken over.
 */

#include <jansson.h>
#include <stdint.h>

#include "base/tick.h"

void document_put(json_t **object, const char *key, json_t *value);
void document_append(json_t **array, json_t *value);

json_t *document_number(uint64_t n);
json_t *document_seconds(tick span); /* in whole milliseconds */

/* Its text on one line, to be freed; NULL if there is no memory. The document is gone. */
char *document_text(json_t *document);
