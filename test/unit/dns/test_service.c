/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers over TCP, from whichever edition is current. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "dns/edition.h"
#include "dns/service.h"
#include "memory.h"
#include "suite.h"
#include "world.h"

static struct world *world;
static struct config config = {.dns = {.n_transfers = 1}};
static struct edition edition = {.config = &config};
static struct snapshot editions;
static struct service service;
static uint8_t buffer[DNS_MESSAGE_MAX];

static void set_up(void)
{
	world = world_new();
	edition.catalog = world->catalog;
	ck_assert(addr_parse("192.0.2.53", &config.dns.transfer[0].address));
	ck_assert(snapshot_init(&editions, 1, &edition));
	service = (struct service){&editions, 0, answerer_new(1)};
	ck_assert_ptr_nonnull(service.answerer);
}

static void tear_down(void)
{
	ck_assert(
		!snapshot_is_in_use(&editions, &edition)); /* only for as long as an answer takes */
	ck_assert_uint_eq(edition.n_transfers, 0);
	answerer_free(service.answerer);
	snapshot_fini(&editions);
	world_free(world);
}

static enum tcp_outcome answer_bytes(const uint8_t *message, size_t size, struct tcp_answer *ret)
{
	struct tcp_question question = {.message = message, .size = size, .wall_s = 1000};

	*ret = (struct tcp_answer){.buffer = buffer, .room = sizeof buffer};
	if (!addr_parse("192.0.2.53", &question.client))
		return TCP_SILENT;
	return service_answer(&service, &question, ret);
}

static enum tcp_outcome ask_for(const char *name, uint16_t type, struct tcp_answer *ret)
{
	const struct asked asked = {.name = name, .type = type};
	uint8_t message[DNS_UDP_LEAST];

	return answer_bytes(message, asked_message(&asked, message), ret);
}

START_TEST(a_question_is_answered)
{
	struct tcp_answer a;

	ck_assert_int_eq(ask_for("single.example.com", DNS_A, &a), TCP_ANSWERED);
	ck_assert_uint_eq(a.rcode, DNS_NOERROR);
	ck_assert_uint_eq(buffer[7], 1);
	ck_assert_int_eq(ask_for("nothing.example.com", DNS_A, &a), TCP_ANSWERED);
	ck_assert_uint_eq(a.rcode, DNS_NXDOMAIN);
}
END_TEST

START_TEST(what_is_no_question_is_not)
{
	struct tcp_answer a;

	ck_assert_int_eq(answer_bytes((const uint8_t *)"runt", 4, &a), TCP_SILENT);
}
END_TEST

START_TEST(a_transfer_keeps_its_edition_until_it_ends)
{
	struct edition next = {.config = &config};
	struct tcp_answer a;
	int size, n = 0;

	next.catalog = world_catalog_of(
		"other.", "$TTL 60\n@ SOA ns h 1 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n");
	ck_assert_int_eq(ask_for("example.com", DNS_AXFR, &a), TCP_STREAM);
	ck_assert_uint_eq(edition.n_transfers, 1);
	ck_assert_ptr_eq(snapshot_swap(&editions, &next), &edition);
	ck_assert(!snapshot_is_in_use(&editions, &edition)); /* by no answer, that is */
	while ((size = service_stream_next(&service, a.stream, buffer, sizeof buffer)) > 0)
		n++;
	ck_assert_int_eq(size, 0);
	ck_assert_int_ge(n, 1);
	service_stream_end(&service, a.stream);
	ck_assert_uint_eq(edition.n_transfers, 0);
	/* and who asks now is answered from the next */
	ck_assert_int_eq(ask_for("single.example.com", DNS_A, &a), TCP_ANSWERED);
	ck_assert_uint_eq(a.rcode, DNS_REFUSED);
	catalog_free(next.catalog);
}
END_TEST

START_TEST(a_transfer_that_is_refused_is_an_answer)
{
	struct tcp_answer a;

	ck_assert_int_eq(ask_for("www.example.com", DNS_AXFR, &a), TCP_ANSWERED); /* no zone */
	ck_assert_uint_eq(a.rcode, 9);
	ck_assert_uint_eq(edition.n_transfers, 0);
}
END_TEST

/* A record that fills a message, and a signature beside it. */
START_TEST(a_transfer_that_can_not_go_on_is_broken_off)
{
	static uint8_t message[2 * DNS_UDP_LEAST];
	static char text[150000];
	struct tsig_key key = {
		.name = {.size = 5, .bytes = "\3key"}, .algorithm = TSIG_SHA256, .secret_size = 16};
	const struct asked asked = {.name = "large.test", .type = DNS_AXFR};
	struct tsig tsig = tsig_start(&key);
	const size_t size = 65535 - 12 - 14 - 4 - 12 - 11;
	struct tcp_answer a;
	int n;

	sprintf(text, "$TTL 1\n@ SOA ns h 7 1 1 1 1\n@ NS ns\nns A 192.0.2.1\nx TYPE65400 \\# %zu ",
		size);
	memset(text + strlen(text), '0', 2 * size);
	strcat(text, "\n");
	edition.catalog = world_catalog_of("large.test", text);
	edition.key = &key;
	ck_assert_int_eq(
		answer_bytes(message,
			tsig_sign(&tsig, message, asked_message(&asked, message), 1000), &a),
		TCP_STREAM);
	while ((n = service_stream_next(&service, a.stream, buffer, sizeof buffer)) > 0)
		;
	ck_assert_int_lt(n, 0);
	service_stream_end(&service, a.stream);
	catalog_free(edition.catalog);
}
END_TEST

static bool transfer(void *context)
{
	struct tcp_answer a;
	const enum tcp_outcome outcome = ask_for("example.com", DNS_AXFR, &a);

	(void)context;
	if (outcome == TCP_STREAM)
		service_stream_end(&service, a.stream);
	return outcome == TCP_STREAM;
}

START_TEST(a_transfer_that_finds_no_memory_closes_the_connection)
{
	ck_assert_uint_eq(memory_refuse_each(transfer, NULL), 2);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_question_is_answered,
		what_is_no_question_is_not,
		a_transfer_keeps_its_edition_until_it_ends,
		a_transfer_that_is_refused_is_an_answer,
		a_transfer_that_can_not_go_on_is_broken_off,
		a_transfer_that_finds_no_memory_closes_the_connection,
	};

	return run_suite_around("service", tests, ARRAY_SIZE(tests), set_up, tear_down);
}
