/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * One server's whole mind: every event goes in here, every effect comes out. Pure; the daemon's
 * fast thread and the simulator run the same code.
 *
 *    advertisements ─┐                        ┌─► sends: advertisements
 *    links ──────────┤                        ├─► holds: VIPs whose wanted hold changed
 *    kernel's word ──┼─► node_step() … TICK ──┼─► announces: VIPs to announce now
 *    commands ───────┘                        └─► records: what happened, for journal and status
 *
 * A *turn* is any number of events, all at the same @now, and then one TICK. Only the TICK fires
 * timers and fills the effects, so a turn that drained forty datagrams sends one advertisement per
 * router.
 *
 * Leases go the way of state, not of effects. After each TICK the shell stores, where the kernel's fence
 * reads them: the permissions of the VIPs in @holds that are less than full or of a hand-over, and the
 * leases of hand-over; when it has sent, the leases of service of those routers whose advertisement has
 * left, and then the other permissions.
 *
 * Among roost's nodes an advertisement speaks for the addresses that it lists and the VRID is mere
 * transport; towards foreign speakers (config_service.foreign_vrid) the virtual router is the unit.
 */

#include <stdbool.h>
#include <stdint.h>

#include "announce/announce.h"
#include "config/config.h"
#include "config/index.h"
#include "lease/lease.h"
#include "plan/plan.h"
#include "vrrp/vrrp.h"
#include "wire/advert.h"
#include "wire/auth.h"

struct node_setup {
	const struct config *config; /* both borrowed, outlive the node */
	const struct plan *plan;
	uint32_t self; /* node index of this server */
	uint64_t seed;
	bool fenced; /* the kernel enforces the leases; else what lapses is dropped */
};

/* What this turn's advertisement is to say of a unit. */
enum node_say {
	NODE_SAY_NOTHING,  /* it is in its router's advertisement if Active, and in none if not */
	NODE_SAY_PRIORITY, /* the own one, now */
	NODE_SAY_LEAVING,  /* priority 0 */
	NODE_SAY_PARTING,  /* priority 1 */
};

/* What elects as one: a VIP, or a foreign service's VIPs of one family. */
struct node_unit {
	struct vrrp vrrp;
	uint32_t router;
	uint32_t first, n_vips; /* in plan.members */
	uint8_t place;          /* of this node in the unit's order, from 0 */
	enum node_say say;
	tick conflict_at; /* when a conflict was last recorded; 0: never */
};

/* What advertises as one: a plan_router with its state. */
struct node_router {
	struct vrrp_config vrrp;
	uint32_t first_unit, n_units;
	tick deadline;        /* least of its units'; kept by the node */
	bool up;              /* its interface has carrier and an address to speak from */
	bool due;             /* to be advertised in this turn */
	bool pseudo_checksum; /* IPv4 version 3: what to send; learned when the file says auto */
	struct lease service; /* renewed by the advertisement of those that it serves */
	tick claimed_until;   /* of a claim or its last announcement: a lease's span after it */
	tick handover_until;  /* of those that claim or linger; 0: none does */
};

struct node_vip {
	uint32_t unit;
	enum vrrp_hold wanted;   /* for the kernel side to make true */
	enum vrrp_hold observed; /* what it last reported */
	bool changed;            /* @wanted or the next two, in this turn */
	enum lease_permission permission;
	bool handover; /* goes by its router's @handover_until, not by the lease of service */
	bool announce_pending; /* to be announced as soon as it is held */
	bool yielded;          /* left to a stranger, though its unit is Active here */
};

struct node_interface {
	bool up;        /* present, with carrier */
	uint64_t spell; /* another number after each loss of carrier, one that nobody saw as well */
	uint8_t mac[6]; /* what neighbours are told; zeros if it has none */
	struct addr sources[FAMILY_COUNT]; /* addr_none: the family can't speak here */
};

/* A configured node, as far as its advertisements tell. */
struct node_peer {
	tick heard; /* 0: never */
	struct addr source;
	uint64_t adverts;
	uint64_t missed;
	tick untrusted_at; /* when an advertisement that can't be verified was last recorded */
};

struct node_counters {
	uint64_t received[ADVERT_VERDICTS]; /* counted by the shell with advert_parse()'s verdict */
	uint64_t auth[AUTH_VERDICTS];       /* of those accepted, unless `auth:` is off */
	uint64_t own_source;                /* our own, looped back */
	uint64_t unknown_peer;   /* of a unicast service, from nobody whom the file names */
	uint64_t not_ours;       /* lists no address of ours: strangers, other clusters */
	uint64_t wrong_version;  /* not the version that the service speaks */
	uint64_t wrong_interval; /* version 2: not our interval (discarded) */
	uint64_t list_mismatch;  /* foreign router whose address list differs (accepted) */
	uint64_t sent;           /* advertisements */
	uint64_t announced;
	uint64_t conflicts;  /* losing rivals heard while Active */
	uint64_t missed;     /* advertisements that were due and did not come */
	uint64_t takeovers;  /* units that became Active because of silence */
	uint64_t late_turns; /* this node woke much later than it had asked to */
	uint64_t lapses;     /* ... and later than its lease: it had stopped serving */
};

/* Why a node offers itself as a last resort only. */
enum node_illness { NODE_ILL_DRAINED, NODE_ILL_KERNEL };

enum node_record_kind {
	NODE_RECORD_SERVING,     /* @vip is ours now; @why */
	NODE_RECORD_NOT_SERVING, /* @vip is not ours any more; @why, @peer */
	NODE_RECORD_CONFLICT,    /* @peer advertises @vip too and loses */
	NODE_RECORD_STRANGER,    /* @peer uses VRID @number on @interface for addresses that are not
				    ours */
	NODE_RECORD_UNKNOWN_PEER, /* @peer advertises @vip, whose service is unicast, and is none of its peers */
	NODE_RECORD_LINK_UP, /* @interface */
	NODE_RECORD_LINK_DOWN,
	NODE_RECORD_REDUNDANCY, /* now @number advertisements per interval */
	NODE_RECORD_LATE,       /* woke @number ms late */
	NODE_RECORD_LAPSED,     /* ... which was longer than a lease */
	NODE_RECORD_ILL, /* this node offers itself only as a last resort; @number: node_illness */
	NODE_RECORD_WELL,
	NODE_RECORD_UNTRUSTED, /* @peer, the node @node, can't be verified on @interface; @number:
				  auth_verdict */
	NODE_RECORD_KINDS,
};

struct node_record {
	enum node_record_kind kind;
	enum vrrp_reason why;
	tick at;
	uint32_t vip;
	uint32_t interface;
	uint32_t number;
	uint32_t node;
	struct addr peer;
};

/* One advertisement to be sent for @router, listing @n_addresses of effects.addresses from @first
 * on. */
struct node_send {
	uint32_t router;
	uint32_t first, n_addresses;
	uint8_t priority;
};

/* Filled by a TICK; node_effects_new() sizes the arrays for the node, so they never overflow: every
 * VIP may move twice in a turn and say so. What is beyond that is counted in @records_lost. */
struct node_effects {
	struct node_send *sends;
	struct addr *addresses;
	uint32_t *holds;     /* VIP indexes, each once: wanted hold, permission or lease changed */
	uint32_t *announces; /* VIP indexes, each once */
	struct node_record *records;
	uint32_t n_sends, n_addresses, n_holds, n_announces, n_records;
	uint64_t records_lost;
};

enum node_event_kind {
	NODE_EV_TICK,
	NODE_EV_ADVERT,    /* @advert came in on @interface and passed advert_parse(); @auth is what
			      auth_verify() said, unless `auth:` is off */
	NODE_EV_LINK,      /* @interface is now @link */
	NODE_EV_HELD,      /* the kernel side reports @hold for @vip */
	NODE_EV_ANNOUNCED, /* the announcement of @vip that was asked for has left */
	NODE_EV_DRAIN,     /* @drain: offer this node as a last resort only; or take it back */
	NODE_EV_CONFLICT,  /* a stranger answers for @vip: @yield it, or take it back */
	NODE_EV_STOP,      /* hand everything over; node_is_stopped() tells when it is done */
};

struct node_event {
	enum node_event_kind kind;
	uint32_t interface, vip;
	enum vrrp_hold hold;
	bool drain, yield;
	bool unread; /* TICK: advertisements still wait in the socket */
	struct node_interface link;
	const struct advert *advert;
	tick received; /* ADVERT: a clock that was read after the socket was; 0: @now */
	enum auth_verdict auth;
};

struct node {
	struct node_setup setup;
	struct node_router *routers;
	struct node_unit *units;
	struct node_vip *vips;
	uint32_t *changed; /* VIPs with @changed */
	struct config_index index;
	struct announce announce;
	struct announce_vip *announce_vips;
	uint32_t n_routers, n_units, n_vips, n_changed;
	struct node_interface interfaces[CONFIG_INTERFACES_MAX];
	struct node_peer peers[CONFIG_NODES_MAX];
	struct node_counters counters;
	uint8_t redundancy;    /* what `auto` is now: 1 to 4 */
	tick redundancy_until; /* then one less */
	tick promised;         /* the deadline given at the end of the last turn */
	tick late_after;      /* half the shortest interval: waking later than that is being late */
	tick looked_at;       /* when it was last seen whether this node had been away */
	bool late;            /* in this turn */
	uint32_t n_unsettled; /* VIPs whose observed hold is not the wanted one */
	tick unsettled_since; /* the kernel side has made no progress with them since */
	bool drained, kernel_ill, stopping;
	tick stranger_at;            /* last time that a stranger or an unknown peer was recorded */
	struct node_record *records; /* of this turn */
	uint32_t n_records, max_records;
	uint64_t records_lost;
};

/* All memory is taken here; NULL only if there is none. */
struct node *node_new(const struct node_setup *setup, tick now);
void node_free(struct node *n);

struct node_effects *node_effects_new(const struct node *n);
void node_effects_free(struct node_effects *fx);

/* One event at @now. TICK ends the turn and fills *@fx, which is emptied first; other kinds leave
 * it alone. */
void node_step(struct node *n, const struct node_event *ev, tick now, struct node_effects *fx);

/* Whether what @router advertises can be served while its interface is @link. */
bool node_can_speak(const struct node_setup *s, uint32_t router, const struct node_interface *link);

/* When the next turn is wanted at the latest. */
tick node_deadline(const struct node *n);

/* After NODE_EV_STOP: nothing is held or wanted any more. */
bool node_is_stopped(const struct node *n);

/* Whether @send lists only what is not served here any more. */
bool node_is_parting(const struct node *n, const struct node_send *send);

/* The advertisement that @send asks for, ready for advert_build(); its destinations are the shell's
 * business (multicast, or every unicast peer). */
void node_fill_advert(const struct node *n, const struct node_effects *fx,
	const struct node_send *send, struct advert *ret_advert);

/* The configured node that @vip's last advertisement came from, or this node; CONFIG_NO_NODE if
 * nobody serves it as far as heard, or a stranger does. */
int32_t node_holder(const struct node *n, uint32_t vip, tick now);

/* Copies @from's state into @to, made by node_new() with the same setup; for status. */
void node_copy(struct node *to, const struct node *from);

/* The invariants between turns; ASSERTs. */
void node_check(const struct node *n);
