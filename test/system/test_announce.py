# SPDX-License-Identifier: GPL-3.0-or-later
"""What neighbours are told, as captured on the client's wire."""

import time

import pytest

from conftest import V4, V6
from roostlab import Capture, Holders, Probe, eventually

SCHEDULE = [0, 0.05, 0.3, 1.1, 3]


@pytest.fixture
def taken_over(new_lab, start, stack):
    """What a power-off of www1 looks like from the client, with a router that all servers use."""
    lab = new_lab(servers=2, router=True)
    lab.servers[1].sysctl({"net/ipv4/conf/all/arp_accept": 0})
    cluster = start(V4[:2] + V6[:2], lab=lab)
    capture = stack.enter_context(Capture(lab.client))
    mine = [vip for vip, hosts in cluster.holders().items() if hosts == [lab.servers[0]]]
    lab.power_off(lab.servers[0])
    cluster.settle()
    return cluster, capture, mine


def announcements(capture, vip, mac):
    return [p for p in capture.packets() if p.is_announcement_of(vip) and p.source_mac == mac]


def test_every_vip_is_announced_on_schedule(taken_over):
    cluster, capture, mine = taken_over
    successor = cluster.lab.servers[1]
    eventually(lambda: all(len(announcements(capture, vip, successor.mac)) >= 5 for vip in mine), within=6)
    assert mine
    for vip in mine:
        times = [p.at for p in announcements(capture, vip, successor.mac)]
        assert [round(t - times[0], 3) for t in times] == pytest.approx(SCHEDULE, abs=0.06)


def test_the_announcement_is_of_a_form_that_linux_neighbours_obey(taken_over):
    """A request, not a reply; an NA with Override, unsolicited, and no router flag from a host."""
    cluster, capture, mine = taken_over
    successor = cluster.lab.servers[1]
    for vip in mine:
        packet = eventually(lambda: announcements(capture, vip, successor.mac))[0]
        if packet.kind == "arp":
            assert packet.operation == 1
        else:
            assert packet.flags == "O"
            assert (packet.source, packet.destination, packet.ttl) == (vip, "ff02::1", 255)


def test_the_gateway_is_asked_from_the_vip(taken_over):
    """It creates the entry even in a gateway that has none."""
    cluster, capture, mine = taken_over
    for vip in mine:
        gateway = cluster.lab.router.ipv6 if ":" in vip else cluster.lab.router.ipv4
        kind = "ns" if ":" in vip else "arp"
        eventually(lambda: [p for p in capture.packets() if p.kind == kind and p.source == vip and
                            p.target == gateway], within=2)


def test_a_server_that_forwards_says_that_it_is_a_router(new_lab, start, stack):
    lab = new_lab(servers=1)
    lab.servers[0].sysctl({"net/ipv6/conf/all/forwarding": 1})
    capture = stack.enter_context(Capture(lab.client))
    start(V6[:1], lab=lab)
    packet = eventually(lambda: announcements(capture, V6[0], lab.servers[0].mac), within=3)[0]
    assert set(packet.flags) == {"R", "O"}


def test_another_mac_is_announced_and_nothing_moves(start, stack):
    cluster = start(V4[:2] + V6[:2], servers=2)
    server = cluster.lab.servers[0]
    mine = [vip for vip, hosts in cluster.holders().items() if hosts == [server]]
    probe = stack.enter_context(Probe(cluster.lab.client, mine))
    eventually(lambda: set(probe.answering().values()) == {server.number})
    watch = stack.enter_context(Holders(cluster.lab, cluster.vips))
    since = time.monotonic()
    server.ip("link set eth0 address 02:00:00:00:ff:01")
    eventually(lambda: set(probe.answering().values()) == {server.number}, within=2)
    assert {":" in vip for vip in mine} == {True, False}
    assert max(o.longest for o in probe.outages(since)) < 150
    assert watch.takeovers(since) == 0


def test_the_winner_of_a_conflict_announces_last(start, stack):
    cluster = start(V4[:2], servers=2)
    lab = cluster.lab
    lab.partition([lab.servers[0]], [lab.servers[1]])  # the client hears both
    eventually(lambda: all(len(hosts) == 2 for hosts in cluster.holders().values()), within=3)
    capture = stack.enter_context(Capture(lab.client))
    lab.heal()
    cluster.settle(within=3)
    for vip, hosts in cluster.holders().items():
        loser = next(s for s in lab.servers if s is not hosts[0])
        won = eventually(lambda: announcements(capture, vip, hosts[0].mac), within=2)
        lost = announcements(capture, vip, loser.mac)
        assert not lost or lost[-1].at < won[-1].at


def test_advertisements_come_from_the_nodes_own_address(start, stack):
    cluster = start(V4 + V6)
    capture = stack.enter_context(Capture(cluster.lab.client))
    seen = eventually(lambda: len(capture.packets()) > 60 and
                      [p for p in capture.packets() if p.kind == "vrrp"], within=10)
    own = {s.ipv4 for s in cluster.lab.servers}
    for packet in seen:
        assert packet.ttl == 255
        assert packet.source not in cluster.vips
        if ":" in packet.source:
            assert packet.destination == "ff02::12"
            assert packet.source.startswith("fe80:") and packet.addresses[0].startswith("fe80:")
        else:
            assert packet.destination == "224.0.0.18" and packet.source in own
    assert {a for p in seen for a in p.addresses if not a.startswith("fe80:")} == set(cluster.vips)


def test_the_traffic_grows_with_the_orders_and_not_with_the_vips(new_lab, start, stack):
    lab = new_lab(servers=2, prefix_length=16)
    start([f"10.1.2.{i}" for i in range(1, 101)], lab=lab)
    capture = stack.enter_context(Capture(lab.client, "proto 112"))
    eventually(lambda: len(capture.packets()) > 40)
    packets = capture.packets()
    rate = (len(packets) - 1) / (packets[-1].at - packets[0].at)
    assert len({p.vrid for p in packets}) == 2  # two nodes have two orders
    assert rate < 1.2 * 2 / 0.05
