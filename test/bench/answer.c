/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an answer costs without sockets: nanoseconds of CPU for each message, from its bytes to the answer's, by the
 * compiled way and by libknot's. Usage: bench-answer [NAMES], a zone of so many names (default 1000), asked in
 * turns and as one hot name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../unit/dns/world.h"
#include "base/assert.h"

#define MESSAGES 1000
#define ROUNDS   2000

struct batch {
	uint8_t messages[MESSAGES][128];
	size_t sizes[MESSAGES];
};

static char *make_zone(unsigned n_names)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ASSERT(f);
	fprintf(f, "$TTL 60\n@ SOA ns h 1 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n@ MX 1 mail\nmail A "
		   "192.0.2.2\n");
	for (unsigned i = 0; i < n_names; i++)
		fprintf(f, "www%u A 192.0.2.%u\nwww%u A 198.51.100.%u\n", i, i % 250, i, i % 250);
	fclose(f);
	return text;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void add(struct batch *b, size_t i, const struct asked *q)
{
	uint8_t message[DNS_UDP_LEAST];

	b->sizes[i] = asked_message(q, message);
	ASSERT(b->sizes[i] <= sizeof b->messages[i]);
	for (size_t k = 0; k < b->sizes[i]; k++)
		b->messages[i][k] = message[k];
}

static double measure(const struct batch *b, struct answerer *a, const struct catalog *c, bool fast)
{
	static uint8_t buffer[DNS_UDP_MAX];
	struct answer_request in = {.client = addr_none, .wall_s = 1559731985, .self = &world_self};
	const double start = now_ns();

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < MESSAGES; i++) {
			struct answer_reply out = {.buffer = buffer, .room = sizeof buffer};
			struct query q;

			in.message = b->messages[i];
			in.size = b->sizes[i];
			ASSERT(query_parse(in.message, in.size, &q) == QUERY_PLAIN);
			ASSERT((fast ? answer_fast : answer_slow)(a, c, &in, &q, &out));
		}
		if (!fast && round == ROUNDS / 10)
			return (now_ns() - start) / (round + 1) / MESSAGES;
	}
	return (now_ns() - start) / ROUNDS / MESSAGES;
}

int main(int argc, char **argv)
{
	static const uint8_t cookie[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	const struct {
		const char *what, *domain;
		const char *label; /* before it, with a number: another name each time; or NULL */
		struct asked q;
	} kinds[] = {
		{"hot name, 2 A", "www7.example.com", NULL, {.type = DNS_A}},
		{"hot name, 2 A, EDNS", "www7.example.com", NULL, {.type = DNS_A, .edns = true}},
		{"... and a cookie", "www7.example.com", NULL,
			{.type = DNS_A, .edns = true, .cookie = cookie, .cookie_size = 8}},
		{"many names, 2 A, EDNS", "example.com", "www", {.type = DNS_A, .edns = true}},
		{"MX and an address", "example.com", NULL, {.type = DNS_MX, .edns = true}},
		{"NODATA", "www7.example.com", NULL, {.type = DNS_AAAA, .edns = true}},
		{"NXDOMAIN", "example.com", "no", {.type = DNS_A, .edns = true}},
		{"REFUSED", "example.org", "www", {.type = DNS_A, .edns = true}},
	};
	const unsigned n_names = argc == 2 ? (unsigned)atoi(argv[1]) : 1000;
	static struct batch batch;
	struct answerer *a = answerer_new(1);
	char *text = make_zone(n_names);
	struct catalog *c = world_catalog_of("example.com.", text);

	ASSERT(a);
	printf("%u names: zone %.1f MB, compiled %.1f MB\n", n_names,
		(double)zone_memory(catalog_zone(c, 0)) / 1e6, (double)catalog_memory(c) / 1e6);
	printf("%-24s %8s %8s   ns a message\n", "", "compiled", "libknot");
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (unsigned i = 0; i < MESSAGES; i++) {
			struct asked q = kinds[k].q;
			char name[64];

			snprintf(name, sizeof name, "%s%u.%s", kinds[k].label ? kinds[k].label : "",
				(unsigned)((i * 7919ull) % n_names), kinds[k].domain);
			q.name = kinds[k].label ? name : kinds[k].domain;
			add(&batch, i, &q);
		}
		printf("%-24s %8.0f", kinds[k].what, measure(&batch, a, c, true));
		printf(" %8.0f\n", measure(&batch, a, c, false));
	}
	free(text);
	catalog_free(c);
	answerer_free(a);
	return 0;
}
