/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unicode's conformance vectors for UTS 46 (IdnaTestV2.txt), as Debian's librust-idna-dev has them. Skipped
 * without them. doc/design/0013 explains the differences that are counted here.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistr.h>

#include "idn/idn.h"

#define VECTORS  "/usr/share/cargo/registry/idna-*/tests/IdnaTestV2.txt"
#define SKIPPED  77
#define TEXT_MAX 4096

enum { SOURCE, TO_UNICODE, UNICODE_STATUS, TO_ASCII, ASCII_STATUS, COLUMNS = 7 };

struct counts {
	unsigned agreed, refused, wrong;
	unsigned stricter;  /* refused, though UTS 46 has the character: IDNA2008 has not */
	unsigned laxer;     /* labels in ASCII alone with hyphens that no host name has */
	unsigned root;      /* the root is a name */
	unsigned different; /* in any other way */
};

/* \uXXXX and \x{XXXX} stand for characters. */
static void unescape(const char *from, char to[static TEXT_MAX])
{
	uint8_t *at = (uint8_t *)to;

	while (*from != '\0') {
		unsigned code;
		int used = 0;
		int n = 1;

		if (sscanf(from, "\\u%4x%n", &code, &used) < 1 || used == 0)
			if (sscanf(from, "\\x{%x}%n", &code, &used) < 1)
				used = 0;
		if (used == 0) {
			*at++ = (uint8_t)*from++;
			continue;
		}
		n = u8_uctomb(at, code, 6);
		if (n < 0) { /* a surrogate, which UTF-8 has not: refused as that */
			*at = 0xed;
			n = 1;
		}
		at += n;
		from += used;
	}
	*at = '\0';
}

/* The columns of a line, without blanks around them. False if it is a comment. */
static bool split(char *line, char *columns[static COLUMNS])
{
	char *rest = line;

	line[strcspn(line, "#\r\n")] = '\0';
	for (int i = 0; i < COLUMNS; i++) {
		char *column = strsep(&rest, ";");

		if (!column)
			return false;
		column += strspn(column, " \t");
		for (size_t n = strlen(column); n > 0 && strchr(" \t", column[n - 1]); n--)
			column[n - 1] = '\0';
		columns[i] = column;
	}
	return true;
}

/* Whether of @statuses, such as "[B1, V6]", all that there are begin with one of @first. */
static bool has_only(const char *statuses, const char *first, const char *second)
{
	char copy[TEXT_MAX];
	char *rest = copy;
	const char *status;

	snprintf(copy, sizeof copy, "%s", statuses);
	while ((status = strsep(&rest, "[], ")))
		if (*status != '\0' && strcmp(status, first) != 0 && strcmp(status, second) != 0)
			return false;
	return true;
}

static void judge(char *columns[static COLUMNS], struct counts *c)
{
	static char source[TEXT_MAX], unicode[TEXT_MAX], ascii[TEXT_MAX];
	const char *status = columns[ASCII_STATUS];
	char got[IDN_ASCII_SIZE];
	char shown[IDN_UNICODE_SIZE];
	char problem[IDN_PROBLEM_SIZE];
	bool is_good;

	unescape(columns[SOURCE], source);
	unescape(columns[TO_UNICODE][0] ? columns[TO_UNICODE] : columns[SOURCE], unicode);
	unescape(columns[TO_ASCII], ascii);
	if (ascii[0] == '\0')
		snprintf(ascii, sizeof ascii, "%s", unicode);
	if (status[0] == '\0')
		status = columns[UNICODE_STATUS];
	is_good = status[0] == '\0' || strcmp(status, "[]") == 0;

	if (!idn_to_ascii(source, got, problem)) {
		c->refused += !is_good;
		if (is_good && strstr(problem, "has a character that no name may have"))
			c->stricter++;
		else if (is_good && ++c->different)
			printf("%s is refused: %s\n", columns[SOURCE], problem);
		return;
	}
	if (is_good && strcasecmp(got, ascii) == 0) {
		/* ASCII keeps its case */
		idn_to_unicode(got, shown, sizeof shown);
		if (strcasecmp(shown, unicode) == 0 && ++c->agreed)
			return;
	}
	if (is_good && ++c->wrong)
		printf("%s is %s, not %s\n", columns[SOURCE], got, ascii);
	else if (has_only(status, "V2", "V3"))
		c->laxer++;
	else if (strcmp(got, ".") == 0)
		c->root++;
	else if (++c->different)
		printf("%s is %s, not %s\n", columns[SOURCE], got, status);
}

int main(void)
{
	static char line[TEXT_MAX];
	struct counts c = {0};
	glob_t found;
	FILE *file;

	if (glob(VECTORS, 0, NULL, &found) != 0) {
		printf("no %s; install librust-idna-dev\n", VECTORS);
		return SKIPPED;
	}
	file = fopen(found.gl_pathv[0], "r");
	globfree(&found);
	if (!file)
		return EXIT_FAILURE;
	while (fgets(line, sizeof line, file)) {
		char *columns[COLUMNS];

		if (split(line, columns))
			judge(columns, &c);
	}
	fclose(file);
	printf("%u names agree, %u are refused by both, %u are wrong\n", c.agreed, c.refused,
		c.wrong);
	printf("refused here alone: %u; refused there alone: %u for hyphens in ASCII, %u the "
	       "root\n",
		c.stricter, c.laxer, c.root);
	/* the control: it would show if nothing was compared */
	return c.agreed == 377 && c.refused > 5700 && c.wrong == 0 && c.different == 0 &&
			       c.stricter == 56 && c.laxer == 37 && c.root == 2
		       ? EXIT_SUCCESS
		       : EXIT_FAILURE;
}
