/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel's messages say; the messages are made here, with libmnl. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

#include "base/assert.h"
#include "os/netlink_message.h"
#include "suite.h"

struct heard {
	struct netlink_link link;
	struct netlink_address address;
	uint32_t n_links, n_addresses;
};

/* One datagram, and room for more than it needs. */
union datagram {
	struct nlmsghdr head;
	uint8_t bytes[1024];
};

static void hear_link(void *context, const struct netlink_link *link)
{
	struct heard *h = context;

	h->link = *link;
	h->n_links++;
}

static void hear_address(void *context, const struct netlink_address *address)
{
	struct heard *h = context;

	h->address = *address;
	h->n_addresses++;
}

static struct heard hear(const void *bytes, size_t size)
{
	struct heard heard = {0};
	struct netlink_listener listener = {hear_link, hear_address, &heard};

	ck_assert_int_ge(
		mnl_cb_run(bytes, netlink_sound_size(bytes, size), 0, 0, netlink_hear, &listener),
		0);
	return heard;
}

static struct nlmsghdr *put(union datagram *d, uint16_t type)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(d);

	h->nlmsg_type = type;
	return h;
}

static size_t put_address(union datagram *d, uint16_t type, uint8_t tag)
{
	const uint8_t ipv4[4] = {10, 1, 1, 201};
	struct nlmsghdr *h = put(d, type);
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);

	m->ifa_family = AF_INET;
	m->ifa_prefixlen = 32;
	m->ifa_index = 7;
	mnl_attr_put(h, IFA_LOCAL, sizeof ipv4, ipv4);
	mnl_attr_put_u8(h, IFA_PROTO, tag);
	return h->nlmsg_len;
}

START_TEST(a_link_is_heard_with_its_name_and_mac)
{
	const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	union datagram d;
	struct nlmsghdr *h = put(&d, RTM_NEWLINK);
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
	struct heard heard;

	m->ifi_index = 7;
	m->ifi_type = ARPHRD_ETHER;
	m->ifi_flags = IFF_UP | IFF_RUNNING;
	mnl_attr_put_strz(h, IFLA_IFNAME, "eth0");
	mnl_attr_put(h, IFLA_ADDRESS, sizeof mac, mac);
	mnl_attr_put_u32(h, IFLA_CARRIER_DOWN_COUNT, 3);
	heard = hear(&d, h->nlmsg_len);
	ck_assert_uint_eq(heard.n_links, 1);
	ck_assert_uint_eq(heard.link.ifindex, 7);
	ck_assert_str_eq(heard.link.name, "eth0");
	ck_assert_mem_eq(heard.link.mac, mac, sizeof mac);
	ck_assert(heard.link.present && heard.link.running && heard.link.ethernet);
	ck_assert_uint_eq(heard.link.losses, 3);
}
END_TEST

START_TEST(a_name_that_does_not_fit_is_left_out)
{
	union datagram d;
	struct nlmsghdr *h = put(&d, RTM_NEWLINK);
	struct heard heard;

	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, "a-name-of-sixteen");
	heard = hear(&d, h->nlmsg_len);
	ck_assert_uint_eq(heard.n_links, 1);
	ck_assert_str_eq(heard.link.name, "");
}
END_TEST

START_TEST(an_address_is_ours_by_its_tag)
{
	for (uint8_t tag = NETLINK_TAG - 1; tag <= NETLINK_TAG; tag++) {
		union datagram d;
		const struct heard heard = hear(&d, put_address(&d, RTM_NEWADDR, tag));

		ck_assert_uint_eq(heard.n_addresses, 1);
		ck_assert(heard.address.present);
		ck_assert_uint_eq(heard.address.ifindex, 7);
		ck_assert_int_eq(heard.address.ours, tag == NETLINK_TAG);
	}
}
END_TEST

START_TEST(a_removal_is_no_presence)
{
	union datagram d;
	const struct heard heard = hear(&d, put_address(&d, RTM_DELADDR, NETLINK_TAG));

	ck_assert_uint_eq(heard.n_addresses, 1);
	ck_assert(!heard.address.present);
}
END_TEST

/* libmnl alone would go on 2 GiB before the buffer. */
START_TEST(a_message_longer_than_its_datagram_ends_it)
{
	static const uint32_t lies[] = {
		0, 15, 1000, 0x7fffffff, 0x80000000, 0xc5c5c5c5, 0xffffffff};

	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		union datagram d;
		const size_t first = put_address(&d, RTM_NEWADDR, NETLINK_TAG);
		struct nlmsghdr *h = (void *)(d.bytes + first);

		memcpy(h, &d, first);
		h->nlmsg_len = lies[i];
		ck_assert_uint_eq(netlink_sound_size(&d, 2 * first), first);
		ck_assert_uint_eq(hear(&d, 2 * first).n_addresses, 1);
	}
}
END_TEST

/* libmnl alone would let its last attribute reach into padding that is not there. */
START_TEST(a_message_without_its_padding_is_not_whole)
{
	union datagram d;
	const size_t size = put_address(&d, RTM_NEWADDR, NETLINK_TAG);

	d.head.nlmsg_len = (uint32_t)size - 3;
	ck_assert_uint_eq(netlink_sound_size(&d, size - 3), 0);
	ck_assert_uint_eq(netlink_sound_size(&d, size), size);
}
END_TEST

START_TEST(failures_are_noted_by_their_sequence)
{
	struct netlink_change changes[3] = {0};
	union datagram d;
	struct nlmsghdr *h = put(&d, NLMSG_ERROR);
	struct nlmsgerr *e = mnl_nlmsg_put_extra_header(h, sizeof *e);

	h->nlmsg_seq = 101;
	e->error = -ENODEV;
	ck_assert(!netlink_note_results(&d, h->nlmsg_len, 100, changes, 3));
	ck_assert_int_eq(changes[1].error, -ENODEV);
	h->nlmsg_seq = 102;
	e->error = 0;
	ck_assert(netlink_note_results(&d, h->nlmsg_len, 100, changes, 3));
	/* an answer to something else */
	h->nlmsg_seq = 99;
	ck_assert(!netlink_note_results(&d, h->nlmsg_len, 100, changes, 3));
	ck_assert_int_eq(changes[0].error, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_link_is_heard_with_its_name_and_mac,
		a_name_that_does_not_fit_is_left_out,
		an_address_is_ours_by_its_tag,
		a_removal_is_no_presence,
		a_message_longer_than_its_datagram_ends_it,
		a_message_without_its_padding_is_not_whole,
		failures_are_noted_by_their_sequence,
	};

	return run_suite("netlink", tests, sizeof tests / sizeof tests[0]);
}
