/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * probe [-i PERIOD_US] ADDRESS...: asks the echo at every address once in a period, and remembers
 * which server answered each question, as runs of like outcomes. For every line on standard input
 * it reports, once all earlier questions are settled, what came since the last report:
 *
 *    run TARGET SERVER FIRST LAST COUNT   questions sent from FIRST to LAST; SERVER 0: never
 * answered stall AT LENGTH                      this program itself was late by more than STALL_NS
 *    end UNTIL                            everything sent before UNTIL is settled and reported
 *
 * Times are nanoseconds of CLOCK_MONOTONIC. It ends at the end of its input.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define PENDING     2048         /* questions of one target that may be open at once */
#define TIMEOUT_NS  250000000ull /* then a question counts as lost */
#define STALL_NS    5000000ull
#define MILLISECOND 1000000ull

struct run {
	uint64_t first, last;
	uint32_t count;
	uint16_t server;
};

struct question {
	uint64_t sent;
	uint16_t server; /* 0: not answered yet */
};

struct target {
	struct sockaddr_in6 address; /* or a sockaddr_in */
	struct question questions[PENDING];
	uint32_t next, settled; /* sequence numbers: to be sent; the first still open */
	struct run *runs;
	size_t n_runs, room;
};

struct stall {
	uint64_t at, length;
};

struct prober {
	struct target *targets;
	unsigned n_targets, slots, slot;
	int sockets[2]; /* IPv4, IPv6 */
	uint64_t tick_ns, next_tick;
	uint64_t report_until; /* 0: nobody asked */
	struct stall stalls[1024];
	size_t n_stalls;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool is_v6(const struct target *t)
{
	return t->address.sin6_family == AF_INET6;
}

static void target_remember(struct target *t, uint16_t server, uint64_t sent)
{
	struct run *last = t->n_runs ? &t->runs[t->n_runs - 1] : NULL;

	if (last && last->server == server) {
		last->last = sent;
		last->count++;
		return;
	}
	if (t->n_runs == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->runs = realloc(t->runs, t->room * sizeof *t->runs);
		if (!t->runs)
			fail("runs");
	}
	t->runs[t->n_runs++] = (struct run){sent, sent, 1, server};
}

static void target_settle(struct target *t, uint64_t now)
{
	while (t->settled != t->next) {
		const struct question *q = &t->questions[t->settled % PENDING];

		if (!q->server && now - q->sent < TIMEOUT_NS)
			return;
		target_remember(t, q->server, q->sent);
		t->settled++;
	}
}

/* Asks those targets of the current slot that are of one family. */
static void ask_family(struct prober *p, bool v6, uint64_t now)
{
	static struct mmsghdr headers[PROBE_BATCH];
	static struct iovec parts[PROBE_BATCH];
	static struct probe_message messages[PROBE_BATCH];
	unsigned n = 0, sent = 0;

	for (unsigned i = p->slot; i < p->n_targets && n < PROBE_BATCH; i += p->slots) {
		struct target *t = &p->targets[i];

		if (is_v6(t) != v6)
			continue;
		t->questions[t->next % PENDING] = (struct question){.sent = now};
		messages[n] = (struct probe_message){
			.magic = PROBE_MAGIC, .target = (uint16_t)i, .sequence = t->next++};
		parts[n] = (struct iovec){&messages[n], sizeof messages[n]};
		headers[n].msg_hdr = (struct msghdr){
			.msg_name = &t->address,
			.msg_namelen =
				v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
			.msg_iov = &parts[n],
			.msg_iovlen = 1,
		};
		n++;
	}
	while (sent < n) {
		const int done = sendmmsg(p->sockets[v6], headers + sent, n - sent, MSG_DONTWAIT);

		sent += done > 0 ? (unsigned)done : 1; /* what can't be sent is lost */
	}
}

static void tick(struct prober *p, uint64_t now)
{
	const uint64_t late = now - p->next_tick;

	if (late > STALL_NS && p->n_stalls < sizeof p->stalls / sizeof p->stalls[0])
		p->stalls[p->n_stalls++] = (struct stall){p->next_tick, late};
	for (unsigned i = p->slot; i < p->n_targets; i += p->slots)
		target_settle(&p->targets[i], now);
	ask_family(p, false, now);
	ask_family(p, true, now);
	p->slot = (p->slot + 1) % p->slots;
	/* What was missed is not made up for: a burst would measure something else. */
	p->next_tick = late < p->tick_ns ? p->next_tick + p->tick_ns : now + p->tick_ns;
}

static bool came_from(const struct target *t, const struct sockaddr_in6 *peer)
{
	if (peer->sin6_family != t->address.sin6_family)
		return false;
	if (is_v6(t))
		return !memcmp(&peer->sin6_addr, &t->address.sin6_addr, sizeof peer->sin6_addr);
	return ((const struct sockaddr_in *)peer)->sin_addr.s_addr ==
	       ((const struct sockaddr_in *)&t->address)->sin_addr.s_addr;
}

static void hear(struct prober *p, int fd)
{
	static struct mmsghdr headers[PROBE_BATCH];
	static struct iovec parts[PROBE_BATCH];
	static struct probe_message messages[PROBE_BATCH];
	static struct sockaddr_in6 peers[PROBE_BATCH];
	int got;

	for (unsigned i = 0; i < PROBE_BATCH; i++) {
		parts[i] = (struct iovec){&messages[i], sizeof messages[i]};
		headers[i].msg_hdr = (struct msghdr){.msg_name = &peers[i],
			.msg_namelen = sizeof peers[i],
			.msg_iov = &parts[i],
			.msg_iovlen = 1};
	}
	got = recvmmsg(fd, headers, PROBE_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < got; i++) {
		const struct probe_message *m = &messages[i];
		struct target *t = m->target < p->n_targets ? &p->targets[m->target] : NULL;
		struct question *q = t ? &t->questions[m->sequence % PENDING] : NULL;

		if (headers[i].msg_len == sizeof *m && m->magic == PROBE_MAGIC && t &&
			came_from(t, &peers[i]) && m->sequence - t->settled < t->next - t->settled)
			q->server = m->server;
	}
}

static void report(struct prober *p)
{
	for (unsigned i = 0; i < p->n_targets; i++) {
		struct target *t = &p->targets[i];

		target_settle(t, now_ns());
		for (size_t k = 0; k < t->n_runs; k++)
			printf("run %u %u %llu %llu %u\n", i, t->runs[k].server,
				(unsigned long long)t->runs[k].first,
				(unsigned long long)t->runs[k].last, t->runs[k].count);
		t->n_runs = 0;
	}
	for (size_t k = 0; k < p->n_stalls; k++)
		printf("stall %llu %llu\n", (unsigned long long)p->stalls[k].at,
			(unsigned long long)p->stalls[k].length);
	p->n_stalls = 0;
	printf("end %llu\n", (unsigned long long)p->report_until);
	fflush(stdout);
	p->report_until = 0;
}

static int run(struct prober *p)
{
	struct pollfd fds[4] = {
		{.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
			.events = POLLIN},
		{.fd = p->sockets[0], .events = POLLIN},
		{.fd = p->sockets[1], .events = POLLIN},
		{.fd = STDIN_FILENO, .events = POLLIN},
	};

	p->next_tick = now_ns() + MILLISECOND;
	for (;;) {
		const struct itimerspec at = {
			.it_value = {
				.tv_sec = (time_t)(p->next_tick / 1000000000ull),
				.tv_nsec = (long)(p->next_tick % 1000000000ull),
			}};
		char line[256];
		uint64_t now;

		timerfd_settime(fds[0].fd, TFD_TIMER_ABSTIME, &at, NULL);
		if (poll(fds, 4, -1) < 0 && errno != EINTR)
			fail("poll");
		/* Answers first, so that a late turn of our own loses nothing. */
		if (fds[1].revents)
			hear(p, p->sockets[0]);
		if (fds[2].revents)
			hear(p, p->sockets[1]);
		now = now_ns();
		if (now >= p->next_tick)
			tick(p, now);
		if (fds[3].revents) {
			if (read(STDIN_FILENO, line, sizeof line) <= 0)
				return 0;
			p->report_until = now;
		}
		if (p->report_until && now > p->report_until + TIMEOUT_NS)
			report(p);
	}
}

static bool target_parse(const char *text, struct target *t)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&t->address;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(PROBE_PORT);
		return true;
	}
	t->address.sin6_family = AF_INET6;
	t->address.sin6_port = htons(PROBE_PORT);
	return inet_pton(AF_INET6, text, &t->address.sin6_addr) == 1;
}

static int open_socket(int family)
{
	const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), room = 4 << 20;

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	return fd;
}

int main(int argc, char **argv)
{
	static struct prober p;
	uint64_t period = MILLISECOND;
	int c;

	while ((c = getopt(argc, argv, "i:")) == 'i')
		period = strtoull(optarg, NULL, 10) * 1000u;
	if (c != -1 || optind == argc || period * PENDING < 2 * TIMEOUT_NS || period > TIMEOUT_NS) {
		fprintf(stderr, "usage: probe [-i PERIOD_US] ADDRESS...\n");
		return 2;
	}
	p.n_targets = (unsigned)(argc - optind);
	p.targets = calloc(p.n_targets, sizeof *p.targets);
	if (!p.targets)
		fail("targets");
	for (unsigned i = 0; i < p.n_targets; i++) {
		if (!target_parse(argv[optind + (int)i], &p.targets[i])) {
			fprintf(stderr, "probe: not an address: %s\n", argv[optind + (int)i]);
			return 2;
		}
	}
	/* Many addresses are asked a slice at a time, so that no burst is longer than a batch. */
	p.slots = (unsigned)(period / MILLISECOND);
	p.slots = p.slots < 1 ? 1 : p.slots > p.n_targets ? p.n_targets : p.slots;
	p.tick_ns = period / p.slots;
	p.sockets[0] = open_socket(AF_INET);
	p.sockets[1] = open_socket(AF_INET6);
	setpriority(PRIO_PROCESS, 0, -10);
	return run(&p);
}
