# SPDX-License-Identifier: GPL-3.0-or-later
"""Strangers: machines outside the cluster that answer for a VIP (doc/design/0012-address-conflicts.md)."""

import ipaddress
import socket
import time

import pytest

from conftest import V4, V6
from roostlab import Capture, eventually, net
from roostlab.wait import stays

VIPS = [V4[0], V6[0]]
REFRESH = 2  # seconds; a silent stranger is asked for this often
DEFEND_INTERVAL = 10
GONE = 16


@pytest.fixture
def watched(new_lab, start):
    """A function that starts a cluster with a policy; a router is there to be the stranger, and the
    client to be the one whom it misleads."""
    def start_watched(policy="defend", servers=2, **announce):
        lab = new_lab(servers=servers, router=True)
        config = {"interface": "eth0", "nodes": {s.short: s.ipv4 for s in lab.servers},
                  "services": {"www": VIPS}, "vrrp": {"interval": "50ms"},
                  "announce": {"refresh": f"{REFRESH}s", "conflict": policy, **announce}}
        return start(VIPS, lab=lab, config=lambda _: config)
    return start_watched


def holder_of(cluster, vip):
    return eventually(lambda: cluster.holders()[vip])[0]


def conflict_of(cluster, vip, server):
    return next(v for v in cluster.status(server)["vips"] if v["address"] == vip).get("conflict")


def length(vip):
    return 128 if ":" in vip else 32


def take(stranger, vip):
    """A static address, given by mistake to a machine that looks for no duplicates: it only answers."""
    stranger.ip(f"address add {vip}/{length(vip)} dev eth0" + (" nodad" if ":" in vip else ""))


def leave(stranger, vip):
    stranger.ip(f"address del {vip}/{length(vip)} dev eth0")


def claim(stranger, vip):
    """A gratuitous ARP frame, by which a machine says that the VIP is at its MAC."""
    mac, address = raw_mac(stranger), ipaddress.ip_address(vip).packed
    return (b"\xff" * 6 + mac + bytes.fromhex("0806 0001 0800 06 04 0001") + mac + address +
            bytes(6) + address)


def raw_mac(host):
    return bytes.fromhex(host.mac.replace(":", ""))


def insist(stranger, vip):
    """One claim that nobody asked for."""
    if ":" in vip:
        override = bytes.fromhex("88 00 0000 20000000")  # the kernel fills in the checksum
        message = override + ipaddress.ip_address(vip).packed + b"\x02\x01" + raw_mac(stranger)
        with net.inside(stranger.name), socket.socket(socket.AF_INET6, socket.SOCK_RAW,
                                                      socket.IPPROTO_ICMPV6) as sender:
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
            sender.sendto(message, ("ff02::1", 0, 0, index_of(stranger)))
    else:
        flood(stranger, vip, 1)


def flood(sender, vip, frames, owner=None):
    """Many claims, of the owner's MAC if it is not the sender's, as fast as one processor sends them; returns
    how long that took."""
    frame = claim(owner or sender, vip)
    with net.inside(sender.name), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as packets:
        packets.bind(("eth0", 0))
        begun = time.monotonic()
        for _ in range(frames):
            packets.send(frame)
        return time.monotonic() - begun


def index_of(host):
    return host.ip_json("link", "show", "dev", "eth0")[0]["ifindex"]


def neighbour(host, vip):
    """The MAC that a host has in its table for a VIP; None if it has none."""
    entries = host.ip_json("neigh", "show", "to", vip, "dev", "eth0")
    return entries[0].get("lladdr") if entries else None


def talk(host, vip):
    """Makes a host ask who the VIP is."""
    host.run("ping", "-c1", "-W1", vip, check=False)


@pytest.mark.parametrize("vip", VIPS)
def test_a_stranger_who_only_answers_is_found_by_asking_and_told_with_its_mac(watched, vip):
    cluster = watched()
    server, stranger = holder_of(cluster, vip), cluster.lab.router
    assert conflict_of(cluster, vip, server) is None
    take(stranger, vip)
    conflict = eventually(lambda: conflict_of(cluster, vip, server), within=2 * REFRESH + 1)
    assert conflict["mac"] == stranger.mac and not conflict["yielded"]
    line = next(line for line in cluster.log(server).splitlines() if "conflict:" in line and vip in line
                and "advertises" not in line)
    assert stranger.mac in line and "eth0" in line
    assert stranger.mac + " answers too" in cluster.roost("status", "-s", cluster.socket(server)).stdout
    other = next(s for s in cluster.lab.servers if s is not server)
    assert conflict_of(cluster, vip, other) is None


@pytest.mark.parametrize("vip", VIPS)
def test_a_defended_vip_is_the_servers_again_in_the_neighbours_table(watched, vip):
    cluster = watched(refresh="60s", schedule=["0s"])  # what else is announced, would mend it as well
    server, lab = holder_of(cluster, vip), cluster.lab
    talk(lab.client, vip)
    eventually(lambda: neighbour(lab.client, vip) == server.mac)
    insist(lab.router, vip)
    eventually(lambda: neighbour(lab.client, vip) == lab.router.mac, within=0.25, every=0.002)
    eventually(lambda: neighbour(lab.client, vip) == server.mac, within=1)


def test_a_stranger_who_insists_is_answered_once_in_ten_seconds(watched, stack):
    cluster = watched(refresh="60s", schedule=["0s"])
    vip = VIPS[0]
    server, lab = holder_of(cluster, vip), cluster.lab
    eventually(lambda: cluster.status(server)["counters"]["announced"])  # once; a shot that was late is no defence
    capture = stack.enter_context(Capture(lab.client, "arp"))

    def defences():
        return [p for p in capture.packets() if p.is_announcement_of(vip) and p.source_mac == server.mac]

    def insisted():
        insist(lab.router, vip)
        return True

    assert stays(insisted, during=DEFEND_INTERVAL + 3, every=0.2)
    times = [p.at for p in defences()]
    assert len(times) == 2
    assert times[1] - times[0] == pytest.approx(DEFEND_INTERVAL, abs=0.5)
    assert cluster.status(server)["counters"]["defences"] == 2
    assert cluster.log(server).count("which is not of the cluster") == 1


def test_yielded_vips_are_nobodys_until_the_stranger_is_gone(watched, stack):
    """One of each family."""
    cluster = watched("yield")
    stranger, client = cluster.lab.router, cluster.lab.client
    servers = {vip: holder_of(cluster, vip) for vip in VIPS}

    def nobodys():
        return all(cluster.holders()[vip] == [] for vip in VIPS)
    for vip in VIPS:
        take(stranger, vip)
    eventually(nobodys, within=2 * REFRESH + 1)
    assert all(conflict_of(cluster, vip, server)["yielded"] for vip, server in servers.items())
    capture = stack.enter_context(Capture(client))
    # nobody takes them, nobody fights for them, and the stranger has them to himself
    assert stays(nobodys, during=3 * REFRESH, every=0.2)
    for vip, server in servers.items():
        assert cluster.status(server)["state"] == "serving"
        talk(client, vip)
        eventually(lambda: neighbour(client, vip) == stranger.mac)
        packets = capture.packets()
        assert not [p for p in packets if p.is_announcement_of(vip) and p.source_mac != stranger.mac]
        assert [p for p in packets if p.kind == "vrrp" and vip in p.addresses and p.source_mac == server.mac]
    for vip in VIPS:
        leave(stranger, vip)
    eventually(lambda: all(cluster.holders()[vip] == [server] for vip, server in servers.items()), within=GONE + 2)
    for vip, server in servers.items():
        eventually(lambda: neighbour(client, vip) == server.mac, within=3)
        assert conflict_of(cluster, vip, server) is None
        assert "serving it again" in cluster.log(server)


def test_who_takes_over_a_yielded_vip_yields_it_too(watched):
    cluster = watched("yield")
    vip = VIPS[0]
    server, stranger = holder_of(cluster, vip), cluster.lab.router
    other = next(s for s in cluster.lab.servers if s is not server)
    take(stranger, vip)
    eventually(lambda: cluster.holders()[vip] == [], within=2 * REFRESH + 1)
    cluster.stop(server)
    eventually(lambda: conflict_of(cluster, vip, other), within=REFRESH + 3)
    eventually(lambda: cluster.holders()[vip] == [], within=1)


def test_who_asks_whether_a_vip_is_free_is_told(watched):
    cluster = watched()
    server = holder_of(cluster, VIPS[0])
    done = cluster.lab.client.run("arping", "-D", "-c1", "-w2", "-I", "eth0", VIPS[0], check=False)
    assert done.returncode == 1  # taken: the kernel has answered
    eventually(lambda: f"{cluster.lab.client.mac} asks whether {VIPS[0]} on eth0 is free" in
               cluster.log(server))
    assert conflict_of(cluster, VIPS[0], server) is None


def test_nodes_that_take_over_from_each_other_are_no_strangers(watched):
    """The control: each of these makes a node claim a VIP that another one serves, or has just served."""
    cluster = watched("yield", servers=3)
    lab = cluster.lab
    for server in lab.servers:  # planned, there and back
        cluster.roost("drain", "-s", cluster.socket(server))
        eventually(lambda s=server: all(s not in hosts for hosts in cluster.holders().values()), within=5)
        cluster.roost("undrain", "-s", cluster.socket(server))
        cluster.settle()
    lab.power_off(lab.servers[0])
    cluster.settle()
    lab.power_on(lab.servers[0])
    cluster.start(lab.servers[0])
    cluster.settle()
    lab.partition([lab.servers[0]], lab.servers[1:])  # and the router hears both
    eventually(lambda: any(len(hosts) == 2 for hosts in cluster.holders().values()), within=3)
    lab.heal()
    cluster.settle()
    # several rounds of questions, which nobody answers
    before = [cluster.status(s)["counters"]["questions"] for s in lab.servers]
    eventually(lambda: sum(cluster.status(s)["counters"]["questions"] for s in lab.servers) >= sum(before) + 4,
               within=4 * REFRESH)
    for server in lab.servers:
        counters = cluster.status(server)["counters"]
        assert counters["address_conflicts"] == counters["yields"] == counters["probes"] == 0
        assert "not of the cluster" not in cluster.log(server)


def test_a_node_that_dies_after_its_claim_is_no_stranger(watched):
    cluster = watched()
    server = holder_of(cluster, VIPS[0])
    other = next(s for s in cluster.lab.servers if s is not server)
    cluster.settle()
    cluster.lab.power_off(other)
    flood(cluster.lab.router, VIPS[0], 1, owner=other)
    assert stays(lambda: conflict_of(cluster, VIPS[0], server) is None, 1)
    # whom nobody knows is one
    flood(cluster.lab.router, VIPS[0], 1)
    eventually(lambda: conflict_of(cluster, VIPS[0], server))


def test_a_flood_of_claims_delays_no_advertisement(watched, stack):
    cluster = watched(refresh="60s", servers=2)
    vip = VIPS[0]
    server, lab = holder_of(cluster, vip), cluster.lab
    before = {s: cluster.status(s)["counters"] for s in lab.servers}
    used = cluster.usage(server)[0]
    seconds = flood(lab.router, vip, 100000)
    busy = (cluster.usage(server)[0] - used) / seconds
    print(f"{100000 / seconds:.0f} claims a second cost {busy:.1%} of a processor")
    after = {s: cluster.status(s)["counters"] for s in lab.servers}
    assert conflict_of(cluster, vip, server)["mac"] == lab.router.mac
    assert after[server]["neighbour_dropped"] > before[server]["neighbour_dropped"]
    assert after[server]["defences"] - before[server]["defences"] <= 1 + seconds // DEFEND_INTERVAL
    assert cluster.holders()[vip] == [server]
    assert all(after[s]["takeovers"] == before[s]["takeovers"] for s in lab.servers)
    assert busy < 0.2
