/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/cookie_secrets.h"

#include <sodium.h>
#include <string.h>

/* One line; NULL, or what is wrong with it. */
static const char *read_line(struct answer_self *self, const char *line, size_t size)
{
	while (size > 0 &&
		(line[size - 1] == ' ' || line[size - 1] == '\t' || line[size - 1] == '\r'))
		size--;
	if (size == 0 || line[0] == '#')
		return NULL;
	if (self->n_cookie_secrets == ANSWER_SECRETS_MAX)
		return "a third secret; the first makes cookies, and one more verifies them";
	if (size != (size_t)2 * COOKIE_SECRET_SIZE ||
		sodium_hex2bin(self->cookie_secrets[self->n_cookie_secrets], COOKIE_SECRET_SIZE,
			line, size, NULL, NULL, NULL) != 0)
		return "this is no secret; one has 32 hexadecimal digits, alone on its line";
	self->n_cookie_secrets++;
	return NULL;
}

const char *cookie_secrets_read(
	struct answer_self *self, const char *text, size_t size, uint32_t *ret_line)
{
	const char *const end = text + size;
	uint32_t line = 0;

	self->n_cookie_secrets = 0;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;
		const char *problem = read_line(self, text, (size_t)(stop - text));

		*ret_line = ++line;
		if (problem)
			return problem;
		text = stop + (newline != NULL);
	}
	*ret_line = 0;
	return self->n_cookie_secrets > 0 ? NULL : "there is no secret in it";
}
