/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The section `dns:`, of the name server. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "config/reading.h"
#include "config/value.h"

#define SECOND 1000000000ull

enum {
	DNS_PORT,
	DNS_LISTEN,
	DNS_ZONES,
	DNS_TRANSFER,
	DNS_TSIG,
	DNS_THREADS,
	DNS_COOKIES,
	DNS_COOKIE_SECRET_FILE,
	DNS_RATE,
	DNS_NSID,
	DNS_CHAOS,
	DNS_TTL,
	DNS_KEYS
};
enum { TSIG_NAME, TSIG_ALGORITHM, TSIG_SECRET_FILE, TSIG_KEYS };

static schema_read_fn read_port, read_threads, read_cookie_secret_file, read_nsid, read_ttl,
	read_algorithm, read_key_name, read_secret_file;

static const struct schema_key dns_keys[] = {
	[DNS_PORT] =
		{
			.name = "port",
			.read = read_port,
			.least = 1,
			.most = 65535,
			.initial = "53",
		},
	[DNS_LISTEN] = {.name = "listen", .form = "a list of addresses, such as 10.1.1.2@53"},
	[DNS_ZONES] = {.name = "zones", .form = "the path of a master file, from / on"},
	[DNS_TRANSFER] = {.name = "transfer", .form = "a list of addresses, such as 10.1.1.9"},
	[DNS_TSIG] = {.name = "tsig"},
	[DNS_THREADS] =
		{
			.name = "threads",
			.read = read_threads,
			.offset = offsetof(struct config_dns, threads),
			.least = 1,
			.most = 64,
			.initial = "auto",
			.form = "auto or a number from 1 to 64",
		},
	[DNS_COOKIES] =
		{
			.name = "cookies",
			.read = value_read_bool,
			.offset = offsetof(struct config_dns, cookies),
			.initial = "true",
		},
	[DNS_COOKIE_SECRET_FILE] =
		{
			.name = "cookie-secret-file",
			.read = read_cookie_secret_file,
			.form = "the path of a file, from / on",
		},
	[DNS_RATE] =
		{
			.name = "rate",
			.read = value_read_u32,
			.offset = offsetof(struct config_dns, rate),
			.most = 1000000,
			.initial = "200",
		},
	[DNS_NSID] =
		{
			.name = "nsid",
			.read = read_nsid,
			.form = "a text of up to 63 printable characters in ASCII",
		},
	[DNS_CHAOS] =
		{
			.name = "chaos",
			.read = value_read_bool,
			.offset = offsetof(struct config_dns, chaos),
			.initial = "false",
		},
	[DNS_TTL] =
		{
			.name = "ttl",
			.read = read_ttl,
			.offset = offsetof(struct config_dns, ttl),
			.most = 604800 * SECOND,
			.step = SECOND,
			.initial = "60s",
			.form = "a duration of whole seconds up to 10080min",
		},
};

_Static_assert(ARRAY_SIZE(dns_keys) == DNS_KEYS, "a table of all keys");

const struct schema dns_schema = {"\"dns\"", dns_keys, DNS_KEYS};

static const struct schema_key tsig_keys[] = {
	[TSIG_NAME] = {.name = "name", .read = read_key_name},
	[TSIG_ALGORITHM] =
		{
			.name = "algorithm",
			.read = read_algorithm,
			.initial = "hmac-sha256",
			.form = "hmac-sha256, hmac-sha384, hmac-sha512, hmac-sha224 or hmac-sha1",
		},
	[TSIG_SECRET_FILE] =
		{
			.name = "secret-file",
			.read = read_secret_file,
			.form = "the path of a file, from / on",
		},
};

_Static_assert(ARRAY_SIZE(tsig_keys) == TSIG_KEYS, "a table of all keys");

const struct schema tsig_schema = {"\"tsig\"", tsig_keys, TSIG_KEYS};

static void read_port(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct config_dns *const dns = target;
	uint64_t port;

	if (value_number(findings, key, value, &port))
		dns->port = (uint16_t)port;
}

static void read_threads(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct config_dns *const dns = target;

	if (value->kind == TREE_SCALAR && strcmp(value->text, "auto") == 0)
		dns->threads = 0;
	else
		value_read_u32(findings, key, value, dns);
}

static void read_cookie_secret_file(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct config_dns *const dns = target;

	value_path(findings, key, value, dns->cookie_secret_file);
}

static void read_nsid(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct config_dns *const dns = target;
	const size_t length = strlen(value->text);
	bool good = value->kind == TREE_SCALAR && length < sizeof dns->nsid;

	for (size_t i = 0; i < length; i++)
		good = good && value->text[i] >= ' ' && value->text[i] < 0x7f;
	if (good)
		memcpy(dns->nsid, value->text, length + 1);
	else
		value_refuse(findings, key, value);
}

/* A duration, or a bare number of seconds, as in a master file. */
static void read_ttl(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct config_dns *const dns = target;
	struct schema_key seconds = *key;
	uint64_t number;
	tick duration;

	seconds.most /= SECOND;
	if (value->kind == TREE_SCALAR && value->text[0] != '\0' &&
		strspn(value->text, "0123456789") == strlen(value->text)) {
		if (value_number(findings, &seconds, value, &number))
			dns->ttl = (uint32_t)number;
	} else if (value_duration(findings, key, value, &duration)) {
		dns->ttl = (uint32_t)(duration / SECOND);
	}
}

static void read_algorithm(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	static const char *const words[] = {
		[CONFIG_TSIG_SHA256] = "hmac-sha256",
		[CONFIG_TSIG_SHA384] = "hmac-sha384",
		[CONFIG_TSIG_SHA512] = "hmac-sha512",
		[CONFIG_TSIG_SHA1] = "hmac-sha1",
		[CONFIG_TSIG_SHA224] = "hmac-sha224",
	};
	struct config_tsig *const tsig = target;
	uint32_t word;

	if (value_word(findings, key, value, words, ARRAY_SIZE(words), &word))
		tsig->algorithm = (enum config_tsig_algorithm)word;
}

static void read_key_name(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct config_tsig *const tsig = target;

	(void)key;
	value_domain(findings, value, "the name of a key", tsig->name);
}

static void read_secret_file(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct config_tsig *const tsig = target;

	value_path(findings, key, value, tsig->secret_file);
}

/* What a list of addresses is for. */
struct purpose {
	const char *what; /* each of them is */
	bool may_be_any;  /* 0.0.0.0 and :: stand for all addresses here */
	uint32_t most;
};

static const struct purpose to_listen = {"an address to listen at", true, CONFIG_LISTEN_MAX};
static const struct purpose to_transfer = {"a secondary's address", false, CONFIG_TRANSFERS_MAX};

/* False, reported, if it is none that a server can be spoken to at. */
static bool check_endpoint(struct reading *r, const struct tree *value,
	const struct purpose *purpose, const struct addr *address)
{
	static const struct addr ipv4_any = {{[10] = 0xff, 0xff}};
	const bool is_any = addr_is_none(address) || addr_equal(address, &ipv4_any);
	const char *const problem = value_host_problem(address);

	if (!addr_is_ipv4(address) && addr_is_link_local(address)) { /* RFC 4007 6 */
		findings_error(r->findings, value->at,
			"%s is link-local, which means nothing without an interface; write a "
			"global or unique local address",
			value->text);
		return false;
	}
	if (!problem || value_is_loopback(address) || (is_any && purpose->may_be_any))
		return true;
	findings_error(r->findings, value->at, "%s is %s; %s is one of a single server",
		value->text, problem, purpose->what);
	return false;
}

/* ADDRESS or ADDRESS@PORT; false, reported. */
static bool read_endpoint(struct reading *r, const struct tree *value,
	const struct purpose *purpose, struct config_endpoint *ret_endpoint)
{
	const char *const at_sign = strchr(value->text, '@');
	struct tree address = *value;
	char text[ADDR_STRLEN] = "";

	if (at_sign && at_sign - value->text < ADDR_STRLEN) {
		char *end;
		const unsigned long port = strtoul(at_sign + 1, &end, 10);

		if (at_sign[1] < '0' || at_sign[1] > '9' || *end != '\0' || port < 1 ||
			port > 65535) {
			findings_error(r->findings, value->at,
				"\"%s\" will not do; a port is a number from 1 to 65535",
				value->text);
			return false;
		}
		memcpy(text, value->text, (size_t)(at_sign - value->text));
		address.text = text;
		ret_endpoint->port = (uint16_t)port;
	}
	if (!value_address(r->findings, &address, purpose->what, &ret_endpoint->address))
		return false;
	ret_endpoint->line = value->at.line;
	return check_endpoint(r, &address, purpose, &ret_endpoint->address);
}

/* A list of them into @list; how many. */
static uint32_t read_endpoints(struct reading *r, const struct tree *value,
	const struct purpose *purpose, uint16_t port, struct config_endpoint *list)
{
	uint32_t n = 0;

	for (const struct tree *entry = value_first(value); entry;
		entry = value_next(value, entry)) {
		struct config_endpoint endpoint = {.port = port};
		bool twice = false;

		if (!read_endpoint(r, entry, purpose, &endpoint))
			continue;
		for (uint32_t i = 0; i < n; i++)
			twice = twice || (addr_equal(&list[i].address, &endpoint.address) &&
						 list[i].port == endpoint.port);
		if (twice) {
			findings_error(r->findings, entry->at, "%s is there twice", entry->text);
		} else if (n == purpose->most) {
			findings_error(
				r->findings, entry->at, "more than %u addresses", purpose->most);
			break;
		} else {
			list[n++] = endpoint;
		}
	}
	return n;
}

static void read_listen(struct reading *r, const struct tree *value)
{
	struct config_dns *const dns = &r->config->dns;
	static const struct addr all[] = {{{[10] = 0xff, 0xff}}, {{0}}};

	if (value && (value->kind != TREE_LIST || value->n > 0)) {
		dns->n_listen = read_endpoints(r, value, &to_listen, dns->port, dns->listen);
		return;
	}
	if (value)
		findings_error(r->findings, value->at,
			"an empty list; leave \"listen\" out to listen at all addresses");
	for (uint32_t i = 0; i < ARRAY_SIZE(all); i++) {
		dns->listen[i].port = dns->port;
		dns->listen[i].address = all[i];
	}
	dns->n_listen = ARRAY_SIZE(all);
}

/* A zone and where it stands. */
struct entry {
	const struct config_zone *zone;
	const struct tree *at;
};

static int by_name_and_line(const void *left, const void *right)
{
	const struct entry *const a = left;
	const struct entry *const b = right;
	const int order = strcasecmp(a->zone->name, b->zone->name);

	if (order != 0)
		return order;
	return a->zone < b->zone ? -1 : a->zone > b->zone;
}

/* The same name, written in another way; the same text has been found. */
static void check_zones(struct reading *r, struct entry *entries)
{
	const uint32_t n = r->config->dns.n_zones;

	uint32_t first = 0;

	qsort(entries, n, sizeof *entries, by_name_and_line);
	for (uint32_t i = 1; i < n; i++) {
		if (strcasecmp(entries[first].zone->name, entries[i].zone->name) != 0)
			first = i;
		else if (strcmp(entries[first].at->text, entries[i].at->text) != 0)
			findings_error(r->findings, entries[i].at->at,
				"the zone \"%s\" is there twice; it is on line %u already as "
				"\"%s\"",
				entries[i].at->text, entries[first].zone->line,
				entries[first].at->text);
	}
}

/* The root is one, too. */
static bool read_zone(struct reading *r, const struct tree *value, struct config_zone *zone)
{
	zone->line = value->key->at.line;
	if (strcmp(value->key->text, ".") == 0)
		memcpy(zone->name, ".", sizeof ".");
	else if (!value_domain(r->findings, value->key, "a zone", zone->name))
		return false;
	return value_path(r->findings, &dns_keys[DNS_ZONES], value, zone->path);
}

static void read_zones(struct reading *r, const struct tree *value)
{
	struct config_dns *const dns = &r->config->dns;
	struct entry *entries;

	if (value->kind != TREE_MAPPING || value->n == 0) {
		findings_error(r->findings, value->at,
			"\"zones\" names each zone and its master file, such as \"example.com: "
			"/etc/roost/example.com.zone\", and this is %s",
			tree_kind_name(value));
		return;
	}
	entries = calloc(CONFIG_ZONES_MAX, sizeof *entries);
	if (!entries) {
		findings_error(r->findings, (struct place){0}, "out of memory");
		return;
	}
	for (const struct tree *entry = value->first; entry; entry = entry->next) {
		struct config_zone *const zone = &dns->zones[dns->n_zones];

		if (dns->n_zones == CONFIG_ZONES_MAX) {
			findings_error(r->findings, entry->key->at, "more than %d zones",
				CONFIG_ZONES_MAX);
			break;
		}
		if (read_zone(r, entry, zone))
			entries[dns->n_zones++] = (struct entry){zone, entry->key};
	}
	schema_find_duplicates(r->findings, value, "the zone");
	check_zones(r, entries);
	free(entries);
}

static void read_tsig(struct reading *r, const struct tree *value)
{
	struct config_tsig *const tsig = &r->config->dns.tsig;
	const struct tree *at[TSIG_KEYS];

	if (value->kind != TREE_MAPPING) {
		findings_error(r->findings, value->at,
			"\"tsig\" is a mapping of \"name\", \"algorithm\" and \"secret-file\", and "
			"this is %s",
			tree_kind_name(value));
		return;
	}
	schema_defaults(&tsig_schema, tsig);
	if (!schema_read(r->findings, &tsig_schema, value, tsig, at))
		return;
	if (!at[TSIG_NAME])
		findings_error(r->findings, value->key->at,
			"a key without a name; add \"name: key.example\", as its other users have "
			"it");
	if (!at[TSIG_SECRET_FILE])
		findings_error(r->findings, value->key->at,
			"a key without a secret; add \"secret-file: /etc/roost/tsig.key\"");
}

void read_dns(struct reading *r, const struct tree *value)
{
	struct config_dns *const dns = &r->config->dns;
	const struct tree *at[DNS_KEYS] = {NULL};

	schema_defaults(&dns_schema, dns);
	if (value && value->kind != TREE_MAPPING)
		findings_error(r->findings, value->at,
			"\"dns\" is a mapping of options, such as \"port: 53\", and this is %s",
			tree_kind_name(value));
	else if (value)
		schema_read(r->findings, &dns_schema, value, dns, at);
	if (at[DNS_COOKIE_SECRET_FILE] && !dns->cookies)
		findings_error(r->findings, at[DNS_COOKIE_SECRET_FILE]->at,
			"a secret for cookies, which are off; add \"cookies: true\", or leave it "
			"out");
	read_listen(r, at[DNS_LISTEN]);
	if (at[DNS_ZONES])
		read_zones(r, at[DNS_ZONES]);
	if (at[DNS_TRANSFER])
		dns->n_transfers =
			read_endpoints(r, at[DNS_TRANSFER], &to_transfer, 53, dns->transfer);
	if (at[DNS_TSIG])
		read_tsig(r, at[DNS_TSIG]);
}
