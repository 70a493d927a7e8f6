/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/advert.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "wire/checksum.h"

#define TYPE_ADVERTISEMENT  1
#define HEADER_SIZE         8
#define CHECKSUM_AT         6
#define AUTH_DATA_SIZE      8      /* version 2: present and zero (RFC 3768 5.3.10) */
#define INTERVAL_MASK       0x0fff /* version 3: 12 bits, after 4 reserved ones */
#define IPV4_HEADER_SIZE    20
#define IPV6_HEADER_SIZE    40
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_OFFSET_MASK    0x1fff

/* 224.0.0.18 and ff02::12. */
static const struct addr groups[FAMILY_COUNT] = {
	[FAMILY_IPV4] = {{[10] = 0xff, [11] = 0xff, [12] = 224, [15] = 18}},
	[FAMILY_IPV6] = {{[0] = 0xff, [1] = 0x02, [15] = 0x12}},
};

static const char *const verdict_names[ADVERT_VERDICTS] = {
	[ADVERT_ACCEPTED] = "accepted",
	[ADVERT_BAD_IP_HEADER] = "bad_ip_header",
	[ADVERT_BAD_TTL] = "bad_ttl",
	[ADVERT_BAD_SOURCE] = "bad_source",
	[ADVERT_BAD_VERSION] = "bad_version",
	[ADVERT_BAD_TYPE] = "bad_type",
	[ADVERT_TRUNCATED] = "truncated",
	[ADVERT_BAD_LENGTH] = "bad_length",
	[ADVERT_BAD_CHECKSUM] = "bad_checksum",
	[ADVERT_BAD_VRID] = "bad_vrid",
	[ADVERT_BAD_COUNT] = "bad_count",
	[ADVERT_BAD_INTERVAL] = "bad_interval",
	[ADVERT_BAD_AUTH] = "bad_auth",
	[ADVERT_BAD_ADDRESS] = "bad_address",
};

/* The fixed part of either version (RFC 9568 5.2, RFC 3768 5.3). */
struct header {
	uint8_t version, type, vrid, priority, count;
	uint8_t auth_type; /* version 2 */
	tick interval;
};

const char *advert_verdict_name(enum advert_verdict verdict)
{
	ASSERT(verdict < ADVERT_VERDICTS);
	return verdict_names[verdict];
}

static struct header read_header(struct reader *r)
{
	const uint8_t version_type = reader_u8(r);
	struct header h = {.version = version_type >> 4, .type = version_type & 0x0f};
	uint16_t interval;

	h.vrid = reader_u8(r);
	h.priority = reader_u8(r);
	h.count = reader_u8(r);
	interval = reader_u16(r);
	if (h.version == 2) {
		h.auth_type = (uint8_t)(interval >> 8);
		h.interval = tick_s(interval & 0xff);
	} else {
		h.interval =
			tick_cs(interval & INTERVAL_MASK); /* RFC 9568 5.2.6: Reserve is ignored */
	}
	reader_take(r, 2); /* the checksum */
	return h;
}

/* Bytes of a message that lists @count addresses, all counted. */
static size_t message_size(uint8_t version, enum family family, size_t count)
{
	return HEADER_SIZE + count * addr_wire_size(family) + (version == 2 ? AUTH_DATA_SIZE : 0);
}

/* True if either version's checksum is right; *@ret_form tells which it was. Over IPv6, where kernels
 * write it, it covers a trailer too, over IPv4 the message alone. */
static bool check_sum(const uint8_t *bytes, size_t size, uint8_t version,
	const struct advert_envelope *envelope, enum advert_checksum *ret_form)
{
	const uint64_t message = checksum_add(0, bytes, size);
	const uint64_t pseudo = checksum_pseudo(
		&envelope->source, &envelope->destination, ADVERT_IP_PROTOCOL, (uint16_t)size);

	*ret_form = ADVERT_CHECKSUM_MESSAGE;
	if (envelope->family == FAMILY_IPV6)
		return checksum_is_valid(message + pseudo); /* RFC 9568 5.2.8 */
	if (checksum_is_valid(message))
		return true;
	*ret_form = ADVERT_CHECKSUM_PSEUDO;
	return version == 3 && checksum_is_valid(message + pseudo);
}

static struct addr read_address(struct reader *r, enum family family)
{
	const uint8_t *bytes = reader_take(r, addr_wire_size(family));
	struct addr a;

	ASSERT(bytes); /* the size has been checked */
	if (family == FAMILY_IPV4)
		return addr_from_ipv4(bytes);
	memcpy(a.b, bytes, sizeof a.b);
	return a;
}

/* An IPv4-mapped address in an IPv6 message would speak for an IPv4 VIP; RFC 9568 5.2.9 has one family. */
static bool lists_mapped_address(struct reader r, uint8_t count)
{
	for (uint8_t i = 0; i < count; i++) {
		const struct addr a = read_address(&r, FAMILY_IPV6);

		if (addr_is_ipv4(&a))
			return true;
	}
	return false;
}

/* Whether a host may send from there: RFC 1122 3.2.1.3, RFC 4291 2.5 and 2.7; and to the group, RFC 9568 5.1.2.1. */
static bool is_source(const struct advert_envelope *e)
{
	static const struct addr loopback = {{[15] = 1}};
	const struct addr *a = &e->source;

	if (addr_family(a) != e->family || addr_is_multicast(a))
		return false;
	if (e->family == FAMILY_IPV4) {
		const uint8_t first = addr_ipv4_bytes(a)[0];

		return first != 0 && first != 127 && first < 240;
	}
	if (addr_is_multicast(&e->destination))
		return addr_is_link_local(a);
	return !addr_is_none(a) && !addr_equal(a, &loopback);
}

/* RFC 9568 7.1 and RFC 3768 7.1, in this order; whether the VRID is ours is for the node to say. */
static enum advert_verdict check_message(const uint8_t *bytes, size_t size, const struct header *h,
	const struct advert_envelope *envelope, enum advert_checksum *ret_form)
{
	const size_t expected = message_size(h->version, envelope->family, h->count);

	if (envelope->ttl != ADVERT_TTL && !envelope->any_ttl)
		return ADVERT_BAD_TTL;
	if (!is_source(envelope))
		return ADVERT_BAD_SOURCE;
	if (size == 0)
		return ADVERT_TRUNCATED;
	if (h->version != 3 && (h->version != 2 || envelope->family == FAMILY_IPV6))
		return ADVERT_BAD_VERSION;
	if (h->type != TYPE_ADVERTISEMENT)
		return ADVERT_BAD_TYPE;
	if (size < expected)
		return ADVERT_TRUNCATED;
	if (size > expected && size != expected + ADVERT_TRAILER_SIZE)
		return ADVERT_BAD_LENGTH;
	if (!check_sum(bytes, envelope->family == FAMILY_IPV6 ? size : expected, h->version,
		    envelope, ret_form))
		return ADVERT_BAD_CHECKSUM;
	if (h->vrid == 0)
		return ADVERT_BAD_VRID;
	if (h->count == 0)
		return ADVERT_BAD_COUNT; /* RFC 9568 5.2.5 */
	if (h->interval == 0)
		return ADVERT_BAD_INTERVAL;
	if (h->auth_type != 0)
		return ADVERT_BAD_AUTH;
	return ADVERT_ACCEPTED;
}

enum advert_verdict advert_parse(const uint8_t *bytes, size_t size,
	const struct advert_envelope *envelope, struct advert *ret_advert)
{
	struct reader r = reader_of(bytes, size);
	const struct header h = read_header(&r);
	struct advert *a = ret_advert;
	enum advert_checksum form;
	enum advert_verdict verdict = check_message(bytes, size, &h, envelope, &form);

	if (verdict != ADVERT_ACCEPTED)
		return verdict;
	if (envelope->family == FAMILY_IPV6 && lists_mapped_address(r, h.count))
		return ADVERT_BAD_ADDRESS;

	a->source = envelope->source;
	a->link_local = addr_none;
	a->interval = h.interval;
	a->family = envelope->family;
	a->version = h.version;
	a->vrid = h.vrid;
	a->priority = h.priority;
	a->checksum = form;
	a->n_addresses = 0;
	for (uint8_t i = 0; i < h.count; i++) {
		const struct addr address = read_address(&r, a->family);

		/* RFC 9568 5.2.9: the first address of IPv6 is the link-local one */
		if (i == 0 && a->family == FAMILY_IPV6 && addr_is_link_local(&address))
			a->link_local = address;
		else
			a->addresses[a->n_addresses++] = address;
	}
	return ADVERT_ACCEPTED;
}

bool advert_strip_ipv4(const uint8_t *datagram, size_t size, struct advert_envelope *ret_envelope,
	size_t *ret_offset, size_t *ret_size)
{
	struct reader r = reader_of(datagram, size);
	const uint8_t version_length = reader_u8(&r);
	const size_t header_size = (version_length & 0x0fu) * 4u;
	const uint8_t *source, *destination;
	uint16_t total, fragment;
	uint8_t ttl, protocol;

	reader_take(&r, 1); /* type of service */
	total = reader_u16(&r);
	reader_take(&r, 2); /* identification */
	fragment = reader_u16(&r);
	ttl = reader_u8(&r);
	protocol = reader_u8(&r);
	reader_take(&r, 2); /* checksum: the kernel has verified it */
	source = reader_take(&r, 4);
	destination = reader_take(&r, 4);
	if (r.failed || version_length >> 4 != 4 || header_size < IPV4_HEADER_SIZE)
		return false;
	if (total < header_size || total > size)
		return false;
	if (fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK))
		return false;
	if (protocol != ADVERT_IP_PROTOCOL)
		return false;

	*ret_envelope = (struct advert_envelope){
		.source = addr_from_ipv4(source),
		.destination = addr_from_ipv4(destination),
		.family = FAMILY_IPV4,
		.ttl = ttl,
	};
	*ret_offset = header_size;
	*ret_size = total - header_size;
	return true;
}

static void write_address(struct writer *w, enum family family, const struct addr *a)
{
	ASSERT(addr_family(a) == family);
	if (family == FAMILY_IPV4)
		writer_bytes(w, addr_ipv4_bytes(a), 4);
	else
		writer_bytes(w, a->b, sizeof a->b);
}

/* Authentication type (0) and seconds, or Reserve (0) and centiseconds. */
static uint16_t wire_interval(const struct advert *a)
{
	const uint64_t cs = tick_to_cs(a->interval);
	const uint64_t value = a->version == 2 ? cs / 100 : cs;

	ASSERT(value >= 1 && value <= (a->version == 2 ? 255 : INTERVAL_MASK));
	return (uint16_t)value;
}

size_t advert_build(
	const struct advert *a, const struct addr *destination, uint8_t *bytes, size_t size)
{
	static const uint8_t no_auth_data[AUTH_DATA_SIZE];
	const bool with_link_local = a->family == FAMILY_IPV6 && !addr_is_none(&a->link_local);
	const uint32_t count = a->n_addresses + with_link_local;
	struct writer w = writer_of(bytes, size);
	uint64_t sum = 0;

	ASSERT(a->version == 3 || (a->version == 2 && a->family == FAMILY_IPV4));
	ASSERT(a->vrid != 0 && count >= 1 && count <= ADVERT_ADDRS_MAX);
	writer_u8(&w, (uint8_t)(a->version << 4 | TYPE_ADVERTISEMENT));
	writer_u8(&w, a->vrid);
	writer_u8(&w, a->priority);
	writer_u8(&w, (uint8_t)count);
	writer_u16(&w, wire_interval(a));
	writer_u16(&w, 0);
	if (with_link_local)
		write_address(&w, a->family, &a->link_local);
	for (uint32_t i = 0; i < a->n_addresses; i++)
		write_address(&w, a->family, &a->addresses[i]);
	if (a->version == 2)
		writer_bytes(&w, no_auth_data, sizeof no_auth_data);
	if (w.failed)
		return 0;

	/* RFC 9568 5.2.8, RFC 3768 5.3.8 */
	if (a->family == FAMILY_IPV6 || (a->version == 3 && a->checksum == ADVERT_CHECKSUM_PSEUDO))
		sum = checksum_pseudo(&a->source, destination, ADVERT_IP_PROTOCOL, (uint16_t)w.at);
	checksum_write(checksum_add(sum, bytes, w.at), bytes + CHECKSUM_AT);
	return w.at;
}

size_t advert_message_size(const struct advert *a)
{
	const bool with_link_local = !addr_is_none(&a->link_local);

	return message_size(a->version, a->family, (size_t)a->n_addresses + with_link_local);
}

size_t advert_size(uint8_t version, enum family family, uint32_t n_addresses)
{
	return message_size(version, family, (size_t)n_addresses + (family == FAMILY_IPV6));
}

uint32_t advert_capacity(uint8_t version, enum family family, uint32_t mtu)
{
	const uint32_t ip = family == FAMILY_IPV4 ? IPV4_HEADER_SIZE : IPV6_HEADER_SIZE;
	const uint32_t fixed = ip + (uint32_t)advert_size(version, family, 0);
	const uint32_t limit = family == FAMILY_IPV4 ? ADVERT_ADDRS_MAX : ADVERT_ADDRS_MAX - 1;
	uint32_t fit;

	if (mtu < fixed)
		return 0;
	fit = (mtu - fixed) / (uint32_t)addr_wire_size(family);
	return fit < limit ? fit : limit;
}

const struct addr *advert_group(enum family family)
{
	return &groups[family];
}

struct addr advert_link_local(uint8_t vrid)
{
	/* EUI-64 of 00-00-5E-00-02-VRID: ff-fe in the middle, the universal bit inverted. */
	return (struct addr){{0xfe, 0x80, [8] = 0x02, 0x00, 0x5e, 0xff, 0xfe, 0x00, 0x02, vrid}};
}
