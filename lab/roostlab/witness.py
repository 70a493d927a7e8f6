# SPDX-License-Identifier: GPL-3.0-or-later
"""Who answers for a VIP, as the switch sees it: every server is asked for every VIP, whether or not it
should have it, so that one which answers though another does is seen by all means."""

import dataclasses
import subprocess
import time

from .wait import eventually, find_program

DATA, NEIGHBOUR, ADVERT = "data", "neighbour", "advert"
KINDS = [DATA, NEIGHBOUR, ADVERT]
ANSWERS = (DATA, NEIGHBOUR)
BREAK = 0.05  # s without an answer end a span


@dataclasses.dataclass
class Span:
    """A server's answers for a VIP, no two of which are far apart; seconds of CLOCK_MONOTONIC."""

    server: object
    first: float
    last: float
    count: int


class Witness:
    """Asks for all the VIPs in every period until close(); a context manager. The lab has to have been
    made with witness=True: the questions come from a machine that nobody else uses, since the answers
    confuse its neighbour tables.

    A server answers from its first answer of a span to its last one. What a server says of itself
    (announcements) counts as an answer, too.
    """

    def __init__(self, lab, vips, period=0.001):
        self.vips = list(vips)
        self.servers = list(lab.servers)
        self.lost = 0     # frames that nobody looked at: then a zero is worth nothing
        self.stalls = []  # (when, how long) it was late itself
        self._spans = {(vip, kind): [] for vip in self.vips for kind in KINDS}  # by server, unordered
        self._process = lab.witness.spawn(
            find_program("witness"), "-i", str(round(period * 1e6)), f"/run/netns/{lab.switch.name}",
            lab.witness.ipv4, lab.witness.ipv6, *(f"{s.port}={s.mac}" for s in self.servers), *self.vips,
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
        """Learns of all answers to what was asked before this moment, which it returns."""
        until = time.monotonic()
        self._process.popen.stdin.write(b"\n")
        self._process.popen.stdin.flush()
        for line in self._process.popen.stdout:
            word, *numbers = line.split()
            numbers = [int(n) for n in numbers]
            if word == b"end":
                return until
            if word == b"lost":
                self.lost = numbers[0]
            elif word == b"stall":
                self.stalls.append((numbers[0] / 1e9, numbers[1] / 1e9))
            else:
                self._append(*numbers)
        raise RuntimeError(f"the witness ended: {self._process.text()}")

    def _append(self, vip, kind, server, first, last, count):
        server, first, last = self.servers[server], first / 1e9, last / 1e9
        spans = self._spans[self.vips[vip], KINDS[kind]]
        previous = next((s for s in reversed(spans) if s.server is server), None)
        if previous and first < previous.last + BREAK:
            previous.last = max(last, previous.last)
            previous.count += count
        else:
            spans.append(Span(server, first, last, count))

    def spans(self, vip, kinds=ANSWERS, since=0.0, until=float("inf")):
        """What of the spans lies in a window, the earliest first."""
        found = [dataclasses.replace(s, first=max(s.first, since), last=min(s.last, until))
                 for kind in kinds for s in self._spans[vip, kind] if s.last >= since and s.first <= until]
        return sorted(found, key=lambda s: s.first)

    def servers_of(self, vip, since=0.0, until=float("inf"), kinds=ANSWERS):
        """Who began to answer for it, one after the other."""
        order = []
        for span in self.spans(vip, kinds, since, until):
            if span.server not in order[-1:]:
                order.append(span.server)
        return order

    def double(self, vip, since=0.0, until=float("inf"), kinds=ANSWERS, among=None):
        """For how long, in seconds, more than one server answered for it; one of them may be given."""
        spans = self.spans(vip, kinds, since, until)
        edges = sorted({at for s in spans for at in (s.first, s.last)})
        double = 0.0
        for begin, end in zip(edges, edges[1:]):
            servers = {s.server for s in spans if s.first <= begin and s.last >= end}
            if len(servers) > 1 and (among is None or among in servers):
                double += end - begin
        return double

    def worst_double(self, since=0.0, until=float("inf"), kinds=ANSWERS):
        return max(self.double(vip, since, until, kinds) for vip in self.vips)

    def last(self, vip, server, kinds=ANSWERS, until=float("inf")):
        """When the server last answered for it; None: never."""
        return max((s.last for s in self.spans(vip, kinds, 0.0, until) if s.server is server), default=None)

    def wait_for_answers(self, within=10):
        """Until every VIP is answered, for data and for neighbours."""
        def all_answer():
            since = self.update() - 0.1
            return all(self.spans(vip, (kind,), since) for vip in self.vips for kind in ANSWERS)
        eventually(all_answer, within)
