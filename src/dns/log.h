/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* roost-dns's lines for people, as os/journal.h writes them. Any thread may. */

#include "os/journal.h"

#define log_line(level, ...) journal_line_as("roost-dns", level, __VA_ARGS__)
