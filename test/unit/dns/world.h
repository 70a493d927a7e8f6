/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Zones that have everything that an answer can be made of, questions about them, and a reader of answers: what the
 * tests and the fuzz target of dns/ share.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/answer.h"

struct world {
	struct config *config;
	struct catalog *catalog;
};

/* The services of world.config, by index, and their VIPs. */
#define WORLD_SHUFFLED 0 /* float.example.com: VIPs 0 to 3 IPv4, 4 and 5 IPv6, all alike */
#define WORLD_WEIGHTED 1 /* weight.example.com: VIPs 6 to 8, weights 1, 2 and 5 */
#define WORLD_SINGLE   2 /* one.example.com: VIPs 9 to 11, weights 1, 2 and 5; one is answered */

/* Aborts if it can't be made: the zones are ours. */
struct world *world_new(void);
void world_free(struct world *w);

/* A catalog of one zone, from its master file. */
struct catalog *world_catalog_of(const char *apex, const char *text);

/* The names that the zones have or might have. */
extern const char *const world_names[];
extern const size_t world_n_names;

/* How a question is asked, beside name and type. */
struct asked {
	const char *name; /* absolute, without the final dot; its case is kept */
	uint16_t type;
	uint16_t class; /* 0: IN */
	uint16_t flags; /* RD, CD ... */
	bool edns, dnssec_ok, nsid, keepalive;
	uint16_t udp_size;
	const uint8_t *cookie; /* the COOKIE option's data */
	uint8_t cookie_size;
};

/* Its message. Returns the size. */
size_t asked_message(const struct asked *q, uint8_t message[static DNS_UDP_LEAST]);

/* The answer of one of three ways to a message; its size is 0 if there is none. */
enum way { WAY_ANY, WAY_FAST, WAY_SLOW };

struct told {
	enum answer_outcome outcome;
	struct answer_reply reply;
	uint8_t bytes[DNS_MESSAGE_MAX];
};

struct asking {
	struct answerer *answerer;
	const struct catalog *catalog;
	const struct answer_self *self; /* NULL: world_self */
	bool tcp;                       /* may idle for 10 s */
	enum way way;
};

/* "roost1", with cookies. */
extern const struct answer_self world_self;

void ask_message(
	const struct asking *how, const uint8_t *message, size_t size, struct told *ret_told);
void ask(const struct asking *how, const struct asked *q, struct told *ret_told);

/* The largest answer that the asker takes: what its question says (RFC 1035 4.2.1, RFC 6891 6.2.5). */
size_t asker_limit(const uint8_t *message, size_t size, bool tcp);

/*
 * An answer as text, to be freed; "malformed" if libknot can't read it, "nothing" if there is none:
 *
 *    NOERROR AA; question: 03 77 ...; id 1234
 *    ; answer:
 *    www.example.com. 300 A 192.0.2.1     the records of a section are sorted
 *    ; authority:
 *    ; additional:
 *    ; opt: 1232 1 00000000 00 03 ...     size, records, TTL, data
 */
char *told_text(const struct told *t);
