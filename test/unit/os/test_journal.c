/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>

#include "base/assert.h"
#include "os/journal.h"
#include "suite.h"

static struct config_node nodes[] = {
	{.name = "www1", .n_addresses = 1}, {.name = "www2", .n_addresses = 1}};
static struct config_interface interface = {.name = "eth0"};
static struct config_vip vip;
static struct config config = {
	.nodes = nodes,
	.n_nodes = 2,
	.interfaces = &interface,
	.n_interfaces = 1,
	.vips = &vip,
	.n_vips = 1,
};

static struct addr parsed(const char *text)
{
	struct addr a;

	ck_assert_msg(addr_parse(text, &a), "%s", text);
	return a;
}

static void expect(enum journal_level level, const char *line, struct node_record r)
{
	char text[256];

	nodes[0].addresses[0] = parsed("10.1.1.2");
	nodes[1].addresses[0] = parsed("10.1.1.3");
	vip.address = parsed("10.1.1.201");
	ck_assert_int_eq(journal_render(&config, &r, text, sizeof text), level);
	ck_assert_str_eq(text, line);
}

START_TEST(a_move_says_which_address_and_why)
{
	expect(JOURNAL_NOTICE, "serving 10.1.1.201 (nobody advertised it)",
		(struct node_record){.kind = NODE_RECORD_SERVING, .why = VRRP_WHY_SILENCE});
	expect(JOURNAL_NOTICE, "no longer serving 10.1.1.201 (this node was told to stop)",
		(struct node_record){.kind = NODE_RECORD_NOT_SERVING,
			.why = VRRP_WHY_STOP,
			.peer = parsed("10.1.1.3")});
}
END_TEST

START_TEST(a_peer_is_named_if_it_is_a_node)
{
	struct node_record r = {.kind = NODE_RECORD_NOT_SERVING, .why = VRRP_WHY_BETTER};

	r.peer = parsed("10.1.1.3");
	expect(JOURNAL_NOTICE,
		"no longer serving 10.1.1.201 (a node that comes first advertises it: www2)", r);
	r.peer = parsed("10.1.1.9");
	expect(JOURNAL_NOTICE,
		"no longer serving 10.1.1.201 (a node that comes first advertises it: 10.1.1.9)",
		r);
}
END_TEST

START_TEST(a_key_mismatch_is_an_error_once_it_parts_the_cluster)
{
	const struct node_record r = {.kind = NODE_RECORD_UNTRUSTED,
		.number = AUTH_UNKNOWN_KEY,
		.node = 1,
		.peer = parsed("fe80::3")};

	config.auth.mode = CONFIG_AUTH_PERMISSIVE;
	expect(JOURNAL_WARNING,
		"key mismatch: www2 (fe80::3 on eth0) signs with a key id that is not in this "
		"node's file of keys; with \"mode: enforce\" its advertisements would not count",
		r);
	config.auth.mode = CONFIG_AUTH_ENFORCE;
	expect(JOURNAL_ERROR,
		"key mismatch: www2 (fe80::3 on eth0) signs with a key id that is not in this "
		"node's file of keys; its advertisements do not count",
		r);
}
END_TEST

START_TEST(what_degrades_is_a_warning)
{
	expect(JOURNAL_WARNING,
		"conflict: www2 advertises 10.1.1.201 too and loses; announcing it again",
		(struct node_record){.kind = NODE_RECORD_CONFLICT, .peer = parsed("10.1.1.3")});
	expect(JOURNAL_WARNING,
		"stranger: 10.1.1.9 uses VRID 17 on eth0 for addresses that are not ours",
		(struct node_record){
			.kind = NODE_RECORD_STRANGER, .number = 17, .peer = parsed("10.1.1.9")});
	expect(JOURNAL_WARNING, "link: eth0 is down",
		(struct node_record){.kind = NODE_RECORD_LINK_DOWN});
	expect(JOURNAL_WARNING, "late: woke 35 ms late",
		(struct node_record){.kind = NODE_RECORD_LATE, .number = 35});
	expect(JOURNAL_WARNING,
		"offers itself as a last resort only: the kernel does not carry out what is wanted",
		(struct node_record){.kind = NODE_RECORD_ILL, .number = 2});
}
END_TEST

START_TEST(what_was_asked_for_is_not)
{
	expect(JOURNAL_NOTICE, "offers itself as a last resort only: drained",
		(struct node_record){.kind = NODE_RECORD_ILL, .number = 1});
	expect(JOURNAL_NOTICE, "takes part as usual again",
		(struct node_record){.kind = NODE_RECORD_WELL});
	expect(JOURNAL_INFO, "link: eth0 is up", (struct node_record){.kind = NODE_RECORD_LINK_UP});
	expect(JOURNAL_INFO, "redundancy: 4 per interval",
		(struct node_record){.kind = NODE_RECORD_REDUNDANCY, .number = 4});
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_move_says_which_address_and_why,
		a_peer_is_named_if_it_is_a_node,
		a_key_mismatch_is_an_error_once_it_parts_the_cluster,
		what_degrades_is_a_warning,
		what_was_asked_for_is_not,
	};

	return run_suite("journal", tests, ARRAY_SIZE(tests));
}
