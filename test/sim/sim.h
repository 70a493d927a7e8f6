/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * A small world in which real nodes of the pure core live: a discrete-event simulation, the same
 * for the same seed to the last bit.
 *
 *    struct node ──► fast thread ──► network (net.c) ──► other nodes' sockets
 *         ▲             │  ▲              ▲      └─────► clients' neighbour tables
 *         └── turns ────┘  │ boards       │ announcements
 *                          ▼              │
 *                     slow thread (machine.c), struct kernel ──► the machine's addresses
 *
 * A *place* is a port of the one segment; a machine is plugged into it, and so is a client, which
 * remembers for each VIP who announced it last. A machine's addresses and its fence (fence.c)
 * outlive its daemon, a crash of the machine takes them along. Every machine has a clock of its own
 * (CLOCK_BOOTTIME), which drifts, may leap, and stands still where a virtual machine is paused.
 *
 * Faults are data (struct sim_fault), applied at once or at a given time, so a failing seed can be
 * printed and kept as a scenario. Checks (check.c, claims.c) never abort: the first one that fails
 * is remembered in sim.complaint, for the tests to expect or to report.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/rng.h"
#include "base/tick.h"
#include "config/config.h"
#include "kernel/kernel.h"
#include "node/node.h"
#include "plan/plan.h"
#include "wire/advert.h"

#define SIM_PLACES_MAX   12
#define SIM_VIPS_MAX     32
#define SIM_VIP_IPV6     16 /* VIPs are numbered; these and the higher ones are IPv6 */
#define SIM_LEASES_MAX   (2 * SIM_VIPS_MAX) /* of service, then of hand-over */
#define SIM_FILES_MAX    4
#define SIM_SERVICES_MAX 2
#define SIM_SOCKET_MAX   64 /* datagrams that a socket buffer holds */
#define SIM_NEWS_MAX     32 /* messages that a netlink socket buffer holds */
#define SIM_NOBODY       (-1)

/* ------------------------------------------------------------------ files */

struct sim_service_spec {
	uint8_t vips[SIM_VIPS_MAX]; /* VIP numbers in the file's order */
	uint32_t n_vips;
	uint32_t bundle;                  /* so many VIPs stay together */
	uint8_t foreign_vrid;             /* 0: among roost's nodes */
	uint8_t priority[SIM_PLACES_MAX]; /* by place; with foreign_vrid */
	struct config_vrrp vrrp;
};

struct sim_file_spec {
	uint8_t members[SIM_PLACES_MAX]; /* places of the nodes, in the file's order */
	uint32_t n_members;
	uint32_t weight[SIM_PLACES_MAX]; /* by place; 0 means 1 */
	uint8_t vrid_first, vrid_count;  /* 0: the whole circle from 1 on */
	tick refresh;                    /* of announcements */
	struct sim_service_spec services[SIM_SERVICES_MAX];
	uint32_t n_services;
};

/* One version of the configuration file, planned. */
struct sim_file {
	struct sim_file_spec spec;
	struct config config;
	struct plan *plan;
	struct config_node nodes[SIM_PLACES_MAX];
	struct config_interface interface;
	struct config_service services[SIM_SERVICES_MAX];
	struct config_bundle bundles[SIM_VIPS_MAX];
	struct config_vip vips[SIM_VIPS_MAX];
	uint8_t number[SIM_VIPS_MAX]; /* VIP index to number */
	int8_t index[SIM_VIPS_MAX];   /* VIP number to index, or -1 */
};

/* One service on the first @n_nodes places; its IPv4 VIPs are numbered from 0 on, the IPv6 ones
 * from SIM_VIP_IPV6 on. */
struct sim_file_spec sim_file_spec(
	uint32_t n_nodes, uint32_t n_ipv4, uint32_t n_ipv6, tick interval);
struct addr sim_vip_address(uint32_t number);
uint32_t sim_vip_number(const struct addr *address);
struct addr sim_place_address(uint32_t place, enum family family);
int32_t sim_place_of(const struct addr *source);

/* ----------------------------------------------------------------- faults */

enum sim_fault_kind {
	SIM_START,     /* power on if needed, and start the daemon */
	SIM_CRASH,     /* of the machine */
	SIM_KILL,      /* of the daemon alone, at @amount (enum sim_stage) of its next turn */
	SIM_KILL_BOTH, /* ... and of its guardian: its addresses stay */
	SIM_STOP,      /* SIGTERM */
	SIM_DRAIN,
	SIM_UNDRAIN,
	SIM_FREEZE, /* of the daemon, at @amount as above */
	SIM_THAW,
	SIM_PAUSE, /* of the machine; @amount: its boot clock stands still as well */
	SIM_RESUME,
	SIM_UNPLUG, /* carrier loss */
	SIM_PLUG,
	SIM_LEAP,      /* the machine's clock, by @amount ms */
	SIM_CUT,       /* the way from @place to @peer only */
	SIM_PARTITION, /* places with a bit in @amount from all others */
	SIM_HEAL,      /* all ways open again */
	SIM_LOSS,      /* @amount permille of all packets */
	SIM_DELAY,     /* up to @amount µs more, so packets overtake each other */
	SIM_DUPLICATE, /* @amount permille */
	SIM_STALL,     /* netlink of @place, for @amount ms */
	SIM_FAIL,      /* @amount permille of @place's netlink operations */
	SIM_REFUSE,    /* @amount permille of its advertisements, by its own kernel */
	SIM_STEAL,     /* somebody removes VIP @amount from @place */
	SIM_DEAFEN,    /* @place's netlink news are lost: it overruns */
	SIM_FAULT_KINDS,
};

/* How far a turn has come when its thread dies or stops for a while. */
enum sim_stage {
	SIM_STAGE_NONE,     /* between two turns */
	SIM_STAGE_WOKEN,    /* the clock is read, the socket is not */
	SIM_STAGE_NARROWED, /* all is decided, what closes is closed */
	SIM_STAGE_SENT,     /* the advertisements have left */
	SIM_STAGE_WIDENED,  /* leases are renewed, what opens is open */
	SIM_STAGES,
};

struct sim_fault {
	enum sim_fault_kind kind;
	uint8_t place, peer;
	uint32_t amount;
};

/* Deliberate breakage that the checks must find: the positive controls. */
enum sim_sabotage {
	SIM_SANE,
	SIM_SILENT_WINNER, /* announcements are swallowed once a node has served */
	SIM_DEAF_ONE_WAY,  /* no advertisement ever gets from place 0 to the others */
	SIM_STICKY_KERNEL, /* removals are acknowledged and not done */
	SIM_RASH_SHOUTER,  /* addresses are announced before they are there */
	SIM_ABRUPT_LEAVER, /* the address goes as soon as priority 0 was said */
	SIM_WRONG_PLAN,    /* the order is expected backwards */
	SIM_NO_FENCE,      /* everything passes */
	SIM_EARLY_CLOCK,   /* advertisements are taken for as old as the turn */
	SIM_EARLY_LEASE,   /* renewed before the advertisement has left */
	SIM_STALE_LEASE,   /* counted from when it is stored */
	SIM_LONG_LEASE,    /* of 3.5 intervals, and everybody counts on it */
	SIM_STICKY_CELL,   /* permissions that fall are not stored */
	SIM_STUBBORN,      /* an Active does not hear of better ones */
	SIM_SABOTAGES,
};

/* ---------------------------------------------------------------- machines */

/* A VRRP speaker written from RFC 9568 6.4 alone, to the letter. */
struct sim_foreigner {
	uint32_t vips; /* bit set of VIP numbers, all of one family */
	uint8_t vrid, priority;
	bool preempt;
	tick interval;
	enum { SIM_FOREIGN_OFF, SIM_FOREIGN_BACKUP, SIM_FOREIGN_ACTIVE } state;
	tick timer;
	tick active_interval;
};

struct sim_news {
	uint8_t number;
	bool present, ours;
};

/* The fence's word for one VIP. */
struct sim_cell {
	enum lease_permission permission;
	uint32_t lease; /* index in sim_machine.leases */
};

struct sim_machine {
	const struct sim_file *file; /* NULL: a foreigner */
	uint32_t self;               /* node index in the file */
	struct sim_foreigner foreign;

	/* the machine */
	bool up, carrier;
	uint32_t losses;        /* of carrier */
	int64_t clock;          /* its boot clock is ahead of the world's by this, */
	int32_t ppm;            /* ... and runs faster by so many millionths */
	tick paused_at;         /* in the world's time; 0: it runs */
	bool stands;            /* while paused, so does its clock */
	uint32_t present, ours; /* bit sets by VIP number: the kernel's addresses */
	tick stolen_at[SIM_VIPS_MAX];
	tick stalled_until;       /* netlink makes no progress */
	uint32_t fail_permille;   /* of netlink operations */
	uint32_t refuse_permille; /* of advertisements */

	/* its kernel's fence */
	struct sim_cell cells[SIM_VIPS_MAX]; /* by VIP number */
	tick leases[SIM_LEASES_MAX];
	uint32_t answers;             /* bit set by VIP number: data goes in and out now */
	tick review_at;               /* when that may end, in the world's time */
	tick answer_by[SIM_VIPS_MAX]; /* claims: by its own clock, the last moment to answer */
	/* claims: when it took over; and bit sets by VIP number, of what it took over and did not
	 * answer for yet; and by place, of what was unheard then */
	tick taken_at[SIM_VIPS_MAX];
	uint32_t untried, judged[SIM_PLACES_MAX];

	/* the daemon's guardian */
	bool guarded;  /* it lives, with or without the daemon */
	bool retiring; /* the daemon died while it was stopping: no next life */
	uint32_t
		life; /* of the daemon, counted: what was to be done after an earlier one is void */
	tick born_at;
	uint32_t pause_ms;        /* before the next life */
	uint32_t will, will_part; /* bit sets by VIP number: it served, and was about to serve */

	/* the daemon's fast thread */
	struct node *node; /* NULL: no daemon runs */
	struct node_effects *fx;
	bool frozen;
	tick turn_at;
	enum sim_stage stage;            /* that a turn was interrupted at */
	enum sim_stage doomed_at;        /* that the next turn to get there is interrupted at, */
	enum sim_fault_kind doom;        /* ... and by what */
	tick woken_at;                   /* its clock at the beginning of the turn */
	bool fenced;                     /* all cells have been written once */
	bool left[SIM_VIPS_MAX];         /* by router: an advertisement did, in this turn */
	bool owed[SIM_VIPS_MAX];         /* ... and is waited for by VIPs that are to be opened */
	uint32_t socket[SIM_SOCKET_MAX]; /* packets */
	uint32_t socket_head, socket_size;

	/* boards: slow to fast */
	uint32_t held_news, announced_news; /* bit sets by VIP index */
	enum vrrp_hold held[SIM_VIPS_MAX];
	bool link_news, stop_news, drain_news, drain;
	bool relinked; /* in this turn: all wanted holds are told anew */

	/* boards: fast to slow */
	uint32_t announce_news;
	enum vrrp_hold wanted[SIM_VIPS_MAX];

	/* the slow thread */
	struct kernel kernel;
	struct kernel_vip kernel_vips[SIM_VIPS_MAX];
	tick slow_at;
	struct kernel_op ops[SIM_VIPS_MAX]; /* a batch under way */
	uint32_t n_ops;
	tick apply_at, answer_at; /* TICK_NEVER: no batch */
	int errors[SIM_VIPS_MAX];
	struct sim_news news[SIM_NEWS_MAX];
	uint32_t n_news;
	bool overrun;      /* news were lost; the next read says so */
	bool carrier_told; /* to the fast thread, as is */
	uint32_t losses_told;
};

/* ------------------------------------------------------------------ world */

struct sim_packet {
	struct advert advert;
	uint32_t users;  /* events and sockets that refer to it */
	uint32_t vips;   /* that it lists: bit set by VIP number */
	uint64_t serial; /* of all advertisements */
	uint8_t from;    /* place */
};

/* After a death of the daemon, one after the other. */
enum sim_guardian_act { SIM_GUARDIAN_SPEAKS, SIM_GUARDIAN_CLEARS, SIM_GUARDIAN_RESTARTS };

enum sim_event_kind { SIM_EV_ADVERT, SIM_EV_ANNOUNCEMENT, SIM_EV_FAULT, SIM_EV_GUARDIAN };

struct sim_event {
	tick at;
	uint64_t sequence; /* of equal times, the one made first comes first */
	enum sim_event_kind kind;
	uint8_t from, to; /* places; @from may be an act of the guardian at @to */
	uint32_t what;    /* packet, VIP number, index into sim.script, or life of the daemon */
};

/* What is watched while sim.watching: set back by sim_watch(). */
struct sim_watch {
	tick began;
	uint32_t moved; /* VIPs that some daemon began to want */
	uint32_t left;  /* ... or ceased to want */
	tick outage;    /* the longest, of any client and VIP */
	tick overlap;   /* the longest time that two machines answered for one VIP */
	tick silent_since[SIM_PLACES_MAX][SIM_VIPS_MAX]; /* TICK_NEVER: answered */
	tick double_since[SIM_VIPS_MAX];
};

struct sim {
	struct rng rng;
	tick now;
	uint64_t sequence;
	struct sim_event *heap;
	uint32_t n_events, events_size;
	struct sim_packet *packets;
	uint32_t *free_packets;
	uint32_t n_free, n_packets;
	struct sim_fault script[64];
	uint32_t n_script;

	struct sim_file files[SIM_FILES_MAX];
	uint32_t n_files;
	struct sim_machine machines[SIM_PLACES_MAX];
	uint32_t n_places;
	uint32_t open[SIM_PLACES_MAX]; /* open[from]: bit set of places that it reaches */
	tick last_at[SIM_PLACES_MAX][SIM_PLACES_MAX]; /* arrival of the last packet on a way */
	int8_t client[SIM_PLACES_MAX][SIM_VIPS_MAX];  /* who announced it last */
	/* VIPs whose holder gave them up while this client, or a rival, was cut off from it: nobody
	 * who could tell it knows, so it is excused from the check until the next announcement
	 * reaches it. */
	uint32_t absent[SIM_PLACES_MAX];
	uint32_t loss_permille, duplicate_permille, delay_us;
	uint32_t late_wakes; /* of 1024: so many take some ms */

	/* claims: [from][to], bit sets by VIP number of those whose last advertisement by @from the
	 * daemon at @to has not read; and the serial number of that advertisement */
	uint32_t unheard[SIM_PLACES_MAX][SIM_PLACES_MAX];
	uint64_t said[SIM_PLACES_MAX][SIM_VIPS_MAX];
	uint64_t serial;

	bool unfenced; /* as with `fence: off`; set before machines are started */
	enum sim_sabotage sabotage;
	bool watching, dirty; /* something changed that a watch wants to see */
	struct sim_watch watch;
	uint64_t hash; /* of the trace so far */
	bool trace;    /* print it: TRACE is in the environment */
	uint64_t takeovers, turns, packets_sent;
	char complaint[256]; /* the first check that failed; empty if none */
};

struct sim *sim_new(uint64_t seed);
void sim_free(struct sim *s);

/* Plugs in @n_nodes machines with @spec's file and switches them on; for the common case. */
void sim_add_cluster(struct sim *s, const struct sim_file_spec *spec);

/* Adds a version of the file; aborts if it can't be planned. Returns its index. */
uint32_t sim_add_file(struct sim *s, const struct sim_file_spec *spec);
/* Plugs a machine, switched off, into the next free place. Returns the place. */
uint32_t sim_add_machine(struct sim *s, uint32_t file);
uint32_t sim_add_foreigner(
	struct sim *s, uint32_t vips, uint8_t vrid, uint8_t priority, tick interval);

void sim_apply(struct sim *s, const struct sim_fault *fault);
void sim_apply_at(struct sim *s, const struct sim_fault *fault, tick at);

/* @m's boot clock. */
tick sim_clock(const struct sim *s, const struct sim_machine *m);

/* Lets @span of the world's time go by. */
void sim_run(struct sim *s, tick span);

/* How long the cluster may take to be quiet again: after an event in a sound network, and after the
 * last fault of any kind. */
tick sim_calm_span(const struct sim *s);
tick sim_settle_span(const struct sim *s);

/* A fault in words, for people; returns @text. */
const char *sim_fault_text(const struct sim_fault *fault, char *text, size_t size);

/* --- check.c --- */

/* All that must hold once it is quiet; false, with sim.complaint set, if it does not. */
bool sim_check_quiet(struct sim *s);

/* Begins to watch outages, overlaps and moves; sim_unwatch() closes what is still open. */
void sim_watch(struct sim *s);
void sim_unwatch(struct sim *s);
void sim_observe(struct sim *s);

bool sim_is_running(const struct sim_machine *m); /* a daemon, or a foreigner that is on */

/* Remembers the first complaint. */
void sim_complain(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The place whose daemon wants @number; SIM_NOBODY if none or several do. */
int32_t sim_holder(const struct sim *s, uint32_t number);
/* Bit set of the places that @place reaches and that reach it, with itself. */
uint32_t sim_component(const struct sim *s, uint32_t place);
/* Longest time that a backup may take from a crash to its first announcement of @place's VIPs. */
tick sim_outage_bound(const struct sim *s, uint32_t place);

/* --- chaos.c --- */

/* A random world with random faults, all drawn from @seed, and every check after them; its
 * complaint tells. To be freed by the caller. */
struct sim *chaos_run(uint64_t seed, enum sim_sabotage sabotage);
