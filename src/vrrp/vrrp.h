/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The election of RFC 9568 section 6 (and RFC 3768 section 6 for version 2), as a pure step
 * function. One struct vrrp elects the holder of one *unit*: a single VIP among roost's nodes, all
 * VIPs of the virtual router when it is shared with foreign speakers.
 *
 *                 START                    Active_Down, nobody serves
 *    INITIALIZE ────────► BACKUP ─────────────────────────────────────────► ACTIVE
 *         ▲                │  ▲ │ Active_Down, a lesser one serves (planned)   │ ▲
 *         │                │  │ └────────► CLAIMING ─── announced ─────────────┼─┘
 *         │                │  └──────────── better advertisement ──────────────┘
 *         └── STOP, link down: from everywhere; from ACTIVE by way of LEAVING ──
 *
 * CLAIMING and LEAVING are roost's own: in a planned hand-over the claimant first holds the address
 * and announces it, and advertises only then; the one that leaves advertises priority 0, goes on
 * serving until it hears its successor, and then lingers. A strict router (foreign neighbours) does not
 * claim and does not linger, and says 0 once. One that finds itself to have been away for longer than
 * its lease goes from ACTIVE to BACKUP before it reads anything, and listens like one that has just
 * started. See doc/design/ for the deviations and their reasons.
 *
 * Time is passed in; timers are fields, and vrrp_deadline() is the least of them. A step is
 * harmless when it comes early or late.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/tick.h"

enum vrrp_state {
	VRRP_INITIALIZE,
	VRRP_BACKUP,
	VRRP_CLAIMING, /* Backup, holding and announcing, about to advertise */
	VRRP_ACTIVE,
	VRRP_LEAVING, /* Active that said priority 0 and serves until its successor speaks */
	VRRP_STATES,
};

#define VRRP_PRIORITY_LEAVING 0
#define VRRP_PRIORITY_PARTING 1 /* among roost's nodes: one that yielded, and serves no more */
#define VRRP_PRIORITY_OWNER   255
#define VRRP_PRIORITY_HEALTHY 128 /* from here on; below, a roost node is ill or drained */

/* The winner of a conflict announces again at the latest so long after the loser's own announcement; a
 * loser that has just announced serves until then, for some neighbours believe in it. */
#define VRRP_BELIEVED tick_ms(60)

/* What is common to the units of a virtual router; constant but for @period and @self. */
struct vrrp_config {
	struct addr self;   /* primary address: breaks ties (RFC 9568 6.4.3) */
	tick interval;      /* Advertisement_Interval, as advertised */
	tick period;        /* between advertisements: interval / redundancy */
	tick preempt_delay; /* after START, before preempting one that serves */
	tick linger;        /* data is served for so long after a hand-over */
	uint8_t version;
	bool preempt; /* Preempt_Mode */
	bool strict;  /* to the letter of the RFC */
	bool fenced;  /* what this node may not serve the kernel drops (os/fence) */
};

/* Why the unit changed hands, or didn't; shown by status and in the journal. */
enum vrrp_reason {
	VRRP_WHY_NONE,
	VRRP_WHY_START,   /* this node has just started, or its link has come up */
	VRRP_WHY_OWNER,   /* priority 255 */
	VRRP_WHY_SILENCE, /* nobody advertised it for Active_Down */
	VRRP_WHY_LEFT,    /* the Active said priority 0 */
	VRRP_WHY_PREEMPT, /* this node is better than the one that served */
	VRRP_WHY_BETTER,  /* a better node advertises it */
	VRRP_WHY_STOP,    /* this node was told to stop */
	VRRP_WHY_LINK,    /* no carrier, no address, or no interface */
	VRRP_WHY_LAPSE,   /* this node was away for longer than its lease */
	VRRP_REASONS,
};

const char *vrrp_state_name(enum vrrp_state state);
/* A clause such as "nobody advertised it". */
const char *vrrp_reason_text(enum vrrp_reason why);

struct vrrp {
	enum vrrp_state state;
	enum vrrp_reason why;
	tick since;       /* of @state */
	uint8_t priority; /* own, now */
	bool inherited;   /* the addresses are still here; keep them while listening */
	bool returned;    /* it served before it listened, and has not said that it lets go */

	/* the one that serves, as far as heard */
	struct addr active; /* source of its last advertisement; addr_none if nobody was heard */
	tick active_since;  /* when it was first heard to serve */
	uint8_t active_priority; /* its last that was not 0 */
	bool left;               /* its last was 0 */
	tick heard;              /* when it was last heard; 0 if never */
	tick active_interval;    /* Active_Adver_Interval, learned (RFC 9568 6.1) */
	tick served_until;       /* until then somebody is taken to serve, though we may preempt */

	/* timers; TICK_NEVER when off */
	tick active_down_at; /* Active_Down_Timer */
	tick advert_at;      /* Adver_Timer */
	tick preempt_after;
	tick linger_until;
	tick leave_by;    /* LEAVING gives up waiting for a successor */
	tick part_at;     /* the next of @partings, while there are any */
	uint8_t partings; /* how often it is still to say that it yielded */
};

enum vrrp_event_kind {
	VRRP_EV_START, /* interface is up, with an address to send from */
	VRRP_EV_TICK,
	VRRP_EV_ADVERT,
	VRRP_EV_ANNOUNCED, /* the first announcement since the hold was asked for has left */
	VRRP_EV_PRIORITY,  /* own priority is now @priority */
	VRRP_EV_LEAVE,     /* orderly: hand over, then INITIALIZE */
	VRRP_EV_DOWN,      /* at once: the link is gone */
	VRRP_EV_LAPSE, /* this node was away for longer than its lease: another may serve by now */
};

struct vrrp_event {
	enum vrrp_event_kind kind;
	uint8_t priority; /* ADVERT: the sender's; PRIORITY: own */
	bool next;        /* ADVERT of priority 0: we are next in the order and skip the skew */
	bool late;        /* TICK: this node itself was away; do not judge the others by it */
	bool unread;    /* TICK: more waits to be read, perhaps from one that seems to be silent */
	bool inherited; /* START: a previous life left the addresses here; LAPSE: they may stay */
	bool announced; /* ADVERT: an announcement of ours left just before (VRRP_BELIEVED) */
	struct addr source; /* ADVERT */
	tick interval;      /* ADVERT */
	tick received; /* ADVERT: a clock read after it came from the socket; 0 or before @now: @now */
};

/* What a step asks for, as flags: any number of them at once. */
enum vrrp_effect {
	VRRP_FX_ADVERTISE = 1 << 0,         /* own priority, now */
	VRRP_FX_ADVERTISE_LEAVING = 1 << 1, /* priority 0, now */
	VRRP_FX_ADVERTISE_PARTING = 1 << 2, /* priority 1, now */
	VRRP_FX_ANNOUNCE = 1 << 3,          /* begin the announcement schedule anew */
	VRRP_FX_CONFLICT = 1 << 4,          /* as Active heard a losing rival: be redundant */
	VRRP_FX_MOVED = 1 << 5,             /* @state changed to or from serving: journal it */
	VRRP_FX_MISSED = 1 << 6, /* as Backup: an advertisement that was due did not come */
};

/* What the kernel is to do with the unit's addresses; follows from the state, never stored. */
enum vrrp_hold { VRRP_HOLD_NONE, VRRP_HOLD_DATA, VRRP_HOLD_FULL };

/* INITIALIZE, nothing heard. */
void vrrp_init(struct vrrp *v, uint8_t priority);

/* One event at @now; returns effects (enum vrrp_effect). */
unsigned vrrp_step(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now);

/* When the next TICK is wanted. */
tick vrrp_deadline(const struct vrrp *v);

/* FULL while Active, claiming or leaving; DATA (no ARP, no ND) while lingering. */
enum vrrp_hold vrrp_wanted_hold(const struct vrrp *v, tick now);

/* The unit went out with an advertisement of its router at @now: re-arms Adver_Timer. */
void vrrp_advertised(struct vrrp *v, const struct vrrp_config *c, tick now);

/* Skew_Time and Active_Down_Interval (RFC 9568 6.1; RFC 3768 6.1 for version 2, whose skew is of a
 * second) for @priority and the Active's @interval. */
tick vrrp_skew(uint8_t version, uint8_t priority, tick interval);
tick vrrp_active_down(uint8_t version, uint8_t priority, tick interval);

/* The invariant between steps; ASSERTs. */
void vrrp_check(const struct vrrp *v);
