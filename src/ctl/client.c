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

static void print_hint(const char *program, int error, FILE *out)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		fprintf(out, "is %s running? (-s names another socket)\n", program);
		break;
	case EACCES:
	case EPERM: fputs("only root and the socket's group may ask\n", out); break;
	case EAGAIN:
		fprintf(out, "%s is there, but does not answer: stopped or hung?\n", program);
		break;
	default: fprintf(out, "is that %s's socket?\n", program); break;
	}
}

static int connect_to(const char *path, bool is_long)
{
	const struct timeval patience = {.tv_sec = is_long ? 0 : ANSWER_TIMEOUT_S}; /* 0: no end */
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

/* What @program at @path answered. */
static json_t *read_answer(
	const char *program, const char *path, const char *text, size_t size, FILE *diagnostics)
{
	const struct paper p = paper_of(diagnostics);
	json_t *answer = json_loadb(text, size, 0, NULL);
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (error) {
		paper_print(&p, STYLE_PLAIN, "roost: %s refuses: %s", program, error);
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

json_t *client_read_answer(const char *text, size_t size, const char *path, FILE *diagnostics)
{
	return read_answer("roostd", path, text, size, diagnostics);
}

json_t *client_ask_program(const struct client_question *q, FILE *diagnostics)
{
	const int fd = connect_to(q->path, q->is_long);
	json_t *answer = NULL;
	char *text = NULL;
	size_t size = 0;
	int error = fd;

	if (fd >= 0)
		error = converse(fd, q->command, &text, &size);
	if (error < 0) {
		fprintf(diagnostics, "roost: %s: %s; ", q->path, strerror(-error));
		print_hint(q->program, -error, diagnostics);
	} else {
		answer = read_answer(q->program, q->path, text, size, diagnostics);
	}
	free(text);
	if (fd >= 0)
		close(fd);
	return answer;
}

json_t *client_ask(const char *path, const char *command, FILE *diagnostics)
{
	const struct client_question question = {"roostd", path, command, false};

	return client_ask_program(&question, diagnostics);
}
