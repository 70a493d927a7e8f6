/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/netlink_message.h"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

size_t netlink_sound_size(const void *bytes, size_t size)
{
	size_t at = 0;

	while (size - at >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const void *)((const char *)bytes + at);
		const size_t padded = MNL_ALIGN((size_t)h->nlmsg_len);

		if (h->nlmsg_len < sizeof *h || padded > size - at)
			break;
		at += padded;
	}
	return at;
}

static int read_link_attribute(const struct nlattr *a, void *context)
{
	struct netlink_link *link = context;
	const uint16_t size = mnl_attr_get_payload_len(a);

	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0 && size <= sizeof link->name)
			memcpy(link->name, mnl_attr_get_payload(a), size);
		break;
	case IFLA_ADDRESS:
		if (size == sizeof link->mac)
			memcpy(link->mac, mnl_attr_get_payload(a), size);
		break;
	case IFLA_CARRIER_DOWN_COUNT:
		if (mnl_attr_validate(a, MNL_TYPE_U32) == 0)
			link->losses = mnl_attr_get_u32(a);
		break;
	default: break;
	}
	return MNL_CB_OK;
}

static void hear_link(const struct netlink_listener *l, const struct nlmsghdr *h)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
	struct netlink_link link = {
		.ifindex = (uint32_t)info->ifi_index,
		.present = h->nlmsg_type == RTM_NEWLINK,
		.running = info->ifi_flags & IFF_UP && info->ifi_flags & IFF_RUNNING,
		.ethernet = info->ifi_type == ARPHRD_ETHER,
		.loopback = info->ifi_flags & IFF_LOOPBACK,
	};

	/* AF_BRIDGE's messages speak of a port's membership, also when it ends */
	if (info->ifi_family != AF_UNSPEC)
		return;
	(void)mnl_attr_parse(h, sizeof *info, read_link_attribute, &link);
	l->link(l->context, &link);
}

static bool read_address(const struct nlattr *a, struct addr *ret_addr)
{
	switch (mnl_attr_get_payload_len(a)) {
	case 4: *ret_addr = addr_from_ipv4(mnl_attr_get_payload(a)); return true;
	case sizeof ret_addr->b:
		memcpy(ret_addr->b, mnl_attr_get_payload(a), sizeof ret_addr->b);
		return true;
	default: return false;
	}
}

struct address_reading {
	struct addr address, local; /* on a point-to-point link the former is the other end */
	uint32_t flags;
	bool ours;
};

static int read_address_attribute(const struct nlattr *a, void *context)
{
	struct address_reading *r = context;
	const uint16_t size = mnl_attr_get_payload_len(a);

	switch (mnl_attr_get_type(a)) {
	case IFA_LOCAL: (void)read_address(a, &r->local); break;
	case IFA_ADDRESS: (void)read_address(a, &r->address); break;
	case IFA_FLAGS:
		if (size == sizeof r->flags)
			r->flags = mnl_attr_get_u32(a);
		break;
	case IFA_PROTO: r->ours = size == 1 && mnl_attr_get_u8(a) == NETLINK_TAG; break;
	default: break;
	}
	return MNL_CB_OK;
}

static void hear_address(const struct netlink_listener *l, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(h);
	struct address_reading r = {.flags = info->ifa_flags};
	struct netlink_address address = {
		.ifindex = info->ifa_index,
		.prefix_len = info->ifa_prefixlen,
		.present = h->nlmsg_type == RTM_NEWADDR,
	};

	(void)mnl_attr_parse(h, sizeof *info, read_address_attribute, &r);
	address.address = addr_is_none(&r.local) ? r.address : r.local;
	address.tentative = r.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED);
	address.ours = r.ours;
	if (!addr_is_none(&address.address))
		l->address(l->context, &address);
}

int netlink_hear(const struct nlmsghdr *h, void *listener)
{
	const struct netlink_listener *l = listener;
	const size_t size = mnl_nlmsg_get_payload_len(h);

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (size >= sizeof(struct ifinfomsg))
			hear_link(l, h);
		return MNL_CB_OK;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (size >= sizeof(struct ifaddrmsg))
			hear_address(l, h);
		return MNL_CB_OK;
	default: return MNL_CB_OK;
	}
}

static int read_gateway_attribute(const struct nlattr *a, void *context)
{
	if (mnl_attr_get_type(a) == RTA_GATEWAY)
		(void)read_address(a, context);
	return MNL_CB_OK;
}

int netlink_read_gateway(const struct nlmsghdr *h, void *gateway)
{
	if (h->nlmsg_type == RTM_NEWROUTE && mnl_nlmsg_get_payload_len(h) >= sizeof(struct rtmsg))
		(void)mnl_attr_parse(h, sizeof(struct rtmsg), read_gateway_attribute, gateway);
	return MNL_CB_STOP;
}

bool netlink_note_results(const void *bytes, size_t size, uint32_t first_seq,
	struct netlink_change *changes, uint32_t n_changes)
{
	const struct nlmsghdr *h = bytes;
	int left = (int)size;
	bool last = false;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
		const uint32_t i = h->nlmsg_seq - first_seq;

		if (h->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(h) < sizeof *e ||
			i >= n_changes)
			continue;
		changes[i].error = e->error;
		last |= i == n_changes - 1;
	}
	return last;
}
