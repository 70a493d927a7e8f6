/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Desired against observed: what must be changed on the interfaces so that they carry just the
 * addresses that the node wants. Pure, level-triggered: whatever failed or was undone by others shows up
 * as a difference in the next round.
 *
 *    node's wanted holds ─► kernel_want() ─┐
 *    netlink's news ──────► kernel_see() ──┼─► kernel_plan() ─► operations, batched by os/
 *                                          └─► kernel_hold(): what the node may be told
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"
#include "vrrp/vrrp.h"

struct kernel_vip {
	enum vrrp_hold wanted;
	bool present;	    /* the address is on its interface */
	bool ours;	    /* ... with roost's tag (IFA_PROTO) and flags */
	uint32_t thefts;    /* how often somebody removed it while it was wanted */
	uint32_t failures;  /* failed attempts in a row */
	tick retry_at;	    /* after failures or repeated thefts: not before */
};

enum kernel_op_kind { KERNEL_ADD, KERNEL_REMOVE };

struct kernel_op {
	enum kernel_op_kind kind;
	uint32_t vip;
};

struct kernel {
	struct kernel_vip *vips; /* borrowed array */
	uint32_t n_vips;
	tick next_retry;
};

void kernel_init(struct kernel *k, struct kernel_vip *vips, uint32_t n_vips);

void kernel_want(struct kernel *k, uint32_t vip, enum vrrp_hold wanted);

/* News of @vip's address. Returns true if it was taken away while wanted (journal it). */
bool kernel_see(struct kernel *k, uint32_t vip, bool present, bool ours, tick now);

/* A full dump begins: whatever it does not mention is absent. */
void kernel_forget(struct kernel *k);

/* The result of an operation: 0, or a negative errno. EEXIST of an add and EADDRNOTAVAIL of a removal are success. */
void kernel_done(struct kernel *k, const struct kernel_op *op, int error, tick now);

/* Up to @max operations that are due; removals come first. Returns how many. */
uint32_t kernel_plan(const struct kernel *k, tick now, struct kernel_op *ops, uint32_t max);

/* What to report to the node: NONE if absent, else what is wanted; FULL for a leftover of a previous life. */
enum vrrp_hold kernel_hold(const struct kernel *k, uint32_t vip);

/* When a failed operation is to be tried again. */
tick kernel_deadline(const struct kernel *k);
