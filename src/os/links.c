/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/links.h"

#include <string.h>

#include "base/assert.h"

void links_init(struct links *l, const struct config *config, uint32_t self)
{
	ASSERT(self < config->n_nodes && config->n_interfaces <= CONFIG_INTERFACES_MAX);
	*l = (struct links){.config = config, .self = self};
}

void links_forget(struct links *l)
{
	links_init(l, l->config, l->self);
}

int32_t links_find(const struct links *l, uint32_t ifindex)
{
	for (uint32_t i = 0; i < l->config->n_interfaces; i++)
		if (ifindex != 0 && l->links[i].ifindex == ifindex)
			return (int32_t)i;
	return -1;
}

static int32_t find_name(const struct links *l, const char *name)
{
	for (uint32_t i = 0; i < l->config->n_interfaces; i++)
		if (strcmp(l->config->interfaces[i].name, name) == 0)
			return (int32_t)i;
	return -1;
}

static void see_other(struct links *l, const struct netlink_link *news)
{
	uint32_t at = 0;

	while (at < l->n_others && l->others[at].ifindex != news->ifindex)
		at++;
	if (at < l->n_others) /* gone, renamed, or with another MAC */
		l->others[at] = l->others[--l->n_others];
	if (!news->present || !news->ethernet || find_name(l, news->name) >= 0 ||
		l->n_others == LINKS_OTHERS_MAX)
		return;
	l->others[l->n_others].ifindex = news->ifindex;
	memcpy(l->others[l->n_others++].mac, news->mac, sizeof news->mac);
}

bool links_see_link(struct links *l, const struct netlink_link *news)
{
	const int32_t before = links_find(l, news->ifindex);
	const int32_t named = find_name(l, news->name);
	bool appeared;
	struct link *k;

	see_other(l, news);
	if (news->loopback)
		l->loopback = news->present && news->running ? news->ifindex : 0;
	/* gone, or renamed away */
	if (before >= 0 && (!news->present || before != named))
		l->links[before] = (struct link){0};
	if (named < 0 || !news->present)
		return false;
	k = &l->links[named];
	appeared = k->ifindex != news->ifindex;
	if (appeared)
		*k = (struct link){.ifindex = news->ifindex};
	k->running = news->running;
	k->losses = news->losses;
	k->ethernet = news->ethernet;
	memcpy(k->mac, news->mac, sizeof k->mac);
	return appeared;
}

static void forget_address(struct link *k, uint32_t at)
{
	k->n_addresses--;
	memmove(&k->addresses[at], &k->addresses[at + 1],
		(k->n_addresses - at) * sizeof k->addresses[0]);
}

static bool is_own(const struct links *l, const struct addr *address)
{
	const struct config_node *self = &l->config->nodes[l->self];

	for (uint32_t i = 0; i < self->n_addresses; i++)
		if (addr_equal(&self->addresses[i], address))
			return true;
	return false;
}

/* Whatever else is there is never a source: of IPv6, what is neither link-local (RFC 9568 5.1.2.1) nor the node's. */
static bool is_candidate(const struct links *l, const struct addr *address)
{
	return addr_is_ipv4(address) || addr_is_link_local(address) || is_own(l, address);
}

static uint32_t count_of(const struct link *k, enum family family)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < k->n_addresses; i++)
		n += addr_family(&k->addresses[i].address) == family;
	return n;
}

_Static_assert(LINKS_ADDRS_MAX > CONFIG_NODE_ADDRS_MAX, "there is always one that can give way");

/* The last of the family that is not the node's own gives way. */
static void make_room(const struct links *l, struct link *k, enum family family)
{
	uint32_t at = k->n_addresses;

	while (at-- > 0) {
		const struct addr *a = &k->addresses[at].address;

		if (addr_family(a) != family || is_own(l, a))
			continue;
		forget_address(k, at);
		return;
	}
}

static void add_address(const struct links *l, struct link *k, const struct netlink_address *news)
{
	const enum family family = addr_family(&news->address);

	if (count_of(k, family) == LINKS_ADDRS_MAX) {
		k->more[family] = true;
		if (!is_own(l, &news->address))
			return;
		make_room(l, k, family);
	}
	k->addresses[k->n_addresses++] = (struct link_address){news->address, news->tentative};
}

bool links_see_address(struct links *l, const struct netlink_address *news)
{
	const int32_t interface = links_find(l, news->ifindex);
	const enum family family = addr_family(&news->address);
	struct link *k;
	uint32_t at = 0;

	if (interface < 0 || !is_candidate(l, &news->address))
		return false;
	k = &l->links[interface];
	while (at < k->n_addresses && !addr_equal(&k->addresses[at].address, &news->address))
		at++;
	if (at < k->n_addresses && news->present)
		k->addresses[at].tentative = news->tentative;
	else if (news->present)
		add_address(l, k, news);
	else if (at < k->n_addresses)
		forget_address(k, at);
	return !news->present && k->more[family] && count_of(k, family) == 0;
}

bool links_has_mac(const struct links *l, const uint8_t mac[static 6])
{
	for (uint32_t i = 0; i < l->config->n_interfaces; i++)
		if (l->links[i].ifindex != 0 && memcmp(l->links[i].mac, mac, 6) == 0)
			return true;
	for (uint32_t i = 0; i < l->n_others; i++)
		if (memcmp(l->others[i].mac, mac, 6) == 0)
			return true;
	return false;
}

struct node_interface links_node_interface(const struct links *l, uint32_t interface)
{
	const struct link *k = &l->links[interface];
	/* one that was made anew has lost its carrier with its predecessor */
	struct node_interface result = {.up = k->ifindex != 0 && k->running,
		.spell = (uint64_t)k->ifindex << 32 | k->losses};
	bool own = false;

	memcpy(result.mac, k->mac, sizeof result.mac);
	for (uint32_t i = 0; i < k->n_addresses; i++) {
		const struct addr *a = &k->addresses[i].address;
		const enum family family = addr_family(a);

		if (k->addresses[i].tentative)
			continue;
		if (family == FAMILY_IPV6 && !addr_is_link_local(a))
			continue;
		if (addr_is_none(&result.sources[family]))
			result.sources[family] = *a;
		if (family == FAMILY_IPV4 && !own && is_own(l, a)) {
			result.sources[family] = *a;
			own = true;
		}
	}
	return result;
}
