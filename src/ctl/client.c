/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/table.h"

/* The daemon answers within milliseconds; one that does not is stopped or hung. */
#define ANSWER_TIMEOUT_S 5
/* 10,000 VIPs over 64 nodes need about 8 MB. */
#define ANSWER_SIZE_MAX (64u << 20)

static const char *hint_for(int error)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED: return "is roostd running? (-s names another socket)";
	case EACCES:
	case EPERM: return "only root and the socket's group may ask";
	case EAGAIN: return "roostd is there, but does not answer: stopped or hung?";
	default: return "is that roostd's socket?";
	}
}

static int connect_to(const char *path)
{
	const struct timeval patience = {.tv_sec = ANSWER_TIMEOUT_S};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, error;

	if (strlen(path) >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
		connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

static int send_request(int fd, const char *command)
{
	char line[64];
	const int size = snprintf(line, sizeof line, "{\"command\":\"%s\"}\n", command);
	ssize_t sent;

	if (size < 0 || (size_t)size >= sizeof line)
		return -EINVAL;
	sent = send(fd, line, (size_t)size, MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	return sent == size ? 0 : -EIO;
}

/* Copies the answer to @out, to the end of the stream. */
static int receive_answer(int fd, FILE *out)
{
	char piece[16384];
	size_t size = 0;

	while (size <= ANSWER_SIZE_MAX) {
		const ssize_t got = recv(fd, piece, sizeof piece, 0);

		if (got <= 0)
			return got < 0 ? -errno : 0;
		if (fwrite(piece, 1, (size_t)got, out) != (size_t)got)
			return -ENOMEM;
		size += (size_t)got;
	}
	return -EMSGSIZE;
}

/* Request and answer on a connected socket; the caller frees *@ret_text, set in any case. */
static int converse(int fd, const char *command, char **ret_text, size_t *ret_size)
{
	FILE *out = open_memstream(ret_text, ret_size);
	int error;

	if (!out)
		return -ENOMEM;
	error = send_request(fd, command);
	if (error == 0)
		error = receive_answer(fd, out);
	if (fclose(out) != 0 && error == 0)
		error = -ENOMEM;
	return error;
}

json_t *client_read_answer(const char *text, size_t size, const char *path, FILE *diagnostics)
{
	const struct paper p = paper_of(diagnostics);
	json_t *answer = json_loadb(text, size, 0, NULL);
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (error) {
		paper_print(&p, STYLE_PLAIN, "roost: roostd refuses: %s", error);
		fputc('\n', diagnostics);
	} else if (!json_is_object(answer)) {
		fprintf(diagnostics, "roost: %s answers with something other than a JSON object\n",
			path);
	} else {
		return answer;
	}
	json_decref(answer);
	return NULL;
}

json_t *client_ask(const char *path, const char *command, FILE *diagnostics)
{
	const int fd = connect_to(path);
	json_t *answer = NULL;
	char *text = NULL;
	size_t size = 0;
	int error = fd;

	if (fd >= 0)
		error = converse(fd, command, &text, &size);
	if (error < 0)
		fprintf(diagnostics, "roost: %s: %s; %s\n", path, strerror(-error),
			hint_for(-error));
	else
		answer = client_read_answer(text, size, path, diagnostics);
	free(text);
	if (fd >= 0)
		close(fd);
	return answer;
}
