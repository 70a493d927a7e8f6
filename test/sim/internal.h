/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Between the simulator's files. */

#include "sim.h"

/* sim.c: time, the queue, the trace */
bool sim_reaches(const struct sim *s, uint32_t from, uint32_t to);
tick sim_latency(struct sim *s); /* of waking a thread */
void sim_want_turn(struct sim *s, struct sim_machine *m, tick at);
void sim_want_slow(struct sim *s, struct sim_machine *m, tick at);
uint32_t sim_place(const struct sim *s, const struct sim_machine *m);
void sim_push(struct sim *s, struct sim_event ev);
void sim_note(struct sim *s, uint32_t place, uint64_t what, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* When @m's boot clock will show @clock, in the world's time; now, if it does already. */
tick sim_world_time(const struct sim *s, const struct sim_machine *m, tick clock);

/* net.c */
uint32_t net_packet(struct sim *s);
void net_release(struct sim *s, uint32_t packet);
/* If it does not @leave, it is lost right here. */
void net_send(struct sim *s, uint32_t from, uint32_t packet, bool leaves);
void net_announce(struct sim *s, uint32_t from, uint32_t number);
void net_arrive(struct sim *s, const struct sim_event *ev);

/* daemon.c: the fast thread, and the guardian */
void daemon_start(struct sim *s, struct sim_machine *m);
void daemon_end(struct sim *s, struct sim_machine *m);
void daemon_kill(struct sim *s, struct sim_machine *m, bool guardian_too);
void daemon_turn(struct sim *s, struct sim_machine *m);
void daemon_guard(struct sim *s, const struct sim_event *ev);

/* machine.c: the slow thread and the kernel below it */
void machine_power(struct sim *s, struct sim_machine *m, bool on);
void machine_begin(struct sim *s, struct sim_machine *m);
void machine_end(struct sim *s, struct sim_machine *m);
void machine_step(struct sim *s, struct sim_machine *m);
void machine_steal(struct sim *s, struct sim_machine *m, uint32_t number);
void machine_clear(struct sim *s, struct sim_machine *m); /* of what has roost's tag */
bool machine_is_empty(const struct sim_machine *m);       /* nor is anything under way */
tick machine_deadline(const struct sim_machine *m);

/* fence.c */
void fence_open(struct sim *s, struct sim_machine *m);
void fence_shut(struct sim *s, struct sim_machine *m);
void fence_remove(struct sim *s, struct sim_machine *m);
void fence_narrow(struct sim *s, struct sim_machine *m);
void fence_widen(struct sim *s, struct sim_machine *m);
bool fence_passes_announcement(const struct sim *s, const struct sim_machine *m, uint32_t number);
/* Whether the VIP goes by the lease of hand-over: it is claimed, or lingers. */
bool fence_is_handover(const struct sim_machine *m, uint32_t number);
/* To be called whenever something changed that decides what @m answers. */
void fence_review(struct sim *s, struct sim_machine *m);

/* claims.c: the promises of the lease, checked at every instant */
void claims_said(struct sim *s, struct sim_machine *m, uint32_t packet, bool leaves);
void claims_read(struct sim *s, const struct sim_machine *m, uint32_t packet);
void claims_decided(struct sim *s, struct sim_machine *m);
void claims_stored(struct sim *s, struct sim_machine *m);
void claims_deafened(struct sim *s, const struct sim_machine *m);
void claims_lost_time(struct sim *s, struct sim_machine *m);
void claims_answering(struct sim *s, struct sim_machine *m, uint32_t began);
/* What @m serves though the advertisement is a better one's: bit set by VIP number. */
uint32_t claims_beaten(const struct sim *s, const struct sim_machine *m, uint32_t packet);
tick claims_span(const struct sim *s, tick interval);

/* foreign.c */
void foreign_start(struct sim *s, struct sim_machine *m);
void foreign_stop(struct sim *s, struct sim_machine *m, bool orderly);
void foreign_turn(struct sim *s, struct sim_machine *m);
