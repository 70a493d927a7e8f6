/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The thread that answers over TCP (RFC 7766). Messages come with their length before them, any number on a
 * connection and without waiting for answers (6.2.1.1); each is answered in turn.
 *
 *    epoll ─► read what is there ─► answer each whole message ─► write what fits
 *                  ▲                                                   │ rest
 *                  └───────── the asker has read the rest ◄────────────┘
 *
 * Nobody can hold others up or fill the memory: while an answer waits to be read, nothing more is read from its
 * asker. A connection costs memory beyond a few bytes only for half a message or half an answer. One without
 * progress - a whole message in, all answers out, or some of a long one - is closed after a time. When places run
 * out, the connection that went longest without progress makes room (6.2.2): of one client, if that has as many as
 * it may, or of the one that has most.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/tick.h"
#include "dns/counters.h"

struct tcp;

enum tcp_outcome {
	TCP_ANSWERED,
	TCP_SILENT, /* nothing to be said to that: the connection is closed */
	TCP_STREAM, /* @ret_stream gives the messages of the answer, however many */
};

struct tcp_question {
	const uint8_t *message;
	size_t size;
	struct addr client;
	uint16_t idle_ds; /* how long the connection may idle, in tenths of a second */
	uint64_t wall_s;  /* seconds since 1970 */
};

/* Where an answer goes; DNS_MESSAGE_MAX bytes are enough for any. */
struct tcp_answer {
	uint8_t *buffer;
	size_t room;
	size_t size; /* to be set with TCP_ANSWERED, as is @rcode */
	uint8_t rcode;
	void *stream; /* to be set with TCP_STREAM */
};

/* What the thread asks; all called by it alone. */
struct tcp_service {
	void *context;
	enum tcp_outcome (*answer)(
		void *context, const struct tcp_question *question, struct tcp_answer *answer);
	/* The size of a stream's next message, 0 after the last one, negative to close the connection. NULL if there
	 * are no streams. */
	int (*stream_next)(void *context, void *stream, uint8_t *buffer, size_t room);
	/* In any case, once: the stream is over, or its connection closed. */
	void (*stream_end)(void *context, void *stream);
};

struct tcp_setup {
	struct tcp_service service;
	uint32_t connections_max;
	uint32_t client_max; /* of one client: an address of IPv4, a /64 of IPv6 */
	tick patience; /* without progress; a fifth of it when three quarters of the places are taken */
};

/* Starts the thread, which inherits blocked signals and gives up all capabilities. 0 or negative errno. */
int tcp_start(const struct tcp_setup *setup, struct tcp **ret_tcp);

/* Ends it and closes everything. */
void tcp_stop(struct tcp *t);

/* Gives it a listening socket, which it owns from now on, under the name @id. 0 or negative errno. */
int tcp_serve(struct tcp *t, int fd, uint32_t id);

/* Takes all of that name away: who is connected already is still looked after. On return they are closed. */
void tcp_leave(struct tcp *t, uint32_t id);

const struct counters *tcp_counters(const struct tcp *t);

/* How many connections there are; any thread may ask. */
uint32_t tcp_n_connections(const struct tcp *t);
