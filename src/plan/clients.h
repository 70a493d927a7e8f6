/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * How clients choose among the addresses of a name: by RFC 6724 section 6, rule 9, a client prefers the
 * one that shares the longest prefix with its own address, whatever order the name server gave them. glibc
 * does so over IPv6 and, for destinations in the client's own network, over IPv4; musl over IPv6, and over
 * IPv4 where the name has both. Then a VIP next to many clients gets most of them. Addresses that differ in
 * their last bits alone, in one aligned block, are equally near to everybody outside.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

/*
 * The share of the clients that choose each of the @n addresses first, if the clients are spread evenly over the network
 * of @len bits (as struct prefix has them) that has all the addresses, and the server's order is fair. The addresses are
 * different, of one family, and in rising order; the shares add up to 1.
 */
void clients_shares(const struct addr *addresses, uint32_t n, uint8_t len, double *ret_shares);

/* Addresses that are in use, and a network to look for room in. */
struct clients_room {
	struct prefix network;
	const struct addr *taken;
	uint32_t n_taken;
};

/* The aligned block of a power of two of addresses, @n at least, that is nearest to @near, has none that is taken, and
 * neither the first nor the last address of the network. False if there is none nearby. */
bool clients_find_block(const struct clients_room *room, const struct addr *near, uint32_t n,
	struct addr *ret_first, struct addr *ret_last);
