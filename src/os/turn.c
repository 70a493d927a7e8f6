/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/daemon_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "status/status.h"
#include "status/version.h"

#define DROP_LIMIT tick_s(1)

/* The fast thread owes a snapshot for so long at most. */
#define SNAPSHOT_LIMIT tick_s(2)

/* The fast thread wants to see progress, however little there is to do. */
#define BEAT tick_s(1)

#define DUMP_RETRY    tick_ms(100)
#define DUMPS_MAX     5
#define BATCHES_MAX   64
#define TROUBLE_QUIET tick_s(1)

/* ---- netlink's news ---- */

void daemon_on_link(void *context, const struct netlink_link *news)
{
	struct daemon *d = context;

	/* one that was renamed keeps its addresses, and nobody tells them again */
	if (links_see_link(d->links, news))
		d->dump_wanted = true;
	d->fencing.stale = true;
}

static const char *interface_name(const struct daemon *d, uint32_t vip)
{
	const struct config *c = d->setup.config;

	return c->interfaces[c->services[c->vips[vip].service].interface].name;
}

void daemon_on_address(void *context, const struct netlink_address *news)
{
	struct daemon *d = context;
	char text[ADDR_STRLEN];
	uint32_t vip;

	switch (holder_see(d->holder, news, d->now, &vip)) {
	case HOLDER_OTHER:
		if (links_see_address(d->links, news))
			d->dump_wanted = true;
		break;
	case HOLDER_SEEN: break;
	case HOLDER_STOLEN:
		journal_line(d->journal, JOURNAL_WARNING,
			"kernel: %s was %s %s by another program; adding it back",
			addr_format(&news->address, text),
			news->present ? "replaced on" : "removed from", interface_name(d, vip));
		break;
	}
}

int daemon_dump(struct daemon *d)
{
	int error = -EINTR;

	/* EINTR: something changed meanwhile, and the dump may have missed it */
	for (int i = 0; i < DUMPS_MAX && error == -EINTR; i++) {
		links_forget(d->links);
		holder_forget(d->holder);
		error = netlink_dump(d->netlink);
	}
	if (!error)
		d->dump_wanted = false;
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
	error = daemon_dump(d);
	if (error) {
		journal_line(d->journal, JOURNAL_ERROR, "netlink: cannot list addresses: %s",
			strerror(-error));
		d->retry_at = tick_add(d->now, DUMP_RETRY);
		return false;
	}
	return true;
}

/* ---- addresses, announcements, journal ---- */

static void work_on_addresses(struct daemon *d)
{
	bool more = true;

	for (int i = 0; i < BATCHES_MAX && more; i++) {
		more = holder_work(d->holder, d->now);
		board_beat(d->board);
		hear_news(d);
		holder_report(d->holder);
	}
	if (more || d->dump_wanted)
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

void daemon_write_journal(struct daemon *d)
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

/* ---- control ---- */

/* Takes @text. */
static void answer_waiting(struct daemon *d, enum status_command topic, char *text)
{
	control_answer_waiting(d->control, topic, text ? text : STATUS_NO_MEMORY);
	free(text);
}

static void answer_from_snapshot(struct daemon *d)
{
	const struct status_input in = {
		.node = d->snapshot,
		.version = ROOST_VERSION,
		.started = d->started,
		.now = d->now,
		.wall_ns = clock_wall_ns(),
		.fence = daemon_fence_status(d),
		.strangers = strangers_status(d->strangers),
	};

	if (control_is_awaited(d->control, STATUS_COMMAND_STATUS))
		answer_waiting(d, STATUS_COMMAND_STATUS, status_render(&in));
	if (control_is_awaited(d->control, STATUS_COMMAND_HOLDERS))
		answer_waiting(
			d, STATUS_COMMAND_HOLDERS, status_render_holders(d->snapshot, d->now));
}

static void answer_questions(struct daemon *d)
{
	static const char silent[] = "the fast thread does not answer";

	if (!d->snapshot_owed)
		return;
	if (!board_snapshot_is_asked(d->board)) {
		answer_from_snapshot(d);
		d->snapshot_owed = false;
	} else if (d->now >= d->snapshot_by) {
		answer_waiting(d, STATUS_COMMAND_STATUS, status_render_error(silent));
		answer_waiting(d, STATUS_COMMAND_HOLDERS, status_render_error(silent));
		d->snapshot_by = TICK_NEVER;
	}
}

static char *refuse(const struct daemon *d, enum access wanted)
{
	char text[ACCESS_REASON_SIZE];

	access_explain(&d->setup.config->control, wanted, text);
	return status_render_error(text);
}

char *daemon_on_request(
	void *context, const struct control_request *request, control_topic *ret_topic)
{
	struct daemon *d = context;
	const char *why;
	enum status_command command;
	struct board_message drain = {.event = {.kind = NODE_EV_DRAIN}};

	if (request->access == ACCESS_NONE) /* nor is it read */
		return refuse(d, ACCESS_READ);
	command = status_parse_request(request->line, request->size, &why);
	switch (command) {
	case STATUS_COMMAND_NONE: return status_render_error(why);
	case STATUS_COMMAND_STATUS:
	case STATUS_COMMAND_HOLDERS:
		*ret_topic = command;
		if (!d->snapshot_owed)
			board_ask_snapshot(d->board);
		d->snapshot_owed = true;
		d->snapshot_by = tick_add(clock_now(), SNAPSHOT_LIMIT);
		board_kick_fast(d->board);
		return NULL;
	case STATUS_COMMAND_DRAIN:
	case STATUS_COMMAND_UNDRAIN:
		if (request->access < ACCESS_STEER)
			return refuse(d, ACCESS_STEER);
		drain.event.drain = command == STATUS_COMMAND_DRAIN;
		if (!board_post(d->board, &drain))
			return status_render_error("busy, try again");
		board_kick_fast(d->board);
		journal_line(d->journal, JOURNAL_INFO, "%s, asked for by user %u",
			drain.event.drain ? "drain" : "undrain", (unsigned)request->user);
		return status_render_done(command);
	case STATUS_COMMAND_RELOAD:
		return status_render_error("roostd reads the file when it starts; restart it");
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

	at = tick_min(at, tick_add(d->now, BEAT));
	at = tick_min(at, daemon_fence_deadline(d));
	at = tick_min(at, strangers_deadline(d->strangers));
	if (daemon_signs(d) && raw_sequence(d->raw))
		at = tick_min(at, tick_add(d->sequence.note.at, SEQUENCE_PERIOD));
	if (d->snapshot_owed)
		at = tick_min(at, d->snapshot_by);
	if (d->stopping)
		at = tick_min(at, tick_max(d->stop_by, d->now + RETRY_SOON));
	(void)sd_event_source_set_time(d->timer, at / 1000u + 1u);
	(void)sd_event_source_set_enabled(d->timer, SD_EVENT_ONESHOT);
}

void daemon_turn(struct daemon *d)
{
	d->now = clock_now();
	d->retry_at = TICK_NEVER;
	board_beat(d->board);
	hear_news(d);
	/* before an address could be reached by an interface that has just come */
	daemon_mend_fence(d);
	if (know_kernel(d)) {
		daemon_tell_links(d);
		work_on_addresses(d);
		daemon_tell_links(d);
		strangers_work(d->strangers, d->now);
		if (!announcer_work(d->announcer, d->now))
			d->retry_at = tick_min(d->retry_at, tick_add(d->now, RETRY_SOON));
	}
	daemon_write_journal(d);
	tell_troubles(d);
	daemon_keep_sequence(d);
	answer_questions(d);
	work_on_stop(d);
	arm_timer(d);
}
