/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plan/plan.h"

/* Groups the VIPs of @p, whose orders are known, into routers and gives each its VRID. False, and a
 * sentence in *@ret_problem (unless NULL), if an interface has too few VRIDs. */
bool routers_assign(struct plan *p, uint32_t mtu, const char **ret_problem);

/* Numbers the distinct orders of @p from 0 in order of appearance: @ids[bundle]. How many there
 * are. */
uint32_t routers_number_orders(const struct plan *p, uint32_t *ids);
