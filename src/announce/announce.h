/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * When which VIP is announced: one schedule for both families, paced by a token bucket per
 * interface. Pure. The first shot is due at once; a VIP stays in the schedule, with a slow refresh,
 * until it is cancelled. VIPs that are due longest go first.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/tick.h"
#include "config/config.h"

struct announce_vip {
	tick due;     /* TICK_NEVER: not scheduled */
	tick started; /* when the schedule began; shots are relative to it */
	tick last;    /* when a shot last left; 0 if never */
	uint32_t interface;
	uint32_t shot; /* the next one */
	uint32_t next; /* behind it in its bucket's queue */
	bool queued;
};

#define ANNOUNCE_NONE UINT32_MAX

/* One interface's: the VIPs that are due, longest first, and what it may spend on them. */
struct announce_bucket {
	uint64_t credit_ns; /* one announcement costs 1 s / rate */
	tick filled;        /* when it was last topped up */
	uint32_t head, tail;
};

struct announce {
	const struct config_announce *config; /* borrowed */
	struct announce_vip *vips;            /* borrowed array of n_vips */
	uint32_t n_vips;
	struct announce_bucket buckets[CONFIG_INTERFACES_MAX];
	tick next;      /* no VIP outside the queues is due before */
	struct rng rng; /* jitter of the refresh */
};

/* @vips: an array of @n_vips with interface set; everything else is set here. */
void announce_init(struct announce *a, const struct config_announce *config,
	struct announce_vip *vips, uint32_t n_vips, uint64_t seed, tick now);

/* Begins @vip's schedule anew: the first shot is due at @now, or 50 ms after the last one if that
 * is later. */
void announce_start(struct announce *a, uint32_t vip, tick now);
void announce_cancel(struct announce *a, uint32_t vip);

/*
 * Takes up to @max VIPs that are due at @now and allowed by their buckets, writes their indexes to
 * @due, advances their schedules and returns how many; call again until it returns less than @max.
 */
uint32_t announce_take(struct announce *a, tick now, uint32_t *due, uint32_t max);

tick announce_deadline(const struct announce *a);
