/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Seeds by the thousand: sim-random [FIRST [COUNT]], by default the first 10,000. From the
 * environment, before the arguments: SEEDS=n so many, SEED=n this one only, TRACE=1 prints what
 * happens. A failure prints its seed and how to see it again.
 */
#include "sim.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SEEDS_DEFAULT 10000
#define FAILURES_MAX  10

static volatile uint64_t current;

static uint64_t number(const char *text, uint64_t otherwise)
{
	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

/* An assertion of the core has failed: say under which seed. */
static void on_abort(int signal_number)
{
	char text[80];
	const int n = snprintf(text, sizeof text, "SEED=%" PRIu64 ": aborted\n", current);

	if (n > 0 && write(STDERR_FILENO, text, (size_t)n) < 0)
		_exit(2);
	signal(signal_number, SIG_DFL);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	const uint64_t n_asked = number(argc > 2 ? argv[2] : NULL, SEEDS_DEFAULT);
	const uint64_t n_seeds = getenv("SEED") ? 1 : number(getenv("SEEDS"), n_asked);
	const uint64_t first = number(getenv("SEED"), number(argc > 1 ? argv[1] : NULL, 1));
	const double began = seconds();
	uint64_t turns = 0, packets = 0, simulated = 0, failures = 0, n = 0;

	signal(SIGABRT, on_abort);
	/* each world's memory is used again by the next one */
	mallopt(M_MMAP_THRESHOLD, 1 << 26);
	mallopt(M_TRIM_THRESHOLD, 1 << 26);
	for (; n < n_seeds && failures < FAILURES_MAX; n++) {
		struct sim *s;

		current = first + n;
		s = chaos_run(current, SIM_SANE);
		if (s->complaint[0]) {
			failures++;
			fprintf(stderr, "SEED=%" PRIu64 ": %s\n", current, s->complaint);
		}
		turns += s->turns;
		packets += s->packets_sent;
		simulated += tick_to_ms(s->now);
		sim_free(s);
	}
	printf("%" PRIu64 " seeds, %" PRIu64
	       " failed; %.0f simulated hours, %.1f million turns, %.1f "
	       "million packets in %.1f s\n",
		n, failures, (double)simulated / 3.6e6, (double)turns / 1e6, (double)packets / 1e6,
		seconds() - began);
	if (failures)
		printf("again, with a trace: SEED=<seed> TRACE=1 test/sim/sim-random\n");
	return failures != 0;
}
