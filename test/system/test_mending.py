# SPDX-License-Identifier: GPL-3.0-or-later
"""The fence stays whole by roostd's own care, wherever a neighbour might get around it."""

import time

import pytest

from conftest import V4, V6
from roostlab import Roost, Traffic, eventually
from roostlab.daemons import roost_config
from roostlab.traffic import ALL, introduce

BOTH = [V4[0], V6[0]]
NOTICED = 2     # s, at most, from the kernel's news until it is acted upon
LOOKED_AT = 5   # s, from one look to the next where there is no news


class Server:
    """One that holds the VIPs, by roostd, and what passes by an interface of it."""

    def __init__(self, lab, stack, fence):
        self.host, self.lab, self.stack = lab.servers[0], lab, stack
        config = roost_config(lab, {"www": [BOTH]}, interval="100ms") | {"fence": fence}
        self.cluster = Roost(lab, config=config)
        self.cluster.start()
        self.cluster.settle()

    def watch(self, device):
        introduce(self.lab.client, self.host, BOTH, device)
        return self.stack.enter_context(Traffic(self.lab.client, self.host, BOTH, device))

    def wait_for_mend(self, number, within):
        """Until roostd has put it up for that many times."""
        eventually(lambda: self.cluster.log(self.host).count("fence: put up on 1 more interfaces") == number, within)

    def freeze(self):
        """The daemon, and until the last lease that it has renewed is over."""
        self.cluster.freeze(self.host)
        eventually(lambda: max(self.host.leases()) < time.clock_gettime(time.CLOCK_BOOTTIME))


@pytest.fixture
def start_server(new_lab, stack):
    return lambda fence: Server(new_lab(servers=1, echo=False), stack, fence)


@pytest.mark.parametrize("fence", ["tcx", "clsact"])
def test_an_interface_that_comes_later_is_no_way_around(start_server, fence):
    server = start_server(fence)
    for number in (1, 2):  # one of them might come just before a look
        server.host.add_interface(f"eth{number}")
        server.wait_for_mend(number, NOTICED)
    traffic = server.watch("eth2")
    # the control: what is to be kept out can be seen
    eventually(lambda: traffic.passing() == ALL, within=15)
    server.freeze()
    assert traffic.passing() == set()
    assert set(BOTH) <= set(server.host.addresses())


def test_what_somebody_takes_away_is_put_up_again(start_server):
    server = start_server("clsact")
    server.host.run("tc", "qdisc", "delete", "dev", "eth0", "clsact")
    server.wait_for_mend(1, LOOKED_AT + NOTICED)
    traffic = server.watch("eth0")
    eventually(lambda: traffic.passing() == ALL, within=15)
    server.freeze()
    assert traffic.passing() == set()
