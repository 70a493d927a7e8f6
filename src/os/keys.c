/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/keys.h"

#include <sodium.h>
#include <stdlib.h>

#include "os/secret.h"

#define FILE_MAX (64 * 1024)
#define NS       1000000000u

static bool load(
	struct auth *a, uid_t user, const char *path, char problem[static SECRET_PROBLEM_SIZE])
{
	char *text = sodium_malloc(FILE_MAX);
	const char *why = "out of memory";
	uint32_t line = 0;
	ssize_t size;

	if (text) {
		size = secret_read(user, path, text, FILE_MAX, problem);
		why = size < 0 ? NULL : auth_read_keys(a, text, (size_t)size, &line);
		sodium_free(text);
		if (size < 0)
			return false;
	}
	if (why)
		secret_complain(problem, path, line, "%s", why);
	return !why;
}

struct auth *keys_new(const struct config *config, uint32_t n_routers, uid_t user,
	char problem[static SECRET_PROBLEM_SIZE])
{
	struct auth *a = NULL;

	if (sodium_init() >= 0)
		a = sodium_malloc(sizeof *a);
	if (!a) {
		secret_complain(problem, config->auth.keys, 0, "out of memory");
		return NULL;
	}
	*a = (struct auth){
		.window_s = (uint32_t)(config->auth.window / NS),
		.n_marks = auth_marks_wanted(config->n_nodes, n_routers),
	};
	a->marks = calloc(a->n_marks, sizeof *a->marks);
	if (!a->marks)
		secret_complain(problem, config->auth.keys, 0, "out of memory");
	else if (load(a, user, config->auth.keys, problem))
		return a;
	keys_free(a);
	return NULL;
}

void keys_free(struct auth *a)
{
	if (!a)
		return;
	free(a->marks);
	sodium_free(a);
}

void keys_lock(struct auth *a)
{
	(void)sodium_mlock(a, sizeof *a);
}
