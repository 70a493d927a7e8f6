/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/tsig.h"

#include <libdnssec/tsig.h>
#include <sodium.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "dns/query.h"

#define CLASS_ANY       255
#define FUDGE_S         300 /* RFC 8945 10 */
#define MAC_LEAST       10  /* RFC 8945 5.2.2.1 */
#define SECRET_LEAST    16  /* a guess at less is within reach (RFC 8945 8) */
#define RECORD_FIXED    10
#define DATA_FIXED      16 /* of its data, beside algorithm, MAC and other data */
#define OTHER_TIME_SIZE 6
#define ADDITIONAL_AT   10 /* ARCOUNT's place in the header */

/* What a TSIG record says; all pointers go into the message. */
struct record {
	struct name key_name, algorithm; /* of lower case */
	uint64_t time_s;
	uint16_t fudge_s, original_id, error;
	const uint8_t *mac, *other;
	uint16_t mac_size, other_size;
};

struct algorithm {
	dnssec_tsig_algorithm_t id;
	uint8_t size; /* of the digest */
	uint8_t name_size;
	uint8_t name[TSIG_ALGORITHM_MAX + 1];
};

static const struct algorithm algorithms[] = {
	[TSIG_SHA1] = {DNSSEC_TSIG_HMAC_SHA1, 20, 11, "\11hmac-sha1"},
	[TSIG_SHA224] = {DNSSEC_TSIG_HMAC_SHA224, 28, 13, "\13hmac-sha224"},
	[TSIG_SHA256] = {DNSSEC_TSIG_HMAC_SHA256, 32, 13, "\13hmac-sha256"},
	[TSIG_SHA384] = {DNSSEC_TSIG_HMAC_SHA384, 48, 13, "\13hmac-sha384"},
	[TSIG_SHA512] = {DNSSEC_TSIG_HMAC_SHA512, 64, 13, "\13hmac-sha512"},
};

static const struct algorithm *algorithm_of(const struct tsig_key *key)
{
	return &algorithms[key->algorithm];
}

static void write_time(struct writer *w, uint64_t time_s)
{
	writer_u16(w, (uint16_t)(time_s >> 32));
	writer_u32(w, (uint32_t)time_s);
}

/* A name that is not compressed, in lower case. */
static bool read_name(struct reader *r, struct name *name)
{
	const size_t size = name_size(r->data + r->at, reader_left(r));

	if (size == 0)
		return false;
	name_lower(name->bytes, reader_take(r, size), size);
	name->size = (uint8_t)size;
	return true;
}

static bool read_data(struct reader *r, struct record *record)
{
	if (!read_name(r, &record->algorithm))
		return false;
	record->time_s = (uint64_t)reader_u16(r) << 32;
	record->time_s |= reader_u32(r);
	record->fudge_s = reader_u16(r);
	record->mac_size = reader_u16(r);
	record->mac = reader_take(r, record->mac_size);
	record->original_id = reader_u16(r);
	record->error = reader_u16(r);
	record->other_size = reader_u16(r);
	record->other = reader_take(r, record->other_size);
	return !r->failed && reader_left(r) == 0;
}

static bool read_record(const struct tsig_message *m, struct record *record)
{
	struct reader r = reader_of(m->bytes, m->size);
	unsigned type, class, size;
	uint32_t ttl;

	(void)reader_take(&r, m->tsig_at);
	if (!read_name(&r, &record->key_name))
		return false;
	type = reader_u16(&r);
	class = reader_u16(&r);
	ttl = reader_u32(&r);
	size = reader_u16(&r);
	/* RFC 8945 4.2 */
	return type == DNS_TSIG && class == CLASS_ANY && ttl == 0 && reader_left(&r) == size &&
	       read_data(&r, record);
}

const char *tsig_read_secret(struct tsig_key *key, const char *text, size_t size)
{
	const char *end = NULL;

	if (sodium_base642bin(key->secret, sizeof key->secret, text, size, " \t\r\n",
		    &key->secret_size, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
		end != text + size)
		return "this is not a secret in base64, and nothing else";
	if (key->secret_size < SECRET_LEAST)
		return "the secret is shorter than 16 bytes; 32 are better";
	return NULL;
}

/* A digest in the making; @context is NULL if there is no memory. */
struct digest {
	dnssec_tsig_ctx_t *context;
};

static struct digest digest_begin(const struct tsig_key *key)
{
	const dnssec_binary_t secret = {key->secret_size, (uint8_t *)key->secret};
	struct digest d = {NULL};

	if (dnssec_tsig_new(&d.context, algorithm_of(key)->id, &secret) != 0)
		d.context = NULL;
	return d;
}

static void digest_add(struct digest *d, const void *bytes, size_t size)
{
	const dnssec_binary_t part = {size, (uint8_t *)bytes};

	if (d->context && size > 0)
		(void)dnssec_tsig_add(d->context, &part);
}

static bool digest_end(struct digest *d, uint8_t mac[static TSIG_MAC_MAX])
{
	const bool good = d->context && dnssec_tsig_write(d->context, mac) == 0;

	if (d->context)
		dnssec_tsig_free(d->context);
	d->context = NULL;
	return good;
}

/* The MAC of the message before, with its size (RFC 8945 4.3.1). */
static void digest_add_mac(struct digest *d, const uint8_t *mac, uint16_t mac_size)
{
	const uint8_t size[2] = {(uint8_t)(mac_size >> 8), (uint8_t)mac_size};

	if (mac_size == 0)
		return;
	digest_add(d, size, sizeof size);
	digest_add(d, mac, mac_size);
}

/* What a TSIG record says of itself (RFC 8945 4.3.3); of a stream's later messages, its time alone (5.3.1). */
static void digest_add_variables(
	struct digest *d, const struct tsig_key *key, const struct record *r, bool time_only)
{
	uint8_t bytes[2 * NAME_SIZE_MAX + RECORD_FIXED + DATA_FIXED];
	struct writer w = writer_of(bytes, sizeof bytes);

	if (!time_only) {
		writer_bytes(&w, key->name.bytes, key->name.size);
		writer_u16(&w, CLASS_ANY);
		writer_u32(&w, 0);
		writer_bytes(&w, algorithm_of(key)->name, algorithm_of(key)->name_size);
	}
	write_time(&w, r->time_s);
	writer_u16(&w, r->fudge_s);
	if (!time_only) {
		writer_u16(&w, r->error);
		writer_u16(&w, r->other_size);
	}
	ASSERT(!w.failed);
	digest_add(d, bytes, w.at);
	if (!time_only)
		digest_add(d, r->other, r->other_size);
}

/* The digest of a question, as it was before its record was added (RFC 8945 4.3.2). */
static bool digest_question(const struct tsig_key *key, const struct tsig_message *m,
	const struct record *r, uint8_t mac[static TSIG_MAC_MAX])
{
	struct digest d = digest_begin(key);
	uint8_t header[DNS_HEADER_SIZE];
	unsigned additional;

	memcpy(header, m->bytes, sizeof header);
	header[0] = (uint8_t)(r->original_id >> 8);
	header[1] = (uint8_t)r->original_id;
	additional = ((unsigned)header[ADDITIONAL_AT] << 8 | header[ADDITIONAL_AT + 1]) - 1;
	header[ADDITIONAL_AT] = (uint8_t)(additional >> 8);
	header[ADDITIONAL_AT + 1] = (uint8_t)additional;
	digest_add(&d, header, sizeof header);
	digest_add(&d, m->bytes + sizeof header, m->tsig_at - sizeof header);
	digest_add_variables(&d, key, r, false);
	return digest_end(&d, mac);
}

static bool is_key(const struct tsig_key *key, const struct record *r)
{
	const struct algorithm *a;

	if (!key || !name_equal(key->name.bytes, r->key_name.bytes))
		return false;
	a = algorithm_of(key);
	return r->algorithm.size == a->name_size &&
	       memcmp(r->algorithm.bytes, a->name, a->name_size) == 0;
}

static bool is_timely(const struct record *r, uint64_t now_s)
{
	const uint64_t apart = now_s > r->time_s ? now_s - r->time_s : r->time_s - now_s;

	return apart <= r->fudge_s;
}

static enum tsig_verdict refuse(struct tsig *t, enum tsig_error error)
{
	t->error = error;
	return TSIG_REFUSED;
}

/* In the order of RFC 8945 5.2: the key, the MAC, the time. */
static enum tsig_verdict judge(const struct tsig_key *key, const struct tsig_message *m,
	const struct record *r, struct tsig *t, uint64_t now_s)
{
	uint8_t mac[TSIG_MAC_MAX] = {0};
	size_t whole;

	if (!is_key(key, r))
		return refuse(t, TSIG_BADKEY);
	t->key = key;
	whole = algorithm_of(key)->size;
	/* 5.2.2.1 */
	if (r->mac_size > whole || r->mac_size < MAC_LEAST || r->mac_size < whole / 2)
		return TSIG_MALFORMED;
	if (!digest_question(key, m, r, mac) || sodium_memcmp(mac, r->mac, r->mac_size) != 0)
		return refuse(t, TSIG_BADSIG);
	memcpy(t->mac, r->mac, r->mac_size);
	t->mac_size = r->mac_size;
	/* 5.2.3 */
	if (!is_timely(r, now_s))
		return refuse(t, TSIG_BADTIME);
	/* 5.2.4: the policy is that nothing is left out */
	return r->mac_size < whole ? refuse(t, TSIG_BADTRUNC) : TSIG_VALID;
}

enum tsig_verdict tsig_verify(const struct tsig_key *key, const struct tsig_message *message,
	uint64_t now_s, struct tsig *ret_tsig)
{
	struct record r;

	ASSERT(message->tsig_at >= DNS_HEADER_SIZE && message->tsig_at < message->size);
	if (!read_record(message, &r))
		return TSIG_MALFORMED;
	*ret_tsig =
		(struct tsig){.time_s = r.time_s, .key_name = r.key_name, .algorithm = r.algorithm};
	return judge(key, message, &r, ret_tsig, now_s);
}

struct tsig tsig_start(const struct tsig_key *key)
{
	const struct algorithm *a = algorithm_of(key);
	struct tsig t = {.key = key, .key_name = key->name, .algorithm.size = a->name_size};

	memcpy(t.algorithm.bytes, a->name, a->name_size);
	return t;
}

/* Without a key that both have, nothing is signed (RFC 8945 5.3.2). */
static bool is_signing(const struct tsig *t)
{
	return t->error != TSIG_BADKEY && t->error != TSIG_BADSIG;
}

size_t tsig_size(const struct tsig *t)
{
	const size_t mac = is_signing(t) ? algorithm_of(t->key)->size : 0;

	return (size_t)t->key_name.size + RECORD_FIXED + t->algorithm.size + DATA_FIXED + mac +
	       (t->error == TSIG_BADTIME ? OTHER_TIME_SIZE : 0);
}

/* The digest of the @size bytes of @message into @t->mac. */
static bool digest_message(
	struct tsig *t, const uint8_t *message, size_t size, const struct record *r)
{
	struct digest d = digest_begin(t->key);

	digest_add_mac(&d, t->mac, t->mac_size);
	digest_add(&d, message, size);
	digest_add_variables(&d, t->key, r, t->continued);
	t->mac_size = algorithm_of(t->key)->size;
	t->continued = true;
	return digest_end(&d, t->mac);
}

/* Puts the record behind the message. Returns the size of both. */
static size_t append(const struct tsig *t, uint8_t *message, size_t size, const struct record *r)
{
	const size_t room = tsig_size(t);
	struct writer w = writer_of(message + size, room);
	uint8_t *count = message + ADDITIONAL_AT;
	const unsigned additional = ((unsigned)count[0] << 8 | count[1]) + 1;

	writer_bytes(&w, t->key_name.bytes, t->key_name.size);
	writer_u16(&w, DNS_TSIG);
	writer_u16(&w, CLASS_ANY);
	writer_u32(&w, 0);
	writer_u16(&w, (uint16_t)(t->algorithm.size + DATA_FIXED + r->mac_size + r->other_size));
	writer_bytes(&w, t->algorithm.bytes, t->algorithm.size);
	write_time(&w, r->time_s);
	writer_u16(&w, r->fudge_s);
	writer_u16(&w, r->mac_size);
	writer_bytes(&w, t->mac, r->mac_size);
	writer_u16(&w, r->original_id);
	writer_u16(&w, r->error);
	writer_u16(&w, r->other_size);
	writer_bytes(&w, r->other, r->other_size);
	ASSERT(!w.failed);
	count[0] = (uint8_t)(additional >> 8);
	count[1] = (uint8_t)additional;
	return size + w.at;
}

size_t tsig_sign(struct tsig *t, uint8_t *message, size_t size, uint64_t now_s)
{
	uint8_t other[OTHER_TIME_SIZE];
	struct writer w = writer_of(other, sizeof other);
	struct record r = {.time_s = now_s,
		.fudge_s = FUDGE_S,
		.original_id = (uint16_t)((unsigned)message[0] << 8 | message[1]),
		.error = (uint16_t)t->error,
		.other = other};

	ASSERT(size >= DNS_HEADER_SIZE);
	if (t->error == TSIG_BADTIME) {
		/* RFC 8945 5.2.3: the asker's time, and ours beside it */
		r.time_s = t->time_s;
		write_time(&w, now_s);
		r.other_size = OTHER_TIME_SIZE;
	}
	if (is_signing(t)) {
		if (!digest_message(t, message, size, &r))
			return 0;
		r.mac_size = t->mac_size;
	}
	return append(t, message, size, &r);
}
