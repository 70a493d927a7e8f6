/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* The key of signed messages, from the file that roost.yaml names. */

#include <stdbool.h>

#include "config/config.h"
#include "dns/tsig.h"
#include "os/secret.h"

/* Reads the secret, in base64. False with a line in @problem; nobody but its owner may be able to read the file. */
bool tsig_key_load(const struct config_tsig *config, struct tsig_key *ret_key,
	char problem[static SECRET_PROBLEM_SIZE]);

/* Forgets the secret. */
void tsig_key_wipe(struct tsig_key *key);
