/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The section `services:`. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "config/reading.h"
#include "config/value.h"
#include "idn/idn.h"

static schema_read_fn read_rotation;

static const struct schema_key service_keys[] = {
	[SERVICE_INTERFACE] = {.name = "interface"},
	[SERVICE_VIPS] = {.name = "vips"},
	[SERVICE_VRRP] = {.name = "vrrp"},
	[SERVICE_VRID] =
		{
			.name = "vrid",
			.read = value_read_u8,
			.offset = offsetof(struct config_service, foreign_vrid),
			.least = 1,
			.most = 255,
		},
	[SERVICE_PRIORITY] =
		{
			.name = "priority",
			.least = 1,
			.most = 255,
			.form = "a number from 1 to 254 (255: owner), or one for each node",
		},
	[SERVICE_NAMES] = {.name = "names"},
	[SERVICE_ROTATION] =
		{
			.name = "rotation",
			.read = read_rotation,
			.initial = "all",
			.form = "all or weighted",
		},
};

_Static_assert(ARRAY_SIZE(service_keys) == SERVICE_KEYS, "a table of all keys");

const struct schema service_schema = {"a service", service_keys, SERVICE_KEYS};

enum { VIP_ADDRESS, VIP_ADDRESSES, VIP_PREFER, VIP_WEIGHT, VIP_KEYS };

/* What is said of an entry's VIPs beside their addresses. */
struct vip_options {
	int32_t preferred; /* node index, or CONFIG_NO_NODE */
	uint32_t weight;
};

static const struct schema_key vip_keys[] = {
	[VIP_ADDRESS] = {.name = "address"},
	[VIP_ADDRESSES] = {.name = "addresses"},
	[VIP_PREFER] = {.name = "prefer"},
	[VIP_WEIGHT] =
		{
			.name = "weight",
			.read = value_read_u32,
			.offset = offsetof(struct vip_options, weight),
			.least = 1,
			.most = 1000,
			.initial = "1",
		},
};

_Static_assert(ARRAY_SIZE(vip_keys) == VIP_KEYS, "a table of all keys");

const struct schema vip_schema = {"a VIP", vip_keys, VIP_KEYS};

static void read_rotation(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	static const char *const words[] = {
		[CONFIG_ROTATION_ALL] = "all",
		[CONFIG_ROTATION_WEIGHTED] = "weighted",
	};
	struct config_service *const service = target;
	uint32_t word;

	if (value_word(findings, key, value, words, ARRAY_SIZE(words), &word))
		service->rotation = (enum config_rotation)word;
}

/* Index of @value among the interfaces, added if it is new; or INTERFACE_BAD, reported. */
static int32_t read_interface(struct reading *r, const struct tree *value)
{
	struct config *const c = r->config;
	char name[16];

	if (!value_interface(r->findings, value, name))
		return INTERFACE_BAD;
	for (uint32_t i = 0; i < c->n_interfaces; i++)
		if (strcmp(c->interfaces[i].name, name) == 0)
			return (int32_t)i;
	if (c->n_interfaces == CONFIG_INTERFACES_MAX) {
		findings_error(
			r->findings, value->at, "more than %d interfaces", CONFIG_INTERFACES_MAX);
		return INTERFACE_BAD;
	}
	memcpy(c->interfaces[c->n_interfaces].name, name, sizeof name);
	return (int32_t)c->n_interfaces++;
}

/* Adds the VIP at @value to the bundle that is being read. */
static void read_vip(struct reading *r, const struct tree *value, uint32_t weight)
{
	struct config *const c = r->config;
	struct config_vip *const vip = &c->vips[c->n_vips];
	const char *problem;

	if (r->vips_missed)
		return;
	if (c->n_vips == CONFIG_VIPS_MAX) {
		findings_error(r->findings, value->at, "more than %d VIPs", CONFIG_VIPS_MAX);
		r->vips_missed = true;
		return;
	}
	if (!value_address(r->findings, value, "a VIP", &vip->address))
		return;
	problem = value_host_problem(&vip->address);
	if (problem) {
		findings_error(r->findings, value->at,
			"%s is %s; a VIP is an address that one server can have", value->text,
			problem);
		return;
	}
	if (!addr_is_ipv4(&vip->address) && addr_is_link_local(&vip->address)) {
		findings_error(r->findings, value->at,
			"%s is link-local, which no router forwards and no name can stand for; "
			"write a global or unique local address",
			value->text);
		return;
	}
	vip->service = c->n_services;
	vip->bundle = c->n_bundles;
	vip->weight = weight;
	vip->line = value->at.line;
	r->vips[c->n_vips] = value;
	c->bundles[c->n_bundles].n_vips++;
	c->n_vips++;
}

/* One address, or a list that stays together. */
static void read_bundle_vips(
	struct reading *r, const struct tree *value, const struct vip_options *options)
{
	struct config *const c = r->config;

	if (value->kind == TREE_LIST && value->n == 0)
		findings_error(r->findings, value->at,
			"an empty group; list the VIPs that are to stay together");
	/* n_bundles is never more than n_vips, so the last slot is free for one that fails. */
	c->bundles[c->n_bundles] = (struct config_bundle){
		.service = c->n_services,
		.first_vip = c->n_vips,
		.preferred = options->preferred,
	};
	for (const struct tree *entry = value_first(value); entry; entry = value_next(value, entry))
		read_vip(r, entry, options->weight);
	if (c->bundles[c->n_bundles].n_vips > 0)
		c->n_bundles++;
}

static void read_bundle(struct reading *r, const struct tree *value, bool foreign)
{
	const struct tree *at[VIP_KEYS];
	struct vip_options options = {.preferred = CONFIG_NO_NODE};
	bool all_known;

	schema_defaults(&vip_schema, &options);
	if (value->kind != TREE_MAPPING || value_is_unquoted_ipv6(value)) {
		read_bundle_vips(r, value, &options);
		return;
	}
	all_known = schema_read(r->findings, &vip_schema, value, &options, at);
	if (at[VIP_PREFER])
		options.preferred = read_node_name(r, at[VIP_PREFER]);
	if (at[VIP_PREFER] && foreign)
		findings_error(r->findings, at[VIP_PREFER]->key->at,
			"\"prefer\" has no place beside \"vrid\"; there the priorities decide");
	if (at[VIP_ADDRESS] && at[VIP_ADDRESSES])
		findings_error(r->findings, at[VIP_ADDRESSES]->key->at,
			"both \"address\" and \"addresses\"; write all in \"addresses\"");
	if (at[VIP_ADDRESS])
		read_bundle_vips(r, at[VIP_ADDRESS], &options);
	else if (at[VIP_ADDRESSES])
		read_bundle_vips(r, at[VIP_ADDRESSES], &options);
	else if (all_known)
		findings_error(
			r->findings, value->at, "a VIP without an address; add \"address: ...\"");
}

static void read_vips(
	struct reading *r, const struct tree *value, const char *service, bool foreign)
{
	if (value->kind == TREE_NOTHING || (value->kind != TREE_SCALAR && value->n == 0)) {
		findings_error(r->findings, value->at,
			"the service \"%s\" has no VIPs; list them, such as [10.1.1.201, "
			"10.1.1.202]",
			service);
		return;
	}
	for (const struct tree *entry = value_first(value); entry; entry = value_next(value, entry))
		read_bundle(r, entry, foreign);
}

/* A number for every node, or a mapping of all nodes to numbers. */
static void read_priority(
	struct reading *r, const struct tree *value, struct config_service *service)
{
	const struct schema_key *const key = &service_keys[SERVICE_PRIORITY];
	const struct config *const c = r->config;
	uint64_t number;

	if (value->kind != TREE_MAPPING) {
		if (value_number(r->findings, key, value, &number))
			memset(service->priority, (int)number, c->n_nodes);
		return;
	}
	schema_find_duplicates(r->findings, value, "the node");
	for (const struct tree *entry = value->first; entry; entry = entry->next) {
		const int32_t node = read_node_name(r, entry->key);

		if (value_number(r->findings, key, entry, &number) && node >= 0)
			service->priority[node] = (uint8_t)number;
		else if (node >= 0)
			service->priority[node] = 1; /* reported; it is not left out */
	}
	for (uint32_t i = 0; i < c->n_nodes && !r->nodes_missed; i++)
		if (service->priority[i] == 0)
			findings_error(r->findings, value->key->at,
				"the node \"%s\" has no priority; add \"%s: ...\", from 1 to 254",
				c->nodes[i].name, c->nodes[i].name);
}

static void check_priority(struct reading *r, const struct config_service *service,
	const struct service_places *places)
{
	const struct tree *const priority = places->at[SERVICE_PRIORITY];
	const struct tree *const vrid = places->at[SERVICE_VRID];
	uint32_t owners = 0;

	if (priority && !vrid)
		findings_error(r->findings, priority->key->at,
			"\"priority\" without \"vrid\"; add the \"vrid\" of the foreign routers, "
			"or leave "
			"it out: among its own nodes roost finds the order");
	if (vrid && !priority)
		findings_error(r->findings, vrid->key->at,
			"\"vrid\" without \"priority\"; add what this and the other nodes have, "
			"such as "
			"\"priority: 100\"");
	for (uint32_t i = 0; i < r->config->n_nodes; i++)
		owners += service->priority[i] == 255;
	if (priority && owners > 1)
		findings_error(r->findings, priority->key->at,
			"%u nodes with priority 255; that is for the one router that owns the "
			"addresses, write 254 at most",
			owners);
}

/* The file's own interface, which is one of the configuration's only if a service uses it. */
static int32_t default_interface(struct reading *r)
{
	if (r->interface == INTERFACE_UNREAD)
		r->interface = read_interface(r, r->at[FILE_INTERFACE]);
	return r->interface;
}

/* All that a service says but its VIPs, which need it. */
static void read_options(struct reading *r, const struct tree *value,
	struct config_service *service, struct service_places *places)
{
	struct vrrp_section vrrp = r->vrrp;
	int32_t interface = INTERFACE_BAD;

	memset(vrrp.at, 0, sizeof vrrp.at);
	places->all_known = true;
	if (value->kind == TREE_MAPPING)
		places->all_known =
			schema_read(r->findings, &service_schema, value, service, places->at);
	else
		places->at[SERVICE_VIPS] = value;
	if (places->at[SERVICE_INTERFACE])
		interface = read_interface(r, places->at[SERVICE_INTERFACE]);
	else if (r->at[FILE_INTERFACE])
		interface = default_interface(r);
	else if (r->all_known && places->all_known)
		findings_error(r->findings, value->key->at,
			"the service \"%s\" has no interface; add \"interface: eth0\" to it or to "
			"the top "
			"of the file",
			value->key->text);
	places->has_interface = interface >= 0;
	service->interface = interface >= 0 ? (uint32_t)interface : 0;
	if (places->at[SERVICE_VRRP])
		read_vrrp(r, places->at[SERVICE_VRRP], &vrrp);
	service->vrrp = vrrp.options;
	memcpy(places->vrrp, vrrp.at, sizeof vrrp.at);
	if (places->at[SERVICE_PRIORITY])
		read_priority(r, places->at[SERVICE_PRIORITY], service);
	check_priority(r, service, places);
}

/* A service before this one with the same name, or -1. */
static int32_t find_same_service(const struct config *c, const char *name)
{
	for (uint32_t i = 0; i < c->n_services && name[0] != '\0'; i++)
		if (strcmp(c->services[i].name, name) == 0)
			return (int32_t)i;
	return -1;
}

/* One with a dot is a domain name. False if a service before has it. */
static bool read_service_name(
	struct reading *r, const struct tree *key, struct config_service *service)
{
	const struct config *const c = r->config;
	char name[CONFIG_NAME_SIZE] = "";
	int32_t same;

	if (key->kind == TREE_SCALAR && idn_has_dot(key->text)) {
		value_domain(r->findings, key, "a service", service->name);
	} else if (value_own_name(r->findings, key, "a service", name)) {
		memcpy(service->name, name, sizeof name);
	}
	same = find_same_service(c, service->name);
	if (same >= 0 && strcmp(r->services[same].name->text, key->text) != 0)
		findings_error(r->findings, key->at,
			"the service \"%s\" is there twice; it is on line %u already as \"%s\"",
			key->text, r->services[same].name->at.line, r->services[same].name->text);
	return same < 0;
}

static void read_service(struct reading *r, const struct tree *value)
{
	struct config *const c = r->config;
	struct config_service *const service = &c->services[c->n_services];
	struct service_places *const places = &r->services[c->n_services];
	bool foreign, is_first;

	places->name = value->key;
	schema_defaults(&service_schema, service);
	is_first = read_service_name(r, value->key, service);
	service->first_vip = c->n_vips;
	service->first_bundle = c->n_bundles;
	read_options(r, value, service, places);
	read_service_names(r, is_first ? value->key : NULL, places->at[SERVICE_NAMES]);
	foreign = places->at[SERVICE_VRID];
	if (places->at[SERVICE_VIPS])
		read_vips(r, places->at[SERVICE_VIPS], value->key->text, foreign);
	else if (places->all_known)
		findings_error(r->findings, value->key->at,
			"the service \"%s\" has no VIPs; add \"vips: [10.1.1.201]\"",
			value->key->text);
	service->n_vips = c->n_vips - service->first_vip;
	service->n_bundles = c->n_bundles - service->first_bundle;
	c->n_services++;
}

void read_services(struct reading *r, const struct tree *value)
{
	if (value->kind != TREE_MAPPING || value->n == 0) {
		findings_error(r->findings, value->at,
			"\"services\" names each service and its VIPs, such as \"www: "
			"[10.1.1.201]\", "
			"and this is %s",
			tree_kind_name(value));
		return;
	}
	schema_find_duplicates(r->findings, value, "the service");
	for (const struct tree *entry = value->first; entry; entry = entry->next) {
		if (r->config->n_services == CONFIG_SERVICES_MAX) {
			findings_error(r->findings, entry->key->at, "more than %d services",
				CONFIG_SERVICES_MAX);
			return;
		}
		read_service(r, entry);
	}
}
