/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The thread that reads editions, so that the main thread can tell the status meanwhile. It is there from the start
 * on and mostly sleeps: no thread is made while the server runs.
 */

#include <stdbool.h>

#include "dns/edition.h"

struct loader;

/* @path is borrowed. 0 or negative errno. */
int loader_start(const char *path, struct loader **ret_loader);

/* Ends it, after what it is about to read. */
void loader_stop(struct loader *l);

/* Asks for a new edition in the place of @served, which stays until that is taken; not again before. */
void loader_ask(struct loader *l, const struct edition *served);

/* Readable when there is something to be taken. */
int loader_fd(const struct loader *l);

/* What has come of it, as edition_load() returns it. */
struct edition *loader_take(struct loader *l, char problem[static EDITION_PROBLEM_SIZE]);
