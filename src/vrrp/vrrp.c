/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vrrp/vrrp.h"

#include "base/assert.h"

#define PARTINGS_MIN 3

/* So long may the next in the order take to hold and announce before the others, whose skew may be
 * shorter, come in its way; the one that leaves serves on meanwhile. */
#define CLAIM_GRACE tick_ms(20)

/* The transitions that there are; `transition` asserts them. */
static const uint8_t allowed[VRRP_STATES] = {
	[VRRP_INITIALIZE] = 1 << VRRP_BACKUP | 1 << VRRP_ACTIVE,
	[VRRP_BACKUP] = 1 << VRRP_INITIALIZE | 1 << VRRP_CLAIMING | 1 << VRRP_ACTIVE,
	[VRRP_CLAIMING] = 1 << VRRP_INITIALIZE | 1 << VRRP_BACKUP | 1 << VRRP_ACTIVE,
	[VRRP_ACTIVE] = 1 << VRRP_INITIALIZE | 1 << VRRP_BACKUP | 1 << VRRP_LEAVING,
	[VRRP_LEAVING] = 1 << VRRP_INITIALIZE,
};

const char *vrrp_state_name(enum vrrp_state state)
{
	static const char *const names[VRRP_STATES] = {
		[VRRP_INITIALIZE] = "initialize",
		[VRRP_BACKUP] = "backup",
		[VRRP_CLAIMING] = "claiming",
		[VRRP_ACTIVE] = "active",
		[VRRP_LEAVING] = "leaving",
	};

	ASSERT(state < VRRP_STATES);
	return names[state];
}

const char *vrrp_reason_text(enum vrrp_reason why)
{
	static const char *const texts[VRRP_REASONS] = {
		[VRRP_WHY_NONE] = "nothing happened yet",
		[VRRP_WHY_START] = "this node listens first",
		[VRRP_WHY_OWNER] = "this node owns it (priority 255)",
		[VRRP_WHY_SILENCE] = "nobody advertised it",
		[VRRP_WHY_LEFT] = "the node that served it left",
		[VRRP_WHY_PREEMPT] = "this node is preferred to the one that served it",
		[VRRP_WHY_BETTER] = "a node that comes first advertises it",
		[VRRP_WHY_STOP] = "this node was told to stop",
		[VRRP_WHY_LINK] = "no carrier or no address to send from",
		[VRRP_WHY_LAPSE] = "this node was away for longer than its lease",
	};

	ASSERT(why < VRRP_REASONS);
	return texts[why];
}

tick vrrp_skew(uint8_t version, uint8_t priority, tick interval)
{
	/* RFC 9568 6.1: a fraction of the Active's interval; RFC 3768 6.1: of a second */
	const tick whole = version == 2 ? tick_s(1) : interval;

	return (256u - priority) * whole / 256u;
}

tick vrrp_active_down(uint8_t version, uint8_t priority, tick interval)
{
	return 3u * interval + vrrp_skew(version, priority, interval);
}

static tick active_down(const struct vrrp *v, const struct vrrp_config *c)
{
	return vrrp_active_down(c->version, v->priority, v->active_interval);
}

static void transition(struct vrrp *v, enum vrrp_state to, enum vrrp_reason why, tick now)
{
	ASSERT(allowed[v->state] & 1 << to);
	v->state = to;
	v->why = why;
	v->since = now;
	v->active_down_at = TICK_NEVER;
	v->advert_at = TICK_NEVER;
	v->leave_by = TICK_NEVER;
	v->inherited = false;
	v->returned = false;
	v->partings = 0;
}

static bool is_strictly_better(
	const struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev)
{
	/* RFC 9568 6.4.3: greater priority, or equal and greater primary address */
	if (ev->priority != v->priority)
		return ev->priority > v->priority;
	return addr_compare(&ev->source, &c->self) > 0;
}

/* Whether this node would take over from a live Active of @priority, less than its own. Among
 * roost's nodes a healthy one always relieves an ill one, or `preempt: false` would pin VIPs to it.
 */
static bool may_preempt(const struct vrrp *v, const struct vrrp_config *c, uint8_t priority)
{
	if (c->preempt)
		return true;
	return !c->strict && priority < VRRP_PRIORITY_HEALTHY &&
	       v->priority >= VRRP_PRIORITY_HEALTHY;
}

/* One that yielded says so once more: news for the Active alone, and no claim of anything. */
static bool is_parting(const struct vrrp_config *c, const struct vrrp_event *ev)
{
	return !c->strict && ev->priority == VRRP_PRIORITY_PARTING;
}

/* Remembers who serves, and that it is taken to do so for an Active_Down from now. */
static void remember(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	if (!addr_equal(&v->active, &ev->source) || now >= v->served_until)
		v->active_since = now;
	v->active = ev->source;
	v->active_priority = ev->priority;
	v->heard = now;
	v->served_until = tick_add(now, vrrp_active_down(c->version, v->priority, ev->interval));
	v->inherited = false;
	v->left = false;
}

static unsigned become_active(
	struct vrrp *v, const struct vrrp_config *c, enum vrrp_reason why, tick now)
{
	const bool announced = v->state == VRRP_CLAIMING && why != VRRP_WHY_SILENCE;

	transition(v, VRRP_ACTIVE, why, now);
	v->advert_at = tick_add(now, c->period);
	v->linger_until = TICK_NEVER;
	return VRRP_FX_ADVERTISE | VRRP_FX_MOVED | (announced ? 0 : VRRP_FX_ANNOUNCE);
}

static unsigned become_backup(
	struct vrrp *v, const struct vrrp_config *c, enum vrrp_reason why, tick now)
{
	transition(v, VRRP_BACKUP, why, now);
	v->active_down_at = tick_add(now, active_down(v, c));
	return 0;
}

static unsigned become_claimant(struct vrrp *v, enum vrrp_reason why, tick now)
{
	transition(v, VRRP_CLAIMING, why, now);
	v->linger_until = TICK_NEVER;
	return VRRP_FX_ANNOUNCE;
}

/* Until when data is served after the advertisement in hand has ended this node's service. */
static tick linger(
	const struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	const bool believed =
		ev->announced || (v->state != VRRP_LEAVING && now - v->since < VRRP_BELIEVED);

	return tick_add(now, c->linger + (believed ? VRRP_BELIEVED : 0));
}

/* Tells a winner that may never have heard of this rival that it must announce once more. By a priority
 * that can't win, whatever becomes of either's meanwhile. */
static unsigned part(struct vrrp *v, const struct vrrp_config *c, tick now)
{
	const tick redundancy = c->interval / c->period;

	/* thrice at least: behind a clean partition nobody could learn that packets get lost */
	v->partings = (uint8_t)(redundancy > PARTINGS_MIN ? redundancy : PARTINGS_MIN) - 1;
	v->part_at = tick_add(now, c->period);
	return VRRP_FX_ADVERTISE_PARTING;
}

/* The advertisement in hand ends this node's service: Backup of its sender, by the order of a planned
 * hand-over. */
static unsigned yield(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	const unsigned moved = v->state == VRRP_ACTIVE ? VRRP_FX_MOVED : 0;
	const tick until = linger(v, c, ev, now);

	v->active_interval = ev->interval;
	remember(v, c, ev, now);
	become_backup(v, c, VRRP_WHY_BETTER, now);
	if (c->strict)
		return moved;
	v->linger_until = until;
	return moved | part(v, c, now);
}

static unsigned step_down(struct vrrp *v, enum vrrp_reason why, tick now)
{
	const bool served = v->state == VRRP_ACTIVE || v->state == VRRP_LEAVING;

	if (v->state != VRRP_INITIALIZE)
		transition(v, VRRP_INITIALIZE, why, now);
	if (why == VRRP_WHY_LINK)
		v->linger_until = TICK_NEVER;
	return served ? VRRP_FX_MOVED : 0;
}

/* Backup of whoever there is. Back within three intervals: one that took over meanwhile advertises in one. */
static unsigned listen(
	struct vrrp *v, const struct vrrp_config *c, enum vrrp_reason why, bool inherited, tick now)
{
	v->active_interval = c->interval;
	v->preempt_after = tick_add(now, c->preempt_delay);
	v->served_until = 0;
	v->active = addr_none;
	v->heard = 0;
	v->left = false;
	become_backup(v, c, why, now);
	v->inherited = inherited;
	v->returned = !c->strict && (inherited || why == VRRP_WHY_LAPSE);
	if (inherited || why == VRRP_WHY_LAPSE)
		v->active_down_at = now + c->interval + c->interval / 2 +
				    vrrp_skew(c->version, v->priority, c->interval);
	return 0;
}

/* RFC 9568 6.4.1 */
static unsigned step_initialize(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	switch (ev->kind) {
	case VRRP_EV_START:
		if (v->priority == VRRP_PRIORITY_OWNER)
			return become_active(v, c, VRRP_WHY_OWNER, now);
		return listen(v, c, VRRP_WHY_START, ev->inherited, now);
	case VRRP_EV_TICK:
		if (now >= v->linger_until)
			v->linger_until = TICK_NEVER;
		return 0;
	case VRRP_EV_DOWN: return step_down(v, VRRP_WHY_LINK, now);
	case VRRP_EV_ADVERT:
	case VRRP_EV_ANNOUNCED:
	case VRRP_EV_PRIORITY:
	case VRRP_EV_LAPSE:
	case VRRP_EV_LEAVE: return 0;
	}
	return 0;
}

/* Whether what tells that the others live may still wait to be read. Who floods can't say so for longer than
 * another Active_Down after @silent, when they should have been heard. */
static bool may_be_unread(const struct vrrp *v, const struct vrrp_config *c,
	const struct vrrp_event *ev, tick silent, tick now)
{
	return ev->unread && tick_since(now, silent) < active_down(v, c);
}

/* Active_Down_Timer has fired (RFC 9568 6.4.2). */
static unsigned backup_expire(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	const bool served = now < v->served_until;

	if (ev->late) {
		/* it was this node that slept: hear the others out once more */
		v->active_down_at = now + v->active_interval +
				    vrrp_skew(c->version, v->priority, v->active_interval);
		return 0;
	}
	if (!served && may_be_unread(v, c, ev, v->active_down_at, now))
		return 0;
	if (!served)
		return become_active(v, c, v->left ? VRRP_WHY_LEFT : VRRP_WHY_SILENCE, now);
	if (!v->left && now < v->preempt_after) {
		v->active_down_at = tick_min(v->preempt_after, v->served_until);
		return 0;
	}
	if (c->strict)
		return become_active(v, c, VRRP_WHY_PREEMPT, now);
	return become_claimant(v, v->left ? VRRP_WHY_LEFT : VRRP_WHY_PREEMPT, now);
}

/* Priority 0 was heard: the Active leaves. */
static unsigned backup_left(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	const tick skew = vrrp_skew(c->version, v->priority, v->active_interval);

	if (c->strict) {
		v->left = true;
		v->active_down_at = tick_add(now, skew); /* RFC 9568 6.4.2 */
		v->served_until = 0;
		return 0;
	}
	/* one that does not serve has nothing to leave behind */
	if (!addr_is_none(&v->active) && !addr_equal(&v->active, &ev->source) &&
		now < v->served_until)
		return 0;
	v->left = true;
	/* it serves on until it hears its successor, so the hand-over is a planned one */
	v->served_until = tick_add(now, active_down(v, c));
	if (ev->next)
		return become_claimant(v, VRRP_WHY_LEFT, now);
	/* it says so repeatedly: never re-arm to a later time */
	v->active_down_at = tick_min(v->active_down_at, tick_add(now, skew + CLAIM_GRACE));
	return 0;
}

static unsigned backup_advert(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	/* behind a fence the address is kept, but not served */
	const bool lets_go = v->returned && v->inherited && !c->fenced;
	unsigned fx = 0;

	if (ev->priority == VRRP_PRIORITY_LEAVING)
		return backup_left(v, c, ev, now);
	if (is_parting(c, ev))
		return 0;
	if (ev->priority < v->priority && may_preempt(v, c, ev->priority)) {
		remember(v, c, ev, now);
		if (lets_go)
			v->linger_until = tick_add(now, c->linger);
		return 0; /* RFC 9568 6.4.2: discard, the timer runs on */
	}
	if (v->heard && addr_equal(&v->active, &ev->source) &&
		now - v->heard > ev->interval + ev->interval * 3 / 4)
		fx |= VRRP_FX_MISSED;
	/* RFC 9568 6.4.2: adopt the interval, recompute, re-arm */
	v->active_interval = ev->interval;
	remember(v, c, ev, now);
	v->active_down_at = tick_add(now, active_down(v, c));
	if (lets_go)
		v->linger_until = tick_add(now, c->linger);
	if (!v->returned)
		return fx;
	/* some neighbours may still believe in it */
	v->returned = false;
	return fx | part(v, c, now);
}

/* RFC 9568 6.4.2 */
static unsigned step_backup(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	switch (ev->kind) {
	case VRRP_EV_TICK:
		if (now >= v->linger_until)
			v->linger_until = TICK_NEVER;
		if (now >= v->active_down_at)
			return backup_expire(v, c, ev, now);
		if (v->partings == 0 || now < v->part_at)
			return 0;
		v->partings--;
		v->part_at = tick_add(now, c->period);
		return VRRP_FX_ADVERTISE_PARTING;
	case VRRP_EV_ADVERT: return backup_advert(v, c, ev, now);
	case VRRP_EV_PRIORITY:
		/* from worse to better than the one that serves, or the reverse: Active_Down
		 * decides */
		if (now < v->served_until)
			v->active_down_at = tick_add(now, active_down(v, c));
		return 0;
	case VRRP_EV_LEAVE: return step_down(v, VRRP_WHY_STOP, now);
	case VRRP_EV_DOWN: return step_down(v, VRRP_WHY_LINK, now);
	case VRRP_EV_START:
	case VRRP_EV_LAPSE:
	case VRRP_EV_ANNOUNCED: return 0;
	}
	return 0;
}

static unsigned claiming_advert(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	if (is_parting(c, ev))
		return 0;
	if (ev->priority == VRRP_PRIORITY_LEAVING) {
		v->served_until = tick_max(v->served_until, tick_add(now, active_down(v, c)));
		return 0;
	}
	if (ev->priority < v->priority &&
		(may_preempt(v, c, ev->priority) || v->why == VRRP_WHY_LEFT)) {
		remember(v, c, ev, now);
		return 0;
	}
	return yield(v, c, ev, now);
}

/* A Backup in all that the wire can see; it holds the address and waits for its announcement to
 * leave. */
static unsigned step_claiming(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	switch (ev->kind) {
	case VRRP_EV_TICK:
		if (now < v->served_until || ev->late ||
			may_be_unread(v, c, ev, v->served_until, now))
			return 0;
		return become_active(v, c, VRRP_WHY_SILENCE, now);
	case VRRP_EV_ANNOUNCED: return become_active(v, c, v->why, now);
	case VRRP_EV_ADVERT: return claiming_advert(v, c, ev, now);
	case VRRP_EV_PRIORITY:
		if (v->priority > v->active_priority)
			return 0;
		v->active_interval = tick_max(v->active_interval, c->interval);
		become_backup(v, c, VRRP_WHY_BETTER, now);
		v->linger_until = tick_add(now, c->linger);
		return part(v, c, now);
	case VRRP_EV_LEAVE: return step_down(v, VRRP_WHY_STOP, now);
	case VRRP_EV_DOWN: return step_down(v, VRRP_WHY_LINK, now);
	case VRRP_EV_LAPSE:
	case VRRP_EV_START: return 0;
	}
	return 0;
}

static unsigned active_advert(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	/* the one that this node has just relieved says that it yields */
	const bool expected =
		is_parting(c, ev) && (v->why == VRRP_WHY_PREEMPT || v->why == VRRP_WHY_LEFT) &&
		addr_equal(&ev->source, &v->active) && now - v->since < 4 * v->active_interval;

	/* RFC 9568 6.4.3: to priority 0 and to a losing rival the answer is an advertisement at
	 * once; and since either served, the last announcement must be ours */
	if (ev->priority == VRRP_PRIORITY_LEAVING) {
		v->advert_at = tick_add(now, c->period);
		return VRRP_FX_ADVERTISE | VRRP_FX_ANNOUNCE;
	}
	if (is_strictly_better(v, c, ev))
		return yield(v, c, ev, now);
	v->advert_at = tick_add(now, c->period);
	return VRRP_FX_ADVERTISE | VRRP_FX_ANNOUNCE | (expected ? 0 : VRRP_FX_CONFLICT);
}

static unsigned begin_leaving(struct vrrp *v, const struct vrrp_config *c, tick now)
{
	transition(v, VRRP_LEAVING, VRRP_WHY_STOP, now);
	v->advert_at = c->strict ? TICK_NEVER : tick_add(now, c->period);
	/* whoever hears none of it takes over after its Active_Down, and needs a moment to do so */
	v->leave_by = tick_add(now, vrrp_active_down(c->version, 0, c->interval) + tick_ms(100));
	return VRRP_FX_ADVERTISE_LEAVING;
}

/* RFC 9568 6.4.3 */
static unsigned step_active(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	switch (ev->kind) {
	case VRRP_EV_TICK:
		if (now < v->advert_at)
			return 0;
		vrrp_advertised(v, c, now);
		/* while it slept another may have served, announced, and be gone again */
		return VRRP_FX_ADVERTISE | (ev->late ? VRRP_FX_ANNOUNCE : 0);
	case VRRP_EV_ADVERT: return active_advert(v, c, ev, now);
	case VRRP_EV_PRIORITY: return VRRP_FX_ADVERTISE;
	case VRRP_EV_LEAVE: return begin_leaving(v, c, now);
	case VRRP_EV_DOWN: return step_down(v, VRRP_WHY_LINK, now);
	case VRRP_EV_LAPSE: return listen(v, c, VRRP_WHY_LAPSE, ev->inherited, now) | VRRP_FX_MOVED;
	case VRRP_EV_START:
	case VRRP_EV_ANNOUNCED: return 0;
	}
	return 0;
}

static unsigned step_leaving(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	switch (ev->kind) {
	case VRRP_EV_TICK:
		if (now >= v->leave_by)
			return step_down(v, VRRP_WHY_STOP, now);
		if (now < v->advert_at)
			return 0;
		vrrp_advertised(v, c, now);
		return VRRP_FX_ADVERTISE_LEAVING;
	case VRRP_EV_ADVERT:
		if (ev->priority == VRRP_PRIORITY_LEAVING || is_parting(c, ev))
			return 0;
		remember(v, c, ev, now);
		v->linger_until = c->strict ? TICK_NEVER : linger(v, c, ev, now);
		return step_down(v, VRRP_WHY_STOP, now);
	case VRRP_EV_DOWN: return step_down(v, VRRP_WHY_LINK, now);
	case VRRP_EV_LAPSE: return step_down(v, VRRP_WHY_STOP, now);
	case VRRP_EV_START:
	case VRRP_EV_ANNOUNCED:
	case VRRP_EV_PRIORITY:
	case VRRP_EV_LEAVE: return 0;
	}
	return 0;
}

void vrrp_init(struct vrrp *v, uint8_t priority)
{
	ASSERT(priority > 0);
	*v = (struct vrrp){
		.priority = priority,
		.active_down_at = TICK_NEVER,
		.advert_at = TICK_NEVER,
		.linger_until = TICK_NEVER,
		.leave_by = TICK_NEVER,
	};
}

unsigned vrrp_step(
	struct vrrp *v, const struct vrrp_config *c, const struct vrrp_event *ev, tick now)
{
	unsigned fx = 0;

	ASSERT(c->period > 0 && c->interval >= c->period);
	/* Active_Down must not count from before it was sent, however this thread was held up */
	if (ev->kind == VRRP_EV_ADVERT)
		now = tick_max(now, ev->received);
	if (ev->kind == VRRP_EV_PRIORITY) {
		ASSERT(ev->priority > 0);
		if (v->priority == ev->priority)
			return 0;
		v->priority = ev->priority;
	}
	switch (v->state) {
	case VRRP_INITIALIZE: fx = step_initialize(v, c, ev, now); break;
	case VRRP_BACKUP: fx = step_backup(v, c, ev, now); break;
	case VRRP_CLAIMING: fx = step_claiming(v, c, ev, now); break;
	case VRRP_ACTIVE: fx = step_active(v, c, ev, now); break;
	case VRRP_LEAVING: fx = step_leaving(v, c, ev, now); break;
	case VRRP_STATES: ASSERT(!"a state");
	}
	vrrp_check(v);
	return fx;
}

tick vrrp_deadline(const struct vrrp *v)
{
	const tick timer = tick_min(v->active_down_at, tick_min(v->advert_at, v->leave_by));
	const tick claim = v->state == VRRP_CLAIMING ? v->served_until : TICK_NEVER;
	const tick parting = v->partings ? v->part_at : TICK_NEVER;

	return tick_min(tick_min(timer, claim), tick_min(parting, v->linger_until));
}

enum vrrp_hold vrrp_wanted_hold(const struct vrrp *v, tick now)
{
	switch (v->state) {
	case VRRP_CLAIMING:
	case VRRP_ACTIVE:
	case VRRP_LEAVING: return VRRP_HOLD_FULL;
	case VRRP_INITIALIZE:
	case VRRP_BACKUP:
		if (v->inherited)
			return VRRP_HOLD_FULL;
		if (v->linger_until != TICK_NEVER && now < v->linger_until)
			return VRRP_HOLD_DATA;
		return VRRP_HOLD_NONE;
	case VRRP_STATES: break;
	}
	ASSERT(!"a state");
	return VRRP_HOLD_NONE;
}

void vrrp_advertised(struct vrrp *v, const struct vrrp_config *c, tick now)
{
	/* the beat: wake-up delays do not add up, also when this is said twice of one advertisement */
	const tick beat = v->advert_at <= now ? v->advert_at + c->period : v->advert_at;
	const bool is_kept = beat > now + c->period / 2 && beat <= now + c->period;

	ASSERT(v->advert_at != TICK_NEVER);
	v->advert_at = is_kept ? beat : now + c->period;
}

void vrrp_check(const struct vrrp *v)
{
	const bool sends = v->state == VRRP_ACTIVE;

	ASSERT(v->state < VRRP_STATES);
	ASSERT(v->why < VRRP_REASONS);
	ASSERT(v->priority > 0);
	ASSERT((v->state == VRRP_BACKUP) == (v->active_down_at != TICK_NEVER));
	ASSERT(!sends || v->advert_at != TICK_NEVER);
	ASSERT(sends || v->state == VRRP_LEAVING || v->advert_at == TICK_NEVER);
	ASSERT((v->state == VRRP_LEAVING) == (v->leave_by != TICK_NEVER));
	ASSERT(!v->inherited || v->state == VRRP_BACKUP);
	ASSERT(!v->returned || v->state == VRRP_BACKUP);
	ASSERT(v->partings == 0 || v->state == VRRP_BACKUP);
	ASSERT(v->linger_until == TICK_NEVER || v->state <= VRRP_BACKUP);
}
