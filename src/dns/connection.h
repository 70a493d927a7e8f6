/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * One connection of dns/tcp.h and what it does when its socket is ready; it knows nothing of the others, of time,
 * or of epoll.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/tcp.h"

#define CONNECTION_PREFIX      2 /* bytes of a message's length */
#define CONNECTION_MESSAGE_MAX (CONNECTION_PREFIX + 65535)
#define CONNECTION_READ_MAX    16384 /* at a time */

/* What all connections of a thread read into and write from. */
struct connection_desk {
	const struct tcp_service *service;
	struct counters *counters;
	uint16_t idle_ds; /* as in struct tcp_question */
	uint64_t wall_s;
	uint8_t in[CONNECTION_MESSAGE_MAX + CONNECTION_READ_MAX];
	uint8_t out[2 * CONNECTION_MESSAGE_MAX];
	size_t n_out;
};

struct connection {
	int fd; /* -1: there is none */
	struct addr client;
	uint8_t *in; /* read and not yet answered: half a message, or more while an answer waits */
	size_t n_in;
	uint8_t *out; /* answered and not yet written */
	size_t n_out, written;
	void *stream;  /* that answers, if any */
	bool finished; /* the asker sends no more */
};

/* Waits to be written to, and is not read from. */
static inline bool connection_is_blocked(const struct connection *c)
{
	return c->out || c->stream;
}

enum connection_fate {
	CONNECTION_STAYS,
	CONNECTION_PROGRESSED, /* it stays, and has got a message in or everything out */
	CONNECTION_OVER,       /* to be closed */
};

/* The socket, which does not block, can be read from or written to. */
enum connection_fate connection_work(struct connection *c, struct connection_desk *d);

/* Closes it, without a stream's further messages. */
void connection_close(struct connection *c, const struct connection_desk *d);
