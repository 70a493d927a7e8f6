/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drives one node with whatever the bytes say, and checks after each turn what must hold however mad
 * the world is. The first byte chooses configuration, node and end; then each byte is an act, with
 * arguments in those that follow. In the end the world falls silent, or the node is told to stop: then
 * it must serve everything, or nothing, before long.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "core_check.h"
#include "core_files.h"
#include "status/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHOICE_FENCED 0x40
#define CHOICE_STOP   0x80

#define BEGINS tick_s(100)
/* The clock of a machine that has been up for longer than this is not tried. */
#define ENDS tick_s(UINT64_C(100) * 365 * 86400)
/* Three of the longest interval that is ever said, its skew, and a moment. */
#define SILENCE_MAX tick_s(15)
#define STOP_MAX    tick_s(10)

static void step(struct world *w, struct node_event ev)
{
	node_step(w->node, &ev, w->now, w->fx);
}

/* Ends the turn; the next one is @span later. A late one may want another at once, but no third. */
static void turn(struct world *w, tick span)
{
	uint32_t n = 0;

	do {
		ASSERT(++n <= 2);
		step(w, (struct node_event){.kind = NODE_EV_TICK});
		world_check(w);
	} while (node_deadline(w->node) <= w->now);
	w->now = tick_min(tick_add(w->now, span), ENDS);
}

static tick until_deadline(const struct world *w)
{
	const tick deadline = node_deadline(w->node);

	return deadline == TICK_NEVER ? tick_s(1) : tick_since(deadline, w->now);
}

/* Where the turn's end moves the deadline, it is the new one that is waited for. */
static void turn_until_deadline(struct world *w, tick late)
{
	turn(w, 0);
	w->now = tick_min(tick_add(w->now, until_deadline(w) + late), ENDS);
}

/* ---- acts ---- */

static void act_wait(struct world *w)
{
	const uint8_t how = reader_u8(&w->in);
	const tick interval = w->config->services[0].vrrp.interval;

	switch (how & 7) {
	case 0:
	case 1:
	case 2: turn_until_deadline(w, 0); break;
	case 3: turn_until_deadline(w, tick_us(how)); break;
	case 4: turn(w, interval * (how >> 3) / 8); break;
	case 5: turn_until_deadline(w, interval * (how >> 3) / 8); break; /* late */
	case 6: turn(w, tick_ms(how >> 3)); break;
	case 7: turn(w, tick_s(UINT64_C(1) << (how >> 3))); break; /* away, up to a lifetime */
	}
}

static struct addr source_of(uint8_t who, enum family family)
{
	static const uint8_t ipv4[4] = {10, 1, 1, 0}, router[4] = {10, 1, 1, 254};
	struct addr a =
		family == FAMILY_IPV4 ? addr_from_ipv4(ipv4) : (struct addr){.b = {0xfe, 0x80}};

	if (who == 7)
		return family == FAMILY_IPV4 ? addr_from_ipv4(router) : advert_link_local(9);
	a.b[15] = (uint8_t)(1 + who % 4);
	return a;
}

/* Lists those of the router's VIPs that have a bit in @mask. */
static void list(const struct world *w, struct advert *a, const struct plan_router *r, uint8_t mask)
{
	a->n_addresses = 0;
	for (uint32_t i = 0; i < r->n_vips; i++)
		if (mask >> i % 8 & 1)
			a->addresses[a->n_addresses++] =
				w->config->vips[w->plan->members[r->first + i]].address;
}

/* Anything that advert_parse() lets pass: by turns what a node of the file says, and nonsense. */
static void act_advert(struct world *w)
{
	const uint8_t kind = reader_u8(&w->in), who = reader_u8(&w->in), which = reader_u8(&w->in);
	const uint32_t vip = which % w->config->n_vips;
	const struct config_vrrp *vrrp = &w->config->services[w->config->vips[vip].service].vrrp;
	const struct plan_router *router = world_router_of(w, vip);
	struct advert a = {
		.interval = kind & 1 ? tick_cs(1 + reader_u8(&w->in)) : vrrp->interval,
		.family = addr_family(&w->config->vips[vip].address),
		.version = vrrp->version,
		.vrid = kind & 2 ? (uint8_t)(reader_u8(&w->in) | 1) : router->vrid,
		.priority = kind & 4 ? reader_u8(&w->in)
				     : plan_priority(plan_place(w->plan, router->order, who % 3),
					       w->plan->n_nodes, kind & 8),
	};

	if (kind & 0x10 && a.family == FAMILY_IPV4)
		a.version = (uint8_t)(5 - a.version);
	if (a.version == 2) /* whole seconds */
		a.interval = tick_s(1 + a.interval / tick_s(1));
	a.source = source_of(who % 8, a.family);
	a.checksum = kind & 0x20 ? ADVERT_CHECKSUM_PSEUDO : ADVERT_CHECKSUM_MESSAGE;
	list(w, &a, router, kind & 0x40 ? reader_u8(&w->in) : 0xff);
	if (kind & 0x80 || a.n_addresses == 0) /* an address that is nobody's */
		a.addresses[a.n_addresses++] = a.family == FAMILY_IPV4
						       ? source_of(7, FAMILY_IPV4)
						       : (struct addr){.b = {0xfd, [15] = 7}};
	world_hear(w, which >= 0x80 ? which % w->config->n_interfaces : router->interface, &a,
		(who >> 4) % AUTH_VERDICTS);
}

static void act_link(struct world *w)
{
	const uint8_t how = reader_u8(&w->in);
	const uint8_t self = how & 8 ? 3 : (uint8_t)w->node->setup.self;
	struct node_event ev = {
		.kind = NODE_EV_LINK,
		.interface = (how >> 4) % w->config->n_interfaces,
		.link = {.up = how & 1, .spell = how >> 7, .mac = {2, how >> 6 & 1}},
	};

	for (enum family f = 0; f < FAMILY_COUNT; f++)
		if (!(how & 2u << f))
			ev.link.sources[f] = source_of(self, f);
	step(w, ev);
}

static void act_held(struct world *w)
{
	const uint8_t what = reader_u8(&w->in);

	if (what & 0x80)
		world_follow(w);
	else
		step(w, (struct node_event){
				.kind = NODE_EV_HELD,
				.vip = what % w->config->n_vips,
				.hold = (what >> 4) % (VRRP_HOLD_FULL + 1),
			});
}

static void act_announced(struct world *w)
{
	step(w, (struct node_event){
			.kind = NODE_EV_ANNOUNCED, .vip = reader_u8(&w->in) % w->config->n_vips});
}

static void act_conflict_or_stop(struct world *w)
{
	const uint8_t what = reader_u8(&w->in);

	if (what == 0)
		step(w, (struct node_event){.kind = NODE_EV_STOP});
	else
		step(w, (struct node_event){.kind = NODE_EV_CONFLICT,
				.vip = what % w->config->n_vips,
				.yield = what & 0x80});
}

/* A snapshot can be told at any time between turns; seldom, for that takes longer than all else. */
static void act_status(struct world *w)
{
	const struct status_input in = {
		.node = w->copy,
		.version = "fuzz",
		.started = BEGINS,
		.now = w->now,
		.fence = {.mechanism = "off"},
	};
	char *text;

	turn(w, 0);
	if (reader_u8(&w->in) % 8)
		return;
	node_copy(w->copy, w->node);
	text = status_render(&in);
	ASSERT(text);
	free(text);
}

static void act(struct world *w)
{
	switch (reader_u8(&w->in) % 16) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4: act_wait(w); break;
	case 5:
	case 6:
	case 7:
	case 8: act_advert(w); break;
	case 9: act_link(w); break;
	case 10: act_held(w); break;
	case 11: world_follow(w); break;
	case 12: act_announced(w); break;
	case 13:
		step(w, (struct node_event){.kind = NODE_EV_DRAIN, .drain = reader_u8(&w->in) & 1});
		break;
	case 14: act_conflict_or_stop(w); break;
	case 15: act_status(w); break;
	}
}

/* ---- the end ---- */

static bool serves_all(const struct world *w)
{
	for (uint32_t i = 0; i < w->node->n_units; i++) {
		const struct node_unit *u = &w->node->units[i];

		if (w->node->routers[u->router].up && u->vrrp.state != VRRP_ACTIVE)
			return false;
	}
	return true;
}

/* Nobody else speaks, the kernel does what it is told, announcements leave. */
static void end(struct world *w, bool stop)
{
	tick since;

	turn(w, 0);
	if (stop)
		step(w, (struct node_event){.kind = NODE_EV_STOP});
	stop = w->node->stopping;
	since = w->now;
	while (stop ? !node_is_stopped(w->node) : !serves_all(w)) {
		ASSERT(w->now - since < (stop ? STOP_MAX : SILENCE_MAX));
		turn(w, 0);
		world_follow(w);
		turn_until_deadline(w, 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.in = reader_of(data, size), .now = BEGINS};
	const uint8_t choice = reader_u8(&w.in);
	const struct core_file *file = core_file(choice % CORE_FILES);

	world_begin(&w, file, (choice >> 2 & 7) % file->config->n_nodes, choice & CHOICE_FENCED);
	while (reader_left(&w.in) > 0 && w.now < ENDS)
		act(&w);
	if (w.now < ENDS)
		end(&w, choice & CHOICE_STOP);
	world_end(&w);
	return 0;
}
