/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VIPs that are left to a stranger. Their unit stays Active and goes on advertising, so that no other
 * node takes them and meets the same stranger; but nothing is held, and nothing announced. Who takes over
 * from this node finds out for itself.
 */
#include "base/assert.h"
#include "node/internal.h"

enum vrrp_hold node_wanted_hold(struct node *n, uint32_t vip, tick now)
{
	struct node_vip *v = &n->vips[vip];
	const struct vrrp *vrrp = &n->units[v->unit].vrrp;
	const enum vrrp_hold wanted = vrrp_wanted_hold(vrrp, now);

	/* ended by a new claim, and where nothing is left to be yielded */
	if (v->yielded && (wanted == VRRP_HOLD_NONE || vrrp->state == VRRP_CLAIMING)) {
		v->yielded = false;
		node_list(n, vip);
	}
	return v->yielded ? VRRP_HOLD_NONE : wanted;
}

void node_yield(struct node *n, uint32_t vip, bool yield, tick now)
{
	struct node_vip *v = &n->vips[vip];
	struct node_unit *u = &n->units[v->unit];

	ASSERT(vip < n->n_vips);
	/* the word may be late, or said twice */
	if (v->yielded == yield || u->vrrp.state != VRRP_ACTIVE)
		return;
	v->yielded = yield;
	node_list(n, vip);
	node_refresh(n, u, now);
	if (!yield)
		node_announce(n, vip, now);
}
