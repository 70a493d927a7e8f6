/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan/clients.h"

#include <string.h>

#include "base/assert.h"

#define BITS 128

/* So far from @near a block is looked for, in blocks and in either direction. */
#define BLOCKS_MAX 4096

struct spread {
	const struct addr *addresses; /* sorted */
	double *shares;
};

static bool bit_of(const struct addr *a, uint32_t bit)
{
	return a->b[bit / 8] >> (7 - bit % 8) & 1;
}

/* The clients, @share of all, have the first @bit bits in common with the addresses from @from up to @to; half of them
 * have the next bit set. To those whose side has no address, all of the others are equally near. */
static void spread(const struct spread *s, uint32_t from, uint32_t to, uint32_t bit, double share)
{
	const uint32_t n = to - from;
	uint32_t middle = from;

	if (n == 1) {
		s->shares[from] += share;
		return;
	}
	ASSERT(bit < BITS); /* they are different */
	while (middle < to && !bit_of(&s->addresses[middle], bit))
		middle++;
	if (middle > from && middle < to) {
		spread(s, from, middle, bit + 1, share / 2);
		spread(s, middle, to, bit + 1, share / 2);
		return;
	}
	for (uint32_t i = from; i < to; i++)
		s->shares[i] += share / 2 / n;
	spread(s, from, to, bit + 1, share / 2);
}

void clients_shares(const struct addr *addresses, uint32_t n, uint8_t len, double *ret_shares)
{
	ASSERT(n > 0 && len <= BITS);
	for (uint32_t i = 1; i < n; i++)
		ASSERT(addr_compare(&addresses[i - 1], &addresses[i]) < 0);
	memset(ret_shares, 0, n * sizeof *ret_shares);
	spread(&(struct spread){addresses, ret_shares}, 0, n, len, 1);
}

/* The last 32 bits are enough for whatever lies nearby. */
static uint32_t tail_of(const struct addr *a)
{
	return (uint32_t)a->b[12] << 24 | (uint32_t)a->b[13] << 16 | (uint32_t)a->b[14] << 8 |
	       a->b[15];
}

static struct addr with_tail(const struct addr *a, uint32_t tail)
{
	struct addr b = *a;

	b.b[12] = (uint8_t)(tail >> 24);
	b.b[13] = (uint8_t)(tail >> 16);
	b.b[14] = (uint8_t)(tail >> 8);
	b.b[15] = (uint8_t)tail;
	return b;
}

static bool is_free(
	const struct clients_room *room, const struct addr *first, const struct addr *last)
{
	for (uint32_t i = 0; i < room->n_taken; i++)
		if (addr_compare(&room->taken[i], first) >= 0 &&
			addr_compare(&room->taken[i], last) <= 0)
			return false;
	return true;
}

/* The network's own address and the broadcast address have all their host bits equal. */
static bool is_inside(
	const struct clients_room *room, const struct addr *first, const struct addr *last)
{
	const uint32_t host_bits = BITS - room->network.len;
	const uint32_t mask = host_bits >= 32 ? UINT32_MAX : (UINT32_C(1) << host_bits) - 1;

	return prefix_contains(&room->network, first) && prefix_contains(&room->network, last) &&
	       (tail_of(first) & mask) != 0 && (tail_of(last) & mask) != mask;
}

bool clients_find_block(const struct clients_room *room, const struct addr *near, uint32_t n,
	struct addr *ret_first, struct addr *ret_last)
{
	uint32_t size = 1, home;

	while (size < n)
		size *= 2;
	home = tail_of(near) / size;
	for (uint32_t i = 0; i < 2 * BLOCKS_MAX; i++) {
		/* at home, one above, one below, two above ... */
		const uint32_t steps = (i + 1) / 2;
		const uint32_t block = i % 2 ? home + steps : home - steps;
		const struct addr first = with_tail(near, block * size);
		const struct addr last = with_tail(near, block * size + (size - 1));

		if (!is_inside(room, &first, &last) || !is_free(room, &first, &last))
			continue;
		*ret_first = first;
		*ret_last = last;
		return true;
	}
	return false;
}
