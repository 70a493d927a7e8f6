/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/keys.h"
#include "suite.h"

#define HEX_32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* A file with @text and @mode, and what keys_new() makes of it. */
struct attempt {
	char folder[32];
	struct config config;
	struct auth *auth;
	char problem[SECRET_PROBLEM_SIZE];
};

static void attempt(struct attempt *a, const char *text, mode_t mode, uid_t owner)
{
	FILE *file;

	*a = (struct attempt){.folder = "/tmp/roost-keys-XXXXXX"};
	ck_assert_ptr_nonnull(mkdtemp(a->folder));
	a->config = (struct config){.n_nodes = 3, .auth = {.window = tick_s(5)}};
	(void)snprintf(a->config.auth.keys, sizeof a->config.auth.keys, "%s/keys", a->folder);
	if (text) {
		file = fopen(a->config.auth.keys, "w");
		ck_assert_ptr_nonnull(file);
		(void)fputs(text, file);
		(void)fclose(file);
		ck_assert_int_eq(chmod(a->config.auth.keys, mode), 0);
		if (owner != geteuid())
			ck_assert_int_eq(chown(a->config.auth.keys, owner, (gid_t)-1), 0);
	}
	a->auth = keys_new(&a->config, 6, geteuid(), a->problem);
}

static void tidy(struct attempt *a)
{
	keys_free(a->auth);
	(void)unlink(a->config.auth.keys);
	(void)rmdir(a->config.auth.keys);
	(void)rmdir(a->folder);
}

/* Refused, by a sentence that begins with the file's name and has @words, and never a key. */
static void expect_refusal(struct attempt *a, const char *words)
{
	ck_assert_ptr_null(a->auth);
	ck_assert_msg(strncmp(a->problem, a->config.auth.keys, strlen(a->config.auth.keys)) == 0,
		"%s", a->problem);
	ck_assert_msg(strstr(a->problem, words), "%s", a->problem);
	ck_assert_ptr_null(strstr(a->problem, "0001"));
	tidy(a);
}

/* How much of its memory this process has locked. */
static unsigned locked_kb(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	unsigned kb = 0;
	char line[256];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file))
		(void)sscanf(line, "VmLck: %u kB", &kb);
	(void)fclose(file);
	return kb;
}

START_TEST(a_private_file_is_read)
{
	const mode_t modes[] = {0600, 0400};

	for (int i = 0; i < 2; i++) {
		struct attempt a;

		attempt(&a, "2 " HEX_32 "\n1 " HEX_32 HEX_32 "\n", modes[i], geteuid());
		ck_assert_msg(a.auth != NULL, "%s", a.problem);
		ck_assert_uint_eq(a.auth->n_keys, 2);
		ck_assert_uint_eq(a.auth->keys[0].id, 2);
		ck_assert_uint_eq(a.auth->window_s, 5);
		ck_assert_uint_ge(a.auth->n_marks, 36);
		tidy(&a);
	}
}
END_TEST

/* AddressSanitizer turns mlock() into nothing. */
static bool may_lock(void)
{
#ifdef __has_feature
	return !__has_feature(address_sanitizer);
#else
	return true;
#endif
}

START_TEST(a_child_locks_them_again)
{
	struct attempt a;
	pid_t child;
	int status;

	if (!may_lock())
		return;
	attempt(&a, "1 " HEX_32 "\n", 0600, geteuid());
	ck_assert_ptr_nonnull(a.auth);
	ck_assert_uint_gt(locked_kb(), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		const unsigned inherited = locked_kb();

		keys_lock(a.auth);
		_exit(inherited == 0 && locked_kb() > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	tidy(&a);
}
END_TEST

START_TEST(a_file_that_is_open_to_others_is_refused)
{
	const mode_t modes[] = {0644, 0640, 0620, 0604, 0602, 0601, 0700};

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		struct attempt a;

		attempt(&a, "1 " HEX_32 "\n", modes[i], geteuid());
		expect_refusal(&a, "chmod 0600");
	}
}
END_TEST

START_TEST(another_users_file_is_refused)
{
	struct attempt a;

	if (geteuid() != 0)
		return; /* who is not root can't give a file away */
	attempt(&a, "1 " HEX_32 "\n", 0600, 4711);
	expect_refusal(&a, "4711");
}
END_TEST

START_TEST(what_is_no_file_is_refused_without_waiting_for_it)
{
	struct attempt a;

	attempt(&a, NULL, 0, 0);
	expect_refusal(&a, "No such file");
	attempt(&a, NULL, 0, 0);
	ck_assert_int_eq(mkdir(a.config.auth.keys, 0700), 0);
	a.auth = keys_new(&a.config, 6, geteuid(), a.problem);
	expect_refusal(&a, "no file");
	attempt(&a, NULL, 0, 0);
	ck_assert_int_eq(mkfifo(a.config.auth.keys, 0600), 0);
	a.auth = keys_new(&a.config, 6, geteuid(), a.problem);
	expect_refusal(&a, "no file");
}
END_TEST

START_TEST(a_mistake_is_told_with_file_and_line)
{
	struct attempt a;

	attempt(&a, "# ours\n1 " HEX_32 "\n2 00010203\n", 0600, geteuid());
	expect_refusal(&a, "keys:3: the key is too short");
	attempt(&a, "", 0600, geteuid());
	expect_refusal(&a, "no key in it");
}
END_TEST

START_TEST(a_file_that_is_too_long_is_refused)
{
	struct attempt a;
	char *text = malloc(70000);

	memset(text, '#', 69999);
	text[69999] = '\0';
	attempt(&a, text, 0600, geteuid());
	free(text);
	expect_refusal(&a, "too long");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_private_file_is_read,
		a_child_locks_them_again,
		a_file_that_is_open_to_others_is_refused,
		another_users_file_is_refused,
		what_is_no_file_is_refused_without_waiting_for_it,
		a_mistake_is_told_with_file_and_line,
		a_file_that_is_too_long_is_refused,
	};

	return run_suite("keys", tests, sizeof tests / sizeof *tests);
}
