/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The name server's status document (dns/status.h) as text for people: its zones, where it listens, what it knows of
 * the VIPs, and the counters that are not zero. What is missing prints as "?".
 */

#include <jansson.h>

#include "ctl/table.h"

void dns_text_print(const json_t *document, const struct paper *p);
