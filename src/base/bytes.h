/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * A reader and a writer over a byte buffer, both with a sticky error: after the first step out of
 * bounds every further call does nothing (reads give zero), so that a parser runs straight through
 * and asks once. Numbers are in network order. Neither owns its buffer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *data;
	size_t size;
	size_t at;
	bool failed;
};

struct writer {
	uint8_t *data;
	size_t size;
	size_t at;
	bool failed;
};

static inline struct reader reader_of(const void *data, size_t size)
{
	return (struct reader){.data = data, .size = size};
}

static inline size_t reader_left(const struct reader *r)
{
	return r->failed ? 0 : r->size - r->at;
}

/* The next @size bytes, or NULL if there are fewer. */
static inline const uint8_t *reader_take(struct reader *r, size_t size)
{
	if (r->failed || r->size - r->at < size) {
		r->failed = true;
		return NULL;
	}
	r->at += size;
	return r->data + r->at - size;
}

static inline uint8_t reader_u8(struct reader *r)
{
	const uint8_t *p = reader_take(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
	const uint8_t *p = reader_take(r, 2);

	return p ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : 0;
}

static inline uint32_t reader_u32(struct reader *r)
{
	const uint32_t high = reader_u16(r);

	return high << 16 | reader_u16(r);
}

static inline struct writer writer_of(void *data, size_t size)
{
	return (struct writer){.data = data, .size = size};
}

/* Room for @size bytes at the end, to be filled by the caller; NULL if there is none. */
static inline uint8_t *writer_reserve(struct writer *w, size_t size)
{
	if (w->failed || w->size - w->at < size) {
		w->failed = true;
		return NULL;
	}
	w->at += size;
	return w->data + w->at - size;
}

static inline void writer_bytes(struct writer *w, const void *bytes, size_t size)
{
	uint8_t *p = writer_reserve(w, size);

	if (p)
		memcpy(p, bytes, size);
}

static inline void writer_u8(struct writer *w, uint8_t value)
{
	writer_bytes(w, &value, 1);
}

static inline void writer_u16(struct writer *w, uint16_t value)
{
	const uint8_t two[2] = {(uint8_t)(value >> 8), (uint8_t)value};

	writer_bytes(w, two, sizeof two);
}

static inline void writer_u32(struct writer *w, uint32_t value)
{
	writer_u16(w, (uint16_t)(value >> 16));
	writer_u16(w, (uint16_t)value);
}
