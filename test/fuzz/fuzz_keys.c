/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/assert.h"
#include "wire/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file of keys: all good, or refused with a line that there is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct auth a = {0};
	uint32_t line, n_lines = 1;
	const char *problem = auth_read_keys(&a, (const char *)data, size, &line);

	for (size_t i = 0; i < size; i++)
		n_lines += data[i] == '\n';
	ASSERT(line <= n_lines);
	ASSERT(a.n_keys <= AUTH_KEYS_MAX && (problem || a.n_keys > 0));
	for (uint32_t i = 0; i < a.n_keys; i++)
		ASSERT(a.keys[i].id > 0 && a.keys[i].size >= AUTH_KEY_MIN &&
			a.keys[i].size <= AUTH_KEY_MAX);
	return 0;
}
