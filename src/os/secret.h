/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Files with keys or other secrets, which nobody may read but root and whoever they are for. */

#include <stddef.h>
#include <sys/types.h>

#include "config/config.h"

#define SECRET_PROBLEM_SIZE (CONFIG_PATH_SIZE + 256)

/*
 * Reads the whole file into @text; its size, or -1 with a line in @problem ("PATH: what is wrong") if it can't be
 * read, is no file, belongs to another than root and @user, whom it is for, is open to others, or is not smaller than
 * @room. The caller wipes @text.
 */
ssize_t secret_read(uid_t user, const char *path, char *text, size_t room,
	char problem[static SECRET_PROBLEM_SIZE]);

/* Sets @problem to "PATH:LINE: TEXT", without the line if that is 0. */
void secret_complain(char problem[static SECRET_PROBLEM_SIZE], const char *path, unsigned line,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
