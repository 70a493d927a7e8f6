/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * All zones with their compiled answers, and who holds which VIP: one snapshot that answers are made from. It is
 * immutable but for the words that say which VIPs are held, and replaced as a whole by a reload.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "zone/zone.h"

struct catalog;

/* Takes the zones (not the array), which are freed with it. @config is borrowed and outlives it; NULL if no zone has
 * a service's records. Compiles every RRset. NULL if there is no memory; then the zones are still the caller's.
 * Two zones of one name are a mistake that the caller has refused. */
struct catalog *catalog_new(struct zone **zones, uint32_t n_zones, const struct config *config);
void catalog_free(struct catalog *c);

/* The zone that @name (lower case) is in, the longest match; NULL: none of ours. */
const struct zone *catalog_find(const struct catalog *c, const uint8_t *name);

/* The zone of exactly that name, or NULL. */
const struct zone *catalog_zone_named(const struct catalog *c, const uint8_t *name);

uint32_t catalog_n_zones(const struct catalog *c);
const struct zone *catalog_zone(const struct catalog *c, uint32_t i);

/* Bytes of the compiled answers and tables; the zones have their own zone_memory(). */
size_t catalog_memory(const struct catalog *c);

/* Whether somebody holds a VIP of the configuration, as far as roostd says; all are held at first, and are to be set
 * so when it says nothing. Any thread may call these at any time. */
void catalog_set_held(struct catalog *c, uint32_t vip, bool held);
bool catalog_is_held(const struct catalog *c, uint32_t vip);

/* Whether answers give the VIP though nobody holds it: nobody holds any of the RRset that it is in, and a set is never
 * made empty. The same threads. */
bool catalog_is_given_anyway(const struct catalog *c, uint32_t vip);
