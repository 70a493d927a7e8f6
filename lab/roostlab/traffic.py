# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a VIP can be used, and until when to the microsecond, by whatever interface of a server."""

import socket
import struct
import threading
import time

from .capture import parse_frame
from .net import inside

PORT = 7000
ALL = {"data to v4", "data to v6", "data from v4", "data from v6", "arp", "nd"}
DATA = {kind for kind in ALL if kind.startswith("data")}

SO_TIMESTAMPNS = 35
PACKET_OUTGOING = 4
ETH_P_ALL = 3


def boottime():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def introduce(client, server, vips, device="eth0"):
    """Data goes on although nobody answers ARP or ND: both sides know each other by heart."""
    for vip in vips:
        client.ip(f"neighbour replace {vip} lladdr {server.mac_of(device)} nud permanent dev eth0")
    for address in (client.ipv4, client.ipv6):
        server.ip(f"neighbour replace {address} lladdr {client.mac} nud permanent dev {device}")


class Traffic:
    """Every way to use a VIP, several times a millisecond, and what came of it by the kernel's stamps.

    Data both ways counts where it arrives. What tells of a VIP counts where it leaves the server, by
    whatever interface: the answers to ARP and to neighbour solicitations. @vips: one of each family.
    """

    def __init__(self, client, server, vips, device="eth0"):
        self.vips = vips
        self.sent = 0
        self._stopping = threading.Event()
        self._until_realtime = time.time_ns() - boottime()
        with inside(server.name):
            self._at_server = [_bound(vip) for vip in vips]
            self._from_server = [_bound(vip, port=0) for vip in vips]
            for s in self._from_server:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
            self._tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            _prepare(self._tap)
        own = (client.ipv4, client.ipv6)
        with inside(client.name):
            self._at_client = [_bound(address) for address in own]
            self._from_client = [_bound(address, port=0) for address in own]
            self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self._wire.bind(("eth0", 0))
        self._to_server = [(vip, PORT) for vip in vips]
        self._to_client = [(address, PORT) for address in own]
        mac = bytes.fromhex(client.mac.replace(":", ""))
        self._questions = [_arp_request(mac, client.ipv4, vips[0]), _solicitation(mac, client.ipv6, vips[1])]
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()
        for s in (*self._at_server, *self._from_server, *self._at_client, *self._from_client, self._tap,
                  self._wire):
            s.close()

    def stop(self):
        self._stopping.set()
        self._thread.join()
        time.sleep(0.02)

    def _send(self):
        while not self._stopping.is_set():
            text = struct.pack("=I", self.sent)
            self.sent += 1
            for sockets, targets in ((self._from_client, self._to_server),
                                     (self._from_server, self._to_client)):
                for s, target in zip(sockets, targets):
                    try:
                        s.sendto(text, target)
                    except OSError:
                        pass  # dropped when it left
            for question in self._questions:
                self._wire.send(question)
            time.sleep(0.0002)

    def read(self):
        """What was heard since the last look: {kind: [(when, sequence), ...]}, when in ns of CLOCK_BOOTTIME."""
        heard = {kind: [] for kind in ALL}
        for sockets, way in ((self._at_server, "to"), (self._at_client, "from")):
            for s, family in zip(sockets, ("v4", "v6")):
                heard[f"data {way} {family}"] = [(at, struct.unpack("=I", text)[0])
                                                 for at, text, _ in self._drain(s)]
        for at, frame, (_, _, direction, *_) in self._drain(self._tap):
            packet = parse_frame(frame)
            if direction == PACKET_OUTGOING and packet.kind == "arp" and packet.source in self.vips:
                heard["arp"].append((at, 0))
            elif direction == PACKET_OUTGOING and packet.kind == "na" and packet.target in self.vips:
                heard["nd"].append((at, 0))
        return heard

    def passing(self, during=0.1):
        """The kinds that pass now."""
        self.read()
        time.sleep(during)
        return {kind for kind, all_of_it in self.read().items() if all_of_it}

    def _drain(self, s):
        while True:
            try:
                data, control, _, address = s.recvmsg(2048, 64, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            for level, kind, value in control:
                if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                    seconds, ns = struct.unpack("=qq", value[:16])
                    yield seconds * 10**9 + ns - self._until_realtime, data, address


# The kernel stamps packets from a while after the first socket has asked for it; before, one has the
# time at which it is read. So one asks from the beginning, and for ever.
_asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
_asking.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def _prepare(s):
    s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE


def _bound(address, port=PORT):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    _prepare(s)
    s.bind((address, port))
    return s


def _arp_request(mac, source, target):
    return b"\xff" * 6 + mac + bytes.fromhex("0806 0001 0800 0604 0001") + mac + \
        socket.inet_aton(source) + bytes(6) + socket.inet_aton(target)


def _solicitation(mac, source, target):
    """A neighbour solicitation (RFC 4861 4.3)."""
    source, target = (socket.inet_pton(socket.AF_INET6, a) for a in (source, target))
    group = bytes.fromhex("ff0200000000000000000001ff") + target[13:]
    body = target + b"\x01\x01" + mac
    length = struct.pack("!I", 8 + len(body))
    total = sum(struct.unpack(f"!{16 + len(body) // 2 + 6}H",
                              source + group + length + bytes(3) + b"\x3a" + b"\x87\0\0\0" + body))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return b"\x33\x33\xff" + target[13:] + mac + bytes.fromhex("86dd 60000000") + length[2:] + b"\x3a\xff" + \
        source + group + b"\x87\0" + struct.pack("!HI", ~total & 0xffff, 0) + body
