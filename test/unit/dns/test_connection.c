/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One connection over a pair of sockets, without a thread: what the test sends is there at once. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "dns/connection.h"
#include "memory.h"
#include "suite.h"
#include "wishes.h"

#define LARGEST 65535

struct world {
	struct connection_desk desk;
	struct counters counters;
	struct tcp_service service;
	struct connection connection;
	int peer;
	uint32_t left; /* messages of the stream */
	bool breaks;   /* the stream, after them */
	uint32_t n_ended;
};

static enum tcp_outcome answer_wish(
	void *context, const struct tcp_question *question, struct tcp_answer *answer)
{
	struct world *w = context;
	const uint8_t wish = question->size > 0 ? question->message[0] : WISH_SILENCE;

	if (wish != WISH_STREAM && wish != WISH_BROKEN)
		return grant_wish(question, answer);
	w->breaks = wish == WISH_BROKEN;
	w->left = question->message[1];
	answer->stream = w;
	return TCP_STREAM;
}

static int stream_next(void *context, void *stream, uint8_t *buffer, size_t room)
{
	struct world *w = context;

	ck_assert_ptr_eq(stream, w);
	if (w->left == 0)
		return w->breaks ? -1 : 0;
	memset(buffer, (int)w->left--, room);
	return (int)room;
}

static void stream_end(void *context, void *stream)
{
	struct world *w = context;

	ck_assert_ptr_eq(stream, w);
	w->n_ended++;
}

/* Without assertions of Check: memory may run out. */
static struct world *open_world(const char *client)
{
	static struct world w;
	int fds[2];

	memset(&w, 0, sizeof w);
	w.service = (struct tcp_service){&w, answer_wish, stream_next, stream_end};
	w.desk.service = &w.service;
	w.desk.counters = &w.counters;
	ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	w.connection.fd = fds[0];
	w.peer = fds[1];
	ASSERT(addr_parse(client, &w.connection.client));
	return &w;
}

/* Nothing is left to do, for now, but wait for a question. */
static bool is_idle(const struct world *w)
{
	return !connection_is_blocked(&w->connection) && w->connection.n_in == 0;
}

static void close_world(struct world *w)
{
	connection_close(&w->connection, &w->desk);
	ck_assert_int_eq(w->connection.fd, -1);
	close(w->peer);
}

static void put(const struct world *w, const char *bytes, size_t size)
{
	ck_assert_int_eq(send(w->peer, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

static enum connection_fate work(struct world *w)
{
	return connection_work(&w->connection, &w->desk);
}

/* The other end goes, which ends the connection. */
static void lose_peer(struct world *w)
{
	close(w->peer);
	w->peer = -1;
	ck_assert_int_eq(work(w), CONNECTION_OVER);
	close_world(w);
}

/* All that is there to be read: whole messages' number, each of which is of bytes @first, @first - 1, ..., if that is
 * not 0. */
struct inbox {
	uint8_t bytes[4 * (2 + LARGEST)];
	size_t size; /* of what is no whole message yet */
	uint32_t n_messages;
};

static void fetch(const struct world *w, struct inbox *in)
{
	ssize_t n;

	while ((n = recv(w->peer, in->bytes + in->size, sizeof in->bytes - in->size, 0)) > 0) {
		in->size += (size_t)n;
		while (in->size >= 2) {
			const size_t whole = 2u + ((size_t)in->bytes[0] << 8 | in->bytes[1]);

			if (in->size < whole)
				break;
			in->n_messages++;
			memmove(in->bytes, in->bytes + whole, in->size - whole);
			in->size -= whole;
		}
	}
}

static struct inbox inbox;

START_TEST(who_asks_is_counted_by_family)
{
	static const char *const clients[] = {"192.0.2.1", "2001:db8::1"};

	for (size_t i = 0; i < 2; i++) {
		struct world *w = open_world(clients[i]);

		put(w, "\0\2ea\0\1e", 7);
		ck_assert_int_eq(work(w), CONNECTION_PROGRESSED);
		ck_assert_uint_eq(counter_read(&w->counters.tcp4), i == 0 ? 2 : 0);
		ck_assert_uint_eq(counter_read(&w->counters.tcp6), i == 1 ? 2 : 0);
		inbox = (struct inbox){.size = 0};
		fetch(w, &inbox);
		ck_assert_uint_eq(inbox.n_messages, 2);
		close_world(w);
	}
}
END_TEST

START_TEST(nothing_to_read_is_no_progress)
{
	struct world *w = open_world("192.0.2.1");

	ck_assert_int_eq(work(w), CONNECTION_STAYS);
	ck_assert(is_idle(w));
	put(w, "\0\4ex", 4); /* half of one */
	ck_assert_int_eq(work(w), CONNECTION_STAYS);
	ck_assert(!is_idle(w));
	put(w, "yz", 2);
	ck_assert_int_eq(work(w), CONNECTION_PROGRESSED);
	ck_assert(is_idle(w));
	close_world(w);
}
END_TEST

START_TEST(who_does_not_read_is_not_read_from)
{
	struct world *w = open_world("192.0.2.1");

	inbox = (struct inbox){.size = 0};
	put(w, "\0\1l\0\1l\0\1l\0\1l\0\1l\0\1l\0\1l\0\1l\0\1e", 27);
	ck_assert_int_eq(work(w), CONNECTION_PROGRESSED);
	ck_assert(connection_is_blocked(&w->connection) && !is_idle(w));
	ck_assert_int_eq(work(w), CONNECTION_STAYS); /* it still does not */
	put(w, "\0\2eb", 4);
	for (int i = 0; i < 100 && inbox.n_messages < 10; i++) {
		fetch(w, &inbox);
		ck_assert_int_ne(work(w), CONNECTION_OVER);
	}
	fetch(w, &inbox);
	ck_assert_uint_eq(inbox.n_messages, 10);
	ck_assert(is_idle(w));
	close_world(w);
}
END_TEST

START_TEST(questions_that_wait_for_answers_are_not_piled_up)
{
	static char many[120000];
	struct world *w = open_world("192.0.2.1");
	size_t most = 0;

	for (size_t i = 0; i < sizeof many; i += 3)
		memcpy(many + i, "\0\1l", 3);
	put(w, many, sizeof many);
	inbox = (struct inbox){.size = 0};
	for (int i = 0; i < 50; i++) {
		ck_assert_int_ne(work(w), CONNECTION_OVER);
		fetch(w, &inbox);
		most = w->connection.n_in > most ? w->connection.n_in : most;
	}
	ck_assert_uint_gt(inbox.n_messages, 50);
	ck_assert_uint_ge(most, CONNECTION_MESSAGE_MAX); /* one is always read to its end */
	ck_assert_uint_le(most, CONNECTION_MESSAGE_MAX + CONNECTION_READ_MAX);
	close_world(w);
}
END_TEST

START_TEST(a_stream_goes_on_as_it_is_read)
{
	struct world *w = open_world("192.0.2.1");

	inbox = (struct inbox){.size = 0};
	put(w, "\0\2t\24\0\1e", 7);
	ck_assert_int_eq(work(w), CONNECTION_PROGRESSED);
	ck_assert(!is_idle(w));
	for (int i = 0; i < 1000 && inbox.n_messages < 21; i++) {
		ck_assert_int_ne(work(w), CONNECTION_OVER);
		fetch(w, &inbox);
	}
	ck_assert_uint_eq(inbox.n_messages, 21);
	ck_assert_uint_eq(w->n_ended, 1);
	ck_assert_uint_eq(counter_read(&w->counters.transfers), 1);
	close_world(w);
	ck_assert_uint_eq(w->n_ended, 1);
}
END_TEST

START_TEST(a_stream_that_breaks_ends_the_connection)
{
	struct world *w = open_world("192.0.2.1");

	inbox = (struct inbox){.size = 0};
	put(w, "\0\2b\1", 4);
	ck_assert_int_eq(work(w), CONNECTION_PROGRESSED);
	ck_assert_int_eq(work(w), CONNECTION_PROGRESSED); /* its one message */
	ck_assert_int_eq(work(w), CONNECTION_OVER);
	fetch(w, &inbox);
	ck_assert_uint_eq(inbox.n_messages, 1);
	close_world(w);
	ck_assert_uint_eq(w->n_ended, 1);
}
END_TEST

START_TEST(who_says_all_at_once_gets_all_before_the_end)
{
	struct world *w = open_world("192.0.2.1");
	enum connection_fate fate = CONNECTION_STAYS;

	inbox = (struct inbox){.size = 0};
	put(w, "\0\1l\0\1l\0\1l\0\1l\0\1l\0\2t\3\0\1e", 22);
	ck_assert_int_eq(shutdown(w->peer, SHUT_WR), 0);
	for (int i = 0; i < 1000 && fate != CONNECTION_OVER; i++) {
		fate = work(w);
		fetch(w, &inbox);
	}
	ck_assert_int_eq(fate, CONNECTION_OVER);
	ck_assert_uint_eq(inbox.n_messages, 5 + 3 + 1);
	close_world(w);
}
END_TEST

/* What the other end does, and when it is noticed. */
START_TEST(a_connection_that_is_gone_is_over)
{
	static const char *const before[] = {
		"\0\1e", "\0\1l\0\1l\0\1l\0\1l\0\1l\0\1l", "\0\2t\144"};
	static const size_t sizes[] = {3, 18, 4};

	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		struct world *w = open_world("192.0.2.1");

		put(w, before[i], sizes[i]);
		if (i > 0) { /* an answer, or a stream, on its way */
			ck_assert_int_eq(work(w), CONNECTION_PROGRESSED);
			ck_assert(connection_is_blocked(&w->connection));
		}
		lose_peer(w);
	}
}
END_TEST

/* Something is unread: the kernel says so to the other end. */
START_TEST(a_connection_that_was_reset_is_over)
{
	struct world *w = open_world("192.0.2.1");

	put(w, "\0\1e", 3);
	ck_assert_int_eq(work(w), CONNECTION_PROGRESSED);
	lose_peer(w);
}
END_TEST

START_TEST(answers_that_do_not_fit_on_the_desk_leave_before_the_next)
{
	struct world *w = open_world("192.0.2.1");

	put(w, "\0\1l\0\1l", 6);
	lose_peer(w); /* so the first can't leave */
}
END_TEST

/* Half a message that is kept, or half an answer. */
static bool keep(void *context)
{
	struct world *w = open_world("192.0.2.1");
	const char *const bytes = context;
	enum connection_fate fate;

	(void)send(w->peer, bytes, 18, MSG_NOSIGNAL);
	fate = work(w);
	connection_close(&w->connection, &w->desk);
	close(w->peer);
	return fate != CONNECTION_OVER;
}

START_TEST(without_memory_for_what_is_to_be_kept_it_is_over)
{
	char half[] = "\0\100e23456789012345", large[] = "\0\1l\0\1l\0\1l\0\1l\0\1l\0\1l";

	ck_assert_uint_eq(memory_refuse_each(keep, half), 1);
	/* the answer that waits, and the questions behind it */
	ck_assert_uint_eq(memory_refuse_each(keep, large), 2);
}
END_TEST

START_TEST(what_gets_no_answer_ends_the_connection_behind_what_got_one)
{
	struct world *w = open_world("192.0.2.1");

	inbox = (struct inbox){.size = 0};
	put(w, "\0\1e\0\0\0\1e", 8);
	ck_assert_int_eq(work(w), CONNECTION_OVER);
	fetch(w, &inbox);
	ck_assert_uint_eq(inbox.n_messages, 1);
	close_world(w);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		who_asks_is_counted_by_family,
		nothing_to_read_is_no_progress,
		who_does_not_read_is_not_read_from,
		questions_that_wait_for_answers_are_not_piled_up,
		a_stream_goes_on_as_it_is_read,
		a_stream_that_breaks_ends_the_connection,
		who_says_all_at_once_gets_all_before_the_end,
		a_connection_that_is_gone_is_over,
		a_connection_that_was_reset_is_over,
		answers_that_do_not_fit_on_the_desk_leave_before_the_next,
		without_memory_for_what_is_to_be_kept_it_is_over,
		what_gets_no_answer_ends_the_connection_behind_what_got_one,
	};

	return run_suite("connection", tests, ARRAY_SIZE(tests));
}
