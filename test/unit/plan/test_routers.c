/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/assert.h"
#include "cluster.h"
#include "loads.h"
#include "plan/plan.h"
#include "suite.h"
#include "wire/advert.h"

#define MTU 1500

static struct cluster cluster;

static struct plan *planned(const struct cluster *c)
{
	const char *problem = NULL;
	struct plan *p = plan_new(&c->config, MTU, &problem);

	ck_assert_msg(p, "%s", problem);
	return p;
}

/* Every VIP is in one router, with VIPs of its service, family and order alone. */
static void expect_sound_routers(const struct plan *p)
{
	const struct config *c = p->config;
	bool taken[CONFIG_INTERFACES_MAX][FAMILY_COUNT][256] = {0};
	uint32_t n_members = 0;

	for (uint32_t i = 0; i < p->n_routers; i++) {
		const struct plan_router *r = &p->routers[i];

		ck_assert_uint_eq(r->first, n_members);
		ck_assert_uint_gt(r->n_vips, 0);
		ck_assert_uint_le(r->n_vips, ADVERT_ADDRS_MAX);
		ck_assert_uint_eq(r->interface, c->services[r->service].interface);
		ck_assert_uint_ge(r->vrid, 1);
		ck_assert(!taken[r->interface][r->family][r->vrid]);
		taken[r->interface][r->family][r->vrid] = true;
		for (uint32_t m = 0; m < r->n_vips; m++) {
			const struct config_vip *vip = &c->vips[p->members[r->first + m]];

			ck_assert_uint_eq(vip->service, r->service);
			ck_assert_int_eq(addr_family(&vip->address), r->family);
			ck_assert_mem_eq(
				plan_order(p, vip->bundle), plan_order(p, r->order), p->n_nodes);
		}
		n_members += r->n_vips;
	}
	ck_assert_uint_eq(n_members, c->n_vips);
}

START_TEST(vips_of_one_order_share_a_router)
{
	struct plan *p;

	cluster_init_with(&cluster, 3, 600);
	p = planned(&cluster);
	expect_sound_routers(p);
	ck_assert_uint_eq(p->n_orders, 6);
	ck_assert_uint_eq(p->n_routers, 6);
	plan_free(p);
}
END_TEST

START_TEST(services_and_families_have_routers_of_their_own)
{
	struct plan *p;

	cluster_init_with(&cluster, 1, 2);
	cluster_add_family(&cluster, FAMILY_IPV6, 1);
	cluster_add_service(&cluster, 0);
	cluster_add_bundle(&cluster, 1);
	p = planned(&cluster);
	expect_sound_routers(p);
	ck_assert_uint_eq(p->n_routers, 3);
	ck_assert_uint_eq(p->n_orders, 1);
	/* the same number may serve once in each family */
	ck_assert_uint_eq(p->routers[0].vrid, 1);
	ck_assert_uint_eq(p->routers[1].family, FAMILY_IPV6);
	ck_assert_uint_eq(p->routers[1].vrid, 1);
	ck_assert_uint_eq(p->routers[2].vrid, 2);
	plan_free(p);
}
END_TEST

START_TEST(what_exceeds_an_advertisement_is_split)
{
	struct plan *p;

	cluster_init_with(&cluster, 1, 300);
	p = planned(&cluster);
	expect_sound_routers(p);
	ck_assert_uint_eq(p->n_routers, 2);
	ck_assert_uint_eq(p->routers[0].n_vips, 255);
	plan_free(p);

	cluster_init(&cluster, 1);
	cluster_add_family(&cluster, FAMILY_IPV6, 200);
	p = planned(&cluster);
	expect_sound_routers(p);
	ck_assert_uint_eq(p->n_routers, 3);
	ck_assert_uint_eq(p->routers[0].n_vips, advert_capacity(3, FAMILY_IPV6, MTU));
	plan_free(p);
}
END_TEST

/* In every mode but off, so that the later steps of a roll-out leave the routers as they are. */
START_TEST(a_trailer_fits_as_well_where_there_may_be_one)
{
	for (enum config_auth_mode mode = CONFIG_AUTH_OFF; mode <= CONFIG_AUTH_ENFORCE; mode++) {
		const uint32_t trailer = mode == CONFIG_AUTH_OFF ? 0 : ADVERT_TRAILER_SIZE;
		struct plan *p;

		cluster_init(&cluster, 1);
		cluster_add_family(&cluster, FAMILY_IPV6, 200);
		cluster.config.auth.mode = mode;
		p = planned(&cluster);
		ck_assert_uint_eq(
			p->routers[0].n_vips, advert_capacity(3, FAMILY_IPV6, MTU - trailer));
		plan_free(p);
	}
}
END_TEST

START_TEST(vrids_follow_the_range_round_its_end_and_past_pinned_ones)
{
	static const uint8_t vrids[4] = {254, 255, 2, 3};
	struct plan *p;

	cluster_init_with(&cluster, 4, 4);
	cluster.interfaces[0] = (struct config_interface){.vrid_first = 254, .vrid_count = 5};
	cluster.services[cluster_add_service(&cluster, 0)].foreign_vrid = 1;
	memcpy(cluster.services[1].priority, (uint8_t[]){4, 3, 2, 1}, 4);
	cluster_add_bundle(&cluster, 1);
	p = planned(&cluster);
	expect_sound_routers(p);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_uint_eq(p->routers[i].vrid, vrids[i]);
	ck_assert_uint_eq(p->routers[4].vrid, 1);
	plan_free(p);
}
END_TEST

START_TEST(a_range_that_is_too_small_is_refused_with_a_reason)
{
	const char *problem = NULL;

	cluster_init_with(&cluster, 4, 8);
	cluster.interfaces[0] = (struct config_interface){.vrid_first = 10, .vrid_count = 3};
	ck_assert_ptr_null(plan_new(&cluster.config, MTU, &problem));
	ck_assert_ptr_nonnull(strstr(problem, "vrids"));
	ck_assert_ptr_null(plan_new(&cluster.config, MTU, NULL));
	cluster.interfaces[0].vrid_count = 4;
	plan_free(planned(&cluster));
}
END_TEST

START_TEST(a_pinned_vrid_has_but_one_router)
{
	const char *problem = NULL;

	cluster_init(&cluster, 2);
	cluster.services[0].foreign_vrid = 51;
	cluster_add_bundle(&cluster, 256);
	ck_assert_ptr_null(plan_new(&cluster.config, MTU, &problem));
	ck_assert_ptr_nonnull(strstr(problem, "pinned"));
}
END_TEST

START_TEST(the_whole_range_costs_eight_nodes_nothing_with_one_down)
{
	for (uint32_t n_vips = 100; n_vips <= 1000; n_vips += 100) {
		for (uint32_t n = 2; n <= 8; n++) {
			struct plan *p;

			cluster_init_with(&cluster, n, n_vips);
			p = planned(&cluster);
			expect_sound_routers(p);
			ck_assert_int_eq(worst_excess(p, 0), 0);
			ck_assert_int_eq(worst_excess(p, 1), 0);
			plan_free(p);
		}
	}
}
END_TEST

START_TEST(a_limit_leaves_the_holders_where_they_are)
{
	struct rng r = {1};

	for (uint32_t i = 0; i < 500; i++) {
		const uint32_t n = 1 + rng_below(&r, 16), v = 1 + rng_below(&r, 300);
		struct plan *limited, *unlimited;
		struct moves moves;

		cluster_init_with(&cluster, n, v);
		cluster.interfaces[0].vrid_count = (uint8_t)(n + v / 255 + rng_below(&r, 200));
		limited = planned(&cluster);
		unlimited = plan_new_unlimited(&cluster.config, MTU);
		expect_sound_routers(limited);
		moves = moves_between(unlimited, limited);
		ck_assert_uint_eq(moves.onto_last + moves.elsewhere, 0);
		ck_assert_uint_le(limited->n_orders, cluster.interfaces[0].vrid_count);
		ck_assert_uint_eq(limited->n_orders_wanted, unlimited->n_orders);
		plan_free(limited);
		plan_free(unlimited);
	}
}
END_TEST

START_TEST(a_narrow_interface_does_not_limit_another)
{
	struct plan *p;

	cluster_init_with(&cluster, 6, 120);
	cluster.config.n_interfaces = 2;
	cluster.interfaces[0].vrid_count = 6;
	cluster_add_service(&cluster, 1);
	for (uint32_t i = 0; i < 120; i++)
		cluster_add_bundle(&cluster, 1);
	p = planned(&cluster);
	expect_sound_routers(p);
	/* six on the narrow one; each node's VIPs on the wide one may go to five */
	ck_assert_uint_ge(p->n_orders, 6 + 6 * 5);
	plan_free(p);
}
END_TEST

START_TEST(vips_appended_change_no_vrid_before_them)
{
	for (uint32_t n_vips = 1; n_vips < 40; n_vips++) {
		struct plan *few, *many;

		cluster_init_with(&cluster, 2, n_vips);
		few = planned(&cluster);
		cluster_add_bundle(&cluster, 1);
		many = planned(&cluster);
		for (uint32_t i = 0; i < few->n_routers; i++)
			ck_assert_uint_eq(few->routers[i].vrid, many->routers[i].vrid);
		plan_free(few);
		plan_free(many);
	}
}
END_TEST

START_TEST(priorities_fall_along_the_order)
{
	for (uint32_t n = 1; n <= CONFIG_NODES_MAX; n++) {
		ck_assert_uint_eq(plan_priority(0, n, false), 254);
		for (uint32_t place = 0; place < n; place++) {
			const uint8_t healthy = plan_priority(place, n, false);
			const uint8_t ill = plan_priority(place, n, true);

			ck_assert_uint_ge(healthy, 128);
			ck_assert_uint_eq(ill, healthy > 128 ? healthy - 127 : 2);
			ck_assert_uint_eq(plan_priority_place(healthy, n), place);
			/* of 64 nodes the last two share the least one */
			ck_assert_uint_eq(plan_priority_place(ill, n), place < 63 ? place : 62);
			if (place > 0)
				ck_assert_uint_lt(healthy, plan_priority(place - 1, n, false));
		}
		ck_assert_uint_eq(plan_priority_place(255, n), n);
		ck_assert_uint_eq(plan_priority_place(0, n), n);
	}
}
END_TEST

START_TEST(the_first_four_places_are_far_apart)
{
	static const uint8_t three[] = {254, 191, 128};
	static const uint8_t six[] = {254, 222, 190, 158, 143, 128};

	for (uint32_t place = 0; place < 3; place++)
		ck_assert_uint_eq(plan_priority(place, 3, false), three[place]);
	for (uint32_t place = 0; place < 6; place++)
		ck_assert_uint_eq(plan_priority(place, 6, false), six[place]);
	ck_assert_uint_eq(plan_priority(1, 64, false), 254 - 22);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		vips_of_one_order_share_a_router,
		services_and_families_have_routers_of_their_own,
		what_exceeds_an_advertisement_is_split,
		a_trailer_fits_as_well_where_there_may_be_one,
		vrids_follow_the_range_round_its_end_and_past_pinned_ones,
		a_range_that_is_too_small_is_refused_with_a_reason,
		a_pinned_vrid_has_but_one_router,
		the_whole_range_costs_eight_nodes_nothing_with_one_down,
		a_limit_leaves_the_holders_where_they_are,
		a_narrow_interface_does_not_limit_another,
		vips_appended_change_no_vrid_before_them,
		priorities_fall_along_the_order,
		the_first_four_places_are_far_apart,
	};

	return run_suite("routers", tests, ARRAY_SIZE(tests));
}
