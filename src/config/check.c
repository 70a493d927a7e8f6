/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What only shows when the file is seen as a whole. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "config/reading.h"
#include "config/value.h"

/* What one advertisement can list (RFC 9568 5.2.5: one byte counts the addresses). */
#define ROUTER_VIPS_MAX 255

#define NOT_A_NODE (-1)

static const char *const family_names[FAMILY_COUNT] = {
	[FAMILY_IPV4] = "IPv4", [FAMILY_IPV6] = "IPv6"};

/* An address and who claims it: a node, or a service for a VIP. */
struct claim {
	struct addr address;
	const struct tree *at;
	int32_t node; /* or NOT_A_NODE: a VIP */
};

struct claims {
	struct claim *list; /* by address, then as the file has them */
	uint32_t n;
};

static int by_address_and_place(const void *left, const void *right)
{
	const struct claim *const a = left;
	const struct claim *const b = right;
	const int order = addr_compare(&a->address, &b->address);

	if (order != 0)
		return order;
	if (a->at->at.line != b->at->at.line)
		return a->at->at.line < b->at->at.line ? -1 : 1;
	return a->at->at.column < b->at->at.column ? -1 : a->at->at.column > b->at->at.column;
}

static int by_address(const void *left, const void *right)
{
	const struct addr *const address = left;
	const struct claim *const claim = right;

	return addr_compare(address, &claim->address);
}

/* False if there is no memory. */
static bool collect_claims(const struct reading *r, struct claims *ret_claims)
{
	const struct config *const c = r->config;
	struct claims claims = {0};

	claims.list =
		calloc(c->n_vips + CONFIG_NODES_MAX * CONFIG_NODE_ADDRS_MAX, sizeof *claims.list);
	if (!claims.list)
		return false;
	for (uint32_t i = 0; i < c->n_nodes; i++)
		for (uint32_t j = 0; j < c->nodes[i].n_addresses; j++)
			claims.list[claims.n++] = (struct claim){
				.address = c->nodes[i].addresses[j],
				.at = r->nodes[i].addresses[j],
				.node = (int32_t)i,
			};
	for (uint32_t i = 0; i < c->n_vips; i++)
		claims.list[claims.n++] = (struct claim){
			.address = c->vips[i].address,
			.at = r->vips[i],
			.node = NOT_A_NODE,
		};
	qsort(claims.list, claims.n, sizeof *claims.list, by_address_and_place);
	*ret_claims = claims;
	return true;
}

/* @n claims to one address. */
static void check_rivals(struct reading *r, const struct claim *claims, uint32_t n)
{
	const struct claim *node = NULL;
	const struct claim *vip = NULL;

	for (uint32_t i = 0; i < n && !node; i++)
		if (claims[i].node != NOT_A_NODE)
			node = &claims[i];
	for (uint32_t i = 0; i < n; i++) {
		const struct claim *const claim = &claims[i];

		if (claim->node != NOT_A_NODE) {
			if (claim != node)
				findings_error(r->findings, claim->at->at,
					"the address %s is there twice; the node \"%s\" has it on "
					"line %u already",
					claim->at->text, r->config->nodes[node->node].name,
					node->at->at.line);
		} else if (node) {
			findings_error(r->findings, claim->at->at,
				"%s is the node \"%s\" itself (line %u); a VIP is an address that "
				"no "
				"server has as its own",
				claim->at->text, r->config->nodes[node->node].name,
				node->at->at.line);
		} else if (vip) {
			findings_error(r->findings, claim->at->at,
				"the VIP %s is there twice; it is on line %u already",
				claim->at->text, vip->at->at.line);
		} else {
			vip = claim;
		}
	}
}

static void check_addresses(struct reading *r, const struct claims *claims)
{
	uint32_t first = 0;

	for (uint32_t i = 1; i <= claims->n; i++) {
		if (i < claims->n &&
			addr_equal(&claims->list[i].address, &claims->list[first].address))
			continue;
		if (i - first > 1)
			check_rivals(r, &claims->list[first], i - first);
		first = i;
	}
}

/* @value is that of a `peers:` key, or NULL. */
static void check_peers(struct reading *r, const struct claims *claims, const struct tree *value)
{
	if (!value)
		return;
	for (const struct tree *entry = value_first(value); entry;
		entry = value_next(value, entry)) {
		const struct claim *claim;
		struct addr peer;

		if (!addr_parse(entry->text, &peer) || claims->n == 0)
			continue;
		claim = bsearch(&peer, claims->list, claims->n, sizeof *claims->list, by_address);
		if (!claim)
			continue;
		if (claim->node == NOT_A_NODE)
			findings_error(r->findings, entry->at,
				"the peer %s is a VIP (line %u); write the address that the router "
				"itself has",
				entry->text, claim->at->at.line);
		else
			findings_warning(r->findings, entry->at,
				"%s is the node \"%s\", which is a peer anyway; leave it out",
				entry->text, r->config->nodes[claim->node].name);
	}
}

/* How many VIPs of each family the service has, and the first of each. */
static void count_families(const struct reading *r, const struct config_service *service,
	uint32_t ret_counts[static FAMILY_COUNT], const struct tree *ret_first[static FAMILY_COUNT])
{
	for (enum family f = 0; f < FAMILY_COUNT; f++) {
		ret_counts[f] = 0;
		ret_first[f] = NULL;
	}
	for (uint32_t i = 0; i < service->n_vips; i++) {
		const uint32_t vip = service->first_vip + i;
		const enum family f = addr_family(&r->config->vips[vip].address);

		if (ret_counts[f]++ == 0)
			ret_first[f] = r->vips[vip];
	}
}

static bool node_has_family(const struct config_node *node, enum family family)
{
	for (uint32_t i = 0; i < node->n_addresses; i++)
		if (addr_family(&node->addresses[i]) == family)
			return true;
	return false;
}

/* The virtual routers of a service's VIPs need something of each node; @reported: of each family and node. */
struct needs {
	bool reported[FAMILY_COUNT][CONFIG_NODES_MAX];
};

static void check_unicast(struct reading *r, const struct config_service *service,
	enum family family, struct needs *needs)
{
	const struct config *const c = r->config;

	for (uint32_t i = 0; i < c->n_nodes; i++) {
		/* One without any address has been reported for that. */
		if (node_has_family(&c->nodes[i], family) || c->nodes[i].n_addresses == 0 ||
			needs->reported[family][i])
			continue;
		needs->reported[family][i] = true;
		findings_error(r->findings, r->nodes[i].name->at,
			"the node \"%s\" has no %s address; the unicast of the service \"%s\", "
			"which "
			"has %s VIPs, needs one",
			c->nodes[i].name, family_names[family], service->name,
			family_names[family]);
	}
}

static void check_service(struct reading *r, uint32_t index, struct needs *needs)
{
	const struct config_service *const service = &r->config->services[index];
	const struct service_places *const places = &r->services[index];
	const struct tree *first[FAMILY_COUNT];
	uint32_t counts[FAMILY_COUNT];

	count_families(r, service, counts, first);
	if (service->vrrp.version == 2 && first[FAMILY_IPV6])
		findings_error(r->findings, first[FAMILY_IPV6]->at,
			"VRRP version 2, which the service \"%s\" speaks, has no IPv6; put IPv6 "
			"VIPs "
			"into a service with \"version: 3\"",
			service->name);
	for (enum family f = 0; f < FAMILY_COUNT; f++) {
		if (places->at[SERVICE_VRID] && counts[f] > ROUTER_VIPS_MAX)
			findings_error(r->findings, places->at[SERVICE_VRID]->at,
				"%u %s VIPs with one VRID, and a virtual router has %u at most; "
				"divide the service",
				counts[f], family_names[f], ROUTER_VIPS_MAX);
		if (service->vrrp.unicast && counts[f] > 0)
			check_unicast(r, service, f, needs);
	}
}

/* The virtual routers of one interface and family. */
struct vrid_use {
	const struct tree *pinned[256]; /* by whose `vrid:` */
	uint32_t needed;                /* by roost's own, at the very least */
};

static void count_vrids(struct reading *r, struct vrid_use use[][FAMILY_COUNT])
{
	for (uint32_t i = 0; i < r->config->n_services; i++) {
		const struct config_service *const service = &r->config->services[i];
		const struct tree *const vrid = r->services[i].at[SERVICE_VRID];
		const struct tree *first[FAMILY_COUNT];
		uint32_t counts[FAMILY_COUNT];

		if (!r->services[i].has_interface)
			continue;
		count_families(r, service, counts, first);
		for (enum family f = 0; f < FAMILY_COUNT; f++) {
			struct vrid_use *const u = &use[service->interface][f];
			const struct tree **const pin = &u->pinned[service->foreign_vrid];

			if (!vrid)
				u->needed += (counts[f] + ROUTER_VIPS_MAX - 1) / ROUTER_VIPS_MAX;
			else if (counts[f] > 0 && *pin)
				findings_error(r->findings, vrid->at,
					"the VRID %s is there twice for %s on %s; line %u has it "
					"already",
					vrid->text, family_names[f],
					r->config->interfaces[service->interface].name,
					(*pin)->at.line);
			else if (counts[f] > 0 && service->foreign_vrid > 0)
				*pin = vrid;
		}
	}
}

/* A lower bound; what the plan needs on top, it says itself. */
static void check_vrids(struct reading *r)
{
	struct vrid_use(*use)[FAMILY_COUNT] = calloc(CONFIG_INTERFACES_MAX, sizeof *use);
	const struct tree *const given = r->vrrp.at[VRRP_VRIDS];

	if (!use) {
		findings_error(r->findings, (struct place){0}, "out of memory");
		return;
	}
	count_vrids(r, use);
	for (uint32_t i = 0; i < r->config->n_interfaces * FAMILY_COUNT; i++) {
		const struct config_interface *const in = &r->config->interfaces[i / FAMILY_COUNT];
		const struct vrid_use *const u = &use[i / FAMILY_COUNT][i % FAMILY_COUNT];
		uint32_t free_ids = 0;

		for (uint32_t j = 0; j < in->vrid_count; j++)
			free_ids += !u->pinned[(in->vrid_first - 1u + j) % 255 + 1];
		if (u->needed <= free_ids)
			continue;
		findings_error(r->findings, given ? given->at : r->at[FILE_SERVICES]->key->at,
			"%s needs at least %u VRIDs for the %s VIPs of its services, and has %u to "
			"give; %s",
			in->name, u->needed, family_names[i % FAMILY_COUNT], free_ids,
			given ? "widen the range" : "put some services together");
	}
	free(use);
}

/* What @vip has to do with the network @p: its lowest or highest address has a meaning of its own. */
static const char *edge_name(const struct prefix *p, const struct addr *vip)
{
	bool ones = true;
	bool zeros = true;

	/* RFC 3021: a /31 has no such */
	if (!addr_is_ipv4(vip) || p->len > 126)
		return NULL;
	for (uint32_t bit = p->len; bit < 128; bit++) {
		const bool set = vip->b[bit / 8] >> (7 - bit % 8) & 1;

		ones = ones && set;
		zeros = zeros && !set;
	}
	return ones ? "broadcast" : zeros ? "network" : NULL;
}

/* One that VIPs can be in: a /32 or /128 is an address (perhaps a VIP that is held), not a network. */
static bool is_network_of(const struct config_subnet *subnet, const char *interface)
{
	return subnet->prefix.len < 128 && !addr_is_link_local(&subnet->prefix.addr) &&
	       strncmp(subnet->interface, interface, sizeof subnet->interface) == 0;
}

/* "10.1.1.0/24, 10.2.0.0/16": the networks of @family that the interface has; "none" without any. */
static void list_networks(const struct config_machine *m, const char *interface, enum family family,
	char *buffer, size_t size)
{
	size_t used = 0;

	snprintf(buffer, size, "none");
	for (uint32_t i = 0; i < m->n_subnets && used < size; i++) {
		const struct prefix *const p = &m->subnets[i].prefix;
		char text[ADDR_STRLEN];
		struct addr network = p->addr;
		uint32_t len = p->len;

		if (!is_network_of(&m->subnets[i], interface) || addr_family(&p->addr) != family)
			continue;
		for (uint32_t bit = len; bit < 128; bit++)
			network.b[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
		if (family == FAMILY_IPV4)
			len -= 96;
		used += (size_t)snprintf(buffer + used, size - used, "%s%s/%u",
			used > 0 ? ", " : "", addr_format(&network, text), len);
	}
}

static void check_subnet(struct reading *r, uint32_t vip)
{
	const struct config_machine *const m = r->machine;
	const struct addr *const address = &r->config->vips[vip].address;
	const struct config_service *const s = &r->config->services[r->config->vips[vip].service];
	const char *const interface = r->config->interfaces[s->interface].name;
	char networks[512];

	for (uint32_t i = 0; i < m->n_subnets; i++) {
		const char *edge;

		if (!is_network_of(&m->subnets[i], interface) ||
			!prefix_contains(&m->subnets[i].prefix, address))
			continue;
		edge = edge_name(&m->subnets[i].prefix, address);
		if (edge)
			findings_error(r->findings, r->vips[vip]->at,
				"%s is the %s address of a network of %s; write one in between",
				r->vips[vip]->text, edge, interface);
		return;
	}
	list_networks(m, interface, addr_family(address), networks, sizeof networks);
	findings_error(r->findings, r->vips[vip]->at,
		"%s is in no network of %s; its %s networks here: %s", r->vips[vip]->text,
		interface, family_names[addr_family(address)], networks);
}

static bool has_network(const struct config_machine *m, const char *interface)
{
	for (uint32_t i = 0; i < m->n_subnets; i++)
		if (is_network_of(&m->subnets[i], interface))
			return true;
	return false;
}

/* On any other machine, an interface of the same name means nothing. */
static bool is_node(const struct config_machine *m, const struct config *c)
{
	for (uint32_t i = 0; i < m->n_subnets; i++)
		if (config_find_node(c, &m->subnets[i].prefix.addr) != CONFIG_NO_NODE)
			return true;
	return false;
}

static void check_subnets(struct reading *r)
{
	const struct config *const c = r->config;
	bool warned[CONFIG_INTERFACES_MAX] = {false};

	for (uint32_t i = 0; i < c->n_services; i++) {
		const struct config_service *const service = &c->services[i];
		const struct service_places *const places = &r->services[i];
		const struct tree *at = places->at[SERVICE_INTERFACE];

		if (!places->has_interface || warned[service->interface])
			continue;
		if (has_network(r->machine, c->interfaces[service->interface].name)) {
			for (uint32_t j = 0; j < service->n_vips; j++)
				check_subnet(r, service->first_vip + j);
			continue;
		}
		at = at ? at : r->at[FILE_INTERFACE];
		warned[service->interface] = true;
		findings_warning(r->findings, at->at,
			"%s has no network on this machine, so its VIPs were not compared with any",
			at->text);
	}
}

/* Signing is for all services alike, and strangers may know nothing of it. */
static void check_auth(struct reading *r)
{
	const struct config *const c = r->config;

	if (c->auth.mode < CONFIG_AUTH_PERMISSIVE)
		return;
	for (uint32_t i = 0; i < c->n_services; i++) {
		const struct config_service *const service = &c->services[i];

		if (service->foreign_vrid == 0)
			continue;
		findings_warning(r->findings, r->auth_mode->at,
			c->auth.mode == CONFIG_AUTH_ENFORCE
				? "the routers that share the service \"%s\" must sign as well; "
				  "otherwise they and we hear nothing of each other, and all serve"
				: "the routers that share the service \"%s\" must know "
				  "signatures; keepalived before 2.4 refuses what is signed, and "
				  "then both serve",
			service->name);
	}
}

void check_whole(struct reading *r)
{
	const struct config *const c = r->config;
	struct needs needs = {0};
	struct claims claims;

	if (!collect_claims(r, &claims)) {
		findings_error(r->findings, (struct place){0}, "out of memory");
		return;
	}
	check_addresses(r, &claims);
	check_peers(r, &claims, r->vrrp.at[VRRP_PEERS]);
	for (uint32_t i = 0; i < c->n_services; i++) {
		check_service(r, i, &needs);
		check_peers(r, &claims, r->services[i].vrrp[VRRP_PEERS]);
	}
	free(claims.list);
	check_vrids(r);
	check_auth(r);
	if (c->fence == CONFIG_FENCE_OFF)
		findings_warning(r->findings, r->at[FILE_FENCE]->at,
			"without a fence, a daemon that hangs serves on beside the one that takes "
			"over");
	if (r->machine && is_node(r->machine, c))
		check_subnets(r);
	if (c->n_nodes == 1 && !r->nodes_missed)
		findings_warning(r->findings, r->nodes[0].name->at,
			"a single node has nobody to hand its VIPs to; name the others as well");
}
