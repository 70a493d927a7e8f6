/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* roost-dns's lines for people, as os/journal.h writes them. Any thread may. */

#include <pthread.h>

#include "base/tick.h"
#include "os/journal.h"

#define log_line(level, ...) journal_line_as("roost-dns", level, __VA_ARGS__)

/* Lines of one kind, which others can cause: so many in a minute and no more. */
struct log_quota {
	uint32_t max;
	pthread_mutex_t lock;
	tick began; /* the minute */
	uint32_t n; /* in it */
};

#define LOG_QUOTA(lines)                                                                           \
	{                                                                                          \
		.max = (lines), .lock = PTHREAD_MUTEX_INITIALIZER                                  \
	}

/* NULL: that line is one too many. Else what it is to end with, which says so of the next ones. */
const char *log_quota_take(struct log_quota *quota, tick now);
