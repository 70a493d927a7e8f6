# SPDX-License-Identifier: GPL-3.0-or-later
"""The network fails and mends: carrier, interface, partition, loss."""

import time

import pytest

from conftest import V4, V6
from roostlab import Holders, Probe, Roost, Witness, eventually
from roostlab.daemons import roost_config
from roostlab.wait import stays


def test_a_lost_carrier_gives_up_the_vips_at_once(start, stack):
    cluster = start(V4 + V6)
    lab, server = cluster.lab, cluster.lab.servers[0]
    others = lab.servers[1:]
    watch = stack.enter_context(Holders(lab, cluster.vips))
    since = time.monotonic()
    lab.port_down(server)
    eventually(lambda: not set(server.addresses()) & set(cluster.vips), within=2)
    dropped = [at - since for at, _, host, held in watch.events if host is server and not held]
    assert len(dropped) == 4
    assert max(dropped) < 0.1
    cluster.settle(others)
    assert cluster.running[server].is_running()
    lab.port_up(server)
    cluster.settle()


def test_an_interface_may_vanish_and_come_back(start):
    cluster = start(V4 + V6)
    lab, server = cluster.lab, cluster.lab.servers[1]
    lab.switch.ip(f"link delete {server.port}")
    eventually(lambda: all(len(lab.holders([v], [lab.servers[0], lab.servers[2]])[v]) == 1
                           for v in cluster.vips), within=3)
    assert cluster.running[server].is_running()
    server.wire()
    cluster.settle()


@pytest.mark.parametrize("fence", ["auto", "lifetime", "off"])
def test_an_interface_that_is_renamed_takes_no_vip_along(new_lab, stack, fence):
    lab = new_lab(servers=2, witness=True)
    cluster = Roost(lab, config=roost_config(lab, {"www": V4 + V6}, interval="50ms") | {"fence": fence})
    cluster.start()
    cluster.settle()
    server, other = lab.servers
    witness = stack.enter_context(Witness(lab, V4 + V6))
    witness.wait_for_answers()
    server.ip("link set eth0 name old0")
    eventually(lambda: not set(server.addresses("old0")) & set(cluster.vips), within=1)
    cluster.settle([other])
    since = witness.update()
    assert cluster.stop(server) == 0  # which takes the fence down
    eventually(lambda: all(witness.last(vip, other) > since + 0.5 for vip in cluster.vips) or not witness.update())
    assert all(witness.servers_of(vip, since) == [other] for vip in cluster.vips)


def test_an_interface_that_is_renamed_back_is_itself_again(start):
    cluster = start(V4 + V6, servers=2)
    server, other = cluster.lab.servers
    server.ip("link set eth0 name old0")
    eventually(lambda: not set(server.addresses("old0")) & set(cluster.vips), within=1)
    cluster.settle([other])
    server.ip("link set old0 name eth0")
    cluster.settle()  # its addresses are not told again, the link-local one among them


@pytest.mark.parametrize("kind", ["macvlan", "bridge"])
def test_interfaces_on_top_of_others_are_fenced_like_them(new_lab, stack, kind):
    """The VIPs are on one that stands on eth0: a guest's, or a bridge of which eth0 is a port."""
    lab = new_lab(servers=2)
    on_top = {"macvlan": ["link add svc link eth0 type macvlan mode bridge"],
              "bridge": ["link add svc type bridge", "link set eth0 master svc"]}
    for server in lab.servers:
        server.ip(f"address delete {server.ipv4}/24 dev eth0", f"address delete {server.ipv6}/64 dev eth0",
                  *on_top[kind], f"address add {server.ipv4}/24 dev svc",
                  f"address add {server.ipv6}/64 dev svc nodad", "link set svc up")
    config = roost_config(lab, {"www": [*V4[:2], *V6[:2]]}, interval="50ms") | {"interface": "svc"}
    cluster = Roost(lab, config=config)
    cluster.start()
    probe = stack.enter_context(Probe(lab.client, cluster.vips))

    def who():
        return set(probe.answering().values())
    server, other = lab.servers
    eventually(lambda: who() == {server.number, other.number}, within=10)
    cluster.freeze(server)
    eventually(lambda: who() == {other.number}, within=5)
    assert stays(lambda: who() == {other.number}, during=1)
    assert set(server.addresses("svc")) & set(cluster.vips), "its kernel keeps the addresses, and is silent"
    cluster.thaw(server)
    eventually(lambda: who() == {server.number, other.number}, within=10)


def test_many_addresses_of_an_interface_hide_none_that_is_needed(new_lab, start):
    """The kernel lists IPv4 first, and the link-local address last of all."""
    lab = new_lab(servers=2)
    server = lab.servers[0]
    server.ip(f"address delete {server.ipv4}/24 dev eth0",
              *(f"address add 10.77.0.{i}/32 dev eth0" for i in range(1, 100)),
              f"address add {server.ipv4}/24 dev eth0")
    cluster = start(V4[:1] + V6[:1], lab=lab)

    def source():
        return cluster.status(server)["interfaces"][0]["ipv4"]
    assert source() == server.ipv4
    server.ip(f"address delete {server.ipv4}/24 dev eth0",
              *(f"address delete 10.77.0.{i}/32 dev eth0" for i in range(1, 50)))
    eventually(lambda: source() == "10.77.0.50")


def test_a_family_without_an_address_to_speak_from_is_told(start):
    cluster = start(V4[:1] + V6[:1], servers=2)
    server, other = cluster.lab.servers
    local = next(a for a in server.addresses() if a.startswith("fe80:"))
    server.ip(f"address delete {local}/64 dev eth0")
    warning = "link: eth0 has no IPv6 address to speak from; its VIPs are not served here"
    eventually(lambda: warning in cluster.log(server), within=8)
    assert "none for its VIPs" in cluster.roost("status", "-s", cluster.socket(server)).stdout
    eventually(lambda: cluster.holders()[V6[0]] == [other])
    server.ip(f"address add {local}/64 dev eth0 nodad")
    eventually(lambda: "eth0 has an IPv6 address to speak from again" in cluster.log(server))
    cluster.settle()
    assert cluster.log(server).count(warning) == 1


def test_a_unicast_service_without_the_nodes_own_address_is_told(new_lab, start):
    lab = new_lab(servers=2)
    lab.servers[0].ip("address add 10.77.0.1/32 dev eth0")
    cluster = start(V4[:1], lab=lab, peers="unicast")
    server, other = lab.servers
    server.ip(f"address delete {server.ipv4}/24 dev eth0")
    eventually(lambda: "link: eth0 has no IPv4 address of this node; its unicast VIPs are not served here" in
               cluster.log(server), within=8)
    cluster.settle([other])


def test_an_interface_that_is_set_down_by_hand(start):
    cluster = start(V4)
    server = cluster.lab.servers[2]
    server.ip("link set eth0 down")
    eventually(lambda: not set(server.addresses()) & set(V4), within=2)
    cluster.settle(cluster.lab.servers[:2])
    server.ip("link set eth0 up")
    cluster.settle()


def test_a_daemon_waits_for_an_interface_that_is_not_there_yet(new_lab, start):
    lab = new_lab(servers=2)
    lab.switch.ip(f"link delete {lab.servers[1].port}")
    cluster = start(lab=lab, settle=False)
    first = lab.servers[0]
    eventually(lambda: cluster.is_as_planned([first]), within=3)


def test_one_holder_again_after_a_partition_and_the_client_is_told(start, stack):
    cluster = start(V4 + V6)
    lab = cluster.lab
    www1, www2, www3 = lab.servers
    lab.partition([www1, lab.client], [www2, www3])
    eventually(lambda: all(www1 in hosts and len(hosts) == 2 for hosts in cluster.holders().values()),
               within=3)
    probe = stack.enter_context(Probe(lab.client, cluster.vips))
    eventually(lambda: set(probe.answering().values()) == {www1.number})
    since = probe.update()
    lab.heal()
    cluster.settle(within=3)
    eventually(lambda: sorted(set(probe.answering().values())) == [11, 12, 13])
    assert max(o.longest for o in probe.outages(since)) < 200


def test_a_server_that_was_cut_off_comes_back_without_a_stale_neighbour(start, stack):
    cluster = start(V4 + V6)
    lab, server = cluster.lab, cluster.lab.servers[0]
    probe = stack.enter_context(Probe(lab.client, cluster.vips))
    lab.cut(server)
    eventually(lambda: all(len(set(hosts) - {server}) == 1 for hosts in cluster.holders().values()))
    eventually(lambda: all(probe.answering().values()))
    since = probe.update()
    lab.heal()
    cluster.settle(within=3)
    eventually(lambda: all(probe.answering().values()))
    assert max(o.longest for o in probe.outages(since)) < 200


def test_a_server_that_hears_nobody_but_is_heard(start):
    """One way is broken: it must not fight for what the others serve for ever once it heals."""
    cluster = start(V4)
    lab = cluster.lab
    for other in lab.servers[1:]:
        lab.one_way(other, lab.servers[0])
    eventually(lambda: len(lab.servers[0].addresses().keys() & set(V4)) == 6, within=3)
    lab.heal()
    cluster.settle(within=3)


@pytest.mark.parametrize("redundancy, is_calm", [("auto", True), (1, False)], ids=["auto", "control-1"])
def test_lost_packets_move_nothing(start, stack, redundancy, is_calm):
    cluster = start(interval="20ms", redundancy=redundancy)
    watch = stack.enter_context(Holders(cluster.lab, V4))
    cluster.lab.loss(30)
    learned = time.monotonic() + 1  # what auto needs to see that it is necessary
    eventually(lambda: time.monotonic() > learned + 4, within=10)
    takeovers = watch.takeovers(learned)
    if is_calm:
        assert takeovers <= 1
    else:
        assert takeovers > 4, "the loss is too weak to prove anything"
    cluster.lab.heal()
    cluster.settle()


def test_nothing_moves_while_nothing_happens(start, stack):
    cluster = start(V4 + V6, interval="20ms")
    watch = stack.enter_context(Holders(cluster.lab, cluster.vips))
    before = len(watch.events)
    assert stays(lambda: len(watch.events) == before, during=2)
