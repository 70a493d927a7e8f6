/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/assert.h"
#include "os/sequence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The file of the last sequence: what is taken from it is never used again, by the serial order. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const tick times[] = {0, tick_s(1), tick_s(3600), tick_s(UINT64_C(30) * 365 * 86400)};
	struct sequence_note note = {.last = 0, .at = 7};

	if (!sequence_read((const char *)data, size, &note)) {
		ASSERT(note.last == 0 && note.at == 7);
		return 0;
	}
	ASSERT(note.last != 0 && data[size - 1] == '\n');
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		ASSERT((int64_t)(sequence_reserved(&note, times[i]) - note.last) > 0);
	return 0;
}
