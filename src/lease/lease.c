/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lease/lease.h"

#include "base/assert.h"

/* A Backup that heard an advertisement with the old interval waits for three of it and the skew,
 * which is less than a fourth. By then it has heard one with the new interval, or taken over. */
#define OLD_INTERVALS 4

tick lease_span(tick interval)
{
	/* an exact product: VRRP's longest interval is 41 s, that of version 2 is 255 s */
	ASSERT(interval <= TICK_NEVER / 29);
	return interval * 29 / 10;
}

static void learn_interval(struct lease *l, tick interval, tick sampled)
{
	if (sampled >= l->learned_at)
		l->previous = 0;
	if (l->interval && l->interval != interval) {
		const tick learned_at = tick_add(sampled, OLD_INTERVALS * l->interval);

		l->previous = l->previous ? tick_min(l->previous, l->interval) : l->interval;
		l->learned_at = tick_max(l->learned_at, learned_at);
	}
	l->interval = interval;
}

void lease_renew(struct lease *l, tick interval, tick sampled)
{
	ASSERT(interval > 0);
	learn_interval(l, interval, sampled);
	if (l->previous)
		interval = tick_min(interval, l->previous);
	/* not the later of this and what there was: with a shorter interval Backups wait less */
	l->until = tick_add(sampled, lease_span(interval));
}

void lease_close(struct lease *l)
{
	/* the intervals stay: the Backups still go by them */
	l->until = 0;
}

enum lease_permission lease_permission(enum vrrp_hold wanted, enum vrrp_hold observed)
{
	if (wanted == VRRP_HOLD_NONE)
		return observed == VRRP_HOLD_NONE ? LEASE_ABSENT : LEASE_CLOSED;
	return wanted == VRRP_HOLD_FULL ? LEASE_FULL : LEASE_DATA;
}
