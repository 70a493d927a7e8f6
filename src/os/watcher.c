/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/watcher.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "wire/frames.h"

/* An NS or NA with all that RFC 3971 may add to it; a longer one is cut off, and so refused. */
#define FRAME_SIZE 1536

/* Some hundred frames: more than are read in one go, and no more than are worth it. */
#define RECEIVE_BUFFER (256 * 1024)

/* Where the filter looks, from the Ethernet header on. */
#define NEXT_HEADER_AT (ETH_HLEN + 6)
#define ND_TYPE_AT     (ETH_HLEN + 40)

/* A jump for each interface, and what comes before and after. */
#define PROGRAM_SIZE (CONFIG_INTERFACES_MAX + 9)

struct watcher {
	int fd[FAMILY_COUNT];
	uint64_t dropped;
	uint8_t buffers[WATCHER_BATCH][FRAME_SIZE];
	struct iovec vectors[WATCHER_BATCH];
	struct sockaddr_ll names[WATCHER_BATCH];
	struct mmsghdr headers[WATCHER_BATCH];
};

struct program {
	struct sock_filter code[PROGRAM_SIZE];
	uint16_t n;
};

static void put(struct program *p, struct sock_filter instruction)
{
	ASSERT(p->n < PROGRAM_SIZE);
	p->code[p->n++] = instruction;
}

/* Accepts NS and NA (ARP's socket gets nothing else) of these interfaces. Jumps count from the next
 * instruction; the program ends in "accept" and "drop". */
static void write_filter(
	struct program *p, enum family family, const uint32_t *ifindexes, uint32_t n)
{
	const uint8_t left =
		family == FAMILY_IPV6 ? 5 : 0; /* behind the interfaces, before the end */

	p->n = 0;
	put(p, (struct sock_filter)BPF_STMT(
		       BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX)));
	for (uint32_t i = 0; i < n; i++)
		put(p, (struct sock_filter)BPF_JUMP(
			       BPF_JMP | BPF_JEQ | BPF_K, ifindexes[i], (uint8_t)(n - i), 0));
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, left + 1u, 0, 0));
	if (family == FAMILY_IPV6) {
		put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NEXT_HEADER_AT));
		put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMPV6, 0, 4));
		put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ND_TYPE_AT));
		put(p, (struct sock_filter)BPF_JUMP(
			       BPF_JMP | BPF_JEQ | BPF_K, ND_SOLICITATION, 1, 0));
		put(p, (struct sock_filter)BPF_JUMP(
			       BPF_JMP | BPF_JEQ | BPF_K, ND_ADVERTISEMENT, 0, 1));
	}
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, FRAME_SIZE));
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
}

static int attach(int fd, enum family family, const uint32_t *ifindexes, uint32_t n)
{
	struct program p;
	struct sock_fprog attached;

	write_filter(&p, family, ifindexes, n);
	attached = (struct sock_fprog){.len = p.n, .filter = p.code};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached) < 0 ? -errno
											    : 0;
}

/* The filter comes before the protocol: a packet socket of protocol 0 gets nothing until it is bound.
 */
static int open_family(struct watcher *w, enum family family)
{
	const struct sockaddr_ll all = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(family == FAMILY_IPV4 ? ETH_P_ARP : ETH_P_IPV6),
	};
	const int size = RECEIVE_BUFFER;
	int error;

	w->fd[family] = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->fd[family] < 0)
		return -errno;
	(void)setsockopt(w->fd[family], SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	error = attach(w->fd[family], family, NULL, 0);
	if (!error && bind(w->fd[family], (const struct sockaddr *)&all, sizeof all) < 0)
		error = -errno;
	return error;
}

int watcher_new(unsigned families, struct watcher **ret_watcher)
{
	struct watcher *w = calloc(1, sizeof *w);
	int error = 0;

	if (!w)
		return -ENOMEM;
	w->fd[FAMILY_IPV4] = w->fd[FAMILY_IPV6] = -1;
	for (int f = 0; f < FAMILY_COUNT && !error; f++)
		if (families & 1u << f)
			error = open_family(w, (enum family)f);
	if (error) {
		watcher_free(w);
		return error;
	}
	*ret_watcher = w;
	return 0;
}

void watcher_free(struct watcher *w)
{
	if (!w)
		return;
	for (int f = 0; f < FAMILY_COUNT; f++)
		if (w->fd[f] >= 0)
			close(w->fd[f]);
	free(w);
}

int watcher_fd(const struct watcher *w, enum family family)
{
	return w->fd[family];
}

int watcher_follow(struct watcher *w, const uint32_t *ifindexes, uint32_t n)
{
	int error = 0;

	ASSERT(n <= CONFIG_INTERFACES_MAX);
	for (int f = 0; f < FAMILY_COUNT && !error; f++)
		if (w->fd[f] >= 0)
			error = attach(w->fd[f], (enum family)f, ifindexes, n);
	return error;
}

/* The kernel's own multicast, sent back to itself before it had an Ethernet header, is no frame. */
static bool is_frame(const struct sockaddr_ll *name)
{
	return name->sll_pkttype != PACKET_LOOPBACK && name->sll_pkttype != PACKET_OUTGOING;
}

uint32_t watcher_receive(struct watcher *w, enum family family,
	struct watcher_frame frames[static WATCHER_BATCH], uint32_t *ret_usable)
{
	int n;

	*ret_usable = 0;
	for (uint32_t i = 0; i < WATCHER_BATCH; i++) {
		w->vectors[i] = (struct iovec){w->buffers[i], FRAME_SIZE};
		w->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &w->names[i],
			.msg_namelen = sizeof w->names[i],
			.msg_iov = &w->vectors[i],
			.msg_iovlen = 1,
		};
	}
	do {
		n = recvmmsg(w->fd[family], w->headers, WATCHER_BATCH, MSG_DONTWAIT, NULL);
	} while (n < 0 && errno == EINTR);
	for (int i = 0; i < n; i++) {
		if (!is_frame(&w->names[i]))
			continue;
		frames[(*ret_usable)++] = (struct watcher_frame){
			.bytes = w->buffers[i],
			.size = w->headers[i].msg_len,
			.ifindex = (uint32_t)w->names[i].sll_ifindex,
		};
	}
	return n < 0 ? 0 : (uint32_t)n;
}

void watcher_send(
	struct watcher *w, enum family family, uint32_t ifindex, const uint8_t *frame, size_t size)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)ifindex};
	ssize_t ignored;

	memcpy(&to.sll_protocol, frame + 2 * ETH_ALEN, sizeof to.sll_protocol);
	ignored = sendto(
		w->fd[family], frame, size, MSG_DONTWAIT, (const struct sockaddr *)&to, sizeof to);
	(void)ignored;
}

uint64_t watcher_dropped(struct watcher *w)
{
	for (int f = 0; f < FAMILY_COUNT; f++) {
		struct tpacket_stats stats; /* since it was last asked for */
		socklen_t size = sizeof stats;

		if (w->fd[f] >= 0 &&
			getsockopt(w->fd[f], SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
			w->dropped += stats.tp_drops;
	}
	return w->dropped;
}
