/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What becomes of the news when some of it can't be read; the kernel's datagrams are the test's own. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/assert.h"
#include "os/netlink.h"
#include "suite.h"

/* The queue: an interface's index, or a negative errno in its place. */
static const int *queue;
static size_t n_queued;

static uint32_t heard[8], n_heard;

ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *s, void *bytes, size_t size);

/* One datagram of news, or of a dump that was disturbed, which libmnl refuses. */
ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *s, void *bytes, size_t size)
{
	const int next = n_queued ? *queue : -EAGAIN;
	struct nlmsghdr *h;
	struct ifinfomsg *info;

	(void)s;
	ck_assert_uint_gt(size, 100);
	if (n_queued) {
		queue++;
		n_queued--;
	}
	if (next < 0 && next != -EPROTO) {
		errno = -next;
		return -1;
	}
	h = mnl_nlmsg_put_header(bytes);
	h->nlmsg_type = RTM_NEWLINK;
	h->nlmsg_flags = next == -EPROTO ? NLM_F_DUMP_INTR : 0;
	info = mnl_nlmsg_put_extra_header(h, sizeof *info);
	info->ifi_index = next;
	return (ssize_t)h->nlmsg_len;
}

static void hear_link(void *context, const struct netlink_link *link)
{
	(void)context;
	ck_assert_uint_lt(n_heard, ARRAY_SIZE(heard));
	heard[n_heard++] = link->ifindex;
}

static void hear_address(void *context, const struct netlink_address *address)
{
	(void)context;
	(void)address;
}

static int listen_to(const int *news, size_t n)
{
	struct netlink *netlink;
	int result;

	ck_assert_int_eq(
		netlink_new(&(struct netlink_listener){hear_link, hear_address, NULL}, &netlink),
		0);
	queue = news;
	n_queued = n;
	n_heard = 0;
	result = netlink_listen(netlink);
	netlink_free(netlink);
	return result;
}

START_TEST(all_that_waits_is_heard)
{
	const int news[] = {7, -EINTR, 8};

	ck_assert_int_eq(listen_to(news, ARRAY_SIZE(news)), 0);
	ck_assert_uint_eq(n_heard, 2);
	ck_assert(heard[0] == 7 && heard[1] == 8);
}
END_TEST

/* The dump that follows must be the last word: what is older is heard before. */
START_TEST(what_is_lost_does_not_leave_older_news_behind)
{
	const int lost[] = {-ENOBUFS, -ENOSPC, -EPROTO};
	const int seen_as[] = {-ENOBUFS, -ENOSPC, -EINTR};

	for (size_t i = 0; i < ARRAY_SIZE(lost); i++) {
		const int news[] = {7, lost[i], 8, -EINTR, 9};

		ck_assert_int_eq(listen_to(news, ARRAY_SIZE(news)), seen_as[i]);
		ck_assert_uint_eq(n_queued, 0);
		ck_assert_uint_eq(n_heard, 3);
		ck_assert_uint_eq(heard[2], 9);
	}
}
END_TEST

/* What takes no datagram off the queue may go on for ever. */
START_TEST(a_broken_socket_is_told_at_once)
{
	const int news[] = {7, -EBADF, -EBADF};

	ck_assert_int_eq(listen_to(news, ARRAY_SIZE(news)), -EBADF);
	ck_assert_uint_eq(n_queued, 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		all_that_waits_is_heard,
		what_is_lost_does_not_leave_older_news_behind,
		a_broken_socket_is_told_at_once,
	};

	return run_suite("netlink-listen", tests, ARRAY_SIZE(tests));
}
