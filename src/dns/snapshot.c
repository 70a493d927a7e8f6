/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/snapshot.h"

#include <stdlib.h>

bool snapshot_init(struct snapshot *s, uint32_t n_readers, void *first)
{
	s->readers =
		aligned_alloc(_Alignof(struct snapshot_reader), n_readers * sizeof *s->readers);
	if (!s->readers)
		return false;
	s->n_readers = n_readers;
	for (uint32_t i = 0; i < n_readers; i++)
		atomic_init(&s->readers[i].in_use, NULL);
	atomic_init(&s->current, first);
	return true;
}

void snapshot_fini(struct snapshot *s)
{
	free(s->readers);
}

void *snapshot_swap(struct snapshot *s, void *next)
{
	return atomic_exchange(&s->current, next);
}

bool snapshot_is_in_use(const struct snapshot *s, const void *p)
{
	for (uint32_t i = 0; i < s->n_readers; i++)
		if (atomic_load(&s->readers[i].in_use) == p)
			return true;
	return false;
}
