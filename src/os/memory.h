/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Memory that is to be had beforehand. */

#include <stddef.h>

/* After fork(), pages are shared with the other process until one of them writes, and then a new one is taken: for
 * these, now, and not when there may be none left. What is in them stays. */
void memory_own(void *start, size_t size);

/* The same for 64 KiB of the stack, below where it is called. */
void memory_own_stack(void);
