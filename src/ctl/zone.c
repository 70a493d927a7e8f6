/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "ctl/ctl.h"
#include "ctl/zones.h"
#include "idn/idn.h"
#include "zone/derive.h"
#include "zone/print.h"

/* In A-labels and lower case. */
static bool read_name(const char *text, struct name *ret_name)
{
	char ascii[IDN_ASCII_SIZE], problem[IDN_PROBLEM_SIZE];
	const struct name root = {.size = 1};
	const char *why = NULL;

	if (!idn_to_ascii(text, ascii, problem) ||
		!idn_check_scripts(text, strlen(text), problem)) {
		warnx("%s", problem);
		return false;
	}
	if (!name_parse(ascii, &root, ret_name, &why)) {
		warnx("'%s' %s", text, why);
		return false;
	}
	return true;
}

/* The zone that the name is in. */
static int print_zone(const struct config *config, const char *path, const char *text)
{
	const struct derive_input in = {config, path, derive_serial(path)};
	struct config_report report = {0};
	struct zones_reader reader = {path, stderr, &report};
	const struct load_listener listener = zones_listener(&reader);
	struct zone *zone = NULL;
	struct name name;
	bool printed = false;

	if (read_name(text, &name))
		zone = derive_zone(&in, &name, &listener);
	if (zone) {
		printed = zone_print(zone, stdout);
		if (!printed)
			warn("%s", text);
	}
	zone_free(zone);
	return printed ? CTL_FINE : CTL_FAILED;
}

int ctl_zone(int argc, char **argv)
{
	const char *path = CONFIG_DEFAULT_PATH;
	struct config_report report = {0};
	struct config *config;
	int status;

	if (getopt(argc, argv, "") != -1)
		return CTL_USAGE;
	if (argc - optind < 1 || argc - optind > 2) {
		warnx("zone takes the name of a zone, and perhaps a file");
		return CTL_USAGE;
	}
	if (argc - optind == 2)
		path = argv[optind + 1];
	config = config_load(path, stderr, &report);
	if (!config)
		return CTL_FAILED;
	status = print_zone(config, path, argv[optind]);
	config_free(config);
	return status;
}
