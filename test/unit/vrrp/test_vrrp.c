/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The election, read beside RFC 9568 section 6 and RFC 3768 section 6. */
#include "suite.h"
#include "vrrp/vrrp.h"

#define T0 tick_s(1000)

static const struct vrrp_config roost = {
	.self = {{[10] = 0xff, [11] = 0xff, 10, 1, 1, 2}},
	.interval = 1000000000,
	.period = 1000000000,
	.linger = 20000000,
	.version = 3,
	.preempt = true,
};

static struct vrrp_config strict(void)
{
	struct vrrp_config c = roost;

	c.strict = true;
	return c;
}

static struct addr host(uint8_t last)
{
	return addr_from_ipv4((const uint8_t[]){10, 1, 1, last});
}

static struct vrrp_event advert(uint8_t priority, uint8_t from)
{
	return (struct vrrp_event){.kind = VRRP_EV_ADVERT,
		.priority = priority,
		.source = host(from),
		.interval = tick_s(1)};
}

static unsigned feed(
	struct vrrp *v, const struct vrrp_config *c, enum vrrp_event_kind kind, tick now)
{
	return vrrp_step(v, c, &(struct vrrp_event){.kind = kind}, now);
}

static unsigned hear(
	struct vrrp *v, const struct vrrp_config *c, uint8_t priority, uint8_t from, tick now)
{
	const struct vrrp_event ev = advert(priority, from);

	return vrrp_step(v, c, &ev, now);
}

static struct vrrp backup(const struct vrrp_config *c, uint8_t priority)
{
	struct vrrp v;

	vrrp_init(&v, priority);
	feed(&v, c, VRRP_EV_START, T0);
	ck_assert_int_eq(v.state, VRRP_BACKUP);
	return v;
}

static struct vrrp active(const struct vrrp_config *c, uint8_t priority)
{
	struct vrrp v = backup(c, priority);

	feed(&v, c, VRRP_EV_TICK, v.active_down_at);
	ck_assert_int_eq(v.state, VRRP_ACTIVE);
	return v;
}

/* RFC 9568 6.1; the numbers are in hundredths of a centisecond. */
START_TEST(skew_and_active_down_follow_the_rfc)
{
	static const struct {
		uint8_t priority;
		uint32_t interval_cs, skew, down;
	} rows[] = {
		{100, 100, 6094, 36094},
		{254, 100, 78, 30078},
		{1, 10, 996, 3996},
		{200, 100, 2188, 32188},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const tick interval = tick_cs(rows[i].interval_cs), unit = tick_us(100);
		const tick skew = vrrp_skew(3, rows[i].priority, interval);
		const tick down = vrrp_active_down(3, rows[i].priority, interval);

		ck_assert_uint_eq((skew + unit / 2) / unit, rows[i].skew);
		ck_assert_uint_eq((down + unit / 2) / unit, rows[i].down);
	}
}
END_TEST

/* RFC 3768 6.1: (256 - priority) / 256 of a second, whatever the interval */
START_TEST(version_2_skews_by_a_fraction_of_a_second)
{
	ck_assert_uint_eq(vrrp_skew(2, 128, tick_s(5)), tick_ms(500));
	ck_assert_uint_eq(vrrp_active_down(2, 128, tick_s(5)), tick_ms(15500));
}
END_TEST

/* RFC 9568 6.4.1 */
START_TEST(the_owner_is_active_at_once)
{
	struct vrrp v;

	vrrp_init(&v, VRRP_PRIORITY_OWNER);
	ck_assert_uint_eq(feed(&v, &roost, VRRP_EV_START, T0),
		VRRP_FX_ADVERTISE | VRRP_FX_ANNOUNCE | VRRP_FX_MOVED);
	ck_assert_int_eq(v.state, VRRP_ACTIVE);
	ck_assert_int_eq(v.why, VRRP_WHY_OWNER);
}
END_TEST

/* RFC 9568 6.4.1 and 6.4.2: listen for Active_Down, then serve */
START_TEST(a_backup_serves_when_nobody_is_heard_for_active_down)
{
	struct vrrp v = backup(&roost, 128);

	ck_assert_uint_eq(v.active_down_at, T0 + vrrp_active_down(3, 128, tick_s(1)));
	ck_assert_uint_eq(feed(&v, &roost, VRRP_EV_TICK, v.active_down_at - 1), 0);
	ck_assert_int_eq(v.state, VRRP_BACKUP);
	ck_assert_uint_eq(feed(&v, &roost, VRRP_EV_TICK, v.active_down_at),
		VRRP_FX_ADVERTISE | VRRP_FX_ANNOUNCE | VRRP_FX_MOVED);
	ck_assert_int_eq(v.why, VRRP_WHY_SILENCE);
}
END_TEST

/* The turn's clock was read before the socket was. */
START_TEST(active_down_counts_from_when_the_advertisement_was_received)
{
	const tick down = vrrp_active_down(3, 128, tick_s(1));
	struct vrrp_event ev = advert(200, 1);
	struct vrrp v = backup(&roost, 128);

	ev.received = T0 + tick_s(5);
	ck_assert_uint_eq(vrrp_step(&v, &roost, &ev, T0 + tick_s(1)), 0);
	ck_assert_uint_eq(v.active_down_at, T0 + tick_s(5) + down);
	ck_assert_uint_eq(feed(&v, &roost, VRRP_EV_TICK, T0 + tick_s(1)), 0);
	ck_assert_uint_eq(v.served_until, T0 + tick_s(5) + down);
}
END_TEST

/* RFC 9568 6.4.2: adopt the interval, re-arm */
START_TEST(a_backup_learns_the_interval_of_the_active)
{
	struct vrrp v = backup(&roost, 128);
	struct vrrp_event ev = advert(254, 9);

	ev.interval = tick_cs(5);
	vrrp_step(&v, &roost, &ev, T0 + tick_ms(10));
	ck_assert_uint_eq(v.active_interval, tick_cs(5));
	ck_assert_uint_eq(
		v.active_down_at, T0 + tick_ms(10) + vrrp_active_down(3, 128, tick_cs(5)));
}
END_TEST

/* RFC 9568 6.4.2: with Preempt_Mode a lesser one is discarded, the timer runs on */
START_TEST(a_better_backup_does_not_rearm_for_a_lesser_active)
{
	struct vrrp v = backup(&roost, 200);
	const tick armed = v.active_down_at;

	hear(&v, &roost, 100, 9, T0 + tick_s(1));
	ck_assert_uint_eq(v.active_down_at, armed);
}
END_TEST

START_TEST(without_preemption_a_lesser_active_is_accepted)
{
	struct vrrp_config c = roost;
	struct vrrp v;

	c.preempt = false;
	v = backup(&c, 200);
	hear(&v, &c, 190, 9, T0 + tick_s(1));
	ck_assert_uint_eq(v.active_down_at, T0 + tick_s(1) + vrrp_active_down(3, 200, tick_s(1)));
}
END_TEST

START_TEST(an_ill_active_is_relieved_even_without_preemption)
{
	struct vrrp_config c = roost;
	struct vrrp v;
	tick armed;

	c.preempt = false;
	v = backup(&c, 200);
	armed = v.active_down_at;
	hear(&v, &c, 100, 9, T0 + tick_s(1));
	ck_assert_uint_eq(v.active_down_at, armed);
}
END_TEST

/* A planned hand-over: address, announcement, advertisement, in this order */
START_TEST(preemption_announces_before_it_advertises)
{
	struct vrrp v = backup(&roost, 200);
	tick now = T0;

	for (; now + tick_s(1) < v.active_down_at; now += tick_s(1))
		hear(&v, &roost, 150, 9, now);
	ck_assert_uint_eq(feed(&v, &roost, VRRP_EV_TICK, v.active_down_at), VRRP_FX_ANNOUNCE);
	ck_assert_int_eq(v.state, VRRP_CLAIMING);
	ck_assert_int_eq(vrrp_wanted_hold(&v, now), VRRP_HOLD_FULL);
	ck_assert_uint_eq(feed(&v, &roost, VRRP_EV_ANNOUNCED, now + tick_s(1)),
		VRRP_FX_ADVERTISE | VRRP_FX_MOVED);
	ck_assert_int_eq(v.state, VRRP_ACTIVE);
	ck_assert_int_eq(v.why, VRRP_WHY_PREEMPT);
}
END_TEST

START_TEST(a_claimant_does_not_wait_for_its_announcement_when_the_active_dies)
{
	struct vrrp v = backup(&roost, 200);

	hear(&v, &roost, 150, 9, T0 + tick_s(3));
	feed(&v, &roost, VRRP_EV_TICK, v.active_down_at);
	ck_assert_int_eq(v.state, VRRP_CLAIMING);
	ck_assert_uint_eq(vrrp_deadline(&v), v.served_until);
	ck_assert_uint_eq(feed(&v, &roost, VRRP_EV_TICK, v.served_until) & VRRP_FX_ADVERTISE,
		VRRP_FX_ADVERTISE);
	ck_assert_int_eq(v.state, VRRP_ACTIVE);
}
END_TEST

START_TEST(a_claimant_withdraws_before_a_better_one_and_lingers)
{
	struct vrrp v = backup(&roost, 200);

	hear(&v, &roost, 150, 9, T0 + tick_s(3));
	feed(&v, &roost, VRRP_EV_TICK, v.active_down_at);
	ck_assert_uint_eq(hear(&v, &roost, 220, 8, T0 + tick_s(4)), VRRP_FX_ADVERTISE_PARTING);
	ck_assert_int_eq(v.state, VRRP_BACKUP);
	ck_assert_int_eq(vrrp_wanted_hold(&v, T0 + tick_s(4)), VRRP_HOLD_DATA);
}
END_TEST

/* RFC 9568 to the letter towards foreign neighbours: advertisement first */
START_TEST(a_strict_router_preempts_by_the_advertisement)
{
	const struct vrrp_config c = strict();
	struct vrrp v = backup(&c, 200);

	hear(&v, &c, 150, 9, T0 + tick_s(3));
	ck_assert_uint_eq(feed(&v, &c, VRRP_EV_TICK, v.active_down_at),
		VRRP_FX_ADVERTISE | VRRP_FX_ANNOUNCE | VRRP_FX_MOVED);
	ck_assert_int_eq(v.state, VRRP_ACTIVE);
}
END_TEST

START_TEST(the_preempt_delay_holds_back_only_while_somebody_serves)
{
	struct vrrp_config c = roost;
	struct vrrp v;

	c.preempt_delay = tick_s(60);
	v = backup(&c, 200);
	for (tick now = T0; now < T0 + tick_s(50); now += tick_s(1)) {
		hear(&v, &c, 150, 9, now);
		feed(&v, &c, VRRP_EV_TICK, now);
		ck_assert_int_eq(v.state, VRRP_BACKUP);
	}
	feed(&v, &c, VRRP_EV_TICK, v.served_until);
	ck_assert_int_eq(v.state, VRRP_ACTIVE);
	ck_assert_int_eq(v.why, VRRP_WHY_SILENCE);
}
END_TEST

/* RFC 9568 6.4.2: priority 0 sets the timer to Skew_Time */
START_TEST(priority_0_leaves_a_strict_backup_its_skew)
{
	const struct vrrp_config c = strict();
	struct vrrp v = backup(&c, 200);

	hear(&v, &c, 220, 9, T0);
	hear(&v, &c, 0, 9, T0 + tick_ms(100));
	ck_assert_uint_eq(v.active_down_at, T0 + tick_ms(100) + vrrp_skew(3, 200, tick_s(1)));
}
END_TEST

START_TEST(the_next_in_the_order_skips_the_skew)
{
	struct vrrp v = backup(&roost, 200);
	struct vrrp_event ev = advert(0, 9);

	hear(&v, &roost, 220, 9, T0);
	ev.next = true;
	ck_assert_uint_eq(vrrp_step(&v, &roost, &ev, T0 + tick_ms(100)), VRRP_FX_ANNOUNCE);
	ck_assert_int_eq(v.state, VRRP_CLAIMING);
	ck_assert_int_eq(v.why, VRRP_WHY_LEFT);
}
END_TEST

START_TEST(priority_0_again_does_not_put_the_skew_off)
{
	struct vrrp v = backup(&roost, 128);
	tick fires;

	hear(&v, &roost, 220, 9, T0);
	hear(&v, &roost, 0, 9, T0);
	fires = v.active_down_at;
	hear(&v, &roost, 0, 9, T0 + tick_ms(250));
	ck_assert_uint_eq(v.active_down_at, fires);
}
END_TEST

START_TEST(priority_0_of_one_that_does_not_serve_means_nothing)
{
	struct vrrp v = backup(&roost, 128);
	tick armed;

	hear(&v, &roost, 220, 9, T0);
	armed = v.active_down_at;
	hear(&v, &roost, 0, 8, T0 + tick_ms(1));
	ck_assert_uint_eq(v.active_down_at, armed);
}
END_TEST

START_TEST(delays_of_its_turns_do_not_add_up)
{
	struct vrrp v = active(&roost, 200);
	const tick first = v.advert_at;

	for (unsigned i = 1; i <= 100; i++) {
		const tick now = v.advert_at + tick_ms(i % 7);

		ck_assert_uint_eq(feed(&v, &roost, VRRP_EV_TICK, now), VRRP_FX_ADVERTISE);
		vrrp_advertised(&v, &roost, now); /* as the node says of all that go together */
		ck_assert_uint_eq(v.advert_at, first + i * tick_s(1));
	}
	/* of two that were apart, the one goes with the other from then on */
	vrrp_advertised(&v, &roost, v.advert_at - tick_ms(499));
	ck_assert_uint_eq(v.advert_at, first + 100 * tick_s(1) + tick_ms(501));
}
END_TEST

/* RFC 9568 6.4.3 */
START_TEST(an_active_advertises_each_interval)
{
	struct vrrp v = active(&roost, 200);
	const tick due = v.advert_at;

	ck_assert_uint_eq(feed(&v, &roost, VRRP_EV_TICK, due - 1), 0);
	ck_assert_uint_eq(feed(&v, &roost, VRRP_EV_TICK, due + tick_ms(3)), VRRP_FX_ADVERTISE);
	ck_assert_uint_eq(v.advert_at, due + tick_s(1));
}
END_TEST

START_TEST(an_active_answers_priority_0_at_once)
{
	struct vrrp v = active(&roost, 200);

	ck_assert_uint_eq(
		hear(&v, &roost, 0, 9, v.since + tick_ms(5)), VRRP_FX_ADVERTISE | VRRP_FX_ANNOUNCE);
	ck_assert_int_eq(v.state, VRRP_ACTIVE);
}
END_TEST

/* RFC 9568 6.4.3: discard and advertise at once; and announce, for the rival had customers too */
START_TEST(an_active_answers_a_losing_rival_and_announces_again)
{
	struct vrrp v = active(&roost, 200);

	ck_assert_uint_eq(hear(&v, &roost, 100, 9, v.since + tick_ms(5)),
		VRRP_FX_ADVERTISE | VRRP_FX_ANNOUNCE | VRRP_FX_CONFLICT);
	ck_assert_int_eq(v.state, VRRP_ACTIVE);
}
END_TEST

START_TEST(an_active_yields_to_a_better_one_with_a_parting_word)
{
	struct vrrp v = active(&roost, 200);
	const tick now = v.since + tick_ms(500);

	ck_assert_uint_eq(hear(&v, &roost, 220, 9, now), VRRP_FX_ADVERTISE_PARTING | VRRP_FX_MOVED);
	ck_assert_int_eq(v.state, VRRP_BACKUP);
	ck_assert_int_eq(vrrp_wanted_hold(&v, now), VRRP_HOLD_DATA);
	ck_assert_uint_eq(vrrp_deadline(&v), now + tick_ms(20));
	feed(&v, &roost, VRRP_EV_TICK, now + tick_ms(20));
	ck_assert_int_eq(vrrp_wanted_hold(&v, now + tick_ms(20)), VRRP_HOLD_NONE);
	ck_assert_uint_eq(v.partings, 2);
}
END_TEST

START_TEST(where_packets_get_lost_the_parting_word_is_repeated)
{
	struct vrrp_config c = roost;
	struct vrrp v = active(&roost, 200);
	const tick now = v.since + tick_s(1);

	c.period = c.interval / 4;
	ck_assert_uint_eq(hear(&v, &c, 220, 9, now), VRRP_FX_ADVERTISE_PARTING | VRRP_FX_MOVED);
	for (int i = 1; i <= 3; i++)
		ck_assert_uint_eq(
			feed(&v, &c, VRRP_EV_TICK, now + i * c.period), VRRP_FX_ADVERTISE_PARTING);
	ck_assert_uint_eq(vrrp_deadline(&v), v.active_down_at);
}
END_TEST

START_TEST(one_that_has_just_announced_serves_until_the_winner_announced_again)
{
	struct vrrp v = active(&roost, 200);
	const tick now = v.since + tick_ms(5);

	hear(&v, &roost, 220, 9, now);
	ck_assert_int_eq(vrrp_wanted_hold(&v, now + tick_ms(70)), VRRP_HOLD_DATA);
	ck_assert_int_eq(vrrp_wanted_hold(&v, now + tick_ms(80)), VRRP_HOLD_NONE);
}
END_TEST

START_TEST(a_parting_word_claims_nothing)
{
	struct vrrp v = backup(&roost, 128), leaving = active(&roost, 200);
	const tick armed = v.active_down_at;

	ck_assert_uint_eq(hear(&v, &roost, VRRP_PRIORITY_PARTING, 9, T0 + tick_ms(1)), 0);
	ck_assert_uint_eq(v.active_down_at, armed);
	ck_assert_uint_eq(v.heard, 0);
	feed(&leaving, &roost, VRRP_EV_LEAVE, leaving.since + 1);
	ck_assert_uint_eq(hear(&leaving, &roost, VRRP_PRIORITY_PARTING, 9, leaving.since + 2), 0);
	ck_assert_int_eq(leaving.state, VRRP_LEAVING);
}
END_TEST

START_TEST(an_active_that_slept_announces_again)
{
	struct vrrp v = active(&roost, 200);
	const struct vrrp_event ev = {.kind = VRRP_EV_TICK, .late = true};

	ck_assert_uint_eq(vrrp_step(&v, &roost, &ev, v.advert_at + tick_s(10)),
		VRRP_FX_ADVERTISE | VRRP_FX_ANNOUNCE);
}
END_TEST

START_TEST(one_that_was_away_longer_than_its_lease_listens_first)
{
	for (int inherited = 0; inherited < 2; inherited++) {
		struct vrrp v = active(&roost, 200);
		const struct vrrp_event ev = {.kind = VRRP_EV_LAPSE, .inherited = inherited};
		const tick now = v.since + tick_s(10);

		ck_assert_uint_eq(vrrp_step(&v, &roost, &ev, now), VRRP_FX_MOVED);
		ck_assert_int_eq(v.state, VRRP_BACKUP);
		ck_assert_int_eq(v.why, VRRP_WHY_LAPSE);
		ck_assert_int_eq(
			vrrp_wanted_hold(&v, now), inherited ? VRRP_HOLD_FULL : VRRP_HOLD_NONE);
		ck_assert_uint_eq(
			vrrp_deadline(&v), now + tick_ms(1500) + vrrp_skew(3, 200, roost.interval));
	}
}
END_TEST

START_TEST(one_that_leaves_and_was_away_longer_than_its_lease_is_gone)
{
	struct vrrp v = active(&roost, 200);

	feed(&v, &roost, VRRP_EV_LEAVE, v.since + 1);
	ck_assert_uint_eq(feed(&v, &roost, VRRP_EV_LAPSE, v.since + tick_s(10)), VRRP_FX_MOVED);
	ck_assert_int_eq(v.state, VRRP_INITIALIZE);
	ck_assert_int_eq(vrrp_wanted_hold(&v, v.since), VRRP_HOLD_NONE);
}
END_TEST

START_TEST(a_strict_active_yields_in_silence)
{
	const struct vrrp_config c = strict();
	struct vrrp v = active(&c, 200);

	ck_assert_uint_eq(hear(&v, &c, 220, 9, v.since + 1), VRRP_FX_MOVED);
	ck_assert_int_eq(vrrp_wanted_hold(&v, v.since), VRRP_HOLD_NONE);
}
END_TEST

/* RFC 9568 6.4.3: the greater primary address, unsigned */
START_TEST(equal_priorities_are_decided_by_the_address)
{
	struct vrrp v = active(&roost, 200);

	hear(&v, &roost, 200, 1, v.since + 1);
	ck_assert_int_eq(v.state, VRRP_ACTIVE);
	hear(&v, &roost, 200, 201, v.since + 2);
	ck_assert_int_eq(v.state, VRRP_BACKUP);
}
END_TEST

START_TEST(the_word_of_the_one_just_relieved_is_no_conflict)
{
	struct vrrp v = backup(&roost, 200);

	hear(&v, &roost, 150, 9, T0 + tick_s(3));
	feed(&v, &roost, VRRP_EV_TICK, v.active_down_at);
	feed(&v, &roost, VRRP_EV_ANNOUNCED, T0 + tick_s(4));
	ck_assert_uint_eq(hear(&v, &roost, 1, 9, T0 + tick_s(4) + tick_ms(1)),
		VRRP_FX_ADVERTISE | VRRP_FX_ANNOUNCE);
}
END_TEST

START_TEST(one_that_leaves_serves_until_its_successor_speaks_and_then_lingers)
{
	struct vrrp v = active(&roost, 200);
	const tick now = v.since + tick_ms(100);

	ck_assert_uint_eq(feed(&v, &roost, VRRP_EV_LEAVE, now), VRRP_FX_ADVERTISE_LEAVING);
	ck_assert_int_eq(vrrp_wanted_hold(&v, now), VRRP_HOLD_FULL);
	ck_assert_uint_eq(hear(&v, &roost, 0, 9, now + 1), 0);
	ck_assert_uint_eq(hear(&v, &roost, 150, 9, now + tick_ms(2)), VRRP_FX_MOVED);
	ck_assert_int_eq(v.state, VRRP_INITIALIZE);
	ck_assert_int_eq(vrrp_wanted_hold(&v, now + tick_ms(2)), VRRP_HOLD_DATA);
	feed(&v, &roost, VRRP_EV_TICK, now + tick_ms(22));
	ck_assert_int_eq(vrrp_wanted_hold(&v, now + tick_ms(22)), VRRP_HOLD_NONE);
}
END_TEST

START_TEST(one_that_leaves_repeats_it_and_gives_up_in_the_end)
{
	struct vrrp v = active(&roost, 200);
	const tick now = v.since + tick_ms(100);
	unsigned said = 0;

	feed(&v, &roost, VRRP_EV_LEAVE, now);
	while (v.state == VRRP_LEAVING) {
		const unsigned fx = feed(&v, &roost, VRRP_EV_TICK, vrrp_deadline(&v));

		said += (fx & VRRP_FX_ADVERTISE_LEAVING) != 0;
		ck_assert_uint_lt(said, 10);
	}
	ck_assert_uint_ge(said, 3);
	ck_assert_int_eq(vrrp_wanted_hold(&v, now), VRRP_HOLD_NONE);
}
END_TEST

START_TEST(a_lost_link_gives_everything_up_at_once)
{
	struct vrrp v = active(&roost, 200);

	ck_assert_uint_eq(feed(&v, &roost, VRRP_EV_DOWN, v.since + 1), VRRP_FX_MOVED);
	ck_assert_int_eq(vrrp_wanted_hold(&v, v.since), VRRP_HOLD_NONE);
	ck_assert_uint_eq(vrrp_deadline(&v), TICK_NEVER);
}
END_TEST

START_TEST(a_backup_that_slept_hears_the_others_out_first)
{
	struct vrrp v = backup(&roost, 200);
	const tick woke = v.active_down_at + tick_s(10);

	vrrp_step(&v, &roost, &(struct vrrp_event){.kind = VRRP_EV_TICK, .late = true}, woke);
	ck_assert_int_eq(v.state, VRRP_BACKUP);
	ck_assert_uint_gt(v.active_down_at, woke + tick_s(1));
	feed(&v, &roost, VRRP_EV_TICK, v.active_down_at);
	ck_assert_int_eq(v.state, VRRP_ACTIVE);
}
END_TEST

static unsigned feed_unread(struct vrrp *v, tick now)
{
	return vrrp_step(
		v, &roost, &(struct vrrp_event){.kind = VRRP_EV_TICK, .unread = true}, now);
}

START_TEST(what_waits_to_be_read_is_heard_before_silence_is_judged)
{
	struct vrrp v = backup(&roost, 200);
	const tick silent = v.active_down_at;

	feed_unread(&v, silent);
	ck_assert_int_eq(v.state, VRRP_BACKUP);
	ck_assert_uint_le(vrrp_deadline(&v), silent); /* in the next turn */
	hear(&v, &roost, 254, 9, silent + 1);
	feed(&v, &roost, VRRP_EV_TICK, silent + 1);
	ck_assert_int_eq(v.state, VRRP_BACKUP);
	feed_unread(&v, v.active_down_at);
	feed(&v, &roost, VRRP_EV_TICK, v.active_down_at + 1);
	ck_assert_int_eq(v.state, VRRP_ACTIVE);
}
END_TEST

START_TEST(a_flood_delays_a_takeover_by_one_active_down_at_most)
{
	struct vrrp v = backup(&roost, 200);
	const tick limit = v.active_down_at + vrrp_active_down(3, 200, tick_s(1));

	for (tick now = v.active_down_at; now < limit; now += tick_ms(1))
		feed_unread(&v, now);
	ck_assert_int_eq(v.state, VRRP_BACKUP);
	feed_unread(&v, limit);
	ck_assert_int_eq(v.state, VRRP_ACTIVE);
	ck_assert_int_eq(v.why, VRRP_WHY_SILENCE);
}
END_TEST

START_TEST(a_claimant_reads_before_it_takes_the_other_for_dead)
{
	struct vrrp v = backup(&roost, 200);
	tick limit;

	hear(&v, &roost, 100, 1, T0 + tick_s(1));
	feed(&v, &roost, VRRP_EV_TICK, v.active_down_at);
	ck_assert_int_eq(v.state, VRRP_CLAIMING);
	limit = v.served_until + vrrp_active_down(3, 200, tick_s(1));
	feed_unread(&v, v.served_until);
	feed_unread(&v, limit - 1);
	ck_assert_int_eq(v.state, VRRP_CLAIMING);
	feed_unread(&v, limit);
	ck_assert_int_eq(v.state, VRRP_ACTIVE);
}
END_TEST

/* A flood says nothing about a planned move: the other was heard. */
START_TEST(a_flood_delays_no_preemption)
{
	struct vrrp v = backup(&roost, 200);

	hear(&v, &roost, 100, 1, T0 + tick_s(1));
	feed_unread(&v, v.active_down_at);
	ck_assert_int_eq(v.state, VRRP_CLAIMING);
}
END_TEST

START_TEST(a_gap_of_two_intervals_is_a_missed_advertisement)
{
	struct vrrp v = backup(&roost, 128);

	ck_assert_uint_eq(hear(&v, &roost, 200, 9, T0), 0);
	ck_assert_uint_eq(hear(&v, &roost, 200, 9, T0 + tick_ms(1100)), 0);
	ck_assert_uint_eq(hear(&v, &roost, 200, 9, T0 + tick_ms(3100)), VRRP_FX_MISSED);
}
END_TEST

START_TEST(inherited_addresses_are_kept_until_somebody_else_is_heard)
{
	const struct vrrp_event start = {.kind = VRRP_EV_START, .inherited = true};
	struct vrrp v;

	vrrp_init(&v, 200);
	vrrp_step(&v, &roost, &start, T0);
	/* one that is back soon is Active again before another's Active_Down ends */
	ck_assert_uint_lt(v.active_down_at, T0 + tick_s(2));
	ck_assert_int_eq(vrrp_wanted_hold(&v, T0), VRRP_HOLD_FULL);
	ck_assert_uint_eq(hear(&v, &roost, 220, 9, T0 + tick_ms(10)), VRRP_FX_ADVERTISE_PARTING);
	ck_assert_int_eq(vrrp_wanted_hold(&v, T0 + tick_ms(10)), VRRP_HOLD_DATA);
	ck_assert_int_eq(vrrp_wanted_hold(&v, T0 + tick_ms(30)), VRRP_HOLD_NONE);
}
END_TEST

/* What is on its way, one of each kind, and how long nothing happens to it. */
struct quiet {
	struct vrrp v;
	tick until;
};

static struct quiet lingering(void)
{
	struct quiet q = {.v = active(&roost, 200)};
	const tick now = q.v.since + tick_ms(100);

	feed(&q.v, &roost, VRRP_EV_LEAVE, now);
	hear(&q.v, &roost, 150, 9, now + 1);
	ck_assert_int_eq(q.v.state, VRRP_INITIALIZE);
	q.until = q.v.linger_until;
	return q;
}

static struct quiet claiming(void)
{
	struct quiet q = {.v = backup(&roost, 200)};

	hear(&q.v, &roost, 150, 9, T0 + tick_s(3));
	feed(&q.v, &roost, VRRP_EV_TICK, q.v.active_down_at);
	ck_assert_int_eq(q.v.state, VRRP_CLAIMING);
	q.until = q.v.served_until;
	return q;
}

static struct quiet leaving(void)
{
	struct quiet q = {.v = active(&roost, 200)};

	feed(&q.v, &roost, VRRP_EV_LEAVE, q.v.since + 1);
	q.until = q.v.advert_at;
	return q;
}

START_TEST(an_early_tick_does_nothing_whatever_the_state)
{
	struct quiet all[] = {lingering(), {.v = backup(&roost, 200)}, claiming(),
		{.v = active(&roost, 200)}, leaving()};

	all[1].until = all[1].v.active_down_at;
	all[3].until = all[3].v.advert_at;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		const struct vrrp before = all[i].v;
		struct vrrp *v = &all[i].v;

		ck_assert_uint_eq(feed(v, &roost, VRRP_EV_TICK, all[i].until - 1), 0);
		ck_assert_mem_eq(v, &before, sizeof before);
		feed(v, &roost, VRRP_EV_TICK, all[i].until); /* a control */
		ck_assert_mem_ne(v, &before, sizeof before);
	}
}
END_TEST

/* RFC 9568 6.4.2: what is ill among roost's nodes is a priority like any other to the others */
START_TEST(without_preemption_a_strict_router_accepts_any_lesser_active)
{
	struct vrrp_config c = strict();
	struct vrrp v;

	c.preempt = false;
	v = backup(&c, 200);
	hear(&v, &c, 100, 9, T0 + tick_s(1));
	ck_assert_uint_eq(v.active_down_at, T0 + tick_s(1) + vrrp_active_down(3, 200, tick_s(1)));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		skew_and_active_down_follow_the_rfc,
		version_2_skews_by_a_fraction_of_a_second,
		the_owner_is_active_at_once,
		a_backup_serves_when_nobody_is_heard_for_active_down,
		active_down_counts_from_when_the_advertisement_was_received,
		a_backup_learns_the_interval_of_the_active,
		a_better_backup_does_not_rearm_for_a_lesser_active,
		without_preemption_a_lesser_active_is_accepted,
		an_ill_active_is_relieved_even_without_preemption,
		preemption_announces_before_it_advertises,
		a_claimant_does_not_wait_for_its_announcement_when_the_active_dies,
		a_claimant_withdraws_before_a_better_one_and_lingers,
		a_strict_router_preempts_by_the_advertisement,
		the_preempt_delay_holds_back_only_while_somebody_serves,
		priority_0_leaves_a_strict_backup_its_skew,
		the_next_in_the_order_skips_the_skew,
		priority_0_again_does_not_put_the_skew_off,
		priority_0_of_one_that_does_not_serve_means_nothing,
		delays_of_its_turns_do_not_add_up,
		an_active_advertises_each_interval,
		an_active_answers_priority_0_at_once,
		an_active_answers_a_losing_rival_and_announces_again,
		an_active_yields_to_a_better_one_with_a_parting_word,
		where_packets_get_lost_the_parting_word_is_repeated,
		one_that_has_just_announced_serves_until_the_winner_announced_again,
		a_parting_word_claims_nothing,
		an_active_that_slept_announces_again,
		one_that_was_away_longer_than_its_lease_listens_first,
		one_that_leaves_and_was_away_longer_than_its_lease_is_gone,
		a_strict_active_yields_in_silence,
		equal_priorities_are_decided_by_the_address,
		the_word_of_the_one_just_relieved_is_no_conflict,
		one_that_leaves_serves_until_its_successor_speaks_and_then_lingers,
		one_that_leaves_repeats_it_and_gives_up_in_the_end,
		a_lost_link_gives_everything_up_at_once,
		a_backup_that_slept_hears_the_others_out_first,
		what_waits_to_be_read_is_heard_before_silence_is_judged,
		a_flood_delays_a_takeover_by_one_active_down_at_most,
		a_claimant_reads_before_it_takes_the_other_for_dead,
		a_flood_delays_no_preemption,
		a_gap_of_two_intervals_is_a_missed_advertisement,
		inherited_addresses_are_kept_until_somebody_else_is_heard,
		an_early_tick_does_nothing_whatever_the_state,
		without_preemption_a_strict_router_accepts_any_lesser_active,
	};

	return run_suite("vrrp", tests, sizeof tests / sizeof tests[0]);
}
