/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/journal.h"

/* The kernel's numbers end below this on every architecture that counts from 0. */
#define NAMES_MAX 640

#define NEW_NAMESPACES                                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
		CLONE_NEWPID | CLONE_NEWNET)

/* linux/prctl.h of Linux 5.17: the C library names its mappings */
#define ROOST_PR_SET_VMA 0x53564d41

/* An architecture that lacks one of these has another; libseccomp leaves out what there is not. */
static const int always[] = {
	/* files that are open, and what is there */
	SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64), SCMP_SYS(statx), SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64), SCMP_SYS(getdents64),
	/* the control socket, at the end */
	SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	/* sockets that are open */
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(bind), SCMP_SYS(connect),
	SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(recv),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(recvmmsg_time64),
	SCMP_SYS(send), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(shutdown),
	/* waiting */
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_settime64),
	SCMP_SYS(signalfd4), SCMP_SYS(eventfd2), SCMP_SYS(futex), SCMP_SYS(futex_time64),
	SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_nanosleep_time64),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(restart_syscall),
	/* memory; mapping it is below */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mlock),
	SCMP_SYS(munlock),
	/* oneself; an assertion that fails aborts */
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getrandom), SCMP_SYS(getrusage),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sysinfo), SCMP_SYS(uname),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
	SCMP_SYS(membarrier), SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* giving up capabilities; nothing gives them back */
	SCMP_SYS(capget), SCMP_SYS(capset)};

/* roostd's: the sequence, /proc/sys, pins on bpffs, which it puts back if somebody takes them away */
static const int files[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
	SCMP_SYS(rmdir), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(statfs), SCMP_SYS(statfs64), SCMP_SYS(fstatfs),
	SCMP_SYS(fstatfs64), SCMP_SYS(flock)};

static const int at_start[] = {
	/* the daemon's */
	SCMP_SYS(bpf), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(umask), SCMP_SYS(fchmod), SCMP_SYS(dup),
	SCMP_SYS(dup3), SCMP_SYS(listen), SCMP_SYS(epoll_create1), SCMP_SYS(mlockall),
	SCMP_SYS(munlockall), SCMP_SYS(setpriority), SCMP_SYS(getpriority),
	SCMP_SYS(sched_setscheduler), SCMP_SYS(sched_getscheduler), SCMP_SYS(sched_setparam),
	SCMP_SYS(sched_getparam), SCMP_SYS(sched_get_priority_max),
	SCMP_SYS(sched_get_priority_min), SCMP_SYS(getrlimit), SCMP_SYS(ugetrlimit),
	SCMP_SYS(setrlimit), SCMP_SYS(prlimit64), SCMP_SYS(seccomp), SCMP_SYS(set_tid_address),
	/* the guardian's */
	SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_send_signal), SCMP_SYS(pause), SCMP_SYS(rt_sigsuspend),
	SCMP_SYS(rt_sigtimedwait), SCMP_SYS(rt_sigtimedwait_time64), SCMP_SYS(pipe2),
	SCMP_SYS(futex_waitv), SCMP_SYS(fork)};

/* What the fence asks for while it stands. Loading programs and making maps is not among it. */
static const unsigned bpf_commands[] = {BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_OBJ_PIN,
	BPF_OBJ_GET, BPF_OBJ_GET_INFO_BY_FD, BPF_LINK_CREATE, BPF_LINK_UPDATE, BPF_LINK_DETACH};

/* Names of an interface, its flags and its kind; whether a stream is a terminal. */
static const unsigned requests[] = {
	SIOCGIFNAME, SIOCGIFINDEX, SIOCGIFFLAGS, SIOCGIFHWADDR, TCGETS, FIONREAD};

static const unsigned process_options[] = {PR_SET_NAME, PR_SET_TIMERSLACK, ROOST_PR_SET_VMA};

/* Also the guardian's tie to the daemon, and what libcap-ng asks. */
static const unsigned process_options_at_start[] = {PR_SET_PDEATHSIG, PR_GET_DUMPABLE,
	PR_SET_DUMPABLE, PR_CAPBSET_READ, PR_CAP_AMBIENT, PR_GET_SECUREBITS, PR_GET_SECCOMP,
	PR_GET_NO_NEW_PRIVS, PR_SET_NO_NEW_PRIVS};

static const unsigned local_families[] = {AF_UNIX, AF_NETLINK};
static const unsigned network_families[] = {AF_INET, AF_INET6, AF_PACKET};

/* Adds rules until one fails. */
struct rules {
	scmp_filter_ctx filter;
	int error;
};

static void allow(struct rules *r, int call)
{
	if (!r->error)
		r->error = seccomp_rule_add(r->filter, SCMP_ACT_ALLOW, call, 0);
}

static void allow_if(struct rules *r, int call, struct scmp_arg_cmp condition)
{
	if (!r->error)
		r->error = seccomp_rule_add_array(r->filter, SCMP_ACT_ALLOW, call, 1, &condition);
}

/* If that argument, an int, has this value; of the register, the kernel reads the lower half. */
static void allow_value(struct rules *r, int call, unsigned argument, unsigned value)
{
	allow_if(r, call, (struct scmp_arg_cmp){argument, SCMP_CMP_MASKED_EQ, UINT32_MAX, value});
}

/* If that argument has none of these bits. */
static void allow_without(struct rules *r, int call, unsigned argument, unsigned bits)
{
	allow_if(r, call, (struct scmp_arg_cmp){argument, SCMP_CMP_MASKED_EQ, bits, 0});
}

static void allow_values(
	struct rules *r, int call, unsigned argument, const unsigned *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		allow_value(r, call, argument, values[i]);
}

/* Rules for both stages. */
static void allow_always(struct rules *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		allow(r, always[i]);
	/* code comes from the program and its libraries alone, which are mapped by now */
	allow_without(r, SCMP_SYS(mmap), 2, PROT_EXEC);
	allow_without(r, SCMP_SYS(mmap2), 2, PROT_EXEC);
	allow_without(r, SCMP_SYS(mprotect), 2, PROT_EXEC);
	allow_values(r, SCMP_SYS(ioctl), 1, requests, ARRAY_SIZE(requests));
	allow_values(r, SCMP_SYS(prctl), 0, process_options, ARRAY_SIZE(process_options));
	allow_values(r, SCMP_SYS(socket), 0, local_families, ARRAY_SIZE(local_families));
}

static void allow_files(struct rules *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		allow(r, files[i]);
}

/* Which argument of clone holds the flags. */
static unsigned clone_flags(void)
{
	return seccomp_arch_native() == SCMP_ARCH_S390X ? 1 : 0;
}

/* The flags of clone3 lie in memory, where no filter sees them; without it, clone is used. */
static void deny_clone3(struct rules *r)
{
	if (!r->error)
		r->error = seccomp_rule_add(r->filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static void allow_threads(struct rules *r)
{
	const unsigned looked_at = CLONE_THREAD | NEW_NAMESPACES;

	allow_if(r, SCMP_SYS(clone),
		(struct scmp_arg_cmp){clone_flags(), SCMP_CMP_MASKED_EQ, looked_at, CLONE_THREAD});
	deny_clone3(r);
}

static void allow_name_server(struct rules *r)
{
	const unsigned writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

	allow_without(r, SCMP_SYS(open), 1, writing);
	allow_without(r, SCMP_SYS(openat), 2, writing);
	/* addresses that a reload brings, and those who are told of it */
	allow(r, SCMP_SYS(listen));
	allow_value(r, SCMP_SYS(socket), 0, AF_INET);
	allow_value(r, SCMP_SYS(socket), 0, AF_INET6);
	allow_value(r, SCMP_SYS(tgkill), 0, (unsigned)getpid());
	/* and their threads, but no process */
	allow_threads(r);
}

static void allow_start(struct rules *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(at_start); i++)
		allow(r, at_start[i]);
	allow_values(r, SCMP_SYS(socket), 0, network_families, ARRAY_SIZE(network_families));
	allow_values(r, SCMP_SYS(prctl), 0, process_options_at_start,
		ARRAY_SIZE(process_options_at_start));
	allow_without(r, SCMP_SYS(clone), clone_flags(), NEW_NAMESPACES);
	deny_clone3(r);
}

static void allow_running(struct rules *r)
{
	allow_values(r, SCMP_SYS(bpf), 0, bpf_commands, ARRAY_SIZE(bpf_commands));
	allow_value(r, SCMP_SYS(tgkill), 0, (unsigned)getpid());
	/* asking, not setting: no new limits */
	allow_if(r, SCMP_SYS(prlimit64), (struct scmp_arg_cmp){2, SCMP_CMP_EQ, 0, 0});
}

/* What a violation is told by. A handler has no argument and may not allocate or format, so all of it
 * lies ready here. */
static struct {
	const char *names[NAMES_MAX];
	const char *program;
	char prefix[8];
} told;

static void append(char *line, size_t size, size_t *used, const char *text)
{
	while (*text != '\0' && *used < size)
		line[(*used)++] = *text++;
}

static void append_number(char *line, size_t size, size_t *used, unsigned number)
{
	char digits[12];
	char *p = digits + sizeof digits - 1;

	*p = '\0';
	do {
		*--p = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	append(line, size, used, p);
}

/* Then back to the default action, which ends the process: SA_RESETHAND. */
static void on_violation(int number, siginfo_t *info, void *context)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	const unsigned call = (unsigned)info->si_syscall;
	char line[160];
	size_t used = 0;

	(void)context;
	append(line, sizeof line - 1, &used, told.prefix);
	append(line, sizeof line - 1, &used, told.program);
	append(line, sizeof line - 1, &used, ": the filter forbids the system call ");
	if (call < NAMES_MAX && told.names[call])
		append(line, sizeof line - 1, &used, told.names[call]);
	else
		append_number(line, sizeof line - 1, &used, call);
	append(line, sizeof line - 1, &used, "; aborting");
	line[used++] = '\n';
	/* as the journal: who does not read does not hold us up */
	if (poll(&out, 1, 0) == 1 && out.revents & POLLOUT)
		(void)!write(STDERR_FILENO, line, used);
	(void)raise(number);
}

static int prepare_to_tell(enum sandbox_stage stage)
{
	const struct sigaction action = {
		.sa_sigaction = on_violation, .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER};
	const uint32_t architecture = seccomp_arch_native();

	told.program = stage == SANDBOX_NAME_SERVER ? "roost-dns" : "roostd";
	if (getenv("JOURNAL_STREAM"))
		(void)snprintf(told.prefix, sizeof told.prefix, "<%d>", JOURNAL_ERROR);
	for (int i = 0; i < NAMES_MAX && !told.names[i]; i++)
		told.names[i] = seccomp_syscall_resolve_num_arch(architecture, i);
	return sigaction(SIGSYS, &action, NULL) < 0 ? -errno : 0;
}

int sandbox_enter(enum sandbox_stage stage)
{
	struct rules r = {.filter = seccomp_init(SCMP_ACT_TRAP)};

	if (!r.filter)
		return -ENOMEM;
	r.error = prepare_to_tell(stage);
	if (!r.error)
		r.error =
			seccomp_attr_set(r.filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* in the kernel's log, too, for where the signal is blocked and kills without a word; at
	 * start that would tell of each clone3 */
	if (!r.error)
		r.error = seccomp_attr_set(r.filter, SCMP_FLTATR_CTL_LOG, stage != SANDBOX_START);
	/* all threads; a tree, for the calls whose arguments are looked at: the kernel knows
	 * by heart which others are always allowed */
	if (!r.error)
		r.error = seccomp_attr_set(r.filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!r.error)
		r.error = seccomp_attr_set(r.filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	allow_always(&r);
	switch (stage) {
	case SANDBOX_START:
		allow_files(&r);
		allow_start(&r);
		break;
	case SANDBOX_RUNNING:
		allow_files(&r);
		allow_running(&r);
		break;
	case SANDBOX_NAME_SERVER: allow_name_server(&r); break;
	}
	if (!r.error)
		r.error = seccomp_load(r.filter);
	seccomp_release(r.filter);
	return r.error;
}
