/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/daemon_state.h"

#include <string.h>

/* An IPv6 address that has just come is not usable for a second or two (RFC 4862 5.4). */
#define MUTE_LIMIT tick_s(4)

static bool is_of(const struct plan_router *p, uint32_t interface, enum family family)
{
	return p->interface == interface && p->family == family;
}

static bool needs_group(const struct daemon *d, uint32_t interface, enum family family)
{
	const struct plan *p = d->setup.plan;

	for (uint32_t i = 0; i < p->n_routers; i++)
		if (is_of(&p->routers[i], interface, family) &&
			!d->setup.config->services[p->routers[i].service].vrrp.unicast)
			return true;
	return false;
}

/* Whether there are VIPs that are not served for want of an address. */
static bool is_mute(const struct daemon *d, uint32_t interface, enum family family,
	const struct node_interface *link)
{
	const struct plan *p = d->setup.plan;

	for (uint32_t i = 0; i < p->n_routers && link->up; i++)
		if (is_of(&p->routers[i], interface, family) &&
			!node_can_speak(&d->node->setup, i, link))
			return true;
	return false;
}

/* Nothing else would tell, and an IPv6 address is not usable at once. */
static void watch_source(
	struct daemon *d, uint32_t interface, enum family family, const struct node_interface *link)
{
	struct told *told = &d->told[interface];
	const char *name = d->setup.config->interfaces[interface].name;
	const char *family_name = family == FAMILY_IPV4 ? "IPv4" : "IPv6";

	if (!is_mute(d, interface, family, link)) {
		if (told->mute_said[family] && link->up)
			journal_line(d->journal, JOURNAL_NOTICE,
				"link: %s has an %s address to speak from again", name,
				family_name);
		told->mute_said[family] = false;
		told->mute_since[family] = 0;
		return;
	}
	if (told->mute_since[family] == 0)
		told->mute_since[family] = d->now;
	if (told->mute_said[family] || tick_since(d->now, told->mute_since[family]) < MUTE_LIMIT)
		return;
	journal_line(d->journal, JOURNAL_WARNING,
		"link: %s has no %s address %s are not served here", name, family_name,
		addr_is_none(&link->sources[family]) ? "to speak from; its VIPs"
						     : "of this node; its unicast VIPs");
	told->mute_said[family] = true;
}

/* Who can't hear the others must not take part: without the group a family has no source. */
static void join_group(
	struct daemon *d, uint32_t interface, enum family family, struct node_interface *link)
{
	struct told *told = &d->told[interface];
	const uint32_t ifindex = d->links->links[interface].ifindex;
	int error;

	if (told->joined[family] || addr_is_none(&link->sources[family]) || !link->up ||
		!needs_group(d, interface, family))
		return;
	error = raw_join(d->raw, family, ifindex);
	told->joined[family] = error == 0;
	if (error == 0)
		return;
	journal_line(d->journal, JOURNAL_WARNING, "link: cannot join the VRRP group on %s: %s",
		d->setup.config->interfaces[interface].name, strerror(-error));
	link->sources[family] = addr_none;
	d->retry_at = tick_add(d->now, tick_s(1));
}

static bool is_told(const struct told *told, const struct node_interface *link, uint32_t ifindex)
{
	return told->ifindex == ifindex && told->link.up == link->up &&
	       told->link.spell == link->spell &&
	       memcmp(told->link.mac, link->mac, sizeof told->link.mac) == 0 &&
	       addr_equal(&told->link.sources[FAMILY_IPV4], &link->sources[FAMILY_IPV4]) &&
	       addr_equal(&told->link.sources[FAMILY_IPV6], &link->sources[FAMILY_IPV6]);
}

static void tell_link(struct daemon *d, uint32_t interface)
{
	struct told *told = &d->told[interface];
	const uint32_t ifindex = d->links->links[interface].ifindex;
	struct board_message m = {
		.event = {.kind = NODE_EV_LINK, .interface = interface},
		.ifindex = ifindex,
	};

	for (int f = 0; f < FAMILY_COUNT && told->ifindex != ifindex; f++) {
		if (told->joined[f])
			raw_leave(d->raw, (enum family)f, told->ifindex);
		told->joined[f] = false;
	}
	m.event.link = links_node_interface(d->links, interface);
	for (int f = 0; f < FAMILY_COUNT; f++) {
		watch_source(d, interface, (enum family)f, &m.event.link);
		join_group(d, interface, (enum family)f, &m.event.link);
	}
	if (is_told(told, &m.event.link, ifindex))
		return;
	if (!board_post(d->board, &m)) {
		d->retry_at = tick_min(d->retry_at, tick_add(d->now, RETRY_SOON));
		return;
	}
	told->link = m.event.link;
	told->ifindex = ifindex;
	board_kick_fast(d->board);
}

void daemon_tell_links(struct daemon *d)
{
	for (uint32_t i = 0; i < d->setup.config->n_interfaces; i++)
		tell_link(d, i);
}
