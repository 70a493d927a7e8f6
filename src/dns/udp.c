/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "dns/edition.h"
#include "dns/signed.h"
#include "dns/socket.h"
#include "dns/transfer_log.h"
#include "os/clock.h"
#include "os/privileges.h"

#define BATCH            64
#define LAST_BATCHES_MAX 64 /* of a socket that is taken away */

/* A query larger than this is cut off, and then malformed: real ones have some hundred bytes at most. Neither size
 * is a power of two, for then the first bytes of all buffers would share a few lines of the cache. */
#define QUERY_SIZE  (2048 + 64)
#define ANSWER_SIZE (DNS_UDP_MAX + 48)

#define SENDERS 4

/* Room for either family's packet information. */
#define INFO_SIZE CMSG_SPACE(sizeof(struct in6_pktinfo))

/* One datagram each way, but for its bytes. */
struct slot {
	struct iovec in, out;
	struct sockaddr_in6 peer; /* or an IPv4 one */
	_Alignas(struct cmsghdr) uint8_t info[INFO_SIZE];
};

struct udp {
	struct counters counters;
	struct udp_setup setup;
	struct answerer *answerer;
	pthread_t thread;
	sem_t given; /* a socket, or nothing, which means that it is to end */
	sem_t rests; /* posted when it waits for a socket */
	int fd;      /* -1: it has none */
	atomic_bool leaving;
	struct rng rng;
	/* Sockets with send buffers of their own, and whose answers leave by them: of the interfaces that found no room
	 * in the buffer of @fd. Of more than SENDERS those that did so last. */
	int senders[SENDERS];
	int apart[SENDERS];
	unsigned n_senders, n_apart, next_apart;
	struct mmsghdr in[BATCH], out[BATCH];
	int interfaces[BATCH]; /* by which the questions of @out came; 0: unknown */
	struct slot slots[BATCH];
	/* Last, and not cleared: of most sockets' batches only the first few are ever touched. */
	uint8_t queries[BATCH][QUERY_SIZE];
	uint8_t answers[BATCH][ANSWER_SIZE];
};

/* What one batch has in common. */
struct batch {
	struct edition *edition;
	tick now;
	uint64_t wall_s;
};

/* The kernel is to choose the way back by its routes; by the interface only where the address means nothing
 * without one (RFC 4007 6). Returns the interface by which @m came, 0 if it does not say. */
static int keep_source_alone(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int interface = 0;

	if (!c)
		return interface;
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;

		memcpy(&info, CMSG_DATA(c), sizeof info);
		interface = info.ipi_ifindex;
		info.ipi_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof info);
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;

		memcpy(&info, CMSG_DATA(c), sizeof info);
		interface = (int)info.ipi6_ifindex;
		if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
			info.ipi6_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof info);
	}
	return interface;
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

		s->in = (struct iovec){u->queries[i], QUERY_SIZE};
		s->out = (struct iovec){u->answers[i], 0};
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

/* The size of the answer to datagram @i; 0: there is none. */
static size_t answer_one(struct udp *u, const struct batch *b, unsigned i)
{
	struct answer_request request = {.message = u->queries[i],
		.size = u->in[i].msg_len,
		.wall_s = b->wall_s,
		.self = &b->edition->self};
	struct answer_reply reply = {.buffer = u->answers[i], .room = DNS_UDP_MAX};

	if (!addr_from_sockaddr((const struct sockaddr *)&u->slots[i].peer, &request.client))
		return 0;
	counter_add(addr_is_ipv4(&request.client) ? &u->counters.udp4 : &u->counters.udp6, 1);
	if (signed_answer(u->answerer, b->edition->catalog, b->edition->key, &request, &reply) !=
		ANSWER_SENT)
		return 0;
	if (reply.tsig_error)
		transfer_log_refused(&b->edition->config->dns, &request, &reply);
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
	b.wall_s = clock_wall_s();
	for (unsigned i = 0; i < n; i++) {
		struct msghdr *in = &u->in[i].msg_hdr, *out = &u->out[n_out].msg_hdr;
		const int interface = keep_source_alone(in);
		const size_t size = answer_one(u, &b, i);

		if (size > 0) {
			*out = *in;
			u->slots[i].out.iov_len = size;
			out->msg_iov = &u->slots[i].out;
			u->interfaces[n_out++] = interface;
		}
		rearm(u, i);
	}
	snapshot_release(setup->editions, setup->reader);
	return n_out;
}

/* The socket by which answers to questions from @interface leave. */
static int find_way(const struct udp *u, int interface)
{
	for (unsigned i = 0; i < u->n_apart; i++)
		if (u->apart[i] == interface)
			return u->senders[i];
	return u->fd;
}

/* The buffer that all have in common is full, of this interface's answers or of another's: from now on they do not
 * meet. Returns false if they did not, or cannot be parted. */
static bool set_apart(struct udp *u, int interface)
{
	if (u->n_senders == 0 || find_way(u, interface) != u->fd)
		return false;
	if (u->n_apart < u->n_senders) {
		u->apart[u->n_apart++] = interface;
	} else {
		u->apart[u->next_apart] = interface;
		u->next_apart = (u->next_apart + 1) % u->n_senders;
	}
	return true;
}

/* Nothing waits: what the kernel does not take now is not sent, and its asker asks again. */
static void send_all(struct udp *u, unsigned n)
{
	for (unsigned at = 0; at < n;) {
		const int way = find_way(u, u->interfaces[at]);
		unsigned end = at + 1;
		int sent;

		while (end < n && find_way(u, u->interfaces[end]) == way)
			end++;
		sent = sendmmsg(way, u->out + at, end - at, MSG_DONTWAIT);
		if (sent > 0) {
			at += (unsigned)sent;
			continue;
		}
		/* of the first one: no route, an address that is gone, no room in the send buffer */
		if (errno == EAGAIN && set_apart(u, u->interfaces[at]))
			continue;
		counter_add(&u->counters.unsent, 1);
		at++;
	}
}

/* Until the socket is taken away. */
static void serve(struct udp *u)
{
	unsigned last_batches = 0;

	while (last_batches < LAST_BATCHES_MAX) {
		int n = recvmmsg(u->fd, u->in, BATCH, MSG_WAITFORONE, NULL);

		if (atomic_load_explicit(&u->leaving, memory_order_relaxed))
			last_batches++;
		/* a socket that is shut down gives what it has, and then a message from nobody */
		if (n > 0 && u->in[n - 1].msg_hdr.msg_namelen == 0) {
			last_batches = LAST_BATCHES_MAX;
			rearm(u, (unsigned)--n);
		}
		if (n > 0)
			send_all(u, answer_all(u, (unsigned)n));
	}
}

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) < 0)
		;
}

static void *run(void *context)
{
	struct udp *u = context;

	(void)pthread_setname_np(pthread_self(), "roost-dns-udp");
	(void)privileges_renounce();
	for (;;) {
		(void)sem_post(&u->rests);
		wait_for(&u->given);
		if (u->fd < 0)
			return NULL;
		serve(u);
	}
}

static void deallocate(struct udp *u)
{
	(void)sem_destroy(&u->given);
	(void)sem_destroy(&u->rests);
	answerer_free(u->answerer);
	free(u);
}

int udp_start(const struct udp_setup *setup, struct udp **ret_udp)
{
	struct udp *u = aligned_alloc(_Alignof(struct udp), sizeof *u);
	int error = -ENOMEM;

	if (!u)
		return error;
	memset(u, 0, offsetof(struct udp, queries));
	u->setup = *setup;
	u->rng.state = setup->seed;
	u->fd = -1;
	(void)sem_init(&u->given, 0, 0);
	(void)sem_init(&u->rests, 0, 0);
	prepare(u);
	u->answerer = answerer_new(rng_next(&u->rng));
	if (u->answerer)
		error = -pthread_create(&u->thread, NULL, run, u);
	if (error) {
		deallocate(u);
		return error;
	}
	wait_for(&u->rests); /* it has nothing more to give up */
	*ret_udp = u;
	return 0;
}

void udp_stop(struct udp *u)
{
	if (!u)
		return;
	if (u->fd >= 0)
		udp_leave(u);
	(void)sem_post(&u->given);
	(void)pthread_join(u->thread, NULL);
	deallocate(u);
}

void udp_serve(struct udp *u, int fd)
{
	ASSERT(u->fd < 0);
	u->fd = fd;
	u->n_apart = u->next_apart = u->n_senders = 0;
	/* without them, all interfaces share the send buffer */
	while (u->n_senders < SENDERS && (u->senders[u->n_senders] = socket_open_sender(fd)) >= 0)
		u->n_senders++;
	(void)sem_post(&u->given);
}

/* A socket that is connected gets nothing from anybody else: nothing comes behind what it has. */
static void connect_to_itself(int fd)
{
	struct sockaddr_in6 self; /* or an IPv4 one */
	socklen_t size = sizeof self;

	if (getsockname(fd, (struct sockaddr *)&self, &size) == 0)
		(void)connect(fd, (const struct sockaddr *)&self, size);
}

void udp_leave(struct udp *u)
{
	ASSERT(u->fd >= 0);
	atomic_store_explicit(&u->leaving, true, memory_order_relaxed);
	connect_to_itself(u->fd);
	(void)shutdown(u->fd, SHUT_RD); /* wakes it */
	wait_for(&u->rests);
	for (unsigned i = 0; i < u->n_senders; i++)
		close(u->senders[i]);
	close(u->fd);
	u->fd = -1;
	atomic_store_explicit(&u->leaving, false, memory_order_relaxed);
}

uint32_t udp_dropped(const struct udp *u)
{
	return u->fd < 0 ? 0 : socket_dropped(u->fd);
}

const struct counters *udp_counters(const struct udp *u)
{
	return &u->counters;
}

const struct answer_counters *udp_answers(const struct udp *u)
{
	return answerer_counters(u->answerer);
}
