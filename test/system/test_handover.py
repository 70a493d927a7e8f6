# SPDX-License-Identifier: GPL-3.0-or-later
"""Planned moves: nobody notices them. Each test that expects no loss has a control that must see some."""

import pytest

from conftest import V4, V6
from roostlab import Holders, Probe, eventually


@pytest.fixture
def probed(start, stack):
    """A cluster and a probe that has heard from every VIP."""
    cluster = start(V4 + V6)
    probe = stack.enter_context(Probe(cluster.lab.client, cluster.vips))
    eventually(lambda: all(probe.answering().values()))
    return cluster, probe


def moved_away(probe, server):
    """True once every VIP is answered, and by another."""
    return lambda: not {0, server.number} & set(probe.answering().values())


def test_a_clean_stop_loses_no_question(probed):
    cluster, probe = probed
    server = cluster.lab.servers[0]
    since = probe.update()
    assert cluster.stop(server) == 0
    eventually(moved_away(probe, server))
    assert {o.vip: o.lost for o in probe.outages(since) if o.lost} == {}
    cluster.settle(cluster.lab.servers[1:])


def test_control_an_abrupt_drop_loses_questions(probed):
    cluster, probe = probed
    server = cluster.lab.servers[0]
    since = probe.update()
    mine = sorted(set(server.addresses()) & set(cluster.vips))
    cluster.kill(server)
    server.ip(*(f"address delete {vip} dev eth0" for vip in mine))
    eventually(moved_away(probe, server))
    assert sorted(o.vip for o in probe.outages(since) if o.lost) == mine


@pytest.mark.parametrize("interval", ["20ms", "100ms"])
def test_a_vip_goes_to_its_successor_and_to_nobody_else(start, stack, interval):
    cluster = start(V6[:3], interval=interval)
    watch = stack.enter_context(Holders(cluster.lab, cluster.vips))
    for server in cluster.lab.servers:
        before = len(watch.events)
        others = [s for s in cluster.lab.servers if s is not server]
        planned = cluster.planned(others)
        assert cluster.stop(server) == 0
        cluster.settle(others)
        came = {(vip, host) for _, vip, host, is_held in watch.events[before:] if is_held}
        assert came == {(vip, planned[vip]) for vip, order in cluster.orders().items() if order[0] is server}
        cluster.start(server)
        cluster.settle()


def test_a_drained_server_serves_nothing_until_it_is_taken_back(probed):
    cluster, probe = probed
    lab, server = cluster.lab, cluster.lab.servers[1]
    since = probe.update()
    cluster.roost("drain", "-s", cluster.socket(server))
    cluster.settle([lab.servers[0], lab.servers[2]])
    eventually(moved_away(probe, server))
    assert cluster.status(server)["state"] == "drained"
    cluster.roost("undrain", "-s", cluster.socket(server))
    cluster.settle()
    assert cluster.status(server)["state"] == "serving"
    assert {o.vip: o.lost for o in probe.outages(since) if o.lost} == {}


def test_a_drained_server_is_still_a_last_resort(start):
    cluster = start(servers=2)
    lab = cluster.lab
    cluster.roost("drain", "-s", cluster.socket(lab.servers[0]))
    cluster.settle([lab.servers[1]])
    lab.power_off(lab.servers[1])
    cluster.settle([lab.servers[0]])


def test_one_server_after_the_other_is_upgraded(probed):
    cluster, probe = probed
    since = probe.update()
    for server in cluster.lab.servers:
        assert cluster.stop(server) == 0
        cluster.settle([s for s in cluster.lab.servers if s is not server])
        cluster.start(server)
        cluster.settle()
    assert {o.vip: o.lost for o in probe.outages(since) if o.lost} == {}


def test_the_last_server_that_stops_does_not_wait_for_a_successor(start):
    cluster = start(servers=1)
    assert cluster.stop(cluster.lab.servers[0], within=3) == 0


def test_all_stop_at_the_same_time(start):
    cluster = start(V4 + V6)
    processes = list(cluster.running.values())
    for process in processes:
        process.popen.terminate()
    assert [process.wait(5) for process in processes] == [0, 0, 0]
    assert set(map(len, cluster.holders().values())) == {0}


def test_preempt_off_leaves_the_vips_where_they_are(start):
    cluster = start(preempt=False, settle=False)
    eventually(cluster.is_single)
    lab = cluster.lab
    lab.power_off(lab.servers[0])
    eventually(cluster.is_single)
    settled = cluster.holders()
    lab.power_on(lab.servers[0])
    cluster.start(lab.servers[0])
    eventually(lambda: cluster.status(lab.servers[0]) and
               all(v["holder"] for v in cluster.status(lab.servers[0])["vips"]))
    assert cluster.holders() == settled
