/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <err.h>
#include <getopt.h>
#include <stdio.h>

#include "base/plural.h"
#include "config/config.h"
#include "ctl/ctl.h"
#include "ctl/machine.h"
#include "ctl/rotation_warnings.h"
#include "ctl/secrets.h"
#include "ctl/warnings.h"
#include "ctl/zones.h"
#include "plan/plan.h"

static void print_counted(uint32_t n, const char *what, const char *end)
{
	printf("%u %s%s%s", n, what, plural(n), end);
}

static int print_errors(const char *path, uint32_t n)
{
	fprintf(stderr, "%s: %u error%s\n", path, n, plural(n));
	return CTL_FAILED;
}

/* @here: the networks of this machine, or NULL. */
static int check_file(const char *path, const struct config_machine *here)
{
	struct config_report report = {0};
	struct config *config = config_load_here(path, here, stderr, &report);
	struct zones_reader reader = {path, stderr, &report};
	const char *problem = NULL;
	struct plan *plan;

	if (!config)
		return print_errors(path, report.n_errors);
	plan = plan_new(config, PLAN_MTU, &problem);
	if (!plan) {
		fprintf(stderr, "%s: error: %s\n", path, problem);
		config_free(config);
		return CTL_FAILED;
	}
	report.n_warnings += warnings_print(path, config, plan, stderr);
	report.n_warnings += rotation_warnings_print(path, config, here, stderr);
	secrets_check(config, &report, stderr);
	zones_check(config, &reader);
	if (report.n_errors > 0) {
		plan_free(plan);
		config_free(config);
		return print_errors(path, report.n_errors);
	}
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

/* On a node, the VIPs are held against the networks of its interfaces too. */
static int check_here(const char *path)
{
	struct config_machine here;
	struct machine machine;
	int status;

	if (machine_read(&machine) < 0)
		return check_file(path, NULL);
	here = (struct config_machine){machine.subnets, machine.n_subnets};
	status = check_file(path, &here);
	machine_fini(&machine);
	return status;
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
	return check_here(optind < argc ? argv[optind] : CONFIG_DEFAULT_PATH);
}
