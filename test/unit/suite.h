/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Runs Check tests as one suite; the exit status of main(). */

#include <check.h>
#include <stdlib.h>

#define SUITE_TIMEOUT_S 60 /* of one test, on a busy machine and with sanitizers */

/* @setup and @teardown run before and after each test; either may be NULL. */
static inline int run_suite_around(const char *name, const TTest *const *tests, size_t n_tests,
	void (*setup)(void), void (*teardown)(void))
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	SRunner *r;
	int failed;

	tcase_set_timeout(t, SUITE_TIMEOUT_S);
	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < n_tests; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static inline int run_suite(const char *name, const TTest *const *tests, size_t n_tests)
{
	return run_suite_around(name, tests, n_tests, NULL, NULL);
}
