/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64 * 1024)
#define NS       1000000000u

struct complaint {
	const char *path;
	char *text;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static bool complain(
	const struct complaint *c, const char *format, ...)
{
	const int n = snprintf(c->text, c->size, "%s", c->path);
	va_list arguments;

	va_start(arguments, format);
	if (n > 0 && (size_t)n < c->size)
		(void)vsnprintf(c->text + n, c->size - (size_t)n, format, arguments);
	va_end(arguments);
	return false;
}

static bool is_private(int fd, const struct complaint *c)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return complain(c, ": %s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return complain(c, ": this is no file; keys are in a file of their own");
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return complain(c,
			": it belongs to user %u; whoever owns it can change the keys: chown it to "
			"root",
			(unsigned)status.st_uid);
	if (status.st_mode & 0177)
		return complain(c,
			": its mode is %04o, so that others may know the keys: chmod 0600",
			(unsigned)status.st_mode & 07777);
	return true;
}

/* Bytes read, or negative errno. */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t used = 0;

	while (used < size) {
		const ssize_t n = read(fd, text + used, size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

static bool read_file(int fd, struct auth *a, char *text, const struct complaint *c)
{
	const ssize_t size = read_all(fd, text, FILE_MAX);
	const char *problem;
	uint32_t line;

	if (size < 0)
		return complain(c, ": %s", strerror((int)-size));
	if (size == FILE_MAX)
		return complain(c, ": this is too long for a file of keys");
	problem = auth_read_keys(a, text, (size_t)size, &line);
	if (problem && line)
		return complain(c, ":%u: %s", line, problem);
	if (problem)
		return complain(c, ": %s", problem);
	return true;
}

static bool load(struct auth *a, const struct complaint *c)
{
	/* a pipe must not hold up the start */
	const int fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = sodium_malloc(FILE_MAX);
	bool good = false;

	if (fd < 0)
		complain(c, ": %s", strerror(errno));
	else if (!text)
		complain(c, ": out of memory");
	else
		good = is_private(fd, c) && read_file(fd, a, text, c);
	sodium_free(text);
	if (fd >= 0)
		close(fd);
	return good;
}

struct auth *keys_new(
	const struct config *config, uint32_t n_routers, char *problem, size_t problem_size)
{
	const struct complaint complaint = {config->auth.keys, problem, problem_size};
	struct auth *a = NULL;

	if (sodium_init() >= 0)
		a = sodium_malloc(sizeof *a);
	if (!a) {
		complain(&complaint, ": out of memory");
		return NULL;
	}
	*a = (struct auth){
		.window_s = (uint32_t)(config->auth.window / NS),
		.n_marks = auth_marks_wanted(config->n_nodes, n_routers),
	};
	a->marks = calloc(a->n_marks, sizeof *a->marks);
	if (!a->marks)
		complain(&complaint, ": out of memory");
	else if (load(a, &complaint))
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
