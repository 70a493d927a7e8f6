/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/assert.h"

const struct addr addr_none;

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

bool addr_is_none(const struct addr *a)
{
	return addr_equal(a, &addr_none);
}

bool addr_is_ipv4(const struct addr *a)
{
	return memcmp(a->b, mapped, sizeof mapped) == 0;
}

bool addr_is_link_local(const struct addr *a)
{
	if (addr_is_ipv4(a))
		return a->b[12] == 169 && a->b[13] == 254;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_multicast(const struct addr *a)
{
	return addr_is_ipv4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

enum family addr_family(const struct addr *a)
{
	return addr_is_ipv4(a) ? FAMILY_IPV4 : FAMILY_IPV6;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, sizeof a->b);
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_compare(a, b) == 0;
}

uint64_t addr_hash(const struct addr *a)
{
	uint64_t high, low;

	memcpy(&high, a->b, 8);
	memcpy(&low, a->b + 8, 8);
	low ^= high * 0x9e3779b97f4a7c15u;
	low = (low ^ (low >> 32)) * 0xd6e8feb86659fd93u;
	return low ^ (low >> 32);
}

struct addr addr_from_ipv4(const uint8_t four[static 4])
{
	struct addr a;

	memcpy(a.b, mapped, sizeof mapped);
	memcpy(a.b + 12, four, 4);
	return a;
}

const uint8_t *addr_ipv4_bytes(const struct addr *a)
{
	ASSERT(addr_is_ipv4(a));
	return a->b + 12;
}

bool addr_from_sockaddr(const struct sockaddr *from, struct addr *ret_addr)
{
	/* the kernel's and getifaddrs()' are aligned for any of them */
	const void *any = from;
	const struct sockaddr_in *four = any;
	const struct sockaddr_in6 *six = any;

	if (!from)
		return false;
	if (from->sa_family == AF_INET) {
		uint8_t bytes[4];

		memcpy(bytes, &four->sin_addr, sizeof bytes);
		*ret_addr = addr_from_ipv4(bytes);
		return true;
	}
	if (from->sa_family != AF_INET6)
		return false;
	memcpy(ret_addr->b, &six->sin6_addr, sizeof ret_addr->b);
	return true;
}

size_t addr_wire_size(enum family family)
{
	return family == FAMILY_IPV4 ? 4 : 16;
}

bool addr_parse(const char *text, struct addr *ret_addr)
{
	uint8_t four[4];
	struct addr a;

	if (inet_pton(AF_INET, text, four) == 1) {
		*ret_addr = addr_from_ipv4(four);
		return true;
	}
	if (inet_pton(AF_INET6, text, a.b) != 1)
		return false;
	*ret_addr = a;
	return true;
}

const char *addr_format(const struct addr *a, char buffer[static ADDR_STRLEN])
{
	if (addr_is_ipv4(a))
		return inet_ntop(AF_INET, a->b + 12, buffer, ADDR_STRLEN);
	return inet_ntop(AF_INET6, a->b, buffer, ADDR_STRLEN);
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	const size_t whole = p->len / 8u;
	const uint8_t rest = p->len % 8u;

	ASSERT(p->len <= 128);
	if (addr_is_ipv4(&p->addr) != addr_is_ipv4(a))
		return false;
	if (memcmp(p->addr.b, a->b, whole) != 0)
		return false;
	if (rest == 0)
		return true;
	return ((p->addr.b[whole] ^ a->b[whole]) >> (8u - rest)) == 0;
}
