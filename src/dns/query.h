/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * A message as it comes in: one pass over the bytes, no allocation. A query's QNAME is the first name of its
 * message, so that nothing in it can be compressed; what is, is malformed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/name.h"

#define DNS_HEADER_SIZE  12
#define DNS_UDP_LEAST    512  /* what everybody takes (RFC 1035 4.2.1) */
#define DNS_UDP_MAX      1232 /* what we take and send (RFC 6891 6.2.5, DNS flag day 2020) */
#define DNS_MESSAGE_MAX  65535
#define DNS_QUESTION_MAX (NAME_SIZE_MAX + 4)

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_MB = 7,
	DNS_MG = 8,
	DNS_MR = 9,
	DNS_PTR = 12,
	DNS_MINFO = 14,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_DNAME = 39,
	DNS_OPT = 41,
	DNS_DS = 43,
	DNS_SVCB = 64,
	DNS_HTTPS = 65,
	DNS_TSIG = 250,
	DNS_IXFR = 251,
	DNS_AXFR = 252,
	DNS_ANY = 255,
};

enum dns_class { DNS_CLASS_IN = 1, DNS_CLASS_CHAOS = 3, DNS_CLASS_ANY = 255 };

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_YXDOMAIN = 6,
	DNS_NOTAUTH = 9,
	DNS_BADVERS = 16, /* of these two, OPT has the upper bits (RFC 6891 6.1.3) */
	DNS_BADCOOKIE = 23,
};

/* Flags of the header's third and fourth byte. */
#define DNS_QR     0x8000u
#define DNS_OPCODE 0x7800u
#define DNS_AA     0x0400u
#define DNS_TC     0x0200u
#define DNS_RD     0x0100u
#define DNS_AD     0x0020u
#define DNS_CD     0x0010u

enum query_verdict {
	QUERY_PLAIN, /* a class IN question for one type */
	QUERY_UNUSUAL, /* a sound message that needs more thought: TSIG, AXFR, IXFR, ANY, other classes */
	QUERY_IGNORE, /* a response, or less than a header: silence, lest two servers talk for ever */
	QUERY_FORMERR, /* can't be parsed; the header is there */
	QUERY_NOTIMP,  /* an opcode that is not ours; nothing but the header and OPT is looked at */
	QUERY_BADVERS, /* EDNS of a version other than 0 (RFC 6891 6.1.3) */
	QUERY_COOKIE,  /* no question, but a COOKIE option: ours is asked for (RFC 7873 5.4) */
};

struct query {
	uint16_t id;
	uint16_t flags; /* as they came */
	uint16_t type, class;
	uint16_t question_size;       /* QNAME, QTYPE and QCLASS; 0: none that can be repeated */
	uint16_t udp_size;            /* what the asker takes: DNS_UDP_LEAST to DNS_UDP_MAX */
	bool edns, dnssec_ok;         /* DO is echoed (RFC 3225 3) */
	bool nsid;                    /* asked for (RFC 5001) */
	bool keepalive;               /* as well (RFC 7828) */
	const uint8_t *question;      /* in the message, its case preserved */
	const uint8_t *client_cookie; /* 8 bytes, or NULL (RFC 7873 4) */
	const uint8_t *server_cookie; /* @server_cookie_size bytes, 8 to 32, or NULL */
	uint8_t server_cookie_size;
	uint16_t tsig_at; /* where the TSIG record begins, the message's last; 0: none */
	struct name name; /* QNAME in lower case */
};

/* Reads @message. *@ret_query is set as far as the verdict says that there is something. It borrows from
 * @message. */
enum query_verdict query_parse(const uint8_t *message, size_t size, struct query *ret_query);
