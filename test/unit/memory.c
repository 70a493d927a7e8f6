/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory.h"

#include <check.h>
#include <stddef.h>

#define REFUSALS_MAX 1000

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static uint32_t calls_left = UINT32_MAX; /* until one is refused */

bool memory_is_refused(void)
{
	return calls_left != UINT32_MAX && calls_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return memory_is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return memory_is_refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return memory_is_refused() ? NULL : __real_realloc(p, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return memory_is_refused() ? NULL : __real_reallocarray(p, n, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return memory_is_refused() ? NULL : __real_aligned_alloc(alignment, size);
}

uint32_t memory_refuse_each(memory_attempt *attempt, void *context)
{
	for (uint32_t i = 0; i < REFUSALS_MAX; i++) {
		calls_left = i;
		const bool done = attempt(context);
		const bool refused = calls_left == UINT32_MAX;

		calls_left = UINT32_MAX;
		ck_assert_msg(done != refused, "allocation %u was %s and it was %s", i,
			refused ? "refused" : "granted", done ? "done" : "not done");
		if (!refused)
			return i;
	}
	ck_abort_msg("it never succeeds");
}
