/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "advert.h"

#include <string.h>

#include "base/assert.h"
#include "wire/checksum.h"

static void check_equal(const struct advert *a, const struct advert *b)
{
	ASSERT(addr_equal(&a->source, &b->source));
	ASSERT(addr_equal(&a->link_local, &b->link_local));
	ASSERT(a->interval == b->interval);
	ASSERT(a->family == b->family && a->version == b->version && a->vrid == b->vrid);
	ASSERT(a->priority == b->priority && a->checksum == b->checksum);
	ASSERT(a->n_addresses == b->n_addresses);
	for (uint32_t i = 0; i < a->n_addresses; i++) {
		ASSERT(addr_family(&a->addresses[i]) == a->family);
		ASSERT(addr_equal(&a->addresses[i], &b->addresses[i]));
	}
}

void fuzz_advert(const uint8_t *bytes, size_t size, const struct advert_envelope *envelope)
{
	struct advert got, again, untouched;
	uint8_t built[ADVERT_SIZE_MAX];
	size_t built_size;

	memset(&got, 0x5a, sizeof got);
	untouched = got;
	if (advert_parse(bytes, size, envelope, &got) != ADVERT_ACCEPTED) {
		ASSERT(memcmp(&got, &untouched, sizeof got) == 0);
		return;
	}
	built_size = advert_build(&got, &envelope->destination, built, sizeof built);
	ASSERT(built_size == advert_message_size(&got));
	ASSERT(size == built_size || size == built_size + ADVERT_TRAILER_SIZE);
	ASSERT(advert_parse(built, built_size, envelope, &again) == ADVERT_ACCEPTED);
	check_equal(&got, &again);
}

struct addr fuzz_source(const uint8_t **at, size_t *size, enum family family)
{
	const size_t wanted = addr_wire_size(family);
	struct addr a;

	addr_parse(family == FAMILY_IPV6 ? "fe80::2" : "10.1.1.2", &a);
	if (!at || *size < wanted)
		return a;
	memcpy(a.b + sizeof a.b - wanted, *at, wanted);
	*at += wanted;
	*size -= wanted;
	return a;
}

void fuzz_mend(uint8_t *bytes, size_t size, const struct advert_envelope *e)
{
	const size_t ipv4 = advert_size(bytes[0] >> 4, FAMILY_IPV4, bytes[3]);
	uint64_t sum = 0;

	memset(bytes + 6, 0, 2);
	if (e->family == FAMILY_IPV6)
		sum = checksum_pseudo(
			&e->source, &e->destination, ADVERT_IP_PROTOCOL, (uint16_t)size);
	else if (size == ipv4 + ADVERT_TRAILER_SIZE)
		size = ipv4; /* a trailer is not summed */
	checksum_write(checksum_add(sum, bytes, size), bytes + 6);
}
