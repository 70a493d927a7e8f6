/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Golden packets are written as text: hexadecimal bytes, with spaces where they help the eye. */

#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes the bytes of @text to @bytes, at most @size, and returns how many. */
static inline size_t hex_read(const char *text, uint8_t *bytes, size_t size)
{
	size_t n = 0;

	for (const char *p = text; *p != '\0';) {
		unsigned byte;

		if (*p == ' ') {
			p++;
			continue;
		}
		ck_assert_int_eq(sscanf(p, "%2x", &byte), 1);
		ck_assert_uint_lt(n, size);
		bytes[n++] = (uint8_t)byte;
		p += 2;
	}
	return n;
}
