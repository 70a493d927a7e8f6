# SPDX-License-Identifier: GPL-3.0-or-later
"""One thread of the daemon stands still, at the worst of moments, while everything else goes on."""

import os
import signal
import time

from conftest import V4
from roostlab import Capture, Tracee, eventually, thread_of

INTERVAL = 0.5
LEASE = 2.9 * INTERVAL
HANG_LIMIT = 10  # s, that the fast thread bears with the slow one


def test_a_lease_is_renewed_after_the_advertisement_has_left_and_counts_from_before(start, stack):
    cluster = start(V4[:1], servers=1, interval=f"{INTERVAL * 1000:g}ms")
    server = cluster.lab.servers[0]
    fast = stack.enter_context(Tracee(thread_of(cluster.daemon_pid(server), "roostd-fast")))
    fast.stop()
    # a whole turn, which an advertisement is sent in
    fast.run_to_call("ppoll")
    before = max(server.leases())
    fast.run_to_call("sendmmsg")
    assert max(server.leases()) == before, "renewed by what is not sent yet"
    fast.run_to_return()
    assert max(server.leases()) == before
    fast.run_to_call("ppoll")
    assert max(server.leases()) > before > 0
    # another one, in which it sleeps over its lease
    fast.run_to_call("sendmmsg")
    until = boottime() + LEASE
    eventually(lambda: boottime() > until)
    fast.run_to_call("ppoll")
    assert before < max(server.leases()) < until, "counted from when it was stored"
    fast.close()
    eventually(lambda: max(server.leases()) > boottime(), within=10)


def test_a_daemon_whose_slow_thread_hangs_ends_itself(start, stack):
    """It is patient at first; then it does not go on with half of itself."""
    cluster = start(V4[:2], servers=2)
    server = cluster.lab.servers[0]
    capture = stack.enter_context(Capture(cluster.lab.client))
    slow = stack.enter_context(Tracee(cluster.daemon_pid(server)))
    slow.stop()
    since, wall = time.monotonic(), time.time()
    eventually(slow.is_gone, within=3 * HANG_LIMIT)
    assert HANG_LIMIT - 2 < time.monotonic() - since
    assert max(p.at for p in adverts(capture, server) if p.priority) > wall + HANG_LIMIT - 2
    eventually(lambda: "the daemon was killed by SIGABRT" in cluster.log(server))
    assert "HANG_LIMIT" in cluster.log(server)
    cluster.settle()


def test_it_is_noticed_when_turns_are_as_rare_as_they_can_be(start, stack):
    """One server: nothing wakes the fast thread but its own heartbeat, each second."""
    cluster = start(V4[:1], servers=1, interval="1s")
    server = cluster.lab.servers[0]
    slow = stack.enter_context(Tracee(cluster.daemon_pid(server)))
    slow.stop()
    since = time.monotonic()
    eventually(slow.is_gone, within=2 * HANG_LIMIT)
    assert HANG_LIMIT - 2 < time.monotonic() - since
    eventually(lambda: "HANG_LIMIT" in cluster.log(server))


def test_a_dying_daemon_says_nothing_after_its_last_words(start, stack):
    """Its slow thread has met a fault and takes long to die of it. The fast one, which lives on meanwhile, must
    neither advertise nor renew a lease any more: the guardian has done the contrary for it."""
    interval = 0.1
    cluster = start(V4, servers=2, interval=f"{interval * 1000:g}ms")
    server, other = cluster.lab.servers
    capture = stack.enter_context(Capture(cluster.lab.client))
    daemon = cluster.daemon_pid(server)
    fast = thread_of(daemon, "roostd-fast")
    slow = stack.enter_context(Tracee(daemon))
    eventually(lambda: adverts(capture, server) and max(server.leases()) > boottime())
    os.kill(daemon, signal.SIGSEGV)
    slow.run_to_signal(signal.SIGSEGV)
    slow.resume(signal.SIGSEGV)
    slow.run_to_signal(signal.SIGSEGV)  # its handler has raised it again, for the default action
    cluster.settle([other])
    told = max(p.at for p in adverts(capture, server) if p.priority == 0)
    # a turn may have been under way
    quiet = told + interval
    eventually(lambda: time.time() > quiet + 10 * interval)
    assert os.path.exists(f"/proc/{daemon}/task/{fast}"), "there was nobody to say anything"
    assert [p for p in adverts(capture, server) if p.at > quiet] == []
    assert set(server.leases()) == {0}
    assert [p for p in adverts(capture, other) if p.at > quiet], "the capture sees none"
    slow.release(signal.SIGSEGV)
    eventually(lambda: "the daemon was killed by SIGSEGV" in cluster.log(server))
    cluster.settle()


def boottime():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def adverts(capture, server):
    return [p for p in capture.packets() if p.kind == "vrrp" and p.source_mac == server.mac]
