/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The fence: programs in the kernel that let a VIP's packets pass only while its lease runs, on
 * every interface but loopback, in both directions, whatever becomes of the daemon (fence.bpf.c).
 *
 *    slow thread: fence_open() ── closed, on all interfaces ──► fence_refresh() when links change
 *    fast thread: fence_permit(), fence_renew(): plain stores into words that the programs read
 *
 * The order that keeps the promise: open it before an address is added; permit and renew before an
 * announcement leaves, which it would drop; close it with @remove only when no address is left.
 *
 * Programs and maps are pinned in a directory of roost's own on bpffs, so that they outlive the
 * daemon. The next life finds them there by path, puts its own programs into place without a gap,
 * and lets the leases that still run end as they would have; also where its VIPs or their order
 * differ, for those that both lives know.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/tick.h"
#include "lease/lease.h"

/* tcx (Linux 6.6) lives in links of its own; clsact is older, and whoever may use tc(8) can
 * remove it. */
enum fence_mode { FENCE_AUTO, FENCE_TCX, FENCE_CLSACT, FENCE_OFF };

#define FENCE_DIRECTORY   "/sys/fs/bpf/roost"
#define FENCE_REASON_SIZE 256

struct fence_vip {
	struct addr address;
	uint32_t lease; /* index of the one that it goes by at first */
};

struct fence_setup {
	enum fence_mode mode;
	const char *directory; /* NULL: FENCE_DIRECTORY/ and the network namespace's number */
	const struct fence_vip *vips;
	uint32_t n_vips, n_leases;
};

/* What the programs read: a word for each VIP and for each lease. */
struct fence_words {
	_Atomic uint64_t *cells;  /* enum lease_permission in the low 8 bits, its lease above */
	_Atomic uint64_t *leases; /* when each ends; 0: closed */
};

/* How many packets were dropped since the fence was first put up, over the lives of the daemon. */
struct fence_drops {
	uint64_t arriving_data, arriving_neighbour; /* neighbour: ARP and ND */
	uint64_t leaving_data, leaving_neighbour;
};

struct fence;

/*
 * Puts the fence up on all interfaces: closed, but for what a previous life left running. 0, or
 * negative errno and a sentence in @reason; what a previous life left stays then, and closes when
 * its leases end. @reason is empty otherwise, or says why what stands may not protect in full.
 * With FENCE_OFF, takes down what a previous life left; the words are read by
 * nobody.
 *
 * It needs CAP_NET_ADMIN and CAP_BPF. With CAP_PERFMON, which may be given up afterwards, the
 * kernel leaves out the guards against speculation that would cost every packet another 25 ns.
 */
int fence_open(const struct fence_setup *setup, char reason[static FENCE_REASON_SIZE],
	struct fence **ret_fence);

/*
 * Makes it stand on the interfaces that there are now, and mends it where somebody has removed it.
 * To be called when a link came or went, and now and then: its pins are put back, too. Returns the number of
 * interfaces on which it had to be put up, or the negative errno of the first interface that has none, with a sentence
 * in @reason; which is empty otherwise, unless the fence stands but may not protect in full.
 */
int fence_refresh(struct fence *f, char reason[static FENCE_REASON_SIZE]);

/* The words for the fast thread; valid until fence_close(), and in children made by fork. */
struct fence_words fence_words(const struct fence *f);

static inline void fence_permit(
	struct fence_words words, uint32_t vip, uint32_t lease, enum lease_permission permission)
{
	atomic_store_explicit(
		&words.cells[vip], (uint64_t)lease << 8 | permission, memory_order_relaxed);
}

/* @until as lease_renew() has it; 0 closes. */
static inline void fence_renew(struct fence_words words, uint32_t lease, tick until)
{
	atomic_store_explicit(&words.leases[lease], until, memory_order_relaxed);
}

/* When the lease ends that the VIP goes by now; 0: it is closed. */
static inline tick fence_until(struct fence_words words, uint32_t vip)
{
	const uint64_t cell = atomic_load_explicit(&words.cells[vip], memory_order_relaxed);

	return atomic_load_explicit(&words.leases[cell >> 8], memory_order_relaxed);
}

/* Closes all leases. */
void fence_shut(struct fence *f);

/*
 * The same from another process, for the fence that is pinned in @directory (NULL: as above). 0, or
 * negative errno: -ENOENT if there is none. Takes no memory, and needs CAP_BPF.
 */
int fence_shut_pinned(const char *directory);

/* "tcx", "clsact" or "off". */
const char *fence_mechanism(const struct fence *f);

/* Whether a previous life's leases and permissions were kept. */
bool fence_is_inherited(const struct fence *f);

void fence_dropped(const struct fence *f, struct fence_drops *ret_drops);

/* With @remove, takes it down; else it stands on, for the next life. NULL is harmless. */
void fence_close(struct fence *f, bool remove);
