/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp_world.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns/socket.h"
#include "wishes.h"

#define PATIENCE    tick_ms(400)
#define LONG_STREAM 200 /* messages of the largest size */

struct stream {
	uint8_t left;
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

void give(struct world *w, int fd)
{
	ck_assert_int_eq(tcp_serve(w->tcp, fd, 1), 0);
}

int listen_at(const char *address, struct config_endpoint *ret_endpoint)
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

int start(struct world *w, tick patience)
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

void open_world_of(struct world *w, tick patience)
{
	struct config_endpoint endpoint;
	const int fd = listen_at("127.0.0.1", &endpoint);

	ck_assert_int_eq(start(w, patience), 0);
	w->endpoint = endpoint;
	give(w, fd);
}

void open_world(struct world *w)
{
	open_world_of(w, PATIENCE);
}

void open_patient_world(struct world *w)
{
	open_world_of(w, tick_s(60));
}

struct sockaddr_in here(const struct world *w)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(w->endpoint.port)};
}

int connect_to(int fd, const struct world *w)
{
	const struct sockaddr_in to = here(w);

	return connect(fd, (const struct sockaddr *)&to, sizeof to);
}

int join_with_room(const struct world *w, uint32_t host, int room)
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

int join(const struct world *w, uint32_t host)
{
	return join_with_room(w, host, 0);
}

void put(int fd, const void *bytes, size_t size)
{
	ck_assert_int_eq(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

bool get(int fd, uint8_t *bytes, size_t size)
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

size_t get_message(int fd, uint8_t message[static 65535])
{
	uint8_t prefix[2];
	size_t size;

	if (!get(fd, prefix, sizeof prefix))
		return 0;
	size = (size_t)prefix[0] << 8 | prefix[1];
	return get(fd, message, size) ? size : 0;
}

bool is_alive(int fd)
{
	uint8_t message[65535];

	return send(fd, "\0\1e", 3, MSG_NOSIGNAL) == 3 && get_message(fd, message) == 1;
}

bool is_closed_within(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t byte;

	return poll(&p, 1, ms) == 1 && recv(fd, &byte, 1, MSG_PEEK) <= 0;
}

int join_and_stream(const struct world *w, uint32_t host)
{
	uint8_t some[8192];
	const int fd = join_with_room(w, host, sizeof some);

	put(fd, (const uint8_t[]){0, 2, WISH_STREAM, LONG_STREAM}, 4);
	ck_assert(get(fd, some, sizeof some));
	return fd;
}
