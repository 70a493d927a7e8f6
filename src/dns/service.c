/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/service.h"

#include <stdlib.h>

#include "dns/edition.h"
#include "dns/log.h"
#include "dns/signed.h"
#include "dns/transfer.h"
#include "os/clock.h"

/* A transfer that runs, and the edition that it began with. */
struct stream {
	struct transfer *transfer;
	struct edition *edition;
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
		free(s);
		return outcome;
	}
	atomic_fetch_add(&e->n_transfers, 1);
	s->edition = e;
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
	const struct stream *s = stream;
	const int size = transfer_next(s->transfer, clock_wall_ns() / 1000000000u, buffer);

	(void)context;
	(void)room; /* a message's */
	if (size < 0)
		log_line(JOURNAL_ERROR,
			"a transfer is broken off: a record and a signature do not fit into one "
			"message, or there is no memory");
	return size;
}

void service_stream_end(void *context, void *stream)
{
	struct stream *s = stream;

	(void)context;
	transfer_free(s->transfer);
	atomic_fetch_sub(&s->edition->n_transfers, 1); /* the edition may be freed from here on */
	free(s);
}
