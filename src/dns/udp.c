/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "dns/edition.h"
#include "dns/signed.h"
#include "os/clock.h"
#include "os/privileges.h"

#define BATCH            64
#define LAST_BATCHES_MAX 64 /* of a socket that is closed */

/* A query larger than this is cut off, and then malformed: real ones have some hundred bytes at most. Neither size
 * is a power of two, for then the first bytes of all buffers would share a few lines of the cache. */
#define QUERY_SIZE  (2048 + 64)
#define ANSWER_SIZE (DNS_UDP_MAX + 48)

#define EVENTS 16

/* Room for either family's packet information. */
#define INFO_SIZE CMSG_SPACE(sizeof(struct in6_pktinfo))

struct udp_socket {
	int fd; /* -1: this place is free */
	uint32_t id;
};

/* One datagram each way. */
struct slot {
	struct iovec in, out;
	struct sockaddr_in6 peer; /* or an IPv4 one */
	_Alignas(struct cmsghdr) uint8_t info[INFO_SIZE];
	uint8_t query[QUERY_SIZE];
	uint8_t answer[ANSWER_SIZE];
};

struct udp {
	struct counters counters;
	struct udp_setup setup;
	struct mailbox mailbox;
	pthread_t thread;
	sem_t ready; /* posted once it has nothing more to give up */
	int epoll;
	bool stopping;
	struct rng rng;
	struct udp_socket sockets[CONFIG_LISTEN_MAX];
	struct mmsghdr in[BATCH], out[BATCH];
	struct slot slots[BATCH];
};

/* What one batch has in common. */
struct batch {
	struct edition *edition;
	tick now;
	uint64_t wall_s;
};

/* The kernel is to choose the way back by its routes; by the interface only where the address means nothing
 * without one (RFC 4007 6). */
static void keep_source_alone(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (!c)
		return;
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;

		memcpy(&info, CMSG_DATA(c), sizeof info);
		info.ipi_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof info);
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;

		memcpy(&info, CMSG_DATA(c), sizeof info);
		if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
			info.ipi6_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof info);
	}
}

/* Ready to receive again: the kernel has written down what it received last. */
static void rearm(struct udp *u, unsigned i)
{
	struct msghdr *m = &u->in[i].msg_hdr;

	m->msg_namelen = sizeof u->slots[i].peer;
	m->msg_controllen = sizeof u->slots[i].info;
	m->msg_flags = 0;
}

static void prepare(struct udp *u)
{
	for (unsigned i = 0; i < BATCH; i++) {
		struct slot *s = &u->slots[i];

		s->in = (struct iovec){s->query, sizeof s->query};
		s->out = (struct iovec){s->answer, 0};
		u->in[i].msg_hdr = (struct msghdr){.msg_name = &s->peer,
			.msg_iov = &s->in,
			.msg_iovlen = 1,
			.msg_control = s->info};
		rearm(u, i);
	}
}

/* Whether the answer may go out; it may come to be cut short. */
static bool limit(struct udp *u, const struct batch *b, const struct answer_request *request,
	struct answer_reply *reply)
{
	const uint64_t key = rrl_key(u->setup.rrl, &request->client, reply->rcode, reply->subject);

	switch (rrl_judge(u->setup.rrl, key, b->edition->rate, b->now, &u->rng)) {
	case RRL_PASS: return true;
	case RRL_SLIP:
		answer_cut(reply);
		counter_add(&u->counters.rrl_slipped, 1);
		return true;
	case RRL_DROP: break;
	}
	counter_add(&u->counters.rrl_dropped, 1);
	return false;
}

/* The size of the answer in @s; 0: there is none. */
static size_t answer_one(
	struct udp *u, const struct batch *b, struct slot *s, const struct mmsghdr *in)
{
	struct answer_request request = {
		.message = s->query, .size = in->msg_len, .wall_s = b->wall_s};
	struct answer_reply reply = {.buffer = s->answer, .room = DNS_UDP_MAX};

	if (!addr_from_sockaddr((const struct sockaddr *)&s->peer, &request.client))
		return 0;
	counter_add(addr_is_ipv4(&request.client) ? &u->counters.udp4 : &u->counters.udp6, 1);
	if (signed_answer(u->setup.answerer, b->edition->catalog, b->edition->key, &request,
		    &reply) != ANSWER_SENT)
		return 0;
	ASSERT(reply.size >= DNS_HEADER_SIZE && reply.size <= DNS_UDP_MAX);
	/* a valid cookie shows that the asker's address is its own (RFC 7873 6) */
	if (b->edition->rate > 0 && !reply.cookie_valid && !limit(u, b, &request, &reply))
		return 0;
	counter_add(&u->counters.rcodes[reply.rcode % COUNTERS_RCODES], 1);
	return reply.size;
}

/* Answers the first @n datagrams; returns how many there are to send. */
static unsigned answer_all(struct udp *u, unsigned n)
{
	const struct udp_setup *setup = &u->setup;
	struct batch b = {.edition = snapshot_take(setup->editions, setup->reader)};
	unsigned n_out = 0;

	b.now = clock_now();
	b.wall_s = clock_wall_ns() / 1000000000u;
	for (unsigned i = 0; i < n; i++) {
		struct slot *s = &u->slots[i];
		const size_t size = answer_one(u, &b, s, &u->in[i]);

		if (size > 0) {
			struct msghdr *out = &u->out[n_out++].msg_hdr;

			*out = u->in[i].msg_hdr;
			keep_source_alone(out);
			s->out.iov_len = size;
			out->msg_iov = &s->out;
		}
		rearm(u, i);
	}
	snapshot_release(setup->editions, setup->reader);
	return n_out;
}

static void send_all(struct udp *u, int fd, unsigned n)
{
	for (unsigned sent = 0; sent < n;) {
		const int done = sendmmsg(fd, u->out + sent, n - sent, 0);

		if (done > 0) {
			sent += (unsigned)done;
		} else if (errno != EINTR) {
			/* of the first one: no route, a full interface, an address that is gone */
			counter_add(&u->counters.unsent, 1);
			sent++;
		}
	}
}

/* One batch. False: there was nothing to be read. */
static bool serve(struct udp *u, int fd)
{
	const int n = recvmmsg(fd, u->in, BATCH, MSG_DONTWAIT, NULL);

	if (n > 0)
		send_all(u, fd, answer_all(u, (unsigned)n));
	return n > 0;
}

static void add_socket(struct udp *u, const struct mailbox_letter *letter)
{
	for (uint32_t i = 0; i < CONFIG_LISTEN_MAX; i++) {
		struct udp_socket *s = &u->sockets[i];
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};

		if (s->fd >= 0)
			continue;
		*s = (struct udp_socket){letter->fd, letter->id};
		if (epoll_ctl(u->epoll, EPOLL_CTL_ADD, s->fd, &event) == 0)
			return;
		s->fd = -1;
		break;
	}
	close(letter->fd);
}

/* What waits in it is still answered: a reload loses no query. */
static void close_socket(struct udp *u, uint32_t id)
{
	for (uint32_t i = 0; i < CONFIG_LISTEN_MAX; i++) {
		struct udp_socket *s = &u->sockets[i];

		if (s->fd < 0 || s->id != id)
			continue;
		for (int n = 0; n < LAST_BATCHES_MAX && serve(u, s->fd); n++)
			;
		close(s->fd); /* which takes it out of the epoll, too */
		s->fd = -1;
	}
}

static void read_letters(struct udp *u)
{
	struct mailbox_letter letter;

	while (mailbox_take(&u->mailbox, &letter)) {
		switch (letter.kind) {
		case MAILBOX_SERVE: add_socket(u, &letter); break;
		case MAILBOX_CLOSE: close_socket(u, letter.id); break;
		case MAILBOX_STOP: u->stopping = true; break;
		}
	}
}

static void *run(void *context)
{
	struct epoll_event events[EVENTS];
	struct udp *u = context;

	(void)pthread_setname_np(pthread_self(), "roost-dns-udp");
	(void)privileges_renounce();
	(void)sem_post(&u->ready);
	while (!u->stopping) {
		const int n = epoll_wait(u->epoll, events, EVENTS, -1);
		bool has_letters = false;

		for (int i = 0; i < n; i++) {
			struct udp_socket *s = events[i].data.ptr;

			if (s)
				(void)serve(u, s->fd);
			else
				has_letters = true;
		}
		if (has_letters) /* last, as they may close what is among the events */
			read_letters(u);
	}
	return NULL;
}

static int set_up(struct udp *u)
{
	struct epoll_event event = {.events = EPOLLIN};
	int error = mailbox_init(&u->mailbox);

	if (error)
		return error;
	(void)sem_init(&u->ready, 0, 0);
	u->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (u->epoll >= 0) {
		if (epoll_ctl(u->epoll, EPOLL_CTL_ADD, u->mailbox.out, &event) == 0)
			error = -pthread_create(&u->thread, NULL, run, u);
		else
			error = -errno;
		if (!error) {
			while (sem_wait(&u->ready) < 0)
				;
			return 0;
		}
		close(u->epoll);
	} else {
		error = -errno;
	}
	mailbox_fini(&u->mailbox);
	return error;
}

int udp_start(const struct udp_setup *setup, struct udp **ret_udp)
{
	struct udp *u = aligned_alloc(_Alignof(struct udp), sizeof *u);
	int error;

	if (!u)
		return -ENOMEM;
	memset(u, 0, sizeof *u);
	u->setup = *setup;
	u->rng.state = setup->seed;
	for (uint32_t i = 0; i < CONFIG_LISTEN_MAX; i++)
		u->sockets[i].fd = -1;
	prepare(u);
	error = set_up(u);
	if (error) {
		free(u);
		return error;
	}
	*ret_udp = u;
	return 0;
}

void udp_stop(struct udp *u)
{
	const struct mailbox_letter stop = {.kind = MAILBOX_STOP};

	if (!u)
		return;
	(void)mailbox_put(&u->mailbox, &stop);
	(void)pthread_join(u->thread, NULL);
	for (uint32_t i = 0; i < CONFIG_LISTEN_MAX; i++)
		if (u->sockets[i].fd >= 0)
			close(u->sockets[i].fd);
	close(u->epoll);
	(void)sem_destroy(&u->ready);
	mailbox_fini(&u->mailbox);
	free(u);
}

const struct mailbox *udp_mailbox(const struct udp *u)
{
	return &u->mailbox;
}

const struct counters *udp_counters(const struct udp *u)
{
	return &u->counters;
}
