/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * fencer [-m auto|tcx|clsact|off] [-d DIRECTORY] ADDRESS=LEASE...: opens the fence for these VIPs,
 * as roostd would, and does what the lines on its standard input say. Each is answered by one line;
 * the first line of all says `ready MECHANISM new|inherited`, or `error` and why.
 *
 *    permit VIP absent|closed|data|full    VIP and LEASE:  numbers from 0
 *    lease LEASE MS                        from now on; answers when it ends, ns of CLOCK_BOOTTIME
 *    keep MS                               for all leases, renewed until another lease or keep
 *    refresh                               answers on how many interfaces it was put up anew
 *    dropped                               answers with four counts
 *    remove                                takes the fence down and ends
 *
 * At the end of its input it ends and leaves the fence.
 */

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/fence.h"

#define VIPS_MAX 10000

static const char *const modes[] = {"auto", "tcx", "clsact", "off"};
static const char *const permissions[] = {"absent", "closed", "data", "full"};

struct fencer {
	struct fence *fence;
	struct fence_words words;
	struct fence_setup setup;
	tick keep; /* 0: leases are not renewed */
};

static unsigned find(const char *name, const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	fprintf(stderr, "fencer: what is %s?\n", name);
	exit(1);
}

static void read_vips(struct fencer *f, char **arguments, int n)
{
	static struct fence_vip vips[VIPS_MAX];

	for (int i = 0; i < n && i < VIPS_MAX; i++) {
		char *lease = strchr(arguments[i], '=');

		if (lease)
			*lease++ = '\0';
		if (!lease || !addr_parse(arguments[i], &vips[i].address)) {
			fprintf(stderr, "fencer: %s is no ADDRESS=LEASE\n", arguments[i]);
			exit(1);
		}
		vips[i].lease = (uint32_t)strtoul(lease, NULL, 10);
		if (vips[i].lease >= f->setup.n_leases)
			f->setup.n_leases = vips[i].lease + 1;
		f->setup.n_vips++;
	}
	f->setup.vips = vips;
}

static void renew(struct fencer *f, uint32_t lease, tick span)
{
	const tick until = span ? clock_now() + span : 0;

	fence_renew(f->words, lease, until);
	printf("%llu\n", (unsigned long long)until);
}

static void renew_all(struct fencer *f)
{
	const tick until = clock_now() + f->keep;

	for (uint32_t i = 0; i < f->setup.n_leases; i++)
		fence_renew(f->words, i, until);
}

static void refresh(struct fencer *f)
{
	char reason[FENCE_REASON_SIZE];
	const int n = fence_refresh(f->fence, reason);

	if (n < 0)
		printf("error %s\n", reason);
	else
		printf("%d\n", n);
}

static void obey(struct fencer *f, const char *line)
{
	unsigned index, ms;
	char word[16];

	if (sscanf(line, "permit %u %15s", &index, word) == 2 && index < f->setup.n_vips) {
		fence_permit(
			f->words, index, f->setup.vips[index].lease, find(word, permissions, 4));
		printf("%s\n", word);
	} else if (sscanf(line, "lease %u %u", &index, &ms) == 2 && index < f->setup.n_leases) {
		f->keep = 0;
		renew(f, index, tick_ms(ms));
	} else if (sscanf(line, "keep %u", &ms) == 1) {
		f->keep = tick_ms(ms);
		renew_all(f);
		puts("kept");
	} else if (strcmp(line, "refresh\n") == 0) {
		refresh(f);
	} else if (strcmp(line, "dropped\n") == 0) {
		struct fence_drops d;

		fence_dropped(f->fence, &d);
		printf("%llu %llu %llu %llu\n", (unsigned long long)d.arriving_data,
			(unsigned long long)d.arriving_neighbour,
			(unsigned long long)d.leaving_data,
			(unsigned long long)d.leaving_neighbour);
	} else if (strcmp(line, "remove\n") == 0) {
		fence_close(f->fence, true);
		puts("removed");
		exit(0);
	} else {
		printf("error what is %s", line);
	}
}

static void run(struct fencer *f)
{
	struct pollfd in = {.events = POLLIN};
	char line[256];

	for (;;) {
		const int wait_ms = f->keep ? (int)(f->keep / 10 / tick_ms(1)) : -1;

		if (poll(&in, 1, wait_ms) <= 0) {
			renew_all(f);
			continue;
		}
		if (!fgets(line, sizeof line, stdin))
			return;
		obey(f, line);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	struct fencer f = {.setup.n_leases = 1};
	char reason[FENCE_REASON_SIZE];
	int c;

	setvbuf(stdin, NULL, _IONBF, 0); /* poll() must see all that waits */
	while ((c = getopt(argc, argv, "m:d:")) != -1) {
		switch (c) {
		case 'm': f.setup.mode = find(optarg, modes, 4); break;
		case 'd': f.setup.directory = optarg; break;
		default: return 1;
		}
	}
	read_vips(&f, argv + optind, argc - optind);
	if (f.setup.n_vips == 0 || fence_open(&f.setup, reason, &f.fence)) {
		printf("error %s\n", f.setup.n_vips ? reason : "no VIPs");
		return 1;
	}
	f.words = fence_words(f.fence);
	printf("ready %s %s\n", fence_mechanism(f.fence),
		fence_is_inherited(f.fence) ? "inherited" : "new");
	fflush(stdout);
	run(&f);
	fence_close(f.fence, false);
	return 0;
}
