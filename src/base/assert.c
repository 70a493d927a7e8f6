/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/assert.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void assert_failed(const char *file, int line, const char *expression)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	char text[512];
	const int n = snprintf(
		text, sizeof text, "%s:%d: assertion failed: %s\n", file, line, expression);

	/* whoever does not read must not keep a daemon from its end */
	if (n > 0 && poll(&out, 1, 0) == 1 && out.revents & POLLOUT)
		(void)!write(
			STDERR_FILENO, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
	abort();
}
