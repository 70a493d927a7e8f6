/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/arena.h"

#include <stdlib.h>

#include "base/assert.h"

/* A reference is a chunk's number and, in units, the offset in it. */
#define UNIT       8u
#define REF_BITS   17u /* of the offset */
#define CHUNK_MAX  ((size_t)UNIT << REF_BITS)
#define CHUNKS_MAX (1u << (32 - REF_BITS))
#define CHUNK_MIN  ((size_t)4096)

static size_t round_up(size_t size)
{
	return (size + UNIT - 1) & ~(size_t)(UNIT - 1);
}

/* Many zones are tiny, so the first chunk is small; each further one doubles what there is. */
static bool add_chunk(struct arena *a, size_t least)
{
	size_t size = CHUNK_MIN;

	while (size < CHUNK_MAX && (size < least || size < a->total))
		size *= 2;
	if (a->n_chunks == CHUNKS_MAX)
		return false;
	uint8_t **chunks = realloc(a->chunks, (a->n_chunks + 1) * sizeof(*chunks));

	if (!chunks)
		return false;
	a->chunks = chunks;
	chunks[a->n_chunks] = malloc(size);
	if (!chunks[a->n_chunks])
		return false;
	a->at = a->n_chunks == 0 ? UNIT : 0; /* so that no reference is 0 */
	a->end = size;
	a->total += size;
	a->n_chunks++;
	return true;
}

void *arena_alloc(struct arena *a, size_t size, uint32_t *ret_ref)
{
	ASSERT(size <= ARENA_ALLOC_MAX);
	size = round_up(size);
	if (a->end - a->at < size && !add_chunk(a, size + UNIT))
		return NULL;
	void *p = a->chunks[a->n_chunks - 1] + a->at;

	if (ret_ref)
		*ret_ref = (a->n_chunks - 1) << REF_BITS | (uint32_t)(a->at / UNIT);
	a->at += size;
	return p;
}

bool arena_extend(struct arena *a, const void *p, size_t size, size_t new_size)
{
	ASSERT(a->n_chunks > 0);
	size = round_up(size);
	new_size = round_up(new_size);
	if ((const uint8_t *)p + size != a->chunks[a->n_chunks - 1] + a->at)
		return false;
	if (a->end - a->at < new_size - size)
		return false;
	a->at += new_size - size;
	return true;
}

void *arena_at(const struct arena *a, uint32_t ref)
{
	return a->chunks[ref >> REF_BITS] + (size_t)(ref & (CHUNK_MAX / UNIT - 1)) * UNIT;
}

void arena_fini(struct arena *a)
{
	for (uint32_t i = 0; i < a->n_chunks; i++)
		free(a->chunks[i]);
	free(a->chunks);
	*a = (struct arena){0};
}
