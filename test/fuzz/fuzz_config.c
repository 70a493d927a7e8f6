/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "config/config.h"
#include "idn/idn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7.12 forgets a buffer where a long quoted text has no end; a refused file ends the program. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

/* Names are in A-labels, each of one service or node; every zone has a file. */
static void check_names(const struct config *c)
{
	char ascii[IDN_ASCII_SIZE];
	char problem[IDN_PROBLEM_SIZE];

	for (uint32_t i = 0; i < c->n_names; i++) {
		const struct config_name *const name = &c->names[i];

		ASSERT(idn_to_ascii(name->name, ascii, problem) && strcmp(ascii, name->name) == 0);
		ASSERT((name->service < 0) != (name->node < 0));
		ASSERT(name->service < (int32_t)c->n_services && name->node < (int32_t)c->n_nodes);
	}
	for (uint32_t i = 0; i < c->dns.n_zones; i++)
		ASSERT(c->dns.zones[i].name[0] != '\0' && c->dns.zones[i].path[0] == '/');
	ASSERT(c->dns.n_listen > 0 && c->dns.n_listen <= CONFIG_LISTEN_MAX && c->dns.port > 0);
	ASSERT((c->dns.tsig.name[0] == '\0') == (c->dns.tsig.secret_file[0] == '\0'));
}

/* What the later stages rely on without asking. */
static void check_resolved(const struct config *c)
{
	uint32_t vip = 0, bundle = 0;

	ASSERT(c->n_nodes > 0 && c->n_nodes <= CONFIG_NODES_MAX);
	ASSERT(c->n_vips > 0 && c->n_vips <= CONFIG_VIPS_MAX && c->n_bundles <= c->n_vips);
	for (uint32_t i = 0; i < c->n_nodes; i++)
		ASSERT(c->nodes[i].n_addresses > 0 && c->nodes[i].weight > 0);
	for (uint32_t i = 0; i < c->n_services; i++) {
		const struct config_service *const s = &c->services[i];

		ASSERT(s->n_vips > 0 && s->first_vip == vip && s->first_bundle == bundle);
		ASSERT(s->interface < c->n_interfaces && s->vrrp.interval > 0);
		for (uint32_t j = 0; j < c->n_nodes && s->foreign_vrid; j++)
			ASSERT(s->priority[j] > 0);
		vip += s->n_vips;
		bundle += s->n_bundles;
	}
	ASSERT(vip == c->n_vips && bundle == c->n_bundles);
	check_names(c);
	for (uint32_t i = 0; i < c->n_vips; i++) {
		const struct config_vip *const v = &c->vips[i];
		const struct config_bundle *const b = &c->bundles[v->bundle];

		ASSERT(v->weight > 0 && v->bundle < c->n_bundles && v->service == b->service);
		ASSERT(i >= b->first_vip && i < b->first_vip + b->n_vips);
	}
}

/* A configuration file, on a machine that is the first node of the shipped examples. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config_subnet subnet = {
		.interface = "eth0",
		.prefix = {.addr = {{[10] = 0xff, 0xff, 10, 1, 1, 2}}, .len = 120},
	};
	const struct config_machine machine = {&subnet, 1};
	const struct config_text text = {"fuzz", (const char *)data, size};
	struct config_report report;
	char *diagnostics = NULL;
	size_t diagnostics_size;
	FILE *out = open_memstream(&diagnostics, &diagnostics_size);
	struct config *c;

	if (!out)
		return 0;
	c = config_load_text(&text, &machine, out, &report);
	fclose(out);
	free(diagnostics);
	ASSERT((c != NULL) == (report.n_errors == 0));
	if (c)
		check_resolved(c);
	config_free(c);
	return 0;
}
