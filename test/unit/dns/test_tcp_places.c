/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who has a place among the connections, for how long, and who makes room when places or descriptors run out. */
#include <check.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "suite.h"
#include "tcp_world.h"

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

/* RFC 7766 6.2.3: less patience the fewer places there are. */
START_TEST(who_idles_is_closed_sooner_when_most_places_are_taken)
{
	enum { FEW = CONNECTIONS_MAX / 4 * 3 - 1 };
	int fds[FEW + 1];
	struct world w;

	open_world_of(&w, tick_s(3));
	for (uint32_t i = 0; i < FEW; i++) {
		fds[i] = join(&w, 1 + i);
		ck_assert(is_alive(fds[i]));
	}
	/* as long as there are enough places, a fifth of the time is nothing */
	ck_assert(!is_closed_within(fds[0], 700));
	fds[FEW] = join(&w, 100);
	ck_assert(is_alive(fds[FEW]));
	ck_assert(is_closed_within(fds[0], 1500));
	ck_assert(is_alive(fds[1]) && is_alive(fds[FEW]));
	ck_assert_uint_eq(counter_read(&tcp_counters(w.tcp)->tcp_expired), 1);
	ck_assert_uint_eq(counter_read(&tcp_counters(w.tcp)->tcp_evicted), 0);
	for (int i = 0; i <= FEW; i++)
		close(fds[i]);
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
		one_client_gets_so_many_places_and_its_oldest_makes_room,
		who_idles_is_closed_sooner_when_most_places_are_taken,
		when_all_places_are_taken_who_has_most_of_them_makes_room,
		many_who_come_at_once_are_all_looked_at,
		when_descriptors_run_out_one_makes_room,
		when_descriptors_run_out_and_nobody_can_make_room_it_rests,
		without_descriptors_there_is_no_server,
	};

	return run_suite("tcp_places", tests, ARRAY_SIZE(tests));
}
