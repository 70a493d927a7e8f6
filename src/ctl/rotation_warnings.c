/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/rotation_warnings.h"

#include <stdlib.h>
#include <string.h>

#include "idn/idn.h"
#include "plan/clients.h"

#define IPV4_BITS 96

#define PREFIX_STRLEN (ADDR_STRLEN + 4)
#define CLAUSE_SIZE   160

/* Networks that are not known: of what has at most 65,536 addresses it is guessed that it is one. */
#define GUESS_IPV4       (IPV4_BITS + 24)
#define GUESS_IPV4_LEAST (IPV4_BITS + 16)
#define GUESS_IPV6       64

struct rotation {
	const char *path;
	const struct config *config;
	const struct config_machine *here;
	FILE *out;
	const struct config_service *service;
	struct addr *addresses; /* its VIPs of one family; room for all */
	struct addr *taken;     /* nodes and VIPs of the other services */
	uint32_t n, n_taken, n_warnings;
};

static int compare(const void *a, const void *b)
{
	return addr_compare(a, b);
}

static void gather(struct rotation *r, enum family family)
{
	const struct config_service *s = r->service;
	const struct config *c = r->config;

	r->n = r->n_taken = 0;
	for (uint32_t i = 0; i < c->n_vips; i++) {
		const struct addr *address = &c->vips[i].address;

		if (addr_family(address) != family)
			continue;
		if (i >= s->first_vip && i < s->first_vip + s->n_vips)
			r->addresses[r->n++] = *address;
		else
			r->taken[r->n_taken++] = *address;
	}
	for (uint32_t i = 0; i < c->n_nodes; i++)
		for (uint32_t k = 0; k < c->nodes[i].n_addresses; k++)
			r->taken[r->n_taken++] = c->nodes[i].addresses[k];
	qsort(r->addresses, r->n, sizeof *r->addresses, compare);
}

static uint8_t common_length(const struct addr *a, const struct addr *b)
{
	uint8_t len = 0;

	while (len < 128 && !((a->b[len / 8] ^ b->b[len / 8]) & 0x80 >> len % 8))
		len++;
	return len;
}

/* The network that @address is in, as clients in it have it. */
static struct prefix network_of(const struct rotation *r, const struct addr *address)
{
	const uint8_t common = common_length(&r->addresses[0], &r->addresses[r->n - 1]);
	struct prefix network = {*address, 0};

	/* a /32 or /128 is an address, perhaps a VIP that is held here */
	for (uint32_t i = 0; r->here && i < r->here->n_subnets; i++) {
		const struct prefix *p = &r->here->subnets[i].prefix;

		if (p->len < 128 && p->len > network.len && prefix_contains(p, address))
			network.len = p->len;
	}
	if (network.len > 0)
		return network;
	if (!addr_is_ipv4(address))
		network.len = GUESS_IPV6;
	else if (common < GUESS_IPV4_LEAST || common > GUESS_IPV4)
		network.len = GUESS_IPV4;
	else
		network.len = common;
	return network;
}

static void format_network(const struct prefix *p, char text[static PREFIX_STRLEN])
{
	struct addr base = p->addr;
	char address[ADDR_STRLEN];

	for (uint32_t bit = p->len; bit < 128; bit++)
		base.b[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	(void)snprintf(text, PREFIX_STRLEN, "%s/%u", addr_format(&base, address),
		addr_is_ipv4(&base) ? p->len - (unsigned)IPV4_BITS : p->len);
}

static void format_choice(
	const struct rotation *r, uint32_t first, uint32_t n, char *text, size_t size)
{
	char from[ADDR_STRLEN], to[ADDR_STRLEN];

	addr_format(&r->addresses[first], from);
	addr_format(&r->addresses[first + n - 1], to);
	if (n == 1)
		(void)snprintf(text, size, "%s", from);
	else if (n == 2)
		(void)snprintf(text, size, "%s or %s", from, to);
	else
		(void)snprintf(text, size, "one of %u from %s to %s", n, from, to);
}

static void format_cure(
	const struct rotation *r, const struct prefix *network, char *text, size_t size)
{
	const struct clients_room room = {*network, r->taken, r->n_taken};
	char first_text[ADDR_STRLEN], last_text[ADDR_STRLEN];
	struct addr first, last;

	*text = '\0';
	if (clients_find_block(&room, &network->addr, r->n, &first, &last))
		(void)snprintf(text, size, "VIPs from %s to %s would be equally near to all, and ",
			addr_format(&first, first_text), addr_format(&last, last_text));
}

/* @which clients choose @what, whatever an answer's order is; @network: where other VIPs are looked for. */
static void warn_of(struct rotation *r, const struct prefix *which, const char *what,
	const struct prefix *network)
{
	char name[IDN_SHOWN_SIZE], clients[PREFIX_STRLEN], cure[CLAUSE_SIZE];
	const struct config_vip *first = &r->config->vips[r->service->first_vip];

	format_network(which, clients);
	format_cure(r, network, cure, sizeof cure);
	fprintf(r->out,
		"%s:%u: warning: service %s: clients in %s that sort addresses (RFC 6724 rule 9) "
		"undo the rotation: %s; %s\"rotation: weighted\" leaves no choice\n",
		r->path, first->line, idn_show(r->service->name, name, sizeof name), clients, what,
		cure);
	r->n_warnings++;
}

/* All VIPs are in one network. */
static void check_block(struct rotation *r, const struct prefix *network)
{
	char half[PREFIX_STRLEN], one[CLAUSE_SIZE], other[CLAUSE_SIZE], what[3 * CLAUSE_SIZE];
	struct clients_half halves[2];
	struct prefix whole;

	if (!clients_split(r->addresses, r->n, network->len, halves))
		return;
	whole = halves[0].network;
	whole.len--;
	format_network(&halves[0].network, half);
	format_choice(r, halves[0].first, halves[0].n, one, sizeof one);
	format_choice(r, halves[1].first, halves[1].n, other, sizeof other);
	(void)snprintf(what, sizeof what, "the half in %s always chooses %s, the other half %s",
		half, one, other);
	warn_of(r, &whole, what, network);
}

/* Some VIPs alone, the @n from @first on: to clients in their network, all others are far away. */
static void warn_of_network(
	struct rotation *r, const struct prefix *network, uint32_t first, uint32_t n)
{
	char choice[CLAUSE_SIZE], what[2 * CLAUSE_SIZE];

	format_choice(r, first, n, choice, sizeof choice);
	(void)snprintf(what, sizeof what, "they always choose %s, and none of the other %u", choice,
		r->n - n);
	warn_of(r, network, what, network);
}

static void check(struct rotation *r, enum family family)
{
	struct prefix network;
	uint32_t n;

	gather(r, family);
	if (r->n < 2)
		return;
	/* over IPv6, glibc too compares whatever is far away */
	for (uint32_t first = 0; first < r->n; first += n) {
		network = network_of(r, &r->addresses[first]);
		n = family == FAMILY_IPV6 ? r->n : 1;
		while (first + n < r->n && prefix_contains(&network, &r->addresses[first + n]))
			n++;
		if (n == r->n)
			check_block(r, &network);
		else
			warn_of_network(r, &network, first, n);
	}
}

uint32_t rotation_warnings_print(
	const char *path, const struct config *c, const struct config_machine *here, FILE *out)
{
	struct rotation r = {.path = path, .config = c, .here = here, .out = out};

	r.addresses = calloc(c->n_vips + 1, sizeof *r.addresses);
	r.taken =
		calloc(c->n_vips + (size_t)c->n_nodes * CONFIG_NODE_ADDRS_MAX + 1, sizeof *r.taken);
	/* one that is given alone leaves nothing to choose */
	for (uint32_t i = 0; i < c->n_services && r.addresses && r.taken; i++) {
		r.service = &c->services[i];
		for (int f = 0; f < FAMILY_COUNT && r.service->rotation == CONFIG_ROTATION_ALL; f++)
			check(&r, (enum family)f);
	}
	free(r.addresses);
	free(r.taken);
	return r.n_warnings;
}
