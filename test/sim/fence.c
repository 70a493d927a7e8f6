/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine's fence: what passes for a VIP goes by two words that the kernel keeps, whatever becomes
 * of the daemon. They are stored as os/fast.c does it. */
#include "internal.h"

#include <string.h>

static uint32_t service_lease(uint32_t router)
{
	return router;
}

static uint32_t handover_lease(uint32_t router)
{
	return SIM_VIPS_MAX + router;
}

bool fence_is_handover(const struct sim_machine *m, uint32_t number)
{
	return m->cells[number].lease >= handover_lease(0);
}

static bool is_fenced(const struct sim *s, const struct sim_machine *m)
{
	return m->file && !s->unfenced && s->sabotage != SIM_NO_FENCE;
}

static tick lease_end(const struct sim *s, const struct sim_machine *m, uint32_t number)
{
	const struct sim_cell *cell = &m->cells[number];

	if (!is_fenced(s, m))
		return TICK_NEVER;
	return cell->permission >= LEASE_DATA ? m->leases[cell->lease] : 0;
}

bool fence_passes_announcement(const struct sim *s, const struct sim_machine *m, uint32_t number)
{
	if (!is_fenced(s, m))
		return true;
	return m->cells[number].permission == LEASE_FULL &&
	       sim_clock(s, m) < lease_end(s, m, number);
}

void fence_review(struct sim *s, struct sim_machine *m)
{
	const bool reachable = m->up && m->carrier && !m->paused_at;
	const tick now = sim_clock(s, m);
	uint32_t answers = 0, began;
	tick next = TICK_NEVER;

	for (uint32_t left = reachable ? m->present : 0; left; left &= left - 1) {
		const uint32_t number = (uint32_t)__builtin_ctz(left);
		const tick end = lease_end(s, m, number);

		if (now >= end)
			continue;
		answers |= UINT32_C(1) << number;
		next = tick_min(next, end);
		if (m->file && !s->unfenced && m->answer_by[number] >= now)
			next = tick_min(next, m->answer_by[number] + 1);
	}
	began = answers & ~m->answers;
	s->dirty |= answers != m->answers;
	m->answers = answers;
	m->review_at = next == TICK_NEVER ? TICK_NEVER : sim_world_time(s, m, next);
	if (m->file && !s->unfenced)
		claims_answering(s, m, began);
}

/* What a previous life left running goes on until this one has decided; each router's lease ends
 * with the first that one of its VIPs had. */
void fence_open(struct sim *s, struct sim_machine *m)
{
	tick ends[SIM_VIPS_MAX];

	m->fenced = false;
	memset(m->owed, 0, sizeof m->owed);
	memset(ends, 0xff, sizeof ends);
	for (uint32_t vip = 0; vip < m->file->config.n_vips; vip++) {
		struct sim_cell *cell = &m->cells[m->file->number[vip]];
		const uint32_t router = m->node->units[m->node->vips[vip].unit].router;

		if (cell->permission >= LEASE_DATA)
			ends[router] = tick_min(ends[router], m->leases[cell->lease]);
		if (cell->permission == LEASE_ABSENT)
			cell->permission = LEASE_CLOSED;
		cell->lease = service_lease(router);
	}
	memset(m->leases, 0, sizeof m->leases);
	for (uint32_t router = 0; router < m->node->n_routers; router++)
		if (ends[router] != TICK_NEVER)
			m->leases[service_lease(router)] = ends[router];
	fence_review(s, m);
}

void fence_shut(struct sim *s, struct sim_machine *m)
{
	memset(m->leases, 0, sizeof m->leases);
	fence_review(s, m);
}

void fence_remove(struct sim *s, struct sim_machine *m)
{
	memset(m->cells, 0, sizeof m->cells);
	fence_shut(s, m);
}

static bool is_opening(const struct node_vip *v)
{
	return v->permission == LEASE_FULL && !v->handover;
}

static void permit(const struct sim *s, struct sim_machine *m, uint32_t vip, bool opening)
{
	const struct node_vip *v = &m->node->vips[vip];
	const uint32_t router = m->node->units[v->unit].router;
	struct sim_cell *cell = &m->cells[m->file->number[vip]];

	if (opening != is_opening(v))
		return;
	if (opening && !m->left[router]) {
		m->owed[router] = true;
		return;
	}
	if (s->sabotage == SIM_STICKY_CELL && v->permission < cell->permission)
		return;
	*cell = (struct sim_cell){
		.permission = v->permission,
		.lease = v->handover ? handover_lease(router) : service_lease(router),
	};
}

/* The VIPs that waited for this advertisement. */
static void pay_owed(const struct sim *s, struct sim_machine *m, uint32_t router)
{
	for (uint32_t vip = 0; vip < m->node->n_vips; vip++)
		if (m->node->units[m->node->vips[vip].unit].router == router)
			permit(s, m, vip, true);
	m->owed[router] = false;
}

static void permit_all(const struct sim *s, struct sim_machine *m, bool opening)
{
	if (!m->fenced)
		for (uint32_t vip = 0; vip < m->file->config.n_vips; vip++)
			permit(s, m, vip, opening);
	for (uint32_t i = 0; i < m->fx->n_holds && m->fenced; i++)
		permit(s, m, m->fx->holds[i], opening);
}

static void renew(const struct sim *s, struct sim_machine *m, uint32_t router)
{
	const struct node_router *r = &m->node->routers[router];
	tick *lease = &m->leases[service_lease(router)];

	*lease = r->service.until;
	if (*lease && s->sabotage == SIM_STALE_LEASE)
		*lease = sim_clock(s, m) + lease_span(r->vrrp.interval);
	if (*lease && s->sabotage == SIM_LONG_LEASE)
		*lease += claims_span(s, r->vrrp.interval) - lease_span(r->vrrp.interval);
}

/* Before anything is sent. */
void fence_narrow(struct sim *s, struct sim_machine *m)
{
	for (uint32_t router = 0; router < m->node->n_routers; router++) {
		const struct node_router *r = &m->node->routers[router];

		m->left[router] = false;
		if (r->service.until == 0)
			m->leases[service_lease(router)] = 0;
		/* one that is over is closed when no VIP goes by it any more */
		if (r->handover_until)
			m->leases[handover_lease(router)] = r->handover_until;
		if (s->sabotage == SIM_EARLY_LEASE)
			renew(s, m, router);
	}
	permit_all(s, m, false);
	if (m->doomed_at)
		fence_review(s, m);
}

/* After it was sent. */
void fence_widen(struct sim *s, struct sim_machine *m)
{
	for (uint32_t router = 0; router < m->node->n_routers; router++) {
		if (!m->left[router])
			continue;
		renew(s, m, router);
		if (m->owed[router])
			pay_owed(s, m, router);
	}
	permit_all(s, m, true);
	for (uint32_t router = 0; router < m->node->n_routers; router++)
		if (m->node->routers[router].handover_until == 0)
			m->leases[handover_lease(router)] = 0;
	m->fenced = true;
	claims_stored(s, m);
	fence_review(s, m);
}
