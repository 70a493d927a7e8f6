/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Memory that runs out: the linker leads a program's calls of malloc() and its like to functions that refuse one of
 * them. The sanitizers' build sees what would leak then. For programs that depend on `memory` (meson.build).
 */

#include <stdbool.h>
#include <stdint.h>

/* Something that takes memory; whether it was done. It has no assertions of Check in it, for these take some, too. */
typedef bool memory_attempt(void *context);

/* Makes @attempt with its first allocation refused, with its second, and so on until none is, when it must be done;
 * before, it must not. Returns how many were refused. */
uint32_t memory_refuse_each(memory_attempt *attempt, void *context);

/* For a program's own functions in the place of others that take memory: whether this call is to find none. */
bool memory_is_refused(void);
