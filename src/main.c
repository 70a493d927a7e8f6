/* SPDX-License-Identifier: GPL-3.0-or-later */
/* roostd: reads its options and the configuration, finds out which node this is, and runs the daemon.
 * Nothing of the machine is touched before all of this has succeeded. */

#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/config.h"
#include "os/access.h"
#include "os/daemon.h"
#include "os/fence.h"
#include "os/guardian.h"
#include "os/journal.h"
#include "os/keys.h"
#include "os/privileges.h"
#include "os/sandbox.h"
#include "os/self.h"
#include "plan/plan.h"
#include "status/status.h"
#include "status/version.h"

#define LOOK_AGAIN_MS 200

struct options {
	const char *config_path, *node_name, *socket_path;
	const char *user; /* NULL: nobody else */
	bool sandboxed;
};

static void usage(FILE *to)
{
	fputs("usage: roostd [-fS] [-c FILE] [-n NODE] [-s SOCKET] [-u USER]\n", to);
}

/* Exits on a wrong option. It stays in the foreground with or without -f. */
static struct options read_options(int argc, char **argv)
{
	struct options o = {.config_path = CONFIG_DEFAULT_PATH,
		.socket_path = STATUS_SOCKET_PATH,
		.sandboxed = true};
	int c;

	while ((c = getopt(argc, argv, "fc:n:s:Su:hV")) != -1) {
		switch (c) {
		case 'f': break;
		case 'c': o.config_path = optarg; break;
		case 'n': o.node_name = optarg; break;
		case 's': o.socket_path = optarg; break;
		case 'S': o.sandboxed = false; break;
		case 'u': o.user = optarg; break;
		case 'h': usage(stdout); exit(EXIT_SUCCESS);
		case 'V': puts("roostd " ROOST_VERSION); exit(EXIT_SUCCESS);
		default: usage(stderr); exit(EXIT_FAILURE);
		}
	}
	if (optind != argc) {
		usage(stderr);
		exit(EXIT_FAILURE);
	}
	return o;
}

/* At boot its addresses may not be there yet; but a machine that has another node's is that one, and two that
 * are the same would not speak to each other. */
static bool may_be(const struct config *config, int32_t node)
{
	const struct self self = self_look(config, node);
	const char *name = config->nodes[node].name;

	if (self.wanted)
		return true;
	if (self.node == CONFIG_NO_NODE)
		journal_line(NULL, JOURNAL_WARNING,
			"this machine has no address of %s yet, which it is said to be", name);
	else
		journal_line(NULL, JOURNAL_ERROR,
			"this machine has an address of %s and none of %s, which -n says it is",
			config->nodes[self.node].name, name);
	return self.node == CONFIG_NO_NODE;
}

static int32_t find_named(const struct config *config, const char *name)
{
	const int32_t node = config_find_node_named(config, name);

	if (node == CONFIG_NO_NODE)
		journal_line(NULL, JOURNAL_ERROR, "there is no node %s in the file", name);
	else if (!may_be(config, node))
		return CONFIG_NO_NODE;
	return node;
}

/* Waits until the machine has an address of a node: at boot the network may still be coming up. */
static int32_t find_self(const struct config *config)
{
	const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};
	bool said = false;
	int32_t node;

	for (;;) {
		if (!self_find(config, &node)) {
			journal_line(NULL, JOURNAL_ERROR,
				"this machine has addresses of several nodes; choose with -n");
			return CONFIG_NO_NODE;
		}
		if (node != CONFIG_NO_NODE)
			return node;
		if (!said)
			journal_line(NULL, JOURNAL_WARNING,
				"this machine has no node's address yet; waiting for one");
		said = true;
		(void)nanosleep(&pause, NULL);
	}
}

/* The user that the daemon is to run as; one that there is not is complained of later. */
static uid_t find_user(const char *name)
{
	const struct passwd *p = name ? getpwnam(name) : NULL;

	return p ? p->pw_uid : geteuid();
}

/* False if `auth:` asks for keys and they are not to be had. */
static bool read_keys(const struct config *config, const struct options *o, const struct plan *plan,
	struct auth **ret_auth)
{
	char problem[SECRET_PROBLEM_SIZE];

	*ret_auth = NULL;
	if (config->auth.mode == CONFIG_AUTH_OFF)
		return true;
	*ret_auth = keys_new(config, plan->n_routers, find_user(o->user), problem);
	if (!*ret_auth)
		journal_line(NULL, JOURNAL_ERROR, "%s", problem);
	return *ret_auth;
}

/* Users and groups are looked up before: that may load whatever the machine has for it. */
static bool confine(
	const struct config *config, const struct options *o, struct daemon_setup *setup)
{
	const struct privileges_setup privileges = {o->user, o->socket_path, FENCE_DIRECTORY};
	const char *missing = access_find_rules(&config->control, &setup->access);
	char reason[PRIVILEGES_REASON_SIZE];
	int error;

	if (missing) {
		journal_line(NULL, JOURNAL_ERROR, "%s: there is no group %s on this machine",
			o->config_path, missing);
		return false;
	}
	if (privileges_keep(&privileges, reason) < 0) {
		journal_line(NULL, JOURNAL_ERROR, "%s", reason);
		return false;
	}
	if (!o->sandboxed)
		return true;
	error = sandbox_enter(SANDBOX_START);
	if (error)
		journal_line(
			NULL, JOURNAL_WARNING, "no filter of system calls: %s", strerror(-error));
	setup->sandboxed = !error;
	return true;
}

static int run_planned(
	const struct config *config, const struct options *o, const struct plan *plan)
{
	struct daemon_setup setup = {.config = config, .plan = plan, .socket_path = o->socket_path};
	int status = EXIT_FAILURE;
	int32_t self = CONFIG_NO_NODE;

	if (!read_keys(config, o, plan, &setup.auth))
		return EXIT_FAILURE;
	if (confine(config, o, &setup))
		self = o->node_name ? find_named(config, o->node_name) : find_self(config);
	if (self != CONFIG_NO_NODE) {
		setup.self = (uint32_t)self;
		status = guardian_run(&setup);
	}
	keys_free(setup.auth);
	return status;
}

static int run(const struct config *config, const struct options *o)
{
	const char *problem = NULL;
	struct plan *plan = plan_new(config, PLAN_MTU, &problem);
	int status;

	if (!plan) {
		journal_line(NULL, JOURNAL_ERROR, "%s: %s", o->config_path,
			problem ? problem : "out of memory");
		return EXIT_FAILURE;
	}
	status = run_planned(config, o, plan);
	plan_free(plan);
	return status;
}

int main(int argc, char **argv)
{
	const struct options o = read_options(argc, argv);
	struct config *config;
	int status;

	/* neither the daemon nor its guardian ends because nobody reads the log any more */
	(void)signal(SIGPIPE, SIG_IGN);
	config = journal_load_config(o.config_path, NULL);
	if (!config)
		return EXIT_FAILURE;
	status = run(config, &o);
	config_free(config);
	return status;
}
