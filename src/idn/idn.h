/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Internationalised domain names: what people write (U-labels, in UTF-8) and what DNS carries (A-labels).
 *
 *    例え。中国  ── idn_to_ascii() ─►  xn--r8jz45g.xn--fiqs8s  ── idn_to_unicode() ─►  例え.中国
 *
 * A label beyond ASCII is mapped by UTS 46 (non-transitional: ß stays ß; upper case, width and the like are
 * folded), must then be one that a registry may register under IDNA2008 (RFC 5891 4.2), and becomes an A-label.
 * libidn2 does the mapping and the tables; what it leaves open is closed here: empty labels, lengths, and the
 * writing directions of a name as a whole (RFC 5893 2). doc/design/0013 lists what differs from UTS 46.
 *
 * Labels in ASCII alone stay as they are, their case too: DNS has names that are no host names, such as
 * _443._tcp and *. Those that begin with xn-- must be A-labels that this library would make.
 *
 * Names here are text without escapes, absolute with or without the final dot; master files with their escapes
 * are read by zone/prepass.h. Nothing is kept between calls; libidn2 allocates.
 */

#include <stdbool.h>
#include <stddef.h>

#define IDN_ASCII_SIZE   256  /* 253 characters (RFC 1035 2.3.4), a final dot, NUL */
#define IDN_LABEL_SIZE   64   /* 63 characters, NUL */
#define IDN_UNICODE_SIZE 1024 /* of what a name of IDN_ASCII_SIZE can become */
#define IDN_SHOWN_SIZE   (IDN_UNICODE_SIZE + IDN_ASCII_SIZE + 4)
#define IDN_PROBLEM_SIZE 256

/* The name in A-labels, a final dot kept. False with a clause in @problem, such as `"bücher_" has ...`, that
 * is fit to be printed. */
bool idn_to_ascii(const char *name, char ret_ascii[static IDN_ASCII_SIZE],
	char problem[static IDN_PROBLEM_SIZE]);

/* The name with its A-labels as U-labels. A label that is no sound A-label stays as it is, and so does the whole
 * if it does not fit. Escapes, as of a master file, may be in it. Returns @buffer. */
char *idn_to_unicode(const char *ascii, char *buffer, size_t size);

/* As people are shown it: `例え.中国 (xn--r8jz45g.xn--fiqs8s)`, or @ascii alone if that is all there is to it or the
 * terminal's character set (of the locale, setlocale(3)) is not UTF-8. Returns @buffer; IDN_SHOWN_SIZE suffices. */
char *idn_show(const char *ascii, char *buffer, size_t size);

/* Where there is no room for both: `例え.中国`, or @ascii, as above. Returns @buffer; IDN_UNICODE_SIZE suffices. */
char *idn_show_brief(const char *ascii, char *buffer, size_t size);

/* Columns that a terminal needs for it: two for a character of East Asia, none for a combining mark, one for a control
 * character, of which a question mark is shown. */
size_t idn_width(const char *text, size_t size);

/* Whether the character at @text, of at most @size bytes of UTF-8, could steer a terminal or turn the writing around
 * (U+202A to U+202E, U+2066 to U+2069); how many bytes it has, or 0 if it could not. */
size_t idn_is_steering(const char *text, size_t size);

/* Whether it has more than one label. */
bool idn_has_dot(const char *name);

/* Whether it has U-labels or A-labels, or is no ASCII in another way. */
bool idn_is_beyond_ascii(const char *name);

/* The parts, for readers of other forms of names. */

/* Whether all of it is UTF-8. */
bool idn_is_utf8(const char *text, size_t size);

/* How many bytes at @text, of @size, are what ends a label: 1 for a full stop, 3 for an ideographic one (U+3002,
 * U+FF0E, U+FF61: UTS 46 4, RFC 3490 3.1), otherwise 0. */
size_t idn_dot(const char *text, size_t size);

/* One label with a byte beyond ASCII. */
bool idn_label_to_ascii(const char *label, size_t size, char ret_ascii[static IDN_LABEL_SIZE],
	char problem[static IDN_PROBLEM_SIZE]);

/*
 * Whether each label that is written beyond ASCII is of one script, or of those that are written together: Latin with
 * those of Chinese, Japanese or Korean, or with one other but Cyrillic and Greek (UTS 39 5.2, moderately restrictive).
 * Otherwise it is likely a slip of the keyboard, or meant to be taken for another. Registries refuse such; UTS 46 does
 * not, nor does idn_to_ascii(). Who means it writes the A-label, which is not looked at.
 */
bool idn_check_scripts(const char *name, size_t size, char problem[static IDN_PROBLEM_SIZE]);

/* Whether a label begins with xn--, in any case. */
bool idn_is_prefixed(const char *label, size_t size);

/* One that does: whether it is the A-label of a valid U-label. */
bool idn_check_alabel(const char *label, size_t size, char problem[static IDN_PROBLEM_SIZE]);

/*
 * RFC 5893 2 for the whole name, in A-labels: if any label has characters that are written from right to left, each
 * label must keep the six rules, so that the labels can't seem to change places. `*` and labels that begin with `_`
 * or have escapes name no host and are left out.
 */
bool idn_check_directions(const char *ascii, char problem[static IDN_PROBLEM_SIZE]);
