/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guardian of a daemon that does nothing but what it is told here, by a clock that runs as fast as anybody
 * waits for it. */
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/fence.h"
#include "os/guardian.h"
#include "os/manager.h"
#include "suite.h"

/* When it begins. */
#define START tick_s(1000)

/* How long the guardian bears with a daemon that takes no turns, and how often it looks. */
#define PATIENCE tick_s(30)
#define LOOK     tick_s(5)

/* What becomes of a life; the one after it ends in order. */
enum fate { HANGS, DIES, FAILS };

static struct {
	enum fate fate;
	tick lively_until; /* it takes turns */
	tick stopped_by;   /* then somebody tells the guardian to stop */
	tick pause;        /* once it takes no turns any more, both stand still for so long */
	tick now;
	tick killed;     /* by the guardian, for the first time */
	tick fed;        /* systemd's watchdog, for the last time before that */
	uint32_t n_shut; /* how often the leases were closed */
	_Atomic uint32_t *n_lives;
} world;

int __real_kill(pid_t pid, int number);
int __wrap_kill(pid_t pid, int number);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);
void __wrap_manager_tell(const char *format, ...);
int __wrap_fence_shut_pinned(const char *directory);
int __wrap_raw_new(unsigned families, struct raw **ret_raw);
int __wrap_raw_deafen(struct raw *r);
void __wrap_raw_own(struct raw *r);
void __wrap_raw_flush(struct raw *r);
void __wrap_will_wait(
	struct will *w, const _Atomic uint32_t *signals, uint32_t timeout_ms, bool seen);
int __wrap_daemon_run(const struct daemon_setup *setup);

int __wrap_kill(pid_t pid, int number)
{
	if (number == SIGKILL && !world.killed)
		world.killed = world.now;
	return __real_kill(pid, number);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	(void)clock;
	*ret_time = (struct timespec){.tv_sec = (time_t)(world.now / tick_s(1)),
		.tv_nsec = (long)(world.now % tick_s(1))};
	return 0;
}

void __wrap_manager_tell(const char *format, ...)
{
	ck_assert_str_eq(format, "WATCHDOG=1");
	if (!world.killed)
		world.fed = world.now;
}

int __wrap_fence_shut_pinned(const char *directory)
{
	ck_assert_ptr_null(directory);
	world.n_shut++;
	return 0;
}

/* It has nothing to say, and needs no rights for that. */
int __wrap_raw_new(unsigned families, struct raw **ret_raw)
{
	(void)families;
	*ret_raw = NULL;
	return 0;
}

int __wrap_raw_deafen(struct raw *r)
{
	(void)r;
	return 0;
}

void __wrap_raw_own(struct raw *r)
{
	(void)r;
}

void __wrap_raw_flush(struct raw *r)
{
	(void)r;
}

/* Time passes for a daemon that is there, and about which nothing has been done. */
static bool is_watched(const struct will *w)
{
	return world.fate == HANGS && *world.n_lives == 1 && will_is_ready(w) && !world.killed &&
	       !(world.stopped_by && world.now >= world.stopped_by);
}

void __wrap_will_wait(
	struct will *w, const _Atomic uint32_t *signals, uint32_t timeout_ms, bool seen)
{
	(void)signals;
	(void)seen;
	if (is_watched(w)) {
		world.now += tick_ms(timeout_ms);
		if (world.now < world.lively_until) {
			will_count_turn(w);
		} else if (world.lively_until) {
			world.now += world.pause;
			world.pause = 0;
		}
		ck_assert_msg(world.now < tick_s(3600), "it waits for ever");
	}
	if (world.stopped_by && world.now >= world.stopped_by)
		(void)raise(SIGTERM);
	/* to begin and to die takes a moment, however fast the clock */
	(void)poll(NULL, 0, 1);
}

int __wrap_daemon_run(const struct daemon_setup *setup)
{
	sigset_t stop;
	int number;

	if (++*world.n_lives > 1)
		return EXIT_SUCCESS;
	if (world.fate == FAILS)
		return EXIT_FAILURE;
	will_count_turn(setup->will);
	will_set_ready(setup->will);
	if (world.fate == DIES)
		(void)raise(SIGKILL);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	(void)sigwait(&stop, &number);
	return EXIT_SUCCESS;
}

static int run_guardian(void)
{
	static struct config_node node = {.name = "www1"};
	static const struct config config = {.nodes = &node, .n_nodes = 1};
	static const struct plan plan = {.config = &config, .n_nodes = 1};
	const struct daemon_setup setup = {.config = &config, .plan = &plan};
	const pid_t self = getpid();
	int status;

	world.now = START;
	world.n_lives = mmap(NULL, sizeof *world.n_lives, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(world.n_lives != MAP_FAILED);
	status = guardian_run(&setup);
	if (getpid() != self)
		_exit(status);
	return status;
}

/* When something happened, from the start. */
static tick after(tick at)
{
	return tick_since(at, START);
}

static void assert_between(tick at, tick first, tick last)
{
	ck_assert_uint_ge(at, first);
	ck_assert_uint_le(at, last);
}

START_TEST(a_daemon_that_takes_no_turns_is_killed_after_half_a_minute)
{
	world.fate = HANGS;
	ck_assert_int_eq(run_guardian(), EXIT_SUCCESS);
	ck_assert_uint_eq(*world.n_lives, 2);
	/* a look may come just after the last turn, and its time is in whole ms */
	assert_between(after(world.killed), PATIENCE, PATIENCE + LOOK + tick_s(1));
}
END_TEST

START_TEST(half_a_minute_is_from_the_last_turn)
{
	world.fate = HANGS;
	world.lively_until = START + tick_s(300);
	ck_assert_int_eq(run_guardian(), EXIT_SUCCESS);
	assert_between(
		after(world.killed), tick_s(300) + PATIENCE - LOOK, tick_s(300) + PATIENCE + LOOK);
}
END_TEST

START_TEST(a_daemon_that_takes_turns_is_left_alone)
{
	world.fate = HANGS;
	world.lively_until = TICK_NEVER;
	world.stopped_by = START + tick_s(600);
	ck_assert_int_eq(run_guardian(), EXIT_SUCCESS);
	ck_assert_uint_eq(world.killed, 0);
	ck_assert_uint_eq(*world.n_lives, 1);
}
END_TEST

/* Both were stopped, or the machine was: when the guardian goes on, the daemon has had no time yet. */
START_TEST(a_pause_of_both_is_nobodys_fault)
{
	world.fate = HANGS;
	world.lively_until = START + tick_s(10);
	world.pause = tick_s(100);
	ck_assert_int_eq(run_guardian(), EXIT_SUCCESS);
	assert_between(
		after(world.killed), tick_s(110) + PATIENCE - LOOK, tick_s(110) + PATIENCE + LOOK);
}
END_TEST

START_TEST(a_watchdog_is_fed_as_often_as_it_asks_and_makes_nobody_impatient)
{
	ck_assert_int_eq(setenv("WATCHDOG_USEC", "3000000", 1), 0);
	world.fate = HANGS;
	world.lively_until = START + tick_s(100);
	ck_assert_int_eq(run_guardian(), EXIT_SUCCESS);
	assert_between(after(world.fed), tick_s(100) - tick_s(2), tick_s(100) + tick_s(2));
	assert_between(after(world.killed), tick_s(100) + PATIENCE - tick_s(2),
		tick_s(100) + PATIENCE + tick_s(3));
}
END_TEST

START_TEST(the_leases_are_closed_when_a_daemon_dies)
{
	world.fate = DIES;
	ck_assert_int_eq(run_guardian(), EXIT_SUCCESS);
	ck_assert_uint_eq(*world.n_lives, 2);
	ck_assert_uint_ge(world.n_shut, 1);
}
END_TEST

/* They are another's, which is why it failed. */
START_TEST(the_leases_stay_when_a_daemon_has_not_begun)
{
	world.fate = FAILS;
	ck_assert_int_eq(run_guardian(), EXIT_FAILURE);
	ck_assert_uint_eq(*world.n_lives, 1);
	ck_assert_uint_eq(world.n_shut, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_daemon_that_takes_no_turns_is_killed_after_half_a_minute,
		half_a_minute_is_from_the_last_turn,
		a_daemon_that_takes_turns_is_left_alone,
		a_pause_of_both_is_nobodys_fault,
		a_watchdog_is_fed_as_often_as_it_asks_and_makes_nobody_impatient,
		the_leases_are_closed_when_a_daemon_dies,
		the_leases_stay_when_a_daemon_has_not_begun,
	};

	return run_suite("guardian", tests, ARRAY_SIZE(tests));
}
