/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/raw.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/clock.h"
#include "os/memory.h"

/* Room for a datagram of an IPv4 header with options and the longest message; longer ones are cut and
 * then refused by their length. */
#define MESSAGE_SIZE  (ADVERT_SIZE_MAX + ADVERT_TRAILER_SIZE)
#define DATAGRAM_SIZE (60 + MESSAGE_SIZE)
#define SEND_MAX      64
#define ARENA_SIZE    (64 * 1024)
#define BUFFER_SIZE   (4 * 1024 * 1024)
/* linux/in6.h, which cannot be included beside netinet/in.h */
#define ROOST_IPV6_MULTICAST_ALL 29

union control {
	struct cmsghdr header; /* aligns it */
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

union socket_address {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

struct raw {
	int fd[FAMILY_COUNT];
	struct {
		struct mmsghdr headers[RAW_BATCH];
		struct iovec vectors[RAW_BATCH];
		union socket_address names[RAW_BATCH];
		union control controls[RAW_BATCH];
		uint8_t (*buffers)[DATAGRAM_SIZE];
	} in;
	struct {
		struct mmsghdr headers[SEND_MAX];
		struct iovec vectors[SEND_MAX];
		union socket_address names[SEND_MAX];
		union control controls[SEND_MAX];
		bool *notes[SEND_MAX], *note; /* see raw_note(); may be NULL */
		uint8_t *arena;
		size_t used;
		uint32_t n;
		enum family family; /* of all that is queued */
	} out;
	struct auth *auth; /* NULL: nothing is signed */
	_Atomic uint64_t sequence;
	_Atomic uint64_t send_errors;
	_Atomic int send_errno;
};

struct option {
	int level, name, value;
};

static int set_options(int fd, const struct option *options, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct option *o = &options[i];

		if (setsockopt(fd, o->level, o->name, &o->value, sizeof o->value) < 0)
			return -errno;
	}
	return 0;
}

/* Larger than the administrator's limit where this is allowed, else as large as it may be. */
static void set_buffers(int fd)
{
	const int size = BUFFER_SIZE;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static int set_up(int fd, enum family family)
{
	/* TTL and hop limit: RFC 9568 5.1.1.3, 5.1.2.3; internetwork control: precedence 6 */
	static const struct option ipv4[] = {
		{IPPROTO_IP, IP_TTL, ADVERT_TTL},
		{IPPROTO_IP, IP_MULTICAST_TTL, ADVERT_TTL},
		{IPPROTO_IP, IP_TOS, IPTOS_PREC_INTERNETCONTROL},
		{IPPROTO_IP, IP_MULTICAST_LOOP, 0},
		{IPPROTO_IP, IP_MULTICAST_ALL, 0},
		{IPPROTO_IP, IP_PKTINFO, 1},
	};
	static const struct option ipv6[] = {
		{IPPROTO_IPV6, IPV6_UNICAST_HOPS, ADVERT_TTL},
		{IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ADVERT_TTL},
		{IPPROTO_IPV6, IPV6_TCLASS, IPTOS_PREC_INTERNETCONTROL},
		{IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0},
		{IPPROTO_IPV6, ROOST_IPV6_MULTICAST_ALL, 0},
		{IPPROTO_IPV6, IPV6_RECVPKTINFO, 1},
		{IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1},
	};

	set_buffers(fd);
	if (family == FAMILY_IPV4)
		return set_options(fd, ipv4, ARRAY_SIZE(ipv4));
	return set_options(fd, ipv6, ARRAY_SIZE(ipv6));
}

static int open_family(struct raw *r, enum family family)
{
	const int domain = family == FAMILY_IPV4 ? AF_INET : AF_INET6;

	r->fd[family] = socket(domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, ADVERT_IP_PROTOCOL);
	if (r->fd[family] < 0)
		return -errno;
	return set_up(r->fd[family], family);
}

int raw_new(unsigned families, struct raw **ret_raw)
{
	struct raw *r = calloc(1, sizeof *r);
	int error = 0;

	if (!r)
		return -ENOMEM;
	r->fd[FAMILY_IPV4] = r->fd[FAMILY_IPV6] = -1;
	r->in.buffers = calloc(RAW_BATCH, sizeof *r->in.buffers);
	r->out.arena = malloc(ARENA_SIZE);
	if (!r->in.buffers || !r->out.arena)
		error = -ENOMEM;
	for (int f = 0; f < FAMILY_COUNT && !error; f++)
		if (families & 1u << f)
			error = open_family(r, (enum family)f);
	if (error) {
		raw_free(r);
		return error;
	}
	*ret_raw = r;
	return 0;
}

void raw_free(struct raw *r)
{
	if (!r)
		return;
	for (int f = 0; f < FAMILY_COUNT; f++)
		if (r->fd[f] >= 0)
			close(r->fd[f]);
	free(r->in.buffers);
	free(r->out.arena);
	free(r);
}

int raw_fd(const struct raw *r, enum family family)
{
	return r->fd[family];
}

void raw_own(struct raw *r)
{
	memory_own(r, sizeof *r);
	memory_own(r->out.arena, ARENA_SIZE);
}

int raw_deafen(struct raw *r)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = {.len = 1, .filter = &drop};

	for (int f = 0; f < FAMILY_COUNT; f++)
		if (r->fd[f] >= 0 && setsockopt(r->fd[f], SOL_SOCKET, SO_ATTACH_FILTER, &program,
					     sizeof program) < 0)
			return -errno;
	return 0;
}

static int change_membership(struct raw *r, enum family family, uint32_t ifindex, bool join)
{
	const struct addr *group = advert_group(family);
	struct ip_mreqn ipv4 = {.imr_ifindex = (int)ifindex};
	struct ipv6_mreq ipv6 = {.ipv6mr_interface = ifindex};
	int error;

	if (r->fd[family] < 0)
		return 0;
	if (family == FAMILY_IPV4) {
		memcpy(&ipv4.imr_multiaddr, addr_ipv4_bytes(group), sizeof ipv4.imr_multiaddr);
		error = setsockopt(r->fd[family], IPPROTO_IP,
			join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &ipv4, sizeof ipv4);
	} else {
		memcpy(&ipv6.ipv6mr_multiaddr, group->b, sizeof ipv6.ipv6mr_multiaddr);
		error = setsockopt(r->fd[family], IPPROTO_IPV6,
			join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &ipv6, sizeof ipv6);
	}
	return error < 0 && errno != EADDRINUSE ? -errno : 0;
}

int raw_join(struct raw *r, enum family family, uint32_t ifindex)
{
	return change_membership(r, family, ifindex, true);
}

void raw_leave(struct raw *r, enum family family, uint32_t ifindex)
{
	(void)change_membership(r, family, ifindex, false);
}

static void prepare_receive(struct raw *r)
{
	for (uint32_t i = 0; i < RAW_BATCH; i++) {
		r->in.vectors[i] =
			(struct iovec){.iov_base = r->in.buffers[i], .iov_len = DATAGRAM_SIZE};
		r->in.headers[i].msg_hdr = (struct msghdr){
			.msg_name = &r->in.names[i],
			.msg_namelen = sizeof r->in.names[i],
			.msg_iov = &r->in.vectors[i],
			.msg_iovlen = 1,
			.msg_control = &r->in.controls[i],
			.msg_controllen = sizeof r->in.controls[i],
		};
	}
}

static struct addr addr_of_in6(const struct in6_addr *in6)
{
	struct addr a;

	memcpy(a.b, in6, sizeof a.b);
	return a;
}

/* The interface that it came in on and, for IPv6, what the header said: the kernel passes it beside. */
static void read_control(struct msghdr *m, struct raw_datagram *d)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			d->ifindex = (uint32_t)info.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			d->ifindex = info.ipi6_ifindex;
			d->envelope.destination = addr_of_in6(&info.ipi6_addr);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT) {
			int hops;

			memcpy(&hops, CMSG_DATA(c), sizeof hops);
			d->envelope.ttl = (uint8_t)hops;
		}
	}
}

static bool read_datagram(struct raw *r, enum family family, uint32_t i, struct raw_datagram *d)
{
	struct mmsghdr *h = &r->in.headers[i];
	size_t offset;

	*d = (struct raw_datagram){.message = r->in.buffers[i], .size = h->msg_len};
	if (family == FAMILY_IPV6) {
		d->envelope.family = FAMILY_IPV6;
		d->envelope.source = addr_of_in6(&r->in.names[i].ipv6.sin6_addr);
	} else {
		if (!advert_strip_ipv4(
			    r->in.buffers[i], h->msg_len, &d->envelope, &offset, &d->size))
			return false;
		d->message += offset;
	}
	read_control(&h->msg_hdr, d);
	return true;
}

uint32_t raw_receive(struct raw *r, enum family family,
	struct raw_datagram datagrams[static RAW_BATCH], uint32_t *ret_usable)
{
	uint32_t usable = 0;
	int n;

	*ret_usable = 0;
	if (r->fd[family] < 0)
		return 0;
	prepare_receive(r);
	n = recvmmsg(r->fd[family], r->in.headers, RAW_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		if (read_datagram(r, family, (uint32_t)i, &datagrams[usable]))
			usable++;
	*ret_usable = usable;
	return n < 0 ? 0 : (uint32_t)n;
}

static void put_control(struct msghdr *m, int level, int type, const void *data, size_t size)
{
	struct cmsghdr *c = m->msg_control;

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
	m->msg_controllen = CMSG_SPACE(size);
}

/* Where the @i-th message of the queue goes. */
static void address_message(struct raw *r, uint32_t i, const struct raw_route *route)
{
	const struct addr *destination = &route->destination;
	union socket_address *name = &r->out.names[i];
	struct msghdr *m = &r->out.headers[i].msg_hdr;

	*m = (struct msghdr){
		.msg_name = name,
		.msg_iov = &r->out.vectors[i],
		.msg_iovlen = 1,
		.msg_control = &r->out.controls[i],
	};
	if (r->out.family == FAMILY_IPV4) {
		struct in_pktinfo info = {.ipi_ifindex = (int)route->ifindex};

		name->ipv4 = (struct sockaddr_in){.sin_family = AF_INET};
		memcpy(&name->ipv4.sin_addr, addr_ipv4_bytes(destination), 4);
		memcpy(&info.ipi_spec_dst, addr_ipv4_bytes(&route->source), 4);
		m->msg_namelen = sizeof name->ipv4;
		put_control(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = route->ifindex};

		name->ipv6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
		if (addr_is_link_local(destination) || addr_is_multicast(destination))
			name->ipv6.sin6_scope_id = route->ifindex;
		memcpy(&name->ipv6.sin6_addr, destination->b, sizeof destination->b);
		memcpy(&info.ipi6_addr, route->source.b, sizeof route->source.b);
		m->msg_namelen = sizeof name->ipv6;
		put_control(m, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	}
}

void raw_sign_with(struct raw *r, struct auth *auth)
{
	r->auth = auth;
}

/* Each copy that leaves has a sequence of its own, whoever it is for. */
static size_t sign(struct raw *r, uint8_t *message, size_t size, const struct raw_route *route)
{
	size = auth_sign(
		r->auth, message, size, &route->source, &route->destination, clock_wall_ns());
	atomic_store_explicit(&r->sequence, r->auth->sequence, memory_order_relaxed);
	return size;
}

/* Room for one more message of this family, flushing if need be. */
static uint8_t *make_room(struct raw *r, enum family family)
{
	if (r->out.n == SEND_MAX || r->out.used + MESSAGE_SIZE > ARENA_SIZE ||
		family != r->out.family)
		raw_flush(r);
	r->out.family = family;
	return r->out.arena + r->out.used;
}

/* Queues the message that was written there. */
static void queue(struct raw *r, const struct raw_route *route, size_t size)
{
	uint8_t *at = r->out.arena + r->out.used;

	if (r->auth)
		size = sign(r, at, size, route);
	r->out.vectors[r->out.n] = (struct iovec){.iov_base = at, .iov_len = size};
	r->out.used += size;
	address_message(r, r->out.n, route);
	r->out.notes[r->out.n] = r->out.note;
	r->out.n++;
}

void raw_queue(struct raw *r, uint32_t ifindex, const struct advert *advert,
	const struct addr *destination)
{
	const struct raw_route route = {ifindex, advert->source, *destination};
	size_t size;

	if (r->fd[advert->family] < 0)
		return;
	size = advert_build(advert, destination, make_room(r, advert->family), ADVERT_SIZE_MAX);
	ASSERT(size > 0);
	queue(r, &route, size);
}

void raw_queue_message(
	struct raw *r, const struct raw_route *route, const uint8_t *message, size_t size)
{
	const enum family family = addr_family(&route->source);

	ASSERT(size <= ADVERT_SIZE_MAX);
	if (r->fd[family] < 0)
		return;
	memcpy(make_room(r, family), message, size);
	queue(r, route, size);
}

void raw_flush(struct raw *r)
{
	const int fd = r->fd[r->out.family];
	uint32_t done = 0;

	while (done < r->out.n) {
		const int n = sendmmsg(
			fd, r->out.headers + done, r->out.n - done, MSG_DONTWAIT | MSG_NOSIGNAL);

		for (int i = 0; i < n; i++, done++)
			if (r->out.notes[done])
				*r->out.notes[done] = true;
		if (n > 0)
			continue;
		/* the first of the rest is refused: it is lost, as it might have been on the wire */
		if (n < 0 && errno == EINTR)
			continue;
		atomic_store(&r->send_errno, errno);
		atomic_fetch_add(&r->send_errors, 1);
		done++;
	}
	r->out.n = 0;
	r->out.used = 0;
}

void raw_note(struct raw *r, bool *left)
{
	r->out.note = left;
}

uint64_t raw_send_errors(const struct raw *r, int *ret_errno)
{
	*ret_errno = atomic_load(&r->send_errno);
	return atomic_load(&r->send_errors);
}

uint64_t raw_sequence(const struct raw *r)
{
	return atomic_load_explicit(&r->sequence, memory_order_relaxed);
}
