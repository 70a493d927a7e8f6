/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * One pointer that many threads read and one replaces, without a lock and without anybody waiting.
 *
 *    reader: take ── use it for a batch ── release        owner: swap ─► the old one ─► is_in_use? ─► free
 *
 * A reader writes down what it uses and looks again whether that is still current (a hazard pointer). So a
 * reader that sleeps holds nothing back, and what the owner has replaced is free as soon as no reader has it
 * written down.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A reader's note, in a cache line of its own. */
struct snapshot_reader {
	_Alignas(64) _Atomic(void *) in_use; /* NULL: nothing */
};

struct snapshot {
	_Atomic(void *) current;
	struct snapshot_reader *readers;
	uint32_t n_readers;
};

/* @first is what readers get until the first swap. False if there is no memory. */
bool snapshot_init(struct snapshot *s, uint32_t n_readers, void *first);
void snapshot_fini(struct snapshot *s);

/* What is current, for reader @i until it says snapshot_release(). */
static inline void *snapshot_take(struct snapshot *s, uint32_t i)
{
	void *p = atomic_load_explicit(&s->current, memory_order_acquire);

	for (;;) {
		void *again;

		/* In the order of all: the owner either sees the note, or swapped before the look below. */
		atomic_store(&s->readers[i].in_use, p);
		again = atomic_load(&s->current);
		if (again == p)
			return p;
		p = again;
	}
}

static inline void snapshot_release(struct snapshot *s, uint32_t i)
{
	atomic_store_explicit(&s->readers[i].in_use, NULL, memory_order_release);
}

/* What follows is for the one owner. */

/* Puts @next in place; what was there may still be in use. */
void *snapshot_swap(struct snapshot *s, void *next);

/* Whether some reader has @p, which is no longer current. Once false, it stays so. */
bool snapshot_is_in_use(const struct snapshot *s, const void *p);
