/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <string.h>

#include "base/assert.h"
#include "base/rng.h"
#include "zone/name.h"
#include "zones.h"

START_TEST(names_survive_text)
{
	static const char *const texts[] = {".", "com.", "www.example.com.", "*.example.com.",
		"_443._tcp.example.com.", "a\\.b.example.com.", "\\000\\255\\032.x.",
		"a\\\\b\\\"c.", "\\@.\\$x.\\;.\\(\\).", "\\#\\!a-b_c/d.", "xn--bcher-kva.example."};
	char text[NAME_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct name n = name_of(texts[i]);

		ck_assert_str_eq(name_format(n.bytes, text), texts[i]);
		ck_assert_uint_eq(name_size(n.bytes, n.size), n.size);
	}
}
END_TEST

START_TEST(names_are_of_lower_case)
{
	char text[NAME_TEXT_SIZE];
	const struct name n = name_of("WwW.Ex\\065mple.COM"), dotless = name_of("WWW.example.com.");

	/* RFC 4343: however a letter is written. */
	ck_assert_str_eq(name_format(n.bytes, text), "www.example.com.");
	ck_assert(name_equal(n.bytes, dotless.bytes));
}
END_TEST

START_TEST(names_are_relative_to_the_origin)
{
	const struct name origin = name_of("example.com");
	char text[NAME_TEXT_SIZE];
	const char *why;
	struct name n;

	ck_assert(name_parse("www", &origin, &n, &why));
	ck_assert_str_eq(name_format(n.bytes, text), "www.example.com.");
	ck_assert(name_parse("www.", &origin, &n, &why));
	ck_assert_str_eq(name_format(n.bytes, text), "www.");
	ck_assert(name_parse("@", &origin, &n, &why));
	ck_assert_str_eq(name_format(n.bytes, text), "example.com.");
	ck_assert(name_parse("a\\.", &origin, &n, &why));
	ck_assert_str_eq(name_format(n.bytes, text), "a\\..example.com.");
}
END_TEST

START_TEST(what_is_no_name_is_refused_with_a_reason)
{
	static const char *const pairs[][2] = {
		{"", "it is empty"},
		{".com", "it has an empty label"},
		{"a..b", "it has an empty label"},
		{"a b", "it has a character that must be written as \\DDD"},
		{"b\303\274cher", "it has a character that must be written as \\DDD"},
		{"a\x7f", "it has a character that must be written as \\DDD"},
		{"a\\", "nothing that can be escaped follows the backslash"},
		{"a\\\x7f", "nothing that can be escaped follows the backslash"},
		{"a\\1x2", "a backslash and a digit need two more digits"},
		{"a\\12", "a backslash and a digit need two more digits"},
		{"a\\256", "an escape \\DDD goes from \\000 to \\255"},
		{"1234567890123456789012345678901234567890123456789012345678901234",
			"a label has more than 63 bytes"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		const char *why = NULL;
		struct name n = {.size = 99};

		ck_assert_msg(!name_parse(pairs[i][0], NULL, &n, &why), "%s", pairs[i][0]);
		ck_assert_str_eq(why, pairs[i][1]);
		ck_assert_uint_eq(n.size, 99);
	}
}
END_TEST

/* RFC 1035 2.3.4: 255 bytes are a name, 256 are none. */
START_TEST(names_have_255_bytes_at_most)
{
	char text[512] = "", longest[NAME_TEXT_SIZE];
	const struct name origin = name_of("x.yz");
	const char *why;
	struct name n;

	for (int i = 0; i < 127; i++)
		strcat(text, "a.");
	ck_assert(name_parse(text, NULL, &n, &why));
	ck_assert_uint_eq(n.size, 255);
	ck_assert_uint_eq(name_labels(n.bytes), NAME_LABELS_MAX);
	ck_assert_str_eq(name_format(n.bytes, longest), text);
	strcat(text, "a");
	ck_assert(!name_parse(text, NULL, &n, &why));
	ck_assert_str_eq(why, "it has more than 255 bytes");
	text[2 * 125] = 'b', text[2 * 125 + 1] = '\0'; /* 252 bytes, and 6 of the origin */
	ck_assert(!name_parse(text, &origin, &n, &why));
	ck_assert_str_eq(why, "it has more than 255 bytes");
}
END_TEST

START_TEST(names_of_bytes_are_measured)
{
	static const uint8_t good[] = {3, 'w', 'w', 'w', 0, 9, 9}, pointer[] = {1, 'a', 0xc0, 0x0c},
			     open[] = {3, 'w', 'w'};
	uint8_t longest[300];

	ck_assert_uint_eq(name_size(good, sizeof(good)), 5);
	ck_assert_uint_eq(name_size(pointer, sizeof(pointer)), 0);
	ck_assert_uint_eq(name_size(open, sizeof(open)), 0);
	ck_assert_uint_eq(name_size(good, 0), 0);
	memset(longest, 1, sizeof(longest));
	ck_assert_uint_eq(name_size(longest, sizeof(longest)), 0);
	longest[254] = 0;
	ck_assert_uint_eq(name_size(longest, sizeof(longest)), 255);
	longest[254] = 1;
	longest[256] = 0;
	ck_assert_uint_eq(name_size(longest, sizeof(longest)), 0);
}
END_TEST

START_TEST(a_name_is_within_those_above_it)
{
	const struct name www = name_of("www.example.com"), com = name_of("com"),
			  root = name_of("."), other = name_of("www.example.org"),
			  near = name_of("ww.example.com"),
			  /* ends in the bytes of example.com, but not in its labels */
		trick = name_of("x\\007example\\003com.");

	ck_assert(name_is_within(www.bytes, www.bytes));
	ck_assert(name_is_within(www.bytes, com.bytes));
	ck_assert(name_is_within(www.bytes, root.bytes));
	ck_assert(!name_is_within(com.bytes, www.bytes));
	ck_assert(!name_is_within(other.bytes, com.bytes));
	ck_assert(!name_is_within(near.bytes, www.bytes));
	ck_assert(!name_is_within(trick.bytes, com.bytes));
	ck_assert_mem_eq(name_parent(www.bytes), "\7example\3com", 13);
	ck_assert_ptr_eq(name_parent(root.bytes), root.bytes); /* nothing is above it */
}
END_TEST

/* The example of RFC 4034 6.1. */
START_TEST(names_have_a_canonical_order)
{
	static const char *const texts[] = {"example.", "a.example.", "yljkjljk.a.example.",
		"Z.a.example.", "zABC.a.EXAMPLE.", "z.example.", "\\001.z.example.", "*.z.example.",
		"\\200.z.example."};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(texts); k++) {
			const struct name a = name_of(texts[i]), b = name_of(texts[k]);
			const int order = name_compare(a.bytes, b.bytes);

			ck_assert_int_eq((order > 0) - (order < 0), (i > k) - (i < k));
		}
	}
}
END_TEST

START_TEST(any_bytes_survive_text)
{
	struct rng r = {4711};
	char text[NAME_TEXT_SIZE];

	for (int i = 0; i < 2000; i++) {
		struct name n = {0};

		for (uint32_t size; n.size + (size = 1 + rng_below(&r, 63)) + 2 <= NAME_SIZE_MAX;) {
			n.bytes[n.size++] = (uint8_t)size;
			while (size-- > 0)
				n.bytes[n.size++] = (uint8_t)rng_next(&r);
		}
		n.size++;
		name_lower(n.bytes, n.bytes, n.size);
		const struct name back = name_of(name_format(n.bytes, text));

		ck_assert_mem_eq(back.bytes, n.bytes, n.size);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		names_survive_text,
		names_are_of_lower_case,
		names_are_relative_to_the_origin,
		what_is_no_name_is_refused_with_a_reason,
		names_have_255_bytes_at_most,
		names_of_bytes_are_measured,
		a_name_is_within_those_above_it,
		names_have_a_canonical_order,
		any_bytes_survive_text,
	};

	return run_suite("name", tests, ARRAY_SIZE(tests));
}
