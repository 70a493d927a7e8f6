/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/neighbour.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "wire/checksum.h"
#include "wire/frames.h"

#define ND_SIZE_MIN 24 /* type to target */

/* An NS or NA, as far as its fixed part goes. */
struct nd {
	struct addr source, destination, target;
	uint8_t hop_limit, type, code;
	uint32_t flags;
};

static const char *const verdict_names[] = {
	[NEIGHBOUR_ACCEPTED] = "neighbour_accepted",
	[NEIGHBOUR_OTHER] = "neighbour_other",
	[NEIGHBOUR_TRUNCATED] = "neighbour_truncated",
	[NEIGHBOUR_BAD_HOP_LIMIT] = "neighbour_bad_hop_limit",
	[NEIGHBOUR_BAD_CHECKSUM] = "neighbour_bad_checksum",
	[NEIGHBOUR_BAD_CODE] = "neighbour_bad_code",
	[NEIGHBOUR_BAD_TARGET] = "neighbour_bad_target",
	[NEIGHBOUR_BAD_ADDRESS] = "neighbour_bad_address",
	[NEIGHBOUR_BAD_OPTION] = "neighbour_bad_option",
	[NEIGHBOUR_BAD_MAC] = "neighbour_bad_mac",
};

const char *neighbour_verdict_name(enum neighbour_verdict verdict)
{
	ASSERT(verdict < NEIGHBOUR_VERDICTS);
	return verdict_names[verdict];
}

const char *neighbour_format_mac(
	const uint8_t mac[static NEIGHBOUR_MAC], char buffer[static NEIGHBOUR_MAC_STRLEN])
{
	(void)snprintf(buffer, NEIGHBOUR_MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
		mac[1], mac[2], mac[3], mac[4], mac[5]);
	return buffer;
}

static void read_bytes(struct reader *r, void *to, size_t size)
{
	const uint8_t *bytes = reader_take(r, size);

	if (bytes)
		memcpy(to, bytes, size);
}

static bool is_zero(const uint8_t mac[NEIGHBOUR_MAC])
{
	static const uint8_t zero[NEIGHBOUR_MAC];

	return memcmp(mac, zero, sizeof zero) == 0;
}

static enum neighbour_verdict parse_arp(struct reader *r, struct neighbour *n)
{
	static const uint8_t nobody[4];
	uint8_t sender[4] = {0}, target[4] = {0};
	const uint16_t hardware = reader_u16(r), protocol = reader_u16(r);
	const uint8_t hardware_size = reader_u8(r), protocol_size = reader_u8(r);
	const uint16_t operation = reader_u16(r);

	read_bytes(r, n->mac, sizeof n->mac);
	read_bytes(r, sender, sizeof sender);
	reader_take(r, sizeof n->mac); /* the target's, which a request does not know */
	read_bytes(r, target, sizeof target);
	if (r->failed)
		return NEIGHBOUR_TRUNCATED;
	if (hardware != ARP_ETHERNET || protocol != ETHERTYPE_IPV4 ||
		hardware_size != sizeof n->mac || protocol_size != sizeof sender ||
		(operation != ARP_REQUEST && operation != ARP_REPLY))
		return NEIGHBOUR_OTHER;
	n->kind = NEIGHBOUR_CLAIM;
	n->address = addr_from_ipv4(sender);
	if (memcmp(sender, nobody, sizeof nobody) == 0) {
		/* RFC 5227 2.1.1: only a question may come from nobody */
		if (operation != ARP_REQUEST)
			return NEIGHBOUR_BAD_ADDRESS;
		n->kind = NEIGHBOUR_PROBE;
		n->address = addr_from_ipv4(target);
	}
	return NEIGHBOUR_ACCEPTED;
}

/* RFC 4291 2.7.1: ff02::1:ff00:0/104 */
static bool is_solicited_node_group(const struct addr *a)
{
	static const uint8_t prefix[13] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};

	return memcmp(a->b, prefix, sizeof prefix) == 0;
}

/* RFC 4861 7.1.1 and 7.1.2: what must be true of the addresses, given the type. */
static enum neighbour_verdict check_nd(const struct nd *nd)
{
	if (addr_is_multicast(&nd->target) || addr_is_ipv4(&nd->target))
		return NEIGHBOUR_BAD_TARGET;
	if (addr_is_multicast(&nd->source) || addr_is_ipv4(&nd->source))
		return NEIGHBOUR_BAD_ADDRESS;
	if (nd->type == ND_SOLICITATION && addr_is_none(&nd->source) &&
		!is_solicited_node_group(&nd->destination))
		return NEIGHBOUR_BAD_ADDRESS;
	if (nd->type == ND_ADVERTISEMENT && addr_is_multicast(&nd->destination) &&
		nd->flags & ND_FLAG_SOLICITED)
		return NEIGHBOUR_BAD_ADDRESS;
	return NEIGHBOUR_ACCEPTED;
}

/* The options to the end; the first link-layer address of the kind that counts goes to @mac. */
static enum neighbour_verdict read_options(
	struct reader *r, uint8_t wanted, bool is_allowed, uint8_t mac[NEIGHBOUR_MAC])
{
	bool found = false;

	while (reader_left(r) > 0) {
		const uint8_t type = reader_u8(r);
		const size_t size = reader_u8(r) * (size_t)ND_OPTION_UNIT;
		const uint8_t *value = size ? reader_take(r, size - 2) : NULL;

		if (!value)
			return NEIGHBOUR_BAD_OPTION;
		if (type != wanted || found)
			continue;
		/* RFC 4861 7.1.1: none in a solicitation from :: */
		if (!is_allowed || size != ND_OPTION_UNIT)
			return NEIGHBOUR_BAD_OPTION;
		memcpy(mac, value, NEIGHBOUR_MAC);
		found = true;
	}
	return NEIGHBOUR_ACCEPTED;
}

static enum neighbour_verdict parse_message(
	struct nd *nd, const uint8_t *message, size_t size, struct neighbour *n)
{
	struct reader r = reader_of(message, size);
	const uint64_t sum = checksum_pseudo(&nd->source, &nd->destination, ICMPV6, (uint16_t)size);
	enum neighbour_verdict verdict;
	bool is_probe;

	nd->type = reader_u8(&r);
	nd->code = reader_u8(&r);
	reader_take(&r, 2); /* the checksum */
	nd->flags = reader_u32(&r);
	read_bytes(&r, nd->target.b, sizeof nd->target.b);
	if (nd->type != ND_SOLICITATION && nd->type != ND_ADVERTISEMENT)
		return NEIGHBOUR_OTHER;
	if (r.failed)
		return NEIGHBOUR_TRUNCATED;
	if (nd->hop_limit != ND_HOP_LIMIT)
		return NEIGHBOUR_BAD_HOP_LIMIT;
	if (!checksum_is_valid(checksum_add(sum, message, size)))
		return NEIGHBOUR_BAD_CHECKSUM;
	if (nd->code != 0)
		return NEIGHBOUR_BAD_CODE;
	verdict = check_nd(nd);
	if (verdict != NEIGHBOUR_ACCEPTED)
		return verdict;
	is_probe = nd->type == ND_SOLICITATION && addr_is_none(&nd->source);
	n->kind = is_probe ? NEIGHBOUR_PROBE : NEIGHBOUR_CLAIM;
	n->address = nd->type == ND_ADVERTISEMENT || is_probe ? nd->target : nd->source;
	return read_options(&r,
		nd->type == ND_ADVERTISEMENT ? ND_TARGET_LINK_ADDRESS : ND_SOURCE_LINK_ADDRESS,
		!is_probe, n->mac);
}

static enum neighbour_verdict parse_ipv6(struct reader *r, struct neighbour *n)
{
	const uint32_t first = reader_u32(r);
	const uint16_t size = reader_u16(r);
	const uint8_t next = reader_u8(r);
	struct nd nd = {.hop_limit = reader_u8(r)};
	const uint8_t *message;

	read_bytes(r, nd.source.b, sizeof nd.source.b);
	read_bytes(r, nd.destination.b, sizeof nd.destination.b);
	if (r->failed)
		return NEIGHBOUR_TRUNCATED;
	/* RFC 6980 forbids fragments, and no other extension header has a use here */
	if (first >> 28 != 6 || next != ICMPV6)
		return NEIGHBOUR_OTHER;
	message = reader_take(r, size);
	return message ? parse_message(&nd, message, size, n) : NEIGHBOUR_TRUNCATED;
}

enum neighbour_verdict neighbour_parse(
	const uint8_t *frame, size_t size, struct neighbour *ret_neighbour)
{
	struct reader r = reader_of(frame, size);
	struct neighbour n = {0};
	enum neighbour_verdict verdict = NEIGHBOUR_OTHER;
	uint16_t type;

	reader_take(&r, NEIGHBOUR_MAC); /* the destination */
	read_bytes(&r, n.mac, sizeof n.mac);
	type = reader_u16(&r);
	if (r.failed)
		return NEIGHBOUR_TRUNCATED;
	if (type == ETHERTYPE_ARP)
		verdict = parse_arp(&r, &n);
	else if (type == ETHERTYPE_IPV6)
		verdict = parse_ipv6(&r, &n);
	if (verdict == NEIGHBOUR_ACCEPTED && is_zero(n.mac))
		verdict = NEIGHBOUR_BAD_MAC;
	if (verdict == NEIGHBOUR_ACCEPTED)
		*ret_neighbour = n;
	return verdict;
}
