/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* What the named scenarios have in common: a cluster that has settled, an act, and what to
 * expect. */

#include <string.h>

#include "sim.h"
#include "suite.h"

#define INTERVAL tick_ms(100)

/* A wake-up may take 4 ms, and a hand-over needs a few. */
#define MOMENT tick_ms(25)

/* The loser of a conflict holds on until the winner, 50 ms after its last shot, announced again. */
#define SPACING tick_ms(50)

static inline void apply(struct sim *s, enum sim_fault_kind kind, uint32_t place, uint32_t amount)
{
	sim_apply(s, &(struct sim_fault){.kind = kind, .place = (uint8_t)place, .amount = amount});
}

static inline void expect_no_complaint(const struct sim *s)
{
	ck_assert_msg(!s->complaint[0], "%s", s->complaint);
}

static inline void settle(struct sim *s)
{
	sim_run(s, sim_settle_span(s));
	sim_check_quiet(s);
	expect_no_complaint(s);
}

/* @spec's nodes, started together and settled. */
static inline struct sim *cluster_of(const struct sim_file_spec *spec, uint64_t seed)
{
	struct sim *s = sim_new(seed);

	sim_add_cluster(s, spec);
	settle(s);
	return s;
}

/* As with `fence: off`. */
static inline struct sim *unfenced_cluster_of(const struct sim_file_spec *spec, uint64_t seed)
{
	struct sim *s = sim_new(seed);

	s->unfenced = true;
	sim_add_cluster(s, spec);
	settle(s);
	return s;
}

/* Three servers, six VIPs. */
static inline struct sim *cluster(void)
{
	const struct sim_file_spec spec = sim_file_spec(3, 4, 2, INTERVAL);

	return cluster_of(&spec, 1);
}

static inline uint32_t held_by(const struct sim *s, uint32_t place)
{
	uint32_t held = 0;

	for (uint32_t number = 0; number < SIM_VIPS_MAX; number++)
		if (sim_holder(s, number) == (int32_t)place)
			held |= UINT32_C(1) << number;
	return held;
}

/* What was seen from the act until all was settled again. */
static inline struct sim_watch watch(
	struct sim *s, enum sim_fault_kind kind, uint32_t place, uint32_t amount)
{
	sim_watch(s);
	apply(s, kind, place, amount);
	sim_run(s, sim_calm_span(s));
	sim_unwatch(s);
	sim_check_quiet(s);
	expect_no_complaint(s);
	return s->watch;
}

static inline void expect_smooth(const struct sim *s, const struct sim_watch *w)
{
	ck_assert_uint_eq(w->outage, 0);
	ck_assert_uint_le(w->overlap, s->files[0].services[0].vrrp.linger + SPACING + MOMENT);
}

/* The positive control: each breakage is found by the random seeds, and soon. */
static inline void expect_found(enum sim_sabotage sabotage, const char *complaint)
{
	uint64_t seed = 0;
	bool found = false;

	while (!found && ++seed <= 200) {
		struct sim *s = chaos_run(seed, sabotage);

		found = strstr(s->complaint, complaint);
		sim_free(s);
	}
	ck_assert_msg(found, "no seed found it");
}
