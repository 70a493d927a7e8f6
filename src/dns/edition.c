/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/edition.h"

#include <stdio.h>
#include <stdlib.h>

#include "dns/log.h"
#include "zone/derive.h"

static void tell(void *context, enum zone_severity severity, const struct zone_place *place,
	const char *text)
{
	const enum journal_level level = severity == ZONE_ERROR ? JOURNAL_ERROR : JOURNAL_WARNING;
	const char *file = place->file ? place->file : context;

	if (place->line > 0)
		log_line(level, "%s:%u: %s", file, place->line, text);
	else
		log_line(level, "%s: %s", file, text);
}

/* The zones of @config, compiled; NULL after what was wrong has been told. */
static struct catalog *read_zones(const char *path, const struct config *config)
{
	const struct derive_input in = {config, path, derive_serial(path)};
	char file[CONFIG_PATH_SIZE];
	const struct load_listener listener = {tell, file};
	struct catalog *catalog;
	struct zone **zones;
	uint32_t n = 0;

	(void)snprintf(file, sizeof file, "%s", path);
	zones = derive_zones(&in, &listener, &n);
	if (!zones)
		return NULL;
	catalog = catalog_new(zones, n, config);
	if (catalog) {
		free(zones); /* the array alone */
		return catalog;
	}
	derive_free(zones, n);
	log_line(JOURNAL_ERROR, "%s: no memory for the answers", path);
	return NULL;
}

struct edition *edition_load(const char *path)
{
	struct edition *e = calloc(1, sizeof *e);
	struct config_report report = {0};

	if (!e)
		return NULL;
	e->config = config_load(path, stderr, &report);
	if (e->config)
		e->catalog = read_zones(path, e->config);
	if (!e->catalog) {
		edition_free(e);
		return NULL;
	}
	e->rate = e->config->dns.rate;
	return e;
}

void edition_free(struct edition *e)
{
	if (!e)
		return;
	catalog_free(e->catalog);
	config_free(e->config);
	free(e);
}
