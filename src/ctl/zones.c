/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/zones.h"

#include "zone/derive.h"

/* As the name server says it, too: the file and the line, then what is wrong. */
static void tell(void *context, enum zone_severity severity, const struct zone_place *place,
	const char *text)
{
	struct zones_reader *r = context;
	const bool is_error = severity == ZONE_ERROR;

	fputs(place->file ? place->file : r->path, r->out);
	if (place->line > 0)
		fprintf(r->out, ":%u", place->line);
	fprintf(r->out, ": %s: %s\n", is_error ? "error" : "warning", text);
	r->report->n_errors += is_error;
	r->report->n_warnings += !is_error;
}

struct load_listener zones_listener(struct zones_reader *reader)
{
	return (struct load_listener){tell, reader};
}

void zones_check(const struct config *config, struct zones_reader *reader)
{
	const struct derive_input in = {config, reader->path, derive_serial(reader->path)};
	const struct load_listener listener = zones_listener(reader);

	derive_check(&in, &listener);
}
