/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The daemon's status document (status/status.h) as text for people: every VIP with its holder,
 * since when, why and its failover order; every node; the interfaces; the counters that are not
 * zero. A document of another version may lack fields: what is missing prints as "?".
 */

#include <jansson.h>

#include "ctl/table.h"

void status_text_print(const json_t *document, const struct paper *p);

/* A span such as "20 ms", "3.2 s", "4 min", "2 h 5 min" or "3 d 4 h". */
#define SPAN_SIZE 32
const char *span_format(double seconds, char text[static SPAN_SIZE]);
