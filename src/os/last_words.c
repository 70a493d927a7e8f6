/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/last_words.h"

#include <stdlib.h>

#include "base/assert.h"

#define SAYS_NOTHING WILL_SAYS

struct last_words {
	const struct node *node;
	struct will *will;
	uint64_t turn;
	uint64_t *looked_at;      /* by router: the last turn */
	bool *pseudo_checksum;    /* by router, as in the will */
	uint8_t *said;            /* by unit: enum will_say or SAYS_NOTHING, as in the will */
	struct node_effects view; /* of one advertisement */
	struct advert advert;
};

static void *array(uint32_t n, size_t size)
{
	return calloc(n ? n : 1, size);
}

struct last_words *last_words_new(const struct node *node, struct will *will)
{
	struct last_words *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->node = node;
	l->will = will;
	l->looked_at = array(node->n_routers, sizeof *l->looked_at);
	l->pseudo_checksum = array(node->n_routers, sizeof *l->pseudo_checksum);
	l->said = array(node->n_units, sizeof *l->said);
	l->view.addresses = array(node->n_vips, sizeof *l->view.addresses);
	if (!l->looked_at || !l->pseudo_checksum || !l->said || !l->view.addresses) {
		last_words_free(l);
		return NULL;
	}
	for (uint32_t i = 0; i < node->n_units; i++)
		l->said[i] = SAYS_NOTHING;
	return l;
}

void last_words_free(struct last_words *l)
{
	if (!l)
		return;
	free(l->looked_at);
	free(l->pseudo_checksum);
	free(l->said);
	free(l->view.addresses);
	free(l);
}

static uint8_t word_of(const struct node_unit *u)
{
	switch (u->vrrp.state) {
	case VRRP_ACTIVE:
	case VRRP_LEAVING: return WILL_SAY_LEAVING;
	case VRRP_CLAIMING: return WILL_SAY_PARTING;
	case VRRP_INITIALIZE:
	case VRRP_BACKUP:
	case VRRP_STATES: break;
	}
	return SAYS_NOTHING;
}

static void write_word(struct last_words *l, uint32_t router, enum will_say say, uint32_t ifindex)
{
	const struct node *n = l->node;
	const struct node_router *r = &n->routers[router];
	struct node_send send = {
		.router = router,
		.priority = say == WILL_SAY_LEAVING ? VRRP_PRIORITY_LEAVING : VRRP_PRIORITY_PARTING,
	};

	for (uint32_t i = r->first_unit; i < r->first_unit + r->n_units; i++) {
		const struct node_unit *u = &n->units[i];

		for (uint32_t k = 0; l->said[i] == say && k < u->n_vips; k++)
			l->view.addresses[send.n_addresses++] =
				n->setup.config->vips[n->setup.plan->members[u->first + k]].address;
	}
	node_fill_advert(n, &l->view, &send, &l->advert);
	will_say(l->will, router, say, ifindex, &l->advert);
}

/* Writes what changed for @router since it was last written; @anew: everything. */
static void update_router(struct last_words *l, uint32_t router, const uint32_t *ifindex, bool anew)
{
	const struct node_router *r = &l->node->routers[router];
	const uint32_t interface = l->node->setup.plan->routers[router].interface;
	bool changed[WILL_SAYS + 1] = {false};

	if (l->looked_at[router] == l->turn)
		return;
	l->looked_at[router] = l->turn;
	for (uint32_t i = r->first_unit; i < r->first_unit + r->n_units; i++) {
		const uint8_t word = word_of(&l->node->units[i]);

		if (word == l->said[i])
			continue;
		changed[word] = changed[l->said[i]] = true;
		l->said[i] = word;
	}
	anew |= r->pseudo_checksum != l->pseudo_checksum[router];
	l->pseudo_checksum[router] = r->pseudo_checksum;
	for (int say = 0; say < WILL_SAYS; say++)
		if (anew || changed[say])
			write_word(l, router, (enum will_say)say, ifindex[interface]);
}

/* A unit that comes to serve advertises it, and one that ceases to changes what it wants held. */
void last_words_update(struct last_words *l, const struct node_effects *fx,
	const uint32_t ifindex[CONFIG_INTERFACES_MAX], bool relinked)
{
	const struct node *n = l->node;

	l->turn++;
	for (uint32_t i = 0; i < n->n_routers && relinked; i++)
		update_router(l, i, ifindex, true);
	for (uint32_t i = 0; i < fx->n_sends; i++)
		update_router(l, fx->sends[i].router, ifindex, false);
	for (uint32_t i = 0; i < fx->n_holds; i++)
		update_router(l, n->units[n->vips[fx->holds[i]].unit].router, ifindex, false);
}
