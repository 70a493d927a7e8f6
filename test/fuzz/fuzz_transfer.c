/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include <libknot/libknot.h>

#include "../unit/dns/world.h"
#include "base/assert.h"
#include "dns/signed.h"
#include "dns/transfer.h"

#define MESSAGES_MAX 1000
#define WALL_S       1000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the first byte says. */
enum {
	MODE_TCP = 1 << 0,
	MODE_NO_KEY = 1 << 1,
	MODE_SIGN =
		1
		<< 2, /* the message is signed as it should be, so that what comes after that is reached */
};

struct bench {
	struct world *world;
	struct answerer *answerer;
	struct config_dns config;
	struct tsig_key key;
	uint8_t question[DNS_MESSAGE_MAX], answer[DNS_MESSAGE_MAX];
};

static void check_message(uint8_t *bytes, size_t size)
{
	knot_pkt_t *pkt = knot_pkt_new(bytes, (uint16_t)size, NULL);

	ASSERT(size <= DNS_MESSAGE_MAX && pkt);
	ASSERT(knot_pkt_parse(pkt, 0) == KNOT_EOK);
	knot_pkt_free(pkt);
}

static void check_transfer(struct bench *b, struct transfer *t)
{
	int n = 0, size;

	while ((size = transfer_next(t, WALL_S, b->answer)) > 0 && ++n < MESSAGES_MAX)
		check_message(b->answer, (size_t)size);
	ASSERT(size == 0);
	transfer_free(t);
}

static struct bench *bench(void)
{
	static struct bench b;

	if (b.world)
		return &b;
	b.world = world_new();
	b.answerer = answerer_new(1);
	ASSERT(b.answerer);
	b.config.n_transfers = 1;
	b.config.transfer[0].address = (struct addr){{[10] = 0xff, 0xff, 192, 0, 2, 53}};
	b.key = (struct tsig_key){
		.name = {.size = 5, .bytes = "\3key"}, .algorithm = TSIG_SHA256, .secret_size = 16};
	return &b;
}

/* A message from one who may transfer, signed or not: each answer can be read, and each transfer ends. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bench *b = bench();
	struct answer_request in = {.message = b->question,
		.client = b->config.transfer[0].address,
		.wall_s = WALL_S,
		.self = &world_self};
	struct answer_reply out = {.buffer = b->answer};
	struct transfer_setup setup = {b->world->catalog, &b->config, &b->key};
	struct transfer *t = NULL;
	struct tsig tsig = tsig_start(&b->key);
	enum answer_outcome outcome;

	if (size == 0 || size > DNS_MESSAGE_MAX - tsig_size(&tsig))
		return 0;
	memcpy(b->question, data + 1, size - 1);
	in.size = size - 1;
	if ((data[0] & MODE_SIGN) && in.size >= DNS_HEADER_SIZE)
		in.size = tsig_sign(&tsig, b->question, in.size, WALL_S);
	if (data[0] & MODE_NO_KEY)
		setup.key = NULL;
	in.tcp = data[0] & MODE_TCP;
	out.room = in.tcp ? DNS_MESSAGE_MAX : DNS_UDP_MAX;
	outcome = signed_answer(b->answerer, b->world->catalog, setup.key, &in, &out);
	if (outcome == ANSWER_TRANSFER)
		outcome = transfer_begin(&setup, &in, &out, &t);
	ASSERT(outcome != ANSWER_SIGNED);
	if (outcome == ANSWER_SENT)
		ASSERT(out.size <= asker_limit(in.message, in.size, in.tcp));
	if (outcome == ANSWER_SENT)
		check_message(b->answer, out.size);
	if (outcome == ANSWER_TRANSFER)
		check_transfer(b, t);
	return 0;
}
