/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * roost-dns as a whole: its threads, what wakes the main one, and reloads.
 *
 *    main thread   signals, control socket, roostd's status, sockets opened, editions replaced
 *    loader        reads an edition when asked (dns/loader.h)
 *    UDP threads   answer (dns/udp.h), one for each address and core
 *    TCP thread    answers (dns/tcp.h)
 *
 * What they share is the edition (dns/edition.h), by a pointer that is swapped (dns/snapshot.h), the words of the
 * VIPs in it, and the table of dns/rrl.h; none of it has a lock.
 */

#include <stdbool.h>

struct server_setup {
	const char *config_path;
	const char *node_name;   /* NULL: found by its addresses */
	const char *socket_path; /* its own control socket */
	const char *roostd_path; /* roostd's */
	bool sandboxed;          /* to filter system calls once it is ready */
};

/* Serves until SIGTERM or SIGINT. An exit status; what is wrong has been told. */
int server_run(const struct server_setup *setup);
