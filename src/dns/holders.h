/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Which VIPs somebody holds, as roostd on this machine has heard: its lists of those that somebody holds and that
 * nobody does (status/status.h) become one bit for each VIP of our own configuration, so that an answer leaves out
 * an address that nobody would answer at.
 *
 *    roostd's answer ──► holders_read() ──► holders_is_held() ──► catalog_set_held()
 *    its silence ──────────────────────────►
 *
 * A VIP without a holder is left out after HOLDERS_PATIENCE: a takeover takes milliseconds, and answers that
 * change with each of them would only spread distrust. It is back at once. One that roostd does not know, since it
 * has not read the file that we have read, does not float yet, and is left out at once. When roostd has said nothing
 * for HOLDERS_TRUST, all count as held: better an address too many than none. Time is given; there is no system
 * call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tick.h"
#include "config/config.h"

#define HOLDERS_PATIENCE tick_s(3)
#define HOLDERS_TRUST    tick_s(5)

#define HOLDERS_REFUSAL_SIZE 160

struct holders;

/* NULL if there is no memory. */
struct holders *holders_new(void);
void holders_free(struct holders *h);

/* The VIPs of another configuration; what is known stays known. False, and nothing has changed, if there is no
 * memory. */
bool holders_set_config(struct holders *h, const struct config *config);

/* What roostd said: a document about holders, or else false. One of an error is kept for holders_refusal(). */
bool holders_read(struct holders *h, const char *text, size_t size, tick now);

/* By the configuration's index. */
bool holders_is_held(const struct holders *h, uint32_t vip, tick now);

/* Whether roostd counts and does not know the VIP; then it is not held either. */
bool holders_is_unknown(const struct holders *h, uint32_t vip, tick now);

/* Why roostd did not say, by its last word; "": it did, or has said nothing. One line. */
const char *holders_refusal(const struct holders *h);

/* When a document was read last; TICK_NEVER: never. */
tick holders_heard(const struct holders *h);

/* Whether what is known counts. */
bool holders_are_trusted(const struct holders *h, tick now);
