/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include <libknot/libknot.h>

#include "base/assert.h"
#include "dns/query.h"
#include "dns/signed.h"
#include "dns/transfer.h"
#include "suite.h"
#include "world.h"

#define NOW 1000000

/* A primary and a secondary, 192.0.2.53. */
static struct {
	struct world *world;
	struct config_dns config;
	struct tsig_key key;
	struct transfer_setup setup;
	uint8_t buffer[DNS_MESSAGE_MAX];
} primary;

static const struct addr secondary = {{[10] = 0xff, 0xff, 192, 0, 2, 53}},
			 stranger = {{[10] = 0xff, 0xff, 192, 0, 2, 54}};

static void set_up(void)
{
	primary.world = world_new();
	primary.config.n_transfers = 1;
	primary.config.transfer[0] = (struct config_endpoint){.address = secondary, .port = 53};
	primary.key = (struct tsig_key){
		.name = {.size = 5, .bytes = "\3key"}, .algorithm = TSIG_SHA256, .secret_size = 16};
	primary.setup = (struct transfer_setup){primary.world->catalog, &primary.config, NULL};
}

static void tear_down(void)
{
	world_free(primary.world);
}

static void need_key(void)
{
	primary.setup.key = &primary.key;
}

/* A question; of IXFR with the asker's serial. */
struct asks {
	const char *name;
	uint16_t type;
	uint32_t serial;
	bool no_soa, is_signed, edns;
	uint16_t flags;
	const struct addr *from; /* NULL: the secondary */
};

static size_t write_question(const struct asks *a, uint8_t *bytes, struct tsig *ret_tsig)
{
	static const uint8_t opt[] = {0, 0, DNS_OPT, 0x10, 0, 0, 0, 0, 0, 0, 0};
	const struct asked asked = {.name = a->name, .type = a->type, .flags = a->flags};
	size_t size = asked_message(&asked, bytes);

	if (a->type == DNS_IXFR && !a->no_soa) { /* RFC 1995 3 */
		const uint8_t soa[] = {0xc0, 12, 0, DNS_SOA, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0,
			(uint8_t)(a->serial >> 24), (uint8_t)(a->serial >> 16),
			(uint8_t)(a->serial >> 8), (uint8_t)a->serial, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			0, 0, 0, 0, 0, 0};

		memcpy(bytes + size, soa, sizeof soa);
		size += sizeof soa;
		bytes[9] = 1;
	}
	if (a->edns) {
		memcpy(bytes + size, opt, sizeof opt);
		size += sizeof opt;
		bytes[11] = 1;
	}
	if (a->is_signed) {
		*ret_tsig = tsig_start(&primary.key);
		size = tsig_sign(ret_tsig, bytes, size, NOW);
	}
	return size;
}

/* What came of it: the first message is in primary.buffer. */
struct came {
	enum answer_outcome outcome;
	struct answer_reply reply;
	struct transfer *transfer;
};

static struct came begin(const struct asks *a)
{
	uint8_t bytes[DNS_UDP_LEAST];
	struct tsig tsig;
	const struct answer_request in = {.message = bytes,
		.size = write_question(a, bytes, &tsig),
		.client = a->from ? *a->from : secondary,
		.tcp = true,
		.wall_s = NOW,
		.self = &world_self};
	struct came c = {.reply = {.buffer = primary.buffer, .room = DNS_MESSAGE_MAX}};

	c.outcome = transfer_begin(&primary.setup, &in, &c.reply, &c.transfer);
	return c;
}

/* All of a transfer, as libknot reads it. */
struct gathered {
	uint32_t n_messages, n_records, n_soas, n_signed, n_questions, n_opts;
	uint16_t first_type, last_type;
	size_t largest;
};

static void gather_message(struct gathered *g, size_t size)
{
	knot_pkt_t *pkt = knot_pkt_new(primary.buffer, (uint16_t)size, NULL);
	const knot_pktsection_t *answers;

	ck_assert(pkt);
	ck_assert_int_eq(knot_pkt_parse(pkt, 0), KNOT_EOK);
	ck_assert(knot_wire_get_aa(pkt->wire));
	answers = knot_pkt_section(pkt, KNOT_ANSWER);
	for (uint16_t i = 0; i < answers->count; i++) {
		const knot_rrset_t *rr = knot_pkt_rr(answers, i);

		if (g->n_records == 0)
			g->first_type = rr->type;
		g->last_type = rr->type;
		g->n_records++;
		g->n_soas += rr->type == DNS_SOA;
	}
	g->n_messages++;
	g->n_signed += pkt->tsig_rr != NULL;
	g->n_questions += knot_wire_get_qdcount(pkt->wire);
	g->n_opts += pkt->opt_rr != NULL;
	g->largest = size > g->largest ? size : g->largest;
	knot_pkt_free(pkt);
}

static struct gathered gather(const struct asks *a)
{
	struct came c = begin(a);
	struct gathered g = {0};
	int size;

	ck_assert_int_eq(c.outcome, ANSWER_TRANSFER);
	while ((size = transfer_next(c.transfer, NOW, primary.buffer)) > 0)
		gather_message(&g, (size_t)size);
	ck_assert_int_eq(size, 0);
	transfer_free(c.transfer);
	return g;
}

static uint32_t records_of(const struct zone *z)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < zone_n_nodes(z); i++)
		for (const struct zone_rrset *s = zone_node_at(z, i)->rrsets; s; s = s->next)
			n += s->n_records;
	return n;
}

START_TEST(test_a_zone_goes_out_whole_between_two_soas) /* RFC 5936 2.2 */
{
	const struct catalog *c = primary.world->catalog;

	for (uint32_t i = 0; i < catalog_n_zones(c); i++) {
		char name[NAME_TEXT_SIZE];
		struct gathered g;

		(void)name_format(zone_apex(catalog_zone(c, i)), name);
		name[strlen(name) - 1] = '\0';
		g = gather(&(struct asks){.name = name, .type = DNS_AXFR});
		ck_assert_uint_eq(g.n_records, records_of(catalog_zone(c, i)) + 1);
		ck_assert_uint_eq(g.n_soas, 2);
		ck_assert_uint_eq(g.first_type, DNS_SOA);
		ck_assert_uint_eq(g.last_type, DNS_SOA);
		ck_assert_uint_eq(g.n_questions, 1);
		ck_assert_uint_eq(g.n_signed + g.n_opts, 0);
	}
}
END_TEST

/* A catalog of one zone with @n records of some hundred bytes. */
static struct catalog *large_catalog(uint32_t n)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct catalog *c;

	ck_assert(f);
	fputs("$TTL 1\n@ SOA ns h 7 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n", f);
	for (uint32_t i = 0; i < n; i++)
		fprintf(f, "r%u.sub TXT \"%0180u\"\n", i, i);
	fclose(f);
	c = world_catalog_of("large.test", text);
	free(text);
	return c;
}

START_TEST(test_a_large_zone_takes_many_messages_all_signed) /* RFC 8945 5.3.1 */
{
	struct catalog *c = large_catalog(3000);
	struct gathered g;

	need_key();
	primary.setup.catalog = c;
	g = gather(&(struct asks){
		.name = "LARGE.test", .type = DNS_AXFR, .is_signed = true, .edns = true});
	ck_assert_uint_eq(g.n_records, 3004);
	ck_assert_uint_gt(g.n_messages, 8);
	ck_assert_uint_eq(g.n_signed, g.n_messages);
	ck_assert_uint_gt(g.largest, 60000);
	ck_assert_uint_eq(g.n_questions, 1); /* RFC 5936 2.2.2 */
	ck_assert_uint_eq(g.n_opts, 1);
	catalog_free(c);
}
END_TEST

START_TEST(test_names_keep_their_case_whatever_the_question_has) /* RFC 5936 3.4 */
{
	struct catalog *c = large_catalog(1);
	struct came came;
	int size;

	primary.setup.catalog = c;
	came = begin(&(struct asks){.name = "LARGE.test", .type = DNS_AXFR});
	size = transfer_next(came.transfer, NOW, primary.buffer);
	ck_assert_int_gt(size, 0);
	/* the question as it was, then the SOA's owner as the zone has it */
	ck_assert_mem_eq(primary.buffer + 12, "\5LARGE\4test", 12);
	ck_assert_mem_eq(primary.buffer + 12 + 12 + 4, "\5large\4test", 12);
	transfer_free(came.transfer);
	catalog_free(c);
}
END_TEST

/* A catalog of one zone, with one record of @size bytes. */
static struct catalog *catalog_of_giant(size_t size)
{
	char *text = NULL;
	size_t text_size;
	FILE *f = open_memstream(&text, &text_size);
	struct catalog *c;

	ck_assert(f);
	fprintf(f, "$TTL 1\n@ SOA ns h 7 1 1 1 1\n@ NS ns\nns A 192.0.2.1\nx TYPE65400 \\# %zu ",
		size);
	for (size_t i = 0; i < size; i++)
		fputs("00", f);
	fputc('\n', f);
	fclose(f);
	c = world_catalog_of("large.test", text);
	free(text);
	return c;
}

START_TEST(test_a_record_may_fill_a_message)
{
	/* the largest that a zone may have: behind a question, with OPT */
	struct catalog *c = catalog_of_giant(DNS_MESSAGE_MAX - 12 - 14 - 4 - 12 - 11);
	const struct asks a = {.name = "large.test", .type = DNS_AXFR, .edns = true};
	struct asks signed_one = a;
	struct came came;
	int size;

	primary.setup.catalog = c;
	ck_assert_uint_eq(gather(&a).n_records, 5);
	/* but not with a signature beside it */
	need_key();
	signed_one.is_signed = true;
	came = begin(&signed_one);
	while ((size = transfer_next(came.transfer, NOW, primary.buffer)) > 0)
		;
	ck_assert_int_eq(size, -1);
	transfer_free(came.transfer);
	catalog_free(c);
}
END_TEST

static unsigned refused_as(const struct asks *a)
{
	const struct came c = begin(a);

	ck_assert_int_eq(c.outcome, ANSWER_SENT);
	ck_assert_uint_eq(c.reply.rcode, primary.buffer[3] & 15);
	ck_assert_uint_eq(primary.buffer[7], 0); /* without a record */
	return c.reply.rcode;
}

START_TEST(test_strangers_are_refused_and_learn_not_which_zones_there_are)
{
	ck_assert_uint_eq(refused_as(&(struct asks){
				  .name = "example.com", .type = DNS_AXFR, .from = &stranger}),
		DNS_REFUSED);
	ck_assert_uint_eq(refused_as(&(struct asks){
				  .name = "no.such.zone", .type = DNS_AXFR, .from = &stranger}),
		DNS_REFUSED);
	/* RFC 5936 2.2.1; a name in a zone is no zone */
	ck_assert_uint_eq(
		refused_as(&(struct asks){.name = "no.such.zone", .type = DNS_AXFR}), DNS_NOTAUTH);
	ck_assert_uint_eq(refused_as(&(struct asks){.name = "www.example.com", .type = DNS_AXFR}),
		DNS_NOTAUTH);
}
END_TEST

START_TEST(test_with_a_key_only_signed_questions_count)
{
	const struct asks unsigned_one = {.name = "example.com", .type = DNS_AXFR};
	struct asks signed_one = unsigned_one;

	signed_one.is_signed = true;
	/* RFC 8945 5.2.1: there is no key here */
	ck_assert_uint_eq(refused_as(&signed_one), DNS_NOTAUTH);
	need_key();
	ck_assert_uint_eq(refused_as(&unsigned_one), DNS_REFUSED);
	ck_assert_uint_gt(gather(&signed_one).n_records, 2);
	/* the key alone is not enough */
	signed_one.from = &stranger;
	ck_assert_uint_eq(refused_as(&signed_one), DNS_REFUSED);
}
END_TEST

START_TEST(test_ixfr_is_one_soa_to_who_has_the_zone) /* RFC 1995 2 */
{
	struct asks a = {.name = "example.com", .type = DNS_IXFR, .serial = 1};
	struct came c = begin(&a);

	ck_assert_int_eq(c.outcome, ANSWER_SENT);
	ck_assert_uint_eq(c.reply.rcode, DNS_NOERROR);
	ck_assert_uint_eq(primary.buffer[7], 1);
	a.serial = 2; /* newer than ours */
	ck_assert_int_eq(begin(&a).outcome, ANSWER_SENT);
	a.serial = 0;
	ck_assert_uint_gt(gather(&a).n_records, 100);
	a.serial = 0x80000002; /* older, around the circle (RFC 1982) */
	ck_assert_uint_gt(gather(&a).n_records, 100);
	a.no_soa = true;
	ck_assert_uint_eq(refused_as(&a), DNS_FORMERR);
}
END_TEST

START_TEST(test_each_message_repeats_number_and_rd_of_the_question) /* RFC 5936 2.2.1 */
{
	struct catalog *c = large_catalog(3000);

	primary.setup.catalog = c;
	for (unsigned rd = 0; rd <= 1; rd++) {
		/* CD and AD are not told back (RFC 4035 3.1.6) */
		const struct asks a = {.name = "large.test",
			.type = DNS_AXFR,
			.flags = rd ? DNS_RD | DNS_CD | DNS_AD : 0};
		struct came came = begin(&a);
		int n = 0;

		for (; transfer_next(came.transfer, NOW, primary.buffer) > 0; n++) {
			ck_assert_mem_eq(primary.buffer, "\x12\x34", 2);
			ck_assert_uint_eq(primary.buffer[2], 0x84 | rd); /* QR, AA */
			ck_assert_uint_eq(primary.buffer[3], 0);
		}
		ck_assert_int_gt(n, 8);
		transfer_free(came.transfer);
	}
	catalog_free(c);
}
END_TEST

START_TEST(test_a_transfer_may_end_at_any_message)
{
	struct catalog *c = large_catalog(3000);

	primary.setup.catalog = c;
	for (int n = 0; n < 5; n++) {
		struct came came = begin(&(struct asks){.name = "large.test", .type = DNS_AXFR});

		for (int i = 0; i < n; i++)
			ck_assert_int_gt(transfer_next(came.transfer, NOW, primary.buffer), 0);
		transfer_free(came.transfer);
	}
	catalog_free(c);
}
END_TEST

/* Of size 0: there is no answer. */
static struct answer_reply ask_signed(
	const struct asked *asked, const struct tsig_key *with, bool tcp)
{
	struct answerer *a = answerer_new(1);
	struct answer_reply reply = {.buffer = primary.buffer, .room = DNS_UDP_MAX};
	uint8_t bytes[2 * DNS_UDP_LEAST];
	struct tsig t = tsig_start(with);
	const size_t size = tsig_sign(&t, bytes, asked_message(asked, bytes), NOW);
	const struct answer_request in = {.message = bytes,
		.size = size,
		.client = stranger,
		.tcp = tcp,
		.wall_s = NOW,
		.self = &world_self};
	enum answer_outcome outcome;

	ck_assert(a);
	outcome = signed_answer(a, primary.world->catalog, &primary.key, &in, &reply);
	ck_assert_int_eq(outcome, reply.size > 0 ? ANSWER_SENT : ANSWER_NONE);
	ck_assert_uint_le(reply.size, asker_limit(bytes, size, tcp));
	answerer_free(a);
	return reply;
}

START_TEST(test_a_signed_question_gets_a_signed_answer_that_fits) /* RFC 8945 5.3 */
{
	const struct asked single = {.name = "single.example.com", .type = DNS_A},
			   big = {.name = "big.example.com", .type = 16},
			   glue = {.name = "x.bigdeleg.example.com", .type = DNS_A},
			   nothing = {.name = "nothing.example.com", .type = DNS_A};
	struct answer_reply r = ask_signed(&single, &primary.key, false);

	ck_assert_uint_eq(r.rcode, DNS_NOERROR);
	ck_assert_uint_eq(primary.buffer[7], 1);
	ck_assert_uint_eq(primary.buffer[11], 1);
	ck_assert(r.cookie_valid);
	r = ask_signed(&nothing, &primary.key, true);
	ck_assert_uint_eq(r.rcode, DNS_NXDOMAIN);
	r = ask_signed(&big, &primary.key, false);
	ck_assert_uint_le(r.size, DNS_UDP_LEAST);
	ck_assert(primary.buffer[2] & DNS_TC >> 8);
	ck_assert_uint_eq(primary.buffer[11], 1);
	/* nor does a part of it stay */
	(void)ask_signed(&glue, &primary.key, false);
	ck_assert(primary.buffer[2] & DNS_TC >> 8);
	ck_assert_uint_eq(primary.buffer[9], 0);
	ck_assert_uint_eq(primary.buffer[11], 1);
}
END_TEST

START_TEST(test_a_question_with_a_wrong_signature_is_not_answered)
{
	const struct asked single = {.name = "single.example.com", .type = DNS_A};
	struct tsig_key wrong = primary.key;
	struct answer_reply r;

	wrong.secret[0] ^= 1;
	r = ask_signed(&single, &wrong, false);
	ck_assert_uint_eq(r.rcode, DNS_NOTAUTH);
	ck_assert_uint_eq(primary.buffer[7], 0);
	ck_assert(!r.cookie_valid);
}
END_TEST

START_TEST(test_who_asks_for_dnssec_is_told_so) /* RFC 3225 3 */
{
	const uint8_t opt[] = {0, 0, DNS_OPT, 0x10, 0, 0, 0, 0x80, 0, 0, 0};
	const struct asked asked = {.name = "test", .type = DNS_AXFR};
	uint8_t bytes[DNS_UDP_LEAST];
	const size_t size = asked_message(&asked, bytes);
	const struct answer_request in = {.message = bytes,
		.size = size + sizeof opt,
		.client = secondary,
		.tcp = true,
		.self = &world_self};
	struct answer_reply reply = {.buffer = primary.buffer, .room = DNS_MESSAGE_MAX};
	struct transfer *t;
	int n;

	memcpy(bytes + size, opt, sizeof opt);
	bytes[11] = 1;
	ck_assert_int_eq(transfer_begin(&primary.setup, &in, &reply, &t), ANSWER_TRANSFER);
	n = transfer_next(t, NOW, primary.buffer);
	ck_assert_int_gt(n, 0);
	ck_assert_mem_eq(primary.buffer + n - 11, "\0\0\51\4\320\0\0\200\0\0\0", 11);
	transfer_free(t);
}
END_TEST

/* What a message says in OPT, to be freed. */
static char *opt_of(const struct told *t)
{
	char *text = told_text(t), *opt = strstr(text, "; opt: ");

	ck_assert_msg(opt, "%s", text);
	memmove(text, opt, strlen(opt) + 1);
	return text;
}

/* The first message that comes of @asked at @zones over TCP. */
static void ask_transfer(
	const struct asked *asked, const struct transfer_setup *setup, struct told *ret_told)
{
	uint8_t bytes[DNS_UDP_LEAST];
	struct answer_request in = {.message = bytes,
		.size = asked_message(asked, bytes),
		.tcp = true,
		.idle_ds = 100,
		.wall_s = 1559731985,
		.self = &world_self};
	struct transfer *t;

	ck_assert(addr_parse("198.51.100.100", &in.client));
	ret_told->reply = (struct answer_reply){.buffer = ret_told->bytes, .room = DNS_MESSAGE_MAX};
	ret_told->outcome = transfer_begin(setup, &in, &ret_told->reply, &t);
	if (ret_told->outcome == ANSWER_TRANSFER) {
		const int size = transfer_next(t, in.wall_s, ret_told->bytes);

		ck_assert_int_gt(size, 0);
		ret_told->reply.size = (size_t)size;
		transfer_free(t);
	}
}

/* With this OPT, and the extended error @code, in hexadecimal, at its end. */
static void expect_refused(
	const struct asked *q, unsigned rcode, const char *whole_opt, const char *code)
{
	static struct told told;
	char expected[256], *opt;

	ask_transfer(q, &primary.setup, &told);
	ck_assert_uint_eq(told.reply.rcode, rcode);
	snprintf(expected, sizeof expected, "%.*s 00 0f 00 02 00 %s\n", (int)strlen(whole_opt) - 1,
		whole_opt, code);
	opt = opt_of(&told);
	ck_assert_str_eq(opt, expected);
	free(opt);
}

/* RFC 5936 2.2.5; RFC 7873 5.2, RFC 5001 2.1, RFC 7828 3.3.2. */
START_TEST(test_the_first_message_has_the_options_of_any_answer)
{
	static const uint8_t cookie[8] = {1};
	static struct told told;
	struct asked q = {.name = "example.com",
		.type = DNS_SOA,
		.edns = true,
		.nsid = true,
		.keepalive = true,
		.cookie = cookie,
		.cookie_size = sizeof cookie};
	struct asking how = {
		.answerer = answerer_new(1), .catalog = primary.world->catalog, .tcp = true};
	char *expected, *opt;

	ask(&how, &q, &told);
	expected = opt_of(&told);
	q.type = DNS_AXFR;
	ck_assert(addr_parse("198.51.100.100", &primary.config.transfer[0].address));
	ask_transfer(&q, &primary.setup, &told);
	ck_assert_int_eq(told.outcome, ANSWER_TRANSFER);
	opt = opt_of(&told);
	ck_assert_str_eq(opt, expected);
	free(opt);
	/* and a refusal has them, with its reason (RFC 8914 4.19, 4.21) */
	primary.config.n_transfers = 0;
	expect_refused(&q, DNS_REFUSED, expected, "12");
	primary.config.n_transfers = 1;
	q.name = "www.example.com";
	expect_refused(&q, DNS_NOTAUTH, expected, "14");
	free(expected);
	answerer_free(how.answerer);
}
END_TEST

/* IXFR with these bytes for the authority section's record, which is to be the asker's SOA (RFC 1995 3). */
static enum answer_outcome begin_ixfr(const uint8_t *record, size_t size)
{
	const struct asked asked = {.name = "example.com", .type = DNS_IXFR};
	uint8_t bytes[2 * DNS_UDP_LEAST];
	struct answer_request in = {
		.message = bytes, .client = secondary, .tcp = true, .self = &world_self};
	struct answer_reply reply = {.buffer = primary.buffer, .room = DNS_MESSAGE_MAX};
	struct transfer *t = NULL;
	enum answer_outcome outcome;

	in.size = asked_message(&asked, bytes);
	memcpy(bytes + in.size, record, size);
	in.size += size;
	bytes[9] = 1;
	outcome = transfer_begin(&primary.setup, &in, &reply, &t);
	transfer_free(t);
	if (outcome == ANSWER_SENT)
		ck_assert(reply.rcode == DNS_FORMERR || primary.buffer[7] == 1);
	return outcome == ANSWER_SENT && reply.rcode == DNS_FORMERR ? ANSWER_NONE : outcome;
}

START_TEST(test_the_askers_soa_is_read_however_it_is_written)
{
	/* names that are spelled out, that end in pointers, and both */
	static const uint8_t plain[] = "\7example\3com\0\0\6\0\1\0\0\0\0\0\46"
				       "\1a\7example\3com\0\1b\0"
				       "\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	static const uint8_t pointers[] = "\300\14\0\6\0\1\0\0\0\0\0\32\1a\300\14\300\14"
					  "\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	static const uint8_t older[] = "\300\14\0\6\0\1\0\0\0\0\0\30\300\14\300\14"
				       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	static const uint8_t other_type[] = "\300\14\0\2\0\1\0\0\0\0\0\30\300\14\300\14"
					    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	static const uint8_t too_short[] = "\300\14\0\6\0\1\0\0\0\0\0\4\300\14\300\14";

	ck_assert_int_eq(begin_ixfr(plain, sizeof plain - 1), ANSWER_SENT);
	ck_assert_int_eq(begin_ixfr(pointers, sizeof pointers - 1), ANSWER_SENT);
	ck_assert_int_eq(begin_ixfr(older, sizeof older - 1), ANSWER_TRANSFER);
	ck_assert_int_eq(begin_ixfr(other_type, sizeof other_type - 1), ANSWER_NONE);
	ck_assert_int_eq(begin_ixfr(too_short, sizeof too_short - 1), ANSWER_NONE);
}
END_TEST

/* What comes of bytes with a TSIG record at their end. */
static struct answer_reply ask_bytes(const uint8_t *bytes, size_t size)
{
	struct answerer *a = answerer_new(1);
	struct answer_reply reply = {.buffer = primary.buffer, .room = DNS_UDP_MAX};
	const struct answer_request in = {.message = bytes,
		.size = size,
		.client = secondary,
		.tcp = true,
		.wall_s = NOW,
		.self = &world_self};

	ck_assert(a);
	ck_assert_int_eq(
		signed_answer(a, primary.world->catalog, &primary.key, &in, &reply), ANSWER_SENT);
	answerer_free(a);
	return reply;
}

START_TEST(test_a_signature_that_is_none_is_a_format_error) /* RFC 8945 5.2 */
{
	struct asks a = {.name = "example.com", .type = DNS_AXFR, .is_signed = true};
	const struct asked single = {.name = "single.example.com", .type = DNS_A};
	struct answer_reply reply = {.buffer = primary.buffer, .room = DNS_MESSAGE_MAX};
	uint8_t bytes[2 * DNS_UDP_LEAST];
	struct tsig t = tsig_start(&primary.key);
	struct answer_request in = {.message = bytes, .client = secondary, .tcp = true};
	struct transfer *transfer;
	size_t size = tsig_sign(&t, bytes, asked_message(&single, bytes), NOW);

	need_key();
	bytes[size - 1] = 1; /* other data, which there is none of */
	ck_assert_uint_eq(ask_bytes(bytes, size).rcode, DNS_FORMERR);
	ck_assert_uint_eq(primary.buffer[11], 0); /* unsigned */
	in.size = write_question(&a, bytes, &t);
	bytes[in.size - 1] = 1;
	ck_assert_int_eq(transfer_begin(&primary.setup, &in, &reply, &transfer), ANSWER_SENT);
	ck_assert_uint_eq(reply.rcode, DNS_FORMERR);
	ck_assert_uint_eq(primary.buffer[11], 0);
}
END_TEST

START_TEST(test_a_question_is_not_that_large)
{
	const struct asked single = {
		.name = "single.example.com", .type = DNS_A, .edns = true, .nsid = true};
	static uint8_t bytes[16384];
	const size_t paddings[] = {3900, 4100};

	for (size_t i = 0; i < ARRAY_SIZE(paddings); i++) {
		const size_t size = asked_message(&single, bytes), padding = paddings[i];
		struct tsig t = tsig_start(&primary.key);
		uint8_t *option = bytes + size - 4, *data_size = option - 2;

		option[1] = 12; /* of PADDING (RFC 7830) */
		option[2] = (uint8_t)(padding >> 8);
		option[3] = (uint8_t)padding;
		data_size[0] = (uint8_t)((padding + 4) >> 8);
		data_size[1] = (uint8_t)(padding + 4);
		memset(bytes + size, 0, padding);
		ck_assert_uint_eq(ask_bytes(bytes, tsig_sign(&t, bytes, size + padding, NOW)).rcode,
			i == 0 ? DNS_NOERROR : DNS_FORMERR);
	}
}
END_TEST

static void have_long_key(void)
{
	for (int i = 0; i < 3; i++) {
		primary.key.name.bytes[i * 64] = 63;
		memset(primary.key.name.bytes + i * 64 + 1, 'k', 63);
	}
	primary.key.name.bytes[192] = 0;
	primary.key.name.size = 193;
	primary.key.algorithm = TSIG_SHA512;
}

/* RFC 8945 5.3: what does not fit beside the signature is to be asked for over TCP. */
START_TEST(test_a_key_of_a_long_name_leaves_less_room)
{
	const struct asked single = {.name = "single.example.com", .type = DNS_A},
			   sip = {.name = "_sip._tcp.example.com", .type = DNS_SRV};
	struct answer_reply r;

	have_long_key();
	r = ask_signed(&single, &primary.key, false);
	ck_assert_uint_eq(r.rcode, DNS_NOERROR);
	ck_assert(!(primary.buffer[2] & DNS_TC >> 8));
	r = ask_signed(&sip, &primary.key, false);
	ck_assert(primary.buffer[2] & DNS_TC >> 8);
	ck_assert_uint_eq(primary.buffer[11], 1);
	ck_assert_uint_le(r.size, DNS_UDP_LEAST);
	(void)ask_signed(&sip, &primary.key, true);
	ck_assert(!(primary.buffer[2] & DNS_TC >> 8));
}
END_TEST

#define LABEL "a-label-of-thirty-two-characters."

/* No more than the asker takes (RFC 1035 4.2.1), whatever has to go for it. */
START_TEST(test_a_long_key_and_a_long_name_leave_no_room)
{
	static const uint8_t cookie[8] = {1};
	struct asked q = {.name = LABEL LABEL LABEL LABEL LABEL "example.com", .type = DNS_A};
	struct answer_reply r;

	have_long_key();
	/* RFC 8945 5.3: the question and the signature alone, and no RCODE */
	r = ask_signed(&q, &primary.key, false);
	ck_assert_uint_gt(r.size, 0);
	ck_assert_uint_eq(primary.buffer[3] & 15, DNS_NOERROR);
	ck_assert_uint_eq(r.rcode, DNS_NOERROR);
	ck_assert(primary.buffer[2] & DNS_TC >> 8);
	ck_assert_uint_eq(primary.buffer[7] + primary.buffer[9], 0);
	ck_assert_uint_eq(primary.buffer[11], 1);
	/* the control: over TCP it is told */
	ck_assert_uint_eq(ask_signed(&q, &primary.key, true).rcode, DNS_NXDOMAIN);
	/* with OPT, if there is room for it (RFC 6891 7) */
	q.edns = true;
	q.udp_size = DNS_UDP_LEAST;
	r = ask_signed(&q, &primary.key, false);
	ck_assert_uint_gt(r.opt_size, 0);
	ck_assert_uint_eq(primary.buffer[11], 2);
	q.nsid = true;
	q.cookie = cookie;
	q.cookie_size = sizeof cookie;
	r = ask_signed(&q, &primary.key, false);
	ck_assert_uint_gt(r.size, 0);
	ck_assert_uint_eq(r.opt_size, 0);
	ck_assert_uint_eq(primary.buffer[11], 1);
	q.name = LABEL LABEL LABEL LABEL LABEL LABEL "example.com";
	ck_assert_uint_eq(ask_signed(&q, &primary.key, false).size, 0);
	q.udp_size = DNS_UDP_MAX;
	ck_assert_uint_eq(ask_signed(&q, &primary.key, false).rcode, DNS_NXDOMAIN);
}
END_TEST

START_TEST(test_what_is_not_signed_is_answered_as_it_is)
{
	const struct asked single = {.name = "single.example.com", .type = DNS_A};
	uint8_t bytes[DNS_UDP_LEAST];

	ck_assert_uint_eq(ask_bytes(bytes, asked_message(&single, bytes)).rcode, DNS_NOERROR);
	ck_assert_uint_eq(primary.buffer[11], 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_a_zone_goes_out_whole_between_two_soas,
		test_a_large_zone_takes_many_messages_all_signed,
		test_a_record_may_fill_a_message,
		test_names_keep_their_case_whatever_the_question_has,
		test_strangers_are_refused_and_learn_not_which_zones_there_are,
		test_with_a_key_only_signed_questions_count,
		test_ixfr_is_one_soa_to_who_has_the_zone,
		test_each_message_repeats_number_and_rd_of_the_question,
		test_a_transfer_may_end_at_any_message,
		test_a_signed_question_gets_a_signed_answer_that_fits,
		test_a_question_with_a_wrong_signature_is_not_answered,
		test_who_asks_for_dnssec_is_told_so,
		test_the_first_message_has_the_options_of_any_answer,
		test_the_askers_soa_is_read_however_it_is_written,
		test_a_signature_that_is_none_is_a_format_error,
		test_a_question_is_not_that_large,
		test_a_key_of_a_long_name_leaves_less_room,
		test_a_long_key_and_a_long_name_leave_no_room,
		test_what_is_not_signed_is_answered_as_it_is,
	};

	return run_suite_around("transfer", tests, ARRAY_SIZE(tests), set_up, tear_down);
}
