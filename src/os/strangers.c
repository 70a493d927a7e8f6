/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/strangers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "os/watcher.h"
#include "wire/announcement.h"
#include "wire/neighbour.h"

/* Frames are read in goes of so many batches, with a rest after each. */
#define BATCHES_MAX 16
#define REST        tick_ms(50)

#define ACTS_MAX 64

/* The nodes are asked who they are while they are well: one that has announced a VIP and then dies can't answer any
 * more. It also tells them who this node is. */
#define ACQUAINT_PERIOD tick_s(60)

struct strangers {
	struct strangers_setup setup;
	struct conflict *conflict;
	struct watcher *watcher;
	sd_event_source *sources[FAMILY_COUNT];
	uint32_t followed[CONFIG_INTERFACES_MAX]; /* indexes of the interfaces in the kernel */
	uint32_t n_followed;
	tick acquainted[CONFIG_INTERFACES_MAX]; /* when the nodes were asked there; 0: not yet */
	bool readable[FAMILY_COUNT];
	tick rest_until;
	uint64_t verdicts[NEIGHBOUR_VERDICTS];
	uint64_t own;
	struct watcher_frame frames[WATCHER_BATCH];
	struct conflict_act acts[ACTS_MAX];
};

static int on_frames(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct strangers *s = context;

	(void)events;
	(void)source;
	for (int f = 0; f < FAMILY_COUNT; f++)
		s->readable[f] |= fd == watcher_fd(s->watcher, (enum family)f);
	return 0; /* one shot: silent until it was read; the turn that follows works */
}

static unsigned families_of(const struct config *c)
{
	unsigned families = 0;

	for (uint32_t i = 0; i < c->n_vips; i++)
		families |= 1u << addr_family(&c->vips[i].address);
	return families;
}

static int add_sources(struct strangers *s)
{
	int error = 0;

	for (int f = 0; f < FAMILY_COUNT && error >= 0; f++) {
		const int fd = watcher_fd(s->watcher, (enum family)f);

		if (fd < 0)
			continue;
		error = sd_event_add_io(s->setup.event, &s->sources[f], fd, EPOLLIN, on_frames, s);
		if (error >= 0)
			error = sd_event_source_set_enabled(s->sources[f], SD_EVENT_ONESHOT);
	}
	return error < 0 ? error : 0;
}

int strangers_new(const struct strangers_setup *setup, struct strangers **ret_strangers)
{
	struct strangers *s = calloc(1, sizeof *s);
	int error;

	if (!s)
		return -ENOMEM;
	s->setup = *setup;
	s->conflict = conflict_new(setup->config, setup->self, setup->seed);
	error = s->conflict ? watcher_new(families_of(setup->config), &s->watcher) : -ENOMEM;
	if (!error)
		error = add_sources(s);
	if (error) {
		strangers_free(s);
		return error;
	}
	*ret_strangers = s;
	return 0;
}

void strangers_free(struct strangers *s)
{
	if (!s)
		return;
	for (int f = 0; f < FAMILY_COUNT; f++)
		sd_event_source_disable_unref(s->sources[f]);
	watcher_free(s->watcher);
	conflict_free(s->conflict);
	free(s);
}

static uint32_t interface_of(const struct strangers *s, uint32_t vip)
{
	const struct config *c = s->setup.config;

	return c->services[c->vips[vip].service].interface;
}

/* ---- listening ---- */

static void follow(struct strangers *s)
{
	const struct config *c = s->setup.config;
	uint32_t ifindexes[CONFIG_INTERFACES_MAX] = {0}, n = 0;
	int error;

	for (uint32_t i = 0; i < c->n_interfaces; i++)
		if (s->setup.links->links[i].ifindex != 0 && s->setup.links->links[i].ethernet)
			ifindexes[n++] = s->setup.links->links[i].ifindex;
	if (n == s->n_followed && memcmp(ifindexes, s->followed, n * sizeof *ifindexes) == 0)
		return;
	error = watcher_follow(s->watcher, ifindexes, n);
	if (error)
		journal_line(s->setup.journal, JOURNAL_WARNING,
			"conflict: cannot listen to ARP and ND: %s", strerror(-error));
	memcpy(s->followed, ifindexes, n * sizeof *ifindexes);
	s->n_followed = n;
}

static void take_frame(struct strangers *s, const struct watcher_frame *frame, tick now)
{
	const int32_t interface = links_find(s->setup.links, frame->ifindex);
	enum neighbour_verdict verdict;
	struct neighbour n;

	if (interface < 0)
		return;
	verdict = neighbour_parse(frame->bytes, frame->size, &n);
	s->verdicts[verdict]++;
	if (verdict != NEIGHBOUR_ACCEPTED)
		return;
	/* looped back, or by another interface of this machine on the same segment */
	if (links_has_mac(s->setup.links, n.mac))
		s->own++;
	else
		conflict_hear(s->conflict, (uint32_t)interface, &n, now);
}

/* True when nothing is left to be read. */
static bool drain(struct strangers *s, enum family family, tick now)
{
	for (int batch = 0; batch < BATCHES_MAX; batch++) {
		uint32_t usable;
		const uint32_t n = watcher_receive(s->watcher, family, s->frames, &usable);

		for (uint32_t i = 0; i < usable; i++)
			take_frame(s, &s->frames[i], now);
		if (n < WATCHER_BATCH)
			return true;
	}
	return false;
}

static void listen(struct strangers *s, tick now)
{
	if (now < s->rest_until)
		return;
	for (int f = 0; f < FAMILY_COUNT; f++) {
		if (!s->readable[f])
			continue;
		s->rest_until = tick_add(now, REST);
		if (!drain(s, (enum family)f, now))
			continue;
		s->readable[f] = false;
		(void)sd_event_source_set_enabled(s->sources[f], SD_EVENT_ONESHOT);
	}
}

/* ---- asking ---- */

/* Who has @address? In the name of this node's own address, so that nobody's table is put wrong. */
static void ask(struct strangers *s, uint32_t interface, const struct addr *address)
{
	const struct link *link = &s->setup.links->links[interface];
	const struct node_interface node = links_node_interface(s->setup.links, interface);
	const enum family family = addr_family(address);
	struct announcement question = {.vip = node.sources[family], .gateway = *address};
	uint8_t frame[ANNOUNCEMENT_SIZE_MAX];
	size_t size;

	if (!node.up || !link->ethernet || addr_is_none(&node.sources[family]) ||
		watcher_fd(s->watcher, family) < 0)
		return;
	memcpy(question.mac, link->mac, sizeof question.mac);
	size = announcement_build_query(&question, frame, sizeof frame);
	if (size)
		watcher_send(s->watcher, family, link->ifindex, frame, size);
}

static void ask_nodes(struct strangers *s, uint32_t interface)
{
	const struct config *c = s->setup.config;

	for (uint32_t i = 0; i < c->n_nodes; i++)
		for (uint32_t a = 0; a < c->nodes[i].n_addresses && i != s->setup.self; a++)
			ask(s, interface, &c->nodes[i].addresses[a]);
}

static void acquaint(struct strangers *s, tick now)
{
	const struct config *c = s->setup.config;

	for (uint32_t i = 0; i < c->n_interfaces; i++) {
		if (!links_node_interface(s->setup.links, i).up)
			s->acquainted[i] = 0;
		else if (s->acquainted[i] == 0 ||
			 tick_since(now, s->acquainted[i]) >= ACQUAINT_PERIOD) {
			s->acquainted[i] = now;
			ask_nodes(s, i);
		}
	}
}

/* ---- acting ---- */

static void tell_node(struct strangers *s, uint32_t vip, bool yield)
{
	const struct board_message m = {
		.event = {.kind = NODE_EV_CONFLICT, .vip = vip, .yield = yield}};

	/* if there is no room, it is told again in a second */
	if (board_post(s->setup.board, &m))
		board_kick_fast(s->setup.board);
}

static void say(struct strangers *s, const struct conflict_act *act)
{
	const struct config *c = s->setup.config;
	const struct conflict_vip *v = &s->conflict->vips[act->vip];
	const bool yields = c->announce.conflict == CONFIG_CONFLICT_YIELD;
	const char *interface = c->interfaces[interface_of(s, act->vip)].name;
	char vip[ADDR_STRLEN], mac[NEIGHBOUR_MAC_STRLEN];
	struct journal *j = s->setup.journal;

	addr_format(&c->vips[act->vip].address, vip);
	neighbour_format_mac(v->mac, mac);
	if (act->what & CONFLICT_FX_SAY_BEGUN)
		journal_line(j, JOURNAL_ERROR,
			"conflict: %s, which is not of the cluster, answers for %s on %s; %s", mac,
			vip, interface,
			yields ? "leaving it to that machine"
			       : "announcing it again, at most every 10 s");
	if (act->what & CONFLICT_FX_SAY_LASTS)
		journal_line(j, JOURNAL_ERROR,
			"conflict: %s still answers for %s on %s, %u times since this was told",
			mac, vip, interface, act->claims);
	if (act->what & CONFLICT_FX_SAY_OVER)
		journal_line(j, JOURNAL_NOTICE,
			"conflict: %s does not answer for %s on %s any more%s", mac, vip, interface,
			yields ? "; serving it again" : "");
	if (act->what & CONFLICT_FX_SAY_PROBED)
		journal_line(j, JOURNAL_INFO,
			"conflict: %s asks whether %s on %s is free, and may be about to use it",
			neighbour_format_mac(v->prober, mac), vip, interface);
}

static void carry_out(struct strangers *s, const struct conflict_act *act)
{
	const uint32_t interface = interface_of(s, act->vip);

	if (act->what & CONFLICT_FX_ASK)
		ask(s, interface, &s->setup.config->vips[act->vip].address);
	if (act->what & CONFLICT_FX_ASK_KIN)
		ask_nodes(s, interface);
	if (act->what & CONFLICT_FX_DEFEND)
		announcer_defend(s->setup.announcer, act->vip);
	if (act->what & (CONFLICT_FX_YIELD | CONFLICT_FX_RESUME))
		tell_node(s, act->vip, act->what & CONFLICT_FX_YIELD);
	say(s, act);
}

static enum conflict_role role_of(const struct strangers *s, uint32_t vip)
{
	if (board_yielded(s->setup.board, vip))
		return CONFLICT_YIELDED;
	return holder_serves(s->setup.holder, vip) ? CONFLICT_SERVES : CONFLICT_AWAY;
}

void strangers_work(struct strangers *s, tick now)
{
	uint32_t n;

	follow(s);
	for (uint32_t vip = 0; vip < s->setup.config->n_vips; vip++)
		conflict_set_role(s->conflict, vip, role_of(s, vip), now);
	acquaint(s, now);
	listen(s, now);
	do {
		n = conflict_take(s->conflict, now, s->acts, ACTS_MAX);
		for (uint32_t i = 0; i < n; i++)
			carry_out(s, &s->acts[i]);
	} while (n == ACTS_MAX);
}

tick strangers_deadline(const struct strangers *s)
{
	tick at = conflict_deadline(s->conflict);

	for (uint32_t i = 0; i < s->setup.config->n_interfaces; i++)
		if (s->acquainted[i])
			at = tick_min(at, tick_add(s->acquainted[i], ACQUAINT_PERIOD));
	return s->readable[FAMILY_IPV4] || s->readable[FAMILY_IPV6] ? tick_min(at, s->rest_until)
								    : at;
}

struct status_strangers strangers_status(struct strangers *s)
{
	return (struct status_strangers){
		.conflict = s->conflict,
		.verdicts = s->verdicts,
		.own = s->own,
		.dropped = watcher_dropped(s->watcher),
	};
}
