/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <jansson.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/machine.h"
#include "ctl/status_text.h"
#include "ctl/table.h"
#include "ctl/rotation_warnings.h"
#include "ctl/warnings.h"
#include "fixtures.h"
#include "suite.h"

static char *status_text(const json_t *document, bool colour)
{
	struct sheet s;

	ck_assert_ptr_nonnull(document);
	sheet_open(&s, colour);
	status_text_print(document, &s.paper);
	sheet_close(&s);
	return s.text;
}

static char *file_text(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 16);

	ck_assert_msg(f && text, "%s", path);
	ck_assert_uint_gt(fread(text, 1, (1 << 16) - 1, f), 0);
	fclose(f);
	return text;
}

START_TEST(status_reads_as_the_golden_text)
{
	json_t *document = json_load_file(TEST_DATA "/status.json", 0, NULL);
	char *text = status_text(document, false), *golden = file_text(TEST_DATA "/status.txt");

	ck_assert_str_eq(text, golden);
	free(golden);
	free(text);
	json_decref(document);
}
END_TEST

START_TEST(a_vip_that_nobody_holds_is_red_on_a_terminal_and_plain_elsewhere)
{
	json_t *document = json_load_file(TEST_DATA "/status.json", 0, NULL);
	char *coloured = status_text(document, true), *plain = status_text(document, false);

	ck_assert_ptr_nonnull(strstr(coloured, "\033[1;31mnobody\033[0m"));
	ck_assert_ptr_null(strchr(plain, '\033'));
	free(coloured);
	free(plain);
	json_decref(document);
}
END_TEST

START_TEST(a_node_that_ought_to_serve_and_is_not_heard_is_called_silent)
{
	json_t *document = json_loads("{\"vips\":[{\"order\":[\"a\",\"b\",\"c\"]},{}],\"nodes\":["
				      "{\"name\":\"a\",\"vips\":0,\"heard_s\":12},"
				      "{\"name\":\"b\",\"vips\":1,\"heard_s\":0.1},"
				      "{\"name\":\"c\",\"vips\":0,\"heard_s\":13}]}",
		0, NULL);
	char *text = status_text(document, false);

	ck_assert_ptr_nonnull(strstr(text, "silent for 12 s"));
	ck_assert_ptr_nonnull(strstr(text, "100 ms ago"));
	ck_assert_ptr_nonnull(strstr(text, "13 s ago"));
	free(text);
	json_decref(document);
}
END_TEST

START_TEST(a_fence_that_does_not_protect_in_full_is_told_so)
{
	static const struct {
		const char *fence, *line;
	} cases[] = {
		{"{\"mechanism\":\"clsact\",\"protected\":true}", "fence: clsact\n"},
		{"{\"mechanism\":\"clsact\",\"protected\":true,\"reason\":\"no tcx\"}",
			"fence: clsact (no tcx)\n"},
		{"{\"mechanism\":\"tcx\",\"protected\":false,\"reason\":\"no fence on eth1\"}",
			"fence: tcx (not fully protected: no fence on eth1)\n"},
		{"{\"mechanism\":\"lifetime\",\"reason\":null}",
			"fence: lifetime (not fully protected)\n"},
		{"{\"mechanism\":\"off\",\"protected\":false,\"reason\":\"as the file says\"}",
			"fence: off (not protected: as the file says)\n"},
		{"{}", "fence: ? (not fully protected)\n"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		json_t *document = json_object();
		char *text;

		json_object_set_new(document, "fence", json_loads(cases[i].fence, 0, NULL));
		text = status_text(document, false);
		ck_assert_msg(strstr(text, cases[i].line), "%s: %s", cases[i].fence, text);
		free(text);
		json_decref(document);
	}
}
END_TEST

START_TEST(a_document_with_missing_or_odd_fields_still_prints)
{
	static const char *const documents[] = {
		"{}",
		"{\"vips\":7,\"nodes\":{},\"interfaces\":\"x\",\"counters\":[1]}",
		"{\"vips\":[{}],\"nodes\":[{}],\"interfaces\":[{}],\"counters\":{\"a\":\"b\"}}",
		"{\"fence\":[]}",
		"{\"fence\":{\"mechanism\":1,\"reason\":{},\"dropped\":[7]}}",
		"{\"vips\":[1,null],\"nodes\":[\"x\"],\"interfaces\":[[]],\"counters\":{\"a\":"
		"1e300}}",
		"{\"uptime_s\":-1e300,\"vips\":[{\"since_s\":1e300,\"since\":\"soon\",\"order\":[1]"
		"}]}",
		"{\"vips\":[{\"order\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\"]}]}",
	};

	for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
		json_t *document = json_loads(documents[i], 0, NULL);
		char *text = status_text(document, false);

		ck_assert_ptr_nonnull(strstr(text, "of cluster ?"));
		free(text);
		json_decref(document);
	}
}
END_TEST

START_TEST(long_orders_are_cut_with_a_count)
{
	json_t *document = json_loads(
		"{\"vips\":[{\"order\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\"]}]}", 0, NULL);
	char *text = status_text(document, false);

	ck_assert_ptr_nonnull(strstr(text, "a > b > c > d > e and 2 more\n"));
	free(text);
	json_decref(document);
}
END_TEST

START_TEST(control_characters_from_the_socket_never_reach_the_terminal)
{
	json_t *document = json_loads(
		"{\"node\":\"a\\u001b[2Jb\\u0007\\u009b\\u00e4\",\"state\":\"serving\\n\"}", 0,
		NULL);
	char *text = status_text(document, false);

	ck_assert_ptr_nonnull(strstr(text, "a?[2Jb??\xc3\xa4 of cluster"));
	ck_assert_ptr_nonnull(strstr(text, "serving?,"));
	free(text);
	json_decref(document);
}
END_TEST

START_TEST(spans_are_told_in_units_that_people_use)
{
	static const struct {
		double seconds;
		const char *text;
	} spans[] = {
		{-1, "0 ms"},
		{0.02, "20 ms"},
		{0.9999, "1.0 s"},
		{3.24, "3.2 s"},
		{9.96, "9 s"},
		{119, "119 s"},
		{240, "4 min"},
		{7500, "2 h 5 min"},
		{273600, "3 d 4 h"},
	};
	char text[SPAN_SIZE];

	for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
		ck_assert_str_eq(span_format(spans[i].seconds, text), spans[i].text);
}
END_TEST

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
	static const char *const headings[] = {"NAME", ">VIPS", "NOTE"};
	struct table t;
	struct sheet s;

	table_init(&t, headings, 3);
	table_cell(&t, STYLE_PLAIN, "b\xc3\xbcro"); /* four characters in five bytes */
	table_cell(&t, STYLE_PLAIN, "%d", 12345);
	table_cell(&t, STYLE_PLAIN, "x");
	sheet_open(&s, false);
	table_print(&t, &s.paper, 1);
	ck_assert_str_eq(sheet_close(&s), " NAME   VIPS  NOTE\n b\xc3\xbcro  12345  x\n");
	free(s.text);
	table_fini(&t);
}
END_TEST

/* A daemon in a child process that answers one client with @answer. */
static void serve_once(struct sockaddr_un *address, const char *answer)
{
	const int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof address->sun_path, "/tmp/roost-test-ctl.%d", getpid());
	unlink(address->sun_path);
	ck_assert_int_eq(bind(listener, (const struct sockaddr *)address, sizeof *address), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	if (check_fork() == 0) {
		const int client = accept(listener, NULL, NULL);
		char request[256] = "";

		ck_assert_int_gt(recv(client, request, sizeof request - 1, 0), 0);
		ck_assert_str_eq(request, "{\"command\":\"status\"}\n");
		ck_assert_int_eq(send(client, answer, strlen(answer), 0), (int)strlen(answer));
		_exit(EXIT_SUCCESS);
	}
	close(listener);
}

/* What the tool complains about when the daemon says @answer; NULL if it takes it. */
static char *complaint_about(const char *answer)
{
	struct sockaddr_un address;
	struct sheet s;
	json_t *document;

	serve_once(&address, answer);
	sheet_open(&s, false);
	document = client_ask(address.sun_path, "status", s.paper.out);
	unlink(address.sun_path);
	sheet_close(&s);
	if (!document)
		return s.text;
	ck_assert_str_eq(s.text, "");
	json_decref(document);
	free(s.text);
	return NULL;
}

START_TEST(names_are_shown_as_u_labels_where_the_terminal_can)
{
	json_t *document = json_loads("{\"vips\":[{\"service\":\"xn--r8jz45g.xn--fiqs8s\","
				      "\"holder\":\"xn--r8jz45g\","
				      "\"order\":[\"xn--r8jz45g\",\"www2\"]}],"
				      "\"nodes\":[{\"name\":\"xn--r8jz45g\"},{\"name\":\"www2\"}]}",
		0, NULL);
	char *text;

	setlocale(LC_CTYPE, "C.UTF-8");
	text = status_text(document, false);
	ck_assert_ptr_nonnull(strstr(text, "\n例え.中国 (xn--r8jz45g.xn--fiqs8s) on ?\n"));
	ck_assert_ptr_nonnull(strstr(text, "例え > www2"));
	ck_assert_ptr_nonnull(strstr(text, "\n例え (xn--r8jz45g)  ?        "));
	/* each character of these is two columns wide, as a terminal shows it */
	ck_assert_ptr_nonnull(strstr(text, "\nwww2                ?        "));
	free(text);

	setlocale(LC_CTYPE, "C");
	text = status_text(document, false);
	ck_assert_ptr_nonnull(strstr(text, "\nxn--r8jz45g.xn--fiqs8s on ?\n"));
	ck_assert_ptr_nonnull(strstr(text, "xn--r8jz45g > www2"));
	free(text);
	json_decref(document);
}
END_TEST

START_TEST(an_answer_is_taken)
{
	ck_assert_ptr_null(complaint_about("{\"node\":\"www1\"}\n"));
}
END_TEST

START_TEST(an_answer_of_many_pieces_is_taken)
{
	char *answer = malloc(300001);

	memset(answer, ' ', 300000);
	answer[0] = '{';
	answer[299999] = '}';
	answer[300000] = '\0';
	ck_assert_ptr_null(complaint_about(answer));
	free(answer);
}
END_TEST

START_TEST(a_refusal_is_passed_on)
{
	char *text = complaint_about("{\"error\":\"not now\"}\n");

	ck_assert_str_eq(text, "roost: roostd refuses: not now\n");
	free(text);
}
END_TEST

START_TEST(a_refusal_cannot_steer_the_terminal)
{
	char *text = complaint_about("{\"error\":\"\\u001b[2J\\n\\u009b1m\"}\n");

	ck_assert_str_eq(text, "roost: roostd refuses: ?[2J??1m\n");
	free(text);
}
END_TEST

START_TEST(nonsense_is_not_taken_for_an_answer)
{
	char *text = complaint_about("[1,2\n");

	ck_assert_ptr_nonnull(strstr(text, "something other than a JSON object"));
	free(text);
}
END_TEST

START_TEST(without_a_daemon_one_line_says_where_it_was_sought)
{
	struct sheet s;

	sheet_open(&s, false);
	ck_assert_ptr_null(client_ask("/nowhere/roostd.sock", "status", s.paper.out));
	ck_assert_str_eq(sheet_close(&s), "roost: /nowhere/roostd.sock: No such file or directory; "
					  "is roostd running? (-s names another socket)\n");
	free(s.text);
}
END_TEST

START_TEST(a_path_that_is_too_long_for_a_socket_is_refused)
{
	char path[300];
	struct sheet s;

	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	sheet_open(&s, false);
	ck_assert_ptr_null(client_ask(path, "status", s.paper.out));
	ck_assert_ptr_nonnull(strstr(sheet_close(&s), "File name too long"));
	free(s.text);
}
END_TEST

static char *warnings_of(const struct cluster *k, uint32_t n_expected)
{
	struct plan *plan = plan_new(&k->config, 1500, NULL);
	struct sheet s;

	ck_assert_ptr_nonnull(plan);
	sheet_open(&s, false);
	ck_assert_uint_eq(warnings_print("r.yaml", &k->config, plan, s.paper.out), n_expected);
	sheet_close(&s);
	plan_free(plan);
	return s.text;
}

/* What is said of one service with these VIPs, each on a line; to be freed. */
static char *rotation_warnings_of(
	const char *const *vips, const struct config_machine *here, uint32_t n_expected)
{
	struct cluster k;
	struct sheet s;
	uint32_t n = 0;

	while (vips[n])
		n++;
	cluster_init(&k, 2, n, tick_ms(100));
	for (uint32_t i = 0; i < n; i++)
		ck_assert(addr_parse(vips[i], &k.config.vips[i].address));
	k.config.vips[0].line = 7;
	sheet_open(&s, false);
	ck_assert_uint_eq(
		rotation_warnings_print("r.yaml", &k.config, here, s.paper.out), n_expected);
	sheet_close(&s);
	k.config.services[0].rotation = CONFIG_ROTATION_WEIGHTED;
	ck_assert_uint_eq(rotation_warnings_print("r.yaml", &k.config, here, stderr), 0);
	return s.text;
}

static void expect_rotation_warning(
	const char *const *vips, const struct config_machine *here, const char *expected)
{
	char *text = rotation_warnings_of(vips, here, 1), whole[512];

	(void)snprintf(
		whole, sizeof whole, "r.yaml:7: warning: service www: clients in %s\n", expected);
	ck_assert_str_eq(text, whole);
	free(text);
}

#define SORT      "that sort addresses (RFC 6724 rule 9) undo the rotation: "
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(vips_that_split_their_clients_are_warned_of)
{
	expect_rotation_warning(LIST("10.1.1.4", "10.1.1.5", "10.1.1.201"), NULL,
		"10.1.1.0/24 " SORT "the half in 10.1.1.0/25 always chooses 10.1.1.4 or 10.1.1.5, "
		"the other half 10.1.1.201; VIPs from 10.1.1.4 to 10.1.1.7 would be equally near "
		"to all, and \"rotation: weighted\" leaves no choice");
	/* as many clients for each: every one of them chooses the same VIP always */
	expect_rotation_warning(LIST("10.1.1.10", "10.1.1.150"), NULL,
		"10.1.1.0/24 " SORT "the half in 10.1.1.0/25 always chooses 10.1.1.10, "
		"the other half 10.1.1.150; VIPs from 10.1.1.10 to 10.1.1.11 would be equally near "
		"to all, and \"rotation: weighted\" leaves no choice");
	expect_rotation_warning(
		LIST("10.1.1.193", "10.1.1.194", "10.1.1.195", "10.1.1.201", "10.1.1.222"), NULL,
		"10.1.1.192/27 " SORT "the half in 10.1.1.192/28 always chooses one of 4 from "
		"10.1.1.193 to 10.1.1.201, the other half 10.1.1.222; VIPs from 10.1.1.192 to "
		"10.1.1.199 would be equally near to all, and \"rotation: weighted\" leaves no "
		"choice");
}
END_TEST

START_TEST(over_ipv6_clients_sort_what_is_far_away)
{
	expect_rotation_warning(LIST("fd00:1::3000", "fd00:1::8000"), NULL,
		"fd00:1::/112 " SORT "the half in fd00:1::/113 always chooses fd00:1::3000, the "
		"other half fd00:1::8000; VIPs from fd00:1::3000 to fd00:1::3001 would be equally "
		"near to all, and \"rotation: weighted\" leaves no choice");
	expect_rotation_warning(LIST("2001:db8:53:1::1", "2001:db8:8000::1"), NULL,
		"2001:db8::/32 " SORT "the half in 2001:db8::/33 always chooses 2001:db8:53:1::1, "
		"the other half 2001:db8:8000::1; VIPs from 2001:db8:53:1::2 to 2001:db8:53:1::3 "
		"would be equally near to all, and \"rotation: weighted\" leaves no choice");
}
END_TEST

START_TEST(clients_of_a_network_with_some_of_the_vips_choose_those)
{
	char *text = rotation_warnings_of(LIST("10.1.1.10", "10.1.1.11", "192.168.7.10"), NULL, 2);

	ck_assert_str_eq(text,
		"r.yaml:7: warning: service www: clients in 10.1.1.0/24 " SORT
		"they always choose 10.1.1.10 or 10.1.1.11, and none of the other 1; VIPs from "
		"10.1.1.8 to 10.1.1.11 would be equally near to all, and \"rotation: weighted\" "
		"leaves no choice\n"
		"r.yaml:7: warning: service www: clients in 192.168.7.0/24 " SORT
		"they always choose 192.168.7.10, and none of the other 2; VIPs from 192.168.7.8 "
		"to 192.168.7.11 would be equally near to all, and \"rotation: weighted\" leaves "
		"no choice\n");
	free(text);
}
END_TEST

/* the address of a machine, and the length of its network's prefix */
static struct config_subnet subnet(const char *text, uint8_t len)
{
	struct config_subnet s = {.interface = "eth0", .prefix.len = len};

	ck_assert(addr_parse(text, &s.prefix.addr));
	return s;
}

START_TEST(networks_are_those_of_this_machine_where_it_has_them)
{
	/* a VIP that is held here is no network */
	const struct config_subnet subnets[] = {subnet("10.1.0.2", 96 + 22),
		subnet("10.1.3.7", 96 + 32), subnet("10.9.0.2", 96 + 30)};
	const struct config_machine here = {subnets, 3};

	expect_rotation_warning(LIST("10.1.1.10", "10.1.3.7"), &here,
		"10.1.0.0/22 " SORT "the half in 10.1.0.0/23 always chooses 10.1.1.10, the other "
		"half 10.1.3.7; VIPs from 10.1.1.10 to 10.1.1.11 would be equally near to all, and "
		"\"rotation: weighted\" leaves no choice");
	/* one of four addresses is left, and no block is free of the network's own */
	expect_rotation_warning(LIST("10.9.0.1", "10.9.0.2", "10.9.0.3"), &here,
		"10.9.0.0/30 " SORT "the half in 10.9.0.0/31 always chooses 10.9.0.1, the other "
		"half 10.9.0.2 or 10.9.0.3; \"rotation: weighted\" leaves no choice");
}
END_TEST

START_TEST(vips_that_fill_a_block_are_not_warned_of)
{
	free(rotation_warnings_of(LIST("10.1.1.201"), NULL, 0));
	free(rotation_warnings_of(LIST("10.1.1.201", "fd00:1::8000"), NULL, 0));
	free(rotation_warnings_of(LIST("10.1.1.201", "10.1.1.202", "10.1.1.203", "10.1.1.204",
					  "10.1.1.205", "10.1.1.206"),
		NULL, 0));
	free(rotation_warnings_of(
		LIST("10.1.1.201", "10.1.1.202", "2001:db8::a", "2001:db8::b"), NULL, 0));
}
END_TEST

static void expect_no_rotation_warning(const char *path)
{
	struct config_report report = {0};
	struct config *c = config_load(path, stderr, &report);

	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(rotation_warnings_print(path, c, NULL, stderr), 0);
	config_free(c);
}

START_TEST(the_shipped_examples_split_nobody)
{
	expect_no_rotation_warning(EXAMPLES "/minimal.yaml");
	expect_no_rotation_warning(EXAMPLES "/complete.yaml");
}
END_TEST

START_TEST(a_good_file_gets_no_warning)
{
	struct cluster k;
	char *text;

	cluster_init(&k, 3, 6, tick_ms(100));
	text = warnings_of(&k, 0);
	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

START_TEST(neighbours_closer_than_2_ms_are_warned_of)
{
	struct cluster k;
	char *text;

	cluster_init(&k, 4, 8, tick_ms(10)); /* 42/256 of 10 ms */
	text = warnings_of(&k, 1);
	ck_assert_str_eq(text,
		"r.yaml: warning: service www: at an interval of 10 ms, the nodes at "
		"places 1 and 2 of an order take over 1.64 ms apart, so both may serve "
		"for a moment; 20 ms would keep them 2 ms apart\n");
	free(text);
}
END_TEST

START_TEST(foreign_priorities_that_are_equal_are_warned_of)
{
	struct cluster k;
	char *text;

	cluster_init(&k, 3, 2, tick_ms(100));
	k.service.foreign_vrid = 51;
	k.service.vrrp.redundancy = 1;
	memcpy(k.service.priority, (uint8_t[]){200, 150, 150}, 3);
	text = warnings_of(&k, 1);
	ck_assert_ptr_nonnull(strstr(text, "www2 (150) and www3 (150) let them take over 0.00 ms"));
	free(text);
}
END_TEST

START_TEST(a_node_that_is_backup_of_nothing_is_named)
{
	struct cluster k;
	char *text;

	cluster_init(&k, 2, 1, tick_ms(100));
	text = warnings_of(&k, 1);
	ck_assert_ptr_nonnull(strstr(text, "www1 is Backup of no VIP"));
	free(text);
	k.service.vrrp.redundancy = 2;
	free(warnings_of(&k, 0));
}
END_TEST

START_TEST(a_rotation_that_secondaries_do_not_have_is_warned_of)
{
	struct cluster k;
	char *text;

	cluster_init(&k, 3, 6, tick_ms(100));
	k.config.dns.n_transfers = 1;
	free(warnings_of(&k, 0));
	k.service.rotation = CONFIG_ROTATION_WEIGHTED;
	text = warnings_of(&k, 1);
	ck_assert_ptr_nonnull(strstr(text, "service www: \"rotation: weighted\" does not reach the "
					   "secondaries in \"transfer\""));
	free(text);
	k.config.dns.n_transfers = 0;
	free(warnings_of(&k, 0));
}
END_TEST

START_TEST(a_single_node_is_warned_of)
{
	struct cluster k;
	char *text;

	cluster_init(&k, 1, 3, tick_ms(100));
	text = warnings_of(&k, 1);
	ck_assert_ptr_nonnull(strstr(text, "one node only"));
	free(text);
}
END_TEST

START_TEST(a_shortage_of_vrids_is_warned_of)
{
	struct cluster k;
	struct plan *plan;
	struct sheet s;

	cluster_init(&k, 3, 6, tick_ms(100));
	plan = plan_new(&k.config, 1500, NULL);
	ck_assert_ptr_nonnull(plan);
	plan->n_orders = 4;
	plan->n_orders_wanted = 6;
	sheet_open(&s, false);
	ck_assert_uint_eq(warnings_print("r.yaml", &k.config, plan, s.paper.out), 1);
	ck_assert_ptr_nonnull(strstr(sheet_close(&s), "the VRIDs suffice for 4 of the 6"));
	free(s.text);
	plan_free(plan);
}
END_TEST

START_TEST(what_the_machine_has_is_consistent)
{
	struct machine m;

	ck_assert_int_eq(machine_read(&m), 0);
	ck_assert_uint_ge(m.n_subnets, 1); /* the loopback's */
	for (uint32_t i = 0; i < m.n_subnets; i++) {
		const struct config_subnet *s = &m.subnets[i];
		const bool is_ipv4 = addr_is_ipv4(&s->prefix.addr);

		ck_assert_str_ne(s->interface, "");
		ck_assert_uint_lt(s->prefix.len, 128);
		ck_assert_uint_ge(s->prefix.len, is_ipv4 ? 96 : 0);
		ck_assert(prefix_contains(&s->prefix, &s->prefix.addr));
	}
	machine_fini(&m);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		status_reads_as_the_golden_text,
		a_vip_that_nobody_holds_is_red_on_a_terminal_and_plain_elsewhere,
		a_node_that_ought_to_serve_and_is_not_heard_is_called_silent,
		a_fence_that_does_not_protect_in_full_is_told_so,
		a_document_with_missing_or_odd_fields_still_prints,
		long_orders_are_cut_with_a_count,
		control_characters_from_the_socket_never_reach_the_terminal,
		spans_are_told_in_units_that_people_use,
		columns_are_as_wide_as_their_widest_cell,
		names_are_shown_as_u_labels_where_the_terminal_can,
		an_answer_is_taken,
		an_answer_of_many_pieces_is_taken,
		a_refusal_is_passed_on,
		a_refusal_cannot_steer_the_terminal,
		nonsense_is_not_taken_for_an_answer,
		without_a_daemon_one_line_says_where_it_was_sought,
		a_path_that_is_too_long_for_a_socket_is_refused,
		vips_that_split_their_clients_are_warned_of,
		over_ipv6_clients_sort_what_is_far_away,
		clients_of_a_network_with_some_of_the_vips_choose_those,
		networks_are_those_of_this_machine_where_it_has_them,
		vips_that_fill_a_block_are_not_warned_of,
		the_shipped_examples_split_nobody,
		a_good_file_gets_no_warning,
		neighbours_closer_than_2_ms_are_warned_of,
		foreign_priorities_that_are_equal_are_warned_of,
		a_node_that_is_backup_of_nothing_is_named,
		a_rotation_that_secondaries_do_not_have_is_warned_of,
		a_single_node_is_warned_of,
		a_shortage_of_vrids_is_warned_of,
		what_the_machine_has_is_consistent,
	};

	return run_suite("ctl", tests, sizeof tests / sizeof tests[0]);
}
