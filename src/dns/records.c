/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/records.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "dns/query.h"

bool record_is_address(uint16_t type)
{
	return type == DNS_A || type == DNS_AAAA;
}

struct record_names record_names(uint16_t type)
{
	switch (type) {
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
	case DNS_MB:
	case DNS_MG:
	case DNS_MR: return (struct record_names){0, 1};
	case DNS_SOA:
	case DNS_MINFO: return (struct record_names){0, 2};
	case DNS_MX: return (struct record_names){2, 1};
	default: return (struct record_names){0, 0};
	}
}

bool record_is_alias(uint16_t type, struct record r)
{
	return (type == DNS_SVCB || type == DNS_HTTPS) && r.rdata[0] == 0 && r.rdata[1] == 0;
}

const uint8_t *record_target(uint16_t type, struct record r, const uint8_t *owner)
{
	const uint8_t *target;

	switch (type) {
	case DNS_NS: target = r.rdata; break;
	case DNS_MX:
	case DNS_SVCB:
	case DNS_HTTPS: target = r.rdata + 2; break;
	case DNS_SRV: target = r.rdata + 6; break;
	default: return NULL;
	}
	if (*target != 0)
		return target;
	/* The root as a target: the owner itself to SVCB and HTTPS, to aliases and all others nobody
	 * (RFC 9460 2.5, RFC 2782, RFC 7505). */
	return (type == DNS_SVCB || type == DNS_HTTPS) && !record_is_alias(type, r) ? owner : NULL;
}

uint32_t record_negative_ttl(const struct zone_rrset *soa)
{
	const struct record r = record_first(soa);
	uint32_t minimum;

	ASSERT(r.rdata && r.size >= 4);
	struct reader last = reader_of(r.rdata + r.size - 4, 4);

	minimum = reader_u32(&last);
	return minimum < soa->ttl ? minimum : soa->ttl;
}
