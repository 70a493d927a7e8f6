/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/service.h"

#include <stdlib.h>

#include "dns/edition.h"
#include "dns/log.h"
#include "dns/signed.h"
#include "dns/transfer.h"
#include "dns/transfer_log.h"
#include "os/clock.h"

/* A transfer that runs, and the edition that it began with. */
struct stream {
	struct transfer *transfer;
	struct edition *edition;
	struct addr client;
	uint64_t bytes; /* so far */
	bool complete;
};

/* Keeps @e, which is in use, beyond that. */
static enum answer_outcome begin_transfer(struct edition *e, const struct answer_request *request,
	struct answer_reply *reply, struct stream **ret_stream)
{
	const struct transfer_setup setup = {e->catalog, &e->config->dns, e->key};
	struct stream *s = calloc(1, sizeof *s);
	enum answer_outcome outcome;

	if (!s)
		return ANSWER_NONE;
	outcome = transfer_begin(&setup, request, reply, &s->transfer);
	if (outcome != ANSWER_TRANSFER) {
		if (outcome == ANSWER_SENT && reply->rcode != DNS_NOERROR)
			transfer_log_refused(&e->config->dns, request, reply);
		free(s);
		return outcome;
	}
	atomic_fetch_add(&e->n_transfers, 1);
	s->edition = e;
	s->client = request->client;
	*ret_stream = s;
	return outcome;
}

enum tcp_outcome service_answer(
	void *context, const struct tcp_question *question, struct tcp_answer *tcp_answer)
{
	const struct service *s = context;
	struct edition *e = snapshot_take(s->editions, s->reader);
	const struct answer_request request = {.message = question->message,
		.size = question->size,
		.client = question->client,
		.tcp = true,
		.idle_ds = question->idle_ds,
		.wall_s = question->wall_s,
		.self = &e->self};
	struct answer_reply reply = {.buffer = tcp_answer->buffer, .room = tcp_answer->room};
	enum answer_outcome outcome =
		signed_answer(s->answerer, e->catalog, e->key, &request, &reply);
	struct stream *stream = NULL;

	if (outcome == ANSWER_TRANSFER)
		outcome = begin_transfer(e, &request, &reply, &stream);
	else if (reply.tsig_error)
		transfer_log_refused(&e->config->dns, &request, &reply);
	snapshot_release(s->editions, s->reader);
	switch (outcome) {
	case ANSWER_SENT:
		tcp_answer->size = reply.size;
		tcp_answer->rcode = reply.rcode;
		return TCP_ANSWERED;
	case ANSWER_TRANSFER: tcp_answer->stream = stream; return TCP_STREAM;
	case ANSWER_SIGNED:
	case ANSWER_NONE: break;
	}
	return TCP_SILENT;
}

int service_stream_next(void *context, void *stream, uint8_t *buffer, size_t room)
{
	struct stream *s = stream;
	const int size = transfer_next(s->transfer, clock_wall_s(), buffer);

	(void)context;
	(void)room; /* a message's */
	if (size < 0)
		log_line(JOURNAL_ERROR,
			"a record and a signature do not fit into one message, or there is no "
			"memory");
	else
		s->bytes += (uint64_t)size;
	s->complete = size == 0;
	return size;
}

void service_stream_end(void *context, void *stream)
{
	struct stream *s = stream;

	(void)context;
	transfer_log_over(&s->client, transfer_zone(s->transfer), s->bytes, s->complete);
	transfer_free(s->transfer);
	atomic_fetch_sub(&s->edition->n_transfers, 1); /* the edition may be freed from here on */
	free(s);
}
