/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What `roost plan` tells of a file: who would serve how much, now and after failures, what the
 * limit of VRIDs costs, and what would be better. As with the status, there is one document, and the
 * text for people is made of it alone.
 */

#include <jansson.h>
#include <stdint.h>

#include "config/config.h"
#include "ctl/table.h"
#include "plan/plan.h"

struct plan_report {
	const struct config *config;
	const struct plan *plan;
	const struct plan *unlimited; /* the same with every VRID granted; NULL if that can't be */
	const uint32_t *capacities;   /* VIPs that each node can bear, or NULL: not known */
};

/* A new reference; exits without memory. */
json_t *plan_report_document(const struct plan_report *r);

void plan_report_print(const json_t *document, const struct paper *p);
