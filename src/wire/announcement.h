/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The frames that tell neighbours who serves a VIP now. Pure builders of whole Ethernet frames.
 *
 *    IPv4  gratuitous ARP request: who-has VIP tell VIP (Linux ignores the reply form within 1 s)
 *    IPv4  who-has GATEWAY tell VIP: even creates a missing entry in the gateway
 *    IPv6  unsolicited neighbour advertisement to ff02::1, Override set (RFC 4861 4.4, 7.2.6)
 *    IPv6  neighbour solicitation for the gateway from the VIP, with its link-layer address
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define ANNOUNCEMENT_SIZE_MAX 96

struct announcement {
	uint8_t mac[6]; /* of the interface that serves */
	struct addr vip;
	struct addr gateway; /* of the VIP's family, or addr_none */
	bool router;         /* IPv6: this host forwards, so the Router flag is set */
};

/* The gratuitous ARP request or unsolicited NA; returns the frame's size, 0 if it does not fit. */
size_t announcement_build(const struct announcement *a, uint8_t *frame, size_t size);

/* The question to the gateway; 0 if there is no gateway or it does not fit. */
size_t announcement_build_query(const struct announcement *a, uint8_t *frame, size_t size);
