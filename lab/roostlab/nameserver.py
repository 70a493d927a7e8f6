# SPDX-License-Identifier: GPL-3.0-or-later
"""roost-dns on a server of the lab, and questions to it from a client."""

import json
import os
import signal

from . import net
from .wait import eventually, find_program

TIMEOUT_S = 2.0


class NameServer:
    """roost-dns on one server, with a configuration file that it may share with roostd."""

    def __init__(self, server, path, roostd="/nowhere", options=(), prefix=()):
        """prefix: what comes before the program on the command line, such as setpriv."""
        self.server = server
        self.path = path
        self.socket = str(server.lab.folder / f"{server.short}-dns.sock")
        self.program = find_program("roost-dns")
        self.options = ["-c", str(path), "-s", self.socket, "-r", str(roostd), *options]
        self.prefix = list(prefix)
        self.process = None

    def command(self):
        return [*self.prefix, self.program, *self.options]

    def start(self):
        """Returns when it is ready."""
        self.process = self.server.spawn(*self.command(), name="roost-dns")
        eventually(lambda: not self.process.is_running() or self.status() is not None)
        assert self.process.is_running(), self.process.text()
        eventually(lambda: "ready:" in self.process.text())
        return self

    def try_to_start(self):
        """For one that should not: how it ended."""
        return self.server.run(*self.command(), check=False, timeout=10)

    def stop(self):
        """By SIGTERM; its exit status."""
        os.kill(self.process.pid, signal.SIGTERM)
        return self.process.wait()

    def hangup(self):
        os.kill(self.process.pid, signal.SIGHUP)

    def reload(self):
        """Returns when the zones were read anew, with success or without."""
        before = self.reloads()
        self.hangup()
        eventually(lambda: self.reloads() != before)

    def reloads(self):
        read = self.status()["zones_read"]
        return read["reloads"], read["failed"]

    def status(self):
        """What it says of itself; None while it does not answer."""
        done = net.run([find_program("roost"), "dns", "--json", "-s", self.socket], check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def counters(self):
        return self.status()["counters"]

    def log(self):
        return self.process.text()


def ask(client, address, name, rdtype="A", tcp=False, port=53, timeout=TIMEOUT_S, **options):
    """The answer of the server at an address, as dnspython has it. It must come from that address."""
    import dns.message
    import dns.query

    question = dns.message.make_query(name, rdtype, **options)
    with net.inside(client.name):
        send = dns.query.tcp if tcp else dns.query.udp
        return send(question, address, port=port, timeout=timeout)


def addresses(message):
    """The addresses in an answer, in its order."""
    return [item.address for rrset in message.answer for item in rrset if hasattr(item, "address")]
