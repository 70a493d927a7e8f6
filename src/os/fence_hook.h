/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Where a program of the fence hangs: one direction of one interface. Either as a tcx link, pinned
 * in the fence's directory as link_IFINDEX_in or _out, or as a filter of the interface's clsact
 * qdisc.
 */

#include <stdbool.h>
#include <stdint.h>

struct fence_hook {
	const char *directory;
	uint32_t ifindex;
	bool leaving;
};

struct fence_program {
	int fd;
	uint32_t id;
};

/* Whether this kernel has tcx. */
bool fence_hook_has_tcx(const struct fence_program *p);

/* What was found, beside a program that stands where it should: that it did not until now, and that filters
 * of others stand before it, so that it does not see what they let pass. */
#define FENCE_HOOK_ANEW   1
#define FENCE_HOOK_BEHIND 2

/* Makes @p the program there; one of ours that was there before is replaced without a gap. Returns what
 * was found, or negative errno; -ENODEV if there is no such interface. */
int fence_hook_tcx(const struct fence_hook *h, const struct fence_program *p);
int fence_hook_clsact(const struct fence_hook *h, const struct fence_program *p);

/* Removes ours, if it is there. 0 or negative errno. */
int fence_unhook_tcx(const struct fence_hook *h);
int fence_unhook_clsact(const struct fence_hook *h);

/* Removes all tcx links in @directory whose interfaces are not among @keep. 0 or negative errno. */
int fence_unhook_others(const char *directory, const uint32_t *keep, uint32_t n_keep);
