/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What the daemon says of itself, and what it may be told, as JSON: one object on one line each
 * way. Pure but for memory: no system call, no clock. The daemon's slow thread renders a snapshot
 * of the node; the text for people is made of this very document by the operator's tool (ctl/), so
 * that the two cannot differ.
 *
 *    request line ──► status_parse_request() ──► drain, undrain: an event for the node
 *                                          └──► status, holders: node_copy() ──► rendered ──► answer
 *
 * doc/design/0001-status-and-control.md describes both documents field by field.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tick.h"
#include "conflict/conflict.h"
#include "node/node.h"

/* Where the daemon listens and the tool asks, unless told otherwise. */
#define STATUS_SOCKET_PATH "/run/roost/roostd.sock"

/* A longer request is refused unread. */
#define STATUS_REQUEST_SIZE_MAX 4096

/* What ends a VIP's service when the daemon is dead or hangs. */
struct status_fence {
	const char *mechanism; /* "tcx", "clsact", "lifetime" or "off" */
	bool is_full;          /* on every interface, and to the millisecond */
	const char *reason; /* why it is not, or not a better one; NULL: there is nothing to say */
	bool inherited;     /* a previous life's leases ran on */
	uint64_t arriving_data, arriving_neighbour; /* packets dropped; neighbour: ARP and ND */
	uint64_t leaving_data, leaving_neighbour;
};

/* Machines outside the cluster that answer for VIPs, as the slow thread knows them. */
struct status_strangers {
	const struct conflict *conflict; /* NULL: nobody looks out for them */
	const uint64_t *verdicts;        /* by enum neighbour_verdict: frames of ARP and ND read */
	uint64_t own;                    /* ... that this machine itself had sent */
	uint64_t dropped;                /* ... that came faster than they were read */
};

/* Everything that a status document is made of. All borrowed. */
struct status_input {
	const struct node *node; /* a snapshot; its setup names configuration, plan and self */
	const char *version;     /* of the daemon */
	tick started;            /* when the daemon started */
	tick now;                /* when the snapshot was taken */
	uint64_t wall_ns;        /* CLOCK_REALTIME at @now, in nanoseconds since 1970 */
	struct status_fence fence;
	struct status_strangers strangers;
};

/* The status document without a newline, to be freed by the caller; NULL if there is no memory. */
char *status_render(const struct status_input *in);

/* {"node":"www1","vips":2,"held":["10.1.1.202"],"unheld":["10.1.1.201"]}: all VIPs, by whether somebody is known
 * to serve them; unheld is also one that this node left to a machine outside the cluster. What a name server asks
 * every second. As status_render(). */
char *status_render_holders(const struct node *n, tick now);

enum status_command {
	STATUS_COMMAND_NONE, /* not understood */
	STATUS_COMMAND_STATUS,
	STATUS_COMMAND_HOLDERS,
	STATUS_COMMAND_DRAIN,
	STATUS_COMMAND_UNDRAIN,
	STATUS_COMMAND_RELOAD, /* roost-dns's alone */
};

/*
 * Reads one request: {"command":"status"}, "holders", "drain", "undrain" or "reload", and no other key. @line need not
 * end with NUL and may hold anything. STATUS_COMMAND_NONE if it is refused; then *@ret_error is a
 * static sentence that says why.
 */
enum status_command status_parse_request(const char *line, size_t size, const char **ret_error);

/* What to answer where a document of these is NULL. */
#define STATUS_NO_MEMORY "{\"error\":\"out of memory\"}"

/* {"done":"drain"} and {"error":"..."}: like status_render(). Text that is not UTF-8 is replaced.
 */
char *status_render_done(enum status_command command);
char *status_render_error(const char *text);
