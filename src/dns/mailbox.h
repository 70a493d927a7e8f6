/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What the main thread tells a thread that serves: which sockets to serve, and when to end. A pipe, so that it
 * wakes a thread that waits in epoll, and the sockets belong to exactly one thread at any time.
 */

#include <stdbool.h>
#include <stdint.h>

enum mailbox_kind {
	MAILBOX_SERVE, /* @fd, under the name @id: the thread owns it from now on */
	MAILBOX_CLOSE, /* the socket of that name */
	MAILBOX_STOP,
};

struct mailbox_letter {
	enum mailbox_kind kind;
	int fd;
	uint32_t id;
};

struct mailbox {
	int in, out;
};

/* 0 or negative errno. */
int mailbox_init(struct mailbox *m);
void mailbox_fini(struct mailbox *m);

/* Waits if the pipe is full, which takes thousands of letters. False if it can't be put in. */
bool mailbox_put(const struct mailbox *m, const struct mailbox_letter *letter);

/* The next one; false if there is none. @m->out is readable when there is one. */
bool mailbox_take(const struct mailbox *m, struct mailbox_letter *ret_letter);
