# SPDX-License-Identifier: GPL-3.0-or-later
"""What lets the daemon and its guardian go on where others have to wait: real time, and memory that is locked."""

import os
import re
import subprocess

import pytest

from conftest import V4
from roostlab import thread_of

REALTIME = (os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, 50)
ORDINARY = (os.SCHED_OTHER, 0)


@pytest.fixture
def pair(start):
    """The process ids of a guardian and its daemon."""
    cluster = start(V4[:1], servers=1)
    server = cluster.lab.servers[0]
    return cluster.running[server].pid, cluster.daemon_pid(server)


def scheduling(tid):
    return os.sched_getscheduler(tid), os.sched_getparam(tid).sched_priority


def test_the_guardian_and_the_fast_thread_run_in_real_time_and_nobody_else(pair):
    guardian, daemon = pair
    if subprocess.run(["chrt", "--fifo", "50", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody run in real time")
    assert scheduling(guardian) == REALTIME
    assert scheduling(thread_of(daemon, "roostd-fast")) == REALTIME
    assert scheduling(daemon) == ORDINARY
    assert os.getpriority(os.PRIO_PROCESS, daemon) == -20


def mappings(pid):
    """What is mapped into a process, as proc_pid_smaps(5) has it, but for what is the kernel's."""
    found = []
    with open(f"/proc/{pid}/smaps", encoding="ascii") as file:
        for line in file:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                found.append({"name": line.strip()})
            else:
                key, _, value = line.partition(":")
                found[-1][key] = value.split()
    return [m for m in found if not re.search(r" \[v\w+\]$|:bpf-map$", m["name"])]


def kilobytes(found, key):
    return sum(int(m[key][0]) for m in found if "rd" in m["VmFlags"])


def test_their_memory_is_locked_when_it_is_first_touched(pair):
    """Also what is mapped later, such as the fast thread's stack; and no more than what is touched."""
    for pid in pair:
        found = mappings(pid)
        assert [m["name"] for m in found if "lo" not in m["VmFlags"]] == []
        assert 0 < kilobytes(found, "Locked") < kilobytes(found, "Size") / 2


def test_control_an_ordinary_process_has_neither():
    own = os.getpid()
    assert scheduling(own) == ORDINARY
    assert not any("lo" in m["VmFlags"] for m in mappings(own))
