/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The slow thread: netlink, announcements, control socket, journal and systemd, in one sd-event loop. It
 * makes the fast thread, and does what that one wants done, in this order at each turn:
 *
 *    links ─► addresses ─► announcements ─► journal ─► status
 */

#include <stdbool.h>

#include "config/config.h"
#include "os/access.h"
#include "os/destinations.h"
#include "os/will.h"
#include "plan/plan.h"
#include "wire/auth.h"

struct daemon_setup {
	const struct config *config;
	const struct plan *plan;
	uint32_t self;
	const char *socket_path;
	struct access_rules access; /* who may use it */
	bool sandboxed;             /* the filter of SANDBOX_START is in place */
	struct auth *auth;          /* borrowed; NULL where `auth:` is off */
	/* the guardian's; borrowed */
	const struct destinations *destinations;
	struct will *will;
};

/* Runs until it is told to stop by a signal and everything was handed over. Returns the exit status. */
int daemon_run(const struct daemon_setup *setup);
