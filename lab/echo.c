/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * echo NUMBER: answers probe on every address that this machine has, in both families, from the
 * address that was asked, and puts NUMBER (1 to 65535) into the answer.
 */

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe.h"

struct batch {
	struct mmsghdr headers[PROBE_BATCH];
	struct iovec parts[PROBE_BATCH];
	struct sockaddr_in6 peers[PROBE_BATCH];
	struct probe_message messages[PROBE_BATCH];
	/* The packet info that came in is sent back as it is: it names the address to answer from.
	 */
	_Alignas(struct cmsghdr) char controls[PROBE_BATCH][CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static int listen_on(sa_family_t family)
{
	const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1, room = 4 << 20;
	const struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(PROBE_PORT)};
	const struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(PROBE_PORT)};
	const bool is_v4 = family == AF_INET;

	if (fd < 0)
		return -1;
	if (is_v4)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
	if (!is_v4)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	if (bind(fd, is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6,
		    is_v4 ? sizeof v4 : sizeof v6) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void batch_reset(struct batch *b)
{
	for (unsigned i = 0; i < PROBE_BATCH; i++) {
		b->parts[i] = (struct iovec){&b->messages[i], sizeof b->messages[i]};
		b->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &b->peers[i],
			.msg_namelen = sizeof b->peers[i],
			.msg_iov = &b->parts[i],
			.msg_iovlen = 1,
			.msg_control = b->controls[i],
			.msg_controllen = sizeof b->controls[i],
		};
	}
}

static void answer(int fd, struct batch *b, uint16_t server)
{
	int got, sent = 0;

	batch_reset(b);
	got = recvmmsg(fd, b->headers, PROBE_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < got; i++)
		b->messages[i].server = server;
	while (sent < got) {
		const int n = sendmmsg(fd, b->headers + sent, (unsigned)(got - sent), MSG_DONTWAIT);

		/* The address may be gone by now: then the question stays unanswered, as it should.
		 */
		sent += n > 0 ? n : 1;
	}
}

int main(int argc, char **argv)
{
	struct pollfd fds[2] = {
		{.fd = listen_on(AF_INET), .events = POLLIN},
		{.fd = listen_on(AF_INET6), .events = POLLIN},
	};
	const int server = argc == 2 ? atoi(argv[1]) : 0;
	static struct batch batch;

	if (server < 1 || server > UINT16_MAX) {
		fprintf(stderr, "usage: echo NUMBER\n");
		return 2;
	}
	if (fds[0].fd < 0 || fds[1].fd < 0) {
		fprintf(stderr, "echo: cannot listen: %s\n", strerror(errno));
		return 1;
	}
	setpriority(PRIO_PROCESS, 0, -10);
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return 1;
		for (unsigned i = 0; i < 2; i++) {
			if (fds[i].revents)
				answer(fds[i].fd, &batch, (uint16_t)server);
		}
	}
}
