/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Which node of the file this machine is: the one that has one of its addresses. */

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

/* The nodes of the file whose addresses this machine has. */
struct self {
	int32_t node;         /* one of them; CONFIG_NO_NODE: none */
	bool several, wanted; /* there is another; the one that was asked for is among them */
};

/* @wanted: the node that this machine is said to be, or CONFIG_NO_NODE. */
struct self self_look(const struct config *config, int32_t wanted);

/* The node, or CONFIG_NO_NODE. False if the machine has addresses of several. */
bool self_find(const struct config *config, int32_t *ret_node);
