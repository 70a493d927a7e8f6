/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What the kernel's messages say, for netlink.c alone: bytes that were received go in, structs come
 * out, and no system call is made, so that a test can say anything in the kernel's name. Attributes
 * that are not of the expected size are left out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/netlink.h"

struct nlmsghdr;

/* How much of a datagram of @size bytes are whole messages, padding included. libmnl takes a length of 2 GiB
 * and more for a negative one, which it then follows out of the buffer, and a last attribute to reach
 * into padding that need not be there. Everything below is given no more than this. */
size_t netlink_sound_size(const void *bytes, size_t size);

/* Callbacks for mnl_cb_run(), which has checked that the message lies in the buffer. */

/* News of a link or an address, for @listener, a struct netlink_listener; others are ignored. */
int netlink_hear(const struct nlmsghdr *h, void *listener);

/* A route: its gateway to @gateway, a struct addr, which is left alone if there is none. */
int netlink_read_gateway(const struct nlmsghdr *h, void *gateway);

/* One datagram of answers to a batch, whose first change had @first_seq: notes what became of which
 * change. True when the answer to the last was among them. */
bool netlink_note_results(const void *bytes, size_t size, uint32_t first_seq,
	struct netlink_change *changes, uint32_t n_changes);
