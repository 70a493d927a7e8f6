/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Whether the files of keys and secrets that a configuration names will do for the daemons on this machine: there,
 * readable for them as their units run them and for nobody else, and without mistakes.
 */

#include <stdint.h>
#include <stdio.h>

#include "config/config.h"

/* Each problem is one line on @out, "FILE: error: ..." or "FILE: warning: ...". No line quotes a secret. */
void secrets_check(const struct config *config, struct config_report *report, FILE *out);
