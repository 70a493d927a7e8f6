# SPDX-License-Identifier: GPL-3.0-or-later
"""Who held which address when: the kernels' own notifications, from all servers, in one time line."""

import select
import socket
import struct
import threading
import time

from . import net

RTMGRP_ADDRESSES = 0x10 | 0x100  # IPv4 and IPv6
RTM_NEWADDR, RTM_DELADDR = 20, 21
IFA_ADDRESS, IFA_LOCAL = 1, 2


class Holders:
    """Watches the servers' addresses from construction until close(); a context manager.

    events is a list of (time in seconds, vip, host, held), in the order of time.
    """

    def __init__(self, lab, vips):
        self.events = []
        self._vips = set(vips)
        self._held = {vip: set() for vip in vips}
        self._hosts = {}
        self._stop_reader, self._stop_writer = socket.socketpair()
        self._lock = threading.Lock()
        for host in lab.servers:
            with net.inside(host.name):
                s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
            s.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
            s.bind((0, RTMGRP_ADDRESSES))
            self._hosts[s] = host
        for host in lab.servers:
            for address in host.addresses():
                self._note(time.monotonic(), address, host, True)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._stop_writer.close()
        self._thread.join()
        for s in self._hosts:
            s.close()
        self._stop_reader.close()

    def now(self):
        """{vip: {host, ...}} as of this moment."""
        with self._lock:
            return {vip: set(hosts) for vip, hosts in self._held.items()}

    def takeovers(self, since, until=float("inf")):
        """How many times a VIP came to a host between two points in time."""
        with self._lock:
            return sum(held and since <= at < until for at, _, _, held in self.events)

    def longest_double(self, since, until, hosts=None):
        """The longest time for which two of the hosts held one VIP, in seconds."""
        worst = 0.0
        with self._lock:
            events = list(self.events)
        for vip in self._vips:
            held, double_since = set(), None
            for at, which, host, is_held in [*events, (until, vip, None, False)]:
                if which != vip or (hosts and host and host not in hosts) or at > until:
                    continue
                if double_since is not None and (host is None or not is_held):
                    worst = max(worst, at - max(double_since, since))
                (held.add if is_held else held.discard)(host)
                if len(held) < 2:
                    double_since = None
                elif double_since is None:
                    double_since = at
        return worst

    def _note(self, at, address, host, held):
        if address not in self._vips:
            return
        with self._lock:
            if held == (host in self._held[address]):
                return  # a change of flags or lifetime
            (self._held[address].add if held else self._held[address].discard)(host)
            self.events.append((at, address, host, held))

    def _watch(self):
        poll = select.poll()
        by_number = {s.fileno(): s for s in self._hosts}
        for number in [*by_number, self._stop_reader.fileno()]:
            poll.register(number, select.POLLIN)
        while True:
            for number, _ in poll.poll():
                if number not in by_number:
                    return
                s = by_number[number]
                self._read(s.recv(1 << 16), self._hosts[s], time.monotonic())

    def _read(self, data, host, at):
        while len(data) >= 16:
            length, kind = struct.unpack_from("=IH", data)
            if kind in (RTM_NEWADDR, RTM_DELADDR):
                self._note(at, _address(data[16:length]), host, kind == RTM_NEWADDR)
            data = data[(length + 3) & ~3:]


def _address(message):
    """The address that an ifaddrmsg is about."""
    family, rest, found = message[0], message[8:], {}
    while len(rest) >= 4:
        length, kind = struct.unpack_from("=HH", rest)
        if length < 4:
            break
        found[kind] = rest[4:length]
        rest = rest[(length + 3) & ~3:]
    raw = found.get(IFA_LOCAL, found.get(IFA_ADDRESS))
    return socket.inet_ntop(family, raw) if raw else None
