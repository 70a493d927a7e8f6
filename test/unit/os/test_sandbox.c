/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/sandbox.h"
#include "suite.h"

#define OUTPUT_SIZE 512

typedef void (*act_fn)(void);

/* What became of a process that did something. */
struct outcome {
	int status; /* wait(2)'s */
	char output[OUTPUT_SIZE];
};

static void enter(enum sandbox_stage stage)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(99);
	if (stage != SANDBOX_NAME_SERVER && sandbox_enter(SANDBOX_START) < 0)
		_exit(98);
	if (stage != SANDBOX_START && sandbox_enter(stage) < 0)
		_exit(97);
}

static struct outcome behold(enum sandbox_stage stage, act_fn act)
{
	struct outcome o = {0};
	int ends[2];
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)dup2(ends[1], STDERR_FILENO);
		enter(stage);
		act();
		_exit(0);
	}
	close(ends[1]);
	n = read(ends[0], o.output, sizeof o.output - 1);
	ck_assert_int_ge(n, 0);
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &o.status, 0), pid);
	return o;
}

/* ---- what is forbidden ---- */

static void run_a_program(void)
{
	(void)execl("/bin/true", "true", NULL);
}

static void make_a_namespace(void)
{
	(void)unshare(CLONE_NEWUSER);
}

static void clone_into_a_namespace(void)
{
	(void)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0ul);
}

static void map_code(void)
{
	(void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void turn_data_into_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static void mount_something(void)
{
	(void)mount("none", "/tmp", "tmpfs", 0, NULL);
}

static void trace_the_parent(void)
{
	(void)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static void become_root(void)
{
	(void)syscall(SYS_setuid, 0);
}

static void open_tcp(void)
{
	(void)socket(AF_INET, SOCK_STREAM, 0);
}

static void open_raw(void)
{
	(void)socket(AF_INET6, SOCK_RAW, 112);
}

static void open_packet_socket(void)
{
	(void)socket(AF_PACKET, SOCK_RAW, 0);
}

static void make_a_process(void)
{
	if (fork() == 0)
		_exit(0);
}

static void *idle(void *argument)
{
	return argument;
}

static void make_a_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, idle, NULL) != 0)
		_exit(1);
	(void)pthread_join(thread, NULL);
}

static void load_bpf(void)
{
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SCHED_CLS};

	(void)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
}

static void kill_the_parent(void)
{
	(void)kill(getppid(), 0);
}

static void listen_on_a_socket(void)
{
	(void)listen(STDIN_FILENO, 1);
}

static void write_a_file(void)
{
	(void)open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static void make_a_directory(void)
{
	(void)mkdir("/tmp", 0700);
}

static void call_what_nobody_knows(void)
{
	(void)syscall(600);
}

static const struct {
	enum sandbox_stage stage;
	act_fn act;
	const char *name; /* NULL: the C library blocks all signals meanwhile, so nobody can tell */
} forbidden[] = {
	{SANDBOX_START, run_a_program, "execve"},
	{SANDBOX_START, make_a_namespace, "unshare"},
	{SANDBOX_START, clone_into_a_namespace, "clone"},
	{SANDBOX_START, map_code, "mmap"},
	{SANDBOX_START, turn_data_into_code, "mprotect"},
	{SANDBOX_START, mount_something, "mount"},
	{SANDBOX_START, trace_the_parent, "ptrace"},
	{SANDBOX_START, become_root, "setuid"},
	{SANDBOX_START, call_what_nobody_knows, "600"},
	{SANDBOX_RUNNING, run_a_program, "execve"},
	{SANDBOX_RUNNING, open_tcp, "socket"},
	{SANDBOX_RUNNING, open_raw, "socket"},
	{SANDBOX_RUNNING, load_bpf, "bpf"},
	{SANDBOX_RUNNING, kill_the_parent, "kill"},
	{SANDBOX_RUNNING, listen_on_a_socket, "listen"},
	{SANDBOX_RUNNING, make_a_process, "clone"},
	{SANDBOX_RUNNING, make_a_thread, NULL},
	{SANDBOX_NAME_SERVER, run_a_program, "execve"},
	{SANDBOX_NAME_SERVER, map_code, "mmap"},
	{SANDBOX_NAME_SERVER, open_packet_socket, "socket"},
	{SANDBOX_NAME_SERVER, load_bpf, "bpf"},
	{SANDBOX_NAME_SERVER, kill_the_parent, "kill"},
	{SANDBOX_NAME_SERVER, make_a_process, "clone"},
	{SANDBOX_NAME_SERVER, clone_into_a_namespace, "clone"},
	{SANDBOX_NAME_SERVER, write_a_file, "openat"},
	{SANDBOX_NAME_SERVER, make_a_directory, "mkdir"},
};

START_TEST(what_is_forbidden_ends_the_process_and_is_named)
{
	const struct outcome o = behold(forbidden[_i].stage, forbidden[_i].act);
	char line[128];

	(void)snprintf(line, sizeof line, "%s: the filter forbids the system call %s; aborting\n",
		forbidden[_i].stage == SANDBOX_NAME_SERVER ? "roost-dns" : "roostd",
		forbidden[_i].name ? forbidden[_i].name : "?");
	ck_assert_msg(WIFSIGNALED(o.status) && WTERMSIG(o.status) == SIGSYS, "status %x, \"%s\"",
		(unsigned)o.status, o.output);
	if (forbidden[_i].name)
		ck_assert_str_eq(o.output, line);
	else
		ck_assert_str_eq(o.output, "");
}
END_TEST

/* ---- what is not ---- */

static void keep_a_file(void)
{
	const int fd = open("/tmp/roost-sandbox", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "1", 1) != 1 || fsync(fd) < 0 || close(fd) < 0 ||
		rename("/tmp/roost-sandbox", "/tmp/roost-sandbox.2") < 0 ||
		unlink("/tmp/roost-sandbox.2") < 0)
		_exit(1);
}

static void use_memory(void)
{
	char *p = malloc(100);

	for (size_t size = 1000; p && size < 100000000; size *= 10) {
		char *const larger = realloc(p, size);

		if (!larger)
			_exit(1);
		p = larger;
		p[size - 1] = 1;
	}
	free(p);
}

static void list_interfaces(void)
{
	struct if_nameindex *all = if_nameindex();

	if (!all || if_nametoindex("lo") == 0)
		_exit(1);
	if_freenameindex(all);
}

static void make_and_await_a_process(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		_exit(1);
}

static void open_vrrp_sockets(void)
{
	/* without the capability it fails, and that is an answer */
	(void)socket(AF_INET, SOCK_RAW, 112);
	(void)socket(AF_PACKET, SOCK_RAW, 0);
}

static void read_a_file(void)
{
	char line[16];
	FILE *f = fopen("/proc/self/comm", "re");

	if (!f || !fgets(line, sizeof line, f) || fclose(f) != 0)
		_exit(1);
}

static void listen_on_a_new_address(void)
{
	const struct sockaddr_in any = {.sin_family = AF_INET};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof any) < 0 || listen(fd, 1) < 0)
		_exit(1);
}

static const struct {
	enum sandbox_stage stage;
	act_fn act;
} allowed[] = {
	{SANDBOX_START, make_a_thread},
	{SANDBOX_START, make_and_await_a_process},
	{SANDBOX_START, open_vrrp_sockets},
	{SANDBOX_START, load_bpf},
	{SANDBOX_RUNNING, keep_a_file},
	{SANDBOX_RUNNING, use_memory},
	{SANDBOX_RUNNING, list_interfaces},
	{SANDBOX_NAME_SERVER, use_memory},
	{SANDBOX_NAME_SERVER, read_a_file},
	{SANDBOX_NAME_SERVER, make_a_thread},
	{SANDBOX_NAME_SERVER, listen_on_a_new_address},
};

START_TEST(what_is_needed_is_not_forbidden)
{
	const struct outcome o = behold(allowed[_i].stage, allowed[_i].act);

	ck_assert_str_eq(o.output, "");
	ck_assert_int_eq(o.status, 0);
}
END_TEST

static void abort_as_an_assertion_does(void)
{
	abort();
}

START_TEST(an_assertion_that_fails_still_aborts)
{
	const struct outcome o = behold(SANDBOX_RUNNING, abort_as_an_assertion_does);

	ck_assert_str_eq(o.output, "");
	ck_assert(WIFSIGNALED(o.status) && WTERMSIG(o.status) == SIGABRT);
}
END_TEST

/* ---- threads ---- */

static int go[2];

static void *open_tcp_later(void *argument)
{
	char byte;

	if (read(go[0], &byte, 1) == 1)
		open_tcp();
	return argument;
}

START_TEST(threads_that_are_there_already_are_bound_too)
{
	struct outcome o = {0};
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		pthread_t thread;

		(void)close(STDERR_FILENO);
		if (pipe(go) < 0 || pthread_create(&thread, NULL, open_tcp_later, NULL) != 0)
			_exit(1);
		enter(SANDBOX_RUNNING);
		if (write(go[1], "", 1) == 1)
			(void)pthread_join(thread, NULL);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &o.status, 0), pid);
	ck_assert(WIFSIGNALED(o.status) && WTERMSIG(o.status) == SIGSYS);
}
END_TEST

START_TEST(under_systemd_the_line_has_a_level)
{
	struct outcome o;

	ck_assert_int_eq(setenv("JOURNAL_STREAM", "8:1", 1), 0);
	o = behold(SANDBOX_START, run_a_program);
	ck_assert_int_eq(strncmp(o.output, "<3>roostd: ", 11), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sandbox");
	TCase *t = tcase_create("sandbox");
	SRunner *r;
	int failed;

	(void)unsetenv("JOURNAL_STREAM");
	tcase_add_loop_test(
		t, what_is_forbidden_ends_the_process_and_is_named, 0, ARRAY_SIZE(forbidden));
	tcase_add_loop_test(t, what_is_needed_is_not_forbidden, 0, ARRAY_SIZE(allowed));
	tcase_add_test(t, an_assertion_that_fails_still_aborts);
	tcase_add_test(t, threads_that_are_there_already_are_bound_too);
	tcase_add_test(t, under_systemd_the_line_has_a_level);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
