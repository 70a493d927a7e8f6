/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* The service manager, systemd as a rule, that started this program and wants to hear how it is (sd_notify(3)). */

/* Tells it, if there is one. Unlike sd_notify() this never waits: what it has no room for is lost, and so is what is
 * longer than MANAGER_TOLD_MAX. */
#define MANAGER_TOLD_MAX 1024
void manager_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
