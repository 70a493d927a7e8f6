/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Tells those who may transfer zones that they may have changed (RFC 1996), so that they need not wait for the SOA's
 * refresh: again and again, ever more rarely, until they say that they have heard, and not for ever. Part of the main
 * thread's event loop; nothing in it waits.
 */

#include <systemd/sd-event.h>

#include "dns/edition.h"

struct notify;

/* 0 or negative errno. @event is borrowed. */
int notify_new(sd_event *event, struct notify **ret_notify);
void notify_free(struct notify *n);

/* Tells all that @edition names of all its zones; of the one before, nothing is told any more. It is borrowed until
 * the next call. */
void notify_edition(struct notify *n, const struct edition *edition);

/* Who is told, and the number of zones of this edition that it is still to be told of, that it refused, and that it
 * did not answer for. */
struct notify_secondary {
	struct config_endpoint endpoint;
	uint32_t waiting, refused, unanswered;
};

/* All of them; how many there are. */
uint32_t notify_secondaries(
	const struct notify *n, struct notify_secondary list[static CONFIG_TRANSFERS_MAX]);
