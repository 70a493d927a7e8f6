# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that expire: what is left to a machine whose kernel takes no programs (`fence: lifetime`)."""

import time

import pytest

from conftest import V4, V6
from roostlab import Holders, Probe, Roost, eventually
from roostlab.daemons import roost_config

VIPS = V4[:3] + V6[:3]
LIFETIME = 2  # s, of the lease of 145 ms that goes with the interval of 50 ms
ROUNDING = 1.5  # s, the kernel's
FOREVER = 2 ** 32 - 1


def fenced_by(mechanism, **vrrp):
    """A function that makes a configuration with this fence."""
    def config(lab):
        vrrp.setdefault("interval", "50ms")
        return roost_config(lab, {"www": VIPS}, **vrrp) | {"fence": mechanism}
    return config


def mine(cluster, server):
    return set(server.addresses()) & set(cluster.vips)


def lifetimes(server, vips):
    return [server.addresses()[vip]["valid_life_time"] for vip in vips]


def active(cluster, server):
    """The VIPs that the daemon there says it serves."""
    status = cluster.status(server)
    return {v["address"] for v in status["vips"] if v["state"] == "active"} if status else None


@pytest.mark.parametrize("fault", [Roost.kill, Roost.freeze])
def test_the_addresses_of_a_dead_or_hung_daemon_expire(start, fault):
    cluster = start(VIPS, servers=2, config=fenced_by("lifetime"))
    server = cluster.lab.servers[0]
    assert mine(cluster, server)
    fault(cluster, server)
    assert mine(cluster, server), "they are gone before their time"
    eventually(lambda: not mine(cluster, server), within=LIFETIME + ROUNDING)


@pytest.mark.parametrize("fault", [Roost.kill, Roost.freeze])
def test_control_without_a_fence_they_stay(start, fault):
    cluster = start(VIPS, servers=2, config=fenced_by("off"))
    server = cluster.lab.servers[0]
    before = mine(cluster, server)
    fault(cluster, server)
    time.sleep(LIFETIME + ROUNDING)
    assert before and mine(cluster, server) == before


def test_a_daemon_that_hung_gives_up_what_others_took(start):
    cluster = start(VIPS, servers=2, config=fenced_by("lifetime"))
    server = cluster.lab.servers[0]
    cluster.freeze(server)
    eventually(lambda: not mine(cluster, server), within=LIFETIME + ROUNDING)
    cluster.thaw(server)
    cluster.settle()
    assert "another program" not in cluster.log(server)


def test_addresses_that_are_refreshed_never_flap(start, stack):
    cluster = start(VIPS, servers=2, config=fenced_by("lifetime"))
    probe = stack.enter_context(Probe(cluster.lab.client, VIPS))
    eventually(lambda: all(probe.answering().values()))
    watch = stack.enter_context(Holders(cluster.lab, VIPS))
    since, before = probe.update(), len(watch.events)
    for _ in range(4 * LIFETIME):
        time.sleep(1)
        for server in cluster.lab.servers:
            assert all(0 < left <= LIFETIME for left in lifetimes(server, mine(cluster, server)))
    assert watch.events[before:] == []
    assert {o.vip: o.lost for o in probe.outages(since) if o.lost} == {}


def test_a_clean_stop_loses_no_question(start, stack):
    cluster = start(VIPS, servers=2, config=fenced_by("lifetime"))
    probe = stack.enter_context(Probe(cluster.lab.client, VIPS))
    eventually(lambda: all(probe.answering().values()))
    since = probe.update()
    assert cluster.stop(cluster.lab.servers[0]) == 0
    cluster.settle([cluster.lab.servers[1]])
    assert {o.vip: o.lost for o in probe.outages(since) if o.lost} == {}


def test_a_longer_interval_has_a_longer_lifetime(start):
    cluster = start(VIPS, servers=1, config=fenced_by("lifetime", interval="1s"))
    server = cluster.lab.servers[0]
    assert all(2 <= left <= 4 for left in lifetimes(server, VIPS))


@pytest.mark.parametrize("mechanism, is_full, line", [
    ("tcx", True, "fence: tcx"),
    ("clsact", True, "fence: clsact"),
    ("lifetime", False, "fence: lifetime (not fully protected: as the file asks)"),
    ("off", False, "fence: off (not protected: as the file asks)"),
])
def test_what_is_in_use_is_shown(start, mechanism, is_full, line):
    cluster = start(V4[:1], servers=1, config=fenced_by(mechanism))
    server = cluster.lab.servers[0]
    fence = cluster.status(server)["fence"]
    assert (fence["mechanism"], fence["protected"]) == (mechanism, is_full)
    text = cluster.roost("status", "-s", cluster.socket(server)).stdout
    assert line in text


def test_auto_falls_back_to_it_and_says_why(start, monkeypatch):
    command = Roost.command
    monkeypatch.setattr(Roost, "command", lambda self, server: [
        "unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /sys/fs/bpf; exec "$0" "$@"', *command(self, server)])
    cluster = start(VIPS, servers=1, config=fenced_by("auto"))
    server = cluster.lab.servers[0]
    fence = cluster.status(server)["fence"]
    assert (fence["mechanism"], fence["protected"]) == ("lifetime", False)
    assert "bpffs" in fence["reason"]
    assert all(left <= LIFETIME for left in lifetimes(server, VIPS))


@pytest.mark.parametrize("offset", [100000, -10])
def test_in_a_time_namespace_auto_does_not_trust_its_clock(start, monkeypatch, offset):
    """The kernel's programs read another boot clock there than the daemon."""
    command = Roost.command
    monkeypatch.setattr(Roost, "command", lambda self, server: [
        "unshare", "--time", "--boottime", str(offset), *command(self, server)])
    cluster = start(VIPS, servers=1, config=fenced_by("auto"))
    fence = cluster.status(cluster.lab.servers[0])["fence"]
    assert (fence["mechanism"], fence["protected"]) == ("lifetime", False)
    assert "time namespace" in fence["reason"]


@pytest.mark.parametrize("mechanism", ["lifetime", "auto"])
def test_the_next_life_adopts_what_has_not_expired(start, stack, mechanism):
    """And gives it its own lifetime. Meanwhile nobody else takes over."""
    cluster = start(VIPS, servers=2, config=fenced_by("lifetime", interval="300ms"))
    server = cluster.lab.servers[0]
    watch = stack.enter_context(Holders(cluster.lab, VIPS))
    held, before = mine(cluster, server), len(watch.events)
    cluster.config["fence"] = mechanism
    cluster.write()
    cluster.kill(server)
    cluster.start(server)
    eventually(lambda: active(cluster, server) == held)
    assert all((left == FOREVER) == (mechanism == "auto") for left in lifetimes(server, held))
    assert [e for e in watch.events[before:] if e[2] is server] == []
