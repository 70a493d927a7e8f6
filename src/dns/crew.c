/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/crew.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/assert.h"

static int hire(struct crew *c)
{
	struct udp_setup setup = {.editions = c->editions, .reader = c->n, .rrl = c->rrl};
	struct crew_member *m = &c->members[c->n];
	int error;

	if (c->n == CREW_MAX) /* those of other addresses have not left yet */
		return -ENOSPC;
	if (getrandom(&setup.seed, sizeof setup.seed, 0) != sizeof setup.seed)
		return -EIO;
	error = udp_start(&setup, &m->udp);
	if (error)
		return error;
	m->task = CREW_RESTS;
	c->n++;
	return 0;
}

int crew_serve(struct crew *c, int fd, uint32_t task)
{
	uint32_t i = 0;
	int error = 0;

	ASSERT(task != CREW_RESTS);
	while (i < c->n && c->members[i].task != CREW_RESTS)
		i++;
	if (i == c->n)
		error = hire(c);
	if (error) {
		close(fd);
		return error;
	}
	c->members[i].task = task;
	udp_serve(c->members[i].udp, fd);
	return 0;
}

void crew_leave(struct crew *c, uint32_t task)
{
	for (uint32_t i = 0; i < c->n; i++) {
		if (c->members[i].task != task)
			continue;
		udp_leave(c->members[i].udp);
		c->members[i].task = CREW_RESTS;
	}
}

uint64_t crew_dropped(const struct crew *c, uint32_t task)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < c->n; i++)
		if (c->members[i].task == task)
			n += udp_dropped(c->members[i].udp);
	return n;
}

void crew_fini(struct crew *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		udp_stop(c->members[i].udp);
	c->n = 0;
}
