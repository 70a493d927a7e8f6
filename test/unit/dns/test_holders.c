/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "dns/holders.h"
#include "suite.h"

#define START tick_s(100)

/* Two VIPs, out of order. */
static struct config_vip vips[2];
static struct config config = {.vips = vips, .n_vips = 2};

static struct holders *new_holders(void)
{
	struct holders *h = holders_new();

	ck_assert(addr_parse("10.1.1.202", &vips[0].address));
	ck_assert(addr_parse("10.1.1.201", &vips[1].address));
	ck_assert_ptr_nonnull(h);
	ck_assert(holders_set_config(h, &config));
	return h;
}

/* What roostd says, in JSON. */
static void hear(struct holders *h, const char *lists, tick now)
{
	char text[512];

	snprintf(text, sizeof text, "{\"node\":\"www1\",\"vips\":2,%s}", lists);
	ck_assert(holders_read(h, text, strlen(text), now));
}

#define NOT_201 "\"held\":[\"10.1.1.202\"],\"unheld\":[\"10.1.1.201\"]"
#define ALL     "\"held\":[\"10.1.1.201\",\"10.1.1.202\"],\"unheld\":[]"
#define NO_201  "\"held\":[\"10.1.1.202\"],\"unheld\":[]"

START_TEST(everything_is_held_until_roostd_has_said_something)
{
	struct holders *h = new_holders();

	ck_assert(holders_is_held(h, 0, START) && holders_is_held(h, 1, START));
	ck_assert(!holders_are_trusted(h, START));
	holders_free(h);
}
END_TEST

START_TEST(a_vip_without_a_holder_is_left_out_after_a_while_and_back_at_once)
{
	struct holders *h = new_holders();

	hear(h, NOT_201, START);
	ck_assert(holders_is_held(h, 1, START));
	hear(h, NOT_201, START + HOLDERS_PATIENCE);
	ck_assert(!holders_is_held(h, 1, START + HOLDERS_PATIENCE));
	ck_assert(holders_is_held(h, 0, START + HOLDERS_PATIENCE));
	hear(h, ALL, START + HOLDERS_PATIENCE + 1);
	ck_assert(holders_is_held(h, 1, START + HOLDERS_PATIENCE + 1));
	holders_free(h);
}
END_TEST

START_TEST(a_takeover_changes_nothing)
{
	struct holders *h = new_holders();

	hear(h, NOT_201, START);
	hear(h, ALL, START + tick_s(1));
	hear(h, NOT_201, START + tick_s(2));
	ck_assert(holders_is_held(h, 1, START + tick_s(4)));
	holders_free(h);
}
END_TEST

START_TEST(when_roostd_falls_silent_everything_is_held_again)
{
	struct holders *h = new_holders();
	const tick last = START + tick_s(4);

	hear(h, NOT_201, START);
	hear(h, NOT_201, last);
	ck_assert(!holders_is_held(h, 1, last + HOLDERS_TRUST - 1));
	ck_assert(holders_is_held(h, 1, last + HOLDERS_TRUST));
	/* and when it speaks again, what it says counts from then on */
	hear(h, NOT_201, last + tick_s(60));
	ck_assert(holders_is_held(h, 1, last + tick_s(60)));
	ck_assert(!holders_is_held(h, 1, last + tick_s(60) + HOLDERS_PATIENCE));
	holders_free(h);
}
END_TEST

START_TEST(what_is_known_of_a_vip_outlives_a_reload)
{
	static const char three[] =
		"\"held\":[\"10.1.1.202\"],\"unheld\":[\"10.1.1.201\",\"10.1.1.198\"]";
	struct config_vip renumbered[4];
	const struct config next = {.vips = renumbered, .n_vips = 4};
	struct holders *h = new_holders();
	const tick now = START + tick_s(4);

	memset(renumbered, 0, sizeof renumbered);
	ck_assert(addr_parse("10.1.1.199", &renumbered[0].address));
	renumbered[1].address = vips[0].address;
	renumbered[2].address = vips[1].address;
	ck_assert(addr_parse("10.1.1.198", &renumbered[3].address));
	hear(h, NOT_201, START);
	hear(h, three, now);
	ck_assert(holders_set_config(h, &next));
	ck_assert(holders_is_unknown(h, 0, now));
	ck_assert(holders_is_held(h, 1, now) && !holders_is_unknown(h, 1, now));
	ck_assert(!holders_is_held(h, 2, now) && !holders_is_unknown(h, 2, now));
	/* what roostd said of it did not count before */
	ck_assert(holders_is_held(h, 3, now) && !holders_is_unknown(h, 3, now));
	ck_assert(!holders_is_held(h, 3, now + HOLDERS_PATIENCE));
	holders_free(h);
}
END_TEST

START_TEST(why_roostd_refuses_is_kept_until_it_answers_or_falls_silent)
{
	static const char refused[] =
		"{\"error\":\"only root\\u001b[2J and the group \\u00fcser may ask\"}";
	struct holders *h = new_holders();

	ck_assert_str_eq(holders_refusal(h), "");
	ck_assert(!holders_read(h, refused, strlen(refused), START));
	ck_assert_str_eq(holders_refusal(h), "only root?[2J and the group ??ser may ask");
	ck_assert(!holders_are_trusted(h, START));
	hear(h, ALL, START);
	ck_assert_str_eq(holders_refusal(h), "");
	ck_assert(!holders_read(h, refused, strlen(refused), START));
	ck_assert(!holders_read(h, "", 0, START));
	ck_assert_str_eq(holders_refusal(h), "");
	/* more than is kept, and no text */
	for (int i = 0; i < 2; i++) {
		char text[1024];

		snprintf(text, sizeof text, "{\"error\":%s%0*d%s}", i ? "" : "\"", 900, 1,
			i ? "" : "\"");
		ck_assert(!holders_read(h, text, strlen(text), START));
		ck_assert_uint_eq(strlen(holders_refusal(h)), i ? 0 : HOLDERS_REFUSAL_SIZE - 1);
	}
	holders_free(h);
}
END_TEST

START_TEST(a_vip_that_roostd_does_not_know_is_not_held_by_anybody)
{
	struct holders *h = new_holders();
	const tick later = START + tick_s(1), last = later + tick_s(1);

	ck_assert(!holders_is_unknown(h, 1, START)); /* nor is any other */
	hear(h, NO_201, START);
	ck_assert(holders_is_unknown(h, 1, START) && !holders_is_held(h, 1, START));
	ck_assert(!holders_is_unknown(h, 0, START) && holders_is_held(h, 0, START));
	/* roostd is restarted, and takes it up */
	hear(h, NOT_201, later);
	ck_assert(!holders_is_unknown(h, 1, later) && holders_is_held(h, 1, later));
	hear(h, NO_201, last);
	ck_assert(!holders_is_held(h, 1, last));
	/* who is silent knows nothing, and everything is given */
	ck_assert(!holders_is_unknown(h, 1, last + HOLDERS_TRUST));
	ck_assert(holders_is_held(h, 1, last + HOLDERS_TRUST));
	holders_free(h);
}
END_TEST

START_TEST(what_is_no_such_document_is_not_heard)
{
	static const char *const texts[] = {"", "{", "[]", "{}", "{\"error\":\"no\"}",
		"{\"held\":[],\"unheld\":{}}", "{\"held\":1,\"unheld\":[]}", "{\"unheld\":[]}",
		"\"unheld\"", "{\"held\":[],\"unheld\":[]} {}"};
	static const char odd[] =
		"{\"held\":[\"10.1.1.202\",0],\"unheld\":[1,null,{},\"x\",\"10.9.9.9\"]}";
	struct holders *h = new_holders();

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		ck_assert(!holders_read(h, texts[i], strlen(texts[i]), START));
	ck_assert(holders_heard(h) == TICK_NEVER);
	/* odd entries are passed over */
	ck_assert(holders_read(h, odd, strlen(odd), START));
	ck_assert(holders_is_held(h, 0, START + tick_s(4)));
	holders_free(h);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		everything_is_held_until_roostd_has_said_something,
		a_vip_without_a_holder_is_left_out_after_a_while_and_back_at_once,
		a_takeover_changes_nothing,
		when_roostd_falls_silent_everything_is_held_again,
		what_is_known_of_a_vip_outlives_a_reload,
		why_roostd_refuses_is_kept_until_it_answers_or_falls_silent,
		a_vip_that_roostd_does_not_know_is_not_held_by_anybody,
		what_is_no_such_document_is_not_heard,
	};

	return run_suite("holders", tests, ARRAY_SIZE(tests));
}
