/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "ctl/dns_text.h"
#include "fixtures.h"
#include "suite.h"

static char *text_of(const char *document)
{
	json_t *parsed = json_loads(document, 0, NULL);
	struct sheet s;

	ck_assert_ptr_nonnull(parsed);
	sheet_open(&s, false);
	dns_text_print(parsed, &s.paper);
	sheet_close(&s);
	json_decref(parsed);
	return s.text;
}

static char *file_text(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 14);

	ck_assert_msg(f && text, "%s", path);
	ck_assert_uint_gt(fread(text, 1, (1 << 14) - 1, f), 0);
	fclose(f);
	return text;
}

START_TEST(the_name_server_reads_as_the_golden_text)
{
	char *document = file_text(TEST_DATA "/dns.json"),
	     *golden = file_text(TEST_DATA "/dns.txt");
	char *text = text_of(document);

	ck_assert_str_eq(text, golden);
	free(text);
	free(golden);
	free(document);
}
END_TEST

START_TEST(without_roostd_it_says_that_every_vip_is_given)
{
	char *text = text_of("{\"roostd\":{\"answers\":false,\"left_out\":[]}}");

	ck_assert_ptr_nonnull(strstr(text, "roostd does not answer: every VIP is given\n"));
	free(text);
	text = text_of("{\"roostd\":{\"answers\":false,\"refusal\":\"only root may "
		       "ask\",\"left_out\":[]}}");
	ck_assert_ptr_nonnull(
		strstr(text, "roostd refuses to answer, only root may ask: every VIP is given\n"));
	free(text);
}
END_TEST

START_TEST(not_every_vip_is_held_where_one_is_given_all_the_same)
{
	char *text = text_of("{\"roostd\":{\"answers\":true,\"left_out\":[],"
			     "\"given_anyway\":[\"10.1.1.201\"],\"unknown\":[]}}");

	ck_assert_ptr_null(strstr(text, "every VIP is held"));
	ck_assert_ptr_nonnull(strstr(text, "VIPs that nobody holds are given"));
	ck_assert_ptr_null(strstr(text, "left out"));
	free(text);
	text = text_of("{\"roostd\":{\"answers\":true,\"left_out\":[],"
		       "\"given_anyway\":[],\"unknown\":[]}}");
	ck_assert_ptr_nonnull(strstr(text, "every VIP is held\n"));
	free(text);
}
END_TEST

START_TEST(what_is_missing_or_odd_is_survived)
{
	static const char *const documents[] = {"{}", "{\"zones\":{},\"listen\":7,\"counters\":[]}",
		"{\"zones\":[null,{}],\"listen\":[null,{\"error\":1}],\"roostd\":"
		"{\"answers\":true,\"left_out\":[null,1,\"\\u001b[31m\"],\"unknown\":{}},"
		"\"counters\":"
		"{\"a\":\"b\",\"c\":{\"d\":{\"e\":1e300}}}}"};

	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		char *text = text_of(documents[i]);

		ck_assert_ptr_nonnull(strstr(text, "Counters:"));
		ck_assert_ptr_null(strchr(text, '\033'));
		free(text);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_name_server_reads_as_the_golden_text,
		without_roostd_it_says_that_every_vip_is_given,
		not_every_vip_is_held_where_one_is_given_all_the_same,
		what_is_missing_or_odd_is_survived,
	};

	return run_suite("ctl-dns", tests, ARRAY_SIZE(tests));
}
