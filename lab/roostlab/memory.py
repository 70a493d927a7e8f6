# SPDX-License-Identifier: GPL-3.0-or-later
"""A control group whose memory can be exhausted."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path("/sys/fs/cgroup")

# Enters a group and takes memory until the kernel has ended a process of it: at first as its own, up to so many pages,
# and what is left as a file, which counts for the group but not for itself.
HOG = """
import os, sys
group, events, own = sys.argv[1:]
open(group, "w").write("0")
taken = []
while int(open("/proc/self/statm").read().split()[1]) < int(own):
    taken.append(bytearray(b"x" * 65536))
file = os.memfd_create("taken")
while "oom_kill 0" in open(events).read():
    os.write(file, bytes(65536))
"""

# By so many points roostd's daemon puts itself before its guardian.
MORE_EXPENDABLE = 50

# So many keep who takes the memory from being the first victim by all means.
HANDICAP = 900


def expendable(pid):
    """A process's points, which the kernel counts for a thousandth of the memory each."""
    with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as file:
        return int(file.read())


def resident(pid):
    """The pages that a process has in memory."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1])


def exhaust(group, events, limit):
    """Fills a control group until the kernel has ended a process of it; returns at once, with the program that does it.

    The kernel ends who has most pages and points. Who fills the group has more than the largest of those who are in
    it, by half of what the daemon's points make up for. All of these get the same number of further points, so that
    their own decide. What is still missing without the first victim, the hog has to die for.
    """
    pids = (group / "cgroup.procs").read_text().split()
    for pid in pids:
        pathlib.Path(f"/proc/{pid}/oom_score_adj").write_text(str(expendable(pid) + HANDICAP))
    point = limit // os.sysconf("SC_PAGESIZE") // 1000
    own = max(map(resident, pids)) + (HANDICAP + MORE_EXPENDABLE // 2) * point
    return subprocess.Popen([sys.executable, "-S", "-c", HOG, str(group / "cgroup.procs"), str(events), str(own)])


class MemoryGroup:
    """A cgroup of either version with a limit on memory; a context manager."""

    def __init__(self, name, limit):
        self._limit = limit
        self._is_v1 = (ROOT / "memory").is_dir()
        self.path = (ROOT / "memory" if self._is_v1 else ROOT) / name
        if not self._is_v1:
            (ROOT / "cgroup.subtree_control").write_text("+memory")
        self.path.mkdir()
        (self.path / ("memory.limit_in_bytes" if self._is_v1 else "memory.max")).write_text(str(limit))
        swap = self.path / ("memory.swappiness" if self._is_v1 else "memory.swap.max")
        if swap.exists():
            swap.write_text("0")  # or it would count as memory
        self._events = self.path / ("memory.oom_control" if self._is_v1 else "memory.events")
        self._hog = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def add(self, pids):
        """From now on the memory that these processes take counts here, and that of their children."""
        for pid in pids:
            (self.path / "cgroup.procs").write_text(str(pid))

    def exhaust(self):
        self._hog = exhaust(self.path, self._events, self._limit)

    def kills(self):
        """How many processes the kernel has ended here."""
        counts = dict(line.split() for line in self._events.read_text().splitlines())
        return int(counts["oom_kill"])

    def close(self):
        """Those that still live go on in the root."""
        if self._hog:
            self._hog.kill()
            self._hog.wait()
        for pid in (self.path / "cgroup.procs").read_text().split():
            (self.path.parent / "cgroup.procs").write_text(pid)
        self.path.rmdir()
