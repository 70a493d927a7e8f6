/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * One question to the daemon over its control socket: a line of JSON there, a line of JSON back,
 * and the daemon closes. See doc/design/0001-status-and-control.md.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * Sends {"command":@command} to the daemon at @path and waits a few seconds for its answer. Returns
 * the answer, a new reference to an object without "error"; NULL after one line on @diagnostics
 * that says what is wrong and what may help.
 */
json_t *client_ask(const char *path, const char *command, FILE *diagnostics);

struct client_question {
	const char *program; /* the daemon's name, for messages */
	const char *path, *command;
	bool is_long; /* the answer comes when something is done, however long that takes */
};

/* The same of any daemon. */
json_t *client_ask_program(const struct client_question *question, FILE *diagnostics);

/* The answer of the daemon at @path as client_ask() received and returns it: bytes that may hold anything. */
json_t *client_read_answer(const char *text, size_t size, const char *path, FILE *diagnostics);
