/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions to a roostd that is a socket of the test's. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/tick.h"
#include "dns/asker.h"
#include "os/clock.h"
#include "suite.h"

#define QUESTION "{\"command\":\"holders\"}\n"

static struct {
	sd_event *event;
	struct asker *asker;
	char directory[32], path[64];
	int listener;
	/* What was heard. */
	uint32_t n_heard;
	tick heard_at;
	size_t size; /* of the last; 0: nothing */
	char begin[64];
} world;

static void hear(void *context, const char *text, size_t size)
{
	(void)context;
	world.n_heard++;
	world.heard_at = clock_now();
	world.size = size;
	memset(world.begin, 0, sizeof world.begin);
	if (text)
		memcpy(world.begin, text,
			size < sizeof world.begin ? size : sizeof world.begin - 1);
}

static void set_up(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct asker_setup setup = {.path = world.path, .heard = hear};

	strcpy(world.directory, "/tmp/roost-asker-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(world.directory));
	strcpy(world.path, world.directory);
	strcat(world.path, "/sock");
	strcpy(address.sun_path, world.path);
	world.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
		bind(world.listener, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(world.listener, 5), 0);
	ck_assert_int_ge(sd_event_new(&world.event), 0);
	setup.event = world.event;
	ck_assert_int_eq(asker_new(&setup, &world.asker), 0);
}

static void tear_down(void)
{
	asker_free(world.asker);
	sd_event_unref(world.event);
	close(world.listener);
	unlink(world.path);
	rmdir(world.directory);
}

static void run(tick span)
{
	const tick end = clock_now() + span;

	for (tick now = clock_now(); now < end; now = clock_now())
		ck_assert_int_ge(sd_event_run(world.event, (end - now) / 1000 + 1), 0);
}

/* The next question's connection. */
static int accept_question(tick span)
{
	const tick end = clock_now() + span;
	char text[64];
	int fd;

	while ((fd = accept4(world.listener, NULL, NULL, SOCK_CLOEXEC)) < 0 && clock_now() < end)
		run(tick_ms(1));
	if (fd < 0)
		return -1;
	ck_assert_int_eq(recv(fd, text, sizeof text, 0), (ssize_t)strlen(QUESTION));
	ck_assert_mem_eq(text, QUESTION, strlen(QUESTION));
	return fd;
}

static void say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

START_TEST(it_asks_at_once_and_again_each_second)
{
	int fd = accept_question(tick_ms(500));

	ck_assert_int_ge(fd, 0);
	say(fd, "{\"unheld\"");
	run(tick_ms(20));
	ck_assert_uint_eq(world.n_heard, 0); /* half of it is nothing yet */
	say(fd, ":[]}");
	close(fd);
	run(tick_ms(20));
	ck_assert_uint_eq(world.n_heard, 1);
	ck_assert_str_eq(world.begin, "{\"unheld\":[]}");
	fd = accept_question(tick_s(5));
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_ge(clock_now() - world.heard_at, ASKER_INTERVAL);
	close(fd); /* it has nothing to say */
	run(tick_ms(20));
	ck_assert_uint_eq(world.n_heard, 2);
	ck_assert_uint_eq(world.size, 0);
}
END_TEST

START_TEST(a_long_answer_is_heard_whole)
{
	static char text[300000];
	const int fd = accept_question(tick_ms(500));

	memset(text, 'x', sizeof text);
	for (size_t at = 0; at < sizeof text;) {
		const ssize_t n =
			send(fd, text + at, sizeof text - at, MSG_DONTWAIT | MSG_NOSIGNAL);

		at += n > 0 ? (size_t)n : 0;
		run(tick_ms(1));
	}
	close(fd);
	run(tick_ms(20));
	ck_assert_uint_eq(world.n_heard, 1);
	ck_assert_uint_eq(world.size, sizeof text);
}
END_TEST

START_TEST(an_answer_without_an_end_is_given_up)
{
	static char text[65536];
	const int fd = accept_question(tick_ms(500));
	size_t sent = 0;

	while (world.n_heard == 0 && sent < (size_t)16 << 20) {
		const ssize_t n = send(fd, text, sizeof text, MSG_DONTWAIT | MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		ck_assert_int_ge(sd_event_run(world.event, 1000), 0);
	}
	ck_assert_uint_eq(world.n_heard, 1);
	ck_assert_uint_eq(world.size, 0);
	ck_assert_uint_ge(sent, (size_t)8 << 20);
	close(fd);
}
END_TEST

START_TEST(who_says_nothing_is_not_waited_for)
{
	const tick began = clock_now();
	const int fd = accept_question(tick_ms(500));

	while (world.n_heard == 0 && clock_now() - began < tick_s(10))
		run(tick_ms(10));
	ck_assert_uint_eq(world.n_heard, 1);
	ck_assert_uint_eq(world.size, 0);
	ck_assert_uint_ge(world.heard_at - began, ASKER_LIMIT);
	close(fd);
}
END_TEST

START_TEST(it_may_end_while_a_question_is_open)
{
	const int fd = accept_question(tick_ms(500));

	ck_assert_int_ge(fd, 0);
	asker_free(world.asker);
	world.asker = NULL;
	ck_assert_int_le(send(fd, "late", 4, MSG_NOSIGNAL), 0);
	close(fd);
}
END_TEST

/* Who closes with the question unread has not heard it. */
START_TEST(a_connection_that_breaks_is_no_answer)
{
	int fd;

	run(tick_ms(5));
	fd = accept4(world.listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	say(fd, "{\"unheld\":[]}");
	close(fd);
	run(tick_ms(20));
	ck_assert_uint_eq(world.n_heard, 1);
	ck_assert_uint_eq(world.size, 0);
}
END_TEST

START_TEST(where_nobody_listens_nothing_is_heard)
{
	ck_assert_int_eq(unlink(world.path), 0);
	run(tick_ms(50));
	ck_assert_uint_eq(world.n_heard, 1);
	ck_assert_uint_eq(world.size, 0);
}
END_TEST

START_TEST(a_path_that_no_socket_has_is_refused)
{
	char path[200];
	const struct asker_setup setup = {.event = world.event, .path = path, .heard = hear};
	struct asker *a = NULL;

	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	ck_assert_int_eq(asker_new(&setup, &a), -ENAMETOOLONG);
	ck_assert_ptr_null(a);
	asker_free(a);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		it_asks_at_once_and_again_each_second,
		a_long_answer_is_heard_whole,
		an_answer_without_an_end_is_given_up,
		who_says_nothing_is_not_waited_for,
		it_may_end_while_a_question_is_open,
		a_connection_that_breaks_is_no_answer,
		where_nobody_listens_nothing_is_heard,
		a_path_that_no_socket_has_is_refused,
	};

	return run_suite_around("asker", tests, ARRAY_SIZE(tests), set_up, tear_down);
}
