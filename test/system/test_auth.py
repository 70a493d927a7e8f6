# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed advertisements: the cluster works, and who has no key, or only what others said, moves nothing.

The attacker signs by Python's own hmac. Each attack has a control: without the signature it works.
"""

import contextlib
import hashlib
import hmac
import ipaddress
import os
import re
import socket
import struct
import time

import pytest

from conftest import V4, V6
from roostlab import Capture, Holders, Probe, eventually, net
from roostlab.daemons import roost_config
from roostlab.wait import stays

KEYS = {1: bytes(range(32)), 2: bytes(range(100, 164))}
GROUPS = {4: ("224.0.0.18", "01:00:5e:00:00:12"), 6: ("ff02::12", "33:33:00:00:00:12")}
ADVERTISEMENTS = "proto 112 or ip6[6] == 112"
BAD = ["unsigned", "malformed_trailer", "unknown_key", "bad_hmac", "replayed", "outside_window",
       "too_many_senders"]


def write_keys(path, *ids, keys=KEYS):
    """A file of keys; the first signs."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.writelines(f"{i} {keys[i].hex()}\n" for i in ids)
    return path


@pytest.fixture
def start_signed(start):
    """A function that starts a cluster that signs with key 1; options are those of `auth:`."""
    def begin(vips=None, servers=3, settle=True, interval="50ms", **auth):
        def config(lab):
            keys = write_keys(lab.folder / "keys", 1)
            file = roost_config(lab, {"www": vips or V4 + V6}, interval=interval)
            file["auth"] = {"mode": "enforce", "keys": str(keys), **auth}
            return file
        return start(vips or V4 + V6, servers=servers, config=config, settle=settle)
    return begin


def counters(cluster, server):
    return eventually(lambda: cluster.status(server))["counters"]


def refused(cluster, server):
    """How many advertisements it could not verify so far, by reason."""
    found = counters(cluster, server)
    return {name: found[name] for name in BAD if found[name]}


# ---- the attacker ----


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def summed(source, message, trailer=b""):
    """The message with its checksum, which covers the trailer over IPv6 only."""
    message = message[:6] + b"\0\0" + message[8:]
    over = message
    if source.version == 6:
        group = ipaddress.ip_address(GROUPS[6][0])
        over = source.packed + group.packed + struct.pack("!IxxxB", len(message + trailer), 112) + \
            message + trailer
    return message[:6] + struct.pack("!H", checksum(over)) + message[8:] + trailer


def advertisement(source, vips, vrid=77, priority=255):
    addresses = [ipaddress.ip_address(vip) for vip in vips]
    if source.version == 6:
        addresses.insert(0, ipaddress.ip_address(f"fe80::200:5eff:fe00:2{vrid:02x}"))
    return summed(source, struct.pack("!BBBBHH", 0x31, vrid, priority, len(addresses), 5, 0) +
                  b"".join(a.packed for a in addresses))


def signed(source, message, key_id, key, at=None):
    at = time.time() if at is None else at
    trailer = struct.pack("!BBHIHH", 1, key_id, 0, int(at), int(at % 1 * 65536), 0)
    pseudo = struct.pack("!BBBx", source.version, message[0] >> 4, message[1]) + source.packed.ljust(16, b"\0")
    blank = message[:6] + b"\0\0" + message[8:]
    digest = hmac.new(key, pseudo + blank + trailer + bytes(16), hashlib.sha256).digest()
    return summed(source, message, trailer + digest[:16])


def frame(source, message, mac="02:66:66:66:66:66", ttl=255, to=None):
    """To the group; or to a server, over IPv4."""
    group, group_mac = GROUPS[source.version]
    packed = ipaddress.ip_address(to.ipv4 if to else group).packed
    group_mac = to.mac if to else group_mac
    if source.version == 4:
        head = struct.pack("!BBHHHBBH", 0x45, 0xc0, 20 + len(message), 0, 0, ttl, 112, 0) + source.packed + packed
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    else:
        head = struct.pack("!IHBB", 6 << 28, len(message), 112, ttl) + source.packed + packed
    macs = bytes.fromhex((group_mac + mac).replace(":", ""))
    return macs + (b"\x08\x00" if source.version == 4 else b"\x86\xdd") + head + message


class Attacker:
    """Sends frames from a machine of the segment that is no server."""

    def __init__(self, host):
        with net.inside(host.name):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self.socket.bind(("eth0", 0))

    def send(self, frames, times=10, pause=0.02):
        for _ in range(times):
            for one in frames:
                with contextlib.suppress(BlockingIOError):
                    self.socket.send(one)
            time.sleep(pause)


@pytest.fixture
def attacker(stack):
    def arm(lab):
        armed = Attacker(lab.client)
        stack.callback(armed.socket.close)
        return armed
    return arm


def sources(lab):
    """The attacker's own addresses, and those of a server that it passes itself off as."""
    victim = lab.servers[2]
    link_local = next(a for a in victim.addresses() if a.startswith("fe80"))
    return [ipaddress.ip_address(a) for a in ("10.1.1.66", victim.ipv4, "fe80::66", link_local)]


def forgeries(lab, kind):
    """Advertisements that would take every VIP, if they counted."""
    frames = []
    for source in sources(lab):
        message = advertisement(source, V4 if source.version == 4 else V6)
        if kind == "wrong key":
            message = signed(source, message, 1, bytes(32))
        elif kind == "unknown id":
            message = signed(source, message, 9, KEYS[1])
        elif kind == "not this sender":
            other = ipaddress.ip_address("10.1.1.77" if source.version == 4 else "fe80::77")
            trailer = signed(other, message, 1, KEYS[1])[len(message):]
            message = summed(source, message, trailer)
        elif kind == "another message":
            trailer = signed(source, advertisement(source, ["10.1.1.99"]), 1, KEYS[1])[-28:]
            message = summed(source, message, trailer)
        elif kind == "truncated":
            message = summed(source, message, signed(source, message, 1, KEYS[1])[len(message):-1])
        elif kind == "scheme":
            good = signed(source, message, 1, KEYS[1])
            message = summed(source, message, b"\2" + good[len(message) + 1:])
        else:
            assert kind == "unsigned"
        frames.append(frame(source, message))
    return frames


# ---- a cluster that signs ----


def test_a_cluster_that_signs_works_in_both_families(start_signed):
    cluster = start_signed()
    lab = cluster.lab
    lab.power_off(lab.servers[0])
    cluster.settle()
    lab.power_on(lab.servers[0])
    cluster.start(lab.servers[0])
    cluster.settle()
    for server in lab.servers:
        assert counters(cluster, server)["verified"] > 0
        assert refused(cluster, server) == {}
        assert "key mismatch" not in cluster.log(server)


def test_it_works_by_unicast_and_in_version_2(start):
    def config(lab):
        keys = write_keys(lab.folder / "keys", 1)
        file = roost_config(lab, {"www": V4[:3], "old": {"vips": V4[3:], "vrrp": {
            "version": 2, "interval": "1s", "peers": "multicast"}}}, interval="50ms", peers="unicast")
        file["auth"] = {"mode": "enforce", "keys": str(keys)}
        return file
    cluster = start(V4, config=config)
    cluster.lab.power_off(cluster.lab.servers[0])
    cluster.settle()
    for server in cluster.lab.servers[1:]:
        assert counters(cluster, server)["verified"] > 0 and refused(cluster, server) == {}


def test_every_copy_has_a_sequence_of_its_own(start_signed, stack):
    cluster = start_signed(servers=2)
    capture = stack.enter_context(Capture(cluster.lab.client, ADVERTISEMENTS))
    eventually(lambda: len(capture.packets()) > 200, within=20)
    last = {}
    for one in capture.frames():
        sequence = int.from_bytes(one[-24:-16], "big")
        assert sequence > last.get(one[6:12], 0)
        last[one[6:12]] = sequence
    assert len(last) == 2


# ---- attacks ----


def fragments(source, message, size=1480):
    """The frames of a datagram over IPv4 that is larger than the link takes."""
    for at in range(0, len(message), size):
        more = at + size < len(message)
        one = bytearray(frame(source, message[at:at + size]))
        one[18:22] = struct.pack("!HH", 7, (0x2000 if more else 0) | at // 8)
        one[24:26] = bytes(2)
        one[24:26] = struct.pack("!H", checksum(bytes(one[14:34])))
        yield bytes(one)


def strange(kind, source):
    """The frames of an advertisement that would take every VIP, from such a source; and what it is counted as."""
    source = ipaddress.ip_address(source)
    message = advertisement(source, V4 if source.version == 4 else V6)
    if kind == "far":
        return [frame(source, message, ttl=254)], "bad_ttl"
    if kind == "large":
        return list(fragments(source, message + bytes(6000))), "bad_ip_header"
    return [frame(source, message)], "bad_source"


@pytest.mark.parametrize("mode", ["off", "permissive", "enforce"])
def test_what_no_neighbour_can_have_sent_moves_nothing_and_is_counted(start, attacker, stack, mode):
    """RFC 9568 5.1.1.3, 5.1.2.1 and 5.1.2.3; a datagram larger than any advertisement."""
    def config(lab):
        file = roost_config(lab, {"www": V4 + V6}, interval="50ms")
        file["auth"] = {"mode": mode, "keys": str(write_keys(lab.folder / "keys", 1))} if mode != "off" else {"mode": mode}
        return file
    cluster = start(V4 + V6, servers=2, config=config)
    lab, armed = cluster.lab, attacker(cluster.lab)
    processes = [cluster.daemon_pid(server) for server in lab.servers]
    watch = stack.enter_context(Holders(lab, cluster.vips))
    before = len(watch.events)
    # loopback and multicast are refused by Linux itself
    for kind, source in (("nowhere", "::"), ("nowhere", "2001:db8::66"), ("nowhere", "0.0.0.0"),
                         ("far", "10.1.1.66"), ("far", "fe80::66"), ("large", "10.1.1.66")):
        frames, reason = strange(kind, source)
        counted = [counters(cluster, server)[reason] for server in lab.servers]
        armed.send(frames)
        for server, was in zip(lab.servers, counted):
            eventually(lambda: counters(cluster, server)[reason] >= was + 10,
                       message=lambda: f"{source}: {counters(cluster, server)}")
    assert stays(lambda: len(watch.events) == before, during=0.5)
    assert [cluster.daemon_pid(server) for server in lab.servers] == processes
    # the control: from a neighbour they take everything, unless they must be signed
    armed.send([frame(ipaddress.ip_address(a), advertisement(ipaddress.ip_address(a), v))
                for a, v in (("10.1.1.66", V4), ("fe80::66", V6))])
    assert eventually(lambda: len(watch.events) > before) if mode != "enforce" else len(watch.events) == before


def test_a_unicast_service_hears_only_whom_the_file_names(start, attacker, stack):
    cluster = start(V4, servers=2, interval="50ms", peers="unicast")
    lab, armed, server = cluster.lab, attacker(cluster.lab), cluster.lab.servers[0]
    watch = stack.enter_context(Holders(lab, cluster.vips))
    before = len(watch.events)
    stranger, node = ipaddress.ip_address("10.1.1.66"), ipaddress.ip_address(lab.servers[1].ipv4)
    armed.send([frame(stranger, advertisement(stranger, V4), to=server)])
    eventually(lambda: counters(cluster, server)["unknown_peer"] >= 10)
    assert stays(lambda: len(watch.events) == before, during=0.5)
    assert re.search("stranger: 10.1.1.66 advertises .* neither a node nor one of its peers", cluster.log(server))
    # the control: whoever uses the address of a node is heard
    armed.send([frame(node, advertisement(node, V4), to=server)])
    eventually(lambda: len(watch.events) > before)


@pytest.mark.parametrize("kind, reason", [
    ("unsigned", "unsigned"), ("wrong key", "bad_hmac"), ("unknown id", "unknown_key"),
    ("not this sender", "bad_hmac"), ("another message", "bad_hmac"), ("scheme", "malformed_trailer"),
    ("truncated", "bad_length")])
def test_what_is_forged_moves_nothing_and_is_counted(start_signed, attacker, stack, kind, reason):
    cluster = start_signed()
    lab = cluster.lab
    watch = stack.enter_context(Holders(lab, cluster.vips))
    before = len(watch.events)
    counted = [counters(cluster, server)[reason] for server in lab.servers]
    attacker(lab).send(forgeries(lab, kind))
    assert stays(lambda: len(watch.events) == before, during=0.5)
    for server, was in zip(lab.servers, counted):
        # www3 ignores what bears its own address before it looks at the signature
        assert counters(cluster, server)[reason] >= was + 10 * (2 if server is lab.servers[2] else 4)
    assert cluster.is_as_planned()


@pytest.mark.parametrize("mode", ["off", "receive-only", "permissive"])
def test_control_unless_enforced_a_forgery_takes_the_vips(start_signed, attacker, mode):
    cluster = start_signed(mode=mode)
    attack = attacker(cluster.lab)
    lost = eventually(lambda: attack.send(forgeries(cluster.lab, "unsigned"), times=2) or
                      [vip for vip, hosts in cluster.holders().items() if not hosts])
    assert lost


def recorded(lab, stack, cluster, server):
    """Some ten advertisements of each VIP that the server has."""
    capture = stack.enter_context(Capture(lab.client, f"ether src {server.mac} and ({ADVERTISEMENTS})"))
    wanted = len([vip for vip, order in cluster.orders().items() if order[0] is server])
    eventually(lambda: len(capture.packets()) > 10 * wanted)
    capture.close()
    return list(capture.frames())


def test_a_dead_nodes_advertisements_replayed_do_not_bring_it_to_life(start_signed, attacker, stack):
    cluster = start_signed()
    lab = cluster.lab
    frames = recorded(lab, stack, cluster, lab.servers[0])
    lab.power_off(lab.servers[0])
    cluster.settle()
    watch = stack.enter_context(Holders(lab, cluster.vips))
    before = len(watch.events)
    attacker(lab).send(frames, times=5)
    assert stays(lambda: len(watch.events) == before, during=0.5)
    for server in lab.servers[1:]:
        assert refused(cluster, server)["replayed"] >= len(frames)
    # and while it lives
    lab.power_on(lab.servers[0])
    cluster.start(lab.servers[0])
    cluster.settle()
    before = len(watch.events)
    attacker(lab).send(frames, times=5)
    assert stays(lambda: len(watch.events) == before, during=0.5)
    assert cluster.is_as_planned()


def test_what_was_recorded_long_ago_means_nothing_to_a_node_that_has_just_started(
        start_signed, attacker, stack):
    """It has no mark of the sender: the window of time is what refuses it."""
    cluster = start_signed(window="1s")
    lab = cluster.lab
    frames = recorded(lab, stack, cluster, lab.servers[0])
    for server in lab.servers:
        cluster.stop(server)
    old = time.monotonic() + 2.5
    eventually(lambda: time.monotonic() > old)
    cluster.start(lab.servers[1])
    cluster.settle([lab.servers[1]])
    attacker(lab).send(frames, times=5)
    assert cluster.is_as_planned([lab.servers[1]])
    assert refused(cluster, lab.servers[1])["outside_window"] >= len(frames)


def test_control_unsigned_advertisements_can_be_replayed(start_signed, attacker, stack):
    cluster = start_signed(mode="off")
    lab = cluster.lab
    frames = recorded(lab, stack, cluster, lab.servers[0])
    lab.power_off(lab.servers[0])
    cluster.settle()
    attack = attacker(lab)
    assert eventually(lambda: attack.send(frames, times=1) or
                      [vip for vip, hosts in cluster.holders().items() if not hosts])


# ---- keys ----


def test_keys_roll_over_on_running_nodes_without_a_lost_question(start_signed, stack):
    cluster = start_signed(V4)
    lab = cluster.lab
    probe = stack.enter_context(Probe(lab.client, cluster.vips))
    eventually(lambda: all(probe.answering().values()))
    watch = stack.enter_context(Holders(lab, cluster.vips))
    since = probe.update()
    for ids in ((1, 2), (2, 1), (2,)):
        for server in lab.servers:
            # the file is shared here, but only who is restarted reads it
            write_keys(lab.folder / "keys", *ids)
            assert cluster.stop(server) == 0
            cluster.start(server)
            eventually(lambda: cluster.status(server))
            cluster.settle()
    assert watch.events
    assert {o.vip: o.lost for o in probe.outages(since) if o.lost} == {}
    for server in lab.servers:
        assert refused(cluster, server) == {}


def test_the_steps_of_a_roll_out_understand_each_other(start_signed):
    cluster = start_signed(V4 + V6, mode="off")
    lab = cluster.lab
    for mode in ("receive-only", "permissive", "enforce"):
        cluster.config["auth"]["mode"] = mode
        cluster.write()
        for server in lab.servers:
            assert cluster.stop(server) == 0
            cluster.start(server)
            eventually(lambda: cluster.status(server))
            cluster.settle()
            assert cluster.is_single()
    for server in lab.servers:
        assert refused(cluster, server) == {}
        assert counters(cluster, server)["verified"] > 0


def test_a_node_with_another_key_is_named_in_the_journal(start_signed):
    cluster = start_signed(settle=False)
    lab = cluster.lab
    eventually(cluster.is_single)
    stray = lab.servers[2]
    cluster.stop(stray)
    write_keys(lab.folder / "keys", 1, keys={1: KEYS[2]})
    cluster.start(stray)
    for server in lab.servers[:2]:
        eventually(lambda: "key mismatch: www3" in cluster.log(server))
        assert refused(cluster, server)["bad_hmac"] > 0
        assert len(re.findall("key mismatch: www3", cluster.log(server))) == 1
    for server in lab.servers:
        assert not any(key.hex()[:16] in cluster.log(server) for key in KEYS.values())


@pytest.mark.parametrize("spoil, complaint", [
    (lambda path: path.chmod(0o640), "keys: its mode is 0640.*chmod 0600"),
    (lambda path: os.chown(path, 4711, 0), "keys: it belongs to user 4711"),
    (lambda path: path.write_text(f"# ours\n1 {KEYS[1].hex()}00 00\n"), "keys:2: (error: )?there is more"),
    (lambda path: path.unlink(), "keys: (warning: .*)?No such file"),
], ids=["mode", "owner", "mistake", "missing"])
def test_keys_that_are_not_safe_are_refused_before_anything_is_touched(start_signed, spoil, complaint):
    cluster = start_signed(V4, servers=1)
    server = cluster.lab.servers[0]
    cluster.stop(server)
    spoil(cluster.lab.folder / "keys")
    before = server.addresses()
    cluster.start(server)
    assert cluster.running[server].wait(5) == 1
    assert re.search(complaint, cluster.log(server))
    assert KEYS[1].hex()[:16] not in cluster.log(server)
    assert server.addresses() == before
    # roost check says so before; where there is no file, it may not be a node's machine
    done = cluster.roost("check", cluster.path, check=False)
    assert re.search(complaint, done.stderr) and KEYS[1].hex()[:16] not in done.stderr
    assert done.returncode == ("No such file" not in complaint)


# ---- sequences over restarts ----


def test_a_node_that_was_killed_is_trusted_at_once_when_it_is_back(start_signed):
    cluster = start_signed()
    lab = cluster.lab
    cluster.kill(lab.servers[0])
    cluster.start(lab.servers[0])
    eventually(lambda: cluster.status(lab.servers[0]))
    cluster.settle()
    for server in lab.servers:
        assert refused(cluster, server) == {}


def test_a_clock_that_was_set_back_between_two_lives_parts_nobody(start_signed):
    """Which looks as if the last life had signed with what is now the future."""
    cluster = start_signed()
    lab, server = cluster.lab, cluster.lab.servers[0]
    state = lab.folder / f"{server.short}.sock.sequence"
    for future in (True, False):
        cluster.stop(server)
        if future:
            sequence, at = state.read_text().split()
            state.write_text(f"{int(sequence, 16) + (3600 << 32):016x} {at}\n")
        cluster.start(server)
        eventually(lambda: cluster.status(server))
        cluster.settle()
        assert ("behind what was signed" in cluster.log(server))
        for other in lab.servers[1:]:
            assert refused(cluster, other) == {}
    # control: without the file the clock is all there is, and the others have heard more
    cluster.stop(server)
    state.unlink()
    cluster.start(server)
    for other in lab.servers[1:]:
        eventually(lambda: refused(cluster, other).get("replayed", 0) > 0)
