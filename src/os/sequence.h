/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The last sequence that this node has signed with, kept over restarts, so that the next life goes on
 * above it even if the clock was set back meanwhile. A line in a file beside the control socket, which
 * a reboot takes away as it should: then the clock is all there is.
 *
 * It is written rarely, and reserves ahead: sequences follow the clock, so none that was sent after the
 * file was written is above what was written and the time since then, which CLOCK_BOOTTIME knows
 * whatever happens to the clock.
 */

#include <stdint.h>

#include "base/tick.h"

/* The longest time between two writes; more often only where a sequence jumps ahead. */
#define SEQUENCE_PERIOD tick_s(60)

/* What a file of @saved, written at @at, reserves until @now. */
uint64_t sequence_reserved(uint64_t saved, tick at, tick now);

/* *@ret_last is not below what was sent until @now; 0 if there is no such file. 0 or negative errno:
 * -EBADMSG if the file is not what sequence_save() writes. */
int sequence_load(const char *path, tick now, uint64_t *ret_last);

/* 0 or negative errno. */
int sequence_save(const char *path, uint64_t last, tick now);
