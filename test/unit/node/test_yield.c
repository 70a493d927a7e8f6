/* SPDX-License-Identifier: GPL-3.0-or-later */
/* VIPs that a node leaves to a stranger: it advertises them, and holds nothing. */
#include "suite.h"

#include <string.h>

#include "node/node.h"

#define T0       tick_s(1000)
#define INTERVAL tick_ms(100)
#define N_VIPS   2

/* Two nodes 10.1.1.2 and .3, VIPs 10.1.1.201 and .202; this is the first, alone at first. */
struct fixture {
	struct config_node nodes[2];
	struct config_interface interface;
	struct config_service service;
	struct config_bundle bundles[N_VIPS];
	struct config_vip vips[N_VIPS];
	struct config config;
	struct plan *plan;
	struct node *node;
	struct node_effects *fx;
	tick now;
	uint32_t announced[N_VIPS];
	bool listed[N_VIPS]; /* in the last turn's effects */
};

static struct addr host(uint8_t last)
{
	return addr_from_ipv4((const uint8_t[]){10, 1, 1, last});
}

static void turn(struct fixture *f, struct node_event ev)
{
	if (ev.kind != NODE_EV_TICK)
		node_step(f->node, &ev, f->now, f->fx);
	node_step(f->node, &(struct node_event){.kind = NODE_EV_TICK}, f->now, f->fx);
	memset(f->listed, 0, sizeof f->listed);
	for (uint32_t i = 0; i < f->fx->n_holds; i++)
		f->listed[f->fx->holds[i]] = true;
	for (uint32_t i = 0; i < f->fx->n_announces; i++)
		f->announced[f->fx->announces[i]]++;
}

/* The kernel side does what is wanted, and tells. */
static void obey(struct fixture *f)
{
	const uint32_t n = f->fx->n_announces;
	uint32_t announces[N_VIPS];

	memcpy(announces, f->fx->announces, n * sizeof *announces);
	for (uint32_t vip = 0; vip < N_VIPS; vip++)
		if (f->node->vips[vip].observed != f->node->vips[vip].wanted)
			node_step(f->node,
				&(struct node_event){.kind = NODE_EV_HELD,
					.vip = vip,
					.hold = f->node->vips[vip].wanted},
				f->now, f->fx);
	for (uint32_t i = 0; i < n; i++)
		node_step(f->node,
			&(struct node_event){.kind = NODE_EV_ANNOUNCED, .vip = announces[i]},
			f->now, f->fx);
	turn(f, (struct node_event){.kind = NODE_EV_TICK});
}

static void pass(struct fixture *f, tick span)
{
	const tick end = f->now + span;

	while (node_deadline(f->node) <= end) {
		f->now = tick_max(f->now, node_deadline(f->node));
		turn(f, (struct node_event){.kind = NODE_EV_TICK});
		obey(f);
	}
	f->now = end;
}

static struct fixture *start(void)
{
	static struct fixture f;

	node_effects_free(f.fx);
	node_free(f.node);
	plan_free(f.plan);
	f = (struct fixture){
		.nodes = {{.addresses = {host(2)}, .n_addresses = 1, .weight = 1},
			{.addresses = {host(3)}, .n_addresses = 1, .weight = 1}},
		.interface = {.name = "eth0", .vrid_first = 1, .vrid_count = 255},
		.service = {.n_vips = N_VIPS,
			.n_bundles = N_VIPS,
			.vrrp = {.version = 3,
				.interval = INTERVAL,
				.preempt = true,
				.linger = tick_ms(20)}},
		.bundles = {{.n_vips = 1}, {.first_vip = 1, .n_vips = 1}},
		.vips = {{.address = host(201)}, {.address = host(202), .bundle = 1}},
		.now = T0,
	};
	f.config = (struct config){
		.nodes = f.nodes,
		.interfaces = &f.interface,
		.services = &f.service,
		.bundles = f.bundles,
		.vips = f.vips,
		.n_nodes = 2,
		.n_interfaces = 1,
		.n_services = 1,
		.n_bundles = N_VIPS,
		.n_vips = N_VIPS,
		.announce = {.shots = {0, tick_ms(50)}, .n_shots = 2, .rate = 1000, .burst = 100},
	};
	f.plan = plan_new(&f.config, 1500, NULL);
	f.node = node_new(&(struct node_setup){&f.config, f.plan, 0, 1, .fenced = true}, f.now);
	f.fx = node_effects_new(f.node);
	turn(&f, (struct node_event){
			 .kind = NODE_EV_LINK, .link = {.up = true, .sources = {host(2)}}});
	pass(&f, tick_s(2));
	ck_assert_int_eq(f.node->vips[0].observed, VRRP_HOLD_FULL);
	return &f;
}

static void yield(struct fixture *f, bool yield)
{
	turn(f, (struct node_event){.kind = NODE_EV_CONFLICT, .vip = 0, .yield = yield});
}

static enum vrrp_state state(const struct fixture *f)
{
	return f->node->units[f->node->vips[0].unit].vrrp.state;
}

/* What the other node says for the first VIP. */
static const struct advert *advert_of(uint8_t priority)
{
	static struct advert a;

	a = (struct advert){
		.source = host(3),
		.interval = INTERVAL,
		.family = FAMILY_IPV4,
		.version = 3,
		.vrid = 1,
		.priority = priority,
		.n_addresses = 1,
		.addresses = {host(201)},
	};
	return &a;
}

static void hear(struct fixture *f, uint8_t priority)
{
	turn(f, (struct node_event){.kind = NODE_EV_ADVERT, .advert = advert_of(priority)});
	obey(f);
}

static bool advertises(struct fixture *f, uint8_t last)
{
	const uint64_t sent = f->node->counters.sent;
	const struct addr wanted = host(last);

	while (f->node->counters.sent < sent + N_VIPS) {
		f->now = node_deadline(f->node);
		turn(f, (struct node_event){.kind = NODE_EV_TICK});
		for (uint32_t i = 0; i < f->fx->n_addresses; i++)
			if (addr_equal(&f->fx->addresses[i], &wanted))
				return true;
		obey(f);
	}
	return false;
}

START_TEST(what_is_yielded_is_advertised_and_not_held)
{
	struct fixture *f = start();
	const uint32_t announced = f->announced[0];

	yield(f, true);
	ck_assert(f->listed[0] && !f->listed[1]);
	ck_assert_int_eq(f->node->vips[0].wanted, VRRP_HOLD_NONE);
	ck_assert_int_eq(f->node->vips[0].permission, LEASE_CLOSED);
	ck_assert_int_eq(f->node->vips[1].wanted, VRRP_HOLD_FULL);
	obey(f);
	ck_assert_int_eq(f->node->vips[0].permission, LEASE_ABSENT);
	ck_assert_int_eq(state(f), VRRP_ACTIVE);
	ck_assert(advertises(f, 201));
	pass(f, tick_s(10));
	ck_assert(!f->node->kernel_ill);
	ck_assert_uint_eq(f->announced[0], announced);
}
END_TEST

START_TEST(what_is_taken_back_is_announced_when_it_is_held)
{
	struct fixture *f = start();
	uint32_t announced;

	yield(f, true);
	obey(f);
	pass(f, tick_s(1));
	announced = f->announced[0];
	yield(f, false);
	ck_assert(f->listed[0]);
	ck_assert_int_eq(f->node->vips[0].wanted, VRRP_HOLD_FULL);
	ck_assert_uint_eq(f->fx->n_announces, 0);
	obey(f);
	pass(f, tick_s(1));
	ck_assert_uint_eq(f->announced[0], announced + 2);
}
END_TEST

START_TEST(what_is_taken_back_at_once_is_announced_too)
{
	struct fixture *f = start();
	const uint32_t announced = f->announced[0];

	yield(f, true);
	yield(f, false); /* the kernel side had no time to follow */
	obey(f);
	pass(f, tick_s(1));
	ck_assert_uint_eq(f->announced[0], announced + 2);
}
END_TEST

START_TEST(a_rival_that_loses_is_answered_without_an_announcement)
{
	struct fixture *f = start();
	uint32_t announced;

	yield(f, true);
	obey(f);
	announced = f->announced[0];
	hear(f, 100);
	pass(f, tick_s(1));
	ck_assert_uint_ge(f->node->counters.conflicts, 1);
	ck_assert_uint_eq(f->announced[0], announced);
	ck_assert_int_eq(f->node->vips[0].observed, VRRP_HOLD_NONE);
}
END_TEST

START_TEST(who_is_no_longer_active_has_nothing_to_yield)
{
	struct fixture *f = start();

	yield(f, true);
	obey(f);
	/* a linger would serve data of what is not here */
	hear(f, 254);
	ck_assert_int_eq(state(f), VRRP_BACKUP);
	ck_assert_int_eq(f->node->vips[0].wanted, VRRP_HOLD_NONE);
	pass(f, tick_ms(100));
	ck_assert(!f->node->vips[0].yielded);
	/* late word */
	yield(f, true);
	ck_assert(!f->node->vips[0].yielded);
	pass(f, tick_s(2)); /* the other one is silent */
	ck_assert_int_eq(state(f), VRRP_ACTIVE);
	ck_assert_int_eq(f->node->vips[0].observed, VRRP_HOLD_FULL);
}
END_TEST

START_TEST(the_end_of_a_yield_is_told_with_the_holds)
{
	struct fixture *f = start();
	bool told = false;

	yield(f, true);
	obey(f);
	turn(f, (struct node_event){.kind = NODE_EV_STOP});
	hear(f, 128);
	for (int i = 0; i < 10 && !node_is_stopped(f->node); i++) {
		f->now = node_deadline(f->node);
		turn(f, (struct node_event){.kind = NODE_EV_TICK});
		told |= f->listed[0] && !f->node->vips[0].yielded;
		obey(f);
	}
	ck_assert(told);
	ck_assert(!f->node->vips[0].yielded);
}
END_TEST

START_TEST(what_is_taken_back_at_once_is_announced_by_one_schedule_whoever_spoke_meanwhile)
{
	struct fixture *f = start();
	const uint32_t announced = f->announced[0];

	yield(f, true);
	turn(f, (struct node_event){.kind = NODE_EV_ADVERT, .advert = advert_of(100)});
	yield(f, false); /* the kernel side had no time to follow */
	f->now += tick_ms(10);
	turn(f, (struct node_event){.kind = NODE_EV_HELD, .hold = VRRP_HOLD_FULL});
	obey(f);
	pass(f, tick_s(1));
	ck_assert_uint_eq(f->announced[0], announced + 2);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_is_yielded_is_advertised_and_not_held,
		what_is_taken_back_is_announced_when_it_is_held,
		what_is_taken_back_at_once_is_announced_too,
		a_rival_that_loses_is_answered_without_an_announcement,
		who_is_no_longer_active_has_nothing_to_yield,
		the_end_of_a_yield_is_told_with_the_holds,
		what_is_taken_back_at_once_is_announced_by_one_schedule_whoever_spoke_meanwhile,
	};

	return run_suite("yield", tests, sizeof tests / sizeof tests[0]);
}
