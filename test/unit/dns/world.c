/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libknot/libknot.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "zone/load.h"

static const char example_com[] =
	"$TTL 300\n"
	"@ 3600 SOA ns1 hostmaster 1 7200 3600 1209600 60\n"
	"@ NS ns1\n@ NS ns2\n@ NS ns.other.test.\n"
	"@ A 192.0.2.1\n@ A 192.0.2.2\n@ TXT \"v=spf1 -all\"\n"
	"@ MX 10 mail\n@ MX 20 mail2\n@ MX 30 mail.other.test.\n"
	"@ HTTPS 0 svc\n"
	"ns1 A 192.0.2.3\nns1 AAAA 2001:db8::3\nns2 A 192.0.2.4\n"
	"mail A 192.0.2.5\nmail A 192.0.2.6\nmail AAAA 2001:db8::5\nmail AAAA 2001:db8::6\n"
	"mail2 A 192.0.2.7\n"
	"www A 192.0.2.8\nwww A 192.0.2.9\nwww A 192.0.2.10\n"
	"www AAAA 2001:db8::8\nwww AAAA 2001:db8::9\nwww AAAA 2001:db8::10\n"
	"single A 192.0.2.11\n"
	"alias CNAME www\nalias2 CNAME alias\nalias3 CNAME alias2\n"
	"circle1 CNAME circle2\ncircle2 CNAME circle1\nitself CNAME itself\n"
	"away CNAME www.elsewhere.org.\ndangling CNAME nothing\nempty CNAME c.ent\n"
	"across CNAME host.example.net.\nintocut CNAME x.deleg\nintowild CNAME q.wild\n"
	"mx-alias MX 10 mail\nmx-float MX 10 float\nmx-null MX 0 .\nmx-twice MX 1 mail\n"
	"mx-twice MX 2 mail\nmx-glue MX 10 ns.deleg\nmx-wild MX 10 q.wild\n"
	"*.wild A 192.0.2.12\n*.wild A 192.0.2.13\n*.wild MX 10 mail\n*.wild HTTPS 1 . alpn=h2\n"
	"x.y.wild TXT \"below a wildcard's name\"\n"
	"*.wildalias CNAME www\n*.wildmx MX 10 x.wildmx\nx.wildmx A 192.0.2.14\n"
	"a.b.c.ent A 192.0.2.15\n"
	"deleg NS ns.deleg\ndeleg NS ns2.deleg\ndeleg NS ns1\ndeleg NS ns.other.test.\n"
	"deleg DS 12345 8 2 "
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
	"ns.deleg A 192.0.2.16\nns.deleg A 192.0.2.17\nns.deleg AAAA 2001:db8::16\n"
	"ns2.deleg A 192.0.2.18\n"
	"sibling NS ns.deleg\nfar NS ns.other.test.\n"
	"child NS ns.child\nns.child A 192.0.2.19\n"
	"child DS 1 8 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
	"dname DNAME target.example.net.\ndname TXT \"beside\"\ndname2 DNAME ent\n"
	"dnameloop DNAME x.dnameloop2\ndnameloop2 DNAME dnameloop\n"
	"_sip._tcp SRV 0 5 5060 mail\n_sip._tcp SRV 0 5 5060 single\n_sip._tcp SRV 1 5 5060 www\n"
	"_no._tcp SRV 0 0 0 .\n"
	"svc HTTPS 1 . alpn=h2 ipv4hint=192.0.2.20\nsvc A 192.0.2.20\nsvc AAAA 2001:db8::20\n"
	"svc2 HTTPS 1 mail alpn=h3\nsvc3 SVCB 0 .\n"
	"svc4 HTTPS 1 MAIL alpn=h2\nsvc5 HTTPS 0 SVC\n"
	"svc6 SVCB 1 Mail.EXAMPLE.com. alpn=h2\nsvc6 SVCB 2 mail\nsvc6 SVCB 3 SVC6\n"
	"svc6 A 192.0.2.23\n*.wildsvc HTTPS 1 *.WildSvc\n*.wildsvc A 192.0.2.24\n"
	"ptr PTR www\nminfo MINFO ns1 mail\nrp RP mail www\n"
	"mixed.CASE A 192.0.2.21\nunknown TYPE65400 \\# 3 010203\n"
	"hinfo HINFO cpu os\nnaptr NAPTR 1 2 \"u\" \"sip\" \"\" mail\n";

static const char child_example_com[] = "$TTL 60\n@ SOA ns hostmaster 7 1 1 1 30\n@ NS ns\n"
					"ns A 192.0.2.19\nwww A 192.0.2.22\n";

static const char example_net[] =
	"$TTL 120\n@ SOA ns1.example.com. h.example.com. 3 1 1 1 3600\n"
	"@ NS ns1.example.com.\nhost A 198.51.100.1\nhost A 198.51.100.2\n"
	"target A 198.51.100.3\nx.target A 198.51.100.4\n"
	"y.target CNAME host\nback CNAME alias.example.com.\n";

static const char single_label[] = "$TTL 1\n@ SOA ns h 3 1 1 1 0\n@ NS ns\nns AAAA 2001:db8::1\n";

const char *const world_names[] = {"example.com", "www.example.com", "ns1.example.com",
	"mail.example.com", "mail2.example.com", "single.example.com", "alias.example.com",
	"alias2.example.com", "alias3.example.com", "circle1.example.com", "itself.example.com",
	"away.example.com", "dangling.example.com", "empty.example.com", "across.example.com",
	"intocut.example.com", "intowild.example.com", "mx-alias.example.com",
	"mx-float.example.com", "mx-null.example.com", "mx-twice.example.com",
	"mx-glue.example.com", "mx-wild.example.com", "wild.example.com", "a.wild.example.com",
	"b.a.wild.example.com", "y.wild.example.com", "x.y.wild.example.com",
	"z.y.wild.example.com", "*.wild.example.com", "a.*.wild.example.com",
	"q.wildalias.example.com", "q.wildmx.example.com", "x.wildmx.example.com",
	"ent.example.com", "c.ent.example.com", "b.c.ent.example.com", "a.b.c.ent.example.com",
	"deleg.example.com", "ns.deleg.example.com", "x.y.deleg.example.com", "sibling.example.com",
	"x.sibling.example.com", "far.example.com", "x.far.example.com", "child.example.com",
	"www.child.example.com", "nothing.child.example.com", "dname.example.com",
	"x.dname.example.com", "y.dname.example.com", "z.y.dname.example.com",
	"a.b.c.dname2.example.com", "x.dname2.example.com", "q.dnameloop.example.com",
	"_sip._tcp.example.com", "_tcp.example.com", "_no._tcp.example.com", "svc.example.com",
	"svc2.example.com", "svc3.example.com", "svc4.example.com", "svc5.example.com",
	"svc6.example.com", "q.wildsvc.example.com", "*.wildsvc.example.com", "ptr.example.com",
	"mr.example.com", "minfo.example.com", "rp.example.com", "mixed.case.example.com",
	"unknown.example.com", "hinfo.example.com", "naptr.example.com", "float.example.com",
	"weight.example.com", "one.example.com", "nothing.example.com",
	"very.deep.below.nothing.example.com", "big.example.com", "huge.example.com",
	"giant.example.com", "bigdeleg.example.com", "x.bigdeleg.example.com", "bigmx.example.com",
	"many.example.com", "example.net", "host.example.net", "target.example.net",
	"y.target.example.net", "back.example.net", "no.example.net", "test", "ns.test",
	"nothing.test", "com", "net", "", "example.org", "notexample.com", "xexample.net"};
const size_t world_n_names = ARRAY_SIZE(world_names);

static void name_of(const char *text, struct name *ret_name)
{
	const char *why;

	ASSERT(name_parse(text, NULL, ret_name, &why));
}

static void tell(void *context, enum zone_severity severity, const struct zone_place *place,
	const char *text)
{
	(void)context;
	if (severity == ZONE_ERROR)
		fprintf(stderr, "line %u: %s\n", place->line, text);
}

static struct zone *load(const char *apex, const char *text)
{
	const struct load_listener listener = {.tell = tell};
	const struct load_text t = {.file = apex, .text = text, .size = strlen(text)};
	struct name name;
	struct zone *z;

	name_of(apex, &name);
	z = load_text(&t, name.bytes, &listener);
	ASSERT(z);
	return z;
}

static void finish(struct zone *z)
{
	char problem[ZONE_PROBLEM_SIZE];

	ASSERT(zone_finish(z, tell, NULL, problem));
}

struct catalog *world_catalog_of(const char *apex, const char *text)
{
	struct zone *z = load(apex, text);
	struct catalog *c;

	finish(z);
	c = catalog_new(&z, 1, NULL);
	ASSERT(c);
	return c;
}

/* Sets that don't fit: into 512 bytes, 1232, a compiled body, and glue that does not. */
static char *large_sets(void)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ASSERT(f);
	for (int i = 0; i < 3; i++)
		fprintf(f, "big 300 TXT \"%d%0200d\"\n", i, 0);
	for (int i = 0; i < 100; i++)
		fprintf(f, "huge 300 A 203.0.113.%d\n", i);
	for (int i = 0; i < 40; i++)
		fprintf(f, "giant 300 TXT \"%d%0200d\"\n", i, 0);
	for (int i = 0; i < 300; i++)
		fprintf(f, "giant 300 A 203.0.%d.%d\n", 120 + i / 200, i % 200);
	for (int i = 0; i < 30; i++)
		fprintf(f, "many 300 A 203.0.114.%d\nmany 300 AAAA 2001:db8:1::%d\n", i, i);
	for (int i = 0; i < 13; i++) {
		fprintf(f, "bigdeleg 300 NS a-long-name-%d.bigdeleg\n", i);
		fprintf(f, "a-long-name-%d.bigdeleg 300 AAAA 2001:db8:2::%d\n", i, i);
		fprintf(f, "bigmx 300 MX %d target-%d\n", i, i);
		fprintf(f, "target-%d 300 AAAA 2001:db8:3::%d\n", i, i);
	}
	fclose(f);
	return text;
}

static void add_addresses(
	struct zone *z, const struct config *c, uint32_t service, const char *owner)
{
	const struct config_service *s = &c->services[service];
	struct name name;

	name_of(owner, &name);
	for (uint32_t i = s->first_vip; i < s->first_vip + s->n_vips; i++) {
		const struct addr *a = &c->vips[i].address;
		const bool ipv4 = addr_is_ipv4(a);
		const struct zone_record r = {.owner = name.bytes,
			.type = ipv4 ? DNS_A : DNS_AAAA,
			.ttl = 60,
			.rdata = ipv4 ? addr_ipv4_bytes(a) : a->b,
			.rdata_size = ipv4 ? 4 : 16,
			.service = service};
		char problem[ZONE_PROBLEM_SIZE];

		ASSERT(zone_add(z, &r, problem));
	}
}

static struct config *make_config(void)
{
	static const char *const addresses[] = {"10.1.1.0", "10.1.1.1", "10.1.1.2", "10.1.1.3",
		"2001:db8:f::", "2001:db8:f::1", "10.1.2.0", "10.1.2.1", "10.1.2.2", "10.1.3.0",
		"10.1.3.1", "10.1.3.2"};
	static const uint32_t weights[] = {1, 1, 1, 1, 1, 1, 1, 2, 5, 1, 2, 5};
	struct config *c = calloc(1, sizeof *c);

	ASSERT(c);
	c->n_services = 3;
	c->n_vips = ARRAY_SIZE(addresses);
	c->services = calloc(c->n_services, sizeof c->services[0]);
	c->vips = calloc(c->n_vips, sizeof c->vips[0]);
	ASSERT(c->services && c->vips);
	for (uint32_t i = 0; i < c->n_vips; i++) {
		ASSERT(addr_parse(addresses[i], &c->vips[i].address));
		c->vips[i].weight = weights[i];
	}
	c->services[WORLD_SHUFFLED] = (struct config_service){.first_vip = 0, .n_vips = 6};
	c->services[WORLD_WEIGHTED] = (struct config_service){.first_vip = 6, .n_vips = 3};
	c->services[WORLD_SINGLE] = (struct config_service){
		.first_vip = 9, .n_vips = 3, .rotation = CONFIG_ROTATION_WEIGHTED};
	return c;
}

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof *w);
	char *large = large_sets(), *text = malloc(sizeof example_com + strlen(large));
	struct zone *zones[4];

	ASSERT(w && text);
	w->config = make_config();
	strcpy(text, example_com);
	strcat(text, large);
	zones[0] = load("example.com.", text);
	free(text);
	free(large);
	zones[1] = load("child.example.com.", child_example_com);
	zones[2] = load("example.net.", example_net);
	zones[3] = load("test.", single_label);
	add_addresses(zones[0], w->config, WORLD_SHUFFLED, "float.example.com.");
	add_addresses(zones[0], w->config, WORLD_WEIGHTED, "weight.example.com.");
	add_addresses(zones[0], w->config, WORLD_SINGLE, "one.example.com.");
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
		finish(zones[i]);
	w->catalog = catalog_new(zones, ARRAY_SIZE(zones), w->config);
	ASSERT(w->catalog);
	return w;
}

void world_free(struct world *w)
{
	catalog_free(w->catalog);
	free(w->config->services);
	free(w->config->vips);
	free(w->config);
	free(w);
}

/* Labels as they are spelled, without escapes. */
static void put_name(struct writer *w, const char *name)
{
	while (*name != '\0') {
		const size_t label = strcspn(name, ".");

		writer_u8(w, (uint8_t)label);
		writer_bytes(w, name, label);
		name += label + (name[label] == '.');
	}
	writer_u8(w, 0);
}

size_t asked_message(const struct asked *q, uint8_t message[static DNS_UDP_LEAST])
{
	struct writer w = writer_of(message, DNS_UDP_LEAST);

	writer_u16(&w, 0x1234);
	writer_u16(&w, q->flags);
	writer_u16(&w, 1);
	writer_u32(&w, 0);
	writer_u16(&w, q->edns);
	put_name(&w, q->name);
	writer_u16(&w, q->type);
	writer_u16(&w, q->class ? q->class : DNS_CLASS_IN);
	if (q->edns) {
		writer_u8(&w, 0);
		writer_u16(&w, DNS_OPT);
		writer_u16(&w, q->udp_size ? q->udp_size : DNS_UDP_MAX);
		writer_u32(&w, q->dnssec_ok ? 0x8000 : 0);
		writer_u16(&w, (uint16_t)((q->nsid ? 4 : 0) + (q->keepalive ? 4 : 0) +
					  (q->cookie ? 4 + q->cookie_size : 0)));
		if (q->nsid)
			writer_u32(&w, 3u << 16);
		if (q->keepalive)
			writer_u32(&w, 11u << 16);
		if (q->cookie) {
			writer_u16(&w, 10);
			writer_u16(&w, q->cookie_size);
			writer_bytes(&w, q->cookie, q->cookie_size);
		}
	}
	ASSERT(!w.failed);
	return w.at;
}

const struct answer_self world_self = {.nsid = "roost1", .n_cookie_secrets = 1};

void ask_message(const struct asking *how, const uint8_t *message, size_t size, struct told *t)
{
	struct answer_request in = {.message = message,
		.size = size,
		.tcp = how->tcp,
		.idle_ds = how->tcp ? 100 : 0,
		.wall_s = 1559731985,
		.self = how->self ? how->self : &world_self};
	struct query q;

	ASSERT(addr_parse("198.51.100.100", &in.client));
	t->reply = (struct answer_reply){
		.buffer = t->bytes, .room = how->tcp ? DNS_MESSAGE_MAX : DNS_UDP_MAX};
	t->outcome = ANSWER_NONE;
	if (how->way == WAY_ANY)
		t->outcome = answer(how->answerer, how->catalog, &in, &t->reply);
	else if (query_parse(message, size, &q) != QUERY_PLAIN)
		return;
	else if ((how->way == WAY_FAST ? answer_fast : answer_slow)(
			 how->answerer, how->catalog, &in, &q, &t->reply))
		t->outcome = ANSWER_SENT;
	if (t->outcome != ANSWER_SENT)
		t->reply.size = 0;
}

void ask(const struct asking *how, const struct asked *q, struct told *t)
{
	uint8_t message[DNS_UDP_LEAST];
	const size_t size = asked_message(q, message);

	ask_message(how, message, size, t);
}

size_t asker_limit(const uint8_t *message, size_t size, bool tcp)
{
	struct query q = {.udp_size = DNS_UDP_LEAST};

	(void)query_parse(message, size, &q);
	return tcp ? DNS_MESSAGE_MAX : q.udp_size;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* With one space between words. */
static void put_line(FILE *f, const char *line)
{
	for (const char *p = line; *p != '\0'; p++) {
		const bool space = *p == ' ' || *p == '\t';

		if (!space || (p[1] != ' ' && p[1] != '\t'))
			fputc(space ? ' ' : *p, f);
	}
}

/* The records of a section, each a line of libknot's, sorted. */
static void put_section(FILE *f, const knot_pkt_t *pkt, knot_section_t which, const char *title)
{
	const knot_pktsection_t *s = knot_pkt_section(pkt, which);
	char **lines = calloc(s->count + 1u, sizeof *lines);
	size_t size = 70000;
	char *text = malloc(size);

	ASSERT(lines && text);
	for (unsigned i = 0; i < s->count; i++) {
		const knot_rrset_t *rr = knot_pkt_rr(s, (uint16_t)i);

		if (rr->type == KNOT_RRTYPE_OPT) {
			lines[i] = strdup("");
			continue;
		}
		ASSERT(knot_rrset_txt_dump(rr, &text, &size, &KNOT_DUMP_STYLE_DEFAULT) >= 0);
		lines[i] = strdup(text);
	}
	qsort(lines, s->count, sizeof *lines, compare_lines);
	fprintf(f, "; %s:\n", title);
	for (unsigned i = 0; i < s->count; i++) {
		put_line(f, lines[i]);
		free(lines[i]);
	}
	free(lines);
	free(text);
}

static void put_opt(FILE *f, const knot_pkt_t *pkt)
{
	const knot_rrset_t *opt = pkt->opt_rr;

	if (!opt)
		return;
	fprintf(f, "; opt: %u %u %08x", opt->rclass, opt->rrs.count, opt->ttl);
	for (unsigned i = 0; i < opt->rrs.rdata->len; i++)
		fprintf(f, " %02x", opt->rrs.rdata->data[i]);
	fputc('\n', f);
}

char *told_text(const struct told *t)
{
	knot_pkt_t *pkt = knot_pkt_new((void *)t->bytes, (uint16_t)t->reply.size, NULL);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ASSERT(f && pkt);
	if (t->reply.size == 0) {
		fprintf(f, "nothing");
	} else if (knot_pkt_parse(pkt, 0) != KNOT_EOK || pkt->parsed != t->reply.size) {
		fprintf(f, "malformed");
	} else {
		const uint8_t *w = pkt->wire;

		fprintf(f, "%s%s%s%s%s%s%s; question:", knot_pkt_ext_rcode_name(pkt),
			knot_wire_get_qr(w) ? "" : " no-QR", knot_wire_get_aa(w) ? " AA" : "",
			knot_wire_get_tc(w) ? " TC" : "", knot_wire_get_rd(w) ? " RD" : "",
			knot_wire_get_ra(w) || knot_wire_get_ad(w) || knot_wire_get_z(w)
				? " strange"
				: "",
			knot_wire_get_cd(w) ? " CD" : "");
		for (size_t i = 0; i < knot_pkt_question_size(pkt); i++)
			fprintf(f, " %02x", w[KNOT_WIRE_HEADER_SIZE + i]);
		fprintf(f, "; id %04x\n", knot_wire_get_id(w));
		put_section(f, pkt, KNOT_ANSWER, "answer");
		put_section(f, pkt, KNOT_AUTHORITY, "authority");
		put_section(f, pkt, KNOT_ADDITIONAL, "additional");
		put_opt(f, pkt);
	}
	fclose(f);
	knot_pkt_free(pkt);
	return text;
}
