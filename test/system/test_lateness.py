# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing that may wait delays a heartbeat: neither hundreds of addresses that netlink is to add at once
nor clients of the control socket that never read what they asked for. (roost runs no checks and no other
scripts, which could hang.)

An advertisement is late by what its distance from the one before, of the same virtual router, has more
than the interval. Measured by the kernel's time stamps at the client's port."""

import array
import collections
import fcntl
import json
import re
import signal
import socket
import termios
import time

from conftest import V4
from roostlab import Capture, Lab, eventually

INTERVAL = 0.05
VIPS = [f"10.1.{2 + i // 250}.{1 + i % 250}" for i in range(400)] + [f"fd00:1::1:{i:x}" for i in range(400)]


def cluster_of_many(stack, start):
    """Two servers with 400 VIPs each. The service's name makes the status longer than a socket holds."""
    lab = stack.enter_context(Lab(servers=2, prefix_length=16))

    def config(lab):
        return {"interface": "eth0", "vrrp": {"interval": f"{INTERVAL * 1000:g}ms", "redundancy": 1},
                "nodes": {s.short: s.ipv4 for s in lab.servers},
                "services": {"a-name-that-is-as-long-as-a-name-may-be-in-roost-".ljust(63, "x"): VIPS}}
    return start(VIPS, lab=lab, config=config)


def longest_delay(capture, server):
    """By how much the latest of the server's advertisements was late, in seconds."""
    sent = collections.defaultdict(list)
    for packet in capture.packets():
        if packet.kind == "vrrp" and packet.source_mac == server.mac:
            sent[packet.vrid, ":" in packet.source].append(packet.at)
    assert sent, "nothing was heard"
    return max(later - earlier for times in sent.values()
               for earlier, later in zip(times, times[1:])) - INTERVAL


class SilentClients:
    """As many as the daemon serves, less one; each asks for the status and reads nothing."""

    def __init__(self, path, number=15):
        self.sockets = [socket.socket(socket.AF_UNIX) for _ in range(number)]
        for client in self.sockets:
            client.connect(path)
            client.sendall(b'{"command":"status"}\n')

    def waiting(self):
        """Bytes that wait for each to be read."""
        sizes = []
        for client in self.sockets:
            size = array.array("i", [0])
            fcntl.ioctl(client, termios.FIONREAD, size)
            sizes.append(size[0])
        return sizes

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.sockets:
            client.close()


def test_a_takeover_of_400_vips_among_silent_clients_delays_no_advertisement(stack, start):
    cluster = cluster_of_many(stack, start)
    dead, survivor = cluster.lab.servers
    answer = len(json.dumps(cluster.status(survivor), separators=(",", ":")))
    capture = stack.enter_context(Capture(cluster.lab.client))
    clients = stack.enter_context(SilentClients(cluster.socket(survivor)))
    eventually(lambda: min(clients.waiting()) > 0)
    cluster.lab.power_off(dead)
    cluster.settle([survivor])
    # they are silent still, and the daemon has more to say than they took
    assert all(0 < size < answer for size in clients.waiting())
    time.sleep(1)  # the later announcements
    assert longest_delay(capture, survivor) < INTERVAL / 2


def test_a_standstill_is_counted_and_in_the_journal(start):
    cluster = start(V4[:2], servers=2)
    server, other = cluster.lab.servers
    assert {cluster.status(server)["counters"][name] for name in ("late_turns", "lapses")} == {0}
    cluster.freeze(server)
    eventually(lambda: all(other in hosts for hosts in cluster.holders().values()))
    cluster.thaw(server)
    cluster.settle()
    counters = cluster.status(server)["counters"]
    assert counters["late_turns"] >= 1 and counters["lapses"] == 1
    said = re.search(r"lapsed: was away until (\d+) ms after its time, longer than a lease", cluster.log(server))
    assert int(said[1]) > 100
    assert "lapsed" not in cluster.log(other)


def test_control_a_daemon_that_stands_still_is_seen_to_be_late(stack, start):
    cluster = cluster_of_many(stack, start)
    server = cluster.lab.servers[0]
    capture = stack.enter_context(Capture(cluster.lab.client))
    time.sleep(3 * INTERVAL)
    cluster.crash(server, signal.SIGSTOP)
    time.sleep(1.6 * INTERVAL)
    cluster.crash(server, signal.SIGCONT)
    time.sleep(5 * INTERVAL)
    assert longest_delay(capture, server) > INTERVAL / 2
