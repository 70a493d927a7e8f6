/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/assert.h"
#include "dns/snapshot.h"
#include "suite.h"

#define READERS 3
#define SWAPS   20000

START_TEST(what_was_swapped_out_is_in_use_until_its_reader_releases_it)
{
	struct snapshot s;
	int first, second, third;

	ck_assert(snapshot_init(&s, 2, &first));
	ck_assert_ptr_eq(snapshot_take(&s, 0), &first);
	ck_assert_ptr_eq(snapshot_swap(&s, &second), &first);
	ck_assert(snapshot_is_in_use(&s, &first));
	ck_assert_ptr_eq(snapshot_take(&s, 1), &second);
	snapshot_release(&s, 0);
	ck_assert(!snapshot_is_in_use(&s, &first));
	ck_assert_ptr_eq(snapshot_swap(&s, &third), &second);
	ck_assert(snapshot_is_in_use(&s, &second));
	snapshot_release(&s, 1);
	ck_assert(!snapshot_is_in_use(&s, &second));
	snapshot_fini(&s);
}
END_TEST

START_TEST(a_reader_that_sleeps_holds_nothing_back)
{
	struct snapshot s;
	int first, second;

	ck_assert(snapshot_init(&s, READERS, &first));
	ck_assert_ptr_eq(snapshot_swap(&s, &second), &first);
	ck_assert(!snapshot_is_in_use(&s, &first));
	snapshot_fini(&s);
}
END_TEST

/* What readers look at: it says so itself when it is no longer to be looked at. */
struct page {
	_Atomic bool freed;
};

struct reader {
	struct snapshot *snapshot;
	uint32_t index;
	_Atomic bool *stop;
	_Atomic uint64_t reads;
	uint64_t wrong;
};

static void *read_on(void *context)
{
	struct reader *r = context;

	while (!atomic_load(r->stop)) {
		const struct page *p = snapshot_take(r->snapshot, r->index);

		/* now and then for longer, so that the owner finds it in use, on one core, too */
		if (r->reads % 8 == 0)
			sched_yield();
		for (int i = 0; i < 10; i++)
			r->wrong += atomic_load(&p->freed);
		snapshot_release(r->snapshot, r->index);
		r->reads++;
	}
	return NULL;
}

START_TEST(no_reader_ever_has_what_was_freed)
{
	struct page *pages = calloc(SWAPS + 1, sizeof *pages);
	struct reader readers[READERS];
	pthread_t threads[READERS];
	_Atomic bool stop = false;
	struct snapshot s;
	uint64_t waits = 0;

	ck_assert(snapshot_init(&s, READERS, &pages[0]));
	for (uint32_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.snapshot = &s, .index = i, .stop = &stop};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
		while (atomic_load(&readers[i].reads) == 0)
			sched_yield();
	}
	for (uint32_t i = 1; i <= SWAPS; i++) {
		struct page *old = snapshot_swap(&s, &pages[i]);

		for (; snapshot_is_in_use(&s, old); waits++)
			sched_yield();
		atomic_store(&old->freed, true);
	}
	atomic_store(&stop, true);
	for (uint32_t i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_uint_eq(readers[i].wrong, 0);
	}
	/* the control: there was something to be seen, and it was waited for */
	ck_assert(atomic_load(&pages[SWAPS - 1].freed));
	ck_assert_uint_gt(waits, 0);
	snapshot_fini(&s);
	free(pages);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_was_swapped_out_is_in_use_until_its_reader_releases_it,
		a_reader_that_sleeps_holds_nothing_back,
		no_reader_ever_has_what_was_freed,
	};

	return run_suite("snapshot", tests, ARRAY_SIZE(tests));
}
