/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Where the advertisements of each virtual router go: to its family's group, or to every unicast peer.
 * It follows from the file alone, so it is found once.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "plan/plan.h"

struct destinations {
	struct addr *addresses;
	/* By router, and one more: where its addresses begin, and the last one's end. */
	uint32_t *first;
};

/* All memory is taken here; false if there is none. */
bool destinations_init(struct destinations *d, const struct plan *plan, uint32_t self);
void destinations_fini(struct destinations *d);

/* Those of @router, *@ret_n of them. */
static inline const struct addr *destinations_of(
	const struct destinations *d, uint32_t router, uint32_t *ret_n)
{
	*ret_n = d->first[router + 1] - d->first[router];
	return &d->addresses[d->first[router]];
}
