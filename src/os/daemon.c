/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/daemon_state.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/manager.h"
#include "os/keys.h"
#include "os/privileges.h"
#include "os/sandbox.h"
#include "status/version.h"

/* A stop takes no longer: then everything is dropped, handed over or not. */
#define STOP_LIMIT    tick_s(5)
#define CLAIM_BACKLOG 16

/* ---- what wakes the thread ---- */

static int on_turn(sd_event_source *source, void *context)
{
	(void)source;
	daemon_turn(context);
	return 0;
}

static int on_kick(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct daemon *d = context;

	(void)source;
	(void)fd;
	(void)events;
	board_clear_slow(d->board);
	return 0;
}

/* These only wake the thread; the turn that follows looks at everything. */
static int on_news(sd_event_source *source, int fd, uint32_t events, void *context)
{
	(void)source;
	(void)fd;
	(void)events;
	(void)context;
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t us, void *context)
{
	(void)source;
	(void)us;
	(void)context;
	return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	struct daemon *d = context;

	(void)source;
	d->now = clock_now();
	/* asked twice by the same one: no longer wait for a successor. What comes from a terminal or
	 * from systemd for all processes comes from the guardian as well */
	if (d->stopping && info->ssi_pid == d->stopped_by)
		d->stop_by = d->now;
	if (!d->stopping) {
		d->stopped_by = info->ssi_pid;
		d->stop_by = tick_add(d->now, STOP_LIMIT);
		journal_line(d->journal, JOURNAL_INFO, "stopping: handing over");
		manager_tell("STOPPING=1");
	}
	d->stopping = true;
	return 0;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	struct daemon *d = context;

	(void)source;
	(void)info;
	journal_line(d->journal, JOURNAL_INFO,
		"the configuration is read at start only; restart to change it");
	return 0;
}

/* Somebody wants to know whose the name is; that is all. */
static int on_claim(sd_event_source *source, int fd, uint32_t events, void *context)
{
	const int asker = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	(void)context;
	if (asker >= 0)
		close(asker);
	return 0;
}

/* ---- start and end ---- */

static int complain(struct daemon *d, const char *what, int error)
{
	if (error < 0)
		journal_line(d->journal, JOURNAL_ERROR, "cannot %s: %s", what, strerror(-error));
	return error;
}

static int add_sources(struct daemon *d)
{
	const int signals[] = {SIGTERM, SIGINT};
	sigset_t blocked;
	int error;

	/* before there is a second thread, which inherits it */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	error = sd_event_add_time(d->event, &d->timer, CLOCK_BOOTTIME, 0, 1, on_timer, d);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0] && error >= 0; i++)
		error = sd_event_add_signal(d->event, NULL, signals[i], on_stop, d);
	if (error >= 0)
		error = sd_event_add_signal(d->event, NULL, SIGHUP, on_hangup, d);
	if (error >= 0 && d->claim >= 0)
		error = sd_event_add_io(d->event, NULL, d->claim, EPOLLIN, on_claim, d);
	if (error >= 0)
		error = sd_event_add_io(
			d->event, NULL, netlink_fd(d->netlink), EPOLLIN, on_news, d);
	if (error >= 0)
		error = sd_event_add_io(
			d->event, NULL, board_slow_fd(d->board), EPOLLIN, on_kick, d);
	if (error >= 0)
		error = sd_event_add_post(d->event, NULL, on_turn, d);
	return error;
}

static int make_nodes(struct daemon *d)
{
	struct node_setup setup = {.config = d->setup.config,
		.plan = d->setup.plan,
		.self = d->setup.self,
		.fenced = daemon_is_fenced(d)};

	if (getrandom(&setup.seed, sizeof setup.seed, 0) != sizeof setup.seed)
		return -EIO;
	d->node = node_new(&setup, d->started);
	d->snapshot = node_new(&setup, d->started);
	return d->node && d->snapshot ? 0 : -ENOMEM;
}

static int make_tables(struct daemon *d)
{
	const struct config *config = d->setup.config;

	d->journal = journal_new(config, d->setup.self);
	d->board = board_new(config->n_vips);
	d->links = calloc(1, sizeof *d->links);
	if (!d->journal || !d->board || !d->links)
		return -ENOMEM;
	links_init(d->links, config, d->setup.self);
	return 0;
}

/* The lock beside the socket keeps a second daemon from touching anything. */
static int open_control(struct daemon *d)
{
	const struct control_setup setup = {
		.path = d->setup.socket_path,
		.rules = d->setup.access,
		.handler = daemon_on_request,
		.context = d,
	};
	const int error = control_new(d->event, &setup, &d->control);

	if (error == -EADDRINUSE)
		journal_line(d->journal, JOURNAL_ERROR, "another roostd serves %s",
			d->setup.socket_path);
	else if (error)
		journal_line(d->journal, JOURNAL_ERROR, "cannot listen on %s: %s",
			d->setup.socket_path, strerror(-error));
	return error;
}

/* A name that belongs to this network namespace and goes with the process. */
static const struct sockaddr_un claim_name = {.sun_family = AF_UNIX, .sun_path = "\0roostd"};

#define CLAIM_SIZE (offsetof(struct sockaddr_un, sun_path) + sizeof "\0roostd" - 1)

/* The user who has the name; false if nobody listens there. */
static bool find_claimant(uid_t *ret_user)
{
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct ucred claimant = {0};
	socklen_t size = sizeof claimant;
	const bool found = connect(fd, (const struct sockaddr *)&claim_name, CLAIM_SIZE) == 0 &&
			   getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &claimant, &size) == 0;

	if (fd >= 0)
		close(fd);
	*ret_user = claimant.uid;
	return found;
}

/* Two daemons in one namespace, whatever their sockets and files, would take each other's addresses for leftovers. But
 * anybody may take the name, and only who could run a roostd is believed. */
static int claim_namespace(struct daemon *d)
{
	uid_t user;
	int error = 0;

	d->claim = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->claim < 0 || bind(d->claim, (const struct sockaddr *)&claim_name, CLAIM_SIZE) < 0 ||
		listen(d->claim, CLAIM_BACKLOG) < 0)
		error = -errno;
	if (error != -EADDRINUSE)
		return complain(d, "claim the network namespace", error);
	if (find_claimant(&user) && (user == 0 || user == geteuid())) {
		journal_line(d->journal, JOURNAL_ERROR,
			"another roostd runs in this network namespace; one is enough for all "
			"VIPs");
		return error;
	}
	journal_line(d->journal, JOURNAL_WARNING,
		"somebody who is no roostd has the name @roostd: a second roostd in this network "
		"namespace would not be noticed");
	close(d->claim);
	d->claim = -1;
	return 0;
}

static int open_kernel(struct daemon *d)
{
	const struct config *config = d->setup.config;
	const struct netlink_listener listener = {daemon_on_link, daemon_on_address, d};
	int error = netlink_new(&listener, &d->netlink);

	if (error)
		return complain(d, "open netlink", error);
	error = raw_new(plan_families(d->setup.plan), &d->raw);
	if (error)
		return complain(d, "open the VRRP sockets", error);
	d->holder = holder_new(config, d->links, d->netlink, d->board);
	if (!d->holder)
		return complain(d, "start", -ENOMEM);
	holder_bequeath(d->holder, d->setup.will);
	if (daemon_is_fenced(d))
		holder_rely_on_fence(d->holder);
	else if (d->fencing.mechanism == CONFIG_FENCE_LIFETIME)
		holder_limit(d->holder, fence_words(d->fence));
	error = announcer_new(config, d->links, d->netlink, d->board, d->holder, &d->announcer);
	return complain(d, "open the packet socket", error);
}

static int watch_strangers(struct daemon *d)
{
	struct strangers_setup setup = {
		.config = d->setup.config,
		.self = d->setup.self,
		.event = d->event,
		.links = d->links,
		.holder = d->holder,
		.board = d->board,
		.announcer = d->announcer,
		.journal = d->journal,
	};

	if (getrandom(&setup.seed, sizeof setup.seed, 0) != sizeof setup.seed)
		return complain(d, "start", -EIO);
	return complain(d, "listen to ARP and ND", strangers_new(&setup, &d->strangers));
}

/* The first look at the machine: what is there, and what a previous life left. */
static int look_around(struct daemon *d)
{
	uint32_t strays = 0, n;

	do {
		const int error = daemon_dump(d);

		if (error)
			return complain(d, "list addresses", error);
		n = holder_adopt(d->holder);
		strays += n;
	} while (n > 0 && holder_has_strays(d->holder));
	if (strays)
		journal_line(d->journal, JOURNAL_NOTICE,
			"kernel: removed %u addresses that a previous life left", strays);
	for (uint32_t i = 0; i < d->setup.config->n_interfaces; i++)
		if (!links_node_interface(d->links, i).up)
			journal_line(d->journal, JOURNAL_WARNING, "link: waiting for %s",
				d->setup.config->interfaces[i].name);
	return 0;
}

static int start_fast(struct daemon *d)
{
	const struct fast_setup setup = {
		.node = d->node,
		.snapshot = d->snapshot,
		.board = d->board,
		.raw = d->raw,
		.auth = d->setup.auth,
		.destinations = d->setup.destinations,
		.will = d->setup.will,
		.words = fence_words(d->fence),
	};

	return complain(d, "start the fast thread", fast_start(&setup, &d->fast));
}

/* Everything is open: what comes from outside from now on meets as little power as there can be. */
static int confine(struct daemon *d)
{
	int error = privileges_settle();

	if (!error && d->setup.sandboxed)
		error = sandbox_enter(SANDBOX_RUNNING);
	return complain(d, "give up what is no longer needed", error);
}

static int start(struct daemon *d)
{
	int error;

	d->started = d->now = clock_now();
	if (d->setup.auth)
		keys_lock(d->setup.auth);
	error = make_tables(d);
	if (!error)
		error = sd_event_new(&d->event);
	if (error < 0)
		return complain(d, "start", error);
	error = open_control(d);
	if (!error)
		error = claim_namespace(d);
	/* closed, before there is an address that could be reached */
	if (!error)
		error = daemon_open_fence(d);
	if (!error)
		error = complain(d, "start", make_nodes(d));
	if (!error)
		error = open_kernel(d);
	if (!error)
		error = watch_strangers(d);
	if (!error)
		error = complain(d, "start", add_sources(d));
	if (error >= 0)
		error = look_around(d);
	if (error < 0)
		return error;
	/* what is touched from now on stays in memory: the fast thread must not wait for a disk */
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		journal_line(d->journal, JOURNAL_INFO, "memory is not locked: %s", strerror(errno));
	/* a takeover waits for this thread too: address and announcement; not permitted is not fatal */
	(void)setpriority(PRIO_PROCESS, 0, -20);
	daemon_start_sequence(d);
	error = start_fast(d);
	return error ? error : confine(d);
}

/* While an address is left, be it on an interface that was renamed, it stays up and keeps it from being served. */
static void close_fence(struct daemon *d)
{
	const bool held =
		d->holder ? !holder_is_empty(d->holder) : d->fence && fence_is_inherited(d->fence);

	fence_close(d->fence, !held);
}

static void finish(struct daemon *d)
{
	if (d->fast) {
		board_quit(d->board);
		board_kick_fast(d->board);
		fast_join(d->fast);
		daemon_write_journal(d);
		if (daemon_signs(d))
			daemon_save_sequence(d);
	}
	close_fence(d);
	if (d->claim >= 0)
		close(d->claim);
	control_free(d->control);
	strangers_free(d->strangers);
	announcer_free(d->announcer);
	holder_free(d->holder);
	raw_free(d->raw);
	netlink_free(d->netlink);
	node_free(d->node);
	node_free(d->snapshot);
	board_free(d->board);
	free(d->links);
	sd_event_source_unref(d->timer);
	sd_event_unref(d->event);
	journal_free(d->journal);
	free(d);
}

int daemon_run(const struct daemon_setup *setup)
{
	const struct config *c = setup->config;
	struct daemon *d = calloc(1, sizeof *d);
	int status = EXIT_FAILURE;

	if (!d)
		return EXIT_FAILURE;
	d->setup = *setup;
	d->claim = -1;
	if (start(d) >= 0) {
		journal_line(d->journal, JOURNAL_INFO,
			"roostd %s: %u nodes, %u VIPs, %u virtual routers%s", ROOST_VERSION,
			c->n_nodes, c->n_vips, setup->plan->n_routers,
			fast_is_realtime(d->fast) ? "" : "; without real-time scheduling");
		daemon_turn(d);
		will_set_ready(d->setup.will);
		manager_tell("READY=1");
		status = sd_event_loop(d->event);
		if (status < 0) {
			complain(d, "go on", status);
			status = EXIT_FAILURE;
		}
	}
	finish(d);
	return status;
}
