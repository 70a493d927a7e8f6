/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/asker.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/clock.h"

#define REQUEST "{\"command\":\"holders\"}\n"

#define PIECE      65536
#define ANSWER_MAX ((size_t)8 << 20)

struct asker {
	struct asker_setup setup;
	struct sockaddr_un address;
	sd_event_source *timer, *io;
	int fd; /* -1: no question is open */
	char *text;
	size_t size, room;
};

static void set_timer(struct asker *a, tick from_now)
{
	(void)sd_event_source_set_time_relative(a->timer, from_now / 1000);
	(void)sd_event_source_set_enabled(a->timer, SD_EVENT_ONESHOT);
}

/* The question is over, with an answer or without. */
static void finish(struct asker *a, bool answered)
{
	const char *text = answered ? a->text : NULL;

	a->io = sd_event_source_disable_unref(a->io);
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	a->setup.heard(a->setup.context, text, text ? a->size : 0);
	set_timer(a, ASKER_INTERVAL);
}

/* Room for another piece. */
static bool grow(struct asker *a)
{
	const size_t room = a->room ? 2 * a->room : 2 * PIECE;
	char *text;

	if (a->room - a->size >= PIECE)
		return true;
	if (room > ANSWER_MAX)
		return false;
	text = realloc(a->text, room);
	if (!text)
		return false;
	a->text = text;
	a->room = room;
	return true;
}

static int on_answer(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct asker *a = context;
	ssize_t n;

	(void)source;
	(void)events;
	if (!grow(a)) {
		finish(a, false);
		return 0;
	}
	n = recv(fd, a->text + a->size, PIECE, MSG_DONTWAIT);
	if (n > 0)
		a->size += (size_t)n;
	else if (n == 0)
		finish(a, a->size > 0);
	else if (errno != EAGAIN && errno != EINTR)
		finish(a, false);
	return 0;
}

static bool ask(struct asker *a)
{
	a->size = 0;
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return a->fd >= 0 &&
	       connect(a->fd, (const struct sockaddr *)&a->address, sizeof a->address) == 0 &&
	       send(a->fd, REQUEST, strlen(REQUEST), MSG_NOSIGNAL) == (ssize_t)strlen(REQUEST) &&
	       sd_event_add_io(a->setup.event, &a->io, a->fd, EPOLLIN, on_answer, a) >= 0;
}

/* It is time to ask, or the time for an answer is over. */
static int on_timer(sd_event_source *source, uint64_t us, void *context)
{
	struct asker *a = context;

	(void)source;
	(void)us;
	if (a->fd >= 0) {
		finish(a, false);
		return 0;
	}
	if (ask(a))
		set_timer(a, ASKER_LIMIT);
	else
		finish(a, false);
	return 0;
}

int asker_new(const struct asker_setup *setup, struct asker **ret_asker)
{
	struct asker *a;
	int error;

	if (strlen(setup->path) >= sizeof a->address.sun_path)
		return -ENAMETOOLONG;
	a = calloc(1, sizeof *a);
	if (!a)
		return -ENOMEM;
	a->setup = *setup;
	a->fd = -1;
	a->address.sun_family = AF_UNIX;
	(void)snprintf(a->address.sun_path, sizeof a->address.sun_path, "%s", setup->path);
	error = sd_event_add_time_relative(
		setup->event, &a->timer, CLOCK_BOOTTIME, 0, 0, on_timer, a);
	if (error < 0) {
		free(a);
		return error;
	}
	*ret_asker = a;
	return 0;
}

void asker_free(struct asker *a)
{
	if (!a)
		return;
	sd_event_source_disable_unref(a->io);
	sd_event_source_disable_unref(a->timer);
	if (a->fd >= 0)
		close(a->fd);
	free(a->text);
	free(a);
}
