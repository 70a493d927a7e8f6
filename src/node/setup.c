/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A node's tables, made of the configuration and the plan; all of its memory is taken here. */
#include "node/node.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "node/internal.h"

static bool is_foreign(const struct config_service *s)
{
	return s->foreign_vrid != 0;
}

static void set_up_unit(struct node *n, uint32_t router, uint32_t first, uint32_t n_vips)
{
	const struct plan *plan = n->setup.plan;
	const struct plan_router *r = &plan->routers[router];
	const struct config_service *service = &n->setup.config->services[r->service];
	const uint32_t place = plan_place(plan, r->order, n->setup.self);
	struct node_unit *u = &n->units[n->n_units];

	*u = (struct node_unit){
		.router = router, .first = first, .n_vips = n_vips, .place = (uint8_t)place};
	vrrp_init(&u->vrrp, is_foreign(service) ? service->priority[n->setup.self]
						: plan_priority(place, plan->n_nodes, false));
	for (uint32_t i = first; i < first + n_vips; i++) {
		n->vips[plan->members[i]].unit = n->n_units;
		n->announce_vips[plan->members[i]].interface = r->interface;
	}
	n->n_units++;
}

/* `auto` begins with the form of RFC 9568 among roost's nodes; towards foreign speakers with the one
 * that keepalived and FRR take for granted, for a Backup would never tell us its own. */
static bool sends_pseudo(const struct config_vrrp *options, bool foreign)
{
	if (options->checksum == CONFIG_CHECKSUM_AUTO)
		return foreign;
	return options->checksum == CONFIG_CHECKSUM_PSEUDO;
}

static void set_up_router(struct node *n, uint32_t router)
{
	const struct plan_router *p = node_plan_of(n, router);
	const struct config_service *service = &n->setup.config->services[p->service];
	const struct config_vrrp *vrrp = &service->vrrp;
	struct node_router *r = &n->routers[router];

	*r = (struct node_router){
		.vrrp =
			{
				.interval = vrrp->interval,
				.period = vrrp->interval /
					  node_redundancy(n, vrrp, is_foreign(service)),
				.preempt_delay = vrrp->preempt_delay,
				.linger = vrrp->linger,
				.version = vrrp->version,
				.preempt = vrrp->preempt,
				.strict = is_foreign(service),
				.fenced = n->setup.fenced,
			},
		.first_unit = n->n_units,
		.deadline = TICK_NEVER,
		.pseudo_checksum = sends_pseudo(vrrp, is_foreign(service)),
	};
	if (is_foreign(service))
		set_up_unit(n, router, p->first, p->n_vips);
	else
		for (uint32_t i = 0; i < p->n_vips; i++)
			set_up_unit(n, router, p->first + i, 1);
	r->n_units = n->n_units - r->first_unit;
	n->late_after = tick_min(n->late_after, vrrp->interval / 2);
}

static void *array(uint32_t n, size_t size)
{
	return calloc(n ? n : 1, size);
}

struct node *node_new(const struct node_setup *setup, tick now)
{
	const struct config *config = setup->config;
	struct node *n = calloc(1, sizeof *n);

	ASSERT(setup->self < config->n_nodes);
	if (!n)
		return NULL;
	n->setup = *setup;
	n->n_routers = setup->plan->n_routers;
	n->n_vips = config->n_vips;
	n->routers = array(n->n_routers, sizeof *n->routers);
	n->units = array(n->n_vips, sizeof *n->units);
	n->vips = array(n->n_vips, sizeof *n->vips);
	n->changed = array(n->n_vips, sizeof *n->changed);
	n->announce_vips = array(n->n_vips, sizeof *n->announce_vips);
	n->max_records = 2 * n->n_vips + 64;
	n->records = array(n->max_records, sizeof *n->records);
	if (!n->routers || !n->units || !n->vips || !n->changed || !n->announce_vips ||
		!n->records || !config_index_init(&n->index, config)) {
		node_free(n);
		return NULL;
	}
	n->redundancy = 1;
	n->redundancy_until = TICK_NEVER;
	n->promised = TICK_NEVER;
	n->late_after = TICK_NEVER;
	n->unsettled_since = TICK_NEVER;
	for (uint32_t i = 0; i < n->n_routers; i++)
		set_up_router(n, i);
	announce_init(
		&n->announce, &config->announce, n->announce_vips, n->n_vips, setup->seed, now);
	return n;
}

void node_free(struct node *n)
{
	if (!n)
		return;
	free(n->routers);
	free(n->units);
	free(n->vips);
	free(n->changed);
	free(n->announce_vips);
	free(n->records);
	config_index_fini(&n->index);
	free(n);
}

struct node_effects *node_effects_new(const struct node *n)
{
	struct node_effects *fx = calloc(1, sizeof *fx);

	if (!fx)
		return NULL;
	/* per router one message of each priority: its own, 0 and 1 */
	fx->sends = array(3 * n->n_routers, sizeof *fx->sends);
	fx->addresses = array(2 * n->n_vips, sizeof *fx->addresses);
	fx->holds = array(n->n_vips, sizeof *fx->holds);
	fx->announces = array(n->n_vips, sizeof *fx->announces);
	fx->records = array(n->max_records, sizeof *fx->records);
	if (!fx->sends || !fx->addresses || !fx->holds || !fx->announces || !fx->records) {
		node_effects_free(fx);
		return NULL;
	}
	return fx;
}

void node_effects_free(struct node_effects *fx)
{
	if (!fx)
		return;
	free(fx->sends);
	free(fx->addresses);
	free(fx->holds);
	free(fx->announces);
	free(fx->records);
	free(fx);
}

void node_copy(struct node *to, const struct node *from)
{
	const struct node own = *to;

	ASSERT(to->n_vips == from->n_vips && to->n_units == from->n_units);
	memcpy(to->routers, from->routers, from->n_routers * sizeof *to->routers);
	memcpy(to->units, from->units, from->n_units * sizeof *to->units);
	memcpy(to->vips, from->vips, from->n_vips * sizeof *to->vips);
	*to = *from;
	to->routers = own.routers;
	to->units = own.units;
	to->vips = own.vips;
	to->changed = own.changed;
	to->announce_vips = own.announce_vips;
	to->announce.vips = own.announce_vips;
	to->records = own.records;
	to->index = own.index;
	to->n_records = 0;
	to->n_changed = 0;
}
