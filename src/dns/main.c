/* SPDX-License-Identifier: GPL-3.0-or-later */
/* roost-dns: reads its options, gives up what it does not need, and serves. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
#include "dns/log.h"
#include "dns/server.h"
#include "dns/status.h"
#include "os/privileges.h"
#include "status/status.h"
#include "status/version.h"

static void usage(FILE *to)
{
	fputs("usage: roost-dns [-S] [-c FILE] [-n NODE] [-r SOCKET] [-s SOCKET] [-u USER]\n", to);
}

/* Exits on a wrong option. @ret_user: whom to become, or NULL. */
static struct server_setup read_options(int argc, char **argv, const char **ret_user)
{
	struct server_setup setup = {.config_path = CONFIG_DEFAULT_PATH,
		.socket_path = DNS_STATUS_SOCKET_PATH,
		.roostd_path = STATUS_SOCKET_PATH,
		.sandboxed = true};
	int c;

	*ret_user = NULL;
	while ((c = getopt(argc, argv, "c:n:r:s:Su:hV")) != -1) {
		switch (c) {
		case 'c': setup.config_path = optarg; break;
		case 'n': setup.node_name = optarg; break;
		case 'r': setup.roostd_path = optarg; break;
		case 's': setup.socket_path = optarg; break;
		case 'S': setup.sandboxed = false; break;
		case 'u': *ret_user = optarg; break;
		case 'h': usage(stdout); exit(EXIT_SUCCESS);
		case 'V': puts("roost-dns " ROOST_VERSION); exit(EXIT_SUCCESS);
		default: usage(stderr); exit(EXIT_FAILURE);
		}
	}
	if (optind != argc) {
		usage(stderr);
		exit(EXIT_FAILURE);
	}
	return setup;
}

int main(int argc, char **argv)
{
	const char *user;
	const struct server_setup setup = read_options(argc, argv, &user);
	const struct privileges_setup privileges = {user, setup.socket_path, NULL};
	char reason[PRIVILEGES_REASON_SIZE];

	if (privileges_keep_port(&privileges, reason) < 0) {
		log_line(JOURNAL_ERROR, "%s", reason);
		return EXIT_FAILURE;
	}
	return server_run(&setup);
}
