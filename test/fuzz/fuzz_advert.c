/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "advert.h"

/* The first byte chooses: 1 IPv6, 2 a wrong TTL, 4 mend the checksum, so that the rest is reached. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct advert_envelope e = {0};
	uint8_t message[ADVERT_SIZE_MAX + ADVERT_TRAILER_SIZE + 8];

	if (size < 1 || size - 1 > sizeof message)
		return 0;
	e.family = data[0] & 1 ? FAMILY_IPV6 : FAMILY_IPV4;
	e.ttl = data[0] & 2 ? 254 : 255;
	addr_parse(data[0] & 1 ? "fe80::2" : "10.1.1.2", &e.source);
	e.destination = *advert_group(e.family);
	memcpy(message, data + 1, size - 1);
	if (data[0] & 4 && size - 1 >= 8)
		fuzz_mend(message, size - 1, &e);
	fuzz_advert(message, size - 1, &e);
	return 0;
}
