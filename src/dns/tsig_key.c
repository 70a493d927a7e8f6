/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/tsig_key.h"

#include <sodium.h>
#include <unistd.h>

#include "zone/name.h"

#define TEXT_MAX 1024

/* False with a line in @problem. */
static bool read_secret(
	const char *path, struct tsig_key *key, char problem[static SECRET_PROBLEM_SIZE])
{
	char text[TEXT_MAX];
	const ssize_t n = secret_read(geteuid(), path, text, sizeof text, problem);
	const char *why = NULL;

	if (n >= 0)
		why = tsig_read_secret(key, text, (size_t)n);
	sodium_memzero(text, sizeof text);
	if (why)
		secret_complain(problem, path, 0, "%s", why);
	return n >= 0 && !why;
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
	char problem[static SECRET_PROBLEM_SIZE])
{
	struct tsig_key key = {.algorithm = algorithm_of(config->algorithm)};
	const char *why = NULL;
	bool good;

	if (!name_parse(config->name, NULL, &key.name, &why)) {
		secret_complain(problem, config->secret_file, 0, "the key's name %s: %s",
			config->name, why);
		return false;
	}
	name_lower(key.name.bytes, key.name.bytes, key.name.size);
	good = read_secret(config->secret_file, &key, problem);
	if (good)
		*ret_key = key;
	tsig_key_wipe(&key);
	return good;
}

void tsig_key_wipe(struct tsig_key *key)
{
	sodium_memzero(key->secret, sizeof key->secret);
}
