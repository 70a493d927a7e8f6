/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "plan/work.h"

/*
 * The level at which nothing is limited. Level l allows the orders of an interface, for each first
 * node, up to l seconds with one third each, as long as l < n; from there on all seconds and, for
 * each first and second, up to l - n + 2 thirds.
 */
uint32_t orders_level_max(uint32_t n_nodes);

/* Fills @orders, n_bundles x n_nodes: w->holder first, then whoever carries least when all before
 * it are down, within w->level. */
void orders_fill(const struct config *config, struct plan_work *w, uint8_t *orders);
