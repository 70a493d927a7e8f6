/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/assert.h"
#include "wire/neighbour.h"

#define FRAME_MAX 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What an Ethernet frame of ARP carries: an IPv4 address that somebody claims or asks about, or nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t head[] = {255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 0x64, 8, 6};
	static const uint8_t nobody[NEIGHBOUR_MAC];
	uint8_t frame[FRAME_MAX];
	struct neighbour n, untouched;

	if (size > sizeof frame - sizeof head)
		return 0;
	memcpy(frame, head, sizeof head);
	memcpy(frame + sizeof head, data, size);
	memset(&n, 0x5a, sizeof n);
	untouched = n;
	if (neighbour_parse(frame, sizeof head + size, &n) == NEIGHBOUR_ACCEPTED) {
		ASSERT(n.kind == NEIGHBOUR_CLAIM || n.kind == NEIGHBOUR_PROBE);
		ASSERT(addr_is_ipv4(&n.address));
		ASSERT(memcmp(n.mac, nobody, sizeof nobody) != 0);
	} else {
		ASSERT(memcmp(&n, &untouched, sizeof n) == 0);
	}
	return 0;
}
