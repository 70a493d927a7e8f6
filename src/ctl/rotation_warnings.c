/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/rotation_warnings.h"

#include <stdlib.h>
#include <string.h>

#include "idn/idn.h"
#include "plan/clients.h"

/* A VIP that is chosen so much more often than its share is worth a word. */
#define UNFAIR 1.2

#define IPV4_BITS  96
#define GUESS_IPV4 (IPV4_BITS + 24)

/* IPv6 clients whose last bits are numbered by hand or by DHCPv6, as VIPs are; those that make up their own have nothing
 * in common with any. */
#define NUMBERED_IPV6 112

struct rotation {
	const char *path;
	const struct config *config;
	const struct config_machine *here;
	FILE *out;
	struct addr *addresses; /* room for all VIPs */
	double *shares;
	struct addr *taken; /* nodes and VIPs of the other services */
	uint32_t n, n_taken, n_warnings;
};

static int compare(const void *a, const void *b)
{
	return addr_compare(a, b);
}

static void gather(struct rotation *r, const struct config_service *s, enum family family)
{
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

/* The network whose clients sort these VIPs. False: there is none. */
static bool find_clients(const struct rotation *r, struct prefix *ret_network)
{
	const struct addr *first = &r->addresses[0], *last = &r->addresses[r->n - 1];
	const uint8_t common = common_length(first, last);

	*ret_network = (struct prefix){*first, GUESS_IPV4};
	if (!addr_is_ipv4(first)) {
		ret_network->len = common < NUMBERED_IPV6 ? common : NUMBERED_IPV6;
		return true;
	}
	for (uint32_t i = 0; r->here && i < r->here->n_subnets; i++)
		if (prefix_contains(&r->here->subnets[i].prefix, first))
			ret_network->len = r->here->subnets[i].prefix.len;
	/* glibc compares destinations with a client of the same network only */
	return common >= ret_network->len;
}

static void format_network(const struct prefix *p, char *text, size_t size)
{
	struct addr base = p->addr;
	char address[ADDR_STRLEN];

	for (uint32_t bit = p->len; bit < 128; bit++)
		base.b[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	(void)snprintf(text, size, "%s/%u", addr_format(&base, address),
		addr_is_ipv4(&base) ? p->len - (unsigned)IPV4_BITS : p->len);
}

static void format_cure(
	const struct rotation *r, const struct prefix *network, char *text, size_t size)
{
	const struct clients_room room = {*network, r->taken, r->n_taken};
	char first_text[ADDR_STRLEN], last_text[ADDR_STRLEN];
	struct addr first, last;

	if (clients_find_block(&room, &r->addresses[0], r->n, &first, &last))
		(void)snprintf(text, size, "VIPs from %s to %s would be equally near to all",
			addr_format(&first, first_text), addr_format(&last, last_text));
	else
		(void)snprintf(
			text, size, "VIPs in one aligned block would be equally near to all");
}

static void warn_of(struct rotation *r, const struct config_service *s, uint32_t most,
	const struct prefix *network)
{
	char name[IDN_SHOWN_SIZE], vip[ADDR_STRLEN], clients[ADDR_STRLEN + 4], cure[200];

	format_network(network, clients, sizeof clients);
	format_cure(r, network, cure, sizeof cure);
	fprintf(r->out,
		"%s: warning: service %s: clients in %s that sort addresses (RFC 6724 rule 9) undo "
		"the "
		"rotation: %.0f %% of them choose %s, one of %u; %s\n",
		r->path, idn_show(s->name, name, sizeof name), clients, 100 * r->shares[most],
		addr_format(&r->addresses[most], vip), r->n, cure);
	r->n_warnings++;
}

static void check(struct rotation *r, const struct config_service *s, enum family family)
{
	struct prefix network;
	uint32_t most = 0;

	gather(r, s, family);
	if (r->n < 2 || !find_clients(r, &network))
		return;
	clients_shares(r->addresses, r->n, network.len, r->shares);
	for (uint32_t i = 1; i < r->n; i++)
		if (r->shares[i] > r->shares[most])
			most = i;
	if (r->shares[most] * r->n > UNFAIR)
		warn_of(r, s, most, &network);
}

uint32_t rotation_warnings_print(
	const char *path, const struct config *c, const struct config_machine *here, FILE *out)
{
	struct rotation r = {.path = path, .config = c, .here = here, .out = out};

	r.addresses = calloc(c->n_vips + 1, sizeof *r.addresses);
	r.shares = calloc(c->n_vips + 1, sizeof *r.shares);
	r.taken =
		calloc(c->n_vips + (size_t)c->n_nodes * CONFIG_NODE_ADDRS_MAX + 1, sizeof *r.taken);
	/* one that is given alone leaves nothing to choose */
	for (uint32_t i = 0; i < c->n_services && r.addresses && r.shares && r.taken; i++)
		for (int f = 0; f < FAMILY_COUNT && c->services[i].rotation == CONFIG_ROTATION_ALL;
			f++)
			check(&r, &c->services[i], (enum family)f);
	free(r.addresses);
	free(r.shares);
	free(r.taken);
	return r.n_warnings;
}
