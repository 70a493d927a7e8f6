/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Until when a node may serve, and what it does when it was away for longer. */
#include "node_fixture.h"

#include <string.h>

static const struct node_router *router_of(const struct fixture *f, uint32_t vip)
{
	return &f->node->routers[f->node->units[f->node->vips[vip].unit].router];
}

START_TEST(an_advertisement_renews_the_lease_from_the_time_before_it_left)
{
	struct fixture *f = start();

	take_all(f);
	for (int i = 0; i < 20; i++) {
		pass_time(f);
		for (uint32_t k = 0; k < f->fx->n_sends; k++)
			ck_assert_uint_eq(f->node->routers[f->fx->sends[k].router].service.until,
				f->now + lease_span(INTERVAL));
	}
	for (uint32_t vip = 0; vip < 6; vip++) {
		ck_assert_int_eq(f->node->vips[vip].permission, LEASE_FULL);
		ck_assert(!f->node->vips[vip].handover);
	}
}
END_TEST

START_TEST(a_vip_of_another_has_no_permission_and_its_router_no_lease)
{
	struct fixture *f = start();

	hear(f, 3, 1, 254, node_vips, 6);
	for (uint32_t vip = 0; vip < 6; vip++) {
		ck_assert_int_eq(f->node->vips[vip].permission, LEASE_ABSENT);
		ck_assert_uint_eq(router_of(f, vip)->service.until, 0);
	}
}
END_TEST

START_TEST(one_that_was_away_longer_than_its_lease_stops_serving_before_it_reads)
{
	struct fixture *f = start();

	take_all(f);
	f->now += 3 * INTERVAL;
	/* one that would lose, if this node still served */
	hear(f, 3, 1, 129, node_vips, 6);
	for (uint32_t vip = 0; vip < 6; vip++) {
		ck_assert_int_eq(state(f, vip), VRRP_BACKUP);
		ck_assert_int_eq(node_holder(f->node, vip, f->now), 1);
		ck_assert_uint_eq(router_of(f, vip)->service.until, 0);
	}
	/* it claims nothing, and asks the other to announce again */
	for (uint32_t i = 0; i < f->fx->n_sends; i++)
		ck_assert_uint_eq(f->fx->sends[i].priority, VRRP_PRIORITY_PARTING);
	ck_assert_uint_eq(f->node->counters.lapses, 1);
	ck_assert_uint_eq(records_of(f, NODE_RECORD_LAPSED), 1);
}
END_TEST

START_TEST(one_that_was_away_shorter_than_its_lease_serves_on)
{
	struct fixture *f = start();

	take_all(f);
	f->now += lease_span(INTERVAL) - INTERVAL - 1;
	turn(f, (struct node_event){.kind = NODE_EV_TICK});
	ck_assert_uint_eq(f->node->counters.lapses, 0);
	for (uint32_t vip = 0; vip < 6; vip++)
		ck_assert_int_eq(state(f, vip), VRRP_ACTIVE);
}
END_TEST

START_TEST(alone_it_serves_again_after_an_interval_and_a_half)
{
	struct fixture *f = start();
	tick woke;

	take_all(f);
	woke = f->now += tick_s(10);
	turn(f, (struct node_event){.kind = NODE_EV_TICK});
	take_all(f);
	ck_assert_uint_le(f->node->units[0].vrrp.since - woke, 2 * INTERVAL);
}
END_TEST

START_TEST(behind_a_fence_it_keeps_the_addresses_while_it_listens)
{
	struct fixture *f = start();

	for (int fenced = 0; fenced < 2; fenced++) {
		f->fenced = fenced;
		start_with(f);
		take_all(f);
		f->now += tick_s(10);
		turn(f, (struct node_event){.kind = NODE_EV_TICK});
		ck_assert_int_eq(f->node->vips[0].wanted, fenced ? VRRP_HOLD_FULL : VRRP_HOLD_NONE);
		/* in neither case does it hand over what it no longer served */
		hear(f, 3, 1, 129, node_vips, 6);
		hear(f, 3, 1, 254, node_vips, 6);
		ck_assert_int_eq(f->node->vips[0].wanted, VRRP_HOLD_NONE);
		ck_assert_int_eq(f->node->vips[0].permission, LEASE_CLOSED);
	}
}
END_TEST

START_TEST(while_it_listens_it_announces_nothing_that_was_due)
{
	struct fixture *f = start();

	f->config.announce.refresh = tick_s(5);
	f->fenced = true;
	start_with(f);
	take_all(f);
	f->now += tick_s(10);
	turn(f, (struct node_event){.kind = NODE_EV_TICK});
	ck_assert_int_eq(state(f, 0), VRRP_BACKUP);
	ck_assert_uint_eq(f->fx->n_announces, 0);
	/* nor when an address that was taken away is back */
	turn(f, (struct node_event){.kind = NODE_EV_HELD, .hold = VRRP_HOLD_NONE});
	turn(f, (struct node_event){.kind = NODE_EV_HELD, .hold = VRRP_HOLD_FULL});
	ck_assert_uint_eq(f->fx->n_announces, 0);
}
END_TEST

START_TEST(a_loser_serves_data_until_the_end_of_its_linger)
{
	struct fixture *f = start();

	take_all(f);
	f->now += INTERVAL / 2;
	hear(f, 3, 99, 255, (const uint8_t[]){202}, 1);
	ck_assert_int_eq(f->node->vips[1].permission, LEASE_DATA);
	ck_assert(f->node->vips[1].handover);
	ck_assert_uint_eq(router_of(f, 1)->handover_until,
		f->node->units[f->node->vips[1].unit].vrrp.linger_until);
	pass_time(f);
	while (f->node->vips[1].wanted != VRRP_HOLD_NONE)
		pass_time(f);
	ck_assert_int_eq(f->node->vips[1].permission, LEASE_CLOSED);
	ck_assert_uint_eq(router_of(f, 1)->handover_until, 0);
}
END_TEST

START_TEST(a_claimant_announces_by_a_lease_of_its_own)
{
	struct fixture *f = start();
	const uint32_t vip = f->plan->members[0];

	while (state(f, vip) != VRRP_CLAIMING) {
		f->now += INTERVAL / 2;
		hear(f, 3, 1, 129, node_vips, 6);
		ck_assert_uint_lt(f->now, T0 + 10 * INTERVAL);
	}
	ck_assert_int_eq(f->node->vips[vip].permission, LEASE_FULL);
	ck_assert(f->node->vips[vip].handover);
	ck_assert_uint_gt(router_of(f, vip)->handover_until, f->now);
	ck_assert_uint_eq(router_of(f, vip)->service.until, 0);
	for (int i = 0; i < 3 && state(f, vip) == VRRP_CLAIMING; i++)
		obey(f);
	ck_assert_int_eq(state(f, vip), VRRP_ACTIVE);
	ck_assert(!f->node->vips[vip].handover);
	ck_assert_uint_eq(router_of(f, vip)->service.until, f->now + lease_span(INTERVAL));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_advertisement_renews_the_lease_from_the_time_before_it_left,
		a_vip_of_another_has_no_permission_and_its_router_no_lease,
		one_that_was_away_longer_than_its_lease_stops_serving_before_it_reads,
		one_that_was_away_shorter_than_its_lease_serves_on,
		alone_it_serves_again_after_an_interval_and_a_half,
		behind_a_fence_it_keeps_the_addresses_while_it_listens,
		while_it_listens_it_announces_nothing_that_was_due,
		a_loser_serves_data_until_the_end_of_its_linger,
		a_claimant_announces_by_a_lease_of_its_own,
	};

	return run_suite("node-leases", tests, sizeof tests / sizeof tests[0]);
}
