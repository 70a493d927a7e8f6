/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TCP thread over loopback, with a service that answers each message by itself. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/assert.h"
#include "dns/socket.h"
#include "dns/tcp.h"
#include "suite.h"
#include "tcp_world.h"
#include "wishes.h"

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
		a_stream_comes_whole_between_the_answers_around_it,
		a_stream_ends_with_its_connection,
		a_second_server_finds_the_port_taken,
		a_client_of_ipv6_is_none_of_ipv4,
		a_socket_that_is_taken_back_serves_no_more_but_its_connections_do,
		who_is_connected_when_a_socket_is_taken_back_is_looked_after,
		one_of_all_addresses_comes_beside_a_single_one_of_ours_alone,
		what_can_not_be_served_is_closed,
		who_comes_from_nowhere_is_turned_away,
	};

	return run_suite("tcp", tests, ARRAY_SIZE(tests));
}
