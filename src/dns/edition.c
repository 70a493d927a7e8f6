/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/edition.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dns/cookie_secrets.h"
#include "dns/log.h"
#include "dns/tsig_key.h"
#include "os/secret.h"
#include "zone/derive.h"

#define SECRETS_MAX 4096 /* bytes of a file of them */

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

/* False after what was wrong has been told. */
static bool read_key(struct edition *e)
{
	char problem[SECRET_PROBLEM_SIZE];

	if (e->config->dns.tsig.name[0] == '\0')
		return true;
	e->key = calloc(1, sizeof *e->key);
	if (!e->key)
		return false;
	if (tsig_key_load(&e->config->dns.tsig, e->key, problem))
		return true;
	log_line(JOURNAL_ERROR, "%s", problem);
	return false;
}

/* RFC 9018 3: servers that share an address share the secrets. */
static bool read_cookie_secrets(struct edition *e)
{
	const char *path = e->config->dns.cookie_secret_file, *why;
	char text[SECRETS_MAX], problem[SECRET_PROBLEM_SIZE];
	uint32_t line = 0;
	ssize_t size;

	if (path[0] == '\0')
		return true;
	size = secret_read(geteuid(), path, text, sizeof text, problem);
	why = size < 0 ? problem : cookie_secrets_read(&e->self, text, (size_t)size, &line);
	sodium_memzero(text, sizeof text);
	if (size >= 0 && why)
		secret_complain(problem, path, line, "%s", why);
	if (why)
		log_line(JOURNAL_ERROR, "%s", problem);
	return !why;
}

struct edition *edition_load(const char *path)
{
	struct edition *e = calloc(1, sizeof *e);

	if (!e)
		return NULL;
	e->config = journal_load_config(path);
	if (e->config && read_key(e) && read_cookie_secrets(e))
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
	if (e->key)
		tsig_key_wipe(e->key);
	free(e->key);
	sodium_memzero(&e->self, sizeof e->self);
	config_free(e->config);
	free(e);
}
