/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench-ask ADDRESS SECONDS WINDOW: asks a name server for the addresses of www.example.com, from SOCKETS sockets
 * each of which has up to WINDOW questions open, and says how many answers came:
 *
 *    answered 123456 lost 0 wrong 0
 *
 * It sends and receives by the batch, so that on a core of its own it costs less than any server, and a server is
 * as busy as it can be. That is what most generators can't do on a machine that runs both.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define SOCKETS     8
#define BATCH       64
#define ADDRESSES   2  /* of the name */
#define PATIENCE_MS 50 /* then what is open counts as lost */
#define BUFFER      (4 << 20)

static const uint8_t question[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 3, 'w', 'w', 'w', 7, 'e',
	'x', 'a', 'm', 'p', 'l', 'e', 3, 'c', 'o', 'm', 0, 0, 1, 0, 1, 0, 0, 41, 0x04, 0xd0, 0, 0,
	0, 0, 0, 0};

struct asker {
	struct pollfd sockets[SOCKETS];
	unsigned open[SOCKETS]; /* questions */
	unsigned window;
	uint32_t id;
	struct mmsghdr out[BATCH], in[BATCH];
	struct iovec out_bytes[BATCH], in_bytes[BATCH];
	uint8_t questions[BATCH][sizeof question], answers[BATCH][2048];
	uint64_t answered, lost, wrong;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void open_sockets(struct asker *a, const char *address)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)};
	const int buffer = BUFFER;

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		fail(address);
	for (unsigned i = 0; i < SOCKETS; i++) {
		const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) < 0)
			fail(address);
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
		a->sockets[i] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
}

static void prepare(struct asker *a)
{
	for (unsigned i = 0; i < BATCH; i++) {
		memcpy(a->questions[i], question, sizeof question);
		a->out_bytes[i] = (struct iovec){a->questions[i], sizeof question};
		a->in_bytes[i] = (struct iovec){a->answers[i], sizeof a->answers[i]};
		a->out[i].msg_hdr = (struct msghdr){.msg_iov = &a->out_bytes[i], .msg_iovlen = 1};
		a->in[i].msg_hdr = (struct msghdr){.msg_iov = &a->in_bytes[i], .msg_iovlen = 1};
	}
}

static void ask(struct asker *a, unsigned i)
{
	const unsigned may = a->window - a->open[i], n = may < BATCH ? may : BATCH;
	int sent;

	if (n == 0)
		return;
	for (unsigned k = 0; k < n; k++) {
		a->id = a->id * 1664525u + 1013904223u; /* some servers rotate by it */
		memcpy(a->questions[k], &a->id, 2);
		a->questions[k][1] ^= (uint8_t)(a->id >> 24);
	}
	sent = sendmmsg(a->sockets[i].fd, a->out, n, 0);
	if (sent > 0)
		a->open[i] += (unsigned)sent;
}

static void hear(struct asker *a, unsigned i)
{
	const int n = recvmmsg(a->sockets[i].fd, a->in, BATCH, 0, NULL);

	for (int k = 0; k < n; k++) {
		/* no error, and both addresses */
		if (a->in[k].msg_len > sizeof question && (a->answers[k][3] & 0xf) == 0 &&
			a->answers[k][7] == ADDRESSES)
			a->answered++;
		else
			a->wrong++;
		a->open[i] -= a->open[i] > 0;
	}
}

static void run(struct asker *a, uint64_t until)
{
	while (now_ns() < until) {
		for (unsigned i = 0; i < SOCKETS; i++)
			ask(a, i);
		if (poll(a->sockets, SOCKETS, PATIENCE_MS) == 0) {
			for (unsigned i = 0; i < SOCKETS; i++) {
				a->lost += a->open[i];
				a->open[i] = 0;
			}
		}
		for (unsigned i = 0; i < SOCKETS; i++)
			if (a->sockets[i].revents)
				hear(a, i);
	}
}

int main(int argc, char **argv)
{
	static struct asker a;
	double seconds;

	if (argc != 4) {
		fputs("usage: bench-ask ADDRESS SECONDS WINDOW\n", stderr);
		return EXIT_FAILURE;
	}
	seconds = strtod(argv[2], NULL);
	a.window = (unsigned)strtoul(argv[3], NULL, 10);
	prepare(&a);
	open_sockets(&a, argv[1]);
	run(&a, now_ns() + (uint64_t)(seconds * 1e9));
	printf("answered %llu lost %llu wrong %llu\n", (unsigned long long)a.answered,
		(unsigned long long)a.lost, (unsigned long long)a.wrong);
	return EXIT_SUCCESS;
}
