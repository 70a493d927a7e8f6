/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/rng.h"
#include "suite.h"
#include "world.h"

/* Compiled answers against those that libknot writes by RFC 1034's algorithm. */

#define QUESTIONS 30000

static const uint16_t types[] = {DNS_A, DNS_A, DNS_AAAA, DNS_AAAA, DNS_NS, DNS_CNAME, DNS_SOA,
	DNS_MX, DNS_PTR, DNS_MINFO, 16, DNS_SRV, DNS_DNAME, DNS_DS, DNS_SVCB, DNS_HTTPS, 13, 17, 35,
	48, 46, 128, 65400};

static uint16_t random_type(struct rng *rng)
{
	return types[rng_below(rng, ARRAY_SIZE(types))];
}

/* Any of the names, often with labels before it, in letters of any case. */
static void random_name(struct rng *rng, char name[static 256])
{
	static const char *const labels[] = {"", "", "", "www.", "nothing.", "a.b.c.", "*.", "ns."};

	strcpy(name, labels[rng_below(rng, ARRAY_SIZE(labels))]);
	strcat(name, world_names[rng_below(rng, (uint32_t)world_n_names)]);
	for (char *p = name; *p != '\0'; p++) {
		if (*p >= 'a' && *p <= 'z' && rng_below(rng, 4) == 0)
			*p = (char)(*p - 'a' + 'A');
	}
}

static struct asked random_question(struct rng *rng, char name[static 256])
{
	static const uint8_t cookie[40] = {1, 2, 3, 4, 5, 6, 7, 8, 1};
	static const uint16_t sizes[] = {0, 512, 1232, 4096, 100, 700};
	struct asked q = {.name = name, .type = random_type(rng)};

	random_name(rng, name);
	q.flags = (uint16_t)(rng_next(rng) & (DNS_RD | DNS_CD));
	q.edns = rng_below(rng, 3) != 0;
	q.udp_size = sizes[rng_below(rng, ARRAY_SIZE(sizes))];
	q.dnssec_ok = rng_below(rng, 2);
	q.nsid = rng_below(rng, 2);
	if (rng_below(rng, 2)) {
		q.cookie = cookie;
		q.cookie_size = rng_below(rng, 2) ? 8 : 24;
	}
	return q;
}

static struct answerer *make_answerer(void)
{
	struct answerer *a = answerer_new(1);

	ck_assert(a);
	return a;
}

/* One question both ways. The order of addresses is drawn, so that both begin with the same seed. Returns whether
 * the fast one answered. */
static bool check_question(struct asking *how, const struct asked *q, uint64_t seed)
{
	static struct told fast, slow;
	char *by_fast, *by_slow;

	how->way = WAY_FAST;
	answerer_seed(how->answerer, seed);
	ask(how, q, &fast);
	how->way = WAY_SLOW;
	answerer_seed(how->answerer, seed);
	ask(how, q, &slow);
	by_slow = told_text(&slow);
	ck_assert_str_ne(by_slow, "malformed");
	if (fast.outcome != ANSWER_SENT) {
		free(by_slow);
		return false;
	}
	by_fast = told_text(&fast);
	ck_assert_msg(strcmp(by_fast, by_slow) == 0, "%s %u, seed %llu\nfast: %s\nslow: %s",
		q->name, q->type, (unsigned long long)seed, by_fast, by_slow);
	ck_assert_uint_eq(fast.reply.rcode, slow.reply.rcode);
	ck_assert_ptr_eq(fast.reply.subject, slow.reply.subject);
	free(by_fast);
	free(by_slow);
	return true;
}

START_TEST(test_both_ways_give_equal_answers_to_random_questions)
{
	struct world *w = world_new();
	struct asking how = {.answerer = make_answerer(), .catalog = w->catalog};
	struct rng rng = {.state = 1};
	unsigned n_fast = 0;

	for (unsigned i = 0; i < QUESTIONS; i++) {
		char name[256];
		const struct asked q = random_question(&rng, name);

		how.tcp = rng_below(&rng, 4) == 0;
		if (i % 100 == 0)
			catalog_set_held(w->catalog, rng_below(&rng, w->config->n_vips),
				rng_below(&rng, 3) != 0);
		n_fast += check_question(&how, &q, i);
	}
	/* A control: most are answered by the fast way at all. */
	ck_assert_uint_gt(n_fast, QUESTIONS / 2);
	answerer_free(how.answerer);
	world_free(w);
}
END_TEST

START_TEST(test_the_fast_way_answers_what_is_asked_most)
{
	static const struct asked common[] = {
		{.name = "www.example.com", .type = DNS_A},
		{.name = "WWW.example.COM", .type = DNS_AAAA},
		{.name = "float.example.com", .type = DNS_A, .edns = true, .dnssec_ok = true},
		{.name = "one.example.com", .type = DNS_A},
		{.name = "example.com", .type = DNS_SOA}, {.name = "example.com", .type = DNS_NS},
		{.name = "example.com", .type = DNS_MX}, {.name = "example.com", .type = 16},
		{.name = "example.com", .type = DNS_HTTPS},
		{.name = "alias.example.com", .type = DNS_CNAME},
		{.name = "_sip._tcp.example.com", .type = DNS_SRV},
		{.name = "www.example.com", .type = DNS_MX},    /* NODATA */
		{.name = "ent.example.com", .type = DNS_A},     /* empty non-terminal */
		{.name = "nothing.example.com", .type = DNS_A}, /* NXDOMAIN */
		{.name = "a.very.deep.name.example.com", .type = DNS_A},
		{.name = "x.deleg.example.com", .type = DNS_A}, /* referral */
		{.name = "deleg.example.com", .type = DNS_DS},
		{.name = "q.wild.example.com", .type = DNS_A}, /* wildcard */
		{.name = "q.wild.example.com", .type = DNS_AAAA},
		{.name = "www.elsewhere.example", .type = DNS_A}, /* REFUSED */
	};
	struct world *w = world_new();
	struct asking how = {.answerer = make_answerer(), .catalog = w->catalog};

	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		ck_assert_msg(check_question(&how, &common[i], 1), "%s %u", common[i].name,
			common[i].type);
	answerer_free(how.answerer);
	world_free(w);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_both_ways_give_equal_answers_to_random_questions,
		test_the_fast_way_answers_what_is_asked_most,
	};

	return run_suite("agree", tests, ARRAY_SIZE(tests));
}
