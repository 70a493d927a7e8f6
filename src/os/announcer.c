/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/announcer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/announcement.h"

#define FRAMES_MAX 256

/* Gateways and forwarding are looked up anew after so long. */
#define SURROUNDINGS_LIFE tick_s(1)

/* What an announcement says beyond the VIP. */
struct surroundings {
	tick known_at;    /* 0: never */
	uint32_t ifindex; /* that it is of */
	struct addr gateways[FAMILY_COUNT];
	bool router; /* forwards IPv6 */
};

struct announcer {
	const struct config *config;
	const struct links *links;
	struct netlink *netlink;
	struct board *board;
	const struct holder *holder;
	int fd;
	uint32_t *due;   /* VIPs, room for all */
	uint32_t *asked; /* by VIP: the number that is about to be answered */
	bool *defend;    /* by VIP: whoever asked or not */
	uint32_t n_due;
	struct surroundings surroundings[CONFIG_INTERFACES_MAX];
	uint8_t frames[FRAMES_MAX][ANNOUNCEMENT_SIZE_MAX];
	struct iovec vectors[FRAMES_MAX];
	struct sockaddr_ll names[FRAMES_MAX];
	struct mmsghdr headers[FRAMES_MAX];
	uint32_t vips[FRAMES_MAX];
	bool sent[FRAMES_MAX];
	uint32_t n;
};

typedef size_t (*build_function)(const struct announcement *a, uint8_t *frame, size_t size);

int announcer_new(const struct config *config, const struct links *links, struct netlink *netlink,
	struct board *board, const struct holder *holder, struct announcer **ret_announcer)
{
	struct announcer *a = calloc(1, sizeof *a);

	if (!a)
		return -ENOMEM;
	a->config = config;
	a->links = links;
	a->netlink = netlink;
	a->board = board;
	a->holder = holder;
	a->due = calloc(config->n_vips ? config->n_vips : 1, sizeof *a->due);
	a->asked = calloc(config->n_vips ? config->n_vips : 1, sizeof *a->asked);
	a->defend = calloc(config->n_vips ? config->n_vips : 1, sizeof *a->defend);
	/* protocol 0: it receives nothing */
	a->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!a->due || !a->asked || !a->defend || a->fd < 0) {
		const int error = a->fd < 0 ? -errno : -ENOMEM;

		announcer_free(a);
		return error;
	}
	*ret_announcer = a;
	return 0;
}

void announcer_free(struct announcer *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd);
	free(a->due);
	free(a->asked);
	free(a->defend);
	free(a);
}

static uint32_t interface_of(const struct announcer *a, uint32_t vip)
{
	return a->config->services[a->config->vips[vip].service].interface;
}

/* RFC 4861 7.2.4: the Router flag is set if the node is a router, and Linux is one if it forwards. */
static bool forwards_ipv6(const char *interface)
{
	char path[64], value = '0';
	int fd;

	(void)snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/forwarding", interface);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, &value, 1) != 1)
		value = '0';
	close(fd);
	return value != '0';
}

static const struct surroundings *look_around(struct announcer *a, uint32_t interface, tick now)
{
	struct surroundings *s = &a->surroundings[interface];
	const uint32_t ifindex = a->links->links[interface].ifindex;

	if (s->known_at && s->ifindex == ifindex &&
		tick_since(now, s->known_at) < SURROUNDINGS_LIFE)
		return s;
	for (int f = 0; f < FAMILY_COUNT; f++)
		s->gateways[f] = netlink_gateway(a->netlink, ifindex, (enum family)f);
	s->router = forwards_ipv6(a->config->interfaces[interface].name);
	s->known_at = now;
	s->ifindex = ifindex;
	return s;
}

static void put_frame(struct announcer *a, uint32_t vip, build_function build, tick now)
{
	const uint32_t interface = interface_of(a, vip);
	const struct link *link = &a->links->links[interface];
	const struct surroundings *s = look_around(a, interface, now);
	struct announcement what = {
		.vip = a->config->vips[vip].address,
		.gateway = s->gateways[addr_family(&a->config->vips[vip].address)],
		.router = s->router,
	};
	const uint32_t i = a->n;
	size_t size;

	memcpy(what.mac, link->mac, sizeof what.mac);
	size = build(&what, a->frames[i], sizeof a->frames[i]);
	if (size == 0)
		return;
	a->vectors[i] = (struct iovec){.iov_base = a->frames[i], .iov_len = size};
	a->names[i] = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)link->ifindex,
	};
	/* the frame's own, already in network order */
	memcpy(&a->names[i].sll_protocol, a->frames[i] + 12, sizeof a->names[i].sll_protocol);
	a->headers[i].msg_hdr = (struct msghdr){
		.msg_name = &a->names[i],
		.msg_namelen = sizeof a->names[i],
		.msg_iov = &a->vectors[i],
		.msg_iovlen = 1,
	};
	a->vips[i] = vip;
	a->n++;
}

/* Sends the frames in hand and notes which left; false if one was refused. */
static bool send_frames(struct announcer *a)
{
	uint32_t done = 0;
	bool all = true;

	while (done < a->n) {
		const int n = sendmmsg(a->fd, a->headers + done, a->n - done, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		for (int i = 0; i < n; i++)
			a->sent[done++] = true;
		if (n <= 0) {
			a->sent[done++] = false;
			all = false;
		}
	}
	return all;
}

static void find_due(struct announcer *a)
{
	a->n_due = 0;
	for (uint32_t vip = 0; vip < a->config->n_vips; vip++) {
		a->asked[vip] = board_announcement_asked(a->board, vip);
		a->defend[vip] &= holder_serves(a->holder, vip);
		if ((a->asked[vip] == board_announced(a->board, vip) && !a->defend[vip]) ||
			!holder_serves(a->holder, vip))
			continue;
		/* where there are no neighbour tables there is nobody to tell */
		if (a->links->links[interface_of(a, vip)].ethernet)
			a->due[a->n_due++] = vip;
		else
			board_set_announced(a->board, vip, a->asked[vip]);
	}
}

/* Sends a frame for each VIP that is due and, if it @answers, tells the board; false if one was
 * refused. */
static bool send_all(struct announcer *a, build_function build, bool answers, tick now)
{
	uint32_t at = 0;
	bool all = true;

	while (at < a->n_due) {
		for (a->n = 0; a->n < FRAMES_MAX && at < a->n_due; at++)
			put_frame(a, a->due[at], build, now);
		all &= send_frames(a);
		for (uint32_t i = 0; i < a->n && answers; i++) {
			if (!a->sent[i])
				continue;
			board_set_announced(a->board, a->vips[i], a->asked[a->vips[i]]);
			a->defend[a->vips[i]] = false;
		}
	}
	return all;
}

void announcer_defend(struct announcer *a, uint32_t vip)
{
	a->defend[vip] = true;
}

bool announcer_work(struct announcer *a, tick now)
{
	bool all;

	find_due(a);
	all = send_all(a, announcement_build, true, now);
	/* a claim waits for the first shot; the questions can wait for the claim */
	if (a->n_due != 0)
		board_kick_fast(a->board);
	(void)send_all(a, announcement_build_query, false, now);
	return all;
}
