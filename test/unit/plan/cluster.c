/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cluster.h"

#include <string.h>

#include "base/assert.h"

void cluster_init(struct cluster *c, uint32_t n_nodes)
{
	c->config = (struct config){
		.nodes = c->nodes,
		.interfaces = c->interfaces,
		.services = c->services,
		.bundles = c->bundles,
		.vips = c->vips,
		.n_interfaces = 1,
	};
	for (uint32_t i = 0; i < CONFIG_INTERFACES_MAX; i++)
		c->interfaces[i] = (struct config_interface){.vrid_first = 1, .vrid_count = 255};
	for (uint32_t i = 0; i < n_nodes; i++)
		cluster_add_node(c, 1);
	cluster_add_service(c, 0);
}

void cluster_init_with(struct cluster *c, uint32_t n_nodes, uint32_t n_vips)
{
	cluster_init(c, n_nodes);
	for (uint32_t i = 0; i < n_vips; i++)
		cluster_add_bundle(c, 1);
}

uint32_t cluster_add_node(struct cluster *c, uint32_t weight)
{
	ASSERT(c->config.n_nodes < CONFIG_NODES_MAX);
	c->nodes[c->config.n_nodes] = (struct config_node){.weight = weight};
	return c->config.n_nodes++;
}

uint32_t cluster_add_service(struct cluster *c, uint32_t interface)
{
	struct config_service *s = &c->services[c->config.n_services];

	ASSERT(c->config.n_services < CONFIG_SERVICES_MAX);
	*s = (struct config_service){
		.interface = interface,
		.first_vip = c->config.n_vips,
		.first_bundle = c->config.n_bundles,
		.vrrp.version = 3,
	};
	return c->config.n_services++;
}

static struct addr nth_address(enum family family, uint32_t n)
{
	const uint8_t four[4] = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	struct addr a = {{0x20, 0x01, 0x0d, 0xb8}};

	if (family == FAMILY_IPV4)
		return addr_from_ipv4(four);
	memcpy(a.b + 12, four, sizeof four);
	return a;
}

uint32_t cluster_add_family(struct cluster *c, enum family family, uint32_t size)
{
	const uint32_t service = c->config.n_services - 1, bundle = c->config.n_bundles++;

	ASSERT(c->config.n_vips + size <= CONFIG_VIPS_MAX);
	c->bundles[bundle] = (struct config_bundle){
		.service = service,
		.first_vip = c->config.n_vips,
		.n_vips = size,
		.preferred = CONFIG_NO_NODE,
	};
	for (uint32_t i = 0; i < size; i++) {
		c->vips[c->config.n_vips] = (struct config_vip){
			.address = nth_address(family, c->config.n_vips),
			.service = service,
			.bundle = bundle,
		};
		c->config.n_vips++;
	}
	c->services[service].n_vips += size;
	c->services[service].n_bundles++;
	return bundle;
}

uint32_t cluster_add_bundle(struct cluster *c, uint32_t size)
{
	return cluster_add_family(c, FAMILY_IPV4, size);
}
