/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What probe and echo, the lab's two measuring tools, say to each other: one small UDP datagram,
 * sent back as it came but with the server's number filled in. All programs of a lab share one
 * machine, so numbers are in host order.
 */

#include <stdint.h>

#define PROBE_PORT  4711
#define PROBE_MAGIC 0x74736f72u
#define PROBE_BATCH 256 /* datagrams per system call */

struct probe_message {
	uint32_t magic;
	uint16_t target; /* index among the prober's addresses */
	uint16_t server; /* 0 in a question */
	uint32_t sequence;
};
