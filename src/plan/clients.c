/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan/clients.h"

#include <string.h>

#include "base/assert.h"

#define BITS 128

/* So far from @near a block is looked for, in blocks and in either direction. */
#define BLOCKS_MAX 4096

static bool bit_of(const struct addr *a, uint32_t bit)
{
	return a->b[bit / 8] >> (7 - bit % 8) & 1;
}

/* Whether @n addresses fill a block of @bits, in a network of @network_bits, so far that there are no clients among them to
 * speak of. */
static bool is_full(uint32_t n, uint32_t bits, uint32_t network_bits)
{
	const uint64_t rest = bits < 32 ? (UINT64_C(1) << bits) - n : UINT64_MAX;

	return rest <= n && (network_bits >= 32 || rest <= (UINT64_C(1) << network_bits) / 8);
}

bool clients_split(const struct addr *addresses, uint32_t n, uint8_t len,
	struct clients_half ret_halves[static 2])
{
	uint32_t common = 0, middle = 0;

	ASSERT(n >= 2 && len <= BITS);
	for (uint32_t i = 1; i < n; i++)
		ASSERT(addr_compare(&addresses[i - 1], &addresses[i]) < 0);
	while (bit_of(&addresses[0], common) == bit_of(&addresses[n - 1], common))
		common++;
	if (is_full(n, BITS - common, BITS - len))
		return false;
	while (!bit_of(&addresses[middle], common))
		middle++;
	for (uint32_t i = 0; i < 2; i++)
		ret_halves[i] = (struct clients_half){
			.network = {addresses[i * middle], (uint8_t)(common + 1)},
			.first = i * middle,
			.n = i == 0 ? middle : n - middle,
		};
	return true;
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
	uint32_t bits = 0;

	while (UINT32_C(1) << bits < n)
		bits++;
	if (!is_full(n, bits, BITS - room->network.len))
		return false;
	const uint32_t size = UINT32_C(1) << bits, home = tail_of(near) / size;

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
