/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Versions of the configuration file, built by hand: the simulator reads no YAML. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define MTU 1500

struct addr sim_vip_address(uint32_t number)
{
	struct addr a = {0};

	if (number < SIM_VIP_IPV6)
		return addr_from_ipv4((const uint8_t[4]){10, 1, 1, (uint8_t)(100 + number)});
	a.b[0] = 0x20;
	a.b[1] = 0x01;
	a.b[2] = 0x0d;
	a.b[3] = 0xb8;
	a.b[15] = (uint8_t)(100 + number);
	return a;
}

uint32_t sim_vip_number(const struct addr *address)
{
	return address->b[15] - 100u;
}

struct addr sim_place_address(uint32_t place, enum family family)
{
	struct addr a = {0};

	if (family == FAMILY_IPV4)
		return addr_from_ipv4((const uint8_t[4]){10, 1, 1, (uint8_t)(1 + place)});
	a.b[0] = 0xfe;
	a.b[1] = 0x80;
	a.b[15] = (uint8_t)(1 + place);
	return a;
}

int32_t sim_place_of(const struct addr *source)
{
	const int32_t place = source->b[15] - 1;

	return place >= 0 && place < SIM_PLACES_MAX ? place : SIM_NOBODY;
}

struct sim_file_spec sim_file_spec(
	uint32_t n_nodes, uint32_t n_ipv4, uint32_t n_ipv6, tick interval)
{
	struct sim_file_spec spec = {.n_members = n_nodes, .n_services = 1, .refresh = tick_s(60)};
	struct sim_service_spec *service = &spec.services[0];

	ASSERT(n_ipv4 <= SIM_VIP_IPV6 && n_ipv6 <= SIM_VIPS_MAX - SIM_VIP_IPV6);
	for (uint32_t i = 0; i < n_nodes; i++)
		spec.members[i] = (uint8_t)i;
	for (uint32_t i = 0; i < n_ipv4; i++)
		service->vips[service->n_vips++] = (uint8_t)i;
	for (uint32_t i = 0; i < n_ipv6; i++)
		service->vips[service->n_vips++] = (uint8_t)(SIM_VIP_IPV6 + i);
	service->bundle = 1;
	service->vrrp = (struct config_vrrp){
		.version = 3,
		.interval = interval,
		.redundancy = CONFIG_REDUNDANCY_AUTO,
		.preempt = true,
		.linger = tick_ms(20),
	};
	return spec;
}

static void build_service(struct sim_file *f, uint32_t index)
{
	const struct sim_service_spec *spec = &f->spec.services[index];
	struct config_service *service = &f->services[index];
	struct config *c = &f->config;

	*service = (struct config_service){
		.first_vip = c->n_vips,
		.n_vips = spec->n_vips,
		.first_bundle = c->n_bundles,
		.vrrp = spec->vrrp,
		.foreign_vrid = spec->foreign_vrid,
	};
	snprintf(service->name, sizeof service->name, "service%u", index);
	for (uint32_t i = 0; i < f->spec.n_members; i++)
		service->priority[i] = spec->priority[f->spec.members[i]];
	for (uint32_t i = 0; i < spec->n_vips; i++) {
		const uint32_t vip = c->n_vips++;

		if (i % spec->bundle == 0)
			f->bundles[c->n_bundles++] = (struct config_bundle){
				.service = index,
				.first_vip = vip,
				.preferred = CONFIG_NO_NODE,
			};
		f->bundles[c->n_bundles - 1].n_vips++;
		f->vips[vip] = (struct config_vip){
			.address = sim_vip_address(spec->vips[i]),
			.service = index,
			.bundle = c->n_bundles - 1,
		};
		f->number[vip] = spec->vips[i];
		f->index[spec->vips[i]] = (int8_t)vip;
	}
	service->n_bundles = c->n_bundles - service->first_bundle;
}

uint32_t sim_add_file(struct sim *s, const struct sim_file_spec *spec)
{
	struct sim_file *f = &s->files[s->n_files];
	const char *problem = "no memory";

	ASSERT(s->n_files < SIM_FILES_MAX);
	f->spec = *spec;
	f->config = (struct config){
		.cluster = "sim",
		.nodes = f->nodes,
		.interfaces = &f->interface,
		.services = f->services,
		.bundles = f->bundles,
		.vips = f->vips,
		.n_nodes = spec->n_members,
		.n_interfaces = 1,
		.n_services = spec->n_services,
		.announce =
			{
				.shots = {0, tick_ms(50), tick_ms(300), tick_ms(1100),
					tick_ms(3000)},
				.n_shots = 5,
				.refresh = spec->refresh,
				.rate = 2000,
				.burst = 1024,
			},
	};
	f->interface = (struct config_interface){
		.name = "eth0",
		.vrid_first = spec->vrid_first ? spec->vrid_first : 1,
		.vrid_count = spec->vrid_count ? spec->vrid_count : 255,
	};
	memset(f->index, -1, sizeof f->index);
	for (uint32_t i = 0; i < spec->n_members; i++) {
		const uint32_t place = spec->members[i];

		f->nodes[i] = (struct config_node){
			.n_addresses = 1,
			.weight = spec->weight[place] ? spec->weight[place] : 1,
		};
		snprintf(f->nodes[i].name, sizeof f->nodes[i].name, "www%u", place);
		f->nodes[i].addresses[0] = sim_place_address(place, FAMILY_IPV4);
		f->nodes[i].addresses[1] = sim_place_address(place, FAMILY_IPV6);
		f->nodes[i].n_addresses = 2;
	}
	for (uint32_t i = 0; i < spec->n_services; i++)
		build_service(f, i);
	f->plan = plan_new(&f->config, MTU, &problem);
	if (!f->plan) {
		fprintf(stderr, "sim: cannot plan: %s\n", problem);
		abort();
	}
	return s->n_files++;
}
