/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* How evenly a plan shares the VIPs; counted from the orders alone. */

#include <stdint.h>

#include "plan/plan.h"

/* VIPs by node when those in @down are down. */
void loads_of(const struct plan *p, uint64_t down, uint32_t ret_load[static CONFIG_NODES_MAX]);

/* By how much the worst node exceeds its share by weight, rounded up, when those in @down are down. */
int32_t excess_of(const struct plan *p, uint64_t down);

/* The greatest such excess over all cases of @n_down nodes down: 0 to 2, fewer than there are. */
int32_t worst_excess(const struct plan *p, uint32_t n_down);

/* Bundles that @after gives to another node than @before, by all of them up; both have the same. */
struct moves {
	uint32_t onto_last; /* the last node of @after */
	uint32_t elsewhere;
};

struct moves moves_between(const struct plan *before, const struct plan *after);
