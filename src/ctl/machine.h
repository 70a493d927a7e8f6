/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* The networks that this machine has now, as far as a check of the file needs them. */

#include "config/config.h"

struct machine {
	struct config_subnet *subnets; /* without host routes: a VIP's own /32 proves nothing */
	uint32_t n_subnets;
};

/* 0 or a negative errno. */
int machine_read(struct machine *m);
void machine_fini(struct machine *m);
