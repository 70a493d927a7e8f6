/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "base/assert.h"
#include "status/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A request on the control socket: understood, or refused with a reason that can be answered. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *error = NULL;
	const enum status_command command = status_parse_request((const char *)data, size, &error);
	char *answer = command == STATUS_COMMAND_NONE ? status_render_error(error)
						      : status_render_done(command);

	ASSERT((command == STATUS_COMMAND_NONE) == (error != NULL));
	ASSERT(answer);
	free(answer);
	return 0;
}
