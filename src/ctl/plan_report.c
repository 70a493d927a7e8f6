/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/plan_report.h"

#include <err.h>
#include <stdbool.h>

#include "base/assert.h"
#include "ctl/loads.h"

/* Names of the scenarios by the number of nodes down. */
static const char *const by_down[LOADS_DOWN_MAX + 1] = {"now", "one_down", "two_down"};

static json_t *made(json_t *value)
{
	if (!value)
		errx(1, "out of memory");
	return value;
}

static void put(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, made(value)) < 0)
		errx(1, "out of memory");
}

static void append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, made(value)) < 0)
		errx(1, "out of memory");
}

static json_t *names_of(const struct config *c, uint64_t set)
{
	json_t *names = made(json_array());

	for (uint32_t i = 0; i < c->n_nodes; i++)
		if (set >> i & 1)
			append(names, json_string(c->nodes[i].name));
	return names;
}

static json_t *loads_object(const struct config *c, const struct loads *l)
{
	json_t *o = made(json_object()), *vips = made(json_object());

	for (uint32_t i = 0; i < c->n_nodes; i++)
		if (!(l->down >> i & 1))
			put(vips, c->nodes[i].name, json_integer(l->vips[i]));
	put(o, "down", names_of(c, l->down));
	put(o, "vips", vips);
	put(o, "excess", json_integer(l->excess));
	put(o, "hottest", json_string(c->nodes[l->hottest].name));
	return o;
}

static json_t *peak_object(const struct config *c, const struct loads_worst *w, uint32_t node)
{
	json_t *o = made(json_object());

	put(o, "vips", json_integer(w->peak[node]));
	put(o, "down", names_of(c, w->peak_down[node]));
	return o;
}

/* @worst: by the number of nodes down, @n_worst of them. */
static json_t *nodes_array(
	const struct plan_report *r, const struct loads_worst *worst, uint32_t n_worst)
{
	const struct config *c = r->config;
	json_t *nodes = made(json_array());

	for (uint32_t i = 0; i < c->n_nodes; i++) {
		json_t *o = made(json_object());

		put(o, "name", json_string(c->nodes[i].name));
		put(o, "weight", json_integer(c->nodes[i].weight));
		put(o, "capacity", r->capacities ? json_integer(r->capacities[i]) : json_null());
		for (uint32_t n_down = 0; n_down < n_worst; n_down++)
			put(o, by_down[n_down], peak_object(c, &worst[n_down], i));
		append(nodes, o);
	}
	return nodes;
}

static json_t *scenarios_array(
	const struct plan_report *r, const struct loads_worst *worst, uint32_t n_worst)
{
	const struct config *c = r->config;
	json_t *scenarios = made(json_array());

	append(scenarios, loads_object(c, &worst[0].loads));
	for (uint32_t i = 0; n_worst > 1 && i < c->n_nodes; i++) {
		struct loads l;

		loads_compute(r->plan, UINT64_C(1) << i, &l);
		append(scenarios, loads_object(c, &l));
	}
	if (n_worst > 2)
		append(scenarios, loads_object(c, &worst[2].loads));
	return scenarios;
}

/* The node that is hottest of all, and when. */
static json_t *hottest_object(
	const struct config *c, const struct loads_worst *worst, uint32_t n_worst)
{
	const struct loads *l = &worst[n_worst - 1].loads;
	json_t *o = made(json_object());

	put(o, "node", json_string(c->nodes[l->hottest].name));
	put(o, "vips", json_integer(l->vips[l->hottest]));
	put(o, "down", names_of(c, l->down));
	return o;
}

/* How far the nodes that fare worst are above their fair share, by the number of nodes down. */
static json_t *excess_object(const struct loads_worst *worst, uint32_t n_worst)
{
	json_t *o = made(json_object());

	for (uint32_t i = 0; i < n_worst; i++)
		put(o, by_down[i], json_integer(worst[i].excess));
	return o;
}

static json_t *vrids_object(
	const struct plan_report *r, const struct loads_worst *worst, uint32_t n_worst)
{
	json_t *o = made(json_object()), *cost = made(json_object());

	for (uint32_t i = 0; r->unlimited && i < n_worst; i++) {
		struct loads_worst better;

		loads_find_worst(r->unlimited, i, &better);
		put(cost, by_down[i],
			json_integer(worst[i].excess > better.excess
					     ? worst[i].excess - better.excess
					     : 0));
	}
	put(o, "virtual_routers", json_integer(r->plan->n_routers));
	put(o, "orders", json_integer(r->plan->n_orders));
	put(o, "orders_wanted", json_integer(r->plan->n_orders_wanted));
	put(o, "cost", cost);
	return o;
}

static json_t *even_object(const struct config *c, uint32_t n_worst)
{
	json_t *o = made(json_object());

	for (uint32_t i = 0; i < n_worst; i++) {
		const uint32_t number = loads_even_number(c, i, c->n_vips);

		put(o, by_down[i], number > 0 ? json_integer(number) : json_null());
	}
	return o;
}

/* Every VIP with its virtual router and its failover order, router after router. */
static json_t *orders_array(const struct plan *p)
{
	const struct config *c = p->config;
	json_t *orders = made(json_array());

	for (uint32_t i = 0; i < p->n_routers; i++) {
		const struct plan_router *router = &p->routers[i];

		for (uint32_t k = router->first; k < router->first + router->n_vips; k++) {
			const struct config_vip *vip = &c->vips[p->members[k]];
			const uint8_t *order = plan_order(p, vip->bundle);
			json_t *o = made(json_object()), *names = made(json_array());
			char text[ADDR_STRLEN];

			for (uint32_t place = 0; place < p->n_nodes; place++)
				append(names, json_string(c->nodes[order[place]].name));
			put(o, "address", json_string(addr_format(&vip->address, text)));
			put(o, "service", json_string(c->services[vip->service].name));
			put(o, "vrid", json_integer(router->vrid));
			put(o, "order", names);
			append(orders, o);
		}
	}
	return orders;
}

json_t *plan_report_document(const struct plan_report *r)
{
	const struct config *c = r->config;
	const uint32_t n_worst = c->n_nodes <= LOADS_DOWN_MAX ? c->n_nodes : LOADS_DOWN_MAX + 1;
	struct loads_worst worst[LOADS_DOWN_MAX + 1];
	json_t *o = made(json_object());

	for (uint32_t i = 0; i < n_worst; i++)
		loads_find_worst(r->plan, i, &worst[i]);
	put(o, "cluster", json_string(c->cluster));
	put(o, "vips", json_integer(c->n_vips));
	put(o, "nodes", nodes_array(r, worst, n_worst));
	put(o, "scenarios", scenarios_array(r, worst, n_worst));
	put(o, "hottest", hottest_object(c, worst, n_worst));
	put(o, "excess", excess_object(worst, n_worst));
	put(o, "vrids", vrids_object(r, worst, n_worst));
	put(o, "even", even_object(c, n_worst));
	put(o, "orders", orders_array(r->plan));
	return o;
}
