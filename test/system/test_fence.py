# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's fence by itself, held by lab/fencer instead of roostd: what passes when, and what it outlives."""

import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from roostlab import eventually, find_program
from roostlab.capture import parse_frame
from roostlab.net import inside, run

VIP4, VIP6 = "10.1.1.201", "fd00:1::201"
VIPS = (f"{VIP4}=0", f"{VIP6}=1")
PORT = 7000
LEASE_MS = 50
KEPT_MS = 200  # renewed by a process that others may keep from running
ALL = {"data to v4", "data to v6", "data from v4", "data from v6", "arp", "nd"}
DATA = {kind for kind in ALL if kind.startswith("data")}

SO_TIMESTAMPNS = 35
PACKET_OUTGOING = 4
ETH_P_ALL = 3


def find_fencer(name="fencer"):
    try:
        return find_program(name)
    except FileNotFoundError:
        pytest.skip("the fence is not built: libbpf-dev or bpftool is missing")


def boottime():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Fencer:
    """A process that holds the fence on a server."""

    def __init__(self, server, directory, mode="tcx", vips=VIPS, prefix=()):
        self.process = server.spawn(*prefix, find_fencer(), "-m", mode, "-d", str(directory), *vips,
                                    name=f"fencer-{time.monotonic_ns()}", stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True)
        self.greeting = self.process.popen.stdout.readline().strip()

    def tell(self, line):
        self.process.popen.stdin.write(line + "\n")
        self.process.popen.stdin.flush()
        return self.process.popen.stdout.readline().strip()

    def permit(self, permission):
        for vip in (0, 1):
            assert self.tell(f"permit {vip} {permission}") == permission

    def lease(self, span_ms):
        """When the last one ends, in ns of CLOCK_BOOTTIME."""
        return max(int(self.tell(f"lease {router} {span_ms}")) for router in (0, 1))

    def kill(self):
        self.process.kill()
        return boottime()


class Traffic:
    """Every way to use a VIP, several times a millisecond, and what came of it by the kernel's stamps.

    Data both ways counts where it arrives. What tells of a VIP counts where it leaves the server, by
    whatever interface: the answers to ARP and to neighbour solicitations.
    """

    def __init__(self, client, server, device="eth0", vips=(VIP4, VIP6)):
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
        self._questions = [arp_request(mac, client.ipv4, vips[0]), solicitation(mac, client.ipv6, vips[1])]
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


def _prepare(s):
    s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE


def _bound(address, port=PORT):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    _prepare(s)
    s.bind((address, port))
    return s


def arp_request(mac, source, target):
    return b"\xff" * 6 + mac + bytes.fromhex("0806 0001 0800 0604 0001") + mac + \
        socket.inet_aton(source) + bytes(6) + socket.inet_aton(target)


def solicitation(mac, source, target):
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


def add_interface(lab, host, name="eth1"):
    """A second interface of a host on the lab's switch."""
    mac = f"02:00:00:00:01:{host.number:02x}"
    lab.switch.ip(f"link add {host.port}b type veth peer name {name} netns {host.name} address {mac}",
                  f"link set {host.port}b master br0 up")
    host.ip(f"link set {name} up", f"address add 10.1.1.{100 + host.number}/24 dev {name}",
            f"address add fd00:1::{100 + host.number}/64 dev {name} nodad")
    return mac


def introduce(client, server, mac=None, device="eth0"):
    """Data goes on although nobody answers ARP or ND: both sides know each other by heart."""
    for address in (VIP4, VIP6):
        client.ip(f"neighbour replace {address} lladdr {mac or server.mac} nud permanent dev eth0")
    for address in (client.ipv4, client.ipv6):
        server.ip(f"neighbour replace {address} lladdr {client.mac} nud permanent dev {device}")


def add_vips(server, device="eth0"):
    server.ip(f"address add {VIP4}/32 dev {device}", f"address add {VIP6}/128 dev {device} nodad")


@pytest.fixture
def lab(new_lab):
    return new_lab(servers=2, echo=False)


@pytest.fixture
def bpffs(lab):
    path = lab.folder / "bpf"
    path.mkdir()
    run(["mount", "-t", "bpf", "bpf", str(path)])
    yield path
    for process in lab.processes:
        process.kill()  # or it would have its working files there
    run(["umount", str(path)])


@pytest.fixture(params=["tcx", "clsact"])
def mode(request):
    return request.param


@pytest.fixture
def place(lab, bpffs, mode):
    """A function that opens the fence on the first server: its VIPs are there, and the client knows them."""
    server = lab.servers[0]

    def open_fence(**options):
        options.setdefault("mode", mode)
        return Fencer(server, bpffs / "fence", **options)
    fencer = open_fence()
    assert fencer.greeting == f"ready {mode} new"
    add_vips(server)
    introduce(lab.client, server)
    fencer.open_again = open_fence
    fencer.server = server
    yield fencer
    fencer.process.kill()


@pytest.fixture
def traffic(lab, place, stack):
    return stack.enter_context(Traffic(lab.client, place.server))


def overshoot_ms(heard, until):
    """How long after its end something still passed, by kind."""
    return {kind: (max(at for at, _ in events) - until) / 1e6 for kind, events in heard.items() if events}


def test_it_begins_closed_and_opens_as_permitted(place, traffic):
    assert traffic.passing() == set()
    place.permit("full")
    assert traffic.passing() == set(), "permitted, but there is no lease"
    place.lease(60_000)
    assert traffic.passing() == ALL
    place.permit("data")
    assert traffic.passing() == DATA
    place.permit("closed")
    assert traffic.passing() == set()
    place.permit("absent")
    assert traffic.passing() == {"data to v4", "data to v6"}, "ours must not leave, others' may enter"
    place.permit("full")
    place.lease(0)
    assert traffic.passing() == set()
    counts = [int(n) for n in place.tell("dropped").split()]
    assert all(counts), counts


def test_nothing_passes_after_the_lease_though_the_address_is_there(place, traffic):
    place.permit("full")
    for _ in range(5):
        traffic.read()
        until = place.lease(LEASE_MS)
        time.sleep(LEASE_MS / 1000 + 0.1)
        heard = traffic.read()
        assert {kind for kind in heard if heard[kind]} == ALL
        assert max(overshoot_ms(heard, until).values()) < 1, overshoot_ms(heard, until)
    assert {VIP4, VIP6} <= set(place.server.addresses())


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=lambda f: f.name)
def test_the_lease_ends_whatever_becomes_of_the_holder(place, traffic, fault):
    place.permit("full")
    place.tell(f"keep {KEPT_MS}")
    assert traffic.passing(during=3 * KEPT_MS / 1000) == ALL
    place.process.signal(fault)
    until = boottime() + KEPT_MS * 10**6
    time.sleep(KEPT_MS / 1000 + 0.1)
    heard = traffic.read()
    assert {kind for kind in heard if heard[kind]} == ALL
    assert max(overshoot_ms(heard, until).values()) < 1, overshoot_ms(heard, until)
    assert traffic.passing() == set()
    assert {VIP4, VIP6} <= set(place.server.addresses())
    place.process.kill()


def test_without_a_fence_the_address_of_a_dead_holder_is_served_for_ever(lab, bpffs, stack):
    """The control of the test above: it can see what it says is not there."""
    server = lab.servers[0]
    fencer = Fencer(server, bpffs / "fence", mode="off")
    assert fencer.greeting == "ready off new"
    add_vips(server)
    introduce(lab.client, server)
    traffic = stack.enter_context(Traffic(lab.client, server))
    fencer.permit("full")
    fencer.lease(LEASE_MS)
    fencer.kill()
    time.sleep(LEASE_MS / 1000 + 0.1)
    assert traffic.passing() == ALL


def test_a_second_interface_on_the_segment_is_no_way_around(lab, place, stack):
    mac = add_interface(lab, place.server)
    introduce(lab.client, place.server, mac, "eth1")
    traffic = stack.enter_context(Traffic(lab.client, place.server, "eth1"))
    assert "data to v4" in traffic.passing(), "it should leak before the fence knows of it"
    assert place.tell("refresh") == "1"
    assert traffic.passing() == set()
    place.permit("full")
    traffic.read()
    until = place.lease(LEASE_MS)
    time.sleep(LEASE_MS / 1000 + 0.1)
    heard = traffic.read()
    assert {kind for kind in heard if heard[kind]} == ALL
    assert max(overshoot_ms(heard, until).values()) < 1
    place.server.ip("link delete eth1")
    assert place.tell("refresh") == "0"


def sequences(heard):
    return {kind: [n for _, n in events] for kind, events in heard.items() if kind in DATA}


@pytest.mark.parametrize("vips", [VIPS, ("10.1.1.202=0", f"{VIP6}=2", f"{VIP4}=1")],
                         ids=["same", "changed"])
def test_the_next_life_takes_over_without_losing_a_packet(place, traffic, mode, vips):
    place.permit("full")
    place.lease(10_000)
    traffic.read()
    before = traffic.sent
    place.kill()
    heir = place.open_again(vips=vips)
    assert heir.greeting == f"ready {mode} inherited"
    time.sleep(0.1)
    traffic.stop()
    for kind, numbers in sequences(traffic.read()).items():
        assert numbers == list(range(numbers[0], traffic.sent)), kind
        assert numbers[0] <= before + 1
    heir.tell("remove")


def test_an_inherited_lease_ends_when_the_dead_had_it_end(place, traffic):
    place.permit("full")
    traffic.read()
    until = place.lease(300)
    place.kill()
    heir = place.open_again(vips=("10.1.1.202=0", f"{VIP6}=1", f"{VIP4}=1"))
    time.sleep(max(0.0, (until - boottime()) / 1e9) + 0.1)
    heard = traffic.read()
    assert {kind for kind in heard if heard[kind]} == ALL
    assert max(overshoot_ms(heard, until).values()) < 1
    assert heir.tell("permit 0 full") == "full"
    heir.tell("remove")


def test_what_is_forwarded_to_a_vip_held_elsewhere_passes(lab, place):
    """www1 is a router between the client and www2, which holds the VIP."""
    router, holder = lab.servers
    router.ip(f"address delete {VIP4}/32 dev eth0", f"address delete {VIP6}/128 dev eth0",
              f"link add eth1 type veth peer name eth1 netns {holder.name}",
              "link set eth1 up", "address add 10.9.0.1/24 dev eth1",
              f"route add {VIP4}/32 via 10.9.0.2 dev eth1")
    holder.ip("link set eth1 up", "address add 10.9.0.2/24 dev eth1", f"address add {VIP4}/32 dev eth1",
              f"route add {lab.client.ipv4}/32 via 10.9.0.1 dev eth1")
    router.sysctl({"net/ipv4/ip_forward": 1, "net/ipv4/conf/all/send_redirects": 0,
                   "net/ipv4/conf/eth0/send_redirects": 0})
    lab.client.ip(f"neighbour delete {VIP4} dev eth0", f"route add {VIP4}/32 via {router.ipv4}")
    assert place.tell("refresh") == "1"

    def is_reached():
        return run(lab.client.command("ping", "-c1", "-W1", VIP4), check=False).returncode == 0
    place.permit("absent")
    assert is_reached()
    place.permit("closed")
    assert not is_reached()


def test_it_is_mended_where_somebody_removed_it(place, traffic, mode):
    if mode == "tcx":
        for pin in (pathlib.Path(place.process.popen.args[-3]).glob("link_*")):
            pin.unlink()
    else:
        place.server.run("tc", "qdisc", "delete", "dev", "eth0", "clsact")
    eventually(lambda: traffic.passing() == ALL, within=2)
    assert place.tell("refresh") == "1"
    assert traffic.passing() == set()
    assert place.tell("refresh") == "0"


@pytest.mark.parametrize("lost", ["pins", "directory"])
def test_pins_that_somebody_removed_are_put_back(place, traffic, bpffs, lost):
    """Without them neither the guardian nor the next life finds it."""
    for pin in (bpffs / "fence").iterdir():
        pin.unlink()
    if lost == "directory":
        (bpffs / "fence").rmdir()
    place.permit("full")
    place.lease(10_000)
    assert int(place.tell("refresh")) >= 0
    assert {"vips", "cells", "leases", "drops"} <= {pin.name for pin in (bpffs / "fence").iterdir()}
    assert "in use by another" in place.open_again().greeting
    place.kill()
    assert "inherited" in place.open_again().greeting
    assert traffic.passing() == ALL


def test_a_clean_stop_leaves_nothing(place, traffic, bpffs):
    assert traffic.passing() == set()
    assert place.tell("remove") == "removed"
    assert traffic.passing() == ALL
    assert not (bpffs / "fence").exists()
    shown = run(place.server.command("bpftool", "net", "show", "dev", "eth0")).stdout
    assert "fence" not in shown


def test_off_removes_what_a_previous_life_left(place, traffic, bpffs):
    place.kill()
    assert traffic.passing() == set()
    assert place.open_again(mode="off").greeting == "ready off new"
    assert traffic.passing() == ALL
    assert not (bpffs / "fence").exists()


def test_the_mechanism_may_change_between_two_lives(place, traffic, mode):
    other = {"tcx": "clsact", "clsact": "tcx"}[mode]
    place.permit("full")
    place.lease(10_000)
    place.kill()
    heir = place.open_again(mode=other)
    assert heir.greeting == f"ready {other} inherited"
    assert traffic.passing() == ALL
    heir.tell("remove")
    assert traffic.passing() == ALL
    assert "fence" not in run(place.server.command("bpftool", "net", "show", "dev", "eth0")).stdout


def test_two_holders_are_one_too_many(place):
    assert "in use by another" in place.open_again().greeting


def test_what_is_missing_is_said(lab, bpffs):
    fencer = Fencer(lab.servers[0], lab.folder / "elsewhere" / "fence")
    assert re.fullmatch(r"error .*elsewhere is no bpffs \(mount -t bpf .*", fencer.greeting)
    helpless = Fencer(lab.servers[0], bpffs / "fence", prefix=("setpriv", "--bounding-set", "-all",
                                                               "--inh-caps", "-all"))
    assert "Operation not permitted" in helpless.greeting


def test_two_capabilities_and_a_directory_are_enough(lab, bpffs, mode):
    mine = bpffs / "roost"
    mine.mkdir(mode=0o700)
    lab.folder.chmod(0o711)
    os.chown(mine, 65534, 65534)
    few = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs",
           "--inh-caps", "-all,+net_admin,+bpf", "--ambient-caps", "+net_admin,+bpf",
           "--bounding-set", "-all,+net_admin,+bpf")
    server = lab.servers[0]
    first = Fencer(server, mine / "fence", mode=mode, prefix=few)
    assert first.greeting == f"ready {mode} new"
    first.kill()
    second = Fencer(server, mine / "fence", mode=mode, prefix=few)
    assert second.greeting == f"ready {mode} inherited"
    assert second.tell("remove") == "removed"


def test_packets_of_every_kind_are_judged_right():
    done = run([find_fencer("fence-packets")], check=False, timeout=120)
    print(done.stdout)
    assert done.returncode == 0
    assert re.search(r"^[1-9]\d* passed, 0 failed$", done.stdout, re.MULTILINE)
