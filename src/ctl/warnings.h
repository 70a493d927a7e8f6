/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What a correct file may still get wrong, as far as its plan shows: each warning is one line on
 * @out, "PATH: warning: ...". Pure but for printing.
 */

#include <stdint.h>
#include <stdio.h>

#include "config/config.h"
#include "plan/plan.h"

/* Two nodes that would take over closer together than this may both do so before either is heard.
 */
#define WARNINGS_GAP_MS 2

/* Returns how many there are. */
uint32_t warnings_print(const char *path, const struct config *c, const struct plan *p, FILE *out);
