# SPDX-License-Identifier: GPL-3.0-or-later
"""Name servers on the loopback of a network namespace, each at an address of its own: roost-dns, NSD,
Knot, BIND and gdnsd with the same zones; and what a resolver between them and a client is made of."""

import contextlib
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile

from roostlab import eventually, find_program
from roostlab.net import Namespace, add_namespaces, delete_namespaces, inside


class Place:
    """A namespace and a folder; at the end of its with block both are gone, and all that ran there."""

    def __init__(self, name="peers"):
        self.namespace = Namespace(f"{name}-{os.getpid()}")
        self.processes = []

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="roost-peers-"))
        os.chmod(self.folder, 0o755)
        add_namespaces([self.namespace.name])
        # BIND listens at addresses that an interface has, and 127.0.0.0/8 is not enough for that.
        self.namespace.ip("link set lo up", *(f"address add 127.0.0.{i}/32 dev lo" for i in range(11, 20)))
        return self

    def __exit__(self, *_):
        for process in self.processes:
            self.end(process)
        delete_namespaces([self.namespace.name])
        shutil.rmtree(self.folder, ignore_errors=True)

    def inside(self):
        return inside(self.namespace.name)

    def spawn(self, name, *command):
        log = open(self.folder / f"{name}.log", "ab")
        with log:
            process = subprocess.Popen(self.namespace.command(*command), stdout=log, stderr=log,
                                       stdin=subprocess.DEVNULL, cwd=self.folder)
        self.processes.append(process)
        return process

    @staticmethod
    def end(process):
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        if process.poll() is None:
            process.kill()
            process.wait()

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")


class Server:
    """One name server. zones: {origin: path of a master file}."""

    more = ()  # addresses beside the one that it is asked at here

    def __init__(self, place, zones):
        self.place, self.zones = place, zones
        self.folder = place.folder / self.name
        self.folder.mkdir(exist_ok=True)

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def listening(self):
        return [self.address, *self.more]

    def origins(self):
        """The zones that it must know."""
        return list(self.zones)

    def start(self, within=20):
        self.process = self.place.spawn(self.name, *self.command())
        eventually(self.answers, within, message=lambda: f"{self.name}: {self.place.log(self.name)[-2000:]}")
        return self

    def stop(self):
        self.place.end(self.process)

    def answers(self):
        """Whether it gives the SOA of each zone."""
        for origin in self.origins():
            out = self.place.namespace.run("dig", f"@{self.address}", "+tries=1", "+time=1",
                                           "+noall", "+answer", origin, "SOA", check=False).stdout
            if "SOA" not in out:
                return False
        return True


class RoostDns(Server):
    name, address = "roost", "127.0.0.11"
    services = "services:\n  idle: [10.1.1.201]\n"
    options = ""  # of the section dns:, a line each

    node = "one"

    def configuration(self):
        """The path of its roost.yaml."""
        zones = "".join(f"    {origin}: {path}\n" for origin, path in self.zones.items())
        return self.file("roost.yaml", f"interface: lo\nnodes:\n  {self.node}: 10.1.1.2\n" + self.services +
                         f"dns:\n  listen: [{self.address}]\n  threads: 1\n  rate: 0\n" + self.options +
                         ("  zones:\n" + zones if zones else ""))

    def command(self):
        return [find_program("roost-dns"), "-n", self.node, "-c", self.configuration(),
                "-s", str(self.folder / "dns.socket"), "-r", str(self.folder / "nobody")]


class Nsd(Server):
    name, address = "NSD", "127.0.0.12"

    def command(self):
        zones = "".join(f"zone:\n  name: {origin}\n  zonefile: {path}\n" for origin, path in self.zones.items())
        addresses = "\n".join(f"  ip-address: {address}" for address in self.listening())
        return ["/usr/sbin/nsd", "-d", "-c", self.file("nsd.conf", f"""server:
{addresses}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{self.folder}"
  pidfile: "{self.folder}/pid"
  xfrdfile: "{self.folder}/xfrd.state"
  zonelistfile: "{self.folder}/zone.list"
  xfrdir: "{self.folder}"
  rrl-ratelimit: 0
  round-robin: yes
  minimal-responses: yes
remote-control:
  control-enable: no
{zones}""")]


class Knot(Server):
    name, address = "Knot", "127.0.0.13"

    def command(self):
        zones = "".join(f"  - domain: {origin}\n    file: {path}\n" for origin, path in self.zones.items())
        return ["/usr/sbin/knotd", "-c", self.file("knot.conf", f"""server:
    listen: [{", ".join(f"{address}@53" for address in self.listening())}]
    rundir: {self.folder}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    answer-rotation: on
database:
    storage: {self.folder}
template:
  - id: default
    zonefile-load: whole
    zonefile-sync: -1
    journal-content: none
    semantic-checks: soft
zone:
{zones}""")]


class Bind(Server):
    name, address = "BIND", "127.0.0.14"
    options = ""

    def command(self):
        zones = "".join(f'zone "{origin}" {{ type primary; file "{path}"; }};\n'
                        for origin, path in self.zones.items())
        return ["/usr/sbin/named", "-g", "-n", "1", "-c", self.file("named.conf", f"""options {{
	directory "{self.folder}"; pid-file none; session-keyfile none;
	listen-on {{ {self.address}; }}; listen-on-v6 {{ none; }};
	recursion no; minimal-responses no; notify no; check-integrity no; check-names primary ignore;
	check-mx ignore; check-mx-cname ignore; check-srv-cname ignore; empty-zones-enable no;
	dnssec-validation no; max-udp-size 1232; zero-no-soa-ttl no;
	{self.options}
}};
controls {{ }};
{zones}""")]


class Gdnsd(Server):
    name, address = "gdnsd", "127.0.0.15"

    def command(self):
        (self.folder / "zones").mkdir(exist_ok=True)
        for origin, path in self.zones.items():
            shutil.copy(path, self.folder / "zones" / origin)
        self.file("config", f"""options => {{
	listen => {self.address}, udp_threads => 1, tcp_threads => 1,
	run_dir => {self.folder}/run, state_dir => {self.folder}/state
}}
""")
        for folder in ("run", "state"):
            (self.folder / folder).mkdir(exist_ok=True)
        return ["/usr/sbin/gdnsd", "-c", str(self.folder), "start"]


class Resolver(Server):
    """A cache, which asks the server at zones' value about the zone."""


class Unbound(Resolver):
    name, address = "unbound", "127.0.0.16"

    def command(self):
        stubs = "".join(f"stub-zone:\n  name: {origin}\n  stub-addr: {address}\n"
                        for origin, address in self.zones.items())
        return ["/usr/sbin/unbound", "-d", "-c", self.file("unbound.conf", f"""server:
  interface: {self.address}
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  module-config: iterator
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: "{self.folder}/pid"
  use-syslog: no
remote-control:
  control-enable: no
{stubs}""")]


class Dnsmasq(Resolver):
    name, address = "dnsmasq", "127.0.0.17"

    def command(self):
        return ["/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--pid-file=",
                f"--listen-address={self.address}", "--bind-interfaces", "--no-resolv", "--no-hosts",
                "--log-facility=-", *(f"--server=/{origin}/{address}" for origin, address in self.zones.items())]


class Client:
    """Asks one server over UDP, and over one TCP connection. Messages are bytes."""

    def __init__(self, place, address):
        with place.inside():
            self.udp = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
            self.tcp = None
        self.place, self.address = place, address
        self.udp.connect((address, 53))
        self.udp.settimeout(5)

    def ask(self, wire, over_tcp):
        return self.ask_tcp(wire) if over_tcp else self.ask_udp(wire)

    def ask_udp(self, wire):
        self.udp.send(wire)
        return self.udp.recv(65535)

    def ask_tcp(self, wire):
        if not self.tcp:
            with self.place.inside():
                self.tcp = socket.create_connection((self.address, 53), 5)
            self.file = self.tcp.makefile("rb")
        self.tcp.sendall(struct.pack(">H", len(wire)) + wire)
        size = self.file.read(2)
        if len(size) < 2:  # after so many questions some end the connection
            self.close_tcp()
            return self.ask_tcp(wire)
        return self.file.read(struct.unpack(">H", size)[0])

    def close_tcp(self):
        self.file.close()
        self.tcp.close()
        self.tcp = None

    def close(self):
        self.udp.close()
        if self.tcp:
            self.close_tcp()
