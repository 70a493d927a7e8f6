/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/service.h"

#include "dns/edition.h"

enum tcp_outcome service_answer(
	void *context, const struct tcp_question *question, struct tcp_answer *tcp_answer)
{
	const struct service *s = context;
	const struct answer_request request = {.message = question->message,
		.size = question->size,
		.client = question->client,
		.tcp = true,
		.wall_s = question->wall_s};
	struct answer_reply reply = {.buffer = tcp_answer->buffer, .room = tcp_answer->room};
	const struct edition *e = snapshot_take(s->editions, s->reader);
	const enum answer_outcome outcome = answer(s->answerer, e->catalog, &request, &reply);

	snapshot_release(s->editions, s->reader);
	switch (outcome) {
	case ANSWER_SENT:
		tcp_answer->size = reply.size;
		tcp_answer->rcode = reply.rcode;
		return TCP_ANSWERED;
	case ANSWER_TRANSFER:
	case ANSWER_SIGNED: /* transfers come to be begun here */
	case ANSWER_NONE: break;
	}
	return TCP_SILENT;
}
