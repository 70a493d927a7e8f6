/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/query.h"

#include <string.h>

#include "base/bytes.h"

#define OPTION_NSID      3
#define OPTION_COOKIE    10
#define OPTION_KEEPALIVE 11

#define RECORD_FIXED 10 /* TYPE, CLASS, TTL, RDLENGTH */

static unsigned get_u16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* QNAME, QTYPE, QCLASS at @r. One look at each byte finds the end of the name and makes it lower case. */
static bool read_question(struct reader *r, struct query *q)
{
	const uint8_t *start = r->data + r->at;
	const size_t size = name_size(start, reader_left(r));

	if (size == 0)
		return false;
	(void)reader_take(r, size);
	name_lower(q->name.bytes, start, size);
	q->name.size = (uint8_t)size;
	q->type = reader_u16(r);
	q->class = reader_u16(r);
	if (r->failed)
		return false;
	q->question = start;
	q->question_size = (uint16_t)(size + 4);
	return true;
}

/* RFC 7873 5.2.2: of any other length it is a FORMERR. */
static bool read_cookie(const uint8_t *data, unsigned size, struct query *q)
{
	if (size != 8 && (size < 16 || size > 40))
		return false;
	if (q->client_cookie)
		return true; /* of several the first counts (RFC 7873 5.2) */
	q->client_cookie = data;
	if (size > 8) {
		q->server_cookie = data + 8;
		q->server_cookie_size = (uint8_t)(size - 8);
	}
	return true;
}

/* The options of OPT, all of it @size bytes; those that we do not know are skipped (RFC 6891 6.1.2). */
static bool read_options(const uint8_t *p, unsigned size, struct query *q)
{
	while (size > 0) {
		unsigned code, length;

		if (size < 4)
			return false;
		code = get_u16(p);
		length = get_u16(p + 2);
		if (length > size - 4)
			return false;
		if (code == OPTION_COOKIE && !read_cookie(p + 4, length, q))
			return false;
		if (code == OPTION_NSID)
			q->nsid = true;
		if (code == OPTION_KEEPALIVE)
			q->keepalive = true;
		p += 4 + length;
		size -= 4 + length;
	}
	return true;
}

/* OPT, whose fixed part is at @p (RFC 6891 6.1). */
static enum query_verdict read_opt(const uint8_t *p, struct query *q)
{
	const unsigned asked = get_u16(p + 2), version = p[5];

	q->edns = true;
	q->dnssec_ok = p[6] & 0x80;
	q->udp_size = (uint16_t)(asked < DNS_UDP_LEAST ? DNS_UDP_LEAST
				 : asked > DNS_UDP_MAX ? DNS_UDP_MAX
						       : asked);
	if (version != 0)
		return QUERY_BADVERS; /* whatever its options look like */
	return read_options(p + RECORD_FIXED, get_u16(p + 8), q) ? QUERY_PLAIN : QUERY_FORMERR;
}

/* Over a name of a record, which ends in the root or a pointer. */
static bool skip_name(struct reader *r)
{
	for (;;) {
		const uint8_t length = reader_u8(r);

		if (r->failed || (length > NAME_LABEL_MAX && length < 0xc0))
			return false;
		if (length >= 0xc0)
			return reader_take(r, 1);
		if (length == 0)
			return true;
		if (!reader_take(r, length))
			return false;
	}
}

/* Over one record, and into it if it is OPT or TSIG. */
static enum query_verdict read_record(struct reader *r, bool additional, struct query *q)
{
	const size_t start = r->at;
	const uint8_t *fixed;
	unsigned type;

	if (!skip_name(r))
		return QUERY_FORMERR;
	fixed = reader_take(r, RECORD_FIXED);
	if (!fixed || q->tsig_at != 0) /* TSIG is the last (RFC 8945 5.1) */
		return QUERY_FORMERR;
	if (!reader_take(r, get_u16(fixed + 8)))
		return QUERY_FORMERR;
	type = get_u16(fixed);
	if (type == DNS_TSIG && !additional)
		return QUERY_FORMERR;
	if (type == DNS_TSIG)
		q->tsig_at = (uint16_t)start;
	if (type != DNS_OPT)
		return QUERY_PLAIN;
	/* One, in the additional section, of the root (RFC 6891 6.1.1, 6.1.2). */
	if (!additional || q->edns || fixed != r->data + start + 1)
		return QUERY_FORMERR;
	return read_opt(fixed, q);
}

/* What follows the question. */
static enum query_verdict read_rest(struct reader *r, const uint8_t *header, struct query *q)
{
	const unsigned n_answer = get_u16(header + 6), n_authority = get_u16(header + 8),
		       n_additional = get_u16(header + 10);
	enum query_verdict verdict = QUERY_PLAIN;

	/* A question brings no answer; IXFR alone has the asker's SOA (RFC 1995 3). */
	if (n_answer != 0 || (n_authority != 0 && (q->type != DNS_IXFR || n_authority != 1)))
		return QUERY_FORMERR;
	for (unsigned i = 0; i < n_authority + n_additional; i++) {
		const enum query_verdict v = read_record(r, i >= n_authority, q);

		if (v == QUERY_FORMERR)
			return v;
		if (v == QUERY_BADVERS)
			verdict = v;
	}
	return r->at == r->size ? verdict : QUERY_FORMERR;
}

/* Over what is not one question of ours, for OPT, which is answered with OPT wherever it can be found (RFC 6891
 * 6.1.1). A message of a future opcode need not look like those of today: what can't be read is no mistake then. */
static enum query_verdict read_other(struct reader *r, const uint8_t *header, struct query *q)
{
	const unsigned n_questions = get_u16(header + 4),
		       n_records = get_u16(header + 6) + get_u16(header + 8),
		       n_additional = get_u16(header + 10);
	bool sound = true;

	for (unsigned i = 0; i < n_questions && sound; i++)
		sound = skip_name(r) && reader_take(r, 4);
	for (unsigned i = 0; i < n_records + n_additional && sound; i++) {
		const enum query_verdict v = read_record(r, i >= n_records, q);

		if (v == QUERY_BADVERS)
			return v;
		sound = v == QUERY_PLAIN;
	}
	if (q->flags & DNS_OPCODE)
		return QUERY_NOTIMP;
	if (sound && n_questions + n_records == 0 && q->client_cookie && q->tsig_at == 0 &&
		r->at == r->size)
		return QUERY_COOKIE;
	return QUERY_FORMERR; /* RFC 9619: a query has one question */
}

enum query_verdict query_parse(const uint8_t *message, size_t size, struct query *q)
{
	struct reader r = reader_of(message, size);
	const uint8_t *header = reader_take(&r, DNS_HEADER_SIZE);
	enum query_verdict verdict;

	if (!header || size > DNS_MESSAGE_MAX)
		return QUERY_IGNORE;
	/* All but the name, which costs as much as the rest to clear. */
	memset(q, 0, offsetof(struct query, name));
	q->id = (uint16_t)get_u16(header);
	q->flags = (uint16_t)get_u16(header + 2);
	q->udp_size = DNS_UDP_LEAST;
	if (q->flags & DNS_QR)
		return QUERY_IGNORE;
	if (q->flags & DNS_OPCODE || get_u16(header + 4) != 1)
		return read_other(&r, header, q);
	if (!read_question(&r, q))
		return QUERY_FORMERR;
	verdict = read_rest(&r, header, q);
	if (verdict != QUERY_PLAIN)
		return verdict;
	if (q->class != DNS_CLASS_IN || q->tsig_at != 0 ||
		(q->type >= DNS_IXFR && q->type <= DNS_ANY))
		return QUERY_UNUSUAL;
	return QUERY_PLAIN;
}
