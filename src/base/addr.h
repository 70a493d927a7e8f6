/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * An IP address of either family: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. Comparison is
 * unsigned in network order, as RFC 9568 6.4.3 wants it for equal priorities.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum family { FAMILY_IPV4, FAMILY_IPV6 };

#define FAMILY_COUNT 2

struct addr {
	uint8_t b[16];
};

/* A network: the first @len bits (0 to 128, of the 16 bytes) of @addr count. */
struct prefix {
	struct addr addr;
	uint8_t len;
};

#define ADDR_STRLEN 46

struct sockaddr;

/* The unspecified IPv6 address; used as "no address". */
extern const struct addr addr_none;

bool addr_is_none(const struct addr *a);
bool addr_is_ipv4(const struct addr *a);
bool addr_is_link_local(const struct addr *a);
bool addr_is_multicast(const struct addr *a);
enum family addr_family(const struct addr *a);

/* Less than, equal to or greater than 0, by unsigned network order. */
int addr_compare(const struct addr *a, const struct addr *b);
bool addr_equal(const struct addr *a, const struct addr *b);

/* Well mixed 64 bits of the address; for hash tables, not for secrets. */
uint64_t addr_hash(const struct addr *a);

/* Four bytes in network order to an address, and back; the address given to the latter is IPv4. */
struct addr addr_from_ipv4(const uint8_t four[static 4]);
const uint8_t *addr_ipv4_bytes(const struct addr *a);

/* The address of an AF_INET or AF_INET6 @from; false, and @ret_addr untouched, if it is NULL or of
 * another family. */
bool addr_from_sockaddr(const struct sockaddr *from, struct addr *ret_addr);

/* Bytes on the wire of an address of this family: 4 or 16. */
size_t addr_wire_size(enum family family);

/* Text such as 10.1.1.201 or 2001:db8::1. False, and @ret_addr untouched, if it is neither. */
bool addr_parse(const char *text, struct addr *ret_addr);

/* Writes the usual text form into @buffer and returns it. */
const char *addr_format(const struct addr *a, char buffer[static ADDR_STRLEN]);

/* True if @a has @p's family and lies within it. */
bool prefix_contains(const struct prefix *p, const struct addr *a);
