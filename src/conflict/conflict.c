/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conflict/conflict.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* A suspect's kin is asked for twice, for a frame may be lost. */
#define KIN_ASKS     2
#define KIN_ASK_GAP  (CONFLICT_SETTLE / 3)
#define KIN_INTERVAL (KIN_ASK_GAP / 2) /* on one interface, whatever is suspected there */

/* When a VIP is asked for: after it came here, and while somebody else has it. Never more in all
 * than one each 5 ms. */
#define ASK_FIRST tick_s(1)
#define ASK_AGAIN tick_s(5)
#define ASK_PACE  tick_ms(5)

/* Questions for many VIPs leave together, so that the thread is woken rarely. */
#define ASK_GRID tick_ms(100)

/* Unheard for so many questions, a stranger is gone. */
#define QUESTIONS 3

/* The node is told again what it does not follow. */
#define TELL_AGAIN tick_s(1)

/* A VIP is spoken of once a minute; all together fill ten lines, and then one each 6 s. */
#define SAY_AGAIN  tick_s(60)
#define LINE_EVERY tick_s(6)
#define LINES      10

struct conflict *conflict_new(const struct config *config, uint32_t self, uint64_t seed)
{
	struct conflict *c = calloc(1, sizeof *c);
	const tick pace = config->n_vips * ASK_PACE;

	ASSERT(self < config->n_nodes);
	if (!c)
		return NULL;
	c->config = config;
	c->self = self;
	c->rng.state = seed;
	c->next = TICK_NEVER;
	c->patrol =
		config->announce.refresh ? tick_max(config->announce.refresh, pace) : TICK_NEVER;
	c->again = tick_max(ASK_AGAIN, pace);
	c->vips = calloc(config->n_vips ? config->n_vips : 1, sizeof *c->vips);
	if (!c->vips || !config_index_init(&c->index, config)) {
		conflict_free(c);
		return NULL;
	}
	for (uint32_t vip = 0; vip < config->n_vips; vip++)
		c->vips[vip].at = TICK_NEVER;
	return c;
}

void conflict_free(struct conflict *c)
{
	if (!c)
		return;
	config_index_fini(&c->index);
	free(c->vips);
	free(c);
}

static const struct config_service *service_of(const struct conflict *c, uint32_t vip)
{
	return &c->config->services[c->config->vips[vip].service];
}

static bool same(const uint8_t a[NEIGHBOUR_MAC], const uint8_t b[NEIGHBOUR_MAC])
{
	return memcmp(a, b, NEIGHBOUR_MAC) == 0;
}

/* ---- who is of the cluster ---- */

static bool has_mac(const struct conflict_kin *k, const uint8_t mac[NEIGHBOUR_MAC])
{
	for (uint32_t i = 0; i < k->n_macs; i++)
		if (same(k->macs[i], mac))
			return true;
	return false;
}

static void learn(struct conflict_kin *k, const uint8_t mac[NEIGHBOUR_MAC])
{
	if (has_mac(k, mac))
		return;
	memcpy(k->macs[1], k->macs[0], NEIGHBOUR_MAC);
	memcpy(k->macs[0], mac, NEIGHBOUR_MAC);
	k->n_macs = k->n_macs ? 2 : 1;
}

/* RFC 9568 7.3: 00-00-5E-00-01-VRID for IPv4, 00-00-5E-00-02-VRID for IPv6 */
static bool is_virtual(const struct conflict *c, uint32_t vip, const uint8_t mac[NEIGHBOUR_MAC])
{
	const uint8_t vrid = service_of(c, vip)->foreign_vrid;
	const uint8_t family = addr_is_ipv4(&c->config->vips[vip].address) ? 1 : 2;
	const uint8_t router[NEIGHBOUR_MAC] = {0x00, 0x00, 0x5e, 0x00, family, vrid};

	return vrid != 0 && same(mac, router);
}

static bool is_kin(const struct conflict *c, uint32_t vip, const uint8_t mac[NEIGHBOUR_MAC])
{
	const struct conflict_kin *kin = c->kin[service_of(c, vip)->interface];

	for (uint32_t i = 0; i < c->config->n_nodes; i++)
		if (has_mac(&kin[i], mac))
			return true;
	return is_virtual(c, vip, mac);
}

/* ---- when ---- */

static bool wants_yield(const struct conflict *c, const struct conflict_vip *v)
{
	return v->since != 0 && c->config->announce.conflict == CONFIG_CONFLICT_YIELD;
}

/* The node does not do what it should: it serves, or has yielded. */
static bool is_at_odds(const struct conflict *c, const struct conflict_vip *v)
{
	return v->role == (wants_yield(c, v) ? CONFLICT_SERVES : CONFLICT_YIELDED);
}

/* A stranger that was last heard at this time, and not since, is gone. */
static tick gone_at(const struct conflict *c, const struct conflict_vip *v)
{
	return v->heard + QUESTIONS * c->again + ASK_FIRST;
}

static tick defend_at(const struct conflict_vip *v)
{
	return v->defended ? v->defended + CONFLICT_DEFEND_INTERVAL : 0;
}

static void set_timer(struct conflict *c, struct conflict_vip *v)
{
	v->at = TICK_NEVER;
	if (v->role == CONFLICT_AWAY)
		return;
	v->at = v->probed ? 0 : v->ask_at;
	if (v->since) {
		v->at = tick_min(v->at, tick_min(gone_at(c, v), v->said + SAY_AGAIN));
		if (v->defend)
			v->at = tick_min(v->at, defend_at(v));
	} else if (v->suspected) {
		v->at = tick_min(v->at, v->settle_at);
	}
	if (is_at_odds(c, v))
		v->at = tick_min(v->at, v->told ? v->told + TELL_AGAIN : 0);
	c->next = tick_min(c->next, v->at);
}

/* ---- what is said ---- */

/* Whether there is room for one more line. */
static bool may_say(struct conflict *c, tick now)
{
	if (c->line_at > now + (LINES - 1) * LINE_EVERY) {
		c->counters.unsaid++;
		return false;
	}
	c->line_at = tick_max(c->line_at, now) + LINE_EVERY;
	return true;
}

static unsigned say(struct conflict *c, struct conflict_vip *v, unsigned what, tick now)
{
	v->said = now;
	if (!may_say(c, now))
		return 0;
	v->spoken = true;
	return what;
}

/* ---- hearing ---- */

static void hear_probe(
	struct conflict *c, struct conflict_vip *v, const uint8_t mac[NEIGHBOUR_MAC], tick now)
{
	c->counters.probes++;
	memcpy(v->prober, mac, NEIGHBOUR_MAC);
	if (v->role != CONFLICT_SERVES || (v->probe_said && now - v->probe_said < SAY_AGAIN))
		return;
	v->probe_said = now;
	v->probed = may_say(c, now);
}

static void hear_claim(
	struct conflict *c, struct conflict_vip *v, const uint8_t mac[NEIGHBOUR_MAC], tick now)
{
	c->counters.claims++;
	v->claims++;
	v->heard = now;
	memcpy(v->mac, mac, NEIGHBOUR_MAC);
	v->defend = c->config->announce.conflict == CONFIG_CONFLICT_DEFEND;
	if (v->since || v->suspected)
		return;
	v->suspected = v->settle_at = now;
	v->kin_asks = 0;
}

void conflict_hear(struct conflict *c, uint32_t interface, const struct neighbour *n, tick now)
{
	const int32_t node = config_find_node(c->config, &n->address);
	const int32_t found = config_index_vip(&c->index, &n->address);
	const uint32_t vip = (uint32_t)found;

	ASSERT(interface < c->config->n_interfaces);
	if (node != CONFIG_NO_NODE && node != (int32_t)c->self && n->kind == NEIGHBOUR_CLAIM)
		learn(&c->kin[interface][node], n->mac);
	if (found < 0 || service_of(c, vip)->interface != interface ||
		c->vips[vip].role == CONFLICT_AWAY || is_kin(c, vip, n->mac))
		return;
	if (n->kind == NEIGHBOUR_PROBE)
		hear_probe(c, &c->vips[vip], n->mac, now);
	else
		hear_claim(c, &c->vips[vip], n->mac, now);
	set_timer(c, &c->vips[vip]);
}

/* ---- roles ---- */

static tick next_on_grid(tick at)
{
	return at + ASK_GRID - 1 - (at + ASK_GRID - 1) % ASK_GRID;
}

/* VIPs that came here together do not all ask together. */
static tick first_question(struct conflict *c, tick now)
{
	const uint32_t slots = c->config->n_vips;

	return next_on_grid(now + ASK_FIRST + rng_below(&c->rng, slots) * ASK_PACE);
}

void conflict_set_role(struct conflict *c, uint32_t vip, enum conflict_role role, tick now)
{
	struct conflict_vip *v = &c->vips[vip];

	ASSERT(vip < c->config->n_vips);
	if (v->role == role)
		return;
	if (role == CONFLICT_AWAY || v->role == CONFLICT_AWAY)
		*v = (struct conflict_vip){.said = v->said, .probe_said = v->probe_said};
	v->role = role;
	v->told = 0;
	v->ask_at = first_question(c, now);
	set_timer(c, v);
}

/* ---- acting ---- */

static unsigned ask_kin(struct conflict *c, uint32_t vip, tick now)
{
	tick *asked = &c->kin_asked[service_of(c, vip)->interface];

	if (*asked && now - *asked < KIN_INTERVAL)
		return 0;
	*asked = now;
	return CONFLICT_FX_ASK_KIN;
}

static unsigned judge(struct conflict *c, uint32_t vip, tick now)
{
	struct conflict_vip *v = &c->vips[vip];

	if (now < v->settle_at)
		return 0;
	if (v->kin_asks < KIN_ASKS) {
		/* the last answers may take a little longer */
		v->kin_asks++;
		v->settle_at = now + (v->kin_asks < KIN_ASKS ? KIN_ASK_GAP
							     : CONFLICT_SETTLE - KIN_ASK_GAP);
		return ask_kin(c, vip, now);
	}
	if (is_kin(c, vip, v->mac)) {
		v->suspected = 0;
		v->claims = 0;
		return 0;
	}
	v->since = v->suspected;
	c->counters.conflicts++;
	v->ask_at = tick_min(v->ask_at, now + c->again);
	/* one that comes and goes is spoken of no more often than one that stays */
	if (!v->said || now - v->said >= SAY_AGAIN)
		return say(c, v, CONFLICT_FX_SAY_BEGUN, now);
	return 0;
}

static unsigned end(struct conflict *c, struct conflict_vip *v, tick now)
{
	const bool spoken = v->spoken;

	v->since = v->suspected = v->told = 0;
	v->claims = 0;
	v->spoken = v->defend = false;
	if (!spoken || !may_say(c, now))
		return 0;
	return CONFLICT_FX_SAY_OVER;
}

static unsigned resist(struct conflict *c, struct conflict_vip *v, tick now)
{
	unsigned what = 0;

	if (now - v->said >= SAY_AGAIN)
		what |= say(c, v, v->spoken ? CONFLICT_FX_SAY_LASTS : CONFLICT_FX_SAY_BEGUN, now);
	if (!v->defend || now < defend_at(v))
		return what;
	v->defend = false;
	v->defended = now;
	c->counters.defences++;
	return what | CONFLICT_FX_DEFEND;
}

/* Serve or yield: said until it is so, for the word may be lost. */
static unsigned tell(struct conflict *c, struct conflict_vip *v, tick now)
{
	if (!is_at_odds(c, v) || (v->told && now - v->told < TELL_AGAIN))
		return 0;
	if (wants_yield(c, v) && !v->told)
		c->counters.yields++;
	v->told = now;
	return wants_yield(c, v) ? CONFLICT_FX_YIELD : CONFLICT_FX_RESUME;
}

static unsigned ask(struct conflict *c, struct conflict_vip *v, tick now)
{
	const tick tenth = c->patrol / 10;

	if (now < v->ask_at)
		return 0;
	if (v->since || v->role == CONFLICT_YIELDED)
		v->ask_at = now + c->again;
	else if (c->patrol == TICK_NEVER)
		v->ask_at = TICK_NEVER;
	else
		v->ask_at = next_on_grid(now + 9 * tenth + tenth * rng_below(&c->rng, 2049) / 1024);
	c->counters.questions++;
	return CONFLICT_FX_ASK;
}

static unsigned step(struct conflict *c, uint32_t vip, tick now)
{
	struct conflict_vip *v = &c->vips[vip];
	unsigned what = v->probed ? CONFLICT_FX_SAY_PROBED : 0;

	v->probed = false;
	if (v->since && now >= gone_at(c, v))
		what |= end(c, v, now);
	else if (!v->since && v->suspected)
		what |= judge(c, vip, now);
	if (v->since)
		what |= resist(c, v, now);
	what |= tell(c, v, now);
	return what | ask(c, v, now);
}

uint32_t conflict_take(struct conflict *c, tick now, struct conflict_act *acts, uint32_t max)
{
	uint32_t n = 0;

	if (now < c->next)
		return 0;
	c->next = TICK_NEVER;
	for (uint32_t vip = 0; vip < c->config->n_vips; vip++) {
		struct conflict_vip *v = &c->vips[vip];

		if (v->at <= now && n < max) {
			const unsigned what = step(c, vip, now);

			if (what)
				acts[n++] = (struct conflict_act){vip, v->claims, what};
			if (what & (CONFLICT_FX_SAY_BEGUN | CONFLICT_FX_SAY_LASTS))
				v->claims = 0;
			set_timer(c, v);
		}
		c->next = tick_min(c->next, v->at);
	}
	return n;
}

tick conflict_deadline(const struct conflict *c)
{
	return c->next;
}
