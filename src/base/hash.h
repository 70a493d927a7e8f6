/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* A hash of bytes, for this process alone: it depends on the machine's byte order. It keeps no secret, so who chooses the
 * bytes can have them collide. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Goes on from @h; the upper half is the better one. */
static inline uint64_t hash_bytes(uint64_t h, const uint8_t *bytes, size_t size)
{
	const uint64_t k = 0x9e3779b97f4a7c15u;
	uint64_t part;

	for (; size >= 8; bytes += 8, size -= 8) {
		memcpy(&part, bytes, 8);
		h = (h ^ part) * k;
		h ^= h >> 32;
	}
	part = 0;
	memcpy(&part, bytes, size);
	h = (h ^ part) * k;
	return h ^ h >> 32;
}
