/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "config/index.h"
#include "kernel/kernel.h"
#include "lease/lease.h"

/*
 * Where a VIP is, as flags. Linux acknowledges a new IPv6 address before it accepts packets for it: a
 * worker joins the solicited-node group, adds the local route and only then sends the news. Until that
 * news the address is asked for, not there.
 */
enum place {
	ON_INTERFACE = 1 << 0,
	ON_LOOPBACK = 1 << 1,
	ANYWHERE = ON_INTERFACE | ON_LOOPBACK,
};

/* From a place to the flag that it was asked for there. */
#define ASKED_SHIFT 2
#define ASKED       (ANYWHERE << ASKED_SHIFT)

#define NO_OP UINT32_MAX

/* Room for addresses that are no VIPs; for all VIPs on an interface that was renamed, beside that. */
#define STRAYS 256

/* Lifetimes are whole seconds, so a lease counts a second longer than it runs; and they are refreshed
 * several times before they end. */
#define GRACE     tick_s(1)
#define REFRESHES 4

/* What is asked of netlink at once, and on whose behalf. */
struct batch {
	struct netlink_change changes[NETLINK_BATCH];
	uint32_t vips[NETLINK_BATCH];
	uint32_t ops[NETLINK_BATCH]; /* index of the operation, or NO_OP */
	uint32_t n;
};

/* net.ipv4.conf.INTERFACE.arp_ignore and arp_announce. */
struct arp {
	uint32_t ignore, announce;
};

struct holder {
	const struct config *config;
	const struct links *links;
	struct netlink *netlink;
	struct board *board;
	struct will *will;
	struct kernel kernel;
	struct kernel_vip *vips;
	struct config_index index;
	uint8_t *places;                         /* by VIP, enum place */
	uint32_t ifindex[CONFIG_INTERFACES_MAX]; /* that @places speaks of */
	uint32_t silenced; /* bit by interface: ARP is restrained by our hand ... */
	struct arp arp[CONFIG_INTERFACES_MAX]; /* ... and was so before */
	bool released;
	bool fenced;
	struct fence_words words; /* NULL: addresses last until they are removed */
	tick refresh_period, refresh_at;
	uint32_t refreshed;            /* VIPs before this one are */
	bool adopted;                  /* what a previous life left is seen to */
	struct netlink_change *strays; /* addresses with our tag that are nobody's */
	uint32_t n_strays, strays_max;
	bool more_strays;      /* than there is room for */
	struct kernel_op *ops; /* room for all VIPs */
	struct batch batch;
	int error;
	uint32_t error_vip;
};

struct holder *holder_new(const struct config *config, const struct links *links,
	struct netlink *netlink, struct board *board)
{
	struct holder *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->config = config;
	h->links = links;
	h->netlink = netlink;
	h->board = board;
	h->vips = calloc(config->n_vips ? config->n_vips : 1, sizeof *h->vips);
	h->places = calloc(config->n_vips ? config->n_vips : 1, sizeof *h->places);
	h->ops = calloc(config->n_vips ? config->n_vips : 1, sizeof *h->ops);
	h->strays_max = STRAYS + config->n_vips;
	h->strays = calloc(h->strays_max, sizeof *h->strays);
	if (!h->vips || !h->places || !h->ops || !h->strays ||
		!config_index_init(&h->index, config)) {
		holder_free(h);
		return NULL;
	}
	kernel_init(&h->kernel, h->vips, config->n_vips);
	return h;
}

void holder_free(struct holder *h)
{
	if (!h)
		return;
	free(h->vips);
	free(h->places);
	free(h->ops);
	free(h->strays);
	config_index_fini(&h->index);
	free(h);
}

static uint32_t interface_of(const struct holder *h, uint32_t vip)
{
	return h->config->services[h->config->vips[vip].service].interface;
}

static const struct link *link_of(const struct holder *h, uint32_t vip)
{
	return &h->links->links[interface_of(h, vip)];
}

static bool is_leased(const struct holder *h, uint32_t vip, tick now)
{
	const tick until = h->words.leases ? fence_until(h->words, vip) : 0;

	return until == 0 || now < tick_add(until, GRACE);
}

/* Refreshes are overdue: what is gone now was taken by nobody. */
static bool may_have_expired(const struct holder *h, tick now)
{
	return now >= tick_add(h->refresh_at, h->refresh_period);
}

static bool may_hold(const struct holder *h, uint32_t vip, tick now)
{
	const struct link *k = link_of(h, vip);

	return k->ifindex != 0 && k->running && !h->released && is_leased(h, vip, now);
}

/* At least two: the kernel rounds, and one that is refreshed late must not flap. */
static uint32_t lifetime_s(const struct holder *h, uint32_t service)
{
	const tick lease = lease_span(h->config->services[service].vrrp.interval);

	return (uint32_t)((lease + tick_s(1) - 1) / tick_s(1) + 1);
}

void holder_limit(struct holder *h, struct fence_words words)
{
	uint32_t least_s = UINT32_MAX;

	for (uint32_t i = 0; i < h->config->n_services; i++)
		if (lifetime_s(h, i) < least_s)
			least_s = lifetime_s(h, i);
	h->words = words;
	h->refresh_period = tick_s(least_s) / REFRESHES;
}

void holder_bequeath(struct holder *h, struct will *will)
{
	h->will = will;
}

void holder_rely_on_fence(struct holder *h)
{
	h->fenced = true;
}

void holder_forget(struct holder *h)
{
	kernel_forget(&h->kernel);
	for (uint32_t vip = 0; vip < h->config->n_vips; vip++)
		h->places[vip] = 0;
	h->n_strays = 0;
	h->more_strays = false;
}

static void note_stray(struct holder *h, const struct addr *address, uint32_t ifindex)
{
	if (h->n_strays == h->strays_max)
		h->more_strays = true;
	else
		h->strays[h->n_strays++] =
			(struct netlink_change){.ifindex = ifindex, .address = *address};
}

bool holder_has_strays(const struct holder *h)
{
	return h->n_strays > 0 || h->more_strays;
}

static bool is_present(const struct holder *h, uint32_t vip)
{
	return h->places[vip] & ANYWHERE;
}

static enum will_place will_place(enum place place)
{
	return place == ON_LOOPBACK ? WILL_ON_LOOPBACK : WILL_ON_INTERFACE;
}

static void set_place(struct holder *h, uint32_t vip, enum place place, bool present)
{
	if (!present)
		will_release(h->will, vip, will_place(place));
	h->places[vip] &= (uint8_t) ~(place | place << ASKED_SHIFT);
	if (present)
		h->places[vip] |= (uint8_t)place;
}

static enum place place_of(const struct holder *h, uint32_t vip, uint32_t ifindex)
{
	if (ifindex == link_of(h, vip)->ifindex)
		return ON_INTERFACE;
	return ifindex == h->links->loopback ? ON_LOOPBACK : 0;
}

/* On the loopback only what we put there counts; and an IPv4 address with another prefix length is
 * another one beside ours. */
static bool is_ours_to_see(const struct netlink_address *news, enum place place)
{
	if (place == 0 || (place == ON_LOOPBACK && !news->ours))
		return false;
	return !addr_is_ipv4(&news->address) || news->prefix_len == 32;
}

enum holder_news holder_see(
	struct holder *h, const struct netlink_address *news, tick now, uint32_t *ret_vip)
{
	const int32_t found = config_index_vip(&h->index, &news->address);
	const uint32_t vip = (uint32_t)found;
	const enum place place = found >= 0 ? place_of(h, vip, news->ifindex) : 0;

	/* on the loopback, what lingers; but nothing of a previous life does */
	if (news->present && news->ours && place != ON_INTERFACE && (place == 0 || !h->adopted))
		note_stray(h, &news->address, news->ifindex);
	if (found < 0)
		return news->ours ? HOLDER_SEEN : HOLDER_OTHER;
	if (!is_ours_to_see(news, place))
		return HOLDER_SEEN;
	set_place(h, vip, place, news->present);
	if (news->present && news->ours)
		will_hold(h->will, vip, will_place(place), news->ifindex);
	/* the kernel itself removes IPv6 addresses from a link that goes down, and what has expired */
	if (!may_hold(h, vip, now) || may_have_expired(h, now))
		kernel_want(&h->kernel, vip, VRRP_HOLD_NONE);
	*ret_vip = vip;
	return kernel_see(&h->kernel, vip, is_present(h, vip),
		       news->ours || h->places[vip] & ON_LOOPBACK, now)
		       ? HOLDER_STOLEN
		       : HOLDER_SEEN;
}

void holder_report(struct holder *h)
{
	bool changed = false;

	for (uint32_t vip = 0; vip < h->config->n_vips; vip++) {
		const enum vrrp_hold hold = kernel_hold(&h->kernel, vip);

		if (hold == board_observed(h->board, vip))
			continue;
		board_set_observed(h->board, vip, hold);
		changed = true;
	}
	if (changed)
		board_kick_fast(h->board);
}

static bool is_done(const struct netlink_change *c)
{
	if (c->add)
		return c->error == 0 || c->error == -EEXIST;
	return c->error == 0 || c->error == -EADDRNOTAVAIL || c->error == -ENODEV;
}

/* Removes what is nobody's; what can't be is tried again. Returns how many are gone. */
static uint32_t clear_strays(struct holder *h)
{
	uint32_t left = 0;
	const uint32_t n = h->n_strays;

	for (uint32_t i = 0; i < n; i += NETLINK_BATCH)
		(void)netlink_change(
			h->netlink, &h->strays[i], n - i < NETLINK_BATCH ? n - i : NETLINK_BATCH);
	for (uint32_t i = 0; i < n; i++)
		if (!is_done(&h->strays[i]))
			h->strays[left++] = h->strays[i];
	h->n_strays = left;
	return n - left;
}

uint32_t holder_adopt(struct holder *h)
{
	for (uint32_t vip = 0; vip < h->config->n_vips; vip++)
		if (h->vips[vip].present && h->vips[vip].ours && h->places[vip] & ON_INTERFACE)
			board_set_wanted(h->board, vip, VRRP_HOLD_FULL);
	h->adopted = true;
	holder_report(h);
	return clear_strays(h);
}

/* An interface that vanished took its addresses along, though the news of them may not name it any
 * more; that is nobody's theft. One that was renamed has them still, and must not. */
static void follow_interfaces(struct holder *h, tick now)
{
	for (uint32_t i = 0; i < h->config->n_interfaces; i++) {
		if (h->ifindex[i] == h->links->links[i].ifindex)
			continue;
		for (uint32_t vip = 0; h->ifindex[i] != 0 && vip < h->config->n_vips; vip++) {
			if (interface_of(h, vip) != i)
				continue;
			if (h->vips[vip].ours || h->places[vip] & ASKED)
				note_stray(h, &h->config->vips[vip].address, h->ifindex[i]);
			set_place(h, vip, ON_INTERFACE, false);
			kernel_want(&h->kernel, vip, VRRP_HOLD_NONE);
			(void)kernel_see(&h->kernel, vip, is_present(h, vip), true, now);
		}
		h->ifindex[i] = h->links->links[i].ifindex;
	}
}

/* A link that is down gives up its VIPs here and now, before the node has heard of it, and so does a
 * lease that the fast thread does not renew. */
static void read_wanted(struct holder *h, tick now)
{
	for (uint32_t vip = 0; vip < h->config->n_vips; vip++) {
		const enum vrrp_hold wanted =
			may_hold(h, vip, now) ? board_wanted(h->board, vip) : VRRP_HOLD_NONE;

		kernel_want(&h->kernel, vip, wanted);
	}
}

static void put_change(struct holder *h, bool add, uint32_t vip, enum place place, uint32_t op)
{
	struct batch *b = &h->batch;

	ASSERT(b->n < NETLINK_BATCH);
	b->vips[b->n] = vip;
	b->ops[b->n] = op;
	b->changes[b->n++] = (struct netlink_change){
		.add = add,
		.ifindex = place == ON_LOOPBACK ? h->links->loopback : link_of(h, vip)->ifindex,
		.address = h->config->vips[vip].address,
		.lifetime_s = h->words.leases ? lifetime_s(h, h->config->vips[vip].service) : 0,
	};
	if (add)
		will_hold(h->will, vip, will_place(place), b->changes[b->n - 1].ifindex);
}

/* Where the VIP should be: nowhere, on its interface, or on the loopback. */
static uint8_t wanted_place(const struct holder *h, uint32_t vip)
{
	switch (h->vips[vip].wanted) {
	case VRRP_HOLD_NONE: return 0;
	case VRRP_HOLD_DATA: return h->links->loopback && !h->fenced ? ON_LOOPBACK : ON_INTERFACE;
	case VRRP_HOLD_FULL: return ON_INTERFACE;
	}
	return 0;
}

/* The new place first; the old one goes when the address is there, so that it is never missing. */
static void put_moves(struct holder *h, uint32_t vip, uint32_t op)
{
	const uint8_t to = wanted_place(h, vip), from = h->places[vip] & ANYWHERE;
	const bool at_once = addr_is_ipv4(&h->config->vips[vip].address);

	for (uint8_t place = ON_INTERFACE; place <= ON_LOOPBACK; place <<= 1)
		if (to & place && (!(from & place) || op != NO_OP))
			put_change(h, true, vip, place, op);
	for (uint8_t place = ON_INTERFACE; place <= ON_LOOPBACK; place <<= 1)
		if (from & place && !(to & place) && (to == 0 || at_once || from & to))
			put_change(h, false, vip, place, op);
	if (to == 0 && from == 0)
		put_change(h, false, vip, ON_INTERFACE, op);
}

static bool is_asked(const struct holder *h, uint32_t vip)
{
	return h->places[vip] & wanted_place(h, vip) << ASKED_SHIFT;
}

/* The VIPs that stay where they are. True if there was no room for all. */
static bool fill_refreshes(struct holder *h)
{
	for (; h->refreshed < h->config->n_vips; h->refreshed++) {
		const uint32_t vip = h->refreshed;
		const uint8_t place = wanted_place(h, vip);

		if (place == 0 || !h->vips[vip].ours || (h->places[vip] & ANYWHERE) != place ||
			is_asked(h, vip))
			continue;
		if (h->batch.n == NETLINK_BATCH)
			return true;
		put_change(h, true, vip, place, NO_OP);
	}
	return false;
}

/* First what kernel/ plans, then the VIPs that begin or cease to linger, an operation being at most two
 * changes; then those whose lifetime is to be refreshed. True if there was no room for all. */
static bool fill_batch(struct holder *h, tick now)
{
	const uint32_t n_ops = kernel_plan(&h->kernel, now, h->ops, h->config->n_vips);
	uint32_t vip = 0;

	h->batch.n = 0;
	for (uint32_t i = 0; i < n_ops; i++) {
		if (h->batch.n + 2 > NETLINK_BATCH)
			return true;
		if (!is_asked(h, h->ops[i].vip))
			put_moves(h, h->ops[i].vip, i);
	}
	for (; vip < h->config->n_vips && h->batch.n + 2 <= NETLINK_BATCH; vip++)
		if (h->vips[vip].wanted != VRRP_HOLD_NONE && is_present(h, vip) &&
			(h->places[vip] & ANYWHERE) != wanted_place(h, vip) && !is_asked(h, vip))
			put_moves(h, vip, NO_OP);
	return fill_refreshes(h) || vip < h->config->n_vips;
}

/* What became of the @i-th change of the batch, and of the operation that ends with it: it succeeds with
 * its last change, or fails with the first that does. */
static void note_result(struct holder *h, uint32_t i, tick now)
{
	const struct batch *b = &h->batch;
	const struct netlink_change *c = &b->changes[i];
	const uint32_t vip = b->vips[i], op = b->ops[i];
	const enum place place = place_of(h, vip, c->ifindex);
	const bool done = is_done(c), last = i + 1 == b->n || b->ops[i + 1] != op;
	const bool later = done && c->add && !addr_is_ipv4(&c->address);

	if (!done) {
		h->error = c->error;
		h->error_vip = vip;
	} else if (later) {
		h->places[vip] |= (uint8_t)(place << ASKED_SHIFT);
	} else {
		set_place(h, vip, place, c->add);
	}
	if (op != NO_OP && (!done || last) && !later)
		kernel_done(&h->kernel, &h->ops[op], c->error, now);
}

static bool read_setting(const char *interface, const char *name, uint32_t *ret_value)
{
	char path[80], text[16];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/%s", interface, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	*ret_value = (uint32_t)strtoul(text, NULL, 10);
	return true;
}

/* The machine answers only for addresses of the interface itself, and doesn't ask in the name of
 * others. */
static bool silence(struct holder *h, uint32_t interface)
{
	const char *name = h->config->interfaces[interface].name;
	struct arp *was = &h->arp[interface];

	return read_setting(name, "arp_ignore", &was->ignore) &&
	       read_setting(name, "arp_announce", &was->announce) &&
	       netlink_set_arp(h->netlink, h->links->links[interface].ifindex,
		       was->ignore ? was->ignore : 1, 2) == 0;
}

/* Restrains ARP where an IPv4 VIP is about to linger, and puts it back where none does. */
static void silence_interfaces(struct holder *h)
{
	uint32_t wanted = 0;

	for (uint32_t vip = 0; vip < h->config->n_vips; vip++)
		if (h->vips[vip].wanted == VRRP_HOLD_DATA && wanted_place(h, vip) == ON_LOOPBACK &&
			addr_is_ipv4(&h->config->vips[vip].address))
			wanted |= 1u << interface_of(h, vip);
	for (uint32_t i = 0; i < h->config->n_interfaces && wanted != h->silenced; i++) {
		const uint32_t bit = 1u << i;

		if ((wanted & bit) == (h->silenced & bit))
			continue;
		if (h->silenced & bit)
			(void)netlink_set_arp(h->netlink, h->links->links[i].ifindex,
				h->arp[i].ignore, h->arp[i].announce);
		else if (!silence(h, i))
			continue;
		h->silenced ^= bit;
	}
}

bool holder_work(struct holder *h, tick now)
{
	bool more;

	follow_interfaces(h, now);
	(void)clear_strays(h);
	read_wanted(h, now);
	if (now >= h->refresh_at) {
		h->refreshed = 0;
		h->refresh_at = h->words.leases ? tick_add(now, h->refresh_period) : TICK_NEVER;
	}
	more = fill_batch(h, now);
	silence_interfaces(h);
	(void)netlink_change(h->netlink, h->batch.changes, h->batch.n);
	for (uint32_t i = 0; i < h->batch.n; i++)
		note_result(h, i, now);
	return more;
}

void holder_release(struct holder *h)
{
	h->released = true;
}

bool holder_serves(const struct holder *h, uint32_t vip)
{
	return h->vips[vip].wanted == VRRP_HOLD_FULL && h->places[vip] & ON_INTERFACE;
}

bool holder_is_empty(const struct holder *h)
{
	for (uint32_t vip = 0; vip < h->config->n_vips; vip++)
		if ((h->vips[vip].present && h->vips[vip].ours) || h->places[vip] & ASKED)
			return false;
	return !holder_has_strays(h);
}

int holder_take_error(struct holder *h, uint32_t *ret_vip)
{
	const int error = h->error;

	*ret_vip = h->error_vip;
	h->error = 0;
	return error;
}

tick holder_deadline(const struct holder *h)
{
	return tick_min(kernel_deadline(&h->kernel), h->refresh_at);
}
