# SPDX-License-Identifier: GPL-3.0-or-later
"""A VIP shared with keepalived: the virtual router follows the RFC to the letter, and each takes over from
the other, both ways. www1 is roost, www2 keepalived; who serves is what the client's questions say."""

import dataclasses

import pytest

from conftest import V4, V6
from roostlab import Capture, Keepalived, Probe, Roost, eventually

VRID = 51


@dataclasses.dataclass
class Dialect:
    version: int
    vip: str
    unicast: bool = False
    interval: float = 0.1

    def __str__(self):
        return f"v{self.version}-ipv{6 if ':' in self.vip else 4}-{'unicast' if self.unicast else 'multicast'}"


DIALECTS = [Dialect(3, V4[0]), Dialect(3, V6[0]), Dialect(3, V4[0], True), Dialect(3, V6[0], True),
            Dialect(2, V4[0], False, 1), Dialect(2, V4[0], True, 1)]
FAST = DIALECTS[:4]


def virtual_link_local(vrid):
    """The address made of the virtual MAC, which an IPv6 advertisement lists first (RFC 9568 7.3)."""
    return f"fe80::200:5eff:fe00:{0x200 + vrid:x}"


class Pair:
    """roost on www1 and keepalived on www2, one VIP, and a client that asks it."""

    def __init__(self, lab, stack, dialect, roost, keepalived, roost_options=None, keepalived_options=()):
        self.lab, self.dialect, self.vip = lab, dialect, dialect.vip
        self.www1, self.www2 = lab.servers
        is_v6 = ":" in dialect.vip
        vrrp = {"version": dialect.version, "interval": f"{round(1000 * dialect.interval)}ms",
                **(roost_options or {})}
        if dialect.unicast:
            vrrp["peers"] = [self.www2.ipv6 if is_v6 else self.www2.ipv4]
        self.roost = Roost(lab, [self.vip], config={
            "interface": "eth0", "nodes": {"www1": [self.www1.ipv4, self.www1.ipv6]},
            "services": {"legacy": {"vips": [self.vip], "vrid": VRID, "priority": roost}}, "vrrp": vrrp})
        self.keepalived = Keepalived(
            lab, [self.vip], interval=dialect.interval, version=dialect.version, unicast=dialect.unicast,
            priorities={self.www2: keepalived}, vrids={self.vip: VRID}, options=keepalived_options,
            first=[virtual_link_local(VRID)] if is_v6 else [])
        self.probe = stack.enter_context(Probe(lab.client, [self.vip]))

    def start(self, *daemons):
        for daemon in daemons:
            daemon.start(self.www1 if daemon is self.roost else self.www2)
            self.wait_for(daemon)

    def server_of(self, daemon):
        return self.www1 if daemon is self.roost else self.www2

    def wait_for(self, daemon, within=8):
        """Waits until this one alone holds the VIP, and answers."""
        server = self.server_of(daemon)
        eventually(lambda: self.lab.holders([self.vip])[self.vip] == [server] and
                   self.probe.answering()[self.vip] == server.number, within,
                   message=lambda: f"{self.lab.holders([self.vip])}, answering {self.probe.answering()}")


@pytest.fixture
def pair(new_lab, stack):
    def make(dialect, **options):
        return Pair(new_lab(servers=2), stack, dialect, **options)
    return make


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_keepalived_takes_over_from_roost_and_gives_it_back(pair, dialect):
    p = pair(dialect, roost=200, keepalived=100)
    p.start(p.keepalived, p.roost)       # roost preempts
    p.lab.power_off(p.www1)
    p.wait_for(p.keepalived)
    p.lab.power_on(p.www1)
    p.start(p.roost)


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_roost_takes_over_from_keepalived_and_gives_it_back(pair, dialect):
    p = pair(dialect, roost=100, keepalived=200)
    p.start(p.roost, p.keepalived)       # keepalived preempts
    p.lab.power_off(p.www2)
    p.wait_for(p.roost)
    p.lab.power_on(p.www2)
    p.start(p.keepalived)


@pytest.mark.parametrize("dialect", DIALECTS[:2], ids=str)
def test_priority_0_hands_over_within_the_skew(pair, stack, dialect):
    """With the interval at 1 s, Active_Down would be 3.6 s; the skew of priority 100 is 0.6 s."""
    dialect = dataclasses.replace(dialect, interval=1)
    p = pair(dialect, roost=100, keepalived=100)
    p.start(p.roost)
    p.keepalived.start(p.www2)
    eventually(lambda: "BACKUP" in p.keepalived.log(p.www2))
    capture = stack.enter_context(Capture(p.lab.client))
    since = p.probe.update()
    assert p.roost.stop(p.www1) == 0
    p.wait_for(p.keepalived)
    assert eventually(lambda: [q for q in capture.packets() if q.kind == "vrrp" and q.priority == 0])
    assert p.probe.outages(since)[0].longest < 1500
    p.roost.start(p.www1)
    eventually(lambda: p.roost.status(p.www1))
    since = p.probe.update()
    p.keepalived.stop(p.www2)
    p.wait_for(p.roost)
    assert p.probe.outages(since)[0].longest < 1500


@pytest.mark.parametrize("dialect", FAST, ids=str)
def test_a_partition_heals_with_one_holder(pair, dialect):
    p = pair(dialect, roost=150, keepalived=100)
    p.start(p.roost)
    p.keepalived.start(p.www2)
    p.lab.partition([p.www1], [p.www2])
    eventually(lambda: len(p.lab.holders([p.vip])[p.vip]) == 2, within=5)
    p.lab.heal()
    p.wait_for(p.roost)


def test_equal_priorities_are_decided_by_the_address(pair):
    """RFC 9568 6.4.3: the greater primary address stays Active."""
    p = pair(DIALECTS[0], roost=100, keepalived=100)
    p.lab.partition([p.www1], [p.www2])
    p.roost.start(p.www1)
    p.keepalived.start(p.www2)
    eventually(lambda: len(p.lab.holders([p.vip])[p.vip]) == 2, within=5)
    p.lab.heal()
    p.wait_for(p.keepalived)


def test_the_owner_always_serves(pair):
    p = pair(DIALECTS[0], roost=255, keepalived=254)
    p.start(p.keepalived, p.roost)


def test_without_preemption_a_better_one_waits(pair):
    p = pair(DIALECTS[0], roost=200, keepalived=100, roost_options={"preempt": False})
    p.start(p.keepalived)
    p.roost.start(p.www1)
    eventually(lambda: p.roost.status(p.www1) and p.roost.status(p.www1)["vips"][0].get("stranger"))
    p.wait_for(p.keepalived)
    p.lab.power_off(p.www2)
    p.wait_for(p.roost)


def test_the_interval_of_the_active_is_learned(pair):
    """RFC 9568 6.4.2: roost is set to 100 ms and must not take over from one that speaks each 300 ms."""
    p = pair(dataclasses.replace(DIALECTS[0]), roost=100, keepalived=200)
    p.keepalived.interval = 0.3  # within the Active_Down of 361 ms that roost begins with
    p.start(p.keepalived)
    since = p.probe.update()
    p.roost.start(p.www1)
    eventually(lambda: p.roost.status(p.www1) and p.roost.status(p.www1)["uptime_s"] > 2)
    assert p.probe.outages(since)[0].servers == [p.www2.number]
    p.lab.power_off(p.www2)
    p.wait_for(p.roost)


def test_the_checksum_is_learned(pair):
    """keepalived knows only the pseudo-header form; roost hears it first, and then speaks as it does."""
    p = pair(DIALECTS[0], roost=200, keepalived=100)
    p.start(p.keepalived, p.roost)


def test_the_checksum_is_learned_by_one_that_already_serves(pair):
    p = pair(DIALECTS[0], roost=200, keepalived=100)
    p.start(p.roost)
    p.keepalived.start(p.www2)
    eventually(lambda: "Received advert" in p.keepalived.log(p.www2) or "Entering BACKUP" in
               p.keepalived.log(p.www2).split("MASTER")[-1])
    p.wait_for(p.roost)


def test_a_stranger_with_our_vrid_neither_darkens_nor_doubles_our_vips(new_lab, start):
    """keepalived floats something else with every VRID that roost uses."""
    lab = new_lab(servers=3)
    cluster = start(V4, lab=lab)
    vrids = {v["vrid"] for v in eventually(lambda: cluster.status(lab.servers[0]))["vips"]}
    others = [f"10.1.1.{150 + i}" for i in range(len(vrids))]
    keepalived = Keepalived(lab, others, interval=0.05, priorities={lab.servers[2]: 254},
                            vrids=dict(zip(others, vrids)))
    keepalived.start(lab.servers[2])
    eventually(lambda: set(others) <= set(lab.servers[2].addresses()))
    assert cluster.is_as_planned()
    lab.power_off(lab.servers[0])
    cluster.settle()
    assert set(others) <= set(lab.servers[2].addresses())
