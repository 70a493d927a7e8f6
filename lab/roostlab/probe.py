# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client sees: every VIP is asked at a fixed rate, and each question is accounted for."""

import dataclasses
import subprocess
import time

from .wait import find_program


@dataclasses.dataclass
class Run:
    """Consecutive questions with the same outcome; times in seconds, server 0 means no answer."""

    server: int
    first: float
    last: float
    count: int


@dataclasses.dataclass
class Outage:
    """What happened to one VIP within a window of time."""

    vip: str
    lost: int            # questions never answered
    longest: float       # ms from the last answered question to the next answered one; 0: none lost
    servers: list        # numbers of the servers that answered, in order


class Probe:
    """Asks every VIP once in every period, from a host, until close(); a context manager."""

    def __init__(self, host, vips, period=0.001):
        self.vips = list(vips)
        self.period = period
        self.runs = [[] for _ in self.vips]
        self.stalls = []  # (when, how long): the measuring machine itself stood still
        self._process = host.spawn(find_program("probe"), "-i", str(round(period * 1e6)), *self.vips,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._process.kill()
        self._process.popen.stdin.close()
        self._process.popen.stdout.close()

    def update(self):
        """Learns the fate of every question sent before this moment; takes a quarter of a second."""
        until = time.monotonic()
        self._process.popen.stdin.write(b"\n")
        self._process.popen.stdin.flush()
        for line in self._process.popen.stdout:
            kind, *numbers = line.split()
            numbers = [int(n) for n in numbers]
            if kind == b"end":
                return until
            if kind == b"stall":
                self.stalls.append((numbers[0] / 1e9, numbers[1] / 1e9))
            else:
                self._append(*numbers)
        raise RuntimeError(f"the probe ended: {self._process.text()}")

    def outages(self, since, until=None):
        """One Outage for each VIP, for questions sent from since until now (or until)."""
        now = self.update()
        return [self._outage(index, since, until or now) for index in range(len(self.vips))]

    def answering(self):
        """The number of the server that answered each VIP last, 0 if the last was lost: {vip: number}."""
        self.update()
        return {vip: runs[-1].server if runs else 0 for vip, runs in zip(self.vips, self.runs)}

    def stalled(self, since, until):
        """The longest time, in ms, that the prober itself was late in the window."""
        return max([1000 * length for at, length in self.stalls if since <= at < until], default=0.0)

    def _append(self, target, server, first, last, count):
        runs = self.runs[target]
        if runs and runs[-1].server == server:
            runs[-1].last = last / 1e9
            runs[-1].count += count
        else:
            runs.append(Run(server, first / 1e9, last / 1e9, count))

    def _outage(self, index, since, until):
        lost, longest, servers, answered = 0, 0.0, [], None
        failing_since = None
        for run in self.runs[index]:
            if run.last < since or run.first > until:
                if run.server and run.first <= until:
                    answered = run.last
                continue
            if run.server:
                if failing_since is not None:
                    longest = max(longest, run.first - failing_since)
                    failing_since = None
                answered = min(run.last, until)
                if run.server not in servers[-1:]:
                    servers.append(run.server)
                continue
            lost += run.count
            if failing_since is None:
                failing_since = run.first if answered is None else answered
        if failing_since is not None:  # it did not end within the window
            longest = max(longest, until - failing_since)
        return Outage(self.vips[index], lost, 1000 * longest, servers)
