/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The interfaces of the configuration as the kernel has them, kept by netlink's news: there under their
 * name or not, running or not, and which of their addresses VRRP may speak from. An interface that
 * vanishes and returns under the same name is the same one with another index. Makes no system call.
 *
 * Of thousands of addresses only candidates are kept, and of each family some: a node's own always find room.
 *
 * Sources: over IPv4 the node's configured address if the interface has it, else the first that is no
 * VIP; over IPv6 the first link-local address that is usable (RFC 9568 5.1.2.1).
 */

#include "config/config.h"
#include "node/node.h"
#include "os/netlink.h"

/* So many addresses of a family and interface are kept, and more than a node can have of its own. */
#define LINKS_ADDRS_MAX 16

/* Of interfaces that the configuration does not name, no more are known. */
#define LINKS_OTHERS_MAX 64

struct link_address {
	struct addr address;
	bool tentative;
};

struct link {
	uint32_t ifindex; /* 0: there is no such interface */
	bool running, ethernet;
	uint32_t losses; /* of carrier */
	uint8_t mac[6];
	/* candidates: IPv4, link-local, and the node's own; without VIPs, in the kernel's order */
	struct link_address addresses[FAMILY_COUNT * LINKS_ADDRS_MAX];
	uint32_t n_addresses;
	bool more[FAMILY_COUNT]; /* some had no room */
};

/* Not the configuration's, and perhaps on the same segment as one that is. */
struct link_other {
	uint32_t ifindex;
	uint8_t mac[6];
};

struct links {
	const struct config *config; /* borrowed */
	uint32_t self;
	uint32_t loopback; /* its index, while it is up; else 0 */
	struct link links[CONFIG_INTERFACES_MAX];
	struct link_other others[LINKS_OTHERS_MAX];
	uint32_t n_others;
};

void links_init(struct links *l, const struct config *config, uint32_t self);

/* A full dump begins: whatever it does not mention is not there. */
void links_forget(struct links *l);

/* True if an interface of the configuration is there that was not: its addresses may have been told before. */
bool links_see_link(struct links *l, const struct netlink_link *news);
/* @news is not of a VIP. True if the last of a family went that had room: then what had none must be told again. */
bool links_see_address(struct links *l, const struct netlink_address *news);

/* The configuration's interface with this index, or -1. */
int32_t links_find(const struct links *l, uint32_t ifindex);

/* Whether an interface of this machine has this MAC. */
bool links_has_mac(const struct links *l, const uint8_t mac[static 6]);

/* What the node is to know of @interface. */
struct node_interface links_node_interface(const struct links *l, uint32_t interface);
