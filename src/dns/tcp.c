/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "config/config.h"
#include "dns/connection.h"
#include "dns/mailbox.h"
#include "dns/socket.h"
#include "os/clock.h"
#include "os/privileges.h"

#define EVENTS      64
#define ACCEPTS_MAX 16 /* of one socket, at a time */

#define HASTE          5 /* by what patience is divided when places run short */
#define EXPIRY_STEP_MS 250
#define PAUSE_MS       10   /* when nothing can be accepted for want of descriptors or memory */
#define TAKEN_MIN      4096 /* bytes, by a reader whom patience is had with once more */

#define CLIENT_BYTES 8 /* of IPv6: a /64 */

#define LISTENERS_MAX (2 * CONFIG_LISTEN_MAX) /* a reload's, and those that it replaces */

#define NO_SEAT UINT32_MAX

/* What an event is about: the upper half of its 64 bits says which kind, the lower which one. */
enum origin { ORIGIN_MAILBOX, ORIGIN_LISTENER, ORIGIN_SEAT };

struct listener {
	int fd; /* -1: this place is free */
	uint32_t id;
};

/* A place for a connection. Those in use form a list, the one that progressed last at its end. */
struct seat {
	struct connection connection;
	tick progressed;
	uint64_t taken;         /* bytes, by its reader, when that was last looked at */
	uint32_t n_client;      /* places that its client has */
	uint32_t before, after; /* in the list; if it is free, @after is the next free one */
	bool writing;           /* waits to write, rather than to read */
};

struct tcp {
	struct counters counters;
	struct tcp_setup setup;
	struct mailbox mailbox;
	pthread_t thread;
	sem_t done; /* posted once it has nothing more to give up, and when it has closed a listener */
	int epoll;
	bool stopping;
	tick now; /* of this turn */
	struct listener listeners[LISTENERS_MAX];
	struct seat *seats;
	uint32_t oldest, newest, free;
	_Atomic uint32_t n_connections;
	struct connection_desk desk;
};

static uint64_t label(enum origin origin, uint32_t which)
{
	return (uint64_t)origin << 32 | which;
}

static uint32_t n_taken(const struct tcp *t)
{
	return atomic_load_explicit(&t->n_connections, memory_order_relaxed);
}

static void unlink_seat(struct tcp *t, uint32_t i)
{
	const struct seat *s = &t->seats[i];

	*(s->before == NO_SEAT ? &t->oldest : &t->seats[s->before].after) = s->after;
	*(s->after == NO_SEAT ? &t->newest : &t->seats[s->after].before) = s->before;
}

static void append_seat(struct tcp *t, uint32_t i)
{
	struct seat *s = &t->seats[i];

	s->progressed = t->now;
	s->before = t->newest;
	s->after = NO_SEAT;
	*(t->newest == NO_SEAT ? &t->oldest : &t->seats[t->newest].after) = i;
	t->newest = i;
}

/* It has progressed. */
static void renew_seat(struct tcp *t, uint32_t i)
{
	unlink_seat(t, i);
	append_seat(t, i);
}

static bool is_same_client(const struct addr *a, const struct addr *b)
{
	if (addr_is_ipv4(a) || addr_is_ipv4(b))
		return addr_equal(a, b);
	return memcmp(a->b, b->b, CLIENT_BYTES) == 0;
}

/* How many places of the list are @client's; each comes to know of @change more. */
static uint32_t count_places(struct tcp *t, const struct addr *client, int change)
{
	uint32_t n = 0;

	for (uint32_t i = t->oldest; i != NO_SEAT; i = t->seats[i].after)
		if (is_same_client(&t->seats[i].connection.client, client)) {
			t->seats[i].n_client += (uint32_t)change;
			n++;
		}
	return n;
}

static void vacate(struct tcp *t, uint32_t i)
{
	struct seat *s = &t->seats[i];

	unlink_seat(t, i);
	(void)count_places(t, &s->connection.client, -1);
	connection_close(&s->connection, &t->desk);
	s->after = t->free;
	t->free = i;
	atomic_store_explicit(&t->n_connections, n_taken(t) - 1, memory_order_relaxed);
}

/* Whether @a is closed rather than @b, which went longer without progress: who transfers a zone may do so, and is
 * closed last. */
static bool goes_before(const struct seat *a, const struct seat *b)
{
	const bool a_streams = a->connection.stream, b_streams = b->connection.stream;

	return a_streams == b_streams ? a->n_client > b->n_client : b_streams;
}

/* Makes a place by closing what went longest without progress: of @client, or if that is NULL, of whoever has most
 * places. False: nobody is there. */
static bool evict(struct tcp *t, const struct addr *client)
{
	uint32_t found = NO_SEAT;

	for (uint32_t i = t->oldest; i != NO_SEAT; i = t->seats[i].after) {
		const struct seat *s = &t->seats[i];

		if (client && !is_same_client(&s->connection.client, client))
			continue;
		if (found == NO_SEAT || goes_before(s, &t->seats[found]))
			found = i;
	}
	if (found == NO_SEAT)
		return false;
	counter_add(&t->counters.tcp_evicted, 1);
	vacate(t, found);
	return true;
}

/* A free place for @client, which has one less if it had as many as it may. */
static uint32_t make_place(struct tcp *t, const struct addr *client)
{
	if (count_places(t, client, 0) >= t->setup.client_max)
		(void)evict(t, client);
	if (t->free == NO_SEAT)
		(void)evict(t, NULL);
	return t->free;
}

static bool take_seat(struct tcp *t, int fd, const struct addr *client)
{
	const uint32_t i = make_place(t, client);
	struct seat *s = &t->seats[i];
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = label(ORIGIN_SEAT, i)};

	if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return false;
	t->free = s->after;
	s->connection = (struct connection){.fd = fd, .client = *client};
	s->taken = 0;
	s->writing = false;
	s->n_client = count_places(t, client, 1) + 1;
	append_seat(t, i);
	atomic_store_explicit(&t->n_connections, n_taken(t) + 1, memory_order_relaxed);
	return true;
}

/* Without a descriptor to spare the kernel does not look whether anybody is there. */
static bool has_waiting(int listener)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* What to do when accept(2) failed. True: try again; false: in the next turn. */
static bool mend(struct tcp *t, int listener, int error)
{
	if (error == EAGAIN || !has_waiting(listener))
		return false;
	if (error == EMFILE && evict(t, NULL))
		return true;
	(void)poll(NULL, 0, PAUSE_MS); /* or the turns would follow each other without end */
	return false;
}

/* False: there is none left, or none can be had; the next turn tries again. */
static bool accept_one(struct tcp *t, int listener)
{
	struct sockaddr_in6 peer;
	socklen_t size = sizeof peer;
	const int fd =
		accept4(listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct addr client;

	if (fd < 0)
		return mend(t, listener, errno);
	if (addr_from_sockaddr((const struct sockaddr *)&peer, &client) &&
		take_seat(t, fd, &client)) {
		counter_add(&t->counters.tcp_accepted, 1);
		return true;
	}
	counter_add(&t->counters.tcp_refused, 1);
	close(fd);
	return true;
}

static void accept_some(struct tcp *t, int listener, int max)
{
	for (int i = 0; i < max; i++)
		if (!accept_one(t, listener))
			return;
}

static void on_seat(struct tcp *t, uint32_t i)
{
	struct seat *s = &t->seats[i];
	struct epoll_event event = {.data.u64 = label(ORIGIN_SEAT, i)};
	bool writing;

	if (s->connection.fd < 0) /* closed for another one in this turn */
		return;
	switch (connection_work(&s->connection, &t->desk)) {
	case CONNECTION_OVER: vacate(t, i); return;
	case CONNECTION_PROGRESSED: renew_seat(t, i); break;
	case CONNECTION_STAYS: break;
	}
	writing = connection_is_blocked(&s->connection);
	if (writing == s->writing)
		return;
	s->writing = writing;
	event.events = writing ? EPOLLOUT : EPOLLIN;
	if (epoll_ctl(t->epoll, EPOLL_CTL_MOD, s->connection.fd, &event) < 0)
		vacate(t, i);
}

/* How long a connection may go without progress. */
static tick patience(const struct tcp *t)
{
	const bool hurry = n_taken(t) >= t->setup.connections_max / 4 * 3;

	return hurry ? t->setup.patience / HASTE : t->setup.patience;
}

/* Whether an answer is on its way, however slowly. The kernel keeps megabytes of it, and asks for more only once it
 * is rid of a third: so it is asked how much has arrived. */
static bool arrives(struct seat *s)
{
	const uint64_t before = s->taken;

	if (!s->writing)
		return false;
	s->taken = socket_acknowledged(s->connection.fd);
	return s->taken - before >= TAKEN_MIN;
}

static void expire(struct tcp *t)
{
	while (t->oldest != NO_SEAT &&
		tick_since(t->now, t->seats[t->oldest].progressed) >= patience(t)) {
		if (arrives(&t->seats[t->oldest])) {
			renew_seat(t, t->oldest);
			continue;
		}
		counter_add(&t->counters.tcp_expired, 1);
		vacate(t, t->oldest);
	}
}

static void add_listener(struct tcp *t, const struct mailbox_letter *letter)
{
	for (uint32_t i = 0; i < LISTENERS_MAX; i++) {
		struct epoll_event event = {
			.events = EPOLLIN, .data.u64 = label(ORIGIN_LISTENER, i)};

		if (t->listeners[i].fd >= 0)
			continue;
		if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, letter->fd, &event) < 0)
			break;
		t->listeners[i] = (struct listener){letter->fd, letter->id};
		return;
	}
	close(letter->fd);
}

static void close_listener(struct tcp *t, uint32_t id)
{
	for (uint32_t i = 0; i < LISTENERS_MAX; i++) {
		struct listener *l = &t->listeners[i];

		if (l->fd < 0 || l->id != id)
			continue;
		/* who is connected already must not be cut off */
		accept_some(t, l->fd, SOCKET_BACKLOG);
		close(l->fd);
		l->fd = -1;
	}
}

static void read_letters(struct tcp *t)
{
	struct mailbox_letter letter;

	while (mailbox_take(&t->mailbox, &letter)) {
		switch (letter.kind) {
		case MAILBOX_SERVE: add_listener(t, &letter); break;
		case MAILBOX_CLOSE:
			close_listener(t, letter.id);
			(void)sem_post(&t->done);
			break;
		case MAILBOX_STOP: t->stopping = true; break;
		}
	}
}

static void turn(struct tcp *t)
{
	struct epoll_event events[EVENTS];
	const int n =
		epoll_wait(t->epoll, events, EVENTS, t->oldest == NO_SEAT ? -1 : EXPIRY_STEP_MS);
	bool has_letters = false;

	t->now = clock_now();
	t->desk.wall_s = clock_wall_s();
	t->desk.idle_ds = (uint16_t)(patience(t) / tick_ms(100));
	for (int i = 0; i < n; i++) {
		const uint32_t which = (uint32_t)events[i].data.u64;

		switch ((enum origin)(events[i].data.u64 >> 32)) {
		case ORIGIN_MAILBOX: has_letters = true; break;
		case ORIGIN_LISTENER: accept_some(t, t->listeners[which].fd, ACCEPTS_MAX); break;
		case ORIGIN_SEAT: on_seat(t, which); break;
		}
	}
	expire(t);
	if (has_letters) /* last, as they may close what is among the events */
		read_letters(t);
}

static void *run(void *context)
{
	struct tcp *t = context;

	(void)pthread_setname_np(pthread_self(), "roost-dns-tcp");
	(void)privileges_renounce();
	(void)sem_post(&t->done);
	while (!t->stopping)
		turn(t);
	return NULL;
}

static struct tcp *allocate(const struct tcp_setup *setup)
{
	struct tcp *t = aligned_alloc(_Alignof(struct tcp), sizeof *t);

	if (!t)
		return NULL;
	memset(t, 0, sizeof *t);
	t->seats = calloc(setup->connections_max, sizeof *t->seats);
	if (!t->seats) {
		free(t);
		return NULL;
	}
	t->setup = *setup;
	t->desk.service = &t->setup.service;
	t->desk.counters = &t->counters;
	t->oldest = t->newest = NO_SEAT;
	for (uint32_t i = 0; i < setup->connections_max; i++) {
		t->seats[i].connection.fd = -1;
		t->seats[i].after = i + 1 < setup->connections_max ? i + 1 : NO_SEAT;
	}
	for (uint32_t i = 0; i < LISTENERS_MAX; i++)
		t->listeners[i].fd = -1;
	return t;
}

static void wait_until_done(struct tcp *t)
{
	while (sem_wait(&t->done) < 0)
		;
}

static int set_up(struct tcp *t)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = label(ORIGIN_MAILBOX, 0)};
	int error = mailbox_init(&t->mailbox);

	if (error)
		return error;
	(void)sem_init(&t->done, 0, 0);
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (t->epoll >= 0) {
		if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->mailbox.out, &event) == 0)
			error = -pthread_create(&t->thread, NULL, run, t);
		else
			error = -errno;
		if (!error) {
			wait_until_done(t);
			return 0;
		}
		close(t->epoll);
	} else {
		error = -errno;
	}
	mailbox_fini(&t->mailbox);
	return error;
}

static void deallocate(struct tcp *t)
{
	free(t->seats);
	free(t);
}

int tcp_start(const struct tcp_setup *setup, struct tcp **ret_tcp)
{
	struct tcp *t;
	int error;

	ASSERT(setup->connections_max > 0 && setup->client_max > 0);
	t = allocate(setup);
	if (!t)
		return -ENOMEM;
	error = set_up(t);
	if (error) {
		deallocate(t);
		return error;
	}
	*ret_tcp = t;
	return 0;
}

void tcp_stop(struct tcp *t)
{
	const struct mailbox_letter stop = {.kind = MAILBOX_STOP};

	if (!t)
		return;
	(void)mailbox_put(&t->mailbox, &stop);
	(void)pthread_join(t->thread, NULL);
	while (t->oldest != NO_SEAT)
		vacate(t, t->oldest);
	for (uint32_t i = 0; i < LISTENERS_MAX; i++)
		if (t->listeners[i].fd >= 0)
			close(t->listeners[i].fd);
	close(t->epoll);
	(void)sem_destroy(&t->done);
	mailbox_fini(&t->mailbox);
	deallocate(t);
}

int tcp_serve(struct tcp *t, int fd, uint32_t id)
{
	const struct mailbox_letter letter = {MAILBOX_SERVE, fd, id};

	if (mailbox_put(&t->mailbox, &letter))
		return 0;
	close(fd);
	return -EIO;
}

void tcp_leave(struct tcp *t, uint32_t id)
{
	const struct mailbox_letter letter = {.kind = MAILBOX_CLOSE, .id = id};

	if (mailbox_put(&t->mailbox, &letter))
		wait_until_done(t);
}

const struct counters *tcp_counters(const struct tcp *t)
{
	return &t->counters;
}

uint32_t tcp_n_connections(const struct tcp *t)
{
	return n_taken(t);
}
