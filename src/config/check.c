/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What only shows when the file is seen as a whole. */
#include "config/reading.h"

void check_whole(struct reading *r)
{
	(void)r;
}
