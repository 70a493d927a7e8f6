/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/will.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/netlink.h"

/* Where the kernel can't wait for two words at once (before Linux 5.16). */
#define BLIND_WAIT_MS 5

/* No advertisement is smaller. */
#define MESSAGE_SIZE_MIN 8

/* So many VIPs' removals in one request. */
#define REMOVALS_AT_ONCE 256

/* ---- what is shared ---- */

/*
 * @life is a robust futex: the word holds the fast thread's id, and when that thread ends, however it
 * does, the kernel sets FUTEX_OWNER_DIED in it and wakes who waits.
 */
struct signs {
	_Atomic uint32_t life;
	_Atomic uint32_t ready;
	_Atomic uint64_t turns;
	_Atomic uint64_t sequence;
	struct robust_list_head robust;
	struct robust_list tie;
};

/* One way to say a router's last words: a message for each destination follows, @room apart. */
struct page {
	struct addr source;
	uint32_t ifindex;
	uint32_t size; /* of each message; 0: nothing is said */
};

/* Two pages follow. */
struct slot {
	_Atomic uint32_t current;
	uint32_t unused;
};

/* ---- what each side knows by itself ---- */

struct router {
	size_t at;     /* of its first slot, in the shared memory */
	uint32_t room; /* for one message, signed */
};

struct will {
	const struct plan *plan;
	const struct destinations *destinations;
	struct router *routers;
	uint32_t *removals; /* by VIP, and one more: where the messages begin; for each place one */
	size_t removals_at; /* where all begin, in the shared memory */
	uint8_t *shared;
	size_t size;
};

static size_t align(size_t size)
{
	return (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

static struct signs *signs_of(const struct will *w)
{
	return (struct signs *)(void *)w->shared;
}

static size_t page_size(const struct will *w, uint32_t router)
{
	uint32_t n;

	(void)destinations_of(w->destinations, router, &n);
	return align(sizeof(struct page) + (size_t)n * w->routers[router].room);
}

static size_t slot_size(const struct will *w, uint32_t router)
{
	return align(sizeof(struct slot)) + 2 * page_size(w, router);
}

static struct slot *slot_of(const struct will *w, uint32_t router, enum will_say say)
{
	ASSERT(router < w->plan->n_routers && say < WILL_SAYS);
	return (struct slot *)(void *)(w->shared + w->routers[router].at +
				       say * slot_size(w, router));
}

static struct page *page_of(
	const struct will *w, uint32_t router, enum will_say say, uint32_t index)
{
	uint8_t *const slot = (uint8_t *)slot_of(w, router, say);

	return (struct page *)(void *)(slot + align(sizeof(struct slot)) +
				       (index & 1) * page_size(w, router));
}

static uint8_t *message_of(
	const struct will *w, uint32_t router, const struct page *page, uint32_t destination)
{
	return (uint8_t *)(uintptr_t)(page + 1) + (size_t)destination * w->routers[router].room;
}

static struct nlmsghdr *removal_of(const struct will *w, uint32_t vip, enum will_place place)
{
	uint32_t size;

	ASSERT(vip < w->plan->config->n_vips && place < WILL_PLACES);
	size = (w->removals[vip + 1] - w->removals[vip]) / WILL_PLACES;
	return (struct nlmsghdr *)(void *)(w->shared + w->removals_at + w->removals[vip] +
					   place * size);
}

/* ---- making it ---- */

static void lay_out_routers(struct will *w)
{
	const struct config *c = w->plan->config;

	for (uint32_t i = 0; i < w->plan->n_routers; i++) {
		const struct plan_router *p = &w->plan->routers[i];
		const uint8_t version = c->services[p->service].vrrp.version;

		w->routers[i].room = (uint32_t)advert_size(version, p->family, p->n_vips);
		w->routers[i].at = w->size;
		w->size += WILL_SAYS * slot_size(w, i);
	}
}

static void lay_out_removals(struct will *w)
{
	const struct config *c = w->plan->config;
	uint8_t message[NETLINK_REMOVAL_MAX];

	for (uint32_t vip = 0; vip < c->n_vips; vip++) {
		const size_t size = netlink_put_removal(message, &c->vips[vip].address);

		w->removals[vip + 1] = w->removals[vip] + WILL_PLACES * (uint32_t)size;
	}
	w->removals_at = w->size;
	w->size += align(w->removals[c->n_vips]);
}

struct will *will_new(const struct plan *plan, const struct destinations *destinations)
{
	struct will *w = calloc(1, sizeof *w);
	void *shared = MAP_FAILED;

	if (!w)
		return NULL;
	w->plan = plan;
	w->destinations = destinations;
	w->routers = calloc(plan->n_routers ? plan->n_routers : 1, sizeof *w->routers);
	w->removals = calloc(plan->config->n_vips + 1, sizeof *w->removals);
	if (w->routers && w->removals) {
		w->size = align(sizeof(struct signs));
		lay_out_routers(w);
		lay_out_removals(w);
		shared = mmap(
			NULL, w->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	}
	if (shared == MAP_FAILED) {
		will_free(w);
		return NULL;
	}
	w->shared = shared;
	will_clear(w);
	return w;
}

void will_free(struct will *w)
{
	if (!w)
		return;
	if (w->shared)
		munmap(w->shared, w->size);
	free(w->routers);
	free(w->removals);
	free(w);
}

void will_clear(struct will *w)
{
	const struct config *c = w->plan->config;

	memset(w->shared, 0, w->removals_at);
	for (uint32_t vip = 0; vip < c->n_vips; vip++) {
		for (int place = 0; place < WILL_PLACES; place++) {
			struct nlmsghdr *h = removal_of(w, vip, (enum will_place)place);

			(void)netlink_put_removal((uint8_t *)h, &c->vips[vip].address);
			h->nlmsg_type = NLMSG_NOOP;
		}
	}
}

/* ---- the fast thread's ---- */

void will_say(struct will *w, uint32_t router, enum will_say say, uint32_t ifindex,
	const struct advert *advert)
{
	struct slot *slot = slot_of(w, router, say);
	const uint32_t next = !atomic_load_explicit(&slot->current, memory_order_relaxed);
	struct page *page = page_of(w, router, say, next);
	const uint32_t room = w->routers[router].room;
	uint32_t n;
	const struct addr *to = destinations_of(w->destinations, router, &n);

	page->source = advert->source;
	page->ifindex = ifindex;
	page->size = 0;
	for (uint32_t i = 0; i < n && advert->n_addresses > 0; i++) {
		uint8_t *const message = message_of(w, router, page, i);

		page->size = (uint32_t)advert_build(advert, &to[i], message, room);
		ASSERT(page->size > 0);
	}
	atomic_store_explicit(&slot->current, next, memory_order_release);
}

void will_note_sequence(struct will *w, uint64_t sequence)
{
	atomic_store_explicit(&signs_of(w)->sequence, sequence, memory_order_relaxed);
}

void will_count_turn(struct will *w)
{
	struct signs *s = signs_of(w);
	const uint64_t turns = atomic_load_explicit(&s->turns, memory_order_relaxed);

	atomic_store_explicit(&s->turns, turns + 1, memory_order_relaxed);
}

/* The kernel goes through a list of one. The C library, which has registered an empty list for robust
 * mutexes, has none in this thread. */
void will_bind(struct will *w)
{
	struct signs *s = signs_of(w);

	s->tie.next = &s->robust.list;
	s->robust = (struct robust_list_head){
		.list = {.next = &s->tie},
		.futex_offset =
			(long)offsetof(struct signs, life) - (long)offsetof(struct signs, tie),
	};
	if (syscall(SYS_set_robust_list, &s->robust, sizeof s->robust) < 0)
		return; /* then the guardian hears of it when the process is gone */
	atomic_store(&s->life, (uint32_t)gettid() | FUTEX_WAITERS);
}

void will_unbind(struct will *w)
{
	atomic_store(&signs_of(w)->life, 0);
}

/* ---- the slow thread's ---- */

static void switch_removal(struct nlmsghdr *h, uint16_t type)
{
	__atomic_store_n(&h->nlmsg_type, type, __ATOMIC_SEQ_CST);
}

void will_hold(struct will *w, uint32_t vip, enum will_place place, uint32_t ifindex)
{
	struct nlmsghdr *h = removal_of(w, vip, place);
	struct ifaddrmsg *m = (struct ifaddrmsg *)(h + 1);

	if (h->nlmsg_type == RTM_DELADDR && m->ifa_index == ifindex)
		return;
	switch_removal(h, NLMSG_NOOP);
	m->ifa_index = ifindex;
	switch_removal(h, RTM_DELADDR);
}

void will_release(struct will *w, uint32_t vip, enum will_place place)
{
	switch_removal(removal_of(w, vip, place), NLMSG_NOOP);
}

void will_set_ready(struct will *w)
{
	atomic_store(&signs_of(w)->ready, 1);
}

void will_open(struct will *w)
{
	struct signs *s = signs_of(w);

	atomic_fetch_or(&s->life, FUTEX_OWNER_DIED);
	(void)syscall(SYS_futex, &s->life, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* ---- the guardian's ---- */

bool will_is_ready(const struct will *w)
{
	return atomic_load(&signs_of(w)->ready);
}

uint64_t will_turns(const struct will *w)
{
	return atomic_load_explicit(&signs_of(w)->turns, memory_order_relaxed);
}

uint64_t will_sequence(const struct will *w)
{
	return atomic_load_explicit(&signs_of(w)->sequence, memory_order_relaxed);
}

bool will_is_open(const struct will *w)
{
	return atomic_load(&signs_of(w)->life) & FUTEX_OWNER_DIED;
}

void will_wait(struct will *w, const _Atomic uint32_t *signals, uint32_t timeout_ms, bool seen)
{
	const uint32_t life = atomic_load(&signs_of(w)->life);
	struct futex_waitv words[] = {
		{.uaddr = (uintptr_t)signals, .flags = FUTEX_32},
		{.uaddr = (uintptr_t)&signs_of(w)->life, .val = life, .flags = FUTEX_32},
	};
	struct timespec until;

	if (life & FUTEX_OWNER_DIED && !seen)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	/* whatever it says, the caller looks at everything, but must not do so all the time */
	if (syscall(SYS_futex_waitv, words, seen ? 1 : 2, 0, &until, CLOCK_MONOTONIC) < 0 &&
		errno != EAGAIN && errno != EINTR && errno != ETIMEDOUT)
		(void)poll(NULL, 0, BLIND_WAIT_MS);
}

bool will_read(const struct will *w, uint32_t router, enum will_say say, uint32_t destination,
	struct will_word *ret_word)
{
	const struct slot *slot = slot_of(w, router, say);
	const uint32_t current = atomic_load_explicit(&slot->current, memory_order_acquire);
	const struct page *page = page_of(w, router, say, current);
	uint32_t n;
	const struct addr *to = destinations_of(w->destinations, router, &n);

	/* what a daemon that went mad has written may be anything */
	if (destination >= n || page->size < MESSAGE_SIZE_MIN ||
		page->size > w->routers[router].room ||
		addr_family(&page->source) != w->plan->routers[router].family)
		return false;
	*ret_word = (struct will_word){
		.route = {page->ifindex, page->source, to[destination]},
		.message = message_of(w, router, page, destination),
		.size = page->size,
	};
	return true;
}

static uint32_t send_words(
	const struct will *w, uint32_t router, enum will_say say, struct raw *raw)
{
	struct will_word word;
	uint32_t n = 0;

	for (; will_read(w, router, say, n, &word); n++)
		raw_queue_message(raw, &word.route, word.message, word.size);
	return n;
}

uint32_t will_send(const struct will *w, struct raw *raw)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->plan->n_routers; i++)
		for (int say = 0; say < WILL_SAYS; say++)
			n += send_words(w, i, (enum will_say)say, raw);
	raw_flush(raw);
	return n;
}

/* Failures are answered; nobody is to hear of them. */
static void discard_answers(int fd)
{
	char byte;

	while (recv(fd, &byte, sizeof byte, MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
		;
}

static uint32_t count_removals(const struct will *w, uint32_t vip)
{
	uint32_t n = 0;

	for (int place = 0; place < WILL_PLACES; place++)
		n += removal_of(w, vip, (enum will_place)place)->nlmsg_type == RTM_DELADDR;
	return n;
}

/* Those that are switched off are of a type that the kernel skips. */
uint32_t will_remove(const struct will *w, int fd)
{
	const uint32_t n_vips = w->plan->config->n_vips;
	uint32_t all = 0, wanted = 0, first = 0;

	for (uint32_t vip = 0; vip < n_vips; vip++) {
		wanted += count_removals(w, vip);
		if (vip + 1 < n_vips && vip + 1 - first < REMOVALS_AT_ONCE)
			continue;
		if (wanted)
			(void)send(fd, w->shared + w->removals_at + w->removals[first],
				w->removals[vip + 1] - w->removals[first],
				MSG_DONTWAIT | MSG_NOSIGNAL);
		discard_answers(fd);
		all += wanted;
		wanted = 0;
		first = vip + 1;
	}
	return all;
}
