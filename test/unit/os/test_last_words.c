/* SPDX-License-Identifier: GPL-3.0-or-later */
/* After every turn of a node, whatever happens to it, its last words must be those of a node that is in
 * this state: priority 0 for what it serves, 1 for what it claims, and nothing of anything else. */
#include <check.h>

#include "base/assert.h"
#include "base/rng.h"
#include "node/node_fixture.h"
#include "os/last_words.h"

static struct destinations destinations;
static struct will *will;
static struct last_words *words;
static uint32_t ifindex[CONFIG_INTERFACES_MAX];

static void update(struct fixture *f, bool relinked)
{
	last_words_update(words, f->fx, ifindex, relinked);
}

static struct fixture *begin(void)
{
	struct fixture *f = start();

	last_words_free(words);
	will_free(will);
	destinations_fini(&destinations);
	ck_assert(destinations_init(&destinations, f->plan, 0));
	will = will_new(f->plan, &destinations);
	ck_assert_ptr_nonnull(will);
	words = last_words_new(f->node, will);
	ck_assert_ptr_nonnull(words);
	ifindex[0] = 7;
	update(f, true);
	return f;
}

/* The priority by which @vip is in the will, or -1. */
static int said(const struct fixture *f, uint32_t vip)
{
	const uint32_t router = f->node->units[f->node->vips[vip].unit].router;
	int priority = -1;

	for (int say = 0; say < WILL_SAYS; say++) {
		struct advert_envelope envelope = {.ttl = ADVERT_TTL, .family = FAMILY_IPV4};
		struct will_word word;
		struct advert a;

		if (!will_read(will, router, (enum will_say)say, 0, &word))
			continue;
		envelope.source = word.route.source;
		envelope.destination = word.route.destination;
		ck_assert_int_eq(
			advert_parse(word.message, word.size, &envelope, &a), ADVERT_ACCEPTED);
		ck_assert_uint_eq(a.vrid, f->plan->routers[router].vrid);
		ck_assert_uint_eq(word.route.ifindex, ifindex[0]);
		ck_assert(addr_equal(&word.route.source, &f->node->interfaces[0].sources[0]));
		for (uint32_t i = 0; i < a.n_addresses; i++) {
			if (!addr_equal(&a.addresses[i], &f->vips[vip].address))
				continue;
			ck_assert_int_eq(priority, -1);
			priority = a.priority;
		}
	}
	return priority;
}

static int due(const struct fixture *f, uint32_t vip)
{
	switch (state(f, vip)) {
	case VRRP_ACTIVE:
	case VRRP_LEAVING: return 0;
	case VRRP_CLAIMING: return 1;
	case VRRP_INITIALIZE:
	case VRRP_BACKUP:
	case VRRP_STATES: break;
	}
	return -1;
}

static void check(const struct fixture *f)
{
	for (uint32_t vip = 0; vip < 6; vip++)
		ck_assert_int_eq(said(f, vip), due(f, vip));
}

START_TEST(who_serves_says_priority_0)
{
	struct fixture *f = begin();

	for (int i = 0; i < 30; i++) {
		pass_time(f);
		update(f, false);
		obey(f);
		update(f, false);
		check(f);
	}
	for (uint32_t vip = 0; vip < 6; vip++)
		ck_assert_int_eq(said(f, vip), 0);
	hear(f, 3, 1, 255, (const uint8_t[]){201}, 1);
	update(f, false);
	ck_assert_int_eq(said(f, 0), -1);
	check(f);
	turn(f, (struct node_event){.kind = NODE_EV_STOP});
	update(f, false);
	ck_assert_int_eq(said(f, 1), 0); /* it is not handed over yet */
	check(f);
}
END_TEST

START_TEST(who_is_about_to_serve_says_that_it_yields)
{
	struct fixture *f = begin();
	const uint8_t lesser = plan_priority(2, 3, false);
	uint32_t vip = 0;

	while (place(f, vip) != 0)
		vip++;
	/* a lesser one serves it */
	for (int i = 0; i <= 3; i++) {
		f->now = T0 + (tick)i * INTERVAL;
		hear(f, 3, 1, lesser, &node_vips[vip], 1);
		update(f, false);
	}
	pass_time(f);
	update(f, false);
	ck_assert_int_eq(state(f, vip), VRRP_CLAIMING);
	ck_assert_int_eq(said(f, vip), 1);
	check(f);
}
END_TEST

START_TEST(another_interface_by_the_same_name_is_the_one_that_counts)
{
	struct fixture *f = begin();

	take_all(f);
	update(f, true);
	ifindex[0] = 8;
	link_up(f, true);
	update(f, true);
	check(f);
	link_up(f, false);
	update(f, true);
	check(f);
	ck_assert_int_eq(said(f, 0), -1);
}
END_TEST

START_TEST(whatever_happens_the_words_follow)
{
	struct rng rng;
	uint32_t n_said[2] = {0, 0};

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct fixture *f = begin();

		rng.state = seed;
		for (int i = 0; i < 100; i++) {
			const uint8_t lasts[] = {node_vips[rng_below(&rng, 6)]};

			if (rng_below(&rng, 3) == 0)
				hear(f, 3, 1, (uint8_t)rng_below(&rng, 256), lasts, 1);
			else
				pass_time(f);
			update(f, false);
			if (rng_below(&rng, 4) != 0) {
				obey(f);
				update(f, false);
			}
			check(f);
			for (uint32_t vip = 0; vip < 6; vip++)
				if (said(f, vip) >= 0)
					n_said[said(f, vip)]++;
		}
	}
	/* it has seen both */
	ck_assert_uint_gt(n_said[0], 0);
	ck_assert_uint_gt(n_said[1], 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		who_serves_says_priority_0,
		who_is_about_to_serve_says_that_it_yields,
		another_interface_by_the_same_name_is_the_one_that_counts,
		whatever_happens_the_words_follow,
	};

	return run_suite("last words", tests, ARRAY_SIZE(tests));
}
