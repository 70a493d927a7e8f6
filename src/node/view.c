/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the shell reads off a node between turns. */
#include "node/node.h"

#include <string.h>

#include "base/assert.h"
#include "node/internal.h"

bool node_is_stopped(const struct node *n)
{
	if (!n->stopping)
		return false;
	for (uint32_t i = 0; i < n->n_vips; i++)
		if (n->vips[i].wanted != VRRP_HOLD_NONE || n->vips[i].observed != VRRP_HOLD_NONE)
			return false;
	return true;
}

bool node_is_parting(const struct node *n, const struct node_send *send)
{
	/* to a foreign speaker 1 is a priority like any other */
	return send->priority == VRRP_PRIORITY_PARTING && !n->routers[send->router].vrrp.strict;
}

void node_fill_advert(const struct node *n, const struct node_effects *fx,
	const struct node_send *send, struct advert *ret_advert)
{
	const struct plan_router *p = node_plan_of(n, send->router);
	const struct node_router *r = &n->routers[send->router];
	const bool has_link_local = p->family == FAMILY_IPV6; /* and so of version 3 */

	ASSERT(send->n_addresses <= ADVERT_ADDRS_MAX);
	ret_advert->source = r->vrrp.self;
	ret_advert->link_local = has_link_local ? advert_link_local(p->vrid) : addr_none;
	ret_advert->interval = r->vrrp.interval;
	ret_advert->family = p->family;
	ret_advert->version = r->vrrp.version;
	ret_advert->vrid = p->vrid;
	ret_advert->priority = send->priority;
	ret_advert->checksum =
		r->pseudo_checksum ? ADVERT_CHECKSUM_PSEUDO : ADVERT_CHECKSUM_MESSAGE;
	ret_advert->n_addresses = send->n_addresses;
	memcpy(ret_advert->addresses, &fx->addresses[send->first],
		send->n_addresses * sizeof *ret_advert->addresses);
}
