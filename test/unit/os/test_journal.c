/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
	expect(JOURNAL_WARNING,
		"stranger: 10.1.1.9 advertises 10.1.1.201 on eth0 and is neither a node nor one of "
		"its peers: ignored",
		(struct node_record){.kind = NODE_RECORD_UNKNOWN_PEER, .peer = parsed("10.1.1.9")});
	expect(JOURNAL_WARNING, "link: eth0 is down",
		(struct node_record){.kind = NODE_RECORD_LINK_DOWN});
	expect(JOURNAL_WARNING, "late: woke 35 ms late",
		(struct node_record){.kind = NODE_RECORD_LATE, .number = 35});
	expect(JOURNAL_WARNING,
		"offers itself as a last resort only: the kernel does not carry out what is wanted",
		(struct node_record){.kind = NODE_RECORD_ILL, .number = NODE_ILL_KERNEL});
}
END_TEST

START_TEST(what_was_asked_for_is_not)
{
	expect(JOURNAL_NOTICE, "offers itself as a last resort only: drained",
		(struct node_record){.kind = NODE_RECORD_ILL, .number = NODE_ILL_DRAINED});
	expect(JOURNAL_NOTICE, "takes part as usual again",
		(struct node_record){.kind = NODE_RECORD_WELL});
	expect(JOURNAL_INFO, "link: eth0 is up", (struct node_record){.kind = NODE_RECORD_LINK_UP});
	expect(JOURNAL_INFO, "redundancy: 4 per interval",
		(struct node_record){.kind = NODE_RECORD_REDUNDANCY, .number = 4});
}
END_TEST

/* All that waits in @fd, to be freed. */
static char *read_waiting(int fd)
{
	const size_t size = 4u << 20;
	char *text = calloc(1, size);
	size_t used = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((n = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)n;
	return text;
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* A thousand lines into @ends[1], which nobody reads meanwhile, and one more after all were read.
 * Should a line wait, Check ends the test. */
static void journal_into(int ends[2])
{
	const int was = dup(STDERR_FILENO);
	struct journal *j = journal_new(&config, 0);
	char *before, *after;
	char lost[64];

	dup2(ends[1], STDERR_FILENO);
	for (int i = 0; i < 1000; i++)
		journal_line(j, JOURNAL_INFO, "%0999d", i);
	before = read_waiting(ends[0]);
	journal_line(j, JOURNAL_INFO, "again");
	after = read_waiting(ends[0]);
	dup2(was, STDERR_FILENO);

	ck_assert_uint_gt(count_lines(before), 10);
	ck_assert_uint_lt(count_lines(before), 1000);
	snprintf(lost, sizeof lost, "www1: journal: %u lines were not taken\n",
		1000 - count_lines(before));
	ck_assert_ptr_nonnull(strstr(after, lost));
	ck_assert_ptr_nonnull(strstr(after, "www1: again\n"));
	ck_assert_uint_eq(count_lines(after), 2);
	free(before);
	free(after);
	journal_free(j);
	close(was);
	close(ends[0]);
	close(ends[1]);
}

START_TEST(who_does_not_read_the_journal_holds_nothing_up)
{
	int ends[2];

	unsetenv("JOURNAL_STREAM");
	ck_assert_int_eq(pipe(ends), 0);
	journal_into(ends);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); /* as systemd has it */
	journal_into(ends);
}
END_TEST

START_TEST(each_line_about_a_mistake_in_the_file_has_its_level)
{
	char path[] = "/tmp/roost-test-XXXXXX", problem[JOURNAL_PROBLEM_SIZE] = "";
	const int was = dup(STDERR_FILENO), file = mkstemp(path);
	char *told, *rest, *line;
	int ends[2];

	ck_assert_int_gt(dprintf(file, "nodes: {www1: 10.1.1.2}\nintervall: 1\n"), 0);
	ck_assert_int_eq(pipe(ends), 0);
	setenv("JOURNAL_STREAM", "9:99", 1);
	dup2(ends[1], STDERR_FILENO);
	ck_assert_ptr_null(journal_load_config(path, problem));
	told = read_waiting(ends[0]);
	dup2(was, STDERR_FILENO);
	unsetenv("JOURNAL_STREAM");

	ck_assert_ptr_nonnull(strstr(told, ":2:1: error: "));
	ck_assert_ptr_nonnull(strstr(problem, ":2:1: error: "));
	ck_assert_ptr_null(strchr(problem, '\n'));
	ck_assert_uint_ge(count_lines(told), 3); /* it, the line, and the caret */
	rest = told;
	while ((line = strsep(&rest, "\n")) && rest)
		ck_assert_msg(strncmp(line, "<3>", 3) == 0, "%s", line);
	free(told);
	unlink(path);
	close(file);
	close(was);
	close(ends[0]);
	close(ends[1]);
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
		who_does_not_read_the_journal_holds_nothing_up,
		each_line_about_a_mistake_in_the_file_has_its_level,
	};

	return run_suite("journal", tests, ARRAY_SIZE(tests));
}
