/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What one reading of roost.yaml and its zones has brought, whole: a reload makes a new edition and puts it in the
 * place of the old one, or leaves the old one as it is. An edition is free when no thread uses it and no transfer
 * that began with it still runs.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "config/config.h"
#include "dns/answer.h"
#include "dns/catalog.h"
#include "dns/tsig.h"
#include "os/journal.h"

struct edition {
	struct config *config;
	struct catalog *catalog;
	struct tsig_key *key; /* of signed messages; NULL: none */
	/* The cookies' secrets, if a file has them; the rest its owner sets. */
	struct answer_self self;
	uint32_t rate;           /* of equal answers a second and network; 0: not limited */
	atomic_uint n_transfers; /* that use it */
};

/*
 * Reads the file at @path and all that it names. NULL if anything is wrong: the log has all of it, with the places, and
 * @problem the first line, UTF-8 without a newline. @served is the edition that this one is to replace, NULL at the
 * start: the serials of zones without a file grow beyond its; where a master file's zone has changed and its serial has
 * not grown, a warning goes to the log if there are secondaries.
 */
#define EDITION_PROBLEM_SIZE JOURNAL_PROBLEM_SIZE
struct edition *edition_load(
	const char *path, const struct edition *served, char problem[static EDITION_PROBLEM_SIZE]);
void edition_free(struct edition *e);
