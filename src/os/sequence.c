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

/* Returns the size of the line, which always fits. */
static size_t write_line(char line[static LINE_SIZE], const struct sequence_note *note)
{
	return (size_t)snprintf(
		line, LINE_SIZE, "%016" PRIx64 " %" PRIu64 "\n", note->last, note->at);
}

bool sequence_read(const char *text, size_t size, struct sequence_note *ret_note)
{
	char line[LINE_SIZE], again[LINE_SIZE];
	struct sequence_note note;

	if (size >= sizeof line)
		return false;
	memcpy(line, text, size);
	line[size] = '\0';
	if (sscanf(line, "%16" SCNx64 " %20" SCNu64, &note.last, &note.at) != 2 || note.last == 0)
		return false;
	/* nothing but what write_line() writes; numbers have many spellings for scanf */
	if (write_line(again, &note) != size || memcmp(again, text, size) != 0)
		return false;
	*ret_note = note;
	return true;
}

int sequence_load(const char *path, struct sequence_note *ret_note)
{
	char line[LINE_SIZE];
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n;

	if (fd < 0 && errno == ENOENT) {
		*ret_note = (struct sequence_note){0};
		return 0;
	}
	if (fd < 0)
		return -errno;
	n = read(fd, line, sizeof line);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return (int)n;
	return sequence_read(line, (size_t)n, ret_note) ? 0 : -EBADMSG;
}

int sequence_save(const char *path, const struct sequence_note *note)
{
	char next[PATH_MAX], line[LINE_SIZE];
	const size_t size = write_line(line, note);
	const int length = snprintf(next, sizeof next, "%s.new", path);
	int fd, error = 0;

	if (length < 0 || (size_t)length >= sizeof next)
		return -ENAMETOOLONG;
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, line, size) != (ssize_t)size)
		error = errno ? -errno : -EIO;
	close(fd);
	/* the file is the old one or the new one, never half of it */
	if (!error && rename(next, path) < 0)
		error = -errno;
	return error;
}
