/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The secrets of DNS cookies, for servers that take each other's (RFC 9018 5): the text of a file as NSD's
 * `cookie-secret-file` has it. Pure.
 */

#include <stddef.h>
#include <stdint.h>

#include "dns/answer.h"

/*
 * Reads one secret or two, each of 32 hexadecimal digits on a line of its own: the first makes cookies, both verify
 * them. Lines that are empty or begin with # are passed over. NULL, or what is wrong, and the line of it, or 0.
 */
const char *cookie_secrets_read(
	struct answer_self *self, const char *text, size_t size, uint32_t *ret_line);
