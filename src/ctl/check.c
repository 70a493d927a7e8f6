/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <err.h>
#include <getopt.h>
#include <stdio.h>

#include "config/config.h"
#include "ctl/ctl.h"
#include "ctl/machine.h"
#include "ctl/warnings.h"
#include "plan/plan.h"

static void print_counted(uint32_t n, const char *what, const char *end)
{
	printf("%u %s%s%s", n, what, n == 1 ? "" : "s", end);
}

/* On a node, the VIPs are held against the networks of its interfaces too. */
static struct config *load(const char *path, struct config_report *report)
{
	struct config_machine here;
	struct machine machine;
	struct config *config;

	if (machine_read(&machine) < 0)
		return config_load(path, stderr, report);
	here = (struct config_machine){machine.subnets, machine.n_subnets};
	config = config_load_here(path, &here, stderr, report);
	machine_fini(&machine);
	return config;
}

static int check_file(const char *path)
{
	struct config_report report = {0};
	struct config *config = load(path, &report);
	const char *problem = NULL;
	struct plan *plan;

	if (!config) {
		fprintf(stderr, "%s: %u error%s\n", path, report.n_errors,
			report.n_errors == 1 ? "" : "s");
		return CTL_FAILED;
	}
	plan = plan_new(config, PLAN_MTU, &problem);
	if (!plan) {
		fprintf(stderr, "%s: error: %s\n", path, problem);
		config_free(config);
		return CTL_FAILED;
	}
	report.n_warnings += warnings_print(path, config, plan, stderr);
	printf("%s: fine, ", path);
	print_counted(config->n_nodes, "node", ", ");
	print_counted(config->n_services, "service", ", ");
	print_counted(config->n_vips, "VIP", ", ");
	print_counted(plan->n_routers, "virtual router", "");
	if (report.n_warnings > 0) {
		printf(", ");
		print_counted(report.n_warnings, "warning", "");
	}
	putchar('\n');
	plan_free(plan);
	config_free(config);
	return CTL_FINE;
}

int ctl_check(int argc, char **argv)
{
	static const struct option long_options[] = {{0}};

	if (getopt_long(argc, argv, "", long_options, NULL) >= 0)
		return CTL_USAGE;
	if (optind + 1 < argc) {
		warnx("check takes one file, but got '%s' too", argv[optind + 1]);
		return CTL_USAGE;
	}
	return check_file(optind < argc ? argv[optind] : CONFIG_DEFAULT_PATH);
}
