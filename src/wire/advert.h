/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * VRRP advertisements between bytes and struct advert: version 3 (RFC 9568 5) and version 2 (RFC 3768
 * 5), IPv4 and IPv6. Pure. The receive checks run in the order of RFC 9568 7.1; the first that fails
 * is the verdict, and the caller counts it. Nothing here asserts on what a peer sent.
 *
 *    datagram ──► advert_parse() ──► struct advert ──► node: which of the listed addresses are ours?
 *    node ──► struct advert ──► advert_build() ──► datagram
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/tick.h"

#define ADVERT_IP_PROTOCOL 112
#define ADVERT_TTL         255
#define ADVERT_ADDRS_MAX   255
/* Header, 255 IPv6 addresses and version 2's authentication data. */
#define ADVERT_SIZE_MAX (8 + ADVERT_ADDRS_MAX * 16 + 8)
/* What may follow the message: see auth.h. */
#define ADVERT_TRAILER_SIZE 28

/* The IPv4 version 3 checksum covers the message, or a pseudo-header too (see config_checksum). */
enum advert_checksum { ADVERT_CHECKSUM_MESSAGE, ADVERT_CHECKSUM_PSEUDO };

struct advert {
	struct addr source;     /* of the datagram */
	struct addr link_local; /* version 3 IPv6: the first address listed; else addr_none */
	tick interval;          /* advertised */
	enum family family;
	uint8_t version;               /* 2 or 3 */
	uint8_t vrid;                  /* 1 to 255 */
	uint8_t priority;              /* 0: leaving */
	enum advert_checksum checksum; /* IPv4 version 3: the form seen, or to be sent */
	uint32_t n_addresses;          /* without link_local */
	struct addr addresses[ADVERT_ADDRS_MAX];
};

/* What the datagram's headers said. */
struct advert_envelope {
	struct addr source, destination;
	enum family family;
	uint8_t ttl;  /* or hop limit */
	bool any_ttl; /* unicast from a named foreign peer, which may not send 255 */
};

/* The outcome of a receive, in the order of the checks; each is a counter of its own. */
enum advert_verdict {
	ADVERT_ACCEPTED,
	ADVERT_BAD_IP_HEADER, /* advert_strip_ipv4() refuses it; larger than any advertisement, too */
	ADVERT_BAD_TTL,       /* not 255: it crossed a router */
	ADVERT_BAD_SOURCE,    /* no host's address; or to the group, and not link-local over IPv6 */
	ADVERT_BAD_VERSION,   /* neither 2 nor 3, or 2 over IPv6 */
	ADVERT_BAD_TYPE,      /* not an ADVERTISEMENT */
	ADVERT_TRUNCATED,     /* shorter than its own count of addresses */
	ADVERT_BAD_LENGTH,    /* longer than its count of addresses, and not by a trailer */
	ADVERT_BAD_CHECKSUM,
	ADVERT_BAD_VRID,     /* 0 */
	ADVERT_BAD_COUNT,    /* no address listed */
	ADVERT_BAD_INTERVAL, /* 0 */
	ADVERT_BAD_AUTH,     /* version 2 with an authentication type other than 0 */
	ADVERT_BAD_ADDRESS,  /* an IPv4-mapped address in an IPv6 message */
	ADVERT_VERDICTS,
};

/* A short name such as "bad_checksum", for counters and logs. */
const char *advert_verdict_name(enum advert_verdict verdict);

/*
 * Reads the VRRP message @bytes, which an IP datagram with @envelope carried. Fills *@ret_advert
 * only when it returns ADVERT_ACCEPTED. A first IPv6 address that is link-local goes to link_local.
 * The message may be followed by a trailer, which begins at advert_message_size() and is not read here.
 */
enum advert_verdict advert_parse(const uint8_t *bytes, size_t size,
	const struct advert_envelope *envelope, struct advert *ret_advert);

/*
 * Strips the IPv4 header that a raw socket delivers. Fills *@ret_envelope and *@ret_offset, the
 * start of the VRRP message, and *@ret_size, its size by the header's total length; false if the
 * header is malformed, a fragment, or not VRRP.
 */
bool advert_strip_ipv4(const uint8_t *datagram, size_t size, struct advert_envelope *ret_envelope,
	size_t *ret_offset, size_t *ret_size);

/*
 * Writes the VRRP message of @a for @destination (the checksum of IPv6 and of the pseudo-header
 * form needs it) and returns its size; 0 if @size is too small. @a->link_local is sent first over
 * IPv6 version 3. The interval is rounded down to the version's unit.
 */
size_t advert_build(
	const struct advert *a, const struct addr *destination, uint8_t *bytes, size_t size);

/* Bytes of the message that @a is, without what follows it. */
size_t advert_message_size(const struct advert *a);

/* Bytes of a message that lists @n_addresses VIPs, the link-local one of IPv6 not counted. */
size_t advert_size(uint8_t version, enum family family, uint32_t n_addresses);

/* How many VIPs one message may list so that the datagram fits @mtu; at most 255. */
uint32_t advert_capacity(uint8_t version, enum family family, uint32_t mtu);

/* 224.0.0.18 or ff02::12 (RFC 9568 5.1.1.2, 5.1.2.2). */
const struct addr *advert_group(enum family family);

/* The link-local address made of the virtual MAC 00-00-5E-00-02-VRID (RFC 9568 7.3, RFC 4291 appendix A). */
struct addr advert_link_local(uint8_t vrid);
