/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/holders.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct vip {
	struct addr address;
	uint32_t index;     /* in the configuration */
	tick without_since; /* nobody holds it; TICK_NEVER: somebody does */
	bool known, unheld; /* by what was read last */
};

struct holders {
	struct vip *vips;    /* by address */
	uint32_t *positions; /* in @vips, by the configuration's index */
	uint32_t n;
	json_t *document; /* that was read last; NULL: none yet */
	tick heard;
	char refusal[HOLDERS_REFUSAL_SIZE];
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
	json_decref(h->document);
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

/* The addresses of @list are known to roostd, and held or not. */
static void note(struct holders *h, const json_t *list, bool unheld)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		struct addr address;
		struct vip *vip = text && addr_parse(text, &address) ? find(h, &address) : NULL;

		if (!vip)
			continue;
		vip->known = true;
		vip->unheld = unheld;
	}
}

/* What it did not say before was not known. */
static void read_lists(struct holders *h, tick now)
{
	const bool afresh = !holders_are_trusted(h, now);

	for (uint32_t k = 0; k < h->n; k++)
		h->vips[k].known = h->vips[k].unheld = false;
	note(h, json_object_get(h->document, "held"), false);
	note(h, json_object_get(h->document, "unheld"), true);
	for (uint32_t k = 0; k < h->n; k++) {
		struct vip *vip = &h->vips[k];

		if (!vip->unheld)
			vip->without_since = TICK_NEVER;
		else if (afresh || vip->without_since == TICK_NEVER)
			vip->without_since = now;
	}
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
	read_lists(h, h->heard);
	return true;
}

/* ASCII alone: what somebody else has written is neither to write to our terminal nor to be cut within a character. */
static void note_refusal(struct holders *h, const json_t *document)
{
	const char *error = json_string_value(json_object_get(document, "error"));

	(void)snprintf(h->refusal, sizeof h->refusal, "%s", error ? error : "");
	for (char *c = h->refusal; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

bool holders_read(struct holders *h, const char *text, size_t size, tick now)
{
	json_t *document = json_loadb(text, size, 0, NULL);

	note_refusal(h, document);
	if (!json_is_array(json_object_get(document, "held")) ||
		!json_is_array(json_object_get(document, "unheld"))) {
		json_decref(document);
		return false;
	}
	json_decref(h->document);
	h->document = document;
	read_lists(h, now);
	h->heard = now;
	return true;
}

const char *holders_refusal(const struct holders *h)
{
	return h->refusal;
}

bool holders_is_unknown(const struct holders *h, uint32_t vip, tick now)
{
	return holders_are_trusted(h, now) && !h->vips[h->positions[vip]].known;
}

bool holders_is_held(const struct holders *h, uint32_t vip, tick now)
{
	const tick since = h->vips[h->positions[vip]].without_since;

	if (holders_is_unknown(h, vip, now))
		return false;
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
