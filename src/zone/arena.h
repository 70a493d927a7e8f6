/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Memory that only grows and is freed as a whole: a zone's. What is allocated never moves; it is
 * pointed to, or referred to by 32 bits, which makes tables of it half as large.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_ALLOC_MAX ((size_t)512 * 1024)

/* All zero: empty. */
struct arena {
	uint8_t **chunks;
	uint32_t n_chunks;
	size_t at, end; /* in the last chunk: the free part */
	size_t total;
};

/* @size bytes, at most ARENA_ALLOC_MAX, aligned for anything, not initialised; NULL if there is
 * no memory. *@ret_ref, which may be NULL, is never 0. */
void *arena_alloc(struct arena *a, size_t size, uint32_t *ret_ref);

/* Lets what was allocated last, @size bytes at @p, have @new_size of them. False: it was not the
 * last, or there is no room behind it. */
bool arena_extend(struct arena *a, const void *p, size_t size, size_t new_size);

/* What arena_alloc() gave for @ref. */
void *arena_at(const struct arena *a, uint32_t ref);

void arena_fini(struct arena *a);
