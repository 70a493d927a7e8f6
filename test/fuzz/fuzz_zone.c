/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "zone/print.h"
#include "zone/load.h"
#include "zone/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *context, enum zone_severity severity, const struct zone_place *place,
	const char *text)
{
	uint32_t *n_errors = context;

	ASSERT(place->file && text[0] != '\0' && !strchr(text, '\n'));
	*n_errors += severity == ZONE_ERROR;
}

/* The finished zone, or NULL after at least one error. */
static struct zone *load(const char *text, size_t size)
{
	static const uint8_t apex[] = "\7example";
	uint32_t n_errors = 0;
	const struct load_listener listener = {count, &n_errors};
	const struct load_text in = {"zone", text, size};
	char problem[ZONE_PROBLEM_SIZE];
	struct zone *z = load_text(&in, apex, &listener);

	ASSERT((z == NULL) == (n_errors > 0));
	if (z && !zone_finish(z, count, &n_errors, problem)) {
		ASSERT(n_errors > 0 && problem[0] != '\0');
		zone_free(z);
		return NULL;
	}
	ASSERT(n_errors == 0 || !z);
	return z;
}

/* What must hold of every zone. */
static void check(const struct zone *z)
{
	uint32_t names = 0;

	for (uint32_t i = 0; i < zone_n_nodes(z); i++) {
		const struct zone_node *n = zone_node_at(z, i);
		uint16_t size = 0;

		ASSERT(i == 0 || name_compare(zone_node_at(z, i - 1)->name, n->name) < 0);
		ASSERT(zone_lookup(z, n->name) == n);
		ASSERT((n->flags & ZONE_NODE_APEX) ||
			zone_lookup(z, name_parent(n->name)) == n->parent);
		names += n->rrsets != NULL;
		for (const struct zone_rrset *s = n->rrsets; s; s = s->next) {
			ASSERT(s->n_records > 0 && (!s->next || s->next->type > s->type));
			const uint8_t *last = zone_rdata(s, s->n_records - 1u, &size);

			ASSERT(last + size == s->records + s->size);
		}
	}
	ASSERT(names == zone_n_names(z));
}

static char *print(const struct zone *z, size_t *ret_size)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_size);

	ASSERT(f && zone_print(z, f) && fclose(f) == 0);
	return text;
}

/* A master file: it is refused with a reason, or a sound zone that prints to a file of the same
 * zone. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zone *z = load((const char *)data, size);

	if (!z)
		return 0;
	check(z);
	size_t first_size, second_size;
	char *first = print(z, &first_size);
	struct zone *again = load(first, first_size);

	ASSERT(again);
	char *second = print(again, &second_size);

	ASSERT(first_size == second_size && memcmp(first, second, first_size) == 0);
	free(first);
	free(second);
	zone_free(z);
	zone_free(again);
	return 0;
}
