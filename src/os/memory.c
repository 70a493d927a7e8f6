/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/memory.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define STACK_SIZE (64 * 1024)

static void write_again(volatile uint8_t *p)
{
	const uint8_t was = *p;

	*p = was;
}

void memory_own(void *start, size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *p = start;

	for (size_t at = 0; at < size; at += page)
		write_again(&p[at]);
	if (size > 0)
		write_again(&p[size - 1]);
}

void memory_own_stack(void)
{
	uint8_t stack[STACK_SIZE];

	memset(stack, 0, sizeof stack);
	memory_own(stack, sizeof stack);
}
