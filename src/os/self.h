/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Which node of the file this machine is: the one that has one of its addresses. */

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

/* The node, or CONFIG_NO_NODE. False if the machine has addresses of several. */
bool self_find(const struct config *config, int32_t *ret_node);
