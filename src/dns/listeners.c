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
	crew_leave(l->crew, what->id);
	tcp_leave(l->tcp, what->id);
}

static int open_tcp(const struct listeners *l, struct listener *what, bool beside)
{
	const int fd = socket_open_tcp(&what->endpoint, beside);
	const int error = fd < 0 ? fd : tcp_serve(l->tcp, fd, what->id);

	what->tcp = !error;
	return error;
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

/* What is missing of it, @beside others of ours on the same port or not. TCP first: many may share a port over UDP,
 * so a second server would get half of the first one's queries. */
static int open_missing(const struct listeners *l, struct listener *what, bool beside)
{
	what->error = what->tcp ? 0 : open_tcp(l, what, beside);
	if (!what->error && !what->udp)
		what->error = open_udp(l, what);
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

/* Whether any of @list listens over TCP where @e does, too. */
static bool overlaps_any(const struct listener *list, uint32_t n, const struct config_endpoint *e)
{
	for (uint32_t i = 0; i < n; i++)
		if (list[i].tcp && overlaps(&list[i].endpoint, e))
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
		bool beside;

		*new = old ? *old : (struct listener){.endpoint = *e, .id = l->next_id++};
		if (new->udp &&new->tcp)
			continue;
		beside = overlaps_any(l->list, l->n, e) || overlaps_any(next, n, e);
		if (open_missing(l, new, beside) < 0)
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
		if (open_missing(l, what, overlaps_any(l->list, l->n, &what->endpoint)) < 0)
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
