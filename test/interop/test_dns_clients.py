# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections are spread evenly over the VIPs of a name, behind caches and in the C libraries' own order
(RFC 6724 6, rule 9), as long as `roost check` has no objection to the addresses."""

import collections
import ipaddress
import pathlib
import re
import shutil
import socket
import subprocess

import pytest

dns = pytest.importorskip("dns", reason="python3-dnspython is not installed")
import dns.message  # noqa: E402

from peers import Dnsmasq, Place, RoostDns, Unbound  # noqa: E402
from roostlab import find_program  # noqa: E402

ALIGNED = {4: [f"10.1.1.{i}" for i in range(200, 204)], 6: [f"fd00:1::{i:x}" for i in range(0x200, 0x204)]}
# The client, 10.1.1.9 and fd00:1::9, shares the longest prefix with the first of each.
SCATTERED = {4: ["10.1.1.10", "10.1.1.150", "10.1.1.220", "10.1.1.240"],
             6: ["fd00:1::a", "fd00:1::77", "fd00:1::1:1", "fd00:1::8000"]}
SCATTERED_V4_ONLY = ["10.1.1.11", "10.1.1.151", "10.1.1.221", "10.1.1.241"]
# Two VIPs with half of the clients each; two networks; and what fills a block but for one address.
HALVES = {4: ["10.1.1.12", "10.1.1.152"], 6: ["fd00:1::3000", "fd00:1::8001"]}
NETWORKS = {4: ["10.1.1.13", "10.1.2.13"], 6: ["2001:db8:53:1::1", "2001:db8:8000::1"]}
BLOCK = {4: ["10.1.1.209", "10.1.1.210", "10.1.1.211"], 6: ["fd00:1::309", "fd00:1::30a", "fd00:1::30b"]}
CLIENTS = [("10.1.1.20/24", "fd00:1::20/64"), ("10.1.1.180/24", "fd00:1::9000/64"),
           ("10.1.1.77/24", "2001:db8:53:9::9/64"), ("192.168.9.9/24", "2001:db8:8000:5::9/64")]
FAIR_AT_MOST = 25.90  # chi-square of three degrees of freedom: p = 0.00001, as each run draws many samples
LOOKUPS = 400


class Derived(RoostDns):
    """roost-dns with names from roost.yaml alone: nobody's VIPs are known to be held, so that all are given."""

    def __init__(self, place):
        super().__init__(place, {})
        lists = {"www": ALIGNED, "far": SCATTERED, "far4": {4: SCATTERED_V4_ONLY, 6: []},
                 "halves": HALVES, "networks": NETWORKS, "block": BLOCK}
        self.services = "domain: example.com\nservices:\n" + "".join(
            f"  {name}: {vips[4] + vips[6]}\n".replace("'", '"') for name, vips in lists.items())

    def origins(self):
        return ["example.com"]


@pytest.fixture(scope="module")
def place():
    with Place() as place:
        place.namespace.ip("link add eth0 type veth peer name eth1", "link set eth0 up", "link set eth1 up",
                           "address add 10.1.1.9/24 dev eth0",
                           "address add fd00:1::9/64 dev eth0 nodad")
        yield place


@pytest.fixture(scope="module")
def ours(place):
    return Derived(place).start()


def chi_square(firsts, vips):
    counts = collections.Counter(firsts)
    assert set(counts) <= set(vips)
    fair = len(firsts) / len(vips)
    return sum((counts[vip] - fair) ** 2 / fair for vip in vips)


def is_fair(firsts, vips):
    return chi_square(firsts, vips) < FAIR_AT_MOST


def first_addresses(place, server, name):
    """What clients that ask for A and then AAAA take, by family; every answer has all the addresses."""
    firsts = {4: [], 6: []}
    with place.inside():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with client:
        client.settimeout(5)
        client.connect((server.address, 53))
        for _ in range(LOOKUPS):
            for family, kind in ((4, "A"), (6, "AAAA")):
                client.send(dns.message.make_query(name, kind).to_wire())
                answer = dns.message.from_wire(client.recv(4096)).answer
                assert len(answer[0]) == 4
                firsts[family].append(answer[0][0].address)
    return firsts


@pytest.mark.parametrize("cache", [None, Unbound, Dnsmasq], ids=["direct", "unbound", "dnsmasq"])
def test_each_vip_is_first_equally_often(place, ours, cache):
    server = cache(place, {"example.com": ours.address}).start() if cache else ours
    firsts = first_addresses(place, server, "www.example.com")
    for family, vips in ALIGNED.items():
        assert is_fair(firsts[family], vips), collections.Counter(firsts[family])
    if cache:
        server.stop()


# getaddrinfo()

@pytest.fixture(scope="module", params=["gcc", "musl-gcc"], ids=["glibc", "musl"])
def lookup(request, place, ours):
    """A function that gives the first addresses for a name, by family, in this C library's order."""
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    program = place.folder / f"getaddrinfo-{request.param}"
    static = ["-static"] if request.param == "musl-gcc" else []
    source = pathlib.Path(__file__).parent / "getaddrinfo.c"
    subprocess.run([request.param, "-O2", *static, "-o", str(program), str(source)], check=True)
    resolv_conf = place.folder / "resolv.conf"
    resolv_conf.write_text(f"nameserver {ours.address}\n")

    def look_up(name):
        out = place.namespace.run("unshare", "--mount", "sh", "-c",
                                  'mount --bind "$0" /etc/resolv.conf && exec "$@"',
                                  str(resolv_conf), str(program), name, str(LOOKUPS)).stdout
        firsts = {4: [], 6: []}
        for line in out.splitlines():
            family, address = line.split()
            firsts[int(family)].append(address)
        assert len(firsts[4]) == LOOKUPS
        return firsts
    look_up.library = "musl" if static else "glibc"
    return look_up


def test_an_aligned_block_on_the_clients_own_link_is_used_evenly(lookup):
    firsts = lookup("www.example.com")
    for family, vips in ALIGNED.items():
        assert is_fair(firsts[family], vips), collections.Counter(firsts[family])


def test_control_scattered_vips_are_not(lookup):
    firsts = lookup("far.example.com")
    assert set(firsts[4]) == {SCATTERED[4][0]} and set(firsts[6]) == {SCATTERED[6][0]}


def test_musl_leaves_the_order_of_names_with_ipv4_alone_as_it_is(lookup):
    firsts = lookup("far4.example.com")
    if lookup.library == "musl":
        assert is_fair(firsts[4], SCATTERED_V4_ONLY), collections.Counter(firsts[4])
    else:
        assert set(firsts[4]) == {SCATTERED_V4_ONLY[0]}


def warnings(ours):
    """What `roost check` says of each service, by family: the least network of all clients that choose, and its half."""
    out = subprocess.run([find_program("roost"), "check", str(ours.folder / "roost.yaml")],
                         capture_output=True, text=True, check=False).stderr
    found = {}
    for service, whole, half in re.findall(
            r"warning: service (\w+): clients in (\S+) that .*rule 9.*: the half in (\S+) always chooses ", out):
        whole, half = ipaddress.ip_network(whole), ipaddress.ip_network(half)
        assert (service, whole.version) not in found, out
        found[service, whole.version] = whole, half
    assert out.count("rule 9") == len(found), out
    return found


def test_check_warns_of_those_that_split_their_clients_alone(ours):
    assert set(warnings(ours)) == {("far", 4), ("far", 6), ("far4", 4), ("halves", 4), ("halves", 6),
                                   ("networks", 4), ("networks", 6)}


def choice(warning, client, vips):
    """The VIPs that this client chooses, as `roost check` says."""
    whole, half = warning or (None, None)
    if not whole or client not in whole:
        return vips
    return [vip for vip in vips if (ipaddress.ip_address(vip) in half) == (client in half)]


@pytest.fixture(params=CLIENTS, ids=[client[0].split("/")[0] for client in CLIENTS])
def client(request, place):
    def become(addresses):
        place.namespace.ip("address flush dev eth0 scope global",
                           *(f"address add {a} dev eth0 {'nodad' if ':' in a else ''}".strip() for a in addresses),
                           "route replace default dev eth0", "route replace ::/0 dev eth0")
    become(request.param)
    yield {interface.version: interface.ip for interface in map(ipaddress.ip_interface, request.param)}
    become(["10.1.1.9/24", "fd00:1::9/64"])


@pytest.mark.parametrize("service, lists", [("halves", HALVES), ("networks", NETWORKS), ("block", BLOCK)],
                         ids=["halves", "networks", "block"])
def test_clients_choose_as_check_says(lookup, client, ours, service, lists):
    firsts = lookup(f"{service}.example.com")
    for family, vips in lists.items():
        chosen = choice(warnings(ours).get((service, family)), client[family], vips)
        assert is_fair(firsts[family], chosen), (chosen, collections.Counter(firsts[family]))
