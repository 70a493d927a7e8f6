/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/assert.h"
#include "wire/checksum.h"
#include "wire/neighbour.h"

#define FRAME_MAX   512
#define ETHERNET    14
#define IPV6        40
#define CHECKSUM_AT 2
#define ICMPV6      58

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The length and the checksum of the message are made right, so that the rest is reached. */
static void mend(uint8_t *packet, size_t size)
{
	const uint16_t length = (uint16_t)(size - IPV6);
	uint8_t *message = packet + IPV6;
	struct addr source, destination;
	uint64_t sum;

	memcpy(source.b, packet + 8, sizeof source.b);
	memcpy(destination.b, packet + 24, sizeof destination.b);
	packet[4] = (uint8_t)(length >> 8);
	packet[5] = (uint8_t)length;
	memset(message + CHECKSUM_AT, 0, 2);
	sum = checksum_pseudo(&source, &destination, ICMPV6, length);
	checksum_write(checksum_add(sum, message, length), message + CHECKSUM_AT);
}

/* An IPv6 packet with a solicitation or an advertisement: an address that somebody claims or asks
 * about, or nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t head[] = {0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x64, 0x86, 0xdd};
	uint8_t frame[FRAME_MAX];
	struct neighbour n, untouched;

	if (size > sizeof frame - sizeof head)
		return 0;
	memcpy(frame, head, sizeof head);
	memcpy(frame + sizeof head, data, size);
	if (size >= IPV6 + CHECKSUM_AT + 2)
		mend(frame + ETHERNET, size);
	memset(&n, 0x5a, sizeof n);
	untouched = n;
	if (neighbour_parse(frame, sizeof head + size, &n) == NEIGHBOUR_ACCEPTED) {
		ASSERT(n.kind == NEIGHBOUR_CLAIM || n.kind == NEIGHBOUR_PROBE);
		ASSERT(!addr_is_ipv4(&n.address) && !addr_is_multicast(&n.address));
	} else {
		ASSERT(memcmp(&n, &untouched, sizeof n) == 0);
	}
	return 0;
}
