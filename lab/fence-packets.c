/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * fence-packets [cost]: gives packets of every kind to the fence's programs (src/os/fence.bpf.c),
 * under every permission, by the kernel's own means for it (BPF_PROG_TEST_RUN). Nothing is sent.
 * Prints a line for each case that went wrong, and `N passed, N failed`. With `cost`, what a packet
 * costs instead:
 *
 *    cost PROGRAM PACKET NS EXTRA    EXTRA: beyond a program that does nothing
 */

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "lease/lease.h"
#include "os/clock.h"
#include "os/fence.skel.h"
#include "os/fence_filter.h"

#define VIPS   5000 /* so many that a lookup costs what it may cost */
#define LEASE  7
#define PASS   (-1)
#define REPEAT 200000

enum party { OTHER, VIP, SECOND /* like OTHER */ };
enum layer { IPV4, IPV6, UDP6, ARP, SOLICIT, ADVERTISE, LEASE_SOLICIT, ECHO6, HOP_BY_HOP, FOREIGN };
enum need { NOTHING, DATA, NEIGHBOUR };

struct kind {
	const char *name;
	enum layer layer;
	enum party source, destination, target; /* ARP: sender and target are the first two */
	enum need arriving, leaving;
};

static const struct kind kinds[] = {
	{"IPv4 to the VIP", IPV4, OTHER, VIP, OTHER, DATA, NOTHING},
	{"IPv4 from the VIP", IPV4, VIP, OTHER, OTHER, NOTHING, DATA},
	{"IPv4 from the VIP to itself", IPV4, VIP, VIP, OTHER, DATA, DATA},
	{"IPv4 of others", IPV4, OTHER, SECOND, OTHER, NOTHING, NOTHING},
	{"IPv6 to the VIP", UDP6, OTHER, VIP, OTHER, DATA, NOTHING},
	{"IPv6 from the VIP", UDP6, VIP, OTHER, OTHER, NOTHING, DATA},
	{"IPv6 from the VIP to itself", UDP6, VIP, VIP, OTHER, DATA, DATA},
	{"IPv6 of others", UDP6, OTHER, SECOND, OTHER, NOTHING, NOTHING},
	{"ICMPv6 echo to the VIP", ECHO6, OTHER, VIP, OTHER, DATA, NOTHING},
	{"ICMPv6 echo from the VIP", ECHO6, VIP, OTHER, OTHER, NOTHING, DATA},
	{"ARP: who has the VIP", ARP, OTHER, VIP, OTHER, NEIGHBOUR, NOTHING},
	{"ARP: told of the VIP", ARP, VIP, OTHER, OTHER, NOTHING, NEIGHBOUR},
	{"ARP: announced", ARP, VIP, VIP, OTHER, NEIGHBOUR, NEIGHBOUR},
	{"ARP of others", ARP, OTHER, SECOND, OTHER, NOTHING, NOTHING},
	{"NS for the VIP", SOLICIT, OTHER, SECOND, VIP, NEIGHBOUR, NOTHING},
	{"NS for the VIP, to it", SOLICIT, OTHER, VIP, VIP, NEIGHBOUR, NOTHING},
	{"NS for another, to the VIP", SOLICIT, OTHER, VIP, SECOND, DATA, NOTHING},
	{"NS for another, from the VIP", SOLICIT, VIP, SECOND, OTHER, NOTHING, NEIGHBOUR},
	{"NA of the VIP", ADVERTISE, OTHER, SECOND, VIP, NEIGHBOUR, NEIGHBOUR},
	{"NA of the VIP, from it", ADVERTISE, VIP, SECOND, VIP, NEIGHBOUR, NEIGHBOUR},
	{"NA of another, from the VIP", ADVERTISE, VIP, SECOND, OTHER, NOTHING, NEIGHBOUR},
	{"NA of others", ADVERTISE, OTHER, SECOND, OTHER, NOTHING, NOTHING},
	{"RS from the VIP", LEASE_SOLICIT, VIP, SECOND, OTHER, NOTHING, NEIGHBOUR},
	{"RS to the VIP", LEASE_SOLICIT, OTHER, VIP, OTHER, DATA, NOTHING},
	{"hop-by-hop options, to the VIP", HOP_BY_HOP, OTHER, VIP, VIP, DATA, NOTHING},
	{"hop-by-hop options, from the VIP", HOP_BY_HOP, VIP, OTHER, VIP, NOTHING, DATA},
	{"no IP at all", FOREIGN, VIP, VIP, VIP, NOTHING, NOTHING},
};

struct frame {
	uint8_t bytes[256];
	size_t size;
};

struct bench {
	struct fence_bpf *skeleton;
	int empty; /* a program that passes everything */
	unsigned passed, failed;
};

static void put_address(struct writer *w, enum family family, enum party who)
{
	static const char *const texts[FAMILY_COUNT][3] = {
		{"10.1.1.9", "10.1.1.201", "10.1.1.8"}, {"fd00:1::9", "fd00:1::201", "fd00:1::8"}};
	struct addr a;

	(void)addr_parse(texts[family][who], &a);
	writer_bytes(w, a.b + sizeof a.b - addr_wire_size(family), addr_wire_size(family));
}

static void put_zeros(struct writer *w, size_t n)
{
	memset(writer_reserve(w, n), 0, n);
}

static void put_ipv4(struct writer *w, const struct kind *k)
{
	writer_u16(w, 0x4500);
	writer_u16(w, 28);
	put_zeros(w, 4);
	writer_u16(w, 64 << 8 | 17);
	put_zeros(w, 2);
	put_address(w, FAMILY_IPV4, k->source);
	put_address(w, FAMILY_IPV4, k->destination);
	put_zeros(w, 8);
}

static void put_ipv6(struct writer *w, const struct kind *k)
{
	static const uint8_t types[FOREIGN + 1] = {
		[SOLICIT] = 135, [ADVERTISE] = 136, [LEASE_SOLICIT] = 133, [ECHO6] = 128};
	const uint8_t next = k->layer == UDP6 ? 17 : k->layer == HOP_BY_HOP ? 0 : 58;

	writer_u32(w, 0x60000000);
	writer_u16(w, 32);
	writer_u8(w, next);
	writer_u8(w, 255);
	put_address(w, FAMILY_IPV6, k->source);
	put_address(w, FAMILY_IPV6, k->destination);
	if (next != 58) {
		/* behind the options a solicitation */
		writer_u32(w, next ? 0x1267000d : 0x3a000104);
		put_zeros(w, 4);
		writer_u8(w, 135);
	} else {
		writer_u8(w, types[k->layer]);
	}
	put_zeros(w, 7);
	put_address(w, FAMILY_IPV6, k->target);
	put_zeros(w, 8);
}

static void put_arp(struct writer *w, const struct kind *k)
{
	writer_u16(w, 1);
	writer_u16(w, 0x0800);
	writer_u16(w, 0x0604);
	writer_u16(w, 1);
	put_zeros(w, 6);
	put_address(w, FAMILY_IPV4, k->source);
	put_zeros(w, 6);
	put_address(w, FAMILY_IPV4, k->destination);
}

static uint16_t type_of(enum layer layer)
{
	if (layer == FOREIGN)
		return 0x88cc;
	return layer == IPV4 ? 0x0800 : layer == ARP ? 0x0806 : 0x86dd;
}

static struct frame frame_of(const struct kind *k, int tags)
{
	struct frame f;
	struct writer w = writer_of(f.bytes, sizeof f.bytes);

	put_zeros(&w, 12);
	for (int i = tags; i > 0; i--) {
		writer_u16(&w, i > 1 ? 0x88a8 : 0x8100);
		writer_u16(&w, (uint16_t)(100 + i));
	}
	writer_u16(&w, type_of(k->layer));
	if (k->layer == ARP)
		put_arp(&w, k);
	else if (k->layer == IPV4)
		put_ipv4(&w, k);
	else
		put_ipv6(&w, k);
	put_zeros(&w, 10);
	f.size = w.at;
	return f;
}

/* What a program makes of it; @ret_ns, unless NULL: the time that it takes. */
static int run(int program, const struct frame *f, bool forwarded, uint32_t *ret_ns)
{
	struct __sk_buff context = {.ingress_ifindex = forwarded ? 1 : 0};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = f->bytes, .data_size_in = (uint32_t)f->size,
		.ctx_in = &context, .ctx_size_in = sizeof context, .repeat = ret_ns ? REPEAT : 1);

	if (bpf_prog_test_run_opts(program, &o)) {
		perror("BPF_PROG_TEST_RUN");
		exit(1);
	}
	if (ret_ns)
		*ret_ns = o.duration;
	return (int)o.retval;
}

struct circumstances {
	enum lease_permission permission;
	bool running, leaving, forwarded, bare;
	int tags;
};

static bool should_pass(enum need need, const struct circumstances *c)
{
	if (need == NOTHING || c->tags > 2)
		return true;
	switch (c->permission) {
	case LEASE_ABSENT: return !c->leaving || c->forwarded;
	case LEASE_CLOSED: return false;
	case LEASE_DATA: return c->running && need == DATA;
	case LEASE_FULL: return c->running;
	}
	abort();
}

static void arrange(const struct bench *b, const struct circumstances *c)
{
	const int cells = bpf_map__fd(b->skeleton->maps.cells);
	const uint64_t cell = (uint64_t)LEASE << 8 | c->permission;
	const uint64_t until = c->running ? clock_now() + tick_s(3600) : clock_now();
	const uint32_t lease = LEASE;

	for (uint32_t vip = VIPS - 2; vip < VIPS; vip++)
		bpf_map_update_elem(cells, &vip, &cell, BPF_ANY);
	bpf_map_update_elem(bpf_map__fd(b->skeleton->maps.leases), &lease, &until, BPF_ANY);
}

static int program_of(const struct bench *b, const struct circumstances *c)
{
	if (c->bare)
		return bpf_program__fd(c->leaving ? b->skeleton->progs.fence_bare_egress
						  : b->skeleton->progs.fence_bare_ingress);
	return bpf_program__fd(
		c->leaving ? b->skeleton->progs.fence_egress : b->skeleton->progs.fence_ingress);
}

static void judge(struct bench *b, const struct kind *k, const struct circumstances *c)
{
	const struct frame f = frame_of(k, c->tags);
	const bool should = should_pass(c->leaving ? k->leaving : k->arriving, c);

	if ((run(program_of(b, c), &f, c->forwarded, NULL) == PASS) == should) {
		b->passed++;
		return;
	}
	b->failed++;
	printf("%s, %s%s%s, permission %d, lease %s, %d tags: did%s pass\n", k->name,
		c->leaving ? "leaving" : "arriving", c->forwarded ? " forwarded" : "",
		c->bare ? " bare" : "", c->permission, c->running ? "running" : "over", c->tags,
		should ? " not" : "");
}

/* Every combination of circumstances is a number. */
static void judge_all(struct bench *b, const struct kind *k)
{
	for (unsigned i = 0; i < 4 * 16 * 4; i++) {
		const struct circumstances c = {.permission = i % 4,
			.running = i / 4 % 2,
			.leaving = i / 8 % 2,
			.forwarded = i / 16 % 2,
			.bare = i / 32 % 2,
			.tags = (int)(i / 64)};

		if (c.bare && c.tags)
			continue;
		arrange(b, &c);
		judge(b, k, &c);
	}
}

/* A frame that ends early is left to the kernel, wherever it ends. */
static void judge_short(struct bench *b, const struct kind *k)
{
	const struct circumstances c = {.permission = LEASE_CLOSED};
	struct frame f = frame_of(k, 2);

	arrange(b, &c);
	for (f.size = 14; f.size < 38; f.size++) {
		if (run(program_of(b, &c), &f, false, NULL) == PASS) {
			b->passed++;
		} else {
			b->failed++;
			printf("%s, of %zu bytes: did not pass\n", k->name, f.size);
		}
	}
}

/* The last two are those of the packets. */
static struct addr vip_address(uint32_t vip)
{
	struct addr a;

	if (vip == VIPS - 1 || vip == VIPS - 2) {
		(void)addr_parse(vip % 2 ? "10.1.1.201" : "fd00:1::201", &a);
		return a;
	}
	(void)addr_parse("10.2.0.0", &a);
	a.b[14] = (uint8_t)(vip >> 8);
	a.b[15] = (uint8_t)vip;
	return a;
}

static void fill_filter(struct fence_bpf *skeleton)
{
	for (uint32_t vip = 0; vip < VIPS; vip++) {
		const struct addr a = vip_address(vip);

		fence_filter_add(skeleton->rodata->filter, skeleton->rodata->slots, a.b, vip);
	}
}

static bool load(struct fence_bpf *skeleton)
{
	if (!skeleton || bpf_map__set_max_entries(skeleton->maps.vips, VIPS) ||
		bpf_map__set_max_entries(skeleton->maps.cells, VIPS) ||
		bpf_map__set_max_entries(skeleton->maps.leases, LEASE + 1))
		return false;
	fill_filter(skeleton);
	return fence_bpf__load(skeleton) == 0;
}

static void set_up(struct bench *b)
{
	const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = PASS},
		{.code = BPF_JMP | BPF_EXIT}};

	b->skeleton = fence_bpf__open();
	if (!load(b->skeleton)) {
		perror("fence-packets");
		exit(1);
	}
	b->empty = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "nothing", "GPL", nothing, 2, NULL);
	for (uint32_t vip = 0; vip < VIPS; vip++) {
		const struct addr a = vip_address(vip);

		bpf_map_update_elem(bpf_map__fd(b->skeleton->maps.vips), &a, &vip, BPF_ANY);
	}
}

/* The least of several rounds: whatever is above it, other programs took. */
static uint32_t cost(int program, const struct frame *f)
{
	uint32_t least = UINT32_MAX, ns;

	for (int i = 0; i < 10; i++) {
		(void)run(program, f, false, &ns);
		least = ns < least ? ns : least;
	}
	return least;
}

static void measure(const struct bench *b, const struct kind *k)
{
	struct circumstances c = {.permission = LEASE_FULL, .running = true};
	const struct frame f = frame_of(k, 0);
	const uint32_t nothing = cost(b->empty, &f);

	arrange(b, &c);
	for (int leaving = 0; leaving < 2; leaving++) {
		uint32_t ns;

		c.leaving = leaving;
		ns = cost(program_of(b, &c), &f);
		printf("cost %s \"%s\" %u %d\n", leaving ? "egress" : "ingress", k->name, ns,
			(int)ns - (int)nothing);
	}
}

int main(int argc, char **argv)
{
	struct bench b = {0};

	set_up(&b);
	if (argc > 1 && strcmp(argv[1], "cost") == 0) {
		for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
			measure(&b, &kinds[i]);
		return 0;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		judge_all(&b, &kinds[i]);
	judge_short(&b, &kinds[0]);
	judge_short(&b, &kinds[4]);
	printf("%u passed, %u failed\n", b.passed, b.failed);
	fence_bpf__destroy(b.skeleton);
	return b.failed > 0;
}
