/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/access.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static bool find_group(const char *name, gid_t *ret_group)
{
	const struct group *g;

	if (name[0] == '\0') {
		*ret_group = ACCESS_OWN_GROUP;
		return true;
	}
	g = getgrnam(name);
	if (!g)
		return false;
	*ret_group = g->gr_gid;
	return true;
}

const char *access_find_rules(const struct config_control *control, struct access_rules *ret_rules)
{
	struct access_rules rules = {.open = control->read[0] || control->steer[0]};

	if (!find_group(control->read, &rules.read))
		return control->read;
	if (!find_group(control->steer, &rules.steer))
		return control->steer;
	*ret_rules = rules;
	return NULL;
}

static bool is_member(const struct access_peer *peer, gid_t group, gid_t own_group)
{
	if (group == ACCESS_OWN_GROUP)
		group = own_group;
	for (size_t i = 0; i < peer->n_groups; i++)
		if (peer->groups[i] == group)
			return true;
	return false;
}

enum access access_judge(const struct access_rules *rules, const struct access_peer *peer,
	uid_t own_user, gid_t own_group)
{
	if (peer->user == 0 || peer->user == own_user || is_member(peer, rules->steer, own_group))
		return ACCESS_STEER;
	return is_member(peer, rules->read, own_group) ? ACCESS_READ : ACCESS_NONE;
}

/* The peer's further groups behind its own, to be freed; NULL if they are not to be had. */
static gid_t *get_groups(int fd, gid_t own, size_t *ret_n)
{
	socklen_t size = 0;
	gid_t *groups;

	/* with no room, it says how much there should be */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
		return NULL;
	groups = malloc(sizeof own + size);
	if (!groups)
		return NULL;
	groups[0] = own;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups + 1, &size) < 0) {
		free(groups);
		return NULL;
	}
	*ret_n = 1 + size / sizeof *groups;
	return groups;
}

enum access access_of_socket(const struct access_rules *rules, int fd, uid_t *ret_user)
{
	struct access_peer peer = {0};
	struct ucred credentials;
	socklen_t size = sizeof credentials;
	enum access access;
	gid_t *groups;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return ACCESS_NONE;
	groups = get_groups(fd, credentials.gid, &peer.n_groups);
	if (!groups)
		return ACCESS_NONE;
	peer.user = credentials.uid;
	peer.groups = groups;
	access = access_judge(rules, &peer, geteuid(), getegid());
	free(groups);
	*ret_user = peer.user;
	return access;
}

void access_explain(const struct config_control *control, enum access wanted,
	char text[static ACCESS_REASON_SIZE])
{
	const char *group = wanted == ACCESS_STEER ? control->steer : control->read;
	const char *what = wanted == ACCESS_STEER ? "may steer" : "may ask";

	if (group[0] != '\0')
		(void)snprintf(
			text, ACCESS_REASON_SIZE, "only root and the group %s %s", group, what);
	else
		(void)snprintf(
			text, ACCESS_REASON_SIZE, "only root and the daemon's own group %s", what);
}
