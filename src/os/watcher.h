/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Overhears ARP and neighbour discovery on the interfaces that carry VIPs: packet sockets of their
 * protocols, with a filter in the kernel, so that nothing else is copied and IPv4 data does not even
 * pass it. They lie behind the fence, which drops what is for a VIP that may not be served now. Also
 * sends questions.
 *
 * What comes in faster than it is read is dropped by the kernel, and counted.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "config/config.h"

struct watcher;

/* One call of watcher_receive() takes at most so many frames. */
#define WATCHER_BATCH 16

/* From the Ethernet header on, as far as @size goes; valid until the next receive. */
struct watcher_frame {
	const uint8_t *bytes;
	size_t size;
	uint32_t ifindex;
};

/* Opens a socket for each family of which @families has the bit (1 << FAMILY_...), deaf at first. 0
 * or negative errno. */
int watcher_new(unsigned families, struct watcher **ret_watcher);
void watcher_free(struct watcher *w);

/* For poll(); -1 if the family is not watched. */
int watcher_fd(const struct watcher *w, enum family family);

/* From now on these interfaces are heard, and no others. 0 or negative errno. */
int watcher_follow(struct watcher *w, const uint32_t *ifindexes, uint32_t n);

/* Takes up to WATCHER_BATCH frames that wait. Returns how many were taken, so less than
 * WATCHER_BATCH means that there are no more; *@ret_usable of them are in @frames. */
uint32_t watcher_receive(struct watcher *w, enum family family,
	struct watcher_frame frames[static WATCHER_BATCH], uint32_t *ret_usable);

/* Sends a whole frame, or lets it be: a question is asked again. */
void watcher_send(
	struct watcher *w, enum family family, uint32_t ifindex, const uint8_t *frame, size_t size);

/* Frames that the kernel has dropped so far because they were not read in time. */
uint64_t watcher_dropped(struct watcher *w);
