/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "hex.h"
#include "wire/auth.h"

#define S        1000000000u
#define T0       (1795374000ull * S + S / 2) /* 2026-11-22 19:00:00.5 */
#define WINDOW_S 5
#define N_MARKS  16
#define TRAILER  ADVERT_TRAILER_SIZE

/*
 * Signed at T0 with key 7, the bytes 00 to 1f, by a script of its own (Python's hmac and hashlib): the
 * golden messages of test_advert.c.
 */
#define GOLDEN_V3_IPV4                                                                             \
	"31 33 64 01 0064 5e9d 0a0101c9 "                                                          \
	"01 07 0000 6b033bb0 8000 0000 0775daa59783fbfe66240f246bf33bc7"
#define GOLDEN_V2                                                                                  \
	"21 33 64 01 0001 6f00 0a0101c9 0000000000000000 "                                         \
	"01 07 0000 6b033bb0 8000 0000 c9721809d71bd578b644f555f6d84784"
#define GOLDEN_V3_IPV6                                                                             \
	"31 33 64 02 0064 b4bd fe80000000000000 02005efffe000233 20010db800000000 "                \
	"0000000000000201 01 07 0000 6b033bb0 8000 0000 90618e56ffc7d78252563736333d4d66"

#define HEX_32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

struct node {
	struct auth auth;
	struct auth_mark marks[N_MARKS];
};

struct message {
	struct advert_envelope envelope;
	uint8_t bytes[256];
	size_t size;
};

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert_msg(addr_parse(text, &a), "%s", text);
	return a;
}

static struct auth_key key_of(uint8_t id, uint8_t first)
{
	struct auth_key key = {.id = id, .size = 32};

	for (uint8_t i = 0; i < 32; i++)
		key.bytes[i] = (uint8_t)(first + i);
	return key;
}

/* A node that signs and verifies with key 7. Not to be copied: it points to itself. */
static void open_node(struct node *n)
{
	*n = (struct node){.auth = {.keys = {key_of(7, 0)}, .n_keys = 1, .window_s = WINDOW_S}};
	n->auth.marks = n->marks;
	n->auth.n_marks = N_MARKS;
}

static struct message received(enum family family, const char *hex)
{
	struct message m = {.envelope = {.family = family, .ttl = 255}};

	m.envelope.source = address(family == FAMILY_IPV4 ? "10.1.1.2" : "fe80::2");
	m.envelope.destination = *advert_group(family);
	m.size = hex_read(hex, m.bytes, sizeof m.bytes);
	return m;
}

/* What @n sends at @utc: one VIP by one virtual router. */
static struct message sent_by(struct node *n, enum family family, uint8_t vrid, uint64_t utc)
{
	struct message m = received(family, "");
	struct advert a = {
		.source = m.envelope.source,
		.interval = tick_s(1),
		.family = family,
		.version = 3,
		.vrid = vrid,
		.priority = 100,
		.n_addresses = 1,
		.addresses = {address(family == FAMILY_IPV4 ? "10.1.1.201" : "2001:db8::201")},
	};

	if (family == FAMILY_IPV6)
		a.link_local = advert_link_local(vrid);
	m.size = advert_build(&a, &m.envelope.destination, m.bytes, sizeof m.bytes);
	m.size = auth_sign(
		&n->auth, m.bytes, m.size, &m.envelope.source, &m.envelope.destination, utc);
	return m;
}

/* As the fast thread does it: first the message, then what follows. */
static enum auth_verdict judge(struct node *n, const struct message *m, uint64_t utc)
{
	struct advert a;
	const enum advert_verdict verdict = advert_parse(m->bytes, m->size, &m->envelope, &a);

	ck_assert_str_eq(advert_verdict_name(verdict), "accepted");
	return auth_verify(
		&n->auth, m->bytes, m->size, advert_message_size(&a), &m->envelope.source, utc);
}

static void expect(enum auth_verdict verdict, struct node *n, const struct message *m, uint64_t utc)
{
	ck_assert_str_eq(auth_verdict_name(judge(n, m, utc)), auth_verdict_name(verdict));
}

static uint64_t sequence_of(const struct message *m)
{
	uint64_t sequence = 0;

	for (int i = 4; i < 12; i++)
		sequence = sequence << 8 | m->bytes[m->size - TRAILER + i];
	return sequence;
}

/* A time whose sequence is @seconds and nothing more. */
static uint64_t at_seconds(uint64_t seconds)
{
	return seconds * S;
}

static const char *const goldens[] = {GOLDEN_V3_IPV4, GOLDEN_V2, GOLDEN_V3_IPV6};
static const enum family families[] = {FAMILY_IPV4, FAMILY_IPV4, FAMILY_IPV6};

START_TEST(the_golden_trailers_are_written)
{
	for (int i = 0; i < 3; i++) {
		const struct message golden = received(families[i], goldens[i]);
		struct message m = golden;
		struct node n;

		open_node(&n);
		memset(m.bytes + m.size - TRAILER, 0, TRAILER);
		m.size = auth_sign(&n.auth, m.bytes, m.size - TRAILER, &m.envelope.source,
			&m.envelope.destination, T0);
		ck_assert_uint_eq(m.size, golden.size);
		ck_assert_mem_eq(m.bytes, golden.bytes, m.size);
	}
}
END_TEST

START_TEST(the_golden_trailers_verify)
{
	for (int i = 0; i < 3; i++) {
		const struct message m = received(families[i], goldens[i]);
		struct node n;

		open_node(&n);
		expect(AUTH_VERIFIED, &n, &m, T0);
	}
}
END_TEST

/* The pseudo-header ties it to its sender, and over IPv6 the address is not shortened. */
START_TEST(another_senders_trailer_does_not_verify)
{
	for (int i = 0; i < 3; i++) {
		struct message m = received(families[i], goldens[i]);
		struct node n;

		open_node(&n);
		m.envelope.source = address(families[i] == FAMILY_IPV4 ? "10.1.1.3" : "fe80::2");
		m.envelope.source.b[8] ^= families[i] == FAMILY_IPV6;
		ck_assert_int_eq(auth_verify(&n.auth, m.bytes, m.size, m.size - TRAILER,
					 &m.envelope.source, T0),
			AUTH_BAD_HMAC);
	}
}
END_TEST

START_TEST(no_trailer_is_unsigned)
{
	struct message m = received(FAMILY_IPV4, GOLDEN_V3_IPV4);
	struct node n;

	open_node(&n);
	m.size -= TRAILER;
	expect(AUTH_UNSIGNED, &n, &m, T0);
}
END_TEST

START_TEST(scheme_and_reserved_bytes_are_looked_at)
{
	static const struct {
		int at;
		enum auth_verdict verdict;
	} changes[] = {{0, AUTH_MALFORMED}, {1, AUTH_UNKNOWN_KEY}, {2, AUTH_MALFORMED},
		{3, AUTH_MALFORMED}, {4, AUTH_BAD_HMAC}, {12, AUTH_BAD_HMAC}};

	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		struct message m = received(FAMILY_IPV4, GOLDEN_V3_IPV4);
		struct node n;

		open_node(&n);
		m.bytes[m.size - TRAILER + changes[i].at] ^= 8;
		expect(changes[i].verdict, &n, &m, T0);
		ck_assert_uint_eq(n.auth.n_used, 0);
	}
}
END_TEST

/* Whatever single bit is flipped, the message is refused, and the sender's mark stays where it was. */
START_TEST(a_flipped_bit_anywhere_is_refused_and_leaves_no_trace)
{
	for (int i = 0; i < 3; i++) {
		const struct message golden = received(families[i], goldens[i]);

		for (size_t bit = 0; bit < golden.size * 8; bit++) {
			struct message m = golden;
			struct advert a;
			struct node n;

			open_node(&n);
			m.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			/* the checksum is not of the essence: the hash must hold without it */
			if (bit / 8 != 6 && bit / 8 != 7)
				ck_assert_int_ne(auth_verify(&n.auth, m.bytes, m.size,
							 m.size - TRAILER, &m.envelope.source, T0),
					AUTH_VERIFIED);
			else
				ck_assert_int_ne(advert_parse(m.bytes, m.size, &m.envelope, &a),
					ADVERT_ACCEPTED);
			ck_assert_uint_eq(n.auth.n_used, 0);
		}
	}
}
END_TEST

/* Truncated or longer, it is no advertisement, or one without a trailer. */
START_TEST(every_other_length_is_refused)
{
	for (int i = 0; i < 3; i++) {
		const struct message golden = received(families[i], goldens[i]);

		for (size_t size = 0; size < golden.size + TRAILER; size++) {
			struct message m = golden;
			struct advert a;
			struct node n;

			open_node(&n);
			m.size = size;
			if (size == golden.size ||
				advert_parse(m.bytes, size, &m.envelope, &a) != ADVERT_ACCEPTED)
				continue;
			ck_assert_uint_eq(size, golden.size - TRAILER);
			ck_assert_int_eq(families[i], FAMILY_IPV4);
			expect(AUTH_UNSIGNED, &n, &m, T0);
		}
	}
}
END_TEST

/* Over IPv4 the checksum ends with the message; over IPv6 kernels write it over all. */
START_TEST(the_checksum_covers_the_trailer_over_ipv6_only)
{
	for (int i = 0; i < 3; i++) {
		struct message m = received(families[i], goldens[i]);
		struct advert a;

		m.bytes[m.size - 1] ^= 1;
		ck_assert_int_eq(advert_parse(m.bytes, m.size, &m.envelope, &a),
			families[i] == FAMILY_IPV6 ? ADVERT_BAD_CHECKSUM : ADVERT_ACCEPTED);
	}
}
END_TEST

START_TEST(a_trailer_of_another_size_is_malformed)
{
	const struct message m = received(FAMILY_IPV4, GOLDEN_V3_IPV4);
	struct node n;

	open_node(&n);
	for (size_t more = 1; more < 2 * TRAILER; more++) {
		if (more == TRAILER)
			continue;
		ck_assert_int_eq(auth_verify(&n.auth, m.bytes, m.size - TRAILER + more,
					 m.size - TRAILER, &m.envelope.source, T0),
			AUTH_MALFORMED);
	}
}
END_TEST

START_TEST(a_replayed_message_is_refused)
{
	struct node sender, n;
	struct message first, second;

	open_node(&sender);
	open_node(&n);
	first = sent_by(&sender, FAMILY_IPV4, 1, T0);
	second = sent_by(&sender, FAMILY_IPV4, 1, T0);
	expect(AUTH_VERIFIED, &n, &first, T0);
	expect(AUTH_REPLAYED, &n, &first, T0);
	expect(AUTH_VERIFIED, &n, &second, T0);
	expect(AUTH_REPLAYED, &n, &first, T0);
	expect(AUTH_REPLAYED, &n, &second, T0);
}
END_TEST

START_TEST(each_virtual_router_and_sender_has_a_mark_of_its_own)
{
	struct node sender, n;
	struct message late, early, elsewhere;

	open_node(&sender);
	open_node(&n);
	early = sent_by(&sender, FAMILY_IPV4, 1, T0);
	elsewhere = sent_by(&sender, FAMILY_IPV6, 2, T0);
	late = sent_by(&sender, FAMILY_IPV4, 2, T0);
	expect(AUTH_VERIFIED, &n, &late, T0);
	expect(AUTH_VERIFIED, &n, &early, T0);
	expect(AUTH_VERIFIED, &n, &elsewhere, T0);
	ck_assert_uint_eq(n.auth.n_used, 3);
}
END_TEST

/* The @i-th of the addresses whose marks would all be in one place. */
static struct addr crowded(uint32_t i)
{
	struct addr a;

	for (uint32_t n = 0;; n++) {
		a = addr_from_ipv4((const uint8_t[]){10, 1, (uint8_t)(n >> 8), (uint8_t)n});
		if (addr_hash(&a) % N_MARKS == 0 && i-- == 0)
			return a;
	}
}

START_TEST(senders_whose_marks_would_share_a_place_keep_one_each)
{
	struct message m[N_MARKS / 2];
	struct node sender, n;

	open_node(&sender);
	open_node(&n);
	for (uint32_t i = 0; i < N_MARKS / 2; i++) {
		m[i] = sent_by(&sender, FAMILY_IPV4, 1, T0);
		m[i].envelope.source = crowded(i);
		m[i].size = auth_sign(&sender.auth, m[i].bytes, m[i].size - TRAILER,
			&m[i].envelope.source, &m[i].envelope.destination, T0);
	}
	for (uint32_t i = 0; i < N_MARKS / 2; i++)
		expect(AUTH_VERIFIED, &n, &m[i], T0);
	for (uint32_t i = 0; i < N_MARKS / 2; i++)
		expect(AUTH_REPLAYED, &n, &m[i], T0);
	ck_assert_uint_eq(n.auth.n_used, N_MARKS / 2);
}
END_TEST

/* Or a stranger could silence a node by one forged message with a high sequence. */
START_TEST(a_forged_message_raises_no_mark)
{
	struct node sender, forger, n;
	struct message m;

	open_node(&sender);
	open_node(&forger);
	open_node(&n);
	forger.auth.keys[0] = key_of(7, 99);
	m = sent_by(&sender, FAMILY_IPV4, 1, T0);
	expect(AUTH_VERIFIED, &n, &m, T0);
	m = sent_by(&forger, FAMILY_IPV4, 1, T0 + 3600ull * S);
	expect(AUTH_BAD_HMAC, &n, &m, T0);
	m = sent_by(&sender, FAMILY_IPV4, 1, T0 + 1);
	expect(AUTH_VERIFIED, &n, &m, T0);
}
END_TEST

START_TEST(every_copy_has_a_sequence_of_its_own)
{
	struct node sender;
	uint64_t last = 0;

	open_node(&sender);
	for (int i = 0; i < 100000; i++) {
		const struct message m = sent_by(&sender, FAMILY_IPV4, 1, T0);

		ck_assert_uint_gt(sequence_of(&m), last);
		last = sequence_of(&m);
	}
}
END_TEST

START_TEST(a_clock_that_goes_backwards_parts_nobody)
{
	struct node sender, n;
	struct message m;

	open_node(&sender);
	open_node(&n);
	m = sent_by(&sender, FAMILY_IPV4, 1, T0);
	expect(AUTH_VERIFIED, &n, &m, T0);
	m = sent_by(&sender, FAMILY_IPV4, 1, T0 - 3600ull * S); /* the sender's */
	expect(AUTH_VERIFIED, &n, &m, T0);
	m = sent_by(&sender, FAMILY_IPV4, 1, T0 + 1 * S);
	expect(AUTH_VERIFIED, &n, &m, T0 - 7200ull * S);        /* the receiver's */
	m = sent_by(&sender, FAMILY_IPV4, 1, T0 + 3600ull * S); /* far ahead */
	expect(AUTH_VERIFIED, &n, &m, T0);
}
END_TEST

/* The shell hands the last sequence to the next life: it goes on behind it, whatever the clock says. */
START_TEST(a_sender_that_returns_goes_on_behind_its_last_sequence)
{
	struct node sender, n;
	struct message m;
	uint64_t last;

	open_node(&n);
	open_node(&sender);
	m = sent_by(&sender, FAMILY_IPV4, 1, T0);
	expect(AUTH_VERIFIED, &n, &m, T0);
	last = sender.auth.sequence;
	open_node(&sender);
	m = sent_by(&sender, FAMILY_IPV4, 1, T0 - 60ull * S);
	expect(AUTH_REPLAYED, &n, &m, T0);
	open_node(&sender);
	sender.auth.sequence = last;
	m = sent_by(&sender, FAMILY_IPV4, 1, T0 - 60ull * S);
	expect(AUTH_VERIFIED, &n, &m, T0);
}
END_TEST

START_TEST(a_sequence_that_another_has_signed_with_is_skipped)
{
	struct node n;
	struct message m;
	const uint64_t ours = auth_sequence(T0), theirs = ours + 7;

	open_node(&n);
	auth_skip_to(&n.auth, 0); /* nobody has */
	ck_assert_uint_eq(n.auth.sequence, 0);
	auth_skip_to(&n.auth, theirs);
	m = sent_by(&n, FAMILY_IPV4, 1, T0);
	ck_assert_uint_eq(sequence_of(&m), theirs + 1);
	auth_skip_to(&n.auth, ours); /* that is behind us, and so is nothing new */
	m = sent_by(&n, FAMILY_IPV4, 1, T0);
	ck_assert_uint_eq(sequence_of(&m), theirs + 2);
	auth_skip_to(&n.auth, theirs + 100);
	m = sent_by(&n, FAMILY_IPV4, 1, T0);
	ck_assert_uint_eq(sequence_of(&m), theirs + 101);
}
END_TEST

START_TEST(a_new_sender_must_be_inside_the_window)
{
	static const int off_s[] = {-WINDOW_S, -1, 0, 1, WINDOW_S};

	for (size_t i = 0; i < sizeof off_s / sizeof *off_s; i++) {
		struct node sender, n;
		struct message m;

		open_node(&sender);
		open_node(&n);
		m = sent_by(&sender, FAMILY_IPV4, 1, T0 + (int64_t)off_s[i] * S);
		expect(AUTH_VERIFIED, &n, &m, T0);
	}
	for (int i = -1; i < 2; i += 2) {
		struct node sender, n;
		struct message m;

		open_node(&sender);
		open_node(&n);
		m = sent_by(&sender, FAMILY_IPV4, 1, T0 + (int64_t)i * (WINDOW_S + 1) * S);
		expect(AUTH_OUTSIDE, &n, &m, T0);
		ck_assert_uint_eq(n.auth.n_used, 0);
		n.auth.window_s = 0;
		expect(AUTH_VERIFIED, &n, &m, T0);
	}
}
END_TEST

/* 32 bits of seconds end on 2106-02-07; 31 of them, where a sign would change, on 2038-01-19. */
START_TEST(sequences_go_on_over_the_end_of_their_numbers)
{
	static const uint64_t ends[] = {1ull << 31, 1ull << 32};

	for (int i = 0; i < 2; i++) {
		struct node sender, n;

		open_node(&sender);
		open_node(&n);
		for (uint64_t s = ends[i] - 3; s < ends[i] + 3; s++) {
			struct message m = sent_by(&sender, FAMILY_IPV4, 1, at_seconds(s));

			ck_assert_uint_eq(sequence_of(&m), s << 32);
			expect(AUTH_VERIFIED, &n, &m, at_seconds(s));
			expect(AUTH_REPLAYED, &n, &m, at_seconds(s));
		}
	}
}
END_TEST

START_TEST(the_window_reaches_over_the_end_too)
{
	struct node sender, n;
	struct message m;

	open_node(&sender);
	open_node(&n);
	m = sent_by(&sender, FAMILY_IPV4, 1, at_seconds((1ull << 32) + 1));
	expect(AUTH_VERIFIED, &n, &m, at_seconds((1ull << 32) - 1));
	open_node(&sender);
	m = sent_by(&sender, FAMILY_IPV4, 2, at_seconds((1ull << 32) - 1));
	expect(AUTH_VERIFIED, &n, &m, at_seconds((1ull << 32) + 1));
}
END_TEST

/* Old only, both with the old one signing, both with the new one signing, new only. */
START_TEST(keys_roll_over_without_an_outage)
{
	static const uint8_t steps[][2] = {{1, 0}, {1, 2}, {2, 1}, {2, 0}};
	struct node www1, www2;
	uint64_t now = T0;

	open_node(&www1);
	open_node(&www2);
	for (size_t step = 0; step < 4; step++) {
		struct node *const both[] = {&www1, &www2};

		for (int changed = 0; changed < 2; changed++) {
			struct auth *a = &both[changed]->auth;
			struct message m;

			a->n_keys = 0;
			for (int i = 0; i < 2 && steps[step][i]; i++)
				a->keys[a->n_keys++] = key_of(steps[step][i], steps[step][i]);
			if (step == 0 && changed == 0)
				continue; /* the other has no key yet */
			m = sent_by(&www1, FAMILY_IPV4, 1, now += S);
			expect(AUTH_VERIFIED, &www2, &m, now);
			m = sent_by(&www2, FAMILY_IPV6, 1, now += S);
			expect(AUTH_VERIFIED, &www1, &m, now);
		}
	}
}
END_TEST

START_TEST(the_same_id_with_another_key_is_a_bad_hmac)
{
	const struct message m = received(FAMILY_IPV4, GOLDEN_V3_IPV4);
	struct node n;

	open_node(&n);
	n.auth.keys[0] = key_of(7, 1);
	expect(AUTH_BAD_HMAC, &n, &m, T0);
	n.auth.keys[0] = key_of(8, 0);
	expect(AUTH_UNKNOWN_KEY, &n, &m, T0);
}
END_TEST

START_TEST(a_full_table_takes_no_new_sender_and_keeps_the_known_ones)
{
	struct node sender, n;
	struct message m;

	open_node(&sender);
	open_node(&n);
	for (uint8_t vrid = 1; vrid <= N_MARKS / 2; vrid++) {
		m = sent_by(&sender, FAMILY_IPV4, vrid, T0);
		expect(AUTH_VERIFIED, &n, &m, T0);
	}
	m = sent_by(&sender, FAMILY_IPV4, 200, T0);
	expect(AUTH_TABLE_FULL, &n, &m, T0);
	for (uint8_t vrid = 1; vrid <= N_MARKS / 2; vrid++) {
		m = sent_by(&sender, FAMILY_IPV4, vrid, T0);
		expect(AUTH_VERIFIED, &n, &m, T0);
		expect(AUTH_REPLAYED, &n, &m, T0);
	}
}
END_TEST

/* What is refused whatever its hash is cost none; what a wrong hash is refused before did. */
START_TEST(a_refusal_is_costly_if_a_hash_came_first)
{
	const uint64_t times[] = {T0, T0 - 10ull * S, T0 + 10ull * S};
	struct node n, sender;
	struct message m;

	for (int i = 0; i < 3; i++) {
		enum auth_verdict verdict, tampered;

		open_node(&n);
		open_node(&sender);
		m = sent_by(&sender, FAMILY_IPV4, 1, T0);
		if (i == 0)
			expect(AUTH_VERIFIED, &n, &m, T0); /* and then it is a replay */
		verdict = judge(&n, &m, times[i]);
		m.bytes[m.size - 1] ^= 1;
		tampered = judge(&n, &m, times[i]);
		ck_assert_int_eq(auth_is_costly(verdict), tampered == AUTH_BAD_HMAC);
		ck_assert_int_eq(auth_is_costly(tampered), tampered == AUTH_BAD_HMAC);
	}
	ck_assert(auth_is_costly(AUTH_OUTSIDE) && auth_is_costly(AUTH_TABLE_FULL));
	ck_assert(!auth_is_costly(AUTH_VERIFIED) && !auth_is_costly(AUTH_UNSIGNED));
	ck_assert(!auth_is_costly(AUTH_MALFORMED) && !auth_is_costly(AUTH_UNKNOWN_KEY));
}
END_TEST

START_TEST(there_are_enough_marks_for_the_largest_cluster)
{
	ck_assert_uint_eq(auth_marks_wanted(3, 6), 1024);
	ck_assert_uint_eq(auth_marks_wanted(64, 255), 65536);
	ck_assert_uint_eq(auth_marks_wanted(64, 100000), 1u << 20);
}
END_TEST

/* ---- the file of keys ---- */

static const char *read_keys(struct auth *a, const char *text, uint32_t *ret_line)
{
	return auth_read_keys(a, text, strlen(text), ret_line);
}

START_TEST(keys_are_read_in_their_order)
{
	struct auth a = {0};
	uint32_t line;

	ck_assert_ptr_null(read_keys(&a,
		"# the new one\n"
		"  9\t" HEX_32 "  # until Monday\r\n"
		"\n"
		"255 " HEX_32 HEX_32 "\n"
		"001 " HEX_32 "AbCdEf",
		&line));
	ck_assert_uint_eq(a.n_keys, 3);
	ck_assert_uint_eq(a.keys[0].id, 9);
	ck_assert_uint_eq(a.keys[0].size, 32);
	ck_assert_uint_eq(a.keys[0].bytes[31], 31);
	ck_assert_uint_eq(a.keys[1].id, 255);
	ck_assert_uint_eq(a.keys[1].size, 64);
	ck_assert_uint_eq(a.keys[2].id, 1);
	ck_assert_uint_eq(a.keys[2].size, 35);
	ck_assert_uint_eq(a.keys[2].bytes[32], 0xab);
}
END_TEST

START_TEST(mistakes_are_told_with_their_line)
{
	static const struct {
		const char *text, *problem;
		uint32_t line;
	} mistakes[] = {
		{"", "no key", 0},
		{"# nothing\n\n", "no key", 0},
		{"1 " HEX_32 "\n0 " HEX_32, "key id", 2},
		{"256 " HEX_32, "key id", 1},
		{"1000 " HEX_32, "key id", 1},
		{"-1 " HEX_32, "key id", 1},
		{"x " HEX_32, "key id", 1},
		{HEX_32, "key id", 1},
		{"\n\n1\n", "no key behind", 3},
		{"1 # " HEX_32, "no key behind", 1},
		{"1 " HEX_32 " 00", "more on the line", 1},
		{"1 0001", "too short", 1},
		{"1 " HEX_32 "0", "odd", 1},
		{"1 " HEX_32 HEX_32 "00", "too long", 1},
		{"1 " HEX_32 "0x", "hexadecimal", 1},
		{"1 " HEX_32 "\n1 " HEX_32, "twice", 2},
	};

	for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
		struct auth a = {0};
		uint32_t line = 99;
		const char *problem = read_keys(&a, mistakes[i].text, &line);

		ck_assert_msg(problem && strstr(problem, mistakes[i].problem), "%s: %s",
			mistakes[i].text, problem);
		ck_assert_uint_eq(line, mistakes[i].line);
	}
}
END_TEST

START_TEST(eight_keys_fit_and_a_ninth_is_refused)
{
	char text[1024] = "";
	struct auth a = {0};
	uint32_t line;

	for (int i = 1; i <= 9; i++) {
		const size_t used = strlen(text);

		ck_assert_uint_eq(a.n_keys, i - 1);
		snprintf(text + used, sizeof text - used, "%d " HEX_32 "\n", i);
		if (i <= 8)
			ck_assert_ptr_null(read_keys(&a, text, &line));
		else
			ck_assert_ptr_nonnull(read_keys(&a, text, &line));
	}
	ck_assert_uint_eq(line, 9);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_golden_trailers_are_written,
		the_golden_trailers_verify,
		another_senders_trailer_does_not_verify,
		no_trailer_is_unsigned,
		scheme_and_reserved_bytes_are_looked_at,
		a_flipped_bit_anywhere_is_refused_and_leaves_no_trace,
		every_other_length_is_refused,
		the_checksum_covers_the_trailer_over_ipv6_only,
		a_trailer_of_another_size_is_malformed,
		a_replayed_message_is_refused,
		each_virtual_router_and_sender_has_a_mark_of_its_own,
		senders_whose_marks_would_share_a_place_keep_one_each,
		a_forged_message_raises_no_mark,
		every_copy_has_a_sequence_of_its_own,
		a_clock_that_goes_backwards_parts_nobody,
		a_sender_that_returns_goes_on_behind_its_last_sequence,
		a_sequence_that_another_has_signed_with_is_skipped,
		a_new_sender_must_be_inside_the_window,
		sequences_go_on_over_the_end_of_their_numbers,
		the_window_reaches_over_the_end_too,
		keys_roll_over_without_an_outage,
		the_same_id_with_another_key_is_a_bad_hmac,
		a_full_table_takes_no_new_sender_and_keeps_the_known_ones,
		a_refusal_is_costly_if_a_hash_came_first,
		there_are_enough_marks_for_the_largest_cluster,
		keys_are_read_in_their_order,
		mistakes_are_told_with_their_line,
		eight_keys_fit_and_a_ninth_is_refused,
	};

	return run_suite("auth", tests, sizeof tests / sizeof *tests);
}
