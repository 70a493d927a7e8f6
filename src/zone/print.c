/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/print.h"

#include <stdlib.h>
#include <string.h>

#include <libknot/errcode.h>
#include <libknot/rrset-dump.h>

#include "zone/rdata.h"
#include "zone/zone_data.h"

#define CLASS_IN 1
/* Every byte of the data may become an escape, and a base of 16 needs less. */
#define TEXT_SIZE ((size_t)5 * 65536)

struct printing {
	const struct zone *z;
	FILE *to;
	knot_rdata_t *rdata; /* room for the largest */
	char *text;          /* TEXT_SIZE */
};

/* The owner relative to the apex. Returns @text. */
static const char *format_owner(
	const struct printing *p, const struct zone_node *n, char text[static NAME_TEXT_SIZE])
{
	const size_t size = n->name_size - p->z->apex->name_size;
	uint8_t relative[NAME_SIZE_MAX + 1];

	if (size == 0)
		return "@";
	memcpy(relative, n->name, size);
	relative[size] = 0;
	name_format(relative, text);
	text[strlen(text) - 1] = '\0';
	return text;
}

/* RFC 3597 5: data of any type in hexadecimal. Of none at all libknot has made something. */
static void print_unknown(const struct printing *p)
{
	fprintf(p->to, "\\# %u ", p->rdata->len);
	for (uint32_t i = 0; i < p->rdata->len; i++)
		fprintf(p->to, "%02x", p->rdata->data[i]);
}

/* What libknot made of the data. It leaves parentheses and semicolons in the values of SVCB's
 * parameters as they are, where they would mean a continued line or a comment (RFC 9460 2.1, RFC 1035
 * 5.1). */
static void print_text(const struct printing *p)
{
	bool quoted = false;

	for (const char *c = p->text; *c != '\0'; c++) {
		if (*c == '\\' && c[1] != '\0') {
			fputc(*c++, p->to);
		} else if (*c == '"') {
			quoted = !quoted;
		} else if (!quoted && strchr("();", *c)) {
			fputc('\\', p->to);
		}
		fputc(*c, p->to);
	}
}

static void print_rrset(
	const struct printing *p, const struct zone_node *n, const struct zone_rrset *s)
{
	char owner[NAME_TEXT_SIZE], type[ZONE_TYPE_SIZE];
	const knot_rrset_t set = {.type = s->type,
		.rclass = CLASS_IN,
		.rrs = {.count = 1, .size = UINT16_MAX, .rdata = p->rdata}};
	const uint8_t *at = s->records;

	for (uint32_t i = 0; i < s->n_records; i++, at += 2u + p->rdata->len) {
		uint16_t size;

		memcpy(&size, at, 2);
		knot_rdata_init(p->rdata, size, at + 2);
		fprintf(p->to, "%-23s %7u IN %-7s ", format_owner(p, n, owner), s->ttl,
			zone_type_format(s->type, type));
		if (knot_rrset_txt_dump_data(
			    &set, 0, p->text, TEXT_SIZE, &KNOT_DUMP_STYLE_DEFAULT) >= 0)
			print_text(p);
		else
			print_unknown(p);
		fputc('\n', p->to);
	}
}

static void print_nodes(const struct printing *p)
{
	const struct zone_rrset *soa = zone_soa(p->z);
	char apex[NAME_TEXT_SIZE];

	fprintf(p->to, "$ORIGIN %s\n", name_format(p->z->apex->name, apex));
	print_rrset(p, p->z->apex, soa); /* some want it to be the first */
	for (uint32_t i = 0; i < zone_n_nodes(p->z); i++) {
		const struct zone_node *n = zone_node_at(p->z, i);

		for (const struct zone_rrset *s = n->rrsets; s; s = s->next) {
			if (s != soa)
				print_rrset(p, n, s);
		}
	}
}

bool zone_print(const struct zone *z, FILE *to)
{
	const struct printing p = {.z = z,
		.to = to,
		.rdata = malloc(knot_rdata_size(UINT16_MAX)),
		.text = malloc(TEXT_SIZE)};
	const bool ready = p.rdata && p.text;

	if (ready)
		print_nodes(&p);
	free(p.rdata);
	free(p.text);
	return ready && fflush(to) == 0 && !ferror(to);
}
