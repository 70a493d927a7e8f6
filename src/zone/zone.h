/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * A zone in memory: immutable once it is finished, shared by all threads without a lock.
 *
 *    master file ─► prepass ─► libzscanner ─┐
 *                                           ├─► zone_add() … zone_finish() ─► zone_find()
 *    roost.yaml ─────────────► derive ──────┘
 *
 * Everything lies in one arena that only grows; names are of lower case. A node exists for each
 * owner name and for each empty non-terminal above one (RFC 4592 2.2.2), so that walking down from
 * the apex, label by label, ends at the closest encloser.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "idn/idn.h"
#include "zone/name.h"

struct zone;

/* Where a record comes from, for messages. */
struct zone_place {
	const char *file; /* NULL: derived from roost.yaml */
	uint32_t line;    /* 0: the file as a whole */
};

/* "file:line", or what is known of it. Returns @text. */
#define ZONE_PLACE_SIZE 320
const char *zone_place_format(const struct zone_place *place, char text[static ZONE_PLACE_SIZE]);

/* A name in a message: as a master file has it, with the U-labels before it where the terminal can show them
 * (idn_show()). Returns @text. */
#define ZONE_NAME_SIZE IDN_SHOWN_SIZE
const char *zone_name_show(const uint8_t *name, char text[static ZONE_NAME_SIZE]);

enum zone_rrset_flag {
	ZONE_RRSET_TTL_DIFFERED = 1 << 0, /* its records had several; @ttl is the least */
};

/* One RRset. Its records lie one behind the other, each with its length before it (host order):
 * see zone_rdata(). Names in them are of lower case where RFC 4034 6.2 says so, and not
 * compressed. All of them fit into one message. */
struct zone_rrset {
	struct zone_rrset *next; /* of the same owner, by rising type */
	uint16_t type, n_records;
	uint32_t ttl;
	uint32_t size;    /* of @records */
	uint32_t service; /* index in roost.yaml whose VIPs these are, or ZONE_NO_SERVICE */
	void *compiled;   /* dns/compile.h's; NULL at first */
	uint8_t *records;
	const char *file; /* of the first record, as struct zone_place */
	uint32_t line;
	uint16_t flags;
	uint16_t room; /* zone.c's own: allocated for @records, in units of 8 bytes */
};

#define ZONE_NO_SERVICE UINT32_MAX

enum zone_node_flag {
	ZONE_NODE_APEX = 1 << 0,
	ZONE_NODE_CUT = 1 << 1,      /* a delegation: NS here, and it is not the apex */
	ZONE_NODE_BELOW = 1 << 2,    /* below a cut: glue, not ours to answer */
	ZONE_NODE_WILDCARD = 1 << 3, /* has a child `*`, @wildcard */
	ZONE_NODE_DNAME = 1 << 4,
	ZONE_NODE_CNAME = 1 << 5,
};

struct zone_node {
	struct zone_node *parent; /* NULL at the apex */
	struct zone_node *wildcard;
	struct zone_rrset *rrsets; /* none: an empty non-terminal */
	void *compiled;            /* dns/compile.h's; NULL at first */
	uint32_t hash;
	uint16_t flags;
	uint8_t name_size;
	uint8_t name[]; /* of lower case */
};

struct zone_record {
	const uint8_t *owner; /* of any case */
	uint16_t type;
	uint32_t ttl;
	const uint8_t *rdata;
	uint16_t rdata_size;
	uint32_t service;        /* or ZONE_NO_SERVICE */
	struct zone_place place; /* @place.file is copied */
};

/* An empty zone at @apex, a name of any case; NULL if there is no memory. */
struct zone *zone_new(const uint8_t *apex);
void zone_free(struct zone *z);

/* The file that messages about the zone as a whole name; it is copied. */
void zone_set_file(struct zone *z, const char *file);

/* What is wrong with a record or a zone, as one line without the place; ZONE_PROBLEM_SIZE is
 * enough. */
#define ZONE_PROBLEM_SIZE 3072

/*
 * Adds one record. False with a clause in @problem if it can't be: outside the zone, CNAME beside
 * other data (RFC 2181 10.1), a second SOA, malformed data, no memory. A record that is there
 * already is ignored (RFC 2181 5), and a TTL that differs within an RRset becomes the least of them
 * (5.2).
 */
bool zone_add(struct zone *z, const struct zone_record *r, char problem[static ZONE_PROBLEM_SIZE]);

enum zone_severity {
	ZONE_WARNING, /* worth mending; served as it is */
	ZONE_ERROR,   /* not to be served */
};

typedef void zone_tell(void *context, enum zone_severity severity, const struct zone_place *place,
	const char *text);

/*
 * Checks the whole and sets the flags; no zone_add() after it. Errors: no SOA or no NS at the apex,
 * data below a DNAME (RFC 6672 2.4). Warnings: glue that is missing, NS or MX that name an alias
 * (RFC 2181 10.3), TTLs that differed. Each is told to @tell, which may be NULL. False, with the
 * first error in @problem, if there was one.
 */
bool zone_finish(
	struct zone *z, zone_tell *tell, void *context, char problem[static ZONE_PROBLEM_SIZE]);

/* What follows is for a finished zone. */

const uint8_t *zone_apex(const struct zone *z);
const struct zone_node *zone_apex_node(const struct zone *z);
const struct zone_rrset *zone_soa(const struct zone *z);
uint32_t zone_serial(const struct zone *z);

/* Negative if the serial @a is before @b, positive if behind (RFC 1982 3.2). */
static inline int32_t zone_compare_serials(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* In the place of the one that it was given, before anybody uses the zone. */
void zone_set_serial(struct zone *z, uint32_t serial);

/* A number for all that secondaries copy but the serial: the same for zones that say the same, in whatever order. */
uint64_t zone_digest(const struct zone *z);

uint32_t zone_n_names(const struct zone *z); /* that own records */
size_t zone_memory(const struct zone *z);

/* The node of exactly @name (lower case, within the zone), or NULL; also before zone_finish(). */
const struct zone_node *zone_lookup(const struct zone *z, const uint8_t *name);

/* The node of @name (lower case), or the closest encloser of it (RFC 4592 3.3.1); NULL only for a
 * name outside the zone. *@ret_exact says which. A name of many labels costs no more than the
 * zone is deep. */
const struct zone_node *zone_find(const struct zone *z, const uint8_t *name, bool *ret_exact);

/* NULL if there is none. */
const struct zone_rrset *zone_rrset_of(const struct zone_node *n, uint16_t type);

/* All nodes in canonical order (RFC 4034 6.1), the apex first: for compiling, transfers and
 * printing. */
uint32_t zone_n_nodes(const struct zone *z);
const struct zone_node *zone_node_at(const struct zone *z, uint32_t i);

/* The same to be compiled: only @compiled of it and of its RRsets may be written. */
struct zone_node *zone_node_to_compile(struct zone *z, uint32_t i);

/* The @i-th record of the set and its size. */
const uint8_t *zone_rdata(const struct zone_rrset *s, uint32_t i, uint16_t *ret_size);
