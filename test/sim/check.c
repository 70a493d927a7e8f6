/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold: once it is quiet, and at every instant while it is watched. */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/assert.h"

/* What the waking of threads, netlink and the segment may add to a time that the protocol
 * bounds. */
#define SLACK_MS 25

void sim_complain(struct sim *s, const char *format, ...)
{
	const int n = s->complaint[0] ? 0
				      : snprintf(s->complaint, sizeof s->complaint,
						"at %.6f s: ", (double)s->now / 1e9);
	va_list args;

	if (n <= 0)
		return;
	va_start(args, format);
	vsnprintf(s->complaint + n, sizeof s->complaint - (size_t)n, format, args);
	va_end(args);
}

uint32_t sim_component(const struct sim *s, uint32_t place)
{
	uint32_t component = UINT32_C(1) << place;

	for (uint32_t i = 0; i < s->n_places; i++)
		if (sim_reaches(s, place, i) && sim_reaches(s, i, place))
			component |= UINT32_C(1) << i;
	return component;
}

static bool is_in(uint32_t set, uint32_t place)
{
	return set >> place & 1;
}

/* A daemon that takes part: it runs, its link is up. */
static bool is_live(const struct sim_machine *m)
{
	return m->node && m->carrier;
}

static bool knows(const struct sim_machine *m, uint32_t number)
{
	return m->file && m->file->index[number] >= 0;
}

static enum vrrp_hold wanted(const struct sim_machine *m, uint32_t number)
{
	if (!m->node || !knows(m, number))
		return VRRP_HOLD_NONE;
	return m->node->vips[m->file->index[number]].wanted;
}

static bool answers(const struct sim_machine *m, uint32_t number)
{
	return m->answers >> number & 1;
}

/* What one that died has left behind its fence is nobody's. */
static bool has_address(const struct sim_machine *m, uint32_t number)
{
	return m->present >> number & 1 && (sim_is_running(m) || answers(m, number));
}

static const struct config_service *service_of(const struct sim_file *f, uint32_t number)
{
	return &f->services[f->vips[f->index[number]].service];
}

int32_t sim_holder(const struct sim *s, uint32_t number)
{
	int32_t holder = SIM_NOBODY;

	for (uint32_t i = 0; i < s->n_places; i++) {
		if (wanted(&s->machines[i], number) == VRRP_HOLD_NONE)
			continue;
		if (holder != SIM_NOBODY)
			return SIM_NOBODY;
		holder = (int32_t)i;
	}
	return holder;
}

/*
 * Who should hold @number in @component, if the nodes there agree on one file that says so: the
 * first live node in the order, those that are ill or drained last. SIM_NOBODY: it is not
 * determined.
 */
static int32_t planned_holder(const struct sim *s, uint32_t component, uint32_t number)
{
	const struct sim_file *f = NULL;
	const uint8_t *order;

	for (uint32_t i = 0; i < s->n_places; i++) {
		const struct sim_machine *m = &s->machines[i];

		if (!is_in(component, i) || !is_live(m) || !knows(m, number))
			continue;
		if (f && f != m->file)
			return SIM_NOBODY;
		f = m->file;
	}
	if (!f || !service_of(f, number)->vrrp.preempt || service_of(f, number)->foreign_vrid)
		return SIM_NOBODY;
	order = plan_order(f->plan, f->vips[f->index[number]].bundle);
	for (int ill = 0; ill < 2; ill++) {
		for (uint32_t k = 0; k < f->config.n_nodes; k++) {
			const bool backwards = s->sabotage == SIM_WRONG_PLAN;
			const uint32_t place =
				f->spec.members[order[backwards ? f->config.n_nodes - 1 - k : k]];
			const struct sim_machine *m = &s->machines[place];

			if (is_in(component, place) && m->file == f && is_live(m) &&
				(m->node->drained || m->node->kernel_ill) == ill)
				return (int32_t)place;
		}
	}
	return SIM_NOBODY;
}

/* Every client's table and every node's own view name the holder. */
static void check_views(struct sim *s, uint32_t component, uint32_t number, uint32_t holder)
{
	const struct sim_machine *h = &s->machines[holder];

	for (uint32_t i = 0; i < s->n_places; i++) {
		const struct sim_machine *m = &s->machines[i];
		int32_t seen;

		if (!is_in(component, i))
			continue;
		if (s->client[i][number] != (int32_t)holder && !is_in(s->absent[i], number))
			sim_complain(s, "VIP %u: the client at place %u believes in %d, not in %u",
				number, i, s->client[i][number], holder);
		if (!is_live(m) || m->file != h->file)
			continue;
		seen = node_holder(m->node, (uint32_t)m->file->index[number], sim_clock(s, m));
		if (seen != (int32_t)h->self)
			sim_complain(s, "VIP %u: place %u says that node %d holds it, not %u",
				number, i, seen, h->self);
	}
}

static void check_vip(struct sim *s, uint32_t component, uint32_t number)
{
	uint32_t n_live = 0, n_wanted = 0, n_present = 0, n_answering = 0, n_full = 0;
	int32_t holder = SIM_NOBODY, planned;
	bool foreign = false;

	for (uint32_t i = 0; i < s->n_places; i++) {
		const struct sim_machine *m = &s->machines[i];
		const bool active = !m->file && m->foreign.state == SIM_FOREIGN_ACTIVE &&
				    m->foreign.vips >> number & 1;

		if (!is_in(component, i) || (m->up && !m->carrier))
			continue;
		n_live += is_live(m) && knows(m, number);
		foreign |= m->foreign.vips >> number & 1;
		foreign |= knows(m, number) && service_of(m->file, number)->foreign_vrid;
		n_present += has_address(m, number);
		n_answering += answers(m, number);
		n_wanted += wanted(m, number) != VRRP_HOLD_NONE || active;
		n_full += wanted(m, number) == VRRP_HOLD_FULL || active;
		if (answers(m, number))
			holder = (int32_t)i;
	}
	if (n_live == 0)
		return;
	if (n_present != 1 || n_answering != 1 || n_wanted != 1 || n_full != 1)
		sim_complain(s,
			"VIP %u: %u machines have it, %u answer, and %u daemons want it (%u in "
			"full), among %x",
			number, n_present, n_answering, n_wanted, n_full, component);
	if (foreign || holder == SIM_NOBODY)
		return;
	planned = planned_holder(s, component, number);
	if (planned != SIM_NOBODY && planned != holder)
		sim_complain(
			s, "VIP %u: place %d holds it, planned is %d", number, holder, planned);
	check_views(s, component, number, (uint32_t)holder);
}

bool sim_check_quiet(struct sim *s)
{
	uint32_t seen = 0;

	for (uint32_t i = 0; i < s->n_places; i++) {
		const struct sim_machine *m = &s->machines[i];
		const uint32_t component = m->carrier || !m->up ? sim_component(s, i) : 0;

		if (m->file && !m->node && m->answers)
			sim_complain(
				s, "place %u answers for VIPs %x without a daemon", i, m->answers);
		if (m->node && !m->carrier && m->present)
			sim_complain(
				s, "place %u has addresses %x without a carrier", i, m->present);
		if (component == 0 || is_in(seen, i))
			continue;
		seen |= component;
		for (uint32_t number = 0; number < SIM_VIPS_MAX; number++)
			check_vip(s, component, number);
	}
	return !s->complaint[0];
}

/* ------------------------------------------------------------------ watch */

static bool is_answered(const struct sim *s, uint32_t place, uint32_t number)
{
	const int8_t by = s->client[place][number];

	return by != SIM_NOBODY && answers(&s->machines[by], number) &&
	       sim_reaches(s, place, (uint32_t)by) && sim_reaches(s, (uint32_t)by, place);
}

static void end_span(tick *longest, tick *since, tick now)
{
	if (*since != TICK_NEVER)
		*longest = tick_max(*longest, now - *since);
	*since = TICK_NEVER;
}

void sim_observe(struct sim *s)
{
	struct sim_watch *w = &s->watch;

	s->dirty = false;
	for (uint32_t number = 0; number < SIM_VIPS_MAX; number++) {
		uint32_t n_answering = 0;

		for (uint32_t i = 0; i < s->n_places; i++) {
			tick *since = &w->silent_since[i][number];

			n_answering += answers(&s->machines[i], number);
			if (s->client[i][number] == SIM_NOBODY || is_in(s->absent[i], number))
				continue;
			if (is_answered(s, i, number))
				end_span(&w->outage, since, s->now);
			else if (*since == TICK_NEVER)
				*since = s->now;
		}
		if (n_answering < 2)
			end_span(&w->overlap, &w->double_since[number], s->now);
		else if (w->double_since[number] == TICK_NEVER)
			w->double_since[number] = s->now;
	}
}

void sim_watch(struct sim *s)
{
	s->watching = true;
	s->watch = (struct sim_watch){.began = s->now};
	for (uint32_t number = 0; number < SIM_VIPS_MAX; number++) {
		s->watch.double_since[number] = TICK_NEVER;
		for (uint32_t i = 0; i < SIM_PLACES_MAX; i++)
			s->watch.silent_since[i][number] = TICK_NEVER;
	}
	sim_observe(s);
}

void sim_unwatch(struct sim *s)
{
	struct sim_watch *w = &s->watch;

	sim_observe(s);
	s->watching = false;
	for (uint32_t number = 0; number < SIM_VIPS_MAX; number++) {
		end_span(&w->overlap, &w->double_since[number], s->now);
		for (uint32_t i = 0; i < s->n_places; i++)
			end_span(&w->outage, &w->silent_since[i][number], s->now);
	}
}

/* Active_Down of whoever comes next, by RFC 9568 6.1, and then the machines' own time. */
tick sim_outage_bound(const struct sim *s, uint32_t place)
{
	const struct sim_file *f = s->machines[place].file;
	tick bound = 0;

	for (uint32_t vip = 0; vip < f->config.n_vips; vip++) {
		const struct config_vrrp *vrrp = &f->services[f->vips[vip].service].vrrp;
		uint8_t best = 1;

		for (uint32_t i = 0; i < s->n_places; i++) {
			const struct node *n = s->machines[i].node;

			if (i != place && is_live(&s->machines[i]) && s->machines[i].file == f &&
				n->units[n->vips[vip].unit].vrrp.priority > best)
				best = n->units[n->vips[vip].unit].vrrp.priority;
		}
		bound = tick_max(bound, vrrp_active_down(vrrp->version, best, vrrp->interval));
	}
	return bound + tick_ms(SLACK_MS);
}
