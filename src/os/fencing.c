/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/daemon_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Somebody may have taken it from an interface without netlink saying so. */
#define LOOK_AGAIN tick_s(5)

static void fill_vips(const struct plan *plan, struct fence_vip *vips, const struct config *config)
{
	for (uint32_t router = 0; router < plan->n_routers; router++) {
		const struct plan_router *r = &plan->routers[router];

		for (uint32_t i = r->first; i < r->first + r->n_vips; i++)
			vips[plan->members[i]] = (struct fence_vip){
				.address = config->vips[plan->members[i]].address, .lease = router};
	}
}

static int open_as(struct daemon *d, enum fence_mode mode)
{
	const struct config *config = d->setup.config;
	struct fence_vip *vips = calloc(config->n_vips, sizeof *vips);
	int error;

	if (!vips)
		return -ENOMEM;
	fill_vips(d->setup.plan, vips, config);
	error = fence_open(
		&(struct fence_setup){
			.mode = mode,
			.vips = vips,
			.n_vips = config->n_vips,
			.n_leases = 2 * d->setup.plan->n_routers,
		},
		d->fencing.reason, &d->fence);
	free(vips);
	return error;
}

static int refuse(struct daemon *d, int error)
{
	journal_line(d->journal, JOURNAL_ERROR, "fence: %s", d->fencing.reason);
	return error;
}

/* Addresses that expire, the most that can be had without BPF; or nothing. */
static int open_without(struct daemon *d, enum config_fence mechanism)
{
	char reason[FENCE_REASON_SIZE];
	int error;

	memcpy(reason, d->fencing.reason, sizeof reason);
	error = open_as(d, FENCE_OFF);
	if (error)
		return refuse(d, error);
	memcpy(d->fencing.reason, reason, sizeof reason);
	d->fencing.mechanism = mechanism;
	return 0;
}

int daemon_open_fence(struct daemon *d)
{
	static const enum fence_mode modes[] = {
		[CONFIG_FENCE_AUTO] = FENCE_AUTO,
		[CONFIG_FENCE_TCX] = FENCE_TCX,
		[CONFIG_FENCE_CLSACT] = FENCE_CLSACT,
	};
	const enum config_fence wanted = d->setup.config->fence;
	int error;

	if (wanted == CONFIG_FENCE_OFF || wanted == CONFIG_FENCE_LIFETIME)
		(void)snprintf(d->fencing.reason, sizeof d->fencing.reason, "as the file asks");
	if (wanted == CONFIG_FENCE_OFF) {
		journal_line(d->journal, JOURNAL_WARNING,
			"fence: off; if this daemon dies or hangs, its addresses stay");
		return open_without(d, CONFIG_FENCE_OFF);
	}
	if (wanted == CONFIG_FENCE_LIFETIME)
		return open_without(d, CONFIG_FENCE_LIFETIME);
	error = open_as(d, modes[wanted]);
	/* and what is another's is not to be replaced by less */
	if (error && (wanted != CONFIG_FENCE_AUTO || error == -EBUSY))
		return refuse(d, error);
	if (error) {
		journal_line(d->journal, JOURNAL_WARNING,
			"fence: %s; addresses expire within seconds instead", d->fencing.reason);
		return open_without(d, CONFIG_FENCE_LIFETIME);
	}
	d->fencing.mechanism = strcmp(fence_mechanism(d->fence), "tcx") == 0 ? CONFIG_FENCE_TCX
									     : CONFIG_FENCE_CLSACT;
	if (d->fencing.reason[0])
		journal_line(d->journal, JOURNAL_WARNING, "fence: %s", d->fencing.reason);
	return 0;
}

bool daemon_is_fenced(const struct daemon *d)
{
	return d->fencing.mechanism == CONFIG_FENCE_TCX ||
	       d->fencing.mechanism == CONFIG_FENCE_CLSACT;
}

void daemon_mend_fence(struct daemon *d)
{
	char reason[FENCE_REASON_SIZE];
	bool differs;
	int n;

	if (!daemon_is_fenced(d) || (d->now < daemon_fence_deadline(d) && !d->fencing.stale))
		return;
	d->fencing.looked_at = d->now;
	d->fencing.stale = false;
	n = fence_refresh(d->fence, reason);
	differs = strcmp(reason, d->fencing.reason) != 0;
	if (n > 0)
		journal_line(d->journal, JOURNAL_INFO, "fence: put up on %d more interfaces", n);
	if (differs && reason[0])
		journal_line(
			d->journal, n < 0 ? JOURNAL_ERROR : JOURNAL_WARNING, "fence: %s", reason);
	if (differs && !reason[0])
		journal_line(d->journal, JOURNAL_NOTICE, "fence: it stands everywhere again");
	memcpy(d->fencing.reason, reason, sizeof reason);
}

tick daemon_fence_deadline(const struct daemon *d)
{
	return daemon_is_fenced(d) ? tick_add(d->fencing.looked_at, LOOK_AGAIN) : TICK_NEVER;
}

static const char *mechanism_name(const struct daemon *d)
{
	return d->fencing.mechanism == CONFIG_FENCE_LIFETIME ? "lifetime"
							     : fence_mechanism(d->fence);
}

struct status_fence daemon_fence_status(const struct daemon *d)
{
	struct status_fence status = {
		.mechanism = mechanism_name(d),
		.is_full = daemon_is_fenced(d) && d->fencing.reason[0] == '\0',
		.reason = d->fencing.reason[0] ? d->fencing.reason : NULL,
		.inherited = fence_is_inherited(d->fence),
	};
	struct fence_drops drops;

	fence_dropped(d->fence, &drops);
	status.arriving_data = drops.arriving_data;
	status.arriving_neighbour = drops.arriving_neighbour;
	status.leaving_data = drops.leaving_data;
	status.leaving_neighbour = drops.leaving_neighbour;
	return status;
}
