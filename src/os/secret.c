/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void secret_complain(char problem[static SECRET_PROBLEM_SIZE], const char *path, unsigned line,
	const char *format, ...)
{
	int n = snprintf(problem, SECRET_PROBLEM_SIZE, "%s: ", path);
	va_list arguments;

	if (line > 0)
		n = snprintf(problem, SECRET_PROBLEM_SIZE, "%s:%u: ", path, line);
	va_start(arguments, format);
	if (n > 0 && n < SECRET_PROBLEM_SIZE)
		(void)vsnprintf(problem + n, SECRET_PROBLEM_SIZE - (size_t)n, format, arguments);
	va_end(arguments);
}

static bool is_private(
	int fd, uid_t user, const char *path, char problem[static SECRET_PROBLEM_SIZE])
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		secret_complain(problem, path, 0, "%s", strerror(errno));
	else if (!S_ISREG(status.st_mode))
		secret_complain(
			problem, path, 0, "this is no file; secrets are in a file of their own");
	else if (status.st_uid != 0 && status.st_uid != user)
		secret_complain(problem, path, 0,
			"it belongs to user %u, who can change what is in it: chown it to root, or "
			"to the user that the daemon runs as",
			(unsigned)status.st_uid);
	else if (status.st_mode & 0177)
		secret_complain(problem, path, 0,
			"its mode is %04o, so that others may know what is in it: chmod 0600",
			(unsigned)status.st_mode & 07777);
	else
		return true;
	return false;
}

/* Bytes read, or negative errno. */
static ssize_t read_all(int fd, char *text, size_t room)
{
	size_t used = 0;

	while (used < room) {
		const ssize_t n = read(fd, text + used, room - used);

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

ssize_t secret_read(uid_t user, const char *path, char *text, size_t room,
	char problem[static SECRET_PROBLEM_SIZE])
{
	/* a pipe must not hold up the start */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = -1;

	if (fd < 0) {
		secret_complain(problem, path, 0, "%s%s", strerror(errno),
			errno == EACCES ? ": chown it to the user that the daemon runs as" : "");
		return -1;
	}
	if (is_private(fd, user, path, problem)) {
		n = read_all(fd, text, room);
		if (n < 0)
			secret_complain(problem, path, 0, "%s", strerror((int)-n));
		else if (n == (ssize_t)room)
			secret_complain(problem, path, 0, "this is too long for a file of secrets");
	}
	close(fd);
	return n < 0 || n == (ssize_t)room ? -1 : n;
}
