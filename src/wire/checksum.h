/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The Internet checksum (RFC 1071), shared by VRRP and ICMPv6. A sum is begun with 0 or a
 * pseudo-header, fed with pieces of even size (only the last may be odd) and finished once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* @sum with @size bytes added to it; up to 2^32 bytes may be summed. */
uint64_t checksum_add(uint64_t sum, const void *bytes, size_t size);

/* The pseudo-header of IPv4 (RFC 9293 3.1) or IPv6 (RFC 8200 8.1), by the family of @source, for an
 * upper-layer message of @length bytes. */
uint64_t checksum_pseudo(const struct addr *source, const struct addr *destination,
	uint8_t protocol, uint16_t length);

/* Writes the checksum of @sum to @field, which was summed as zero. */
void checksum_write(uint64_t sum, uint8_t field[static 2]);

/* True if @sum, in which the received checksum was included, is that of an intact message. */
bool checksum_is_valid(uint64_t sum);
