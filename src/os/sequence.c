/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/sequence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/auth.h"

#define LINE_SIZE 64

/* For a clock that is being slewed, and two that are not read at one instant. */
#define SLACK tick_ms(100)

uint64_t sequence_reserved(const struct sequence_note *note, tick now)
{
	/* from before a reboot, if it survived one: nobody knows for how long it was used */
	const tick span = note->at > now ? SEQUENCE_PERIOD : now - note->at;

	return note->last ? note->last + auth_sequence(span + SLACK) : 0;
}

int sequence_load(const char *path, struct sequence_note *ret_note)
{
	char line[LINE_SIZE], rest;
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct sequence_note note;
	ssize_t n;

	if (fd < 0 && errno == ENOENT) {
		*ret_note = (struct sequence_note){0};
		return 0;
	}
	if (fd < 0)
		return -errno;
	n = read(fd, line, sizeof line - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return (int)n;
	line[n] = '\0';
	if (sscanf(line, "%16" SCNx64 " %" SCNu64 "%c", &note.last, &note.at, &rest) != 3 ||
		rest != '\n' || note.last == 0)
		return -EBADMSG;
	*ret_note = note;
	return 0;
}

int sequence_save(const char *path, const struct sequence_note *note)
{
	char next[PATH_MAX], line[LINE_SIZE];
	int size, fd, error = 0;

	size = snprintf(next, sizeof next, "%s.new", path);
	if (size < 0 || (size_t)size >= sizeof next)
		return -ENAMETOOLONG;
	size = snprintf(line, sizeof line, "%016" PRIx64 " %" PRIu64 "\n", note->last, note->at);
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, line, (size_t)size) != size)
		error = errno ? -errno : -EIO;
	close(fd);
	/* the file is the old one or the new one, never half of it */
	if (!error && rename(next, path) < 0)
		error = -errno;
	return error;
}
