/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The configuration file, checked and resolved: what an administrator wrote once and copied to every
 * node. A struct config never changes after it was loaded. It knows nothing of the machine that it
 * was loaded on: which node this is, is asked of os/ with the addresses at hand (config_find_node).
 *
 * Indexes (node, interface, service, bundle, VIP) are positions in the arrays below and follow the
 * file's order, so they are the same on every node with the same file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/tick.h"

#define CONFIG_NODES_MAX      64
#define CONFIG_NODE_ADDRS_MAX 4
#define CONFIG_INTERFACES_MAX 16
#define CONFIG_SERVICES_MAX   1000
#define CONFIG_VIPS_MAX       10000
#define CONFIG_PEERS_MAX      64
#define CONFIG_SHOTS_MAX      8
#define CONFIG_LISTEN_MAX     64
#define CONFIG_TRANSFERS_MAX  64
#define CONFIG_ZONES_MAX      10000
#define CONFIG_NAMES_MAX      10000 /* of `names:` */
#define CONFIG_NAME_SIZE      64
#define CONFIG_DOMAIN_SIZE    256 /* a domain name in A-labels, without the final dot, and NUL */
#define CONFIG_PATH_SIZE      256
#define CONFIG_NO_NODE        (-1)

#define CONFIG_DEFAULT_PATH "/etc/roost/roost.yaml"

/* One server. Its name is for people; it knows itself by any of its addresses. */
struct config_node {
	char name[CONFIG_NAME_SIZE]; /* U-labels as A-labels */
	struct addr addresses[CONFIG_NODE_ADDRS_MAX];
	uint32_t n_addresses;
	uint32_t weight; /* 1 to 1000, its share of the VIPs; default 1 */
};

struct config_interface {
	char name[16]; /* IFNAMSIZ */
	/* The VRIDs that roost may use here, in each family: @vrid_count of them from @vrid_first on,
	 * wrapping from 255 to 1. Without `vrids:` the whole circle from a point derived from the
	 * cluster's name. Pinned VRIDs of foreign virtual routers are skipped by the plan. */
	uint8_t vrid_first;
	uint8_t vrid_count;
};

/* Which IPv4 version 3 checksum to send (both are accepted): the message alone (RFC 9568 5.2.8), with the
 * IPv4 pseudo-header (how RFC 5798 was read), or as foreign speakers do it: until one is heard, the former among roost's nodes, the latter where a VRID
 * is pinned. */
enum config_checksum { CONFIG_CHECKSUM_AUTO, CONFIG_CHECKSUM_MESSAGE, CONFIG_CHECKSUM_PSEUDO };

#define CONFIG_REDUNDANCY_AUTO 0

/* How one service speaks VRRP: the file's `vrrp:` section, overridden by the service's own. */
struct config_vrrp {
	uint8_t version; /* 2 or 3; 2 has no IPv6 */
	tick interval;   /* advertisement interval: 10 ms to 40.95 s in whole cs; v2: 1 to 255 s */
	uint8_t redundancy; /* 1 to 8 advertisements per interval, or CONFIG_REDUNDANCY_AUTO */
	bool preempt; /* a better node takes over from a worse one that serves; default true */
	tick preempt_delay; /* after start, before preempting; default 0 */
	tick linger;        /* after a planned hand-over: 20 ms */
	enum config_checksum checksum;
	bool unicast; /* to the other nodes' addresses and @peers, instead of multicast */
	struct addr peers[CONFIG_PEERS_MAX]; /* further unicast peers, such as foreign speakers */
	uint32_t n_peers;
};

/* How a service's addresses are answered. */
enum config_rotation {
	CONFIG_ROTATION_ALL, /* all, shuffled, the first in proportion to the weights; the default */
	CONFIG_ROTATION_WEIGHTED, /* one, in proportion to the weights */
};

/*
 * One named service. Services with @foreign_vrid != 0 are shared with foreign VRRP speakers: all
 * their VIPs of a family are one virtual router that follows RFC 9568 (or 3768) to the letter, with
 * the priorities given here.
 */
struct config_service {
	char name[CONFIG_DOMAIN_SIZE]; /* U-labels as A-labels */
	uint32_t interface;            /* index */
	uint32_t first_vip, n_vips;    /* its VIPs are contiguous in config.vips */
	uint32_t first_bundle, n_bundles;
	enum config_rotation rotation;
	struct config_vrrp vrrp;
	uint8_t foreign_vrid;               /* 0: among roost's nodes */
	uint8_t priority[CONFIG_NODES_MAX]; /* by node, 1 to 255; only with foreign_vrid */
};

/* VIPs that stay together on one node; a VIP that stands alone is a bundle of one. */
struct config_bundle {
	uint32_t service;
	uint32_t first_vip, n_vips; /* contiguous in config.vips */
	int32_t preferred;          /* node index that is to hold it, or CONFIG_NO_NODE */
};

struct config_vip {
	struct addr address;
	uint32_t service, bundle;
	uint32_t weight; /* in answers: 1 to 1000, its share; default 1 */
	uint32_t line;   /* where the file lists it */
};

/*
 * A name that is served, as the file gives it: of a service (one of its `names:`, its own name if that has a
 * dot, or its own name in the domain) or of a node (its own name in the domain). In A-labels, absolute without
 * the final dot, the case as written; none is there twice. Sorted as the file has them, services first.
 */
struct config_name {
	char name[CONFIG_DOMAIN_SIZE];
	int32_t service; /* index, or -1 */
	int32_t node;    /* index, or -1 */
	uint32_t line;   /* where it comes from */
};

/* What speaks DNS, as in 10.1.1.2@5353. */
struct config_endpoint {
	struct addr address; /* IPv4's any is ::ffff:0.0.0.0 */
	uint16_t port;
	uint32_t line;
};

/* A zone that comes from a master file. */
struct config_zone {
	char name[CONFIG_DOMAIN_SIZE]; /* A-labels, without the final dot; the root is "." */
	char path[CONFIG_PATH_SIZE];
	uint32_t line;
};

enum config_tsig_algorithm {
	CONFIG_TSIG_SHA256,
	CONFIG_TSIG_SHA384,
	CONFIG_TSIG_SHA512,
	CONFIG_TSIG_SHA1,
	CONFIG_TSIG_SHA224,
};

/* The key of zone transfers (RFC 8945). */
struct config_tsig {
	char name[CONFIG_DOMAIN_SIZE]; /* "": none */
	enum config_tsig_algorithm algorithm;
	char secret_file[CONFIG_PATH_SIZE]; /* in base64 */
};

/* The name server, roost-dns. */
struct config_dns {
	/* Where it listens; without `listen:` every address, 0.0.0.0 and ::, at @port. */
	struct config_endpoint listen[CONFIG_LISTEN_MAX];
	uint32_t n_listen; /* at least 1 */
	uint16_t port;     /* of those that name none */
	struct config_zone *zones;
	uint32_t n_zones;
	/* Who may have a zone's whole content and is told of changes; at port 53 without another. */
	struct config_endpoint transfer[CONFIG_TRANSFERS_MAX];
	uint32_t n_transfers;
	struct config_tsig tsig;
	uint32_t threads;                          /* 0: one for each core */
	bool cookies;                              /* RFC 7873 */
	char cookie_secret_file[CONFIG_PATH_SIZE]; /* "": a secret of its own */
	uint32_t rate;               /* of equal answers a second and prefix; 0: not limited */
	char nsid[CONFIG_NAME_SIZE]; /* "": the node's name */
	bool chaos;                  /* tell version and NSID in class CHAOS */
	uint32_t ttl;                /* of derived records, seconds */
};

/* What becomes of a VIP that a machine outside the cluster answers for, too (RFC 5227 2.4). */
enum config_conflict {
	CONFIG_CONFLICT_DEFEND, /* it is announced again, at most every 10 s; the default */
	CONFIG_CONFLICT_YIELD,  /* nobody of the cluster has it while that machine answers */
};

/* How neighbours are told of a move. */
struct config_announce {
	/* spans after the move, rising; default 0, 0.05, 0.3, 1.1, 3 s */
	tick shots[CONFIG_SHOTS_MAX];
	uint32_t n_shots;
	tick refresh;   /* then every so often, jittered; default 60 s; 0 means never */
	uint32_t rate;  /* announcements a second and interface; default 2000 */
	uint32_t burst; /* at once; default 1024 */
	enum config_conflict conflict;
};

/* Whether advertisements are authenticated; a cluster is rolled out in this order. */
enum config_auth_mode {
	CONFIG_AUTH_OFF,          /* a trailer is ignored */
	CONFIG_AUTH_RECEIVE_ONLY, /* verified and counted if present, none is sent */
	CONFIG_AUTH_PERMISSIVE,   /* signed; what can't be verified counts all the same */
	CONFIG_AUTH_ENFORCE,      /* signed; what can't be verified does not count */
};

struct config_auth {
	enum config_auth_mode mode;
	char keys[CONFIG_PATH_SIZE]; /* the file of keys; default /etc/roost/keys */
	tick window; /* between the clocks of a new sender and a receiver; whole seconds, 0: any */
};

/* What ends a VIP's service when the daemon is dead or hangs. */
enum config_fence {
	CONFIG_FENCE_AUTO,     /* the first of those below that works */
	CONFIG_FENCE_TCX,      /* programs in the kernel, in links of their own */
	CONFIG_FENCE_CLSACT,   /* ... in the classifier that tc(8) manages */
	CONFIG_FENCE_LIFETIME, /* the addresses expire: in whole seconds, and IPv6 leaks */
	CONFIG_FENCE_OFF,      /* nothing does */
};

/* Groups of users that may use the control socket; empty: the daemon's own. */
struct config_control {
	char read[CONFIG_NAME_SIZE];  /* ask for the status */
	char steer[CONFIG_NAME_SIZE]; /* also drain and undrain */
};

struct config {
	char cluster[CONFIG_NAME_SIZE]; /* default "roost" */
	struct config_node *nodes;
	struct config_interface *interfaces;
	struct config_service *services;
	struct config_bundle *bundles;
	struct config_vip *vips;
	uint32_t n_nodes, n_interfaces, n_services, n_bundles, n_vips;
	char domain[CONFIG_DOMAIN_SIZE]; /* of the derived zone, in A-labels; "": none */
	struct config_name *names;
	uint32_t n_names;
	struct config_dns dns;
	struct config_announce announce;
	struct config_auth auth;
	struct config_control control;
	enum config_fence fence;
};

/* What a check found; errors refuse the file, warnings do not. */
struct config_report {
	uint32_t n_errors, n_warnings;
};

/* A network that an interface of this machine has. */
struct config_subnet {
	char interface[16];
	struct prefix prefix; /* the machine's own address in it; IPv4's /24 has a @len of 120 */
};

/* The networks of the machine that the file is checked on; the caller asks the kernel for them. */
struct config_machine {
	const struct config_subnet *subnets;
	uint32_t n_subnets;
};

/*
 * Reads @path, prints every mistake to @diagnostics (file:line:column, the line with a caret, what
 * is wrong and what would be right; may be NULL) and counts them in *@report. Returns the
 * configuration, to be freed by config_free(), or NULL if there was an error. Touches nothing but
 * the file.
 */
struct config *config_load(const char *path, FILE *diagnostics, struct config_report *report);
void config_free(struct config *c);

/* The same on a known machine. If that is one of the nodes, by its addresses, a VIP outside the
 * networks of its interface is an error too, and an interface that has none a warning. @machine may
 * be NULL. */
struct config *config_load_here(const char *path, const struct config_machine *machine,
	FILE *diagnostics, struct config_report *report);

/* The same for text at hand; @name is what the messages call it. */
struct config_text {
	const char *name;
	const char *text; /* need not end with NUL */
	size_t size;
};

struct config *config_load_text(const struct config_text *text,
	const struct config_machine *machine, FILE *diagnostics, struct config_report *report);

/* Index of the node that has this address, or CONFIG_NO_NODE. */
int32_t config_find_node(const struct config *c, const struct addr *address);

/* Index of the node of this name, in U-labels or A-labels, or CONFIG_NO_NODE. */
int32_t config_find_node_named(const struct config *c, const char *name);
