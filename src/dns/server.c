/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/server.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/plural.h"
#include "dns/asker.h"
#include "dns/loader.h"
#include "dns/log.h"
#include "dns/notify.h"
#include "dns/service.h"
#include "dns/status.h"
#include "os/clock.h"
#include "os/control.h"
#include "os/manager.h"
#include "os/sandbox.h"
#include "os/self.h"
#include "status/status.h"
#include "status/version.h"

#define CONNECTIONS_MAX    1000
#define CONNECTIONS_CLIENT 100
#define CONNECTION_TIME    tick_s(10) /* RFC 7766 6.2.3: in the order of seconds */
#define FILES_FOR_OTHERS   64         /* beside TCP connections and listening sockets */

#define RETRY_US    5000000
#define RETIRE_US   10000
#define TEND_US     500000
#define RETIRED_MAX 16

struct server {
	const struct server_setup *setup;
	sd_event *event;
	tick started;

	struct snapshot editions;
	struct edition *current;
	struct edition *retired[RETIRED_MAX]; /* which somebody may still use */
	uint32_t n_retired;
	tick loaded;
	uint64_t loaded_wall_s;
	uint32_t reloads, failed;
	char problem[EDITION_PROBLEM_SIZE]; /* of the last reload; "": it was none, or went well */
	bool loading;
	control_topic reading; /* which reload is read or was read last, counted from 1 */
	bool again;            /* another one is to follow */

	char node[CONFIG_NAME_SIZE]; /* "": none of the file's */
	struct crew crew;            /* answers over UDP */
	struct tcp *tcp;
	struct service service;                    /* answers over TCP */
	uint32_t n_udp;                            /* threads at each address */
	uint8_t cookie_secret[COOKIE_SECRET_SIZE]; /* if no file has one */
	struct rrl *rrl;
	struct listeners listeners;

	struct loader *loader;
	struct holders *holders;
	bool trusted;       /* what roostd says counts */
	bool refused;       /* it does not tell us */
	uint32_t n_unknown; /* VIPs that it does not know, and that are left out for it */
	struct asker *asker;
	struct notify *notify;
	struct access_rules access;
	struct control *control;
	sd_event_source *retry, *retire, *tend;
};

/* ---- who holds what ---- */

static void apply_holders(struct server *s, struct edition *e, tick now)
{
	uint32_t n_unknown = 0;

	for (uint32_t i = 0; i < e->config->n_vips; i++)
		catalog_set_held(e->catalog, i, holders_is_held(s->holders, i, now));
	for (uint32_t i = 0; i < e->config->n_vips; i++)
		n_unknown += holders_is_unknown(s->holders, i, now) &&
			     !catalog_is_given_anyway(e->catalog, i);
	if (n_unknown > 0 && n_unknown != s->n_unknown)
		log_line(JOURNAL_WARNING,
			"roostd does not know %u of the VIPs: left out until it is restarted",
			n_unknown);
	s->n_unknown = n_unknown;
}

/* Carries what is known to the answers, and tells when roostd comes and goes. */
static void tend_holders(struct server *s, tick now)
{
	const bool trusted = holders_are_trusted(s->holders, now);

	if (trusted && !s->trusted)
		log_line(JOURNAL_INFO, "roostd tells who holds which address");
	if (!trusted && s->trusted)
		log_line(JOURNAL_WARNING, "roostd does not answer: every address is given");
	s->trusted = trusted;
	apply_holders(s, s->current, now);
}

static void wake_later(sd_event_source *source, uint64_t us)
{
	(void)sd_event_source_set_time_relative(source, us);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void on_roostd(void *context, const char *text, size_t size)
{
	struct server *s = context;
	const tick now = clock_now();
	const char *refusal;

	(void)holders_read(s->holders, text ? text : "", size, now);
	refusal = holders_refusal(s->holders);
	if (refusal[0] && !s->refused)
		log_line(JOURNAL_WARNING, "roostd refuses to tell who holds which address: %s",
			refusal);
	s->refused = refusal[0];
	tend_holders(s, now);
}

/* Time alone changes what is held, too. */
static int on_tend(sd_event_source *source, uint64_t us, void *context)
{
	(void)us;
	tend_holders(context, clock_now());
	wake_later(source, TEND_US);
	return 0;
}

/* ---- reloads ---- */

static bool is_transferred(struct edition *e)
{
	return atomic_load(&e->n_transfers) > 0;
}

/* Frees what nobody uses any more; true if that was all. */
static bool free_retired(struct server *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n_retired; i++) {
		struct edition *e = s->retired[i];

		/* first, since it is the cheaper look; last, since who begins a transfer counts it before letting go */
		if (is_transferred(e) || snapshot_is_in_use(&s->editions, e) || is_transferred(e))
			s->retired[n++] = e;
		else
			edition_free(e);
	}
	s->n_retired = n;
	return n == 0;
}

static int on_retry(sd_event_source *source, uint64_t us, void *context)
{
	struct server *s = context;

	(void)us;
	if (!listeners_retry(&s->listeners))
		wake_later(source, RETRY_US);
	return 0;
}

/* Which zones are served, and why not others. */
static void tell_manager(const struct server *s)
{
	const time_t loaded = (time_t)s->loaded_wall_s;
	char at[sizeof "2026-11-22 19:00:00 UTC"] = "?";
	struct tm tm;

	if (gmtime_r(&loaded, &tm))
		(void)strftime(at, sizeof at, "%Y-%m-%d %H:%M:%S UTC", &tm);
	manager_tell("READY=1\nSTATUS=zones of %s are served%s%s", at,
		s->problem[0] ? "; the last reload failed: " : "", s->problem);
}

static void ask_for_edition(struct server *s)
{
	/* a slow transfer may hold an old one; it ends, by its end or by its time */
	const bool is_full = s->n_retired == RETIRED_MAX;

	if (is_full && !s->again)
		log_line(JOURNAL_WARNING,
			"the reload waits: transfers from %u editions of the zones still run",
			s->n_retired);
	s->again = is_full || s->loading;
	if (s->again)
		return;
	manager_tell("RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)clock_monotonic_us());
	s->loading = true;
	s->reading++;
	loader_ask(s->loader, s->current);
}

static int on_retire(sd_event_source *source, uint64_t us, void *context)
{
	struct server *s = context;
	const uint32_t n = s->n_retired;

	(void)us;
	if (!free_retired(s))
		wake_later(source, RETIRE_US);
	/* an edition is many small pieces, of which the kernel would get none back */
	if (s->n_retired < n)
		(void)malloc_trim(0);
	if (s->again && !s->loading)
		ask_for_edition(s);
	return 0;
}

/* What the answers of @e say of this server. */
static void complete_self(const struct server *s, struct edition *e)
{
	const struct config_dns *dns = &e->config->dns;
	struct answer_self *self = &e->self;

	/* RFC 5001 */
	(void)snprintf(self->nsid, sizeof self->nsid, "%s", dns->nsid[0] ? dns->nsid : s->node);
	if (dns->chaos)
		(void)snprintf(self->version, sizeof self->version, "roost-dns " ROOST_VERSION);
	if (self->n_cookie_secrets == 0) {
		memcpy(self->cookie_secrets[0], s->cookie_secret, sizeof self->cookie_secrets[0]);
		self->n_cookie_secrets = 1;
	}
	if (!dns->cookies)
		self->n_cookie_secrets = 0;
}

/* False if there is no memory; then it is freed. */
static bool replace_edition(struct server *s, struct edition *next)
{
	const tick now = clock_now();

	if (!holders_set_config(s->holders, next->config)) {
		(void)snprintf(s->problem, sizeof s->problem, "no memory for a reload");
		log_line(JOURNAL_ERROR, "%s", s->problem);
		edition_free(next);
		return false;
	}
	complete_self(s, next);
	apply_holders(s, next, now);
	ASSERT(s->n_retired < RETIRED_MAX);
	notify_edition(s->notify, next);
	s->retired[s->n_retired++] = snapshot_swap(&s->editions, next);
	s->current = next;
	s->loaded = now;
	s->loaded_wall_s = clock_wall_s();
	listeners_apply(&s->listeners, &next->config->dns);
	wake_later(s->retry, RETRY_US);
	wake_later(s->retire, RETIRE_US);
	log_line(JOURNAL_INFO, "reloaded: %u zone%s", catalog_n_zones(next->catalog),
		plural(catalog_n_zones(next->catalog)));
	return true;
}

/* Those who wait for this reload are told what has come of it. */
static void answer_reload(struct server *s, bool done)
{
	char text[EDITION_PROBLEM_SIZE + sizeof "all zones stay as they were: "], *answer;

	(void)snprintf(text, sizeof text, "all zones stay as they were: %s", s->problem);
	answer = done ? status_render_done(STATUS_COMMAND_RELOAD) : status_render_error(text);
	control_answer_waiting(s->control, s->reading, answer ? answer : STATUS_NO_MEMORY);
	free(answer);
}

static int on_loaded(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct server *s = context;
	struct edition *next = loader_take(s->loader, s->problem);
	bool done;

	(void)source;
	(void)fd;
	(void)events;
	s->loading = false;
	done = next && replace_edition(s, next);
	if (done) {
		s->reloads++;
	} else {
		s->failed++;
		log_line(JOURNAL_ERROR, "not reloaded: all zones stay as they were");
	}
	tell_manager(s); /* before whoever asked believes that it is over */
	answer_reload(s, done);
	if (s->again) {
		s->again = false;
		ask_for_edition(s);
	}
	return 0;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	(void)source;
	(void)info;
	ask_for_edition(context);
	return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	const struct server *s = context;

	(void)source;
	(void)info;
	manager_tell("STOPPING=1");
	return sd_event_exit(s->event, EXIT_SUCCESS);
}

/* ---- the control socket ---- */

static char *render_status(struct server *s)
{
	const struct counters *counters[CREW_MAX + 1];
	const struct answer_counters *answers[CREW_MAX + 1];
	struct notify_secondary secondaries[CONFIG_TRANSFERS_MAX];
	const struct dns_status status = {.version = ROOST_VERSION,
		.node = s->node,
		.started = s->started,
		.now = clock_now(),
		.edition = s->current,
		.loaded = s->loaded,
		.reloads = s->reloads,
		.failed = s->failed,
		.problem = s->problem,
		.loading = s->loading,
		.listeners = &s->listeners,
		.holders = s->holders,
		.secondaries = secondaries,
		.n_secondaries = notify_secondaries(s->notify, secondaries),
		.counters = counters,
		.answers = answers,
		.n_threads = s->crew.n + 1,
		.n_connections = tcp_n_connections(s->tcp)};

	for (uint32_t i = 0; i < s->crew.n; i++) {
		counters[i] = udp_counters(s->crew.members[i].udp);
		answers[i] = udp_answers(s->crew.members[i].udp);
	}
	listeners_look(&s->listeners);
	counters[s->crew.n] = tcp_counters(s->tcp);
	answers[s->crew.n] = answerer_counters(s->service.answerer);
	return dns_status_render(&status);
}

static char *refuse(const struct server *s, enum access wanted)
{
	char why[ACCESS_REASON_SIZE];

	access_explain(&s->current->config->control, wanted, why);
	return status_render_error(why);
}

static char *reload(struct server *s, control_topic *ret_topic)
{
	const control_topic topic = s->reading + 1; /* what is read already may be of before */

	ask_for_edition(s);
	if (s->n_retired == RETIRED_MAX) /* for long, maybe, and there are few places to wait in */
		return status_render_error(
			"put off until a transfer ends: those that run hold too many old zones");
	*ret_topic = topic;
	return NULL;
}

static char *on_request(
	void *context, const struct control_request *request, control_topic *ret_topic)
{
	struct server *s = context;
	const char *why;

	if (request->access == ACCESS_NONE) /* nor is it read */
		return refuse(s, ACCESS_READ);
	switch (status_parse_request(request->line, request->size, &why)) {
	case STATUS_COMMAND_NONE: return status_render_error(why);
	case STATUS_COMMAND_STATUS: return render_status(s);
	case STATUS_COMMAND_RELOAD:
		return request->access < ACCESS_STEER ? refuse(s, ACCESS_STEER)
						      : reload(s, ret_topic);
	case STATUS_COMMAND_HOLDERS:
	case STATUS_COMMAND_DRAIN:
	case STATUS_COMMAND_UNDRAIN: break;
	}
	return status_render_error("a name server has no such command");
}

/* ---- start and end ---- */

static int complain(const char *what, int error)
{
	if (error < 0)
		log_line(JOURNAL_ERROR, "cannot %s: %s", what, strerror(-error));
	return error;
}

/* Which node this is, for people and for NSID. False if -n names none. */
static bool find_node(struct server *s)
{
	const struct config *config = s->current->config;
	int32_t node = CONFIG_NO_NODE;

	if (s->setup->node_name) {
		node = config_find_node_named(config, s->setup->node_name);
		if (node == CONFIG_NO_NODE) {
			log_line(JOURNAL_ERROR, "there is no node %s in the file",
				s->setup->node_name);
			return false;
		}
	} else if (!self_find(config, &node)) {
		node = CONFIG_NO_NODE; /* of several; it may do without */
	}
	if (node != CONFIG_NO_NODE)
		(void)snprintf(s->node, sizeof s->node, "%s", config->nodes[node].name);
	return true;
}

static uint32_t choose_threads(const struct config_dns *dns)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t n = dns->threads;

	if (n == 0)
		n = cores > 0 ? (uint32_t)cores : 1;
	return n < CREW_EACH_MAX ? n : CREW_EACH_MAX;
}

static int seed(void *secret, size_t size)
{
	return getrandom(secret, size, 0) == (ssize_t)size ? 0 : -EIO;
}

/* How many TCP connections the limit of open files allows, as far as it can be raised. */
static uint32_t choose_connections(uint32_t n_udp)
{
	const rlim_t reserved = FILES_FOR_OTHERS + (n_udp + 1) * (rlim_t)CONFIG_LISTEN_MAX;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return CONNECTIONS_CLIENT;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= reserved + CONNECTIONS_MAX)
		return CONNECTIONS_MAX;
	return limit.rlim_cur > reserved + CONNECTIONS_CLIENT
		       ? (uint32_t)(limit.rlim_cur - reserved)
		       : CONNECTIONS_CLIENT;
}

static int start_tcp(struct server *s)
{
	const struct tcp_setup setup = {.service = {.context = &s->service,
						.answer = service_answer,
						.stream_next = service_stream_next,
						.stream_end = service_stream_end},
		.connections_max = choose_connections(s->n_udp),
		.client_max = CONNECTIONS_CLIENT,
		.patience = CONNECTION_TIME};
	uint64_t orders = 0;
	const int error = seed(&orders, sizeof orders);

	if (error)
		return error;
	s->service = (struct service){
		.editions = &s->editions, .reader = CREW_MAX, .answerer = answerer_new(orders)};
	return s->service.answerer ? tcp_start(&setup, &s->tcp) : -ENOMEM;
}

/* Those over UDP start with their sockets. */
static int start_threads(struct server *s)
{
	uint64_t secret = 0;
	int error = seed(&secret, sizeof secret);

	if (!error)
		error = seed(s->cookie_secret, sizeof s->cookie_secret);
	s->n_udp = choose_threads(&s->current->config->dns);
	s->rrl = rrl_new(secret);
	if (!error && (!s->rrl || !snapshot_init(&s->editions, CREW_MAX + 1, s->current)))
		error = -ENOMEM;
	s->crew.editions = &s->editions;
	s->crew.rrl = s->rrl;
	complete_self(s, s->current);
	if (!error)
		error = start_tcp(s);
	if (!error)
		error = loader_start(s->setup->config_path, &s->loader);
	return complain("start the threads", error);
}

static int add_sources(struct server *s)
{
	const struct asker_setup asker = {s->event, s->setup->roostd_path, on_roostd, s};
	int error = sd_event_add_signal(s->event, NULL, SIGTERM, on_stop, s);

	if (error >= 0)
		error = sd_event_add_signal(s->event, NULL, SIGINT, on_stop, s);
	if (error >= 0)
		error = sd_event_add_signal(s->event, NULL, SIGHUP, on_hangup, s);
	if (error >= 0)
		error = sd_event_add_io(
			s->event, NULL, loader_fd(s->loader), EPOLLIN, on_loaded, s);
	if (error >= 0)
		error = sd_event_add_time_relative(
			s->event, &s->retry, CLOCK_MONOTONIC, RETRY_US, 0, on_retry, s);
	if (error >= 0)
		error = sd_event_add_time_relative(
			s->event, &s->retire, CLOCK_MONOTONIC, RETIRE_US, 0, on_retire, s);
	if (error >= 0)
		error = sd_event_add_time_relative(
			s->event, &s->tend, CLOCK_MONOTONIC, TEND_US, 0, on_tend, s);
	if (error >= 0)
		error = asker_new(&asker, &s->asker);
	if (error >= 0)
		error = notify_new(s->event, &s->notify);
	return complain("wait for events", error);
}

static int open_control(struct server *s)
{
	const struct control_setup setup = {s->setup->socket_path, s->access, on_request, s};
	const int error = control_new(s->event, &setup, &s->control);

	if (error == -EADDRINUSE)
		log_line(JOURNAL_ERROR, "another roost-dns runs: it has %s", s->setup->socket_path);
	else if (error < 0)
		log_line(JOURNAL_ERROR, "cannot listen at %s: %s", s->setup->socket_path,
			strerror(-error));
	return error;
}

static int listen_everywhere(struct server *s)
{
	s->listeners.crew = &s->crew;
	s->listeners.n_udp = s->n_udp;
	s->listeners.tcp = s->tcp;
	listeners_apply(&s->listeners, &s->current->config->dns);
	if (listeners_any(&s->listeners))
		return 0;
	log_line(JOURNAL_ERROR, "there is no address that it could listen on");
	return -EADDRNOTAVAIL;
}

/* The signals are the main thread's alone: blocked before there is another one. */
static void block_signals(void)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
}

static void confine(const struct server *s)
{
	const int error = s->setup->sandboxed ? sandbox_enter(SANDBOX_NAME_SERVER) : 0;

	if (error)
		log_line(JOURNAL_WARNING, "no filter of system calls: %s", strerror(-error));
}

static int start(struct server *s)
{
	const char *missing;
	int error;

	s->current = edition_load(s->setup->config_path, NULL, s->problem);
	if (!s->current || !find_node(s))
		return -EINVAL;
	missing = access_find_rules(&s->current->config->control, &s->access);
	if (missing) {
		log_line(JOURNAL_ERROR, "%s: there is no group %s on this machine",
			s->setup->config_path, missing);
		return -ENOENT;
	}
	s->holders = holders_new();
	if (!s->holders || !holders_set_config(s->holders, s->current->config))
		return complain("start", -ENOMEM);
	s->started = s->loaded = clock_now();
	s->loaded_wall_s = clock_wall_s();
	block_signals();
	error = complain("wait for events", sd_event_new(&s->event));
	/* before anything is bound: whoever has it serves already */
	if (error >= 0)
		error = open_control(s);
	if (error >= 0)
		error = start_threads(s);
	if (error >= 0)
		error = add_sources(s);
	if (error >= 0)
		error = listen_everywhere(s);
	if (error < 0)
		return error;
	confine(s);
	log_line(JOURNAL_INFO, "ready: %u zone%s, %u thread%s",
		catalog_n_zones(s->current->catalog), plural(catalog_n_zones(s->current->catalog)),
		s->n_udp, plural(s->n_udp));
	notify_edition(s->notify, s->current);
	tell_manager(s);
	return 0;
}

static void end(struct server *s)
{
	loader_stop(s->loader); /* while the others still answer */
	control_free(s->control);
	asker_free(s->asker);
	notify_free(s->notify);
	crew_fini(&s->crew);
	tcp_stop(s->tcp);
	answerer_free(s->service.answerer);
	(void)free_retired(s);
	edition_free(s->current);
	snapshot_fini(&s->editions);
	rrl_free(s->rrl);
	holders_free(s->holders);
	sd_event_source_unref(s->retry);
	sd_event_source_unref(s->retire);
	sd_event_source_unref(s->tend);
	sd_event_unref(s->event);
}

int server_run(const struct server_setup *setup)
{
	struct server *s = calloc(1, sizeof *s);
	int status = EXIT_FAILURE;

	if (!s)
		return EXIT_FAILURE;
	s->setup = setup;
	if (start(s) >= 0 && sd_event_loop(s->event) == EXIT_SUCCESS)
		status = EXIT_SUCCESS;
	end(s);
	free(s);
	return status;
}
