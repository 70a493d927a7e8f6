# SPDX-License-Identifier: GPL-3.0-or-later
"""What went over the wire: tcpdump into a file, read back as the few kinds of packet that matter."""

import dataclasses
import ipaddress
import signal
import struct
import time

from . import net
from .wait import eventually

INTERESTING = "arp or icmp6 or proto 112 or (ip6 and ip6[6] == 112)"


@dataclasses.dataclass
class Packet:
    """A frame, as far as it was understood. kind is arp, na, ns, vrrp or other."""

    at: float            # seconds of CLOCK_REALTIME
    source_mac: str
    kind: str = "other"
    source: str = ""     # IP address; for ARP the sender's
    destination: str = ""
    target: str = ""     # of ARP, NA, NS
    operation: int = 0   # ARP: 1 request, 2 reply
    flags: str = ""      # NA: of R, S and O those that are set
    ttl: int = 0
    version: int = 0     # VRRP from here on
    vrid: int = 0
    priority: int = 0
    interval: float = 0  # seconds
    addresses: tuple = ()

    def is_announcement_of(self, vip):
        """The gratuitous ARP request or the unsolicited NA."""
        if self.kind == "arp":
            return self.operation == 1 and self.source == self.target == vip
        return self.kind == "na" and self.target == vip and "S" not in self.flags


class Capture:
    """Captures on a host's eth0 (or a given interface) until close(); a context manager."""

    def __init__(self, host, expression=INTERESTING, interface="eth0"):
        self.host = host
        self.path = host.lab.folder / f"{host.short}-{time.monotonic_ns()}.pcap"
        # In the foreground of its own log, which says when the capture has begun.
        self._process = host.spawn("tcpdump", "-i", interface, "-U", "--immediate-mode", "-n",
                                   "-s", "2048",  # of longer ones there would be room for eight only
                                   "-Z", "root", "-w", str(self.path), expression,
                                   name=f"tcpdump-{self.path.stem}")
        eventually(lambda: "listening on" in self._process.text(), within=5, every=0.005)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._process.is_running():
            self._process.popen.send_signal(signal.SIGTERM)
            self._process.wait()

    def packets(self):
        """All packets up to now."""
        return list(read_pcap(self.path))

    def frames(self):
        """The bytes of each, up to now."""
        return [frame for frame, _ in read_frames(self.path)]

    def tshark(self, *arguments):
        """What tshark prints of the capture so far."""
        return net.run(["tshark", "-n", "-r", str(self.path), *arguments]).stdout


def read_pcap(path):
    """The packets of a file that tcpdump writes or has written."""
    for frame, at in read_frames(path):
        yield parse_frame(frame, at)


def read_frames(path):
    """(bytes, seconds) of each; a half-written one is left out."""
    data = path.read_bytes()
    at = 24
    while at + 16 <= len(data):
        seconds, micro, size, _ = struct.unpack_from("=IIII", data, at)
        at += 16
        if at + size > len(data):
            return
        yield data[at:at + size], seconds + micro / 1e6
        at += size


def parse_frame(frame, at=0.0):
    packet = Packet(at, frame[6:12].hex(":"))
    kind, payload = frame[12:14], frame[14:]
    if kind == b"\x08\x06" and len(payload) >= 28:
        packet.kind = "arp"
        packet.operation = payload[7]
        packet.source, packet.target = _ip(payload[14:18]), _ip(payload[24:28])
    elif kind == b"\x08\x00" and len(payload) >= 20:
        packet.source, packet.destination, packet.ttl = _ip(payload[12:16]), _ip(payload[16:20]), payload[8]
        if payload[9] == 112:
            size = struct.unpack_from("!H", payload, 2)[0]
            _parse_vrrp(packet, payload[4 * (payload[0] & 15):size], 4)
    elif kind == b"\x86\xdd" and len(payload) >= 40:
        packet.source, packet.destination, packet.ttl = _ip(payload[8:24]), _ip(payload[24:40]), payload[7]
        body = payload[40:40 + struct.unpack_from("!H", payload, 4)[0]]
        if payload[6] == 112:
            _parse_vrrp(packet, body, 16)
        elif payload[6] == 58 and len(body) >= 24 and body[0] in (135, 136):
            packet.kind = "ns" if body[0] == 135 else "na"
            packet.target = _ip(body[8:24])
            if packet.kind == "na":
                packet.flags = "".join(f for f, bit in (("R", 128), ("S", 64), ("O", 32)) if body[4] & bit)
    return packet


def _parse_vrrp(packet, body, size):
    if len(body) < 8:
        return
    packet.kind = "vrrp"
    packet.version, packet.vrid, packet.priority = body[0] >> 4, body[1], body[2]
    if packet.version == 3:
        packet.interval = (struct.unpack_from("!H", body, 4)[0] & 0xfff) / 100
    else:
        packet.interval = float(body[5])
    packet.addresses = tuple(_ip(body[8 + i * size:8 + (i + 1) * size]) for i in range(body[3]))


def _ip(raw):
    return str(ipaddress.ip_address(bytes(raw)))
