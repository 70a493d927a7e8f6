/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/tsig_key.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "zone/name.h"

#define TEXT_MAX     1024
#define SECRET_LEAST 16 /* a guess at less is within reach (RFC 8945 8) */

struct complaint {
	const char *path;
	char *text;
};

__attribute__((format(printf, 2, 3))) static bool complain(
	const struct complaint *c, const char *format, ...)
{
	const int n = snprintf(c->text, TSIG_KEY_PROBLEM_SIZE, "%s: ", c->path);
	va_list arguments;

	va_start(arguments, format);
	if (n > 0 && n < TSIG_KEY_PROBLEM_SIZE)
		(void)vsnprintf(c->text + n, TSIG_KEY_PROBLEM_SIZE - (size_t)n, format, arguments);
	va_end(arguments);
	return false;
}

static bool is_private(int fd, const struct complaint *c)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return complain(c, "%s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return complain(c, "this is no file; a key's secret is in a file of its own");
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return complain(c,
			"it belongs to user %u, who can change the secret: chown it to root, or to "
			"the user that roost-dns runs as",
			(unsigned)status.st_uid);
	if (status.st_mode & 0177)
		return complain(c,
			"its mode is %04o, so that others may know the secret: chmod 0600",
			(unsigned)status.st_mode & 07777);
	return true;
}

/* Such a small file is read at once, or something is wrong with it. */
static bool read_secret(int fd, struct tsig_key *key, const struct complaint *c)
{
	char text[TEXT_MAX];
	const char *end = NULL;
	const ssize_t n = read(fd, text, sizeof text);
	int status;

	if (n < 0)
		return complain(c, "%s", strerror(errno));
	if (n == (ssize_t)sizeof text)
		return complain(c, "this is too long for a secret");
	status = sodium_base642bin(key->secret, sizeof key->secret, text, (size_t)n, " \t\r\n",
		&key->secret_size, &end, sodium_base64_VARIANT_ORIGINAL);
	sodium_memzero(text, sizeof text);
	if (status != 0 || end != text + n)
		return complain(c, "this is not a secret in base64, and nothing else");
	if (key->secret_size < SECRET_LEAST)
		return complain(c, "a secret of %zu bytes is too short: at least %d, better 32",
			key->secret_size, SECRET_LEAST);
	return true;
}

static enum tsig_algorithm algorithm_of(enum config_tsig_algorithm algorithm)
{
	switch (algorithm) {
	case CONFIG_TSIG_SHA1: return TSIG_SHA1;
	case CONFIG_TSIG_SHA224: return TSIG_SHA224;
	case CONFIG_TSIG_SHA384: return TSIG_SHA384;
	case CONFIG_TSIG_SHA512: return TSIG_SHA512;
	case CONFIG_TSIG_SHA256: break;
	}
	return TSIG_SHA256;
}

bool tsig_key_load(const struct config_tsig *config, struct tsig_key *ret_key,
	char problem[static TSIG_KEY_PROBLEM_SIZE])
{
	const struct complaint complaint = {config->secret_file, problem};
	struct tsig_key key = {.algorithm = algorithm_of(config->algorithm)};
	const char *why = NULL;
	bool good = false;
	int fd;

	if (!name_parse(config->name, NULL, &key.name, &why))
		return complain(&complaint, "the key's name %s: %s", config->name, why);
	name_lower(key.name.bytes, key.name.bytes, key.name.size);
	/* a pipe must not hold up the start */
	fd = open(config->secret_file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return complain(&complaint, "%s", strerror(errno));
	good = is_private(fd, &complaint) && read_secret(fd, &key, &complaint);
	close(fd);
	if (good)
		*ret_key = key;
	tsig_key_wipe(&key);
	return good;
}

void tsig_key_wipe(struct tsig_key *key)
{
	sodium_memzero(key->secret, sizeof key->secret);
}
