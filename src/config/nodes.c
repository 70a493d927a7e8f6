/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The section `nodes:`. */
#include <string.h>

#include "base/assert.h"
#include "config/reading.h"
#include "config/value.h"
#include "idn/idn.h"

enum { NODE_ADDRESS, NODE_ADDRESSES, NODE_WEIGHT, NODE_KEYS };

static const struct schema_key node_keys[] = {
	[NODE_ADDRESS] = {.name = "address"},
	[NODE_ADDRESSES] = {.name = "addresses"},
	[NODE_WEIGHT] =
		{
			.name = "weight",
			.read = value_read_u32,
			.offset = offsetof(struct config_node, weight),
			.least = 1,
			.most = 1000,
			.initial = "1",
		},
};

_Static_assert(ARRAY_SIZE(node_keys) == NODE_KEYS, "a table of all keys");

const struct schema node_schema = {"a node", node_keys, NODE_KEYS};

static void read_addresses(struct reading *r, const struct tree *value, struct config_node *node,
	struct node_places *places)
{
	if (value->kind == TREE_NOTHING || (value->kind == TREE_LIST && value->n == 0)) {
		findings_error(r->findings, value->at,
			"the node \"%s\" has no address; write one that this server has itself",
			node->name);
		return;
	}
	for (const struct tree *entry = value_first(value); entry;
		entry = value_next(value, entry)) {
		struct addr address;
		const char *problem;

		if (!value_address(r->findings, entry, "a node's address", &address))
			continue;
		problem = value_host_problem(&address);
		if (problem) {
			findings_error(r->findings, entry->at,
				"%s is %s; write one that the other nodes reach this server by",
				entry->text, problem);
			continue;
		}
		if (node->n_addresses == CONFIG_NODE_ADDRS_MAX) {
			findings_error(r->findings, entry->at,
				"more than %d addresses for one node; those that it speaks VRRP "
				"from will do",
				CONFIG_NODE_ADDRS_MAX);
			return;
		}
		places->addresses[node->n_addresses] = entry;
		node->addresses[node->n_addresses++] = address;
	}
}

static void read_node(struct reading *r, const struct tree *value, struct config_node *node,
	struct node_places *places)
{
	const struct tree *at[NODE_KEYS];
	bool all_known;

	places->name = value->key;
	schema_defaults(&node_schema, node);
	if (value->kind != TREE_MAPPING || value_is_unquoted_ipv6(value)) {
		read_addresses(r, value, node, places);
		return;
	}
	all_known = schema_read(r->findings, &node_schema, value, node, at);
	if (at[NODE_ADDRESS] && at[NODE_ADDRESSES])
		findings_error(r->findings, at[NODE_ADDRESSES]->key->at,
			"both \"address\" and \"addresses\"; write all in \"addresses\"");
	else if (!at[NODE_ADDRESS] && !at[NODE_ADDRESSES] && all_known)
		findings_error(r->findings, value->key->at,
			"the node \"%s\" has no address; add \"address: ...\"", value->key->text);
	if (at[NODE_ADDRESS])
		read_addresses(r, at[NODE_ADDRESS], node, places);
	else if (at[NODE_ADDRESSES])
		read_addresses(r, at[NODE_ADDRESSES], node, places);
}

/* The same name, once in U-labels and once in A-labels; the same text has been found. */
static void find_same_node(struct reading *r, const struct tree *key, const char *name)
{
	for (uint32_t i = 0; i < r->config->n_nodes; i++)
		if (name[0] != '\0' && strcmp(r->config->nodes[i].name, name) == 0 &&
			strcmp(r->nodes[i].name->text, key->text) != 0)
			findings_error(r->findings, key->at,
				"the node \"%s\" is there twice; it is on line %u already as "
				"\"%s\"",
				key->text, r->nodes[i].name->at.line, r->nodes[i].name->text);
}

void read_nodes(struct reading *r, const struct tree *value)
{
	struct config *const c = r->config;

	if (value->kind != TREE_MAPPING || value->n == 0) {
		findings_error(r->findings,
			value->kind == TREE_NOTHING ? value->key->at : value->at,
			"\"nodes\" names each server and its address, such as \"www1: 10.1.1.2\", "
			"and "
			"this is %s",
			tree_kind_name(value));
		return;
	}
	schema_find_duplicates(r->findings, value, "the node");
	for (const struct tree *entry = value->first; entry; entry = entry->next) {
		struct config_node *const node = &c->nodes[c->n_nodes];

		if (c->n_nodes == CONFIG_NODES_MAX) {
			findings_error(r->findings, entry->key->at,
				"more than %d nodes; roost plans for so many at most",
				CONFIG_NODES_MAX);
			r->nodes_missed = true;
			return;
		}
		if (!value_own_name(r->findings, entry->key, "a node", node->name))
			r->nodes_missed = true;
		find_same_node(r, entry->key, node->name);
		read_node(r, entry, node, &r->nodes[c->n_nodes]);
		c->n_nodes++;
	}
}

int32_t config_find_node_named(const struct config *c, const char *name)
{
	char problem[IDN_PROBLEM_SIZE];
	char ascii[IDN_ASCII_SIZE];
	const bool converted = idn_is_beyond_ascii(name) && idn_to_ascii(name, ascii, problem);
	const char *const wanted = converted ? ascii : name;

	for (uint32_t i = 0; i < c->n_nodes; i++)
		if (strcmp(c->nodes[i].name, wanted) == 0)
			return (int32_t)i;
	return CONFIG_NO_NODE;
}

int32_t read_node_name(struct reading *r, const struct tree *value)
{
	const struct config *const c = r->config;
	const char *names[CONFIG_NODES_MAX];
	char unicode[IDN_UNICODE_SIZE];
	const char *nearest;
	int32_t node;

	if (value->kind != TREE_SCALAR) {
		findings_error(r->findings, value->at,
			"here the name of a node is wanted, and this is %s", tree_kind_name(value));
		return -1;
	}
	node = config_find_node_named(c, value->text);
	if (node != CONFIG_NO_NODE)
		return node;
	if (r->nodes_missed)
		return -1; /* it may be one of those */
	for (uint32_t i = 0; i < c->n_nodes; i++)
		names[i] = c->nodes[i].name;
	nearest = schema_nearest(value->text, names, c->n_nodes);
	if (nearest)
		findings_error(r->findings, value->at,
			"there is no node \"%s\"; did you mean \"%s\"?", value->text,
			idn_to_unicode(nearest, unicode, sizeof unicode));
	else
		findings_error(r->findings, value->at,
			"there is no node \"%s\"; it must be one of those in \"nodes\"",
			value->text);
	return -1;
}
