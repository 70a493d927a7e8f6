/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stdint.h>

#include "config/config.h"

/* Fills @orders, n_bundles x n_nodes, with the failover order of every bundle. */
void orders_fill(const struct config *config, uint8_t *orders);
