/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/assert.h"
#include "dns/mailbox.h"
#include "suite.h"

static struct mailbox mailbox;

START_TEST(letters_come_in_their_order)
{
	static const struct mailbox_letter letters[] = {
		{MAILBOX_SERVE, 7, 1}, {MAILBOX_CLOSE, -1, 1}, {MAILBOX_STOP, 0, 0}};
	struct mailbox_letter letter = {.id = 99};

	ck_assert_int_eq(mailbox_init(&mailbox), 0);
	ck_assert(!mailbox_take(&mailbox, &letter)); /* and does not wait */
	ck_assert_uint_eq(letter.id, 99);
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		ck_assert(mailbox_put(&mailbox, &letters[i]));
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
		ck_assert(mailbox_take(&mailbox, &letter));
		ck_assert_int_eq(letter.kind, letters[i].kind);
		ck_assert_int_eq(letter.fd, letters[i].fd);
		ck_assert_uint_eq(letter.id, letters[i].id);
	}
	ck_assert(!mailbox_take(&mailbox, &letter));
	mailbox_fini(&mailbox);
}
END_TEST

static volatile sig_atomic_t n_taken;

static void make_room(int signal)
{
	struct mailbox_letter letter;

	(void)signal;
	while (mailbox_take(&mailbox, &letter))
		n_taken++;
}

START_TEST(a_letter_waits_for_room_whatever_signal_comes)
{
	const struct sigaction action = {.sa_handler = make_room}; /* which interrupts */
	const struct itimerval soon = {.it_value = {.tv_usec = 50000}};
	struct mailbox_letter letter = {.kind = MAILBOX_SERVE};
	uint32_t n;
	int size;

	ck_assert_int_eq(mailbox_init(&mailbox), 0);
	size = fcntl(mailbox.in, F_SETPIPE_SZ, 4096);
	ck_assert_int_gt(size, 0);
	n = (uint32_t)size / sizeof letter;
	for (letter.id = 0; letter.id < n; letter.id++)
		ck_assert(mailbox_put(&mailbox, &letter));
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
	ck_assert(mailbox_put(&mailbox, &letter)); /* one too many until the signal has come */
	ck_assert_int_eq(n_taken, (int)n);
	ck_assert(mailbox_take(&mailbox, &letter));
	ck_assert_uint_eq(letter.id, n);
	mailbox_fini(&mailbox);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		letters_come_in_their_order,
		a_letter_waits_for_room_whatever_signal_comes,
	};

	return run_suite("mailbox", tests, ARRAY_SIZE(tests));
}
