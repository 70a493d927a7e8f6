/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/edition.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dns/cookie_secrets.h"
#include "dns/log.h"
#include "dns/tsig_key.h"
#include "idn/idn.h"
#include "os/secret.h"
#include "zone/derive.h"

#define SECRETS_MAX      4096 /* bytes of a file of them */
#define SERIALS_TOLD_MAX 20

/* One call of edition_load(). */
struct reading {
	const char *path;
	const struct edition *served;
	char *problem; /* the first; "": none yet */
};

__attribute__((format(printf, 2, 3))) static void fail(struct reading *r, const char *format, ...)
{
	char text[ZONE_PROBLEM_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	log_line(JOURNAL_ERROR, "%s", text);
	if (r->problem[0] == '\0')
		(void)snprintf(
			r->problem, EDITION_PROBLEM_SIZE, "%.*s", EDITION_PROBLEM_SIZE - 1, text);
}

static void tell(void *context, enum zone_severity severity, const struct zone_place *place,
	const char *text)
{
	char where[ZONE_PLACE_SIZE];

	if (severity == ZONE_ERROR)
		fail(context, "%s: %s", zone_place_format(place, where), text);
	else
		log_line(JOURNAL_WARNING, "%s: %s", zone_place_format(place, where), text);
}

/* Who copies a zone looks at its serial alone. Whether that was to be told. */
static bool tell_serial(const struct zone *z, const struct zone *served)
{
	const struct zone_rrset *soa = zone_soa(z);
	const struct zone_place place = {soa->file, soa->line};
	const uint32_t serial = zone_serial(z), before = zone_serial(served);
	char text[ZONE_PROBLEM_SIZE], name[ZONE_NAME_SIZE];

	(void)zone_name_show(zone_apex(z), name);
	if (zone_compare_serials(serial, before) < 0)
		(void)snprintf(text, sizeof text,
			"the serial of %s went back from %u to %u: secondaries will not fetch it "
			"until it is above %u",
			name, before, serial, before);
	else if (serial == before && zone_digest(z) != zone_digest(served))
		(void)snprintf(text, sizeof text,
			"the zone %s has changed, but its serial has not grown: secondaries will "
			"not fetch it until it is above %u",
			name, before);
	else
		return false;
	tell(NULL, ZONE_WARNING, &place, text);
	return true;
}

/* The serial of a zone without a file: it never goes back, and grows with each change, however soon that is after
 * another. */
static void raise_serial(struct zone *z, const struct zone *served)
{
	const uint32_t least =
		zone_serial(served) + (zone_digest(z) != zone_digest(served) ? 1 : 0);

	if (zone_compare_serials(zone_serial(z), least) < 0)
		zone_set_serial(z, least);
}

/* Whether its SOA comes from @file, and not from a master file; NULL, for want of memory, is nothing to go by. */
static bool is_derived(const struct zone *z, const char *file)
{
	const char *from = zone_soa(z)->file;

	return from && strcmp(from, file) == 0;
}

/* Holds the serials of @n new zones against those that are served. */
static void compare_serials(const struct derive_input *in, struct zone *const *zones, uint32_t n,
	const struct edition *served)
{
	/* nobody copies a zone that nobody may have */
	uint32_t to_tell = in->config->dns.n_transfers > 0 ? SERIALS_TOLD_MAX : 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct zone *before =
			catalog_zone_named(served->catalog, zone_apex(zones[i]));

		if (!before)
			continue;
		if (is_derived(zones[i], in->file))
			raise_serial(zones[i], before);
		else if (to_tell > 0)
			to_tell -= tell_serial(zones[i], before);
	}
}

/* The zones of @config, compiled; NULL after what was wrong has been told. */
static struct catalog *read_zones(struct reading *r, const struct config *config)
{
	const struct derive_input in = {config, r->path, derive_serial(r->path)};
	const struct load_listener listener = {tell, r};
	struct catalog *catalog;
	struct zone **zones;
	uint32_t n = 0;

	zones = derive_zones(&in, &listener, &n);
	if (!zones)
		return NULL;
	if (r->served)
		compare_serials(&in, zones, n, r->served);
	catalog = catalog_new(zones, n, config);
	if (catalog) {
		free(zones); /* the array alone */
		return catalog;
	}
	derive_free(zones, n);
	fail(r, "%s: no memory for the answers", r->path);
	return NULL;
}

/* False after what was wrong has been told. */
static bool read_key(struct reading *r, struct edition *e)
{
	char problem[SECRET_PROBLEM_SIZE] = "no memory for the key";

	if (e->config->dns.tsig.name[0] == '\0')
		return true;
	e->key = calloc(1, sizeof *e->key);
	if (e->key && tsig_key_load(&e->config->dns.tsig, e->key, problem))
		return true;
	fail(r, "%s", problem);
	return false;
}

/* RFC 9018 3: servers that share an address share the secrets. */
static bool read_cookie_secrets(struct reading *r, struct edition *e)
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
		fail(r, "%s", problem);
	return !why;
}

/* What was cut off may end within a character, and a name of a file may be any bytes. */
static void tidy(char *problem)
{
	size_t size = strlen(problem);

	for (int i = 0; i < 3 && size > 0 && !idn_is_utf8(problem, size); i++)
		problem[--size] = '\0';
	if (!idn_is_utf8(problem, size))
		(void)snprintf(problem, EDITION_PROBLEM_SIZE, "see the log");
	for (char *c = problem; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

struct edition *edition_load(
	const char *path, const struct edition *served, char problem[static EDITION_PROBLEM_SIZE])
{
	struct edition *e = calloc(1, sizeof *e);
	struct reading r = {path, served, problem};

	problem[0] = '\0';
	if (!e) {
		fail(&r, "no memory to read %s", path);
		return NULL;
	}
	e->config = journal_load_config(path, problem);
	if (e->config && read_key(&r, e) && read_cookie_secrets(&r, e))
		e->catalog = read_zones(&r, e->config);
	if (!e->catalog) {
		tidy(problem);
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
