/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/socket.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A thousand queries or so wait while a thread is away; the kernel may allow less. */
#define RECEIVE_BUFFER (4 << 20)
#define SEND_BUFFER    (1 << 20)

#define FAST_OPEN    64 /* connections whose handshake is not complete (RFC 7413) */
#define IPV6_MTU_MIN 1280

const char *socket_format(const struct config_endpoint *e, char text[static SOCKET_TEXT_SIZE])
{
	char address[ADDR_STRLEN];

	(void)snprintf(text, SOCKET_TEXT_SIZE, "%s@%u", addr_format(&e->address, address), e->port);
	return text;
}

bool socket_is_wildcard(const struct config_endpoint *e)
{
	static const uint8_t none[4];

	if (addr_is_ipv4(&e->address))
		return memcmp(addr_ipv4_bytes(&e->address), none, sizeof none) == 0;
	return addr_is_none(&e->address);
}

/* Gathers the first error of several options. */
struct options {
	int fd, error;
};

static void set(struct options *o, int level, int name, int value)
{
	if (!o->error && setsockopt(o->fd, level, name, &value, sizeof value) < 0)
		o->error = -errno;
}

/* What the kernel may lack, or allow less of. */
static void try_to_set(const struct options *o, int level, int name, int value)
{
	(void)setsockopt(o->fd, level, name, &value, sizeof value);
}

/* Either family's. */
union endpoint {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t make_endpoint(const struct config_endpoint *e, union endpoint *ret)
{
	if (addr_is_ipv4(&e->address)) {
		ret->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(e->port)};
		memcpy(&ret->v4.sin_addr, addr_ipv4_bytes(&e->address), sizeof ret->v4.sin_addr);
		return sizeof ret->v4;
	}
	ret->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(e->port)};
	memcpy(&ret->v6.sin6_addr, e->address.b, sizeof ret->v6.sin6_addr);
	return sizeof ret->v6;
}

static int bind_to(int fd, const struct config_endpoint *e)
{
	union endpoint to;
	const socklen_t size = make_endpoint(e, &to);

	return bind(fd, &to.any, size) < 0 ? -errno : 0;
}

static struct options open_socket(const struct config_endpoint *e, int type)
{
	const bool ipv4 = addr_is_ipv4(&e->address);
	struct options o = {.fd = socket(ipv4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0)};

	if (o.fd < 0) {
		o.error = -errno;
		return o;
	}
	if (!ipv4)
		set(&o, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	/* of either family, and without a privilege */
	set(&o, ipv4 ? IPPROTO_IP : IPPROTO_IPV6, ipv4 ? IP_FREEBIND : IPV6_FREEBIND, 1);
	return o;
}

static int finish(const struct options *o)
{
	if (!o->error)
		return o->fd;
	if (o->fd >= 0)
		close(o->fd);
	return o->error;
}

/* Answers are small enough for any path (RFC 9715 3.1), so what ICMP says of a path, which anybody can forge, is
 * not listened to. */
static void never_fragment(struct options *o, bool ipv4)
{
	if (ipv4) {
		set(o, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
		return;
	}
	set(o, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
	try_to_set(o, IPPROTO_IPV6, IPV6_MTU, IPV6_MTU_MIN);
}

int socket_open_udp(const struct config_endpoint *e)
{
	const bool ipv4 = addr_is_ipv4(&e->address);
	struct options o = open_socket(e, SOCK_DGRAM);

	set(&o, SOL_SOCKET, SO_REUSEPORT, 1);
	if (socket_is_wildcard(e))
		set(&o, ipv4 ? IPPROTO_IP : IPPROTO_IPV6, ipv4 ? IP_PKTINFO : IPV6_RECVPKTINFO, 1);
	if (!o.error) {
		never_fragment(&o, ipv4);
		try_to_set(&o, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
		try_to_set(&o, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER);
	}
	if (!o.error)
		o.error = bind_to(o.fd, e);
	return finish(&o);
}

int socket_open_sender(int of)
{
	/* addresses that no machine has (RFC 7600 4.8, RFC 6666 2) */
	static const uint8_t dummy[] = {192, 0, 0, 8};
	static const struct addr discard = {.b = {1}};
	union endpoint bound;
	socklen_t size = sizeof bound;
	struct config_endpoint e;

	if (getsockname(of, &bound.any, &size) < 0)
		return -errno;
	if (!addr_from_sockaddr(&bound.any, &e.address) || !socket_is_wildcard(&e))
		return -EINVAL;
	e.address = addr_is_ipv4(&e.address) ? addr_from_ipv4(dummy) : discard;
	e.port = ntohs(bound.v4.sin_port); /* it is in the same place for both families */
	return socket_open_udp(&e);
}

int socket_open_tcp(const struct config_endpoint *e, bool beside)
{
	struct options o = open_socket(e, SOCK_STREAM | SOCK_NONBLOCK);

	/* connections that a former life left in TIME-WAIT */
	set(&o, SOL_SOCKET, SO_REUSEADDR, 1);
	set(&o, SOL_SOCKET, SO_REUSEPORT, beside);
	set(&o, IPPROTO_TCP, TCP_NODELAY, 1);
	if (!o.error)
		o.error = bind_to(o.fd, e);
	if (!o.error) {
		try_to_set(&o, IPPROTO_TCP, TCP_FASTOPEN, FAST_OPEN);
		if (listen(o.fd, SOCKET_BACKLOG) < 0)
			o.error = -errno;
	}
	/* both must say so; from now on another one of ours may be bound beside it */
	set(&o, SOL_SOCKET, SO_REUSEPORT, 1);
	return finish(&o);
}

int socket_connect_udp(const struct config_endpoint *e)
{
	const int family = addr_is_ipv4(&e->address) ? AF_INET : AF_INET6;
	struct options o = {.fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
	union endpoint to;
	const socklen_t size = make_endpoint(e, &to);

	if (o.fd < 0 || connect(o.fd, &to.any, size) < 0)
		o.error = -errno;
	return finish(&o);
}

uint32_t socket_dropped(int fd)
{
	uint32_t of[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof of;

	(void)getsockopt(fd, SOL_SOCKET, SO_MEMINFO, of, &size);
	return of[SK_MEMINFO_DROPS];
}

uint64_t socket_acknowledged(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof info;

	(void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	return info.tcpi_bytes_acked;
}
