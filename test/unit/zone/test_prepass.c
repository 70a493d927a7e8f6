/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each prepass/NAME.zone goes through the pass; what comes out must be NAME.ascii (no such file: nothing) and what is
 * told must be NAME.problems. ROOST_REWRITE=1 writes both instead, to be read before they are committed.
 */
#include "zone/prepass.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"

#define CASES_MAX 100

static char *cases[CASES_MAX];
static int n_cases;

static int is_case(const struct dirent *entry)
{
	const size_t length = strlen(entry->d_name);

	return length > 5 && strcmp(entry->d_name + length - 5, ".zone") == 0;
}

static void find_cases(void)
{
	struct dirent **entries;
	const int n = scandir(CASES_DIR, &entries, is_case, alphasort);

	ASSERT(n > 0 && n <= CASES_MAX);
	for (int i = 0; i < n; i++) {
		cases[n_cases++] = strndup(entries[i]->d_name, strlen(entries[i]->d_name) - 5);
		free(entries[i]);
	}
	free(entries);
}

/* The file's bytes, ended by NUL; "" if there is no such file. */
static char *read_text(const char *name, const char *ending, size_t *ret_size)
{
	char path[512];
	char *text = calloc(1, 1u << 16);
	FILE *file;

	snprintf(path, sizeof path, CASES_DIR "/%s%s", name, ending);
	file = fopen(path, "r");
	*ret_size = file ? fread(text, 1, (1u << 16) - 1, file) : 0;
	if (file)
		fclose(file);
	return text;
}

static void compare(const char *name, const char *ending, const char *got)
{
	char path[512];
	size_t size;
	char *wanted = read_text(name, ending, &size);

	if (getenv("ROOST_REWRITE")) {
		snprintf(path, sizeof path, CASES_DIR "/%s%s", name, ending);
		unlink(path);
		if (got[0] != '\0') {
			FILE *file = fopen(path, "w");

			fputs(got, file);
			fclose(file);
		}
	} else if (strcmp(got, wanted) != 0) {
		ck_abort_msg("%s%s differs.\n--- wanted\n%s--- got\n%s", name, ending, wanted, got);
	}
	free(wanted);
}

/* What was told, as text. */
static void print_problem(void *context, const struct prepass_problem *problem)
{
	fprintf(context, "%u: %s: %s\n", problem->line, problem->is_error ? "error" : "warning",
		problem->text);
}

static uint32_t count_lines(const char *text, size_t size)
{
	uint32_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += text[i] == '\n';
	return n;
}

static char *run(const char *text, size_t size, const char *origin, char **ret_told)
{
	size_t told_size, got_size;
	FILE *told = open_memstream(ret_told, &told_size);
	const struct prepass_input in = {text, size, origin, print_problem, told};
	char *got = prepass_run(&in, &got_size);

	fclose(told);
	if (got) {
		ck_assert_uint_eq(strlen(got), got_size);
		ck_assert_uint_eq(count_lines(got, got_size), count_lines(text, size));
		for (size_t i = 0; i < got_size; i++)
			ck_assert_int_lt((unsigned char)got[i], 0x80);
	}
	return got;
}

START_TEST(every_case_becomes_what_is_expected)
{
	const char *const name = cases[_i];
	size_t size;
	char *text = read_text(name, ".zone", &size);
	char *told;
	char *got = run(text, size, "example.", &told);

	compare(name, ".problems", told);
	compare(name, ".ascii", got ? got : "");
	free(got);
	free(told);
	free(text);
}
END_TEST

/* A text that is in a block of just its size, so that a sanitizer sees what is read behind it. */
static char *pass_exactly(const char *text, const char *origin, char **ret_told)
{
	const size_t size = strlen(text);
	char *const copy = malloc(size > 0 ? size : 1);
	char *got;

	memcpy(copy, text, size);
	got = run(copy, size, origin, ret_told);
	free(copy);
	return got;
}

static void becomes(const char *text, const char *wanted)
{
	char *told;
	char *got = pass_exactly(text, "example.", &told);

	ck_assert_str_eq(told, "");
	ck_assert_str_eq(got, wanted);
	free(got);
	free(told);
}

START_TEST(a_text_that_breaks_off_is_passed_on)
{
	becomes("", "");
	becomes("ж", "xn--f1a");
	becomes("ж TXT \"ж", "xn--f1a TXT \"\\208\\182");
	becomes("ж TXT ( \"ж\n", "xn--f1a TXT ( \"\\208\\182\n");
	becomes("ж TXT \\", "xn--f1a TXT \\");
	becomes("ж TYPE5", "xn--f1a TYPE5");
	becomes("ж NS (", "xn--f1a NS (");
	becomes("ж NS )", "xn--f1a NS )");
	becomes("$", "$");
	becomes("$ORIGIN", "$ORIGIN");
	becomes("$ORIGIN\nж A 192.0.2.1\n", "$ORIGIN\nxn--f1a A 192.0.2.1\n");
	becomes("$INCLUDE\nж A 192.0.2.1\n", "$INCLUDE\nxn--f1a A 192.0.2.1\n");
	becomes("ж\r", "xn--f1a\r");
	becomes("\ufeff", "");
	becomes("ж TXT \"a\nb A 192.0.2.1", "xn--f1a TXT \"a\nb A 192.0.2.1");
	becomes("ж TXT a\\\nb A 192.0.2.1", "xn--f1a TXT a\\\nb A 192.0.2.1");
	becomes("ж A 192.0.2.1 ; ж", "xn--f1a A 192.0.2.1 ; ");
	becomes("ж.a\\", "xn--f1a.a\\");
	becomes("a RP ж", "a RP \\208\\182"); /* a mailbox of no domain */
	becomes("$ORIGIN ж.a\\\nж A 192.0.2.1", "$ORIGIN xn--f1a.a\\\nxn--f1a A 192.0.2.1");
}
END_TEST

START_TEST(carriage_returns_go_with_their_lines)
{
	becomes("ж A 192.0.2.1\r\r\n", "xn--f1a A 192.0.2.1\n");
	becomes("ж TXT ( \"a\r\nb\rc\r\r\nd\" )\n", "xn--f1a TXT ( \"a\nb\rc\nd\" )\n");
}
END_TEST

START_TEST(a_class_is_no_type)
{
	static const char *const classes[] = {
		"IN", "CH", "hs", "ANY", "NONE", "CLASS1", "60", "60 IN", "IN 60"};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		char text[64], wanted[64];

		snprintf(text, sizeof text, "ж %s NS ж", classes[i]);
		snprintf(wanted, sizeof wanted, "xn--f1a %s NS xn--f1a", classes[i]);
		becomes(text, wanted);
	}
	becomes("ж CLASS NS ж", "xn--f1a CLASS NS \\208\\182"); /* an unknown type, and text */
}
END_TEST

START_TEST(an_escape_hides_a_prefix)
{
	becomes("xn--a\\.b.ж A 192.0.2.1", "xn--a\\.b.xn--f1a A 192.0.2.1");
}
END_TEST

/* The scanner refuses them. */
START_TEST(names_of_any_length_are_passed_on)
{
	char text[4096] = "$ORIGIN ", wanted[8192] = "$ORIGIN ";

	for (int i = 0; i < 200; i++) {
		strcat(text, "ж.");
		strcat(wanted, "xn--f1a.");
	}
	strcat(text, "\nж A 192.0.2.1\n");
	strcat(wanted, "\nxn--f1a A 192.0.2.1\n");
	becomes(text, wanted);
}
END_TEST

static void is_told(const char *text, const char *wanted)
{
	char *told;
	char *got = pass_exactly(text, "example.", &told);

	ck_assert_ptr_null(got);
	ck_assert_str_eq(told, wanted);
	free(told);
}

START_TEST(what_is_long_is_not_repeated)
{
	char long_one[128], text[256];

	snprintf(long_one, sizeof long_one, "%090dж", 0);
	snprintf(text, sizeof text, "\\a%s A 192.0.2.1\n", long_one);
	is_told(text, "1: error: \"\" has an escape beside characters beyond ASCII; write all of "
		      "them as they are, or all as \\DDD\n");
	snprintf(text, sizeof text, "a %s 192.0.2.1\n", long_one);
	is_told(text, "1: error: \"\" is no TTL, class or type\n");
}
END_TEST

START_TEST(text_in_ascii_stays_as_it_is)
{
	static const char text[] =
		"$ORIGIN example.\n$TTL 1h ; one\n@ SOA ns admin\\.me ( 1 2 3\n 4 5 ) ; x\n"
		"a\tTXT \"a;b\" c\\\"d (\n) ; \"\n\\097 IN 60 A 192.0.2.1";

	ck_assert(!prepass_is_needed(text, sizeof text - 1));
	becomes(text, text);
}
END_TEST

START_TEST(what_needs_the_pass_is_seen)
{
	ck_assert(prepass_is_needed("ж", 2));
	ck_assert(prepass_is_needed("a A 1.2.3.4\r\n", 13));
	ck_assert(prepass_is_needed("a NS xn--80akn5b", 16));
	ck_assert(prepass_is_needed("XN--80AKN5B", 11));
	ck_assert(!prepass_is_needed("a--b n-- x-n--", 14));
	ck_assert(!prepass_is_needed("", 0));
}
END_TEST

/* RFC 5893 2: the rule is one for the whole name. */
START_TEST(directions_are_checked_below_the_origin)
{
	static const char text[] = "שלום A 192.0.2.1\n";
	static const struct {
		const char *origin;
		bool good;
	} origins[] = {
		{"example.", true},
		{"1.example.", false},
		{"\\049.example.", false}, /* as the scanner gives that of $INCLUDE */
		{"xn--9dbne9b.", true},
		{"пример.рф.", true},
		{"1.пример.рф.", false},
		{".", true},
		{NULL, true}, /* not known */
		{"1\\", true},
		{"1\\04", true},
		{"1\\032.example.", true},
		{"1\\046.example.", true},
		{"1\\092.example.", true},
		{"1\\200.example.", true},
		{"xn--a.example.", true},
		{"xn--a.1.example.", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(origins); i++) {
		char *told;
		char *got = pass_exactly(text, origins[i].origin, &told);

		ck_assert_msg((got != NULL) == origins[i].good, "%s: %s", origins[i].origin, told);
		free(got);
		free(told);
	}
}
END_TEST

START_TEST(nobody_need_be_told)
{
	const struct prepass_input in = {.text = "ж_ A 192.0.2.1\n", .size = 16};
	size_t size;

	ck_assert_ptr_null(prepass_run(&in, &size));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("prepass");
	TCase *all = tcase_create("prepass");
	SRunner *runner;
	int failed;

	find_cases();
	tcase_add_loop_test(all, every_case_becomes_what_is_expected, 0, n_cases);
	tcase_add_test(all, a_text_that_breaks_off_is_passed_on);
	tcase_add_test(all, carriage_returns_go_with_their_lines);
	tcase_add_test(all, a_class_is_no_type);
	tcase_add_test(all, an_escape_hides_a_prefix);
	tcase_add_test(all, names_of_any_length_are_passed_on);
	tcase_add_test(all, what_is_long_is_not_repeated);
	tcase_add_test(all, text_in_ascii_stays_as_it_is);
	tcase_add_test(all, what_needs_the_pass_is_seen);
	tcase_add_test(all, directions_are_checked_below_the_origin);
	tcase_add_test(all, nobody_need_be_told);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	for (int i = 0; i < n_cases; i++)
		free(cases[i]);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
