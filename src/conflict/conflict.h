/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * A *stranger* is a machine outside the cluster that answers for a VIP which this node serves.
 * Whether there is one, and what is done about it: RFC 5227 2.4, and the same for IPv6. Pure; the
 * daemon's slow thread feeds it and carries out what it asks for.
 *
 *    what others claim ──► conflict_hear() ─┐                     ┌─► ask: who has the VIP, the nodes?
 *                                           ├─► conflict_take() ──┼─► defend: announce the VIP
 *    served, yielded ─► conflict_set_role() ┘                     ├─► yield, resume: for the node
 *                                                                 └─► say: for the journal
 *
 *    nobody ── a claim ──► suspect ── 300 ms later: still served, still not of the cluster ──► conflict
 *       ▲                     │                                                                │
 *       └─────────────────────┴──────────────────── no claim for the time of three questions ──┘
 *
 * In a planned hand-over the successor announces while the old holder still serves, so that a claim
 * alone says nothing. Of the cluster is whoever claims a configured node's own address with the same
 * MAC on the same interface; the nodes are asked for it when a suspicion arises. In a service that is
 * shared with foreign speakers the virtual MAC of its VRID is, too (RFC 9568 7.3).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/tick.h"
#include "config/config.h"
#include "config/index.h"
#include "wire/neighbour.h"

/* A suspect has so long to turn out to be of the cluster; the nodes are asked at first and in between. */
#define CONFLICT_SETTLE tick_ms(300)

/* DEFEND_INTERVAL (RFC 5227 1.1): a VIP is defended once in this time. */
#define CONFLICT_DEFEND_INTERVAL tick_s(10)

/* What this node is to a VIP. */
enum conflict_role {
	CONFLICT_AWAY,    /* it does not serve it, so it can't tell who may */
	CONFLICT_SERVES,  /* it is there and wanted */
	CONFLICT_YIELDED, /* it would serve it, if no stranger did */
};

struct conflict_vip {
	enum conflict_role role;
	uint8_t mac[NEIGHBOUR_MAC]; /* who claimed it last, and is not known to be of the cluster */
	uint8_t prober[NEIGHBOUR_MAC]; /* who asked last whether it is free */
	tick suspected;                /* the first claim; 0: nobody is */
	tick since;                    /* the conflict; 0: there is none */
	tick heard;                    /* the last claim */
	tick defended;                 /* 0: never */
	tick told;                     /* the node, to yield or to resume; 0: never */
	tick said;                     /* a line of a conflict; 0: never */
	tick probe_said;
	tick settle_at;   /* the suspect's kin is asked for once more, or the suspect judged */
	tick ask_at;      /* the next question */
	tick at;          /* nothing is to be done before */
	uint32_t claims;  /* since @said */
	uint8_t kin_asks; /* how often the nodes were asked because of this suspect */
	bool defend;      /* as soon as the interval allows */
	bool spoken;      /* this conflict is in the journal, so its end will be */
	bool probed;      /* to be said */
};

/* A node's MACs on one interface, the last one learned first; two, for it may have two links there. */
struct conflict_kin {
	uint8_t macs[2][NEIGHBOUR_MAC];
	uint32_t n_macs;
};

struct conflict_counters {
	/* of VIPs that are served here, by machines not known to be of the cluster */
	uint64_t claims;
	uint64_t conflicts; /* that began */
	uint64_t defences;
	uint64_t yields;
	uint64_t questions; /* for VIPs */
	uint64_t probes;    /* machines that asked whether a VIP that is served here is free */
	uint64_t unsaid;    /* lines that were left out, there being too many */
};

struct conflict {
	const struct config *config; /* borrowed */
	struct config_index index;
	struct conflict_vip *vips;
	struct conflict_kin kin[CONFIG_INTERFACES_MAX][CONFIG_NODES_MAX];
	tick kin_asked[CONFIG_INTERFACES_MAX];
	uint32_t self;
	tick patrol; /* between questions for a VIP that nobody else claims; TICK_NEVER: one, at first */
	tick again;   /* between questions while there is a conflict */
	tick next;    /* no VIP is due before */
	tick line_at; /* lines are paid for up to this time */
	struct rng rng;
	struct conflict_counters counters;
};

/* What is asked for a VIP, as flags: any number of them at once. */
enum conflict_effect {
	CONFLICT_FX_ASK = 1 << 0,     /* the VIP's interface, who has the VIP */
	CONFLICT_FX_ASK_KIN = 1 << 1, /* ... and who has the nodes' addresses */
	CONFLICT_FX_DEFEND = 1 << 2,  /* announce it now */
	CONFLICT_FX_YIELD = 1 << 3,   /* the node is to leave it to the stranger */
	CONFLICT_FX_RESUME = 1 << 4,  /* the node is to serve it as before */
	CONFLICT_FX_SAY_BEGUN = 1 << 5,
	CONFLICT_FX_SAY_LASTS = 1 << 6, /* once a minute; claims since then: conflict_act.claims */
	CONFLICT_FX_SAY_OVER = 1 << 7,
	CONFLICT_FX_SAY_PROBED = 1 << 8, /* somebody is about to use it: conflict_vip.prober */
};

struct conflict_act {
	uint32_t vip;
	uint32_t claims;
	unsigned what; /* enum conflict_effect */
};

/* NULL if there is no memory. @config is borrowed. */
struct conflict *conflict_new(const struct config *config, uint32_t self, uint64_t seed);
void conflict_free(struct conflict *c);

/* What this node is to @vip at @now. A conflict is forgotten when it goes away. */
void conflict_set_role(struct conflict *c, uint32_t vip, enum conflict_role role, tick now);

/* What somebody else, not this machine itself, said on @interface. */
void conflict_hear(struct conflict *c, uint32_t interface, const struct neighbour *n, tick now);

/* Writes up to @max VIPs for which something is to be done at @now to @acts and returns how many; call
 * again until it returns less than @max. */
uint32_t conflict_take(struct conflict *c, tick now, struct conflict_act *acts, uint32_t max);

/* When conflict_take() is wanted next. */
tick conflict_deadline(const struct conflict *c);
