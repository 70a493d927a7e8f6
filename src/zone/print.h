/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* A zone as a master file (RFC 1035 5), which other name servers and load.h read. */

#include <stdio.h>

#include "zone/zone.h"

/* Writes the finished zone to @to: $ORIGIN, the SOA, then all else in canonical order. False if
 * there is no memory or it could not be written. */
bool zone_print(const struct zone *z, FILE *to);
