/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/fence.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/fence.skel.h"
#include "os/fence_filter.h"
#include "os/fence_hook.h"

#define NAMESPACE       "/proc/thread-self/ns/net"
#define PERMISSION_BITS 8
#define DROP_KINDS      4

/* What is pinned under these names. A set without its `vips` is half-made, and none. */
enum map { MAP_VIPS, MAP_CELLS, MAP_LEASES, MAP_DROPS, MAPS };

static const char *const map_names[MAPS] = {"vips", "cells", "leases", "drops"};

/* The maps of a previous life; the first fd is -1 if there is none. */
struct heritage {
	int fds[MAPS];
	uint32_t n_vips, n_leases;
	struct fence_words words;
	bool same; /* VIPs as now, and as many leases: these maps are used on */
};

struct fence {
	enum fence_mode mechanism;
	struct fence_bpf *skeleton;          /* NULL: off */
	struct fence_program programs[2][2]; /* [without Ethernet header][leaving] */
	struct fence_words words;
	uint32_t n_vips, n_leases;
	bool inherited, pinned;
	int directory_fd; /* locked: one daemon in a directory at a time */
	int query_fd;     /* a socket to ask for interfaces */
	char directory[PATH_MAX];
};

/* What goes wrong is told as `@format: the errno's text`. Returns @error. */
__attribute__((format(printf, 3, 4))) static int fail(
	char *reason, int error, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(reason, FENCE_REASON_SIZE, format, arguments);
	va_end(arguments);
	if (n >= 0 && n < FENCE_REASON_SIZE)
		snprintf(reason + n, (size_t)(FENCE_REASON_SIZE - n), ": %s", strerror(-error));
	return error;
}

/* The directory */

static int name_directory(struct fence *f, const char *wanted, char *reason)
{
	struct stat home;
	int n;

	if (wanted) {
		n = snprintf(f->directory, sizeof f->directory, "%s", wanted);
	} else {
		if (stat(NAMESPACE, &home) < 0)
			return fail(reason, -errno, NAMESPACE);
		n = snprintf(f->directory, sizeof f->directory, FENCE_DIRECTORY "/%ju",
			(uintmax_t)home.st_ino);
	}
	if (n >= (int)sizeof f->directory - NAME_MAX)
		return fail(reason, -ENAMETOOLONG, "%s", wanted);
	return 0;
}

static int make_directory(const struct fence *f, char *reason)
{
	char parent[PATH_MAX];
	struct statfs fs;

	memcpy(parent, f->directory, sizeof parent);
	(void)mkdir(dirname(parent), 0700); /* seldom missing, and then the next one says so */
	memcpy(parent, f->directory, sizeof parent);
	if (statfs(dirname(parent), &fs) < 0)
		return fail(reason, -errno, "%s", parent);
	if (fs.f_type != BPF_FS_MAGIC)
		return fail(
			reason, -ENOTSUP, "%s is no bpffs (mount -t bpf bpf /sys/fs/bpf)", parent);
	if (mkdir(f->directory, 0700) < 0 && errno != EEXIST)
		return fail(reason, -errno, "%s", f->directory);
	return 0;
}

static int lock_directory(struct fence *f, char *reason)
{
	f->directory_fd = open(f->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->directory_fd < 0)
		return fail(reason, -errno, "%s", f->directory);
	if (flock(f->directory_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return fail(reason, -EBUSY, "%s is in use by another roostd", f->directory);
	return fail(reason, -errno, "%s", f->directory);
}

static void pin_path(const struct fence *f, enum map map, char path[static PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - NAME_MAX, f->directory, map_names[map]);
}

/* The words */

static size_t words_size(uint32_t n)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n * sizeof(uint64_t) + page - 1) / page * page;
}

static int map_words(int fd, uint32_t n, _Atomic uint64_t **ret_words)
{
	void *at = mmap(NULL, words_size(n), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	*ret_words = at;
	return 0;
}

static void unmap_words(struct fence_words *words, uint32_t n_vips, uint32_t n_leases)
{
	if (words->cells)
		munmap(words->cells, words_size(n_vips));
	if (words->leases)
		munmap(words->leases, words_size(n_leases));
	*words = (struct fence_words){0};
}

static uint64_t cell_of(uint32_t lease, enum lease_permission permission)
{
	return (uint64_t)lease << PERMISSION_BITS | permission;
}

static uint32_t cell_lease(uint64_t cell)
{
	return (uint32_t)(cell >> PERMISSION_BITS);
}

static enum lease_permission cell_permission(uint64_t cell)
{
	return (enum lease_permission)(cell & ((1u << PERMISSION_BITS) - 1));
}

/* What a previous life left */

static void disown(struct heritage *h)
{
	unmap_words(&h->words, h->n_vips, h->n_leases);
	for (int i = 0; i < MAPS; i++) {
		if (h->fds[i] >= 0)
			close(h->fds[i]);
		h->fds[i] = -1;
	}
}

/* Whether the map is such as this version makes; then also how many entries it has. */
static bool has_shape(int fd, const struct bpf_map *like, uint32_t *ret_entries)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof info;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) ||
		info.type != bpf_map__type(like) || info.key_size != bpf_map__key_size(like) ||
		info.value_size != bpf_map__value_size(like) ||
		info.map_flags != bpf_map__map_flags(like))
		return false;
	*ret_entries = info.max_entries;
	return true;
}

/* Opens what is pinned, if it is complete and ours. */
static void inherit(const struct fence *f, struct bpf_map *const *like, struct heritage *h)
{
	uint32_t entries[MAPS] = {0};
	char path[PATH_MAX];

	for (int i = 0; i < MAPS; i++) {
		pin_path(f, i, path);
		h->fds[i] = bpf_obj_get(path);
	}
	for (int i = 0; i < MAPS; i++) {
		if (!has_shape(h->fds[i], like[i], &entries[i])) {
			disown(h);
			return;
		}
	}
	h->n_vips = entries[MAP_CELLS];
	h->n_leases = entries[MAP_LEASES];
	if (entries[MAP_VIPS] != h->n_vips || entries[MAP_DROPS] != DROP_KINDS ||
		map_words(h->fds[MAP_CELLS], h->n_vips, &h->words.cells) ||
		map_words(h->fds[MAP_LEASES], h->n_leases, &h->words.leases))
		disown(h);
}

static bool find_heir(const struct heritage *h, const struct addr *address, uint32_t *ret_vip)
{
	uint32_t vip;

	if (bpf_map_lookup_elem(h->fds[MAP_VIPS], address, &vip) || vip >= h->n_vips)
		return false;
	*ret_vip = vip;
	return true;
}

static bool is_same(const struct heritage *h, const struct fence_setup *s)
{
	if (h->fds[0] < 0 || h->n_vips != s->n_vips || h->n_leases != s->n_leases)
		return false;
	for (uint32_t i = 0; i < s->n_vips; i++) {
		uint32_t vip;

		if (!find_heir(h, &s->vips[i].address, &vip) || vip != i)
			return false;
	}
	return true;
}

/* A VIP keeps its permission. @ends, TICK_NEVER at first: when the first lease ends that a VIP
 * that goes by it had. */
static void hand_down(
	struct fence *f, const struct heritage *h, const struct fence_setup *s, tick *ends)
{
	for (uint32_t i = 0; i < s->n_vips; i++) {
		const uint32_t lease = s->vips[i].lease;
		enum lease_permission permission;
		uint32_t vip, old_lease;

		if (!find_heir(h, &s->vips[i].address, &vip))
			continue;
		permission = cell_permission(h->words.cells[vip]);
		old_lease = cell_lease(h->words.cells[vip]);
		f->words.cells[i] = cell_of(lease, permission);
		if (permission >= LEASE_DATA && old_lease < h->n_leases)
			ends[lease] = tick_min(ends[lease], h->words.leases[old_lease]);
	}
}

static int inherit_words(struct fence *f, const struct heritage *h, const struct fence_setup *s)
{
	tick *ends = malloc(s->n_leases * sizeof *ends);

	if (!ends)
		return -ENOMEM;
	memset(ends, 0xff, s->n_leases * sizeof *ends);
	hand_down(f, h, s, ends);
	for (uint32_t i = 0; i < s->n_leases; i++)
		f->words.leases[i] = ends[i] == TICK_NEVER ? 0 : ends[i];
	free(ends);
	return 0;
}

/* Furnishes new maps, which no running program uses yet. */
static int fill(struct fence *f, const struct heritage *h, const struct fence_setup *s)
{
	const int fd = bpf_map__fd(f->skeleton->maps.vips);

	for (uint32_t i = 0; i < s->n_vips; i++) {
		const int error = bpf_map_update_elem(fd, &s->vips[i].address, &i, BPF_ANY);

		if (error)
			return error;
		f->words.cells[i] = cell_of(s->vips[i].lease, LEASE_CLOSED);
	}
	return h->fds[0] < 0 ? 0 : inherit_words(f, h, s);
}

/* Programs and maps */

static int find_programs(struct fence *f)
{
	const struct bpf_program *programs[2][2] = {
		{f->skeleton->progs.fence_ingress, f->skeleton->progs.fence_egress},
		{f->skeleton->progs.fence_bare_ingress, f->skeleton->progs.fence_bare_egress},
	};

	for (int bare = 0; bare < 2; bare++) {
		for (int leaving = 0; leaving < 2; leaving++) {
			struct bpf_prog_info info = {0};
			uint32_t size = sizeof info;
			const int fd = bpf_program__fd(programs[bare][leaving]);
			const int error = bpf_obj_get_info_by_fd(fd, &info, &size);

			if (error)
				return error;
			f->programs[bare][leaving] = (struct fence_program){fd, info.id};
		}
	}
	return 0;
}

static int size_maps(struct fence *f, const struct fence_setup *s)
{
	int error = bpf_map__set_max_entries(f->skeleton->maps.vips, s->n_vips);

	if (!error)
		error = bpf_map__set_max_entries(f->skeleton->maps.cells, s->n_vips);
	if (!error)
		error = bpf_map__set_max_entries(f->skeleton->maps.leases, s->n_leases);
	return error;
}

static void fill_filter(struct fence *f, const struct fence_setup *s)
{
	for (uint32_t i = 0; i < s->n_vips; i++)
		fence_filter_add(f->skeleton->rodata->filter, f->skeleton->rodata->slots,
			s->vips[i].address.b, i);
}

static int load(struct fence *f, const struct fence_setup *s, struct heritage *h, char *reason)
{
	struct bpf_map *const maps[MAPS] = {f->skeleton->maps.vips, f->skeleton->maps.cells,
		f->skeleton->maps.leases, f->skeleton->maps.drops};
	int error = size_maps(f, s);

	fill_filter(f, s);
	inherit(f, maps, h);
	h->same = is_same(h, s);
	for (int i = 0; i < MAPS && !error; i++)
		if (h->fds[0] >= 0 && (h->same || i == MAP_DROPS))
			error = bpf_map__reuse_fd(maps[i], h->fds[i]);
	if (!error)
		error = fence_bpf__load(f->skeleton);
	if (!error)
		error = find_programs(f);
	if (!error)
		error = map_words(bpf_map__fd(maps[MAP_CELLS]), s->n_vips, &f->words.cells);
	if (!error)
		error = map_words(bpf_map__fd(maps[MAP_LEASES]), s->n_leases, &f->words.leases);
	if (!error && !h->same)
		error = fill(f, h, s);
	if (error)
		return fail(reason, error, "loading the fence into the kernel");
	f->inherited = h->fds[0] >= 0;
	return 0;
}

/* Replaces what is pinned. Until the last step there is no complete set; a death in between
 * costs the next life its heritage, no more. */
static int pin_maps(const struct fence *f, char *reason)
{
	const struct bpf_map *const maps[MAPS] = {f->skeleton->maps.vips, f->skeleton->maps.cells,
		f->skeleton->maps.leases, f->skeleton->maps.drops};
	char path[PATH_MAX];
	int error;

	for (int i = 0; i < MAPS; i++) {
		pin_path(f, i, path);
		if (unlink(path) < 0 && errno != ENOENT)
			return fail(reason, -errno, "%s", path);
	}
	for (int i = MAPS - 1; i >= 0; i--) {
		pin_path(f, i, path);
		error = bpf_obj_pin(bpf_map__fd(maps[i]), path);
		if (error)
			return fail(reason, error, "%s", path);
	}
	return 0;
}

static bool is_pinned(const struct fence *f, enum map map)
{
	char path[PATH_MAX];
	struct stat is;

	pin_path(f, map, path);
	return stat(path, &is) == 0;
}

/* What somebody has removed: without its pins neither the guardian nor a next life finds the fence. */
static int mend_pins(struct fence *f, char *reason)
{
	bool complete = true;
	int error;

	for (int i = 0; i < MAPS; i++)
		complete = complete && is_pinned(f, i);
	if (complete)
		return 0;
	close(f->directory_fd); /* it may be another one by now */
	f->directory_fd = -1;
	error = make_directory(f, reason);
	if (!error)
		error = lock_directory(f, reason);
	return error ? error : pin_maps(f, reason);
}

/* Interfaces */

struct interfaces {
	struct if_nameindex *all;
	uint32_t n;
};

static int list_interfaces(struct interfaces *l, char *reason)
{
	l->all = if_nameindex();
	if (!l->all)
		return fail(reason, -errno, "listing the interfaces");
	l->n = 0;
	while (l->all[l->n].if_index)
		l->n++;
	return 0;
}

/* What ioctl says of the interface, whose name may have changed a moment ago. */
static int query(const struct fence *f, unsigned long request, uint32_t ifindex, struct ifreq *r)
{
	*r = (struct ifreq){.ifr_ifindex = (int)ifindex};
	if (ioctl(f->query_fd, SIOCGIFNAME, r) < 0 || ioctl(f->query_fd, request, r) < 0)
		return -errno;
	return 0;
}

static int put_up(const struct fence *f, const struct fence_program *p, const struct fence_hook *h)
{
	if (f->mechanism == FENCE_TCX)
		return fence_hook_tcx(h, p);
	return fence_hook_clsact(h, p);
}

/* What its hooks found, 0 if there need be none; or negative errno. */
static int fence_in(const struct fence *f, uint32_t ifindex)
{
	struct ifreq r;
	int error = query(f, SIOCGIFFLAGS, ifindex, &r);
	int found = 0;
	bool bare;

	if (error || (r.ifr_flags & IFF_LOOPBACK))
		return error;
	error = query(f, SIOCGIFHWADDR, ifindex, &r);
	if (error)
		return error;
	bare = r.ifr_hwaddr.sa_family != ARPHRD_ETHER;
	for (int leaving = 1; leaving >= 0; leaving--) {
		const struct fence_hook h = {f->directory, ifindex, leaving};
		const int n = put_up(f, &f->programs[bare][leaving], &h);

		if (n < 0)
			return n;
		found |= n;
	}
	return found;
}

static int keep_links(const struct fence *f, const struct interfaces *l)
{
	uint32_t *keep = calloc(l->n + 1, sizeof *keep);
	int error;

	if (!keep)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->n; i++)
		keep[i] = l->all[i].if_index;
	error = fence_unhook_others(f->directory, keep, f->mechanism == FENCE_TCX ? l->n : 0);
	free(keep);
	return error;
}

/* Programs that hang by the mechanism that is not in use, or everything when it is off. */
static int clear_away(const struct fence *f, char *reason)
{
	struct interfaces l = {0};
	int error = list_interfaces(&l, reason);

	if (error)
		return error;
	if (f->mechanism != FENCE_TCX) {
		error = fence_unhook_others(f->directory, NULL, 0);
		if (error)
			fail(reason, error, "taking links of an old fence from %s", f->directory);
	}
	for (uint32_t i = 0; i < l.n && f->mechanism != FENCE_CLSACT; i++) {
		for (int leaving = 0; leaving < 2 && !error; leaving++) {
			const struct fence_hook h = {f->directory, l.all[i].if_index, leaving};

			error = fence_unhook_clsact(&h);
			if (error)
				fail(reason, error, "taking an old fence from %s",
					l.all[i].if_name);
		}
	}
	if_freenameindex(l.all);
	return error;
}

static int remove_pins(const struct fence *f, char *reason)
{
	char path[PATH_MAX];

	for (int i = 0; i < MAPS; i++) {
		pin_path(f, i, path);
		if (unlink(path) < 0 && errno != ENOENT)
			return fail(reason, -errno, "%s", path);
	}
	(void)rmdir(f->directory); /* which the unit may have made, and the parent be root's */
	return 0;
}

static void free_fence(struct fence *f)
{
	if (f->skeleton) {
		unmap_words(&f->words, f->n_vips, f->n_leases);
		fence_bpf__destroy(f->skeleton);
	} else {
		free(f->words.cells);
		free(f->words.leases);
	}
	if (f->query_fd >= 0)
		close(f->query_fd);
	if (f->directory_fd >= 0)
		close(f->directory_fd);
	free(f);
}

static int choose_mechanism(struct fence *f, enum fence_mode mode, char *reason)
{
	const bool has_tcx = mode != FENCE_CLSACT && fence_hook_has_tcx(&f->programs[0][0]);

	if (mode == FENCE_TCX && !has_tcx)
		return fail(reason, -EOPNOTSUPP, "tcx needs Linux 6.6");
	f->mechanism = has_tcx ? FENCE_TCX : FENCE_CLSACT;
	return 0;
}

/* The programs read the boot clock of the whole machine, which in a time namespace is another one than ours. */
static int check_clock(char *reason)
{
	char line[128];
	long long offset_s = 0, offset_ns = 0;
	FILE *offsets = fopen("/proc/self/timens_offsets", "re");

	if (!offsets)
		return 0; /* a kernel without them */
	while (fgets(line, sizeof line, offsets))
		if (sscanf(line, "boottime %lld %lld", &offset_s, &offset_ns) == 2)
			break;
	fclose(offsets);
	if (offset_s == 0 && offset_ns == 0)
		return 0;
	return fail(reason, -ENOTSUP, "the boot clock of this time namespace is off by %lld s",
		offset_s);
}

static int open_on(struct fence *f, const struct fence_setup *s, struct heritage *h, char *reason)
{
	int error = check_clock(reason);

	if (!error)
		error = make_directory(f, reason);
	if (!error)
		error = lock_directory(f, reason);
	if (error)
		return error;
	f->skeleton = fence_bpf__open();
	if (!f->skeleton)
		return fail(reason, -errno, "the fence's programs");
	error = load(f, s, h, reason);
	if (!error)
		error = choose_mechanism(f, s->mode, reason);
	if (!error)
		error = fence_refresh(f, reason);
	if (error < 0)
		return error;
	error = h->same ? 0 : pin_maps(f, reason);
	f->pinned = !error;
	return error ? error : clear_away(f, reason);
}

static int open_off(struct fence *f, char *reason)
{
	int error = clear_away(f, reason);

	if (!error)
		error = remove_pins(f, reason);
	/* what this user may not even see, no life of its own can have left */
	if (error && error != -EACCES)
		return error;
	f->words.cells = calloc(f->n_vips, sizeof *f->words.cells);
	f->words.leases = calloc(f->n_leases, sizeof *f->words.leases);
	if (!f->words.cells || !f->words.leases)
		return fail(reason, -ENOMEM, "the fence");
	return 0;
}

int fence_open(const struct fence_setup *setup, char reason[static FENCE_REASON_SIZE],
	struct fence **ret_fence)
{
	struct heritage h = {.fds = {-1, -1, -1, -1}};
	struct fence *f = calloc(1, sizeof *f);
	int error;

	ASSERT(setup->n_vips > 0 && setup->n_leases > 0);
	reason[0] = '\0';
	if (!f)
		return fail(reason, -ENOMEM, "the fence");
	libbpf_set_print(NULL); /* what goes wrong is told by @reason */
	*f = (struct fence){.mechanism = FENCE_OFF,
		.n_vips = setup->n_vips,
		.n_leases = setup->n_leases,
		.directory_fd = -1,
		.query_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
	error = f->query_fd < 0 ? fail(reason, -errno, "socket") : 0;
	if (!error)
		error = name_directory(f, setup->directory, reason);
	if (!error)
		error = setup->mode == FENCE_OFF ? open_off(f, reason)
						 : open_on(f, setup, &h, reason);
	disown(&h);
	if (error) {
		free_fence(f);
		return error;
	}
	*ret_fence = f;
	return 0;
}

/* What stands before it may pass what it would drop. */
static void note_shadow(char *reason, const char *interface)
{
	if (reason[0] == '\0')
		(void)snprintf(reason, FENCE_REASON_SIZE,
			"on %s it does not see what filters before it let pass", interface);
}

int fence_refresh(struct fence *f, char reason[static FENCE_REASON_SIZE])
{
	struct interfaces l = {0};
	int error, n_anew = 0;

	reason[0] = '\0';
	if (f->mechanism == FENCE_OFF)
		return 0;
	error = f->pinned ? mend_pins(f, reason) : 0;
	if (!error)
		error = list_interfaces(&l, reason);
	if (error)
		return error;
	for (uint32_t i = 0; i < l.n; i++) {
		const int n = fence_in(f, l.all[i].if_index);

		/* it may have gone since */
		if (n < 0 && n != -ENODEV && n != -ENXIO && !error)
			error = fail(reason, n, "no fence on %s", l.all[i].if_name);
		if (n > 0 && n & FENCE_HOOK_BEHIND)
			note_shadow(reason, l.all[i].if_name);
		n_anew += n > 0 && n & FENCE_HOOK_ANEW;
	}
	if (f->mechanism == FENCE_TCX && !error)
		error = keep_links(f, &l);
	if_freenameindex(l.all);
	return error ? error : n_anew;
}

struct fence_words fence_words(const struct fence *f)
{
	return f->words;
}

void fence_shut(struct fence *f)
{
	for (uint32_t i = 0; i < f->n_leases; i++)
		fence_renew(f->words, i, 0);
}

int fence_shut_pinned(const char *directory)
{
	struct fence f = {0};
	struct fence_words words = {0};
	struct bpf_map_info info = {0};
	uint32_t size = sizeof info;
	char path[PATH_MAX], reason[FENCE_REASON_SIZE];
	int fd, error = name_directory(&f, directory, reason);

	if (error)
		return error;
	pin_path(&f, MAP_LEASES, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd;
	error = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (!error)
		error = map_words(fd, info.max_entries, &words.leases);
	for (uint32_t i = 0; i < info.max_entries && !error; i++)
		fence_renew(words, i, 0);
	unmap_words(&words, 0, info.max_entries);
	close(fd);
	return error;
}

const char *fence_mechanism(const struct fence *f)
{
	switch (f->mechanism) {
	case FENCE_TCX: return "tcx";
	case FENCE_CLSACT: return "clsact";
	case FENCE_AUTO:
	case FENCE_OFF: break;
	}
	return "off";
}

bool fence_is_inherited(const struct fence *f)
{
	return f->inherited;
}

static uint64_t count_drops(const struct fence *f, uint32_t kind)
{
	const int n_cpus = libbpf_num_possible_cpus();
	uint64_t *counts = n_cpus > 0 ? calloc((size_t)n_cpus, sizeof *counts) : NULL;
	uint64_t sum = 0;

	if (counts && bpf_map_lookup_elem(bpf_map__fd(f->skeleton->maps.drops), &kind, counts) == 0)
		for (int i = 0; i < n_cpus; i++)
			sum += counts[i];
	free(counts);
	return sum;
}

void fence_dropped(const struct fence *f, struct fence_drops *ret_drops)
{
	*ret_drops = (struct fence_drops){0};
	if (!f->skeleton)
		return;
	/* the order of the map's comment */
	ret_drops->arriving_data = count_drops(f, 0);
	ret_drops->arriving_neighbour = count_drops(f, 1);
	ret_drops->leaving_data = count_drops(f, 2);
	ret_drops->leaving_neighbour = count_drops(f, 3);
}

void fence_close(struct fence *f, bool remove)
{
	char reason[FENCE_REASON_SIZE];

	if (!f)
		return;
	if (remove && f->mechanism != FENCE_OFF) {
		f->mechanism = FENCE_OFF;
		(void)clear_away(f, reason);
		(void)remove_pins(f, reason);
	}
	free_fence(f);
}
