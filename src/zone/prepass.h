/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * A master file in UTF-8 becomes one in ASCII that libzscanner takes, line by line:
 *
 *    $ORIGIN пример.рф.                   $ORIGIN xn--e1afmkfd.xn--p1ai.
 *    кафе  MX 10 почта   ; главная   ─►   xn--80akf7b MX 10 xn--80a1acny ;
 *          TXT "привет"                         TXT "\208\191\209\128..."
 *
 * Names, in the fields of RFC 1035 and of the later types that have them, get A-labels (idn.h); the local part
 * in a mail address's name (SOA, RP, MINFO) and any other text gets an escape \DDD for each byte beyond ASCII, so that a string is served as the bytes that were
 * written; comments lose such characters, and lines their CR. Line N of the result is line N of the file, always, so that later
 * messages name the right one. Escapes (\DDD, \X), the case of ASCII and everything that has no byte beyond
 * ASCII is left as it is.
 *
 * The file name of $INCLUDE is escaped like a string; libzscanner gives back its bytes. The included file
 * needs a pass of its own, with the origin that holds there.
 *
 * An A-label that was written as such (xn--) and is none, or not the one that its U-label has, is served as
 * it is, with a warning: it may be an older kind of name, which somebody asks for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREPASS_PROBLEM_SIZE 512

struct prepass_problem {
	bool is_error;                   /* or a warning */
	uint32_t line;                   /* from 1 */
	char text[PREPASS_PROBLEM_SIZE]; /* a sentence without the place */
};

/* Is told each problem, by rising line; at most PREPASS_PROBLEMS_MAX errors, after which the pass ends, and as many
 * warnings. */
typedef void prepass_tell_fn(void *context, const struct prepass_problem *problem);

#define PREPASS_PROBLEMS_MAX 20

struct prepass_input {
	const char *text; /* one file's; need not end with NUL */
	size_t size;
	/* The origin that holds at its start, in A-labels or U-labels, or NULL: a rule about writing directions
	 * is one for whole names (RFC 5893 2). */
	const char *origin;
	prepass_tell_fn *tell; /* may be NULL */
	void *context;
};

/* Whether there is anything to do: a byte beyond ASCII, an A-label to be verified, or lines that end in CR LF, which
 * libzscanner refuses. If not, the text can be given to it as it is; zones of a million names are spared a copy. */
bool prepass_is_needed(const char *text, size_t size);

/* The text in ASCII, ended by NUL, of *@ret_size bytes, to be freed; NULL if there was an error or no memory,
 * which is told like one. */
char *prepass_run(const struct prepass_input *in, size_t *ret_size);
