/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Finding in a configuration by address; pure. The VIPs have a hash table, for there may be ten
 * thousand of them and every advertisement lists hundreds.
 */

#include <stdint.h>

#include "base/addr.h"
#include "config/config.h"

struct config_index {
	const struct config *config; /* borrowed */
	uint32_t *slots;             /* VIP index + 1; 0 is empty */
	uint32_t mask;
};

/* False if there is no memory. */
bool config_index_init(struct config_index *ix, const struct config *config);
void config_index_fini(struct config_index *ix);

/* Index of the VIP with this address, or -1. */
int32_t config_index_vip(const struct config_index *ix, const struct addr *address);
