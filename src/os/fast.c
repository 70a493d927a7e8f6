/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/fast.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/assert.h"
#include "os/clock.h"
#include "os/last_words.h"
#include "os/privileges.h"

#define STACK_SIZE (128 * 1024)

/* Below the kernel's own real-time threads, above everything ordinary. */
#define REALTIME_PRIORITY 50

/* Batches per family and turn: a flood must not keep the thread from its own advertisements. */
#define BATCHES_MAX 64

/* Nor must forgeries and replays, of which each costs a hash: so many of them end the reading of a turn. */
#define FORGERIES_MAX 64

/* Nor may reading take longer than this part of the lateness that the node would find next. */
#define READING_SHARE 2

/* The slow thread that has not beaten for so long, of the time that this thread was awake, hangs. */
#define HANG_LIMIT tick_s(10)

/* The guardian wants to see turns, also when there is nothing to do. */
#define WAIT_MAX tick_s(1)

/* A turn later than this was a pause of the whole machine or process. */
#define PAUSE (2 * WAIT_MAX)

struct fast {
	struct node *node;
	struct node *snapshot;
	struct node_effects *effects;
	struct board *board;
	struct raw *raw;
	struct auth *auth;
	uint32_t forgeries; /* in this turn */
	pthread_t thread;
	bool realtime;
	bool linked;   /* a link has been told of */
	bool relinked; /* in this turn a link changed */
	bool *left;    /* by router: in this turn an advertisement of what it serves has left */
	bool *owed;    /* ... and is waited for by VIPs that are to be opened */
	struct fence_words words;
	const struct destinations *destinations;
	struct will *will;
	struct last_words *last_words;
	uint64_t beats; /* of the slow thread, last seen ... */
	tick beatless;  /* ... and for how long there was no other */
	tick turned;    /* when the last turn was */
	uint32_t ifindex[CONFIG_INTERFACES_MAX];
	uint32_t *announced; /* by VIP: the last number that the board answered */
	struct raw_datagram datagrams[RAW_BATCH];
	struct advert advert; /* 4 KiB: not for a small stack */
};

/* Sleeps until the node's deadline, a datagram or a kick; returns whether it was kicked. */
static bool wait_for_news(const struct fast *f)
{
	const tick now = clock_now();
	const tick until = tick_min(node_deadline(f->node), tick_add(now, WAIT_MAX));
	const tick ns = tick_since(until, now);
	const struct timespec left = {
		.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
	struct pollfd fds[] = {
		{.fd = board_fast_fd(f->board), .events = POLLIN},
		{.fd = raw_fd(f->raw, FAMILY_IPV4), .events = POLLIN},
		{.fd = raw_fd(f->raw, FAMILY_IPV6), .events = POLLIN},
	};

	/* an error (EINTR) is an early turn, and those are harmless */
	return ppoll(fds, ARRAY_SIZE(fds), &left, NULL) > 0 && fds[0].revents != 0;
}

static bool find_interface(const struct fast *f, uint32_t ifindex, uint32_t *ret_interface)
{
	for (uint32_t i = 0; i < f->node->setup.config->n_interfaces; i++) {
		if (f->ifindex[i] == ifindex && ifindex != 0) {
			*ret_interface = i;
			return true;
		}
	}
	return false;
}

/* Unicast VRRP is older than any RFC that allows it: some speakers leave the hop limit at the kernel's
 * default. Whoever the file names as a peer is heard all the same. */
static bool is_named_peer(
	const struct config *c, uint32_t interface, const struct advert_envelope *envelope)
{
	if (addr_is_multicast(&envelope->destination))
		return false;
	for (uint32_t i = 0; i < c->n_services; i++) {
		const struct config_service *s = &c->services[i];

		if (s->interface != interface || !s->vrrp.unicast)
			continue;
		for (uint32_t k = 0; k < s->vrrp.n_peers; k++)
			if (addr_equal(&s->vrrp.peers[k], &envelope->source))
				return true;
	}
	return false;
}

static enum auth_verdict verify(struct fast *f, const struct raw_datagram *d)
{
	const enum auth_verdict verdict = auth_verify(f->auth, d->message, d->size,
		advert_message_size(&f->advert), &d->envelope.source, clock_wall_ns());

	f->forgeries += auth_is_costly(verdict);
	return verdict;
}

static void hear(struct fast *f, struct raw_datagram *d, tick received, tick now)
{
	struct node_event ev = {.kind = NODE_EV_ADVERT, .advert = &f->advert, .received = received};
	enum advert_verdict verdict;

	if (!find_interface(f, d->ifindex, &ev.interface))
		return;
	if (d->envelope.ttl != ADVERT_TTL)
		d->envelope.any_ttl =
			is_named_peer(f->node->setup.config, ev.interface, &d->envelope);
	verdict = advert_parse(d->message, d->size, &d->envelope, &f->advert);
	f->node->counters.received[verdict]++;
	if (verdict != ADVERT_ACCEPTED)
		return;
	if (f->auth)
		ev.auth = verify(f, d);
	node_step(f->node, &ev, now, f->effects);
}

/* Whether this turn has read enough: what takes long to read would make the next turn late by itself. */
static bool is_flooded(const struct fast *f, tick received, tick now)
{
	return f->forgeries > FORGERIES_MAX ||
	       tick_since(received, now) > f->node->late_after / READING_SHARE;
}

/* False if more may wait to be read. */
static bool drain_socket(struct fast *f, enum family family, tick now)
{
	for (int batch = 0; batch < BATCHES_MAX; batch++) {
		uint32_t usable;
		const uint32_t n = raw_receive(f->raw, family, f->datagrams, &usable);
		const tick received = usable ? clock_now() : now;

		f->node->counters.received[ADVERT_BAD_IP_HEADER] += n - usable;
		for (uint32_t i = 0; i < usable; i++)
			hear(f, &f->datagrams[i], received, now);
		if (n < RAW_BATCH)
			return true;
		if (is_flooded(f, received, now))
			return false;
	}
	return false;
}

/* What the slow thread wrote into the cells since the last look. */
static void take_cells(struct fast *f, tick now)
{
	for (uint32_t vip = 0; vip < f->node->n_vips; vip++) {
		const enum vrrp_hold observed = board_observed(f->board, vip);
		const uint32_t announced = board_announced(f->board, vip);
		struct node_event ev = {.vip = vip, .hold = observed};

		if (observed != f->node->vips[vip].observed) {
			ev.kind = NODE_EV_HELD;
			node_step(f->node, &ev, now, f->effects);
		}
		if (announced == f->announced[vip])
			continue;
		f->announced[vip] = announced;
		/* an answer to an older question says nothing about the present claim */
		if (announced == board_announcement_asked(f->board, vip)) {
			ev.kind = NODE_EV_ANNOUNCED;
			node_step(f->node, &ev, now, f->effects);
		}
	}
}

static void take_messages(struct fast *f, tick now)
{
	struct board_message m;

	while (board_take_message(f->board, &m)) {
		if (m.event.kind == NODE_EV_LINK) {
			ASSERT(m.event.interface < CONFIG_INTERFACES_MAX);
			f->ifindex[m.event.interface] = m.ifindex;
			f->relinked = f->linked = true;
		}
		node_step(f->node, &m.event, now, f->effects);
	}
}

static void send_advert(struct fast *f, const struct node_send *send)
{
	const uint32_t interface = f->node->setup.plan->routers[send->router].interface;
	const uint32_t ifindex = f->ifindex[interface];
	uint32_t n;
	const struct addr *to = destinations_of(f->destinations, send->router, &n);

	if (ifindex == 0)
		return;
	node_fill_advert(f->node, f->effects, send, &f->advert);
	raw_note(f->raw, node_is_parting(f->node, send) ? NULL : &f->left[send->router]);
	for (uint32_t i = 0; i < n; i++)
		raw_queue(f->raw, ifindex, &f->advert, &to[i]);
}

static void permit(const struct fast *f, uint32_t vip)
{
	const struct node_vip *v = &f->node->vips[vip];
	const uint32_t router = f->node->units[v->unit].router;

	fence_permit(
		f->words, vip, v->handover ? f->node->n_routers + router : router, v->permission);
}

/* Whether the VIP goes by its router's lease of service, which an advertisement must renew first. */
static bool is_opening(const struct fast *f, uint32_t vip)
{
	return f->node->vips[vip].permission == LEASE_FULL && !f->node->vips[vip].handover;
}

/* The lease may run on from an advertisement that did not list this VIP: so it waits for the next that leaves. */
static void permit_opening(struct fast *f, uint32_t vip)
{
	const uint32_t router = f->node->units[f->node->vips[vip].unit].router;

	if (f->left[router])
		permit(f, vip);
	else
		f->owed[router] = true;
}

/* What a previous life left is not touched before the first link is known: until then the node wants
 * nothing. From then on it decides about everything. */
static void permit_all(struct fast *f, bool opening)
{
	const struct node_effects *fx = f->effects;
	const uint32_t n = f->relinked ? f->node->n_vips : f->linked ? fx->n_holds : 0;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t vip = f->relinked ? i : fx->holds[i];

		if (is_opening(f, vip) != opening)
			continue;
		if (opening)
			permit_opening(f, vip);
		else
			permit(f, vip);
	}
}

/* The VIPs that waited for this advertisement. */
static void pay_owed(struct fast *f, uint32_t router)
{
	for (uint32_t vip = 0; vip < f->node->n_vips; vip++)
		if (f->node->units[f->node->vips[vip].unit].router == router && is_opening(f, vip))
			permit(f, vip);
	f->owed[router] = false;
}

/* Before anything is sent. The leases come from the node alone: one that a previous life left ends here, for
 * who only listens serves nothing. */
static void narrow_fence(struct fast *f)
{
	const struct node *n = f->node;

	for (uint32_t i = 0; i < n->n_routers; i++) {
		f->left[i] = false;
		if (n->routers[i].service.until == 0)
			fence_renew(f->words, i, 0);
		/* one that is over is closed when no VIP goes by it any more */
		if (n->routers[i].handover_until)
			fence_renew(f->words, n->n_routers + i, n->routers[i].handover_until);
	}
	permit_all(f, false);
}

/* After it was sent: a lease is renewed by an advertisement that has left, and by no other. It counts from
 * the clock of the turn, so however late this is, it ends in time. */
static void widen_fence(struct fast *f)
{
	const struct node *n = f->node;

	for (uint32_t i = 0; i < n->n_routers; i++) {
		if (!f->left[i])
			continue;
		fence_renew(f->words, i, n->routers[i].service.until);
		if (f->owed[i])
			pay_owed(f, i);
	}
	permit_all(f, true);
	for (uint32_t i = 0; i < n->n_routers; i++)
		if (n->routers[i].handover_until == 0)
			fence_renew(f->words, n->n_routers + i, 0);
}

/* Why before what: a VIP that is yielded must not look like one that others serve. */
static void tell_vip(const struct fast *f, uint32_t vip)
{
	board_set_yielded(f->board, vip, f->node->vips[vip].yielded);
	board_set_wanted(f->board, vip, f->node->vips[vip].wanted);
}

/* As permit_all(). */
static void tell_wanted(const struct fast *f)
{
	const struct node *n = f->node;
	const struct node_effects *fx = f->effects;

	if (f->relinked)
		for (uint32_t vip = 0; vip < n->n_vips; vip++)
			tell_vip(f, vip);
	for (uint32_t i = 0; i < fx->n_holds && f->linked && !f->relinked; i++)
		tell_vip(f, fx->holds[i]);
}

/* Another thread has met a fault, and on a busy machine it may take it long to die of it. The guardian has
 * said the last words and closed the leases, and any more would deny that. */
static void fall_silent(const struct fast *f)
{
	if (!will_is_open(f->will))
		return;
	for (uint32_t i = 0; i < 2 * f->node->n_routers; i++)
		fence_renew(f->words, i, 0);
	for (;;)
		(void)ppoll(NULL, 0, NULL, NULL);
}

/* Carries out the effects; the slow thread is kicked once if there is anything for it. */
static void carry_out(struct fast *f)
{
	const struct node_effects *fx = f->effects;
	bool kick = fx->n_holds || fx->n_announces || fx->n_records || fx->records_lost;

	narrow_fence(f);
	for (uint32_t i = 0; i < fx->n_sends; i++)
		send_advert(f, &fx->sends[i]);
	will_note_sequence(f->will, raw_sequence(f->raw));
	fall_silent(f);
	raw_flush(f->raw);
	widen_fence(f);
	fall_silent(f); /* the fault may have been just now */
	last_words_update(f->last_words, fx, f->ifindex, f->relinked);
	tell_wanted(f);
	kick |= f->relinked;
	f->relinked = false;
	for (uint32_t i = 0; i < fx->n_announces; i++)
		board_ask_announcement(f->board, fx->announces[i]);
	for (uint32_t i = 0; i < fx->n_records; i++)
		board_put_record(f->board, &fx->records[i]);
	board_lose_records(f->board, fx->records_lost);
	if (board_snapshot_is_asked(f->board)) {
		node_copy(f->snapshot, f->node);
		board_give_snapshot(f->board);
		kick = true;
	}
	if (node_is_stopped(f->node) && !board_is_stopped(f->board)) {
		board_set_stopped(f->board);
		kick = true;
	}
	will_note_sequence(f->will, raw_sequence(f->raw)); /* a full queue was flushed meanwhile */
	will_count_turn(f->will);
	if (kick)
		board_kick_slow(f->board);
}

/* Time passes here only while this thread gets turns: a pause of all is nobody's hang. */
static void watch_slow(struct fast *f, tick now)
{
	const uint64_t beats = board_beats(f->board);
	const tick passed = tick_since(now, f->turned);

	f->beatless = beats != f->beats ? 0 : f->beatless + (passed < PAUSE ? passed : 0);
	f->beats = beats;
	f->turned = now;
	ASSERT(f->beatless < HANG_LIMIT);
}

static void turn(struct fast *f, bool kicked)
{
	struct node_event end = {.kind = NODE_EV_TICK};
	const tick now = clock_now();

	f->forgeries = 0;
	for (enum family family = 0; family < FAMILY_COUNT; family++)
		end.unread |= !drain_socket(f, family, now);
	if (kicked) {
		board_clear_fast(f->board);
		/* cells first: what a previous life left is known before the link comes up */
		take_cells(f, now);
		take_messages(f, now);
	}
	node_step(f->node, &end, now, f->effects);
	carry_out(f);
	watch_slow(f, now);
}

static void *run(void *argument)
{
	struct fast *f = argument;

	will_bind(f->will);
	/* everything that it needs is open */
	(void)privileges_renounce();
	prctl(PR_SET_NAME, "roostd-fast");
	prctl(PR_SET_TIMERSLACK, 1);
	while (!board_is_quitting(f->board)) {
		const bool kicked = wait_for_news(f);

		turn(f, kicked);
	}
	will_unbind(f->will);
	return NULL;
}

/* Real time if we may, with reset on fork; the stack is small because little of it is ever touched. */
static int create_thread(struct fast *f)
{
	const struct sched_param param = {.sched_priority = REALTIME_PRIORITY};
	pthread_attr_t attributes;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	error = pthread_create(&f->thread, &attributes, run, f);
	pthread_attr_destroy(&attributes);
	if (error)
		return -error;
	f->realtime =
		pthread_setschedparam(f->thread, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) == 0;
	return 0;
}

static void destroy(struct fast *f)
{
	node_effects_free(f->effects);
	last_words_free(f->last_words);
	free(f->announced);
	free(f->left);
	free(f->owed);
	free(f);
}

int fast_start(const struct fast_setup *setup, struct fast **ret_fast)
{
	const struct node *node = setup->node;
	struct fast *f = calloc(1, sizeof *f);
	int error;

	if (!f)
		return -ENOMEM;
	f->node = setup->node;
	f->snapshot = setup->snapshot;
	f->board = setup->board;
	f->raw = setup->raw;
	f->auth = setup->auth;
	f->words = setup->words;
	f->destinations = setup->destinations;
	f->will = setup->will;
	f->turned = clock_now();
	f->effects = node_effects_new(node);
	f->announced = calloc(node->n_vips ? node->n_vips : 1, sizeof *f->announced);
	f->left = calloc(node->n_routers ? node->n_routers : 1, sizeof *f->left);
	f->owed = calloc(node->n_routers ? node->n_routers : 1, sizeof *f->owed);
	f->last_words = last_words_new(node, setup->will);
	error = f->effects && f->announced && f->left && f->owed && f->last_words ? create_thread(f)
										  : -ENOMEM;
	if (error) {
		destroy(f);
		return error;
	}
	*ret_fast = f;
	return 0;
}

void fast_join(struct fast *f)
{
	if (!f)
		return;
	pthread_join(f->thread, NULL);
	destroy(f);
}

bool fast_is_realtime(const struct fast *f)
{
	return f->realtime;
}
