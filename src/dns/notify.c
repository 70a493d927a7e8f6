/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/notify.h"

#include <errno.h>
#include <libknot/codes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/rng.h"
#include "dns/log.h"
#include "dns/query.h"
#include "dns/records.h"
#include "dns/socket.h"
#include "os/clock.h"

#define OPCODE_NOTIFY (4u << 11)
#define POINTER_QNAME 0xc00cu
#define RCODE         0x000fu

/* RFC 1996 3.6 proposes five times and a minute; a secondary that restarts is back sooner. */
#define ATTEMPTS_MAX 6
#define FIRST_WAIT   tick_s(1) /* doubled each time */
#define BURST        100       /* to one, at a time */
#define BURST_WAIT   tick_ms(50)
#define READS_MAX    100

/* One zone that one server is to be told of. */
struct task {
	const struct zone *zone; /* of the edition */
	uint16_t id;
	uint8_t attempts;
	tick due;
};

struct target {
	struct notify *notify;
	struct config_endpoint endpoint;
	struct task *tasks;
	uint32_t n_tasks;
	uint32_t refused, unanswered; /* zones */
	int fd;                       /* -1 while there is nothing to tell */
	sd_event_source *io;
};

struct notify {
	sd_event *event;
	sd_event_source *timer;
	struct rng rng;
	const struct edition *edition;
	struct target *targets;
	uint32_t n_targets;
};

/* ---- messages ---- */

/* RFC 1996 3.7: the SOA tells whether it is worth asking. 0 if there is no memory. */
static size_t write_message(
	const struct notify *n, const struct task *task, uint8_t buffer[static DNS_UDP_MAX])
{
	struct writer w = writer_of(buffer, DNS_UDP_MAX);
	const struct zone_node *apex = zone_apex_node(task->zone);
	const struct zone_rrset *soa = zone_soa(task->zone);
	const struct record r = record_first(soa);
	struct tsig tsig;

	writer_u16(&w, task->id);
	writer_u16(&w, OPCODE_NOTIFY | DNS_AA);
	writer_u16(&w, 1);
	writer_u16(&w, 1);
	writer_u32(&w, 0);
	writer_bytes(&w, apex->name, apex->name_size);
	writer_u16(&w, DNS_SOA);
	writer_u16(&w, DNS_CLASS_IN);
	writer_u16(&w, POINTER_QNAME);
	writer_u16(&w, DNS_SOA);
	writer_u16(&w, DNS_CLASS_IN);
	writer_u32(&w, soa->ttl);
	writer_u16(&w, r.size);
	writer_bytes(&w, r.rdata, r.size);
	ASSERT(!w.failed);
	if (!n->edition->key)
		return w.at;
	tsig = tsig_start(n->edition->key);
	ASSERT(w.at + tsig_size(&tsig) <= DNS_UDP_MAX);
	return tsig_sign(&tsig, buffer, w.at, clock_wall_s());
}

/* The task that a message acknowledges, or NULL (RFC 1996 3.9). Its signature is not looked at: the worst that a
 * forger who guesses port and number achieves is that nothing is repeated. */
static struct task *read_message(struct target *t, const uint8_t *message, size_t size)
{
	struct reader r = reader_of(message, size);
	const unsigned id = reader_u16(&r), flags = reader_u16(&r), questions = reader_u16(&r);

	(void)reader_take(&r, 6);
	if (r.failed || (flags & (DNS_QR | DNS_OPCODE)) != (DNS_QR | OPCODE_NOTIFY))
		return NULL;
	for (uint32_t i = 0; i < t->n_tasks; i++) {
		struct task *task = &t->tasks[i];
		const struct zone_node *apex = zone_apex_node(task->zone);

		if (task->attempts == 0 || task->id != id)
			continue;
		/* some answer an error without the question */
		if (questions == 0 ||
			(reader_left(&r) >= apex->name_size &&
				memcmp(message + r.at, apex->name, apex->name_size) == 0))
			return task;
	}
	return NULL;
}

/* ---- one server ---- */

static void disconnect(struct target *t)
{
	t->io = sd_event_source_disable_unref(t->io);
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

/* Nobody is told of a zone to whom that is told in vain. */
static void complain(const struct target *t, const struct task *task, const char *why)
{
	static struct log_quota quota = LOG_QUOTA(60);
	const char *end = log_quota_take(&quota, clock_now());
	char name[ZONE_NAME_SIZE], to[SOCKET_TEXT_SIZE];

	if (end)
		log_line(JOURNAL_WARNING, "NOTIFY of %s to %s in vain: %s%s",
			zone_name_show(zone_apex(task->zone), name),
			socket_format(&t->endpoint, to), why, end);
}

static void hear(struct target *t, const struct task *task, unsigned rcode)
{
	const knot_lookup_t *known = knot_lookup_by_id(knot_rcode_names, (int)rcode);

	if (rcode == DNS_NOERROR)
		return;
	t->refused++;
	complain(t, task, known ? known->name : "an unknown RCODE");
}

static void drop_task(struct target *t, struct task *task)
{
	const struct task *end = t->tasks + t->n_tasks;

	memmove(task, task + 1, (size_t)((const char *)end - (const char *)(task + 1)));
	t->n_tasks--;
}

static int on_answer(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct target *t = context;
	uint8_t message[DNS_UDP_MAX];

	(void)source;
	(void)events;
	for (int i = 0; i < READS_MAX && t->n_tasks > 0; i++) {
		const ssize_t n = recv(fd, message, sizeof message, MSG_DONTWAIT);
		struct task *task;

		if (n < 0 && errno == EAGAIN)
			return 0;
		/* or what ICMP said of a datagram before */
		task = n > 0 ? read_message(t, message, (size_t)n) : NULL;
		if (!task)
			continue;
		hear(t, task, message[3] & RCODE);
		drop_task(t, task);
	}
	if (t->n_tasks == 0)
		disconnect(t);
	return 0;
}

static bool is_connected(struct target *t)
{
	if (t->fd >= 0)
		return true;
	t->fd = socket_connect_udp(&t->endpoint);
	if (t->fd >= 0 &&
		sd_event_add_io(t->notify->event, &t->io, t->fd, EPOLLIN, on_answer, t) >= 0)
		return true;
	disconnect(t);
	return false;
}

/* Whether it went out or not: what the network has against it may pass. */
static void send_task(struct target *t, struct task *task, tick now)
{
	uint8_t message[DNS_UDP_MAX];
	size_t size;

	task->due = now + (FIRST_WAIT << task->attempts);
	task->attempts++;
	task->id = (uint16_t)rng_next(&t->notify->rng);
	size = write_message(t->notify, task, message);
	if (size > 0 && is_connected(t))
		(void)send(t->fd, message, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Sends what is due. Returns when there is more to do. */
static tick work(struct target *t, tick now)
{
	tick next = TICK_NEVER;
	uint32_t kept = 0, sent = 0;

	for (uint32_t i = 0; i < t->n_tasks; i++) {
		struct task *task = &t->tasks[i];

		if (task->due <= now && task->attempts == ATTEMPTS_MAX) {
			t->unanswered++;
			complain(t, task, "no answer");
			continue;
		}
		if (task->due <= now && sent < BURST) {
			send_task(t, task, now);
			sent++;
		}
		next = tick_min(next, tick_max(task->due, now + BURST_WAIT));
		t->tasks[kept++] = *task;
	}
	t->n_tasks = kept;
	if (kept == 0)
		disconnect(t);
	return next;
}

/* ---- all of them ---- */

static void free_targets(struct target *targets, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		disconnect(&targets[i]);
		free(targets[i].tasks);
	}
	free(targets);
}

static int on_timer(sd_event_source *source, uint64_t us, void *context)
{
	struct notify *n = context;
	const tick now = clock_now();
	tick next = TICK_NEVER;

	(void)us;
	for (uint32_t i = 0; i < n->n_targets; i++)
		next = tick_min(next, work(&n->targets[i], now));
	if (next == TICK_NEVER)
		return 0;
	(void)sd_event_source_set_time_relative(source, tick_since(next, now) / 1000);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

/* All zones: where nothing has changed, a secondary that has missed something learns of it. */
static bool init_target(struct target *t, const struct edition *edition)
{
	const uint32_t n_zones = catalog_n_zones(edition->catalog);

	t->tasks = calloc(n_zones + 1u, sizeof *t->tasks);
	if (!t->tasks)
		return false;
	while (t->n_tasks < n_zones) {
		t->tasks[t->n_tasks] =
			(struct task){.zone = catalog_zone(edition->catalog, t->n_tasks)};
		t->n_tasks++;
	}
	return true;
}

void notify_edition(struct notify *n, const struct edition *edition)
{
	const struct config_dns *dns = &edition->config->dns;
	struct target *targets = calloc(dns->n_transfers + 1u, sizeof *targets);
	bool good = targets;

	for (uint32_t i = 0; i < dns->n_transfers && targets; i++)
		targets[i] = (struct target){.notify = n, .endpoint = dns->transfer[i], .fd = -1};
	for (uint32_t i = 0; i < dns->n_transfers && good; i++)
		good = init_target(&targets[i], edition);
	if (!good) {
		log_line(JOURNAL_ERROR, "no memory for NOTIFY");
		if (targets)
			free_targets(targets, dns->n_transfers);
		targets = NULL;
	}
	free_targets(n->targets, n->n_targets);
	n->edition = edition;
	n->targets = targets;
	n->n_targets = good ? dns->n_transfers : 0;
	(void)sd_event_source_set_time_relative(n->timer, 0);
	(void)sd_event_source_set_enabled(n->timer, SD_EVENT_ONESHOT);
}

uint32_t notify_secondaries(
	const struct notify *n, struct notify_secondary list[static CONFIG_TRANSFERS_MAX])
{
	for (uint32_t i = 0; i < n->n_targets; i++) {
		const struct target *t = &n->targets[i];

		list[i] = (struct notify_secondary){
			t->endpoint, t->n_tasks, t->refused, t->unanswered};
	}
	return n->n_targets;
}

int notify_new(sd_event *event, struct notify **ret_notify)
{
	struct notify *n = calloc(1, sizeof *n);
	int error = 0;

	if (!n)
		return -ENOMEM;
	n->event = event;
	if (getrandom(&n->rng.state, sizeof n->rng.state, 0) != sizeof n->rng.state)
		error = -EIO;
	if (!error)
		error = sd_event_add_time_relative(
			event, &n->timer, CLOCK_BOOTTIME, 0, 0, on_timer, n);
	if (error < 0) {
		free(n);
		return error;
	}
	*ret_notify = n;
	return 0;
}

void notify_free(struct notify *n)
{
	if (!n)
		return;
	free_targets(n->targets, n->n_targets);
	sd_event_source_disable_unref(n->timer);
	free(n);
}
