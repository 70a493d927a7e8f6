/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The zones of the name server, as it would read them: what is wrong with them, in its words.
 */

#include <stdio.h>

#include "config/config.h"
#include "zone/load.h"

/* Whom zones are told about: each problem is a line on @out, "FILE:LINE: error: ..." or "FILE:LINE: warning: ...", and counted. */
struct zones_reader {
	const char *path; /* of roost.yaml */
	FILE *out;
	struct config_report *report;
};

/* @reader is borrowed. */
struct load_listener zones_listener(struct zones_reader *reader);

/* Whether roost-dns could serve what @config calls for; a master file that this machine does not have is but a warning. */
void zones_check(const struct config *config, struct zones_reader *reader);
