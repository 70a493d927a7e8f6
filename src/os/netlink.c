/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "os/netlink_message.h"

/* Of one address message at most: headers, two addresses, flags, cache info and the tag. */
#define CHANGE_SIZE_MAX 128
#define BATCH_SIZE      (NETLINK_BATCH * CHANGE_SIZE_MAX)
#define ANSWER_SIZE     (32 * 1024)
/* News of 10,000 addresses fits; only what waits takes memory. */
#define RECEIVE_BUFFER (16 * 1024 * 1024)
#define ANSWER_WAIT_MS 3000
#define FOREVER        UINT32_MAX

struct netlink {
	struct mnl_socket *requests;
	struct mnl_socket *news;
	struct netlink_listener listener;
	uint32_t seq;
	uint8_t *batch;  /* BATCH_SIZE */
	uint8_t *answer; /* ANSWER_SIZE */
};

static int open_socket(struct mnl_socket **ret_socket)
{
	const int size = RECEIVE_BUFFER, on = 1;
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int fd;

	if (!s)
		return -errno;
	if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		const int error = -errno;

		mnl_socket_close(s);
		return error;
	}
	fd = mnl_socket_get_fd(s);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	/* errors without a copy of the request, and requests checked to the last byte */
	(void)mnl_socket_setsockopt(s, NETLINK_CAP_ACK, (void *)&on, sizeof on);
	(void)mnl_socket_setsockopt(s, NETLINK_GET_STRICT_CHK, (void *)&on, sizeof on);
	*ret_socket = s;
	return 0;
}

int netlink_new(const struct netlink_listener *listener, struct netlink **ret_netlink)
{
	static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};
	struct netlink *n = calloc(1, sizeof *n);
	int error;

	if (!n)
		return -ENOMEM;
	n->listener = *listener;
	n->batch = malloc(BATCH_SIZE);
	n->answer = malloc(ANSWER_SIZE);
	error = n->batch && n->answer ? open_socket(&n->requests) : -ENOMEM;
	if (!error)
		error = open_socket(&n->news);
	for (size_t i = 0; i < ARRAY_SIZE(groups) && !error; i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(n->news, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) <
			0)
			error = -errno;
	}
	if (error) {
		netlink_free(n);
		return error;
	}
	*ret_netlink = n;
	return 0;
}

void netlink_free(struct netlink *n)
{
	if (!n)
		return;
	if (n->requests)
		mnl_socket_close(n->requests);
	if (n->news)
		mnl_socket_close(n->news);
	free(n->batch);
	free(n->answer);
	free(n);
}

int netlink_fd(const struct netlink *n)
{
	return mnl_socket_get_fd(n->news);
}

/* Whether a datagram or more went with the error, by recvmsg(2) or by libmnl's look at what it received. */
static bool is_loss(int error)
{
	return error == ENOBUFS || error == ENOSPC || error == EINVAL;
}

int netlink_listen(struct netlink *n)
{
	int lost = 0;

	/* when some is lost, read on: what is older than the dump that follows must not come after it */
	for (;;) {
		const ssize_t size = mnl_socket_recvfrom(n->news, n->answer, ANSWER_SIZE);

		if (size >= 0) {
			if (mnl_cb_run(n->answer, netlink_sound_size(n->answer, (size_t)size), 0, 0,
				    netlink_hear, &n->listener) < 0)
				lost = -errno;
		} else if (is_loss(errno)) {
			lost = -errno;
		} else if (errno == EAGAIN) {
			return lost;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
}

/* The next datagram for the asking socket; its size, or negative errno. The kernel answers while the
 * request is sent, so that this hardly ever waits. */
static ssize_t receive_answer(struct netlink *n)
{
	struct pollfd fd = {.fd = mnl_socket_get_fd(n->requests), .events = POLLIN};

	for (;;) {
		const ssize_t size = mnl_socket_recvfrom(n->requests, n->answer, ANSWER_SIZE);

		if (size >= 0)
			return (ssize_t)netlink_sound_size(n->answer, (size_t)size);
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		if (poll(&fd, 1, ANSWER_WAIT_MS) == 0)
			return -ETIMEDOUT;
	}
}

/* What an earlier request that timed out left behind must not be taken for the next one's answer. */
static void discard_answers(struct netlink *n)
{
	while (mnl_socket_recvfrom(n->requests, n->answer, ANSWER_SIZE) >= 0 || errno == ENOBUFS)
		;
}

/* Sends one request and runs @callback on the messages of its answer. */
static int ask(struct netlink *n, struct nlmsghdr *request, mnl_cb_t callback, void *context)
{
	const unsigned portid = mnl_socket_get_portid(n->requests);
	int more = MNL_CB_OK;

	discard_answers(n);
	request->nlmsg_seq = ++n->seq;
	if (mnl_socket_sendto(n->requests, request, request->nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		const ssize_t size = receive_answer(n);

		if (size < 0)
			return (int)size;
		more = mnl_cb_run(n->answer, (size_t)size, n->seq, portid, callback, context);
		if (more < 0)
			return -errno;
	}
	return 0;
}

static int dump(struct netlink *n, uint16_t type, size_t header_size)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(n->batch);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(h, header_size);
	return ask(n, h, netlink_hear, &n->listener);
}

int netlink_dump(struct netlink *n)
{
	int error = dump(n, RTM_GETLINK, sizeof(struct ifinfomsg));

	if (!error)
		error = dump(n, RTM_GETADDR, sizeof(struct ifaddrmsg));
	return error;
}

/*
 * As roost holds an address: a host's, without a route of its own and without duplicate address
 * detection, which would take a second. Never chosen as a source: IPv6 prefers any other to one whose
 * preferred lifetime is over; in IPv4 it comes after the interface's own address, without which the
 * node holds nothing. (A narrower scope would put it before that address, and be chosen for
 * link-local multicast.)
 */
static void put_change(struct nlmsghdr *h, const struct netlink_change *c)
{
	const bool ipv4 = addr_is_ipv4(&c->address);
	const void *bytes = ipv4 ? addr_ipv4_bytes(&c->address) : c->address.b;
	const size_t size = addr_wire_size(addr_family(&c->address));
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
	const uint32_t valid_s = c->lifetime_s ? c->lifetime_s : FOREVER;
	const struct ifa_cacheinfo lifetime = {
		.ifa_prefered = ipv4 ? valid_s : 0, .ifa_valid = valid_s};

	m->ifa_family = ipv4 ? AF_INET : AF_INET6;
	m->ifa_prefixlen = ipv4 ? 32 : 128;
	m->ifa_index = c->ifindex;
	mnl_attr_put(h, IFA_LOCAL, size, bytes);
	if (!c->add)
		return;
	m->ifa_scope = RT_SCOPE_UNIVERSE;
	mnl_attr_put(h, IFA_CACHEINFO, sizeof lifetime, &lifetime);
	mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
	mnl_attr_put_u8(h, IFA_PROTO, NETLINK_TAG);
}

static struct nlmsghdr *put_message(uint8_t *at, const struct netlink_change *c)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(at);

	h->nlmsg_type = c->add ? RTM_NEWADDR : RTM_DELADDR;
	h->nlmsg_flags = NLM_F_REQUEST;
	if (c->add)
		h->nlmsg_flags |= NLM_F_CREATE | NLM_F_REPLACE;
	put_change(h, c);
	ASSERT(h->nlmsg_len <= CHANGE_SIZE_MAX);
	return h;
}

size_t netlink_put_removal(uint8_t *at, const struct addr *address)
{
	return MNL_ALIGN(put_message(at, &(struct netlink_change){.address = *address})->nlmsg_len);
}

static size_t build_batch(
	struct netlink *n, const struct netlink_change *changes, uint32_t n_changes)
{
	size_t used = 0;

	for (uint32_t i = 0; i < n_changes; i++) {
		struct nlmsghdr *h = put_message(n->batch + used, &changes[i]);

		/* failures answer for themselves; the last one's answer ends the batch */
		if (i == n_changes - 1)
			h->nlmsg_flags |= NLM_F_ACK;
		h->nlmsg_seq = n->seq + i;
		used += MNL_ALIGN(h->nlmsg_len);
	}
	return used;
}

static int run_batch(struct netlink *n, struct netlink_change *changes, uint32_t n_changes)
{
	const uint32_t first_seq = ++n->seq;
	const size_t size = build_batch(n, changes, n_changes);

	n->seq += n_changes;
	discard_answers(n);
	if (mnl_socket_sendto(n->requests, n->batch, size) < 0)
		return -errno;
	for (;;) {
		const ssize_t got = receive_answer(n);

		if (got < 0)
			return (int)got;
		if (netlink_note_results(n->answer, (size_t)got, first_seq, changes, n_changes))
			return 0;
	}
}

int netlink_change(struct netlink *n, struct netlink_change *changes, uint32_t n_changes)
{
	int error;

	ASSERT(n_changes <= NETLINK_BATCH);
	for (uint32_t i = 0; i < n_changes; i++)
		changes[i].error = 0;
	if (n_changes == 0)
		return 0;
	error = run_batch(n, changes, n_changes);
	if (error)
		for (uint32_t i = 0; i < n_changes; i++)
			changes[i].error = error;
	return error;
}

int netlink_set_arp(struct netlink *n, uint32_t ifindex, uint32_t ignore, uint32_t announce)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(n->batch);
	struct ifinfomsg *info;
	struct nlattr *families, *inet, *settings;

	h->nlmsg_type = RTM_SETLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	info = mnl_nlmsg_put_extra_header(h, sizeof *info);
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)ifindex;
	families = mnl_attr_nest_start(h, IFLA_AF_SPEC);
	inet = mnl_attr_nest_start(h, AF_INET);
	settings = mnl_attr_nest_start(h, IFLA_INET_CONF);
	mnl_attr_put_u32(h, IPV4_DEVCONF_ARP_IGNORE, ignore);
	mnl_attr_put_u32(h, IPV4_DEVCONF_ARP_ANNOUNCE, announce);
	mnl_attr_nest_end(h, settings);
	mnl_attr_nest_end(h, inet);
	mnl_attr_nest_end(h, families);
	return ask(n, h, NULL, NULL);
}

/* Asks for the way to an address that only the default route leads to (RFC 5737, RFC 3849): one
 * look-up, where a dump would list every route of a machine that has a million. */
struct addr netlink_gateway(struct netlink *n, uint32_t ifindex, enum family family)
{
	const uint8_t to_ipv4[4] = {192, 0, 2, 1};
	const uint8_t to_ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	struct nlmsghdr *h = mnl_nlmsg_put_header(n->batch);
	struct addr gateway = addr_none;
	struct rtmsg *route;

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST;
	route = mnl_nlmsg_put_extra_header(h, sizeof *route);
	route->rtm_family = family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	route->rtm_dst_len = family == FAMILY_IPV4 ? 32 : 128;
	if (family == FAMILY_IPV4)
		mnl_attr_put(h, RTA_DST, sizeof to_ipv4, to_ipv4);
	else
		mnl_attr_put(h, RTA_DST, sizeof to_ipv6, to_ipv6);
	mnl_attr_put_u32(h, RTA_OIF, ifindex);
	return ask(n, h, netlink_read_gateway, &gateway) == 0 ? gateway : addr_none;
}
