/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names that are served: of services, and of nodes in the domain. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "config/reading.h"
#include "config/value.h"
#include "idn/idn.h"

static void add_name(struct reading *r, const struct config_name *name, const struct tree *at)
{
	struct config *const c = r->config;

	ASSERT(c->n_names < NAMES_ROOM);
	r->names[c->n_names] = at;
	c->names[c->n_names++] = *name;
}

/* @own in the domain into @ret_name; false, reported, if the two together are no name. */
static bool join_domain(struct reading *r, const struct tree *at, const char *own,
	char ret_name[static CONFIG_DOMAIN_SIZE])
{
	char joined[2 * CONFIG_DOMAIN_SIZE];
	char ascii[IDN_ASCII_SIZE];
	char problem[IDN_PROBLEM_SIZE];

	snprintf(joined, sizeof joined, "%s.%s", own, r->config->domain);
	if (!idn_to_ascii(joined, ascii, problem)) {
		findings_error(r->findings, at->at, "\"%s\" in the domain %s is no domain name: %s",
			at->text, r->at[FILE_DOMAIN]->text, problem);
		return false;
	}
	memcpy(ret_name, ascii, strlen(ascii) + 1);
	return true;
}

/* The name that a service or a node has by itself, if any. */
static bool own_name(struct reading *r, const struct tree *at, const char *own,
	char ret_name[static CONFIG_DOMAIN_SIZE])
{
	if (own[0] == '\0' || r->config->domain[0] == '\0')
		return false;
	return join_domain(r, at, own, ret_name);
}

void read_service_names(struct reading *r, const struct tree *key, const struct tree *value)
{
	struct config *const c = r->config;
	const struct config_service *const service = &c->services[c->n_services];
	struct config_name own = {.service = (int32_t)c->n_services, .node = -1};
	struct config_name name = own;

	if (strchr(service->name, '.'))
		memcpy(own.name, service->name, sizeof own.name);
	if (key && (own.name[0] != '\0' || own_name(r, key, service->name, own.name))) {
		own.line = key->at.line;
		add_name(r, &own, key);
	}
	if (!value)
		return;
	if (value->kind == TREE_NOTHING || (value->kind == TREE_LIST && value->n == 0)) {
		findings_error(r->findings, value->at,
			"\"names\" lists domain names, such as [www.example.com], and this is %s",
			tree_kind_name(value));
		return;
	}
	for (const struct tree *entry = value_first(value); entry;
		entry = value_next(value, entry)) {
		if (!value_pattern(r->findings, entry, "an entry of \"names\"", name.name) ||
			strcasecmp(name.name, own.name) == 0)
			continue;
		if (r->n_listed == CONFIG_NAMES_MAX) {
			findings_error(
				r->findings, entry->at, "more than %d names", CONFIG_NAMES_MAX);
			return;
		}
		r->n_listed++;
		name.line = entry->at.line;
		add_name(r, &name, entry);
	}
}

/* A name and its position. */
struct ranked {
	const char *name;
	uint32_t index;
};

/* DNS does not tell capital letters from small ones (RFC 4343). */
static int by_name_and_place(const void *left, const void *right)
{
	const struct ranked *const a = left;
	const struct ranked *const b = right;
	const int order = strcasecmp(a->name, b->name);

	if (order != 0)
		return order;
	return a->index < b->index ? -1 : a->index > b->index;
}

static void check_twice(struct reading *r)
{
	const struct config *const c = r->config;
	char unicode[IDN_UNICODE_SIZE];
	struct ranked *ranked = calloc(c->n_names, sizeof *ranked);
	uint32_t first = 0;

	if (!ranked) {
		findings_error(r->findings, (struct place){0}, "out of memory");
		return;
	}
	for (uint32_t i = 0; i < c->n_names; i++)
		ranked[i] = (struct ranked){c->names[i].name, i};
	qsort(ranked, c->n_names, sizeof *ranked, by_name_and_place);
	for (uint32_t i = 1; i < c->n_names; i++) {
		const struct config_name *const name = &c->names[ranked[i].index];
		const struct config_name *const before = &c->names[ranked[first].index];

		if (strcasecmp(name->name, before->name) != 0) {
			first = i;
			continue;
		}
		/* services come first, so both are nodes, and of a node that is there twice its list has told */
		if (before->service < 0)
			continue;
		findings_error(r->findings, r->names[ranked[i].index]->at,
			"the name %s is there twice; the service \"%s\" has it on line %u already",
			idn_to_unicode(name->name, unicode, sizeof unicode),
			r->services[before->service].name->text, before->line);
	}
	free(ranked);
}

/* Whether @name, with dots, lies in the domain and so may be served. */
static bool is_in_domain(const char *name, const char *domain)
{
	const size_t length = strlen(name);
	const size_t tail = strlen(domain);

	return length > tail + 1 && name[length - tail - 1] == '.' &&
	       strcasecmp(name + length - tail, domain) == 0;
}

void resolve_names(struct reading *r)
{
	struct config *const c = r->config;

	for (uint32_t i = 0; i < c->n_nodes && c->domain[0] != '\0'; i++) {
		const char *const own = c->nodes[i].name;
		struct config_name name = {
			.service = -1, .node = (int32_t)i, .line = r->nodes[i].name->at.line};

		if (is_in_domain(own, c->domain))
			memcpy(name.name, own, strlen(own) + 1);
		else if (strchr(own, '.') || !own_name(r, r->nodes[i].name, own, name.name))
			continue;
		add_name(r, &name, r->nodes[i].name);
	}
	if (c->n_names > 1)
		check_twice(r);
}
