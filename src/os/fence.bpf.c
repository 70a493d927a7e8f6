/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What the kernel itself does for the lease (os/fence.h): these programs see every packet that
 * enters or leaves an interface, and drop those of a VIP that may not be served now. They hold no
 * state of their own, and work on when the daemon is dead or frozen: a lease that nobody renews has
 * run out.
 *
 *    address in the packet ── vips ──► VIP ── cells ──► permission, lease ── leases ──► deadline
 *
 *                      arriving: what it is for    leaving: what it tells of
 *    data              destination                 source
 *    ARP               target protocol address     sender protocol address
 *    NS, NA            target, then destination    NA's target, then source
 *    RS, RA, Redirect  destination, as data        source
 *
 * ND that leaves may tell its source's link-layer address as well (RFC 4861 4), so it needs the
 * permission for neighbours on both counts; a question for a VIP that somebody else has needs none.
 * Of a packet with extension headers only the addresses of its IPv6 header count, as data: Linux's
 * answer to a solicitation in such a packet has none, and is judged when it leaves.
 */

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "lease/lease.h"
#include "os/fence_filter.h"

/* The next program decides: TC_ACT_UNSPEC of clsact, TCX_NEXT of tcx. */
#define PASS (-1)
#define DROP 2

#define TYPE_IPV4     0x0800
#define TYPE_ARP      0x0806
#define TYPE_IPV6     0x86dd
#define TYPE_VLAN     0x8100
#define TYPE_VLAN_OUT 0x88a8
#define VLAN_TAGS_MAX 2

#define ETHERNET_ADDRESS 6 /* its size */
#define ETHERNET_TYPE    12
#define ETHERNET_SIZE    14
#define VLAN_TYPE        2
#define VLAN_SIZE        4

#define ARP_PROTOCOL  2
#define ARP_SIZES     4
#define ARP_ADDRESSES 8
#define ARP_SENDER    14
#define ARP_TARGET    24

#define IPV4_SOURCE      12
#define IPV4_DESTINATION 16
#define IPV6_NEXT        6
#define IPV6_SOURCE      8
#define IPV6_DESTINATION 24
#define IPV6_SIZE        40
#define IPV6_NEXT_ICMP   58
#define ND_TARGET        8

#define ND_FIRST    133
#define ND_SOLICIT  135
#define ND_ADVERT   136
#define ND_REDIRECT 137

#define NO_VIP 0xffffffffu

/* The sizes are set when they are loaded. */

/* struct addr (base/addr.h) in words. */
struct key {
	__u32 word[4];
};

/* Where a VIP has set its bit, and VIPs by the number of their slot; filled before the programs are loaded. */
const volatile __u64 filter[FENCE_FILTER_WORDS];
const volatile __u32 slots[FENCE_SLOTS][FENCE_SLOT_WORDS];

/* Address of a VIP to its index. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct key);
	__type(value, __u32);
	__uint(max_entries, 1);
} vips SEC(".maps");

/* By VIP: enum lease_permission in the low 8 bits, above them the index of its lease. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1);
} cells SEC(".maps");

/* By lease: when it ends, in ns of CLOCK_BOOTTIME; 0 is closed. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1);
} leases SEC(".maps");

/* Packets dropped: arriving data, arriving ARP and ND, leaving data, leaving ARP and ND. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 4);
} drops SEC(".maps");

/*
 * How a packet is looked at. Directly, if its network header has the usual place; without
 * CAP_PERFMON the kernel lets a program do that only at places that are known beforehand. Else by
 * calls.
 */
struct frame {
	struct __sk_buff *skb;
	bool leaving;
	enum { DIRECT, BY_CALLS, BARE } look; /* BARE: without Ethernet header, too */
	__u32 network;                        /* where the network header begins, unless BARE */
};

static __always_inline const void *at(const struct frame *f, __u32 offset)
{
	return (void *)(long)f->skb->data + f->network + offset;
}

/* Whether @size bytes at @offset from the network header lie where they may be looked at. */
static __always_inline bool is_at_hand(const struct frame *f, __u32 offset, __u32 size)
{
	return f->look == DIRECT && at(f, offset) + size <= (void *)(long)f->skb->data_end;
}

/* Copies them from wherever they are. False if the frame ends before. */
static __always_inline bool fetch(const struct frame *f, __u32 offset, void *to, __u32 size)
{
	if (f->look == BARE)
		return !bpf_skb_load_bytes_relative(f->skb, offset, to, size, BPF_HDR_START_NET);
	return !bpf_skb_load_bytes(f->skb, f->network + offset, to, size);
}

static __always_inline bool load(const struct frame *f, __u32 offset, void *to, __u32 size)
{
	if (!is_at_hand(f, offset, size))
		return fetch(f, offset, to, size);
	__builtin_memcpy(to, at(f, offset), size);
	return true;
}

/* The same for whole words that are aligned as such. */
static __always_inline bool load_words(const struct frame *f, __u32 offset, void *to, __u32 size)
{
	if (!is_at_hand(f, offset, size))
		return fetch(f, offset, to, size);
	__builtin_memcpy(to, __builtin_assume_aligned(at(f, offset), 4), size);
	return true;
}

static __always_inline bool is_permitted(const struct frame *f, __u64 cell, bool neighbour)
{
	const enum lease_permission permission = cell & 0xff;
	const __u32 lease = cell >> 8;
	const volatile __u64 *until;

	/* served elsewhere; this node may route or bridge between that one and others */
	if (permission == LEASE_ABSENT)
		return !f->leaving || f->skb->ingress_ifindex != 0;
	if (permission != LEASE_FULL && (permission != LEASE_DATA || neighbour))
		return false;
	until = bpf_map_lookup_elem(&leases, &lease);
	return until && bpf_ktime_get_boot_ns() < *until;
}

static __always_inline bool is_in_slot(const volatile __u32 *slot, const struct key *address)
{
	return slot[FENCE_SLOT_VIP] > 0 && slot[3] == address->word[3] &&
	       slot[2] == address->word[2] && slot[1] == address->word[1] &&
	       slot[0] == address->word[0];
}

/* The index of the VIP that this is the address of; NO_VIP if it is of none. */
static __always_inline __u32 find_vip(const struct key *address)
{
	const __u32 bit = fence_filter_bit(address->word);
	const volatile __u32 *slot = slots[bit % FENCE_SLOTS];
	const __u32 *vip;

	if (!(filter[bit / 64 % FENCE_FILTER_WORDS] >> bit % 64 & 1))
		return NO_VIP;
	if (is_in_slot(slot, address))
		return slot[FENCE_SLOT_VIP] - 1;
	vip = bpf_map_lookup_elem(&vips, address);
	return vip ? *vip : NO_VIP;
}

/* Whether a packet that speaks for @address, as data or to a neighbour, may pass. */
static __always_inline bool may_pass(
	const struct frame *f, const struct key *address, bool neighbour)
{
	const __u32 kind = 2 * f->leaving + neighbour, vip = find_vip(address);
	const volatile __u64 *cell;
	__u64 *dropped;

	if (vip == NO_VIP)
		return true;
	cell = bpf_map_lookup_elem(&cells, &vip);
	if (cell && is_permitted(f, *cell, neighbour))
		return true;
	dropped = bpf_map_lookup_elem(&drops, &kind);
	if (dropped)
		(*dropped)++;
	return false;
}

static __always_inline struct key from_ipv4(__be32 four)
{
	return (struct key){{0, 0, bpf_htonl(0xffff), four}};
}

static __always_inline bool ipv4_may_pass(const struct frame *f)
{
	struct key address;
	__be32 four;

	if (!load_words(f, f->leaving ? IPV4_SOURCE : IPV4_DESTINATION, &four, sizeof four))
		return true;
	address = from_ipv4(four);
	return may_pass(f, &address, false);
}

static __always_inline bool arp_may_pass(const struct frame *f)
{
	__be16 protocol;
	__u8 sizes[2]; /* of hardware and of protocol addresses */
	struct key address;
	__be32 four;
	__u32 offset;
	bool found;

	if (!load(f, ARP_PROTOCOL, &protocol, sizeof protocol) || protocol != bpf_htons(TYPE_IPV4))
		return true;
	if (!load(f, ARP_SIZES, sizes, sizeof sizes) || sizes[1] != sizeof four)
		return true;
	offset = ARP_ADDRESSES + sizes[0] + (f->leaving ? 0 : sizeof four + sizes[0]);
	if (sizes[0] == ETHERNET_ADDRESS)
		found = load(f, f->leaving ? ARP_SENDER : ARP_TARGET, &four, sizeof four);
	else
		found = fetch(f, offset, &four, sizeof four);
	if (!found)
		return true;
	address = from_ipv4(four);
	return may_pass(f, &address, true);
}

static __always_inline bool ipv6_may_pass(const struct frame *f)
{
	struct key address, target;
	bool neighbour = false;
	__u8 next, type;

	if (!load(f, IPV6_NEXT, &next, sizeof next) ||
		!load_words(
			f, f->leaving ? IPV6_SOURCE : IPV6_DESTINATION, &address, sizeof address))
		return true;
	if (next == IPV6_NEXT_ICMP && load(f, IPV6_SIZE, &type, sizeof type)) {
		if ((type == ND_ADVERT || (type == ND_SOLICIT && !f->leaving)) &&
			load_words(f, IPV6_SIZE + ND_TARGET, &target, sizeof target) &&
			!may_pass(f, &target, true))
			return false;
		neighbour = f->leaving && type >= ND_FIRST && type <= ND_REDIRECT;
	}
	return may_pass(f, &address, neighbour);
}

static __always_inline int judge(const struct frame *f, __be16 type)
{
	bool may = true;

	if (type == bpf_htons(TYPE_IPV4))
		may = ipv4_may_pass(f);
	else if (type == bpf_htons(TYPE_IPV6))
		may = ipv6_may_pass(f);
	else if (type == bpf_htons(TYPE_ARP))
		may = arp_may_pass(f);
	return may ? PASS : DROP;
}

static __always_inline bool is_tag(__be16 type)
{
	return type == bpf_htons(TYPE_VLAN) || type == bpf_htons(TYPE_VLAN_OUT);
}

/* Tags are rarely seen here: the kernel keeps the outermost apart. */
static __always_inline int judge_tagged(struct __sk_buff *skb, bool leaving, __be16 type)
{
	struct frame f = {skb, leaving, BY_CALLS, ETHERNET_SIZE};

#pragma unroll
	for (int i = 0; i < VLAN_TAGS_MAX && is_tag(type); i++) {
		if (!fetch(&f, VLAN_TYPE, &type, sizeof type))
			return PASS;
		f.network += VLAN_SIZE;
	}
	return judge(&f, type);
}

static __always_inline int judge_ethernet(struct __sk_buff *skb, bool leaving)
{
	const struct frame whole = {skb, leaving, DIRECT, 0}; /* read as if it were the network's */
	const struct frame f = {skb, leaving, DIRECT, ETHERNET_SIZE};
	__be16 type;

	if (!load(&whole, ETHERNET_TYPE, &type, sizeof type))
		return PASS;
	return is_tag(type) ? judge_tagged(skb, leaving, type) : judge(&f, type);
}

static __always_inline int judge_bare(struct __sk_buff *skb, bool leaving)
{
	const struct frame f = {skb, leaving, BARE, 0};

	return judge(&f, skb->protocol);
}

SEC("tc")
int fence_ingress(struct __sk_buff *skb)
{
	return judge_ethernet(skb, false);
}

SEC("tc")
int fence_egress(struct __sk_buff *skb)
{
	return judge_ethernet(skb, true);
}

/* For tunnels and whatever else has no Ethernet header. */

SEC("tc")
int fence_bare_ingress(struct __sk_buff *skb)
{
	return judge_bare(skb, false);
}

SEC("tc")
int fence_bare_egress(struct __sk_buff *skb)
{
	return judge_bare(skb, true);
}

/* None of the helpers that it calls is kept for programs under version 2. */
char LICENSE[] SEC("license") = "GPL-3.0-or-later";
