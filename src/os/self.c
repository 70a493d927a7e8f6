/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/self.h"

#include <ifaddrs.h>
#include <stddef.h>

struct self self_look(const struct config *config, int32_t wanted)
{
	struct self self = {.node = CONFIG_NO_NODE};
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return self;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		struct addr address;
		int32_t node;

		if (!addr_from_sockaddr(i->ifa_addr, &address))
			continue;
		node = config_find_node(config, &address);
		if (node == CONFIG_NO_NODE)
			continue;
		self.several |= self.node != CONFIG_NO_NODE && self.node != node;
		self.wanted |= node == wanted;
		self.node = node;
	}
	freeifaddrs(all);
	return self;
}

bool self_find(const struct config *config, int32_t *ret_node)
{
	const struct self self = self_look(config, CONFIG_NO_NODE);

	*ret_node = self.node;
	return !self.several;
}
