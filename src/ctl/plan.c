/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "ctl/ctl.h"
#include "ctl/plan_report.h"
#include "ctl/table.h"
#include "plan/plan.h"

struct options {
	const char *path;
	const char *capacity; /* as given, or NULL */
	bool json;
};

static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option long_options[] = {
		{"json", no_argument, NULL, 'j'},
		{"capacity", required_argument, NULL, 'c'},
		{0},
	};
	int c;

	*o = (struct options){.path = CONFIG_DEFAULT_PATH};
	while ((c = getopt_long(argc, argv, "jc:", long_options, NULL)) >= 0) {
		switch (c) {
		case 'j': o->json = true; break;
		case 'c': o->capacity = optarg; break;
		default: return CTL_USAGE;
		}
	}
	if (optind < argc)
		o->path = argv[optind++];
	if (optind < argc) {
		warnx("plan takes one file, but got '%s' too", argv[optind]);
		return CTL_USAGE;
	}
	return CTL_FINE;
}

/* "40" for every node, or as many numbers as there are nodes: "40,40,80". */
static int parse_capacities(const char *text, uint32_t n_nodes, uint32_t *ret_capacities)
{
	uint32_t n = 0;

	for (const char *at = text;; at++) {
		char *end;
		unsigned long value;

		errno = 0;
		value = strtoul(at, &end, 10);
		if (*at < '0' || *at > '9' || errno || value > CONFIG_VIPS_MAX || n == n_nodes)
			break;
		ret_capacities[n++] = (uint32_t)value;
		at = end;
		if (*at == ',')
			continue;
		if (*at != '\0' || (n != 1 && n != n_nodes))
			break;
		for (; n < n_nodes; n++)
			ret_capacities[n] = ret_capacities[0];
		return CTL_FINE;
	}
	warnx("--capacity takes one number, or one for each of the %u nodes: '%s'", n_nodes, text);
	return CTL_USAGE;
}

static int report(const struct config *config, const struct options *o)
{
	const struct paper paper = paper_of(stdout);
	uint32_t capacities[CONFIG_NODES_MAX];
	struct plan_report r = {.config = config};
	const char *problem = NULL;
	struct plan *plan, *unlimited = NULL;
	json_t *document;

	if (o->capacity && parse_capacities(o->capacity, config->n_nodes, capacities) != CTL_FINE)
		return CTL_USAGE;
	plan = plan_new(config, PLAN_MTU, &problem);
	if (!plan) {
		fprintf(stderr, "%s: error: %s\n", o->path, problem);
		return CTL_FAILED;
	}
	if (plan->n_orders < plan->n_orders_wanted)
		unlimited = plan_new_unlimited(config, PLAN_MTU);
	r.plan = plan;
	r.unlimited = unlimited;
	r.capacities = o->capacity ? capacities : NULL;
	document = plan_report_document(&r);
	if (o->json) {
		json_dumpf(document, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		plan_report_print(document, &paper);
	}
	json_decref(document);
	plan_free(unlimited);
	plan_free(plan);
	return CTL_FINE;
}

int ctl_plan(int argc, char **argv)
{
	struct config_report findings = {0};
	struct config *config;
	struct options o;
	int status;

	if (parse_options(argc, argv, &o) != CTL_FINE)
		return CTL_USAGE;
	config = config_load(o.path, stderr, &findings);
	if (!config)
		return CTL_FAILED;
	status = report(config, &o);
	config_free(config);
	return status;
}
