/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/assert.h"
#include "base/rng.h"
#include "dns/query.h"
#include "suite.h"

/* A message from hexadecimal digits; what is no digit is skipped. */
struct message {
	uint8_t bytes[600];
	size_t size;
};

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct message of_hex(const char *text)
{
	struct message m = {.size = 0};

	for (; *text != '\0'; text++) {
		if (digit(text[0]) < 0)
			continue;
		m.bytes[m.size++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
		text++;
	}
	return m;
}

static enum query_verdict parse(const char *hex, struct query *q)
{
	static struct message m; /* the query borrows from it */

	m = of_hex(hex);
	return query_parse(m.bytes, m.size, q);
}

#define HEAD   "abcd 0000 0001 0000 0000 0000 "
#define HEAD_1 "abcd 0000 0001 0000 0000 0001 " /* and one additional record */
#define WWW    "03575757 0265780000 010001 "    /* WWW.ex. A IN */
#define IXFR   "03575757 0265780000 fb0001 "
#define SOA    "c00c 0006 0001 00000000 0002 0000 "
#define OPT    "00 0029 1000 00000000 " /* of 4096 bytes; the length follows */

START_TEST(test_a_question_is_read)
{
	struct query q;

	ck_assert_int_eq(parse("abcd 0110 0001 0000 0000 0000" WWW, &q), QUERY_PLAIN);
	ck_assert_uint_eq(q.id, 0xabcd);
	ck_assert_uint_eq(q.flags, DNS_RD | DNS_CD);
	ck_assert_uint_eq(q.type, DNS_A);
	ck_assert_uint_eq(q.class, DNS_CLASS_IN);
	ck_assert_uint_eq(q.name.size, 8);
	ck_assert_mem_eq(q.name.bytes, "\3www\2ex", 8);
	ck_assert_mem_eq(q.question, "\3WWW\2ex", 8);
	ck_assert_uint_eq(q.question_size, 12);
	ck_assert(!q.edns);
	ck_assert_uint_eq(q.udp_size, DNS_UDP_LEAST);
}
END_TEST

START_TEST(test_a_response_or_less_than_a_header_gets_silence)
{
	struct query q;

	ck_assert_int_eq(parse("abcd 8000 0001 0000 0000 0000" WWW, &q), QUERY_IGNORE);
	ck_assert_int_eq(parse("abcd 0000 0001 0000 0000 00", &q), QUERY_IGNORE);
	ck_assert_int_eq(parse("", &q), QUERY_IGNORE);
}
END_TEST

START_TEST(test_other_opcodes_are_not_implemented)
{
	struct query q;

	ck_assert_int_eq(parse("abcd 2000 0001 0000 0000 0000" WWW, &q), QUERY_NOTIMP); /* NOTIFY */
	ck_assert_int_eq(parse("abcd 2800 0000 0000 0000 0000", &q), QUERY_NOTIMP);     /* UPDATE */
	ck_assert_int_eq(parse("abcd 7800 ffff ffff ffff ffff", &q), QUERY_NOTIMP);
}
END_TEST

/* RFC 6891 6.1.1, 6.1.3 */
START_TEST(test_opt_is_found_in_what_is_no_question_of_ours)
{
	static const struct {
		const char *message;
		enum query_verdict verdict;
		bool edns;
	} cases[] = {
		{"abcd 2000 0001 0000 0000 0001" WWW OPT "0000", QUERY_NOTIMP, true},
		{"abcd 2000 0001 0001 0000 0001" WWW /* NOTIFY with an SOA */
		 "c00c 0006 0001 00000000 0000" OPT "0000",
			QUERY_NOTIMP, true},
		{"abcd 2800 0001 0000 0001 0001" WWW /* UPDATE */
		 "c00c 00ff 00ff 00000000 0000" OPT "0000",
			QUERY_NOTIMP, true},
		{"abcd 7800 0000 0000 0000 0001" OPT "0000", QUERY_NOTIMP, true},
		{"abcd 7800 0000 0000 0000 0001 00 0029 1000 00010000 0000", QUERY_BADVERS, true},
		{"abcd 7800 0001 0001 0000 0001" WWW OPT "0000", QUERY_NOTIMP, false},
		{"abcd 7800 0001 0000 0000 0001" WWW, QUERY_NOTIMP, false},
		{"abcd 0000 0002 0000 0000 0001" WWW WWW OPT "0000", QUERY_FORMERR, true},
		{"abcd 0000 0000 0000 0000 0001" OPT "0000", QUERY_FORMERR, true},
	};
	struct query q;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_msg(
			parse(cases[i].message, &q) == cases[i].verdict, "%s", cases[i].message);
		ck_assert_msg(q.edns == cases[i].edns, "%s", cases[i].message);
	}
}
END_TEST

/* RFC 7873 5.4 */
START_TEST(test_a_cookie_can_be_asked_for_without_a_question)
{
	static const char *const mistaken[] = {
		"abcd 0000 0000 0000 0000 0001" OPT "0004 000a0000",
		"abcd 0000 0000 0000 0000 0001" OPT "000c 000a0008 0102030405060708 00",
		"abcd 0000 0000 0000 0001 0001 00 0006 0001 00000000 0000" OPT
		"000c 000a0008 0102030405060708",
		"abcd 0000 0000 0000 0000 0002" OPT "000c 000a0008 0102030405060708"
		"00 00fa 00ff 00000000 0000", /* TSIG */
	};
	struct query q;

	ck_assert_int_eq(
		parse("abcd 0000 0000 0000 0000 0001" OPT "000c 000a0008 0102030405060708", &q),
		QUERY_COOKIE);
	ck_assert_uint_eq(q.question_size, 0);
	ck_assert_mem_eq(q.client_cookie, "\1\2\3\4\5\6\7\10", 8);
	for (size_t i = 0; i < ARRAY_SIZE(mistaken); i++)
		ck_assert_msg(parse(mistaken[i], &q) == QUERY_FORMERR, "%s", mistaken[i]);
}
END_TEST

START_TEST(test_what_can_not_be_parsed_is_a_format_error)
{
	static const char *const messages[] = {
		"abcd 0000 0000 0000 0000 0000",         /* no question (RFC 9619) */
		"abcd 0000 0002 0000 0000 0000" WWW WWW, /* two */
		HEAD "03575757 0265780000 0100",         /* half a class */
		HEAD "03575757 026578",                  /* a name without an end */
		HEAD "03575757 c00c 0001 0001",          /* compressed */
		HEAD "43575757 00 0001 0001",            /* a label of no known kind */
		HEAD WWW "00",                           /* a byte too many */
		"abcd 0000 0001 0001 0000 0000" WWW "c00c 0001 0001 00000000 0004 01020304",
		"abcd 0000 0001 0000 0001 0000" WWW "c00c 0006 0001 00000000 0000",
		HEAD_1 WWW "00 0029 1000 00000000 00",         /* half a length */
		HEAD_1 WWW OPT "0001",                         /* data is missing */
		HEAD_1 WWW OPT "0003 000a00",                  /* half an option */
		HEAD_1 WWW OPT "0004 fde80001",                /* half an option's data */
		HEAD_1 WWW OPT "000b 000a0007 01020304050607", /* RFC 7873 5.2.2: 7 bytes */
		HEAD_1 WWW OPT "0010 000a000c 010203040506070809101112",
		/* and 33 of a server */
		HEAD_1 WWW OPT "002d 000a0029 0102030405060708 0102030405060708 0102030405060708"
			       "0102030405060708 0102030405060708 09",
		HEAD_1 WWW "4100 0001 0001 00000000 0000", /* labels of no known kind */
		HEAD_1 WWW "bf00 0001 0001 00000000 0000",
		HEAD_1 WWW "05010203",                                     /* half a label */
		HEAD_1 WWW "c0",                                           /* half a pointer */
		HEAD_1 WWW "c00c 0029 1000 00000000 0000",                 /* OPT not of the root */
		"abcd 0000 0001 0000 0000 0002" WWW OPT "0000" OPT "0000", /* RFC 6891 6.1.1 */
		HEAD_1 WWW,                                                /* a record is missing */
		"abcd 0000 0001 0000 0000 0002" WWW /* TSIG not the last (RFC 8945 5.1) */
		"00 00fa 00ff 00000000 0000" OPT "0000",
		/* IXFR with more than an SOA; with TSIG or OPT for one */
		"abcd 0000 0001 0000 0002 0000" IXFR SOA SOA,
		"abcd 0000 0001 0000 0001 0000" IXFR "00 00fa 00ff 00000000 0000",
		"abcd 0000 0001 0000 0001 0000" IXFR OPT "0000",
	};
	struct query q;

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		ck_assert_msg(parse(messages[i], &q) == QUERY_FORMERR, "%s", messages[i]);
}
END_TEST

START_TEST(test_the_size_that_the_asker_takes_is_between_512_and_1232)
{
	static const struct {
		const char *opt;
		uint16_t size;
	} cases[] = {
		{"00 0029 0000 00000000 0000", 512}, /* RFC 6891 6.2.3 */
		{"00 0029 01ff 00000000 0000", 512},
		{"00 0029 0320 00000000 0000", 800},
		{"00 0029 ffff 00000000 0000", 1232},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char message[200] = HEAD_1 WWW;
		struct query q;

		strcat(message, cases[i].opt);
		ck_assert_int_eq(parse(message, &q), QUERY_PLAIN);
		ck_assert(q.edns && !q.dnssec_ok);
		ck_assert_uint_eq(q.udp_size, cases[i].size);
	}
}
END_TEST

START_TEST(test_options_are_read_and_unknown_ones_skipped)
{
	struct query q;

	ck_assert_int_eq(parse(HEAD_1 WWW "00 0029 1000 0000 8000 001c"
					  "fde9 0002 0102"
					  "0003 0000"
					  "000a 0010 0102030405060708 1112131415161718"
					  "",
				 &q),
		QUERY_FORMERR); /* a control: the length is that of less */
	ck_assert_int_eq(parse(HEAD_1 WWW "00 0029 1000 0000 8000 001e"
					  "fde9 0002 0102"
					  "0003 0000"
					  "000a 0010 0102030405060708 1112131415161718",
				 &q),
		QUERY_PLAIN);
	ck_assert(q.dnssec_ok);
	ck_assert(q.nsid);
	ck_assert_mem_eq(q.client_cookie, "\1\2\3\4\5\6\7\10", 8);
	ck_assert_uint_eq(q.server_cookie_size, 8);
	ck_assert_mem_eq(q.server_cookie, "\21\22\23\24\25\26\27\30", 8);
}
END_TEST

/* RFC 7873 5.2 */
START_TEST(test_of_several_cookies_the_first_counts)
{
	struct query q;

	ck_assert_int_eq(parse(HEAD_1 WWW "00 0029 1000 0000 0000 0020"
					  "000a 0008 0102030405060708"
					  "000a 0010 1111111111111111 2222222222222222",
				 &q),
		QUERY_PLAIN);
	ck_assert_mem_eq(q.client_cookie, "\1\2\3\4\5\6\7\10", 8);
	ck_assert_ptr_null(q.server_cookie);
}
END_TEST

START_TEST(test_more_than_a_message_can_have_gets_silence)
{
	static uint8_t bytes[DNS_MESSAGE_MAX + 1];
	struct query q;

	ck_assert_int_eq(query_parse(bytes, sizeof bytes, &q), QUERY_IGNORE);
	ck_assert_int_eq(query_parse(bytes, sizeof bytes - 1, &q), QUERY_FORMERR);
}
END_TEST

/* RFC 6891 6.1.3: whatever follows is of a version that we don't know. */
START_TEST(test_another_version_of_edns_is_told_apart)
{
	struct query q;

	ck_assert_int_eq(parse(HEAD_1 WWW "00 0029 1000 0001 0000 0001 ff", &q), QUERY_BADVERS);
	ck_assert(q.edns);
	ck_assert_uint_eq(q.question_size, 12);
}
END_TEST

START_TEST(test_what_needs_more_thought_is_told_apart)
{
	static const char *const messages[] = {
		HEAD "03575757 0265780000 fc0001", /* AXFR */
		HEAD "03575757 0265780000 fb0001", /* IXFR */
		HEAD "03575757 0265780000 ff0001", /* ANY */
		HEAD "03575757 0265780000 010003", /* CHAOS */
		/* IXFR and its SOA */
		("abcd 0000 0001 0000 0001 0000 03575757 0265780000 fb0001"
		 "c00c 0006 0001 00000000 0002 0000"),
	};
	struct query q;

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		ck_assert_msg(parse(messages[i], &q) == QUERY_UNUSUAL, "%s", messages[i]);
	ck_assert_int_eq(parse(HEAD_1 WWW "00 00fa 00ff 00000000 0000", &q), QUERY_UNUSUAL);
	ck_assert_uint_eq(q.tsig_at, 24);
}
END_TEST

START_TEST(test_no_prefix_of_a_message_reads_beyond_its_end)
{
	const struct message m = of_hex(HEAD_1 WWW
		"00 0029 1000 0000 8000 0018 000a 0014 0102030405060708 111213141516171819202122");

	for (size_t size = 0; size <= m.size; size++) {
		uint8_t *copy = malloc(size ? size : 1); /* so that a sanitizer knows its end */
		struct query q;

		ck_assert(copy);
		memcpy(copy, m.bytes, size);
		ck_assert_int_eq(query_parse(copy, size, &q) == QUERY_PLAIN, size == m.size);
		free(copy);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_a_question_is_read,
		test_a_response_or_less_than_a_header_gets_silence,
		test_other_opcodes_are_not_implemented,
		test_opt_is_found_in_what_is_no_question_of_ours,
		test_a_cookie_can_be_asked_for_without_a_question,
		test_what_can_not_be_parsed_is_a_format_error,
		test_the_size_that_the_asker_takes_is_between_512_and_1232,
		test_options_are_read_and_unknown_ones_skipped,
		test_of_several_cookies_the_first_counts,
		test_more_than_a_message_can_have_gets_silence,
		test_another_version_of_edns_is_told_apart,
		test_what_needs_more_thought_is_told_apart,
		test_no_prefix_of_a_message_reads_beyond_its_end,
	};

	return run_suite("query", tests, ARRAY_SIZE(tests));
}
