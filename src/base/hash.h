/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Hashes of bytes. They keep no secret, so who chooses the bytes can have them collide. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* For this process alone, as it depends on the machine's byte order. Goes on from @h; the upper half is the better one. */
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

/* The same on every machine, and in every version: what nodes have to agree on may depend on it (FNV-1a). */
static inline uint64_t hash_for_all(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ bytes[i]) * 0x100000001b3u;
	return h ^ h >> 32;
}
