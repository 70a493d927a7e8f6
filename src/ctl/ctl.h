/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The operator's tool `roost`: a table of subcommands (main.c), each in a file of its own. A
 * subcommand gets "roost" and its own name as argv[0], prints to standard output, complains to
 * standard error, and returns the exit status.
 *
 *    status, drain, undrain ──► client ──► roostd's control socket
 *    dns ──► client ──► roost-dns's control socket
 *    check, plan, zone ──► config, plan, zone: the file alone, no daemon needed
 */

enum ctl_exit {
	CTL_FINE = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2, /* the command line was wrong */
};

int ctl_status(int argc, char **argv);
int ctl_check(int argc, char **argv);
int ctl_plan(int argc, char **argv);
int ctl_drain(int argc, char **argv);
int ctl_undrain(int argc, char **argv);
int ctl_dns(int argc, char **argv);
int ctl_zone(int argc, char **argv);
