/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever of the name server takes memory, when it runs out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libdnssec/tsig.h>

#include "base/assert.h"
#include "dns/answerer.h"
#include "dns/holders.h"
#include "dns/rrl.h"
#include "dns/signed.h"
#include "dns/snapshot.h"
#include "dns/tcp.h"
#include "dns/transfer.h"
#include "memory.h"
#include "suite.h"
#include "world.h"
#include "zone/load.h"

int __real_dnssec_tsig_new(
	dnssec_tsig_ctx_t **ctx, dnssec_tsig_algorithm_t algorithm, const dnssec_binary_t *key);
int __wrap_dnssec_tsig_new(
	dnssec_tsig_ctx_t **ctx, dnssec_tsig_algorithm_t algorithm, const dnssec_binary_t *key);

/* A digest's memory is another library's. */
int __wrap_dnssec_tsig_new(
	dnssec_tsig_ctx_t **ctx, dnssec_tsig_algorithm_t algorithm, const dnssec_binary_t *key)
{
	if (memory_is_refused())
		return -ENOMEM;
	return __real_dnssec_tsig_new(ctx, algorithm, key);
}

static struct name name_of(const char *text)
{
	struct name name;
	const char *why;

	ck_assert(name_parse(text, NULL, &name, &why));
	return name;
}

#define SERVICES 40

/* Many services, each of one VIP, whose names are in a zone with many delegations. */
struct cluster {
	struct config config;
	struct config_service services[SERVICES];
	struct config_vip vips[SERVICES];
};

static void add_services(struct cluster *c, struct zone *z)
{
	char problem[ZONE_PROBLEM_SIZE], owner[32];

	c->config = (struct config){.services = c->services,
		.vips = c->vips,
		.n_services = SERVICES,
		.n_vips = SERVICES};
	for (uint32_t i = 0; i < SERVICES; i++) {
		const uint8_t address[4] = {10, 0, 0, (uint8_t)i};
		struct zone_record r = {
			.type = DNS_A, .ttl = 60, .rdata = address, .rdata_size = 4, .service = i};
		struct name name;

		c->services[i] = (struct config_service){.first_vip = i, .n_vips = 1};
		c->vips[i] = (struct config_vip){.address = addr_from_ipv4(address), .weight = 1};
		snprintf(owner, sizeof owner, "s%u.example.com.", i);
		name = name_of(owner);
		r.owner = name.bytes;
		ck_assert(zone_add(z, &r, problem));
	}
}

static struct zone *make_zone(struct cluster *c)
{
	const struct name apex = name_of("example.com.");
	const struct load_listener nobody = {0};
	char problem[ZONE_PROBLEM_SIZE], *text = NULL;
	struct load_text in = {.file = "test.zone"};
	FILE *f = open_memstream(&text, &in.size);
	struct zone *z;

	fputs("$TTL 60\n@ SOA ns h 1 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n", f);
	for (uint32_t i = 0; i < 300; i++)
		fprintf(f, "d%u NS ns.d%u\nd%u NS ns.example.net.\nns.d%u A 192.0.2.1\n", i, i, i,
			i);
	fclose(f);
	in.text = text;
	z = load_text(&in, apex.bytes, &nobody);
	free(text);
	ck_assert(z);
	add_services(c, z);
	ck_assert(zone_finish(z, NULL, NULL, problem));
	return z;
}

struct compiling {
	struct zone *zone;
	const struct config *config;
};

static bool compile(void *context)
{
	struct compiling *w = context;
	struct catalog *c = catalog_new(&w->zone, 1, w->config);

	catalog_free(c); /* and, once there is one, the zone */
	return c;
}

START_TEST(test_a_catalog_is_whole_or_leaves_the_zones_to_the_caller)
{
	static struct cluster cluster;
	struct compiling w = {make_zone(&cluster), &cluster.config};

	ck_assert_uint_gt(memory_refuse_each(compile, &w), 8);
}
END_TEST

static bool make_answerer(void *context)
{
	struct answerer *a = answerer_new(1);

	(void)context;
	answerer_free(a);
	return a;
}

static bool make_rrl(void *context)
{
	struct rrl *r = rrl_new(1);

	(void)context;
	rrl_free(r);
	return r;
}

static bool make_snapshot(void *context)
{
	struct snapshot s;
	const bool done = snapshot_init(&s, 3, context);

	if (done)
		snapshot_fini(&s);
	return done;
}

static bool make_holders(void *context)
{
	struct holders *h = holders_new();
	const bool done = h && holders_set_config(h, context);

	holders_free(h);
	return done;
}

START_TEST(test_what_the_server_is_made_of_is_whole_or_not_there)
{
	struct config_vip vips[2] = {0};
	struct config config = {.vips = vips, .n_vips = 2};

	ck_assert_uint_eq(memory_refuse_each(make_answerer, NULL), 1);
	ck_assert_uint_eq(memory_refuse_each(make_rrl, NULL), 2);
	ck_assert_uint_eq(memory_refuse_each(make_snapshot, &config), 1);
	ck_assert_uint_eq(memory_refuse_each(make_holders, &config), 3);
}
END_TEST

static enum tcp_outcome say_nothing(
	void *context, const struct tcp_question *question, struct tcp_answer *answer)
{
	(void)context, (void)question, (void)answer;
	return TCP_SILENT;
}

static bool serve_tcp(void *context)
{
	const struct tcp_setup setup = {.service = {.answer = say_nothing},
		.connections_max = 8,
		.client_max = 4,
		.patience = tick_s(1)};
	struct tcp *t = NULL;
	const int error = tcp_start(&setup, &t);

	(void)context;
	tcp_stop(t);
	return error == 0;
}

START_TEST(test_the_thread_for_tcp_starts_or_does_not)
{
	ck_assert_uint_eq(memory_refuse_each(serve_tcp, NULL), 2);
}
END_TEST

static bool reload(void *context)
{
	static struct config_vip vips[1];
	const struct config next = {.vips = vips, .n_vips = 1};
	struct holders *h = context;
	const bool done = holders_set_config(h, &next);

	/* as it was before */
	return holders_is_held(h, done ? 0 : 1, tick_s(1)) && done;
}

START_TEST(test_holders_that_can_not_be_renewed_stay_as_they_were)
{
	struct config_vip vips[2] = {0};
	const struct config config = {.vips = vips, .n_vips = 2};
	struct holders *h = holders_new();

	ck_assert(holders_set_config(h, &config));
	ck_assert_uint_eq(memory_refuse_each(reload, h), 2);
	holders_free(h);
	holders_free(NULL);
	rrl_free(NULL);
	tcp_stop(NULL);
}
END_TEST

/* A signed question of a secondary's, or of anybody's, and what comes of it. */
struct signed_question {
	struct tsig_key key;
	struct world *world;
	struct answerer *answerer;
	struct config_dns config;
	struct answer_request in;
	uint8_t message[2 * DNS_UDP_LEAST];
	uint8_t buffer[DNS_MESSAGE_MAX];
};

static void sign_question(struct signed_question *q, const struct asked *asked)
{
	struct tsig t;

	q->key = (struct tsig_key){
		.name = {.size = 5, .bytes = "\3key"}, .algorithm = TSIG_SHA256, .secret_size = 16};
	q->config.n_transfers = 1;
	t = tsig_start(&q->key);
	q->in = (struct answer_request){.message = q->message,
		.size = tsig_sign(&t, q->message, asked_message(asked, q->message), 1000),
		.tcp = true,
		.wall_s = 1000,
		.self = &world_self};
}

static bool transfer(void *context)
{
	struct signed_question *q = context;
	const struct transfer_setup setup = {q->world->catalog, &q->config, &q->key};
	struct answer_reply out = {.buffer = q->buffer, .room = sizeof q->buffer};
	struct transfer *t = NULL;
	const enum answer_outcome outcome = transfer_begin(&setup, &q->in, &out, &t);
	int size = -1;

	if (outcome == ANSWER_TRANSFER)
		while ((size = transfer_next(t, 1000, q->buffer)) > 0)
			;
	transfer_free(t);
	return outcome == ANSWER_TRANSFER && size == 0;
}

/* What can't be verified for want of memory is not taken for verified, and what can't be signed is not sent. */
START_TEST(test_a_transfer_is_signed_or_ends)
{
	static struct signed_question q;

	q.world = world_new();
	sign_question(&q, &(struct asked){.name = "test", .type = DNS_AXFR});
	/* itself, the question's digest, and that of the message */
	ck_assert_uint_eq(memory_refuse_each(transfer, &q), 3);
	world_free(q.world);
}
END_TEST

static bool ask_signed(void *context)
{
	struct signed_question *q = context;
	struct answer_reply out = {.buffer = q->buffer, .room = sizeof q->buffer};

	return signed_answer(q->answerer, q->world->catalog, &q->key, &q->in, &out) ==
		       ANSWER_SENT &&
	       out.rcode == DNS_NOERROR;
}

START_TEST(test_a_signed_question_gets_a_signed_answer_or_none)
{
	static struct signed_question q;

	q.world = world_new();
	q.answerer = answerer_new(1);
	sign_question(&q, &(struct asked){.name = "www.example.com", .type = DNS_A});
	ck_assert_uint_eq(memory_refuse_each(ask_signed, &q), 2);
	q.in.wall_s = 100000; /* one that is refused, and whose refusal is signed */
	ck_assert(!ask_signed(&q));
	answerer_free(q.answerer);
	world_free(q.world);
}
END_TEST

/* Without what is only helpful, and need not be there. */
static size_t needed(const char *text)
{
	const char *end = strstr(text, "; additional:\n");

	ck_assert(end);
	return (size_t)(end - text);
}

START_TEST(test_an_answer_is_whole_or_none_however_little_room_libknot_has)
{
	static const struct asked questions[] = {{.name = "x.dname.example.com", .type = DNS_A},
		{.name = "alias3.example.com", .type = DNS_A},
		{.name = "example.com", .type = DNS_MX},
		{.name = "x.deleg.example.com", .type = DNS_A},
		{.name = "nothing.example.com", .type = DNS_A}};
	static struct told told;
	struct world *w = world_new();
	struct asking how = {.answerer = answerer_new(1), .catalog = w->catalog, .way = WAY_SLOW};

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		bool whole = false;
		char *expected;

		how.answerer->arena_size = ANSWERER_ARENA_SIZE;
		answerer_seed(how.answerer, 1);
		ask(&how, &questions[i], &told);
		expected = told_text(&told);
		for (size_t room = 0; room < 16384; room += 16) {
			char *text;

			how.answerer->arena_size = room;
			answerer_seed(how.answerer, 1);
			ask(&how, &questions[i], &told);
			text = told_text(&told);
			if (told.reply.rcode == DNS_SERVFAIL)
				ck_assert(!whole && strncmp(text, "SERVFAIL;", 9) == 0);
			else
				ck_assert_int_eq(strncmp(text, expected, needed(expected)), 0);
			whole = told.reply.rcode != DNS_SERVFAIL;
			free(text);
		}
		ck_assert(whole); /* a control */
		free(expected);
	}
	answerer_free(how.answerer);
	world_free(w);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_a_catalog_is_whole_or_leaves_the_zones_to_the_caller,
		test_what_the_server_is_made_of_is_whole_or_not_there,
		test_the_thread_for_tcp_starts_or_does_not,
		test_holders_that_can_not_be_renewed_stay_as_they_were,
		test_a_transfer_is_signed_or_ends,
		test_a_signed_question_gets_a_signed_answer_or_none,
		test_an_answer_is_whole_or_none_however_little_room_libknot_has,
	};

	return run_suite("memory", tests, ARRAY_SIZE(tests));
}
