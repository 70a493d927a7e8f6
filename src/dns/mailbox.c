/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

_Static_assert(sizeof(struct mailbox_letter) <= PIPE_BUF, "a letter must arrive whole");

int mailbox_init(struct mailbox *m)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		close(fds[0]);
		close(fds[1]);
		return -errno;
	}
	*m = (struct mailbox){.in = fds[1], .out = fds[0]};
	return 0;
}

void mailbox_fini(struct mailbox *m)
{
	close(m->in);
	close(m->out);
}

bool mailbox_put(const struct mailbox *m, const struct mailbox_letter *letter)
{
	ssize_t n;

	do
		n = write(m->in, letter, sizeof *letter);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof *letter;
}

bool mailbox_take(const struct mailbox *m, struct mailbox_letter *ret_letter)
{
	struct mailbox_letter letter;

	if (read(m->out, &letter, sizeof letter) != (ssize_t)sizeof letter)
		return false;
	*ret_letter = letter;
	return true;
}
