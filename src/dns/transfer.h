/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * A whole zone for another server: AXFR (RFC 5936), and IXFR answered likewise, or by the SOA alone to who has
 * the zone already (RFC 1995). The zone is made into messages one at a time, as the connection takes them, so that
 * a transfer of any size costs the memory of a few of them.
 *
 *    question ─► transfer_begin() ─► a message that says no, or one SOA
 *                     └────────────► struct transfer ─► transfer_next() … transfer_next() ─► 0
 *
 * Pure but for the memory of a transfer. The zone and the key must stay for as long as the transfer: see
 * dns/edition.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "dns/answer.h"
#include "dns/catalog.h"
#include "dns/tsig.h"

struct transfer;

/* All borrowed, for the transfer's life. */
struct transfer_setup {
	const struct catalog *catalog;
	const struct config_dns *config; /* who may have it */
	const struct tsig_key *key;      /* who asks must have signed with it; NULL: not signed */
};

/* The answer to @in, for which answer() said ANSWER_TRANSFER. With ANSWER_SENT it is in @out, whose room must be
 * DNS_MESSAGE_MAX; with ANSWER_TRANSFER it is *@ret_transfer's messages; with ANSWER_NONE the connection is to be
 * closed. */
enum answer_outcome transfer_begin(const struct transfer_setup *setup,
	const struct answer_request *in, struct answer_reply *out, struct transfer **ret_transfer);
void transfer_free(struct transfer *t);

/* Whether that address may have zones at all. */
bool transfer_is_allowed(const struct config_dns *dns, const struct addr *client);

const struct zone *transfer_zone(const struct transfer *t);

/* The next message: its size, 0 after the last one, -1 if there is no memory, or a record does not fit with its
 * signature. @buffer has DNS_MESSAGE_MAX bytes. */
int transfer_next(struct transfer *t, uint64_t wall_s, uint8_t *buffer);
