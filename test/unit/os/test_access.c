/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/access.h"
#include "suite.h"

#define OWN_USER  200
#define OWN_GROUP 300
#define READERS   400
#define STEERERS  500

static const struct access_rules initial = {ACCESS_OWN_GROUP, ACCESS_OWN_GROUP, false};
static const struct access_rules both = {READERS, STEERERS, true};
static const struct access_rules only_read = {READERS, ACCESS_OWN_GROUP, true};
static const struct access_rules only_steer = {ACCESS_OWN_GROUP, STEERERS, true};

static const struct {
	const struct access_rules *rules;
	uid_t user;
	gid_t groups[2];
	enum access access;
} cases[] = {
	/* root and the daemon's user */
	{&initial, 0, {1, 1}, ACCESS_STEER},
	{&both, 0, {1, 1}, ACCESS_STEER},
	{&both, OWN_USER, {1, 1}, ACCESS_STEER},
	/* its group, where no other is named */
	{&initial, 1000, {1000, OWN_GROUP}, ACCESS_STEER},
	{&initial, 1000, {OWN_GROUP, 1}, ACCESS_STEER},
	{&initial, 1000, {1000, 0}, ACCESS_NONE},
	{&only_read, 1000, {1000, OWN_GROUP}, ACCESS_STEER},
	{&only_steer, 1000, {1000, OWN_GROUP}, ACCESS_READ},
	{&both, 1000, {1000, OWN_GROUP}, ACCESS_NONE},
	/* those that are named */
	{&both, 1000, {1000, READERS}, ACCESS_READ},
	{&both, 1000, {1000, STEERERS}, ACCESS_STEER},
	{&both, 1000, {READERS, STEERERS}, ACCESS_STEER},
	{&only_read, 1000, {1000, READERS}, ACCESS_READ},
	{&only_steer, 1000, {1000, STEERERS}, ACCESS_STEER},
	/* everybody else; a user's number is no group's */
	{&both, 1000, {1000, 1000}, ACCESS_NONE},
	{&both, STEERERS, {1000, 1000}, ACCESS_NONE},
};

START_TEST(users_and_groups_decide)
{
	const struct access_peer peer = {cases[_i].user, cases[_i].groups, 2};

	ck_assert_int_eq(
		access_judge(cases[_i].rules, &peer, OWN_USER, OWN_GROUP), cases[_i].access);
}
END_TEST

START_TEST(groups_are_looked_up_by_name)
{
	const struct config_control root = {.steer = "root"};
	const struct config_control unknown = {.read = "root", .steer = "no-such-group"};
	const struct config_control none = {0};
	struct access_rules rules = both;

	ck_assert_str_eq(access_find_rules(&unknown, &rules), "no-such-group");
	ck_assert_int_eq(rules.read, READERS); /* untouched */
	ck_assert_ptr_null(access_find_rules(&root, &rules));
	ck_assert_int_eq(rules.steer, 0);
	ck_assert(rules.read == ACCESS_OWN_GROUP && rules.open);
	ck_assert_ptr_null(access_find_rules(&none, &rules));
	ck_assert(rules.read == ACCESS_OWN_GROUP && rules.steer == ACCESS_OWN_GROUP && !rules.open);
}
END_TEST

START_TEST(the_kernel_knows_who_is_at_the_other_end)
{
	uid_t user = 12345;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(access_of_socket(&initial, ends[0], &user), ACCESS_STEER);
	ck_assert_int_eq(user, geteuid());
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(what_is_no_socket_has_nobody_at_the_other_end)
{
	uid_t user = 12345;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(access_of_socket(&initial, ends[0], &user), ACCESS_NONE);
	ck_assert_int_eq(user, 12345);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(a_refusal_says_who_may)
{
	const struct config_control control = {.steer = "operators"};
	char text[ACCESS_REASON_SIZE];

	access_explain(&control, ACCESS_STEER, text);
	ck_assert_str_eq(text, "only root and the group operators may steer");
	access_explain(&control, ACCESS_READ, text);
	ck_assert_str_eq(text, "only root and the daemon's own group may ask");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("access");
	TCase *t = tcase_create("access");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, users_and_groups_decide, 0, ARRAY_SIZE(cases));
	tcase_add_test(t, groups_are_looked_up_by_name);
	tcase_add_test(t, the_kernel_knows_who_is_at_the_other_end);
	tcase_add_test(t, what_is_no_socket_has_nobody_at_the_other_end);
	tcase_add_test(t, a_refusal_says_who_may);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
