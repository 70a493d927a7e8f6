/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/sequence.h"
#include "suite.h"
#include "wire/auth.h"

#define NOW tick_s(1000)

static char folder[32], path[64];

static void open_folder(void)
{
	(void)snprintf(folder, sizeof folder, "/tmp/roost-sequence-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/sequence", folder);
}

static void close_folder(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
}

static uint64_t seconds(uint64_t s)
{
	return s << 32;
}

START_TEST(without_a_file_there_is_no_last_one)
{
	uint64_t last = 1;

	ck_assert_int_eq(sequence_load(path, NOW, &last), 0);
	ck_assert_uint_eq(last, 0);
}
END_TEST

/* Whatever was sent since the file was written is not above what is read: sequences follow the clock. */
START_TEST(what_is_read_is_not_below_what_was_sent)
{
	uint64_t last;

	ck_assert_int_eq(sequence_save(path, seconds(500), NOW), 0);
	for (uint64_t s = 0; s < 100; s++) {
		ck_assert_int_eq(sequence_load(path, NOW + tick_s(s), &last), 0);
		ck_assert_uint_ge(last, seconds(500 + s));
		/* nor so far above that a window of seconds would not reach */
		ck_assert_uint_lt(last, seconds(501 + s));
	}
}
END_TEST

/* A file that survived a reboot is older than the clock that it was written by. */
START_TEST(after_a_reboot_it_reserves_what_a_life_may_have_used)
{
	uint64_t last;

	ck_assert_int_eq(sequence_save(path, seconds(500), NOW), 0);
	ck_assert_int_eq(sequence_load(path, tick_s(10), &last), 0);
	ck_assert_uint_ge(last, seconds(560));
}
END_TEST

START_TEST(it_is_replaced_as_a_whole_and_private)
{
	struct stat status;
	uint64_t last;

	for (uint64_t s = 500; s < 503; s++)
		ck_assert_int_eq(sequence_save(path, seconds(s), NOW), 0);
	ck_assert_int_eq(sequence_load(path, NOW, &last), 0);
	ck_assert_uint_ge(last, seconds(502));
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
	ck_assert_int_eq(rmdir(folder) < 0 && unlink(path) == 0 && rmdir(folder) == 0, 1);
}
END_TEST

START_TEST(rubbish_is_not_taken_for_a_sequence)
{
	static const char *const rubbish[] = {"", "\n", "0 0\n", "x", "12 ", "12 34", "12 34 56\n",
		"0000000000000000 5\n", "-", "123456789abcdef01 5\n"};

	for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
		FILE *file = fopen(path, "w");
		uint64_t last = 7;

		(void)fputs(rubbish[i], file);
		(void)fclose(file);
		ck_assert_int_eq(sequence_load(path, NOW, &last), -EBADMSG);
		ck_assert_uint_eq(last, 7);
	}
}
END_TEST

START_TEST(what_cannot_be_written_is_said)
{
	ck_assert_int_eq(sequence_save("/nowhere/at/all", 1, NOW), -ENOENT);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		without_a_file_there_is_no_last_one,
		what_is_read_is_not_below_what_was_sent,
		after_a_reboot_it_reserves_what_a_life_may_have_used,
		it_is_replaced_as_a_whole_and_private,
		rubbish_is_not_taken_for_a_sequence,
		what_cannot_be_written_is_said,
	};
	Suite *s = suite_create("sequence");
	TCase *t = tcase_create("sequence");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, open_folder, close_folder);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
