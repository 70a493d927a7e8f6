/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan/routers.h"

#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "wire/advert.h"

/* Numbers the distinct orders from 0 in order of appearance; how many there are. */
static uint32_t number_orders(const struct plan *p, struct routers_work *r)
{
	uint32_t size = 64, n_orders = 0;

	while (size < 2 * p->config->n_bundles)
		size *= 2;
	ASSERT(size <= ARRAY_SIZE(r->table));
	memset(r->table, 0xff, size * sizeof *r->table);
	for (uint32_t b = 0; b < p->config->n_bundles; b++) {
		const uint8_t *order = plan_order(p, b);
		uint32_t slot = (uint32_t)hash_for_all(order, p->n_nodes) & (size - 1);

		while (r->table[slot] != PLAN_NONE &&
			memcmp(plan_order(p, r->table[slot]), order, p->n_nodes))
			slot = (slot + 1) & (size - 1);
		if (r->table[slot] == PLAN_NONE) {
			r->table[slot] = b;
			r->order_of[b] = n_orders++;
		} else {
			r->order_of[b] = r->order_of[r->table[slot]];
		}
	}
	return n_orders;
}

static void open_pools(const struct config *c, struct routers_work *r)
{
	for (uint32_t i = 0; i < c->n_interfaces; i++)
		for (uint32_t f = 0; f < FAMILY_COUNT; f++)
			r->pools[i][f] = (struct vrid_pool){
				.next = c->interfaces[i].vrid_first,
				.left = c->interfaces[i].vrid_count,
			};
}

/* The next of the range that is not pinned, or 0. */
static uint8_t take_vrid(struct vrid_pool *pool)
{
	while (pool->left > 0) {
		const uint8_t vrid = pool->next;

		pool->next = vrid == PLAN_VRID_MAX ? 1 : vrid + 1;
		pool->left--;
		if (!pool->pinned[vrid])
			return vrid;
	}
	return 0;
}

bool routers_group(struct plan *p, struct plan_work *w, uint32_t mtu)
{
	const struct config *c = p->config;
	struct routers_work *r = &w->routers;

	p->n_orders = number_orders(p, r);
	p->n_routers = 0;
	open_pools(c, r);
	memset(r->needed, 0, sizeof r->needed);
	for (uint32_t f = 0; f < FAMILY_COUNT; f++)
		memset(r->open[f], 0xff, p->n_orders * sizeof *r->open[f]);
	for (uint32_t v = 0; v < c->n_vips; v++) {
		const struct config_vip *vip = &c->vips[v];
		const struct config_service *service = &c->services[vip->service];
		const enum family family = addr_family(&vip->address);
		uint32_t *open = &r->open[family][r->order_of[vip->bundle]];
		const bool seen = *open != PLAN_NONE && p->routers[*open].service == vip->service;

		if (!seen || p->routers[*open].n_vips >=
				     advert_capacity(service->vrrp.version, family, mtu)) {
			if (seen && service->foreign_vrid)
				return false;
			if (service->foreign_vrid)
				r->pools[service->interface][family].pinned[service->foreign_vrid] =
					true;
			else
				r->needed[service->interface][family]++;
			*open = p->n_routers++;
			p->routers[*open] = (struct plan_router){
				.service = vip->service,
				.interface = service->interface,
				.family = family,
				.vrid = service->foreign_vrid,
				.order = vip->bundle,
			};
		}
		p->routers[*open].n_vips++;
		r->router_of[v] = *open;
	}
	return true;
}

bool routers_fit(const struct plan_work *w, uint32_t interface)
{
	for (uint32_t f = 0; f < FAMILY_COUNT; f++) {
		struct vrid_pool pool = w->routers.pools[interface][f];

		for (uint32_t n = w->routers.needed[interface][f]; n > 0; n--)
			if (!take_vrid(&pool))
				return false;
	}
	return true;
}

static void list_members(struct plan *p, const uint32_t *router_of)
{
	uint32_t at = 0;

	for (uint32_t r = 0; r < p->n_routers; r++) {
		p->routers[r].first = at;
		at += p->routers[r].n_vips;
		p->routers[r].n_vips = 0;
	}
	for (uint32_t v = 0; v < p->config->n_vips; v++) {
		struct plan_router *router = &p->routers[router_of[v]];

		p->members[router->first + router->n_vips++] = v;
	}
}

void routers_number(struct plan *p, struct plan_work *w)
{
	list_members(p, w->routers.router_of);
	for (uint32_t r = 0; r < p->n_routers; r++) {
		struct plan_router *router = &p->routers[r];

		if (!router->vrid)
			router->vrid =
				take_vrid(&w->routers.pools[router->interface][router->family]);
		ASSERT(router->vrid);
	}
}
