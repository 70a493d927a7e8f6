/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * rtnetlink, as far as roost needs it: what links and addresses there are, news of them, and batches of
 * changes. One socket asks and waits for the answer, the other hears the news. Slow thread only: every
 * request may have to wait for a lock of the kernel.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* IFA_PROTO of the addresses that are roost's (doc/design/0004-two-threads.md). */
#define NETLINK_TAG 0x52

struct netlink;

struct netlink_link {
	uint32_t ifindex;
	char name[16];
	bool present;    /* false: it is gone */
	bool running;    /* administratively up, with carrier */
	uint32_t losses; /* of carrier, as the kernel has counted them */
	bool ethernet;
	bool loopback;
	uint8_t mac[6]; /* if ethernet */
};

struct netlink_address {
	uint32_t ifindex;
	struct addr address;
	uint8_t prefix_len; /* of the address's own family */
	bool present;       /* false: it was removed */
	bool tentative;     /* IPv6: not usable, or not yet */
	bool ours;          /* carries NETLINK_TAG */
};

/* Where news goes; @context is handed back. */
struct netlink_listener {
	void (*link)(void *context, const struct netlink_link *link);
	void (*address)(void *context, const struct netlink_address *address);
	void *context;
};

/* 0 or negative errno. From here on news is queued, so that a dump that follows misses nothing. */
int netlink_new(const struct netlink_listener *listener, struct netlink **ret_netlink);
void netlink_free(struct netlink *n);

/* Readable when there is news. */
int netlink_fd(const struct netlink *n);

/* Hands all waiting news to the listener. Negative errno if some was lost: then everything must be dumped. */
int netlink_listen(struct netlink *n);

/* Hands every link, then every address to the listener. 0 or negative errno. */
int netlink_dump(struct netlink *n);

/* One address to be put on an interface, as /32 or /128, or to be taken off it. */
struct netlink_change {
	bool add;
	uint32_t ifindex;
	struct addr address;
	uint32_t lifetime_s; /* an addition: after which the kernel removes it; 0: never */
	int error;           /* set: 0 or negative errno */
};

/*
 * At most so many changes in one batch. A kernel without preemption runs nothing else on its processor until
 * a batch is done, real-time threads included, and where there are thousands of addresses each IPv6 one
 * takes it some milliseconds. More at once would not be faster.
 */
#define NETLINK_BATCH 8

/*
 * Carries out @n changes in order, by one call of sendmsg. Their news is queued when this returns. 0,
 * or the negative errno of what went wrong with the batch as such; then every change has it too.
 */
int netlink_change(struct netlink *n, struct netlink_change *changes, uint32_t n_changes);

/*
 * Writes the message that takes @address off an interface, for whoever sends it later, without an
 * answer unless it fails; the interface's index is left 0. Returns its size, a multiple of four and
 * NETLINK_REMOVAL_MAX at most.
 */
size_t netlink_put_removal(uint8_t *at, const struct addr *address);

#define NETLINK_REMOVAL_MAX 44

/* Sets net.ipv4.conf.INTERFACE.arp_ignore and arp_announce. 0 or negative errno. */
int netlink_set_arp(struct netlink *n, uint32_t ifindex, uint32_t ignore, uint32_t announce);

/* The gateway of the default route by this interface; addr_none if there is none. */
struct addr netlink_gateway(struct netlink *n, uint32_t ifindex, enum family family);
