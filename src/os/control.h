/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The control socket: a request of one line in, an answer of one line out, then it is closed. Clients are
 * few, have little time to ask and to read the answer, and are never waited for. What the lines mean is
 * status/'s business.
 */

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "os/access.h"

struct control;

struct control_request {
	const char *line;
	size_t size;
	enum access access; /* of whoever asks */
	uid_t user;
};

/* What an answer is about that will come by control_answer_waiting(); the caller's numbering, from 1. */
typedef unsigned control_topic;

/*
 * Answers @request with text to be freed by control, without the newline; or NULL, with the topic set,
 * if the answer will come by control_answer_waiting(), and without, if there will be none.
 */
typedef char *(*control_handler)(
	void *context, const struct control_request *request, control_topic *ret_topic);

struct control_setup {
	const char *path; /* in a directory that is made if missing */
	struct access_rules rules;
	control_handler handler;
	void *context;
};

/*
 * Listens. A socket that nobody serves any more is replaced; -EADDRINUSE if another daemon does. 0 or
 * negative errno.
 */
int control_new(sd_event *event, const struct control_setup *setup, struct control **ret_control);

/* Also removes the socket. */
void control_free(struct control *c);

/* Whether a client waits for an answer on that topic. */
bool control_is_awaited(const struct control *c, control_topic topic);

/* Gives @text to each of them. */
void control_answer_waiting(struct control *c, control_topic topic, const char *text);
