/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a secondary at 127.0.0.1 is told, and what it may answer (RFC 1996). */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "dns/notify.h"
#include "dns/query.h"
#include "os/clock.h"
#include "suite.h"
#include "world.h"
#include "zone/load.h"

#define OPCODE_NOTIFY (4u << 11)
#define ZONES_MAX     150

/* So many are told at once, and others so much later. */
#define BURST      100
#define BURST_WAIT tick_ms(50)

static sd_event *event;
static struct notify *notify;

static void set_up(void)
{
	ck_assert_int_ge(sd_event_new(&event), 0);
	ck_assert_int_eq(notify_new(event, &notify), 0);
}

static void tear_down(void)
{
	notify_free(notify);
	sd_event_unref(event);
}

struct secondary {
	int fd;
	struct config_endpoint endpoint;
	/* The last that it was told. */
	uint8_t message[DNS_UDP_MAX];
	size_t size;
	struct sockaddr_in from;
};

static void open_secondary(struct secondary *s)
{
	struct sockaddr_in bound = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof bound;
	int room = 1 << 20;

	memset(s, 0, sizeof *s);
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(s->fd, 0);
	ck_assert_int_eq(setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
	ck_assert_int_eq(bind(s->fd, (const struct sockaddr *)&bound, sizeof bound), 0);
	ck_assert_int_eq(getsockname(s->fd, (struct sockaddr *)&bound, &size), 0);
	ck_assert(addr_parse("127.0.0.1", &s->endpoint.address));
	s->endpoint.port = ntohs(bound.sin_port);
}

/* An edition of @n zones of that serial, for the secondary. */
struct copy {
	struct config config;
	struct edition edition;
};

static void make_edition(struct copy *c, const struct secondary *s, uint32_t n, uint32_t serial)
{
	struct zone *zones[ZONES_MAX];
	const struct load_listener nobody = {0};

	*c = (struct copy){.config = {.dns = {.n_transfers = 1}}};
	c->config.dns.transfer[0] = s->endpoint;
	for (uint32_t i = 0; i < n; i++) {
		char apex[32], text[128], problem[ZONE_PROBLEM_SIZE];
		struct load_text in = {.file = "test.zone", .text = text};
		const char *why;
		struct name name;

		snprintf(apex, sizeof apex, "zone%u.test.", i);
		in.size = (size_t)snprintf(text, sizeof text,
			"$TTL 60\n@ SOA ns h %u 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n", serial);
		ck_assert(name_parse(apex, NULL, &name, &why));
		zones[i] = load_text(&in, name.bytes, &nobody);
		ck_assert(zones[i] && zone_finish(zones[i], NULL, NULL, problem));
	}
	c->edition.config = &c->config;
	c->edition.catalog = catalog_new(zones, n, NULL);
	ck_assert_ptr_nonnull(c->edition.catalog);
}

static void free_edition(struct copy *c)
{
	catalog_free(c->edition.catalog);
}

/* Lets so much time pass. */
static void run(tick span)
{
	const tick end = clock_now() + span;

	for (tick now = clock_now(); now < end; now = clock_now())
		ck_assert_int_ge(sd_event_run(event, (end - now) / 1000 + 1), 0);
}

/* The next that the secondary was told, within so much time. */
static bool is_told_within(struct secondary *s, tick span)
{
	const tick end = clock_now() + span;

	do {
		socklen_t size = sizeof s->from;
		const ssize_t n = recvfrom(s->fd, s->message, sizeof s->message, 0,
			(struct sockaddr *)&s->from, &size);

		s->size = n > 0 ? (size_t)n : 0;
		if (n > 0)
			return true;
		run(tick_ms(1));
	} while (clock_now() < end);
	return false;
}

static uint32_t count_told(struct secondary *s, tick span)
{
	uint32_t n = 0;

	while (is_told_within(s, span))
		n++;
	return n;
}

/* The last one comes back, with these flags in the place of its own. */
static void reply(struct secondary *s, unsigned flags)
{
	s->message[2] = (uint8_t)(flags >> 8);
	s->message[3] = (uint8_t)flags;
	ck_assert_int_eq(
		sendto(s->fd, s->message, s->size, 0, (struct sockaddr *)&s->from, sizeof s->from),
		(ssize_t)s->size);
}

START_TEST(a_new_zone_is_told_with_its_soa) /* RFC 1996 3.6, 3.7 */
{
	static const uint8_t name[] = "\5zone0\4test";
	struct secondary s;
	struct copy c;

	open_secondary(&s);
	make_edition(&c, &s, 1, 0x01020304);
	notify_edition(notify, &c.edition);
	ck_assert(is_told_within(&s, tick_s(1)));
	ck_assert_mem_eq(s.message + 2, "\x24\0\0\1\0\1\0\0\0\0", 10);
	ck_assert_mem_eq(s.message + 12, name, sizeof name);
	ck_assert_mem_eq(s.message + 12 + sizeof name, "\0\6\0\1\xc0\14\0\6\0\1\0\0\0\74", 14);
	ck_assert_mem_eq(s.message + s.size - 20, "\1\2\3\4", 4);
	free_edition(&c);
	close(s.fd);
}
END_TEST

START_TEST(who_answers_is_told_no_more_and_who_does_not_is_told_again)
{
	struct secondary deaf, s;
	struct copy c;

	open_secondary(&deaf);
	open_secondary(&s);
	make_edition(&c, &s, 1, 1);
	c.config.dns.transfer[1] = deaf.endpoint;
	c.config.dns.n_transfers = 2;
	notify_edition(notify, &c.edition);
	ck_assert(is_told_within(&s, tick_s(1)) && is_told_within(&deaf, tick_s(1)));
	reply(&s, DNS_QR | OPCODE_NOTIFY | DNS_AA);
	run(tick_ms(1200));
	ck_assert(is_told_within(&deaf, tick_ms(500)));
	ck_assert(!is_told_within(&s, tick_ms(1)));
	free_edition(&c);
	close(deaf.fd);
	close(s.fd);
}
END_TEST

/* Each with what came before it left as it was. */
START_TEST(what_is_no_answer_is_passed_over)
{
	struct secondary s;
	struct copy c;

	open_secondary(&s);
	make_edition(&c, &s, 1, 1);
	notify_edition(notify, &c.edition);
	ck_assert(is_told_within(&s, tick_s(1)));
	reply(&s, OPCODE_NOTIFY); /* a question */
	reply(&s, DNS_QR);        /* of another opcode */
	s.message[0] ^= 1;        /* of another number */
	reply(&s, DNS_QR | OPCODE_NOTIFY);
	s.message[0] ^= 1;
	s.message[14] ^= 1; /* of another zone */
	reply(&s, DNS_QR | OPCODE_NOTIFY);
	s.size = 20; /* of half of it */
	reply(&s, DNS_QR | OPCODE_NOTIFY);
	s.size = 11; /* and of less than a header */
	reply(&s, DNS_QR | OPCODE_NOTIFY);
	ck_assert(is_told_within(&s, tick_ms(1500)));
	free_edition(&c);
	close(s.fd);
}
END_TEST

START_TEST(a_refusal_is_an_answer_with_a_question_or_without)
{
	struct notify_secondary list[CONFIG_TRANSFERS_MAX];
	struct secondary s;
	struct copy c;

	open_secondary(&s);
	make_edition(&c, &s, 2, 1);
	notify_edition(notify, &c.edition);
	ck_assert_uint_eq(notify_secondaries(notify, list), 1);
	ck_assert_uint_eq(list[0].waiting, 2);
	ck_assert(is_told_within(&s, tick_s(1)));
	reply(&s, DNS_QR | OPCODE_NOTIFY | DNS_REFUSED);
	ck_assert(is_told_within(&s, tick_s(1)));
	memset(s.message + 4, 0, 8);
	s.size = 12;
	reply(&s, DNS_QR | OPCODE_NOTIFY | DNS_NOTIMP);
	ck_assert_uint_eq(count_told(&s, tick_ms(1200)), 0);
	ck_assert_uint_eq(notify_secondaries(notify, list), 1);
	ck_assert_uint_eq(list[0].endpoint.port, s.endpoint.port);
	ck_assert_uint_eq(list[0].refused, 2);
	ck_assert_uint_eq(list[0].waiting + list[0].unanswered, 0);
	free_edition(&c);
	close(s.fd);
}
END_TEST

START_TEST(after_a_reload_everybody_is_told_of_every_zone)
{
	struct copy first, same, more;
	struct secondary s, newcomer;

	open_secondary(&s);
	open_secondary(&newcomer);
	make_edition(&first, &s, 2, 1);
	make_edition(&same, &s, 2, 1);
	make_edition(&more, &s, 3, 2);
	more.config.dns.transfer[1] = newcomer.endpoint;
	more.config.dns.n_transfers = 2;
	notify_edition(notify, &first.edition);
	ck_assert(is_told_within(&s, tick_s(1)));
	reply(&s, DNS_QR | OPCODE_NOTIFY);
	run(tick_ms(20));
	/* a secondary may have missed what it was told before */
	notify_edition(notify, &same.edition);
	(void)count_told(&s, tick_ms(50));
	notify_edition(notify, &more.edition);
	ck_assert_uint_eq(count_told(&s, tick_ms(50)), 3);
	ck_assert_uint_eq(count_told(&newcomer, tick_ms(50)), 3);
	free_edition(&first);
	free_edition(&same);
	free_edition(&more);
	close(s.fd);
	close(newcomer.fd);
}
END_TEST

START_TEST(with_a_key_it_is_signed) /* RFC 8945 */
{
	struct tsig_key key = {
		.name = {.size = 5, .bytes = "\3key"}, .algorithm = TSIG_SHA256, .secret_size = 16};
	const size_t unsigned_size = 12 + 12 + 4 + 12 + 5 + 4 + 20;
	struct secondary s;
	struct tsig t;
	struct copy c;

	open_secondary(&s);
	make_edition(&c, &s, 1, 1);
	c.edition.key = &key;
	notify_edition(notify, &c.edition);
	ck_assert(is_told_within(&s, tick_s(1)));
	ck_assert_uint_eq(s.message[11], 1);
	for (size_t at = 12; at < s.size; at++)
		if (tsig_verify(&key, &(struct tsig_message){s.message, s.size, at},
			    clock_wall_ns() / 1000000000u, &t) == TSIG_VALID) {
			ck_assert_uint_ge(at, unsigned_size);
			free_edition(&c);
			close(s.fd);
			return;
		}
	ck_abort_msg("there is no valid signature");
}
END_TEST

START_TEST(many_zones_are_told_in_bursts)
{
	struct secondary s;
	struct copy c;
	tick began;

	open_secondary(&s);
	make_edition(&c, &s, ZONES_MAX, 1);
	began = clock_now();
	notify_edition(notify, &c.edition);
	for (uint32_t n = 1; n <= ZONES_MAX; n++) {
		ck_assert(is_told_within(&s, tick_s(1)));
		if (n == BURST + 1)
			ck_assert_uint_ge(clock_now() - began, BURST_WAIT);
	}
	ck_assert_uint_eq(count_told(&s, tick_ms(20)), 0);
	free_edition(&c);
	close(s.fd);
}
END_TEST

/* ICMP says so, and nobody minds. */
START_TEST(who_is_not_there_is_told_again_when_it_is)
{
	struct secondary s, again;
	struct sockaddr_in bound = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct copy c;

	open_secondary(&s);
	close(s.fd);
	make_edition(&c, &s, 1, 1);
	notify_edition(notify, &c.edition);
	run(tick_ms(50));
	again = s;
	again.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bound.sin_port = htons(s.endpoint.port);
	ck_assert_int_eq(bind(again.fd, (const struct sockaddr *)&bound, sizeof bound), 0);
	ck_assert(is_told_within(&again, tick_ms(1500)));
	free_edition(&c);
	close(again.fd);
}
END_TEST

START_TEST(who_can_not_be_reached_holds_nobody_up)
{
	struct secondary s;
	struct copy c;

	open_secondary(&s);
	make_edition(&c, &s, 1, 1);
	c.config.dns.transfer[1] = s.endpoint;
	ck_assert(addr_parse("255.255.255.255", &c.config.dns.transfer[0].address));
	c.config.dns.transfer[0].port = 53; /* broadcasting takes an option */
	c.config.dns.n_transfers = 2;
	notify_edition(notify, &c.edition);
	ck_assert(is_told_within(&s, tick_s(1)));
	free_edition(&c);
	close(s.fd);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_new_zone_is_told_with_its_soa,
		who_answers_is_told_no_more_and_who_does_not_is_told_again,
		what_is_no_answer_is_passed_over,
		a_refusal_is_an_answer_with_a_question_or_without,
		after_a_reload_everybody_is_told_of_every_zone,
		with_a_key_it_is_signed,
		many_zones_are_told_in_bursts,
		who_is_not_there_is_told_again_when_it_is,
		who_can_not_be_reached_holds_nobody_up,
	};

	return run_suite_around("notify", tests, ARRAY_SIZE(tests), set_up, tear_down);
}
