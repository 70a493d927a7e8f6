/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "wire/checksum.h"

/* RFC 1071 3: these eight bytes add up to ddf2. */
START_TEST(the_example_of_rfc_1071_holds)
{
	const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	const uint8_t expected[] = {0x22, 0x0d};
	uint8_t field[2];

	checksum_write(checksum_add(0, bytes, sizeof bytes), field);
	ck_assert_mem_eq(field, expected, 2);
	ck_assert(checksum_is_valid(checksum_add(checksum_add(0, bytes, 8), field, 2)));
	field[0] ^= 1;
	ck_assert(!checksum_is_valid(checksum_add(checksum_add(0, bytes, 8), field, 2)));
}
END_TEST

static uint16_t plain_sum(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++) {
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

START_TEST(every_length_and_alignment_agrees_with_the_plain_sum)
{
	struct rng rng = {.state = 7};
	uint8_t bytes[300], field[2];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(rng_below(&rng, 3) ? rng_next(&rng) : 0xff);
	for (size_t from = 0; from < 8; from++) {
		for (size_t size = 0; from + size <= sizeof bytes; size++) {
			const uint16_t plain = plain_sum(bytes + from, size);

			checksum_write(checksum_add(0, bytes + from, size), field);
			ck_assert_uint_eq((unsigned)field[0] << 8 | field[1], plain);
		}
	}
}
END_TEST

START_TEST(pieces_of_even_size_add_up_to_the_whole)
{
	uint8_t bytes[64], whole[2], pieces[2];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 37);
	checksum_write(checksum_add(0, bytes, sizeof bytes), whole);
	for (size_t cut = 0; cut <= sizeof bytes; cut += 2) {
		const uint64_t first = checksum_add(0, bytes, cut);

		checksum_write(checksum_add(first, bytes + cut, sizeof bytes - cut), pieces);
		ck_assert_mem_eq(pieces, whole, 2);
	}
}
END_TEST

/* The longest message of ones: the accumulator must not overflow. */
START_TEST(many_ones_do_not_overflow)
{
	const size_t size = 1 << 20;
	uint8_t *ones = malloc(size), field[2];

	ck_assert_ptr_nonnull(ones);
	memset(ones, 0xff, size);
	checksum_write(checksum_add(0, ones, size), field);
	ck_assert_uint_eq(field[0], 0);
	ck_assert_uint_eq(field[1], 0);
	free(ones);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_example_of_rfc_1071_holds,
		every_length_and_alignment_agrees_with_the_plain_sum,
		pieces_of_even_size_add_up_to_the_whole,
		many_ones_do_not_overflow,
	};

	return run_suite("checksum", tests, sizeof tests / sizeof tests[0]);
}
