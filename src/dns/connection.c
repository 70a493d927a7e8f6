/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

static void write_size(uint8_t *prefix, size_t size)
{
	prefix[0] = (uint8_t)(size >> 8);
	prefix[1] = (uint8_t)size;
}

/* How much of @size bytes the kernel takes; negative if the connection is broken. What does not wait is not
 * interrupted, either. */
static ssize_t send_some(int fd, const uint8_t *bytes, size_t size)
{
	const ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

	if (n < 0 && errno == EAGAIN)
		return 0;
	return n;
}

/* Writes what is on the desk and keeps the rest. False: the connection is broken. */
static bool send_desk(struct connection *c, struct connection_desk *d)
{
	const ssize_t n = d->n_out > 0 ? send_some(c->fd, d->out, d->n_out) : 0;
	const size_t rest = d->n_out - (n > 0 ? (size_t)n : 0);

	ASSERT(!c->out);
	if (n < 0)
		return false;
	if (rest > 0) {
		c->out = malloc(rest);
		if (!c->out)
			return false;
		memcpy(c->out, d->out + n, rest);
		c->n_out = rest;
		c->written = 0;
	}
	d->n_out = 0;
	return true;
}

/* The same for what was kept. */
static bool send_kept(struct connection *c)
{
	const ssize_t n = send_some(c->fd, c->out + c->written, c->n_out - c->written);

	if (n < 0)
		return false;
	c->written += (size_t)n;
	if (c->written == c->n_out) {
		free(c->out);
		c->out = NULL;
	}
	return true;
}

static void end_stream(struct connection *c, const struct connection_desk *d)
{
	if (c->stream)
		d->service->stream_end(d->service->context, c->stream);
	c->stream = NULL;
}

/* Puts one message on the desk, which has room for it. */
static bool answer_message(
	struct connection *c, struct connection_desk *d, const uint8_t *message, size_t size)
{
	const struct tcp_question question = {message, size, c->client, d->idle_ds, d->wall_s};
	uint8_t *prefix = d->out + d->n_out;
	struct tcp_answer answer = {.buffer = prefix + CONNECTION_PREFIX,
		.room = CONNECTION_MESSAGE_MAX - CONNECTION_PREFIX};

	counter_add(addr_is_ipv4(&c->client) ? &d->counters->tcp4 : &d->counters->tcp6, 1);
	switch (d->service->answer(d->service->context, &question, &answer)) {
	case TCP_ANSWERED:
		ASSERT(answer.size <= answer.room);
		write_size(prefix, answer.size);
		d->n_out += CONNECTION_PREFIX + answer.size;
		counter_add(&d->counters->rcodes[answer.rcode % COUNTERS_RCODES], 1);
		return true;
	case TCP_STREAM:
		c->stream = answer.stream;
		counter_add(&d->counters->transfers, 1);
		return true;
	case TCP_SILENT: break;
	}
	return false;
}

/* Puts the stream's next messages on the desk, up to a writable amount. False: it is to be closed. */
static bool continue_stream(struct connection *c, struct connection_desk *d)
{
	while (d->n_out < CONNECTION_MESSAGE_MAX) {
		uint8_t *prefix = d->out + d->n_out;
		const int size = d->service->stream_next(d->service->context, c->stream,
			prefix + CONNECTION_PREFIX, CONNECTION_MESSAGE_MAX - CONNECTION_PREFIX);

		if (size < 0)
			return false;
		if (size == 0) {
			end_stream(c, d);
			return true;
		}
		write_size(prefix, (size_t)size);
		d->n_out += CONNECTION_PREFIX + (size_t)size;
	}
	return true;
}

/* Answers the whole messages among the first @size bytes of the desk until an answer waits, and returns how many
 * bytes that were; negative: it is to be closed. */
static ssize_t answer_messages(struct connection *c, struct connection_desk *d, size_t size)
{
	size_t at = 0;

	while (!connection_is_blocked(c) && size - at >= CONNECTION_PREFIX) {
		const uint8_t *prefix = d->in + at;
		const size_t message = (size_t)prefix[0] << 8 | prefix[1];

		if (size - at - CONNECTION_PREFIX < message)
			break;
		if (!answer_message(c, d, prefix + CONNECTION_PREFIX, message))
			return -1;
		at += CONNECTION_PREFIX + message;
		if (d->n_out > CONNECTION_MESSAGE_MAX && !send_desk(c, d))
			return -1;
	}
	return (ssize_t)at;
}

/* Keeps what is on the desk from @at on, for the next time. */
static bool keep(struct connection *c, const struct connection_desk *d, size_t at, size_t size)
{
	free(c->in);
	c->in = NULL;
	c->n_in = size - at;
	if (c->n_in == 0)
		return true;
	c->in = malloc(c->n_in);
	if (!c->in)
		return false;
	memcpy(c->in, d->in + at, c->n_in);
	return true;
}

/* What was kept and what is there to be read, on the desk; negative: it is to be closed. */
static ssize_t gather(struct connection *c, struct connection_desk *d, size_t *ret_size)
{
	ssize_t n = 0;

	if (c->n_in > 0)
		memcpy(d->in, c->in, c->n_in);
	/* what was kept while an answer waited may be more than one message, and is seen to first */
	if (!c->finished && c->n_in < CONNECTION_MESSAGE_MAX) {
		n = recv(c->fd, d->in + c->n_in, CONNECTION_READ_MAX, 0);
		if (n < 0 && errno != EAGAIN)
			return -1;
		c->finished = n == 0;
	}
	*ret_size = c->n_in + (n > 0 ? (size_t)n : 0);
	return 0;
}

static enum connection_fate read_and_answer(struct connection *c, struct connection_desk *d)
{
	size_t size = 0;
	ssize_t at;

	if (gather(c, d, &size) < 0)
		return CONNECTION_OVER;
	at = answer_messages(c, d, size);
	/* what was answered before is sent, whatever became of the rest */
	if (!c->out && !send_desk(c, d))
		return CONNECTION_OVER;
	if (at < 0 || !keep(c, d, (size_t)at, size))
		return CONNECTION_OVER;
	return at > 0 ? CONNECTION_PROGRESSED : CONNECTION_STAYS;
}

/* Writes as much as goes of what waits; PROGRESSED once nothing does. */
static enum connection_fate write_waiting(struct connection *c, struct connection_desk *d)
{
	if (c->out && !send_kept(c))
		return CONNECTION_OVER;
	if (!c->out && c->stream && (!continue_stream(c, d) || !send_desk(c, d)))
		return CONNECTION_OVER;
	return c->out ? CONNECTION_STAYS : CONNECTION_PROGRESSED;
}

enum connection_fate connection_work(struct connection *c, struct connection_desk *d)
{
	enum connection_fate fate = CONNECTION_STAYS, next;

	d->n_out = 0;
	if (connection_is_blocked(c)) {
		fate = write_waiting(c, d);
		if (fate == CONNECTION_OVER || connection_is_blocked(c))
			return fate;
	}
	next = read_and_answer(c, d);
	if (next == CONNECTION_OVER)
		return next;
	/* RFC 7766 6.2.3: who has said all still gets its answers */
	if (c->finished && !connection_is_blocked(c))
		return CONNECTION_OVER;
	return next == CONNECTION_PROGRESSED ? next : fate;
}

void connection_close(struct connection *c, const struct connection_desk *d)
{
	end_stream(c, d);
	free(c->in);
	free(c->out);
	close(c->fd);
	*c = (struct connection){.fd = -1};
}
