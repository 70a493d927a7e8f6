/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/listeners.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "dns/log.h"
#include "dns/socket.h"

static const char *explain(int error)
{
	switch (error) {
	case -EADDRINUSE: return "another program listens there";
	case -EACCES:
		return "that takes CAP_NET_BIND_SERVICE; start it by its systemd unit, or as root";
	case -EAFNOSUPPORT: return "this machine has no such protocol";
	default: return strerror(-error);
	}
}

static void close_one(const struct listeners *l, const struct listener *what)
{
	const struct mailbox_letter letter = {.kind = MAILBOX_CLOSE, .id = what->id};

	crew_leave(l->crew, what->id);
	(void)mailbox_put(tcp_mailbox(l->tcp), &letter);
}

static int open_tcp(const struct listeners *l, struct listener *what)
{
	const struct mailbox_letter letter = {
		MAILBOX_SERVE, socket_open_tcp(&what->endpoint), what->id};

	if (letter.fd < 0)
		return letter.fd;
	if (!mailbox_put(tcp_mailbox(l->tcp), &letter)) {
		close(letter.fd);
		return -EIO;
	}
	what->tcp = true;
	return 0;
}

/* All its sockets, or none. */
static int open_udp(const struct listeners *l, struct listener *what)
{
	ASSERT(l->n_udp <= CREW_EACH_MAX);
	for (uint32_t i = 0; i < l->n_udp; i++) {
		const int fd = socket_open_udp(&what->endpoint);
		const int error = fd < 0 ? fd : crew_serve(l->crew, fd, what->id);

		if (error) {
			crew_leave(l->crew, what->id);
			return error;
		}
	}
	what->udp = true;
	return 0;
}

/* What is missing of it. TCP first: many may share a port over UDP, so a second server would get half of the
 * first one's queries; but where we listen already, on all addresses, the single one need not wait for that. */
static int open_missing(const struct listeners *l, struct listener *what, bool shared)
{
	int error = 0, udp_error = 0;

	if (!what->tcp)
		error = open_tcp(l, what);
	if (!what->udp && (!error || (shared && error == -EADDRINUSE)))
		udp_error = open_udp(l, what);
	what->error = error ? error : udp_error;
	return what->error;
}

static bool is_same(const struct config_endpoint *a, const struct config_endpoint *b)
{
	return a->port == b->port && addr_equal(&a->address, &b->address);
}

static bool is_wanted(const struct config_dns *wanted, const struct config_endpoint *e)
{
	for (uint32_t i = 0; i < wanted->n_listen; i++)
		if (is_same(&wanted->listen[i], e))
			return true;
	return false;
}

static const struct listener *find(const struct listeners *l, const struct config_endpoint *e)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (is_same(&l->list[i].endpoint, e))
			return &l->list[i];
	return NULL;
}

/* Whether one has all addresses, on the other's port. */
static bool overlaps(const struct config_endpoint *a, const struct config_endpoint *b)
{
	return a->port == b->port && addr_family(&a->address) == addr_family(&b->address) &&
	       (socket_is_wildcard(a) || socket_is_wildcard(b));
}

/* Whether another of ours listens where @e does, too. */
static bool shares_port(const struct listeners *l, const struct config_endpoint *e)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->list[i].tcp && overlaps(&l->list[i].endpoint, e))
			return true;
	return false;
}

void listeners_apply(struct listeners *l, const struct config_dns *wanted)
{
	struct listener next[CONFIG_LISTEN_MAX] = {0};
	char text[SOCKET_TEXT_SIZE];
	uint32_t n = 0;

	for (uint32_t i = 0; i < wanted->n_listen; i++) {
		const struct config_endpoint *e = &wanted->listen[i];
		const struct listener *old = find(l, e);
		struct listener *new = &next[n++];

		*new = old ? *old : (struct listener){.endpoint = *e, .id = l->next_id++};
		if (new->udp &&new->tcp)
			continue;
		if (open_missing(l, new, shares_port(l, e)) < 0)
			log_line(JOURNAL_ERROR, "cannot listen on %s: %s", socket_format(e, text),
				explain(new->error));
	}
	for (uint32_t i = 0; i < l->n; i++)
		if (!is_wanted(wanted, &l->list[i].endpoint))
			close_one(l, &l->list[i]);
	memcpy(l->list, next, n * sizeof next[0]);
	l->n = n;
}

bool listeners_retry(struct listeners *l)
{
	char text[SOCKET_TEXT_SIZE];
	bool complete = true;

	for (uint32_t i = 0; i < l->n; i++) {
		struct listener *what = &l->list[i];

		if (what->udp && what->tcp)
			continue;
		if (open_missing(l, what, what->udp) < 0)
			complete = false;
		else
			log_line(JOURNAL_INFO, "listening on %s after all",
				socket_format(&what->endpoint, text));
	}
	return complete;
}

void listeners_look(struct listeners *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		l->list[i].dropped = crew_dropped(l->crew, l->list[i].id);
}

bool listeners_any(const struct listeners *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->list[i].udp)
			return true;
	return false;
}
