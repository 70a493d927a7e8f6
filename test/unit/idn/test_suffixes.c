/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names that are in use: each internationalised suffix of the Public Suffix List, top-level domains included, as
 * Debian's publicsuffix has it. It is accepted, and comes back as it was written. Skipped without the list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idn/idn.h"

#define LIST    "/usr/share/publicsuffix/public_suffix_list.dat"
#define SKIPPED 77

static bool comes_back(const char *suffix)
{
	char ascii[IDN_ASCII_SIZE] = "";
	char unicode[IDN_UNICODE_SIZE] = "";
	char problem[IDN_PROBLEM_SIZE] = "it comes back as another name";

	if (idn_to_ascii(suffix, ascii, problem) &&
		idn_check_scripts(suffix, strlen(suffix), problem) &&
		strcmp(idn_to_unicode(ascii, unicode, sizeof unicode), suffix) == 0)
		return true;
	printf("%s (%s, %s): %s\n", suffix, ascii, unicode, problem);
	return false;
}

int main(void)
{
	FILE *const list = fopen(LIST, "r");
	char line[1024];
	unsigned good = 0;
	unsigned bad = 0;

	if (!list) {
		printf("no %s; install publicsuffix\n", LIST);
		return SKIPPED;
	}
	while (fgets(line, sizeof line, list)) {
		const char *suffix = line;

		line[strcspn(line, " \t\r\n")] = '\0';
		if (strncmp(line, "//", 2) == 0 || !idn_is_beyond_ascii(line))
			continue;
		suffix += *suffix == '!'; /* an exception from a rule */
		if (comes_back(suffix))
			good++;
		else
			bad++;
	}
	fclose(list);
	printf("%u suffixes come back, %u do not\n", good, bad);
	return good > 200 && bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
