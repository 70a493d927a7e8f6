/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Desired against observed: what must be changed on the interfaces so that they carry just the
 * addresses that the node wants. Pure, level-triggered: whatever failed or was undone by others shows up
 * as a difference in the next round.
 *
 *    node's wanted holds ─► kernel_want() ─┐
 *    netlink's news ──────► kernel_see() ──┼─► kernel_plan() ─► operations, batched by os/
 *    results ─────────────► kernel_done() ─┘         kernel_hold(): what the node may be told
 *
 * An address that is wanted and present without roost's tag is replaced by ours; one that is not
 * wanted and has no tag belongs to the administrator and is left alone.
 *
 * What a previous life left is not wanted yet either: os/ shows it to the node (kernel_hold()) before
 * the first kernel_plan(), so that the node may adopt it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"
#include "vrrp/vrrp.h"

struct kernel_vip {
	enum vrrp_hold wanted;
	enum vrrp_hold served; /* as what it was wanted last; FULL if never */
	bool present;          /* the address, /32 or /128, is on its interface */
	bool ours;             /* ... with roost's tag (IFA_PROTO) and flags */
	uint32_t echoes;       /* our own removals whose news is still to come */
	uint32_t thefts;       /* how often somebody took it while it was wanted */
	uint32_t thefts_row;   /* ... at short intervals */
	tick stolen_at;        /* the last time */
	uint32_t failures;     /* failed attempts in a row */
	tick retry_at;         /* after failures or repeated thefts: not before; 0: at once */
};

enum kernel_op_kind { KERNEL_ADD, KERNEL_REMOVE };

struct kernel_op {
	enum kernel_op_kind kind;
	uint32_t vip;
};

struct kernel {
	struct kernel_vip *vips; /* borrowed array */
	uint32_t n_vips;
	uint32_t n_waiting; /* VIPs with retry_at set */
};

/* @vips: an array of @n_vips; everything in it is set here. */
void kernel_init(struct kernel *k, struct kernel_vip *vips, uint32_t n_vips);

void kernel_want(struct kernel *k, uint32_t vip, enum vrrp_hold wanted);

/*
 * News of @vip's address. Returns true if it was taken away while wanted, or replaced by one that is
 * not ours (journal it). The first thefts are undone at once, a thief who insists is paced.
 */
bool kernel_see(struct kernel *k, uint32_t vip, bool present, bool ours, tick now);

/* A full dump begins: whatever it does not mention is absent. */
void kernel_forget(struct kernel *k);

/*
 * The result of an operation: 0, or a negative errno. EEXIST of an add, and EADDRNOTAVAIL or ENODEV of
 * a removal, are success.
 */
void kernel_done(struct kernel *k, const struct kernel_op *op, int error, tick now);

/*
 * Up to @max operations that are due; removals come first. Returns how many. The same ones are
 * returned again until kernel_done() has been told their results.
 */
uint32_t kernel_plan(const struct kernel *k, tick now, struct kernel_op *ops, uint32_t max);

/* What to report to the node: NONE if absent, else what is wanted; while it is to be removed what it
 * was, and FULL for a leftover of a previous life. */
enum vrrp_hold kernel_hold(const struct kernel *k, uint32_t vip);

/* When an operation that is held back is to be tried; TICK_NEVER if none is. */
tick kernel_deadline(const struct kernel *k);

/* The invariant between calls; ASSERTs. */
void kernel_check(const struct kernel *k);
