/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernel/kernel.h"

#include <errno.h>

#include "base/assert.h"

/* Failures are retried after 10 ms, then twice as long each time, up to a second. */
#define BACKOFF_MIN_MS 10
#define BACKOFF_MAX_MS 1000

/* From so many thefts on, none ten seconds after the one before, the address is put back with a delay. */
#define THEFTS_AT_ONCE 4
#define THEFTS_ROW_MS  10000

void kernel_init(struct kernel *k, struct kernel_vip *vips, uint32_t n_vips)
{
	k->vips = vips;
	k->n_vips = n_vips;
	k->n_waiting = 0;
	for (uint32_t i = 0; i < n_vips; i++)
		vips[i] = (struct kernel_vip){.wanted = VRRP_HOLD_NONE, .served = VRRP_HOLD_FULL};
}

static struct kernel_vip *vip_at(const struct kernel *k, uint32_t vip)
{
	ASSERT(vip < k->n_vips);
	return &k->vips[vip];
}

static bool is_wanted(const struct kernel_vip *v)
{
	return v->wanted != VRRP_HOLD_NONE;
}

static bool is_held(const struct kernel_vip *v)
{
	return v->present && v->ours;
}

/* Wanted but not there as ours, or there as ours but not wanted. */
static bool differs(const struct kernel_vip *v)
{
	return is_wanted(v) != is_held(v);
}

static void wait_until(struct kernel *k, struct kernel_vip *v, tick at)
{
	k->n_waiting += (at != 0) - (v->retry_at != 0);
	v->retry_at = at;
}

static void settle(struct kernel *k, struct kernel_vip *v)
{
	v->failures = 0;
	wait_until(k, v, 0);
}

/* 10 ms for the first, doubled for each further one. */
static tick backoff(uint32_t n)
{
	uint64_t ms = BACKOFF_MIN_MS;

	for (; n > 1 && ms < BACKOFF_MAX_MS; n--)
		ms *= 2;
	return tick_ms(ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS);
}

void kernel_want(struct kernel *k, uint32_t vip, enum vrrp_hold wanted)
{
	struct kernel_vip *v = vip_at(k, vip);
	const bool was_wanted = is_wanted(v);

	v->wanted = wanted;
	if (is_wanted(v))
		v->served = wanted;
	if (is_wanted(v) == was_wanted)
		return;
	settle(k, v); /* what failed was the opposite operation */
}

static void count_theft(struct kernel *k, struct kernel_vip *v, tick now)
{
	const bool again = v->thefts > 0 && tick_since(now, v->stolen_at) < tick_ms(THEFTS_ROW_MS);

	v->thefts++;
	v->thefts_row = again ? v->thefts_row + 1 : 1;
	v->stolen_at = now;
	if (v->thefts_row > THEFTS_AT_ONCE)
		wait_until(k, v, tick_add(now, backoff(v->thefts_row - THEFTS_AT_ONCE)));
}

bool kernel_see(struct kernel *k, uint32_t vip, bool present, bool ours, tick now)
{
	struct kernel_vip *v = vip_at(k, vip);
	const bool was_held = is_held(v), echo = !present && v->echoes > 0;

	v->present = present;
	v->ours = present && ours;
	v->echoes -= echo;
	if (!differs(v))
		settle(k, v);
	if (!is_wanted(v) || !was_held || is_held(v) || echo)
		return false;
	count_theft(k, v, now);
	return true;
}

void kernel_forget(struct kernel *k)
{
	for (uint32_t i = 0; i < k->n_vips; i++) {
		struct kernel_vip *v = &k->vips[i];

		v->present = v->ours = false;
		v->echoes = 0; /* lost, or older than the dump */
		if (!differs(v))
			settle(k, v);
	}
}

static bool has_succeeded(enum kernel_op_kind kind, int error)
{
	if (kind == KERNEL_ADD)
		return error == 0 || error == -EEXIST;
	return error == 0 || error == -EADDRNOTAVAIL || error == -ENODEV;
}

void kernel_done(struct kernel *k, const struct kernel_op *op, int error, tick now)
{
	struct kernel_vip *v = vip_at(k, op->vip);

	ASSERT(error <= 0);
	if (has_succeeded(op->kind, error)) {
		v->present = v->ours = op->kind == KERNEL_ADD;
		v->echoes += op->kind == KERNEL_REMOVE && error == 0;
		settle(k, v);
		return;
	}
	/* A failure counts only against what is still to be done. */
	if (differs(v) && is_wanted(v) == (op->kind == KERNEL_ADD)) {
		v->failures++;
		wait_until(k, v, tick_add(now, backoff(v->failures)));
	}
}

uint32_t kernel_plan(const struct kernel *k, tick now, struct kernel_op *ops, uint32_t max)
{
	uint32_t n = 0;

	/* Removals first: another node may be waiting to be the only one. */
	for (int wanted = 0; wanted <= 1; wanted++) {
		for (uint32_t i = 0; i < k->n_vips && n < max; i++) {
			const struct kernel_vip *v = &k->vips[i];

			if (is_wanted(v) != wanted || !differs(v) || v->retry_at > now)
				continue;
			ops[n].kind = wanted ? KERNEL_ADD : KERNEL_REMOVE;
			ops[n++].vip = i;
		}
	}
	return n;
}

enum vrrp_hold kernel_hold(const struct kernel *k, uint32_t vip)
{
	const struct kernel_vip *v = vip_at(k, vip);

	if (!v->present)
		return VRRP_HOLD_NONE;
	if (is_wanted(v))
		return v->wanted;
	return v->ours ? v->served : VRRP_HOLD_NONE; /* the administrator's, if not ours */
}

tick kernel_deadline(const struct kernel *k)
{
	tick next = TICK_NEVER;

	if (k->n_waiting == 0)
		return TICK_NEVER;
	for (uint32_t i = 0; i < k->n_vips; i++) {
		if (k->vips[i].retry_at != 0)
			next = tick_min(next, k->vips[i].retry_at);
	}
	return next;
}

void kernel_check(const struct kernel *k)
{
	uint32_t waiting = 0;

	for (uint32_t i = 0; i < k->n_vips; i++) {
		const struct kernel_vip *v = &k->vips[i];

		ASSERT(v->present || !v->ours);
		ASSERT(v->served != VRRP_HOLD_NONE);
		ASSERT(v->retry_at == 0 || differs(v));
		waiting += v->retry_at != 0;
	}
	ASSERT(waiting == k->n_waiting);
}
