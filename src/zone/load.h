/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Master files (RFC 1035 5, RFC 2308 4 for $TTL) to a zone: each file, the included ones too, goes
 * through prepass.h and then through libzscanner, which knows all types of records.
 *
 * An omitted TTL is that of $TTL, else the last that was stated (RFC 1035 5.1), else the SOA's
 * minimum. $INCLUDE is relative to the file that it stands in; at most LOAD_DEPTH_MAX deep, and no
 * file includes itself.
 */

#include <stddef.h>

#include "zone/zone.h"

#define LOAD_DEPTH_MAX    10
#define LOAD_ERRORS_MAX   20 /* then it is given up */
#define LOAD_WARNINGS_MAX 20 /* further ones are only counted */
#define LOAD_FILE_MAX     ((size_t)4 << 30)

/* Who is told what is wrong, each with its place. */
struct load_listener {
	zone_tell *tell; /* may be NULL */
	void *context;
};

/* The zone with all records of the file at @path, to be finished by zone_finish(); NULL if there
 * was an error, which was told. @named is the place that names the path: there it is told that the
 * file can't be read. @apex is of any case. */
struct zone *load_file(const char *path, const uint8_t *apex, const struct zone_place *named,
	const struct load_listener *listener);

/* The same for text at hand, which can't include files. @file is what messages call it. */
struct load_text {
	const char *file;
	const char *text; /* need not end with NUL */
	size_t size;
};

struct zone *load_text(
	const struct load_text *text, const uint8_t *apex, const struct load_listener *listener);
