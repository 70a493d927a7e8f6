/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Sockets that a name server listens on. A VIP may come and go, so addresses are bound before they exist
 * (IP_FREEBIND), and on a socket of all addresses each packet tells which one was asked, for the answer to come
 * from there.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "config/config.h"

/* "10.1.1.2@53", for people. */
#define SOCKET_TEXT_SIZE (ADDR_STRLEN + 6)
const char *socket_format(const struct config_endpoint *e, char text[static SOCKET_TEXT_SIZE]);

/* Whether it stands for all addresses of its family. */
bool socket_is_wildcard(const struct config_endpoint *e);

/*
 * A bound socket, close-on-exec, or negative errno. Several of UDP may be bound to the same endpoint, and the
 * kernel spreads the clients over them; of TCP one alone, which finds out whether another server is there. @beside:
 * we listen on the same port already, at all addresses or at a single one; then -EADDRINUSE is said only if somebody
 * else does, too.
 */
int socket_open_udp(const struct config_endpoint *e);
int socket_open_tcp(const struct config_endpoint *e, bool beside);

/*
 * A socket with a send buffer of its own for answers to what @of, one of UDP and all addresses, receives: it sends from
 * the same port, and the packet information says from which address. It is bound to an address that nobody has, so it
 * takes no datagram away. Negative errno: -EINVAL if @of is of a single address.
 */
int socket_open_sender(int of);

/* Connections that wait to be accepted, at most. */
#define SOCKET_BACKLOG 256

/* A socket towards that endpoint, from any port; close-on-exec and non-blocking, or negative errno. */
int socket_connect_udp(const struct config_endpoint *e);

/* How many datagrams came and found no room, or were damaged; 0 if the kernel does not say. */
uint32_t socket_dropped(int fd);

/* How many bytes the other end of a TCP connection has taken in so far; 0 if the kernel does not say. */
uint64_t socket_acknowledged(int fd);
