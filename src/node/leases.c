/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Until when a node may serve what it holds. A router has two leases: that of service runs on from one
 * advertisement to the next, that of hand-over is for the VIPs whose other holder is known to live. */
#include "node/internal.h"

static bool is_lingering(const struct vrrp *v)
{
	return v->linger_until != TICK_NEVER;
}

static bool is_serving(const struct vrrp *v)
{
	return v->state == VRRP_ACTIVE || v->state == VRRP_LEAVING;
}

void node_permit(struct node *n, uint32_t vip)
{
	struct node_vip *v = &n->vips[vip];
	const struct vrrp *vrrp = &n->units[v->unit].vrrp;
	/* one that listens keeps its address, but its router may serve others meanwhile */
	const enum vrrp_hold served = vrrp->inherited ? VRRP_HOLD_NONE : v->wanted;
	const enum lease_permission permission = lease_permission(served, v->observed);
	const bool handover = vrrp->state == VRRP_CLAIMING || is_lingering(vrrp);

	if (v->permission == permission && v->handover == handover)
		return;
	v->permission = permission;
	v->handover = handover;
	node_list(n, vip);
}

void node_renew_service(struct node_router *r, tick now)
{
	lease_renew(&r->service, r->vrrp.interval, now);
}

void node_renew_claim(struct node_router *r, tick now)
{
	r->claimed_until = tick_add(now, lease_span(r->vrrp.interval));
	r->handover_until = tick_max(r->handover_until, r->claimed_until);
}

void node_settle_leases(struct node *n, struct node_router *r)
{
	bool serves = false;
	tick until = 0;

	for (uint32_t i = r->first_unit; i < r->first_unit + r->n_units; i++) {
		const struct vrrp *v = &n->units[i].vrrp;

		serves |= is_serving(v);
		if (v->state == VRRP_CLAIMING)
			until = tick_max(until, r->claimed_until);
		if (is_lingering(v))
			until = tick_max(until, v->linger_until);
	}
	r->handover_until = until;
	if (!serves)
		lease_close(&r->service);
}

bool node_has_lapsed(const struct node_router *r, tick now)
{
	return r->service.until != 0 && now >= r->service.until;
}
