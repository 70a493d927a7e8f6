/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * ASSERT states what must hold of our own state; it is always on. It is never applied to bytes that
 * came from outside: those are refused with a reason and counted.
 */

/* Prints file, line and expression to standard error and aborts. */
_Noreturn void assert_failed(const char *file, int line, const char *expression);

#define ASSERT(expression) ((expression) ? (void)0 : assert_failed(__FILE__, __LINE__, #expression))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
