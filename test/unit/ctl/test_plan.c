/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/loads.h"
#include "ctl/plan_report.h"
#include "fixtures.h"
#include "suite.h"

/* The six orders of three nodes, one for each VIP: even whatever fails. */
static uint8_t all_orders[] = {0, 1, 2, 0, 2, 1, 1, 0, 2, 1, 2, 0, 2, 0, 1, 2, 1, 0};
/* Whatever fails, the next node takes everything. */
static uint8_t one_order[] = {0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2};

/* One virtual router for each of the six VIPs. */
static struct plan plan_of(const struct cluster *k, uint8_t *orders)
{
	static struct plan_router routers[6];
	static uint32_t members[6];

	for (uint32_t i = 0; i < 6; i++) {
		routers[i] = (struct plan_router){
			.vrid = (uint8_t)(i + 1), .first = i, .n_vips = 1, .order = i};
		members[i] = i;
	}
	return (struct plan){
		.routers = routers,
		.members = members,
		.config = &k->config,
		.n_nodes = k->config.n_nodes,
		.orders = orders,
		.n_routers = 6,
		.n_orders = 6,
		.n_orders_wanted = 6,
	};
}

START_TEST(loads_follow_the_orders)
{
	struct cluster k;
	struct plan p;
	struct loads l;

	cluster_init(&k, 3, 6, tick_ms(100));
	p = plan_of(&k, all_orders);
	loads_compute(&p, 0, &l);
	ck_assert_mem_eq(l.vips, ((uint32_t[]){2, 2, 2}), 3 * sizeof *l.vips);
	loads_compute(&p, 1 << 1, &l);
	ck_assert_mem_eq(l.vips, ((uint32_t[]){3, 0, 3}), 3 * sizeof *l.vips);
	ck_assert_mem_eq(l.fair, ((uint32_t[]){3, 0, 3}), 3 * sizeof *l.fair);
	ck_assert_uint_eq(l.excess, 0);
	loads_compute(&p, 1 << 0 | 1 << 1, &l);
	ck_assert_uint_eq(l.vips[2], 6);
	ck_assert_uint_eq(l.hottest, 2);
}
END_TEST

START_TEST(fair_shares_follow_the_weights)
{
	struct cluster k;
	struct plan p;
	struct loads l;

	cluster_init(&k, 3, 6, tick_ms(100));
	k.nodes[2].weight = 3;
	p = plan_of(&k, all_orders);
	loads_compute(&p, 0, &l);
	ck_assert_mem_eq(l.fair, ((uint32_t[]){2, 2, 4}), 3 * sizeof *l.fair);
	/* two VIPs are much for a weight of one, and little for three */
	ck_assert_uint_eq(l.hottest, 0);
}
END_TEST

START_TEST(the_worst_case_is_found_among_all)
{
	struct cluster k;
	struct plan p;
	struct loads_worst w;

	cluster_init(&k, 3, 6, tick_ms(100));
	p = plan_of(&k, one_order);
	loads_find_worst(&p, 0, &w);
	ck_assert_uint_eq(w.excess, 4);
	ck_assert_mem_eq(w.peak, ((uint32_t[]){6, 0, 0}), 3 * sizeof *w.peak);
	loads_find_worst(&p, 1, &w);
	ck_assert_mem_eq(w.peak, ((uint32_t[]){6, 6, 0}), 3 * sizeof *w.peak);
	ck_assert_uint_eq(w.peak_down[1], 1 << 0);
	loads_find_worst(&p, 2, &w);
	ck_assert_mem_eq(w.peak, ((uint32_t[]){6, 6, 6}), 3 * sizeof *w.peak);
	ck_assert_uint_eq(w.peak_down[2], 1 << 0 | 1 << 1);
}
END_TEST

START_TEST(the_bundles_of_sixty_four_nodes_are_counted_in_every_case)
{
	static struct config_node nodes[64];
	static uint8_t orders[64];
	struct config_bundle bundle = {.n_vips = 5};
	struct config c = {
		.nodes = nodes, .n_nodes = 64, .bundles = &bundle, .n_bundles = 1, .n_vips = 5};
	struct plan p = {.config = &c, .n_nodes = 64, .orders = orders};
	struct loads_worst w;

	for (uint32_t i = 0; i < 64; i++) {
		nodes[i].weight = 1;
		orders[i] = (uint8_t)(63 - i);
	}
	loads_find_worst(&p, 2, &w);
	ck_assert_uint_eq(w.peak[61], 5);
	ck_assert_uint_eq(w.peak_down[61], UINT64_C(3) << 62);
	ck_assert_uint_eq(w.peak[60], 0);
}
END_TEST

START_TEST(even_numbers_divide_in_every_case)
{
	static const struct {
		uint32_t n_nodes, n_down, at_least, even;
	} cases[] = {
		{1, 0, 3, 3},
		{2, 0, 3, 4},
		{2, 1, 3, 4},
		{3, 0, 4, 6},
		{3, 1, 6, 6},
		{3, 2, 7, 12},
		{4, 0, 4, 4},
		{4, 1, 4, 12},
		{4, 2, 13, 24},
	};
	struct cluster k;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cluster_init(&k, cases[i].n_nodes, 1, tick_ms(100));
		ck_assert_uint_eq(loads_even_number(&k.config, cases[i].n_down, cases[i].at_least),
			cases[i].even);
	}
	/* weights 1, 1, 2: quarters, then thirds or halves */
	cluster_init(&k, 3, 1, tick_ms(100));
	k.nodes[2].weight = 2;
	ck_assert_uint_eq(loads_even_number(&k.config, 0, 1), 4);
	ck_assert_uint_eq(loads_even_number(&k.config, 1, 1), 12);
	k.nodes[0].weight = 997;
	k.nodes[1].weight = 991;
	ck_assert_uint_eq(loads_even_number(&k.config, 1, 1), 0);
}
END_TEST

static char *report_text(const struct plan_report *r)
{
	json_t *document = plan_report_document(r);
	struct sheet s;

	sheet_open(&s, false);
	plan_report_print(document, &s.paper);
	sheet_close(&s);
	json_decref(document);
	return s.text;
}

START_TEST(a_plan_reads_as_a_table)
{
	static const char golden[] =
		"shop: 6 VIPs on 3 nodes\n"
		"\n"
		"VIPS                www1  www2  www3\n"
		"now                    2     2     2\n"
		"www1 down              -     3     3\n"
		"www2 down              3     -     3\n"
		"www3 down              3     3     -\n"
		"www1 and www2 down     -     -     6\n"
		"\n"
		"Hottest: www3 with 6 VIPs, with www1 and www2 down.\n"
		"Balance with no node down: as even as can be\n"
		"Balance with any one node down: as even as can be\n"
		"Balance with any two nodes down: as even as can be\n"
		"VRIDs: 6 virtual routers for 6 failover orders, as many as wanted\n"
		"Numbers of VIPs that could be even: 6 with no node down, 6 with any one node "
		"down, "
		"6 with any two nodes down\n";
	struct cluster k;
	struct plan p;
	char *text;

	cluster_init(&k, 3, 6, tick_ms(100));
	p = plan_of(&k, all_orders);
	text = report_text(&(struct plan_report){.config = &k.config, .plan = &p});
	ck_assert_str_eq(text, golden);
	free(text);
}
END_TEST

START_TEST(what_the_vrids_cost_is_told)
{
	struct cluster k;
	struct plan limited, unlimited;
	char *text;

	cluster_init(&k, 3, 6, tick_ms(100));
	limited = plan_of(&k, one_order);
	limited.n_orders = 1;
	unlimited = plan_of(&k, all_orders);
	text = report_text(&(struct plan_report){
		.config = &k.config, .plan = &limited, .unlimited = &unlimited});
	ck_assert_ptr_nonnull(
		strstr(text, "for 1 failover orders of 6 wanted; the limit costs the worst "
			     "node 3 VIPs with one node down, 0 with two\n"));
	ck_assert_ptr_nonnull(strstr(text, "any one node down: at most 3 above a fair share\n"));
	free(text);
}
END_TEST

START_TEST(a_node_that_is_too_small_is_named_with_the_mildest_case)
{
	static const uint32_t capacities[] = {1, 5, 6};
	struct cluster k;
	struct plan p;
	char *text;

	cluster_init(&k, 3, 6, tick_ms(100));
	p = plan_of(&k, all_orders);
	text = report_text(
		&(struct plan_report){.config = &k.config, .plan = &p, .capacities = capacities});
	ck_assert_ptr_nonnull(strstr(text, "Too small: www1 can bear 1 VIP and gets 2, now\n"));
	ck_assert_ptr_nonnull(strstr(
		text, "Too small: www2 can bear 5 VIPs and gets 6, with www1 and www3 down\n"));
	ck_assert_ptr_null(strstr(text, "Too small: www3"));
	free(text);
}
END_TEST

START_TEST(a_single_node_has_one_case_only)
{
	uint8_t orders[2] = {0, 0};
	struct cluster k;
	struct plan p;
	char *text;

	cluster_init(&k, 1, 2, tick_ms(100));
	p = plan_of(&k, orders);
	text = report_text(&(struct plan_report){.config = &k.config, .plan = &p});
	ck_assert_ptr_nonnull(strstr(text, "now      2\n\nHottest: www1 with 2 VIPs, now.\n"));
	ck_assert_ptr_null(strstr(text, "down:\n"));
	free(text);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		loads_follow_the_orders,
		fair_shares_follow_the_weights,
		the_worst_case_is_found_among_all,
		the_bundles_of_sixty_four_nodes_are_counted_in_every_case,
		even_numbers_divide_in_every_case,
		a_plan_reads_as_a_table,
		what_the_vrids_cost_is_told,
		a_node_that_is_too_small_is_named_with_the_mildest_case,
		a_single_node_has_one_case_only,
	};

	return run_suite("ctl-plan", tests, sizeof tests / sizeof tests[0]);
}
