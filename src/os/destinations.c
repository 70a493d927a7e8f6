/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/destinations.h"

#include <stdlib.h>

#include "wire/advert.h"

/* Whom the file names as nodes or as peers; more than that no router speaks to. */
#define DESTINATIONS_MAX (CONFIG_NODES_MAX * CONFIG_NODE_ADDRS_MAX + CONFIG_PEERS_MAX)

static uint32_t list(
	const struct plan *plan, uint32_t router, uint32_t self, struct addr to[DESTINATIONS_MAX])
{
	const struct plan_router *r = &plan->routers[router];
	const struct config *c = plan->config;
	const struct config_vrrp *vrrp = &c->services[r->service].vrrp;
	uint32_t n = 0;

	if (!vrrp->unicast) {
		to[0] = *advert_group(r->family);
		return 1;
	}
	for (uint32_t i = 0; i < c->n_nodes; i++)
		for (uint32_t a = 0; i != self && a < c->nodes[i].n_addresses; a++)
			if (addr_family(&c->nodes[i].addresses[a]) == r->family)
				to[n++] = c->nodes[i].addresses[a];
	for (uint32_t i = 0; i < vrrp->n_peers; i++)
		if (addr_family(&vrrp->peers[i]) == r->family)
			to[n++] = vrrp->peers[i];
	return n;
}

bool destinations_init(struct destinations *d, const struct plan *plan, uint32_t self)
{
	struct addr to[DESTINATIONS_MAX];
	uint32_t n = 0;

	for (uint32_t i = 0; i < plan->n_routers; i++)
		n += list(plan, i, self, to);
	*d = (struct destinations){
		.addresses = calloc(n ? n : 1, sizeof *d->addresses),
		.first = calloc(plan->n_routers + 1, sizeof *d->first),
	};
	if (!d->addresses || !d->first) {
		destinations_fini(d);
		return false;
	}
	for (uint32_t i = 0; i < plan->n_routers; i++) {
		n = list(plan, i, self, to);
		for (uint32_t k = 0; k < n; k++)
			d->addresses[d->first[i] + k] = to[k];
		d->first[i + 1] = d->first[i] + n;
	}
	return true;
}

void destinations_fini(struct destinations *d)
{
	free(d->addresses);
	free(d->first);
	*d = (struct destinations){0};
}
