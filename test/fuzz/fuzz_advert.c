/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "advert.h"

/* The first byte chooses: 1 IPv6, 2 a wrong TTL, 4 mend the checksum, so that the rest is reached, 8 the source
 * follows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct advert_envelope e = {0};
	uint8_t message[ADVERT_SIZE_MAX + ADVERT_TRAILER_SIZE + 8], how;

	if (size < 1)
		return 0;
	e.family = data[0] & 1 ? FAMILY_IPV6 : FAMILY_IPV4;
	e.ttl = data[0] & 2 ? 254 : 255;
	e.destination = *advert_group(e.family);
	how = *data++;
	size--;
	e.source = fuzz_source(how & 8 ? &data : NULL, &size, e.family);
	if (size > sizeof message)
		return 0;
	memcpy(message, data, size);
	if (how & 4 && size >= 8)
		fuzz_mend(message, size, &e);
	fuzz_advert(message, size, &e);
	return 0;
}
