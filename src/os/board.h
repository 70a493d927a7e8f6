/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * What lies between the two threads. State is level-triggered: each VIP has one cell in which either
 * side writes how things are, so that a side that was away for a second finds the last word and not a
 * queue of old ones. What is an event (a command, a line for the journal) goes through a bounded ring
 * with one writer and one reader. Neither side ever waits for the other; a kick is an eventfd.
 *
 *    fast ── wanted hold, "announce it" ──►│ cell │──► slow: netlink, packet socket
 *    fast ◄── observed hold, "announced" ──│ cell │◄── slow
 *    fast ── records ──► ring ──► journal           slow ── links, commands ──► ring ──► fast
 *    slow asks for a snapshot; fast copies its node into one that slow then reads
 *
 * Everything is allocated once, by board_new().
 */

#include <stdbool.h>
#include <stdint.h>

#include "node/node.h"

struct board;

/* A link that changed (with the interface's index in the kernel) or a command. */
struct board_message {
	struct node_event event;
	uint32_t ifindex; /* NODE_EV_LINK: 0 if there is no such interface */
};

/* NULL if there is no memory or no eventfd. */
struct board *board_new(uint32_t n_vips);
void board_free(struct board *b);

/* Eventfds that become readable by a kick; the owner polls them and clears them before it looks. */
int board_fast_fd(const struct board *b);
int board_slow_fd(const struct board *b);
void board_kick_fast(struct board *b);
void board_kick_slow(struct board *b);
void board_clear_fast(struct board *b);
void board_clear_slow(struct board *b);

/* Cells. The fast thread writes wanted and yielded and asks; the slow one writes observed and announced. An
 * announcement is asked for by a number that grows; it is answered with the number it had. */
void board_set_wanted(struct board *b, uint32_t vip, enum vrrp_hold wanted);
enum vrrp_hold board_wanted(const struct board *b, uint32_t vip);
void board_set_yielded(struct board *b, uint32_t vip, bool yielded);
bool board_yielded(const struct board *b, uint32_t vip);
void board_set_observed(struct board *b, uint32_t vip, enum vrrp_hold observed);
enum vrrp_hold board_observed(const struct board *b, uint32_t vip);
void board_ask_announcement(struct board *b, uint32_t vip);
uint32_t board_announcement_asked(const struct board *b, uint32_t vip);
void board_set_announced(struct board *b, uint32_t vip, uint32_t number);
uint32_t board_announced(const struct board *b, uint32_t vip);

/* Slow to fast. False if the ring is full: try again after the next turn. */
bool board_post(struct board *b, const struct board_message *message);
bool board_take_message(struct board *b, struct board_message *ret_message);

/* Fast to slow. A record that finds the ring full is counted and dropped. */
void board_put_record(struct board *b, const struct node_record *record);
void board_lose_records(struct board *b, uint64_t count);
bool board_take_record(struct board *b, struct node_record *ret_record);
uint64_t board_records_lost(const struct board *b);

/* The slow thread asks; the fast one copies and says so. Between the two the copy is the fast
 * thread's, else the slow one's. */
void board_ask_snapshot(struct board *b);
bool board_snapshot_is_asked(const struct board *b);
void board_give_snapshot(struct board *b);

/* The slow thread makes progress: it beats at least once a second. */
void board_beat(struct board *b);
uint64_t board_beats(const struct board *b);

/* The node has handed everything over (fast says so); the fast thread is to return (slow says so). */
void board_set_stopped(struct board *b);
bool board_is_stopped(const struct board *b);
void board_quit(struct board *b);
bool board_is_quitting(const struct board *b);
