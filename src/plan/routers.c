/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan/routers.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "wire/advert.h"

#define VRID_MAX  255
#define NO_ROUTER UINT32_MAX

/* The VRIDs of one interface and family: which are taken, and where the search for the next goes
 * on. */
struct vrid_pool {
	uint8_t next;
	uint32_t left; /* of the range, not yet tried */
	bool pinned[VRID_MAX + 1];
};

static uint64_t order_hash(const uint8_t *order, uint32_t n_nodes)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

	for (uint32_t place = 0; place < n_nodes; place++)
		hash = (hash ^ order[place]) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

uint32_t routers_number_orders(const struct plan *p, uint32_t *ids)
{
	uint32_t size = 64, n_orders = 0;
	uint32_t *table; /* bundles, by the hash of their order */

	while (size < 2 * p->config->n_bundles)
		size *= 2;
	table = malloc(size * sizeof *table);
	ASSERT(table);
	memset(table, 0xff, size * sizeof *table);
	for (uint32_t b = 0; b < p->config->n_bundles; b++) {
		const uint8_t *order = plan_order(p, b);
		uint32_t slot = (uint32_t)order_hash(order, p->n_nodes) & (size - 1);

		while (table[slot] != UINT32_MAX &&
			memcmp(plan_order(p, table[slot]), order, p->n_nodes))
			slot = (slot + 1) & (size - 1);
		if (table[slot] == UINT32_MAX) {
			table[slot] = b;
			ids[b] = n_orders++;
		} else {
			ids[b] = ids[table[slot]];
		}
	}
	free(table);
	return n_orders;
}

/* Which router each VIP belongs to, in order of first appearance, so that a VIP appended to the
 * file disturbs no earlier router. */
static bool group_vips(struct plan *p, uint32_t mtu, uint32_t *router_of, const char **ret_problem)
{
	const struct config *c = p->config;
	uint32_t *ids = calloc(c->n_bundles + 1, sizeof *ids);
	uint32_t *open; /* the latest router by family and order */
	bool fits = true;

	ASSERT(ids);
	p->n_orders = p->n_orders_wanted = routers_number_orders(p, ids);
	open = malloc((size_t)FAMILY_COUNT * (p->n_orders + 1) * sizeof *open);
	ASSERT(open);
	memset(open, 0xff, (size_t)FAMILY_COUNT * (p->n_orders + 1) * sizeof *open);
	for (uint32_t v = 0; v < c->n_vips; v++) {
		const struct config_vip *vip = &c->vips[v];
		const struct config_service *service = &c->services[vip->service];
		const enum family family = addr_family(&vip->address);
		uint32_t *latest = &open[family * p->n_orders + ids[vip->bundle]];
		const bool seen =
			*latest != NO_ROUTER && p->routers[*latest].service == vip->service;

		if (!seen || p->routers[*latest].n_vips ==
				     advert_capacity(service->vrrp.version, family, mtu)) {
			if (seen && service->foreign_vrid) {
				if (ret_problem)
					*ret_problem = "a service with a pinned VRID has more VIPs "
						       "of one family than an advertisement lists";
				fits = false;
				break;
			}
			*latest = p->n_routers++;
			p->routers[*latest] = (struct plan_router){
				.service = vip->service,
				.interface = service->interface,
				.family = family,
				.order = vip->bundle,
			};
		}
		p->routers[*latest].n_vips++;
		router_of[v] = *latest;
	}
	free(open);
	free(ids);
	return fits;
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

static uint8_t take_vrid(struct vrid_pool *pool)
{
	while (pool->left > 0) {
		const uint8_t vrid = pool->next;

		pool->next = vrid == VRID_MAX ? 1 : vrid + 1;
		pool->left--;
		if (!pool->pinned[vrid])
			return vrid;
	}
	return 0;
}

static bool number_routers(struct plan *p, const char **ret_problem)
{
	static const char too_few[] = "more virtual routers are needed than `vrids:` grants";
	const struct config *c = p->config;
	struct vrid_pool *pools = calloc(c->n_interfaces * FAMILY_COUNT, sizeof *pools);
	bool enough = true;

	ASSERT(pools);
	for (uint32_t i = 0; i < c->n_interfaces * FAMILY_COUNT; i++) {
		pools[i].next = c->interfaces[i / FAMILY_COUNT].vrid_first;
		pools[i].left = c->interfaces[i / FAMILY_COUNT].vrid_count;
	}
	for (uint32_t r = 0; r < p->n_routers; r++) {
		struct plan_router *router = &p->routers[r];

		router->vrid = c->services[router->service].foreign_vrid;
		pools[router->interface * FAMILY_COUNT + router->family].pinned[router->vrid] =
			true;
	}
	for (uint32_t r = 0; r < p->n_routers && enough; r++) {
		struct plan_router *router = &p->routers[r];

		if (router->vrid)
			continue;
		router->vrid = take_vrid(&pools[router->interface * FAMILY_COUNT + router->family]);
		enough = router->vrid != 0;
	}
	if (!enough && ret_problem)
		*ret_problem = too_few;
	free(pools);
	return enough;
}

bool routers_assign(struct plan *p, uint32_t mtu, const char **ret_problem)
{
	const uint32_t n_vips = p->config->n_vips;
	uint32_t *router_of = calloc(n_vips + 1, sizeof *router_of);
	bool done;

	p->routers = calloc(n_vips + 1, sizeof *p->routers);
	p->members = calloc(n_vips + 1, sizeof *p->members);
	ASSERT(router_of && p->routers && p->members);
	done = group_vips(p, mtu, router_of, ret_problem);
	if (done) {
		list_members(p, router_of);
		done = number_routers(p, ret_problem);
	}
	free(router_of);
	return done;
}
