/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "advert.h"
#include "base/assert.h"

/* A datagram as a raw socket delivers it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct advert_envelope envelope;
	size_t offset, message_size;

	if (!advert_strip_ipv4(data, size, &envelope, &offset, &message_size))
		return 0;
	ASSERT(offset >= 20 && offset <= 60 && offset + message_size <= size);
	ASSERT(addr_is_ipv4(&envelope.source) && addr_is_ipv4(&envelope.destination));
	fuzz_advert(data + offset, message_size, &envelope);
	return 0;
}
