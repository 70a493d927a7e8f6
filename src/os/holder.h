/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Makes the interfaces carry just the VIPs that the node wants: feeds kernel/ with the board's wishes
 * and netlink's news, carries out its operations in batches, and reports what is so to the board.
 *
 * A VIP that lingers (VRRP_HOLD_DATA) is moved from its interface to the loopback: the machine still
 * accepts and answers its packets, but nobody answers for it on the segment. IPv6 needs nothing more;
 * for IPv4 the interface's arp_ignore is 1 and its arp_announce 2 for as long as one of its VIPs
 * lingers. If the loopback is down, the VIP stays where it is; and with a fence it need not move.
 *
 * Where the kernel can't enforce the leases (os/fence), lifetimes do so roughly: each address is given
 * one of as many whole seconds as its lease needs and one more, and is refreshed while its lease runs.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "os/board.h"
#include "os/fence.h"
#include "os/links.h"
#include "os/netlink.h"
#include "os/will.h"

struct holder;

/* All borrowed. NULL if there is no memory. */
struct holder *holder_new(const struct config *config, const struct links *links,
	struct netlink *netlink, struct board *board);
void holder_free(struct holder *h);

/*
 * From now on addresses have lifetimes, and are held only while the lease that @words name for them
 * runs, or ended less than a second ago; one that is closed (0) holds nobody to anything, since the
 * fast thread was there to close it. To be called before holder_adopt().
 */
void holder_limit(struct holder *h, struct fence_words words);

/* From now on a VIP that lingers stays where it is: the fence keeps its ARP and ND from the segment. */
void holder_rely_on_fence(struct holder *h);

/* From now on @will has what is held, to be taken away when the daemon is dead. To be called first. */
void holder_bequeath(struct holder *h, struct will *will);

/* A full dump begins: whatever it does not mention is not there. */
void holder_forget(struct holder *h);

enum holder_news {
	HOLDER_OTHER, /* not of a VIP, nor ours */
	HOLDER_SEEN,
	HOLDER_STOLEN, /* somebody else took *@ret_vip away, or replaced it, while it was wanted */
};

/* News of an address. */
enum holder_news holder_see(
	struct holder *h, const struct netlink_address *news, tick now, uint32_t *ret_vip);

/*
 * After the first dump: VIPs that a previous life left are wanted until the node says otherwise, and
 * reported as held, so that it may adopt them. Other addresses with roost's tag are removed; returns how many. If
 * holder_has_strays() then, another dump may show more.
 */
uint32_t holder_adopt(struct holder *h);

/* Addresses with roost's tag that are nobody's are left, such as those of an interface that was renamed; they are
 * removed by holder_work(). */
bool holder_has_strays(const struct holder *h);

/*
 * One batch of changes. Netlink's news must be read after each call, before the next, and then the
 * board told by holder_report(): for IPv6 the news decides. True if there is more to do at once.
 */
bool holder_work(struct holder *h, tick now);

/* Tells the board, and so the fast thread, what is held. */
void holder_report(struct holder *h);

/* From now on nothing is wanted, whatever the board says. */
void holder_release(struct holder *h);

/* The VIP is on its interface and wanted there: it may be announced. */
bool holder_serves(const struct holder *h, uint32_t vip);

/* No address is present that is roost's. */
bool holder_is_empty(const struct holder *h);

/* The last failure of a change since the last call: negative errno and its VIP; 0 if there was none. */
int holder_take_error(struct holder *h, uint32_t *ret_vip);

/* When a failed change is to be tried again, or lifetimes to be refreshed. */
tick holder_deadline(const struct holder *h);
