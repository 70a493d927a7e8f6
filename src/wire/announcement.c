/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/announcement.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "wire/checksum.h"
#include "wire/frames.h"

#define ND_SIZE        32 /* type to target, and one link-layer address option */
#define ND_CHECKSUM_AT 2

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const struct addr all_nodes = {{0xff, 0x02, [15] = 0x01}};

/* One neighbour discovery message with one option. */
struct nd {
	uint8_t type, option;
	uint32_t flags;
	const struct addr *target, *destination;
};

static void write_ethernet(
	struct writer *w, const uint8_t destination[6], const uint8_t source[6], uint16_t type)
{
	writer_bytes(w, destination, 6);
	writer_bytes(w, source, 6);
	writer_u16(w, type);
}

/* Who has @target? Tell the VIP. */
static size_t build_arp(
	const struct announcement *a, const struct addr *target, uint8_t *frame, size_t size)
{
	static const uint8_t unknown[6];
	struct writer w = writer_of(frame, size);

	write_ethernet(&w, broadcast, a->mac, ETHERTYPE_ARP);
	writer_u16(&w, ARP_ETHERNET);
	writer_u16(&w, ETHERTYPE_IPV4);
	writer_u8(&w, sizeof a->mac);
	writer_u8(&w, 4);
	writer_u16(&w, ARP_REQUEST);
	writer_bytes(&w, a->mac, sizeof a->mac);
	writer_bytes(&w, addr_ipv4_bytes(&a->vip), 4);
	writer_bytes(&w, unknown, sizeof unknown);
	writer_bytes(&w, addr_ipv4_bytes(target), 4);
	return w.failed ? 0 : w.at;
}

static size_t build_nd(
	const struct announcement *a, const struct nd *nd, uint8_t *frame, size_t size)
{
	const uint8_t *d = nd->destination->b;
	const uint8_t group_mac[6] = {0x33, 0x33, d[12], d[13], d[14], d[15]}; /* RFC 2464 7 */
	struct writer w = writer_of(frame, size);
	size_t message;
	uint64_t sum;

	write_ethernet(&w, group_mac, a->mac, ETHERTYPE_IPV6);
	writer_u32(&w, 6u << 28); /* version; no traffic class, no flow label */
	writer_u16(&w, ND_SIZE);
	writer_u8(&w, ICMPV6);
	writer_u8(&w, ND_HOP_LIMIT);
	writer_bytes(&w, a->vip.b, sizeof a->vip.b);
	writer_bytes(&w, d, sizeof nd->destination->b);
	message = w.at;
	writer_u8(&w, nd->type);
	writer_u8(&w, 0); /* code */
	writer_u16(&w, 0);
	writer_u32(&w, nd->flags);
	writer_bytes(&w, nd->target->b, sizeof nd->target->b);
	writer_u8(&w, nd->option);
	writer_u8(&w, 1); /* in units of 8 bytes */
	writer_bytes(&w, a->mac, sizeof a->mac);
	if (w.failed)
		return 0;

	ASSERT(w.at - message == ND_SIZE);
	sum = checksum_pseudo(&a->vip, nd->destination, ICMPV6, ND_SIZE);
	sum = checksum_add(sum, frame + message, ND_SIZE);
	checksum_write(sum, frame + message + ND_CHECKSUM_AT);
	return w.at;
}

size_t announcement_build(const struct announcement *a, uint8_t *frame, size_t size)
{
	/* RFC 4861 7.2.6: unsolicited, and Override makes neighbours replace what they cached */
	const struct nd advertisement = {
		.type = ND_ADVERTISEMENT,
		.option = ND_TARGET_LINK_ADDRESS,
		.flags = ND_FLAG_OVERRIDE | (a->router ? ND_FLAG_ROUTER : 0),
		.target = &a->vip,
		.destination = &all_nodes,
	};

	if (addr_is_ipv4(&a->vip))
		return build_arp(a, &a->vip, frame, size);
	return build_nd(a, &advertisement, frame, size);
}

size_t announcement_build_query(const struct announcement *a, uint8_t *frame, size_t size)
{
	const uint8_t *g = a->gateway.b;
	/* RFC 4291 2.7.1: the gateway's solicited-node group */
	const struct addr group = {
		{0xff, 0x02, [11] = 0x01, [12] = 0xff, [13] = g[13], [14] = g[14], [15] = g[15]}};
	const struct nd solicitation = {
		.type = ND_SOLICITATION,
		.option = ND_SOURCE_LINK_ADDRESS,
		.target = &a->gateway,
		.destination = &group,
	};

	if (addr_is_none(&a->gateway))
		return 0;
	ASSERT(addr_family(&a->gateway) == addr_family(&a->vip));
	if (addr_is_ipv4(&a->vip))
		return build_arp(a, &a->gateway, frame, size);
	return build_nd(a, &solicitation, frame, size);
}
