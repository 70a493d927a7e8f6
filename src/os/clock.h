/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* The one clock: CLOCK_BOOTTIME, which runs on while the machine sleeps. Read once per turn. */

#include <time.h>

#include "base/tick.h"

static inline tick clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return tick_s((uint64_t)t.tv_sec) + (uint64_t)t.tv_nsec;
}

/* Microseconds of CLOCK_MONOTONIC, which is what systemd goes by; for nobody else. */
static inline uint64_t clock_monotonic_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000;
}

/* Nanoseconds since 1970; for people and for what is signed, never for when something is done. */
static inline uint64_t clock_wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t clock_wall_s(void)
{
	return clock_wall_ns() / 1000000000u;
}
