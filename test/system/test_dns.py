# SPDX-License-Identifier: GPL-3.0-or-later
"""The name server as its users meet it: on the wire, across reloads, beside roostd, under its unit."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.zone
import pytest

from conftest import V4, V6
from roostlab import Roost, eventually
from roostlab.nameserver import NameServer, addresses, ask
from roostlab.net import inside
from roostlab.wait import ROOT, find_program, stays

UNIT = ROOT / "contrib/systemd/roost-dns.service"
USER = 64322  # nobody has this number
WWW = "www.example.com"

ZONE = """\
$TTL 60
@ IN SOA ns1 hostmaster {serial} 3600 600 86400 60
@ NS ns1
ns1 A 10.1.1.11
text TXT "{text}"
"""


@pytest.fixture
def world(new_lab):
    """A server with roost-dns, and a client."""
    def build(services=None, zones=None, servers=1, start=True, **dns_section):
        lab = new_lab(servers=servers, echo=False)
        for name, text in (zones or {}).items():
            (lab.folder / f"{name}.zone").write_text(text)
        if zones:
            dns_section["zones"] = {name: str(lab.folder / f"{name}.zone") for name in zones}
        dns_section.setdefault("rate", 0)
        dns_section.setdefault("threads", 2)
        config = {"interface": "eth0", "domain": "example.com",
                  "nodes": {s.short: s.ipv4 for s in lab.servers},
                  "services": services or {"www": V4[:2]}, "dns": dns_section}
        cluster = Roost(lab, config=config)
        server = NameServer(lab.servers[0], cluster.path, cluster.socket(lab.servers[0]))
        server.lab, server.cluster = lab, cluster
        return server.start() if start else server
    return build


class FakeRoostd:
    """Says whatever a test wants it to say; while it says nothing, its clients wait."""

    def __init__(self, path):
        self.says = None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        silent = []
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.says is None:
                    silent.append(client)
                    continue
                with client, contextlib.suppress(OSError):
                    client.recv(4096)
                    client.sendall(json.dumps(self.says).encode() + b"\n")

    def knows(self, *held, unheld=()):
        """Somebody holds these, and nobody those."""
        self.says = {"held": held, "unheld": unheld}


class Stream(threading.Thread):
    """Asks without a pause, and counts what comes back."""

    def __init__(self, client, address, name, rdtype="A"):
        super().__init__(daemon=True)
        self.client, self.address = client, address
        self.query = dns.message.make_query(name, rdtype).to_wire()
        self.asked, self.lost, self.answers = 0, 0, set()
        self.over = threading.Event()

    def run(self):
        with inside(self.client.name), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((self.address, 53))
            s.settimeout(1)
            while not self.over.is_set():
                self.asked += 1
                try:
                    s.send(self.query)
                    self.answers.add(s.recv(4096)[12:])
                except OSError:
                    self.lost += 1

    def __enter__(self):
        self.start()
        eventually(lambda: self.answers)
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


class Connections(Stream):
    """The same over TCP, each time by a new connection."""

    def run(self):
        while not self.over.is_set():
            self.asked += 1
            try:
                self.answers.add(ask(self.client, self.address, WWW, tcp=True).to_wire()[12:])
            except (OSError, EOFError):
                self.lost += 1


# Answers


@pytest.mark.parametrize("tcp", [False, True])
def test_an_answer_comes_from_the_address_that_was_asked_vips_included(world, tcp):
    server = world({"www": [V4[0], V6[0]]})
    server.cluster.start()
    server.cluster.settle()
    here = server.server
    here.ip("address add 10.1.1.99/24 dev eth0", "address add fd00:1::99/64 dev eth0 nodad")
    for address in (here.ipv4, "10.1.1.99", V4[0], here.ipv6, "fd00:1::99", V6[0]):
        assert addresses(ask(server.lab.client, address, WWW, tcp=tcp)) == [V4[0]]
        assert addresses(ask(server.lab.client, address, WWW, "AAAA", tcp=tcp)) == [V6[0]]


def test_a_link_local_address_answers_on_its_link(world):
    """RFC 4007 6: without the interface such an address means nothing."""
    server = world()
    address = next(a for a in server.server.addresses() if a.startswith("fe80:"))
    for tcp in (False, True):
        assert addresses(ask(server.lab.client, f"{address}%eth0", WWW, tcp=tcp))


def test_a_wildcard_right_below_the_top_is_served(world):
    """RFC 4592 2.1.1: its zone is the name above it, not itself."""
    server = world({"www": {"names": ["*.lan"], "vips": V4[:1]}})
    assert addresses(ask(server.lab.client, server.server.ipv4, "anything.lan")) == [V4[0]]


def test_an_address_that_comes_later_is_listened_on_from_the_start(world):
    server = world(listen=["10.1.1.99", "fd00:1::99"])
    server.server.ip("address add 10.1.1.99/24 dev eth0", "address add fd00:1::99/64 dev eth0 nodad")
    for address in ("10.1.1.99", "fd00:1::99"):
        for tcp in (False, True):
            assert ask(server.lab.client, address, WWW, tcp=tcp).rcode() == dns.rcode.NOERROR
    # the control: on no other
    with pytest.raises(OSError):
        ask(server.lab.client, server.server.ipv4, WWW, tcp=True)


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("rotation, given", [("all", 2), ("weighted", 1)])
def test_weights_say_how_often_a_vip_comes_first(world, tcp, rotation, given):
    """The bounds are six standard deviations away."""
    vips = [{"address": V4[0], "weight": 7}, V4[1]]
    server = world({"www": {"vips": vips, "rotation": rotation}})
    firsts = []
    for _ in range(400):
        answer = addresses(ask(server.lab.client, server.server.ipv4, WWW, tcp=tcp))
        assert len(answer) == given
        firsts.append(answer[0])
    assert set(firsts) == set(V4[:2])
    assert 310 <= firsts.count(V4[0]) <= 390


def test_a_burst_is_answered_in_full(world):
    """More at once than a batch holds."""
    server = world()
    query = dns.message.make_query(WWW, "A")
    with inside(server.lab.client.name), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.connect((server.server.ipv4, 53))
        s.settimeout(2)
        for i in range(300):
            query.id = i
            s.send(query.to_wire())
        assert {int.from_bytes(s.recv(4096)[:2], "big") for _ in range(300)} == set(range(300))
    assert server.counters()["udp4"] == 300


def test_garbage_is_survived(world):
    server = world()
    with inside(server.lab.client.name), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for size in (0, 1, 11, 12, 17, 512, 5000):
            for byte in (b"\0", b"\xff", b"\x41"):
                s.sendto(byte * size, (server.server.ipv4, 53))
    assert addresses(ask(server.lab.client, server.server.ipv4, WWW))
    assert server.process.is_running()


def test_queries_over_tcp_need_not_wait_for_answers(world):
    """RFC 7766 6.2.1.1"""
    server = world()
    names = [WWW, "www1.example.com", "nowhere.example.com"]
    with inside(server.lab.client.name):
        connection = socket.create_connection((server.server.ipv4, 53), timeout=2)
    with connection, connection.makefile("rb") as answers:
        wires = [dns.message.make_query(name, "A").to_wire() for name in names]
        connection.sendall(b"".join(len(w).to_bytes(2, "big") + w for w in wires))
        for name in names:
            answer = dns.message.from_wire(answers.read(int.from_bytes(answers.read(2), "big")))
            assert str(answer.question[0].name) == f"{name}."


# Limits


def limited(server, tcp=False):
    """Answers to 100 questions at once: whole, truncated, none."""
    whole = truncated = 0
    for _ in range(100):
        try:
            answer = ask(server.lab.client, server.server.ipv4, WWW, tcp=tcp, timeout=0.05)
        except dns.exception.Timeout:
            continue
        if answer.flags & dns.flags.TC:
            assert not answer.answer
            truncated += 1
        else:
            whole += 1
    return whole, truncated, 100 - whole - truncated


def test_equal_answers_are_limited_but_not_over_tcp(world):
    server = world(rate=5)
    whole, truncated, none = limited(server)
    assert 5 <= whole <= 5 + 5 * 10
    assert truncated > 10 and none > 10  # each second one by chance
    counters = server.counters()
    assert (counters["rrl_slipped"], counters["rrl_dropped"]) == (truncated, none)
    assert limited(server, tcp=True) == (100, 0, 0)


def test_without_a_rate_nothing_is_limited(world):
    """The control of the test above."""
    assert limited(world(rate=0)) == (100, 0, 0)


def test_a_slow_reader_holds_nobody_up(world):
    zone = ZONE.format(serial=1, text="x") + "".join(f'big TXT "{i:03}{"y" * 200}"\n' for i in range(250))
    server = world(zones={"example.org": zone})
    query = dns.message.make_query("big.example.org", "TXT").to_wire()
    with inside(server.lab.client.name):
        slow = socket.create_connection((server.server.ipv4, 53), timeout=0.5)
    with slow, contextlib.suppress(TimeoutError):
        for _ in range(10000):
            slow.sendall(len(query).to_bytes(2, "big") + query)
    for _ in range(20):
        assert ask(server.lab.client, server.server.ipv4, WWW, tcp=True, timeout=0.5).answer


# Reloads


def serial(server):
    answer = ask(server.lab.client, server.server.ipv4, "example.org", "SOA")
    return answer.answer[0][0].serial


def test_no_query_is_lost_during_reloads(world):
    server = world(zones={"example.org": ZONE.format(serial=1, text="x")})
    path = server.lab.folder / "example.org.zone"
    with Stream(server.lab.client, server.server.ipv4, "example.org", "SOA") as stream:
        for number in range(2, 12):
            path.write_text(ZONE.format(serial=number, text="x"))
            server.reload()
    assert stream.asked > 100
    assert stream.lost == 0
    # the control: what was asked did change
    assert len(stream.answers) >= 10
    assert serial(server) == 11


def test_a_bad_zone_keeps_the_old_one_and_says_where(world):
    server = world(zones={"example.org": ZONE.format(serial=1, text="x")})
    path = server.lab.folder / "example.org.zone"
    path.write_text(ZONE.format(serial=2, text="x") + "broken A 10.1.1.300\n")
    checked = server.cluster.roost("check", server.path, check=False)
    assert checked.returncode == 1 and f"{path}:6: error: " in checked.stderr
    server.reload()
    assert server.reloads() == (0, 1)
    assert serial(server) == 1
    assert f"{path}:6: " in server.log()
    assert "not reloaded" in server.log()
    assert f"the last reload failed: {path}:6: " in report(server)
    path.write_text(ZONE.format(serial=3, text="x"))
    assert server.cluster.roost("check", server.path).returncode == 0
    server.reload()
    assert server.reloads() == (1, 1)
    assert serial(server) == 3
    assert "the last reload failed" not in report(server)


def test_a_bad_configuration_keeps_the_old_one(world):
    server = world()
    server.path.write_text("services: [\n")
    server.reload()
    assert server.reloads() == (0, 1)
    assert addresses(ask(server.lab.client, server.server.ipv4, WWW))


def roost_dns(server, *arguments):
    return subprocess.run([find_program("roost"), "dns", *arguments, "-s", server.socket], capture_output=True,
                          text=True, check=False, timeout=20)


def test_who_asks_for_a_reload_hears_how_it_went(world):
    zone = ZONE.format(serial=1, text="x")
    server = world(zones={"example.org": zone})
    path = server.lab.folder / "example.org.zone"
    done = roost_dns(server, "reload")
    assert (done.returncode, done.stdout, done.stderr) == (0, "reloaded\n", "")
    path.write_text(zone + "broken A 10.1.1.300\n")
    done = roost_dns(server, "reload")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"all zones stay as they were: {path}:6: " in done.stderr and done.stderr.count("\n") == 1
    # of many at once each hears of one that began after it had asked
    path.write_text(ZONE.format(serial=2, text="x") + "".join(f'r{i} TXT "{i}"\n' for i in range(20000)))
    many = [subprocess.Popen([find_program("roost"), "dns", "reload", "-s", server.socket]) for _ in range(8)]
    assert [process.wait(20) for process in many] == [0] * 8
    assert serial(server) == 2
    succeeded, failed = server.reloads()
    assert failed == 1 and 2 <= succeeded <= 9


def test_systemd_is_told_what_is_served_and_since_when(world, stack):
    """The clocks differ as on a machine that has slept."""
    server = world(zones={"example.org": ZONE.format(serial=1, text="x")}, start=False)
    path = server.lab.folder / "example.org.zone"
    manager = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    manager.bind(str(server.lab.folder / "notify"))
    manager.settimeout(5)
    server.prefix = ["env", f"NOTIFY_SOCKET={server.lab.folder / 'notify'}",
                     "unshare", "--time", "--boottime", "100000", "--fork", "--kill-child"]
    server.start()

    def hear():
        return dict(line.split("=", 1) for line in manager.recv(4096).decode().splitlines())

    served = r"zones of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC are served"
    first = hear()
    assert first["READY"] == "1" and re.fullmatch(served, first["STATUS"])
    path.write_text(ZONE.format(serial=2, text="x") + "broken A 10.1.1.300\n")
    before = time.monotonic()
    assert roost_dns(server, "reload").returncode == 1
    reloading, failed = hear(), hear()
    assert reloading["RELOADING"] == "1"
    assert before <= int(reloading["MONOTONIC_USEC"]) / 1e6 <= time.monotonic()
    assert failed["READY"] == "1"
    assert re.fullmatch(f"{served}; the last reload failed: {path}:6: .*", failed["STATUS"])
    assert failed["STATUS"].startswith(first["STATUS"])
    path.write_text(ZONE.format(serial=3, text="x"))
    assert roost_dns(server, "reload").returncode == 0
    assert "RELOADING" in hear()
    assert re.fullmatch(served, hear()["STATUS"])


def test_a_reload_brings_names_and_takes_them(world):
    server = world({"www": V4[:1]})
    assert "ready: 1 zone, " in server.log()
    server.cluster.config["services"] = {"ftp": V4[1:2]}
    server.cluster.write()
    server.reload()
    assert ask(server.lab.client, server.server.ipv4, WWW).rcode() == dns.rcode.NXDOMAIN
    assert addresses(ask(server.lab.client, server.server.ipv4, "ftp.example.com")) == [V4[1]]
    assert "reloaded: 1 zone\n" in server.log()


def test_a_reload_changes_what_answers_say_of_the_server(world):
    server = world(nsid="one")

    def says():
        options = [dns.edns.GenericOption(dns.edns.OptionType.NSID, b""),
                   dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"12345678")]
        answer = ask(server.lab.client, server.server.ipv4, WWW, use_edns=0, options=options)
        assert addresses(answer)
        given = {option.otype: option.to_wire() for option in answer.options}
        return given.get(dns.edns.OptionType.NSID), len(given.get(dns.edns.OptionType.COOKIE, b""))

    def reload(**changes):
        server.cluster.config["dns"].update(changes)
        server.cluster.write()
        server.reload()

    assert says() == (b"one", 24)
    reload(nsid="two", cookies=False)
    assert says() == (b"two", 0)
    secret = server.lab.folder / "cookie-secret"
    secret.write_text("000102030405060708090a0b0c0d0e0f\n")
    secret.chmod(0o600)
    reload(nsid="", cookies=True, **{"cookie-secret-file": str(secret)})
    assert says() == (b"www1", 24)  # its own name


def test_memory_of_a_zone_that_is_gone_is_given_back(world):
    def zone(serial, n):
        return ZONE.format(serial=serial, text="x") + "".join(f"r{i} A 10.1.1.50\n" for i in range(n))

    def resident_kib():
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    server = world(zones={"example.org": zone(1, 0)})
    before = resident_kib()
    (server.lab.folder / "example.org.zone").write_text(zone(2, 200000))
    server.reload()
    assert resident_kib() > before + 30000
    (server.lab.folder / "example.org.zone").write_text(zone(3, 0))
    server.reload()
    eventually(lambda: resident_kib() < before + 10000, message=lambda: f"{before} KiB became {resident_kib()}")


def test_a_reload_moves_to_other_addresses_without_a_loss(world):
    server = world()
    here = server.server.ipv4
    with Stream(server.lab.client, here, WWW) as stream, Connections(server.lab.client, here, WWW) as connections:
        for listen in ([here], ["0.0.0.0", "::"], [here, "10.1.1.99"], ["0.0.0.0", here]):
            server.cluster.config["dns"]["listen"] = listen
            server.cluster.write()
            server.reload()
            assert all(e["tcp"] and e["udp"] for e in server.status()["listen"])
            before = connections.asked
            eventually(lambda: connections.asked > before + 20)
    assert stream.lost == 0 and stream.asked > 100
    assert connections.lost <= 1  # a handshake that was under way when a socket was closed
    assert "cannot listen" not in server.log()


# Beside roostd


def test_it_knows_from_roostd_that_all_is_held(world):
    server = world({"www": V4[:3]}, servers=2)
    assert server.status()["roostd"]["answers"] is False
    assert "roostd does not answer" in report(server)
    server.cluster.start()
    server.cluster.settle()
    eventually(lambda: server.status()["roostd"]["answers"])
    assert server.status()["roostd"]["left_out"] == []
    server.lab.power_off(server.lab.servers[1])
    assert stays(lambda: len(addresses(ask(server.lab.client, server.server.ipv4, WWW))) == 3, during=2)


def test_a_vip_that_nobody_holds_is_left_out_until_somebody_does(world):
    server = world(start=False)
    roostd = FakeRoostd(server.cluster.socket(server.server))
    roostd.knows(V4[0], unheld=V4[1:2])
    server.start()

    def given():
        return sorted(addresses(ask(server.lab.client, server.server.ipv4, WWW)))

    assert given() == V4[:2]
    eventually(lambda: given() == V4[:1], within=6)
    assert server.status()["roostd"]["left_out"] == [V4[1]]
    assert f"left out: {V4[1]}" in report(server)
    roostd.knows(*V4[:2])
    eventually(lambda: given() == V4[:2], within=3)


def test_a_roostd_that_refuses_is_told_once_with_its_reason(world):
    server = world(start=False)
    roostd = FakeRoostd(server.cluster.socket(server.server))
    reason = "only root and the group ops may ask"
    roostd.says = {"error": reason}
    server.start()
    eventually(lambda: server.status()["roostd"]["refusal"] == reason)
    assert f"roostd refuses to answer, {reason}: every VIP is given" in report(server)
    time.sleep(2.5)  # it has asked again
    told = f"roostd refuses to tell who holds which address: {reason}"
    assert server.log().count(told) == 1
    roostd.knows(*V4[:2])
    eventually(lambda: server.status()["roostd"]["answers"])
    assert server.status()["roostd"]["refusal"] is None


def test_a_vip_that_nobody_holds_is_left_out_by_each_responder_that_heard_so(world):
    first = world({"www": V4[:3]}, servers=3, start=False)
    cluster, lab = first.cluster, first.lab
    responders = [first, *(NameServer(s, cluster.path, cluster.socket(s)) for s in lab.servers[1:])]
    roostds = [FakeRoostd(cluster.socket(s)) for s in lab.servers]

    def knows(roostd, *unheld):
        roostd.knows(*(vip for vip in V4[:3] if vip not in unheld), unheld=unheld)

    def given():
        return [sorted(addresses(ask(lab.client, r.server.ipv4, WWW))) for r in responders]

    for roostd, responder in zip(roostds, responders):
        knows(roostd)
        responder.start()
    assert given() == [V4[:3]] * 3
    rest = [V4[0], V4[2]]
    for roostd in roostds:
        knows(roostd, V4[1])
    eventually(lambda: given() == [rest] * 3, within=6)
    assert stays(lambda: given() == [rest] * 3, during=2)
    knows(roostds[0])
    eventually(lambda: given() == [V4[:3], rest, rest], within=3)
    for roostd in roostds:
        knows(roostd, V4[0])
    eventually(lambda: given() == [V4[1:3]] * 3, within=6)


def test_a_vip_that_nobody_floats_yet_is_left_out_by_all_responders_alike(world):
    """The file has one more, and each roostd takes it up when it is restarted."""
    first = world({"www": V4[:2]}, servers=3, start=False)
    cluster, lab = first.cluster, first.lab
    cluster.start()
    cluster.settle()
    responders = [first, *(NameServer(s, cluster.path, cluster.socket(s)) for s in lab.servers[1:])]
    for responder in responders:
        responder.start()

    def given():
        return [sorted(addresses(ask(lab.client, r.server.ipv4, WWW))) for r in responders]

    eventually(lambda: all(r.status()["roostd"]["answers"] for r in responders))
    cluster.config["services"]["www"] = V4[:3]
    cluster.write()
    for responder in responders:
        responder.reload()
    assert given() == [V4[:2]] * 3
    assert stays(lambda: given() == [V4[:2]] * 3, during=4)
    for responder in responders:
        roostd = responder.status()["roostd"]
        assert (roostd["left_out"], roostd["unknown"]) == (V4[2:3], V4[2:3])
        assert f"unknown to roostd are left out until it is restarted: {V4[2]}\n" in report(responder)
        assert "does not know 1 of the VIPs" in responder.log()
    for n, server in enumerate(lab.servers, 1):
        cluster.stop(server)
        cluster.start(server)
        expected = [V4[:3]] * n + [V4[:2]] * (3 - n)
        eventually(lambda: given() == expected, within=10, message=lambda: f"{given()} is not {expected}")
    assert "every VIP is held" in report(first)


def test_a_vip_that_roostd_left_to_a_stranger_is_left_out(world):
    """Both programs as they are: it is advertised, and nobody serves it."""
    server = world({"www": V4[:3]}, servers=2, start=False)
    cluster, lab = server.cluster, server.lab
    cluster.config |= {"vrrp": {"interval": "50ms"}, "announce": {"refresh": "1s", "conflict": "yield"}}
    cluster.write()
    cluster.start()
    cluster.settle()
    vip = next(v for v in V4[:3] if cluster.holders()[v] == [server.server])
    rest = [v for v in V4[:3] if v != vip]

    def given():
        return sorted(addresses(ask(lab.client, server.server.ipv4, WWW)))

    server.start()
    eventually(lambda: server.status()["roostd"]["answers"])
    assert given() == V4[:3]
    lab.client.ip(f"address add {vip}/32 dev eth0")
    eventually(lambda: given() == rest, within=10)
    assert cluster.holders()[vip] == []
    told = server.status()["roostd"]
    assert (told["left_out"], told["given_anyway"], told["unknown"]) == ([vip], [], [])
    assert f"VIPs that nobody holds are left out: {vip}\n" in report(server)
    lab.client.ip(f"address del {vip}/32 dev eth0")
    eventually(lambda: given() == V4[:3], within=20)


def test_never_an_empty_set_because_nobody_holds_any(world):
    server = world(start=False)
    roostd = FakeRoostd(server.cluster.socket(server.server))
    roostd.knows(unheld=V4[:2])
    server.start()
    eventually(lambda: server.status()["roostd"]["given_anyway"] == V4[:2], within=6)
    assert server.status()["roostd"]["left_out"] == []
    assert "left out" not in report(server)
    assert f"VIPs that nobody holds are given, for want of others: {V4[0]} {V4[1]}\n" in report(server)
    assert sorted(addresses(ask(server.lab.client, server.server.ipv4, WWW))) == V4[:2]
    assert server.counters()["fail_open"] > 0


def test_a_service_that_roostd_does_not_know_at_all_is_given_at_once(world):
    server = world({"www": V4[:2], "new": V4[2:4]}, start=False)
    roostd = FakeRoostd(server.cluster.socket(server.server))
    roostd.knows(V4[0])
    server.start()
    eventually(lambda: server.status()["roostd"]["answers"])
    told = server.status()["roostd"]
    assert (told["left_out"], told["given_anyway"], told["unknown"]) == (V4[1:2], V4[2:4], V4[1:4])
    assert sorted(addresses(ask(server.lab.client, server.server.ipv4, "new.example.com"))) == V4[2:4]
    assert f"VIPs unknown to roostd are given, for want of others: {V4[2]} {V4[3]}\n" in report(server)
    assert "roostd does not know 1 of the VIPs: left out until it is restarted\n" in server.log()


def test_when_roostd_hangs_the_whole_sets_are_given_again(world):
    server = world(start=False)
    roostd = FakeRoostd(server.cluster.socket(server.server))
    roostd.knows(V4[0], unheld=V4[1:2])
    server.start()
    eventually(lambda: server.status()["roostd"]["left_out"] == [V4[1]], within=6)
    roostd.says = None
    eventually(lambda: server.status()["roostd"]["left_out"] == [], within=8)
    assert sorted(addresses(ask(server.lab.client, server.server.ipv4, WWW))) == V4[:2]
    assert server.status()["roostd"]["answers"] is False


# Starting and ending


def test_it_ends_in_order(world):
    server = world()
    assert server.stop() == 0
    assert not pathlib.Path(server.socket).exists()


def test_a_second_one_is_refused(world):
    server = world()
    other = NameServer(server.server, server.path)
    ended = other.try_to_start()
    assert ended.returncode == 1
    assert "another roost-dns runs" in ended.stderr
    other.options[3] += "2"  # with a control socket of its own it finds the port taken
    ended = other.try_to_start()
    assert ended.returncode == 1
    assert "cannot listen on 0.0.0.0@53: another program listens there\n" in ended.stderr
    assert ended.stderr.endswith("there is no address that it could listen on\n")
    assert addresses(ask(server.lab.client, server.server.ipv4, WWW))


def test_what_is_wrong_at_the_start_ends_it(world):
    server = world(zones={"example.org": "@ IN SOA\n"}, start=False)
    ended = server.try_to_start()
    assert ended.returncode == 1
    assert "example.org.zone:1: " in ended.stderr
    assert "example.org.zone:1: " in server.cluster.roost("check", server.path, check=False).stderr
    server.options += ["-n", "www9"]
    (server.lab.folder / "example.org.zone").write_text(ZONE.format(serial=1, text="x"))
    ended = server.try_to_start()
    assert ended.returncode == 1
    assert ended.stderr.endswith("roost-dns: there is no node www9 in the file\n")


def test_a_port_that_becomes_free_is_taken(world):
    server = world(listen=["10.1.1.11", "10.1.1.99"], start=False)
    server.server.ip("address add 10.1.1.99/24 dev eth0")
    with inside(server.server.name):
        rival = socket.create_server(("10.1.1.99", 53))
    with rival:
        server.start()
        assert [e["tcp"] for e in server.status()["listen"]] == [True, False]
        assert "Address already in use" in report(server)
    eventually(lambda: all(e["tcp"] and e["udp"] for e in server.status()["listen"]), within=8)
    assert ask(server.lab.client, "10.1.1.99", WWW).answer


# The operator's tool


def report(server):
    return subprocess.run([find_program("roost"), "dns", "-s", server.socket], capture_output=True,
                          text=True, check=True, timeout=10).stdout


def test_the_zones_are_shown_in_both_scripts(world):
    server = world({"www": {"names": ["кафе.рф"], "vips": V4[:1]}})
    zone = next(z for z in server.status()["zones"] if z["unicode"] == "кафе.рф")
    assert zone["name"] == "xn--80akn5b.xn--p1ai"
    assert zone["serial"] > 0 and zone["names"] > 0


def test_another_name_server_can_serve_what_roost_zone_prints(world):
    server = world({"www": V4[:2]})
    printed = subprocess.run([find_program("roost"), "zone", "example.com", str(server.path)],
                             capture_output=True, text=True, check=True, timeout=10).stdout
    zone = dns.zone.from_text(printed, origin="example.com.")
    assert sorted(r.address for r in zone.find_rdataset("www", "A")) == V4[:2]
    refused = subprocess.run([find_program("roost"), "zone", "example.net", str(server.path)],
                             capture_output=True, text=True, check=False, timeout=10)
    assert refused.returncode == 1 and "example.net" in refused.stderr


# What it may do


def unit_option(name):
    return re.search(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)[1].split()


def threads(process):
    """What the kernel says of each thread: name, users, capabilities, and whether there is a filter."""
    for path in pathlib.Path(f"/proc/{process.pid}/task").glob("*/status"):
        fields = dict(line.split(":\t", 1) for line in path.read_text().splitlines() if ":\t" in line)
        yield (fields["Name"].strip(), set(fields["Uid"].split()), int(fields["CapPrm"], 16),
               fields["Seccomp"].strip(), fields["NoNewPrivs"].strip())


def test_under_its_unit_it_has_the_port_alone_and_binds_new_addresses(world):
    server = world(listen=["10.1.1.11"], start=False)
    folder = server.lab.folder
    folder.chmod(0o755)
    server.path.chmod(0o644)
    home = folder / "run"
    home.mkdir()
    os.chown(home, USER, USER)
    server.socket = server.options[3] = str(home / "sock")
    server.program = shutil.copy(server.program, folder)  # which that user may reach
    wanted = ",".join(f"+{name[4:].lower()}" for name in unit_option("AmbientCapabilities"))
    server.prefix = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs",
                     "--bounding-set", f"-all,{wanted}", "--inh-caps", f"-all,{wanted}",
                     "--ambient-caps", f"-all,{wanted}"]
    server.start()
    found = list(threads(server.process))
    assert {name for name, *_ in found} == {"roost-dns", "roost-dns-udp", "roost-dns-tcp", "roost-dns-load"}
    for name, users, permitted, filtered, confined in found:
        assert (users, filtered, confined) == ({str(USER)}, "2", "1"), name
        assert permitted == (1 << 10 if name == "roost-dns" else 0), name  # CAP_NET_BIND_SERVICE
    server.server.ip("address add 10.1.1.99/24 dev eth0")
    server.cluster.config["dns"]["listen"].append("10.1.1.99")
    server.cluster.write()
    server.reload()
    assert ask(server.lab.client, "10.1.1.99", WWW).answer
    assert ask(server.lab.client, "10.1.1.99", WWW, tcp=True).answer
    assert server.stop() == 0
    assert "filter" not in server.log()


@pytest.fixture
def unit(tmp_path):
    """The unit with programs that are there."""
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace("/usr/sbin/roost-dns", find_program("roost-dns"))
                    .replace("/usr/bin/roost", find_program("roost")))
    return path


def systemd_analyze(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True,
                          timeout=30, check=False)


def test_systemd_understands_the_unit_and_finds_little_exposed(unit):
    done = systemd_analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stderr) == (0, "")
    assert systemd_analyze("security", "--offline=yes", "--threshold=20", unit).returncode == 0
    # the control
    unit.write_text(re.sub("^SystemCallFilter.*", "", unit.read_text(), flags=re.MULTILINE))
    assert systemd_analyze("security", "--offline=yes", "--threshold=20", unit).returncode != 0
