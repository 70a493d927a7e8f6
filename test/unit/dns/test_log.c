/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>

#include "base/assert.h"
#include "dns/log.h"
#include "suite.h"

START_TEST(a_minute_has_so_many_lines_and_the_last_says_so)
{
	struct log_quota quota = LOG_QUOTA(3);
	tick now = tick_s(100);

	for (int minute = 0; minute < 3; minute++) {
		ck_assert_str_eq(log_quota_take(&quota, now), "");
		ck_assert_str_eq(log_quota_take(&quota, now + tick_s(59)), "");
		ck_assert_str_eq(log_quota_take(&quota, now + tick_s(59)),
			"; no more lines like this one for a minute");
		for (int i = 0; i < 10; i++)
			ck_assert_ptr_null(log_quota_take(&quota, now + tick_s(59)));
		now += tick_s(60);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_minute_has_so_many_lines_and_the_last_says_so,
	};

	return run_suite("log", tests, ARRAY_SIZE(tests));
}
