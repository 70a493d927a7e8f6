/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <time.h>

#include <libknot/libknot.h>

#include "base/assert.h"
#include "dns/query.h"
#include "dns/tsig.h"
#include "suite.h"

/* libknot signs what we verify, and verifies what we sign. It looks at the clock itself. */

static const uint8_t question[] = {0xab, 0xcd, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, /* the header */
	3, 'w', 'w', 'w', 2, 'e', 'x', 0, 0, 1, 0, 1};

static const char *const algorithm_names[] = {[TSIG_SHA1] = "hmac-sha1",
	[TSIG_SHA224] = "hmac-sha224",
	[TSIG_SHA256] = "hmac-sha256",
	[TSIG_SHA384] = "hmac-sha384",
	[TSIG_SHA512] = "hmac-sha512"};

static const uint8_t digest_sizes[] = {[TSIG_SHA1] = 20,
	[TSIG_SHA224] = 28,
	[TSIG_SHA256] = 32,
	[TSIG_SHA384] = 48,
	[TSIG_SHA512] = 64};

struct message {
	uint8_t bytes[1024];
	size_t size;
	uint8_t mac[TSIG_MAC_MAX];
	size_t mac_size;
};

static struct tsig_key key_of(enum tsig_algorithm algorithm)
{
	struct tsig_key key = {.algorithm = algorithm, .secret_size = 16};

	key.name = (struct name){.size = 8, .bytes = "\3key\2ex"};
	memcpy(key.secret, "0123456789abcdef", 16);
	return key;
}

static knot_tsig_key_t knots_key(enum tsig_algorithm algorithm, const char *name)
{
	knot_tsig_key_t key;

	ck_assert_int_eq(knot_tsig_key_init(&key, algorithm_names[algorithm], name,
				 "MDEyMzQ1Njc4OWFiY2RlZg=="),
		KNOT_EOK);
	return key;
}

static struct message ask_as(enum tsig_algorithm algorithm, const char *name)
{
	knot_tsig_key_t key = knots_key(algorithm, name);
	struct message m = {.size = sizeof question, .mac_size = TSIG_MAC_MAX};

	memcpy(m.bytes, question, sizeof question);
	ck_assert_int_eq(knot_tsig_sign(m.bytes, &m.size, sizeof m.bytes, NULL, 0, m.mac,
				 &m.mac_size, &key, 0, 0),
		KNOT_EOK);
	knot_tsig_key_deinit(&key);
	return m;
}

static uint64_t now(void)
{
	return (uint64_t)time(NULL);
}

static enum tsig_verdict verify(
	const struct tsig_key *key, const struct message *m, uint64_t now_s, struct tsig *t)
{
	return tsig_verify(
		key, &(struct tsig_message){m->bytes, m->size, sizeof question}, now_s, t);
}

/* What libknot says of an answer to @asked; @before: of the one that came before it, if any. */
static int knot_judges(const struct message *asked, const struct message *before,
	const struct message *answer, enum tsig_algorithm algorithm)
{
	knot_tsig_key_t key = knots_key(algorithm, "key.ex");
	uint8_t bytes[sizeof answer->bytes];
	knot_pkt_t *pkt;
	int r;

	memcpy(bytes, answer->bytes, answer->size);
	pkt = knot_pkt_new(bytes, (uint16_t)answer->size, NULL);
	ck_assert(pkt);
	ck_assert_int_eq(knot_pkt_parse(pkt, 0), KNOT_EOK);
	ck_assert(pkt->tsig_rr);
	if (before)
		r = knot_tsig_client_check_next(
			pkt->tsig_rr, pkt->wire, pkt->size, before->mac, before->mac_size, &key, 0);
	else
		r = knot_tsig_client_check(
			pkt->tsig_rr, pkt->wire, pkt->size, asked->mac, asked->mac_size, &key, 0);
	knot_pkt_free(pkt);
	knot_tsig_key_deinit(&key);
	return r;
}

static struct message answer_signed(struct tsig *t, uint64_t now_s)
{
	struct message m = {.size = sizeof question};

	memcpy(m.bytes, question, sizeof question);
	m.bytes[2] = 0x84;
	m.size = tsig_sign(t, m.bytes, m.size, now_s);
	memcpy(m.mac, t->mac, t->mac_size);
	m.mac_size = t->mac_size;
	return m;
}

START_TEST(test_what_libknot_signs_is_valid_with_each_algorithm)
{
	for (enum tsig_algorithm a = TSIG_SHA1; a <= TSIG_SHA512; a++) {
		const struct tsig_key key = key_of(a);
		const struct message m = ask_as(a, "KEY.ex"); /* names have no case */
		struct tsig t;

		ck_assert_int_eq(verify(&key, &m, now(), &t), TSIG_VALID);
		ck_assert_int_eq(t.mac_size, digest_sizes[a]);
		ck_assert_mem_eq(t.mac, m.mac, t.mac_size);
	}
}
END_TEST

START_TEST(test_what_we_sign_is_valid_to_libknot_a_stream_of_it_too)
{
	for (enum tsig_algorithm a = TSIG_SHA1; a <= TSIG_SHA512; a++) {
		const struct tsig_key key = key_of(a);
		const struct message asked = ask_as(a, "key.ex");
		struct message first, second, third;
		struct tsig t;

		ck_assert_int_eq(verify(&key, &asked, now(), &t), TSIG_VALID);
		first = answer_signed(&t, now());
		ck_assert_uint_le(first.size, sizeof question + tsig_size(&t));
		second = answer_signed(&t, now());
		third = answer_signed(&t, now());
		ck_assert_int_eq(knot_judges(&asked, NULL, &first, a), KNOT_EOK);
		/* RFC 8945 5.3.1: each covers the one before it */
		ck_assert_int_eq(knot_judges(&asked, &first, &second, a), KNOT_EOK);
		ck_assert_int_eq(knot_judges(&asked, &second, &third, a), KNOT_EOK);
		ck_assert_int_ne(knot_judges(&asked, &first, &third, a), KNOT_EOK);
	}
}
END_TEST

START_TEST(test_our_own_question_is_signed)
{
	const struct tsig_key key = key_of(TSIG_SHA256);
	struct tsig t = tsig_start(&key), theirs;
	const struct message m = answer_signed(&t, 1000);

	ck_assert_int_eq(verify(&key, &m, 1000, &theirs), TSIG_VALID);
}
END_TEST

START_TEST(test_a_key_that_is_not_ours_is_told_and_nothing_signed) /* RFC 8945 5.2.1 */
{
	const struct tsig_key key = key_of(TSIG_SHA256);
	const struct message stranger = ask_as(TSIG_SHA256, "stranger"),
			     other = ask_as(TSIG_SHA512, "key.ex"),
			     ours = ask_as(TSIG_SHA256, "key.ex");
	struct message answer;
	struct tsig t;

	ck_assert_int_eq(verify(&key, &other, now(), &t), TSIG_REFUSED);
	ck_assert_int_eq(t.error, TSIG_BADKEY);
	ck_assert_int_eq(verify(NULL, &ours, now(), &t), TSIG_REFUSED);
	ck_assert_int_eq(t.error, TSIG_BADKEY);
	ck_assert_int_eq(verify(&key, &stranger, now(), &t), TSIG_REFUSED);
	ck_assert_int_eq(t.error, TSIG_BADKEY);
	answer = answer_signed(&t, now());
	/* its own names, and no MAC */
	ck_assert_uint_eq(answer.size, sizeof question + 10 + 10 + 13 + 16);
	ck_assert_mem_eq(answer.bytes + sizeof question, "\10stranger", 10);
}
END_TEST

START_TEST(test_a_byte_that_was_changed_is_noticed_wherever_it_is) /* RFC 8945 5.2.2 */
{
	const struct tsig_key key = key_of(TSIG_SHA256);
	const struct message good = ask_as(TSIG_SHA256, "key.ex");
	struct tsig t;

	/* but in the number, which a forwarder may change (5.4) */
	for (size_t i = 2; i < good.size; i++) {
		struct message m = good;

		m.bytes[i] ^= 1;
		ck_assert_int_ne(verify(&key, &m, now(), &t), TSIG_VALID);
	}
	ck_assert_int_eq(verify(&key, &good, now(), &t), TSIG_VALID);
}
END_TEST

START_TEST(test_a_secret_of_others_is_a_bad_signature)
{
	struct tsig_key key = key_of(TSIG_SHA256);
	const struct message m = ask_as(TSIG_SHA256, "key.ex");
	struct message answer;
	struct tsig t;

	key.secret[0] ^= 1;
	ck_assert_int_eq(verify(&key, &m, now(), &t), TSIG_REFUSED);
	ck_assert_int_eq(t.error, TSIG_BADSIG);
	answer = answer_signed(&t, now());
	ck_assert_uint_eq(answer.size, sizeof question + 8 + 10 + 13 + 16);
}
END_TEST

START_TEST(test_a_clock_that_is_off_is_told_with_ours_and_signed) /* RFC 8945 5.2.3 */
{
	const struct tsig_key key = key_of(TSIG_SHA256);
	struct tsig asker = tsig_start(&key), t;
	const struct message m = answer_signed(&asker, 100000);
	struct message answer;

	ck_assert_int_eq(verify(&key, &m, 100300, &t), TSIG_VALID);
	ck_assert_int_eq(verify(&key, &m, 99700, &t), TSIG_VALID);
	ck_assert_int_eq(verify(&key, &m, 99699, &t), TSIG_REFUSED);
	ck_assert_int_eq(t.error, TSIG_BADTIME);
	ck_assert_int_eq(verify(&key, &m, 100301, &t), TSIG_REFUSED);
	ck_assert_int_eq(t.error, TSIG_BADTIME);
	answer = answer_signed(&t, 100301);
	ck_assert_uint_eq(answer.size, sizeof question + 8 + 10 + 13 + 16 + 32 + 6);
	ck_assert_mem_eq(answer.bytes + sizeof question + 8 + 10 + 13, "\0\0\0\1\x86\xa0", 6);
	ck_assert_mem_eq(answer.bytes + answer.size - 6, "\0\0\0\1\x87\xcd", 6);
}
END_TEST

/* The question with only @size bytes of its MAC. */
static struct message shortened(const struct message *m, size_t size)
{
	struct message s = *m;
	uint8_t *data_size = s.bytes + sizeof question + 8 + 8,
		*mac_size = s.bytes + sizeof question + 8 + 10 + 13 + 8;

	mac_size[1] = (uint8_t)size;
	data_size[1] = (uint8_t)(13 + 16 + size);
	memmove(mac_size + 2 + size, mac_size + 2 + 32, 6);
	s.size -= 32 - size;
	return s;
}

START_TEST(test_part_of_a_signature_is_not_enough) /* RFC 8945 5.2.2.1, 5.2.4 */
{
	const struct tsig_key key = key_of(TSIG_SHA256);
	const struct message whole = ask_as(TSIG_SHA256, "key.ex");
	struct message m = shortened(&whole, 16);
	struct tsig t;

	ck_assert_int_eq(verify(&key, &m, now(), &t), TSIG_REFUSED);
	ck_assert_int_eq(t.error, TSIG_BADTRUNC);
	m = shortened(&whole, 15);
	ck_assert_int_eq(verify(&key, &m, now(), &t), TSIG_MALFORMED);
	m = shortened(&whole, 0);
	ck_assert_int_eq(verify(&key, &m, now(), &t), TSIG_MALFORMED);
}
END_TEST

START_TEST(test_no_prefix_of_a_record_is_read_beyond_its_end)
{
	const struct tsig_key key = key_of(TSIG_SHA256);
	const struct message whole = ask_as(TSIG_SHA256, "key.ex");
	struct tsig t;

	for (size_t size = sizeof question + 1; size < whole.size; size++) {
		uint8_t *copy = malloc(size); /* so that a sanitizer knows its end */

		ck_assert(copy);
		memcpy(copy, whole.bytes, size);
		ck_assert_int_eq(
			tsig_verify(&key, &(struct tsig_message){copy, size, sizeof question},
				now(), &t),
			TSIG_MALFORMED);
		free(copy);
	}
}
END_TEST

START_TEST(test_a_key_is_of_one_algorithm)
{
	/* whose names are as long, and are not */
	static const enum tsig_algorithm others[] = {TSIG_SHA224, TSIG_SHA384, TSIG_SHA1};
	const struct tsig_key key = key_of(TSIG_SHA256);

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		const struct message m = ask_as(others[i], "key.ex");
		struct tsig t;

		ck_assert_int_eq(verify(&key, &m, now(), &t), TSIG_REFUSED);
		ck_assert_int_eq(t.error, TSIG_BADKEY);
	}
}
END_TEST

/* The question with its data grown by @more bytes, at the end or of its MAC. */
static struct message lengthened(const struct message *m, uint8_t more, bool mac)
{
	struct message s = *m;
	uint8_t *data_size = s.bytes + sizeof question + 8 + 8,
		*mac_size = s.bytes + sizeof question + 8 + 10 + 13 + 8;

	data_size[1] = (uint8_t)(data_size[1] + more);
	if (mac) {
		memmove(mac_size + 2 + 32 + more, mac_size + 2 + 32, 6);
		mac_size[1] = (uint8_t)(mac_size[1] + more);
	}
	s.size += more;
	return s;
}

START_TEST(test_no_more_than_a_signature_is_one) /* RFC 8945 4.2, 5.2.2.1 */
{
	const struct tsig_key key = key_of(TSIG_SHA256);
	const struct message good = ask_as(TSIG_SHA256, "key.ex");
	struct message m = lengthened(&good, 1, false);
	struct tsig t;

	ck_assert_int_eq(verify(&key, &m, now(), &t), TSIG_MALFORMED);
	m = lengthened(&good, 1, true);
	ck_assert_int_eq(verify(&key, &m, now(), &t), TSIG_MALFORMED);
	m = lengthened(&good, 0, true); /* a control */
	ck_assert_int_eq(verify(&key, &m, now(), &t), TSIG_VALID);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_what_libknot_signs_is_valid_with_each_algorithm,
		test_what_we_sign_is_valid_to_libknot_a_stream_of_it_too,
		test_our_own_question_is_signed,
		test_a_key_that_is_not_ours_is_told_and_nothing_signed,
		test_a_byte_that_was_changed_is_noticed_wherever_it_is,
		test_a_secret_of_others_is_a_bad_signature,
		test_a_clock_that_is_off_is_told_with_ours_and_signed,
		test_part_of_a_signature_is_not_enough,
		test_no_prefix_of_a_record_is_read_beyond_its_end,
		test_a_key_is_of_one_algorithm,
		test_no_more_than_a_signature_is_one,
	};

	return run_suite("tsig", tests, ARRAY_SIZE(tests));
}
