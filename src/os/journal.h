/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The daemon's lines for people, on standard error: one vocabulary for what the node records and for what
 * the shell meets. With <N> prefixes when systemd reads them. A line is dropped, and counted, rather than
 * waited for: who doesn't read the log must not hold up the addresses.
 */

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "node/node.h"

/* As in syslog(3). Error: an operator must act. Warning: degraded. Notice: ownership changed. */
enum journal_level { JOURNAL_ERROR = 3, JOURNAL_WARNING, JOURNAL_NOTICE, JOURNAL_INFO };

struct journal;

/* @config is borrowed; @self is this node's index. NULL if there is no memory. */
struct journal *journal_new(const struct config *config, uint32_t self);
void journal_free(struct journal *j);

/* For what is said before there is a journal, too: @j may be NULL. */
__attribute__((format(printf, 3, 4))) void journal_line(
	struct journal *j, enum journal_level level, const char *format, ...);

/* The same for a program that is not roostd. */
__attribute__((format(printf, 3, 4))) void journal_line_as(
	const char *program, enum journal_level level, const char *format, ...);

/* As config_load(), with what is found told here. NULL after telling why; then the line of the first mistake is in
 * @problem, too, cut off where that ends. @problem may be NULL. */
#define JOURNAL_PROBLEM_SIZE 512
struct config *journal_load_config(const char *path, char *problem);

/* The line for @record. Repeated lateness is gathered into a line a second. */
void journal_record(struct journal *j, const struct node_record *record);

/* The sentence for @record, without the node's name; returns its level. Pure. */
enum journal_level journal_render(
	const struct config *config, const struct node_record *record, char *text, size_t size);
