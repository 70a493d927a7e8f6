/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Time, as the core sees it: nanoseconds of CLOCK_BOOTTIME. Points in time and spans share the type;
 * both are built only by the functions below. TICK_NEVER is later than any time.
 */

#include <stdint.h>

typedef uint64_t tick;

#define TICK_NEVER UINT64_MAX

static inline tick tick_us(uint64_t us)
{
	return us * 1000u;
}

static inline tick tick_ms(uint64_t ms)
{
	return ms * 1000000u;
}

/* Centiseconds: the unit of VRRP version 3. */
static inline tick tick_cs(uint64_t cs)
{
	return cs * 10000000u;
}

static inline tick tick_s(uint64_t s)
{
	return s * 1000000000u;
}

static inline uint64_t tick_to_ms(tick t)
{
	return t / 1000000u;
}

static inline uint64_t tick_to_cs(tick t)
{
	return t / 10000000u;
}

static inline tick tick_min(tick a, tick b)
{
	return a < b ? a : b;
}

static inline tick tick_max(tick a, tick b)
{
	return a > b ? a : b;
}

/* @at plus @span; never wraps: the result is TICK_NEVER at most. */
static inline tick tick_add(tick at, tick span)
{
	return at > TICK_NEVER - span ? TICK_NEVER : at + span;
}

/* How long before @now @at was; 0 when it is still to come. */
static inline tick tick_since(tick now, tick at)
{
	return now > at ? now - at : 0;
}
