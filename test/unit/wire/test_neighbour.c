/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "wire/announcement.h"
#include "wire/neighbour.h"

#define FRAME_SIZE 256

/* Golden frames of 02:00:00:00:00:64 and of others that it is told from; 10.1.1.201 is 0a0101c9. */

#define TO_ALL  "ffffffffffff 020000000064 "
#define ARP_OF  "0806 0001 0800 06 04 "
#define NOBODY  "000000000000 "
#define STRANGE "020000000064 "

#define ARP_REQUEST TO_ALL ARP_OF "0001" STRANGE "0a0101c9" NOBODY "0a010101"
#define ARP_REPLY   TO_ALL ARP_OF "0002" STRANGE "0a0101c9" NOBODY "0a010101"
#define ARP_PROBE   TO_ALL ARP_OF "0001" STRANGE "00000000" NOBODY "0a0101c9" /* RFC 5227 2.1.1 */

#define TO_ND(SIZE)   "333300000001 020000000064 86dd 60000000" SIZE "3a ff"
#define LINK_LOCAL    "fe80000000000000 0000000000000064"
#define VIP           "20010db800000000 0000000000000201"
#define UNSPECIFIED   "0000000000000000 0000000000000000"
#define ALL_NODES     "ff02000000000000 0000000000000001"
#define VIPS_GROUP    "ff02000000000000 00000001ff000201"
#define SOURCE_OPTION "0101 020000000065"
#define TARGET_OPTION "0201 020000000065"

/* The checksum is filled in by expect(). */
#define NA_OPTION TO_ND("0020") LINK_LOCAL ALL_NODES "88 00 0000 20000000" VIP TARGET_OPTION
#define NA_PLAIN  TO_ND("0018") LINK_LOCAL ALL_NODES "88 00 0000 20000000" VIP
#define NS_OPTION TO_ND("0020") VIP ALL_NODES "87 00 0000 00000000" LINK_LOCAL SOURCE_OPTION
#define NS_PLAIN  TO_ND("0018") VIP ALL_NODES "87 00 0000 00000000" LINK_LOCAL
#define NS_PROBE  TO_ND("0018") UNSPECIFIED VIPS_GROUP "87 00 0000 00000000" VIP

#define IPV6_AT     14
#define MESSAGE_AT  54
#define CHECKSUM_AT 56

/* RFC 1071, in the plainest way: the bytes are summed in pairs as they stand. */
static uint32_t sum_of(const uint8_t *bytes, size_t size, uint32_t sum)
{
	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static void mend_checksum(uint8_t *frame, size_t size)
{
	const size_t length = size - MESSAGE_AT;
	uint32_t sum = sum_of(frame + IPV6_AT + 8, 32, (uint32_t)length + 58);

	memset(frame + CHECKSUM_AT, 0, 2);
	sum = sum_of(frame + MESSAGE_AT, length, sum);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	frame[CHECKSUM_AT] = (uint8_t)(~sum >> 8);
	frame[CHECKSUM_AT + 1] = (uint8_t)~sum;
}

static size_t frame_of(const char *hex, uint8_t frame[static FRAME_SIZE])
{
	const size_t size = hex_read(hex, frame, FRAME_SIZE);

	if (size > CHECKSUM_AT + 2 && frame[12] == 0x86 && frame[20] == 58)
		mend_checksum(frame, size);
	return size;
}

/* The parser sees a copy that ends where the frame does, so that a sanitizer sees it read beyond. */
static enum neighbour_verdict parse(const uint8_t *frame, size_t size, struct neighbour *ret)
{
	uint8_t *tight = malloc(size ? size : 1);
	enum neighbour_verdict verdict;

	ck_assert_ptr_nonnull(tight);
	memcpy(tight, frame, size);
	verdict = neighbour_parse(tight, size, ret);
	free(tight);
	return verdict;
}

static void expect_refused(const char *hex, enum neighbour_verdict wanted)
{
	uint8_t frame[FRAME_SIZE];
	const size_t size = frame_of(hex, frame);
	struct neighbour got, untouched;
	enum neighbour_verdict verdict;

	memset(&got, 0x5a, sizeof got);
	untouched = got;
	verdict = parse(frame, size, &got);
	ck_assert_msg(verdict == wanted, "%s: %s, not %s", hex, neighbour_verdict_name(verdict),
		neighbour_verdict_name(wanted));
	ck_assert_mem_eq(&got, &untouched, sizeof got);
}

/* Padded or not, it says that; cut short anywhere, nothing. */
static void expect(
	const char *hex, enum neighbour_kind kind, const char *address, uint8_t last_of_mac)
{
	const uint8_t mac[NEIGHBOUR_MAC] = {2, [5] = last_of_mac};
	uint8_t frame[FRAME_SIZE] = {0};
	const size_t size = frame_of(hex, frame);
	struct neighbour got;
	struct addr wanted;

	ck_assert(addr_parse(address, &wanted));
	for (size_t padding = 0; padding < 18; padding++) {
		ck_assert_int_eq(parse(frame, size + padding, &got), NEIGHBOUR_ACCEPTED);
		ck_assert_int_eq(got.kind, kind);
		ck_assert(addr_equal(&got.address, &wanted));
		ck_assert_mem_eq(got.mac, mac, sizeof mac);
	}
	for (size_t short_of = 0; short_of < size; short_of++)
		ck_assert_int_eq(parse(frame, short_of, &got), NEIGHBOUR_TRUNCATED);
}

START_TEST(the_sender_of_arp_claims_its_address_in_question_and_answer)
{
	expect(ARP_REQUEST, NEIGHBOUR_CLAIM, "10.1.1.201", 0x64);
	expect(ARP_REPLY, NEIGHBOUR_CLAIM, "10.1.1.201", 0x64);
}
END_TEST

/* RFC 5227 2.1.1 */
START_TEST(arp_from_nobody_asks_whether_the_target_is_taken)
{
	expect(ARP_PROBE, NEIGHBOUR_PROBE, "10.1.1.201", 0x64);
	expect_refused(
		TO_ALL ARP_OF "0002" STRANGE "00000000" NOBODY "0a0101c9", NEIGHBOUR_BAD_ADDRESS);
}
END_TEST

START_TEST(what_arp_says_counts_and_not_who_delivered_it)
{
	expect(TO_ALL ARP_OF "0001 020000000065 0a0101c9" NOBODY "0a010101", NEIGHBOUR_CLAIM,
		"10.1.1.201", 0x65);
}
END_TEST

START_TEST(an_advertisement_claims_its_target)
{
	expect(NA_OPTION, NEIGHBOUR_CLAIM, "2001:db8::201", 0x65);
	expect(NA_PLAIN, NEIGHBOUR_CLAIM, "2001:db8::201", 0x64);
}
END_TEST

START_TEST(a_solicitation_claims_its_source)
{
	expect(NS_OPTION, NEIGHBOUR_CLAIM, "2001:db8::201", 0x65);
	expect(NS_PLAIN, NEIGHBOUR_CLAIM, "2001:db8::201", 0x64);
}
END_TEST

/* RFC 4862 5.4.3 */
START_TEST(a_solicitation_from_nobody_asks_whether_the_target_is_taken)
{
	expect(NS_PROBE, NEIGHBOUR_PROBE, "2001:db8::201", 0x64);
}
END_TEST

START_TEST(options_that_are_not_known_are_passed_over)
{
	/* a nonce (RFC 3971 5.3.2) before, and an MTU behind */
	expect(TO_ND("0030") LINK_LOCAL ALL_NODES
		"88 00 0000 20000000" VIP "0e01 010203040506" TARGET_OPTION "0501 0000 000005dc",
		NEIGHBOUR_CLAIM, "2001:db8::201", 0x65);
}
END_TEST

START_TEST(what_is_built_is_understood)
{
	static const char *const vips[] = {"10.1.1.201", "2001:db8::201"};
	static const char *const gateways[] = {"10.1.1.1", "fe80::1"};
	struct announcement a = {.mac = {2, 0, 0, 0, 0, 1}};
	uint8_t frame[ANNOUNCEMENT_SIZE_MAX];
	struct neighbour n;

	for (int i = 0; i < 2; i++) {
		ck_assert(addr_parse(vips[i], &a.vip) && addr_parse(gateways[i], &a.gateway));
		for (int query = 0; query < 2; query++) {
			const size_t size = (query ? announcement_build_query : announcement_build)(
				&a, frame, sizeof frame);

			ck_assert_int_eq(parse(frame, size, &n), NEIGHBOUR_ACCEPTED);
			ck_assert_int_eq(n.kind, NEIGHBOUR_CLAIM);
			ck_assert(addr_equal(&n.address, &a.vip));
			ck_assert_mem_eq(n.mac, a.mac, sizeof n.mac);
		}
	}
}
END_TEST

START_TEST(other_frames_are_passed_over)
{
	static const char *const others[] = {
		TO_ALL "0800 45000014 00000000 ff700000 0a010102 e0000012",
		TO_ALL "0806 0006 0800 06 04 0001" STRANGE "0a0101c9" NOBODY "0a010101",
		TO_ALL "0806 0001 86dd 06 04 0001" STRANGE "0a0101c9" NOBODY "0a010101",
		TO_ALL "0806 0001 0800 08 04 0001" STRANGE "0a0101c9" NOBODY "0a010101",
		TO_ALL "0806 0001 0800 06 10 0001" STRANGE "0a0101c9" NOBODY "0a010101",
		TO_ALL ARP_OF "0003" STRANGE "0a0101c9" NOBODY "0a010101",
		TO_ALL "86dd 60000000 0000 11 ff" LINK_LOCAL ALL_NODES,
		TO_ALL "86dd 50000000 0000 3a ff" LINK_LOCAL ALL_NODES,
		TO_ND("0008") LINK_LOCAL ALL_NODES "80 00 0000 00000000",
		TO_ND("0000") LINK_LOCAL ALL_NODES,
	};

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		expect_refused(others[i], NEIGHBOUR_OTHER);
}
END_TEST

/* RFC 4861 7.1.1, 7.1.2 */
START_TEST(what_neighbour_discovery_forbids_is_refused_with_its_reason)
{
	static const struct {
		const char *hex;
		enum neighbour_verdict verdict;
	} cases[] = {
		{TO_ND("0010") LINK_LOCAL ALL_NODES "88 00 0000 20000000 0000000000000000",
			NEIGHBOUR_TRUNCATED},
		{"333300000001 020000000064 86dd 60000000 0018 3a fe" LINK_LOCAL ALL_NODES
		 "88 00 0000 20000000" VIP,
			NEIGHBOUR_BAD_HOP_LIMIT},
		{TO_ND("0018") LINK_LOCAL ALL_NODES "88 01 0000 20000000" VIP, NEIGHBOUR_BAD_CODE},
		{TO_ND("0018") LINK_LOCAL ALL_NODES "88 00 0000 20000000" ALL_NODES,
			NEIGHBOUR_BAD_TARGET},
		{TO_ND("0018") LINK_LOCAL ALL_NODES
			"88 00 0000 20000000 0000000000000000 0000ffff0a0101c9",
			NEIGHBOUR_BAD_TARGET},
		{TO_ND("0018") ALL_NODES ALL_NODES "88 00 0000 20000000" VIP,
			NEIGHBOUR_BAD_ADDRESS},
		/* solicited, and yet to all */
		{TO_ND("0018") LINK_LOCAL ALL_NODES "88 00 0000 60000000" VIP,
			NEIGHBOUR_BAD_ADDRESS},
		{TO_ND("0018") UNSPECIFIED ALL_NODES "87 00 0000 00000000" VIP,
			NEIGHBOUR_BAD_ADDRESS},
		{TO_ND("0020") UNSPECIFIED VIPS_GROUP "87 00 0000 00000000" VIP SOURCE_OPTION,
			NEIGHBOUR_BAD_OPTION},
		{TO_ND("0020") LINK_LOCAL ALL_NODES "88 00 0000 20000000" VIP "0200 020000000065",
			NEIGHBOUR_BAD_OPTION},
		{TO_ND("0020") LINK_LOCAL ALL_NODES "88 00 0000 20000000" VIP "0202 020000000065",
			NEIGHBOUR_BAD_OPTION},
		{TO_ND("0019") LINK_LOCAL ALL_NODES "88 00 0000 20000000" VIP "02",
			NEIGHBOUR_BAD_OPTION},
		{TO_ND("0028") LINK_LOCAL ALL_NODES "88 00 0000 20000000" VIP
						    "0202 0200000000650000 000000000000",
			NEIGHBOUR_BAD_OPTION},
		{TO_ND("0020") LINK_LOCAL ALL_NODES "88 00 0000 20000000" VIP "0201" NOBODY,
			NEIGHBOUR_BAD_MAC},
		{TO_ALL ARP_OF "0001" NOBODY "0a0101c9" NOBODY "0a010101", NEIGHBOUR_BAD_MAC},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		expect_refused(cases[i].hex, cases[i].verdict);
}
END_TEST

START_TEST(any_flipped_bit_of_a_message_is_seen)
{
	uint8_t frame[FRAME_SIZE];
	const size_t size = frame_of(NA_OPTION, frame);
	struct neighbour n;

	for (size_t bit = MESSAGE_AT * 8; bit < size * 8; bit++) {
		frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_ne(parse(frame, size, &n), NEIGHBOUR_ACCEPTED);
		frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	frame[CHECKSUM_AT] ^= 1;
	ck_assert_int_eq(parse(frame, size, &n), NEIGHBOUR_BAD_CHECKSUM);
}
END_TEST

START_TEST(a_mac_is_written_as_usual)
{
	char text[NEIGHBOUR_MAC_STRLEN];
	const uint8_t mac[NEIGHBOUR_MAC] = {0x02, 0, 0xab, 0, 0xff, 0x64};

	ck_assert_str_eq(neighbour_format_mac(mac, text), "02:00:ab:00:ff:64");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_sender_of_arp_claims_its_address_in_question_and_answer,
		arp_from_nobody_asks_whether_the_target_is_taken,
		what_arp_says_counts_and_not_who_delivered_it,
		an_advertisement_claims_its_target,
		a_solicitation_claims_its_source,
		a_solicitation_from_nobody_asks_whether_the_target_is_taken,
		options_that_are_not_known_are_passed_over,
		what_is_built_is_understood,
		other_frames_are_passed_over,
		what_neighbour_discovery_forbids_is_refused_with_its_reason,
		any_flipped_bit_of_a_message_is_seen,
		a_mac_is_written_as_usual,
	};

	return run_suite("neighbour", tests, sizeof tests / sizeof tests[0]);
}
