/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "os/netlink_message.h"

#define N_CHANGES 4
#define UNTOUCHED 4711
#define FIRST_SEQ 7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_link(void *context, const struct netlink_link *link)
{
	(void)context;
	ASSERT(memchr(link->name, '\0', sizeof link->name));
	ASSERT(link->present || !link->present); /* a bool that was never set is undefined */
}

static void check_address(void *context, const struct netlink_address *address)
{
	(void)context;
	ASSERT(!addr_is_none(&address->address));
	ASSERT(address->ours || !address->ours);
}

static void check_results(const void *bytes, size_t size)
{
	struct netlink_change changes[N_CHANGES];
	bool last;

	for (int i = 0; i < N_CHANGES; i++)
		changes[i] = (struct netlink_change){.error = UNTOUCHED};
	last = netlink_note_results(bytes, size, FIRST_SEQ, changes, N_CHANGES);
	ASSERT(last || changes[N_CHANGES - 1].error == UNTOUCHED);
}

/* A datagram of the kernel, read as news, as the answer to a dump, as a route and as the answer to a
 * batch. It may be of any size, but lies where a message may. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netlink_listener listener = {.link = check_link, .address = check_address};
	struct addr gateway = addr_none;
	void *bytes = malloc(size ? size : 1);

	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	size = netlink_sound_size(bytes, size);
	(void)mnl_cb_run(bytes, size, 0, 0, netlink_hear, &listener);
	(void)mnl_cb_run(bytes, size, FIRST_SEQ, 0, netlink_hear, &listener);
	(void)mnl_cb_run(bytes, size, 0, 0, netlink_read_gateway, &gateway);
	check_results(bytes, size);
	free(bytes);
	return 0;
}
