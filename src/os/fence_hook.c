/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/fence_hook.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* linux/bpf.h of Linux 6.6; Debian 12 has that of 6.1 */
#define TCX_INGRESS   ((enum bpf_attach_type)46)
#define TCX_EGRESS    ((enum bpf_attach_type)47)
#define TCX_BEFORE    (1u << 3)
#define TCX_LINK_TYPE 11

/* The first filter of all, or as far in front as others leave room: at one priority the kernel allows one
 * classifier and protocol. With a number that nobody else is likely to choose. */
#define PRIORITY_FIRST 1u
#define PRIORITY_LAST  16u
#define FILTER_HANDLE  0x726f6f73

#define LINK_FORMAT "link_%u_%3s"

/* How long a link that nobody holds any more may still be there. */
#define TRIES    10
#define PAUSE_NS 1000000

/* libbpf's structs are filled by memset and assignments: it wants their padding to be zero, too. */

static int link_path(const struct fence_hook *h, char path[static PATH_MAX])
{
	const int n = snprintf(path, PATH_MAX, "%s/link_%u_%s", h->directory, h->ifindex,
		h->leaving ? "out" : "in");

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

bool fence_hook_has_tcx(const struct fence_program *p)
{
	/* There is no interface 0: a kernel with tcx says so, an older one knows no such
	 * attachment. */
	const int fd = bpf_link_create(p->fd, 0, TCX_INGRESS, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || fd == -ENODEV;
}

static int link_create(const struct fence_hook *h, const struct fence_program *p, const char *path)
{
	struct bpf_link_create_opts options;
	int fd = -EEXIST, error;

	memset(&options, 0, sizeof options);
	options.sz = sizeof options;
	/* the first there: whatever another lets pass is not seen by those behind it */
	options.flags = TCX_BEFORE;
	for (int i = 0; i < TRIES; i++) {
		fd = bpf_link_create(
			p->fd, (int)h->ifindex, h->leaving ? TCX_EGRESS : TCX_INGRESS, &options);
		if (fd != -EEXIST)
			break;
		/* a link whose pin was removed goes a moment later */
		(void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	}
	if (fd < 0)
		return fd;
	/* an unpinned link would vanish with this process */
	error = bpf_obj_pin(fd, path);
	close(fd);
	return error ? error : FENCE_HOOK_ANEW;
}

/* Its interface is gone, or it is another that has got the number of the old one. */
static bool is_stale(const struct fence_hook *h, const struct bpf_link_info *info)
{
	/* tcx.ifindex, which the header lacks, has the same place */
	return info->type != TCX_LINK_TYPE || info->xdp.ifindex != h->ifindex;
}

static int link_remove(int fd, const char *path)
{
	/* the unlinked one would be detached, too, but later */
	(void)bpf_link_detach(fd);
	close(fd);
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int fence_hook_tcx(const struct fence_hook *h, const struct fence_program *p)
{
	struct bpf_link_info info = {0};
	uint32_t size = sizeof info;
	char path[PATH_MAX];
	int error = link_path(h, path);
	int fd;

	if (error)
		return error;
	fd = bpf_obj_get(path);
	if (fd == -ENOENT)
		return link_create(h, p, path);
	if (fd < 0)
		return fd;
	error = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (!error && is_stale(h, &info)) {
		error = link_remove(fd, path);
		return error ? error : link_create(h, p, path);
	}
	if (!error && info.prog_id != p->id) {
		error = bpf_link_update(fd, p->fd, NULL);
		error = error ? error : FENCE_HOOK_ANEW;
	}
	close(fd);
	return error;
}

int fence_unhook_tcx(const struct fence_hook *h)
{
	char path[PATH_MAX];
	int error = link_path(h, path);
	int fd;

	if (error)
		return error;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return link_remove(fd, path);
}

static void fill_hook(const struct fence_hook *h, struct bpf_tc_hook *hook)
{
	memset(hook, 0, sizeof *hook);
	hook->sz = sizeof *hook;
	hook->ifindex = (int)h->ifindex;
	hook->attach_point = h->leaving ? BPF_TC_EGRESS : BPF_TC_INGRESS;
}

static void fill_filter(struct bpf_tc_opts *filter, uint32_t priority)
{
	memset(filter, 0, sizeof *filter);
	filter->sz = sizeof *filter;
	filter->handle = FILTER_HANDLE;
	filter->priority = priority;
}

/* The priority of our first filter there, from @priority on, and which program it runs; 0 if there is none. */
static uint32_t find_filter(
	const struct bpf_tc_hook *hook, uint32_t priority, uint32_t *ret_program_id)
{
	struct bpf_tc_opts filter;

	for (; priority <= PRIORITY_LAST; priority++) {
		fill_filter(&filter, priority);
		if (bpf_tc_query(hook, &filter) != 0)
			continue;
		*ret_program_id = filter.prog_id;
		return priority;
	}
	return 0;
}

/* Takes the first priority that others leave, up to @last. Returns it, or negative errno. */
static int attach_first(struct bpf_tc_hook *hook, const struct fence_program *p, uint32_t last)
{
	struct bpf_tc_opts filter;
	int error = -EINVAL;

	for (uint32_t priority = PRIORITY_FIRST; priority <= last && error == -EINVAL; priority++) {
		fill_filter(&filter, priority);
		filter.prog_fd = p->fd;
		filter.flags = BPF_TC_F_REPLACE;
		error = bpf_tc_attach(hook, &filter);
		if (!error)
			return (int)priority;
	}
	return error;
}

/* Those of ours from @priority on: there are two when one has moved to the front, or a life ended while it did. */
static int detach_all(const struct bpf_tc_hook *hook, uint32_t priority)
{
	struct bpf_tc_opts filter;
	int error = 0;
	uint32_t id;

	while (!error && (priority = find_filter(hook, priority, &id)) != 0) {
		fill_filter(&filter, priority++);
		error = bpf_tc_detach(hook, &filter);
	}
	return error;
}

int fence_hook_clsact(const struct fence_hook *h, const struct fence_program *p)
{
	struct bpf_tc_hook hook;
	uint32_t id = 0, at, last;
	int error, placed;

	fill_hook(h, &hook);
	at = find_filter(&hook, PRIORITY_FIRST, &id);
	if (at == PRIORITY_FIRST && id == p->id)
		return 0;
	error = at ? 0 : bpf_tc_hook_create(&hook);
	if (error && error != -EEXIST)
		return error;
	/* where it stands already it need not be put; else ours that is there is replaced, if not moved */
	last = id == p->id ? at - 1 : at ? at : PRIORITY_LAST;
	placed = attach_first(&hook, p, last);
	if (placed == -EINVAL && id == p->id)
		return FENCE_HOOK_BEHIND;
	if (placed < 0)
		return placed;
	error = detach_all(&hook, (uint32_t)placed + 1);
	if (error)
		return error;
	return placed == PRIORITY_FIRST ? FENCE_HOOK_ANEW : FENCE_HOOK_ANEW | FENCE_HOOK_BEHIND;
}

int fence_unhook_clsact(const struct fence_hook *h)
{
	struct bpf_tc_hook hook;

	fill_hook(h, &hook);
	/* the qdisc stays: by now others may have filters in it */
	return detach_all(&hook, PRIORITY_FIRST);
}

static bool is_among(uint32_t ifindex, const uint32_t *all, uint32_t n)
{
	while (n > 0)
		if (all[--n] == ifindex)
			return true;
	return false;
}

int fence_unhook_others(const char *directory, const uint32_t *keep, uint32_t n_keep)
{
	DIR *d = opendir(directory);
	const struct dirent *entry;
	int error = 0;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(d))) {
		struct fence_hook h = {.directory = directory};
		char direction[4];
		int failed;

		if (sscanf(entry->d_name, LINK_FORMAT, &h.ifindex, direction) != 2 ||
			is_among(h.ifindex, keep, n_keep))
			continue;
		h.leaving = direction[0] == 'o';
		failed = fence_unhook_tcx(&h);
		error = error ? error : failed;
	}
	closedir(d);
	return error;
}
