/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory.h"
#include "node_fixture.h"

#include <string.h>

START_TEST(a_lone_node_serves_all_vips_in_the_order_of_its_places)
{
	struct fixture *f = start();
	tick served[3] = {0};

	for (int i = 0; i < 20; i++) {
		pass_time(f);
		for (uint32_t vip = 0; vip < 6; vip++)
			if (state(f, vip) == VRRP_ACTIVE && !served[place(f, vip)])
				served[place(f, vip)] = f->now;
		obey(f);
	}
	ck_assert_uint_lt(served[0], served[1]);
	ck_assert_uint_lt(served[1], served[2]);
	/* 3 intervals and the skew of priority 254 */
	ck_assert_uint_eq(served[0] - T0, vrrp_active_down(3, 254, INTERVAL));
}
END_TEST

START_TEST(after_a_crash_the_advertisement_comes_first_and_the_announcement_when_held)
{
	struct fixture *f = start();

	pass_time(f);
	ck_assert_uint_gt(f->fx->n_sends, 0);
	ck_assert_uint_gt(f->fx->n_holds, 0);
	ck_assert_uint_eq(f->fx->n_announces, 0);
	obey(f);
	ck_assert_uint_gt(f->fx->n_announces, 0);
}
END_TEST

START_TEST(vips_of_one_order_are_advertised_together)
{
	struct fixture *f = start();
	const uint32_t routers = f->plan->n_routers;

	take_all(f);
	f->node->counters.sent = 0;
	for (const tick end = f->now + 10 * INTERVAL; node_deadline(f->node) < end;)
		pass_time(f);
	ck_assert_uint_le(f->node->counters.sent, 10 * routers);
	ck_assert_uint_ge(f->node->counters.sent, 9 * routers);
}
END_TEST

START_TEST(an_advertisement_speaks_only_for_the_addresses_that_it_lists)
{
	struct fixture *f = start();

	take_all(f);
	/* the VRID is of no account; .202 and a stranger's address are */
	hear(f, 3, 99, 255, (const uint8_t[]){202, 77}, 2);
	for (uint32_t vip = 0; vip < 6; vip++)
		ck_assert_int_eq(state(f, vip), vip == 1 ? VRRP_BACKUP : VRRP_ACTIVE);
	ck_assert_uint_eq(records_of(f, NODE_RECORD_NOT_SERVING), 1);
	ck_assert_int_eq(node_holder(f->node, 1, f->now), 1);
}
END_TEST

START_TEST(a_stranger_with_our_vrid_changes_nothing)
{
	struct fixture *f = start();
	const uint8_t vrid = f->plan->routers[0].vrid;

	take_all(f);
	hear(f, 99, vrid, 255, (const uint8_t[]){77}, 1);
	for (uint32_t vip = 0; vip < 6; vip++)
		ck_assert_int_eq(state(f, vip), VRRP_ACTIVE);
	ck_assert_uint_eq(f->node->counters.not_ours, 1);
	ck_assert_uint_eq(records_of(f, NODE_RECORD_STRANGER), 1);
	hear(f, 99, vrid, 255, (const uint8_t[]){77}, 1);
	ck_assert_uint_eq(records_of(f, NODE_RECORD_STRANGER), 0);
}
END_TEST

/* The file names whom a unicast service hears: nodes, peers, and whoever a link-local address may be. */
START_TEST(a_unicast_service_hears_nodes_and_peers_alone)
{
	struct fixture *f = start();

	f->service.vrrp.unicast = true;
	f->service.vrrp.peers[f->service.vrrp.n_peers++] = host(98);
	take_all(f);
	hear(f, 99, 1, 255, (const uint8_t[]){201, 202}, 2);
	ck_assert_int_eq(state(f, 0), VRRP_ACTIVE);
	ck_assert_int_eq(state(f, 1), VRRP_ACTIVE);
	ck_assert_uint_eq(f->node->counters.unknown_peer, 1);
	ck_assert_uint_eq(f->node->counters.not_ours, 0);
	ck_assert_uint_eq(records_of(f, NODE_RECORD_UNKNOWN_PEER), 1);
	hear(f, 99, 1, 255, (const uint8_t[]){201, 202}, 2);
	ck_assert_uint_eq(f->node->counters.unknown_peer, 2);
	ck_assert_uint_eq(records_of(f, NODE_RECORD_UNKNOWN_PEER), 0);
	hear(f, 98, 1, 255, (const uint8_t[]){201}, 1);
	ck_assert_int_eq(state(f, 0), VRRP_BACKUP);
	hear(f, 3, 1, 255, (const uint8_t[]){202}, 1);
	ck_assert_int_eq(state(f, 1), VRRP_BACKUP);
	ck_assert_uint_eq(f->node->counters.unknown_peer, 2);
}
END_TEST

/* As when its address is taken away and the interface has another one. */
START_TEST(a_unicast_service_is_not_served_from_an_address_that_nobody_hears)
{
	struct fixture *f = start();

	f->service.vrrp.unicast = true;
	take_all(f);
	link_with(f, host(77));
	ck_assert_uint_eq(f->fx->n_holds, 6);
	for (uint32_t vip = 0; vip < 6; vip++)
		ck_assert_int_eq(state(f, vip), VRRP_INITIALIZE);
	obey(f);
	link_up(f, true);
	ck_assert_int_eq(state(f, 0), VRRP_BACKUP);
	/* nor from another node's */
	link_with(f, host(3));
	ck_assert_int_eq(state(f, 0), VRRP_INITIALIZE);
	/* by multicast, all hear it */
	f->service.vrrp.unicast = false;
	link_with(f, host(77));
	ck_assert_int_eq(state(f, 0), VRRP_BACKUP);
}
END_TEST

START_TEST(its_own_advertisement_come_back_is_ignored)
{
	struct fixture *f = start();

	take_all(f);
	hear(f, 2, 1, 255, node_vips, 6);
	ck_assert_int_eq(state(f, 0), VRRP_ACTIVE);
	ck_assert_uint_eq(f->node->counters.own_source, 1);
}
END_TEST

START_TEST(a_yielding_node_says_so_lingers_and_then_drops)
{
	struct fixture *f = start();

	take_all(f);
	hear(f, 3, 1, 255, (const uint8_t[]){201}, 1);
	ck_assert_uint_eq(f->fx->n_sends, 1);
	ck_assert_int_eq(f->node->vips[0].wanted, VRRP_HOLD_DATA);
	obey(f);
	for (const tick end = f->now + tick_ms(20); f->now < end;)
		pass_time(f);
	ck_assert_int_eq(f->node->vips[0].wanted, VRRP_HOLD_NONE);
}
END_TEST

START_TEST(a_losing_rival_is_answered_and_announced_against)
{
	struct fixture *f = start();

	take_all(f);
	f->now += tick_ms(1);
	hear(f, 3, 1, 1, (const uint8_t[]){201}, 1);
	ck_assert_uint_eq(f->fx->n_sends, 1);
	ck_assert_uint_eq(f->node->counters.conflicts, 1);
	ck_assert_uint_eq(records_of(f, NODE_RECORD_CONFLICT), 1);
	ck_assert_uint_eq(f->node->redundancy, 4);
	ck_assert_uint_ne(f->node->announce_vips[0].due, TICK_NEVER);
}
END_TEST

START_TEST(redundancy_decays_over_a_minute)
{
	struct fixture *f = start();
	tick raised;

	take_all(f);
	hear(f, 3, 1, 1, (const uint8_t[]){201}, 1);
	raised = f->now;
	while (f->node->redundancy > 1)
		pass_time(f);
	ck_assert_uint_ge(f->now - raised, tick_s(59));
	ck_assert_uint_le(f->now - raised, tick_s(61));
}
END_TEST

START_TEST(a_lost_link_gives_up_every_vip_and_its_return_starts_anew)
{
	struct fixture *f = start();

	take_all(f);
	link_up(f, false);
	ck_assert_uint_eq(f->fx->n_holds, 6);
	ck_assert_uint_eq(f->fx->n_sends, 0);
	obey(f);
	link_up(f, true);
	ck_assert_int_eq(state(f, 0), VRRP_BACKUP);
}
END_TEST

START_TEST(a_link_that_was_lost_for_a_moment_starts_anew_though_nobody_saw_it)
{
	struct fixture *f = start();
	struct node_event again = {
		.kind = NODE_EV_LINK, .link = {.up = true, .sources = {host(2)}}};

	take_all(f);
	turn(f, again);
	ck_assert_int_eq(state(f, 0), VRRP_ACTIVE);
	again.link.spell++;
	turn(f, again);
	ck_assert_int_eq(state(f, 0), VRRP_BACKUP);
	ck_assert_uint_eq(f->fx->n_holds, 6);
	ck_assert_uint_eq(f->fx->n_sends, 0);
	ck_assert(f->node->interfaces[0].up);
	obey(f);
}
END_TEST

/* It serves all, and has said so for the last time. */
static struct fixture *start_and_announce(void)
{
	struct fixture *f = start();

	take_all(f);
	for (const tick end = f->now + tick_s(10); f->now < end;)
		pass_time(f);
	return f;
}

static void turn_with_another_mac(struct fixture *f)
{
	turn(f, (struct node_event){.kind = NODE_EV_LINK,
			.link = {.up = true, .sources = {host(2)}, .mac = {2, [5] = 1}}});
}

START_TEST(another_mac_is_announced_and_moves_nothing)
{
	struct fixture *f = start_and_announce();

	turn_with_another_mac(f);
	ck_assert_uint_eq(f->fx->n_announces, 6);
	ck_assert_uint_eq(f->fx->n_holds, 0);
	for (uint32_t vip = 0; vip < 6; vip++)
		ck_assert_int_eq(state(f, vip), VRRP_ACTIVE);
	turn_with_another_mac(f);
	ck_assert_uint_eq(f->fx->n_announces, 0);
}
END_TEST

START_TEST(another_mac_does_not_announce_what_is_not_served)
{
	struct fixture *f = start_and_announce();

	hear(f, 3, 1, 255, node_vips, 5);
	turn(f, (struct node_event){.kind = NODE_EV_CONFLICT, .vip = 5, .yield = true});
	turn_with_another_mac(f);
	ck_assert_uint_eq(f->fx->n_announces, 0);
}
END_TEST

/* Whether this turn's advertisements say that the node serves @vip. */
static bool claims(const struct fixture *f, uint32_t vip)
{
	for (uint32_t i = 0; i < f->fx->n_sends; i++) {
		const struct node_send *s = &f->fx->sends[i];

		for (uint32_t k = 0; k < s->n_addresses; k++)
			if (s->priority > VRRP_PRIORITY_PARTING &&
				addr_equal(&f->fx->addresses[s->first + k], &f->vips[vip].address))
				return true;
	}
	return false;
}

/* An answer to a rival that the link's end overtook must not be given when it is back, by a Backup. */
START_TEST(what_a_lost_link_left_unsaid_stays_unsaid)
{
	struct fixture *f = start();
	const struct advert rival = {.source = host(3),
		.interval = INTERVAL,
		.family = FAMILY_IPV4,
		.version = 3,
		.vrid = 1,
		.priority = 100,
		.n_addresses = 1,
		.addresses = {host(201)}};

	take_all(f);
	node_step(f->node, &(struct node_event){.kind = NODE_EV_ADVERT, .advert = &rival}, f->now,
		f->fx);
	link_up(f, false);
	obey(f);
	link_up(f, true);
	ck_assert(!claims(f, 0));
}
END_TEST

START_TEST(an_address_taken_away_is_announced_again_when_it_is_back)
{
	struct fixture *f = start();
	struct node_event ev = {.kind = NODE_EV_HELD, .vip = 0, .hold = VRRP_HOLD_NONE};

	take_all(f);
	for (const tick end = f->now + tick_s(1); f->now < end;)
		pass_time(f);
	turn(f, ev);
	ev.hold = VRRP_HOLD_FULL;
	turn(f, ev);
	ck_assert_uint_eq(f->fx->n_announces, 1);
	ck_assert_uint_eq(f->fx->announces[0], 0);
}
END_TEST

START_TEST(a_node_whose_kernel_side_stands_still_steps_back)
{
	struct fixture *f = start();

	pass_time(f); /* Active for its own, and nobody obeys */
	while (!f->node->kernel_ill) {
		pass_time(f);
		ck_assert_uint_lt(f->now, T0 + tick_s(3));
	}
	ck_assert_uint_lt(f->node->units[0].vrrp.priority, VRRP_PRIORITY_HEALTHY);
	for (uint32_t vip = 0; vip < 6; vip++)
		turn(f, (struct node_event){.kind = NODE_EV_HELD,
				.vip = vip,
				.hold = f->node->vips[vip].wanted});
	pass_time(f);
	ck_assert(!f->node->kernel_ill);
}
END_TEST

START_TEST(a_kernel_side_that_was_away_as_well_gets_its_time)
{
	struct fixture *f = start();
	tick woke;

	turn(f, (struct node_event){.kind = NODE_EV_HELD, .hold = VRRP_HOLD_FULL});
	woke = f->now += tick_s(10);
	turn(f, (struct node_event){.kind = NODE_EV_TICK});
	ck_assert_uint_eq(f->node->counters.late_turns, 1);
	while (!f->node->kernel_ill)
		pass_time(f);
	ck_assert_uint_ge(f->now, woke + tick_s(1));
}
END_TEST

START_TEST(a_drained_node_offers_itself_as_a_last_resort)
{
	struct fixture *f = start();

	take_all(f);
	turn(f, (struct node_event){.kind = NODE_EV_DRAIN, .drain = true});
	ck_assert_uint_eq(f->fx->n_sends, f->plan->n_routers);
	for (uint32_t i = 0; i < f->fx->n_sends; i++)
		ck_assert_uint_lt(f->fx->sends[i].priority, VRRP_PRIORITY_HEALTHY);
	/* nobody else: it goes on serving */
	for (uint32_t vip = 0; vip < 6; vip++)
		ck_assert_int_eq(state(f, vip), VRRP_ACTIVE);
	turn(f, (struct node_event){.kind = NODE_EV_DRAIN, .drain = false});
	ck_assert_uint_ge(f->node->units[0].vrrp.priority, VRRP_PRIORITY_HEALTHY);
}
END_TEST

START_TEST(a_stop_hands_over_and_ends)
{
	struct fixture *f = start();

	take_all(f);
	turn(f, (struct node_event){.kind = NODE_EV_STOP});
	ck_assert_uint_eq(f->fx->n_sends, f->plan->n_routers);
	ck_assert_uint_eq(f->fx->sends[0].priority, 0);
	ck_assert(!node_is_stopped(f->node));
	hear(f, 3, 1, 191, node_vips, 6);
	obey(f);
	for (int i = 0; i < 10 && !node_is_stopped(f->node); i++) {
		pass_time(f);
		obey(f);
	}
	ck_assert(node_is_stopped(f->node));
}
END_TEST

START_TEST(a_node_that_slept_hears_before_it_judges)
{
	struct fixture *f = start();

	hear(f, 3, 1, 254, node_vips, 6);
	f->now += tick_s(10);
	turn(f, (struct node_event){.kind = NODE_EV_TICK});
	ck_assert_uint_eq(f->node->counters.late_turns, 1);
	for (uint32_t vip = 0; vip < 6; vip++)
		ck_assert_int_eq(state(f, vip), VRRP_BACKUP);
	pass_time(f);
	ck_assert_uint_eq(f->node->counters.late_turns, 1);
}
END_TEST

START_TEST(a_node_that_has_not_read_all_does_not_judge)
{
	struct fixture *f = start();

	f->now = tick_max(f->now, node_deadline(f->node));
	node_step(
		f->node, &(struct node_event){.kind = NODE_EV_TICK, .unread = true}, f->now, f->fx);
	for (uint32_t vip = 0; vip < 6; vip++)
		ck_assert_int_eq(state(f, vip), VRRP_BACKUP);
	hear(f, 3, 1, 254, node_vips, 6);
	for (uint32_t vip = 0; vip < 6; vip++)
		ck_assert_int_eq(state(f, vip), VRRP_BACKUP);
	ck_assert_uint_eq(f->node->counters.late_turns, 0);
}
END_TEST

START_TEST(a_leftover_is_kept_while_listening_and_adopted)
{
	struct fixture *f = start();

	link_up(f, false);
	for (uint32_t vip = 0; vip < 6; vip++)
		turn(f, (struct node_event){
				.kind = NODE_EV_HELD, .vip = vip, .hold = VRRP_HOLD_FULL});
	link_up(f, true);
	ck_assert_int_eq(f->node->vips[0].wanted, VRRP_HOLD_FULL);
	hear(f, 3, 1, 200, (const uint8_t[]){202}, 1);
	ck_assert_int_eq(f->node->vips[1].wanted, VRRP_HOLD_DATA);
	ck_assert_int_eq(f->node->vips[0].wanted, VRRP_HOLD_FULL);
}
END_TEST

/* RFC 9568 7.1: towards foreign neighbours the VRID is what counts, a different list is only noted */
START_TEST(a_foreign_router_follows_the_vrid)
{
	static struct fixture f;

	fill_config(&f);
	f.service.foreign_vrid = 51;
	memset(f.service.priority, 100, sizeof f.service.priority);
	start_with(&f);
	ck_assert_uint_eq(f.node->n_units, 1);
	ck_assert(f.node->routers[0].pseudo_checksum);
	hear(&f, 9, 51, 200, (const uint8_t[]){77}, 1);
	ck_assert_uint_eq(f.node->counters.list_mismatch, 1);
	ck_assert_uint_eq(f.node->units[0].vrrp.active_priority, 200);
	hear(&f, 8, 52, 250, node_vips, 6);
	ck_assert_uint_eq(f.node->units[0].vrrp.active_priority, 200);
}
END_TEST

START_TEST(a_foreign_router_that_yields_has_nothing_more_to_say)
{
	static struct fixture f;
	struct advert a = {.source = host(8),
		.interval = INTERVAL,
		.version = 3,
		.vrid = 51,
		.priority = 90,
		.n_addresses = 6};

	fill_config(&f);
	f.service.foreign_vrid = 51;
	memset(f.service.priority, 100, sizeof f.service.priority);
	start_with(&f);
	while (state(&f, 0) != VRRP_ACTIVE)
		pass_time(&f);
	/* in one turn a rival that loses, which is answered, and one that wins */
	node_step(f.node, &(struct node_event){.kind = NODE_EV_ADVERT, .advert = &a}, f.now, f.fx);
	a.priority = 200;
	turn(&f, (struct node_event){.kind = NODE_EV_ADVERT, .advert = &a});
	ck_assert_int_eq(state(&f, 0), VRRP_BACKUP);
	ck_assert_uint_eq(f.fx->n_sends, 0);
}
END_TEST

static bool sends_pseudo_after(struct fixture *f, uint8_t from, enum advert_checksum heard)
{
	static struct advert a;

	a = (struct advert){
		.source = host(from),
		.interval = INTERVAL,
		.version = 3,
		.vrid = 1,
		.priority = 1,
		.checksum = heard,
		.n_addresses = 1,
		.addresses = {host(201)},
	};
	turn(f, (struct node_event){.kind = NODE_EV_ADVERT, .advert = &a});
	return f->node->routers[f->node->units[f->node->vips[0].unit].router].pseudo_checksum;
}

START_TEST(the_checksum_is_learned_from_strangers_and_not_from_nodes)
{
	struct fixture *f = start();

	ck_assert(!sends_pseudo_after(f, 3, ADVERT_CHECKSUM_PSEUDO));
	ck_assert(sends_pseudo_after(f, 99, ADVERT_CHECKSUM_PSEUDO));
	ck_assert(sends_pseudo_after(f, 3, ADVERT_CHECKSUM_MESSAGE));
	ck_assert(!sends_pseudo_after(f, 99, ADVERT_CHECKSUM_MESSAGE));
}
END_TEST

static struct fixture *start_authenticated(enum config_auth_mode mode)
{
	static struct fixture f;

	fill_config(&f);
	f.config.auth.mode = mode;
	return start_with(&f);
}

/* A better node's advertisement of .201, from 10.1.1.@from, after auth_verify() has judged it. */
static void hear_judged(struct fixture *f, uint8_t from, enum auth_verdict verdict)
{
	const struct advert a = {
		.source = host(from),
		.interval = INTERVAL,
		.family = FAMILY_IPV4,
		.version = 3,
		.vrid = 1,
		.priority = 255,
		.n_addresses = 1,
		.addresses = {host(201)},
	};

	turn(f, (struct node_event){.kind = NODE_EV_ADVERT, .advert = &a, .auth = verdict});
}

START_TEST(enforced_what_cannot_be_verified_moves_nothing_and_is_counted)
{
	for (enum auth_verdict v = AUTH_VERIFIED + 1; v < AUTH_VERDICTS; v++) {
		struct fixture *f = start_authenticated(CONFIG_AUTH_ENFORCE);

		take_all(f);
		hear_judged(f, 3, v);
		ck_assert_int_eq(state(f, 0), VRRP_ACTIVE);
		ck_assert_uint_eq(f->node->counters.auth[v], 1);
		ck_assert_uint_eq(f->node->peers[1].heard, 0);
		hear_judged(f, 3, AUTH_VERIFIED);
		ck_assert_int_eq(state(f, 0), VRRP_BACKUP);
	}
}
END_TEST

START_TEST(until_then_it_counts_all_the_same)
{
	const enum config_auth_mode modes[] = {CONFIG_AUTH_RECEIVE_ONLY, CONFIG_AUTH_PERMISSIVE};

	for (int i = 0; i < 2; i++) {
		for (enum auth_verdict v = 0; v < AUTH_VERDICTS; v++) {
			struct fixture *f = start_authenticated(modes[i]);

			take_all(f);
			hear_judged(f, 3, v);
			ck_assert_int_eq(state(f, 0), VRRP_BACKUP);
			ck_assert_uint_eq(f->node->counters.auth[v], 1);
			ck_assert_uint_eq(records_of(f, NODE_RECORD_UNTRUSTED),
				v != AUTH_VERIFIED && v != AUTH_UNSIGNED);
		}
	}
}
END_TEST

START_TEST(a_key_mismatch_of_a_node_is_told_once_a_minute)
{
	struct fixture *f = start_authenticated(CONFIG_AUTH_ENFORCE);

	take_all(f);
	hear_judged(f, 3, AUTH_UNKNOWN_KEY);
	ck_assert_uint_eq(records_of(f, NODE_RECORD_UNTRUSTED), 1);
	ck_assert_uint_eq(f->fx->records[0].node, 1);
	ck_assert_uint_eq(f->fx->records[0].number, AUTH_UNKNOWN_KEY);
	f->now += tick_ms(1);
	hear_judged(f, 3, AUTH_UNSIGNED);
	ck_assert_uint_eq(records_of(f, NODE_RECORD_UNTRUSTED), 0);
	hear_judged(f, 4, AUTH_UNSIGNED); /* another node */
	ck_assert_uint_eq(records_of(f, NODE_RECORD_UNTRUSTED), 1);
	f->now += tick_s(60);
	hear_judged(f, 3, AUTH_UNKNOWN_KEY);
	ck_assert_uint_eq(records_of(f, NODE_RECORD_UNTRUSTED), 1);
}
END_TEST

START_TEST(a_stranger_who_cannot_sign_is_only_counted)
{
	struct fixture *f = start_authenticated(CONFIG_AUTH_ENFORCE);

	take_all(f);
	hear_judged(f, 99, AUTH_UNSIGNED);
	ck_assert_int_eq(state(f, 0), VRRP_ACTIVE);
	ck_assert_uint_eq(records_of(f, NODE_RECORD_UNTRUSTED), 0);
	ck_assert_uint_eq(f->node->counters.auth[AUTH_UNSIGNED], 1);
	hear_judged(f, 2, AUTH_VERIFIED); /* our own, come back */
	ck_assert_uint_eq(f->node->counters.auth[AUTH_VERIFIED], 0);
	ck_assert_uint_eq(f->node->counters.own_source, 1);
}
END_TEST

START_TEST(off_looks_at_no_signature)
{
	struct fixture *f = start();

	take_all(f);
	hear_judged(f, 3, AUTH_BAD_HMAC);
	ck_assert_int_eq(state(f, 0), VRRP_BACKUP);
	ck_assert_uint_eq(f->node->counters.auth[AUTH_BAD_HMAC], 0);
	ck_assert_uint_eq(records_of(f, NODE_RECORD_UNTRUSTED), 0);
}
END_TEST

START_TEST(a_copy_is_complete)
{
	struct fixture *f = start();
	struct node *copy = node_new(&f->node->setup, T0);

	take_all(f);
	node_copy(copy, f->node);
	for (uint32_t vip = 0; vip < 6; vip++)
		ck_assert_int_eq(node_holder(copy, vip, f->now), 0);
	ck_assert_ptr_ne(copy->units, f->node->units);
	node_free(copy);
}
END_TEST

START_TEST(a_foreign_router_hears_its_own_family_alone)
{
	static struct fixture f;
	struct advert a = {.source = host(9), /* as it might be over IPv6 */
		.interval = INTERVAL,
		.family = FAMILY_IPV6,
		.version = 3,
		.vrid = 51,
		.priority = 200,
		.n_addresses = 6};

	fill_config(&f);
	f.service.foreign_vrid = 51;
	memset(f.service.priority, 100, sizeof f.service.priority);
	start_with(&f);
	turn(&f, (struct node_event){.kind = NODE_EV_ADVERT, .advert = &a});
	ck_assert_uint_eq(f.node->units[0].vrrp.heard, 0);
	a.family = FAMILY_IPV4; /* a control */
	turn(&f, (struct node_event){.kind = NODE_EV_ADVERT, .advert = &a});
	ck_assert_uint_eq(f.node->units[0].vrrp.heard, f.now);
}
END_TEST

START_TEST(a_checksum_of_the_file_is_not_learned)
{
	static const enum config_checksum of_the_file[] = {
		CONFIG_CHECKSUM_MESSAGE, CONFIG_CHECKSUM_PSEUDO};
	static struct fixture f;

	for (size_t i = 0; i < 2; i++) {
		const bool pseudo = of_the_file[i] == CONFIG_CHECKSUM_PSEUDO;

		fill_config(&f);
		f.service.vrrp.checksum = of_the_file[i];
		start_with(&f);
		ck_assert(sends_pseudo_after(&f, 99, ADVERT_CHECKSUM_PSEUDO) == pseudo);
		ck_assert(sends_pseudo_after(&f, 99, ADVERT_CHECKSUM_MESSAGE) == pseudo);
	}
}
END_TEST

START_TEST(records_that_find_no_room_are_counted)
{
	struct fixture *f = start();
	struct node_event ev = {.kind = NODE_EV_LINK, .link = {.sources = {host(2)}}};
	uint32_t n = 0;

	for (; n <= f->node->max_records; n++, ev.link.up = !ev.link.up)
		node_step(f->node, &ev, f->now, f->fx);
	turn(f, (struct node_event){.kind = NODE_EV_TICK});
	ck_assert_uint_eq(f->fx->n_records, f->node->max_records);
	ck_assert_uint_eq(f->fx->records_lost, n - f->node->max_records);
	turn(f, (struct node_event){.kind = NODE_EV_TICK});
	ck_assert_uint_eq(f->fx->n_records + f->fx->records_lost, 0);
}
END_TEST

START_TEST(a_turn_that_comes_late_is_told_once_however_often_its_clock_is_read)
{
	struct fixture *f = start();
	static struct advert a;

	f->now += tick_s(10);
	a = (struct advert){.source = host(99), .interval = INTERVAL, .version = 3, .vrid = 200};
	for (tick later = 0; later < 3; later++)
		node_step(f->node,
			&(struct node_event){
				.kind = NODE_EV_ADVERT, .advert = &a, .received = f->now + later},
			f->now, f->fx);
	turn(f, (struct node_event){.kind = NODE_EV_TICK});
	ck_assert_uint_eq(f->node->counters.late_turns, 1);
	ck_assert_uint_eq(records_of(f, NODE_RECORD_LATE), 1);
}
END_TEST

static bool make_node(void *context)
{
	struct node *n = node_new(context, T0);

	node_free(n);
	return n;
}

static bool make_effects(void *context)
{
	struct node_effects *fx = node_effects_new(context);

	node_effects_free(fx);
	return fx;
}

START_TEST(all_memory_is_there_from_the_start_or_there_is_no_node)
{
	struct fixture *f = start();

	ck_assert_uint_ge(memory_refuse_each(make_node, &f->node->setup), 8);
	ck_assert_uint_ge(memory_refuse_each(make_effects, f->node), 6);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_lone_node_serves_all_vips_in_the_order_of_its_places,
		after_a_crash_the_advertisement_comes_first_and_the_announcement_when_held,
		vips_of_one_order_are_advertised_together,
		an_advertisement_speaks_only_for_the_addresses_that_it_lists,
		a_stranger_with_our_vrid_changes_nothing,
		a_unicast_service_hears_nodes_and_peers_alone,
		a_unicast_service_is_not_served_from_an_address_that_nobody_hears,
		its_own_advertisement_come_back_is_ignored,
		a_yielding_node_says_so_lingers_and_then_drops,
		a_losing_rival_is_answered_and_announced_against,
		redundancy_decays_over_a_minute,
		a_lost_link_gives_up_every_vip_and_its_return_starts_anew,
		a_link_that_was_lost_for_a_moment_starts_anew_though_nobody_saw_it,
		another_mac_is_announced_and_moves_nothing,
		another_mac_does_not_announce_what_is_not_served,
		what_a_lost_link_left_unsaid_stays_unsaid,
		an_address_taken_away_is_announced_again_when_it_is_back,
		a_node_whose_kernel_side_stands_still_steps_back,
		a_kernel_side_that_was_away_as_well_gets_its_time,
		a_drained_node_offers_itself_as_a_last_resort,
		a_stop_hands_over_and_ends,
		a_node_that_slept_hears_before_it_judges,
		a_node_that_has_not_read_all_does_not_judge,
		a_leftover_is_kept_while_listening_and_adopted,
		a_foreign_router_follows_the_vrid,
		a_foreign_router_that_yields_has_nothing_more_to_say,
		the_checksum_is_learned_from_strangers_and_not_from_nodes,
		enforced_what_cannot_be_verified_moves_nothing_and_is_counted,
		until_then_it_counts_all_the_same,
		a_key_mismatch_of_a_node_is_told_once_a_minute,
		a_stranger_who_cannot_sign_is_only_counted,
		off_looks_at_no_signature,
		a_copy_is_complete,
		a_foreign_router_hears_its_own_family_alone,
		a_checksum_of_the_file_is_not_learned,
		records_that_find_no_room_are_counted,
		a_turn_that_comes_late_is_told_once_however_often_its_clock_is_read,
		all_memory_is_there_from_the_start_or_there_is_no_node,
	};

	return run_suite("node", tests, sizeof tests / sizeof tests[0]);
}
