/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/board.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"

#define MESSAGES_MAX 64

struct cell {
	_Atomic uint32_t announce_asked;
	_Atomic uint32_t announced;
	_Atomic uint8_t wanted;
	_Atomic bool yielded;
	_Atomic uint8_t observed;
};

/* One writer, one reader. The indexes only grow; their difference is what lies in the ring. */
struct ring {
	uint8_t *slots;
	size_t slot_size;
	uint32_t n_slots; /* a power of two */
	_Atomic uint32_t put, taken;
};

struct board {
	struct cell *cells;
	uint32_t n_cells;
	int fast_fd, slow_fd;
	struct ring messages, records;
	_Atomic uint64_t records_lost;
	_Atomic uint64_t beats;
	_Atomic bool snapshot_asked, stopped, quitting;
};

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t n = 1;

	while (n < at_least)
		n *= 2;
	return n;
}

static bool ring_init(struct ring *r, uint32_t n_slots, size_t slot_size)
{
	*r = (struct ring){.slot_size = slot_size, .n_slots = n_slots};
	ASSERT((n_slots & (n_slots - 1)) == 0);
	r->slots = calloc(n_slots, slot_size);
	return r->slots != NULL;
}

static bool ring_put(struct ring *r, const void *slot)
{
	const uint32_t put = atomic_load_explicit(&r->put, memory_order_relaxed);

	if (put - atomic_load_explicit(&r->taken, memory_order_acquire) == r->n_slots)
		return false;
	memcpy(r->slots + (put & (r->n_slots - 1)) * r->slot_size, slot, r->slot_size);
	atomic_store_explicit(&r->put, put + 1, memory_order_release);
	return true;
}

static bool ring_take(struct ring *r, void *ret_slot)
{
	const uint32_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed);

	if (atomic_load_explicit(&r->put, memory_order_acquire) == taken)
		return false;
	memcpy(ret_slot, r->slots + (taken & (r->n_slots - 1)) * r->slot_size, r->slot_size);
	atomic_store_explicit(&r->taken, taken + 1, memory_order_release);
	return true;
}

struct board *board_new(uint32_t n_vips)
{
	struct board *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->n_cells = n_vips;
	b->cells = calloc(n_vips ? n_vips : 1, sizeof *b->cells);
	b->fast_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	b->slow_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!b->cells || b->fast_fd < 0 || b->slow_fd < 0 ||
		!ring_init(&b->messages, MESSAGES_MAX, sizeof(struct board_message)) ||
		!ring_init(
			&b->records, power_of_two(2 * n_vips + 256), sizeof(struct node_record))) {
		board_free(b);
		return NULL;
	}
	return b;
}

void board_free(struct board *b)
{
	if (!b)
		return;
	if (b->fast_fd >= 0)
		close(b->fast_fd);
	if (b->slow_fd >= 0)
		close(b->slow_fd);
	free(b->messages.slots);
	free(b->records.slots);
	free(b->cells);
	free(b);
}

int board_fast_fd(const struct board *b)
{
	return b->fast_fd;
}

int board_slow_fd(const struct board *b)
{
	return b->slow_fd;
}

/* A counter that is full is readable, and that is all that a kick is for. */
static void kick(int fd)
{
	const uint64_t one = 1;
	const ssize_t ignored = write(fd, &one, sizeof one);

	(void)ignored;
}

static void clear(int fd)
{
	uint64_t count;
	const ssize_t ignored = read(fd, &count, sizeof count);

	(void)ignored;
}

void board_kick_fast(struct board *b)
{
	kick(b->fast_fd);
}

void board_kick_slow(struct board *b)
{
	kick(b->slow_fd);
}

void board_clear_fast(struct board *b)
{
	clear(b->fast_fd);
}

void board_clear_slow(struct board *b)
{
	clear(b->slow_fd);
}

static struct cell *cell_of(const struct board *b, uint32_t vip)
{
	ASSERT(vip < b->n_cells);
	return &b->cells[vip];
}

void board_set_wanted(struct board *b, uint32_t vip, enum vrrp_hold wanted)
{
	atomic_store(&cell_of(b, vip)->wanted, (uint8_t)wanted);
}

enum vrrp_hold board_wanted(const struct board *b, uint32_t vip)
{
	return (enum vrrp_hold)atomic_load(&cell_of(b, vip)->wanted);
}

void board_set_yielded(struct board *b, uint32_t vip, bool yielded)
{
	atomic_store(&cell_of(b, vip)->yielded, yielded);
}

bool board_yielded(const struct board *b, uint32_t vip)
{
	return atomic_load(&cell_of(b, vip)->yielded);
}

void board_set_observed(struct board *b, uint32_t vip, enum vrrp_hold observed)
{
	atomic_store(&cell_of(b, vip)->observed, (uint8_t)observed);
}

enum vrrp_hold board_observed(const struct board *b, uint32_t vip)
{
	return (enum vrrp_hold)atomic_load(&cell_of(b, vip)->observed);
}

void board_ask_announcement(struct board *b, uint32_t vip)
{
	atomic_fetch_add(&cell_of(b, vip)->announce_asked, 1);
}

uint32_t board_announcement_asked(const struct board *b, uint32_t vip)
{
	return atomic_load(&cell_of(b, vip)->announce_asked);
}

void board_set_announced(struct board *b, uint32_t vip, uint32_t number)
{
	atomic_store(&cell_of(b, vip)->announced, number);
}

uint32_t board_announced(const struct board *b, uint32_t vip)
{
	return atomic_load(&cell_of(b, vip)->announced);
}

bool board_post(struct board *b, const struct board_message *message)
{
	return ring_put(&b->messages, message);
}

bool board_take_message(struct board *b, struct board_message *ret_message)
{
	return ring_take(&b->messages, ret_message);
}

void board_put_record(struct board *b, const struct node_record *record)
{
	if (!ring_put(&b->records, record))
		board_lose_records(b, 1);
}

void board_lose_records(struct board *b, uint64_t count)
{
	atomic_fetch_add(&b->records_lost, count);
}

bool board_take_record(struct board *b, struct node_record *ret_record)
{
	return ring_take(&b->records, ret_record);
}

uint64_t board_records_lost(const struct board *b)
{
	return atomic_load(&b->records_lost);
}

void board_ask_snapshot(struct board *b)
{
	atomic_store(&b->snapshot_asked, true);
}

bool board_snapshot_is_asked(const struct board *b)
{
	return atomic_load(&b->snapshot_asked);
}

void board_give_snapshot(struct board *b)
{
	atomic_store(&b->snapshot_asked, false);
}

void board_beat(struct board *b)
{
	atomic_fetch_add_explicit(&b->beats, 1, memory_order_relaxed);
}

uint64_t board_beats(const struct board *b)
{
	return atomic_load_explicit(&b->beats, memory_order_relaxed);
}

void board_set_stopped(struct board *b)
{
	atomic_store(&b->stopped, true);
}

bool board_is_stopped(const struct board *b)
{
	return atomic_load(&b->stopped);
}

void board_quit(struct board *b)
{
	atomic_store(&b->quitting, true);
}

bool board_is_quitting(const struct board *b)
{
	return atomic_load(&b->quitting);
}
