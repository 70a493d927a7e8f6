/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "hex.h"
#include "wire/advert.h"

#define FAULT(verdict) (1u << (verdict))

/* A message, as it would arrive. */
struct message {
	struct advert_envelope envelope;
	uint8_t bytes[ADVERT_SIZE_MAX + 1];
	size_t size;
};

/*
 * The golden messages: VRID 51, priority 100, one second, 10.1.1.201 or 2001:db8::201, from 10.1.1.2
 * or fe80::2 to the group. The checksums were added up by hand.
 */
#define GOLDEN_V3_IPV4        "31 33 64 01 0064 5e9d 0a0101c9" /* RFC 9568 5.1, 5.2.8 */
#define GOLDEN_V3_IPV4_PSEUDO "31 33 64 01 0064 730b 0a0101c9" /* RFC 5798 5.2.8 */
#define GOLDEN_V2             "21 33 64 01 0001 6f00 0a0101c9 0000000000000000" /* RFC 3768 5.1 */
#define GOLDEN_V3_IPV6                                                                             \
	"31 33 64 02 0064 dcc7 fe80000000000000 02005efffe000233 20010db800000000 "                \
	"0000000000000201"

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert_msg(addr_parse(text, &a), "%s", text);
	return a;
}

/* The message of these bytes, as it comes from a neighbour. */
static struct message received(enum family family, const char *hex)
{
	struct message m = {.envelope = {.family = family, .ttl = 255}};

	m.envelope.source = address(family == FAMILY_IPV4 ? "10.1.1.2" : "fe80::2");
	m.envelope.destination = *advert_group(family);
	m.size = hex_read(hex, m.bytes, sizeof m.bytes);
	return m;
}

static struct message golden(uint8_t version, enum family family)
{
	if (family == FAMILY_IPV6)
		return received(family, GOLDEN_V3_IPV6);
	return received(family, version == 2 ? GOLDEN_V2 : GOLDEN_V3_IPV4);
}

static enum advert_verdict parse(const struct message *m, struct advert *ret_advert)
{
	/* A copy of just this size, so that a sanitizer sees each read beyond it. */
	uint8_t *copy = malloc(m->size ? m->size : 1);
	enum advert_verdict verdict;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, m->bytes, m->size);
	verdict = advert_parse(copy, m->size, &m->envelope, ret_advert);
	free(copy);
	return verdict;
}

static void expect(enum advert_verdict verdict, const struct message *m)
{
	struct advert a;

	ck_assert_str_eq(advert_verdict_name(parse(m, &a)), advert_verdict_name(verdict));
}

/* The checksum by the plainest means, beside the one under test. */
static void seal(struct message *m)
{
	const uint8_t *source = m->envelope.source.b, *destination = m->envelope.destination.b;
	uint32_t sum = 0;

	m->bytes[6] = m->bytes[7] = 0;
	for (size_t i = 0; i < m->size; i++)
		sum += i % 2 ? m->bytes[i] : (uint32_t)m->bytes[i] << 8;
	if (m->envelope.family == FAMILY_IPV6) {
		for (size_t i = 0; i < 16; i++)
			sum += i % 2 ? (uint32_t)source[i] + destination[i]
				     : ((uint32_t)source[i] + destination[i]) << 8;
		sum += (uint32_t)m->size + ADVERT_IP_PROTOCOL;
	}
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	m->bytes[6] = (uint8_t)(~sum >> 8);
	m->bytes[7] = (uint8_t)~sum;
}

/* The golden message with these faults, FAULT(verdict) or-ed together. */
static struct message faulty(uint8_t version, enum family family, unsigned faults)
{
	struct message m = golden(version, family);

	if (faults & FAULT(ADVERT_BAD_TTL))
		m.envelope.ttl = 254;
	if (faults & FAULT(ADVERT_BAD_SOURCE))
		m.envelope.source = address(family == FAMILY_IPV4 ? "224.0.0.18" : "::");
	if (faults & FAULT(ADVERT_BAD_VERSION))
		m.bytes[0] = (uint8_t)((family == FAMILY_IPV6 ? 0x20 : 0x10) | (m.bytes[0] & 0x0f));
	if (faults & FAULT(ADVERT_BAD_TYPE))
		m.bytes[0] = (uint8_t)((m.bytes[0] & 0xf0) | 2);
	if (faults & FAULT(ADVERT_BAD_VRID))
		m.bytes[1] = 0;
	if (faults & FAULT(ADVERT_BAD_INTERVAL))
		m.bytes[5] = 0;
	if (faults & FAULT(ADVERT_BAD_AUTH))
		m.bytes[4] = 1; /* a password in clear, RFC 2338 5.3.6 */
	if (faults & FAULT(ADVERT_BAD_ADDRESS)) {
		memset(m.bytes + 24, 0, 10);
		memset(m.bytes + 34, 0xff, 2);
	}
	if (faults & FAULT(ADVERT_BAD_COUNT)) {
		m.size -= m.bytes[3] * addr_wire_size(family);
		m.bytes[3] = 0;
	}
	if (faults & FAULT(ADVERT_TRUNCATED))
		m.size--;
	if (faults & FAULT(ADVERT_BAD_LENGTH))
		m.size++;
	seal(&m);
	if (faults & FAULT(ADVERT_BAD_CHECKSUM))
		m.bytes[7] ^= 1;
	return m;
}

static void expect_fault(uint8_t version, enum family family, enum advert_verdict verdict)
{
	const struct message m = faulty(version, family, FAULT(verdict));

	expect(verdict, &m);
}

static void expect_fault_everywhere(enum advert_verdict verdict)
{
	expect_fault(2, FAMILY_IPV4, verdict);
	expect_fault(3, FAMILY_IPV4, verdict);
	expect_fault(3, FAMILY_IPV6, verdict);
}

START_TEST(a_version_3_ipv4_advertisement_is_read)
{
	const struct message m = golden(3, FAMILY_IPV4);
	const struct addr vip = address("10.1.1.201"), source = address("10.1.1.2");
	struct advert a;

	ck_assert_int_eq(parse(&m, &a), ADVERT_ACCEPTED);
	ck_assert_uint_eq(a.version, 3);
	ck_assert_uint_eq(a.vrid, 51);
	ck_assert_uint_eq(a.priority, 100);
	ck_assert_uint_eq(a.interval, tick_s(1));
	ck_assert_int_eq(a.family, FAMILY_IPV4);
	ck_assert_int_eq(a.checksum, ADVERT_CHECKSUM_MESSAGE);
	ck_assert(addr_equal(&a.source, &source));
	ck_assert(addr_is_none(&a.link_local));
	ck_assert_uint_eq(a.n_addresses, 1);
	ck_assert(addr_equal(&a.addresses[0], &vip));
}
END_TEST

/* RFC 5798 5.2.8 was read with an IPv4 pseudo-header by keepalived and FRR. */
START_TEST(the_pseudo_header_checksum_is_accepted_and_told)
{
	const struct message m = received(FAMILY_IPV4, GOLDEN_V3_IPV4_PSEUDO);
	struct advert a;

	ck_assert_int_eq(parse(&m, &a), ADVERT_ACCEPTED);
	ck_assert_int_eq(a.checksum, ADVERT_CHECKSUM_PSEUDO);
}
END_TEST

START_TEST(a_pseudo_header_of_another_destination_is_a_bad_checksum)
{
	struct message m = received(FAMILY_IPV4, GOLDEN_V3_IPV4_PSEUDO);

	m.envelope.destination = address("10.1.1.3");
	expect(ADVERT_BAD_CHECKSUM, &m);
}
END_TEST

START_TEST(a_version_2_advertisement_is_read_in_seconds)
{
	const struct message m = golden(2, FAMILY_IPV4);
	struct advert a;

	ck_assert_int_eq(parse(&m, &a), ADVERT_ACCEPTED);
	ck_assert_uint_eq(a.version, 2);
	ck_assert_uint_eq(a.interval, tick_s(1));
	ck_assert_uint_eq(a.n_addresses, 1);
}
END_TEST

/* RFC 3768 5.3.8: version 2 never has a pseudo-header. */
START_TEST(version_2_with_a_pseudo_header_checksum_is_refused)
{
	struct message m = golden(2, FAMILY_IPV4);

	/* the message adds up to 90ff, 10.1.1.2, 224.0.0.18, protocol 112 and 20 bytes to eb99 */
	m.bytes[6] = 0x83;
	m.bytes[7] = 0x66;
	expect(ADVERT_BAD_CHECKSUM, &m);
}
END_TEST

/* RFC 9568 5.2.9: the first address is the link-local one of the virtual router. */
START_TEST(the_first_link_local_address_of_ipv6_is_set_apart)
{
	const struct message m = golden(3, FAMILY_IPV6);
	const struct addr vip = address("2001:db8::201"), own = advert_link_local(51);
	struct advert a;

	ck_assert_int_eq(parse(&m, &a), ADVERT_ACCEPTED);
	ck_assert(addr_equal(&a.link_local, &own));
	ck_assert_uint_eq(a.n_addresses, 1);
	ck_assert(addr_equal(&a.addresses[0], &vip));
}
END_TEST

START_TEST(ipv6_without_a_link_local_address_is_accepted)
{
	struct message m = golden(3, FAMILY_IPV6);
	struct advert a;

	m.bytes[8] = 0x20;
	seal(&m);
	ck_assert_int_eq(parse(&m, &a), ADVERT_ACCEPTED);
	ck_assert(addr_is_none(&a.link_local));
	ck_assert_uint_eq(a.n_addresses, 2);
}
END_TEST

START_TEST(a_later_link_local_address_is_one_of_the_list)
{
	struct message m = golden(3, FAMILY_IPV6);
	struct advert a;

	m.bytes[24] = 0xfe;
	m.bytes[25] = 0x80;
	seal(&m);
	ck_assert_int_eq(parse(&m, &a), ADVERT_ACCEPTED);
	ck_assert_uint_eq(a.n_addresses, 1);
	ck_assert(addr_is_link_local(&a.addresses[0]));
}
END_TEST

/* RFC 9568 5.2.6 */
START_TEST(the_reserved_bits_are_ignored)
{
	struct message m = golden(3, FAMILY_IPV4);
	struct advert a;

	m.bytes[4] |= 0xf0;
	seal(&m);
	ck_assert_int_eq(parse(&m, &a), ADVERT_ACCEPTED);
	ck_assert_uint_eq(a.interval, tick_s(1));
}
END_TEST

/* RFC 9568 7.1, 5.1.1.3, 5.1.2.3 */
START_TEST(a_ttl_other_than_255_is_refused)
{
	expect_fault_everywhere(ADVERT_BAD_TTL);
}
END_TEST

static void expect_source(
	enum family family, const char *source, const char *destination, bool good)
{
	struct message m = golden(3, family);

	m.envelope.source = address(source);
	if (destination)
		m.envelope.destination = address(destination);
	seal(&m);
	expect(good ? ADVERT_ACCEPTED : ADVERT_BAD_SOURCE, &m);
}

/* RFC 1122 3.2.1.3, RFC 4291 2.5 and 2.7, RFC 9568 5.1.2.1; the first of them matters to auth.h. */
START_TEST(a_source_that_is_no_hosts_is_refused)
{
	expect_fault_everywhere(ADVERT_BAD_SOURCE);
	expect_source(FAMILY_IPV6, "::", NULL, false);
	expect_source(FAMILY_IPV6, "::", "2001:db8::2", false);
	expect_source(FAMILY_IPV6, "::1", "2001:db8::2", false);
	expect_source(FAMILY_IPV6, "ff02::12", "2001:db8::2", false);
	expect_source(FAMILY_IPV6, "10.1.1.2", "2001:db8::2", false);
	expect_source(
		FAMILY_IPV6, "2001:db8::2", NULL, false); /* to the group, but not of the link */
	expect_source(FAMILY_IPV6, "2001:db8::2", "2001:db8::3", true);
	expect_source(FAMILY_IPV6, "fe80::2", "2001:db8::3", true);
	expect_source(FAMILY_IPV4, "0.0.0.0", NULL, false);
	expect_source(FAMILY_IPV4, "0.1.2.3", NULL, false);
	expect_source(FAMILY_IPV4, "127.0.0.1", NULL, false);
	expect_source(FAMILY_IPV4, "239.1.1.1", "10.1.1.3", false);
	expect_source(FAMILY_IPV4, "255.255.255.255", NULL, false);
	expect_source(FAMILY_IPV4, "fe80::2", NULL, false);
	expect_source(FAMILY_IPV4, "192.0.2.1", NULL, true); /* another subnet of the same link */
}
END_TEST

/* RFC 9568 7.1 */
START_TEST(an_unknown_version_is_refused)
{
	expect_fault_everywhere(ADVERT_BAD_VERSION);
}
END_TEST

/* RFC 9568 5.2.2 */
START_TEST(an_unknown_type_is_refused)
{
	expect_fault_everywhere(ADVERT_BAD_TYPE);
}
END_TEST

/* RFC 9568 7.1: the complete packet, with the addresses */
START_TEST(a_message_cut_anywhere_is_truncated)
{
	const struct message whole[] = {
		golden(3, FAMILY_IPV4),
		golden(2, FAMILY_IPV4),
		golden(3, FAMILY_IPV6),
	};

	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		for (size_t size = 0; size < whole[i].size; size++) {
			struct message m = whole[i];

			m.size = size;
			expect(ADVERT_TRUNCATED, &m);
		}
	}
}
END_TEST

START_TEST(bytes_beyond_the_addresses_are_refused)
{
	expect_fault_everywhere(ADVERT_BAD_LENGTH);
}
END_TEST

START_TEST(any_flipped_bit_is_noticed)
{
	const struct message whole[] = {
		golden(3, FAMILY_IPV4),
		golden(2, FAMILY_IPV4),
		golden(3, FAMILY_IPV6),
	};
	struct advert a;

	expect_fault_everywhere(ADVERT_BAD_CHECKSUM);
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		for (size_t bit = 0; bit < whole[i].size * 8; bit++) {
			struct message m = whole[i];

			m.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			ck_assert_int_ne(parse(&m, &a), ADVERT_ACCEPTED);
		}
	}
}
END_TEST

/* RFC 9568 5.2.3 */
START_TEST(vrid_0_is_refused)
{
	expect_fault_everywhere(ADVERT_BAD_VRID);
}
END_TEST

/* RFC 9568 5.2.5 */
START_TEST(an_empty_list_is_refused)
{
	expect_fault_everywhere(ADVERT_BAD_COUNT);
}
END_TEST

/* RFC 9568 5.2.7, RFC 3768 5.3.7 */
START_TEST(interval_0_is_refused)
{
	expect_fault_everywhere(ADVERT_BAD_INTERVAL);
}
END_TEST

/* RFC 3768 5.3.6 */
START_TEST(version_2_with_authentication_is_refused)
{
	expect_fault(2, FAMILY_IPV4, ADVERT_BAD_AUTH);
}
END_TEST

/* RFC 9568 5.2.9: one family; an IPv4 VIP must not be claimed over IPv6 */
START_TEST(ipv4_addresses_in_an_ipv6_message_are_refused)
{
	expect_fault(3, FAMILY_IPV6, ADVERT_BAD_ADDRESS);
}
END_TEST

/* RFC 9568 7.1: of two faults the one that is checked first is told. */
START_TEST(the_first_failing_check_is_the_verdict)
{
	for (unsigned first = ADVERT_BAD_TTL; first < ADVERT_VERDICTS; first++) {
		for (unsigned second = first + 1; second < ADVERT_VERDICTS; second++) {
			const unsigned faults = FAULT(first) | FAULT(second);
			const bool needs_v2 = faults & FAULT(ADVERT_BAD_AUTH);
			const bool needs_ipv6 = faults & FAULT(ADVERT_BAD_ADDRESS);
			struct message m;

			if (needs_v2 && needs_ipv6)
				continue;
			if (first == ADVERT_TRUNCATED && second == ADVERT_BAD_LENGTH)
				continue;
			m = faulty(
				needs_v2 ? 2 : 3, needs_ipv6 ? FAMILY_IPV6 : FAMILY_IPV4, faults);
			expect(first, &m);
		}
	}
}
END_TEST

START_TEST(a_refused_message_leaves_the_result_alone)
{
	struct message m = faulty(3, FAMILY_IPV4, FAULT(ADVERT_BAD_INTERVAL));
	struct advert a, before;

	memset(&a, 0x5a, sizeof a);
	before = a;
	ck_assert_int_eq(parse(&m, &a), ADVERT_BAD_INTERVAL);
	ck_assert_mem_eq(&a, &before, sizeof a);
}
END_TEST

START_TEST(every_verdict_has_a_name_of_its_own)
{
	for (unsigned i = 0; i < ADVERT_VERDICTS; i++) {
		for (unsigned j = 0; j < i; j++)
			ck_assert_str_ne(advert_verdict_name(i), advert_verdict_name(j));
	}
}
END_TEST

static struct advert golden_advert(uint8_t version, enum family family)
{
	struct advert a = {.version = version, .family = family, .vrid = 51, .priority = 100};

	a.interval = tick_s(1);
	a.source = address(family == FAMILY_IPV4 ? "10.1.1.2" : "fe80::2");
	a.link_local = family == FAMILY_IPV4 ? addr_none : advert_link_local(51);
	a.addresses[0] = address(family == FAMILY_IPV4 ? "10.1.1.201" : "2001:db8::201");
	a.n_addresses = 1;
	return a;
}

static void expect_bytes(const struct advert *a, const char *hex)
{
	uint8_t expected[ADVERT_SIZE_MAX], bytes[ADVERT_SIZE_MAX];
	const size_t size = hex_read(hex, expected, sizeof expected);

	ck_assert_uint_eq(advert_build(a, advert_group(a->family), bytes, sizeof bytes), size);
	ck_assert_mem_eq(bytes, expected, size);
}

START_TEST(the_golden_messages_are_built)
{
	struct advert v2 = golden_advert(2, FAMILY_IPV4), ipv4 = golden_advert(3, FAMILY_IPV4);
	struct advert ipv6 = golden_advert(3, FAMILY_IPV6);

	expect_bytes(&v2, GOLDEN_V2);
	expect_bytes(&ipv4, GOLDEN_V3_IPV4);
	expect_bytes(&ipv6, GOLDEN_V3_IPV6);
	ipv4.checksum = ADVERT_CHECKSUM_PSEUDO;
	expect_bytes(&ipv4, GOLDEN_V3_IPV4_PSEUDO);
	v2.checksum = ADVERT_CHECKSUM_PSEUDO; /* has no meaning for version 2 */
	expect_bytes(&v2, GOLDEN_V2);
}
END_TEST

START_TEST(intervals_are_rounded_down_to_the_unit)
{
	struct advert a = golden_advert(3, FAMILY_IPV4);

	a.interval = tick_s(1) + tick_ms(9);
	expect_bytes(&a, GOLDEN_V3_IPV4);
	a = golden_advert(2, FAMILY_IPV4);
	a.interval = tick_ms(1999);
	expect_bytes(&a, GOLDEN_V2);
}
END_TEST

START_TEST(a_buffer_that_is_too_small_yields_nothing)
{
	const struct advert a = golden_advert(3, FAMILY_IPV6);
	const size_t whole = golden(3, FAMILY_IPV6).size;
	uint8_t bytes[ADVERT_SIZE_MAX] = {0};

	for (size_t size = 0; size < whole; size++) {
		ck_assert_uint_eq(advert_build(&a, advert_group(a.family), bytes, size), 0);
		ck_assert_uint_eq(bytes[size], 0);
	}
}
END_TEST

static struct addr random_address(struct rng *rng, enum family family)
{
	struct addr a;
	uint8_t four[4];

	for (size_t i = 0; i < sizeof a.b; i++)
		a.b[i] = (uint8_t)rng_next(rng);
	a.b[0] = 0x20;
	memcpy(four, a.b + 12, sizeof four);
	return family == FAMILY_IPV4 ? addr_from_ipv4(four) : a;
}

static struct advert random_advert(struct rng *rng)
{
	struct advert a = {.version = rng_below(rng, 3) ? 3 : 2};
	const bool ipv6 = a.version == 3 && rng_below(rng, 2);

	a.family = ipv6 ? FAMILY_IPV6 : FAMILY_IPV4;
	a.source = address(ipv6 ? "fe80::2" : "10.1.1.2");
	a.source.b[15] = (uint8_t)rng_next(rng);
	a.vrid = (uint8_t)(1 + rng_below(rng, 255));
	a.priority = (uint8_t)rng_below(rng, 256);
	a.interval = a.version == 2 ? tick_s(1 + rng_below(rng, 255))
				    : tick_cs(1 + rng_below(rng, 4095));
	if (a.version == 3 && !ipv6 && rng_below(rng, 2))
		a.checksum = ADVERT_CHECKSUM_PSEUDO;
	if (ipv6 && rng_below(rng, 8))
		a.link_local = advert_link_local(a.vrid);
	a.n_addresses = 1 + rng_below(rng, ADVERT_ADDRS_MAX - ipv6);
	for (uint32_t i = 0; i < a.n_addresses; i++)
		a.addresses[i] = random_address(rng, a.family);
	return a;
}

/* advert_size() takes the link-local address for granted. */
static size_t expected_size(const struct advert *a)
{
	const bool without = a->family == FAMILY_IPV6 && addr_is_none(&a->link_local);

	return advert_size(a->version, a->family, a->n_addresses) - (without ? 16 : 0);
}

START_TEST(adverts_survive_building_and_parsing)
{
	struct rng rng = {.state = 1};

	for (int round = 0; round < 5000; round++) {
		const struct advert sent = random_advert(&rng);
		const struct addr destination = random_address(&rng, sent.family);
		const struct advert_envelope envelope = {.source = sent.source,
			.destination = destination,
			.family = sent.family,
			.ttl = 255};
		struct advert got = {0};
		uint8_t bytes[ADVERT_SIZE_MAX];
		const size_t size = advert_build(&sent, &destination, bytes, sizeof bytes);

		ck_assert_uint_eq(size, expected_size(&sent));
		ck_assert_int_eq(advert_parse(bytes, size, &envelope, &got), ADVERT_ACCEPTED);
		ck_assert_uint_eq(got.version, sent.version);
		ck_assert_int_eq(got.family, sent.family);
		ck_assert_uint_eq(got.vrid, sent.vrid);
		ck_assert_uint_eq(got.priority, sent.priority);
		ck_assert_uint_eq(got.interval, sent.interval);
		ck_assert_int_eq(got.checksum, sent.checksum);
		ck_assert(addr_equal(&got.source, &sent.source));
		ck_assert(addr_equal(&got.link_local, &sent.link_local));
		ck_assert_uint_eq(got.n_addresses, sent.n_addresses);
		ck_assert_mem_eq(
			got.addresses, sent.addresses, sent.n_addresses * sizeof sent.addresses[0]);
	}
}
END_TEST

START_TEST(capacity_fills_the_mtu)
{
	ck_assert_uint_eq(advert_capacity(3, FAMILY_IPV4, 1500), 255);
	ck_assert_uint_eq(advert_capacity(3, FAMILY_IPV6, 1500), 89);
	ck_assert_uint_eq(advert_capacity(2, FAMILY_IPV4, 576), 135);
	ck_assert_uint_eq(advert_capacity(3, FAMILY_IPV6, 9000), 254);
	ck_assert_uint_eq(advert_capacity(3, FAMILY_IPV4, 20), 0);
	for (uint32_t mtu = 68; mtu < 5000; mtu++) {
		const uint32_t ipv4 = advert_capacity(3, FAMILY_IPV4, mtu);
		const uint32_t v2 = advert_capacity(2, FAMILY_IPV4, mtu);
		const uint32_t ipv6 = advert_capacity(3, FAMILY_IPV6, mtu);

		ck_assert_uint_le(20 + advert_size(3, FAMILY_IPV4, ipv4), mtu);
		ck_assert_uint_le(20 + advert_size(2, FAMILY_IPV4, v2), mtu);
		ck_assert_uint_le(40 + advert_size(3, FAMILY_IPV6, ipv6), mtu);
		ck_assert(ipv4 == 255 || 20 + advert_size(3, FAMILY_IPV4, ipv4 + 1) > mtu);
		ck_assert(v2 == 255 || 20 + advert_size(2, FAMILY_IPV4, v2 + 1) > mtu);
		ck_assert(ipv6 == 254 || 40 + advert_size(3, FAMILY_IPV6, ipv6 + 1) > mtu);
	}
}
END_TEST

/* RFC 9568 5.1.1.2, 5.1.2.2, 7.3 */
START_TEST(the_assigned_addresses_are_these)
{
	const struct addr link_local = advert_link_local(51);
	char text[ADDR_STRLEN];

	ck_assert_str_eq(addr_format(advert_group(FAMILY_IPV4), text), "224.0.0.18");
	ck_assert_str_eq(addr_format(advert_group(FAMILY_IPV6), text), "ff02::12");
	ck_assert_str_eq(addr_format(&link_local, text), "fe80::200:5eff:fe00:233");
}
END_TEST

/* An IPv4 header with four bytes of options (router alert) before eight bytes. */
#define GOLDEN_DATAGRAM                                                                            \
	"46 c0 0020 0000 4000 ff 70 0000 0a010102 e0000012 94040000 3133640000640000"

static bool strip(const uint8_t *bytes, size_t size)
{
	struct advert_envelope envelope;
	uint8_t *copy = malloc(size ? size : 1);
	size_t offset, left;
	bool stripped;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, size);
	stripped = advert_strip_ipv4(copy, size, &envelope, &offset, &left);
	free(copy);
	return stripped;
}

/* True if the datagram is still taken when its byte @at is @value. */
static bool strip_with(size_t at, uint8_t value)
{
	uint8_t bytes[64];
	const size_t size = hex_read(GOLDEN_DATAGRAM, bytes, sizeof bytes);

	bytes[at] = value;
	return strip(bytes, size);
}

START_TEST(an_ipv4_header_is_stripped)
{
	struct advert_envelope envelope;
	const struct addr source = address("10.1.1.2");
	uint8_t padded[60] = {0};
	size_t offset, size;

	hex_read(GOLDEN_DATAGRAM, padded, sizeof padded);
	ck_assert(advert_strip_ipv4(padded, sizeof padded, &envelope, &offset, &size));
	ck_assert_uint_eq(offset, 24);
	ck_assert_uint_eq(size, 8); /* Ethernet's padding is not counted */
	ck_assert_uint_eq(envelope.ttl, 255);
	ck_assert_int_eq(envelope.family, FAMILY_IPV4);
	ck_assert(addr_equal(&envelope.source, &source));
	ck_assert(addr_equal(&envelope.destination, advert_group(FAMILY_IPV4)));
}
END_TEST

START_TEST(malformed_ipv4_headers_are_refused)
{
	uint8_t bytes[64];
	const size_t whole = hex_read(GOLDEN_DATAGRAM, bytes, sizeof bytes);

	for (size_t size = 0; size < whole; size++)
		ck_assert(!strip(bytes, size));
	ck_assert(!strip_with(0, 0x66)); /* version 6 */
	ck_assert(!strip_with(0, 0x44)); /* a header of 16 bytes */
	ck_assert(!strip_with(0, 0x4f)); /* ... of 60 */
	ck_assert(!strip_with(3, 23));   /* total length within the header */
	ck_assert(!strip_with(3, 33));   /* ... beyond the datagram */
	ck_assert(!strip_with(6, 0x20)); /* more fragments */
	ck_assert(!strip_with(7, 1));    /* a later fragment */
	ck_assert(!strip_with(9, 17));   /* UDP */
	ck_assert(strip_with(6, 0));     /* may be fragmented, is not */
}
END_TEST

/* Unicast is an extension, and a named peer may leave the hop limit at its kernel's default */
START_TEST(a_named_peer_may_send_any_ttl)
{
	struct message m = faulty(3, FAMILY_IPV6, FAULT(ADVERT_BAD_TTL));
	struct advert a;

	ck_assert_int_eq(advert_parse(m.bytes, m.size, &m.envelope, &a), ADVERT_BAD_TTL);
	m.envelope.any_ttl = true;
	ck_assert_int_eq(advert_parse(m.bytes, m.size, &m.envelope, &a), ADVERT_ACCEPTED);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_version_3_ipv4_advertisement_is_read,
		the_pseudo_header_checksum_is_accepted_and_told,
		a_version_2_advertisement_is_read_in_seconds,
		the_first_link_local_address_of_ipv6_is_set_apart,
		ipv6_without_a_link_local_address_is_accepted,
		a_later_link_local_address_is_one_of_the_list,
		the_reserved_bits_are_ignored,
		an_ipv4_header_is_stripped,
		a_ttl_other_than_255_is_refused,
		a_source_that_is_no_hosts_is_refused,
		an_unknown_version_is_refused,
		an_unknown_type_is_refused,
		a_message_cut_anywhere_is_truncated,
		bytes_beyond_the_addresses_are_refused,
		any_flipped_bit_is_noticed,
		a_pseudo_header_of_another_destination_is_a_bad_checksum,
		version_2_with_a_pseudo_header_checksum_is_refused,
		vrid_0_is_refused,
		an_empty_list_is_refused,
		interval_0_is_refused,
		version_2_with_authentication_is_refused,
		ipv4_addresses_in_an_ipv6_message_are_refused,
		the_first_failing_check_is_the_verdict,
		a_refused_message_leaves_the_result_alone,
		every_verdict_has_a_name_of_its_own,
		malformed_ipv4_headers_are_refused,
		the_golden_messages_are_built,
		intervals_are_rounded_down_to_the_unit,
		a_buffer_that_is_too_small_yields_nothing,
		adverts_survive_building_and_parsing,
		capacity_fills_the_mtu,
		the_assigned_addresses_are_these,
		a_named_peer_may_send_any_ttl,
	};

	return run_suite("advert", tests, sizeof tests / sizeof tests[0]);
}
