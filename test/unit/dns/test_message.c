/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "dns/cookie.h"
#include "suite.h"
#include "world.h"

/* What is around the records: header, EDNS, cookies, sizes, and what is refused. */

static struct world *world;
static struct asking asking;
static struct told told;

static const struct answer_self self = {.nsid = "roost1",
	.cookie_secrets = {{0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f, 0x48, 0xe7, 0xdc, 0x84,
				   0x9e, 0x37, 0xbf, 0xcf},
		{7}},
	.n_cookie_secrets = 2};

static void setup(void)
{
	world = world_new();
	asking = (struct asking){
		.answerer = answerer_new(1), .catalog = world->catalog, .self = &self};
	ck_assert(asking.answerer);
}

static void teardown(void)
{
	answerer_free(asking.answerer);
	world_free(world);
}

/* Asks, and expects that much at the begin of the text, and that anywhere in it. */
static void expect(const struct asked *q, const char *begin, const char *part)
{
	char *text;

	ask(&asking, q, &told);
	text = told_text(&told);
	ck_assert_msg(strncmp(text, begin, strlen(begin)) == 0 && strstr(text, part), "%s", text);
	free(text);
}

static void expect_bytes(const char *message, size_t size, const char *begin)
{
	char *text;

	ask_message(&asking, (const uint8_t *)message, size, &told);
	text = told_text(&told);
	ck_assert_msg(strncmp(text, begin, strlen(begin)) == 0, "%s", text);
	free(text);
}

static unsigned count_lines(const struct asked *q, const char *part)
{
	unsigned n = 0;
	char *text;

	ask(&asking, q, &told);
	text = told_text(&told);
	for (const char *p = text; (p = strstr(p, part)); p++)
		n++;
	free(text);
	return n;
}

static uint64_t count_of(const atomic_uint_fast64_t *counter)
{
	return atomic_load(counter);
}

START_TEST(test_the_question_comes_back_letter_by_letter)
{
	/* wWw.eXaMPle.CoM, also of names that don't exist and of zones that are not ours. */
	expect(&(struct asked){.name = "wWw.eXaMPle.CoM", .type = DNS_A}, "NOERROR AA;",
		"question: 03 77 57 77 07 65 58 61 4d 50 6c 65 03 43 6f 4d 00 00 01 00 01");
	expect(&(struct asked){.name = "nO.eXaMPle.CoM", .type = DNS_A}, "NXDOMAIN AA;",
		"question: 02 6e 4f 07 65 58 61 4d 50 6c 65 03 43 6f 4d 00 00 01 00 01");
	expect(&(struct asked){.name = "aLIAs.example.com", .type = DNS_A}, "NOERROR AA;",
		"question: 05 61 4c 49 41 73");
	expect(&(struct asked){.name = "X.oRg", .type = DNS_A}, "REFUSED;", "01 58 03 6f 52 67");
}
END_TEST

START_TEST(test_flags_are_copied_or_cleared)
{
	struct asked q = {.name = "www.example.com", .type = DNS_A};

	for (int way = WAY_ANY; way <= WAY_SLOW; way++) {
		asking.way = (enum way)way;
		q.flags = DNS_RD;
		expect(&q, "NOERROR AA RD;", "");
		q.flags = DNS_AD | DNS_CD; /* RFC 4035 3.1.6 */
		expect(&q, "NOERROR AA;", "");
		q.flags = DNS_AA | DNS_TC | 0x0080 | 0x0040; /* RA, Z */
		expect(&q, "NOERROR AA;", "");
	}
}
END_TEST

/* RFC 6891 6.1.1, 7; RFC 3225 3. */
START_TEST(test_opt_is_answered_by_opt_alone)
{
	struct asked q = {.name = "www.example.com", .type = DNS_A};

	ck_assert_uint_eq(count_lines(&q, "; opt:"), 0);
	q.edns = true;
	expect(&q, "NOERROR AA;", "; opt: 1232 1 00000000\n");
	q.dnssec_ok = true;
	expect(&q, "NOERROR AA;", "; opt: 1232 1 00008000\n");
	q.name = "alias.example.com";
	expect(&q, "NOERROR AA;", "; opt: 1232 1 00008000\n");
}
END_TEST

START_TEST(test_the_servers_name_is_told_to_who_asks_for_it)
{
	const struct asked q = {
		.name = "www.example.com", .type = DNS_A, .edns = true, .nsid = true};

	expect(&q, "NOERROR AA;", "; opt: 1232 1 00000000 00 03 00 06 72 6f 6f 73 74 31\n");
}
END_TEST

/* RFC 4892 2. */
START_TEST(test_chaos_tells_what_the_server_is_if_it_may)
{
	struct answer_self open = self;
	struct asked q = {
		.name = "VERSION.bind", .type = DNS_TXT, .class = DNS_CLASS_CHAOS, .edns = true};

	expect(&q, "REFUSED;", "; opt: 1232 1 00000000 00 0f 00 02 00 14\n");
	asking.self = &open;
	(void)strcpy(open.version, "roost-dns 1.2");
	expect(&q, "NOERROR AA;", "version.bind. 0 TXT \"roost-dns 1.2\"\n");
	q.name = "version.server";
	q.type = DNS_ANY;
	expect(&q, "NOERROR AA;", "version.server. 0 TXT \"roost-dns 1.2\"\n");
	q.name = "id.server";
	expect(&q, "NOERROR AA;", "id.server. 0 TXT \"roost1\"\n");
	q.name = "hostname.bind";
	expect(&q, "NOERROR AA;", "hostname.bind. 0 TXT \"roost1\"\n");
	open.nsid[0] = '\0';
	expect(&q, "REFUSED;", "");
	q.name = "version.bind";
	q.type = DNS_A;
	expect(&q, "REFUSED;", "");
	q.type = DNS_TXT;
	q.class = DNS_CLASS_ANY;
	expect(&q, "REFUSED;", "");
	q.class = DNS_CLASS_CHAOS;
	q.name = "www.example.com";
	expect(&q, "REFUSED;", "");
}
END_TEST

/* RFC 7828 3.3.1, 3.3.2. */
START_TEST(test_over_tcp_it_is_told_how_long_a_connection_may_idle)
{
	struct asked q = {
		.name = "www.example.com", .type = DNS_A, .edns = true, .keepalive = true};

	expect(&q, "NOERROR AA;", "; opt: 1232 1 00000000\n");
	asking.tcp = true;
	expect(&q, "NOERROR AA;", "; opt: 1232 1 00000000 00 0b 00 02 00 64\n");
	q.nsid = true;
	q.name = "www.example.org"; /* beside all other options */
	expect(&q, "REFUSED;",
		"; opt: 1232 1 00000000 00 03 00 06 72 6f 6f 73 74 31 00 0b 00 02 00 64 00 0f 00 "
		"02 "
		"00 14\n");
	q.keepalive = false;
	expect(&q, "REFUSED;",
		"; opt: 1232 1 00000000 00 03 00 06 72 6f 6f 73 74 31 00 0f 00 02 00 14\n");
}
END_TEST

/* RFC 6891 6.1.3: the extended RCODE's upper bits are 1, the version is 0. */
START_TEST(test_another_version_of_edns_is_told_ours)
{
	static const char message[] = "\x12\x34\0\0\0\1\0\0\0\0\0\1\3www\7example\3com\0\0\1\0\1"
				      "\0\0\x29\x10\0\0\1\0\0\0\0";

	expect_bytes(message, sizeof message - 1, "BADVERS;");
	ck_assert_uint_eq(told.reply.rcode, DNS_BADVERS);
	ck_assert_uint_eq(told.bytes[3] & 0xf, 0);
	ck_assert_uint_eq(told.bytes[told.reply.size - 6], 1);
	ck_assert_uint_eq(told.bytes[told.reply.size - 5], 0);
}
END_TEST

START_TEST(test_what_is_not_a_question_is_told_so)
{
	static const char notify[] = "\x12\x34\x20\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\6\0\1";
	static const char two[] = "\x12\x34\1\0\0\2\0\0\0\0\0\0\1a\0\0\1\0\1\1b\0\0\1\0\1";
	static const char response[] =
		"\x12\x34\x80\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\6\0\1";
	static const char update[] = "\x12\x34\x28\0\0\1\0\0\0\0\0\1\7example\3com\0\0\6\0\1"
				     "\0\0\x29\x10\0\0\0\0\0\0\0";
	static const char extra[] = "\x12\x34\0\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\6\0\1x";

	expect_bytes(notify, sizeof notify - 1, "NOTIMPL;");
	ck_assert_uint_eq(told.bytes[2] & 0x78, 0x20); /* the opcode comes back */
	expect_bytes(two, sizeof two - 1, "FORMERR RD;");
	expect_bytes(extra, sizeof extra - 1, "FORMERR;");
	expect_bytes(update, sizeof update - 1, "NOTIMPL;");
	ck_assert_uint_eq(
		told.reply.opt_size, told.reply.size - DNS_HEADER_SIZE); /* RFC 6891 6.1.1 */
	ck_assert_uint_gt(told.reply.opt_size, 0);
	expect_bytes(response, sizeof response - 1, "nothing");
	expect_bytes(response, 11, "nothing");
}
END_TEST

/* RFC 8914 4.21. */
START_TEST(test_what_is_not_ours_is_refused_with_the_reason)
{
	expect(&(struct asked){.name = "example.org", .type = DNS_A, .edns = true}, "REFUSED;",
		"; opt: 1232 1 00000000 00 0f 00 02 00 14\n");
	expect(&(struct asked){.name = "example.org", .type = DNS_ANY, .edns = true}, "REFUSED;",
		"00 0f 00 02 00 14\n");
	expect(&(struct asked){.name = "version.bind", .type = 16, .class = 3}, "REFUSED;", "");
	expect(&(struct asked){.name = "hostname.bind", .type = 16, .class = 3}, "REFUSED;", "");
	expect(&(struct asked){.name = "id.server", .type = 16, .class = 3}, "REFUSED;", "");
	expect(&(struct asked){.name = "www.example.com", .type = DNS_A, .class = 255}, "REFUSED;",
		"");
}
END_TEST

START_TEST(test_transfers_are_left_to_those_who_make_them)
{
	/* a name, none, one below a cut, and one of somebody else's */
	static const char *const no_zones[] = {
		"www.example.com", "none.example.com", "www.deleg.example.com", "example.org"};
	struct asked q = {.name = "example.com", .type = DNS_AXFR};
	static const char signed_question[] = "\x12\x34\0\0\0\1\0\0\0\0\0\1\7example\3com\0\0\6\0\1"
					      "\1k\0\0\xfa\0\xff\0\0\0\0\0\0";

	asking.tcp = true;
	ask(&asking, &q, &told);
	ck_assert_int_eq(told.outcome, ANSWER_TRANSFER);
	q.type = DNS_IXFR;
	ask(&asking, &q, &told);
	ck_assert_int_eq(told.outcome, ANSWER_TRANSFER);
	ask_message(&asking, (const uint8_t *)signed_question, sizeof signed_question - 1, &told);
	ck_assert_int_eq(told.outcome, ANSWER_SIGNED);
	/* of no other class, and no other question */
	q.class = DNS_CLASS_CHAOS;
	expect(&q, "REFUSED;", "");
	q.class = 0;
	q.type = DNS_ANY;
	expect(&q, "NOERROR AA;", "");
	q.type = DNS_IXFR;
	asking.tcp = false;
	expect(&q, "NOERROR AA;",
		"example.com. 3600 SOA ns1"); /* RFC 1995 2: over UDP, to compare */
	for (size_t i = 0; i < ARRAY_SIZE(no_zones); i++) {
		q.name = no_zones[i];
		expect(&q, "NOTAUTH;", "; answer:\n; authority:\n"); /* RFC 5936 2.2.1 */
	}
	q.name = "example.com";
	q.type = DNS_AXFR;
	q.edns = true;
	expect(&q, "FORMERR;", /* RFC 5936 4.2, RFC 8914 4.22 */
		"; opt: 1232 1 00000000 00 0f 00 02 00 15\n");
}
END_TEST

START_TEST(test_a_set_that_does_not_fit_is_left_out_as_a_whole)
{
	struct asked q = {.name = "huge.example.com", .type = DNS_A};

	expect(&q, "NOERROR AA TC;", "; answer:\n; authority:\n; additional:\n"); /* RFC 2181 9 */
	ck_assert_uint_eq(told.reply.size, 12 + 18 + 4);
	q.edns = true;
	q.udp_size = 4096; /* we never send more than 1232 */
	expect(&q, "NOERROR AA TC;", "; opt: 1232");
	asking.tcp = true;
	ck_assert_uint_eq(count_lines(&q, "huge.example.com. 300 A"), 100);
	q.name = "giant.example.com"; /* larger than a compiled body */
	ck_assert_uint_eq(count_lines(&q, "giant.example.com. 300 A"), 300);
	asking.tcp = false;
	q.name = "big.example.com";
	q.type = 16;
	q.udp_size = 512;
	expect(&q, "NOERROR AA TC;", "");
	q.udp_size = 1232;
	ck_assert_uint_eq(count_lines(&q, "big.example.com. 300 TXT"), 3);
	q.udp_size = 0;
	q.edns = false;
	expect(&q, "NOERROR AA TC;", "");
	ck_assert_uint_eq(count_of(&answerer_counters(asking.answerer)->truncated), 4);
}
END_TEST

START_TEST(test_what_is_only_helpful_is_left_out_silently_and_glue_is_not)
{
	struct asked q = {.name = "bigmx.example.com", .type = DNS_MX};
	unsigned n;

	expect(&q, "NOERROR AA;", "");
	n = count_lines(&q, "AAAA");
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_lt(n, 13);
	q.name = "x.bigdeleg.example.com"; /* RFC 9471 3.1 */
	expect(&q, "NOERROR TC;", "bigdeleg.example.com. 300 NS");
	q.edns = true;
	expect(&q, "NOERROR;", "");
	ck_assert_uint_eq(count_lines(&q, "AAAA"), 13);
}
END_TEST

START_TEST(test_a_cookie_is_answered_by_ours_and_a_good_one_is_known)
{
	/* Of RFC 9018 A.1, for the address and the time that are asked from. */
	static const uint8_t cookie[24] = {0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57, 0x01,
		0x00, 0x00, 0x00, 0x5c, 0xf7, 0x9f, 0x11, 0x1f, 0x81, 0x30, 0xc3, 0xee, 0xe2, 0x94,
		0x80};
	static const char ours[] = "00 0a 00 18 24 64 c4 ab cf 10 c9 57 "
				   "01 00 00 00 5c f7 9f 11 1f 81 30 c3 ee e2 94 80\n";
	uint8_t bad[24];
	struct asked q = {.name = "www.example.com",
		.type = DNS_A,
		.edns = true,
		.cookie = cookie,
		.cookie_size = 8};

	memcpy(bad, cookie, sizeof bad);
	bad[23] ^= 1;
	expect(&q, "NOERROR AA;", ours);
	ck_assert(!told.reply.cookie_valid);
	q.cookie_size = 24;
	expect(&q, "NOERROR AA;", ours);
	ck_assert(told.reply.cookie_valid);
	q.cookie = bad; /* RFC 7873 5.2.4: answered as if there were none */
	expect(&q, "NOERROR AA;", ours);
	ck_assert(!told.reply.cookie_valid);
	q.cookie_size = 12;
	expect(&q, "FORMERR;", "");
}
END_TEST

START_TEST(test_a_cookie_of_the_old_secret_is_known_and_replaced)
{
	static const uint8_t client[8] = {0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57};
	static const uint8_t old_secret[16] = {7};
	struct cookie_asker asker = {.client_cookie = client, .now_s = 1559731985};
	uint8_t cookie[24];
	const struct asked q = {.name = "www.example.com",
		.type = DNS_A,
		.edns = true,
		.cookie = cookie,
		.cookie_size = sizeof cookie};

	ck_assert(addr_parse("198.51.100.100", &asker.address));
	memcpy(cookie, client, sizeof client);
	cookie_make(old_secret, &asker, cookie + 8);
	expect(&q, "NOERROR AA;", "01 00 00 00 5c f7 9f 11 1f 81 30 c3 ee e2 94 80\n");
	ck_assert(told.reply.cookie_valid);
}
END_TEST

/* RFC 7873 5.4 */
START_TEST(test_a_cookie_is_given_without_a_question)
{
	static const struct answer_self nobody;
	uint8_t message[] = "\x12\x34\0\0\0\0\0\0\0\0\0\1\0\0\x29\x10\0\0\0\0\0\0\x1c\0\x0a\0\x18"
			    "12345678........12345678";
	uint8_t *const cookie = message + 27, *const ours = told.bytes + 27;
	const size_t size = sizeof message - 1;

	message[22] = 12;
	message[26] = 8;
	expect_bytes((const char *)message, size - 16, "NOERROR;");
	ck_assert_uint_eq(told.reply.size, size);
	ck_assert(!told.reply.cookie_valid);
	message[22] = 28;
	message[26] = 24;
	memcpy(cookie, ours, 24);
	expect_bytes((const char *)message, size, "NOERROR;");
	ck_assert_mem_eq(ours, cookie, 24);
	ck_assert(told.reply.cookie_valid);
	cookie[23] ^= 1; /* a bad one is told so, with a good one */
	expect_bytes((const char *)message, size, "BADCOOKIE;");
	ck_assert_int_eq(ours[23], cookie[23] ^ 1);
	ck_assert(!told.reply.cookie_valid);
	ck_assert_uint_eq(told.reply.rcode, DNS_BADCOOKIE);
	asking.self = &nobody;
	expect_bytes((const char *)message, size, "FORMERR;");
}
END_TEST

START_TEST(test_a_cookie_of_half_an_hour_is_known_and_renewed)
{
	struct cookie_asker asker = {.now_s = 1559731985 - 1801};
	uint8_t cookie[24] = {0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57};
	const struct asked q = {.name = "www.example.com",
		.type = DNS_A,
		.edns = true,
		.cookie = cookie,
		.cookie_size = sizeof cookie};

	ck_assert(addr_parse("198.51.100.100", &asker.address));
	asker.client_cookie = cookie;
	cookie_make(self.cookie_secrets[0], &asker, cookie + 8);
	expect(&q, "NOERROR AA;", "01 00 00 00 5c f7 9f 11 1f 81 30 c3 ee e2 94 80\n");
	ck_assert(told.reply.cookie_valid);
}
END_TEST

START_TEST(test_without_secrets_cookies_are_not_seen)
{
	static const uint8_t cookie[8] = {1};
	static const struct answer_self nobody;
	const struct asked q = {.name = "www.example.com",
		.type = DNS_A,
		.edns = true,
		.nsid = true,
		.cookie = cookie,
		.cookie_size = 8};

	asking.self = &nobody;
	expect(&q, "NOERROR AA;", "; opt: 1232 1 00000000\n");
}
END_TEST

START_TEST(test_a_limiter_knows_what_an_answer_is_about)
{
	struct asked q = {.name = "a.wild.example.com", .type = DNS_A};
	const void *subject;

	ask(&asking, &q, &told);
	subject = told.reply.subject;
	ck_assert(subject);
	q.name = "b.wild.example.com"; /* all names of a wildcard are one */
	ask(&asking, &q, &told);
	ck_assert_ptr_eq(told.reply.subject, subject);
	q.name = "www.example.com";
	ask(&asking, &q, &told);
	ck_assert_ptr_ne(told.reply.subject, subject);
	q.name = "no1.example.com"; /* and all that do not exist */
	ask(&asking, &q, &told);
	subject = told.reply.subject;
	q.name = "no2.x.example.com";
	ask(&asking, &q, &told);
	ck_assert_ptr_eq(told.reply.subject, subject);
	ck_assert_uint_eq(told.reply.rcode, DNS_NXDOMAIN);
}
END_TEST

START_TEST(test_an_answer_is_cut_to_its_question)
{
	char *text;

	ask(&asking, &(struct asked){.name = "www.example.com", .type = DNS_A, .edns = true},
		&told);
	answer_cut(&told.reply);
	text = told_text(&told);
	ck_assert_msg(strncmp(text, "NOERROR AA TC; question: 03 77", 30) == 0, "%s", text);
	ck_assert(strstr(text, "; answer:\n; authority:\n; additional:\n"));
	free(text);
	/* one without a question to its header */
	ask_message(&asking, (const uint8_t *)"\x12\x34\1\0\0\0\0\0\0\0\0\0", 12, &told);
	answer_cut(&told.reply);
	text = told_text(&told);
	ck_assert_msg(strncmp(text, "FORMERR TC RD; question:;", 25) == 0, "%s", text);
	free(text);
}
END_TEST

/* RFC 6891 7: header, question and OPT are the least. */
START_TEST(test_opt_is_there_after_the_cut)
{
	static const uint8_t cookie[8] = {1};
	static const struct asked cases[] = {
		{.name = "www.example.com", .type = DNS_A, .edns = true, .dnssec_ok = true},
		{.name = "www.example.com",
			.type = DNS_A,
			.edns = true,
			.cookie = cookie,
			.cookie_size = 8},
		{.name = "example.org", .type = DNS_A, .edns = true},
		{.name = "www.example.com", .type = DNS_A},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *whole, *cut;

		ask(&asking, &cases[i], &told);
		whole = told_text(&told);
		answer_cut(&told.reply);
		cut = told_text(&told);
		ck_assert_msg(
			strstr(cut, " TC;") && strstr(cut, "; answer:\n; authority:\n"), "%s", cut);
		ck_assert_int_eq(strstr(whole, "; opt:") != NULL, cases[i].edns);
		if (cases[i].edns)
			ck_assert_str_eq(strstr(cut, "; opt:"), strstr(whole, "; opt:"));
		else
			ck_assert_ptr_null(strstr(cut, "; opt:"));
		free(whole);
		free(cut);
	}
}
END_TEST

START_TEST(test_vips_that_nobody_holds_are_left_out_of_both_ways)
{
	const struct asked float_a = {.name = "float.example.com", .type = DNS_A};
	const struct asked mx = {.name = "mx-float.example.com", .type = DNS_MX};
	const struct answer_counters *counters = answerer_counters(asking.answerer);

	catalog_set_held(world->catalog, 1, false);
	catalog_set_held(world->catalog, 4, false);
	ck_assert(!catalog_is_held(world->catalog, 1) && catalog_is_held(world->catalog, 0));
	for (uint32_t vip = 0; vip < world->config->n_vips; vip++)
		ck_assert(!catalog_is_given_anyway(world->catalog, vip));
	for (int way = WAY_FAST; way <= WAY_SLOW; way++) {
		asking.way = (enum way)way;
		ck_assert_uint_eq(count_lines(&float_a, " A 10.1.1."), 3);
		ck_assert_uint_eq(count_lines(&float_a, "10.1.1.1\n"), 0);
		ck_assert_uint_eq(count_lines(&mx, " A 10.1.1."), 3);
		ck_assert_uint_eq(count_lines(&mx, "AAAA"), 1);
	}
	ck_assert_uint_eq(count_of(&counters->fail_open), 0);
	for (uint32_t vip = 0; vip < 4; vip++)
		catalog_set_held(world->catalog, vip, false);
	for (int way = WAY_FAST; way <= WAY_SLOW; way++) {
		asking.way = (enum way)way;
		ck_assert_uint_eq(count_lines(&float_a, " A 10.1.1."), 4);
	}
	ck_assert_uint_eq(count_of(&counters->fail_open), 2);
	/* of one family; the other is a set of its own, and has a member that is held */
	for (uint32_t vip = 0; vip < world->config->n_vips; vip++)
		ck_assert_int_eq(catalog_is_given_anyway(world->catalog, vip), vip < 4);
	catalog_set_held(world->catalog, 2, true);
	ck_assert_uint_eq(count_lines(&float_a, " A 10.1.1.2"), 1);
}
END_TEST

START_TEST(test_the_root_can_be_a_zone)
{
	struct catalog *c = world_catalog_of(".", "$TTL 5\n. SOA a. b. 1 1 1 1 1\n. NS a.\na. A "
						  "192.0.2.1\n. A 192.0.2.2\n. A 192.0.2.3\n");
	const struct catalog *others = asking.catalog;

	asking.catalog = c;
	for (int way = WAY_ANY; way <= WAY_SLOW; way += 2) {
		asking.way = (enum way)way;
		ck_assert_uint_eq(
			count_lines(&(struct asked){.name = "", .type = DNS_A}, ". 5 A 192.0.2."),
			2);
		expect(&(struct asked){.name = "nothing.com", .type = DNS_A}, "NXDOMAIN AA;",
			". 1 SOA a. b. 1 1 1 1 1");
		expect(&(struct asked){.name = "", .type = DNS_DS}, "NOERROR AA;", ". 1 SOA");
		expect(&(struct asked){.name = "", .type = DNS_NS}, "NOERROR AA;",
			"a. 5 A 192.0.2.1");
	}
	asking.catalog = others;
	catalog_free(c);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_the_question_comes_back_letter_by_letter,
		test_flags_are_copied_or_cleared,
		test_opt_is_answered_by_opt_alone,
		test_the_servers_name_is_told_to_who_asks_for_it,
		test_chaos_tells_what_the_server_is_if_it_may,
		test_over_tcp_it_is_told_how_long_a_connection_may_idle,
		test_another_version_of_edns_is_told_ours,
		test_what_is_not_a_question_is_told_so,
		test_what_is_not_ours_is_refused_with_the_reason,
		test_transfers_are_left_to_those_who_make_them,
		test_a_set_that_does_not_fit_is_left_out_as_a_whole,
		test_what_is_only_helpful_is_left_out_silently_and_glue_is_not,
		test_a_cookie_is_answered_by_ours_and_a_good_one_is_known,
		test_a_cookie_of_the_old_secret_is_known_and_replaced,
		test_a_cookie_is_given_without_a_question,
		test_a_cookie_of_half_an_hour_is_known_and_renewed,
		test_without_secrets_cookies_are_not_seen,
		test_a_limiter_knows_what_an_answer_is_about,
		test_an_answer_is_cut_to_its_question,
		test_opt_is_there_after_the_cut,
		test_vips_that_nobody_holds_are_left_out_of_both_ways,
		test_the_root_can_be_a_zone,
	};

	return run_suite_around("message", tests, ARRAY_SIZE(tests), setup, teardown);
}
