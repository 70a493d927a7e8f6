/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The data of a record: whether it has the shape that its type wants, as far as an answer depends
 * on it, and its canonical form (RFC 4034 6.2). Types that are not known here have no shape (RFC
 * 3597).
 */

#include <stdbool.h>
#include <stdint.h>

/* The types that the rest of the zone asks for by name. */
enum rdata_type {
	RDATA_A = 1,
	RDATA_NS = 2,
	RDATA_CNAME = 5,
	RDATA_SOA = 6,
	RDATA_MX = 15,
	RDATA_KEY = 25,
	RDATA_SIG = 24,
	RDATA_AAAA = 28,
	RDATA_NXT = 30,
	RDATA_DNAME = 39,
	RDATA_OPT = 41,
	RDATA_RRSIG = 46,
	RDATA_NSEC = 47,
};

#define RDATA_SOA_NUMBERS 20 /* bytes after the names of an SOA; the serial is the first four */

/* Whether the type can be in a zone: no question's type, no meta type (RFC 6895 3.1). */
bool rdata_may_be_stored(uint16_t type);

/* Copies the data to @to, names in lower case where the canonical form wants it, which has the
 * same size. False if it is malformed. */
bool rdata_canonical(uint16_t type, const uint8_t *rdata, uint16_t size, uint8_t *to);
