/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/assert.h"
#include "dns/cookie_secrets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file of secrets for cookies: read, or refused with a reason and a line that it has. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer_self self = {0};
	uint32_t line = 0, n_lines = 1;
	const char *problem = cookie_secrets_read(&self, (const char *)data, size, &line);

	for (size_t i = 0; i < size; i++)
		n_lines += data[i] == '\n';
	ASSERT(self.n_cookie_secrets <= ANSWER_SECRETS_MAX && line <= n_lines);
	if (problem)
		ASSERT(strlen(problem) > 0 && !strchr(problem, '\n'));
	else
		ASSERT(self.n_cookie_secrets > 0 && line == 0);
	return 0;
}
