/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node_fixture.h"

#include <string.h>

const uint8_t node_vips[6] = {201, 202, 203, 204, 205, 206};

struct addr host(uint8_t last)
{
	return addr_from_ipv4((const uint8_t[]){10, 1, 1, last});
}

void fill_config(struct fixture *f)
{
	for (uint8_t i = 0; i < 3; i++)
		f->nodes[i] = (struct config_node){
			.addresses = {host(2 + i)}, .n_addresses = 1, .weight = 1};
	for (uint8_t i = 0; i < 6; i++) {
		f->bundles[i] = (struct config_bundle){
			.first_vip = i, .n_vips = 1, .preferred = CONFIG_NO_NODE};
		f->vips[i] = (struct config_vip){.address = host(201 + i), .bundle = i};
	}
	f->interface =
		(struct config_interface){.name = "eth0", .vrid_first = 1, .vrid_count = 255};
	f->service = (struct config_service){
		.n_vips = 6,
		.n_bundles = 6,
		.vrrp =
			{
				.version = 3,
				.interval = INTERVAL,
				.preempt = true,
				.linger = tick_ms(20),
			},
	};
	f->config = (struct config){
		.nodes = f->nodes,
		.interfaces = &f->interface,
		.services = &f->service,
		.bundles = f->bundles,
		.vips = f->vips,
		.n_nodes = 3,
		.n_interfaces = 1,
		.n_services = 1,
		.n_bundles = 6,
		.n_vips = 6,
		.announce = {.shots = {0, tick_ms(50)}, .n_shots = 2, .rate = 1000, .burst = 100},
	};
}

void turn(struct fixture *f, struct node_event ev)
{
	if (ev.kind != NODE_EV_TICK)
		node_step(f->node, &ev, f->now, f->fx);
	node_step(f->node, &(struct node_event){.kind = NODE_EV_TICK}, f->now, f->fx);
}

void link_up(struct fixture *f, bool up)
{
	turn(f, (struct node_event){
			.kind = NODE_EV_LINK, .link = {.up = up, .sources = {host(2)}}});
}

void link_with(struct fixture *f, struct addr source)
{
	turn(f, (struct node_event){
			.kind = NODE_EV_LINK, .link = {.up = true, .sources = {source}}});
}

struct fixture *start_with(struct fixture *f)
{
	const char *problem = NULL;

	/* a test may start several times; all is NULL at first */
	node_effects_free(f->fx);
	node_free(f->node);
	plan_free(f->plan);
	f->plan = plan_new(&f->config, 1500, &problem);
	ck_assert_msg(f->plan != NULL, "%s", problem);
	f->now = T0;
	f->node = node_new(
		&(struct node_setup){&f->config, f->plan, 0, 1, .fenced = f->fenced}, f->now);
	f->fx = node_effects_new(f->node);
	link_up(f, true);
	return f;
}

struct fixture *start(void)
{
	static struct fixture f;

	fill_config(&f);
	return start_with(&f);
}

void pass_time(struct fixture *f)
{
	f->now = node_deadline(f->node);
	ck_assert_uint_ne(f->now, TICK_NEVER);
	turn(f, (struct node_event){.kind = NODE_EV_TICK});
}

uint32_t place(const struct fixture *f, uint32_t vip)
{
	return plan_place(f->plan, f->vips[vip].bundle, 0);
}

enum vrrp_state state(const struct fixture *f, uint32_t vip)
{
	return f->node->units[f->node->vips[vip].unit].vrrp.state;
}

void obey(struct fixture *f)
{
	uint32_t holds[6], announces[6];
	const uint32_t n_holds = f->fx->n_holds, n_announces = f->fx->n_announces;

	memcpy(holds, f->fx->holds, n_holds * sizeof *holds);
	memcpy(announces, f->fx->announces, n_announces * sizeof *announces);
	for (uint32_t i = 0; i < n_holds; i++)
		node_step(f->node,
			&(struct node_event){.kind = NODE_EV_HELD,
				.vip = holds[i],
				.hold = f->node->vips[holds[i]].wanted},
			f->now, f->fx);
	for (uint32_t i = 0; i < n_announces; i++)
		node_step(f->node,
			&(struct node_event){.kind = NODE_EV_ANNOUNCED, .vip = announces[i]},
			f->now, f->fx);
	turn(f, (struct node_event){.kind = NODE_EV_TICK});
}

void hear(struct fixture *f, uint8_t from, uint8_t vrid, uint8_t priority, const uint8_t *lasts,
	uint32_t n)
{
	static struct advert a;

	a = (struct advert){
		.source = host(from),
		.interval = INTERVAL,
		.family = FAMILY_IPV4,
		.version = 3,
		.vrid = vrid,
		.priority = priority,
		.n_addresses = n,
	};
	for (uint32_t i = 0; i < n; i++)
		a.addresses[i] = host(lasts[i]);
	turn(f, (struct node_event){.kind = NODE_EV_ADVERT, .advert = &a});
}

uint32_t records_of(const struct fixture *f, enum node_record_kind kind)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->fx->n_records; i++)
		n += f->fx->records[i].kind == kind;
	return n;
}

void take_all(struct fixture *f)
{
	for (int i = 0; i < 20; i++) {
		pass_time(f);
		obey(f);
	}
	for (uint32_t i = 0; i < 6; i++)
		ck_assert_int_eq(state(f, i), VRRP_ACTIVE);
}
