/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The last sequence that this node has signed with, kept over restarts, so that the next life goes on
 * above it even if the clock was set back meanwhile. A line in a file beside the control socket, which
 * a reboot takes away as it should: then the clock is all there is.
 *
 * It is written rarely, and reserves ahead: sequences follow the clock, so none that was sent after the
 * file was written is above what was written and the time since then, which CLOCK_BOOTTIME knows
 * whatever happens to the clock. A life that was too short to write leaves the file as it found it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tick.h"

/* The longest time between two writes; more often only where a sequence jumps ahead. */
#define SEQUENCE_PERIOD tick_s(60)

/* What is in the file: the last sequence when it was written. */
struct sequence_note {
	uint64_t last; /* 0: none yet */
	tick at;
};

/* What @note reserves until @now: not below what was sent until then. */
uint64_t sequence_reserved(const struct sequence_note *note, tick now);

/* The file's text; false, and @ret_note untouched, if it is not to the letter what sequence_save() writes. */
bool sequence_read(const char *text, size_t size, struct sequence_note *ret_note);

/* No such file: no sequence yet. 0 or negative errno: -EBADMSG if sequence_read() refuses it. */
int sequence_load(const char *path, struct sequence_note *ret_note);

/* 0 or negative errno. */
int sequence_save(const char *path, const struct sequence_note *note);
