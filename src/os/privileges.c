/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/assert.h"

#define BIT(capability) (UINT64_C(1) << (capability))

#define KEPT   (BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_BPF) | BIT(CAP_PERFMON))
#define NEEDED (BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW))
/* IPC_LOCK, if it was kept: whatever is mapped later is locked, too. */
#define SETTLED (BIT(CAP_NET_ADMIN) | BIT(CAP_BPF) | BIT(CAP_IPC_LOCK))

/* What the unit grants, too. RLIMIT_NICE: 20 minus the value. */
#define REALTIME_LIMIT 50
#define NICE_LIMIT     40

__attribute__((format(printf, 3, 4))) static int fail(
	char *reason, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(reason, PRIVILEGES_REASON_SIZE, format, arguments);
	va_end(arguments);
	return error;
}

/* Those of @wanted that this thread has. */
static uint64_t permitted(uint64_t wanted)
{
	uint64_t there = 0;

	(void)capng_get_caps_process();
	for (unsigned c = 0; c <= CAP_LAST_CAP; c++)
		if (wanted & BIT(c) && capng_have_capability(CAPNG_PERMITTED, c))
			there |= BIT(c);
	return there;
}

/* Makes ready a state of these capabilities, to be applied. */
static void choose(uint64_t capabilities)
{
	const capng_type_t sets = CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET;

	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned c = 0; c <= CAP_LAST_CAP; c++)
		if (capabilities & BIT(c))
			(void)capng_update(CAPNG_ADD, sets, c);
}

static int confine(uint64_t capabilities)
{
	choose(permitted(capabilities));
	return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}

/* Whether it is as high now; only some may raise it. */
static bool raise_limit(__rlimit_resource_t resource, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return false;
	/* RLIM_INFINITY is the largest value */
	if (limit.rlim_cur >= value)
		return true;
	limit.rlim_cur = value;
	if (limit.rlim_max < value)
		limit.rlim_max = value;
	return setrlimit(resource, &limit) == 0;
}

/* What real time and locked memory take where the limits are too low. */
static uint64_t make_room(void)
{
	uint64_t needed = 0;

	if (!raise_limit(RLIMIT_MEMLOCK, RLIM_INFINITY))
		needed |= BIT(CAP_IPC_LOCK);
	if (!raise_limit(RLIMIT_RTPRIO, REALTIME_LIMIT))
		needed |= BIT(CAP_SYS_NICE);
	if (!raise_limit(RLIMIT_NICE, NICE_LIMIT))
		needed |= BIT(CAP_SYS_NICE);
	return needed;
}

/* Makes @path for @p if it isn't there; what is there has an owner already. */
static int make_for(const char *path, mode_t mode, const struct passwd *p, char *reason)
{
	if (mkdir(path, mode) < 0) {
		if (errno == EEXIST)
			return 0;
		return fail(reason, -errno, "%s: %s", path, strerror(errno));
	}
	if (chown(path, p->pw_uid, p->pw_gid) < 0)
		return fail(reason, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

static bool is_on_bpffs(const char *directory)
{
	char path[PATH_MAX];
	struct statfs fs;

	(void)snprintf(path, sizeof path, "%s", directory);
	return statfs(dirname(path), &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

static int make_directories(const struct privileges_setup *s, const struct passwd *p, char *reason)
{
	char path[PATH_MAX];
	int error;

	(void)snprintf(path, sizeof path, "%s", s->socket_path);
	error = make_for(dirname(path), 0755, p, reason);
	if (!error && s->bpf_directory && is_on_bpffs(s->bpf_directory))
		error = make_for(s->bpf_directory, 0700, p, reason);
	return error;
}

static int become(const struct privileges_setup *s, uint64_t capabilities, char *reason)
{
	const struct passwd *p;
	int error;

	if (geteuid() != 0)
		return fail(reason, -EPERM, "only root can become the user %s", s->user);
	errno = 0;
	p = getpwnam(s->user);
	if (!p)
		return fail(reason, errno ? -errno : -ENOENT, "there is no user %s", s->user);
	error = make_directories(s, p, reason);
	choose(capabilities);
	if (!error && capng_change_id((int)p->pw_uid, (int)p->pw_gid, CAPNG_INIT_SUPP_GRP) < 0)
		error = fail(reason, -EPERM, "cannot become the user %s", s->user);
	return error;
}

/* Keeps @kept and becomes the user. */
static int keep(const struct privileges_setup *setup, uint64_t kept, char *reason)
{
	int error = 0;

	/* where this may not be done, the unit has done it */
	if (permitted(BIT(CAP_SETPCAP))) {
		choose(kept);
		(void)capng_apply(CAPNG_SELECT_BOUNDS);
	}
	if (setup->user)
		error = become(setup, kept, reason);
	if (error)
		return error;
	if (confine(kept) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(reason, -EPERM, "the capabilities cannot be given up");
	ASSERT(permitted(~UINT64_C(0)) == kept);
	return 0;
}

int privileges_keep(
	const struct privileges_setup *setup, char reason[static PRIVILEGES_REASON_SIZE])
{
	const uint64_t kept = permitted(KEPT | make_room());

	if ((kept & NEEDED) != NEEDED)
		return fail(reason, -EPERM,
			"CAP_NET_ADMIN and CAP_NET_RAW are needed: start it by its systemd unit, "
			"or as root");
	return keep(setup, kept, reason);
}

int privileges_keep_port(
	const struct privileges_setup *setup, char reason[static PRIVILEGES_REASON_SIZE])
{
	return keep(setup, permitted(BIT(CAP_NET_BIND_SERVICE)), reason);
}

int privileges_settle(void)
{
	return confine(SETTLED);
}

int privileges_renounce(void)
{
	return confine(0);
}
