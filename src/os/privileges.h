/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What roostd may do. Of root's powers it keeps four, which the systemd unit gives it alone; each
 * part gives up what it is done with, and no part can get anything back:
 *
 *    main ─► privileges_keep(): CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF, CAP_PERFMON, no new privileges
 *              │
 *              └─► the daemon, once sockets and fence are open
 *                    ├─ slow thread: privileges_settle(): CAP_NET_ADMIN, CAP_BPF
 *                    └─ fast thread: privileges_renounce(): none
 *
 * NET_ADMIN changes addresses and hangs the fence's programs on interfaces; NET_RAW opens the raw
 * and packet sockets; BPF makes maps and programs; with PERFMON the kernel does not put guards against
 * speculation into the fence, which cost each packet 25 ns. Real time and locked memory come from limits,
 * and only where those can't be raised from CAP_SYS_NICE and CAP_IPC_LOCK.
 */

#define PRIVILEGES_REASON_SIZE 256

struct privileges_setup {
	const char *user;          /* whom to become, if root; NULL: nobody else */
	const char *socket_path;   /* its directory is made for @user if it is missing */
	const char *bpf_directory; /* likewise, if its parent is on bpffs; may be NULL */
};

/*
 * Keeps what is named above, of as much as there is. To be called while there is one thread. 0, or negative
 * errno and a sentence in @reason: @user is not known, or CAP_NET_ADMIN or CAP_NET_RAW are missing.
 */
int privileges_keep(
	const struct privileges_setup *setup, char reason[static PRIVILEGES_REASON_SIZE]);

/*
 * The same for a name server, which needs nothing but its port: keeps CAP_NET_BIND_SERVICE, if it is there, and
 * makes no directory on bpffs.
 */
int privileges_keep_port(
	const struct privileges_setup *setup, char reason[static PRIVILEGES_REASON_SIZE]);

/* Of the calling thread and those that it makes from now on. 0 or negative errno. */
int privileges_settle(void);
int privileges_renounce(void);
