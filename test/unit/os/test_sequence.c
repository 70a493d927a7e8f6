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

static void save(uint64_t last, tick at)
{
	ck_assert_int_eq(sequence_save(path, &(struct sequence_note){last, at}), 0);
}

/* From what sequence a life goes on that begins at @now. */
static uint64_t reserved(tick now)
{
	struct sequence_note note;

	ck_assert_int_eq(sequence_load(path, &note), 0);
	return sequence_reserved(&note, now);
}

START_TEST(without_a_file_there_is_no_last_one)
{
	ck_assert_uint_eq(reserved(NOW), 0);
}
END_TEST

/* Whatever was sent since the file was written is not above what is reserved: sequences follow the clock. */
START_TEST(what_is_reserved_is_not_below_what_was_sent)
{
	save(seconds(500), NOW);
	for (uint64_t s = 0; s < 100; s++) {
		ck_assert_uint_ge(reserved(NOW + tick_s(s)), seconds(500 + s));
		/* nor so far above that a window of seconds would not reach */
		ck_assert_uint_lt(reserved(NOW + tick_s(s)), seconds(501 + s));
	}
}
END_TEST

/* A file that survived a reboot is older than the clock that it was written by. */
START_TEST(after_a_reboot_it_reserves_what_a_life_may_have_used)
{
	save(seconds(500), NOW);
	ck_assert_uint_ge(reserved(tick_s(10)), seconds(560));
}
END_TEST

START_TEST(it_is_replaced_as_a_whole_and_private)
{
	struct stat status;

	for (uint64_t s = 500; s < 503; s++)
		save(seconds(s), NOW);
	ck_assert_uint_ge(reserved(NOW), seconds(502));
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left in it */
}
END_TEST

START_TEST(rubbish_is_not_taken_for_a_sequence)
{
	static const char *const rubbish[] = {"", "\n", "0 0\n", "x", "12 ", "12 34", "12 34 56\n",
		"0000000000000000 5\n", "-", "123456789abcdef01 5\n", "00000000000001F4 5\n",
		"00000000000001f4 +5\n", "00000000000001f4 99999999999999999999\n",
		"00000000000001f4 5\n\n"};

	for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
		FILE *file = fopen(path, "w");
		struct sequence_note note = {.last = 7};

		(void)fputs(rubbish[i], file);
		(void)fclose(file);
		ck_assert_int_eq(sequence_load(path, &note), -EBADMSG);
		ck_assert_uint_eq(note.last, 7);
	}
}
END_TEST

START_TEST(what_cannot_be_written_is_said)
{
	ck_assert_int_eq(
		sequence_save("/nowhere/at/all", &(struct sequence_note){1, NOW}), -ENOENT);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		without_a_file_there_is_no_last_one,
		what_is_reserved_is_not_below_what_was_sent,
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
