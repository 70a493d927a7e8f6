/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The zones that a roost.yaml calls for: those of its master files, with the names that it serves
 * put in, and those that need no file at all.
 *
 *    dns: zones: ─► load_file() ─┐
 *                                ├─► services' names: A and AAAA of their VIPs ─► zone_finish()
 *    SOA, NS, nodes' own names ──┘
 *
 * A name belongs to the longest of the master files' zones and `domain:` that it is in. One that is
 * in none of them gets a zone derived for it, at the name above it, or at itself if it has two
 * labels and is no wildcard; of two such zones, one within the other, only the outer one is made. A derived zone has an SOA, the nodes as its name
 * servers, and beside the services' names the nodes' own. doc/design/0014-derived-zones.md says
 * why, and what the serial is.
 */

#include "config/config.h"
#include "zone/load.h"
#include "zone/zone.h"

#define DERIVE_NAME_SERVERS_MAX 13   /* so that their addresses fit into an answer over UDP */
#define DERIVE_TTL              3600 /* of SOA, NS and the nodes' own names */

struct derive_input {
	const struct config *config;
	const char *file; /* what messages call roost.yaml */
	uint32_t serial;  /* of zones without a file: derive_serial() */
};

/* The serial for a roost.yaml: when it was changed, in seconds. 0 if there is no such file. */
uint32_t derive_serial(const char *path);

/* All zones, finished, in canonical order of their names; to be freed by derive_free() or each by
 * zone_free(), then the array by free(). NULL if there was an error in any, after all were looked
 * at. A name whose addresses are both in a master file and in roost.yaml is one. */
struct zone **derive_zones(
	const struct derive_input *in, const struct load_listener *listener, uint32_t *ret_n);
void derive_free(struct zone **zones, uint32_t n);

/* Tells what derive_zones() would, and forgets each zone. A master file that is not there, or not to be read, is a
 * warning: this may be another machine than the name server's. */
void derive_check(const struct derive_input *in, const struct load_listener *listener);

/* The one that @name is in; NULL if there was an error, which was told, or if none is, which was
 * told, too. */
struct zone *derive_zone(const struct derive_input *in, const struct name *name,
	const struct load_listener *listener);
