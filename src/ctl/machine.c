/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/machine.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the 16 bytes that an address has in either family. */
static uint8_t prefix_length(const struct sockaddr *netmask)
{
	struct addr mask;
	uint8_t length = 0;

	if (!addr_from_sockaddr(netmask, &mask))
		return 128;
	if (addr_is_ipv4(&mask)) /* the mapping's own bytes count too */
		memset(mask.b, 0xff, 12);
	while (length < 128 && mask.b[length / 8] & 0x80 >> length % 8)
		length++;
	return length;
}

static void add(struct machine *m, const struct ifaddrs *from)
{
	struct config_subnet *subnet = &m->subnets[m->n_subnets];
	struct addr address;

	if (!addr_from_sockaddr(from->ifa_addr, &address))
		return;
	subnet->prefix = (struct prefix){address, prefix_length(from->ifa_netmask)};
	snprintf(subnet->interface, sizeof subnet->interface, "%s", from->ifa_name);
	m->n_subnets += subnet->prefix.len < 128;
}

int machine_read(struct machine *m)
{
	struct ifaddrs *list;
	size_t n = 1;

	*m = (struct machine){0};
	if (getifaddrs(&list) < 0)
		return -errno;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		n++;
	m->subnets = calloc(n, sizeof *m->subnets);
	if (!m->subnets) {
		freeifaddrs(list);
		machine_fini(m);
		return -ENOMEM;
	}
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		add(m, i);
	freeifaddrs(list);
	return 0;
}

void machine_fini(struct machine *m)
{
	free(m->subnets);
	*m = (struct machine){0};
}
