/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * One reading of a file, and the steps that it is made of. Internal to this folder.
 *
 *    text ─► tree_read() ─► nodes, vrrp, announce, services ─► checks of the whole ─► struct config
 *                                        │                          │
 *                                        └────────► findings ◄──────┘
 */

#include "config/config.h"
#include "config/findings.h"
#include "config/schema.h"
#include "config/tree.h"

/* Positions in the tables of keys, and so in the arrays of where each value stands. The order is the
 * one in which a section is read. */
enum file_key {
	FILE_CLUSTER,
	FILE_DOMAIN,
	FILE_INTERFACE,
	FILE_NODES,
	FILE_VRRP,
	FILE_ANNOUNCE,
	FILE_AUTH,
	FILE_FENCE,
	FILE_CONTROL,
	FILE_SERVICES,
	FILE_DNS,
	FILE_KEYS
};
enum vrrp_key {
	VRRP_VERSION,
	VRRP_INTERVAL,
	VRRP_REDUNDANCY,
	VRRP_PREEMPT,
	VRRP_PREEMPT_DELAY,
	VRRP_LINGER,
	VRRP_PEERS,
	VRRP_CHECKSUM,
	VRRP_VRIDS,
	VRRP_KEYS
};
enum service_key {
	SERVICE_INTERFACE,
	SERVICE_VIPS,
	SERVICE_VRRP,
	SERVICE_VRID,
	SERVICE_PRIORITY,
	SERVICE_NAMES,
	SERVICE_ROTATION,
	SERVICE_KEYS
};

enum auth_key { AUTH_MODE, AUTH_KEYS, AUTH_WINDOW, AUTH_KEYS_COUNT };

extern const struct schema node_schema, vrrp_schema, announce_schema, auth_schema, control_schema,
	service_schema, vip_schema, dns_schema, tsig_schema;

/* A `vrrp:` section. */
struct vrrp_section {
	struct config_vrrp options;
	uint8_t vrid_first, vrid_count;   /* count 0: not given */
	bool interval_given;              /* here or in the section that it inherits from */
	const struct tree *at[VRRP_KEYS]; /* NULL: not given here */
};

/* Where things stand, for messages; NULL: not there. */
struct node_places {
	const struct tree *name;
	const struct tree *addresses[CONFIG_NODE_ADDRS_MAX];
};

struct service_places {
	const struct tree *name;
	const struct tree *at[SERVICE_KEYS];
	const struct tree *vrrp[VRRP_KEYS];
	bool has_interface;
	bool all_known; /* every key; otherwise the missing one may be meant */
};

/* Those of `names:`, the services' own, the nodes'. */
#define NAMES_ROOM (CONFIG_NAMES_MAX + CONFIG_SERVICES_MAX + CONFIG_NODES_MAX)

#define INTERFACE_BAD    (-1)
#define INTERFACE_UNREAD (-2) /* no service has needed it yet */

struct reading {
	struct config *config;
	struct findings *findings;
	const struct config_machine *machine;
	const struct tree *root;
	const struct tree *at[FILE_KEYS];
	bool all_known; /* every key of these */
	struct vrrp_section vrrp;
	const struct tree *auth_mode; /* where it stands; NULL: not given */
	int32_t interface;            /* the default one's index, or one of the two above */
	struct node_places nodes[CONFIG_NODES_MAX];
	struct service_places *services;
	const struct tree **vips;
	const struct tree **names;      /* of config.names, where each stands */
	uint32_t n_listed;              /* entries of `names:` */
	bool nodes_missed, vips_missed; /* not all are in @config */
};

/* Each reads @value, the section's, into r->config. */
void read_nodes(struct reading *r, const struct tree *value);
void read_announce(struct reading *r, const struct tree *value);
void read_auth(struct reading *r, const struct tree *value);
void read_control(struct reading *r, const struct tree *value);
void read_services(struct reading *r, const struct tree *value);
void read_dns(struct reading *r, const struct tree *value);

/* Sets *@section, defaults first when it is the file's own, later ones on top of it. */
void vrrp_section_init(struct vrrp_section *section);
void read_vrrp(struct reading *r, const struct tree *value, struct vrrp_section *section);

/* Index of the node that @value names, or -1, reported. */
int32_t read_node_name(struct reading *r, const struct tree *value);

/* The names of the service that is being read: its own, which stands at @key, and those of `names:`, @value;
 * both may be NULL. */
void read_service_names(struct reading *r, const struct tree *key, const struct tree *value);

/* The names of nodes in the domain, and whether a name is there twice. */
void resolve_names(struct reading *r);

/* A window that the file leaves open, by the services' intervals. */
void resolve_auth_window(struct config *c);

/* What only shows when the file is seen as a whole. */
void check_whole(struct reading *r);
