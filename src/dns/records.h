/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What an answer has to know of the types of records: where their data names something, and how to walk through an
 * RRset. Pure.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "zone/zone.h"

/* Walks an RRset: for (struct record r = record_first(s); r.rdata; r = record_next(s, r)) */
struct record {
	const uint8_t *rdata; /* NULL behind the last */
	uint16_t size;
};

static inline struct record record_at(const struct zone_rrset *s, const uint8_t *at)
{
	struct record r = {0};

	if (at < s->records + s->size) {
		memcpy(&r.size, at, sizeof r.size);
		r.rdata = at + sizeof r.size;
	}
	return r;
}

static inline struct record record_first(const struct zone_rrset *s)
{
	return record_at(s, s->records);
}

static inline struct record record_next(const struct zone_rrset *s, struct record r)
{
	return record_at(s, r.rdata + r.size);
}

/* Whether the type is an address's. */
bool record_is_address(uint16_t type);

/* The names in the data that may be compressed, which are those of RFC 1035 alone (RFC 3597 4): @n of them, one behind
 * the other from @at on. */
struct record_names {
	uint8_t at, n;
};

struct record_names record_names(uint16_t type);

/* The name whose addresses belong into the additional section, @owner if it is the record's own; NULL if there is
 * none (RFC 1035 3.3, 2782, 9460 4.1). */
const uint8_t *record_target(uint16_t type, struct record r, const uint8_t *owner);

/* Whether the record only says that another name's records of its type are meant (RFC 9460 2.4.2). */
bool record_is_alias(uint16_t type, struct record r);

/* The time that a negative answer of the zone may be kept (RFC 2308 5). */
uint32_t record_negative_ttl(const struct zone_rrset *soa);
