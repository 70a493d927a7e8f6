/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/holders.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct vip {
	struct addr address;
	uint32_t index;     /* in the configuration */
	tick without_since; /* nobody holds it; TICK_NEVER: somebody does */
	bool unheld;        /* by what is being read */
};

struct holders {
	struct vip *vips;    /* by address */
	uint32_t *positions; /* in @vips, by the configuration's index */
	uint32_t n;
	tick heard;
};

struct holders *holders_new(void)
{
	struct holders *h = calloc(1, sizeof *h);

	if (h)
		h->heard = TICK_NEVER;
	return h;
}

void holders_free(struct holders *h)
{
	if (!h)
		return;
	free(h->vips);
	free(h->positions);
	free(h);
}

static int compare(const void *a, const void *b)
{
	const struct vip *left = a, *right = b;

	return addr_compare(&left->address, &right->address);
}

static struct vip *find(const struct holders *h, const struct addr *address)
{
	const struct vip wanted = {.address = *address};

	if (h->n == 0)
		return NULL;
	return bsearch(&wanted, h->vips, h->n, sizeof *h->vips, compare);
}

bool holders_set_config(struct holders *h, const struct config *config)
{
	const uint32_t n = config->n_vips;
	struct vip *vips = calloc(n + 1, sizeof *vips); /* never of size 0 */
	uint32_t *positions = calloc(n + 1, sizeof *positions);

	if (!vips || !positions) {
		free(vips);
		free(positions);
		return false;
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct vip *old = find(h, &config->vips[i].address);

		vips[i] = (struct vip){.address = config->vips[i].address,
			.index = i,
			.without_since = old ? old->without_since : TICK_NEVER};
	}
	qsort(vips, n, sizeof *vips, compare);
	for (uint32_t i = 0; i < n; i++)
		positions[vips[i].index] = i;
	free(h->vips);
	free(h->positions);
	h->vips = vips;
	h->positions = positions;
	h->n = n;
	return true;
}

/* Nobody holds the VIP of that address, if it is one of ours. */
static void note_unheld(struct holders *h, const char *text, tick now)
{
	struct addr address;
	struct vip *known;

	if (!text || !addr_parse(text, &address))
		return;
	known = find(h, &address);
	if (!known)
		return;
	known->unheld = true;
	if (known->without_since == TICK_NEVER)
		known->without_since = now;
}

/* What it did not say before was not known; what it does not say now is held. */
static void read_unheld(struct holders *h, const json_t *unheld, tick now)
{
	const bool afresh = !holders_are_trusted(h, now);

	for (uint32_t k = 0; k < h->n; k++) {
		h->vips[k].unheld = false;
		if (afresh)
			h->vips[k].without_since = TICK_NEVER;
	}
	for (size_t i = 0; i < json_array_size(unheld); i++)
		note_unheld(h, json_string_value(json_array_get(unheld, i)), now);
	for (uint32_t k = 0; k < h->n; k++)
		if (!h->vips[k].unheld)
			h->vips[k].without_since = TICK_NEVER;
}

bool holders_read(struct holders *h, const char *text, size_t size, tick now)
{
	json_t *document = json_loadb(text, size, 0, NULL);
	const json_t *unheld = json_object_get(document, "unheld");
	const bool is_one = json_is_array(unheld);

	if (is_one) {
		read_unheld(h, unheld, now);
		h->heard = now;
	}
	json_decref(document);
	return is_one;
}

bool holders_is_held(const struct holders *h, uint32_t vip, tick now)
{
	const tick since = h->vips[h->positions[vip]].without_since;

	return since == TICK_NEVER || !holders_are_trusted(h, now) ||
	       tick_since(now, since) < HOLDERS_PATIENCE;
}

tick holders_heard(const struct holders *h)
{
	return h->heard;
}

bool holders_are_trusted(const struct holders *h, tick now)
{
	return h->heard != TICK_NEVER && tick_since(now, h->heard) < HOLDERS_TRUST;
}
