/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <err.h>
#include <getopt.h>
#include <jansson.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/dns_text.h"
#include "ctl/table.h"
#include "dns/status.h"

struct options {
	const char *socket;
	bool json, reload;
};

static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option long_options[] = {
		{"json", no_argument, NULL, 'j'},
		{"socket", required_argument, NULL, 's'},
		{0},
	};
	int c;

	*o = (struct options){.socket = DNS_STATUS_SOCKET_PATH};
	while ((c = getopt_long(argc, argv, "js:", long_options, NULL)) >= 0) {
		switch (c) {
		case 'j': o->json = true; break;
		case 's': o->socket = optarg; break;
		default: return CTL_USAGE;
		}
	}
	o->reload = optind < argc && strcmp(argv[optind], "reload") == 0;
	optind += o->reload;
	if (optind < argc) {
		warnx("dns takes no argument but 'reload', and got '%s'", argv[optind]);
		return CTL_USAGE;
	}
	return CTL_FINE;
}

int ctl_dns(int argc, char **argv)
{
	const struct paper p = paper_of(stdout);
	struct client_question question = {.program = "roost-dns"};
	struct options o;
	json_t *document;

	if (parse_options(argc, argv, &o) != CTL_FINE)
		return CTL_USAGE;
	question.path = o.socket;
	question.command = o.reload ? "reload" : "status";
	question.is_long = o.reload;
	document = client_ask_program(&question, stderr);
	if (!document)
		return CTL_FAILED;
	if (o.json) {
		json_dumpf(document, p.out, JSON_COMPACT | JSON_REAL_PRECISION(12));
		fputc('\n', p.out);
	} else if (o.reload) {
		fputs("reloaded\n", p.out);
	} else {
		dns_text_print(document, &p);
	}
	json_decref(document);
	return CTL_FINE;
}
