/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "announce/announce.h"

#include "base/assert.h"

/* Shots of one VIP are never closer than this, however often its schedule begins anew. */
#define SPACING tick_ms(50)

/* A bucket that ran dry is asked again when it can pay for this many, not for each single one. */
#define BATCH 16u

static uint64_t cost_ns(const struct announce *a)
{
	return tick_s(1) / a->config->rate;
}

static void top_up(const struct announce *a, struct announce_bucket *b, tick now)
{
	const uint64_t full = cost_ns(a) * a->config->burst;

	b->credit_ns = tick_min(full, tick_add(b->credit_ns, tick_since(now, b->filled)));
	b->filled = now;
}

static void enqueue(struct announce *a, uint32_t vip)
{
	struct announce_vip *v = &a->vips[vip];
	struct announce_bucket *b = &a->buckets[v->interface];

	v->queued = true;
	v->next = ANNOUNCE_NONE;
	if (b->head == ANNOUNCE_NONE)
		b->head = vip;
	else
		a->vips[b->tail].next = vip;
	b->tail = vip;
}

static uint32_t dequeue(struct announce *a, struct announce_bucket *b)
{
	const uint32_t vip = b->head;

	b->head = a->vips[vip].next;
	a->vips[vip].queued = false;
	return vip;
}

/* Queues what has become due and finds when the next will. */
static void collect(struct announce *a, tick now)
{
	a->next = TICK_NEVER;
	for (uint32_t i = 0; i < a->n_vips; i++) {
		if (a->vips[i].queued)
			continue;
		if (a->vips[i].due <= now)
			enqueue(a, i);
		else
			a->next = tick_min(a->next, a->vips[i].due);
	}
}

/* A shot of @v leaves at @now: when is the next one? */
static void advance(struct announce *a, struct announce_vip *v, tick now)
{
	v->last = now;
	v->shot++;
	if (v->shot < a->config->n_shots) {
		v->due = tick_max(v->started + a->config->shots[v->shot], now + SPACING);
	} else if (a->config->refresh == 0) {
		v->due = TICK_NEVER;
	} else {
		/* 90 to 110 %, so that VIPs that moved together do not refresh together for ever */
		const uint64_t tenth = a->config->refresh / 10;

		v->due = now + 9 * tenth + tenth * rng_below(&a->rng, 2049) / 1024;
	}
	a->next = tick_min(a->next, v->due);
}

void announce_init(struct announce *a, const struct config_announce *config,
	struct announce_vip *vips, uint32_t n_vips, uint64_t seed, tick now)
{
	ASSERT(config->rate > 0 && config->burst > 0);
	ASSERT(config->n_shots > 0 && config->n_shots <= CONFIG_SHOTS_MAX);
	*a = (struct announce){
		.config = config,
		.vips = vips,
		.n_vips = n_vips,
		.next = TICK_NEVER,
		.rng = {seed},
	};
	for (uint32_t i = 0; i < CONFIG_INTERFACES_MAX; i++)
		a->buckets[i] = (struct announce_bucket){
			.credit_ns = cost_ns(a) * config->burst,
			.filled = now,
			.head = ANNOUNCE_NONE,
		};
	for (uint32_t i = 0; i < n_vips; i++) {
		ASSERT(vips[i].interface < CONFIG_INTERFACES_MAX);
		vips[i] = (struct announce_vip){.interface = vips[i].interface, .due = TICK_NEVER};
	}
}

void announce_start(struct announce *a, uint32_t vip, tick now)
{
	struct announce_vip *v = &a->vips[vip];

	ASSERT(vip < a->n_vips);
	v->started = now;
	v->shot = 0;
	v->due = tick_add(now, a->config->shots[0]);
	if (v->last)
		v->due = tick_max(v->due, v->last + SPACING);
	a->next = tick_min(a->next, v->due);
}

void announce_cancel(struct announce *a, uint32_t vip)
{
	ASSERT(vip < a->n_vips);
	a->vips[vip].due = TICK_NEVER; /* a queued one is passed over when its turn comes */
}

uint32_t announce_take(struct announce *a, tick now, uint32_t *due, uint32_t max)
{
	uint32_t n = 0;

	if (now >= a->next)
		collect(a, now);
	for (uint32_t i = 0; i < CONFIG_INTERFACES_MAX; i++) {
		struct announce_bucket *b = &a->buckets[i];

		if (b->head == ANNOUNCE_NONE)
			continue;
		top_up(a, b, now);
		while (b->head != ANNOUNCE_NONE && n < max && b->credit_ns >= cost_ns(a)) {
			const uint32_t vip = dequeue(a, b);

			if (a->vips[vip].due > now) { /* cancelled, or begun anew */
				a->next = tick_min(a->next, a->vips[vip].due);
				continue;
			}
			b->credit_ns -= cost_ns(a);
			advance(a, &a->vips[vip], now);
			due[n++] = vip;
		}
	}
	return n;
}

tick announce_deadline(const struct announce *a)
{
	const uint64_t batch = cost_ns(a) * (a->config->burst < BATCH ? a->config->burst : BATCH);
	tick at = a->next;

	for (uint32_t i = 0; i < CONFIG_INTERFACES_MAX; i++) {
		const struct announce_bucket *b = &a->buckets[i];

		if (b->head != ANNOUNCE_NONE)
			at = tick_min(at, b->filled + tick_since(batch, b->credit_ns));
	}
	return at;
}
