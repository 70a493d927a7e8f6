/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* What the core's target drives, and what must hold of it. */

#include "base/bytes.h"
#include "core_files.h"
#include "node/node.h"

#define WORLD_ROUTERS_MAX 16
#define WORLD_VIPS_MAX    16

struct world {
	const struct config *config;
	const struct plan *plan;
	struct node *node, *copy; /* @copy: a snapshot, for status */
	struct node_effects *fx;
	struct reader in;
	tick now;

	/* what the shell knows, by the effects alone */
	enum vrrp_hold wanted[WORLD_VIPS_MAX];
	tick said_at[WORLD_VIPS_MAX]; /* last advertised, by this node, as its own or as leaving */
	bool announcing[WORLD_VIPS_MAX];   /* asked for, not answered */
	tick served_at[WORLD_ROUTERS_MAX]; /* the router's last such advertisement */
};

void world_begin(struct world *w, const struct core_file *file, uint32_t self, bool fenced);
void world_end(struct world *w);

const struct plan_router *world_router_of(const struct world *w, uint32_t vip);

/* The advertisement goes over the wire and is heard on @interface. */
void world_hear(
	struct world *w, uint32_t interface, const struct advert *a, enum auth_verdict auth);

/* The kernel does all that is wanted, and what was to be announced is. */
void world_follow(struct world *w);

/* After a TICK: the effects, and the node's state. */
void world_check(struct world *w);
