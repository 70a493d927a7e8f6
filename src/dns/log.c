/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/log.h"

#define MINUTE tick_s(60)

const char *log_quota_take(struct log_quota *quota, tick now)
{
	uint32_t n;

	pthread_mutex_lock(&quota->lock);
	if (quota->n == 0 || tick_since(now, quota->began) >= MINUTE) {
		quota->began = now;
		quota->n = 0;
	}
	if (quota->n <= quota->max)
		quota->n++;
	n = quota->n;
	pthread_mutex_unlock(&quota->lock);
	if (n > quota->max)
		return NULL;
	return n == quota->max ? "; no more lines like this one for a minute" : "";
}
