/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What the files of the slow thread share, and nobody else sees:
 *
 *    daemon.c   start and end
 *    turn.c     what it does each time that it wakes
 *    tell.c     links and groups, for the fast thread
 *    signing.c  the sequence of what is signed, kept in a file
 *    fencing.c  which fence stands, and whether everywhere
 */

#include <limits.h>
#include <systemd/sd-event.h>

#include "os/announcer.h"
#include "os/board.h"
#include "os/control.h"
#include "os/daemon.h"
#include "os/fast.h"
#include "os/fence.h"
#include "os/holder.h"
#include "os/journal.h"
#include "os/links.h"
#include "os/netlink.h"
#include "os/raw.h"
#include "os/sequence.h"
#include "os/strangers.h"
#include "status/status.h"

/* What was refused for want of room is tried again after so long. */
#define RETRY_SOON tick_ms(10)

/* What the fast thread was told of an interface, and whether the group was joined there. */
struct told {
	struct node_interface link;
	uint32_t ifindex;
	bool joined[FAMILY_COUNT];
	tick mute_since[FAMILY_COUNT]; /* VIPs want an address and have none; 0: not so */
	bool mute_said[FAMILY_COUNT];
};

struct daemon {
	struct daemon_setup setup;
	sd_event *event;
	sd_event_source *timer;
	struct journal *journal;
	struct board *board;
	struct raw *raw;
	struct netlink *netlink;
	struct links *links;
	struct holder *holder;
	struct announcer *announcer;
	struct strangers *strangers;
	struct control *control;
	int claim; /* a socket with the name that one daemon has in a network namespace */
	struct fence *fence;
	struct {
		enum config_fence mechanism;    /* never auto */
		char reason[FENCE_REASON_SIZE]; /* why it does not protect in full; else empty */
		tick looked_at;
		bool stale; /* an interface came or went since */
	} fencing;
	struct node *node, *snapshot;
	struct fast *fast;
	struct told told[CONFIG_INTERFACES_MAX];
	tick started;
	tick now;         /* of this turn */
	tick retry_at;    /* what was refused is tried again */
	bool dump_wanted; /* news was lost */
	bool stopping, stop_posted;
	uint32_t stopped_by; /* process */
	tick stop_by;
	bool snapshot_owed;
	tick snapshot_by;
	tick trouble_said; /* when a failure of the kernel side was last told */
	uint64_t send_errors, records_lost;
	struct {
		char path[PATH_MAX];
		struct sequence_note note; /* in the file */
		bool failed;
	} sequence;
};

/* turn.c: news of the kernel, with the daemon as context. */
void daemon_on_link(void *context, const struct netlink_link *news);
void daemon_on_address(void *context, const struct netlink_address *news);

/* Lists the kernel's links and addresses. 0 or negative errno. */
int daemon_dump(struct daemon *d);

/* After whatever woke the thread: everything that is level-triggered, in the order of its urgency. */
void daemon_turn(struct daemon *d);

/* A request on the control socket, with the daemon as context; as control_handler has it. */
char *daemon_on_request(
	void *context, const struct control_request *request, control_topic *ret_topic);

void daemon_write_journal(struct daemon *d);

/* tell.c: tells the fast thread which links can speak; joins and leaves the groups there. */
void daemon_tell_links(struct daemon *d);

/* fencing.c: puts up the fence that the file asks for, closed. 0, or negative errno and an error in the
 * journal; with `fence: auto` the next best is found and a warning says so. */
int daemon_open_fence(struct daemon *d);
/* Whether the kernel enforces the leases. */
bool daemon_is_fenced(const struct daemon *d);
/* Makes it stand on all interfaces that there are now. */
void daemon_mend_fence(struct daemon *d);
/* When it should be looked at again. */
tick daemon_fence_deadline(const struct daemon *d);
struct status_fence daemon_fence_status(const struct daemon *d);

/* signing.c: whether what is sent is signed; then its last sequence is kept. */
bool daemon_signs(const struct daemon *d);
void daemon_start_sequence(struct daemon *d);
void daemon_keep_sequence(struct daemon *d);
void daemon_save_sequence(struct daemon *d);
