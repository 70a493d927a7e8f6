/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TCP thread over loopback, with a service that answers each message by itself. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "dns/socket.h"
#include "dns/tcp.h"
#include "suite.h"
#include "wishes.h"

#define CONNECTIONS_MAX 8
#define CLIENT_MAX      4
#define PATIENCE        tick_ms(400)
#define LONG_STREAM     200 /* messages of the largest size */

struct stream {
	uint8_t left;
};

struct world {
	struct tcp *tcp;
	struct config_endpoint endpoint;
	_Atomic uint32_t streams_ended;
};

static enum tcp_outcome answer_wish(
	void *context, const struct tcp_question *question, struct tcp_answer *answer)
{
	struct stream *stream;

	(void)context;
	if (question->size == 0 || question->message[0] != WISH_STREAM)
		return grant_wish(question, answer);
	stream = malloc(sizeof *stream);
	ck_assert_ptr_nonnull(stream);
	stream->left = question->message[1];
	answer->stream = stream;
	return TCP_STREAM;
}

static int stream_next(void *context, void *stream, uint8_t *buffer, size_t room)
{
	struct stream *s = stream;

	(void)context;
	if (s->left == 0)
		return 0;
	memset(buffer, s->left--, room);
	return (int)room;
}

static void stream_end(void *context, void *stream)
{
	struct world *w = context;

	free(stream);
	w->streams_ended++;
}

static void give(struct world *w, int fd)
{
	ck_assert_int_eq(tcp_serve(w->tcp, fd, 1), 0);
}

/* A listening socket; its port is the kernel's to choose. */
static int listen_at(const char *address, struct config_endpoint *ret_endpoint)
{
	struct sockaddr_in6 bound;
	socklen_t size = sizeof bound;
	int fd;

	*ret_endpoint = (struct config_endpoint){.port = 0};
	ck_assert(addr_parse(address, &ret_endpoint->address));
	fd = socket_open_tcp(ret_endpoint, false);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&bound, &size), 0);
	ret_endpoint->port = ntohs(bound.sin6_port); /* where IPv4's is */
	return fd;
}

static int start(struct world *w, tick patience)
{
	const struct tcp_setup setup = {
		.service = {w, answer_wish, stream_next, stream_end},
		.connections_max = CONNECTIONS_MAX,
		.client_max = CLIENT_MAX,
		.patience = patience,
	};

	memset(w, 0, sizeof *w);
	return tcp_start(&setup, &w->tcp);
}

static void open_world_of(struct world *w, tick patience)
{
	struct config_endpoint endpoint;
	const int fd = listen_at("127.0.0.1", &endpoint);

	ck_assert_int_eq(start(w, patience), 0);
	w->endpoint = endpoint;
	give(w, fd);
}

static void open_world(struct world *w)
{
	open_world_of(w, PATIENCE);
}

/* Where nobody is closed for having waited, however busy the machine is. */
static void open_patient_world(struct world *w)
{
	open_world_of(w, tick_s(60));
}

static struct sockaddr_in here(const struct world *w)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(w->endpoint.port)};
}

static int connect_to(int fd, const struct world *w)
{
	const struct sockaddr_in to = here(w);

	return connect(fd, (const struct sockaddr *)&to, sizeof to);
}

/* A connection from 127.0.0.@host, with room for so many bytes that nobody has read; 0: as the kernel likes. */
static int join_with_room(const struct world *w, uint32_t host, int room)
{
	struct sockaddr_in own = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000 + host)};
	const struct timeval patience = {.tv_sec = 5};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	/* its port may become one that is listened at, while it is in TIME-WAIT */
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	ck_assert(room == 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) == 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&own, sizeof own), 0);
	ck_assert_int_eq(connect_to(fd, w), 0);
	return fd;
}

static int join(const struct world *w, uint32_t host)
{
	return join_with_room(w, host, 0);
}

static void put(int fd, const void *bytes, size_t size)
{
	ck_assert_int_eq(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* The next @size bytes; false if the connection ends before. */
static bool get(int fd, uint8_t *bytes, size_t size)
{
	size_t n = 0;

	while (n < size) {
		const ssize_t more = recv(fd, bytes + n, size - n, 0);

		ck_assert_msg(more >= 0 || errno == ECONNRESET, "%s", strerror(errno));
		if (more <= 0)
			return false;
		n += (size_t)more;
	}
	return true;
}

/* The next message's size; 0 if the connection ends. */
static size_t get_message(int fd, uint8_t message[static 65535])
{
	uint8_t prefix[2];
	size_t size;

	if (!get(fd, prefix, sizeof prefix))
		return 0;
	size = (size_t)prefix[0] << 8 | prefix[1];
	return get(fd, message, size) ? size : 0;
}

static bool is_alive(int fd)
{
	uint8_t message[65535];

	return send(fd, "\0\1e", 3, MSG_NOSIGNAL) == 3 && get_message(fd, message) == 1;
}

/* Whether the other end closes within @ms. */
static bool is_closed_within(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t byte;

	return poll(&p, 1, ms) == 1 && recv(fd, &byte, 1, MSG_PEEK) <= 0;
}

START_TEST(messages_may_come_together_in_pieces_and_one_byte_at_a_time)
{
	/* RFC 7766 6.2.1.1 and 8 */
	static const uint8_t three[] = "\0\3eab\0\1e\0\4exyz";
	uint8_t message[65535];
	struct world w;
	int fd;

	open_world(&w);
	fd = join(&w, 1);
	for (int way = 0; way < 2; way++) {
		if (way == 0)
			put(fd, three, sizeof three - 1);
		for (size_t i = 0; way == 1 && i < sizeof three - 1; i++) {
			put(fd, three + i, 1);
			usleep(2000);
		}
		ck_assert_uint_eq(get_message(fd, message), 3);
		ck_assert_mem_eq(message, "eab", 3);
		ck_assert_uint_eq(get_message(fd, message), 1);
		ck_assert_uint_eq(get_message(fd, message), 4);
		ck_assert_mem_eq(message, "exyz", 4);
	}
	ck_assert_uint_eq(counter_read(&tcp_counters(w.tcp)->tcp4), 6);
	close(fd);
	tcp_stop(w.tcp);
}
END_TEST

START_TEST(the_largest_message_is_taken_and_given)
{
	static uint8_t question[2 + 65535], message[65535];
	struct world w;
	int fd;

	open_world(&w);
	fd = join(&w, 1);
	memset(question, 'x', sizeof question);
	question[0] = question[1] = 0xff;
	question[2] = WISH_ECHO;
	put(fd, question, sizeof question);
	ck_assert_uint_eq(get_message(fd, message), 65535);
	ck_assert_mem_eq(message, question + 2, 65535);
	put(fd, "\0\1l", 3);
	ck_assert_uint_eq(get_message(fd, message), 65535);
	ck_assert(is_alive(fd));
	close(fd);
	tcp_stop(w.tcp);
}
END_TEST

START_TEST(who_has_said_all_still_gets_the_answers)
{
	/* RFC 7766 6.2.3 is of one direction at a time */
	uint8_t message[65535];
	struct world w;
	int fd;

	open_world(&w);
	fd = join(&w, 1);
	put(fd, "\0\1l\0\1l\0\2eb\0\7half", 15);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	usleep(50000);
	ck_assert_uint_eq(get_message(fd, message), 65535);
	ck_assert_uint_eq(get_message(fd, message), 65535);
	ck_assert_uint_eq(get_message(fd, message), 2);
	ck_assert_uint_eq(get_message(fd, message), 0);
	close(fd);
	tcp_stop(w.tcp);
}
END_TEST

START_TEST(what_gets_no_answer_closes_the_connection)
{
	struct world w;
	int silent, empty, other;

	open_world(&w);
	silent = join(&w, 1);
	empty = join(&w, 1);
	other = join(&w, 1);
	put(silent, "\0\1s", 3);
	put(empty, "\0\0", 2);
	ck_assert(is_closed_within(silent, 2000) && is_closed_within(empty, 2000));
	ck_assert(is_alive(other));
	close(silent);
	close(empty);
	close(other);
	tcp_stop(w.tcp);
}
END_TEST

START_TEST(a_slow_reader_holds_nobody_up_and_is_closed_in_the_end)
{
	struct world w;
	int slow, other;

	open_world(&w);
	slow = join(&w, 1);
	other = join(&w, 2);
	/* more answers than any buffer takes */
	for (int i = 0; i < 1000; i++)
		if (send(slow, "\0\1l\0\1l\0\1l\0\1l\0\1l", 15, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
	for (int i = 0; i < 20; i++) {
		ck_assert(is_alive(other));
		usleep(10000);
	}
	/* the kernel has taken something in for it, but no more comes to that */
	for (int i = 0; i < 100 && tcp_n_connections(w.tcp) > 0; i++)
		usleep(20000);
	ck_assert_uint_eq(tcp_n_connections(w.tcp), 0);
	ck_assert_uint_eq(counter_read(&tcp_counters(w.tcp)->tcp_expired), 2);
	close(slow);
	close(other);
	tcp_stop(w.tcp);
}
END_TEST

/* From 127.0.0.@host, with some of a stream that does not end soon. */
static int join_and_stream(const struct world *w, uint32_t host)
{
	uint8_t some[8192];
	const int fd = join_with_room(w, host, sizeof some);

	put(fd, (const uint8_t[]){0, 2, WISH_STREAM, LONG_STREAM}, 4);
	ck_assert(get(fd, some, sizeof some));
	return fd;
}

START_TEST(who_reads_a_long_answer_slowly_is_waited_for_but_who_stops_is_not)
{
	uint8_t some[8192];
	struct world w;
	int fd;

	open_world(&w);
	fd = join_and_stream(&w, 1);
	/* three times as long as patience lasts; the kernel has no room for more meanwhile */
	for (int i = 0; i < 12; i++) {
		ck_assert(get(fd, some, sizeof some));
		usleep(100000);
	}
	ck_assert_uint_eq(tcp_n_connections(w.tcp), 1);
	for (int i = 0; i < 100 && tcp_n_connections(w.tcp) > 0; i++)
		usleep(20000);
	ck_assert_uint_eq(tcp_n_connections(w.tcp), 0);
	ck_assert_uint_eq(counter_read(&tcp_counters(w.tcp)->tcp_expired), 1);
	ck_assert_uint_eq(w.streams_ended, 1);
	close(fd);
	tcp_stop(w.tcp);
}
END_TEST

START_TEST(half_a_message_is_no_progress)
{
	struct world w;
	int drip, steady;

	open_world(&w);
	drip = join(&w, 1);
	steady = join(&w, 1);
	put(drip, "\0\100", 2);
	for (int i = 0; i < 8; i++) {
		(void)send(drip, "e", 1, MSG_NOSIGNAL);
		ck_assert(is_alive(steady));
		usleep(100000);
	}
	ck_assert(is_closed_within(drip, 0));
	ck_assert(is_alive(steady));
	close(drip);
	close(steady);
	tcp_stop(w.tcp);
}
END_TEST

START_TEST(one_client_gets_so_many_places_and_its_oldest_makes_room)
{
	/* RFC 7766 6.2.2 */
	int fds[CLIENT_MAX + 1], other;
	struct world w;

	open_world(&w);
	other = join(&w, 2);
	ck_assert(is_alive(other));
	for (int i = 0; i < CLIENT_MAX; i++) {
		fds[i] = join(&w, 1);
		ck_assert(is_alive(fds[i]));
	}
	ck_assert(is_alive(fds[0])); /* so fds[1] has idled for longest */
	fds[CLIENT_MAX] = join(&w, 1);
	ck_assert(is_alive(fds[CLIENT_MAX]));
	ck_assert(is_closed_within(fds[1], 2000));
	ck_assert(is_alive(fds[0]) && is_alive(fds[2]) && is_alive(other));
	ck_assert_uint_eq(counter_read(&tcp_counters(w.tcp)->tcp_evicted), 1);
	for (int i = 0; i <= CLIENT_MAX; i++)
		close(fds[i]);
	close(other);
	tcp_stop(w.tcp);
}
END_TEST

/* From 127.0.0.@host, with a whole question and half of another one. */
static int join_and_wait(const struct world *w, uint32_t host)
{
	uint8_t message[65535];
	const int fd = join(w, host);

	put(fd, "\0\1e\0\7ehal", 9);
	ck_assert_uint_eq(get_message(fd, message), 1); /* so the rest is there, too */
	return fd;
}

START_TEST(when_all_places_are_taken_who_has_most_of_them_makes_room)
{
	int fds[CONNECTIONS_MAX], more;
	struct world w;

	open_patient_world(&w);
	for (uint32_t i = 0; i < CONNECTIONS_MAX; i++)
		fds[i] = i == 4 ? join_and_stream(&w, 4)
				: join_and_wait(&w, i < 2   ? 1 + i
						    : i < 4 ? 3
							    : 4 + i / 7);
	/* by host: 1, 2, 3, 3, 4, 4, 4, 5; of the fourth, but not what transfers a zone */
	more = join(&w, 100);
	ck_assert(is_alive(more));
	ck_assert(is_closed_within(fds[5], 2000));
	close(more);
	more = join(&w, 100);
	ck_assert(is_alive(more));
	ck_assert_uint_eq(
		counter_read(&tcp_counters(w.tcp)->tcp_evicted), 1); /* there was a place */
	close(join(&w, 101));
	ck_assert(is_closed_within(fds[2], 2000));
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		ck_assert(i == 2 || i == 5 || !is_closed_within(fds[i], 0));
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		close(fds[i]);
	close(more);
	tcp_stop(w.tcp);
}
END_TEST

START_TEST(a_stream_comes_whole_between_the_answers_around_it)
{
	static uint8_t message[65535];
	struct world w;
	int fd;

	open_world(&w);
	fd = join(&w, 1);
	put(fd, "\0\2ea\0\2t\12\0\2eb", 12);
	ck_assert_uint_eq(get_message(fd, message), 2);
	for (int i = 10; i > 0; i--) {
		ck_assert_uint_eq(get_message(fd, message), 65535);
		ck_assert_uint_eq(message[0], i);
	}
	ck_assert_uint_eq(get_message(fd, message), 2);
	ck_assert_mem_eq(message, "eb", 2);
	ck_assert_uint_eq(w.streams_ended, 1);
	close(fd);
	tcp_stop(w.tcp);
}
END_TEST

START_TEST(a_stream_ends_with_its_connection)
{
	struct world w;
	int fd, stuck;

	open_world(&w);
	fd = join_and_stream(&w, 1);
	stuck = join_and_stream(&w, 1);
	close(fd);
	for (int i = 0; i < 100 && w.streams_ended == 0; i++)
		usleep(20000);
	ck_assert_uint_ge(w.streams_ended, 1);
	tcp_stop(w.tcp); /* and with the thread */
	ck_assert_uint_eq(w.streams_ended, 2);
	close(stuck);
}
END_TEST

START_TEST(a_second_server_finds_the_port_taken)
{
	struct world w;

	open_world(&w);
	ck_assert_int_eq(socket_open_tcp(&w.endpoint, false), -EADDRINUSE);
	tcp_stop(w.tcp);
}
END_TEST

/* A connection from ::1. */
static int join_by_ipv6(const struct config_endpoint *to)
{
	const struct sockaddr_in6 address = {.sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
		.sin6_port = htons(to->port)};
	const struct timeval patience = {.tv_sec = 5};
	const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

START_TEST(a_client_of_ipv6_is_none_of_ipv4)
{
	int fds[CLIENT_MAX + 1], other, another;
	struct config_endpoint six;
	struct world w;

	open_patient_world(&w);
	give(&w, listen_at("::1", &six));
	other = join(&w, 1);
	ck_assert(is_alive(other));
	for (int i = 0; i <= CLIENT_MAX; i++) {
		fds[i] = join_by_ipv6(&six);
		ck_assert(is_alive(fds[i]));
	}
	ck_assert(is_closed_within(fds[0], 2000));
	another = join(&w, 1);
	ck_assert(is_alive(fds[1]) && is_alive(other) && is_alive(another));
	ck_assert_uint_eq(counter_read(&tcp_counters(w.tcp)->tcp6), CLIENT_MAX + 2);
	for (int i = 0; i <= CLIENT_MAX; i++)
		close(fds[i]);
	close(other);
	close(another);
	tcp_stop(w.tcp);
}
END_TEST

START_TEST(a_socket_that_is_taken_back_serves_no_more_but_its_connections_do)
{
	struct world w;
	int fd;

	open_patient_world(&w);
	fd = join(&w, 1);
	ck_assert(is_alive(fd));
	tcp_leave(w.tcp, 2);
	close(join(&w, 2)); /* a control: that was another one */
	tcp_leave(w.tcp, 1);
	ck_assert_int_eq(connect_to(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &w), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	ck_assert(is_alive(fd));
	close(fd);
	tcp_stop(w.tcp);
}
END_TEST

START_TEST(who_is_connected_when_a_socket_is_taken_back_is_looked_after)
{
	enum { MANY = 5 };
	int fds[MANY];
	struct world w;

	for (int turn = 0; turn < 20; turn++) {
		open_patient_world(&w);
		for (uint32_t i = 0; i < MANY; i++)
			fds[i] = join(&w, 1 + i);
		tcp_leave(w.tcp, 1);
		for (int i = 0; i < MANY; i++) {
			ck_assert(is_alive(fds[i]));
			close(fds[i]);
		}
		tcp_stop(w.tcp);
	}
}
END_TEST

START_TEST(one_of_all_addresses_comes_beside_a_single_one_of_ours_alone)
{
	struct config_endpoint all;
	struct sockaddr_in at;
	struct world w;
	int fd, other;

	open_patient_world(&w);
	all = w.endpoint;
	ck_assert(addr_parse("0.0.0.0", &all.address));
	ck_assert_int_eq(socket_open_tcp(&all, false), -EADDRINUSE);
	fd = socket_open_tcp(&all, true);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(tcp_serve(w.tcp, fd, 2), 0);
	ck_assert_int_eq(socket_open_tcp(&all, false), -EADDRINUSE);
	ck_assert_int_eq(socket_open_tcp(&w.endpoint, false), -EADDRINUSE);
	tcp_leave(w.tcp, 1);
	other = join(&w, 1);
	ck_assert(is_alive(other));
	close(other);
	tcp_stop(w.tcp);
	at = here(&w);
	/* a stranger's does not say that others may be there */
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(socket_open_tcp(&all, true), -EADDRINUSE);
	close(fd);
}
END_TEST

START_TEST(what_can_not_be_served_is_closed)
{
	struct config_endpoint last_served, last;
	struct world w;
	int fd;

	open_patient_world(&w);
	/* it is a file, and no socket */
	give(&w, open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	/* a reload may bring as many as it takes away; and one more than there are places for */
	for (int i = 0; i < 2 * CONFIG_LISTEN_MAX - 1; i++)
		give(&w, listen_at("127.0.0.1", &last_served));
	give(&w, listen_at("127.0.0.1", &last));
	fd = join(&w, 1);
	ck_assert(is_alive(fd));
	w.endpoint = last_served;
	fd = join(&w, 1);
	ck_assert(is_alive(fd));
	for (int i = 0; i < 100 && (fd = socket_open_tcp(&last, false)) < 0; i++)
		usleep(10000);
	ck_assert_int_ge(fd, 0);
	tcp_stop(w.tcp);
}
END_TEST

/* Whose address is of no family that is served. */
START_TEST(who_comes_from_nowhere_is_turned_away)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0roost-test-tcp"};
	const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
		  fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct world w;

	open_patient_world(&w);
	ck_assert_int_eq(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(listener, 5), 0);
	give(&w, listener);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert(is_closed_within(fd, 2000));
	ck_assert_uint_eq(counter_read(&tcp_counters(w.tcp)->tcp_refused), 1);
	close(fd);
	tcp_stop(w.tcp);
}
END_TEST

START_TEST(many_who_come_at_once_are_all_looked_at)
{
	enum { MANY = 40 };
	struct config_endpoint endpoint;
	const int listener = listen_at("127.0.0.1", &endpoint);
	int fds[MANY], served = 0;
	struct world w;

	ck_assert_int_eq(start(&w, tick_s(60)), 0);
	w.endpoint = endpoint;
	for (uint32_t i = 0; i < MANY; i++)
		fds[i] = join(&w, 1 + i); /* the kernel takes them */
	give(&w, listener);
	for (int i = MANY - 1; i >= 0; i--)
		served += is_alive(fds[i]);
	ck_assert_int_eq(served, CONNECTIONS_MAX); /* the last, for the others made room */
	ck_assert_uint_eq(counter_read(&tcp_counters(w.tcp)->tcp_accepted), MANY);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	tcp_stop(w.tcp);
}
END_TEST

/* The limit of this process's descriptors, which are numbered without gaps. */
static void limit_descriptors(rlim_t spare)
{
	struct rlimit limit;
	int next;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	next = dup(0);
	ck_assert_int_eq(close(next), 0);
	limit.rlim_cur = (rlim_t)next + spare;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

START_TEST(when_descriptors_run_out_one_makes_room)
{
	struct config_endpoint six;
	int first, second, waiting;
	struct world w;

	open_patient_world(&w);
	give(&w, listen_at("::1", &six));
	first = join(&w, 1);
	ck_assert(is_alive(first));
	second = join(&w, 2);
	ck_assert(is_alive(second));
	waiting = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	limit_descriptors(0);
	ck_assert_int_eq(
		connect(waiting,
			(const struct sockaddr *)&(struct sockaddr_in6){.sin6_family = AF_INET6,
				.sin6_addr = IN6ADDR_LOOPBACK_INIT,
				.sin6_port = htons(six.port)},
			sizeof(struct sockaddr_in6)),
		0);
	ck_assert(is_alive(waiting));
	ck_assert(is_closed_within(first, 2000));
	ck_assert(is_alive(second)); /* one was enough */
	ck_assert_uint_eq(counter_read(&tcp_counters(w.tcp)->tcp_evicted), 1);
	tcp_stop(w.tcp);
}
END_TEST

START_TEST(when_descriptors_run_out_and_nobody_can_make_room_it_rests)
{
	struct world w;
	clock_t begun;
	int fd, spare;

	open_patient_world(&w);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	spare = dup(0);
	limit_descriptors(0);
	ck_assert_int_eq(connect_to(fd, &w), 0);
	begun = clock();
	usleep(400000);
	ck_assert_int_lt(clock() - begun, CLOCKS_PER_SEC / 25);
	close(spare);
	ck_assert(is_alive(fd));
	close(fd);
	tcp_stop(w.tcp);
}
END_TEST

START_TEST(without_descriptors_there_is_no_server)
{
	struct world w;

	for (rlim_t spare = 0; spare < 3; spare++) { /* of the two of a pipe, and one of epoll */
		limit_descriptors(spare);
		ck_assert_int_eq(start(&w, tick_s(60)), -EMFILE);
	}
	limit_descriptors(3);
	ck_assert_int_eq(start(&w, tick_s(60)), 0);
	tcp_stop(w.tcp);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		messages_may_come_together_in_pieces_and_one_byte_at_a_time,
		the_largest_message_is_taken_and_given,
		who_has_said_all_still_gets_the_answers,
		what_gets_no_answer_closes_the_connection,
		a_slow_reader_holds_nobody_up_and_is_closed_in_the_end,
		who_reads_a_long_answer_slowly_is_waited_for_but_who_stops_is_not,
		half_a_message_is_no_progress,
		one_client_gets_so_many_places_and_its_oldest_makes_room,
		when_all_places_are_taken_who_has_most_of_them_makes_room,
		a_stream_comes_whole_between_the_answers_around_it,
		a_stream_ends_with_its_connection,
		a_second_server_finds_the_port_taken,
		a_client_of_ipv6_is_none_of_ipv4,
		a_socket_that_is_taken_back_serves_no_more_but_its_connections_do,
		who_is_connected_when_a_socket_is_taken_back_is_looked_after,
		one_of_all_addresses_comes_beside_a_single_one_of_ours_alone,
		what_can_not_be_served_is_closed,
		who_comes_from_nowhere_is_turned_away,
		many_who_come_at_once_are_all_looked_at,
		when_descriptors_run_out_one_makes_room,
		when_descriptors_run_out_and_nobody_can_make_room_it_rests,
		without_descriptors_there_is_no_server,
	};

	return run_suite("tcp", tests, ARRAY_SIZE(tests));
}
