# SPDX-License-Identifier: GPL-3.0-or-later
"""A small internet with a root of its own, and two servers with roost-dns, to which zones are delegated.

    core: the root (Knot); what is just below it (NSD); the liar; whoever asks
      │ eth1          │ eth2
    ns1             ns2          roost-dns, with one roost.yaml
    25.0.1.53       25.0.2.53
    3000:1::53      3000:2::53

Nothing leaves the namespaces, so the addresses can be such as the tools take for public ones.
"""

import contextlib
import ipaddress
import pathlib
import socket
import socketserver
import struct
import threading

import dns.message

from peers import Client, Knot, Nsd, Place, RoostDns

MASTER_FILES = {path.stem: path for path in (pathlib.Path(__file__).parent / "zones/internet").glob("*.zone")}
ROOT = ["25.0.0.1", "3000::1"]
TOP = ["25.0.0.2", "3000::2"]
OURS = {"ns1": ["25.0.1.53", "3000:1::53"], "ns2": ["25.0.2.53", "3000:2::53"]}
LIARS = {"ns1": ["25.0.3.53", "3000:3::53"], "ns2": ["25.0.4.53", "3000:4::53"]}

# What is delegated to roost-dns, and the domain that its servers' names are in.
SERVED = {
    "derived.example": "derived.example",
    "магазин.испытание": "магазин.испытание",
    "records.example": "records.example",
    "below.records.example": "records.example",
    "почта.испытание": "derived.example",
    "1.0.25.in-addr.arpa": "derived.example",
}
ROOST_YAML = """
interface: eth0
domain: derived.example
nodes:
  ns1: {addresses: [25.0.1.53, "3000:1::53"]}
  ns2: {addresses: [25.0.2.53, "3000:2::53"]}
services:
  www:
    vips: [25.0.1.2, 25.0.1.3, "3000:1::2", "3000:1::3"]
  one:
    vips: [{address: 25.0.1.4, weight: 3}, 25.0.1.5]
    rotation: weighted
  shop:
    vips: [25.0.1.6, "3000:1::6"]
    names: [магазин.испытание, www.магазин.испытание, "*.магазин.испытание"]
dns:
  zones:
"""


def a_labels(name):
    return name.encode("idna").decode()


def apex(server):
    return f"@ 3600 SOA {server}. hostmaster.records.example. 1 14400 3600 1209600 300\n@ 3600 NS {server}.\n"


def hosts(servers):
    """The address records of servers: {name: addresses}."""
    return "".join(f"{name}. 3600 {'AAAA' if ':' in address else 'A'} {address}\n"
                   for name, addresses in servers.items() for address in addresses)


class Root(Knot):
    name = "root"
    address, *more = ROOT


class Top(Nsd):
    name = "top"
    address, *more = TOP


class Ours(RoostDns):
    """roost-dns on the node ns1 or ns2."""

    def __init__(self, place, name, path, zones):
        self.name = self.node = name
        self.address, *self.more = OURS[name]
        self.path = str(path)
        super().__init__(place, zones)

    def configuration(self):
        return self.path


class Liar:
    """Name servers that ask ours and give other answers.

    faults: {label: function}, of the zone LABEL.example. The function is called with the query, and with a
    function that asks ours, both of bytes, and returns the answer.
    """

    def __init__(self, place, faults):
        self.place, self.faults = place, faults
        self.servers = [self.serve(kind, address, truthful) for name in LIARS
                        for address, truthful in zip(LIARS[name], OURS[name])
                        for kind in (socketserver.ThreadingUDPServer, socketserver.ThreadingTCPServer)]

    def serve(self, kind, address, truthful):
        liar, over_tcp = self, kind is socketserver.ThreadingTCPServer

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with contextlib.closing(Client(liar.place, truthful)) as client:
                    talk = self.handle_stream if over_tcp else self.handle_datagram
                    talk(lambda query: liar.answer(query, lambda q: client.ask(q, over_tcp)))

            def handle_datagram(self, answer):
                query, there = self.request
                there.sendto(answer(query), self.client_address)

            def handle_stream(self, answer):
                with self.request.makefile("rb") as file:
                    while size := file.read(2):
                        reply = answer(file.read(struct.unpack(">H", size)[0]))
                        self.request.sendall(struct.pack(">H", len(reply)) + reply)

        class Server(kind):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
            daemon_threads = True

        with self.place.inside():
            server = Server((address, 53), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def answer(self, query, ask):
        name = "." + dns.message.from_wire(query).question[0].name.to_text().lower()
        fault = next((fault for label, fault in self.faults.items() if name.endswith(f".{label}.example.")), None)
        return fault(query, ask) if fault else ask(query)

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


class Internet:
    """All of it, as a context manager. faults: the liar's; lame.example is delegated to ours, who know nothing
    of it."""

    def __init__(self, faults):
        self.faults = faults
        self.core = Place("internet-core")
        self.nodes = {name: Place(f"internet-{name}") for name in OURS}
        self.zones = {}  # just below the root: the text of their master files

    def __enter__(self):
        with contextlib.ExitStack() as entered:
            for place in (self.core, *self.nodes.values()):
                entered.enter_context(place)
            self.wire()
            self.fill()
            self.start(entered)
            self.exit = entered.pop_all()
        return self

    def __exit__(self, *_):
        self.exit.close()

    def wire(self):
        core = self.core.namespace
        core.ip(*(f"address add {address} dev lo" for address in [*ROOT, *TOP, *sum(LIARS.values(), [])]))
        for i, (name, place) in enumerate(self.nodes.items(), 1):
            core.ip(f"link add eth{i} type veth peer name eth0 netns {place.namespace.name}",
                    f"address add 25.0.{i}.1/24 dev eth{i}", f"address add 3000:{i}::1/64 dev eth{i} nodad",
                    f"link set eth{i} up")
            ipv4, ipv6 = OURS[name]
            place.namespace.ip(f"address add {ipv4}/24 dev eth0", f"address add {ipv6}/64 dev eth0 nodad",
                               "link set eth0 up")

    def fill(self):
        """Everything but what ours serve."""
        for zone in ("example", "испытание", "arpa", "asnlookup.zonemaster.net"):
            self.zones[a_labels(zone)] = apex("ns.top.example")
        self.zones["example"] += hosts({"ns.top.example": TOP})
        self.delegate("lame.example", "derived.example", OURS)
        for zone, domain in SERVED.items():
            if not zone.startswith("below."):  # which records.example does
                self.delegate(zone, domain, OURS)
        for fault in self.faults:
            self.delegate(f"{fault}.example", f"{fault}.example", LIARS)
        # Each server is in an autonomous system of its own, as zonemaster would have it, who asks here.
        for i in range(1, 5):
            self.announce(64500 + i, f"25.0.{i}.0/24", "origin", 1)
            self.announce(64500 + i, f"3000:{i}::/64", "origin6", 16)

    def delegate(self, zone, domain, servers):
        zone, domain = a_labels(zone), a_labels(domain)
        servers = {f"{name}.{domain}": addresses for name, addresses in servers.items()}
        top = next(top for top in self.zones if zone.endswith("." + top))
        self.zones[top] += "".join(f"{zone}. 3600 NS {name}.\n" for name in servers)
        if zone == domain:
            self.zones[top] += hosts(servers)
        for name, addresses in servers.items():
            for address in addresses:
                reverse = ipaddress.ip_address(address).reverse_pointer
                if not reverse.endswith(".1.0.25.in-addr.arpa"):  # which ours serve
                    self.zones["arpa"] += f"{reverse}. 3600 PTR {name}.\n"

    def announce(self, number, prefix, family, host_labels):
        reverse = ipaddress.ip_network(prefix).network_address.reverse_pointer.split(".")
        network = ".".join(reverse[host_labels:-2])
        self.zones["asnlookup.zonemaster.net"] += \
            f'*.{network}.{family} 3600 TXT "{number} | {prefix} | ZZ | lab | 2024-01-01"\n'

    def start(self, entered):
        root = self.file("root.zone", apex("ns.root") + hosts({"ns.root": ROOT, "ns.top.example": TOP}) +
                         "".join(f"{zone}. 3600 NS ns.top.example.\n" for zone in self.zones))
        Root(self.core, {".": root}).start()
        Top(self.core, {zone: self.file(f"{zone}.zone", text) for zone, text in self.zones.items()}).start()
        entered.enter_context(contextlib.closing(Liar(self.core, self.faults)))
        files = MASTER_FILES | {f"{fault}.example": self.fault_zone(f"{fault}.example") for fault in self.faults}
        path = self.file("roost.yaml", ROOST_YAML + "".join(f"    {zone}: {file}\n" for zone, file in files.items()))
        for name, place in self.nodes.items():
            Ours(place, name, path, dict.fromkeys(map(a_labels, [*SERVED, *files]))).start()
        self.hints = self.file("hints", ". 3600 NS ns.root.\n" + hosts({"ns.root": ROOT}))

    def fault_zone(self, zone):
        return self.file(f"{zone}.zone", f"$ORIGIN {zone}.\n" + apex(f"ns1.{zone}") + f"@ 3600 NS ns2.{zone}.\n"
                         f"@ 3600 MX 10 mail1.records.example.\n" +
                         hosts({f"{name}.{zone}": addresses for name, addresses in LIARS.items()}))

    def file(self, name, text):
        path = self.core.folder / name
        path.write_text(text)
        return path
