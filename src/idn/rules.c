/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules beyond a single label's validity: directions of writing (RFC 5893) and scripts (UTS 39). */
#include <stdint.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>

#include "base/assert.h"
#include "idn/internal.h"

/* A member of a set, of bidirectional classes or of scripts. */
#define BIT(member) (1u << (member))

#define RTL_STARTS (BIT(UC_BIDI_R) | BIT(UC_BIDI_AL))
#define RTL_LABELS (RTL_STARTS | BIT(UC_BIDI_AN))
#define NEUTRALS                                                                                   \
	(BIT(UC_BIDI_EN) | BIT(UC_BIDI_ES) | BIT(UC_BIDI_CS) | BIT(UC_BIDI_ET) | BIT(UC_BIDI_ON) | \
		BIT(UC_BIDI_BN) | BIT(UC_BIDI_NSM))

/* What a label is written with: its first class, its last but for marks, and all of them. */
struct directions {
	uint32_t first, last, all;
};

static struct directions directions_of(struct idn_span label)
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

static bool names_a_host(struct idn_span label)
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
		rtl |= (directions_of(idn_next_label(&at, end)).all & RTL_LABELS) != 0;
	for (at = unicode; at < end && rtl; at += idn_dot(at, (size_t)(end - at))) {
		const struct idn_span label = idn_next_label(&at, end);
		const struct directions d = directions_of(label);

		if (names_a_host(label) && !keeps_bidi_rule(&d))
			return idn_refuse(problem, label,
				d.all & RTL_LABELS
					? "mixes directions of writing (RFC 5893, 2)"
					: "can't stand in a name that is written from right to "
					  "left (RFC 5893, 2)");
	}
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

#define CHINESE  (BIT(LATIN) | BIT(HAN) | BIT(BOPOMOFO))
#define JAPANESE (BIT(LATIN) | BIT(HAN) | BIT(HIRAGANA) | BIT(KATAKANA))
#define KOREAN   (BIT(LATIN) | BIT(HAN) | BIT(HANGUL))

/* What each is written with beside itself. */
static const uint32_t companions[] = {
	[LATIN] = CHINESE | JAPANESE | KOREAN | BIT(OTHER),
	[HAN] = CHINESE | JAPANESE | KOREAN,
	[HIRAGANA] = JAPANESE,
	[KATAKANA] = JAPANESE,
	[BOPOMOFO] = CHINESE,
	[HANGUL] = KOREAN,
	[CYRILLIC] = 0,
	[GREEK] = 0,
	[OTHER] = BIT(LATIN),
};

/* The first two scripts of @unicode, a U-label, that are not written together; false if there are none. */
static bool find_strangers(const char *unicode, const char *ret_names[static 2])
{
	const char *seen[8];
	uint32_t n = 0;
	const size_t size = strlen(unicode);

	for (size_t i = 0; i < size;) {
		ucs4_t code;
		const int bytes = u8_mbtoucr(&code, (const uint8_t *)unicode + i, size - i);
		const uc_script_t *const found = uc_script(code);
		const char *const name = found ? found->name : "Common";
		bool is_new = strcmp(name, "Common") != 0 && strcmp(name, "Inherited") != 0;

		ASSERT(bytes > 0);
		i += (size_t)bytes;
		for (uint32_t k = 0; k < n && is_new; k++)
			is_new = strcmp(seen[k], name) != 0;
		for (uint32_t k = 0; k < n && is_new; k++) {
			if (companions[script_of(name)] & BIT(script_of(seen[k])))
				continue;
			ret_names[0] = seen[k];
			ret_names[1] = name;
			return true;
		}
		if (!is_new)
			continue;
		ASSERT(n < ARRAY_SIZE(seen)); /* no more than four go together */
		seen[n++] = name;
	}
	return false;
}

bool idn_check_scripts(const char *name, size_t size, char problem[static IDN_PROBLEM_SIZE])
{
	const char *const end = name + size;

	for (const char *at = name; at < end; at += idn_dot(at, (size_t)(end - at))) {
		const struct idn_span label = idn_next_label(&at, end);
		char ascii[IDN_LABEL_SIZE];
		char unicode[IDN_UNICODE_SIZE];
		const char *scripts[2];

		if (idn_is_ascii(label))
			continue;
		if (!idn_label_to_ascii(label.at, label.size, ascii, problem))
			return false;
		if (find_strangers(idn_to_unicode(ascii, unicode, sizeof unicode), scripts))
			return idn_refuse(problem, label,
				"mixes %s and %s letters; if that is meant, write the A-label, %s",
				scripts[0], scripts[1], ascii);
	}
	return true;
}
