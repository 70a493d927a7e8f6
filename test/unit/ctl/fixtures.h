/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* What the tests of the tool share: a sheet of paper that can be read, and a cluster made by hand. */

#include <check.h>
#include <stdio.h>

#include "config/config.h"
#include "ctl/table.h"

/* What was written to @paper is @text, to be freed, once the sheet is closed. */
struct sheet {
	struct paper paper;
	char *text;
	size_t size;
};

static inline void sheet_open(struct sheet *s, bool colour)
{
	*s = (struct sheet){0};
	s->paper = (struct paper){.out = open_memstream(&s->text, &s->size), .colour = colour};
	ck_assert_ptr_nonnull(s->paper.out);
}

static inline const char *sheet_close(struct sheet *s)
{
	ck_assert_int_eq(fclose(s->paper.out), 0);
	return s->text;
}

/* A cluster of up to four nodes and eight VIPs of one service. */
struct cluster {
	struct config config;
	struct config_node nodes[4];
	struct config_interface interface;
	struct config_service service;
	struct config_bundle bundles[8];
	struct config_vip vips[8];
};

static inline void cluster_init(struct cluster *k, uint32_t n_nodes, uint32_t n_vips, tick interval)
{
	*k = (struct cluster){
		.interface = {.name = "eth0", .vrid_first = 1, .vrid_count = 255},
		.service = {.name = "www",
			.n_vips = n_vips,
			.n_bundles = n_vips,
			.vrrp = {.version = 3, .interval = interval, .preempt = true}},
	};
	for (uint32_t i = 0; i < n_nodes; i++) {
		snprintf(k->nodes[i].name, CONFIG_NAME_SIZE, "www%u", i + 1);
		k->nodes[i].addresses[0] = addr_from_ipv4((uint8_t[]){10, 1, 1, (uint8_t)(2 + i)});
		k->nodes[i].n_addresses = k->nodes[i].weight = 1;
	}
	for (uint32_t i = 0; i < n_vips; i++) {
		k->bundles[i] = (struct config_bundle){
			.first_vip = i, .n_vips = 1, .preferred = CONFIG_NO_NODE};
		k->vips[i].address = addr_from_ipv4((uint8_t[]){10, 1, 1, (uint8_t)(201 + i)});
		k->vips[i].bundle = i;
	}
	k->config = (struct config){
		.cluster = "shop",
		.nodes = k->nodes,
		.interfaces = &k->interface,
		.services = &k->service,
		.bundles = k->bundles,
		.vips = k->vips,
		.n_nodes = n_nodes,
		.n_interfaces = 1,
		.n_services = 1,
		.n_bundles = n_vips,
		.n_vips = n_vips,
	};
}
