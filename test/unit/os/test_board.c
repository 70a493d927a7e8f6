/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>

#include "base/assert.h"
#include "os/board.h"
#include "suite.h"

static bool is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

START_TEST(many_kicks_are_one)
{
	struct board *b = board_new(1);

	ck_assert(!is_readable(board_fast_fd(b)) && !is_readable(board_slow_fd(b)));
	board_kick_fast(b);
	board_kick_fast(b);
	ck_assert(is_readable(board_fast_fd(b)) && !is_readable(board_slow_fd(b)));
	board_clear_fast(b);
	ck_assert(!is_readable(board_fast_fd(b)));
	board_free(b);
}
END_TEST

START_TEST(a_cell_tells_how_things_are_and_not_how_they_became_so)
{
	struct board *b = board_new(2);

	board_set_wanted(b, 1, VRRP_HOLD_FULL);
	board_set_wanted(b, 1, VRRP_HOLD_DATA);
	ck_assert_int_eq(board_wanted(b, 1), VRRP_HOLD_DATA);
	ck_assert_int_eq(board_wanted(b, 0), VRRP_HOLD_NONE);
	ck_assert_int_eq(board_observed(b, 1), VRRP_HOLD_NONE);
	board_ask_announcement(b, 1);
	board_ask_announcement(b, 1);
	ck_assert_uint_eq(board_announcement_asked(b, 1), 2);
	board_set_announced(b, 1, 1);
	ck_assert_uint_ne(board_announced(b, 1), board_announcement_asked(b, 1));
	board_free(b);
}
END_TEST

START_TEST(a_full_ring_refuses_messages_and_counts_lost_records)
{
	struct board *b = board_new(1);
	struct board_message m = {0};
	struct node_record r = {0};
	uint32_t n_messages = 0, n_records = 0;

	while (board_post(b, &m))
		m.ifindex = ++n_messages;
	for (uint32_t i = 0; i < n_messages; i++) {
		ck_assert(board_take_message(b, &m));
		ck_assert_uint_eq(m.ifindex, i);
	}
	ck_assert(!board_take_message(b, &m));
	ck_assert(board_post(b, &m));

	while (board_records_lost(b) == 0) {
		board_put_record(b, &r);
		n_records++;
	}
	for (; board_take_record(b, &r); n_records--)
		;
	ck_assert_uint_eq(n_records, 1);
	board_free(b);
}
END_TEST

#define STREAM 20000u

static void *write_stream(void *argument)
{
	struct board *b = argument;
	struct board_message m = {0};

	while (m.ifindex < STREAM) {
		m.event.interface = m.ifindex;
		if (board_post(b, &m))
			m.ifindex++;
		else
			sched_yield();
	}
	return NULL;
}

START_TEST(a_ring_keeps_order_between_two_threads)
{
	struct board *b = board_new(1);
	struct board_message m;
	uint32_t n = 0, n_wrong = 0;
	pthread_t writer;

	ck_assert_int_eq(pthread_create(&writer, NULL, write_stream, b), 0);
	while (n < STREAM) {
		if (!board_take_message(b, &m)) {
			sched_yield();
			continue;
		}
		n_wrong += m.ifindex != n || m.event.interface != n;
		n++;
	}
	pthread_join(writer, NULL);
	ck_assert_uint_eq(n_wrong, 0);
	board_free(b);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		many_kicks_are_one,
		a_cell_tells_how_things_are_and_not_how_they_became_so,
		a_full_ring_refuses_messages_and_counts_lost_records,
		a_ring_keeps_order_between_two_threads,
	};

	return run_suite("board", tests, ARRAY_SIZE(tests));
}
