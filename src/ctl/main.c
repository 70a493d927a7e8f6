/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "config/config.h"
#include "ctl/ctl.h"
#include "status/version.h"

struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *arguments;
	const char *summary;
};

static const struct subcommand subcommands[] = {
	{"status", ctl_status, "[--json] [--watch] [-s SOCKET]",
		"every VIP and who holds it, every node, counters"},
	{"check", ctl_check, "[FILE]", "look for mistakes in the configuration"},
	{"plan", ctl_plan, "[--json] [--capacity N[,N...]] [FILE]",
		"who would serve what, now and after every failure"},
	{"dns", ctl_dns, "[--json] [-s SOCKET] [reload]",
		"what the name server serves, and counters; or have it read all anew"},
	{"zone", ctl_zone, "NAME [FILE]", "a zone as a master file, for another name server"},
	{"drain", ctl_drain, "[-s SOCKET]", "hand this node's VIPs over to the others"},
	{"undrain", ctl_undrain, "[-s SOCKET]", "take them back"},
};

static void print_usage(FILE *out)
{
	fputs("usage:\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++) {
		const struct subcommand *s = &subcommands[i];

		fprintf(out, "  roost %-7s %s\n  %14s%s\n", s->name, s->arguments, "", s->summary);
	}
	fputs("See roost(8). FILE is " CONFIG_DEFAULT_PATH " unless given.\n", out);
}

static bool is_either(const char *text, const char *a, const char *b)
{
	return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

static void print_subcommand_usage(const struct subcommand *s, FILE *out)
{
	fprintf(out, "usage: roost %s %s\n", s->name, s->arguments);
}

static int run(const struct subcommand *s, int argc, char **argv)
{
	char program[32];
	int status;

	if (argc > 1 && is_either(argv[1], "-h", "--help")) {
		print_subcommand_usage(s, stdout);
		return CTL_FINE;
	}
	/* What getopt's complaints begin with. */
	snprintf(program, sizeof program, "roost %s", s->name);
	argv[0] = program;
	status = s->run(argc, argv);
	if (status == CTL_USAGE)
		print_subcommand_usage(s, stderr);
	return status;
}

/* Output that could not be written must not look like success. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	perror("roost: standard output");
	return CTL_FAILED;
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, ""); /* what the terminal can show */
	if (argc < 2) {
		print_usage(stderr);
		return CTL_USAGE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return finish(run(&subcommands[i], argc - 1, argv + 1));
	if (is_either(argv[1], "--version", "version")) {
		puts("roost " ROOST_VERSION);
		return finish(CTL_FINE);
	}
	if (is_either(argv[1], "--help", "help") || strcmp(argv[1], "-h") == 0) {
		print_usage(stdout);
		return finish(CTL_FINE);
	}
	fprintf(stderr, "roost: no subcommand '%s'\n", argv[1]);
	print_usage(stderr);
	return CTL_USAGE;
}
