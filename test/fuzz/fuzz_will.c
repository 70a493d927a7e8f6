/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a daemon that went mad may have left in its will: the guardian finds in it what can be sent, and
 * nothing beside it. The will is looked at from the inside, for its memory is nobody else's business. */
#include "os/will.c"

#include "core_files.h"
#include "wire/auth.h"

#define UTC UINT64_C(1795374000500000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the place of os/raw: looks at what it is to send. */
struct raw {
	const struct will *will;
	uint32_t n_queued;
};

void raw_queue_message(
	struct raw *r, const struct raw_route *route, const uint8_t *message, size_t size)
{
	struct auth auth = {.keys = {{.id = 7, .size = AUTH_KEY_MIN}}, .n_keys = 1};
	uint8_t bytes[ADVERT_SIZE_MAX + ADVERT_TRAILER_SIZE];

	ASSERT(size >= MESSAGE_SIZE_MIN && size <= ADVERT_SIZE_MAX);
	ASSERT(message >= r->will->shared);
	ASSERT(message + size <= r->will->shared + r->will->removals_at);
	ASSERT(addr_family(&route->source) == addr_family(&route->destination));
	memcpy(bytes, message, size);
	ASSERT(auth_sign(&auth, bytes, size, &route->source, &route->destination, UTC) ==
		size + ADVERT_TRAILER_SIZE);
	r->n_queued++;
}

void raw_flush(struct raw *r)
{
	(void)r;
}

/* The guardian's part: returns how many messages it would send. */
static uint32_t carry_out(const struct will *w)
{
	struct raw raw = {.will = w};
	const uint32_t n = will_send(w, &raw);

	ASSERT(n == raw.n_queued);
	ASSERT(will_remove(w, -1) <= WILL_PLACES * w->plan->config->n_vips);
	return n;
}

/* The first byte chooses the configuration; the others lie in the will, over and over. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct destinations destinations;
	const struct core_file *file;
	struct will *w;

	if (size < 2)
		return 0;
	file = core_file(data[0] % CORE_FILES);
	if (!destinations_init(&destinations, file->plan, 0))
		return 0;
	w = will_new(file->plan, &destinations);
	ASSERT(w);
	ASSERT(carry_out(w) == 0);
	for (size_t at = 0; at < w->size; at++)
		w->shared[at] = data[1 + at % (size - 1)];
	carry_out(w);
	will_free(w);
	destinations_fini(&destinations);
	return 0;
}
