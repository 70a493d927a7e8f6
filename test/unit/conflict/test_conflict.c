/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What www1 makes of machines that claim a VIP of its own: RFC 5227 2.4. */
#include "memory.h"
#include "suite.h"

#include <string.h>

#include "conflict/conflict.h"

#define T0      tick_s(1000)
#define REFRESH tick_s(60)
#define SELF    0
#define PEER    1
#define VIP     0
#define SHARED  1 /* 10.1.1.250, in a service with VRID 51 */
#define N_VIPS  2
#define MINUTE  tick_s(60)

static const uint8_t stranger[] = {2, 0, 0, 0, 0, 0x64};
static const uint8_t another[] = {2, 0, 0, 0, 0, 0x65};
static const uint8_t www2[] = {2, 0, 0, 0, 0, 2};
static const uint8_t www2_too[] = {2, 0, 0, 0, 1, 2};
static const uint8_t virtual_router[] = {0, 0, 0x5e, 0, 1, 51};

/* 10.1.1.2 and .3 are the nodes; www1 serves 10.1.1.201 on eth0, unless told otherwise. */
struct fixture {
	struct config_node nodes[2];
	struct config_interface interfaces[2];
	struct config_service services[2];
	struct config_vip vips[N_VIPS];
	struct config config;
	struct conflict *conflict;
	tick now;
	unsigned done; /* effects for VIP since it was last looked at */
	uint32_t n_done[16];
	uint32_t claims;
};

static struct addr host(uint8_t last)
{
	return addr_from_ipv4((const uint8_t[]){10, 1, 1, last});
}

static void carry_out(struct fixture *f)
{
	struct conflict_act acts[N_VIPS];
	uint32_t n;

	do {
		n = conflict_take(f->conflict, f->now, acts, N_VIPS);
		for (uint32_t i = 0; i < n; i++) {
			if (acts[i].vip != VIP)
				continue;
			f->done |= acts[i].what;
			if (acts[i].what & (CONFLICT_FX_SAY_BEGUN | CONFLICT_FX_SAY_LASTS))
				f->claims = acts[i].claims;
			for (int bit = 0; bit < 16; bit++)
				f->n_done[bit] += acts[i].what >> bit & 1;
		}
	} while (n == N_VIPS);
	ck_assert_uint_gt(conflict_deadline(f->conflict), f->now);
}

static struct fixture *start(enum config_conflict policy)
{
	static struct fixture f;

	conflict_free(f.conflict);
	f = (struct fixture){
		.nodes = {{.addresses = {host(2)}, .n_addresses = 1},
			{.addresses = {host(3)}, .n_addresses = 1}},
		.interfaces = {{.name = "eth0"}, {.name = "eth1"}},
		.services = {{.n_vips = 1}, {.first_vip = 1, .n_vips = 1, .foreign_vrid = 51}},
		.vips = {{.address = host(201)}, {.address = host(250), .service = 1}},
		.now = T0,
	};
	f.config = (struct config){
		.nodes = f.nodes,
		.interfaces = f.interfaces,
		.services = f.services,
		.vips = f.vips,
		.n_nodes = 2,
		.n_interfaces = 2,
		.n_services = 2,
		.n_vips = N_VIPS,
		.announce = {.refresh = REFRESH, .conflict = policy},
	};
	f.conflict = conflict_new(&f.config, SELF, 1);
	ck_assert_ptr_nonnull(f.conflict);
	conflict_set_role(f.conflict, VIP, CONFLICT_SERVES, f.now);
	return &f;
}

/* Lets time pass, and does what is due as it becomes due; what was done is told anew. */
static void pass(struct fixture *f, tick span)
{
	const tick end = f->now + span;

	f->done = 0;
	memset(f->n_done, 0, sizeof f->n_done);
	while (conflict_deadline(f->conflict) <= end) {
		f->now = tick_max(f->now, conflict_deadline(f->conflict));
		carry_out(f);
	}
	f->now = end;
	carry_out(f);
}

static uint32_t count_of(const struct fixture *f, enum conflict_effect effect)
{
	return f->n_done[__builtin_ctz(effect)];
}

static void hear_on(struct fixture *f, uint32_t interface, const uint8_t mac[6], uint8_t last,
	enum neighbour_kind kind)
{
	struct neighbour n = {.kind = kind, .address = host(last)};

	memcpy(n.mac, mac, sizeof n.mac);
	conflict_hear(f->conflict, interface, &n, f->now);
}

static void claim(struct fixture *f, const uint8_t mac[6], uint8_t last)
{
	hear_on(f, 0, mac, last, NEIGHBOUR_CLAIM);
}

/* The stranger claims the VIP, and again each second for so long. */
static void insist(struct fixture *f, tick span)
{
	uint32_t sum[16] = {0};
	unsigned done = 0;

	for (tick end = f->now + span; f->now < end;) {
		claim(f, stranger, 201);
		pass(f, tick_s(1));
		done |= f->done;
		for (int bit = 0; bit < 16; bit++)
			sum[bit] += f->n_done[bit];
	}
	f->done = done;
	memcpy(f->n_done, sum, sizeof sum);
}

static const struct conflict_vip *vip_of(const struct fixture *f)
{
	return &f->conflict->vips[VIP];
}

START_TEST(a_stranger_is_told_and_the_vip_defended)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	claim(f, stranger, 201);
	pass(f, CONFLICT_SETTLE - 1);
	ck_assert_uint_eq(f->done, CONFLICT_FX_ASK_KIN);
	ck_assert_uint_eq(count_of(f, CONFLICT_FX_ASK_KIN), 2);
	pass(f, 1);
	ck_assert_uint_eq(f->done, CONFLICT_FX_SAY_BEGUN | CONFLICT_FX_DEFEND);
	ck_assert_uint_eq(vip_of(f)->since, T0);
	ck_assert_mem_eq(vip_of(f)->mac, stranger, sizeof stranger);
	ck_assert_uint_eq(f->conflict->counters.conflicts, 1);
	ck_assert_uint_eq(f->claims, 1);
}
END_TEST

/* RFC 5227 2.4 (c): no more than once in DEFEND_INTERVAL */
START_TEST(a_stranger_who_insists_is_answered_every_ten_seconds)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);
	uint32_t lines;

	insist(f, tick_s(100));
	ck_assert_uint_eq(count_of(f, CONFLICT_FX_DEFEND), 10);
	lines = count_of(f, CONFLICT_FX_SAY_BEGUN) + count_of(f, CONFLICT_FX_SAY_LASTS);
	ck_assert_uint_eq(lines, 2);
	ck_assert_uint_ge(f->claims, 58);
	ck_assert_uint_le(f->claims, 61);
	ck_assert(!(f->done & (CONFLICT_FX_YIELD | CONFLICT_FX_RESUME)));
}
END_TEST

START_TEST(the_last_claim_is_always_answered)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	claim(f, stranger, 201);
	pass(f, tick_s(1));
	ck_assert(f->done & CONFLICT_FX_DEFEND);
	claim(f, stranger, 201);
	pass(f, tick_s(9));
	ck_assert(!(f->done & CONFLICT_FX_DEFEND));
	pass(f, tick_s(2));
	ck_assert_uint_eq(count_of(f, CONFLICT_FX_DEFEND), 1);
	pass(f, tick_s(60));
	ck_assert_uint_eq(count_of(f, CONFLICT_FX_DEFEND), 0);
}
END_TEST

START_TEST(a_conflict_is_over_when_three_questions_stay_unanswered)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	claim(f, stranger, 201);
	pass(f, tick_ms(15900));
	ck_assert_uint_ge(count_of(f, CONFLICT_FX_ASK), 3);
	ck_assert_uint_ne(vip_of(f)->since, 0);
	pass(f, tick_ms(200));
	ck_assert(f->done & CONFLICT_FX_SAY_OVER);
	ck_assert_uint_eq(vip_of(f)->since, 0);
}
END_TEST

START_TEST(one_who_comes_and_goes_is_told_once_a_minute)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);
	uint32_t begun = 0, over = 0;

	for (int i = 0; i < 8; i++) {
		claim(f, stranger, 201);
		pass(f, tick_s(20));
		begun += count_of(f, CONFLICT_FX_SAY_BEGUN);
		over += count_of(f, CONFLICT_FX_SAY_OVER);
	}
	ck_assert_uint_eq(f->conflict->counters.conflicts, 8);
	ck_assert_uint_eq(begun, 3);
	ck_assert_uint_eq(over, 3);
}
END_TEST

/* A takeover: the one that is better announces first, and then says so. */
START_TEST(a_node_is_no_stranger)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	claim(f, www2, 3);
	claim(f, www2, 201);
	pass(f, tick_s(100));
	ck_assert_uint_eq(f->done, CONFLICT_FX_ASK);
	ck_assert_uint_eq(f->conflict->counters.claims, 0);
}
END_TEST

START_TEST(a_node_that_answers_for_itself_in_time_is_no_stranger)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	claim(f, www2, 201);
	pass(f, CONFLICT_SETTLE / 2);
	ck_assert_uint_eq(f->done, CONFLICT_FX_ASK_KIN);
	claim(f, www2, 3);
	pass(f, tick_s(100));
	ck_assert_uint_eq(f->done, CONFLICT_FX_ASK);
	ck_assert_uint_eq(f->conflict->counters.conflicts, 0);
	/* and the next one is a stranger all the same */
	claim(f, stranger, 201);
	pass(f, CONFLICT_SETTLE);
	ck_assert(f->done & CONFLICT_FX_SAY_BEGUN);
}
END_TEST

START_TEST(a_node_may_have_two_links_there)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	claim(f, www2, 3);
	claim(f, www2_too, 3);
	claim(f, www2, 3);
	claim(f, www2, 201);
	claim(f, www2_too, 201);
	ck_assert_uint_eq(f->conflict->counters.claims, 0);
	claim(f, another, 3); /* it got a new one */
	claim(f, another, 201);
	ck_assert_uint_eq(f->conflict->counters.claims, 0);
}
END_TEST

START_TEST(who_claims_this_nodes_own_address_is_not_of_the_cluster)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	claim(f, stranger, 2);
	claim(f, stranger, 201);
	pass(f, CONFLICT_SETTLE);
	ck_assert(f->done & CONFLICT_FX_SAY_BEGUN);
}
END_TEST

START_TEST(a_node_is_known_by_what_it_says_on_the_vips_interface)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	hear_on(f, 1, stranger, 3, NEIGHBOUR_CLAIM);
	hear_on(f, 0, another, 3, NEIGHBOUR_PROBE); /* that asks, and claims nothing */
	claim(f, stranger, 201);
	pass(f, CONFLICT_SETTLE);
	ck_assert(f->done & CONFLICT_FX_SAY_BEGUN);
}
END_TEST

/* RFC 9568 7.3 */
START_TEST(the_virtual_mac_is_of_the_routers_that_share_it)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	conflict_set_role(f->conflict, SHARED, CONFLICT_SERVES, f->now);
	claim(f, virtual_router, 250);
	ck_assert_uint_eq(f->conflict->counters.claims, 0);
	/* among roost's nodes there is none */
	claim(f, virtual_router, 201);
	ck_assert_uint_eq(f->conflict->counters.claims, 1);
}
END_TEST

START_TEST(what_is_not_served_here_is_nobodys_conflict)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	claim(f, stranger, 250);
	claim(f, stranger, 77);
	hear_on(f, 1, stranger, 201, NEIGHBOUR_CLAIM);
	conflict_set_role(f->conflict, VIP, CONFLICT_AWAY, f->now);
	claim(f, stranger, 201);
	hear_on(f, 0, stranger, 201, NEIGHBOUR_PROBE);
	pass(f, tick_s(1000));
	ck_assert_uint_eq(f->done, 0);
	ck_assert_uint_eq(f->conflict->counters.claims, 0);
	ck_assert_uint_eq(f->conflict->counters.probes, 0);
	ck_assert_uint_eq(conflict_deadline(f->conflict), TICK_NEVER);
}
END_TEST

START_TEST(who_leaves_in_the_meantime_does_not_judge)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	claim(f, www2, 201);
	pass(f, tick_ms(5));
	conflict_set_role(f->conflict, VIP, CONFLICT_AWAY, f->now);
	pass(f, tick_s(10));
	ck_assert_uint_eq(f->done, 0);
	conflict_set_role(f->conflict, VIP, CONFLICT_SERVES, f->now);
	pass(f, tick_s(10));
	ck_assert_uint_eq(f->done, CONFLICT_FX_ASK);
}
END_TEST

START_TEST(a_silent_stranger_is_found_by_asking)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	pass(f, tick_ms(1100));
	ck_assert_uint_eq(f->done, CONFLICT_FX_ASK);
	pass(f, 10 * REFRESH);
	ck_assert_uint_ge(count_of(f, CONFLICT_FX_ASK), 9);
	ck_assert_uint_le(count_of(f, CONFLICT_FX_ASK), 11);
	f->config.announce.refresh = 0;
	conflict_free(f->conflict);
	f->conflict = conflict_new(&f->config, SELF, 1);
	conflict_set_role(f->conflict, VIP, CONFLICT_SERVES, f->now);
	pass(f, tick_s(1000));
	ck_assert_uint_eq(count_of(f, CONFLICT_FX_ASK), 1);
}
END_TEST

START_TEST(who_asks_whether_a_vip_is_free_is_told_once_a_minute)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	for (int i = 0; i < 3; i++)
		hear_on(f, 0, stranger, 201, NEIGHBOUR_PROBE);
	pass(f, tick_ms(1));
	ck_assert_uint_eq(f->done, CONFLICT_FX_SAY_PROBED);
	ck_assert_uint_eq(count_of(f, CONFLICT_FX_SAY_PROBED), 1);
	ck_assert_mem_eq(vip_of(f)->prober, stranger, sizeof stranger);
	hear_on(f, 0, another, 201, NEIGHBOUR_PROBE);
	pass(f, tick_ms(1));
	ck_assert_uint_eq(f->done, 0);
	pass(f, MINUTE);
	hear_on(f, 0, another, 201, NEIGHBOUR_PROBE);
	pass(f, tick_ms(1));
	ck_assert_uint_eq(f->done, CONFLICT_FX_SAY_PROBED);
	ck_assert_uint_eq(f->conflict->counters.probes, 5);
	ck_assert_uint_eq(vip_of(f)->since, 0);
}
END_TEST

START_TEST(what_is_yielded_is_not_defended_and_taken_back_when_the_stranger_is_gone)
{
	struct fixture *f = start(CONFIG_CONFLICT_YIELD);

	claim(f, stranger, 201);
	pass(f, CONFLICT_SETTLE);
	ck_assert(f->done & CONFLICT_FX_YIELD && f->done & CONFLICT_FX_SAY_BEGUN);
	conflict_set_role(f->conflict, VIP, CONFLICT_YIELDED, f->now);
	insist(f, tick_s(100));
	ck_assert(!(f->done & (CONFLICT_FX_DEFEND | CONFLICT_FX_RESUME | CONFLICT_FX_YIELD)));
	ck_assert_uint_ge(count_of(f, CONFLICT_FX_ASK), 19);
	pass(f, tick_ms(14900));
	ck_assert(!(f->done & CONFLICT_FX_RESUME));
	pass(f, tick_ms(200));
	ck_assert(f->done & CONFLICT_FX_RESUME && f->done & CONFLICT_FX_SAY_OVER);
	conflict_set_role(f->conflict, VIP, CONFLICT_SERVES, f->now);
	pass(f, tick_s(10));
	ck_assert_uint_eq(f->done, CONFLICT_FX_ASK);
	ck_assert_uint_eq(f->conflict->counters.yields, 1);
}
END_TEST

START_TEST(the_node_is_told_until_it_follows)
{
	struct fixture *f = start(CONFIG_CONFLICT_YIELD);

	insist(f, tick_s(5));
	ck_assert_uint_ge(count_of(f, CONFLICT_FX_YIELD), 4);
	ck_assert_uint_eq(f->conflict->counters.yields, 1);
	conflict_set_role(f->conflict, VIP, CONFLICT_YIELDED, f->now);
	pass(f, tick_s(20));
	ck_assert_uint_ge(count_of(f, CONFLICT_FX_RESUME), 4);
	/* and meanwhile the stranger is back */
	claim(f, stranger, 201);
	pass(f, tick_s(2));
	claim(f, stranger, 201);
	pass(f, tick_s(2));
	ck_assert_uint_eq(count_of(f, CONFLICT_FX_RESUME), 0);
}
END_TEST

/* The journal is not to be filled by whoever can send frames. */
START_TEST(many_conflicts_at_once_are_not_all_told)
{
	enum { MANY = 1000 };
	static struct config_vip vips[MANY];
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);
	struct conflict_act acts[7];
	uint32_t n, said = 0, defended = 0;

	for (uint32_t i = 0; i < MANY; i++)
		vips[i].address =
			addr_from_ipv4((const uint8_t[]){10, 2, (uint8_t)(i >> 8), (uint8_t)i});
	f->config.vips = vips;
	f->config.n_vips = MANY;
	conflict_free(f->conflict);
	f->conflict = conflict_new(&f->config, SELF, 1);
	for (uint32_t i = 0; i < MANY; i++) {
		struct neighbour s = {.kind = NEIGHBOUR_CLAIM, .address = vips[i].address};

		memcpy(s.mac, stranger, sizeof s.mac);
		conflict_set_role(f->conflict, i, CONFLICT_SERVES, f->now);
		conflict_hear(f->conflict, 0, &s, f->now);
	}
	for (const tick end = f->now + CONFLICT_SETTLE; f->now <= end; f->now += tick_ms(10)) {
		while ((n = conflict_take(f->conflict, f->now, acts, 7)) != 0) {
			for (uint32_t i = 0; i < n; i++) {
				said += !!(acts[i].what & CONFLICT_FX_SAY_BEGUN);
				defended += !!(acts[i].what & CONFLICT_FX_DEFEND);
			}
		}
	}
	ck_assert_uint_eq(defended, MANY);
	ck_assert_uint_eq(said, 10);
	ck_assert_uint_eq(f->conflict->counters.unsaid, MANY - 10);
}
END_TEST

START_TEST(each_of_a_suspects_claims_counts_and_the_first_begins_the_suspicion)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	claim(f, stranger, 201);
	pass(f, tick_ms(10));
	claim(f, another, 201);
	hear_on(f, 0, another, 201, NEIGHBOUR_PROBE); /* nor does a question hasten the judgement */
	pass(f, CONFLICT_SETTLE - tick_ms(11));
	ck_assert_uint_eq(vip_of(f)->since, 0);
	pass(f, tick_ms(1));
	ck_assert(f->done & CONFLICT_FX_SAY_BEGUN);
	ck_assert_uint_eq(f->claims, 2);
	ck_assert_uint_eq(vip_of(f)->since, T0);
	ck_assert_mem_eq(vip_of(f)->mac, another, sizeof another);
}
END_TEST

/* RFC 9568 7.3 */
START_TEST(the_virtual_mac_has_a_form_of_its_own_over_ipv6)
{
	static const uint8_t router[] = {0, 0, 0x5e, 0, 2, 51};
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);
	struct neighbour n = {.kind = NEIGHBOUR_CLAIM};

	ck_assert(addr_parse("2001:db8::250", &n.address));
	f->vips[SHARED].address = n.address;
	conflict_free(f->conflict);
	f->conflict = conflict_new(&f->config, SELF, 1);
	conflict_set_role(f->conflict, SHARED, CONFLICT_SERVES, f->now);
	memcpy(n.mac, router, sizeof n.mac);
	conflict_hear(f->conflict, 0, &n, f->now);
	ck_assert_uint_eq(f->conflict->counters.claims, 0);
	memcpy(n.mac, virtual_router, sizeof n.mac); /* that is IPv4's */
	conflict_hear(f->conflict, 0, &n, f->now);
	ck_assert_uint_eq(f->conflict->counters.claims, 1);
}
END_TEST

START_TEST(who_asks_for_a_vip_that_was_yielded_is_counted_and_not_told)
{
	struct fixture *f = start(CONFIG_CONFLICT_YIELD);

	claim(f, stranger, 201);
	pass(f, CONFLICT_SETTLE);
	conflict_set_role(f->conflict, VIP, CONFLICT_YIELDED, f->now);
	hear_on(f, 0, another, 201, NEIGHBOUR_PROBE);
	pass(f, tick_ms(10));
	ck_assert_uint_eq(f->conflict->counters.probes, 1);
	ck_assert_uint_eq(count_of(f, CONFLICT_FX_SAY_PROBED), 0);
}
END_TEST

/* It was told to, and in the meantime the stranger went. */
START_TEST(a_node_that_yields_too_late_is_told_to_resume_at_once)
{
	struct fixture *f = start(CONFIG_CONFLICT_YIELD);

	conflict_set_role(f->conflict, VIP, CONFLICT_YIELDED, f->now);
	ck_assert_uint_eq(conflict_deadline(f->conflict), 0);
	carry_out(f);
	ck_assert_uint_eq(f->done, CONFLICT_FX_RESUME);
}
END_TEST

START_TEST(a_role_that_is_told_again_changes_nothing)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);
	struct conflict_vip before;

	claim(f, stranger, 201);
	pass(f, CONFLICT_SETTLE);
	before = *vip_of(f);
	conflict_set_role(f->conflict, VIP, CONFLICT_SERVES, f->now);
	ck_assert_mem_eq(vip_of(f), &before, sizeof before);
}
END_TEST

/* So much was said of other VIPs that there is no room for a line for so long: ten are 54 s ahead. */
static void fill_the_journal(struct fixture *f, tick span)
{
	f->conflict->line_at = f->now + span + tick_s(54);
}

START_TEST(a_conflict_that_found_no_room_is_told_a_minute_later)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	fill_the_journal(f, tick_s(30));
	insist(f, tick_s(50));
	ck_assert(!(f->done & CONFLICT_FX_SAY_BEGUN) && vip_of(f)->since);
	ck_assert_uint_eq(f->conflict->counters.unsaid, 1);
	insist(f, tick_s(11));
	ck_assert_uint_eq(count_of(f, CONFLICT_FX_SAY_BEGUN), 1);
	ck_assert_uint_ge(f->claims, 60); /* all of them */
	/* and its end may find none, either */
	fill_the_journal(f, tick_s(30));
	pass(f, tick_s(20));
	ck_assert_uint_eq(vip_of(f)->since, 0);
	ck_assert(!(f->done & CONFLICT_FX_SAY_OVER));
	ck_assert_uint_eq(f->conflict->counters.unsaid, 2);
}
END_TEST

START_TEST(the_end_of_a_conflict_that_was_not_told_is_not_told)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	fill_the_journal(f, tick_s(30));
	claim(f, stranger, 201);
	pass(f, tick_s(20));
	ck_assert_uint_eq(f->conflict->counters.conflicts, 1);
	ck_assert_uint_eq(vip_of(f)->since, 0);
	ck_assert(!(f->done & (CONFLICT_FX_SAY_BEGUN | CONFLICT_FX_SAY_OVER)));
}
END_TEST

static bool watch(void *context)
{
	struct conflict *c = conflict_new(context, SELF, 1);

	conflict_free(c);
	return c;
}

START_TEST(nothing_is_left_behind_when_memory_runs_out)
{
	struct fixture *f = start(CONFIG_CONFLICT_DEFEND);

	ck_assert_uint_ge(memory_refuse_each(watch, &f->config), 3);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_stranger_is_told_and_the_vip_defended,
		a_stranger_who_insists_is_answered_every_ten_seconds,
		the_last_claim_is_always_answered,
		a_conflict_is_over_when_three_questions_stay_unanswered,
		one_who_comes_and_goes_is_told_once_a_minute,
		a_node_is_no_stranger,
		a_node_that_answers_for_itself_in_time_is_no_stranger,
		a_node_may_have_two_links_there,
		who_claims_this_nodes_own_address_is_not_of_the_cluster,
		a_node_is_known_by_what_it_says_on_the_vips_interface,
		the_virtual_mac_is_of_the_routers_that_share_it,
		what_is_not_served_here_is_nobodys_conflict,
		who_leaves_in_the_meantime_does_not_judge,
		a_silent_stranger_is_found_by_asking,
		who_asks_whether_a_vip_is_free_is_told_once_a_minute,
		what_is_yielded_is_not_defended_and_taken_back_when_the_stranger_is_gone,
		the_node_is_told_until_it_follows,
		many_conflicts_at_once_are_not_all_told,
		each_of_a_suspects_claims_counts_and_the_first_begins_the_suspicion,
		the_virtual_mac_has_a_form_of_its_own_over_ipv6,
		who_asks_for_a_vip_that_was_yielded_is_counted_and_not_told,
		a_node_that_yields_too_late_is_told_to_resume_at_once,
		a_role_that_is_told_again_changes_nothing,
		a_conflict_that_found_no_room_is_told_a_minute_later,
		the_end_of_a_conflict_that_was_not_told_is_not_told,
		nothing_is_left_behind_when_memory_runs_out,
	};

	return run_suite("conflict", tests, sizeof tests / sizeof tests[0]);
}
