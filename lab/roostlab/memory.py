# SPDX-License-Identifier: GPL-3.0-or-later
"""A control group whose memory can be exhausted."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path("/sys/fs/cgroup")

# Enters a group and takes memory until the kernel has ended a process of it. The part that it takes as a
# file counts for the group but not for itself: so it is not the first victim, but the second.
HOG = """
import os, sys
open(sys.argv[1], "w").write("0")
os.write(os.memfd_create("taken"), bytes(int(sys.argv[3])))
taken = []
while "oom_kill 0" in open(sys.argv[2]).read():
    taken.append(bytearray(b"x" * 65536))
"""


def exhaust(group, events, limit, victim):
    """Fills a control group until the kernel has ended the victim, which it will choose; returns at once,
    with the program that does it."""
    pathlib.Path(f"/proc/{victim}/oom_score_adj").write_text("1000")
    return subprocess.Popen([sys.executable, "-S", "-c", HOG, str(group / "cgroup.procs"), str(events),
                             str(limit // 3)])


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

    def exhaust(self, victim):
        """Until the victim is gone."""
        self._hog = exhaust(self.path, self._events, self._limit, victim)

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
