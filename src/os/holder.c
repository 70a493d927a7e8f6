/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "kernel/kernel.h"

/* Where a VIP is, as flags. */
enum place { ON_INTERFACE = 1 << 0, ON_LOOPBACK = 1 << 1 };

/* An operation is at most two changes. */
#define OPS_MAX (NETLINK_BATCH / 2)

#define NO_OP UINT32_MAX

/* What is asked of netlink at once, and on whose behalf. */
struct batch {
	struct netlink_change changes[NETLINK_BATCH];
	uint32_t vips[NETLINK_BATCH];
	uint32_t ops[NETLINK_BATCH]; /* index of the operation, or NO_OP */
	uint32_t n;
};

struct holder {
	const struct config *config;
	const struct links *links;
	struct netlink *netlink;
	struct board *board;
	struct kernel kernel;
	struct kernel_vip *vips;
	uint8_t *places;                         /* by VIP, enum place */
	uint32_t ifindex[CONFIG_INTERFACES_MAX]; /* that @places speaks of */
	uint32_t silenced;                       /* bit by interface: arp_ignore is 1 by our hand */
	bool released;
	uint32_t n_strays; /* addresses with our tag that are nobody's */
	struct netlink_change strays[NETLINK_BATCH];
	struct kernel_op ops[OPS_MAX];
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
	if (!h->vips || !h->places) {
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

static bool may_hold(const struct holder *h, uint32_t vip)
{
	const struct link *k = link_of(h, vip);

	return k->ifindex != 0 && k->running && !h->released;
}

void holder_forget(struct holder *h)
{
	kernel_forget(&h->kernel);
	for (uint32_t vip = 0; vip < h->config->n_vips; vip++)
		h->places[vip] = 0;
	h->n_strays = 0;
}

static enum place place_of(const struct holder *h, uint32_t vip, uint32_t ifindex)
{
	if (ifindex == link_of(h, vip)->ifindex)
		return ON_INTERFACE;
	return ifindex == h->links->loopback ? ON_LOOPBACK : 0;
}

bool holder_see(struct holder *h, const struct netlink_address *news, tick now, uint32_t *ret_vip)
{
	const int32_t vip = config_find_vip(h->config, &news->address);
	enum place place = 0;

	if (vip >= 0)
		place = place_of(h, (uint32_t)vip, news->ifindex);
	if (news->present && news->ours && place != ON_INTERFACE && h->n_strays < NETLINK_BATCH)
		h->strays[h->n_strays++] =
			(struct netlink_change){.ifindex = news->ifindex, .address = news->address};
	/* on the loopback only what we put there; an IPv4 address with another prefix length is
	 * another one beside ours */
	if (place == 0 || (place == ON_LOOPBACK && !news->ours) ||
		(addr_is_ipv4(&news->address) && news->prefix_len != 32))
		return false;
	if (news->present)
		h->places[vip] |= (uint8_t)place;
	else
		h->places[vip] &= (uint8_t)~place;
	/* the kernel itself removes IPv6 addresses from a link that goes down */
	if (!may_hold(h, (uint32_t)vip))
		kernel_want(&h->kernel, (uint32_t)vip, VRRP_HOLD_NONE);
	*ret_vip = (uint32_t)vip;
	return kernel_see(&h->kernel, (uint32_t)vip, h->places[vip] != 0,
		news->ours || h->places[vip] & ON_LOOPBACK, now);
}

static void report(struct holder *h)
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

uint32_t holder_adopt(struct holder *h)
{
	const uint32_t n = h->n_strays;

	for (uint32_t vip = 0; vip < h->config->n_vips; vip++)
		if (h->vips[vip].present && h->vips[vip].ours && h->places[vip] & ON_INTERFACE)
			board_set_wanted(h->board, vip, VRRP_HOLD_FULL);
	(void)netlink_change(h->netlink, h->strays, n);
	h->n_strays = 0;
	report(h);
	return n;
}

/* An interface that vanished took its addresses along, though the news of them may not name it any
 * more; that is nobody's theft. */
static void follow_interfaces(struct holder *h, tick now)
{
	for (uint32_t i = 0; i < h->config->n_interfaces; i++) {
		if (h->ifindex[i] == h->links->links[i].ifindex)
			continue;
		for (uint32_t vip = 0; h->ifindex[i] != 0 && vip < h->config->n_vips; vip++) {
			if (interface_of(h, vip) != i || !(h->places[vip] & ON_INTERFACE))
				continue;
			h->places[vip] &= (uint8_t)~ON_INTERFACE;
			kernel_want(&h->kernel, vip, VRRP_HOLD_NONE);
			(void)kernel_see(&h->kernel, vip, h->places[vip] != 0, true, now);
		}
		h->ifindex[i] = h->links->links[i].ifindex;
	}
}

/* A link that is down gives up its VIPs here and now, before the node has heard of it. */
static void read_wanted(struct holder *h)
{
	for (uint32_t vip = 0; vip < h->config->n_vips; vip++)
		kernel_want(&h->kernel, vip,
			may_hold(h, vip) ? board_wanted(h->board, vip) : VRRP_HOLD_NONE);
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
	};
}

/* Where the VIP should be: nowhere, on its interface, or on the loopback. */
static uint8_t wanted_place(const struct holder *h, uint32_t vip)
{
	switch (h->vips[vip].wanted) {
	case VRRP_HOLD_NONE: return 0;
	case VRRP_HOLD_DATA: return h->links->loopback ? ON_LOOPBACK : ON_INTERFACE;
	case VRRP_HOLD_FULL: return ON_INTERFACE;
	}
	return 0;
}

/* The new place first, then the old one goes: the address is never missing. */
static void put_moves(struct holder *h, uint32_t vip, uint32_t op)
{
	const uint8_t from = h->places[vip], to = wanted_place(h, vip);

	for (uint8_t place = ON_INTERFACE; place <= ON_LOOPBACK; place <<= 1)
		if (to & place && (!(from & place) || op != NO_OP))
			put_change(h, true, vip, place, op);
	for (uint8_t place = ON_INTERFACE; place <= ON_LOOPBACK; place <<= 1)
		if (from & place && !(to & place))
			put_change(h, false, vip, place, op);
	if (to == 0 && from == 0)
		put_change(h, false, vip, ON_INTERFACE, op);
}

/* First what kernel/ plans, then the VIPs that begin or cease to linger, as far as there is room. */
static void fill_batch(struct holder *h, tick now)
{
	const uint32_t n_ops = kernel_plan(&h->kernel, now, h->ops, OPS_MAX);

	h->batch.n = 0;
	for (uint32_t i = 0; i < n_ops; i++)
		put_moves(h, h->ops[i].vip, i);
	for (uint32_t vip = 0; vip < h->config->n_vips && h->batch.n + 2 <= NETLINK_BATCH; vip++)
		if (h->vips[vip].wanted != VRRP_HOLD_NONE && h->places[vip] != 0 &&
			h->places[vip] != wanted_place(h, vip))
			put_moves(h, vip, NO_OP);
}

static bool is_done(const struct netlink_change *c)
{
	if (c->add)
		return c->error == 0 || c->error == -EEXIST;
	return c->error == 0 || c->error == -EADDRNOTAVAIL || c->error == -ENODEV;
}

static void note_results(struct holder *h, tick now)
{
	const struct batch *b = &h->batch;

	for (uint32_t i = 0; i < b->n; i++) {
		const struct netlink_change *c = &b->changes[i];
		const uint32_t vip = b->vips[i];
		const uint8_t place = (uint8_t)place_of(h, vip, c->ifindex);

		if (!is_done(c)) {
			h->error = c->error;
			h->error_vip = vip;
		} else if (c->add) {
			h->places[vip] |= place;
		} else {
			h->places[vip] &= (uint8_t)~place;
		}
		/* an operation succeeds with its last change, or fails with the first that does */
		if (b->ops[i] == NO_OP)
			continue;
		if (!is_done(c) || i + 1 == b->n || b->ops[i + 1] != b->ops[i])
			kernel_done(&h->kernel, &h->ops[b->ops[i]], c->error, now);
	}
}

/* net.ipv4.conf.INTERFACE.arp_ignore; -1 if it can't be read. */
static int read_arp_ignore(const char *interface)
{
	char path[64], text[16];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/arp_ignore", interface);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return atoi(text);
}

/* Raises arp_ignore where an IPv4 VIP is about to linger, and puts it back where none does. */
static void silence_interfaces(struct holder *h)
{
	uint32_t wanted = 0;

	for (uint32_t vip = 0; vip < h->config->n_vips; vip++)
		if (h->vips[vip].wanted == VRRP_HOLD_DATA && wanted_place(h, vip) == ON_LOOPBACK &&
			addr_is_ipv4(&h->config->vips[vip].address))
			wanted |= 1u << interface_of(h, vip);
	for (uint32_t i = 0; i < h->config->n_interfaces && wanted != h->silenced; i++) {
		const uint32_t bit = 1u << i, ifindex = h->links->links[i].ifindex;

		if ((wanted & bit) == (h->silenced & bit))
			continue;
		if (!(wanted & bit)) {
			(void)netlink_set_arp_ignore(h->netlink, ifindex, 0);
			h->silenced &= ~bit;
		} else if (read_arp_ignore(h->config->interfaces[i].name) == 0 &&
			   netlink_set_arp_ignore(h->netlink, ifindex, 1) == 0) {
			h->silenced |= bit;
		}
	}
}

bool holder_work(struct holder *h, tick now)
{
	follow_interfaces(h, now);
	read_wanted(h);
	fill_batch(h, now);
	silence_interfaces(h);
	(void)netlink_change(h->netlink, h->batch.changes, h->batch.n);
	note_results(h, now);
	report(h);
	/* a batch that was full may have left something out; a VIP that failed waits for its time */
	return h->batch.n >= OPS_MAX;
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
		if (h->vips[vip].present && h->vips[vip].ours)
			return false;
	return true;
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
	return kernel_deadline(&h->kernel);
}
