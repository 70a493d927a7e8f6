/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What `auth:` needs at run time, made once at start: the keys, from a file that nobody else may read,
 * and the senders' marks. The keys lie in locked memory that no core dump has, and are wiped at the
 * end; no message quotes them.
 */

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "os/secret.h"
#include "wire/auth.h"

/*
 * Reads the file that @config names and makes room for all nodes on @n_routers virtual routers. NULL,
 * and a sentence in @problem with the file's name and the line, if there is no memory or the file does
 * not exist, has mistakes, belongs to another than root and @user, or is open to others.
 */
struct auth *keys_new(const struct config *config, uint32_t n_routers, uid_t user,
	char problem[static SECRET_PROBLEM_SIZE]);
void keys_free(struct auth *a);

/* For the child after fork(2), which does not inherit the lock; as far as its limit allows. */
void keys_lock(struct auth *a);
