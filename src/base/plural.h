/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* What follows a noun in messages: "1 zone", "2 zones". */

#include <stdint.h>

static inline const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}
