/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/will.h"
#include "suite.h"

#define ETH0   7u
#define N_VIPS 4u

/* Two routers, one of each family, which list two VIPs each. */
static struct config_vip vips[N_VIPS];
static struct config_node nodes[3];
static struct config_service service = {.vrrp = {.version = 3}};
static const struct config config = {
	.nodes = nodes, .n_nodes = 3, .services = &service, .vips = vips, .n_vips = N_VIPS};
static uint32_t members[N_VIPS] = {0, 1, 2, 3};
static struct plan_router routers[] = {
	{.family = FAMILY_IPV4, .vrid = 1, .first = 0, .n_vips = 2},
	{.family = FAMILY_IPV6, .vrid = 1, .first = 2, .n_vips = 2},
};
static const struct plan plan = {
	.config = &config, .n_nodes = 3, .routers = routers, .n_routers = 2, .members = members};
static struct destinations destinations;

static struct addr parsed(const char *text)
{
	struct addr a;

	ck_assert_msg(addr_parse(text, &a), "%s", text);
	return a;
}

static struct will *fresh(bool unicast)
{
	struct will *w;

	vips[0].address = parsed("10.1.1.201");
	vips[1].address = parsed("10.1.1.202");
	vips[2].address = parsed("fd00:1::201");
	vips[3].address = parsed("fd00:1::202");
	for (uint32_t i = 0; i < 3; i++) {
		nodes[i].addresses[0] = parsed("10.1.1.11");
		nodes[i].addresses[0].b[15] = (uint8_t)(11 + i);
		nodes[i].n_addresses = 1;
	}
	service.vrrp.unicast = unicast;
	destinations_fini(&destinations);
	ck_assert(destinations_init(&destinations, &plan, 0));
	w = will_new(&plan, &destinations);
	ck_assert_ptr_nonnull(w);
	return w;
}

/* The first @n_addresses VIPs of @router, as somebody who leaves says them. */
static struct advert leaving(uint32_t router, uint32_t n_addresses)
{
	const bool ipv4 = routers[router].family == FAMILY_IPV4;
	struct advert a = {
		.source = ipv4 ? parsed("10.1.1.11") : parsed("fe80::11"),
		.interval = tick_cs(1),
		.family = routers[router].family,
		.version = 3,
		.vrid = 1,
		.n_addresses = n_addresses,
	};

	if (!ipv4)
		a.link_local = advert_link_local(1);
	for (uint32_t i = 0; i < n_addresses; i++)
		a.addresses[i] = vips[routers[router].first + i].address;
	return a;
}

static void say(struct will *w, uint32_t router, uint32_t n_addresses)
{
	const struct advert a = leaving(router, n_addresses);

	will_say(w, router, WILL_SAY_LEAVING, ETH0, &a);
}

/* How many VIPs a whole and valid word lists; 0 if there is none, -1 if it is not as it should be. */
static int listed(const struct will *w, uint32_t router, uint32_t destination)
{
	struct advert_envelope envelope = {.ttl = ADVERT_TTL, .family = routers[router].family};
	struct will_word word;
	struct advert a;

	if (!will_read(w, router, WILL_SAY_LEAVING, destination, &word))
		return 0;
	envelope.source = word.route.source;
	envelope.destination = word.route.destination;
	if (advert_parse(word.message, word.size, &envelope, &a) != ADVERT_ACCEPTED ||
		word.route.ifindex != ETH0 || a.priority != 0)
		return -1;
	for (uint32_t i = 0; i < a.n_addresses; i++)
		if (!addr_equal(&a.addresses[i], &vips[routers[router].first + i].address))
			return -1;
	return (int)a.n_addresses;
}

START_TEST(the_last_word_is_what_was_said_last)
{
	struct will *w = fresh(false);

	for (uint32_t router = 0; router < 2; router++) {
		ck_assert_int_eq(listed(w, router, 0), 0);
		say(w, router, 2);
		ck_assert_int_eq(listed(w, router, 0), 2);
		say(w, router, 1);
		ck_assert_int_eq(listed(w, router, 0), 1);
		ck_assert_int_eq(listed(w, router, 1), 0); /* to the group alone */
		say(w, router, 0);
		ck_assert_int_eq(listed(w, router, 0), 0);
	}
	will_free(w);
}
END_TEST

START_TEST(each_unicast_peer_has_its_own_copy)
{
	struct will *w = fresh(true);
	struct will_word word;

	say(w, 0, 2);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_int_eq(listed(w, 0, i), 2);
		ck_assert(will_read(w, 0, WILL_SAY_LEAVING, i, &word));
		ck_assert(addr_equal(&word.route.destination, &nodes[1 + i].addresses[0]));
	}
	ck_assert_int_eq(listed(w, 0, 2), 0);
	ck_assert(!will_read(w, 0, WILL_SAY_PARTING, 0, &word));
	will_free(w);
}
END_TEST

static void write_for_ever(struct will *w, const struct advert adverts[static 2])
{
	for (uint32_t i = 0;; i++)
		will_say(w, 0, WILL_SAY_LEAVING, ETH0, &adverts[i % 2]);
}

START_TEST(a_death_in_the_middle_of_writing_leaves_the_word_before)
{
	struct will *w = fresh(true);
	const struct advert adverts[2] = {leaving(0, 1), leaving(0, 2)};

	say(w, 0, 1);
	for (int life = 0; life < 300; life++) {
		const struct timespec a_moment = {.tv_nsec = 200000 + 1000 * life};
		const pid_t pid = fork();

		if (pid == 0)
			write_for_ever(w, adverts);
		nanosleep(&a_moment, NULL);
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		for (uint32_t i = 0; i < 2; i++)
			ck_assert_int_gt(listed(w, 0, i), 0);
	}
	will_free(w);
}
END_TEST

START_TEST(a_new_life_begins_without_a_will)
{
	struct will *w = fresh(false);
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	say(w, 0, 2);
	will_hold(w, 0, WILL_ON_INTERFACE, ETH0);
	will_set_ready(w);
	will_note_sequence(w, 5);
	will_count_turn(w);
	will_clear(w);
	ck_assert_int_eq(listed(w, 0, 0), 0);
	ck_assert_uint_eq(will_remove(w, fds[0]), 0);
	ck_assert(!will_is_ready(w) && !will_is_open(w));
	ck_assert_uint_eq(will_turns(w) + will_sequence(w), 0);
	will_free(w);
}
END_TEST

/* What the kernel would carry out of the request in @fd. */
static uint32_t read_removals(int fd, struct ifaddrmsg *ret_last)
{
	static uint8_t request[4096];
	const ssize_t size = recv(fd, request, sizeof request, MSG_DONTWAIT);
	uint32_t n = 0;
	ssize_t at = 0;

	while (at < size) {
		struct nlmsghdr h;

		memcpy(&h, request + at, sizeof h);
		ck_assert_uint_ge(h.nlmsg_len, NLMSG_LENGTH(sizeof *ret_last));
		if (h.nlmsg_type >= NLMSG_MIN_TYPE) {
			ck_assert_int_eq(h.nlmsg_type, RTM_DELADDR);
			ck_assert_int_eq(h.nlmsg_flags, NLM_F_REQUEST);
			memcpy(ret_last, request + at + NLMSG_HDRLEN, sizeof *ret_last);
			n++;
		}
		at += NLMSG_ALIGN(h.nlmsg_len);
	}
	ck_assert_int_gt(size, 0);
	ck_assert_int_eq(at, size);
	return n;
}

START_TEST(only_what_is_held_is_removed_from_where_it_is)
{
	struct will *w = fresh(false);
	struct ifaddrmsg last;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	ck_assert_uint_eq(will_remove(w, fds[0]), 0);
	will_hold(w, 0, WILL_ON_INTERFACE, ETH0);
	will_hold(w, 0, WILL_ON_LOOPBACK, 1);
	will_hold(w, 3, WILL_ON_INTERFACE, ETH0 + 1);
	ck_assert_uint_eq(will_remove(w, fds[0]), 3);
	ck_assert_uint_eq(read_removals(fds[1], &last), 3);
	ck_assert_uint_eq(last.ifa_index, ETH0 + 1);
	ck_assert_uint_eq(last.ifa_prefixlen, 128);
	ck_assert_uint_eq(last.ifa_family, AF_INET6);
	will_release(w, 3, WILL_ON_INTERFACE);
	will_release(w, 0, WILL_ON_LOOPBACK);
	will_hold(w, 0, WILL_ON_INTERFACE, ETH0 + 2); /* the interface came back as another */
	ck_assert_uint_eq(will_remove(w, fds[0]), 1);
	ck_assert_uint_eq(read_removals(fds[1], &last), 1);
	ck_assert_uint_eq(last.ifa_index, ETH0 + 2);
	ck_assert_uint_eq(last.ifa_prefixlen, 32);
	will_free(w);
}
END_TEST

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

/* A child that has bound the will to itself, and does @then. */
static pid_t bound(struct will *w, void (*then)(void))
{
	const pid_t pid = fork();

	if (pid != 0) {
		while (will_turns(w) == 0)
			sched_yield();
		return pid;
	}
	will_bind(w);
	will_count_turn(w);
	then();
	will_unbind(w);
	_exit(0);
}

START_TEST(a_death_opens_the_will_before_the_process_is_gone)
{
	static _Atomic uint32_t signals;
	struct will *w = fresh(false);
	const pid_t pid = bound(w, wait_for_ever);

	will_wait(w, &signals, 10, false);
	ck_assert(!will_is_open(w));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	/* nobody has waited for the child */
	for (int i = 0; i < 100 && !will_is_open(w); i++)
		will_wait(w, &signals, 1000, false);
	ck_assert(will_is_open(w));
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	will_free(w);
}
END_TEST

static void return_at_once(void) {}

START_TEST(a_thread_that_returns_leaves_it_closed)
{
	struct will *w = fresh(false);
	const pid_t pid = bound(w, return_at_once);

	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(!will_is_open(w));
	will_open(w); /* as by a fault */
	ck_assert(will_is_open(w));
	will_free(w);
}
END_TEST

START_TEST(a_signal_that_came_before_the_wait_ends_it)
{
	static _Atomic uint32_t signals = 1;
	struct will *w = fresh(false);
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	will_wait(w, &signals, 60000, false);
	will_open(w);
	will_wait(w, &signals, 60000, true);
	atomic_store(&signals, 0);
	will_wait(w, &signals, 60000, false); /* open, and not seen yet */
	will_wait(w, &signals, 1, true);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_lt(after.tv_sec - before.tv_sec, 50);
	will_free(w);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_last_word_is_what_was_said_last,
		each_unicast_peer_has_its_own_copy,
		a_death_in_the_middle_of_writing_leaves_the_word_before,
		a_new_life_begins_without_a_will,
		only_what_is_held_is_removed_from_where_it_is,
		a_death_opens_the_will_before_the_process_is_gone,
		a_thread_that_returns_leaves_it_closed,
		a_signal_that_came_before_the_wait_ends_it,
	};

	return run_suite("will", tests, ARRAY_SIZE(tests));
}
