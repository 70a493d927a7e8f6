/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Labels as pieces of a text, and how they are refused. Internal to this folder. */

#include <stdbool.h>
#include <stddef.h>

#include "idn/idn.h"

#define IDN_LABEL_MAX (IDN_LABEL_SIZE - 1)

/* A label, or a whole name. */
struct idn_span {
	const char *at;
	size_t size;
};

bool idn_is_ascii(struct idn_span s);

/* ASCII's, in any locale. */
char idn_lower(char c);
bool idn_is_letter_or_digit(char c);

/* The label that begins at *@at, which is moved to what ends it. */
struct idn_span idn_next_label(const char **at, const char *end);

/* Writes `"label" REASON`, with nothing that could steer a terminal, and not longer than can be read. False. */
__attribute__((format(printf, 3, 4))) bool idn_refuse(
	char problem[static IDN_PROBLEM_SIZE], struct idn_span label, const char *reason, ...);

/* The U-label of a sound A-label, or the label itself; its size in @buffer, or 0 if it does not fit. */
size_t idn_label_to_unicode(struct idn_span label, char *buffer, size_t size);
