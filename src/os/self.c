/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/self.h"

#include <ifaddrs.h>
#include <stddef.h>

bool self_find(const struct config *config, int32_t *ret_node)
{
	struct ifaddrs *all;
	bool unique = true;

	*ret_node = CONFIG_NO_NODE;
	if (getifaddrs(&all) < 0)
		return true;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		struct addr address;
		int32_t node;

		if (!addr_from_sockaddr(i->ifa_addr, &address))
			continue;
		node = config_find_node(config, &address);
		if (node == CONFIG_NO_NODE)
			continue;
		if (*ret_node != CONFIG_NO_NODE && *ret_node != node)
			unique = false;
		*ret_node = node;
	}
	freeifaddrs(all);
	return unique;
}
