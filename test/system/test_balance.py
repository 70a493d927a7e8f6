# SPDX-License-Identifier: GPL-3.0-or-later
"""Who serves what: one server each, evenly, before and after a server is lost."""

import collections

import pytest

from conftest import V4, V6
from roostlab import Holders, Lab, Probe, Roost, eventually


def loads(cluster):
    """How many VIPs each server that is on serves, in the servers' order."""
    count = collections.Counter(hosts[0] for hosts in cluster.holders().values() if len(hosts) == 1)
    return [count[server] for server in cluster.lab.servers if server.is_on]


@pytest.mark.parametrize("vips", [V4, V6, V4 + V6], ids=["ipv4", "ipv6", "both"])
def test_every_vip_is_on_one_server_and_the_servers_are_even(start, vips):
    cluster = start(vips)
    assert cluster.is_single()
    assert loads(cluster) == [len(vips) // 3] * 3


@pytest.mark.parametrize("vips", [V4, V6], ids=["ipv4", "ipv6"])
def test_a_dead_servers_vips_are_spread_and_no_other_moves(start, stack, vips):
    cluster = start(vips)
    lab = cluster.lab
    before = cluster.holders()
    watch = stack.enter_context(Holders(lab, vips))
    events_before = len(watch.events)
    lab.power_off(lab.servers[0])
    eventually(cluster.is_single, within=2)
    cluster.settle()
    assert loads(cluster) == [3, 3]
    moved = {vip for _, vip, host, held in watch.events[events_before:] if held}
    assert moved == {vip for vip, hosts in before.items() if hosts == [lab.servers[0]]}


def test_two_dead_servers_leave_everything_to_the_third(start):
    cluster = start()
    cluster.lab.power_off(cluster.lab.servers[2])
    cluster.lab.power_off(cluster.lab.servers[0])
    eventually(cluster.is_single, within=3)
    assert loads(cluster) == [6]


def test_a_client_is_served_again_within_the_detection_time(start, stack):
    cluster = start(V4 + V6)
    probe = stack.enter_context(Probe(cluster.lab.client, cluster.vips))
    eventually(lambda: all(probe.answering().values()))
    since = probe.update()
    cluster.lab.power_off(cluster.lab.servers[1])
    cluster.settle()
    eventually(lambda: all(probe.answering().values()))
    hit = [o for o in probe.outages(since) if o.lost]
    assert {o.vip for o in hit} == {v for v, order in cluster.orders().items()
                                    if order[0] is cluster.lab.servers[1]}
    # Three intervals, the skew of the second place at most one, and room for a busy machine.
    assert max(o.longest for o in hit) < 3 * 50 + 50 + 100


def test_a_returning_server_takes_its_share_back_without_a_gap(start, stack):
    cluster = start(V4 + V6)
    lab = cluster.lab
    lab.power_off(lab.servers[0])
    cluster.settle()
    probe = stack.enter_context(Probe(lab.client, cluster.vips))
    eventually(lambda: all(probe.answering().values()))
    since = probe.update()
    lab.power_on(lab.servers[0])
    cluster.start(lab.servers[0])
    cluster.settle()
    eventually(lambda: list(probe.answering().values()).count(lab.servers[0].number) == 4)
    assert [o.vip for o in probe.outages(since) if o.lost] == []


def test_weights_are_honoured(start):
    def config(lab):
        www1, www2, www3 = lab.servers
        return {"interface": "eth0", "vrrp": {"interval": "50ms"}, "services": {"www": V4 + V6},
                "nodes": {"www1": {"address": www1.ipv4, "weight": 2}, "www2": www2.ipv4, "www3": www3.ipv4}}
    assert loads(start(V4 + V6, config=config)) == [6, 3, 3]


def test_groups_stay_together_and_a_preference_is_kept(start):
    def config(lab):
        return {"interface": "eth0", "vrrp": {"interval": "50ms"},
                "nodes": {s.short: s.ipv4 for s in lab.servers},
                "services": {"www": {"vips": [[V4[0], V6[0]], V4[1], {"address": V4[2], "prefer": "www3"}]}}}
    cluster = start([V4[0], V6[0], V4[1], V4[2]], config=config)
    lab = cluster.lab

    def is_kept():
        held = cluster.holders()
        return cluster.is_single() and held[V4[0]] == held[V6[0]]
    assert is_kept()
    assert cluster.holders()[V4[2]] == [lab.servers[2]]
    lab.power_off(cluster.holders()[V4[0]][0])
    eventually(is_kept, within=3)


def test_a_single_server_serves_everything_at_once(new_lab):
    lab = new_lab(servers=1)
    cluster = Roost(lab, V4, interval="50ms")
    cluster.start()
    eventually(cluster.is_single, within=2)
    assert loads(cluster) == [6]


def test_250_vips_move_as_fast_as_a_few(stack, start):
    vips = [f"10.1.2.{i}" for i in range(1, 251)]
    lab = stack.enter_context(Lab(servers=3, prefix_length=16))
    cluster = start(vips, lab=lab, interval="20ms")
    probe = stack.enter_context(Probe(lab.client, vips, period=0.01))
    eventually(lambda: all(probe.answering().values()))
    since = probe.update()
    lab.power_off(lab.servers[0])
    cluster.settle()
    eventually(lambda: all(probe.answering().values()))
    outages = probe.outages(since)
    hit = [o for o in outages if cluster.orders()[o.vip][0] is lab.servers[0]]
    assert abs(len(hit) - 250 / 3) < 1
    assert max(o.longest for o in hit) < 3 * 20 + 20 + 150
    assert max(loads(cluster)) - min(loads(cluster)) <= 2
