/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Who may use the control socket: root and the daemon's user may do everything, members of two groups what
 * the file's `control:` says. The kernel tells who is at the other end, so nobody needs to prove anything.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "config/config.h"

enum access { ACCESS_NONE, ACCESS_READ, ACCESS_STEER };

#define ACCESS_OWN_GROUP   ((gid_t)-1)
#define ACCESS_REASON_SIZE 128

struct access_rules {
	gid_t read, steer; /* or ACCESS_OWN_GROUP: the daemon's, whatever it is by then */
	bool open;         /* so the socket must be open to all */
};

/* A user at the other end. */
struct access_peer {
	uid_t user;
	const gid_t *groups;
	size_t n_groups;
};

/* Looks the groups up, in files or wherever the machine keeps them. Returns NULL, or the name of one that
 * there is not. */
const char *access_find_rules(const struct config_control *control, struct access_rules *ret_rules);

/* What @peer may do with a daemon of user @own_user and group @own_group. */
enum access access_judge(const struct access_rules *rules, const struct access_peer *peer,
	uid_t own_user, gid_t own_group);

/* What the peer of a connected Unix socket may do, and who it is. ACCESS_NONE if the kernel won't say. */
enum access access_of_socket(const struct access_rules *rules, int fd, uid_t *ret_user);

/* Why somebody with less than @wanted is refused. */
void access_explain(const struct config_control *control, enum access wanted,
	char text[static ACCESS_REASON_SIZE]);
