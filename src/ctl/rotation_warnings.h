/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Where clients will undo the rotation of DNS answers (plan/clients.h), and which VIPs would mend it. Each warning is one
 * line on @out, as warnings_print() has them. Pure but for printing.
 */

#include <stdint.h>
#include <stdio.h>

#include "config/config.h"

/* Networks that @here, which may be NULL, does not have are guessed: IPv4's are of 24 bits, or of up to 16 if one then has all VIPs
 * of a service; IPv6's are of 64. Returns how many warnings there are. */
uint32_t rotation_warnings_print(
	const char *path, const struct config *c, const struct config_machine *here, FILE *out);
