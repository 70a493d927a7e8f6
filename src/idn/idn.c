/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "idn/idn.h"

#include <idn2.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>
#include <uniwidth.h>

#define LABEL_MAX       (IDN_LABEL_SIZE - 1)
#define NAME_LENGTH_MAX (IDN_ASCII_SIZE - 3)

/* More bytes of UTF-8 than any label of 63 characters comes from, with mapping at its worst. */
#define INPUT_MAX 1024

#define QUOTE_MAX 60

#define LOOKUP_FLAGS (IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)

struct span {
	const char *at;
	size_t size;
};

/* ASCII's, in any locale. */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter_or_digit(char c)
{
	return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
}

bool idn_is_prefixed(const char *label, size_t size)
{
	return size >= 4 && lower(label[0]) == 'x' && lower(label[1]) == 'n' && label[2] == '-' &&
	       label[3] == '-';
}

static bool is_ascii(struct span s)
{
	for (size_t i = 0; i < s.size; i++)
		if ((unsigned char)s.at[i] >= 0x80)
			return false;
	return true;
}

bool idn_is_utf8(const char *text, size_t size)
{
	return u8_check((const uint8_t *)text, size) == NULL;
}

size_t idn_dot(const char *text, size_t size)
{
	static const char *const dots[] = {"\u3002", "\uff0e", "\uff61"};

	if (size > 0 && text[0] == '.')
		return 1;
	for (size_t i = 0; i < sizeof dots / sizeof *dots; i++)
		if (size >= 3 && memcmp(text, dots[i], 3) == 0)
			return 3;
	return 0;
}

/* The label that begins at *@at, which is moved to what ends it. */
static struct span next_label(const char **at, const char *end)
{
	struct span label = {.at = *at};

	while (*at < end && idn_dot(*at, (size_t)(end - *at)) == 0)
		*at += **at == '\\' && end - *at > 1 ? 2 : 1;
	label.size = (size_t)(*at - label.at);
	return label;
}

bool idn_has_dot(const char *name)
{
	const char *const end = name + strlen(name);
	const char *at = name;

	next_label(&at, end);
	return at < end;
}

bool idn_is_beyond_ascii(const char *name)
{
	const struct span whole = {name, strlen(name)};
	const char *const end = name + whole.size;

	for (const char *at = name; at < end; at += idn_dot(at, (size_t)(end - at))) {
		const struct span label = next_label(&at, end);

		if (!is_ascii(label) || idn_is_prefixed(label.at, label.size))
			return true;
	}
	return !is_ascii(whole);
}

/* `"label" REASON`, with nothing that could steer a terminal, and not longer than can be read. */
__attribute__((format(printf, 3, 4))) static bool refuse(
	char problem[static IDN_PROBLEM_SIZE], struct span label, const char *reason, ...)
{
	const bool whole = label.size <= QUOTE_MAX;
	size_t used = 0;
	va_list arguments;

	problem[used++] = '"';
	for (size_t i = 0; i < label.size;) {
		const uint8_t *const c = (const uint8_t *)label.at + i;
		ucs4_t code;
		const int n = u8_mbtoucr(&code, c, label.size - i);

		if (n <= 0 || used + (size_t)n > QUOTE_MAX)
			break;
		if (uc_is_general_category_withtable(code, UC_CATEGORY_MASK_C))
			problem[used++] = '?';
		else
			for (int k = 0; k < n; k++)
				problem[used++] = (char)c[k];
		i += (size_t)n;
	}
	used += (size_t)snprintf(problem + used, IDN_PROBLEM_SIZE - used, whole ? "\" " : "...\" ");
	va_start(arguments, reason);
	vsnprintf(problem + used, IDN_PROBLEM_SIZE - used, reason, arguments);
	va_end(arguments);
	return false;
}

static const char *describe(int status)
{
	switch (status) {
	case IDN2_LEADING_COMBINING: return "begins with a combining mark";
	case IDN2_CONTEXTJ:
	case IDN2_CONTEXTJ_NO_RULE:
	case IDN2_CONTEXTO:
	case IDN2_CONTEXTO_NO_RULE:
		return "has a character that needs others around it (RFC 5892, A)";
	case IDN2_BIDI: return "mixes directions of writing (RFC 5893, 2)";
	case IDN2_2HYPHEN: return "has hyphens in its third and fourth place, as A-labels have";
	case IDN2_HYPHEN_STARTEND: return "begins or ends with a hyphen";
	case IDN2_TOO_BIG_DOMAIN:
	case IDN2_TOO_BIG_LABEL:
	case IDN2_PUNYCODE_BIG_OUTPUT: return "has more than 63 characters as an A-label";
	case IDN2_DISALLOWED:
	case IDN2_DOT_IN_LABEL:
	case IDN2_INVALID_NONTRANSITIONAL: return "has a character that no name may have";
	case IDN2_UNASSIGNED: return "has a character that Unicode does not know";
	case IDN2_NFC:
	case IDN2_NOT_NFC: return "is not in Unicode's normal form C";
	case IDN2_PUNYCODE_BAD_INPUT:
	case IDN2_PUNYCODE_OVERFLOW:
	case IDN2_INVALID_ALABEL:
	case IDN2_UALABEL_MISMATCH:
	case IDN2_ALABEL_ROUNDTRIP_FAILED: return "is no A-label";
	case IDN2_MALLOC: return "finds no memory";
	default: return idn2_strerror(status);
	}
}

/* The first character of @label that is refused wherever it stands, or 0. */
static ucs4_t find_disallowed(struct span label)
{
	for (size_t i = 0; i < label.size;) {
		const uint8_t *const c = (const uint8_t *)label.at + i;
		uint8_t alone[8] = "a";
		uint8_t *ascii = NULL;
		ucs4_t code;
		const int n = u8_mbtoucr(&code, c, label.size - i);
		int status;

		if (n <= 0)
			return 0;
		memcpy(alone + 1, c, (size_t)n);
		status = idn2_lookup_u8(alone, &ascii, LOOKUP_FLAGS);
		idn2_free(ascii);
		if (status == IDN2_DISALLOWED || status == IDN2_UNASSIGNED)
			return code;
		i += (size_t)n;
	}
	return 0;
}

/* What is wrong, in words that help whoever wrote it. */
static bool refuse_status(char problem[static IDN_PROBLEM_SIZE], struct span label, int status)
{
	ucs4_t code = 0;

	if (status == IDN2_DISALLOWED || status == IDN2_UNASSIGNED)
		code = find_disallowed(label);
	/* what mapping brought in, such as the stroke of U+2100, breaks the A-label that comes of it */
	if (describe(status) == describe(IDN2_INVALID_ALABEL) &&
		!idn_is_prefixed(label.at, label.size))
		status = IDN2_DISALLOWED;
	if (code == 0)
		return refuse(problem, label, "%s", describe(status));
	return refuse(problem, label, "%s: U+%04X", describe(status), (unsigned)code);
}

/* A label in lower case and ASCII that begins with xn--: whether it may be registered (RFC 5891 4.2). */
static int check_registrable(const char *alabel)
{
	uint8_t *same = NULL;
	const int status = idn2_register_u8(NULL, (const uint8_t *)alabel, &same, 0);

	idn2_free(same);
	return status;
}

/* The first ASCII character that no label beyond ASCII has beside others (RFC 5890 2.3.2.1), or 0. The
 * flag of libidn2 for it, USE_STD3_ASCII_RULES, drops such characters and says nothing (2.3.3). */
static char find_foreign_ascii(const char *label, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)label[i] < 0x80 && !is_letter_or_digit(label[i]) &&
			label[i] != '-')
			return label[i];
	return '\0';
}

/* What is wrong with the outcome of the mapping: an A-label, or a label that came down to ASCII, such as
 * one in full width. */
static const char *find_ascii_problem(const char *label, size_t size)
{
	if (size == 0)
		return "has no character that counts";
	if (size > LABEL_MAX)
		return describe(IDN2_TOO_BIG_LABEL);
	if (find_foreign_ascii(label, size) != '\0')
		return describe(IDN2_DISALLOWED);
	if (idn_is_prefixed(label, size)) {
		const int status = check_registrable(label);

		return status == IDN2_OK ? NULL : describe(status);
	}
	if (label[0] == '-' || label[size - 1] == '-')
		return describe(IDN2_HYPHEN_STARTEND);
	return size >= 4 && label[2] == '-' && label[3] == '-' ? describe(IDN2_2HYPHEN) : NULL;
}

/* A no-break space and its like, which nobody sees; or 0. */
static ucs4_t find_blank(struct span label)
{
	ucs4_t code;

	for (size_t i = 0; i < label.size;) {
		const int n = u8_mbtoucr(&code, (const uint8_t *)label.at + i, label.size - i);

		if (n <= 0)
			break;
		if (uc_is_general_category_withtable(code, UC_CATEGORY_MASK_Z))
			return code;
		i += (size_t)n;
	}
	return 0;
}

/* Before any mapping. */
static bool check_text(struct span label, char problem[static IDN_PROBLEM_SIZE])
{
	const char foreign = find_foreign_ascii(label.at, label.size);

	if (!idn_is_utf8(label.at, label.size))
		return refuse(problem, label, "is not UTF-8");
	if (label.size > INPUT_MAX)
		return refuse(problem, label, "%s", describe(IDN2_TOO_BIG_LABEL));
	if (foreign > ' ' && foreign < 0x7f)
		return refuse(problem, label,
			"has \"%c\" beside characters beyond ASCII; they go with letters, digits "
			"and \"-\" alone",
			foreign);
	if (find_blank(label) > ' ')
		return refuse(problem, label, "has a blank that is none in ASCII: U+%04X",
			(unsigned)find_blank(label));
	if (memchr(label.at, '\0', label.size) || foreign != '\0')
		return refuse(problem, label, "%s", describe(IDN2_DISALLOWED));
	return true;
}

bool idn_label_to_ascii(const char *label, size_t size, char ret_ascii[static IDN_LABEL_SIZE],
	char problem[static IDN_PROBLEM_SIZE])
{
	const struct span span = {label, size};
	char text[INPUT_MAX + 1];
	uint8_t *ascii = NULL;
	const char *reason;
	size_t length;
	int status;

	if (!check_text(span, problem))
		return false;
	memcpy(text, label, size);
	text[size] = '\0';
	status = idn2_lookup_u8((const uint8_t *)text, &ascii, LOOKUP_FLAGS);
	if (status != IDN2_OK)
		return refuse_status(problem, span, status);
	length = strlen((const char *)ascii);
	reason = find_ascii_problem((const char *)ascii, length);
	if (!reason)
		memcpy(ret_ascii, ascii, length + 1);
	idn2_free(ascii);
	return reason ? refuse(problem, span, "%s", reason) : true;
}

static void copy_lower(char *to, struct span label)
{
	for (size_t i = 0; i < label.size; i++)
		to[i] = lower(label.at[i]);
	to[label.size] = '\0';
}

bool idn_check_alabel(const char *label, size_t size, char problem[static IDN_PROBLEM_SIZE])
{
	const struct span span = {label, size};
	char alabel[IDN_LABEL_SIZE];
	int status;

	if (size > LABEL_MAX)
		return refuse(problem, span, "has more than 63 characters");
	copy_lower(alabel, span);
	status = check_registrable(alabel);
	if (status == IDN2_OK)
		return true;
	if (describe(status) == describe(IDN2_INVALID_ALABEL))
		return refuse(problem, span, "%s", describe(status));
	return refuse(problem, span, "is no A-label: what it stands for %s", describe(status));
}

/* The U-label of a sound A-label, or the label itself; its size in @buffer, or 0 if it does not fit. */
static size_t label_to_unicode(struct span label, char *buffer, size_t size)
{
	char problem[IDN_PROBLEM_SIZE];
	char alabel[IDN_LABEL_SIZE];
	char *unicode = NULL;
	struct span shown = label;

	if (idn_is_prefixed(label.at, label.size) &&
		idn_check_alabel(label.at, label.size, problem)) {
		copy_lower(alabel, label);
		if (idn2_to_unicode_8z8z(alabel, &unicode, 0) == IDN2_OK)
			shown = (struct span){unicode, strlen(unicode)};
	}
	if (shown.size > size)
		shown.size = 0;
	memcpy(buffer, shown.at, shown.size);
	idn2_free(unicode);
	return shown.size;
}

char *idn_to_unicode(const char *ascii, char *buffer, size_t size)
{
	const char *const end = ascii + strlen(ascii);
	const char *at = ascii;
	size_t used = 0;
	bool fits = true;

	while (at < end && fits) {
		const struct span label = next_label(&at, end);
		const size_t n = label_to_unicode(label, buffer + used, size - used);

		used += n;
		fits = (n > 0 || label.size == 0) && used + 1 < size;
		if (at < end && fits) {
			buffer[used++] = '.';
			at += idn_dot(at, (size_t)(end - at));
		}
	}
	if (fits)
		buffer[used] = '\0';
	else
		snprintf(buffer, size, "%s", ascii);
	return buffer;
}

char *idn_show_brief(const char *ascii, char *buffer, size_t size)
{
	if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return idn_to_unicode(ascii, buffer, size);
	snprintf(buffer, size, "%s", ascii);
	return buffer;
}

char *idn_show(const char *ascii, char *buffer, size_t size)
{
	char unicode[IDN_UNICODE_SIZE];

	if (strcmp(idn_show_brief(ascii, unicode, sizeof unicode), ascii) != 0 &&
		strlen(ascii) < sizeof unicode)
		snprintf(buffer, size, "%s (%s)", unicode, ascii);
	else
		snprintf(buffer, size, "%s", ascii);
	return buffer;
}

size_t idn_is_steering(const char *text, size_t size)
{
	ucs4_t code;
	const int n = size > 0 ? u8_mbtoucr(&code, (const uint8_t *)text, size) : 0;

	if (n <= 0)
		return 0;
	return code < ' ' || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
			       (code >= 0x2066 && code <= 0x2069)
		       ? (size_t)n
		       : 0;
}

size_t idn_width(const char *text, size_t size)
{
	size_t width = 0;

	for (size_t i = 0; i < size;) {
		ucs4_t code;
		const int n = u8_mbtoucr(&code, (const uint8_t *)text + i, size - i);
		const int columns = n > 0 ? uc_width(code, "UTF-8") : 1;

		if (idn_is_steering(text + i, size - i) > 0)
			width++;
		else if (columns > 0)
			width += (size_t)columns;
		i += n > 0 ? (size_t)n : 1;
	}
	return width;
}

/* A set of bidirectional classes, as bits. */
#define BIT(class) (1u << (class))

#define RTL_STARTS (BIT(UC_BIDI_R) | BIT(UC_BIDI_AL))
#define RTL_LABELS (RTL_STARTS | BIT(UC_BIDI_AN))
#define NEUTRALS                                                                                   \
	(BIT(UC_BIDI_EN) | BIT(UC_BIDI_ES) | BIT(UC_BIDI_CS) | BIT(UC_BIDI_ET) | BIT(UC_BIDI_ON) | \
		BIT(UC_BIDI_BN) | BIT(UC_BIDI_NSM))

/* What a label is written with: its first class, its last but for marks, and all of them. */
struct directions {
	uint32_t first, last, all;
};

static struct directions directions_of(struct span label)
{
	struct directions d = {0};

	for (size_t i = 0; i < label.size;) {
		ucs4_t code;
		const int n = u8_mbtoucr(&code, (const uint8_t *)label.at + i, label.size - i);
		uint32_t class;

		if (n <= 0)
			break;
		class = BIT(uc_bidi_class(code));
		if (i == 0)
			d.first = class;
		if (class != BIT(UC_BIDI_NSM))
			d.last = class;
		d.all |= class;
		i += (size_t)n;
	}
	return d;
}

/* RFC 5893 2, rules 1 to 6. */
static bool keeps_bidi_rule(const struct directions *d)
{
	const uint32_t en_and_an = BIT(UC_BIDI_EN) | BIT(UC_BIDI_AN);

	if (d->first & RTL_STARTS)
		return (d->all & ~(RTL_LABELS | NEUTRALS)) == 0 &&
		       (d->last & (RTL_STARTS | en_and_an)) && (d->all & en_and_an) != en_and_an;
	return d->first == BIT(UC_BIDI_L) && (d->all & ~(BIT(UC_BIDI_L) | NEUTRALS)) == 0 &&
	       (d->last & (BIT(UC_BIDI_L) | BIT(UC_BIDI_EN)));
}

static bool names_a_host(struct span label)
{
	return label.size > 0 && label.at[0] != '_' && !memchr(label.at, '\\', label.size) &&
	       !(label.size == 1 && label.at[0] == '*');
}

bool idn_check_directions(const char *ascii, char problem[static IDN_PROBLEM_SIZE])
{
	char unicode[4 * IDN_UNICODE_SIZE];
	const char *end;
	const char *at;
	bool rtl = false;

	idn_to_unicode(ascii, unicode, sizeof unicode);
	end = unicode + strlen(unicode);
	for (at = unicode; at < end; at += idn_dot(at, (size_t)(end - at)))
		rtl |= (directions_of(next_label(&at, end)).all & RTL_LABELS) != 0;
	for (at = unicode; at < end && rtl; at += idn_dot(at, (size_t)(end - at))) {
		const struct span label = next_label(&at, end);
		const struct directions d = directions_of(label);

		if (names_a_host(label) && !keeps_bidi_rule(&d))
			return refuse(problem, label,
				d.all & RTL_LABELS
					? "mixes directions of writing (RFC 5893, 2)"
					: "can't stand in a name that is written from right to "
					  "left (RFC 5893, 2)");
	}
	return true;
}

/* A label of a name without escapes: what a host, a service or a wildcard is called. */
static bool check_ascii_label(struct span label, char problem[static IDN_PROBLEM_SIZE])
{
	if (label.size > LABEL_MAX)
		return refuse(problem, label, "has more than 63 characters");
	if (idn_is_prefixed(label.at, label.size))
		return idn_check_alabel(label.at, label.size, problem);
	if (label.size == 1 && label.at[0] == '*')
		return true;
	for (size_t i = 0; i < label.size; i++)
		if (!is_letter_or_digit(label.at[i]) && !strchr("-_/", label.at[i]))
			return refuse(problem, label,
				"has something else than letters, digits, \"-\" and \"_\"");
	return true;
}

/* Scripts that a label may have beside others; the rest are OTHER. */
enum script { LATIN, HAN, HIRAGANA, KATAKANA, BOPOMOFO, HANGUL, CYRILLIC, GREEK, OTHER };

static const char *const script_names[] = {
	[LATIN] = "Latin",
	[HAN] = "Han",
	[HIRAGANA] = "Hiragana",
	[KATAKANA] = "Katakana",
	[BOPOMOFO] = "Bopomofo",
	[HANGUL] = "Hangul",
	[CYRILLIC] = "Cyrillic",
	[GREEK] = "Greek",
};

static enum script script_of(const char *name)
{
	for (enum script s = 0; s < OTHER; s++)
		if (strcmp(script_names[s], name) == 0)
			return s;
	return OTHER;
}

/* What is written with @script beside itself. */
static uint32_t companions_of(enum script script)
{
	const uint32_t chinese = BIT(LATIN) | BIT(HAN) | BIT(BOPOMOFO);
	const uint32_t japanese = BIT(LATIN) | BIT(HAN) | BIT(HIRAGANA) | BIT(KATAKANA);
	const uint32_t korean = BIT(LATIN) | BIT(HAN) | BIT(HANGUL);

	switch (script) {
	case LATIN: return chinese | japanese | korean | BIT(OTHER);
	case HAN: return chinese | japanese | korean;
	case HIRAGANA:
	case KATAKANA: return japanese;
	case BOPOMOFO: return chinese;
	case HANGUL: return korean;
	case CYRILLIC:
	case GREEK: return 0;
	case OTHER: return BIT(LATIN);
	}
	return 0;
}

/* The first two scripts of @unicode, a U-label, that are not written together; false if there are none. */
static bool find_strangers(const char *unicode, const char *ret_names[static 2])
{
	const char *seen[8];
	uint32_t n = 0;
	const size_t size = strlen(unicode);

	for (size_t i = 0; i < size;) {
		ucs4_t code;
		const int bytes = u8_mbtoucr(&code, (const uint8_t *)unicode + i, size - i);
		const uc_script_t *const found = bytes > 0 ? uc_script(code) : NULL;
		const char *const name = found ? found->name : "Common";
		bool is_new = strcmp(name, "Common") != 0 && strcmp(name, "Inherited") != 0;

		i += bytes > 0 ? (size_t)bytes : 1;
		for (uint32_t k = 0; k < n && is_new; k++)
			is_new = strcmp(seen[k], name) != 0;
		for (uint32_t k = 0; k < n && is_new; k++) {
			if (companions_of(script_of(name)) & BIT(script_of(seen[k])))
				continue;
			ret_names[0] = seen[k];
			ret_names[1] = name;
			return true;
		}
		/* no more than five go together */
		if (is_new && n < sizeof seen / sizeof *seen)
			seen[n++] = name;
	}
	return false;
}

bool idn_check_scripts(const char *name, size_t size, char problem[static IDN_PROBLEM_SIZE])
{
	const char *const end = name + size;

	for (const char *at = name; at < end; at += idn_dot(at, (size_t)(end - at))) {
		const struct span label = next_label(&at, end);
		char ascii[IDN_LABEL_SIZE];
		char unicode[IDN_UNICODE_SIZE];
		const char *scripts[2];

		if (is_ascii(label))
			continue;
		if (!idn_label_to_ascii(label.at, label.size, ascii, problem))
			return false;
		if (find_strangers(idn_to_unicode(ascii, unicode, sizeof unicode), scripts))
			return refuse(problem, label,
				"mixes %s and %s letters; if that is meant, write the A-label, %s",
				scripts[0], scripts[1], ascii);
	}
	return true;
}

/* One label of a name into @ret_ascii; its length, or 0 with a clause in @problem. */
static size_t convert_label(struct span label, char ret_ascii[static IDN_LABEL_SIZE],
	char problem[static IDN_PROBLEM_SIZE])
{
	if (!is_ascii(label))
		return idn_label_to_ascii(label.at, label.size, ret_ascii, problem)
			       ? strlen(ret_ascii)
			       : 0;
	if (!check_ascii_label(label, problem))
		return 0;
	memcpy(ret_ascii, label.at, label.size);
	return label.size;
}

bool idn_to_ascii(const char *name, char ret_ascii[static IDN_ASCII_SIZE],
	char problem[static IDN_PROBLEM_SIZE])
{
	const struct span whole = {name, strlen(name)};
	const char *const end = name + whole.size;
	char ascii[IDN_ASCII_SIZE + IDN_LABEL_SIZE] = ".";
	const char *at = name;
	size_t used = 0;

	if (!idn_is_utf8(name, whole.size))
		return refuse(problem, whole, "is not UTF-8");
	if (whole.size == 0)
		return refuse(problem, whole, "has no label");
	if (idn_dot(name, whole.size) == whole.size) {
		at = end; /* the root */
		used = 1;
	}
	while (at < end) {
		const struct span label = next_label(&at, end);
		size_t length;

		if (label.size == 0)
			return refuse(problem, whole, "has an empty label");
		length = convert_label(label, ascii + used, problem);
		if (length == 0)
			return false;
		used += length;
		if (used > NAME_LENGTH_MAX)
			return refuse(problem, whole, "has more than 253 characters");
		if (at < end)
			ascii[used++] = '.';
		at += idn_dot(at, (size_t)(end - at));
	}
	ascii[used] = '\0';
	if (!idn_check_directions(ascii, problem))
		return false;
	memcpy(ret_ascii, ascii, used + 1);
	return true;
}
