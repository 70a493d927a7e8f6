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

/* roostd says that these are held by nobody, in JSON. */
static void hear(struct holders *h, const char *unheld, tick now)
{
	char text[512];

	snprintf(text, sizeof text, "{\"node\":\"www1\",\"vips\":2,\"unheld\":[%s]}", unheld);
	ck_assert(holders_read(h, text, strlen(text), now));
}

#define NOT_201 "\"10.1.1.201\""
#define ALL     ""

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
	struct config_vip renumbered[3];
	const struct config next = {.vips = renumbered, .n_vips = 3};
	struct holders *h = new_holders();
	const tick now = START + tick_s(4);

	memset(renumbered, 0, sizeof renumbered);
	ck_assert(addr_parse("10.1.1.199", &renumbered[0].address));
	renumbered[1].address = vips[0].address;
	renumbered[2].address = vips[1].address;
	hear(h, NOT_201, START);
	hear(h, NOT_201, now);
	ck_assert(holders_set_config(h, &next));
	ck_assert(holders_is_held(h, 0, now)); /* roostd does not know it yet */
	ck_assert(holders_is_held(h, 1, now));
	ck_assert(!holders_is_held(h, 2, now));
	holders_free(h);
}
END_TEST

START_TEST(what_is_no_such_document_is_not_heard)
{
	static const char *const texts[] = {"", "{", "[]", "{}", "{\"error\":\"no\"}",
		"{\"unheld\":{}}", "\"unheld\"", "{\"unheld\":[]} {}"};
	static const char odd[] = "{\"unheld\":[1,null,{},\"x\",\"10.9.9.9\"]}";
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
		what_is_no_such_document_is_not_heard,
	};

	return run_suite("holders", tests, ARRAY_SIZE(tests));
}
