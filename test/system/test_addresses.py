# SPDX-License-Identifier: GPL-3.0-or-later
"""How the VIPs sit on the interface: flags, ownership, and what a previous life left."""

import os
import socket
import time

import pytest

from conftest import V4, V6
from roostlab import Holders, Probe, eventually
from roostlab.net import inside


def addresses(cluster, vip):
    """What ip says of a VIP where it is held."""
    return cluster.holders()[vip][0].addresses()[vip]


def test_a_vip_has_no_subnet_no_duplicate_detection_and_our_mark(start):
    cluster = start(V4 + V6)
    v4, v6 = addresses(cluster, V4[0]), addresses(cluster, V6[0])
    assert v4["prefixlen"] == 32 and v6["prefixlen"] == 128
    assert v4.get("noprefixroute") and v6.get("noprefixroute")
    assert v6.get("nodad") and not v6.get("tentative")
    assert v6.get("deprecated") and v6["preferred_life_time"] == 0


def test_a_vip_is_never_a_source_address(start):
    cluster = start(V4 + V6)
    client = cluster.lab.client
    for server in cluster.lab.servers:
        assert set(server.addresses()) & set(cluster.vips)
        for target, own in ((client.ipv4, server.ipv4), (client.ipv6, server.ipv6)):
            route = server.ip_json("route", "get", target)[0]
            assert route["prefsrc"] == own
            with inside(server.name):
                family = socket.AF_INET6 if ":" in target else socket.AF_INET
                with socket.socket(family, socket.SOCK_DGRAM) as s:
                    s.connect((target, 9))
                    assert s.getsockname()[0] == own


def test_a_vip_that_somebody_removes_comes_back_at_once(start, stack):
    cluster = start(V4 + V6)
    watch = stack.enter_context(Holders(cluster.lab, cluster.vips))
    for vip, length in ((V4[0], 32), (V6[0], 128)):
        server = cluster.holders()[vip][0]
        before = len(watch.events)
        server.ip(f"address delete {vip}/{length} dev eth0")
        eventually(lambda: len(watch.events) >= before + 2, within=2)
        (gone, *_, was_held), (back, _, host, is_held) = watch.events[before:before + 2]
        assert (was_held, is_held, host) == (False, True, server)
        assert back - gone < 0.1
        eventually(lambda: vip in cluster.log(server).split("removed")[0] and
                   "removed" in cluster.log(server), within=1)


def test_what_a_killed_daemon_left_is_adopted_by_its_next_life(start, stack):
    cluster = start(V4 + V6)
    server = cluster.lab.servers[0]
    probe = stack.enter_context(Probe(cluster.lab.client, cluster.vips))
    eventually(lambda: all(probe.answering().values()))
    since = probe.update()
    cluster.kill(server)
    assert set(server.addresses()) & set(cluster.vips), "nothing was left behind"
    cluster.start(server)
    eventually(lambda: cluster.status(server) and
               sum(v["state"] == "active" for v in cluster.status(server)["vips"]) == 4)
    cluster.settle()
    # it answers nothing while it listens, but the addresses were there all the time
    assert max(o.longest for o in probe.outages(since)) < 600
    assert "adding it back" not in cluster.log(server) and "removed" not in cluster.log(server)


def test_what_a_killed_daemon_left_is_removed_when_it_is_not_ours_any_more(start):
    cluster = start(V4 + V6)
    server = cluster.holders()[V4[5]][0]
    server.ip("address add 10.1.1.230/32 dev eth0")  # somebody else's business
    cluster.kill(server)
    assert V4[5] in server.addresses()
    text = cluster.path.read_text()
    cluster.path.write_text(text.replace(f'"{V4[5]}",', ""))
    assert cluster.path.read_text() != text
    cluster.start(server)
    eventually(lambda: V4[5] not in server.addresses(), within=3)
    assert "10.1.1.230" in server.addresses()


def test_after_a_hang_one_server_serves_and_no_question_is_lost(start, stack):
    cluster = start(V4 + V6)
    server = cluster.lab.servers[0]
    probe = stack.enter_context(Probe(cluster.lab.client, cluster.vips))
    eventually(lambda: all(probe.answering().values()))
    cluster.freeze(server)
    eventually(lambda: all(set(hosts) - {server} for hosts in cluster.holders().values()), within=3)
    eventually(lambda: server.number not in probe.answering().values())
    since = probe.update()
    cluster.thaw(server)
    cluster.settle(within=5)
    eventually(lambda: server.number in probe.answering().values())
    assert {o.vip: o.lost for o in probe.outages(since) if o.lost} == {}


def test_the_daemon_leaves_nothing_behind_when_it_ends(start):
    cluster = start(V4 + V6)
    for server in list(cluster.running):
        assert cluster.stop(server) == 0
        assert not set(server.addresses()) & set(cluster.vips)
        assert not os.path.exists(cluster.socket(server))


def test_a_flood_of_changes_elsewhere_is_survived(start):
    """More notifications than a netlink socket holds: the daemon must look at everything anew."""
    cluster = start(V4 + V6)
    server = cluster.lab.servers[0]
    mine = set(server.addresses()) & set(cluster.vips)
    flood = [f"address add 127.9.{i // 250}.{i % 250 + 1}/32 dev lo" for i in range(4000)]
    cluster.freeze(server)  # so that it reads nothing meanwhile
    server.ip(*flood, *(f"address delete {vip} dev eth0" for vip in sorted(mine)),
              *(line.replace(" add ", " delete ") for line in flood))
    cluster.thaw(server)
    cluster.settle(within=5)
    assert mine <= set(server.addresses())


@pytest.mark.parametrize("count", [1, 5])
def test_an_own_address_that_changes_does_not_disturb(start, count):
    cluster = start()
    server = cluster.lab.servers[1]
    for i in range(count):
        server.ip(f"address add 10.1.1.{150 + i}/24 dev eth0")
        server.ip(f"address delete 10.1.1.{150 + i}/24 dev eth0")
    cluster.settle(within=2)
    deadline = time.monotonic() + 0.3
    eventually(lambda: time.monotonic() > deadline)
    assert cluster.is_as_planned()
