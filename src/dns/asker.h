/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Asks roostd for its status every second, over its control socket, and never waits for it: an answer that takes
 * longer than ASKER_LIMIT is given up. A large document, of thousands of VIPs, is asked for less often, so that
 * asking takes at most a twentieth of the time.
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
