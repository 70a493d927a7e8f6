/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "idn/idn.h"

#include <check.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "suite.h"

static void becomes(const char *name, const char *wanted)
{
	char ascii[IDN_ASCII_SIZE];
	char problem[IDN_PROBLEM_SIZE];

	if (!idn_to_ascii(name, ascii, problem))
		ck_abort_msg("%s: %s", name, problem);
	ck_assert_str_eq(ascii, wanted);
}

static void is_refused(const char *name, const char *wanted)
{
	char ascii[IDN_ASCII_SIZE] = "untouched";
	char problem[IDN_PROBLEM_SIZE];

	if (idn_to_ascii(name, ascii, problem))
		ck_abort_msg("%s became %s", name, ascii);
	ck_assert_str_eq(problem, wanted);
	ck_assert_str_eq(ascii, "untouched");
}

static void is_shown(const char *ascii, const char *wanted)
{
	char unicode[IDN_UNICODE_SIZE];

	ck_assert_str_eq(idn_to_unicode(ascii, unicode, sizeof unicode), wanted);
}

START_TEST(names_of_every_script_become_a_labels)
{
	becomes("bücher.example", "xn--bcher-kva.example");
	becomes("例え.中国", "xn--r8jz45g.xn--fiqs8s");
	becomes("почта.рф", "xn--80a1acny.xn--p1ai");
	becomes("ไทย", "xn--o3cw4h");
	becomes("இலங்கை", "xn--xkc2al3hye2a");
	becomes("مثال.مصر", "xn--mgbh0fb.xn--wgbh1c");
	becomes("한국.ελ.հայ.გე", "xn--3e0b707e.xn--qxam.xn--y9a3aq.xn--node");
	becomes("نامه\u200cای.com", "xn--mgba3gch31f060k.com"); /* a joiner where it may be */
}
END_TEST

START_TEST(mapping_folds_what_people_type)
{
	becomes("BÜCHER.example", "xn--bcher-kva.example");
	becomes("bu\u0308cher", "xn--bcher-kva"); /* a combining mark */
	becomes("faß.de", "xn--fa-hia.de");       /* not transitional: not fass.de */
	becomes("ｗｗｗ.example", "www.example");
	becomes("büc\u00adher", "xn--bcher-kva"); /* a soft hyphen */
}
END_TEST

START_TEST(ideographic_full_stops_separate_labels)
{
	becomes("例え。中国", "xn--r8jz45g.xn--fiqs8s"); /* UTS 46 4, RFC 3490 3.1 */
	becomes("例え．中国｡", "xn--r8jz45g.xn--fiqs8s.");
	becomes("www。example。", "www.example.");
	becomes("。", ".");
}
END_TEST

START_TEST(labels_in_ascii_stay_as_they_are)
{
	becomes("WWW.Example.", "WWW.Example.");
	becomes("_443._tcp.почта.рф", "_443._tcp.xn--80a1acny.xn--p1ai");
	becomes("*.почта.рф", "*.xn--80a1acny.xn--p1ai");
	becomes("r3---sn-a.example", "r3---sn-a.example");
	becomes("0/25.2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa"); /* RFC 2317 */
	becomes(".", ".");
}
END_TEST

START_TEST(a_labels_are_verified)
{
	becomes("xn--bcher-kva.example", "xn--bcher-kva.example");
	becomes("XN--BCHER-KVA.example", "XN--BCHER-KVA.example");
	is_refused("xn--a.example", "\"xn--a\" is no A-label: what it stands for has a character "
				    "that no name may have");
	is_refused("xn--.example", "\"xn--\" is no A-label");
	is_refused("xn--bcher-.example", "\"xn--bcher-\" is no A-label");
	is_refused("xn--BCHER-KVA-ä", "\"xn--BCHER-KVA-ä\" is no A-label");
	/* capital letters, which the U-label would not have (RFC 5891 4.2.1) */
	is_refused("xn--Bcher-kva8445foa",
		"\"xn--Bcher-kva8445foa\" is no A-label: what it stands for has a character that "
		"no name may have");
}
END_TEST

START_TEST(invalid_labels_are_refused_with_the_reason)
{
	is_refused("bücher_.de",
		"\"bücher_\" has \"_\" beside characters beyond ASCII; they go with letters, "
		"digits and \"-\" alone");
	is_refused("-ä", "\"-ä\" begins or ends with a hyphen");
	is_refused(
		"ab--ä", "\"ab--ä\" has hyphens in its third and fourth place, as A-labels have");
	is_refused("\u0301a.de", "\"\u0301a\" begins with a combining mark"); /* RFC 5891 4.2.3.2 */
	is_refused("😀.ws", "\"😀\" has a character that no name may have: U+1F600");
	is_refused("ä\u00a0b", "\"ä\u00a0b\" has a blank that is none in ASCII: U+00A0");
	is_refused("a·b", "\"a·b\" has a character that needs others around it (RFC 5892, A)");
	becomes("l·l", "xn--ll-0ea");
	is_refused("≯ä", "\"≯ä\" has a character that no name may have");
	is_refused("ä℀", "\"ä℀\" has a character that no name may have");
	is_refused("a b.de", "\"a b\" has something else than letters, digits, \"-\" and \"_\"");
	is_refused("\u00ad.de", "\"?\" has no character that counts");
}
END_TEST

START_TEST(what_could_steer_a_terminal_is_not_repeated)
{
	is_refused("\x1b[31mä", "\"?[31mä\" has a character that no name may have");
	is_refused("ä\u202e", "\"ä?\" has a character that no name may have: U+202E");
	is_refused("a\xff", "\"a\" is not UTF-8");
	is_refused("\xc0\xae", "\"\" is not UTF-8");
}
END_TEST

START_TEST(empty_labels_and_lengths_are_checked)
{
	char name[512];
	char problem[IDN_PROBLEM_SIZE];
	char ascii[IDN_ASCII_SIZE];

	is_refused("", "\"\" has no label");
	is_refused("a..ä", "\"a..ä\" has an empty label");
	is_refused(".ä", "\".ä\" has an empty label");
	is_refused("ä。。", "\"ä。。\" has an empty label");
	/* RFC 1035 2.3.4: 63 characters in a label, 253 in a name without its final dot */
	snprintf(name, sizeof name, "%063d", 0);
	becomes(name, name);
	snprintf(name, sizeof name, "%064d", 0);
	ck_assert(!idn_to_ascii(name, ascii, problem));
	snprintf(name, sizeof name, "%059dä", 0);
	ck_assert(!idn_to_ascii(name, ascii, problem));
	snprintf(name, sizeof name, "%063d.%063d.%063d.%061d", 0, 0, 0, 0);
	becomes(name, name);
	snprintf(name, sizeof name, "%063d.%063d.%063d.%061d.", 0, 0, 0, 0);
	becomes(name, name);
	snprintf(name, sizeof name, "%063d.%063d.%063d.%062d", 0, 0, 0, 0);
	ck_assert(!idn_to_ascii(name, ascii, problem));
	ck_assert_ptr_nonnull(strstr(problem, "has more than 253 characters"));
}
END_TEST

START_TEST(writing_directions_are_those_of_the_whole_name)
{
	becomes("שלום.com", "xn--9dbne9b.com");
	becomes("www.שלום", "www.xn--9dbne9b");
	/* RFC 5893 2, rule 1, for a label in ASCII beside one from right to left */
	is_refused("1a.שלום", "\"1a\" can't stand in a name that is written from right to left "
			      "(RFC 5893, 2)");
	is_refused("1a.xn--9dbne9b", "\"1a\" can't stand in a name that is written from right to "
				     "left (RFC 5893, 2)");
	becomes("1a.почта", "1a.xn--80a1acny");
	is_refused("שלוםa", "\"שלוםa\" mixes directions of writing (RFC 5893, 2)");
	/* what names no host is left out */
	becomes("_443._tcp.שלום", "_443._tcp.xn--9dbne9b");
	becomes("*.שלום", "*.xn--9dbne9b");
}
END_TEST

static const char *scripts_of(const char *name)
{
	static char problem[IDN_PROBLEM_SIZE];

	return idn_check_scripts(name, strlen(name), problem) ? "" : problem;
}

/* UTS 39 5.2, moderately restrictive */
START_TEST(scripts_that_are_not_written_together_are_told)
{
	ck_assert_str_eq(scripts_of("pаypal.com"), /* the second letter is Cyrillic */
		"\"pаypal\" mixes Latin and Cyrillic letters; if that is meant, write the A-label, "
		"xn--pypal-4ve");
	ck_assert_str_eq(scripts_of("www.пoчта.рф"),
		"\"пoчта\" mixes Cyrillic and Latin letters; if that is meant, write the A-label, "
		"xn--o-8sb7bny");
	ck_assert_str_eq(scripts_of("µtorrent"), /* the sign becomes a letter */
		"\"µtorrent\" mixes Greek and Latin letters; if that is meant, write the A-label, "
		"xn--torrent-jof");
	ck_assert_str_ne(scripts_of("ไทยабв"), "");
	ck_assert_str_ne(scripts_of("한국カ"), "");
	ck_assert_str_eq(scripts_of("xn--pypal-4ve.com"), "");
}
END_TEST

START_TEST(scripts_that_are_written_together_are_fine)
{
	static const char *const names[] = {"bücher.example", "почта24.рф", "почта.example",
		"東京カレーの店a", "台北ㄅabc", "한국漢abc", "thaiไทย", "नमस्ते", "例え。중국"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_str_eq(scripts_of(names[i]), "");
}
END_TEST

START_TEST(sound_a_labels_are_shown_as_u_labels)
{
	is_shown("xn--r8jz45g.xn--fiqs8s", "例え.中国");
	is_shown("XN--R8JZ45G.com.", "例え.com.");
	is_shown("www.example", "www.example");
	is_shown("_443._tcp.xn--80a1acny", "_443._tcp.почта");
	is_shown(".", ".");
	is_shown("", "");
}
END_TEST

START_TEST(other_labels_are_shown_as_they_are)
{
	is_shown("xn--a.xn--80a1acny", "xn--a.почта");
	is_shown("xn--e28h.ws", "xn--e28h.ws"); /* an emoji */
	is_shown("a\\.b.xn--80a1acny", "a\\.b.почта");
	is_shown("a\\046xn--80a1acny", "a\\046xn--80a1acny");
}
END_TEST

START_TEST(what_does_not_fit_is_shown_as_it_is)
{
	char unicode[12];

	idn_to_unicode("xn--80a1acny.xn--p1ai", unicode, sizeof unicode);
	ck_assert_str_eq(unicode, "xn--80a1acn");
	idn_to_unicode("xn--80a1acny", unicode, sizeof unicode);
	ck_assert_str_eq(unicode, "почта");
}
END_TEST

START_TEST(people_are_shown_both_where_the_terminal_can)
{
	char shown[IDN_SHOWN_SIZE];

	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C"));
	ck_assert_str_eq(
		idn_show("xn--80a1acny.xn--p1ai", shown, sizeof shown), "xn--80a1acny.xn--p1ai");
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	ck_assert_str_eq(idn_show("xn--80a1acny.xn--p1ai", shown, sizeof shown),
		"почта.рф (xn--80a1acny.xn--p1ai)");
	ck_assert_str_eq(idn_show("www.example", shown, sizeof shown), "www.example");
}
END_TEST

START_TEST(widths_are_those_of_a_terminal)
{
	ck_assert_uint_eq(idn_width("abc", 3), 3);
	ck_assert_uint_eq(idn_width("почта", strlen("почта")), 5);
	ck_assert_uint_eq(idn_width("例え", strlen("例え")), 4);
	ck_assert_uint_eq(idn_width("a\u0301", 3), 1);
	ck_assert_uint_eq(idn_width("a\x1b\u202e", 5), 3);
	ck_assert_uint_eq(idn_width("\xff", 1), 1);
}
END_TEST

START_TEST(what_steers_a_terminal_is_known)
{
	ck_assert_uint_eq(idn_is_steering("\x1b[", 2), 1);
	ck_assert_uint_eq(idn_is_steering("\xc2\x9b"
					  "1",
				  3),
		2);
	ck_assert_uint_eq(idn_is_steering("\u202ea", 4), 3);
	ck_assert_uint_eq(idn_is_steering("\u2066", 3), 3);
	ck_assert_uint_eq(idn_is_steering("a", 1), 0);
	ck_assert_uint_eq(idn_is_steering("ж", 2), 0);
	ck_assert_uint_eq(idn_is_steering("", 0), 0);
}
END_TEST

START_TEST(briefly_a_u_label_is_shown_alone)
{
	char shown[IDN_UNICODE_SIZE];

	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C"));
	ck_assert_str_eq(idn_show_brief("xn--80a1acny", shown, sizeof shown), "xn--80a1acny");
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	ck_assert_str_eq(idn_show_brief("xn--80a1acny", shown, sizeof shown), "почта");
}
END_TEST

START_TEST(names_are_told_apart)
{
	ck_assert(idn_has_dot("a.b") && idn_has_dot("例。え") && idn_has_dot("a."));
	ck_assert(!idn_has_dot("a") && !idn_has_dot("例え") && !idn_has_dot(""));
	ck_assert(idn_is_beyond_ascii("a.ж") && idn_is_beyond_ascii("a.XN--a"));
	ck_assert(!idn_is_beyond_ascii("a.b") && !idn_is_beyond_ascii("axn--a"));
}
END_TEST

/* What idn_to_ascii() sees to before, for those who read names otherwise. */
static const char *problem_of(const char *label, size_t size)
{
	static char problem[IDN_PROBLEM_SIZE];
	char ascii[IDN_LABEL_SIZE];

	return idn_label_to_ascii(label, size, ascii, problem) ? "" : problem;
}

START_TEST(a_label_alone_may_be_any_bytes)
{
	static char long_one[1100];

	memset(long_one, 'a', sizeof long_one);
	memcpy(long_one, "ä", 2);
	ck_assert_str_eq(problem_of("a\xff", 2), "\"a\" is not UTF-8");
	ck_assert_str_eq(problem_of("ä\0b", 4), "\"ä?b\" has a character that no name may have");
	ck_assert_str_eq(problem_of("ä\x7f", 3), "\"ä?\" has a character that no name may have");
	ck_assert_ptr_nonnull(strstr(problem_of(long_one, sizeof long_one),
		"has more than 63 characters as an A-label"));
	ck_assert_ptr_nonnull(strstr(problem_of(long_one, 64), "has more than 63 characters"));
}
END_TEST

START_TEST(an_a_label_alone_may_be_too_long)
{
	char label[70] = "xn--", problem[IDN_PROBLEM_SIZE];

	memset(label + 4, 'a', 60);
	ck_assert(!idn_check_alabel(label, 64, problem));
	ck_assert_ptr_nonnull(strstr(problem, "has more than 63 characters"));
}
END_TEST

/* In full width, which becomes ASCII. */
START_TEST(what_mapping_makes_ascii_of_must_be_a_host_name_too)
{
	char wide[3 * 64 + 1] = "", problem[IDN_PROBLEM_SIZE], ascii[IDN_ASCII_SIZE];

	is_refused("－ａ", "\"－ａ\" begins or ends with a hyphen");
	is_refused("ａ－", "\"ａ－\" begins or ends with a hyphen");
	is_refused("ａｂ－－ｃ",
		"\"ａｂ－－ｃ\" has hyphens in its third and fourth place, as A-labels have");
	is_refused("ａ＿ｂ", "\"ａ＿ｂ\" has a character that no name may have");
	is_refused("ｘｎ－－ａ", "\"ｘｎ－－ａ\" has a character that no name may have");
	becomes("ａ－ｂ－ｃ", "a-b-c");
	becomes("ｘｎ－－80a1acny", "xn--80a1acny");
	for (int i = 0; i < 64; i++)
		strcat(wide, "ａ");
	ck_assert(!idn_to_ascii(wide, ascii, problem));
	ck_assert_ptr_nonnull(strstr(problem, "has more than 63 characters as an A-label"));
}
END_TEST

START_TEST(ascii_that_no_host_has_is_refused)
{
	is_refused("a{b", "\"a{b\" has something else than letters, digits, \"-\" and \"_\"");
	is_refused("a`b", "\"a`b\" has something else than letters, digits, \"-\" and \"_\"");
	is_refused("a:b", "\"a:b\" has something else than letters, digits, \"-\" and \"_\"");
	becomes("xn-a.xna", "xn-a.xna"); /* no prefix */
}
END_TEST

/* RFC 5893 2; a label is looked at as it is, for it may come from elsewhere */
START_TEST(each_rule_of_directions_is_kept)
{
	static const struct {
		const char *name;
		bool keeps;
	} cases[] = {
		{"שלום", true}, {"שלום1", true}, /* rule 3: it may end in a number */
		{"שלום\u0660", true},            /* ... an Arabic one */
		{"שלום\u0301", true},            /* ... and a mark behind it */
		{"שלום\u02b9", false},           /* but not in a neutral */
		{"ש1\u0660", false},             /* rule 4: one kind of numbers */
		{"שaש", false},                  /* rule 2 */
		{"a.שלום", true},                /* rules 5 and 6 */
		{"a1.שלום", true}, {"a\u02b9.שלום", false}, {"aשa", false},
		{"1.שלום", false}, /* rule 1 */
		{"*.שלום", true}, {"**.שלום", false},
		{"a\\.1.שלום", true}, /* an escape names no host */
		{"\xff.a", true},     /* nor has what is no text a direction */
	};
	char problem[IDN_PROBLEM_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_msg(idn_check_directions(cases[i].name, problem) == cases[i].keeps, "%s",
			cases[i].name);
}
END_TEST

START_TEST(marks_are_of_the_script_before_them)
{
	ck_assert_str_eq(scripts_of("q\u0323ж"), "\"q\u0323ж\" mixes Latin and Cyrillic letters; "
						 "if that is meant, write the A-label, "
						 "xn--q-vdb93f");
	ck_assert_str_eq(scripts_of("q\u0323\u00fc"), "");
	ck_assert_str_ne(scripts_of("bücher_"), ""); /* it has no A-label */
}
END_TEST

START_TEST(a_name_is_shown_as_far_as_there_is_room)
{
	static char text[IDN_UNICODE_SIZE + 10];
	char unicode[11], shown[2 * sizeof text];

	idn_to_unicode("a.xn--80a1acny.b", unicode, sizeof unicode);
	ck_assert_str_eq(unicode, "a.xn--80a1");
	idn_to_unicode("ab.cdef.ghi", unicode, sizeof unicode);
	ck_assert_str_eq(unicode, "ab.cdef.gh");
	idn_to_unicode("abcde\\", unicode, sizeof unicode); /* half an escape */
	ck_assert_str_eq(unicode, "abcde\\");
	/* more than any name has */
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	memset(text, 'a', sizeof text - 1);
	ck_assert_str_eq(idn_show(text, shown, sizeof shown), text);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		names_of_every_script_become_a_labels,
		mapping_folds_what_people_type,
		ideographic_full_stops_separate_labels,
		labels_in_ascii_stay_as_they_are,
		a_labels_are_verified,
		invalid_labels_are_refused_with_the_reason,
		what_could_steer_a_terminal_is_not_repeated,
		empty_labels_and_lengths_are_checked,
		writing_directions_are_those_of_the_whole_name,
		scripts_that_are_not_written_together_are_told,
		scripts_that_are_written_together_are_fine,
		sound_a_labels_are_shown_as_u_labels,
		other_labels_are_shown_as_they_are,
		what_does_not_fit_is_shown_as_it_is,
		people_are_shown_both_where_the_terminal_can,
		briefly_a_u_label_is_shown_alone,
		widths_are_those_of_a_terminal,
		what_steers_a_terminal_is_known,
		names_are_told_apart,
		a_label_alone_may_be_any_bytes,
		an_a_label_alone_may_be_too_long,
		what_mapping_makes_ascii_of_must_be_a_host_name_too,
		ascii_that_no_host_has_is_refused,
		each_rule_of_directions_is_kept,
		marks_are_of_the_script_before_them,
		a_name_is_shown_as_far_as_there_is_room,
	};

	return run_suite("idn", tests, ARRAY_SIZE(tests));
}
