/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "idn/idn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A name in A-labels stays what it is, is shown, and comes back from what is shown. */
static void check_ascii(const char *ascii)
{
	char again[IDN_ASCII_SIZE];
	char unicode[IDN_UNICODE_SIZE];
	char problem[IDN_PROBLEM_SIZE];

	ASSERT(strlen(ascii) > 0 && strlen(ascii) < IDN_ASCII_SIZE);
	ASSERT(strspn(ascii,
		       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/*.") ==
		strlen(ascii));
	ASSERT(idn_to_ascii(ascii, again, problem) && strcmp(again, ascii) == 0);
	idn_to_unicode(ascii, unicode, sizeof unicode);
	ASSERT(idn_is_utf8(unicode, strlen(unicode)));
	ASSERT(idn_to_ascii(unicode, again, problem) && strcasecmp(again, ascii) == 0);
}

/* A name, as somebody wrote it or as a terminal is to show it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1);
	char ascii[IDN_ASCII_SIZE];
	char shown[64];
	char problem[IDN_PROBLEM_SIZE];

	if (!name)
		return 0;
	memcpy(name, data, size);
	name[size] = '\0';
	if (idn_to_ascii(name, ascii, problem))
		check_ascii(ascii);
	else
		ASSERT(problem[0] != '\0' && idn_is_utf8(problem, strlen(problem)));
	ASSERT(strlen(idn_to_unicode(name, shown, sizeof shown)) < sizeof shown);
	free(name);
	return 0;
}
