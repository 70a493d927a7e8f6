/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Shared by the files of node/ alone. */

#include "node/node.h"

/* Advertisements per interval for a router of these options, now. A strict router sends one unless
 * the file asks for more. */
static inline uint8_t node_redundancy(
	const struct node *n, const struct config_vrrp *options, bool strict)
{
	if (options->redundancy != CONFIG_REDUNDANCY_AUTO)
		return options->redundancy;
	return strict ? 1 : n->redundancy;
}
