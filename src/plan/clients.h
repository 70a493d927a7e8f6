/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * How clients choose among the addresses of a name: by RFC 6724 section 6, rule 9, a client prefers the
 * one that shares the longest prefix with its own address, whatever order the name server gave them. glibc
 * does so over IPv6 and, for destinations in the client's own network, over IPv4; musl over IPv6, and over
 * IPv4 where the name has both.
 *
 *    10.1.1.0/24   ...   [ .200  .201 | .202  .203 ]   ...     the least network with the addresses: 10.1.1.200/30
 *                          one half   the other half
 *
 * A client outside of it is equally near to all and takes the server's order; one inside always chooses an address of its
 * own half. Addresses that fill such a network are used evenly, for no client is in it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

/* Clients that choose among some of the addresses alone: the @n from index @first on. */
struct clients_half {
	struct prefix network;
	uint32_t first, n;
};

/*
 * The halves of the least network that has all the @n addresses, 2 at least, different, of one family and in rising order.
 * False if it has next to no room for clients: it is half full or more, and what is left is at most an eighth of the
 * network of @len bits (as struct prefix has them) that the addresses are in.
 */
bool clients_split(const struct addr *addresses, uint32_t n, uint8_t len,
	struct clients_half ret_halves[static 2]);

/* Addresses that are in use, and a network to look for room in. */
struct clients_room {
	struct prefix network;
	const struct addr *taken;
	uint32_t n_taken;
};

/* The aligned block of a power of two of addresses, @n at least, that is nearest to @near, has none that is taken, and
 * neither the first nor the last address of the network. @n of its addresses do not split the clients. False if there is
 * none nearby. */
bool clients_find_block(const struct clients_room *room, const struct addr *near, uint32_t n,
	struct addr *ret_first, struct addr *ret_last);
