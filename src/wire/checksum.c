/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/checksum.h"

#include <string.h>

/*
 * The sum is taken in the machine's byte order, 32 bits at a time into 64, and stored in the same
 * order, so nothing is ever swapped: RFC 1071 2 (B).
 */
uint64_t checksum_add(uint64_t sum, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	uint32_t word;
	uint16_t half = 0;

	for (; size >= sizeof word; size -= sizeof word, p += sizeof word) {
		memcpy(&word, p, sizeof word);
		sum += word;
	}
	if (size >= sizeof half) {
		memcpy(&half, p, sizeof half);
		sum += half;
		size -= sizeof half;
		p += sizeof half;
	}
	if (size > 0) {
		half = 0;
		memcpy(&half, p, 1); /* as if a zero byte followed (RFC 1071 4.1) */
		sum += half;
	}
	return sum;
}

uint64_t checksum_pseudo(const struct addr *source, const struct addr *destination,
	uint8_t protocol, uint16_t length)
{
	/* The two differ only in the size of the addresses: zeros add nothing. */
	const uint8_t rest[4] = {0, protocol, (uint8_t)(length >> 8), (uint8_t)length};
	const size_t size = addr_wire_size(addr_family(source));
	uint64_t sum = checksum_add(0, rest, sizeof rest);

	sum = checksum_add(sum, source->b + sizeof source->b - size, size);
	return checksum_add(sum, destination->b + sizeof destination->b - size, size);
}

static uint16_t fold(uint64_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

void checksum_write(uint64_t sum, uint8_t field[static 2])
{
	const uint16_t checksum = (uint16_t)~fold(sum);

	memcpy(field, &checksum, sizeof checksum);
}

bool checksum_is_valid(uint64_t sum)
{
	return fold(sum) == 0xffff;
}
