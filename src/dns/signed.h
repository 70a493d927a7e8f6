/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* answer() for those who may have signed their question: then its signature is verified, and the answer signed (RFC
 * 8945 5). */

#include "dns/answer.h"
#include "dns/tsig.h"

/* As answer(), but for ANSWER_SIGNED, which it is never. @key may be NULL: there is none. @out has room for DNS_UDP_MAX
 * bytes at least. */
enum answer_outcome signed_answer(struct answerer *a, const struct catalog *c,
	const struct tsig_key *key, const struct answer_request *in, struct answer_reply *out);
