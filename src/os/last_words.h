/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Keeps the will's advertisements in step with the node. At death every router says priority 0 for the
 * VIPs that it serves, so that the next in their orders take over at once (RFC 9568 6.4.3, as at a
 * shutdown). For those that it was about to take from a live holder it says priority 1, like one that
 * yields: the holder then announces them once more, for some neighbours have heard the announcement.
 *
 * The fast thread's alone. A turn that changed nothing costs a glance at the units that it was about.
 */

#include <stdbool.h>
#include <stdint.h>

#include "node/node.h"
#include "os/will.h"

struct last_words;

/* Both borrowed. NULL if there is no memory. */
struct last_words *last_words_new(const struct node *node, struct will *will);
void last_words_free(struct last_words *l);

/* To be called after each TICK, with its effects. @ifindex is by interface; @relinked: it, or a source
 * address, may have changed. */
void last_words_update(struct last_words *l, const struct node_effects *fx,
	const uint32_t ifindex[CONFIG_INTERFACES_MAX], bool relinked);
