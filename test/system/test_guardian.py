# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon dies, however it does: its guardian says so for it, clears up, and starts it again.

With an interval of half a second a Backup waits for more than one and a half, so that whoever takes over
within a fraction of that was told to.
"""

import contextlib
import fcntl
import os
import pathlib
import re
import signal
import socket
import time

import pytest

from conftest import V4, V6
from roostlab import Capture, Probe, Roost, eventually
from roostlab.daemons import roost_config
from roostlab.wait import stays

TOLD = 0.3  # seconds, on a busy machine; it is milliseconds otherwise


def last_words(capture, server, since=0.0):
    """What a server's guardian has advertised: {VIP: when it was first said}."""
    said = {}
    for packet in capture.packets():
        if packet.kind == "vrrp" and packet.priority == 0 and packet.source_mac == server.mac and packet.at > since:
            for vip in packet.addresses:
                if not vip.startswith("fe80:"):  # the virtual router's own, RFC 9568 5.2.9
                    said.setdefault(vip, packet.at)
    return said


def comm(pid):
    return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()


def parent(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def served(cluster, server):
    return sorted(vip for vip, hosts in cluster.holders().items() if hosts == [server])


def guardian_lines(cluster, server):
    return [line for line in cluster.log(server).splitlines() if "guardian: " in line]


def comm(pid):
    with open(f"/proc/{pid}/comm", encoding="ascii") as file:
        return file.read().strip()


def is_gone(pid):
    return not os.path.exists(f"/proc/{pid}")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT], ids=lambda n: n.name)
def test_a_death_is_told_and_another_serves_at_once(start, stack, number):
    cluster = start(V4 + V6, interval="500ms")
    lab, server = cluster.lab, cluster.lab.servers[0]
    vips = served(cluster, server)
    guardian = cluster.running[server].pid
    assert vips and (comm(guardian), comm(cluster.daemon_pid(server))) == ("roostd-guardian", "roostd")
    capture = stack.enter_context(Capture(lab.client))
    probe = stack.enter_context(Probe(lab.client, cluster.vips))
    eventually(lambda: all(probe.answering().values()))
    since, wall = time.monotonic(), time.time()
    dead = cluster.crash(server, number)
    told = eventually(lambda: sorted(last_words(capture, server, wall)) == vips and last_words(capture, server, wall))
    assert max(told.values()) - wall < TOLD
    eventually(lambda: cluster.daemon_pid(server) not in (dead, guardian))
    assert is_gone(dead) and cluster.running[server].pid == guardian
    cluster.settle()
    for outage in probe.outages(since):
        if outage.vip in vips:
            assert outage.longest / 1000 < TOLD
            assert len({*outage.servers, server.number}) == 2 and outage.servers[-1] == server.number
        else:
            assert outage.lost == 0 and len(outage.servers) == 1
    died, again = guardian_lines(cluster, server)
    assert f"killed by {number.name}" in died and f"removed {len(vips)} addresses" in died
    assert "starting it again in 0 ms" in again


def test_control_without_the_guardian_the_cluster_waits(start, stack):
    cluster = start(V4[:2], servers=2, interval="500ms")
    server, other = cluster.lab.servers
    probe = stack.enter_context(Probe(cluster.lab.client, cluster.vips))
    eventually(lambda: all(probe.answering().values()))
    since = time.monotonic()
    cluster.kill(server)
    eventually(lambda: set(probe.answering().values()) == {other.number}, within=10)
    assert time.monotonic() - since > 1


def test_addresses_are_gone_with_the_daemon_where_nothing_else_fences_them(start):
    def config(lab):
        return roost_config(lab, {"www": V4 + V6}, interval="500ms") | {"fence": "off"}
    cluster = start(V4 + V6, servers=2, config=config)
    server, other = cluster.lab.servers
    vips = served(cluster, server)
    cluster.crash(server)
    eventually(lambda: not set(server.addresses()) & set(vips), within=TOLD, every=0.001)
    eventually(lambda: set(other.addresses()) >= set(vips), within=TOLD)
    cluster.settle()


def test_last_words_are_signed(start, stack):
    """An unsigned one would be ignored, and a repeated sequence refused."""
    def config(lab):
        path = lab.folder / "keys"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(f"1 {bytes(range(32)).hex()}\n")
        return roost_config(lab, {"www": V4 + V6}, interval="500ms") | {"auth": {"mode": "enforce", "keys": str(path)}}
    cluster = start(V4 + V6, config=config)
    lab, server = cluster.lab, cluster.lab.servers[0]
    vips = served(cluster, server)
    others = [s for s in lab.servers if s is not server]
    for _ in range(2):
        cluster.crash(server)
        eventually(lambda: set(vips) <= {v for s in others for v in served(cluster, s)}, within=2 * TOLD)
        cluster.settle()
    for other in others:
        counters = eventually(lambda: cluster.status(other))["counters"]
        refused = {name: counters[name] for name in ("unsigned", "bad_hmac", "replayed", "outside_window")}
        assert not any(refused.values())


def test_unicast_peers_are_told_each(start, stack):
    cluster = start(V4[:3], interval="500ms", peers="unicast")
    lab, server = cluster.lab, cluster.lab.servers[0]
    vips = served(cluster, server)
    captures = [stack.enter_context(Capture(peer)) for peer in lab.servers[1:]]
    cluster.crash(server)
    for capture, peer in zip(captures, lab.servers[1:]):
        eventually(lambda: sorted(last_words(capture, server)) == vips)
        assert {p.ttl for p in capture.packets() if p.kind == "vrrp" and p.destination == peer.ipv4} == {255}
    cluster.settle()


def test_the_daemon_hands_over_when_its_guardian_is_gone(start, stack):
    cluster = start(V4 + V6)
    server = cluster.lab.servers[0]
    daemon = cluster.daemon_pid(server)
    probe = stack.enter_context(Probe(cluster.lab.client, cluster.vips))
    eventually(lambda: all(probe.answering().values()))
    since = time.monotonic()
    os.kill(cluster.running.pop(server).pid, signal.SIGKILL)
    eventually(lambda: is_gone(daemon))
    assert not set(server.addresses()) & set(cluster.vips)
    assert {o.vip: o.lost for o in probe.outages(since) if o.lost} == {}


def test_a_guardian_that_is_stopped_holds_nothing_up(start, stack):
    cluster = start(V4)
    server = cluster.lab.servers[0]
    probe = stack.enter_context(Probe(cluster.lab.client, cluster.vips))
    eventually(lambda: all(probe.answering().values()))
    since = time.monotonic()
    guardian = cluster.running[server].pid
    os.kill(guardian, signal.SIGSTOP)
    assert stays(cluster.is_single, during=1)
    assert {o.vip: o.lost for o in probe.outages(since) if o.lost} == {}
    # what it missed meanwhile it does afterwards
    dead = cluster.crash(server)
    eventually(lambda: not served(cluster, server))
    os.kill(guardian, signal.SIGCONT)
    eventually(lambda: cluster.daemon_pid(server) not in (dead, guardian))
    cluster.settle()


def test_a_stop_is_passed_on_and_asked_once(start, stack):
    """To the whole group, as by a terminal: the daemon hears of it twice."""
    cluster = start(V4)
    server = cluster.lab.servers[0]
    probe = stack.enter_context(Probe(cluster.lab.client, cluster.vips))
    eventually(lambda: all(probe.answering().values()))
    since = time.monotonic()
    os.kill(cluster.running[server].pid, signal.SIGHUP)
    eventually(lambda: "read at start only" in cluster.log(server))
    process = cluster.running.pop(server)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait() == 0
    assert "before everything was handed over" not in cluster.log(server)
    assert not guardian_lines(cluster, server)
    assert {o.vip: o.lost for o in probe.outages(since) if o.lost} == {}


def test_a_daemon_that_goes_on_dying_is_given_time(start):
    cluster = start(V4[:1], servers=1)
    server = cluster.lab.servers[0]
    guardian = cluster.running[server].pid
    for n in range(4):
        eventually(lambda: cluster.daemon_pid(server) != guardian)
        cluster.crash(server)
        eventually(lambda: len(guardian_lines(cluster, server)) == 2 * (n + 1))
    pauses = re.findall(r"starting it again in (\d+) ms", cluster.log(server))
    assert pauses == ["0", "100", "200", "400"]
    # within the last pause
    assert cluster.stop(server) == 0


def test_a_first_life_that_fails_is_the_last(start):
    cluster = start(V4[:1], servers=1)
    server = cluster.lab.servers[0]
    second = server.spawn(*cluster.command(server), name="second")
    assert second.wait(5) == 1
    assert "starting it again" not in second.text()
    assert cluster.is_single()


@contextlib.contextmanager
def keeping_the_next_life_away(cluster, server):
    """Crashes the daemon. Its guardian, which stands still, will find another one that has the lock."""
    def is_locked():
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    with open(f"{cluster.socket(server)}.lock", "rb") as lock:
        os.kill(cluster.running[server].pid, signal.SIGSTOP)
        cluster.crash(server)
        eventually(is_locked)
        yield


def test_a_later_life_that_fails_is_not_the_last(start):
    """What keeps it from starting may pass."""
    cluster = start(V4[:1], servers=1)
    server = cluster.lab.servers[0]
    with keeping_the_next_life_away(cluster, server):
        os.kill(cluster.running[server].pid, signal.SIGCONT)
        eventually(lambda: cluster.log(server).count("another roostd serves") >= 2)
    eventually(cluster.is_single)
    assert cluster.stop(server) == 0


@pytest.mark.parametrize("lost", ["pins", "directory"])
def test_a_daemon_puts_back_pins_that_somebody_removed(start, lost):
    """Without them its guardian could not close the leases. Its filter of system calls lets it."""
    cluster = start(V4[:1], servers=1)
    server = cluster.lab.servers[0]
    daemon = cluster.daemon_pid(server)
    names = {pin.name for pin in server.fence().iterdir()}
    for pin in server.fence().iterdir():
        pin.unlink()
    if lost == "directory":
        server.fence().rmdir()
    eventually(lambda: server.fence().exists() and {pin.name for pin in server.fence().iterdir()} == names, within=10)
    assert cluster.daemon_pid(server) == daemon and "filter" not in cluster.log(server)
    assert max(server.leases()) > 0


def test_a_guardian_outlives_the_reader_of_its_log(new_lab):
    """As of `roostd | head -1`, by who has no systemd, which ignores SIGPIPE for all."""
    lab = new_lab(servers=1)
    cluster = Roost(lab, V4[:1], interval="50ms")
    server = lab.servers[0]
    told = lab.folder / "told"
    line = 'trap - PIPE; exec 3>"$1"; shift; "$@" 2>&1 | head -1 >&3'
    cluster.running[server] = server.spawn("env", "--default-signal=PIPE", "sh", "-c", line, "sh", told,
                                           *cluster.command(server), name="piped")
    cluster.settle()
    eventually(lambda: told.read_text())
    guardian = next(pid for pid in cluster.running[server].family()
                    if "roostd" in comm(pid) and "roostd" not in comm(parent(pid)))
    daemon = next(pid for pid in cluster.running[server].family() if parent(pid) == guardian)
    os.kill(daemon, signal.SIGSEGV)
    eventually(lambda: not os.path.exists(f"/proc/{daemon}"))
    cluster.settle()
    assert "roostd" in comm(guardian)
    os.kill(guardian, signal.SIGTERM)
    eventually(lambda: not os.path.exists(f"/proc/{guardian}"))


def test_the_leases_end_with_the_daemon(start):
    """By its guardian's hand, and neither by themselves nor by the next life's."""
    cluster = start(V4[:1], servers=1, interval="1s")
    server = cluster.lab.servers[0]

    def left(until):
        return until - time.clock_gettime(time.CLOCK_BOOTTIME)
    eventually(lambda: left(max(server.leases())) > 2.5)
    with keeping_the_next_life_away(cluster, server):
        until = max(server.leases())
        assert left(until) > 0, "whoever closed it was not the guardian"
        os.kill(cluster.running[server].pid, signal.SIGCONT)
        eventually(lambda: set(server.leases()) == {0})
        assert left(until) > 0, "it was over anyway"


@contextlib.contextmanager
def systemd(folder):
    """What systemd would be told, line by line."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(folder / "notify"))
        listener.setblocking(False)

        def told():
            lines = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    lines += listener.recv(4096).decode().split("\n")
            return lines
        yield told


def test_a_systemd_that_does_not_read_holds_nobody_up(new_lab, stack):
    lab = new_lab(servers=1)
    server = lab.servers[0]
    told = stack.enter_context(systemd(lab.folder))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler, contextlib.suppress(BlockingIOError):
        filler.setblocking(False)
        while True:
            filler.sendto(b"FULL=1", str(lab.folder / "notify"))
    cluster = Roost(lab, V4[:1], interval="50ms")
    start = cluster.command(server)
    cluster.command = lambda server: ["sh", "-c", 'WATCHDOG_PID=$$ exec "$@"', "-", *start]
    environment = {"NOTIFY_SOCKET": str(lab.folder / "notify"), "WATCHDOG_USEC": "300000"}
    cluster.running[server] = server.spawn(*cluster.command(server), name="roostd", env=os.environ | environment)
    eventually(cluster.is_single)
    cluster.crash(server)
    eventually(lambda: "starting it again" in cluster.log(server))
    eventually(lambda: cluster.is_ready(server) and cluster.is_single())
    assert set(told()) == {"FULL=1"}
    eventually(lambda: "WATCHDOG=1" in told())
    os.kill(cluster.running[server].pid, signal.SIGTERM)
    assert cluster.running[server].wait() == 0


def test_systemd_s_watchdog_is_fed_while_the_daemon_makes_progress(new_lab, stack):
    lab = new_lab(servers=1)
    server = lab.servers[0]
    told = stack.enter_context(systemd(lab.folder))
    cluster = Roost(lab, V4[:1], interval="50ms")
    start = cluster.command(server)
    cluster.command = lambda server: ["sh", "-c", 'WATCHDOG_PID=$$ exec "$@"', "-", *start]
    environment = {"NOTIFY_SOCKET": str(lab.folder / "notify"), "WATCHDOG_USEC": "300000"}
    cluster.running[server] = server.spawn(*cluster.command(server), name="roostd", env=os.environ | environment)
    eventually(lambda: "READY=1" in told())
    for _ in range(3):
        eventually(lambda: "WATCHDOG=1" in told(), within=1)
    cluster.crash(server, signal.SIGSTOP)
    time.sleep(0.3)
    told()
    assert stays(lambda: not told(), during=1)
    cluster.crash(server, signal.SIGCONT)
    eventually(lambda: "WATCHDOG=1" in told())
    cluster.crash(server)
    eventually(lambda: "READY=1" in told())  # which it knows already
    os.kill(cluster.running[server].pid, signal.SIGTERM)
    assert cluster.running[server].wait() == 0
    assert "STOPPING=1" in told()
