/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A key of signed messages, as roost.yaml names it and a file has its secret. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "dns/tsig_key.h"
#include "suite.h"

#define SECRET_16 "MDEyMzQ1Njc4OWFiY2RlZg=="

struct attempt {
	struct config_tsig config;
	struct tsig_key key;
	char problem[SECRET_PROBLEM_SIZE];
};

/* What comes of a file with that text, for a key of that name. */
static bool load(struct attempt *a, const char *name, const char *text)
{
	FILE *file;
	bool good;
	int fd;

	*a = (struct attempt){
		.config = {.secret_file = "/tmp/roost-tsig-XXXXXX"}, .key = {.secret_size = 99}};
	strcpy(a->config.name, name);
	fd = mkstemp(a->config.secret_file);
	ck_assert_int_ge(fd, 0);
	file = fdopen(fd, "w");
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	good = tsig_key_load(&a->config, &a->key, a->problem);
	unlink(a->config.secret_file);
	return good;
}

/* By a sentence that begins with the file's name and has these words, and nothing of the secret. */
static void expect_refusal(const char *name, const char *text, const char *words)
{
	struct attempt a;

	ck_assert(!load(&a, name, text));
	ck_assert_msg(strncmp(a.problem, a.config.secret_file, strlen(a.config.secret_file)) == 0,
		"%s", a.problem);
	ck_assert_msg(strstr(a.problem, words), "%s", a.problem);
	ck_assert_ptr_null(strstr(a.problem, "MDEy"));
	ck_assert_uint_eq(a.key.secret_size, 99); /* untouched */
}

START_TEST(a_key_is_read)
{
	struct attempt a;

	ck_assert_msg(load(&a, "Key.Example.", " " SECRET_16 "\r\n"), "%s", a.problem);
	ck_assert_uint_eq(a.key.name.size, 13);
	ck_assert_mem_eq(a.key.name.bytes, "\3key\7example", 13); /* in lower case */
	ck_assert_uint_eq(a.key.secret_size, 16);
	ck_assert_mem_eq(a.key.secret, "0123456789abcdef", 16);
	tsig_key_wipe(&a.key);
	for (size_t i = 0; i < 16; i++)
		ck_assert_uint_eq(a.key.secret[i], 0);
}
END_TEST

START_TEST(each_algorithm_has_its_counterpart)
{
	static const struct {
		enum config_tsig_algorithm of_the_file;
		enum tsig_algorithm algorithm;
	} pairs[] = {{CONFIG_TSIG_SHA1, TSIG_SHA1}, {CONFIG_TSIG_SHA224, TSIG_SHA224},
		{CONFIG_TSIG_SHA256, TSIG_SHA256}, {CONFIG_TSIG_SHA384, TSIG_SHA384},
		{CONFIG_TSIG_SHA512, TSIG_SHA512}};
	char path[] = "/tmp/roost-tsig-XXXXXX", problem[SECRET_PROBLEM_SIZE];
	const int fd = mkstemp(path);

	ck_assert_int_eq(write(fd, SECRET_16, strlen(SECRET_16)), (ssize_t)strlen(SECRET_16));
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct config_tsig config = {.name = "k", .algorithm = pairs[i].of_the_file};
		struct tsig_key key;

		strcpy(config.secret_file, path);
		ck_assert(tsig_key_load(&config, &key, problem));
		ck_assert_int_eq(key.algorithm, pairs[i].algorithm);
	}
	unlink(path);
}
END_TEST

START_TEST(what_is_no_key_is_refused_with_a_reason)
{
	char text[2048];

	expect_refusal(
		"key..example", SECRET_16, "the key's name key..example: it has an empty label");
	expect_refusal("k", "", "the secret is shorter than 16 bytes; 32 are better");
	/* RFC 8945 8 */
	expect_refusal("k", "MDEyMzQ1Njc4OWFiY2Rl", "the secret is shorter than 16 bytes");
	expect_refusal("k", "MDEyMzQ1Njc4OWFiY2RlZ", "this is not a secret in base64");
	expect_refusal("k", SECRET_16 "\nand more", "this is not a secret in base64");
	memset(text, 'A', 800); /* of 600 bytes, and a key has 512 */
	text[800] = '\0';
	expect_refusal("k", text, "this is not a secret in base64");
	memset(text, 'A', 2000);
	text[2000] = '\0';
	expect_refusal("k", text, "this is too long for a file of secrets");
}
END_TEST

START_TEST(a_file_that_can_not_be_read_is_told)
{
	const struct config_tsig config = {.name = "k", .secret_file = "/nonexistent/secret"};
	char problem[SECRET_PROBLEM_SIZE];
	struct tsig_key key;

	ck_assert(!tsig_key_load(&config, &key, problem));
	ck_assert_str_eq(problem, "/nonexistent/secret: No such file or directory");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_key_is_read,
		each_algorithm_has_its_counterpart,
		what_is_no_key_is_refused_with_a_reason,
		a_file_that_can_not_be_read_is_told,
	};

	return run_suite("tsig key", tests, ARRAY_SIZE(tests));
}
