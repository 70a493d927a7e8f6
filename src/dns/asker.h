/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Asks roostd every second who holds what, over its control socket, and never waits for it: an answer that takes
 * longer than ASKER_LIMIT is given up.
 */

#include <stddef.h>
#include <systemd/sd-event.h>

#define ASKER_INTERVAL tick_s(1)
#define ASKER_LIMIT    tick_s(2)

struct asker;

struct asker_setup {
	sd_event *event;
	const char *path; /* of roostd's socket; borrowed */
	/* What it said, or NULL: nothing, or not in time. */
	void (*heard)(void *context, const char *text, size_t size);
	void *context;
};

/* 0 or negative errno. */
int asker_new(const struct asker_setup *setup, struct asker **ret_asker);
void asker_free(struct asker *a);
