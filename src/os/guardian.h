/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * The parent of the daemon, which cleans up when that one dies, however it does: it closes the leases,
 * sends the daemon's last advertisements, takes its addresses away, and starts it again. It has one
 * thread, reads nothing from anybody, and waits for signals, for the clock, and for that death.
 *
 *    guardian_run() ── fork ──► daemon_run()
 *          │ ▲                      │
 *          │ └──── struct will ◄────┘   what to send and to remove, ready-made; signs of life
 *          └─► TERM, INT, HUP are passed on; systemd's watchdog is fed while the daemon takes turns
 *
 * If the guardian dies, the daemon is told to stop, and hands over; if both die, the leases end by
 * themselves. doc/design/0010-guardian.md says what it may and may not do.
 */

#include "os/daemon.h"

/*
 * Runs the daemon until one has ended in order, or the first has failed before it was ready. Returns
 * the exit status, in the guardian and in each of its children. @setup's fields for the guardian are
 * filled in here.
 */
int guardian_run(const struct daemon_setup *setup);
