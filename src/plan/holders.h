/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "plan/work.h"

/* The foreign service's nodes by falling priority, equal ones by index: n_nodes of them. */
void holders_by_priority(const struct config *config, uint32_t service, uint8_t *ret_order);

/*
 * Decides who serves each bundle while all nodes are up: w->holder. A bundle without a preference
 * that is appended to the file moves no other; one with a preference moves one other at most. A node
 * that is appended takes its share, and the rest stays (but for bundles with a preference, and for
 * the rounding that unequal weights may need).
 */
void holders_fill(const struct config *config, struct plan_work *w);
