/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "zone/prepass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(const char *text, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += text[i] == '\n';
	return n;
}

/* The last line told, and whether any was an error. */
struct told {
	uint32_t line, n_errors, n;
};

static void take_problem(void *context, const struct prepass_problem *problem)
{
	struct told *const told = context;

	ASSERT(problem->text[0] != '\0' && problem->line >= told->line);
	told->line = problem->line;
	told->n_errors += problem->is_error;
	ASSERT(++told->n <= 2 * PREPASS_PROBLEMS_MAX);
}

/* A master file. What comes of it is in ASCII, has its lines, and would come out the same once more. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told told = {0};
	struct prepass_input in = {(const char *)data, size, "\\101xample.", take_problem, &told};
	const bool is_needed = prepass_is_needed(in.text, size);
	size_t once_size, twice_size;
	char *once = prepass_run(&in, &once_size);
	char *twice;

	ASSERT((once != NULL) == (told.n_errors == 0));
	ASSERT(is_needed || (once && once_size == size && memcmp(once, data, size) == 0));
	if (!once)
		return 0;
	ASSERT(count_lines(once, once_size) == count_lines(in.text, size));
	for (size_t i = 0; i < once_size; i++)
		ASSERT((unsigned char)once[i] < 0x80);

	told = (struct told){0};
	in.text = once;
	in.size = once_size;
	twice = prepass_run(&in, &twice_size);
	ASSERT(twice && twice_size == once_size && memcmp(twice, once, once_size) == 0);
	free(twice);
	free(once);
	return 0;
}
