/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "../unit/dns/world.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(size_t limit, const struct told *t, const char *text)
{
	ASSERT(strcmp(text, "malformed") != 0);
	ASSERT(t->reply.size <= limit);
	ASSERT(t->outcome != ANSWER_SENT || t->reply.size >= DNS_HEADER_SIZE);
}

/* What a limiter sends can be read, too, and is no more than the answer was. */
static void check_cut(size_t limit, struct told *t)
{
	const size_t size = t->reply.size;
	char *text;

	if (t->outcome != ANSWER_SENT)
		return;
	answer_cut(&t->reply);
	ASSERT(t->reply.size <= size);
	text = told_text(t);
	check_answer(limit, t, text);
	free(text);
}

/* A message over UDP or TCP, by its first byte, which also says which VIPs are held. The answer can be read, and
 * both ways of answering agree. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world *world;
	static struct answerer *answerer;
	static struct told told[3];
	struct asking how = {0};
	char *text[3];
	size_t limit;

	if (!world) {
		world = world_new();
		answerer = answerer_new(1);
		ASSERT(answerer);
	}
	if (size == 0)
		return 0;
	for (uint32_t vip = 0; vip < world->config->n_vips; vip++)
		catalog_set_held(world->catalog, vip, !(data[0] >> (1 + vip % 7) & 1));
	how = (struct asking){.answerer = answerer, .catalog = world->catalog, .tcp = data[0] & 1};
	limit = asker_limit(data + 1, size - 1, how.tcp);
	for (int way = WAY_ANY; way <= WAY_SLOW; way++) {
		how.way = (enum way)way;
		answerer_seed(answerer, 1);
		ask_message(&how, data + 1, size - 1, &told[way]);
		text[way] = told_text(&told[way]);
		check_answer(limit, &told[way], text[way]);
	}
	if (told[WAY_FAST].outcome == ANSWER_SENT) {
		ASSERT(strcmp(text[WAY_FAST], text[WAY_SLOW]) == 0);
		ASSERT(strcmp(text[WAY_FAST], text[WAY_ANY]) == 0);
	}
	for (int way = WAY_ANY; way <= WAY_SLOW; way++) {
		check_cut(limit, &told[way]);
		free(text[way]);
	}
	return 0;
}
