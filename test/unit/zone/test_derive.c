/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "zone/derive.h"
#include "zone/print.h"
#include "zone/rdata.h"
#include "zones.h"

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert(addr_parse(text, &a));
	return a;
}

/* Two servers; `www` has two VIPs, one of each family `mail`. Tests add names, zones, a domain. */
struct cluster {
	struct config config;
	struct config_node nodes[2];
	struct config_service services[2];
	struct config_vip vips[4];
	struct config_name names[8];
	struct config_zone zones[4];
};

static void cluster_init(struct cluster *c)
{
	*c = (struct cluster){0};
	c->nodes[0] = (struct config_node){"www1", {address("10.1.1.2")}, 1, 1};
	c->nodes[1] = (struct config_node){
		"www2", {address("10.1.1.3"), address("2001:db8::3"), address("fe80::3")}, 3, 1};
	c->services[0] = (struct config_service){.name = "www", .first_vip = 0, .n_vips = 2};
	c->services[1] = (struct config_service){.name = "mail", .first_vip = 2, .n_vips = 2};
	c->vips[0] = (struct config_vip){.address = address("10.1.1.201")};
	c->vips[1] = (struct config_vip){.address = address("10.1.1.202")};
	c->vips[2] = (struct config_vip){.address = address("10.1.1.203"), .service = 1};
	c->vips[3] = (struct config_vip){.address = address("2001:db8::203"), .service = 1};
	c->config = (struct config){
		.nodes = c->nodes,
		.services = c->services,
		.vips = c->vips,
		.names = c->names,
		.n_nodes = 2,
		.n_services = 2,
		.n_vips = 4,
		.dns = {.zones = c->zones, .ttl = 60},
	};
}

static void add_name(struct cluster *c, const char *name, int32_t service, int32_t node)
{
	struct config_name *to = &c->names[c->config.n_names];

	*to = (struct config_name){
		.service = service, .node = node, .line = 10 + c->config.n_names++};
	snprintf(to->name, sizeof(to->name), "%s", name);
}

static void add_zone(struct cluster *c, const char *name, const char *path)
{
	struct config_zone *to = &c->zones[c->config.dns.n_zones++];

	snprintf(to->name, sizeof(to->name), "%s", name);
	snprintf(to->path, sizeof(to->path), "%s", path);
	to->line = 3;
}

static void set_domain(struct cluster *c, const char *domain)
{
	snprintf(c->config.domain, sizeof(c->config.domain), "%s", domain);
}

/* All zones as text, one behind the other, or "" if there was an error; to be freed. */
static char *derived(const struct cluster *c, struct complaints *complaints)
{
	const struct derive_input in = {&c->config, "roost.yaml", 1763850000};
	const struct load_listener listener = listener_to(complaints);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	uint32_t n = 0;
	struct zone **zones = derive_zones(&in, &listener, &n);

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(zones == NULL, complaints->n_errors > 0);
	for (uint32_t i = 0; i < n; i++)
		ck_assert(zone_print(zones[i], f));
	derive_free(zones, n);
	ck_assert_int_eq(fclose(f), 0);
	return text;
}

/* Of many alike. */
static void first_only(void *context, enum zone_severity severity, const struct zone_place *place,
	const char *text)
{
	struct complaints *c = context;

	if (c->n_errors == 0)
		listener_to(c).tell(context, severity, place, text);
}

static void expect_zones(const struct cluster *c, const char *expected)
{
	struct complaints complaints = {0};
	char *text = derived(c, &complaints);

	ck_assert_str_eq(complaints.text, "");
	ck_assert_str_eq(text, expected);
	free(text);
}

static void expect_complaints(const struct cluster *c, const char *expected)
{
	struct complaints complaints = {0};
	char *text = derived(c, &complaints);

	ck_assert_str_eq(complaints.text, expected);
	free(text);
}

/* A master file of its own for a test; removed by remove_file(). */
static char path[32];

static void write_file(const char *text)
{
	strcpy(path, "/tmp/roost-derive-XXXXXX");
	const int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void remove_file(void)
{
	ck_assert_int_eq(unlink(path), 0);
}

START_TEST(a_domain_has_its_services_and_nodes)
{
	struct cluster c;

	cluster_init(&c);
	set_domain(&c, "example.com");
	add_name(&c, "www.example.com", 0, -1);
	add_name(&c, "mail.example.com", 1, -1);
	add_name(&c, "www1.example.com", -1, 0);
	add_name(&c, "www2.example.com", -1, 1);
	expect_zones(&c, "$ORIGIN example.com.\n"
			 "@                          3600 IN SOA     www1.example.com. "
			 "hostmaster.example.com. 1763850000 14400 3600 1209600 300\n"
			 "@                          3600 IN NS      www1.example.com.\n"
			 "@                          3600 IN NS      www2.example.com.\n"
			 "mail                         60 IN A       10.1.1.203\n"
			 "mail                         60 IN AAAA    2001:db8::203\n"
			 "www                          60 IN A       10.1.1.201\n"
			 "www                          60 IN A       10.1.1.202\n"
			 "www1                       3600 IN A       10.1.1.2\n"
			 "www2                       3600 IN A       10.1.1.3\n"
			 "www2                       3600 IN AAAA    2001:db8::3\n");
}
END_TEST

START_TEST(a_service_with_a_domain_name_needs_nothing_else)
{
	struct cluster c;

	cluster_init(&c);
	add_name(&c, "www.example.org", 0, -1);
	expect_zones(&c, "$ORIGIN example.org.\n"
			 "@                          3600 IN SOA     www1.example.org. "
			 "hostmaster.example.org. 1763850000 14400 3600 1209600 300\n"
			 "@                          3600 IN NS      www1.example.org.\n"
			 "@                          3600 IN NS      www2.example.org.\n"
			 "www                          60 IN A       10.1.1.201\n"
			 "www                          60 IN A       10.1.1.202\n"
			 "www1                       3600 IN A       10.1.1.2\n"
			 "www2                       3600 IN A       10.1.1.3\n"
			 "www2                       3600 IN AAAA    2001:db8::3\n");
}
END_TEST

/* The origins of all zones, in their order. */
static void expect_origins(const struct cluster *c, const char *expected)
{
	struct complaints complaints = {0};
	char *text = derived(c, &complaints), found[512] = "", *rest = text, *line;

	ck_assert_str_eq(complaints.text, "");
	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, "$ORIGIN ", 8) == 0)
			strcat(strcat(found, line + 8), " ");
	}
	ck_assert_str_eq(found, expected);
	free(text);
}

START_TEST(names_share_zones)
{
	struct cluster c;

	cluster_init(&c);
	add_name(&c, "a.b.example.net", 0, -1);
	add_name(&c, "www.example.net", 0, -1);
	add_name(&c, "example.com", 0, -1);
	add_name(&c, "mail.example.com", 1, -1);
	add_name(&c, "WWW.example.org", 1, -1);
	expect_origins(&c, "example.com. example.net. example.org. ");
	/* The domain is a zone even within another that is derived, and without names in it. */
	set_domain(&c, "sub.example.org");
	expect_origins(&c, "example.com. example.net. example.org. sub.example.org. ");
}
END_TEST

/* RFC 4592 2.1.1: a wildcard stands for names below the one above it */
START_TEST(a_wildcard_is_in_the_zone_above_it)
{
	struct cluster c;

	cluster_init(&c);
	add_name(&c, "*.lan", 0, -1);
	add_name(&c, "*.example.com", 0, -1);
	expect_origins(&c, "example.com. lan. ");
	add_name(&c, "www.lan", 0, -1);
	expect_origins(&c, "example.com. lan. ");
	add_name(&c, "*", 0, -1);
	expect_origins(&c, ". ");
}
END_TEST

START_TEST(a_cluster_without_names_has_no_zones)
{
	struct cluster c;

	cluster_init(&c);
	expect_zones(&c, "");
}
END_TEST

START_TEST(records_know_their_service)
{
	const struct name www = name_of("www.example.com"), www1 = name_of("www1.example.com");
	const struct derive_input in = {.file = "roost.yaml", .serial = 1};
	const struct load_listener nobody = {0};
	struct derive_input from = in;
	struct cluster c;

	cluster_init(&c);
	from.config = &c.config;
	add_name(&c, "mail.example.com", 1, -1);
	add_name(&c, "www.example.com", 0, -1);
	struct zone *z = derive_zone(&from, &www, &nobody);

	ck_assert_ptr_nonnull(z);
	const struct zone_rrset *s = zone_rrset_of(zone_lookup(z, www.bytes), RDATA_A);

	ck_assert_uint_eq(s->service, 0);
	ck_assert_uint_eq(s->line, 11);
	ck_assert_str_eq(s->file, "roost.yaml");
	ck_assert_uint_eq(zone_lookup(z, www1.bytes)->rrsets->service, ZONE_NO_SERVICE);
	zone_free(z);
}
END_TEST

START_TEST(services_are_put_into_master_files)
{
	struct cluster c;

	write_file(APEX "@ MX 10 mail\nwww TXT beside\n");
	cluster_init(&c);
	add_zone(&c, "example.com", path);
	add_name(&c, "www.example.com", 0, -1);
	add_name(&c, "mail.example.com", 1, -1);
	add_name(&c, "example.com", 1, -1);
	/* The file's SOA and NS; the nodes are not in it unless it says so. */
	expect_zones(&c, "$ORIGIN example.com.\n"
			 "@                           300 IN SOA     ns1.example.com. "
			 "hostmaster.example.com. 7 14400 3600 1209600 300\n"
			 "@                            60 IN A       10.1.1.203\n"
			 "@                           300 IN NS      ns1.example.com.\n"
			 "@                           300 IN MX      10 mail.example.com.\n"
			 "@                            60 IN AAAA    2001:db8::203\n"
			 "mail                         60 IN A       10.1.1.203\n"
			 "mail                         60 IN AAAA    2001:db8::203\n"
			 "ns1                         300 IN A       192.0.2.1\n"
			 "www                          60 IN A       10.1.1.201\n"
			 "www                          60 IN A       10.1.1.202\n"
			 "www                         300 IN TXT     \"beside\"\n");
	remove_file();
}
END_TEST

START_TEST(a_name_in_both_is_an_error_that_says_where)
{
	struct cluster c;
	char expected[1024];

	write_file(APEX "www A 192.0.2.7\nmail CNAME www\nsub NS ns.example.net.\n");
	cluster_init(&c);
	add_zone(&c, "example.com", path);
	set_domain(&c, "example.com");
	add_name(&c, "www.example.com", 0, -1);
	add_name(&c, "mail.example.com", 1, -1);
	add_name(&c, "ns1.example.com", -1, 0);
	add_name(&c, "www.sub.example.com", 1, -1);
	snprintf(expected, sizeof(expected),
		"roost.yaml:10: error: www.example.com. has its addresses from here and from "
		"%s:5; one of them must go\n"
		"roost.yaml:11: error: mail.example.com. has its addresses from here and from "
		"%s:6; one of them must go\n"
		"roost.yaml:12: error: ns1.example.com. has its addresses from here and from "
		"%s:4; one of them must go\n"
		"roost.yaml:13: error: www.sub.example.com. can't be served: sub.example.com. is "
		"delegated to other servers at %s:7\n",
		path, path, path, path);
	expect_complaints(&c, expected);
	remove_file();
}
END_TEST

START_TEST(a_service_can_not_have_a_nodes_name)
{
	struct cluster c;

	cluster_init(&c);
	add_name(&c, "www2.example.org", 0, -1);
	expect_complaints(&c,
		"roost.yaml:10: error: www2.example.org. is the name of a service and of the "
		"node www2\n");
}
END_TEST

START_TEST(a_nodes_name_may_be_a_domain_name)
{
	struct cluster c;
	struct complaints complaints = {0};

	cluster_init(&c);
	strcpy(c.nodes[0].name, "a.example.org");
	strcpy(c.nodes[1].name, "b.example.com");
	add_name(&c, "www.example.org", 0, -1);
	char *text = derived(&c, &complaints);

	ck_assert_ptr_nonnull(strstr(text, "NS      a.example.org.\n"));
	ck_assert_ptr_nonnull(strstr(text, "NS      b.example.org.\n"));
	free(text);
}
END_TEST

START_TEST(names_are_shown_as_people_write_them_where_the_terminal_can)
{
	const struct name other = name_of("xn--80a1acny.xn--p1ai");
	struct complaints complaints = {0};
	const struct load_listener listener = listener_to(&complaints);
	struct cluster c;

	cluster_init(&c);
	const struct derive_input in = {&c.config, "roost.yaml", 1};

	setlocale(LC_CTYPE, "C.UTF-8");
	ck_assert_ptr_null(derive_zone(&in, &other, &listener));
	setlocale(LC_CTYPE, "C");
	ck_assert_ptr_null(derive_zone(&in, &other, &listener));
	ck_assert_str_eq(complaints.text,
		"roost.yaml: error: почта.рф. (xn--80a1acny.xn--p1ai.) is in none of the zones\n"
		"roost.yaml: error: xn--80a1acny.xn--p1ai. is in none of the zones\n");
}
END_TEST

START_TEST(two_nodes_are_never_one_name_server)
{
	struct cluster c;

	cluster_init(&c);
	strcpy(c.nodes[0].name, "a.example.org");
	strcpy(c.nodes[1].name, "a.example.com");
	add_name(&c, "www.example.org", 0, -1);
	add_name(&c, "www.example.net", 0, -1);
	expect_complaints(&c,
		"roost.yaml:11: error: the nodes a.example.org and a.example.com would both be "
		"called a.example.net.; give them names that differ before the first dot\n"
		"roost.yaml:10: error: the nodes a.example.org and a.example.com would both be "
		"called a.example.org.; give them names that differ before the first dot\n");
	/* who has a master file says himself what the servers are called */
	write_file(APEX);
	c.config.n_names = 1;
	add_zone(&c, "example.org", path);
	expect_origins(&c, "example.org. ");
	remove_file();
}
END_TEST

START_TEST(one_bad_zone_is_told_and_the_others_are_looked_at)
{
	struct cluster c;

	cluster_init(&c);
	add_zone(&c, "example.com", "/nonexistent/a");
	add_zone(&c, "example.net", "/nonexistent/b");
	add_zone(&c, "exa mple", "/nonexistent/c");
	expect_complaints(&c,
		"roost.yaml:3: error: \"exa mple\" is no domain name: it has a character that "
		"must be written as \\DDD\n");
	c.config.dns.n_zones = 2;
	expect_complaints(&c,
		"roost.yaml:3: error: /nonexistent/a can't be read: No such file or directory\n"
		"roost.yaml:3: error: /nonexistent/b can't be read: No such file or directory\n");
}
END_TEST

START_TEST(a_name_outside_all_zones_has_none)
{
	const struct name other = name_of("www.example.net"), www = name_of("x.www.example.com");
	struct complaints complaints = {0};
	const struct load_listener listener = listener_to(&complaints);
	struct cluster c;

	cluster_init(&c);
	const struct derive_input in = {&c.config, "roost.yaml", 1};

	set_domain(&c, "example.com");
	ck_assert_ptr_null(derive_zone(&in, &other, &listener));
	ck_assert_str_eq(
		complaints.text, "roost.yaml: error: www.example.net. is in none of the zones\n");
	struct zone *z = derive_zone(&in, &www, &listener);

	ck_assert_ptr_nonnull(z);
	zone_free(z);
}
END_TEST

START_TEST(the_serial_is_when_the_file_was_changed)
{
	const struct timespec times[2] = {{.tv_sec = 1763850123}, {.tv_sec = 1763850123}};

	write_file("");
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	ck_assert_uint_eq(derive_serial(path), 1763850123);
	remove_file();
	ck_assert_uint_eq(derive_serial(path), 0);
}
END_TEST

START_TEST(what_is_no_name_is_told_with_its_line)
{
	const struct load_listener nobody = {0};
	const struct name www = name_of("www.example.com");
	struct cluster c;

	cluster_init(&c);
	const struct derive_input in = {&c.config, "roost.yaml", 1};

	set_domain(&c, "exa mple");
	add_name(&c, "www..example.com", 0, -1);
	add_name(&c, "mail.example.com", 1, -1);
	expect_complaints(&c,
		"roost.yaml: error: \"exa mple\" is no domain name: it has a character that must "
		"be written as \\DDD\n"
		"roost.yaml:10: error: \"www..example.com\" is no domain name: it has an empty "
		"label\n");
	/* nobody need listen */
	ck_assert_ptr_null(derive_zone(&in, &www, &nobody));
}
END_TEST

START_TEST(a_domain_within_a_master_files_zone_is_a_zone_of_its_own)
{
	struct cluster c;

	write_file(APEX "sub NS ns.example.net.\n");
	cluster_init(&c);
	add_zone(&c, "example.com", path);
	set_domain(&c, "sub.example.com");
	expect_origins(&c, "example.com. sub.example.com. ");
	remove_file();
}
END_TEST

START_TEST(a_service_may_have_more_vips_than_a_message)
{
	static struct config_vip vips[5000];
	struct cluster c;

	cluster_init(&c);
	for (uint32_t i = 0; i < ARRAY_SIZE(vips); i++)
		vips[i].address =
			addr_from_ipv4((const uint8_t[]){10, 2, (uint8_t)(i >> 8), (uint8_t)i});
	c.config.vips = vips;
	c.config.n_vips = ARRAY_SIZE(vips);
	c.services[0].n_vips = ARRAY_SIZE(vips);
	add_name(&c, "www.example.com", 0, -1);
	struct complaints complaints = {0};
	const struct derive_input in = {&c.config, "roost.yaml", 1};
	const struct load_listener listener = {first_only, &complaints};
	uint32_t n = 0;

	ck_assert_ptr_null(derive_zones(&in, &listener, &n));
	ck_assert_str_eq(complaints.text,
		"roost.yaml:10: error: all A records of www.example.com. don't fit into one DNS "
		"message\n");
}
END_TEST

/* With its final dot and the root it has 3 more bytes than characters. */
static void make_long_name(char name[static 256], const char *first, size_t length)
{
	size_t used = (size_t)snprintf(name, 256, "%s", first);

	for (size_t i = used; i < length; i++)
		name[i] = i % 50 == 49 ? '.' : 'x';
	name[length] = '\0';
}

START_TEST(a_domain_may_be_too_long_for_more_than_its_services)
{
	struct complaints complaints = {0};
	struct cluster c;
	char name[256], *text;

	cluster_init(&c);
	strcpy(c.nodes[1].name, "www1-with-a-longer-name");
	make_long_name(name, "", 246);
	set_domain(&c, name);
	text = derived(&c, &complaints);
	ck_assert_uint_eq(complaints.n_errors, 1);
	ck_assert_ptr_nonnull(strstr(complaints.text,
		"roost.yaml: error: the node www1-with-a-longer-name has no name in xxx"));
	free(text);
	strcpy(c.nodes[1].name, "www2");
	complaints = (struct complaints){0};
	text = derived(&c, &complaints);
	ck_assert_str_eq(complaints.text, "");
	/* nor has hostmaster room in it (RFC 2142 7) */
	ck_assert_ptr_null(strstr(text, "hostmaster"));
	free(text);
}
END_TEST

START_TEST(thirteen_nodes_are_name_servers_and_all_have_addresses)
{
	static struct config_node nodes[20];
	struct complaints complaints = {0};
	struct cluster c;
	char *text;
	unsigned n_servers = 0, n_addresses = 0;

	cluster_init(&c);
	for (uint32_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		nodes[i] = (struct config_node){.n_addresses = 1};
		nodes[i].addresses[0] = addr_from_ipv4((const uint8_t[]){10, 3, 0, (uint8_t)i});
		snprintf(nodes[i].name, sizeof nodes[i].name, "n%u", i);
	}
	c.config.nodes = nodes;
	c.config.n_nodes = ARRAY_SIZE(nodes);
	set_domain(&c, "example.com");
	text = derived(&c, &complaints);
	for (const char *at = text; (at = strstr(at, " IN NS ")); at++)
		n_servers++;
	for (const char *at = text; (at = strstr(at, " IN A ")); at++)
		n_addresses++;
	ck_assert_uint_eq(n_servers, DERIVE_NAME_SERVERS_MAX);
	ck_assert_uint_eq(n_addresses, ARRAY_SIZE(nodes));
	free(text);
}
END_TEST

START_TEST(a_node_has_the_name_that_the_file_gives_it_there)
{
	struct complaints complaints = {0};
	struct cluster c;
	char *text;

	cluster_init(&c);
	strcpy(c.nodes[1].name, "www2.example.org");
	add_name(&c, "ns.example.net", -1, 0);
	add_name(&c, "ns.example.com", -1, 0);
	add_name(&c, "a.www2.example.com", 0, -1); /* so that www2 is there, and empty */
	set_domain(&c, "example.com");
	text = derived(&c, &complaints);
	ck_assert_str_eq(complaints.text, "");
	ck_assert_ptr_nonnull(strstr(text, "NS      ns.example.com.\n"));
	ck_assert_ptr_nonnull(strstr(text, "NS      www2.example.com.\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "\nwww2                       3600 IN A       10.1.1.3\n"));
	free(text);
}
END_TEST

START_TEST(a_master_file_that_is_unsound_spoils_its_zone)
{
	struct complaints complaints = {0};
	char expected[256], *text;
	struct cluster c;

	write_file("$TTL 60\n@ NS ns.example.net.\n");
	cluster_init(&c);
	add_zone(&c, "example.com", path);
	text = derived(&c, &complaints);
	snprintf(expected, sizeof expected, "%s: error: the zone example.com. has no SOA record\n",
		path);
	ck_assert_str_eq(complaints.text, expected);
	free(text);
	remove_file();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_domain_has_its_services_and_nodes,
		a_service_with_a_domain_name_needs_nothing_else,
		names_share_zones,
		a_wildcard_is_in_the_zone_above_it,
		a_cluster_without_names_has_no_zones,
		records_know_their_service,
		services_are_put_into_master_files,
		a_name_in_both_is_an_error_that_says_where,
		a_service_can_not_have_a_nodes_name,
		a_nodes_name_may_be_a_domain_name,
		names_are_shown_as_people_write_them_where_the_terminal_can,
		two_nodes_are_never_one_name_server,
		one_bad_zone_is_told_and_the_others_are_looked_at,
		a_name_outside_all_zones_has_none,
		the_serial_is_when_the_file_was_changed,
		what_is_no_name_is_told_with_its_line,
		a_domain_within_a_master_files_zone_is_a_zone_of_its_own,
		a_service_may_have_more_vips_than_a_message,
		a_domain_may_be_too_long_for_more_than_its_services,
		thirteen_nodes_are_name_servers_and_all_have_addresses,
		a_node_has_the_name_that_the_file_gives_it_there,
		a_master_file_that_is_unsound_spoils_its_zone,
	};

	return run_suite("derive", tests, ARRAY_SIZE(tests));
}
