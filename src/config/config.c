/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "config/reading.h"
#include "config/value.h"

static schema_read_fn read_fence, read_domain;

static const struct schema_key file_keys[] = {
	[FILE_CLUSTER] =
		{
			.name = "cluster",
			.read = value_read_name,
			.offset = offsetof(struct config, cluster),
			.initial = "roost",
		},
	[FILE_DOMAIN] =
		{
			.name = "domain",
			.read = read_domain,
			.form = "a domain name such as example.com",
		},
	[FILE_INTERFACE] = {.name = "interface"},
	[FILE_NODES] = {.name = "nodes"},
	[FILE_VRRP] = {.name = "vrrp"},
	[FILE_ANNOUNCE] = {.name = "announce"},
	[FILE_AUTH] = {.name = "auth"},
	[FILE_FENCE] =
		{
			.name = "fence",
			.read = read_fence,
			.initial = "auto",
			.form = "auto, tcx, clsact, lifetime or off",
		},
	[FILE_CONTROL] = {.name = "control"},
	[FILE_SERVICES] = {.name = "services"},
	[FILE_DNS] = {.name = "dns"},
};

_Static_assert(ARRAY_SIZE(file_keys) == FILE_KEYS, "a table of all keys");

static const struct schema file_schema = {"the file", file_keys, FILE_KEYS};

const struct schema *const config_schemas[] = {&file_schema, &node_schema, &service_schema,
	&vip_schema, &vrrp_schema, &announce_schema, &auth_schema, &control_schema, &dns_schema,
	&tsig_schema, NULL};

static void read_fence(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	static const char *const words[] = {
		[CONFIG_FENCE_AUTO] = "auto",
		[CONFIG_FENCE_TCX] = "tcx",
		[CONFIG_FENCE_CLSACT] = "clsact",
		[CONFIG_FENCE_LIFETIME] = "lifetime",
		[CONFIG_FENCE_OFF] = "off",
	};
	struct config *const c = target;
	uint32_t word;

	if (value_word(findings, key, value, words, ARRAY_SIZE(words), &word))
		c->fence = (enum config_fence)word;
}

static void read_domain(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	struct config *const c = target;

	value_domain(findings, value, key->name, c->domain);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	free(c->nodes);
	free(c->interfaces);
	free(c->services);
	free(c->bundles);
	free(c->vips);
	free(c->names);
	free(c->dns.zones);
	free(c);
}

/* With room for the largest file; shrink() gives back what is not used. */
static struct config *new_config(void)
{
	struct config *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->nodes = calloc(CONFIG_NODES_MAX, sizeof *c->nodes);
	c->interfaces = calloc(CONFIG_INTERFACES_MAX, sizeof *c->interfaces);
	c->services = calloc(CONFIG_SERVICES_MAX, sizeof *c->services);
	/* one more: an entry is filled before it is known to be good */
	c->bundles = calloc(CONFIG_VIPS_MAX + 1, sizeof *c->bundles);
	c->vips = calloc(CONFIG_VIPS_MAX + 1, sizeof *c->vips);
	c->names = calloc(NAMES_ROOM, sizeof *c->names);
	c->dns.zones = calloc(CONFIG_ZONES_MAX, sizeof *c->dns.zones);
	if (c->nodes && c->interfaces && c->services && c->bundles && c->vips && c->names &&
		c->dns.zones)
		return c;
	config_free(c);
	return NULL;
}

static void *shrink(void *array, size_t size)
{
	void *smaller = size > 0 ? realloc(array, size) : NULL;

	return smaller ? smaller : array;
}

static void shrink_config(struct config *c)
{
	c->nodes = shrink(c->nodes, c->n_nodes * sizeof *c->nodes);
	c->interfaces = shrink(c->interfaces, c->n_interfaces * sizeof *c->interfaces);
	c->services = shrink(c->services, c->n_services * sizeof *c->services);
	c->bundles = shrink(c->bundles, c->n_bundles * sizeof *c->bundles);
	c->vips = shrink(c->vips, c->n_vips * sizeof *c->vips);
	c->names = shrink(c->names, c->n_names * sizeof *c->names);
	c->dns.zones = shrink(c->dns.zones, c->dns.n_zones * sizeof *c->dns.zones);
}

/* A start of the circle of VRIDs that two clusters on a segment seldom share. */
static uint8_t vrid_of_name(const char *name)
{
	return (uint8_t)(hash_for_all(name, strlen(name)) % 255 + 1);
}

static void assign_vrids(struct reading *r)
{
	struct config *const c = r->config;
	const bool given = r->vrrp.vrid_count > 0;

	for (uint32_t i = 0; i < c->n_interfaces; i++) {
		c->interfaces[i].vrid_first = given ? r->vrrp.vrid_first : vrid_of_name(c->cluster);
		c->interfaces[i].vrid_count = given ? r->vrrp.vrid_count : 255;
	}
}

static void read_file(struct reading *r)
{
	const struct tree *const root = r->root;
	const struct place start = {.line = root->at.line, .column = root->at.column, .width = 1};

	if (root->kind != TREE_MAPPING) {
		findings_error(r->findings, start,
			"the file is a mapping of sections such as \"nodes:\", and this is %s",
			tree_kind_name(root));
		return;
	}
	schema_defaults(&file_schema, r->config);
	vrrp_section_init(&r->vrrp);
	r->all_known = schema_read(r->findings, &file_schema, root, r->config, r->at);
	r->interface = INTERFACE_UNREAD;
	if (r->at[FILE_NODES])
		read_nodes(r, r->at[FILE_NODES]);
	else if (r->all_known)
		findings_error(r->findings, start,
			"no \"nodes\"; name each server and its address, such as \"www1: "
			"10.1.1.2\"");
	if (r->at[FILE_VRRP])
		read_vrrp(r, r->at[FILE_VRRP], &r->vrrp);
	read_announce(r, r->at[FILE_ANNOUNCE]);
	read_auth(r, r->at[FILE_AUTH]);
	read_control(r, r->at[FILE_CONTROL]);
	if (r->at[FILE_SERVICES])
		read_services(r, r->at[FILE_SERVICES]);
	else if (r->all_known)
		findings_error(r->findings, start,
			"no \"services\"; name each and its VIPs, such as \"www: [10.1.1.201]\"");
	resolve_names(r);
	read_dns(r, r->at[FILE_DNS]);
	assign_vrids(r);
	resolve_auth_window(r->config);
	check_whole(r);
}

static struct config *read_tree(
	const struct tree *root, const struct config_machine *machine, struct findings *findings)
{
	struct reading *r = calloc(1, sizeof *r);
	struct config *c = NULL;

	if (!r)
		goto out;
	r->findings = findings;
	r->machine = machine;
	r->root = root;
	r->services = calloc(CONFIG_SERVICES_MAX, sizeof *r->services);
	r->vips = calloc(CONFIG_VIPS_MAX + 1, sizeof *r->vips);
	r->names = calloc(NAMES_ROOM, sizeof *r->names);
	r->config = new_config();
	if (!r->services || !r->vips || !r->names || !r->config)
		goto out;
	read_file(r);
	c = r->config;
	r->config = NULL;
	shrink_config(c);
out:
	if (!c)
		findings_error(findings, (struct place){0}, "out of memory");
	if (r) {
		free(r->services);
		free(r->vips);
		free(r->names);
		config_free(r->config);
		free(r);
	}
	return c;
}

/* Prints and counts the findings, and lets only a faultless configuration through. */
static struct config *conclude(struct config *c, struct findings *findings,
	const struct config_text *text, FILE *diagnostics, struct config_report *report)
{
	const bool good = findings->n_errors == 0;

	if (diagnostics)
		findings_print(findings, text->name, text->text, text->size, diagnostics);
	report->n_errors = findings->n_errors;
	report->n_warnings = findings->n_warnings;
	findings_fini(findings);
	if (good)
		return c;
	config_free(c);
	return NULL;
}

struct config *config_load_text(const struct config_text *text,
	const struct config_machine *machine, FILE *diagnostics, struct config_report *report)
{
	struct findings findings = {0};
	struct tree_file *file = tree_read(text->text, text->size, &findings);
	struct config *c = NULL;

	if (file)
		c = read_tree(tree_root(file), machine, &findings);
	/* findings have their own copies of what they quote from the tree */
	tree_free(file);
	return conclude(c, &findings, text, diagnostics, report);
}

/* The whole file, to be freed; at most one byte more than is allowed. Negative errno. */
static int read_whole(const char *path, char **ret_text, size_t *ret_size)
{
	FILE *file = fopen(path, "re");
	char *text;
	size_t size;
	int error = 0;

	if (!file)
		return -errno;
	text = malloc(TREE_FILE_MAX + 1);
	if (!text) {
		fclose(file);
		return -ENOMEM;
	}
	errno = 0;
	size = fread(text, 1, TREE_FILE_MAX + 1, file);
	if (ferror(file))
		error = errno ? -errno : -EIO;
	fclose(file);
	if (error < 0) {
		free(text);
		return error;
	}
	*ret_text = text;
	*ret_size = size;
	return 0;
}

struct config *config_load_here(const char *path, const struct config_machine *machine,
	FILE *diagnostics, struct config_report *report)
{
	struct config_text text = {.name = path};
	struct findings findings = {0};
	struct config *c;
	char *bytes = NULL;
	int error;

	error = read_whole(path, &bytes, &text.size);
	if (error < 0) {
		findings_error(&findings, (struct place){0}, "can't be read: %s", strerror(-error));
		return conclude(NULL, &findings, &text, diagnostics, report);
	}
	text.text = bytes;
	c = config_load_text(&text, machine, diagnostics, report);
	free(bytes);
	return c;
}

struct config *config_load(const char *path, FILE *diagnostics, struct config_report *report)
{
	return config_load_here(path, NULL, diagnostics, report);
}
