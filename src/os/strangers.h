/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What conflict/ decides about strangers, carried out: frames are overheard by the watcher,
 * questions sent, VIPs defended by the announcer or yielded by the node, and all of it told in the
 * journal. Slow thread only.
 *
 * Frames are read at most every 50 ms and at most 256 in one go, so that a flood of them costs what
 * a trickle does; the rest is dropped by the kernel.
 */

#include <systemd/sd-event.h>

#include "conflict/conflict.h"
#include "os/announcer.h"
#include "os/board.h"
#include "os/holder.h"
#include "os/journal.h"
#include "os/links.h"
#include "status/status.h"

struct strangers;

struct strangers_setup { /* all borrowed */
	const struct config *config;
	uint32_t self;
	uint64_t seed;
	sd_event *event;
	const struct links *links;
	const struct holder *holder;
	struct board *board;
	struct announcer *announcer;
	struct journal *journal;
};

/* 0 or negative errno. */
int strangers_new(const struct strangers_setup *setup, struct strangers **ret_strangers);
void strangers_free(struct strangers *s);

/* After what this node holds was brought up to date, and before announcements are sent. */
void strangers_work(struct strangers *s, tick now);

/* When strangers_work() is wanted next. */
tick strangers_deadline(const struct strangers *s);

/* For the status document; valid until the next work. */
struct status_strangers strangers_status(struct strangers *s);
