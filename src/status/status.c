/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "status/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "status/document.h"

static const char *const command_names[] = {
	[STATUS_COMMAND_STATUS] = "status",
	[STATUS_COMMAND_HOLDERS] = "holders",
	[STATUS_COMMAND_DRAIN] = "drain",
	[STATUS_COMMAND_UNDRAIN] = "undrain",
	[STATUS_COMMAND_RELOAD] = "reload",
};

static json_t *address_or_null(const struct addr *a)
{
	char text[ADDR_STRLEN];

	return addr_is_none(a) ? json_null() : json_string(addr_format(a, text));
}

/* The wall clock's time at @at, a tick in the past. */
static json_t *wall_time(const struct status_input *in, tick at)
{
	const tick age = tick_since(in->now, at);
	const time_t wall_s = (time_t)((in->wall_ns > age ? in->wall_ns - age : 0) / tick_s(1));
	char text[sizeof "2026-11-22T19:00:00Z"];
	struct tm tm;

	if (!gmtime_r(&wall_s, &tm) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_string(text);
}

static const char *state_name(const struct node *n)
{
	if (n->stopping)
		return "stopping";
	if (n->drained)
		return "drained";
	return n->kernel_ill ? "ill" : "serving";
}

static json_t *node_name_or_null(const struct config *c, int32_t node)
{
	return node == CONFIG_NO_NODE ? json_null() : json_string(c->nodes[node].name);
}

/* Who serves @unit without being a node of ours, as far as heard; NULL if nobody does. */
static const struct addr *stranger_of(const struct node_unit *unit, int32_t holder, tick now)
{
	const struct vrrp *v = &unit->vrrp;

	if (holder != CONFIG_NO_NODE || v->state != VRRP_BACKUP || addr_is_none(&v->active))
		return NULL;
	return now < v->served_until ? &v->active : NULL;
}

/* Why the holder is the holder: this node's own story if it serves, else what the order says. */
static const char *reason_of(const struct node *n, const struct node_unit *u, int32_t holder)
{
	const struct plan *plan = n->setup.plan;

	if (u->vrrp.state != VRRP_BACKUP || holder == CONFIG_NO_NODE)
		return vrrp_reason_text(u->vrrp.why);
	if (plan_place(plan, plan->routers[u->router].order, (uint32_t)holder) == 0)
		return "it comes first in the order";
	return "no node before it in the order serves";
}

/* Since when the holder holds, as far as this node has heard. */
static tick since_of(const struct status_input *in, const struct vrrp *v, int32_t holder)
{
	const bool elsewhere = v->state == VRRP_BACKUP && holder != CONFIG_NO_NODE;

	/* a unit that has never changed its state is as old as the daemon */
	return tick_max(elsewhere ? v->active_since : v->since, in->started);
}

static json_t *order_names(const struct status_input *in, uint32_t bundle)
{
	const struct node_setup *setup = &in->node->setup;
	const uint8_t *order = plan_order(setup->plan, bundle);
	json_t *names = json_array();

	for (uint32_t place = 0; place < setup->plan->n_nodes; place++)
		document_append(&names, json_string(setup->config->nodes[order[place]].name));
	return names;
}

/* Who else answers for @vip; NULL if nobody does. */
static const struct conflict_vip *conflict_of(const struct status_input *in, uint32_t vip)
{
	const struct conflict *c = in->strangers.conflict;

	return c && c->vips[vip].since ? &c->vips[vip] : NULL;
}

static json_t *conflict_object(
	const struct status_input *in, const struct conflict_vip *conflict, bool yielded)
{
	char mac[NEIGHBOUR_MAC_STRLEN];
	json_t *o = json_object();

	document_put(&o, "mac", json_string(neighbour_format_mac(conflict->mac, mac)));
	document_put(&o, "since", wall_time(in, conflict->since));
	document_put(&o, "since_s", document_seconds(tick_since(in->now, conflict->since)));
	document_put(&o, "heard_s", document_seconds(tick_since(in->now, conflict->heard)));
	document_put(&o, "yielded", json_boolean(yielded));
	return o;
}

/* @order is borrowed: the VIPs of a bundle share it. */
static json_t *vip_object(
	const struct status_input *in, uint32_t vip, int32_t holder, json_t *order)
{
	const struct node *n = in->node;
	const struct config *c = n->setup.config;
	const struct node_unit *unit = &n->units[n->vips[vip].unit];
	const struct vrrp *v = &unit->vrrp;
	const struct plan_router *router = &n->setup.plan->routers[unit->router];
	const struct addr *stranger = stranger_of(unit, holder, in->now);
	const struct conflict_vip *conflict = conflict_of(in, vip);
	const tick since = since_of(in, v, holder);
	json_t *o = json_object();

	document_put(&o, "address", address_or_null(&c->vips[vip].address));
	document_put(&o, "service", json_string(c->services[c->vips[vip].service].name));
	document_put(&o, "interface", json_string(c->interfaces[router->interface].name));
	document_put(&o, "vrid", document_number(router->vrid));
	document_put(&o, "state", json_string(vrrp_state_name(v->state)));
	document_put(&o, "holder", node_name_or_null(c, holder));
	if (stranger)
		document_put(&o, "stranger", address_or_null(stranger));
	document_put(&o, "order", json_incref(order));
	document_put(&o, "place", document_number(unit->place));
	document_put(&o, "priority", document_number(v->priority));
	document_put(&o, "held", json_boolean(n->vips[vip].observed != VRRP_HOLD_NONE));
	document_put(&o, "since", wall_time(in, since));
	document_put(&o, "since_s", document_seconds(tick_since(in->now, since)));
	document_put(&o, "why", json_string(reason_of(n, unit, holder)));
	if (conflict)
		document_put(&o, "conflict", conflict_object(in, conflict, n->vips[vip].yielded));
	return o;
}

/* On the way, counts in @held how many VIPs each node holds. */
static json_t *vips_array(const struct status_input *in, uint32_t held[static CONFIG_NODES_MAX])
{
	const struct config *c = in->node->setup.config;
	json_t *vips = json_array(), *order = NULL;
	uint32_t bundle = UINT32_MAX;

	for (uint32_t i = 0; i < c->n_vips; i++) {
		const int32_t holder = node_holder(in->node, i, in->now);

		if (holder != CONFIG_NO_NODE)
			held[holder]++;
		if (c->vips[i].bundle != bundle) {
			bundle = c->vips[i].bundle;
			json_decref(order);
			order = order_names(in, bundle);
		}
		document_append(&vips, vip_object(in, i, holder, order));
	}
	json_decref(order);
	return vips;
}

static json_t *node_object(const struct status_input *in, uint32_t index, uint32_t n_held)
{
	const struct config_node *node = &in->node->setup.config->nodes[index];
	const struct node_peer *peer = &in->node->peers[index];
	const tick silence = tick_since(in->now, peer->heard);
	json_t *addresses = json_array();
	json_t *o = json_object();

	for (uint32_t i = 0; i < node->n_addresses; i++)
		document_append(&addresses, address_or_null(&node->addresses[i]));
	document_put(&o, "name", json_string(node->name));
	document_put(&o, "addresses", addresses);
	document_put(&o, "weight", document_number(node->weight));
	document_put(&o, "self", json_boolean(index == in->node->setup.self));
	document_put(&o, "heard_s", peer->heard == 0 ? json_null() : document_seconds(silence));
	document_put(&o, "vips", document_number(n_held));
	document_put(&o, "adverts", document_number(peer->adverts));
	document_put(&o, "missed", document_number(peer->missed));
	return o;
}

static json_t *nodes_array(
	const struct status_input *in, const uint32_t held[static CONFIG_NODES_MAX])
{
	json_t *nodes = json_array();

	for (uint32_t i = 0; i < in->node->setup.config->n_nodes; i++)
		document_append(&nodes, node_object(in, i, held[i]));
	return nodes;
}

static json_t *interfaces_array(const struct node *n)
{
	const struct config *c = n->setup.config;
	json_t *interfaces = json_array();

	for (uint32_t i = 0; i < c->n_interfaces; i++) {
		const struct node_interface *link = &n->interfaces[i];
		json_t *o = json_object();

		document_put(&o, "name", json_string(c->interfaces[i].name));
		document_put(&o, "up", json_boolean(link->up));
		document_put(&o, "ipv4", address_or_null(&link->sources[FAMILY_IPV4]));
		document_put(&o, "ipv6", address_or_null(&link->sources[FAMILY_IPV6]));
		document_append(&interfaces, o);
	}
	return interfaces;
}

static json_t *fence_object(const struct status_fence *f)
{
	json_t *dropped = json_object();
	json_t *o = json_object();

	document_put(&dropped, "arriving_data", document_number(f->arriving_data));
	document_put(&dropped, "arriving_neighbour", document_number(f->arriving_neighbour));
	document_put(&dropped, "leaving_data", document_number(f->leaving_data));
	document_put(&dropped, "leaving_neighbour", document_number(f->leaving_neighbour));
	document_put(&o, "mechanism", json_string(f->mechanism));
	document_put(&o, "protected", json_boolean(f->is_full));
	document_put(&o, "reason", f->reason ? json_string(f->reason) : json_null());
	document_put(&o, "inherited", json_boolean(f->inherited));
	document_put(&o, "dropped", dropped);
	return o;
}

static json_t *counters_object(const struct node_counters *k)
{
	json_t *o = json_object();

	document_put(&o, "sent", document_number(k->sent));
	document_put(&o, "announced", document_number(k->announced));
	document_put(&o, "takeovers", document_number(k->takeovers));
	document_put(&o, "conflicts", document_number(k->conflicts));
	document_put(&o, "missed", document_number(k->missed));
	document_put(&o, "late_turns", document_number(k->late_turns));
	document_put(&o, "lapses", document_number(k->lapses));
	document_put(&o, "own_source", document_number(k->own_source));
	document_put(&o, "unknown_peer", document_number(k->unknown_peer));
	document_put(&o, "not_ours", document_number(k->not_ours));
	document_put(&o, "wrong_version", document_number(k->wrong_version));
	document_put(&o, "wrong_interval", document_number(k->wrong_interval));
	document_put(&o, "list_mismatch", document_number(k->list_mismatch));
	for (enum advert_verdict i = 0; i < ADVERT_VERDICTS; i++)
		document_put(&o, advert_verdict_name(i), document_number(k->received[i]));
	for (enum auth_verdict i = 0; i < AUTH_VERDICTS; i++)
		document_put(&o, auth_verdict_name(i), document_number(k->auth[i]));
	return o;
}

static void put_strangers(json_t **counters, const struct status_strangers *s)
{
	const struct conflict_counters *k;

	if (!s->conflict)
		return;
	k = &s->conflict->counters;
	document_put(counters, "strange_claims", document_number(k->claims));
	document_put(counters, "address_conflicts", document_number(k->conflicts));
	document_put(counters, "defences", document_number(k->defences));
	document_put(counters, "yields", document_number(k->yields));
	document_put(counters, "questions", document_number(k->questions));
	document_put(counters, "probes", document_number(k->probes));
	document_put(counters, "conflicts_unsaid", document_number(k->unsaid));
	for (enum neighbour_verdict i = 0; i < NEIGHBOUR_VERDICTS; i++)
		document_put(counters, neighbour_verdict_name(i), document_number(s->verdicts[i]));
	document_put(counters, "neighbour_own", document_number(s->own));
	document_put(counters, "neighbour_dropped", document_number(s->dropped));
}

/* Renders and releases @document, which may be NULL. */
char *status_render(const struct status_input *in)
{
	const struct node *n = in->node;
	const struct config *c = n->setup.config;
	uint32_t held[CONFIG_NODES_MAX] = {0};
	json_t *counters = counters_object(&n->counters), *o = json_object();

	ASSERT(n->setup.self < c->n_nodes && c->n_nodes <= CONFIG_NODES_MAX);
	put_strangers(&counters, &in->strangers);
	document_put(&o, "version", json_string(in->version));
	document_put(&o, "node", json_string(c->nodes[n->setup.self].name));
	document_put(&o, "cluster", json_string(c->cluster));
	document_put(&o, "state", json_string(state_name(n)));
	document_put(&o, "uptime_s", document_seconds(tick_since(in->now, in->started)));
	document_put(&o, "redundancy", document_number(n->redundancy));
	document_put(&o, "vips", vips_array(in, held));
	document_put(&o, "nodes", nodes_array(in, held));
	document_put(&o, "interfaces", interfaces_array(n));
	document_put(&o, "fence", fence_object(&in->fence));
	document_put(&o, "counters", counters);
	return document_text(o);
}

/* A VIP that was left to a machine that answers for it is advertised, but not served. */
static bool is_served(const struct node *n, uint32_t vip, tick now)
{
	const int32_t holder = node_holder(n, vip, now);

	if (n->vips[vip].yielded)
		return false;
	return holder != CONFIG_NO_NODE || stranger_of(&n->units[n->vips[vip].unit], holder, now);
}

char *status_render_holders(const struct node *n, tick now)
{
	const struct config *c = n->setup.config;
	json_t *held = json_array(), *unheld = json_array(), *o = json_object();

	for (uint32_t i = 0; i < c->n_vips; i++)
		document_append(is_served(n, i, now) ? &held : &unheld,
			address_or_null(&c->vips[i].address));
	document_put(&o, "node", json_string(c->nodes[n->setup.self].name));
	document_put(&o, "vips", document_number(c->n_vips));
	document_put(&o, "held", held);
	document_put(&o, "unheld", unheld);
	return document_text(o);
}

static enum status_command command_of(const json_t *name)
{
	for (enum status_command i = STATUS_COMMAND_STATUS; i <= STATUS_COMMAND_RELOAD; i++)
		if (strcmp(json_string_value(name), command_names[i]) == 0)
			return i;
	return STATUS_COMMAND_NONE;
}

enum status_command status_parse_request(const char *line, size_t size, const char **ret_error)
{
	enum status_command command = STATUS_COMMAND_NONE;
	const char *error = NULL;
	const json_t *name;
	json_t *request;

	if (size > STATUS_REQUEST_SIZE_MAX) {
		*ret_error = "the request is too long";
		return STATUS_COMMAND_NONE;
	}
	request = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	name = json_object_get(request, "command");
	if (!json_is_object(request))
		error = "the request is not one JSON object";
	else if (!json_is_string(name))
		error = "the request has no \"command\" that is a string";
	else if (json_object_size(request) != 1)
		error = "the request has a key other than \"command\"";
	else if ((command = command_of(name)) == STATUS_COMMAND_NONE)
		error = "the command is none of status, holders, drain, undrain and reload";
	json_decref(request);
	if (error)
		*ret_error = error;
	return command;
}

char *status_render_done(enum status_command command)
{
	json_t *o = json_object();

	ASSERT(command > STATUS_COMMAND_NONE && command <= STATUS_COMMAND_RELOAD);
	document_put(&o, "done", json_string(command_names[command]));
	return document_text(o);
}

char *status_render_error(const char *text)
{
	json_t *message = json_string(text);
	json_t *o = json_object();

	document_put(&o, "error", message ? message : json_string("an error that is not UTF-8"));
	return document_text(o);
}
