/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/prepass.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "idn/idn.h"
#include "zone/name.h"

/* Bytes of a text. */
struct span {
	const char *at;
	size_t size;
};

/* What a field of a record is. */
enum field { FIELD_TEXT, FIELD_NAME, FIELD_MAILBOX };

/* One file's pass. */
struct pass {
	const struct prepass_input *in;
	const char *at, *end;
	uint32_t line;
	uint32_t depth; /* of parentheses: a record goes on behind the line's end */
	uint32_t n_errors, n_warnings;
	char origin[NAME_TEXT_SIZE]; /* in A-labels; "": not known */
	char *out;
	size_t used, room;
	bool failed; /* no memory */
};

/*
 * The types whose data has names, and where: `n` is a name, `m` one that begins with the local part of a mail
 * address, `-` anything else, and `+` says that the last goes on. A type that is not here has none.
 */
static const struct {
	uint16_t number; /* of TYPEn (RFC 3597 5) */
	const char *name, *fields;
} types[] = {
	{2, "NS", "n"},
	{3, "MD", "n"},
	{4, "MF", "n"},
	{5, "CNAME", "n"},
	{6, "SOA", "nm"},
	{7, "MB", "n"},
	{8, "MG", "n"},
	{9, "MR", "n"},
	{12, "PTR", "n"},
	{14, "MINFO", "mm"},
	{15, "MX", "-n"},
	{17, "RP", "mn"},
	{18, "AFSDB", "-n"},
	{21, "RT", "-n"},
	{23, "NSAP-PTR", "n"},
	{24, "SIG", "-------n"},
	{26, "PX", "-nn"},
	{30, "NXT", "n"},
	{33, "SRV", "---n"},
	{35, "NAPTR", "-----n"},
	{36, "KX", "-n"},
	{39, "DNAME", "n"},
	{45, "IPSECKEY", "---n"},
	{46, "RRSIG", "-------n"},
	{47, "NSEC", "n"},
	{55, "HIP", "---n+"},
	{58, "TALINK", "nn"},
	{64, "SVCB", "-n"},
	{65, "HTTPS", "-n"},
	{66, "DSYNC", "---n"},
	{107, "LP", "-n"},
	{260, "AMTRELAY", "---n"},
};

static bool is_ascii(struct span s)
{
	unsigned char all = 0;

	for (size_t i = 0; i < s.size; i++)
		all |= (unsigned char)s.at[i];
	return all < 0x80;
}

static bool is_word(struct span s, const char *word)
{
	return s.size == strlen(word) && strncasecmp(s.at, word, s.size) == 0;
}

__attribute__((format(printf, 3, 4))) static void tell(
	struct pass *p, bool is_error, const char *format, ...)
{
	struct prepass_problem problem = {.is_error = is_error, .line = p->line};
	va_list arguments;

	uint32_t *const n = is_error ? &p->n_errors : &p->n_warnings;

	if ((*n)++ >= PREPASS_PROBLEMS_MAX || !p->in->tell)
		return;
	va_start(arguments, format);
	vsnprintf(problem.text, sizeof problem.text, format, arguments);
	va_end(arguments);
	p->in->tell(p->in->context, &problem);
}

static void put(struct pass *p, const char *bytes, size_t size)
{
	if (p->room - p->used < size && !p->failed) {
		const size_t room = 2 * p->room + size;
		char *const out = realloc(p->out, room);

		p->failed = !out;
		if (out) {
			p->out = out;
			p->room = room;
		}
	}
	if (p->failed)
		return;
	memcpy(p->out + p->used, bytes, size);
	p->used += size;
}

/* The bytes of a text, those beyond ASCII as \DDD (RFC 1035 5.1). */
static void put_text(struct pass *p, struct span text)
{
	for (size_t i = 0; i < text.size; i++) {
		const char c = text.at[i];
		const char next = i + 1 < text.size ? text.at[i + 1] : '\0';
		char escape[5];

		if ((unsigned char)c >= 0x80) {
			snprintf(escape, sizeof escape, "\\%03u", (unsigned char)c);
			put(p, escape, 4);
		} else if (c == '\\' && (unsigned char)next >= 0x80) {
			/* \X stands for X, and so does the escape of its bytes */
		} else if (c == '\\' && next != '\0') {
			put(p, text.at + i++, 2);
		} else if (c != '\r' || (next != '\n' && next != '\r')) {
			put(p, &c, 1);
		}
	}
}

/* Bytes that are none of UTF-8 are of some other character set, and nobody knows which. */
static bool check_utf8(struct pass *p, struct span text)
{
	if (is_ascii(text) || idn_is_utf8(text.at, text.size))
		return true;
	tell(p, true,
		"a byte that is no UTF-8; save the file as UTF-8, or write the byte as \\DDD");
	return false;
}

/* What word processors make of a quote is a character like others. */
static void check_quotes(struct pass *p, struct span text)
{
	static const char *const quotes[] = {"\u201c", "\u201d", "\u201e"};

	for (size_t i = 0; i < ARRAY_SIZE(quotes); i++)
		if (text.size >= 3 && memcmp(text.at, quotes[i], 3) == 0)
			tell(p, false, "%s begins no text in quotes; only \" does", quotes[i]);
}

static void take_text(struct pass *p, struct span text)
{
	if (check_utf8(p, text))
		check_quotes(p, text);
	put_text(p, text);
}

/* The label that begins at *@at, which is moved to what ends it; only ASCII's own dot ends a local part. */
static struct span next_label(const char **at, const char *end, bool is_local_part)
{
	struct span label = {.at = *at};

	while (*at < end && (is_local_part ? **at != '.' : idn_dot(*at, (size_t)(end - *at)) == 0))
		*at += **at == '\\' && end - *at > 1 ? 2 : 1;
	label.size = (size_t)(*at - label.at);
	return label;
}

/* One label of a name, whether it is one beyond ASCII or not. False, and told, if it is none. */
static bool take_label(struct pass *p, struct span label)
{
	char problem[IDN_PROBLEM_SIZE];
	char ascii[IDN_LABEL_SIZE];
	const bool escapes = memchr(label.at, '\\', label.size) != NULL;

	if (is_ascii(label)) {
		if (idn_is_prefixed(label.at, label.size) && !escapes &&
			!idn_check_alabel(label.at, label.size, problem))
			tell(p, false, "%s; it is served as it is", problem);
		put(p, label.at, label.size);
		return true;
	}
	if (escapes) {
		tell(p, true,
			"\"%.*s\" has an escape beside characters beyond ASCII; write all of them "
			"as they are, or all as \\DDD",
			(int)(label.size < 80 ? label.size : 0), label.at);
		return false;
	}
	if (!idn_label_to_ascii(label.at, label.size, ascii, problem) ||
		!idn_check_scripts(label.at, label.size, problem)) {
		tell(p, true, "%s", problem);
		return false;
	}
	put(p, ascii, strlen(ascii));
	return true;
}

/* A name's directions, in its place below the origin. @ascii is what it has become, @name as it was. */
static void check_directions(struct pass *p, struct span ascii, struct span name)
{
	const bool is_absolute = ascii.size > 0 && ascii.at[ascii.size - 1] == '.';
	char problem[IDN_PROBLEM_SIZE];
	char whole[2 * NAME_TEXT_SIZE];

	if (ascii.size >= NAME_TEXT_SIZE)
		return; /* the scanner refuses it */
	snprintf(whole, sizeof whole, "%.*s%s%s", (int)ascii.size, ascii.at, is_absolute ? "" : ".",
		is_absolute ? "" : p->origin);
	if (idn_check_directions(whole, problem))
		return;
	if (is_ascii(name))
		tell(p, false, "%s; it is served as it is", problem);
	else
		tell(p, true, "%s", problem);
}

static bool has_idn(struct span name)
{
	const char *const end = name.at + name.size;
	bool found = !is_ascii(name);

	for (const char *at = name.at; at < end && !found; at++) {
		const struct span label = next_label(&at, end, false);

		found = idn_is_prefixed(label.at, label.size);
	}
	return found;
}

/* A name in A-labels. */
static void take_name(struct pass *p, struct span name, enum field field)
{
	const char *const end = name.at + name.size;
	const char *at = name.at;
	size_t first;
	bool good;

	if (!has_idn(name)) {
		put(p, name.at, name.size);
		return;
	}
	good = check_utf8(p, name);
	if (good && memchr(name.at, '"', name.size)) {
		tell(p, true, "a name has no quotes around it");
		good = false;
	}
	if (field == FIELD_MAILBOX) {
		/* a local part is no label of a host, and has any characters (RFC 6531) */
		put_text(p, next_label(&at, end, true));
		if (at < end)
			put(p, at++, 1);
	}
	first = p->used;
	while (at < end && good) {
		good = take_label(p, next_label(&at, end, false));
		if (at < end)
			put(p, ".", 1);
		at += idn_dot(at, (size_t)(end - at));
	}
	if (good && !p->failed)
		check_directions(p, (struct span){p->out + first, p->used - first}, name);
}

/* What ends a word, outside quotes. */
static bool is_delimiter(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' || c == '(' || c == ')';
}

/* The word at p->at, which is moved behind it. A text in quotes ends with its line, except in parentheses. */
static struct span take_word(struct pass *p)
{
	struct span word = {.at = p->at};
	bool quoted = false;

	while (p->at < p->end) {
		const char c = *p->at;

		if (quoted ? c == '\n' && p->depth == 0 : is_delimiter(c))
			break;
		if (c == '"')
			quoted = !quoted;
		p->line += c == '\n';
		p->at += c == '\\' && p->end - p->at > 1 && p->at[1] != '\n' ? 2 : 1;
	}
	word.size = (size_t)(p->at - word.at);
	return word;
}

/* A comment, without what is beyond ASCII. */
static void take_comment(struct pass *p)
{
	for (; p->at < p->end && *p->at != '\n'; p->at++)
		if ((unsigned char)*p->at < 0x80 && *p->at != '\r')
			put(p, p->at, 1);
}

/* To the next word of the record, if it has one; otherwise behind its last line. */
static bool find_word(struct pass *p)
{
	while (p->at < p->end) {
		const char c = *p->at;

		if (c == ';') {
			take_comment(p);
			continue;
		}
		if (!is_delimiter(c))
			return true;
		p->at++;
		if (c == '\r' && p->at < p->end && (*p->at == '\n' || *p->at == '\r'))
			continue; /* libzscanner takes no CR LF */
		put(p, &c, 1);
		p->depth += c == '(';
		p->depth -= c == ')' && p->depth > 0;
		p->line += c == '\n';
		if (c == '\n' && p->depth == 0)
			return false;
	}
	return false;
}

/* The number of TYPEn, or 0. */
static uint32_t type_number(struct span word)
{
	uint32_t number = 0;

	if (word.size < 5 || word.size > 9 || strncasecmp(word.at, "TYPE", 4) != 0)
		return 0;
	for (size_t i = 4; i < word.size; i++)
		number = 10 * number + (uint32_t)(word.at[i] - '0');
	return number;
}

/* Where the names are in the data of the type that is called @word. */
static const char *find_fields(struct span word)
{
	const uint32_t number = type_number(word);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (number == types[i].number || is_word(word, types[i].name))
			return types[i].fields;
	return "";
}

/* TTL and class come before the type, in either order, and may be missing (RFC 1035 5.1). */
static bool is_ttl_or_class(struct span word)
{
	return (word.at[0] >= '0' && word.at[0] <= '9') || is_word(word, "IN") ||
	       is_word(word, "CH") || is_word(word, "HS") || is_word(word, "ANY") ||
	       is_word(word, "NONE") || (word.size > 5 && strncasecmp(word.at, "CLASS", 5) == 0);
}

/* All words of a record's data, the i-th as fields[i] says. */
static void take_data(struct pass *p, const char *fields)
{
	while (find_word(p)) {
		const struct span word = take_word(p);
		enum field field = FIELD_TEXT;

		if (*fields == 'n')
			field = FIELD_NAME;
		else if (*fields == 'm')
			field = FIELD_MAILBOX;
		if (field == FIELD_TEXT)
			take_text(p, word);
		else
			take_name(p, word, field);
		if (*fields != '\0' && fields[1] != '+')
			fields++;
	}
}

/* What comes behind the owner. */
static void take_record(struct pass *p)
{
	while (find_word(p)) {
		const struct span word = take_word(p);

		if (check_utf8(p, word) && !is_ascii(word))
			tell(p, true, "\"%.*s\" is no TTL, class or type",
				(int)(word.size < 80 ? word.size : 0), word.at);
		put_text(p, word);
		if (!is_ttl_or_class(word)) {
			take_data(p, find_fields(word));
			return;
		}
	}
}

/* A name that others are relative to. Letters that the scanner wrote as \DDD become readable. */
static void set_origin(struct pass *p, struct span name)
{
	size_t used = 0;

	p->origin[0] = '\0';
	if (name.size >= sizeof p->origin)
		return;
	for (size_t i = 0; i < name.size; i++) {
		char c = name.at[i];

		if (c == '\\' && i + 3 < name.size) {
			const char digits[] = {
				name.at[i + 1], name.at[i + 2], name.at[i + 3], '\0'};
			const unsigned code = (unsigned)strtoul(digits, NULL, 10);

			if (code > ' ' && code < 0x7f && code != '.' && code != '\\') {
				c = (char)code;
				i += 3;
			}
		}
		p->origin[used++] = c;
	}
	p->origin[used] = '\0';
}

/* $ORIGIN NAME, $INCLUDE FILE NAME, and others, which have no names. */
static void take_directive(struct pass *p)
{
	const struct span word = take_word(p);
	const bool is_origin = is_word(word, "$ORIGIN");
	size_t first;

	take_text(p, word);
	if (is_word(word, "$INCLUDE"))
		return take_data(p, "-n");
	if (!is_origin)
		return take_data(p, "");
	if (!find_word(p))
		return;
	first = p->used;
	take_name(p, take_word(p), FIELD_NAME);
	if (!p->failed)
		set_origin(p, (struct span){p->out + first, p->used - first});
	take_data(p, "");
}

/* From the begin of a line that no parentheses hold to the one before. */
static void take_entry(struct pass *p)
{
	p->depth = 0;
	if (*p->at == '$')
		return take_directive(p);
	if (!is_delimiter(*p->at))
		take_name(p, take_word(p), FIELD_NAME);
	take_record(p);
}

bool prepass_is_needed(const char *text, size_t size)
{
	const char *const end = text + size;

	if (!is_ascii((struct span){text, size}) || memchr(text, '\r', size))
		return true;
	for (const char *at = text; (at = memmem(at, (size_t)(end - at), "--", 2)); at++)
		if (at - text >= 2 && idn_is_prefixed(at - 2, 4))
			return true;
	return false;
}

/* The origin that the caller gives, which may have U-labels. */
static void init_origin(struct pass *p)
{
	char problem[IDN_PROBLEM_SIZE];
	char ascii[IDN_ASCII_SIZE];

	if (!p->in->origin)
		return;
	if (idn_is_beyond_ascii(p->in->origin) && idn_to_ascii(p->in->origin, ascii, problem))
		set_origin(p, (struct span){ascii, strlen(ascii)});
	else
		set_origin(p, (struct span){p->in->origin, strlen(p->in->origin)});
}

char *prepass_run(const struct prepass_input *in, size_t *ret_size)
{
	static const char mark[] = "\ufeff"; /* of byte order, which some editors put first */
	struct pass p = {
		.in = in,
		.at = in->text,
		.end = in->text + in->size,
		.line = 1,
		.room = in->size + in->size / 2 + 64,
	};

	p.out = malloc(p.room);
	p.failed = !p.out;
	init_origin(&p);
	if (in->size >= 3 && memcmp(in->text, mark, 3) == 0)
		p.at += 3;
	while (p.at < p.end && !p.failed && p.n_errors < PREPASS_PROBLEMS_MAX)
		take_entry(&p);
	put(&p, "", 1);
	if (p.failed)
		tell(&p, true, "there is no memory for it");
	if (p.n_errors > 0) {
		free(p.out);
		return NULL;
	}
	*ret_size = p.used - 1;
	return p.out;
}
