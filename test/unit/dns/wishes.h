/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* What the first byte of a message asks for, in the tests of connections. */

#include <string.h>

#include "dns/tcp.h"

enum wish {
	WISH_ECHO = 'e',
	WISH_LARGEST = 'l',
	WISH_SILENCE = 's',
	WISH_STREAM = 't',
	WISH_BROKEN = 'b', /* a stream that breaks off */
};

/* All but streams. */
static inline enum tcp_outcome grant_wish(
	const struct tcp_question *question, struct tcp_answer *answer)
{
	if (question->size == 0)
		return TCP_SILENT;
	switch (question->message[0]) {
	case WISH_ECHO:
		memcpy(answer->buffer, question->message, question->size);
		answer->size = question->size;
		return TCP_ANSWERED;
	case WISH_LARGEST:
		memset(answer->buffer, 'L', answer->room);
		answer->size = answer->room;
		return TCP_ANSWERED;
	default: return TCP_SILENT;
	}
}
