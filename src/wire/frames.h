/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/*
 * Numbers of ARP over Ethernet (RFC 826) and of neighbour discovery (RFC 4861), for the files of wire/
 * that build and read such frames.
 */

#define ETHERTYPE_IPV4         0x0800
#define ETHERTYPE_ARP          0x0806
#define ETHERTYPE_IPV6         0x86dd
#define ARP_ETHERNET           1
#define ARP_REQUEST            1
#define ARP_REPLY              2
#define ICMPV6                 58
#define ND_SOLICITATION        135
#define ND_ADVERTISEMENT       136
#define ND_HOP_LIMIT           255 /* RFC 4861 7.1: or it is not from this link */
#define ND_FLAG_ROUTER         0x80000000
#define ND_FLAG_SOLICITED      0x40000000
#define ND_FLAG_OVERRIDE       0x20000000
#define ND_SOURCE_LINK_ADDRESS 1
#define ND_TARGET_LINK_ADDRESS 2
#define ND_OPTION_UNIT         8 /* options are so many bytes, times their length field */
