/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "ctl/client.h"
#include "ctl/status_text.h"
#include "ctl/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines of text, and nothing that a terminal would obey. */
static void check_harmless(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const uint8_t byte = (uint8_t)text[i], next = (uint8_t)text[i + 1];

		ASSERT((byte >= ' ' && byte != 0x7f) || byte == '\n');
		ASSERT(byte != 0xc2 || next < 0x80 || next >= 0xa0);
	}
}

/* What the tool makes of a daemon's answer: text, or one line that says what is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = NULL;
	size_t text_size;
	struct paper paper = {.out = open_memstream(&text, &text_size)};
	json_t *document;

	if (!paper.out)
		return 0;
	document = client_read_answer((const char *)data, size, "a socket", paper.out);
	if (document)
		status_text_print(document, &paper);
	json_decref(document);
	fclose(paper.out);
	ASSERT(text_size > 0 && text[text_size - 1] == '\n');
	check_harmless(text, text_size);
	free(text);
	return 0;
}
