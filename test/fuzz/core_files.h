/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Configurations for the core's target: between them every option that changes what a node does. */

#include "config/config.h"
#include "plan/plan.h"

#define CORE_FILES 4

struct core_file {
	struct config *config;
	struct plan *plan;
};

/* The same one each time, made once. */
const struct core_file *core_file(uint32_t number);
