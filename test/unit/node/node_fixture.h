/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* One node of a small cluster, driven by hand: what the tests of node/ share. */

#include "suite.h"

#include "node/node.h"

#define T0       tick_s(1000)
#define INTERVAL tick_ms(100)

/* Three nodes 10.1.1.2 to .4 and six VIPs 10.1.1.201 to .206, planned and started as @self. */
struct fixture {
	struct config_node nodes[3];
	struct config_interface interface;
	struct config_service service;
	struct config_bundle bundles[6];
	struct config_vip vips[6];
	struct config config;
	struct plan *plan;
	struct node *node;
	struct node_effects *fx;
	tick now;
	bool fenced;
};

/* The last bytes of the six VIPs, in their order. */
extern const uint8_t node_vips[6];

/* 10.1.1.@last */
struct addr host(uint8_t last);
/* The event, unless it is a TICK, and then a TICK. */
void turn(struct fixture *f, struct node_event ev);
void link_up(struct fixture *f, bool up);

/* It is up, and @source is what there is to speak from. */
void link_with(struct fixture *f, struct addr source);
/* The configuration of all this, to be changed before start_with(). */
void fill_config(struct fixture *f);
/* A node of @f->config, whose link is up. */
struct fixture *start_with(struct fixture *f);
/* The same with the three nodes and six VIPs of the fixture. */
struct fixture *start(void);
/* Lets time pass to the node's next deadline. */
void pass_time(struct fixture *f);
uint32_t place(const struct fixture *f, uint32_t vip);
enum vrrp_state state(const struct fixture *f, uint32_t vip);
/* The kernel side does what the last turn asked for. */
void obey(struct fixture *f);
/* An advertisement from host(@from) that lists the hosts @lasts. */
void hear(struct fixture *f, uint8_t from, uint8_t vrid, uint8_t priority, const uint8_t *lasts,
	uint32_t n);
uint32_t records_of(const struct fixture *f, enum node_record_kind kind);
/* Alone: until everything is held, announced and advertised. */
void take_all(struct fixture *f);
