/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/derive.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "zone/rdata.h"

/* An SOA's numbers for those who keep a copy; the values that RIPE-203 recommends, but for
 * shorter rounds. */
#define SOA_REFRESH 14400
#define SOA_RETRY   3600
#define SOA_EXPIRE  1209600
#define SOA_MINIMUM 300 /* how long a name is believed not to be (RFC 2308 4) */

/* One of the zones that there are to be. */
struct planned {
	struct name apex;
	const char *path; /* of its master file, in the configuration; NULL: it has none */
	uint32_t line;    /* in roost.yaml, that calls for it */
};

struct deriving {
	const struct derive_input *in;
	const struct load_listener *listener;
	struct planned *zones; /* in canonical order */
	uint32_t n_zones;
	uint32_t *homes; /* by name of the configuration: the index of its zone */
	uint32_t n_errors;

	/* The zone that is made. */
	const struct planned *which;
	struct zone *z;
};

#define NOWHERE UINT32_MAX

/* Of roost.yaml. */
static void tell(
	const struct deriving *d, enum zone_severity severity, uint32_t line, const char *text)
{
	const struct zone_place place = {d->in->file, line};

	if (d->listener->tell)
		d->listener->tell(d->listener->context, severity, &place, text);
}

__attribute__((format(printf, 3, 4))) static void fail(
	struct deriving *d, uint32_t line, const char *format, ...)
{
	char text[ZONE_PROBLEM_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	d->n_errors++;
	tell(d, ZONE_ERROR, line, text);
}

uint32_t derive_serial(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (uint32_t)st.st_mtim.tv_sec : 0;
}

static int compare_planned(const void *a, const void *b)
{
	const struct planned *x = a, *y = b;

	return name_compare(x->apex.bytes, y->apex.bytes);
}

/* The longest of the zones that @name is in, or NOWHERE. */
static uint32_t home_of(const struct planned *zones, uint32_t n, const uint8_t *name)
{
	for (;; name = name_parent(name)) {
		struct planned key = {.apex.size = (uint8_t)name_size(name, NAME_SIZE_MAX)};

		memcpy(key.apex.bytes, name, key.apex.size);
		const struct planned *found =
			n == 0 ? NULL : bsearch(&key, zones, n, sizeof(*zones), compare_planned);

		if (found)
			return (uint32_t)(found - zones);
		if (*name == 0)
			return NOWHERE;
	}
}

static bool parse_name(struct deriving *d, const char *text, uint32_t line, struct name *ret_name)
{
	const char *why;

	if (name_parse(text, NULL, ret_name, &why))
		return true;
	fail(d, line, "\"%s\" is no domain name: %s", text, why);
	return false;
}

/* The zones that the configuration names: those of master files, and the domain if it has none. */
static void plan_named(struct deriving *d)
{
	const struct config *c = d->in->config;
	struct planned *to = d->zones;

	for (uint32_t i = 0; i < c->dns.n_zones; i++) {
		const struct config_zone *from = &c->dns.zones[i];

		*to = (struct planned){.path = from->path, .line = from->line};
		to += parse_name(d, from->name, from->line, &to->apex);
	}
	d->n_zones = (uint32_t)(to - d->zones);
	qsort(d->zones, d->n_zones, sizeof(*d->zones), compare_planned);
	*to = (struct planned){0};
	if (c->domain[0] == '\0' || !parse_name(d, c->domain, 0, &to->apex))
		return;
	const uint32_t home = home_of(d->zones, d->n_zones, to->apex.bytes);

	if (home != NOWHERE && name_equal(d->zones[home].apex.bytes, to->apex.bytes))
		return;
	d->n_zones++;
	qsort(d->zones, d->n_zones, sizeof(*d->zones), compare_planned);
}

/* And those that names outside of them call for. One within another is the other: it follows it
 * in order. */
static void plan_for_names(struct deriving *d)
{
	const struct config *c = d->in->config;
	struct planned *const first = d->zones + d->n_zones, *to = first;
	struct name name;

	for (uint32_t i = 0; i < c->n_names; i++) {
		if (!parse_name(d, c->names[i].name, c->names[i].line, &name) ||
			home_of(d->zones, d->n_zones, name.bytes) != NOWHERE)
			continue;
		/* Nobody means all of com. by example.com, but by *.com, which is no apex (RFC 4592 2.1.1). */
		const uint8_t *apex = name_labels(name.bytes) > 2 || name_is_wildcard(name.bytes)
					      ? name_parent(name.bytes)
					      : name.bytes;

		*to = (struct planned){.line = c->names[i].line};
		to->apex.size = (uint8_t)name_size(apex, NAME_SIZE_MAX);
		memcpy(to->apex.bytes, apex, to->apex.size);
		to++;
	}
	const uint32_t n = (uint32_t)(to - first);

	qsort(first, n, sizeof(*first), compare_planned);
	to = first;
	for (uint32_t i = 0; i < n; i++) {
		if (to == first || !name_is_within(first[i].apex.bytes, to[-1].apex.bytes))
			*to++ = first[i];
	}
	d->n_zones += (uint32_t)(to - first);
	qsort(d->zones, d->n_zones, sizeof(*d->zones), compare_planned);
}

/* Which zones there are, and which name is in which. False if there is no memory, or a name is
 * none. */
static bool plan(struct deriving *d)
{
	const struct config *c = d->in->config;
	const char *why;

	d->zones = calloc(c->dns.n_zones + 1u + c->n_names, sizeof(*d->zones));
	d->homes = calloc(c->n_names + 1u, sizeof(*d->homes));
	if (!d->zones || !d->homes) {
		fail(d, 0, "there is no memory for the zones");
		return false;
	}
	plan_named(d);
	plan_for_names(d);
	for (uint32_t i = 0; i < c->n_names; i++) {
		struct name name;

		d->homes[i] = name_parse(c->names[i].name, NULL, &name, &why)
				      ? home_of(d->zones, d->n_zones, name.bytes)
				      : NOWHERE;
	}
	return d->n_errors == 0;
}

static void add(struct deriving *d, const struct zone_record *r)
{
	char problem[ZONE_PROBLEM_SIZE];

	if (!zone_add(d->z, r, problem))
		fail(d, r->place.line, "%s", problem);
}

/* An address as a record of @owner. Addresses that mean nothing beyond a link are left out (RFC
 * 4291 2.5.6). */
static void add_address(struct deriving *d, struct zone_record *r, const struct addr *a)
{
	if (addr_is_link_local(a))
		return;
	if (addr_is_ipv4(a)) {
		r->type = RDATA_A;
		r->rdata = addr_ipv4_bytes(a);
		r->rdata_size = 4;
	} else {
		r->type = RDATA_AAAA;
		r->rdata = a->b;
		r->rdata_size = 16;
	}
	add(d, r);
}

/* Whether the file leaves @name to roost.yaml; told if not. */
static bool check_free(struct deriving *d, const struct name *name, uint32_t line)
{
	static const uint16_t types[] = {RDATA_A, RDATA_AAAA, RDATA_CNAME};
	char text[ZONE_NAME_SIZE], cut[ZONE_NAME_SIZE], where[ZONE_PLACE_SIZE];
	const struct zone_rrset *s = NULL;
	bool exact = false;
	const struct zone_node *n = zone_find(d->z, name->bytes, &exact);

	for (size_t i = 0; i < ARRAY_SIZE(types) && exact && !s; i++)
		s = zone_rrset_of(n, types[i]);
	if (s) {
		const struct zone_place place = {s->file, s->line};

		fail(d, line, "%s has its addresses from here and from %s; one of them must go",
			zone_name_show(name->bytes, text), zone_place_format(&place, where));
		return false;
	}
	ASSERT(n); /* the zone is the name's home */
	for (; n->parent; n = n->parent) {
		s = zone_rrset_of(n, RDATA_NS);
		if (!s)
			continue;
		const struct zone_place place = {s->file, s->line};

		fail(d, line, "%s can't be served: %s is delegated to other servers at %s",
			zone_name_show(name->bytes, text), zone_name_show(n->name, cut),
			zone_place_format(&place, where));
		return false;
	}
	return true;
}

static void add_service(struct deriving *d, const struct config_name *from, const struct name *name)
{
	const struct config *c = d->in->config;
	const struct config_service *service = &c->services[from->service];

	for (uint32_t i = 0; i < service->n_vips; i++) {
		struct zone_record r = {
			.owner = name->bytes,
			.ttl = c->dns.ttl,
			.service = (uint32_t)from->service,
			.place = {d->in->file, from->line},
		};

		add_address(d, &r, &c->vips[service->first_vip + i].address);
	}
}

static void add_node(
	struct deriving *d, const struct config_node *node, const struct name *name, uint32_t line)
{
	for (uint32_t i = 0; i < node->n_addresses; i++) {
		struct zone_record r = {
			.owner = name->bytes,
			.ttl = DERIVE_TTL,
			.service = ZONE_NO_SERVICE,
			.place = {d->in->file, line},
		};

		add_address(d, &r, &node->addresses[i]);
	}
}

/* The names that roost.yaml gives and that are in this zone. */
static void add_names(struct deriving *d)
{
	const struct config *c = d->in->config;
	const uint32_t this = (uint32_t)(d->which - d->zones);

	for (uint32_t i = 0; i < c->n_names; i++) {
		const struct config_name *from = &c->names[i];
		struct name name;

		if (d->homes[i] != this)
			continue;
		(void)parse_name(d, from->name, from->line, &name); /* or it would have no home */
		ASSERT(from->service >= 0 || from->node >= 0);
		if (!check_free(d, &name, from->line))
			continue;
		if (from->service >= 0)
			add_service(d, from, &name);
		else
			add_node(d, &c->nodes[from->node], &name, from->line);
	}
}

/* A node's own name in a zone without a file: the one that the file gives it there, else its name
 * below the apex. */
static bool node_name(const struct deriving *d, uint32_t node, struct name *ret_name)
{
	const struct config *c = d->in->config;
	const struct name *apex = &d->which->apex;
	char label[CONFIG_NAME_SIZE];
	const char *why;

	for (uint32_t i = 0; i < c->n_names; i++) {
		if (c->names[i].node == (int32_t)node &&
			name_parse(c->names[i].name, NULL, ret_name, &why) &&
			name_is_within(ret_name->bytes, apex->bytes))
			return true;
	}
	if (strchr(c->nodes[node].name, '.') &&
		name_parse(c->nodes[node].name, NULL, ret_name, &why) &&
		name_is_within(ret_name->bytes, apex->bytes))
		return true;
	snprintf(label, sizeof(label), "%.*s", (int)strcspn(c->nodes[node].name, "."),
		c->nodes[node].name);
	return name_parse(label, apex, ret_name, &why);
}

static void add_soa(struct deriving *d, const struct name *server)
{
	static const uint32_t times[] = {SOA_REFRESH, SOA_RETRY, SOA_EXPIRE, SOA_MINIMUM};
	const struct name *apex = &d->which->apex;
	uint8_t rdata[2 * NAME_SIZE_MAX + RDATA_SOA_NUMBERS];
	struct writer w = writer_of(rdata, sizeof(rdata));
	struct name mailbox = {0};
	const char *why;

	if (!name_parse("hostmaster", apex, &mailbox, &why)) /* RFC 2142 7 */
		mailbox = *apex;
	writer_bytes(&w, server->bytes, server->size);
	writer_bytes(&w, mailbox.bytes, mailbox.size);
	writer_u32(&w, d->in->serial);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		writer_u32(&w, times[i]);
	ASSERT(!w.failed);
	const struct zone_record r = {
		.owner = apex->bytes,
		.type = RDATA_SOA,
		.ttl = DERIVE_TTL,
		.rdata = rdata,
		.rdata_size = (uint16_t)w.at,
		.service = ZONE_NO_SERVICE,
		.place = {d->in->file, d->which->line},
	};

	add(d, &r);
}

/* A node as one of the zone's name servers. */
static void add_server(struct deriving *d, uint32_t node, const struct name *name)
{
	const struct zone_node *there = zone_lookup(d->z, name->bytes);
	const struct config_node *from = &d->in->config->nodes[node];
	char text[ZONE_NAME_SIZE], shown[IDN_SHOWN_SIZE];
	const struct zone_record r = {
		.owner = d->which->apex.bytes,
		.type = RDATA_NS,
		.ttl = DERIVE_TTL,
		.rdata = name->bytes,
		.rdata_size = name->size,
		.service = ZONE_NO_SERVICE,
		.place = {d->in->file, d->which->line},
	};

	if (node == 0)
		add_soa(d, name);
	if (node < DERIVE_NAME_SERVERS_MAX)
		add(d, &r);
	if (!there || !there->rrsets)
		add_node(d, from, name, d->which->line);
	else if (there->rrsets->service != ZONE_NO_SERVICE)
		fail(d, there->rrsets->line, "%s is the name of a service and of the node %s",
			zone_name_show(name->bytes, text),
			idn_show(from->name, shown, sizeof(shown)));
}

/* The first node that has the name of the last, which is @node itself if no other does. */
static uint32_t find_namesake(const struct name *names, uint32_t node)
{
	uint32_t i = 0;

	while (!name_equal(names[i].bytes, names[node].bytes))
		i++;
	return i;
}

/* SOA, NS, and the nodes' own names that add_names() has not brought. */
static void add_apex(struct deriving *d)
{
	struct name names[CONFIG_NODES_MAX] = {0};
	const struct config_node *nodes = d->in->config->nodes;
	char text[ZONE_NAME_SIZE], shown[2][IDN_SHOWN_SIZE];

	for (uint32_t i = 0; i < d->in->config->n_nodes; i++) {
		(void)idn_show(nodes[i].name, shown[0], IDN_SHOWN_SIZE);
		if (!node_name(d, i, &names[i])) {
			fail(d, d->which->line, "the node %s has no name in %s", shown[0],
				zone_name_show(d->which->apex.bytes, text));
			continue;
		}
		const uint32_t first = find_namesake(names, i);

		if (first == i)
			add_server(d, i, &names[i]);
		else
			fail(d, d->which->line,
				"the nodes %s and %s would both be called %s; give them names that "
				"differ before the first dot",
				idn_show(nodes[first].name, shown[1], IDN_SHOWN_SIZE), shown[0],
				zone_name_show(names[i].bytes, text));
	}
}

static struct zone *make(struct deriving *d, const struct planned *which)
{
	char problem[ZONE_PROBLEM_SIZE];
	const struct zone_place named = {d->in->file, which->line};
	const uint32_t n_errors = d->n_errors;

	d->which = which;
	d->z = which->path ? load_file(which->path, which->apex.bytes, &named, d->listener)
			   : zone_new(which->apex.bytes);
	if (!d->z) {
		if (!which->path)
			fail(d, which->line, "there is no memory for the zone");
		return NULL;
	}
	add_names(d);
	if (!which->path) {
		zone_set_file(d->z, d->in->file);
		add_apex(d);
	}
	if (!zone_finish(d->z, d->listener->tell, d->listener->context, problem) ||
		d->n_errors > n_errors) {
		zone_free(d->z);
		return NULL;
	}
	return d->z;
}

static void fini(struct deriving *d)
{
	free(d->zones);
	free(d->homes);
}

struct zone *derive_zone(const struct derive_input *in, const struct name *name,
	const struct load_listener *listener)
{
	struct deriving d = {.in = in, .listener = listener};
	char text[ZONE_NAME_SIZE];
	struct zone *z = NULL;

	if (plan(&d)) {
		const uint32_t home = home_of(d.zones, d.n_zones, name->bytes);

		if (home != NOWHERE)
			z = make(&d, &d.zones[home]);
		else
			fail(&d, 0, "%s is in none of the zones",
				zone_name_show(name->bytes, text));
	}
	fini(&d);
	return z;
}

struct zone **derive_zones(
	const struct derive_input *in, const struct load_listener *listener, uint32_t *ret_n)
{
	struct deriving d = {.in = in, .listener = listener};
	struct zone **zones = NULL;
	uint32_t n = 0;

	if (plan(&d)) {
		zones = calloc(d.n_zones + 1u, sizeof(*zones));
		if (!zones)
			fail(&d, 0, "there is no memory for the zones");
	}
	for (uint32_t i = 0; zones && i < d.n_zones; i++) {
		zones[n] = make(&d, &d.zones[i]);
		n += zones[n] != NULL;
	}
	if (zones && n < d.n_zones) {
		derive_free(zones, n);
		zones = NULL;
	}
	if (zones)
		*ret_n = n;
	fini(&d);
	return zones;
}

/* Told if not. */
static bool is_here(const struct deriving *d, const struct planned *which)
{
	char text[ZONE_PROBLEM_SIZE];

	if (!which->path || access(which->path, R_OK) == 0)
		return true;
	snprintf(text, sizeof(text), "%s can't be looked at: %s", which->path, strerror(errno));
	tell(d, ZONE_WARNING, which->line, text);
	return false;
}

/* A zone that nobody has named, above the names in it. Whoever has delegated one of these alone to us has resolvers that
 * do not believe that zone's SOA, and hence take no for a failure (RFC 2308 2.2). */
static void check_apex(const struct deriving *d, uint32_t zone)
{
	const struct config *c = d->in->config;
	const struct planned *z = &d->zones[zone];
	const struct config_name *first = NULL;
	char apex[ZONE_NAME_SIZE], shown[ZONE_NAME_SIZE], text[ZONE_PROBLEM_SIZE];
	struct name name;
	const char *why;

	if (z->path || c->domain[0] != '\0') /* a zone of a second domain is meant */
		return;
	for (uint32_t i = 0; i < c->n_names; i++) {
		if (d->homes[i] != zone || !name_parse(c->names[i].name, NULL, &name, &why))
			continue;
		if (name_equal(name.bytes, z->apex.bytes))
			return;
		if (!first && !name_is_wildcard(name.bytes)) {
			first = &c->names[i];
			(void)zone_name_show(name.bytes, shown);
		}
	}
	if (!first)
		return;
	snprintf(text, sizeof(text),
		"%s is served in the zone %s, which nothing names: \"domain\" should be that zone "
		"if "
		"it is delegated to the nodes, or the name itself if only that is",
		shown, zone_name_show(z->apex.bytes, apex));
	tell(d, ZONE_WARNING, first->line, text);
}

void derive_check(const struct derive_input *in, const struct load_listener *listener)
{
	struct deriving d = {.in = in, .listener = listener};

	if (plan(&d)) {
		for (uint32_t i = 0; i < d.n_zones; i++) {
			check_apex(&d, i);
			if (is_here(&d, &d.zones[i]))
				zone_free(make(&d, &d.zones[i]));
		}
	}
	fini(&d);
}

void derive_free(struct zone **zones, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		zone_free(zones[i]);
	free(zones);
}
