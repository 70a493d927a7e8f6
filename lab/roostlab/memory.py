# SPDX-License-Identifier: GPL-3.0-or-later
"""A control group whose memory can be exhausted."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path("/sys/fs/cgroup")

# Enters a group and takes memory until a process is gone. It takes it as a file, which counts for the
# group but not for itself, or the kernel would find no better victim.
HOG = """
import os, sys
open(sys.argv[1], "w").write("0")
taken = os.memfd_create("taken")
try:
    while open(f"/proc/{sys.argv[2]}/stat").read().rsplit(")", 1)[1].split()[0] not in "ZX":
        os.write(taken, bytes(65536))
except OSError:
    pass
"""


class MemoryGroup:
    """A cgroup of either version with a limit on memory; a context manager."""

    def __init__(self, name, limit):
        self._is_v1 = (ROOT / "memory").is_dir()
        self.path = (ROOT / "memory" if self._is_v1 else ROOT) / name
        if not self._is_v1:
            (ROOT / "cgroup.subtree_control").write_text("+memory")
        self.path.mkdir()
        (self.path / ("memory.limit_in_bytes" if self._is_v1 else "memory.max")).write_text(str(limit))
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
        """Fills it until the kernel has ended the victim, which it will choose; returns at once."""
        pathlib.Path(f"/proc/{victim}/oom_score_adj").write_text("1000")
        self._hog = subprocess.Popen([sys.executable, "-S", "-c", HOG, str(self.path / "cgroup.procs"),
                                      str(victim)])

    def kills(self):
        """How many processes the kernel has ended here."""
        name = "memory.oom_control" if self._is_v1 else "memory.events"
        counts = dict(line.split() for line in (self.path / name).read_text().splitlines())
        return int(counts["oom_kill"])

    def close(self):
        """Those that still live go on in the root."""
        if self._hog:
            self._hog.kill()
            self._hog.wait()
        for pid in (self.path / "cgroup.procs").read_text().split():
            (self.path.parent / "cgroup.procs").write_text(pid)
        self.path.rmdir()
