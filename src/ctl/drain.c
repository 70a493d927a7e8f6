/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <err.h>
#include <getopt.h>
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "status/status.h"

static int command_daemon(int argc, char **argv, const char *command, const char *outcome)
{
	static const struct option long_options[] = {
		{"socket", required_argument, NULL, 's'},
		{0},
	};
	const char *socket = STATUS_SOCKET_PATH;
	json_t *answer;
	int c;

	while ((c = getopt_long(argc, argv, "s:", long_options, NULL)) >= 0) {
		if (c != 's')
			return CTL_USAGE;
		socket = optarg;
	}
	if (optind < argc) {
		warnx("%s takes no argument, but got '%s'", command, argv[optind]);
		return CTL_USAGE;
	}
	answer = client_ask(socket, command, stderr);
	if (!answer)
		return CTL_FAILED;
	json_decref(answer);
	puts(outcome);
	return CTL_FINE;
}

int ctl_drain(int argc, char **argv)
{
	return command_daemon(argc, argv, "drain",
		"draining: this node hands its VIPs over and keeps what no other node can serve");
}

int ctl_undrain(int argc, char **argv)
{
	return command_daemon(
		argc, argv, "undrain", "undrained: this node takes its share of the VIPs back");
}
