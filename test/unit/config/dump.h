/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* A configuration as text, for comparing with what is expected. */

#include <stdio.h>

#include "config/config.h"

void dump_config(const struct config *c, FILE *out);
