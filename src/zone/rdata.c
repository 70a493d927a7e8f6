/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/rdata.h"

#include <stddef.h>
#include <string.h>

#include "base/assert.h"
#include "zone/name.h"

/*
 * Shapes, a letter for each field: n a name that becomes lower case, N one that keeps it; 1, 2 and
 * 4 that many bytes; s a string with its length before it, S one or more of them; * anything up to
 * the end.
 */
static const char *shape_of(uint16_t type)
{
	static const char *const shapes[] = {
		[RDATA_A] = "4",
		[RDATA_NS] = "n",
		[3] = "n", /* MD */
		[4] = "n", /* MF */
		[RDATA_CNAME] = "n",
		[RDATA_SOA] = "nn44444",
		[7] = "n",   /* MB */
		[8] = "n",   /* MG */
		[9] = "n",   /* MR */
		[12] = "n",  /* PTR */
		[13] = "ss", /* HINFO */
		[14] = "nn", /* MINFO */
		[RDATA_MX] = "2n",
		[16] = "S",  /* TXT */
		[17] = "nn", /* RP */
		[18] = "2n", /* AFSDB */
		[21] = "2n", /* RT */
		[RDATA_SIG] = "2114442n*",
		[26] = "2nn", /* PX */
		[RDATA_AAAA] = "4444",
		[RDATA_NXT] = "n*",
		[33] = "222n",   /* SRV */
		[35] = "22sssn", /* NAPTR */
		[36] = "2n",     /* KX */
		[RDATA_DNAME] = "n",
		[RDATA_RRSIG] = "2114442n*",
		[RDATA_NSEC] = "N*", /* RFC 6840 5.1 */
		[64] = "2N*",        /* SVCB */
		[65] = "2N*",        /* HTTPS */
		[99] = "S",          /* SPF */
		[107] = "2N",        /* LP */
	};

	return type < ARRAY_SIZE(shapes) && shapes[type] ? shapes[type] : "*";
}

bool rdata_may_be_stored(uint16_t type)
{
	return type != 0 && type != RDATA_OPT && (type < 128 || type > 255);
}

static size_t strings_size(const uint8_t *at, size_t left)
{
	size_t size = 0;

	while (size < left && size + 1 + at[size] <= left)
		size += 1u + at[size];
	return size == left ? size : 0;
}

/* The size of the field at @at, of @left bytes; 0 if it is not there. */
static size_t field_size(char field, const uint8_t *at, size_t left)
{
	switch (field) {
	case 'n':
	case 'N': return name_size(at, left);
	case 's': return left > 0 && 1u + at[0] <= left ? 1u + at[0] : 0;
	case 'S': return strings_size(at, left);
	default: return left >= (size_t)(field - '0') ? (size_t)(field - '0') : 0;
	}
}

bool rdata_canonical(uint16_t type, const uint8_t *rdata, uint16_t size, uint8_t *to)
{
	const char *shape = shape_of(type);
	size_t at = 0;

	memcpy(to, rdata, size);
	for (; *shape != '\0' && *shape != '*'; shape++) {
		const size_t n = field_size(*shape, rdata + at, size - at);

		if (n == 0)
			return false;
		if (*shape == 'n')
			name_lower(to + at, rdata + at, n);
		at += n;
	}
	return *shape == '*' || at == size;
}
