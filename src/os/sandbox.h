/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The filter of system calls, by libseccomp: what roostd never does, it can't be made to do. There
 * are two, the second on top of the first:
 *
 *    main ─► SANDBOX_START ─► guardian, and start-up of each daemon: no program is run, no code is
 *                               │    mapped, no namespace or module or mount is made
 *                               └─► SANDBOX_RUNNING: of a daemon that is ready. No process or thread
 *                                   is made, no BPF program loaded, no socket opened to a network
 *
 * Whoever calls something else dies by SIGSYS, after one line on standard error that names the call;
 * the guardian then cleans up as after any other death.
 */

enum sandbox_stage {
	SANDBOX_START,
	SANDBOX_RUNNING,
	/* roost-dns, once its threads run: it opens sockets and reads files, and neither writes any nor makes
	 * processes or threads. On top of none of the others. */
	SANDBOX_NAME_SERVER,
};

/* For all threads of this process and those made later; nothing lifts it. Needs no-new-privileges.
 * 0 or negative errno: then there is no further filter. */
int sandbox_enter(enum sandbox_stage stage);
