/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/loader.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/privileges.h"

struct loader {
	const char *path;
	pthread_t thread;
	sem_t ready, asked; /* the thread has nothing more to give up; something is to be done */
	bool stopping;      /* as of the next @asked, */
	const struct edition *served; /* ... as is this */
	int done;
	/* The thread's until @done is readable, then the owner's. */
	_Atomic(struct edition *) edition;
	char problem[EDITION_PROBLEM_SIZE];
};

static void wait_for(sem_t *s)
{
	while (sem_wait(s) < 0)
		ASSERT(errno == EINTR);
}

static void *run(void *context)
{
	struct loader *l = context;

	(void)pthread_setname_np(pthread_self(), "roost-dns-load");
	(void)privileges_renounce();
	(void)sem_post(&l->ready);
	for (;;) {
		wait_for(&l->asked);
		if (l->stopping)
			return NULL;
		l->edition = edition_load(l->path, l->served, l->problem);
		(void)eventfd_write(l->done, 1);
	}
}

int loader_start(const char *path, struct loader **ret_loader)
{
	struct loader *l = calloc(1, sizeof *l);
	int error;

	if (!l)
		return -ENOMEM;
	l->path = path;
	(void)sem_init(&l->ready, 0, 0);
	(void)sem_init(&l->asked, 0, 0);
	l->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = l->done < 0 ? -errno : -pthread_create(&l->thread, NULL, run, l);
	if (error) {
		if (l->done >= 0)
			close(l->done);
		free(l);
		return error;
	}
	wait_for(&l->ready);
	*ret_loader = l;
	return 0;
}

void loader_stop(struct loader *l)
{
	if (!l)
		return;
	l->stopping = true;
	(void)sem_post(&l->asked);
	(void)pthread_join(l->thread, NULL);
	edition_free(l->edition);
	close(l->done);
	(void)sem_destroy(&l->asked);
	(void)sem_destroy(&l->ready);
	free(l);
}

void loader_ask(struct loader *l, const struct edition *served)
{
	l->served = served;
	(void)sem_post(&l->asked);
}

int loader_fd(const struct loader *l)
{
	return l->done;
}

struct edition *loader_take(struct loader *l, char problem[static EDITION_PROBLEM_SIZE])
{
	eventfd_t n;

	(void)eventfd_read(l->done, &n);
	memcpy(problem, l->problem, sizeof l->problem);
	return atomic_exchange(&l->edition, NULL);
}
