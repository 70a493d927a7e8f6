/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What ARP (RFC 826, RFC 5227) and neighbour discovery (RFC 4861, RFC 4862 5.4) say about who has an
 * address. A pure parser of whole Ethernet frames, the other side of announcement.h.
 *
 *                          claims                                probes
 *    ARP, either form      sender protocol address: sender MAC   if that is 0.0.0.0: the target
 *    NA                    target: target link-layer option      -
 *    NS                    source: source link-layer option      if that is ::: the target
 *
 * Where ND's option is missing, the frame's own source stands in for it. Nothing here asserts on what
 * came in.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define NEIGHBOUR_MAC        6
#define NEIGHBOUR_MAC_STRLEN 18

enum neighbour_kind {
	NEIGHBOUR_CLAIM, /* "@address is at @mac" */
	NEIGHBOUR_PROBE, /* "does anybody have @address?", asked before it is used */
};

struct neighbour {
	enum neighbour_kind kind;
	struct addr address;
	uint8_t mac[NEIGHBOUR_MAC];
};

/* The outcome, in the order of the checks; all but the first two are counters of their own. */
enum neighbour_verdict {
	NEIGHBOUR_ACCEPTED,
	NEIGHBOUR_OTHER,         /* neither ARP of IPv4 over Ethernet nor NS or NA */
	NEIGHBOUR_TRUNCATED,     /* shorter than its own headers say */
	NEIGHBOUR_BAD_HOP_LIMIT, /* not 255: it crossed a router (RFC 4861 7.1) */
	NEIGHBOUR_BAD_CHECKSUM,
	NEIGHBOUR_BAD_CODE,    /* not 0 */
	NEIGHBOUR_BAD_TARGET,  /* multicast, or IPv4-mapped */
	NEIGHBOUR_BAD_ADDRESS, /* source or destination that do not fit the message */
	NEIGHBOUR_BAD_OPTION,  /* of length 0, beyond the end, or where none may be */
	NEIGHBOUR_BAD_MAC,     /* all zero: nobody can be there */
	NEIGHBOUR_VERDICTS,
};

/* A short name such as "neighbour_truncated", for counters. */
const char *neighbour_verdict_name(enum neighbour_verdict verdict);

/* Writes text such as 02:00:00:00:00:64 into @buffer and returns it. */
const char *neighbour_format_mac(
	const uint8_t mac[static NEIGHBOUR_MAC], char buffer[static NEIGHBOUR_MAC_STRLEN]);

/* Reads @frame from its Ethernet header on, which may be padded. Fills *@ret_neighbour only when it
 * returns NEIGHBOUR_ACCEPTED. */
enum neighbour_verdict neighbour_parse(
	const uint8_t *frame, size_t size, struct neighbour *ret_neighbour);
