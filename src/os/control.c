/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "status/status.h"

#define CLIENTS_MAX 16
#define LIFE_US     (10 * 1000000ull)
#define BACKLOG     16

/* Places for those who may do nothing, so that they can't keep the others out. */
#define STRANGERS_MAX 4

struct client {
	struct control *control;
	int fd; /* -1: this place is free */
	sd_event_source *io, *timer;
	enum access access;
	uid_t user;
	char request[STATUS_REQUEST_SIZE_MAX + 1];
	size_t n_request;
	bool waiting;        /* for control_answer_waiting(), */
	control_topic topic; /* ... with an answer on that */
	char *answer;
	size_t n_answer, sent;
};

struct control {
	sd_event *event;
	struct control_setup setup;
	struct sockaddr_un address;
	int lock_fd, fd;
	sd_event_source *io;
	struct client clients[CLIENTS_MAX];
};

static void drop_client(struct client *c)
{
	c->io = sd_event_source_disable_unref(c->io);
	c->timer = sd_event_source_disable_unref(c->timer);
	if (c->fd >= 0)
		close(c->fd);
	free(c->answer);
	c->answer = NULL;
	c->fd = -1;
	c->waiting = false;
}

static void write_answer(struct client *c)
{
	while (c->sent < c->n_answer) {
		const ssize_t n = send(c->fd, c->answer + c->sent, c->n_answer - c->sent,
			MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			(void)sd_event_source_set_io_events(c->io, EPOLLOUT);
			return;
		}
		if (n < 0)
			break;
		c->sent += (size_t)n;
	}
	drop_client(c);
}

/* Whoever waits for an answer has time; for the question and the answer there is little. */
static void set_life(struct client *c, bool limited)
{
	(void)sd_event_source_set_time_relative(c->timer, LIFE_US);
	(void)sd_event_source_set_enabled(c->timer, limited ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/* Takes @text; the newline takes the place of its NUL. */
static void answer(struct client *c, char *text)
{
	c->waiting = false;
	set_life(c, true);
	if (!text) {
		drop_client(c);
		return;
	}
	c->answer = text;
	c->n_answer = strlen(text) + 1;
	c->sent = 0;
	text[c->n_answer - 1] = '\n';
	write_answer(c);
}

static void handle(struct client *c, size_t n_line)
{
	const struct control_setup *setup = &c->control->setup;
	const struct control_request request = {c->request, n_line, c->access, c->user};
	char *text;

	c->waiting = true;
	c->topic = 0; /* is none */
	text = setup->handler(setup->context, &request, &c->topic);
	if (text || c->topic == 0) { /* else there was no memory for an answer */
		answer(c, text);
		return;
	}
	set_life(c, false);
	(void)sd_event_source_set_io_events(c->io, 0); /* EPOLLHUP comes all the same */
}

static void read_request(struct client *c)
{
	const ssize_t n = recv(
		c->fd, c->request + c->n_request, sizeof c->request - c->n_request, MSG_DONTWAIT);
	const char *newline;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		drop_client(c);
		return;
	}
	c->n_request += (size_t)n;
	newline = memchr(c->request, '\n', c->n_request);
	if (newline)
		handle(c, (size_t)(newline - c->request));
	else if (c->n_request == sizeof c->request)
		answer(c, status_render_error("the request is too long"));
	else if (n == 0 && c->n_request == 0)
		drop_client(c);
	else if (n == 0)
		handle(c, c->n_request);
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct client *c = context;

	(void)source;
	(void)fd;
	if (c->answer)
		write_answer(c);
	else if (c->waiting || !(events & EPOLLIN))
		drop_client(c); /* hung up */
	else
		read_request(c);
	return 0;
}

static int on_client_timer(sd_event_source *source, uint64_t now, void *context)
{
	(void)source;
	(void)now;
	drop_client(context);
	return 0;
}

static struct client *find_place(struct control *control, enum access access)
{
	int i = access == ACCESS_NONE ? CLIENTS_MAX - STRANGERS_MAX : 0;

	for (; i < CLIENTS_MAX; i++)
		if (control->clients[i].fd < 0)
			return &control->clients[i];
	return NULL;
}

static int on_listen(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct control *control = context;
	const int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	enum access access;
	struct client *c;
	uid_t user = 0;

	(void)source;
	(void)events;
	if (accepted < 0)
		return 0;
	access = access_of_socket(&control->setup.rules, accepted, &user);
	c = find_place(control, access);
	if (!c) {
		close(accepted); /* the operator tries again */
		return 0;
	}
	c->fd = accepted;
	c->access = access;
	c->user = user;
	c->n_request = 0;
	if (sd_event_add_io(control->event, &c->io, accepted, EPOLLIN, on_client, c) < 0 ||
		sd_event_add_time_relative(control->event, &c->timer, CLOCK_MONOTONIC, LIFE_US, 0,
			on_client_timer, c) < 0)
		drop_client(c);
	return 0;
}

/* Whoever holds the lock beside the socket owns it; the kernel lets go of it when a daemon dies. */
static int lock(struct control *c, const char *path)
{
	char lock_path[sizeof c->address.sun_path + 8];
	char *slash;

	(void)snprintf(lock_path, sizeof lock_path, "%s", path);
	slash = strrchr(lock_path, '/');
	if (slash && slash != lock_path) {
		*slash = '\0';
		if (mkdir(lock_path, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	(void)snprintf(lock_path, sizeof lock_path, "%s.lock", path);
	c->lock_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (c->lock_fd < 0)
		return -errno;
	if (flock(c->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
	return 0;
}

static int listen_on(struct control *c, const char *path)
{
	struct stat status;
	mode_t mask;
	int error;

	if (lstat(path, &status) == 0) {
		if (!S_ISSOCK(status.st_mode))
			return -EEXIST;
		if (unlink(path) < 0)
			return -errno;
	}
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return -errno;
	mask = umask(c->setup.rules.open ? 0111 : 0117); /* 0660 from the first moment on */
	error = bind(c->fd, (const struct sockaddr *)&c->address, sizeof c->address) < 0 ? -errno
											 : 0;
	umask(mask);
	if (!error && listen(c->fd, BACKLOG) < 0)
		error = -errno;
	return error;
}

int control_new(sd_event *event, const struct control_setup *setup, struct control **ret_control)
{
	struct control *c;
	int error;

	if (strlen(setup->path) >= sizeof c->address.sun_path)
		return -ENAMETOOLONG;
	c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
	c->event = event;
	c->setup = *setup;
	c->lock_fd = c->fd = -1;
	c->address.sun_family = AF_UNIX;
	(void)snprintf(c->address.sun_path, sizeof c->address.sun_path, "%s", setup->path);
	for (int i = 0; i < CLIENTS_MAX; i++) {
		c->clients[i].control = c;
		c->clients[i].fd = -1;
	}
	error = lock(c, setup->path);
	if (!error)
		error = listen_on(c, setup->path);
	if (!error)
		error = sd_event_add_io(event, &c->io, c->fd, EPOLLIN, on_listen, c);
	if (error < 0) {
		control_free(c);
		return error;
	}
	*ret_control = c;
	return 0;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	for (int i = 0; i < CLIENTS_MAX; i++)
		drop_client(&c->clients[i]);
	c->io = sd_event_source_disable_unref(c->io);
	if (c->fd >= 0) {
		(void)unlink(c->address.sun_path);
		close(c->fd);
	}
	if (c->lock_fd >= 0)
		close(c->lock_fd);
	free(c);
}

static bool awaits(const struct client *c, control_topic topic)
{
	return c->fd >= 0 && c->waiting && c->topic == topic;
}

bool control_is_awaited(const struct control *c, control_topic topic)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (awaits(&c->clients[i], topic))
			return true;
	return false;
}

void control_answer_waiting(struct control *c, control_topic topic, const char *text)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (awaits(&c->clients[i], topic))
			answer(&c->clients[i], strdup(text));
}
