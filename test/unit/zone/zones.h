/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Zones out of text, and what was said about them, for tests. */

#include "zone/load.h"
#include "zone/zone.h"

/* A name from text; a test fails if it is none. */
struct name name_of(const char *text);

/* What was told, a line each: `file:line: error: text`. */
struct complaints {
	char text[8192];
	size_t size;
	uint32_t n_errors, n_warnings;
};

struct load_listener listener_to(struct complaints *to);

/* A finished zone at example.com from the text of a master file, or NULL; @complaints may be
 * NULL. */
struct zone *zone_of(const char *text, struct complaints *complaints);

/* The same of text that must be good: no complaint at all. */
struct zone *good_zone(const char *text);

/* SOA and NS, and glue for them, in four lines. */
#define APEX                                                                                       \
	"$TTL 300\n"                                                                               \
	"@ SOA ns1 hostmaster 7 14400 3600 1209600 300\n"                                          \
	"@ NS ns1\n"                                                                               \
	"ns1 A 192.0.2.1\n"
