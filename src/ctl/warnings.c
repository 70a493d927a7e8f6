/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/warnings.h"

#include <stdarg.h>
#include <stdbool.h>

#include "idn/idn.h"
#include "vrrp/vrrp.h"

struct warnings {
	const char *path;
	const struct config *config;
	const struct plan *plan;
	FILE *out;
	uint32_t n;
};

__attribute__((format(printf, 2, 3))) static void warn_of(
	struct warnings *w, const char *format, ...)
{
	va_list arguments;

	fprintf(w->out, "%s: warning: ", w->path);
	va_start(arguments, format);
	vfprintf(w->out, format, arguments);
	va_end(arguments);
	fputc('\n', w->out);
	w->n++;
}

/* After a failure, how long the node with the lesser priority waits for the other one. */
static tick gap_between(const struct config_vrrp *v, uint8_t better, uint8_t lesser)
{
	return tick_since(vrrp_skew(v->version, lesser, v->interval),
		vrrp_skew(v->version, better, v->interval));
}

/* After a failure, the nodes behind the failed one take over in the order's sequence. */
static void check_gaps(struct warnings *w, const struct config_service *s)
{
	const uint32_t n = w->config->n_nodes;
	tick narrowest = TICK_NEVER;
	uint32_t at = 0, step = 0;
	char shown[IDN_SHOWN_SIZE];

	for (uint32_t place = 0; place + 1 < n; place++) {
		const uint8_t better = plan_priority(place, n, false);
		const uint8_t lesser = plan_priority(place + 1, n, false);
		const tick gap = gap_between(&s->vrrp, better, lesser);

		if (gap < narrowest) {
			narrowest = gap;
			at = place;
			step = better - lesser;
		}
	}
	if (narrowest >= tick_ms(WARNINGS_GAP_MS) || step == 0)
		return;
	/* Gaps are 1/256 of the interval a step (RFC 9568 6.1), the interval is in whole cs. */
	warn_of(w,
		"service %s: at an interval of %u ms, the nodes at places %u and %u of an order "
		"take "
		"over %.2f ms apart, so both may serve for a moment; %u ms would keep them %u ms "
		"apart",
		idn_show(s->name, shown, sizeof shown), (unsigned)tick_to_ms(s->vrrp.interval),
		at + 1, at + 2, (double)narrowest / 1e6,
		(WARNINGS_GAP_MS * 256u / step + 9u) / 10u * 10u, WARNINGS_GAP_MS);
}

/* Shared with foreign speakers, the file gives the priorities, and any two may be neighbours. */
static void check_foreign_gaps(struct warnings *w, const struct config_service *s)
{
	const struct config_node *nodes = w->config->nodes;
	char shown[3][IDN_SHOWN_SIZE];

	for (uint32_t a = 0; a < w->config->n_nodes; a++) {
		for (uint32_t b = a + 1; b < w->config->n_nodes; b++) {
			const uint8_t pa = s->priority[a], pb = s->priority[b];
			const tick gap =
				gap_between(&s->vrrp, pa > pb ? pa : pb, pa > pb ? pb : pa);

			if (gap >= tick_ms(WARNINGS_GAP_MS))
				continue;
			warn_of(w,
				"service %s: the priorities of %s (%u) and %s (%u) let them take "
				"over "
				"%.2f ms apart, so both may serve for a moment",
				idn_show(s->name, shown[0], IDN_SHOWN_SIZE),
				idn_show(nodes[a].name, shown[1], IDN_SHOWN_SIZE), pa,
				idn_show(nodes[b].name, shown[2], IDN_SHOWN_SIZE), pb,
				(double)gap / 1e6);
			return;
		}
	}
}

/* Whether @node stands behind another one in some order. */
static bool is_backup_of_something(const struct warnings *w, uint32_t node)
{
	const struct config *c = w->config;

	for (uint32_t i = 0; i < c->n_bundles; i++)
		if (plan_place(w->plan, i, node) > 0)
			return true;
	return false;
}

/*
 * Loss is learned as Backup, from advertisements that do not come. A node that is first in every
 * order stays at one advertisement per interval until it hears a rival.
 */
static void check_learning(struct warnings *w)
{
	const struct config *c = w->config;
	char shown[IDN_SHOWN_SIZE];
	bool is_auto = false;

	for (uint32_t i = 0; i < c->n_services; i++)
		is_auto |= c->services[i].vrrp.redundancy == CONFIG_REDUNDANCY_AUTO;
	for (uint32_t i = 0; is_auto && i < c->n_nodes; i++)
		if (!is_backup_of_something(w, i))
			warn_of(w,
				"%s is Backup of no VIP, so it cannot learn of lost packets: "
				"with `redundancy: auto` it stays at 1; give a number, or more "
				"VIPs",
				idn_show(c->nodes[i].name, shown, sizeof shown));
}

/* A zone transfer has records, and there is none that says how to choose among others. */
static void check_transfers(struct warnings *w)
{
	const struct config *c = w->config;
	char shown[IDN_SHOWN_SIZE];

	for (uint32_t i = 0; i < c->n_services && c->dns.n_transfers > 0; i++) {
		if (c->services[i].rotation != CONFIG_ROTATION_WEIGHTED)
			continue;
		warn_of(w,
			"service %s: \"rotation: weighted\" does not reach the secondaries in "
			"\"transfer\"; they give all of its VIPs in each answer, and know no "
			"weights",
			idn_show(c->services[i].name, shown, sizeof shown));
		return;
	}
}

static void check_vrids(struct warnings *w)
{
	if (w->plan->n_orders < w->plan->n_orders_wanted)
		warn_of(w,
			"the VRIDs suffice for %u of the %u failover orders that would balance "
			"best; "
			"`roost plan` says what that costs",
			w->plan->n_orders, w->plan->n_orders_wanted);
}

uint32_t warnings_print(const char *path, const struct config *c, const struct plan *p, FILE *out)
{
	struct warnings w = {.path = path, .config = c, .plan = p, .out = out};

	check_transfers(&w);
	if (c->n_nodes == 1) {
		warn_of(&w, "there is one node only: nobody can take over");
		return w.n;
	}
	for (uint32_t i = 0; i < c->n_services; i++) {
		if (c->services[i].foreign_vrid != 0)
			check_foreign_gaps(&w, &c->services[i]);
		else
			check_gaps(&w, &c->services[i]);
	}
	check_learning(&w);
	check_vrids(&w);
	return w.n;
}
