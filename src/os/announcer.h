/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Sends the announcements that the board asks for, as whole frames on a packet socket, in batches: first
 * every VIP's own, then the questions to the gateway. Only VIPs that are on their interface are announced; the
 * others wait on the board until they are, or until the request is overtaken.
 */

#include "config/config.h"
#include "os/board.h"
#include "os/holder.h"
#include "os/links.h"
#include "os/netlink.h"

struct announcer;

/* All borrowed. 0 or negative errno. */
int announcer_new(const struct config *config, const struct links *links, struct netlink *netlink,
	struct board *board, const struct holder *holder, struct announcer **ret_announcer);
void announcer_free(struct announcer *a);

/* Somebody else was heard to answer for @vip: it is announced with what is due next. */
void announcer_defend(struct announcer *a, uint32_t vip);

/* Sends what is due, answers on the board and kicks the fast thread. False if some of it was refused
 * by the kernel and is to be tried again in a moment. */
bool announcer_work(struct announcer *a, tick now);
