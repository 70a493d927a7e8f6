/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One label: to its A-label, and back. */
#include <idn2.h>
#include <stdint.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>

#include "base/assert.h"
#include "idn/internal.h"

/* More bytes of UTF-8 than any label of 63 characters comes from, with mapping at its worst. */
#define INPUT_MAX 1024

#define LOOKUP_FLAGS (IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)

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
	default: return idn2_strerror(status);
	}
}

/* The first character of @label, which is UTF-8, that is refused wherever it stands, or 0. */
static ucs4_t find_disallowed(struct idn_span label)
{
	for (size_t i = 0; i < label.size;) {
		const uint8_t *const c = (const uint8_t *)label.at + i;
		uint8_t alone[8] = "a";
		uint8_t *ascii = NULL;
		ucs4_t code;
		const int n = u8_mbtoucr(&code, c, label.size - i);
		int status;

		ASSERT(n > 0);
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
static bool refuse_status(char problem[static IDN_PROBLEM_SIZE], struct idn_span label, int status)
{
	ucs4_t code = 0;

	if (status == IDN2_DISALLOWED || status == IDN2_UNASSIGNED)
		code = find_disallowed(label);
	/* what mapping brought in, such as the stroke of U+2100, breaks the A-label that comes of it */
	if (describe(status) == describe(IDN2_INVALID_ALABEL) &&
		!idn_is_prefixed(label.at, label.size))
		status = IDN2_DISALLOWED;
	if (code == 0)
		return idn_refuse(problem, label, "%s", describe(status));
	return idn_refuse(problem, label, "%s: U+%04X", describe(status), (unsigned)code);
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
		if ((unsigned char)label[i] < 0x80 && !idn_is_letter_or_digit(label[i]) &&
			label[i] != '-')
			return label[i];
	return '\0';
}

/* What is wrong with the outcome of the mapping: an A-label, or a label that came down to ASCII, such as
 * one in full width, whose hyphens libidn2 has looked at. */
static const char *find_ascii_problem(const char *label, size_t size)
{
	if (size == 0)
		return "has no character that counts";
	if (size > IDN_LABEL_MAX)
		return describe(IDN2_TOO_BIG_LABEL);
	if (find_foreign_ascii(label, size) != '\0')
		return describe(IDN2_DISALLOWED);
	if (idn_is_prefixed(label, size)) {
		const int status = check_registrable(label);

		return status == IDN2_OK ? NULL : describe(status);
	}
	return NULL;
}

/* A no-break space and its like, which nobody sees, in what is UTF-8; or 0. */
static ucs4_t find_blank(struct idn_span label)
{
	ucs4_t code;

	for (size_t i = 0; i < label.size;) {
		const int n = u8_mbtoucr(&code, (const uint8_t *)label.at + i, label.size - i);

		ASSERT(n > 0);
		if (uc_is_general_category_withtable(code, UC_CATEGORY_MASK_Z))
			return code;
		i += (size_t)n;
	}
	return 0;
}

/* Before any mapping. */
static bool check_text(struct idn_span label, char problem[static IDN_PROBLEM_SIZE])
{
	const char foreign = find_foreign_ascii(label.at, label.size);

	if (!idn_is_utf8(label.at, label.size))
		return idn_refuse(problem, label, "is not UTF-8");
	if (label.size > INPUT_MAX)
		return idn_refuse(problem, label, "%s", describe(IDN2_TOO_BIG_LABEL));
	if (foreign > ' ' && foreign < 0x7f)
		return idn_refuse(problem, label,
			"has \"%c\" beside characters beyond ASCII; they go with letters, digits "
			"and \"-\" alone",
			foreign);
	if (find_blank(label) > ' ')
		return idn_refuse(problem, label, "has a blank that is none in ASCII: U+%04X",
			(unsigned)find_blank(label));
	if (memchr(label.at, '\0', label.size) || foreign != '\0')
		return idn_refuse(problem, label, "%s", describe(IDN2_DISALLOWED));
	return true;
}

bool idn_label_to_ascii(const char *label, size_t size, char ret_ascii[static IDN_LABEL_SIZE],
	char problem[static IDN_PROBLEM_SIZE])
{
	const struct idn_span span = {label, size};
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
	if (reason)
		return idn_refuse(problem, span, "%s", reason);
	return true;
}

static void copy_lower(char *to, struct idn_span label)
{
	for (size_t i = 0; i < label.size; i++)
		to[i] = idn_lower(label.at[i]);
	to[label.size] = '\0';
}

bool idn_check_alabel(const char *label, size_t size, char problem[static IDN_PROBLEM_SIZE])
{
	const struct idn_span span = {label, size};
	char alabel[IDN_LABEL_SIZE];
	int status;

	if (size > IDN_LABEL_MAX)
		return idn_refuse(problem, span, "has more than 63 characters");
	copy_lower(alabel, span);
	status = check_registrable(alabel);
	if (status == IDN2_OK)
		return true;
	if (describe(status) == describe(IDN2_INVALID_ALABEL))
		return idn_refuse(problem, span, "%s", describe(status));
	return idn_refuse(problem, span, "is no A-label: what it stands for %s", describe(status));
}

size_t idn_label_to_unicode(struct idn_span label, char *buffer, size_t size)
{
	char problem[IDN_PROBLEM_SIZE];
	char alabel[IDN_LABEL_SIZE];
	char *unicode = NULL;
	struct idn_span shown = label;

	if (idn_is_prefixed(label.at, label.size) &&
		idn_check_alabel(label.at, label.size, problem)) {
		copy_lower(alabel, label);
		if (idn2_to_unicode_8z8z(alabel, &unicode, 0) == IDN2_OK)
			shown = (struct idn_span){unicode, strlen(unicode)};
	}
	if (shown.size > size)
		shown.size = 0;
	memcpy(buffer, shown.at, shown.size);
	idn2_free(unicode);
	return shown.size;
}
