/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <err.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/status_text.h"
#include "ctl/table.h"
#include "status/status.h"

struct options {
	const char *socket;
	bool json;
	bool watch;
};

static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option long_options[] = {
		{"json", no_argument, NULL, 'j'},
		{"watch", no_argument, NULL, 'w'},
		{"socket", required_argument, NULL, 's'},
		{0},
	};
	int c;

	*o = (struct options){.socket = STATUS_SOCKET_PATH};
	while ((c = getopt_long(argc, argv, "jws:", long_options, NULL)) >= 0) {
		switch (c) {
		case 'j': o->json = true; break;
		case 'w': o->watch = true; break;
		case 's': o->socket = optarg; break;
		default: return CTL_USAGE;
		}
	}
	if (optind < argc) {
		warnx("status takes no argument, but got '%s'", argv[optind]);
		return CTL_USAGE;
	}
	return CTL_FINE;
}

static int print_once(const struct options *o, const struct paper *p, FILE *diagnostics)
{
	json_t *document = client_ask(o->socket, "status", diagnostics);

	if (!document)
		return CTL_FAILED;
	if (o->json) {
		json_dumpf(document, p->out, JSON_COMPACT | JSON_REAL_PRECISION(12));
		fputc('\n', p->out);
	} else {
		status_text_print(document, p);
	}
	json_decref(document);
	return CTL_FINE;
}

/* Draws over what stands there, line by line, so that nothing flickers. */
static void redraw(const char *text, FILE *out)
{
	fputs("\033[H", out);
	for (const char *line = text; *line;) {
		const size_t length = strcspn(line, "\n");

		fprintf(out, "%.*s\033[K\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
	fputs("\033[J", out);
}

/* Until Ctrl-C; a daemon that goes away and comes back is shown as such. */
static int watch(const struct options *o, const struct paper *p)
{
	const struct timespec pause = {.tv_sec = 1};
	const bool in_place = p->terminal && !o->json;
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	if (in_place)
		fputs("\033[2J", p->out);
	do {
		struct paper page = *p;
		char *text = NULL;
		size_t size = 0;

		page.out = open_memstream(&text, &size);
		if (!page.out)
			err(1, NULL);
		print_once(o, &page, o->json ? stderr : page.out);
		if (fclose(page.out) != 0)
			err(1, NULL);
		if (in_place)
			redraw(text, p->out);
		else
			fprintf(p->out, "%s%s", text, o->json ? "" : "\n");
		free(text);
		if (fflush(p->out) != 0)
			return CTL_FAILED;
	} while (sigtimedwait(&stop, NULL, &pause) < 0);
	return CTL_FINE;
}

int ctl_status(int argc, char **argv)
{
	const struct paper p = paper_of(stdout);
	struct options o;

	if (parse_options(argc, argv, &o) != CTL_FINE)
		return CTL_USAGE;
	return o.watch ? watch(&o, &p) : print_once(&o, &p, stderr);
}
