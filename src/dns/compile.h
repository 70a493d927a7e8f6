/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Answers made at load: for each RRset, each cut and each zone's "there is none", what follows the question in a
 * message. A body is self-contained: it is copied, its compression pointers are moved to where the question ends,
 * and its addresses are put in a fresh order.
 *
 *    www.example.com A               10 mail.example.com, and its address
 *    ┌──────────────────────────┐    ┌───────────────────────────────────────────────────────┐
 *    │ c00c A IN ttl 4 address  │    │ c00c MX IN ttl 9 10 4 mail ptr │ ptr A IN ttl 4 address │
 *    │ c00c A IN ttl 4 address  │    └──────────────────────────── │ ─── │ ───────────────────┘
 *    └────────── a group ───────┘          example.com in QNAME ◄─┘     └─► mail, before it
 *
 * A pointer goes to a suffix of QNAME or into the body itself. Both move with the length of QNAME alone, so a pointer
 * is kept as its distance from QNAME's end: negative in the question, positive in the body. That is why one body
 * serves all names that a wildcard or a cut stands for, and all names that do not exist.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/catalog.h"
#include "zone/zone.h"

/* A larger answer is left to the slow way. */
#define BODY_MAX 4096

#define BODY_NO_ROTATION UINT32_MAX

/* Addresses of one RRset. Their records differ in the address alone. */
struct body_group {
	uint16_t at; /* of the first record */
	uint16_t n;
	uint16_t first_fixed; /* bytes before the first one's address: it may spell out the owner */
	uint16_t address_size;
	uint32_t rotation; /* index in the catalog, or BODY_NO_ROTATION: uniform */
};

/* Bytes before the address of every other record, whose owner is a pointer. */
#define BODY_RECORD_FIXED 12

static inline unsigned body_group_end(const struct body_group *g)
{
	return g->at + g->first_fixed + g->address_size +
	       (g->n - 1u) * (unsigned)(BODY_RECORD_FIXED + g->address_size);
}

struct body {
	uint16_t size; /* of the bytes; 0 if @too_large */
	uint16_t n_answer, n_authority, n_additional;
	uint8_t n_groups, n_pointers;
	bool too_large; /* no bytes; only an address RRset's group, which then is the first */
	uint8_t spare;  /* the groups begin at a multiple of 4 */
	struct body_group groups[];
	/* uint16_t pointers[n_pointers]: where they are, rising; in the bytes stands the distance, host order. In a
	 * group only the first two records' are listed.
	 * uint8_t bytes[size] */
};

static inline const uint16_t *body_pointers(const struct body *b)
{
	return (const uint16_t *)(const void *)(b->groups + b->n_groups);
}

static inline const uint8_t *body_bytes(const struct body *b)
{
	return (const uint8_t *)(body_pointers(b) + b->n_pointers);
}

/* Sets @compiled of all nodes and RRsets of the zone: an RRset's is its positive answer, a cut's its referral, the
 * apex's the negative answer. What lies below a cut has none. False if there is no memory. */
bool compile_zone(struct catalog *c, struct zone *z);

static inline const struct body *compiled_answer(const struct zone_rrset *s)
{
	return s->compiled;
}

static inline const struct body *compiled_referral(const struct zone_node *cut)
{
	return cut->compiled;
}

static inline const struct body *compiled_negative(const struct zone *z)
{
	return zone_apex_node(z)->compiled;
}

/* Whether addresses of @target may go into the additional section beside records of @type. Those below a cut are not
 * ours to tell but to those who ask for name servers. */
bool compile_may_add(uint16_t type, const struct zone_node *target);
