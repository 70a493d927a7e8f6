/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "dns/answerer.h"
#include "dns/query.h"
#include "dns/records.h"

#define POINTER_MAX  0x4000u /* what a compression pointer can't reach (RFC 1035 4.1.4) */
#define POINTER      0xc000u
#define RECORD_FIXED 10

enum stage {
	STAGE_FIRST, /* the SOA */
	STAGE_NODES, /* all but the SOA */
	STAGE_LAST,  /* the SOA again */
	STAGE_OVER,
};

struct transfer {
	const struct zone *zone;
	bool is_signed;
	struct tsig tsig;
	uint16_t id, rd;
	uint16_t question_size, opt_size;
	uint8_t question[DNS_QUESTION_MAX];
	uint8_t opt[ANSWER_ROOM_LEAST]; /* as the first message has it */

	/* What comes next. */
	enum stage stage;
	bool begun; /* the first message is out */
	uint32_t node;
	const struct zone_rrset *rrset; /* of that node */
	struct record record;           /* of that set */
};

/* A message in the making. */
struct page {
	struct writer w;
	uint16_t n_records;
	uint16_t apex_at;  /* where the apex's name is; 0: nowhere yet */
	uint16_t owner_at; /* where the owner of the record before is; 0: out of reach */
	const struct zone_node *owner;
};

/* ---- whether ---- */

bool transfer_is_allowed(const struct config_dns *dns, const struct addr *client)
{
	for (uint32_t i = 0; i < dns->n_transfers; i++)
		if (addr_equal(&dns->transfer[i].address, client))
			return true;
	return false;
}

/* Over a name that may be compressed. */
static void skip_name(struct reader *r)
{
	uint8_t length;

	while ((length = reader_u8(r)) != 0 && length < 0xc0)
		(void)reader_take(r, length);
	if (length >= 0xc0)
		(void)reader_take(r, 1);
}

/* The serial of the zone that the asker of IXFR has: the authority section's SOA (RFC 1995 3). */
static bool read_serial(
	const struct answer_request *in, const struct query *q, uint32_t *ret_serial)
{
	struct reader r = reader_of(in->message, in->size);
	unsigned type;
	uint32_t serial;

	(void)reader_take(&r, 8);
	if (reader_u16(&r) != 1)
		return false;
	(void)reader_take(&r, 2u + q->question_size);
	skip_name(&r);
	type = reader_u16(&r);
	(void)reader_take(&r, 2 + 4 + 2);
	skip_name(&r);
	skip_name(&r);
	serial = reader_u32(&r);
	if (r.failed || type != DNS_SOA)
		return false;
	*ret_serial = serial;
	return true;
}

/* ---- messages ---- */

static void put_head(struct page *p, const struct transfer *t)
{
	const bool question = !t->begun;

	writer_u16(&p->w, t->id);
	writer_u16(&p->w, (uint16_t)(DNS_QR | DNS_AA | t->rd));
	writer_u16(&p->w, question);
	writer_u16(&p->w, 0);
	writer_u16(&p->w, 0);
	writer_u16(&p->w, 0);
	if (question) /* RFC 5936 2.2.2: in the first one */
		writer_bytes(&p->w, t->question, t->question_size);
}

/* RFC 5936 2.2.5: who sends OPT gets it, here in the first message. */
static size_t opt_size(const struct transfer *t)
{
	return t->begun ? 0 : t->opt_size;
}

static void put_opt(struct page *p, const struct transfer *t)
{
	p->w.size += opt_size(t);
	if (opt_size(t) == 0)
		return;
	writer_bytes(&p->w, t->opt, t->opt_size);
	p->w.data[11]++;
}

/* A pointer to @at, if that is anywhere in reach. */
static bool put_pointer(struct page *p, uint16_t at)
{
	if (at == 0)
		return false;
	writer_u16(&p->w, (uint16_t)(POINTER | at));
	return true;
}

/* Points to names of the zone alone, never to the question's: the case of that is the asker's (RFC 5936 3.4). */
static void put_owner(struct page *p, const struct transfer *t, const struct zone_node *n)
{
	const uint8_t apex_size = zone_apex_node(t->zone)->name_size;
	const size_t own = n->name_size - apex_size, at = p->w.at;

	if (n == p->owner && put_pointer(p, p->owner_at))
		return;
	p->owner = n;
	p->owner_at = at < POINTER_MAX ? (uint16_t)at : 0;
	writer_bytes(&p->w, n->name, own);
	if (put_pointer(p, p->apex_at))
		return;
	ASSERT(at + own < POINTER_MAX); /* it is the page's first */
	writer_bytes(&p->w, n->name + own, apex_size);
	p->apex_at = (uint16_t)(at + own);
}

/* False if it does not fit: then the page is as it was. */
static bool put_record(struct page *p, const struct transfer *t, const struct zone_node *n,
	const struct zone_rrset *s, struct record r)
{
	const struct page before = *p;

	put_owner(p, t, n);
	writer_u16(&p->w, s->type);
	writer_u16(&p->w, DNS_CLASS_IN);
	writer_u32(&p->w, s->ttl);
	writer_u16(&p->w, r.size);
	writer_bytes(&p->w, r.rdata, r.size);
	if (p->w.failed) {
		*p = before;
		return false;
	}
	p->n_records++;
	return true;
}

static bool put_soa(struct page *p, const struct transfer *t)
{
	const struct zone_rrset *soa = zone_soa(t->zone);

	return put_record(p, t, zone_apex_node(t->zone), soa, record_first(soa));
}

/* Into a page of its own, where it always fits. */
static void put_first_soa(struct page *p, const struct transfer *t)
{
	const bool fits = put_soa(p, t);

	ASSERT(fits);
}

/* To the next record that is not the SOA, from the beginning of @t->rrset, or of the nodes behind it. */
static void seek(struct transfer *t)
{
	const struct zone_rrset *soa = zone_soa(t->zone);

	while (!t->rrset || t->rrset == soa) {
		if (t->rrset) {
			t->rrset = t->rrset->next;
			continue;
		}
		if (t->node + 1 >= zone_n_nodes(t->zone)) {
			t->stage = STAGE_LAST;
			return;
		}
		t->rrset = zone_node_at(t->zone, ++t->node)->rrsets;
	}
	t->record = record_first(t->rrset);
}

/* As many records as fit. */
static void put_nodes(struct page *p, struct transfer *t)
{
	while (t->stage == STAGE_NODES) {
		if (!put_record(p, t, zone_node_at(t->zone, t->node), t->rrset, t->record))
			return;
		t->record = record_next(t->rrset, t->record);
		if (t->record.rdata)
			continue;
		t->rrset = t->rrset->next;
		seek(t);
	}
}

static void put_records(struct page *p, struct transfer *t)
{
	if (t->stage == STAGE_FIRST) {
		put_first_soa(p, t);
		t->stage = STAGE_NODES;
		t->node = 0;
		t->rrset = zone_apex_node(t->zone)->rrsets;
		seek(t);
	}
	put_nodes(p, t);
	if (t->stage == STAGE_LAST && put_soa(p, t))
		t->stage = STAGE_OVER;
}

/* What has to be added at the end is kept free. */
static struct page page_begin(const struct transfer *t, uint8_t *buffer)
{
	const size_t reserved = opt_size(t) + (t->is_signed ? tsig_size(&t->tsig) : 0);
	struct page p = {.w = writer_of(buffer, DNS_MESSAGE_MAX - reserved)};

	put_head(&p, t);
	return p;
}

/* The size of the message; 0 if there is no memory. */
static size_t page_end(struct page *p, struct transfer *t, uint64_t wall_s)
{
	p->w.data[6] = (uint8_t)(p->n_records >> 8);
	p->w.data[7] = (uint8_t)p->n_records;
	put_opt(p, t);
	ASSERT(!p->w.failed);
	t->begun = true;
	/* RFC 8945 5.3.1: the first and the last at least; we sign all */
	return t->is_signed ? tsig_sign(&t->tsig, p->w.data, p->w.at, wall_s) : p->w.at;
}

int transfer_next(struct transfer *t, uint64_t wall_s, uint8_t *buffer)
{
	struct page p;
	size_t size;

	if (t->stage == STAGE_OVER)
		return 0;
	p = page_begin(t, buffer);
	put_records(&p, t);
	if (p.n_records == 0)
		return -1;
	size = page_end(&p, t, wall_s);
	return size > 0 ? (int)size : -1;
}

/* ---- begin ---- */

/* Why, beyond the RCODE (RFC 8914 4.19, 4.21); of a signature its own record says it. */
static enum answer_error find_error(const struct transfer *t, unsigned rcode)
{
	if (rcode == DNS_REFUSED)
		return ANSWER_ERROR_PROHIBITED;
	return rcode == DNS_NOTAUTH && t->tsig.error == TSIG_NO_ERROR
		       ? ANSWER_ERROR_NOT_AUTHORITATIVE
		       : ANSWER_ERROR_NONE;
}

/* An answer without records. */
static enum answer_outcome refuse(struct transfer *t, const struct answer_request *in,
	const struct query *q, unsigned rcode, struct answer_reply *out)
{
	answer_briefly(in, q, rcode, find_error(t, rcode), out);
	out->tsig_error = (uint8_t)t->tsig.error;
	if (t->is_signed)
		out->size = tsig_sign(&t->tsig, out->buffer, out->size, in->wall_s);
	return out->size > 0 ? ANSWER_SENT : ANSWER_NONE;
}

/* That the asker is as new as we are (RFC 1995 2). */
static enum answer_outcome say_soa(struct transfer *t, uint64_t wall_s, struct answer_reply *out)
{
	struct page p = page_begin(t, out->buffer);

	put_first_soa(&p, t);
	out->rcode = DNS_NOERROR;
	out->size = page_end(&p, t, wall_s);
	return out->size > 0 ? ANSWER_SENT : ANSWER_NONE;
}

/* Who asks, before what is asked: strangers do not learn which zones there are. */
static unsigned judge(const struct transfer_setup *setup, const struct answer_request *in,
	const struct query *q, struct transfer *t)
{
	const struct tsig_message message = {in->message, in->size, q->tsig_at};
	enum tsig_verdict verdict;

	if (q->tsig_at > 0) {
		verdict = tsig_verify(setup->key, &message, in->wall_s, &t->tsig);
		if (verdict == TSIG_MALFORMED)
			return DNS_FORMERR;
		t->is_signed = true;
		if (verdict == TSIG_REFUSED)
			return DNS_NOTAUTH; /* RFC 8945 5.2 */
	}
	if (!transfer_is_allowed(setup->config, &in->client) || (setup->key && !t->is_signed))
		return DNS_REFUSED;
	t->zone = catalog_zone_named(setup->catalog, q->name.bytes);
	return t->zone ? DNS_NOERROR : DNS_NOTAUTH; /* RFC 5936 2.2.1 */
}

static void set_question(struct transfer *t, const struct query *q)
{
	t->id = q->id;
	t->rd = q->flags & DNS_RD;
	t->question_size = q->question_size;
	memcpy(t->question, q->question, q->question_size);
}

/* Made at the beginning, for the question is gone when the first message is made. */
static void set_opt(struct transfer *t, const struct answer_request *in, const struct query *q)
{
	uint8_t message[ANSWER_ROOM_LEAST] = {0};
	struct answer_reply with_opt = {.buffer = message, .size = DNS_HEADER_SIZE};

	answer_put_opt(in, q, ANSWER_ERROR_NONE, &with_opt);
	t->opt_size = with_opt.opt_size;
	memcpy(t->opt, message + with_opt.opt_at, with_opt.opt_size);
}

enum answer_outcome transfer_begin(const struct transfer_setup *setup,
	const struct answer_request *in, struct answer_reply *out, struct transfer **ret_transfer)
{
	struct transfer *t = calloc(1, sizeof *t);
	enum answer_outcome outcome = ANSWER_TRANSFER;
	struct query q;
	unsigned rcode;
	uint32_t serial = 0;

	ASSERT(out->room >= DNS_MESSAGE_MAX);
	if (!t)
		return ANSWER_NONE;
	(void)query_parse(in->message, in->size, &q);
	ASSERT(q.question_size > 0);
	set_question(t, &q);
	set_opt(t, in, &q);
	rcode = judge(setup, in, &q, t);
	if (rcode == DNS_NOERROR && q.type == DNS_IXFR && !read_serial(in, &q, &serial))
		rcode = DNS_FORMERR;
	if (rcode != DNS_NOERROR)
		outcome = refuse(t, in, &q, rcode, out);
	else if (q.type == DNS_IXFR && zone_compare_serials(serial, zone_serial(t->zone)) >= 0)
		outcome = say_soa(t, in->wall_s, out);
	if (outcome == ANSWER_TRANSFER)
		*ret_transfer = t;
	else
		transfer_free(t);
	return outcome;
}

const struct zone *transfer_zone(const struct transfer *t)
{
	return t->zone;
}

void transfer_free(struct transfer *t)
{
	free(t);
}
