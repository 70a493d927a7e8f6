/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Configurations for the tests of plan/, built by hand. */

#include <stdint.h>

#include "base/rng.h"
#include "config/config.h"

struct cluster {
	struct config config;
	struct config_node nodes[CONFIG_NODES_MAX];
	struct config_interface interfaces[CONFIG_INTERFACES_MAX];
	struct config_service services[CONFIG_SERVICES_MAX];
	struct config_bundle bundles[CONFIG_VIPS_MAX];
	struct config_vip vips[CONFIG_VIPS_MAX];
};

/* @n_nodes nodes of weight 1, one interface that grants every VRID, one service without VIPs. */
void cluster_init(struct cluster *c, uint32_t n_nodes);

/* The same with @n_vips VIPs, each for itself. */
void cluster_init_with(struct cluster *c, uint32_t n_nodes, uint32_t n_vips);

/* A node of that weight at the end of the file; its index. */
uint32_t cluster_add_node(struct cluster *c, uint32_t weight);

/* A service on that interface at the end of the file; its index. */
uint32_t cluster_add_service(struct cluster *c, uint32_t interface);

/* @size IPv4 VIPs that stay together, at the end of the last service; the bundle's index. */
uint32_t cluster_add_bundle(struct cluster *c, uint32_t size);

/* The same for addresses of a given family. */
uint32_t cluster_add_family(struct cluster *c, enum family family, uint32_t size);
