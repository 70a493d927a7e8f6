/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/secrets.h"

#include <errno.h>
#include <pwd.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dns/cookie_secrets.h"
#include "dns/tsig.h"
#include "os/secret.h"
#include "wire/auth.h"

#define FILE_MAX (64 * 1024)

/* What is wrong with the text, and where; NULL: nothing. */
typedef const char *judge_fn(const char *text, size_t size, uint32_t *ret_line);

struct secret {
	const char *path, *program, *user; /* @user: whom its unit runs @program as */
	judge_fn *judge;
};

static const char *judge_keys(const char *text, size_t size, uint32_t *ret_line)
{
	struct auth auth = {0};
	const char *problem = auth_read_keys(&auth, text, size, ret_line);

	sodium_memzero(&auth, sizeof auth);
	return problem;
}

static const char *judge_tsig(const char *text, size_t size, uint32_t *ret_line)
{
	struct tsig_key key = {0};
	const char *problem = tsig_read_secret(&key, text, size);

	(void)ret_line; /* there is but one */
	sodium_memzero(&key, sizeof key);
	return problem;
}

static const char *judge_cookies(const char *text, size_t size, uint32_t *ret_line)
{
	struct answer_self self = {0};
	const char *problem = cookie_secrets_read(&self, text, size, ret_line);

	sodium_memzero(&self, sizeof self);
	return problem;
}

static void warn_of(
	struct config_report *report, FILE *out, const struct secret *s, const char *what)
{
	fprintf(out, "%s: warning: %s\n", s->path, what);
	report->n_warnings++;
}

/* The text, or what is wrong with the file itself. */
static void read_and_judge(
	const struct secret *s, uid_t user, struct config_report *report, FILE *out)
{
	static char text[FILE_MAX];
	char problem[SECRET_PROBLEM_SIZE];
	const ssize_t size = secret_read(user, s->path, text, sizeof text, problem);
	const char *why = NULL;
	uint32_t line = 0;

	if (size >= 0)
		why = s->judge(text, (size_t)size, &line);
	sodium_memzero(text, sizeof text);
	if (why)
		secret_complain(problem, s->path, line, "error: %s", why);
	if (size >= 0 && !why)
		return;
	fprintf(out, "%s\n", problem);
	report->n_errors++;
}

static void check(const struct secret *s, struct config_report *report, FILE *out)
{
	const struct passwd *user = getpwnam(s->user);
	struct stat status;
	char what[256];

	if (stat(s->path, &status) < 0 || access(s->path, R_OK) < 0) {
		if (errno == EACCES)
			(void)snprintf(
				what, sizeof what, "not looked at: this user may not read it");
		else
			(void)snprintf(what, sizeof what,
				"%s needs it, and this machine has none: %s", s->program,
				strerror(errno));
		warn_of(report, out, s, what);
		return;
	}
	read_and_judge(s, user ? user->pw_uid : geteuid(), report, out);
	if (user && status.st_uid == 0) {
		(void)snprintf(what, sizeof what,
			"it is root's, and the unit runs %s as user %s, who can't read it: chown "
			"it",
			s->program, s->user);
		warn_of(report, out, s, what);
	}
}

void secrets_check(const struct config *config, struct config_report *report, FILE *out)
{
	const struct config_dns *dns = &config->dns;
	const struct secret keys = {config->auth.keys, "roostd", "roost", judge_keys};
	const struct secret tsig = {dns->tsig.secret_file, "roost-dns", "roost-dns", judge_tsig};
	const struct secret cookies = {
		dns->cookie_secret_file, "roost-dns", "roost-dns", judge_cookies};

	if (config->auth.mode != CONFIG_AUTH_OFF)
		check(&keys, report, out);
	if (dns->tsig.name[0] != '\0')
		check(&tsig, report, out);
	if (dns->cookie_secret_file[0] != '\0')
		check(&cookies, report, out);
}
