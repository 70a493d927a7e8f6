/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "advert.h"
#include "base/assert.h"
#include "wire/auth.h"
#include "wire/checksum.h"

#define UTC       1795374000500000000u /* of the golden messages */
#define N_MARKS   8
#define ROOM      (ADVERT_SIZE_MAX + ADVERT_TRAILER_SIZE)
#define HEAD      3
#define IS_IPV6   1 /* bits of the first byte */
#define IS_SIGNED 2
#define IS_FROM   4 /* the source follows */

struct receiver {
	struct auth auth;
	struct auth_mark marks[N_MARKS], before[N_MARKS];
};

static void open_receiver(struct receiver *r)
{
	memset(r, 0, sizeof *r);
	r->auth = (struct auth){
		.keys = {{.id = 7, .size = 32}},
		.n_keys = 1,
		.window_s = 5,
		.marks = r->marks,
		.n_marks = N_MARKS,
	};
	for (uint8_t i = 0; i < 32; i++)
		r->auth.keys[0].bytes[i] = i;
}

/* Only what verifies leaves a trace, and only once. */
static enum auth_verdict judge(struct receiver *r, const uint8_t *bytes, size_t size,
	const struct advert_envelope *e, const struct advert *a)
{
	const size_t message_size = advert_message_size(a);
	enum auth_verdict verdict;

	memcpy(r->before, r->marks, sizeof r->marks);
	verdict = auth_verify(&r->auth, bytes, size, message_size, &e->source, UTC);
	ASSERT(verdict < AUTH_VERDICTS);
	ASSERT((verdict == AUTH_UNSIGNED) == (size == message_size));
	ASSERT((verdict == AUTH_VERIFIED) == (memcmp(r->before, r->marks, sizeof r->marks) != 0));
	if (verdict == AUTH_VERIFIED)
		ASSERT(auth_verify(&r->auth, bytes, size, message_size, &e->source, UTC) ==
			AUTH_REPLAYED);
	return verdict;
}

/* Signed it verifies; with any bit of it flipped it does not. */
static void sign_and_tamper(struct receiver *r, uint8_t *bytes, size_t size, uint16_t bit,
	const struct advert_envelope *e)
{
	struct advert a;

	size = auth_sign(&r->auth, bytes, size, &e->source, &e->destination, UTC);
	ASSERT(advert_parse(bytes, size, e, &a) == ADVERT_ACCEPTED);
	bytes[bit / 8 % size] ^= (uint8_t)(1u << bit % 8);
	if (advert_parse(bytes, size, e, &a) == ADVERT_ACCEPTED)
		ASSERT(judge(r, bytes, size, e, &a) != AUTH_VERIFIED);
	bytes[bit / 8 % size] ^= (uint8_t)(1u << bit % 8);
	ASSERT(advert_parse(bytes, size, e, &a) == ADVERT_ACCEPTED);
	ASSERT(judge(r, bytes, size, e, &a) == AUTH_VERIFIED);
}

/* A byte of choices, two that name a bit, perhaps a source, and a message that may have a trailer; its checksum is mended,
 * so that the rest is reached. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct advert_envelope e = {.ttl = 255};
	struct receiver r;
	struct advert a;
	const uint8_t *message = data + HEAD;
	uint8_t bytes[ROOM];

	if (size < HEAD)
		return 0;
	size -= HEAD;
	e.family = data[0] & IS_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4;
	e.source = fuzz_source(data[0] & IS_FROM ? &message : NULL, &size, e.family);
	e.destination = *advert_group(e.family);
	if (size < 8 || size > ROOM)
		return 0;
	memcpy(bytes, message, size);
	fuzz_mend(bytes, size, &e);
	if (advert_parse(bytes, size, &e, &a) != ADVERT_ACCEPTED)
		return 0;
	open_receiver(&r);
	judge(&r, bytes, size, &e, &a);
	if (data[0] & IS_SIGNED) {
		open_receiver(&r);
		sign_and_tamper(
			&r, bytes, advert_message_size(&a), (uint16_t)(data[1] << 8 | data[2]), &e);
	}
	return 0;
}
