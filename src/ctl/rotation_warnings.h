/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Where clients will undo the rotation of DNS answers (plan/clients.h), and which VIPs would mend it. Each warning is one
 * line on @out, as warnings_print() has them. Pure but for printing.
 */

#include <stdint.h>
#include <stdio.h>

#include "config/config.h"

/* @here may be NULL: then IPv4 networks are taken to have 24 bits. Returns how many there are. */
uint32_t rotation_warnings_print(
	const char *path, const struct config *c, const struct config_machine *here, FILE *out);
