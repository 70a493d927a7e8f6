/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/daemon.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "os/announcer.h"
#include "os/board.h"
#include "os/clock.h"
#include "os/control.h"
#include "os/fast.h"
#include "os/holder.h"
#include "os/journal.h"
#include "os/links.h"
#include "os/netlink.h"
#include "os/raw.h"
#include "os/sequence.h"
#include "status/status.h"
#include "status/version.h"

/* A stop takes no longer: then everything is dropped, handed over or not. */
#define STOP_LIMIT tick_s(5)
#define DROP_LIMIT tick_s(1)

/* The fast thread owes a snapshot for so long at most. */
#define SNAPSHOT_LIMIT tick_s(2)

#define RETRY_SOON    tick_ms(10)
#define DUMP_RETRY    tick_ms(100)
#define DUMPS_MAX     5
#define BATCHES_MAX   64
#define TROUBLE_QUIET tick_s(1)

/* What the fast thread was told of an interface, and whether the group was joined there. */
struct told {
	struct node_interface link;
	uint32_t ifindex;
	bool joined[FAMILY_COUNT];
};

struct daemon {
	struct daemon_setup setup;
	sd_event *event;
	sd_event_source *timer;
	struct journal *journal;
	struct board *board;
	struct raw *raw;
	struct netlink *netlink;
	struct links *links;
	struct holder *holder;
	struct announcer *announcer;
	struct control *control;
	struct node *node, *snapshot;
	struct fast *fast;
	struct told told[CONFIG_INTERFACES_MAX];
	tick started;
	tick now;         /* of this turn */
	tick retry_at;    /* what was refused is tried again */
	bool dump_wanted; /* news was lost */
	bool stopping, stop_posted;
	tick stop_by;
	bool snapshot_owed;
	tick snapshot_by;
	uint64_t watchdog_us, turns_seen;
	tick trouble_said; /* when a failure of the kernel side was last told */
	uint64_t send_errors, records_lost;
	struct {
		char path[PATH_MAX];
		struct sequence_note note; /* in the file */
		bool failed;
	} sequence;
};

/* ---- netlink's news ---- */

static void on_link(void *context, const struct netlink_link *news)
{
	struct daemon *d = context;

	links_see_link(d->links, news);
}

static const char *interface_name(const struct daemon *d, uint32_t vip)
{
	const struct config *c = d->setup.config;

	return c->interfaces[c->services[c->vips[vip].service].interface].name;
}

static void on_address(void *context, const struct netlink_address *news)
{
	struct daemon *d = context;
	char text[ADDR_STRLEN];
	uint32_t vip;

	switch (holder_see(d->holder, news, d->now, &vip)) {
	case HOLDER_OTHER: links_see_address(d->links, news); break;
	case HOLDER_SEEN: break;
	case HOLDER_STOLEN:
		journal_line(d->journal, JOURNAL_WARNING,
			"kernel: %s was %s %s by another program; adding it back",
			addr_format(&news->address, text),
			news->present ? "replaced on" : "removed from", interface_name(d, vip));
		break;
	}
}

static int dump(struct daemon *d)
{
	int error = -EINTR;

	/* EINTR: something changed meanwhile, and the dump may have missed it */
	for (int i = 0; i < DUMPS_MAX && error == -EINTR; i++) {
		links_forget(d->links);
		holder_forget(d->holder);
		error = netlink_dump(d->netlink);
	}
	return error;
}

static void hear_news(struct daemon *d)
{
	const int error = netlink_listen(d->netlink);

	if (error == 0)
		return;
	journal_line(d->journal, JOURNAL_WARNING, "netlink: news was lost (%s); asking anew",
		strerror(-error));
	d->dump_wanted = true;
}

/* False if the state of the kernel is not known: then nothing is to be changed. */
static bool know_kernel(struct daemon *d)
{
	int error;

	if (!d->dump_wanted)
		return true;
	error = dump(d);
	if (error) {
		journal_line(d->journal, JOURNAL_ERROR, "netlink: cannot list addresses: %s",
			strerror(-error));
		d->retry_at = tick_add(d->now, DUMP_RETRY);
		return false;
	}
	d->dump_wanted = false;
	return true;
}

/* ---- links ---- */

static bool needs_group(const struct daemon *d, uint32_t interface, enum family family)
{
	const struct plan *p = d->setup.plan;

	for (uint32_t i = 0; i < p->n_routers; i++)
		if (p->routers[i].interface == interface && p->routers[i].family == family &&
			!d->setup.config->services[p->routers[i].service].vrrp.unicast)
			return true;
	return false;
}

/* Who can't hear the others must not take part: without the group a family has no source. */
static void join_group(
	struct daemon *d, uint32_t interface, enum family family, struct node_interface *link)
{
	struct told *told = &d->told[interface];
	const uint32_t ifindex = d->links->links[interface].ifindex;
	int error;

	if (told->joined[family] || addr_is_none(&link->sources[family]) || !link->up ||
		!needs_group(d, interface, family))
		return;
	error = raw_join(d->raw, family, ifindex);
	told->joined[family] = error == 0;
	if (error == 0)
		return;
	journal_line(d->journal, JOURNAL_WARNING, "link: cannot join the VRRP group on %s: %s",
		d->setup.config->interfaces[interface].name, strerror(-error));
	link->sources[family] = addr_none;
	d->retry_at = tick_add(d->now, tick_s(1));
}

static bool is_told(const struct told *told, const struct node_interface *link, uint32_t ifindex)
{
	return told->ifindex == ifindex && told->link.up == link->up &&
	       addr_equal(&told->link.sources[FAMILY_IPV4], &link->sources[FAMILY_IPV4]) &&
	       addr_equal(&told->link.sources[FAMILY_IPV6], &link->sources[FAMILY_IPV6]);
}

static void tell_link(struct daemon *d, uint32_t interface)
{
	struct told *told = &d->told[interface];
	const uint32_t ifindex = d->links->links[interface].ifindex;
	struct board_message m = {
		.event = {.kind = NODE_EV_LINK, .interface = interface},
		.ifindex = ifindex,
	};

	for (int f = 0; f < FAMILY_COUNT && told->ifindex != ifindex; f++) {
		if (told->joined[f])
			raw_leave(d->raw, (enum family)f, told->ifindex);
		told->joined[f] = false;
	}
	m.event.link = links_node_interface(d->links, interface);
	for (int f = 0; f < FAMILY_COUNT; f++)
		join_group(d, interface, (enum family)f, &m.event.link);
	if (is_told(told, &m.event.link, ifindex))
		return;
	if (!board_post(d->board, &m)) {
		d->retry_at = tick_min(d->retry_at, tick_add(d->now, RETRY_SOON));
		return;
	}
	told->link = m.event.link;
	told->ifindex = ifindex;
	board_kick_fast(d->board);
}

static void tell_links(struct daemon *d)
{
	for (uint32_t i = 0; i < d->setup.config->n_interfaces; i++)
		tell_link(d, i);
}

/* ---- addresses, announcements, journal ---- */

static void work_on_addresses(struct daemon *d)
{
	bool more = true;

	for (int i = 0; i < BATCHES_MAX && more; i++) {
		more = holder_work(d->holder, d->now);
		hear_news(d);
		holder_report(d->holder);
	}
	if (more)
		d->retry_at = d->now;
}

/* What fails goes on failing for a while: one line a second. */
static void tell_troubles(struct daemon *d)
{
	uint32_t vip;
	int error;
	uint64_t errors;
	char text[ADDR_STRLEN];

	if (d->trouble_said && tick_since(d->now, d->trouble_said) < TROUBLE_QUIET)
		return;
	error = holder_take_error(d->holder, &vip);
	if (error) {
		journal_line(d->journal, JOURNAL_WARNING, "kernel: cannot change %s on %s: %s",
			addr_format(&d->setup.config->vips[vip].address, text),
			interface_name(d, vip), strerror(-error));
		d->trouble_said = d->now;
	}
	errors = raw_send_errors(d->raw, &error);
	if (errors != d->send_errors) {
		journal_line(d->journal, JOURNAL_WARNING,
			"link: %llu advertisements could not be sent: %s",
			(unsigned long long)(errors - d->send_errors), strerror(error));
		d->send_errors = errors;
		d->trouble_said = d->now;
	}
}

static void write_journal(struct daemon *d)
{
	struct node_record r;
	uint64_t lost;

	while (board_take_record(d->board, &r))
		journal_record(d->journal, &r);
	lost = board_records_lost(d->board);
	if (lost != d->records_lost)
		journal_line(d->journal, JOURNAL_WARNING, "journal: %llu records were lost",
			(unsigned long long)(lost - d->records_lost));
	d->records_lost = lost;
}

/* ---- the sequence of what is signed ---- */

static bool signs(const struct daemon *d)
{
	return d->setup.auth && d->setup.config->auth.mode >= CONFIG_AUTH_PERMISSIVE;
}

static void save_sequence(struct daemon *d)
{
	const struct sequence_note note = {raw_sequence(d->raw), d->now};
	int error;

	if (note.last == 0)
		return;
	error = sequence_save(d->sequence.path, &note);
	if (error && !d->sequence.failed)
		journal_line(d->journal, JOURNAL_WARNING, "cannot keep the last sequence in %s: %s",
			d->sequence.path, strerror(-error));
	d->sequence.failed = error != 0;
	d->sequence.note = note;
}

static void keep_sequence(struct daemon *d)
{
	const struct sequence_note *note = &d->sequence.note;

	if (!signs(d))
		return;
	/* or the clock was set ahead, and the file does not reserve what is signed with now */
	if (d->now >= tick_add(note->at, SEQUENCE_PERIOD) ||
		raw_sequence(d->raw) > sequence_reserved(note, d->now))
		save_sequence(d);
}

static void start_sequence(struct daemon *d)
{
	const uint64_t clock = auth_sequence(clock_wall_ns());
	struct auth *auth = d->setup.auth;
	int error;

	if (!signs(d))
		return;
	(void)snprintf(
		d->sequence.path, sizeof d->sequence.path, "%s.sequence", d->setup.socket_path);
	error = sequence_load(d->sequence.path, &d->sequence.note);
	if (error)
		journal_line(d->journal, JOURNAL_WARNING,
			"cannot read the last sequence from %s: %s; going by the clock",
			d->sequence.path, strerror(-error));
	auth->sequence = sequence_reserved(&d->sequence.note, d->now);
	if (auth->sequence > clock + auth_sequence(tick_s(1)))
		journal_line(d->journal, JOURNAL_WARNING,
			"the clock is %llu s behind what was signed before; going on from there",
			(unsigned long long)(auth->sequence - clock) >> 32);
	raw_sign_with(d->raw, auth);
}

/* ---- control ---- */

static void answer_status(struct daemon *d)
{
	char *text;

	if (!d->snapshot_owed)
		return;
	if (!board_snapshot_is_asked(d->board)) {
		text = status_render(&(struct status_input){
			.node = d->snapshot,
			.version = ROOST_VERSION,
			.started = d->started,
			.now = d->now,
			.wall_ns = clock_wall_ns(),
		});
		d->snapshot_owed = false;
	} else if (d->now >= d->snapshot_by) {
		text = status_render_error("the fast thread does not answer");
		d->snapshot_by = TICK_NEVER;
	} else {
		return;
	}
	control_answer_waiting(d->control, text ? text : "{\"error\":\"out of memory\"}");
	free(text);
}

static char *on_request(void *context, const char *line, size_t size)
{
	struct daemon *d = context;
	const char *why;
	const enum status_command command = status_parse_request(line, size, &why);
	const struct board_message drain = {
		.event = {.kind = NODE_EV_DRAIN, .drain = command == STATUS_COMMAND_DRAIN},
	};

	switch (command) {
	case STATUS_COMMAND_NONE: return status_render_error(why);
	case STATUS_COMMAND_STATUS:
		if (!d->snapshot_owed)
			board_ask_snapshot(d->board);
		d->snapshot_owed = true;
		d->snapshot_by = tick_add(clock_now(), SNAPSHOT_LIMIT);
		board_kick_fast(d->board);
		return NULL;
	case STATUS_COMMAND_DRAIN:
	case STATUS_COMMAND_UNDRAIN:
		if (!board_post(d->board, &drain))
			return status_render_error("busy, try again");
		board_kick_fast(d->board);
		return status_render_done(command);
	}
	return status_render_error("not understood");
}

/* ---- stopping ---- */

static void work_on_stop(struct daemon *d)
{
	const struct board_message stop = {.event = {.kind = NODE_EV_STOP}};

	if (!d->stopping)
		return;
	if (!d->stop_posted) {
		d->stop_posted = board_post(d->board, &stop);
		board_kick_fast(d->board);
	}
	if (board_is_stopped(d->board) && holder_is_empty(d->holder)) {
		journal_line(d->journal, JOURNAL_INFO, "stopped");
		(void)sd_event_exit(d->event, EXIT_SUCCESS);
		return;
	}
	if (d->now < d->stop_by)
		return;
	holder_release(d->holder);
	work_on_addresses(d);
	if (!holder_is_empty(d->holder) && d->now < d->stop_by + DROP_LIMIT) {
		d->retry_at = tick_add(d->now, RETRY_SOON);
		return;
	}
	journal_line(d->journal, JOURNAL_WARNING, "stopped before everything was handed over");
	(void)sd_event_exit(d->event, holder_is_empty(d->holder) ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* ---- the loop ---- */

static void arm_timer(struct daemon *d)
{
	tick at = tick_min(d->retry_at, holder_deadline(d->holder));

	if (signs(d) && raw_sequence(d->raw))
		at = tick_min(at, tick_add(d->sequence.note.at, SEQUENCE_PERIOD));
	if (d->snapshot_owed)
		at = tick_min(at, d->snapshot_by);
	if (d->stopping)
		at = tick_min(at, tick_max(d->stop_by, d->now + RETRY_SOON));
	if (at == TICK_NEVER) {
		(void)sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
		return;
	}
	(void)sd_event_source_set_time(d->timer, at / 1000u + 1u);
	(void)sd_event_source_set_enabled(d->timer, SD_EVENT_ONESHOT);
}

/* After whatever woke the thread: everything that is level-triggered, in the order of its urgency. */
static int take_turn(sd_event_source *source, void *context)
{
	struct daemon *d = context;

	(void)source;
	d->now = clock_now();
	d->retry_at = TICK_NEVER;
	hear_news(d);
	if (know_kernel(d)) {
		tell_links(d);
		work_on_addresses(d);
		tell_links(d);
		if (!announcer_work(d->announcer, d->now))
			d->retry_at = tick_min(d->retry_at, tick_add(d->now, RETRY_SOON));
	}
	write_journal(d);
	tell_troubles(d);
	keep_sequence(d);
	answer_status(d);
	work_on_stop(d);
	arm_timer(d);
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

/* The watchdog is fed only while the fast thread takes turns; a kick makes it take one. */
static int on_watchdog(sd_event_source *source, uint64_t us, void *context)
{
	struct daemon *d = context;
	const uint64_t turns = board_turns(d->board);

	if (turns != d->turns_seen)
		(void)sd_notify(0, "WATCHDOG=1");
	d->turns_seen = turns;
	board_kick_fast(d->board);
	(void)sd_event_source_set_time(source, us + d->watchdog_us);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	struct daemon *d = context;

	(void)source;
	(void)info;
	d->now = clock_now();
	/* asked twice: no longer wait for a successor */
	d->stop_by = d->stopping ? d->now : tick_add(d->now, STOP_LIMIT);
	if (!d->stopping) {
		journal_line(d->journal, JOURNAL_INFO, "stopping: handing over");
		(void)sd_notify(0, "STOPPING=1");
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
	signal(SIGPIPE, SIG_IGN);
	error = sd_event_add_time(d->event, &d->timer, CLOCK_BOOTTIME, 0, 1, on_timer, d);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0] && error >= 0; i++)
		error = sd_event_add_signal(d->event, NULL, signals[i], on_stop, d);
	if (error >= 0)
		error = sd_event_add_signal(d->event, NULL, SIGHUP, on_hangup, d);
	if (error >= 0)
		error = sd_event_add_io(
			d->event, NULL, netlink_fd(d->netlink), EPOLLIN, on_news, d);
	if (error >= 0)
		error = sd_event_add_io(
			d->event, NULL, board_slow_fd(d->board), EPOLLIN, on_kick, d);
	if (error >= 0)
		error = sd_event_add_post(d->event, NULL, take_turn, d);
	if (error >= 0 && sd_watchdog_enabled(0, &d->watchdog_us) > 0) {
		d->watchdog_us /= 3;
		error = sd_event_add_time_relative(
			d->event, NULL, CLOCK_MONOTONIC, d->watchdog_us, 0, on_watchdog, d);
	}
	return error;
}

static unsigned spoken_families(const struct plan *p)
{
	unsigned families = 0;

	for (uint32_t i = 0; i < p->n_routers; i++)
		families |= 1u << p->routers[i].family;
	return families;
}

static int make_nodes(struct daemon *d)
{
	struct node_setup setup = {
		.config = d->setup.config, .plan = d->setup.plan, .self = d->setup.self};

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
	return make_nodes(d);
}

static int open_kernel(struct daemon *d)
{
	const struct config *config = d->setup.config;
	const struct netlink_listener listener = {on_link, on_address, d};
	int error = netlink_new(&listener, &d->netlink);

	if (error)
		return complain(d, "open netlink", error);
	error = raw_new(spoken_families(d->setup.plan), &d->raw);
	if (error)
		return complain(d, "open the VRRP sockets", error);
	d->holder = holder_new(config, d->links, d->netlink, d->board);
	if (!d->holder)
		return complain(d, "start", -ENOMEM);
	error = announcer_new(config, d->links, d->netlink, d->board, d->holder, &d->announcer);
	return complain(d, "open the packet socket", error);
}

/* The first look at the machine: what is there, and what a previous life left. */
static int look_around(struct daemon *d)
{
	uint32_t strays = 0, n;

	do {
		const int error = dump(d);

		if (error)
			return complain(d, "list addresses", error);
		n = holder_adopt(d->holder);
		strays += n;
	} while (n == NETLINK_BATCH);
	if (strays)
		journal_line(d->journal, JOURNAL_NOTICE,
			"kernel: removed %u addresses that a previous life left", strays);
	for (uint32_t i = 0; i < d->setup.config->n_interfaces; i++)
		if (!links_node_interface(d->links, i).up)
			journal_line(d->journal, JOURNAL_WARNING, "link: waiting for %s",
				d->setup.config->interfaces[i].name);
	return 0;
}

static int start(struct daemon *d)
{
	int error;

	d->started = d->now = clock_now();
	error = make_tables(d);
	if (error)
		return complain(d, "start", error);
	error = sd_event_new(&d->event);
	if (error < 0)
		return complain(d, "start", error);
	error = control_new(d->event, d->setup.socket_path, on_request, d, &d->control);
	if (error == -EADDRINUSE)
		journal_line(d->journal, JOURNAL_ERROR, "another roostd serves %s",
			d->setup.socket_path);
	else if (error)
		journal_line(d->journal, JOURNAL_ERROR, "cannot listen on %s: %s",
			d->setup.socket_path, strerror(-error));
	if (!error)
		error = open_kernel(d);
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
	start_sequence(d);
	error = fast_start(
		&(struct fast_setup){d->node, d->snapshot, d->board, d->raw, d->setup.auth},
		&d->fast);
	return complain(d, "start the fast thread", error);
}

static void finish(struct daemon *d)
{
	if (d->fast) {
		board_quit(d->board);
		board_kick_fast(d->board);
		fast_join(d->fast);
		write_journal(d);
		if (signs(d))
			save_sequence(d);
	}
	control_free(d->control);
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
	if (start(d) >= 0) {
		journal_line(d->journal, JOURNAL_INFO,
			"roostd %s: %u nodes, %u VIPs, %u virtual routers%s", ROOST_VERSION,
			c->n_nodes, c->n_vips, setup->plan->n_routers,
			fast_is_realtime(d->fast) ? "" : "; without real-time scheduling");
		(void)take_turn(NULL, d);
		(void)sd_notify(0, "READY=1");
		status = sd_event_loop(d->event);
		if (status < 0) {
			complain(d, "go on", status);
			status = EXIT_FAILURE;
		}
	}
	finish(d);
	return status;
}
