/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "plan/work.h"

/*
 * Groups the VIPs of @p, whose orders are known, into routers without VRIDs yet, in order of first
 * appearance: a VIP that is appended to the file disturbs no router before it. False if a service
 * with a pinned VRID has more VIPs of a family than its one router may list.
 */
bool routers_group(struct plan *p, struct plan_work *w, uint32_t mtu);

/* Whether @interface has VRIDs for all routers on it. */
bool routers_fit(const struct plan_work *w, uint32_t interface);

/* Lists the members and gives each router its VRID. They must fit. */
void routers_number(struct plan *p, struct plan_work *w);
