/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of keys: `ID HEX` a line, and comments. What is said of a mistake never quotes the file. */
#include <string.h>

#include "wire/auth.h"

/* What is left of one line. */
struct rest {
	const char *at, *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of the line, empty at its end or where a comment begins. */
static struct rest take_word(struct rest *line)
{
	struct rest word;

	while (line->at < line->end && is_blank(*line->at))
		line->at++;
	if (line->at < line->end && *line->at == '#')
		line->at = line->end;
	word = *line;
	while (line->at < line->end && !is_blank(*line->at))
		line->at++;
	word.end = line->at;
	return word;
}

static bool is_empty(const struct rest *word)
{
	return word->at == word->end;
}

/* 1 to 255; 0 if it is none of these. */
static uint8_t read_id(const struct rest *word)
{
	uint32_t id = 0;

	if (word->end - word->at > 3)
		return 0;
	for (const char *c = word->at; c < word->end; c++) {
		if (*c < '0' || *c > '9')
			return 0;
		id = id * 10 + (uint32_t)(*c - '0');
	}
	return id <= 255 ? (uint8_t)id : 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static const char *read_bytes(const struct rest *word, struct auth_key *key)
{
	const size_t digits = (size_t)(word->end - word->at);

	for (const char *c = word->at; c < word->end; c++)
		if (hex_digit(*c) < 0)
			return "the key is not hexadecimal; write 64 to 128 of 0-9 and a-f";
	if (digits % 2 != 0)
		return "the key has an odd number of hexadecimal digits; two are one byte";
	if (digits < 2 * AUTH_KEY_MIN)
		return "the key is too short; 32 to 64 bytes are 64 to 128 hexadecimal digits";
	if (digits > 2 * AUTH_KEY_MAX)
		return "the key is too long; 32 to 64 bytes are 64 to 128 hexadecimal digits";
	key->size = (uint8_t)(digits / 2);
	for (uint32_t i = 0; i < key->size; i++)
		key->bytes[i] =
			(uint8_t)(hex_digit(word->at[2 * i]) << 4 | hex_digit(word->at[2 * i + 1]));
	return NULL;
}

static bool has_id(const struct auth *a, uint8_t id)
{
	for (uint32_t i = 0; i < a->n_keys; i++)
		if (a->keys[i].id == id)
			return true;
	return false;
}

static const char *read_line(struct auth *a, struct rest line)
{
	const struct rest id = take_word(&line), bytes = take_word(&line), more = take_word(&line);
	struct auth_key key = {.id = read_id(&id)};
	const char *problem;

	if (is_empty(&id))
		return NULL;
	if (key.id == 0)
		return "the line does not begin with a key id, 1 to 255; write \"1 HEX\"";
	if (is_empty(&bytes))
		return "there is no key behind the id; write \"1 HEX\"";
	if (!is_empty(&more))
		return "there is more on the line than an id and a key";
	problem = read_bytes(&bytes, &key);
	if (problem)
		return problem;
	if (has_id(a, key.id))
		return "the key id is there twice";
	if (a->n_keys == AUTH_KEYS_MAX)
		return "more than 8 keys";
	a->keys[a->n_keys++] = key;
	return NULL;
}

const char *auth_read_keys(struct auth *a, const char *text, size_t size, uint32_t *ret_line)
{
	const char *const end = text + size;
	uint32_t number = 0;

	a->n_keys = 0;
	for (const char *at = text; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const struct rest line = {at, newline ? newline : end};
		const char *problem = read_line(a, line);

		number++;
		if (problem) {
			*ret_line = number;
			return problem;
		}
		at = newline ? newline + 1 : end;
	}
	*ret_line = 0;
	return a->n_keys > 0 ? NULL : "there is no key in it; write \"1 HEX\"";
}
