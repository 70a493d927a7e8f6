# SPDX-License-Identifier: GPL-3.0-or-later
"""A VIP shared with FRR's vrrpd: each takes over from the other, both ways."""

import pytest

from conftest import V4, V6
from frr import needs_frr, Vrrpd
from roostlab import Probe, Roost, eventually

pytestmark = needs_frr
VRID = 52


@pytest.fixture
def pair(new_lab, stack):
    def make(vip, version, roost, frr):
        lab = new_lab(servers=2)
        interval = 1000 if version == 2 else 100
        daemon = Roost(lab, [vip], config={
            "interface": "eth0", "nodes": {"www1": [lab.servers[0].ipv4, lab.servers[0].ipv6]},
            "services": {"legacy": {"vips": [vip], "vrid": VRID, "priority": roost}},
            "vrrp": {"version": version, "interval": f"{interval}ms"}})
        router = Vrrpd(lab, lab.servers[1], vip, VRID, frr, interval, version)
        probe = stack.enter_context(Probe(lab.client, [vip]))

        def wait_for(server):
            eventually(lambda: probe.answering()[vip] == server.number, within=8,
                       message=lambda: f"answering: {probe.answering()}")
        return daemon, router, wait_for
    return make


@pytest.mark.parametrize("vip, version", [(V4[0], 3), (V6[0], 3), (V4[0], 2)], ids=["v3-ipv4", "v3-ipv6", "v2"])
def test_roost_takes_over_from_frr_and_gives_it_back(pair, vip, version):
    daemon, router, wait_for = pair(vip, version, roost=100, frr=200)
    www1, www2 = daemon.lab.servers
    daemon.start(www1)
    wait_for(www1)
    router.start()           # FRR preempts
    wait_for(www2)
    assert vip not in www1.addresses()
    router.stop()            # priority 0
    wait_for(www1)


@pytest.mark.parametrize("vip, version", [(V4[0], 3), (V6[0], 3), (V4[0], 2)], ids=["v3-ipv4", "v3-ipv6", "v2"])
def test_frr_takes_over_from_roost_and_gives_it_back(pair, vip, version):
    daemon, router, wait_for = pair(vip, version, roost=200, frr=100)
    www1, www2 = daemon.lab.servers
    router.start()
    wait_for(www2)
    daemon.start(www1)       # roost preempts
    wait_for(www1)
    daemon.lab.power_off(www1)
    wait_for(www2)
    daemon.lab.power_on(www1)
    daemon.start(www1)
    wait_for(www1)
    daemon.stop(www1)        # priority 0
    wait_for(www2)
