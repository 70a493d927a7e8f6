/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/transfer_log.h"

#include "dns/log.h"
#include "dns/query.h"
#include "dns/transfer.h"
#include "dns/tsig.h"
#include "os/clock.h"

/* Of each kind its own, so that strangers can't hide what the secondaries do. */
static struct log_quota strangers = LOG_QUOTA(10);
static struct log_quota secondaries = LOG_QUOTA(60);
static struct log_quota over = LOG_QUOTA(600);

static const char *reason(const struct answer_reply *out, bool listed)
{
	switch (out->tsig_error) {
	case TSIG_BADKEY: return "BADKEY, it signs with a key that is not ours";
	case TSIG_BADSIG: return "BADSIG, its secret differs from ours";
	case TSIG_BADTIME: return "BADTIME, its clock differs from ours";
	case TSIG_BADTRUNC: return "BADTRUNC, its signature is too short";
	default: break;
	}
	switch (out->rcode) {
	case DNS_NOTAUTH: return "NOTAUTH, there is no such zone";
	case DNS_REFUSED: return listed ? "REFUSED, it does not sign" : "REFUSED, not in transfer:";
	default: return "FORMERR";
	}
}

void transfer_log_refused(const struct config_dns *dns, const struct answer_request *in,
	const struct answer_reply *out)
{
	/* over UDP the address may be anybody's */
	const bool listed = in->tcp && transfer_is_allowed(dns, &in->client);
	const char *end = log_quota_take(listed ? &secondaries : &strangers, clock_now());
	char name[ZONE_NAME_SIZE] = "?", client[ADDR_STRLEN];
	struct query q;

	if (!end)
		return;
	(void)query_parse(in->message, in->size, &q);
	if (q.question_size > 0)
		(void)zone_name_show(q.name.bytes, name);
	log_line(listed ? JOURNAL_WARNING : JOURNAL_INFO, "%s %s is refused to %s: %s%s",
		q.type == DNS_AXFR || q.type == DNS_IXFR ? "a transfer of"
							 : "a signed question for",
		name, addr_format(&in->client, client), reason(out, listed), end);
}

void transfer_log_over(
	const struct addr *client, const struct zone *zone, uint64_t bytes, bool complete)
{
	const char *end = log_quota_take(&over, clock_now());
	char name[ZONE_NAME_SIZE], to[ADDR_STRLEN];

	if (end)
		log_line(complete ? JOURNAL_INFO : JOURNAL_WARNING,
			"the transfer of %s, serial %u, to %s %s after %llu bytes%s",
			zone_name_show(zone_apex(zone), name), zone_serial(zone),
			addr_format(client, to), complete ? "is complete" : "is broken off",
			(unsigned long long)bytes, end);
}
