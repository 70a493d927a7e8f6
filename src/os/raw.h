/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The two raw sockets that VRRP is spoken on: advertisements in and out, in batches. The fast thread
 * receives and sends; joining a group is the slow thread's, which the kernel allows at the same time.
 * After raw_new() nothing allocates and nothing blocks.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "wire/advert.h"
#include "wire/auth.h"

struct raw;

/* One call of raw_receive() takes at most so many datagrams. */
#define RAW_BATCH 32

struct raw_datagram {
	const uint8_t *message; /* VRRP, without the IP header; valid until the next receive */
	size_t size;
	struct advert_envelope envelope;
	uint32_t ifindex;
};

/* Opens a socket for each family of which @families has the bit (1 << FAMILY_...). 0 or negative errno. */
int raw_new(unsigned families, struct raw **ret_raw);
void raw_free(struct raw *r);

/* For poll(); -1 if the family is not spoken. */
int raw_fd(const struct raw *r, enum family family);

/* Joins or leaves the VRRP group on the interface. 0, also if it was so already, or negative errno. */
int raw_join(struct raw *r, enum family family, uint32_t ifindex);
void raw_leave(struct raw *r, enum family family, uint32_t ifindex);

/* Makes all memory that sending writes to the caller's own, which after fork() takes new pages. */
void raw_own(struct raw *r);

/* From now on it only sends: the kernel queues nothing for it. 0 or negative errno. */
int raw_deafen(struct raw *r);

/*
 * Takes up to RAW_BATCH datagrams that wait, in order, into @datagrams. Returns how many were taken
 * from the socket, so less than RAW_BATCH means that it was drained; *@ret_usable of them
 * have an intact IP header.
 */
uint32_t raw_receive(struct raw *r, enum family family,
	struct raw_datagram datagrams[static RAW_BATCH], uint32_t *ret_usable);

/* From now on whatever is queued is signed. @auth is borrowed, and then the fast thread's alone. */
void raw_sign_with(struct raw *r, struct auth *auth);

/* Builds @advert for @destination and queues it, flushing when the queue is full. */
void raw_queue(struct raw *r, uint32_t ifindex, const struct advert *advert,
	const struct addr *destination);

/* By which interface, from which address, and where to; both addresses are of one family. */
struct raw_route {
	uint32_t ifindex;
	struct addr source, destination;
};

/* The same for a message that advert_build() made earlier, of ADVERT_SIZE_MAX bytes at most. */
void raw_queue_message(
	struct raw *r, const struct raw_route *route, const uint8_t *message, size_t size);
void raw_flush(struct raw *r);

/* Each message that is queued from now on sets *@left when the kernel has taken it, by raw_flush() at the
 * latest. NULL: none does. */
void raw_note(struct raw *r, bool *left);

/* Advertisements that the kernel refused to send so far (a link that went down, a full queue), and
 * the errno of the last. May be asked from either thread. */
uint64_t raw_send_errors(const struct raw *r, int *ret_errno);

/* The last sequence that was signed with, 0 if none was yet. May be asked from either thread. */
uint64_t raw_sequence(const struct raw *r);
