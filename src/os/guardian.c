/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/clock.h"
#include "os/fence.h"
#include "os/journal.h"
#include "os/manager.h"
#include "os/memory.h"
#include "os/raw.h"
#include "os/will.h"

/* As the fast thread's: on a busy machine the cluster waits for nobody else. */
#define REALTIME_PRIORITY 50

/* How often the daemon's progress is looked at, and how many looks in vain it survives. Looks are
 * counted, and not time, for this process may have been stopped as well. */
#define LOOK_MS   5000
#define LOOKS_MAX 6

/* The first new life begins at once, the next ones after pauses that double. */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 10000

/* Who lived so long did not die of how it was started. */
#define LONG_LIFE tick_s(60)

/* Where memory runs out, the daemon is to go, not its guardian: a twentieth of all memory. */
#define MORE_EXPENDABLE 50

struct guardian {
	struct daemon_setup setup;
	struct destinations destinations;
	struct will *will;
	struct journal *journal;
	struct raw *raw;
	int netlink;
	pid_t self, daemon;
	bool stopping;  /* it was told to */
	bool was_ready; /* a daemon was */
	bool opened;    /* this daemon's will has been carried out, before it was gone */
	uint32_t n_said, n_removed;
	tick born;
	uint32_t pause_ms; /* before the next life */
	struct {
		tick at; /* the next look */
		uint32_t period_ms, in_vain;
		uint64_t turns;
		bool fed; /* systemd wants to hear of it */
	} watch;
};

/* Signals that came, a bit for each: a handler can reach nothing else. */
static _Atomic uint32_t arrived;

static void on_signal(int number)
{
	atomic_fetch_or(&arrived, 1u << number);
}

static const int passed_on[] = {SIGTERM, SIGINT, SIGHUP};

static void catch_signals(void)
{
	/* without SA_RESTART: whatever waits is to look again */
	const struct sigaction action = {.sa_handler = on_signal};

	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		(void)sigaction(passed_on[i], &action, NULL);
	(void)sigaction(SIGCHLD, &action, NULL);
}

static sigset_t caught(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaddset(&set, passed_on[i]);
	sigaddset(&set, SIGCHLD);
	return set;
}

/* ---- the child ---- */

static struct will *faulty; /* for the handler below */

/* A core dump may take its time; the cluster need not wait for it. */
static void on_fault(int number)
{
	will_open(faulty);
	/* by its default action, when this returns: SA_RESETHAND */
	(void)raise(number);
}

static void catch_faults(struct will *will)
{
	const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	const struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_RESETHAND};

	faulty = will;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		(void)sigaction(faults[i], &action, NULL);
}

static void become_expendable(void)
{
	/* who has changed its user has no access to this file of its own, but by a detour */
	const int dumpable = prctl(PR_GET_DUMPABLE);
	char text[16] = "";
	int fd, size;

	(void)prctl(PR_SET_DUMPABLE, 1);
	fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	(void)prctl(PR_SET_DUMPABLE, dumpable == 1);
	if (fd < 0)
		return;
	if (read(fd, text, sizeof text - 1) > 0) {
		size = snprintf(text, sizeof text, "%d", atoi(text) + MORE_EXPENDABLE);
		(void)!write(fd, text, (size_t)size);
	}
	close(fd);
}

static int live(struct guardian *g)
{
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t child;

	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		(void)sigaction(passed_on[i], &usual, NULL);
	(void)sigaction(SIGCHLD, &usual, NULL);
	/* the others wait for the daemon's loop */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_UNBLOCK, &child, NULL);
	(void)prctl(PR_SET_NAME, "roostd");
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != g->self)
		return EXIT_FAILURE;
	become_expendable();
	catch_faults(g->will);
	raw_free(g->raw);
	close(g->netlink);
	g->raw = NULL;
	g->netlink = -1;
	return daemon_run(&g->setup);
}

/* ---- the end of a life ---- */

/* What a kernel refuses is not told: it may be that there is nothing to do. */
static void carry_out(struct guardian *g)
{
	struct auth *auth = g->setup.auth;

	/* it may have ended because another daemon is here, whose leases are none of ours */
	if (will_turns(g->will) == 0)
		return;
	(void)fence_shut_pinned(NULL);
	if (auth)
		auth_skip_to(auth, will_sequence(g->will));
	g->n_said += will_send(g->will, g->raw);
	g->n_removed = will_remove(g->will, g->netlink);
}

static void report(struct guardian *g, int end)
{
	char how[64];

	if (WIFSIGNALED(end))
		(void)snprintf(how, sizeof how, "was killed by SIG%s",
			sigabbrev_np(WTERMSIG(end)) ? sigabbrev_np(WTERMSIG(end)) : "?");
	else
		(void)snprintf(how, sizeof how, "failed with status %d", WEXITSTATUS(end));
	journal_line(g->journal, JOURNAL_WARNING,
		"guardian: the daemon %s; sent %u last advertisements, removed %u addresses", how,
		g->n_said, g->n_removed);
}

/* ---- watching ---- */

static void pass_on(struct guardian *g)
{
	const uint32_t signals = atomic_exchange(&arrived, 0);

	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++) {
		if (!(signals & 1u << passed_on[i]))
			continue;
		g->stopping |= passed_on[i] != SIGHUP;
		if (g->daemon > 0)
			(void)kill(g->daemon, passed_on[i]);
	}
}

static void feed_watchdog(const struct guardian *g)
{
	if (g->watch.fed)
		manager_tell("WATCHDOG=1");
}

static void look(struct guardian *g)
{
	const uint64_t turns = will_turns(g->will);
	const tick now = clock_now();

	if (now < g->watch.at)
		return;
	g->watch.at = tick_add(now, tick_ms(g->watch.period_ms));
	g->watch.in_vain = turns == g->watch.turns ? g->watch.in_vain + 1 : 0;
	g->watch.turns = turns;
	if (g->watch.in_vain == 0)
		feed_watchdog(g);
	if (g->watch.in_vain * g->watch.period_ms < LOOKS_MAX * LOOK_MS)
		return;
	journal_line(g->journal, JOURNAL_ERROR,
		"guardian: the daemon makes no progress for %u s; killing it",
		g->watch.in_vain * g->watch.period_ms / 1000);
	(void)kill(g->daemon, SIGKILL);
	g->watch.in_vain = 0;
}

/* Until the daemon is gone; returns how it ended, as waitpid() has it. */
static int watch(struct guardian *g)
{
	int end;

	g->watch.at = tick_add(clock_now(), tick_ms(g->watch.period_ms));
	g->watch.in_vain = 0;
	for (;;) {
		const tick left = tick_since(g->watch.at, clock_now());

		will_wait(g->will, &arrived, (uint32_t)tick_to_ms(left) + 1, g->opened);
		pass_on(g);
		if (!g->opened && will_is_open(g->will)) {
			carry_out(g);
			g->opened = true;
		}
		if (waitpid(g->daemon, &end, WNOHANG) == g->daemon)
			break;
		look(g);
	}
	g->daemon = 0;
	return end;
}

/* ---- lives ---- */

/* What a death calls for takes no memory then. */
static void own_memory(struct guardian *g)
{
	raw_own(g->raw);
	if (g->setup.auth)
		memory_own(g->setup.auth, sizeof *g->setup.auth);
	memory_own_stack();
}

/* As fork(). What comes meanwhile reaches the one that it is for. */
static pid_t begin(struct guardian *g)
{
	const sigset_t signals = caught();
	pid_t pid;

	will_clear(g->will);
	g->opened = false;
	g->n_said = g->n_removed = 0;
	g->born = clock_now();
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	pid = fork();
	if (pid == 0)
		return 0;
	(void)sigprocmask(SIG_UNBLOCK, &signals, NULL);
	own_memory(g);
	return pid;
}

/* False if it was told to stop meanwhile. */
static bool pause_before_next(struct guardian *g)
{
	const tick now = clock_now();
	tick until;

	if (tick_since(now, g->born) >= LONG_LIFE)
		g->pause_ms = 0;
	until = tick_add(now, tick_ms(g->pause_ms));
	journal_line(
		g->journal, JOURNAL_NOTICE, "guardian: starting it again in %u ms", g->pause_ms);
	g->pause_ms = g->pause_ms ? 2 * g->pause_ms : PAUSE_MIN_MS;
	if (g->pause_ms > PAUSE_MAX_MS)
		g->pause_ms = PAUSE_MAX_MS;
	feed_watchdog(g);
	for (;;) {
		const tick left = tick_since(until, clock_now());

		pass_on(g);
		if (g->stopping || left == 0)
			return !g->stopping;
		will_wait(g->will, &arrived, (uint32_t)tick_to_ms(left) + 1, true);
	}
}

static int guard(struct guardian *g)
{
	do {
		int end;

		g->daemon = begin(g);
		if (g->daemon == 0)
			return live(g);
		if (g->daemon < 0) {
			journal_line(g->journal, JOURNAL_ERROR,
				"guardian: cannot start the daemon: %s", strerror(errno));
			continue;
		}
		end = watch(g);
		if (WIFEXITED(end) && WEXITSTATUS(end) == EXIT_SUCCESS)
			return EXIT_SUCCESS;
		/* also when it was done before: another thread may have gone on for a moment */
		carry_out(g);
		g->was_ready |= will_is_ready(g->will);
		/* a start that fails has said why itself */
		if (g->was_ready || WIFSIGNALED(end))
			report(g, end);
		if (g->stopping || !g->was_ready)
			return EXIT_FAILURE;
	} while (pause_before_next(g));
	return EXIT_SUCCESS;
}

/* ---- start ---- */

/* Nothing is to be had for the first time when it is needed. */
static int prepare(struct guardian *g)
{
	const struct config *config = g->setup.config;
	const struct plan *plan = g->setup.plan;
	int error;

	g->journal = journal_new(config, g->setup.self);
	if (!g->journal || !destinations_init(&g->destinations, plan, g->setup.self))
		return -ENOMEM;
	g->will = will_new(plan, &g->destinations);
	if (!g->will)
		return -ENOMEM;
	g->setup.will = g->will;
	g->setup.destinations = &g->destinations;
	error = raw_new(plan_families(plan), &g->raw);
	if (!error)
		error = raw_deafen(g->raw);
	if (error)
		return error;
	if (g->setup.auth && config->auth.mode >= CONFIG_AUTH_PERMISSIVE)
		raw_sign_with(g->raw, g->setup.auth);
	g->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	return g->netlink < 0 ? -errno : 0;
}

static void protect(void)
{
	const struct sched_param param = {.sched_priority = REALTIME_PRIORITY};

	(void)prctl(PR_SET_NAME, "roostd-guardian");
	/* what is not permitted makes it slower on a machine that is in trouble, no more */
	(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
	(void)sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
}

static void watch_for_systemd(struct guardian *g)
{
	uint64_t us;

	g->watch.period_ms = LOOK_MS;
	g->watch.fed = sd_watchdog_enabled(0, &us) > 0;
	if (g->watch.fed && us / 3000 < LOOK_MS)
		g->watch.period_ms = us < 3000 ? 1 : (uint32_t)(us / 3000);
}

static void dispose(struct guardian *g)
{
	raw_free(g->raw);
	if (g->netlink >= 0)
		close(g->netlink);
	will_free(g->will);
	destinations_fini(&g->destinations);
	journal_free(g->journal);
}

int guardian_run(const struct daemon_setup *setup)
{
	struct guardian g = {.setup = *setup, .netlink = -1, .self = getpid()};
	const int error = prepare(&g);
	int status = EXIT_FAILURE;

	if (error) {
		journal_line(
			g.journal, JOURNAL_ERROR, "guardian: cannot start: %s", strerror(-error));
	} else {
		watch_for_systemd(&g);
		catch_signals();
		protect();
		status = guard(&g);
	}
	dispose(&g);
	return status;
}
