/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Until when a node may serve. The kernel's fence (os/fence) lets a VIP's traffic pass only while
 * the lease of its router runs and as far as the VIP's permission says; both are plain words in
 * memory that the fence's programs read, so renewing a lease is a store. Pure.
 *
 *    advertisement about to leave, clock sampled ──► lease_renew() ──► cell of the router
 *    vrrp_wanted_hold() ──► lease_permission() ──► cell of the VIP
 *
 * A Backup takes over three intervals and its skew after the last advertisement that it received.
 * The lease is 2.9 intervals from a clock sample that was taken before that advertisement was sent,
 * so it ends first, by a tenth of an interval and the skew, which absorbs drift and rounding. Where
 * the interval changes, the smaller of the old and the new one counts until every Backup has
 * learned it.
 */

#include <stdint.h>

#include "base/tick.h"
#include "vrrp/vrrp.h"

/* What the fence lets pass for one VIP; the values are shared with os/fence.bpf.c. */
enum lease_permission {
	LEASE_ABSENT = 0, /* not on this node: strangers' may be forwarded, ours may not leave */
	LEASE_CLOSED = 1, /* on this node, or about to be: nothing passes */
	LEASE_DATA = 2,   /* while the lease runs: data, but neither ARP nor ND */
	LEASE_FULL = 3,   /* while the lease runs */
};

struct lease {
	tick interval;   /* advertised last */
	tick previous;   /* the shortest that a Backup may still go by; 0: all know the last */
	tick learned_at; /* when they will have */
	tick until;      /* 0: closed */
};

/* The span of a lease for this interval: 2.9 of it. */
tick lease_span(tick interval);

/* An advertisement with @interval is about to be sent; @sampled was read from the clock before. */
void lease_renew(struct lease *l, tick interval, tick sampled);

/* Ends it at once. */
void lease_close(struct lease *l);

/* The VIP's permission by what is wanted and whether its address is (or may be) on this node. */
enum lease_permission lease_permission(enum vrrp_hold wanted, enum vrrp_hold observed);
