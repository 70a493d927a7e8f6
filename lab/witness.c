/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * witness [-i PERIOD_US] SWITCH SOURCE4 SOURCE6 PORT=MAC... VIP...: who answers for the VIPs, as the
 * switch sees it. Once in a period it asks for every VIP, whatever the neighbour tables say:
 *
 *    each server, by its MAC            a datagram that echo answers
 *    all of them                        who has the VIP (ARP, neighbour solicitation)
 *
 * and it notes what the servers send, with the kernel's stamp of the moment at which it entered the
 * switch. The questions leave by eth0 of the namespace in which it is started; the ports are in the
 * namespace SWITCH, a path. For every line on its standard input it reports, a little later, what
 * came since the last report:
 *
 *    span VIP KIND SERVER FIRST LAST COUNT    frames none of which came later than SPAN_NS after
 *                                             the one before. KIND 0: data, 1: ARP and ND,
 *                                             2: advertisements of the VIP
 *    lost COUNT                               frames of which it knows nothing
 *    stall AT LENGTH                          it was late itself
 *    end UNTIL
 *
 * VIP and SERVER are indexes of the arguments, times nanoseconds of CLOCK_MONOTONIC.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "probe.h"
#include "wire/announcement.h"
#include "wire/checksum.h"

#define VIPS_MAX     64
#define SERVERS_MAX  8
#define FRAME_MAX    128
#define FRAMES_MAX   (VIPS_MAX * (SERVERS_MAX + 1))
#define HEARD_SIZE   256 /* of a frame; an advertisement's list may go beyond */
#define SPAN_NS      50000000ull
#define STALL_NS     5000000ull
#define SETTLE_NS    50000000ull /* before a report: questions may still be under way */
#define ICMP6_ND_RS  133
#define ICMP6_ND_NA  136
#define ICMP6_ND_MAX 137
#define SOURCE_PORT  4712

enum kind { DATA, NEIGHBOUR, ADVERTISEMENT, KINDS };

struct span {
	uint64_t first, last;
	uint32_t count;
};

struct spans {
	struct span *list;
	size_t n, room;
};

struct server {
	const char *port;
	uint8_t mac[6];
	int socket; /* on its port, in the switch */
};

struct frame {
	uint8_t bytes[FRAME_MAX];
	size_t size;
};

struct stall {
	uint64_t at, length;
};

struct witness {
	struct addr sources[FAMILY_COUNT];
	uint8_t mac[6];
	struct server servers[SERVERS_MAX];
	struct addr vips[VIPS_MAX];
	unsigned n_servers, n_vips, n_frames;
	struct frame frames[FRAMES_MAX];
	struct spans spans[VIPS_MAX][KINDS][SERVERS_MAX];
	int wire; /* what the questions leave by */
	uint64_t period_ns, next_tick;
	uint64_t report_until; /* 0: nobody asked */
	uint64_t lost;
	struct stall stalls[1024];
	size_t n_stalls;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "witness: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* What is asked */

static void put_address(struct writer *out, const struct addr *a)
{
	const size_t size = addr_wire_size(addr_family(a));

	writer_bytes(out, a->b + sizeof a->b - size, size);
}

static void put_ip_header(
	struct writer *out, const struct addr *from, const struct addr *to, uint16_t payload)
{
	if (addr_is_ipv4(to)) {
		const size_t start = out->at;

		writer_u32(out, 0x45000000u | (20u + payload));
		writer_u32(out, 0);
		writer_u32(out, 0x40110000); /* TTL 64, UDP, no checksum yet */
		put_address(out, from);
		put_address(out, to);
		checksum_write(checksum_add(0, out->data + start, 20), out->data + start + 10);
	} else {
		writer_u32(out, 0x60000000);
		writer_u16(out, payload);
		writer_u16(out, 0x1140); /* UDP, hop limit 64 */
		put_address(out, from);
		put_address(out, to);
	}
}

/* A datagram for echo, to one server's MAC. */
static struct frame datagram(const struct witness *w, const struct server *s, unsigned vip)
{
	const struct addr *to = &w->vips[vip], *from = &w->sources[addr_family(to)];
	const struct probe_message message = {.magic = PROBE_MAGIC, .target = (uint16_t)vip};
	const uint16_t size = 8 + sizeof message;
	struct frame f;
	struct writer out = writer_of(f.bytes, sizeof f.bytes);
	size_t start;

	writer_bytes(&out, s->mac, sizeof s->mac);
	writer_bytes(&out, w->mac, sizeof w->mac);
	writer_u16(&out, addr_is_ipv4(to) ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	put_ip_header(&out, from, to, size);
	start = out.at;
	writer_u16(&out, SOURCE_PORT);
	writer_u16(&out, PROBE_PORT);
	writer_u16(&out, size);
	writer_u16(&out, 0);
	writer_bytes(&out, &message, sizeof message);
	checksum_write(
		checksum_add(checksum_pseudo(from, to, IPPROTO_UDP, size), out.data + start, size),
		out.data + start + 6);
	f.size = out.at;
	return f;
}

/* Who has the VIP? It is the question that an announcement puts to the gateway. */
static struct frame question(const struct witness *w, unsigned vip)
{
	struct announcement a = {
		.vip = w->sources[addr_family(&w->vips[vip])], .gateway = w->vips[vip]};
	struct frame f;

	memcpy(a.mac, w->mac, sizeof a.mac);
	f.size = announcement_build_query(&a, f.bytes, sizeof f.bytes);
	return f;
}

static void make_frames(struct witness *w)
{
	for (unsigned v = 0; v < w->n_vips; v++) {
		w->frames[w->n_frames++] = question(w, v);
		for (unsigned s = 0; s < w->n_servers; s++)
			w->frames[w->n_frames++] = datagram(w, &w->servers[s], v);
	}
}

static void ask(struct witness *w, uint64_t now)
{
	static struct mmsghdr headers[FRAMES_MAX];
	static struct iovec parts[FRAMES_MAX];
	const uint64_t late = now - w->next_tick;
	unsigned sent = 0;

	if (late > STALL_NS && w->n_stalls < sizeof w->stalls / sizeof w->stalls[0])
		w->stalls[w->n_stalls++] = (struct stall){w->next_tick, late};
	for (unsigned i = 0; i < w->n_frames; i++) {
		parts[i] = (struct iovec){w->frames[i].bytes, w->frames[i].size};
		headers[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	while (sent < w->n_frames) {
		const int n = sendmmsg(w->wire, headers + sent, w->n_frames - sent, MSG_DONTWAIT);

		sent += n > 0 ? (unsigned)n : 1;
	}
	w->next_tick = late < w->period_ns ? w->next_tick + w->period_ns : now + w->period_ns;
}

/* What is heard */

static void spans_note(struct spans *s, uint64_t at)
{
	struct span *last = s->n ? &s->list[s->n - 1] : NULL;

	if (last && at < last->last + SPAN_NS) {
		last->last = at > last->last ? at : last->last;
		last->count++;
		return;
	}
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 8;
		s->list = realloc(s->list, s->room * sizeof *s->list);
		if (!s->list)
			fail("spans");
	}
	s->list[s->n++] = (struct span){at, at, 1};
}

static struct addr read_address(struct reader *r, size_t size)
{
	const uint8_t *bytes = reader_take(r, size);
	struct addr a = addr_none;

	if (bytes && size == 4)
		a = addr_from_ipv4(bytes);
	else if (bytes)
		memcpy(a.b, bytes, sizeof a.b);
	return a;
}

static void note(
	struct witness *w, const struct addr *a, enum kind kind, unsigned server, uint64_t at)
{
	for (unsigned v = 0; v < w->n_vips; v++)
		if (addr_equal(&w->vips[v], a))
			spans_note(&w->spans[v][kind][server], at);
}

/* Every address that an advertisement lists, unless it is one of leaving (priority 0). */
static void note_advertisement(
	struct witness *w, struct reader *r, size_t address_size, unsigned server, uint64_t at)
{
	unsigned priority, count;

	(void)reader_u16(r); /* version, type, VRID */
	priority = reader_u8(r);
	count = reader_u8(r);
	(void)reader_u32(r); /* interval, checksum */
	for (; priority > 0 && count > 0 && reader_left(r) >= address_size; count--) {
		const struct addr a = read_address(r, address_size);

		note(w, &a, ADVERTISEMENT, server, at);
	}
}

static void note_ipv4(struct witness *w, struct reader *r, unsigned server, uint64_t at)
{
	const uint8_t words = reader_u8(r) & 15;
	unsigned protocol;
	struct addr from;

	(void)reader_take(r, 8);
	protocol = reader_u8(r);
	(void)reader_u16(r);
	from = read_address(r, 4);
	(void)reader_take(r, 4u + 4u * (words > 5 ? words - 5u : 0));
	if (protocol == 112)
		note_advertisement(w, r, 4, server, at);
	else
		note(w, &from, DATA, server, at);
}

static void note_ipv6(struct witness *w, struct reader *r, unsigned server, uint64_t at)
{
	unsigned protocol, type;
	struct addr from, target;

	(void)reader_take(r, 6);
	protocol = reader_u8(r);
	(void)reader_u8(r);
	from = read_address(r, 16);
	(void)reader_take(r, 16);
	if (protocol == 112) {
		note_advertisement(w, r, 16, server, at);
		return;
	}
	type = protocol == IPPROTO_ICMPV6 ? reader_u8(r) : 0;
	if (type < ICMP6_ND_RS || type > ICMP6_ND_MAX) {
		note(w, &from, DATA, server, at);
		return;
	}
	(void)reader_take(r, 7);
	target = read_address(r, 16);
	note(w, type == ICMP6_ND_NA ? &target : &from, NEIGHBOUR, server, at);
}

static void note_frame(struct witness *w, struct reader *r, unsigned server, uint64_t at)
{
	struct addr sender;

	(void)reader_take(r, 12);
	switch (reader_u16(r)) {
	case ETHERTYPE_IP: note_ipv4(w, r, server, at); break;
	case ETHERTYPE_IPV6: note_ipv6(w, r, server, at); break;
	case ETHERTYPE_ARP:
		(void)reader_take(r, 14);
		sender = read_address(r, 4);
		note(w, &sender, NEIGHBOUR, server, at);
		break;
	default: break;
	}
}

/* When a frame came, on CLOCK_MONOTONIC; the kernel stamps it in CLOCK_REALTIME, which may be set. */
static uint64_t arrival(struct msghdr *header, uint64_t realtime_ahead)
{
	struct timespec stamp;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
		return (uint64_t)stamp.tv_sec * 1000000000ull + (uint64_t)stamp.tv_nsec -
		       realtime_ahead;
	}
	return clock_ns(CLOCK_MONOTONIC);
}

static void hear(struct witness *w, unsigned server)
{
	const uint64_t ahead = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	static struct mmsghdr headers[PROBE_BATCH];
	static struct iovec parts[PROBE_BATCH];
	static uint8_t bytes[PROBE_BATCH][HEARD_SIZE];
	_Alignas(struct cmsghdr) static char controls[PROBE_BATCH]
						     [CMSG_SPACE(sizeof(struct timespec))];
	int got;

	for (unsigned i = 0; i < PROBE_BATCH; i++) {
		parts[i] = (struct iovec){bytes[i], sizeof bytes[i]};
		headers[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i],
			.msg_iovlen = 1,
			.msg_control = controls[i],
			.msg_controllen = sizeof controls[i]};
	}
	got = recvmmsg(w->servers[server].socket, headers, PROBE_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < got; i++) {
		struct reader r = reader_of(bytes[i], headers[i].msg_len);

		note_frame(w, &r, server, arrival(&headers[i].msg_hdr, ahead));
	}
}

static void report(struct witness *w)
{
	for (unsigned s = 0; s < w->n_servers; s++) {
		struct tpacket_stats stats = {0};
		socklen_t size = sizeof stats;

		hear(w, s);
		getsockopt(w->servers[s].socket, SOL_PACKET, PACKET_STATISTICS, &stats, &size);
		w->lost += stats.tp_drops;
	}
	for (unsigned v = 0; v < w->n_vips; v++)
		for (unsigned k = 0; k < KINDS; k++)
			for (unsigned s = 0; s < w->n_servers; s++) {
				struct spans *spans = &w->spans[v][k][s];

				for (size_t i = 0; i < spans->n; i++)
					printf("span %u %u %u %llu %llu %u\n", v, k, s,
						(unsigned long long)spans->list[i].first,
						(unsigned long long)spans->list[i].last,
						spans->list[i].count);
				spans->n = 0;
			}
	for (size_t i = 0; i < w->n_stalls; i++)
		printf("stall %llu %llu\n", (unsigned long long)w->stalls[i].at,
			(unsigned long long)w->stalls[i].length);
	w->n_stalls = 0;
	printf("lost %llu\nend %llu\n", (unsigned long long)w->lost,
		(unsigned long long)w->report_until);
	fflush(stdout);
	w->report_until = 0;
}

static int run(struct witness *w)
{
	struct pollfd fds[SERVERS_MAX + 2];
	const unsigned n = w->n_servers;

	for (unsigned s = 0; s < n; s++)
		fds[s] = (struct pollfd){.fd = w->servers[s].socket, .events = POLLIN};
	fds[n] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	fds[n + 1] =
		(struct pollfd){.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
			.events = POLLIN};
	w->next_tick = clock_ns(CLOCK_MONOTONIC);
	for (;;) {
		const struct itimerspec at = {
			.it_value = {
				.tv_sec = (time_t)(w->next_tick / 1000000000ull),
				.tv_nsec = (long)(w->next_tick % 1000000000ull),
			}};
		uint64_t now;
		char line[256];

		timerfd_settime(fds[n + 1].fd, TFD_TIMER_ABSTIME, &at, NULL);
		if (poll(fds, n + 2, -1) < 0 && errno != EINTR)
			fail("poll");
		for (unsigned s = 0; s < n; s++)
			if (fds[s].revents)
				hear(w, s);
		now = clock_ns(CLOCK_MONOTONIC);
		if (now >= w->next_tick)
			ask(w, now);
		if (fds[n].revents) {
			if (read(STDIN_FILENO, line, sizeof line) <= 0)
				return 0;
			w->report_until = now;
		}
		if (w->report_until && now > w->report_until + SETTLE_NS)
			report(w);
	}
}

/* Setting up */

/* Answers that come to this machine's own stack are to meet a socket, or it would complain. */
static void swallow_answers(sa_family_t family)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(SOURCE_PORT)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(SOURCE_PORT)};
	const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1, least = 1;
	const bool is_v4 = family == AF_INET;

	if (fd < 0)
		fail("socket");
	if (!is_v4)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
	if (bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
		    is_v4 ? sizeof v4 : sizeof v6))
		fail("bind");
}

static int packet_socket(const char *interface, uint16_t protocol)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};
	const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int room = 8 << 20, on = 1;

	at.sll_ifindex = (int)if_nametoindex(interface);
	if (fd < 0 || at.sll_ifindex == 0)
		fail(interface);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&at, sizeof at))
		fail("bind");
	return fd;
}

static void open_sockets(struct witness *w, const char *name)
{
	struct ifreq request = {.ifr_name = "eth0"};
	int namespace;

	swallow_answers(AF_INET);
	swallow_answers(AF_INET6);
	w->wire = packet_socket("eth0", 0);
	if (ioctl(w->wire, SIOCGIFHWADDR, &request))
		fail("eth0");
	memcpy(w->mac, request.ifr_hwaddr.sa_data, sizeof w->mac);
	namespace = open(name, O_RDONLY | O_CLOEXEC);
	if (namespace < 0 || setns(namespace, CLONE_NEWNET))
		fail(name);
	for (unsigned s = 0; s < w->n_servers; s++)
		w->servers[s].socket = packet_socket(w->servers[s].port, ETH_P_ALL);
}

static bool server_parse(char *text, struct server *s)
{
	uint8_t *m = s->mac;
	char *mac = strchr(text, '=');

	if (!mac)
		return false;
	*mac++ = '\0';
	s->port = text;
	return sscanf(mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &m[0], &m[1], &m[2], &m[3], &m[4],
		       &m[5]) == 6;
}

int main(int argc, char **argv)
{
	static struct witness w = {.period_ns = 1000000};
	int c;

	while ((c = getopt(argc, argv, "i:")) == 'i')
		w.period_ns = strtoull(optarg, NULL, 10) * 1000u;
	if (c != -1 || argc - optind < 5 || w.period_ns == 0 ||
		!addr_parse(argv[optind + 1], &w.sources[FAMILY_IPV4]) ||
		!addr_parse(argv[optind + 2], &w.sources[FAMILY_IPV6])) {
		fprintf(stderr, "usage: witness [-i PERIOD_US] SWITCH SOURCE4 SOURCE6 PORT=MAC... "
				"VIP...\n");
		return 2;
	}
	for (int i = optind + 3; i < argc; i++) {
		if (w.n_servers < SERVERS_MAX && server_parse(argv[i], &w.servers[w.n_servers])) {
			w.n_servers++;
		} else if (w.n_vips < VIPS_MAX && addr_parse(argv[i], &w.vips[w.n_vips])) {
			w.n_vips++;
		} else {
			fprintf(stderr, "witness: what is %s?\n", argv[i]);
			return 2;
		}
	}
	open_sockets(&w, argv[optind]);
	make_frames(&w);
	setpriority(PRIO_PROCESS, 0, -10);
	return run(&w);
}
