/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dump.h"

#include "config/value.h"

static const char *const checksums[] = {
	[CONFIG_CHECKSUM_AUTO] = "auto",
	[CONFIG_CHECKSUM_MESSAGE] = "message",
	[CONFIG_CHECKSUM_PSEUDO] = "pseudo-header",
};

static void dump_duration(const char *name, tick duration, FILE *out)
{
	char text[VALUE_DURATION_SIZE];

	fprintf(out, " %s %s", name, value_format_duration(duration, text));
}

static void dump_address(const struct addr *address, FILE *out)
{
	char text[ADDR_STRLEN];

	fprintf(out, " %s", addr_format(address, text));
}

static void dump_vrrp(const struct config_vrrp *v, FILE *out)
{
	fprintf(out, "  version %u", v->version);
	dump_duration("interval", v->interval, out);
	fprintf(out, " redundancy %u %s", v->redundancy, v->preempt ? "preempt" : "no-preempt");
	dump_duration("after", v->preempt_delay, out);
	dump_duration("linger", v->linger, out);
	fprintf(out, " checksum %s %s", checksums[v->checksum],
		v->unicast ? "unicast" : "multicast");
	for (uint32_t i = 0; i < v->n_peers; i++)
		dump_address(&v->peers[i], out);
	fputc('\n', out);
}

static void dump_names(const struct config *c, int32_t service, int32_t node, FILE *out)
{
	for (uint32_t i = 0; i < c->n_names; i++)
		if (c->names[i].service == service && c->names[i].node == node)
			fprintf(out, "  named %s@%u\n", c->names[i].name, c->names[i].line);
}

static void dump_service(const struct config *c, const struct config_service *s, FILE *out)
{
	fprintf(out, "service %s on %s\n", s->name, c->interfaces[s->interface].name);
	dump_vrrp(&s->vrrp, out);
	if (s->rotation == CONFIG_ROTATION_WEIGHTED)
		fprintf(out, "  rotation weighted\n");
	dump_names(c, (int32_t)(s - c->services), -1, out);
	if (s->foreign_vrid != 0) {
		fprintf(out, "  vrid %u priorities", s->foreign_vrid);
		for (uint32_t i = 0; i < c->n_nodes; i++)
			fprintf(out, " %u", s->priority[i]);
		fputc('\n', out);
	}
	for (uint32_t i = s->first_bundle; i < s->first_bundle + s->n_bundles; i++) {
		const struct config_bundle *const b = &c->bundles[i];

		fprintf(out, "  bundle");
		for (uint32_t j = b->first_vip; j < b->first_vip + b->n_vips; j++) {
			dump_address(&c->vips[j].address, out);
			fprintf(out, "@%u", c->vips[j].line);
			if (c->vips[j].weight != 1)
				fprintf(out, " x %u", c->vips[j].weight);
		}
		if (b->preferred != CONFIG_NO_NODE)
			fprintf(out, " prefers %s", c->nodes[b->preferred].name);
		fputc('\n', out);
	}
}

static void dump_endpoints(
	const char *name, const struct config_endpoint *list, uint32_t n, FILE *out)
{
	for (uint32_t i = 0; i < n; i++) {
		fprintf(out, "  %s", name);
		dump_address(&list[i].address, out);
		fprintf(out, " port %u\n", list[i].port);
	}
}

static const char *const algorithms[] = {
	[CONFIG_TSIG_SHA256] = "hmac-sha256",
	[CONFIG_TSIG_SHA384] = "hmac-sha384",
	[CONFIG_TSIG_SHA512] = "hmac-sha512",
	[CONFIG_TSIG_SHA1] = "hmac-sha1",
	[CONFIG_TSIG_SHA224] = "hmac-sha224",
};

static void dump_dns(const struct config_dns *dns, FILE *out)
{
	fprintf(out, "dns port %u threads %u%s%s rate %u ttl %u nsid \"%s\"\n", dns->port,
		dns->threads, dns->cookies ? " cookies" : "", dns->chaos ? " chaos" : "", dns->rate,
		dns->ttl, dns->nsid);
	if (dns->cookie_secret_file[0] != '\0')
		fprintf(out, "  cookie secrets %s\n", dns->cookie_secret_file);
	dump_endpoints("listen", dns->listen, dns->n_listen, out);
	for (uint32_t i = 0; i < dns->n_zones; i++)
		fprintf(out, "  zone %s@%u %s\n", dns->zones[i].name, dns->zones[i].line,
			dns->zones[i].path);
	dump_endpoints("transfer", dns->transfer, dns->n_transfers, out);
	if (dns->tsig.name[0] != '\0')
		fprintf(out, "  tsig %s %s %s\n", dns->tsig.name, algorithms[dns->tsig.algorithm],
			dns->tsig.secret_file);
}

/* Whether the file has anything to say to the name server. */
static bool has_dns(const struct config *c)
{
	const struct config_dns *const dns = &c->dns;

	return c->n_names > 0 || dns->n_zones > 0 || dns->n_transfers > 0 || dns->port != 53 ||
	       dns->n_listen != 2 || dns->nsid[0] != '\0';
}

static const char *const auth_modes[] = {
	[CONFIG_AUTH_OFF] = "off",
	[CONFIG_AUTH_RECEIVE_ONLY] = "receive-only",
	[CONFIG_AUTH_PERMISSIVE] = "permissive",
	[CONFIG_AUTH_ENFORCE] = "enforce",
};

static const char *const fences[] = {
	[CONFIG_FENCE_AUTO] = "auto",
	[CONFIG_FENCE_TCX] = "tcx",
	[CONFIG_FENCE_CLSACT] = "clsact",
	[CONFIG_FENCE_LIFETIME] = "lifetime",
	[CONFIG_FENCE_OFF] = "off",
};

static void dump_auth(const struct config_auth *auth, FILE *out)
{
	fprintf(out, "auth %s keys %s", auth_modes[auth->mode], auth->keys);
	dump_duration("window", auth->window, out);
	fputc('\n', out);
}

void dump_config(const struct config *c, FILE *out)
{
	fprintf(out, "cluster %s\n", c->cluster);
	if (c->domain[0] != '\0')
		fprintf(out, "domain %s\n", c->domain);
	for (uint32_t i = 0; i < c->n_interfaces; i++)
		fprintf(out, "interface %s vrids %u x %u\n", c->interfaces[i].name,
			c->interfaces[i].vrid_first, c->interfaces[i].vrid_count);
	for (uint32_t i = 0; i < c->n_nodes; i++) {
		fprintf(out, "node %s weight %u", c->nodes[i].name, c->nodes[i].weight);
		for (uint32_t j = 0; j < c->nodes[i].n_addresses; j++)
			dump_address(&c->nodes[i].addresses[j], out);
		fputc('\n', out);
		dump_names(c, -1, (int32_t)i, out);
	}
	for (uint32_t i = 0; i < c->n_services; i++)
		dump_service(c, &c->services[i], out);
	fprintf(out, "announce");
	for (uint32_t i = 0; i < c->announce.n_shots; i++)
		dump_duration("at", c->announce.shots[i], out);
	dump_duration("refresh", c->announce.refresh, out);
	fprintf(out, " rate %u burst %u%s\n", c->announce.rate, c->announce.burst,
		c->announce.conflict == CONFIG_CONFLICT_YIELD ? " conflict yield" : "");
	if (has_dns(c))
		dump_dns(&c->dns, out);
	if (c->auth.mode != CONFIG_AUTH_OFF)
		dump_auth(&c->auth, out);
	if (c->control.read[0] || c->control.steer[0])
		fprintf(out, "control read %s steer %s\n", c->control.read, c->control.steer);
	if (c->fence != CONFIG_FENCE_AUTO)
		fprintf(out, "fence %s\n", fences[c->fence]);
}
