# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's fence by itself, held by lab/fencer instead of roostd: what passes when, and what it outlives."""

import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from roostlab import Traffic, eventually, find_program
from roostlab.daemons import roost_config
from roostlab.net import run
from roostlab.traffic import ALL, DATA, boottime, introduce

VIP4, VIP6 = BOTH = "10.1.1.201", "fd00:1::201"
VIPS = (f"{VIP4}=0", f"{VIP6}=1")
LEASE_MS = 50
KEPT_MS = 200  # renewed by a process that others may keep from running


def find_fencer(name="fencer"):
    try:
        return find_program(name)
    except FileNotFoundError:
        pytest.skip("the fence is not built: libbpf-dev or bpftool is missing")


class Fencer:
    """A process that holds the fence on a server."""

    def __init__(self, server, directory, mode="tcx", vips=VIPS, prefix=()):
        self.process = server.spawn(*prefix, find_fencer(), "-m", mode, "-d", str(directory), *vips,
                                    name=f"fencer-{time.monotonic_ns()}", stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True)
        self.greeting = self.process.popen.stdout.readline().strip()

    def tell(self, line):
        self.process.popen.stdin.write(line + "\n")
        self.process.popen.stdin.flush()
        return self.process.popen.stdout.readline().strip()

    def permit(self, permission):
        for vip in (0, 1):
            assert self.tell(f"permit {vip} {permission}") == permission

    def lease(self, span_ms):
        """When the last one ends, in ns of CLOCK_BOOTTIME."""
        return max(int(self.tell(f"lease {router} {span_ms}")) for router in (0, 1))

    def kill(self):
        self.process.kill()
        return boottime()


def add_vips(server, device="eth0"):
    server.ip(f"address add {VIP4}/32 dev {device}", f"address add {VIP6}/128 dev {device} nodad")


@pytest.fixture
def lab(new_lab):
    return new_lab(servers=2, echo=False)


@pytest.fixture
def bpffs(lab):
    path = lab.folder / "bpf"
    path.mkdir()
    run(["mount", "-t", "bpf", "bpf", str(path)])
    yield path
    for process in lab.processes:
        process.kill()  # or it would have its working files there
    run(["umount", str(path)])


@pytest.fixture(params=["tcx", "clsact"])
def mode(request):
    return request.param


@pytest.fixture
def place(lab, bpffs, mode):
    """A function that opens the fence on the first server: its VIPs are there, and the client knows them."""
    server = lab.servers[0]

    def open_fence(**options):
        options.setdefault("mode", mode)
        return Fencer(server, bpffs / "fence", **options)
    fencer = open_fence()
    assert fencer.greeting == f"ready {mode} new"
    add_vips(server)
    introduce(lab.client, server, BOTH)
    fencer.open_again = open_fence
    fencer.server = server
    yield fencer
    fencer.process.kill()


@pytest.fixture
def traffic(lab, place, stack):
    return stack.enter_context(Traffic(lab.client, place.server, BOTH))


def overshoot_ms(heard, until):
    """How long after its end something still passed, by kind."""
    return {kind: (max(at for at, _ in events) - until) / 1e6 for kind, events in heard.items() if events}


def test_it_begins_closed_and_opens_as_permitted(place, traffic):
    assert traffic.passing() == set()
    place.permit("full")
    assert traffic.passing() == set(), "permitted, but there is no lease"
    place.lease(60_000)
    assert traffic.passing() == ALL
    place.permit("data")
    assert traffic.passing() == DATA
    place.permit("closed")
    assert traffic.passing() == set()
    place.permit("absent")
    assert traffic.passing() == {"data to v4", "data to v6"}, "ours must not leave, others' may enter"
    place.permit("full")
    place.lease(0)
    assert traffic.passing() == set()
    counts = [int(n) for n in place.tell("dropped").split()]
    assert all(counts), counts


def test_nothing_passes_after_the_lease_though_the_address_is_there(place, traffic):
    place.permit("full")
    for _ in range(5):
        traffic.read()
        until = place.lease(LEASE_MS)
        time.sleep(LEASE_MS / 1000 + 0.1)
        heard = traffic.read()
        assert {kind for kind in heard if heard[kind]} == ALL
        assert max(overshoot_ms(heard, until).values()) < 1, overshoot_ms(heard, until)
    assert {VIP4, VIP6} <= set(place.server.addresses())


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=lambda f: f.name)
def test_the_lease_ends_whatever_becomes_of_the_holder(place, traffic, fault):
    place.permit("full")
    place.tell(f"keep {KEPT_MS}")
    assert traffic.passing(during=3 * KEPT_MS / 1000) == ALL
    place.process.signal(fault)
    until = boottime() + KEPT_MS * 10**6
    time.sleep(KEPT_MS / 1000 + 0.1)
    heard = traffic.read()
    assert {kind for kind in heard if heard[kind]} == ALL
    assert max(overshoot_ms(heard, until).values()) < 1, overshoot_ms(heard, until)
    assert traffic.passing() == set()
    assert {VIP4, VIP6} <= set(place.server.addresses())
    place.process.kill()


def test_without_a_fence_the_address_of_a_dead_holder_is_served_for_ever(lab, bpffs, stack):
    """The control of the test above: it can see what it says is not there."""
    server = lab.servers[0]
    fencer = Fencer(server, bpffs / "fence", mode="off")
    assert fencer.greeting == "ready off new"
    add_vips(server)
    introduce(lab.client, server, BOTH)
    traffic = stack.enter_context(Traffic(lab.client, server, BOTH))
    fencer.permit("full")
    fencer.lease(LEASE_MS)
    fencer.kill()
    time.sleep(LEASE_MS / 1000 + 0.1)
    assert traffic.passing() == ALL


def test_a_second_interface_on_the_segment_is_no_way_around(lab, place, stack):
    place.server.add_interface("eth1")
    introduce(lab.client, place.server, BOTH, "eth1")
    traffic = stack.enter_context(Traffic(lab.client, place.server, BOTH, "eth1"))
    assert "data to v4" in traffic.passing(), "it should leak before the fence knows of it"
    assert place.tell("refresh") == "1"
    assert traffic.passing() == set()
    place.permit("full")
    traffic.read()
    until = place.lease(LEASE_MS)
    time.sleep(LEASE_MS / 1000 + 0.1)
    heard = traffic.read()
    assert {kind for kind in heard if heard[kind]} == ALL
    assert max(overshoot_ms(heard, until).values()) < 1
    place.server.ip("link delete eth1")
    assert place.tell("refresh") == "0"


def sequences(heard):
    return {kind: [n for _, n in events] for kind, events in heard.items() if kind in DATA}


@pytest.mark.parametrize("vips", [VIPS, ("10.1.1.202=0", f"{VIP6}=2", f"{VIP4}=1")],
                         ids=["same", "changed"])
def test_the_next_life_takes_over_without_losing_a_packet(place, traffic, mode, vips):
    place.permit("full")
    place.lease(10_000)
    traffic.read()
    before = traffic.sent
    place.kill()
    heir = place.open_again(vips=vips)
    assert heir.greeting == f"ready {mode} inherited"
    time.sleep(0.1)
    traffic.stop()
    for kind, numbers in sequences(traffic.read()).items():
        assert numbers == list(range(numbers[0], traffic.sent)), kind
        assert numbers[0] <= before + 1
    heir.tell("remove")


def test_an_inherited_lease_ends_when_the_dead_had_it_end(place, traffic):
    place.permit("full")
    traffic.read()
    until = place.lease(300)
    place.kill()
    heir = place.open_again(vips=("10.1.1.202=0", f"{VIP6}=1", f"{VIP4}=1"))
    time.sleep(max(0.0, (until - boottime()) / 1e9) + 0.1)
    heard = traffic.read()
    assert {kind for kind in heard if heard[kind]} == ALL
    assert max(overshoot_ms(heard, until).values()) < 1
    assert heir.tell("permit 0 full") == "full"
    heir.tell("remove")


def test_what_is_forwarded_to_a_vip_held_elsewhere_passes(lab, place):
    """www1 is a router between the client and www2, which holds the VIP."""
    router, holder = lab.servers
    router.ip(f"address delete {VIP4}/32 dev eth0", f"address delete {VIP6}/128 dev eth0",
              f"link add eth1 type veth peer name eth1 netns {holder.name}",
              "link set eth1 up", "address add 10.9.0.1/24 dev eth1",
              f"route add {VIP4}/32 via 10.9.0.2 dev eth1")
    holder.ip("link set eth1 up", "address add 10.9.0.2/24 dev eth1", f"address add {VIP4}/32 dev eth1",
              f"route add {lab.client.ipv4}/32 via 10.9.0.1 dev eth1")
    router.sysctl({"net/ipv4/ip_forward": 1, "net/ipv4/conf/all/send_redirects": 0,
                   "net/ipv4/conf/eth0/send_redirects": 0})
    lab.client.ip(f"neighbour delete {VIP4} dev eth0", f"route add {VIP4}/32 via {router.ipv4}")
    assert place.tell("refresh") == "1"

    def is_reached():
        return run(lab.client.command("ping", "-c1", "-W1", VIP4), check=False).returncode == 0
    place.permit("absent")
    assert is_reached()
    place.permit("closed")
    assert not is_reached()


def test_it_is_mended_where_somebody_removed_it(place, traffic, mode):
    if mode == "tcx":
        for pin in (pathlib.Path(place.process.popen.args[-3]).glob("link_*")):
            pin.unlink()
    else:
        place.server.run("tc", "qdisc", "delete", "dev", "eth0", "clsact")
    eventually(lambda: traffic.passing() == ALL, within=2)
    assert place.tell("refresh") == "1"
    assert traffic.passing() == set()
    assert place.tell("refresh") == "0"


@pytest.mark.parametrize("lost", ["pins", "directory"])
def test_pins_that_somebody_removed_are_put_back(place, traffic, bpffs, lost):
    """Without them neither the guardian nor the next life finds it."""
    for pin in (bpffs / "fence").iterdir():
        pin.unlink()
    if lost == "directory":
        (bpffs / "fence").rmdir()
    place.permit("full")
    place.lease(10_000)
    assert int(place.tell("refresh")) >= 0
    assert {"vips", "cells", "leases", "drops"} <= {pin.name for pin in (bpffs / "fence").iterdir()}
    assert "in use by another" in place.open_again().greeting
    place.kill()
    assert "inherited" in place.open_again().greeting
    assert traffic.passing() == ALL


def test_a_clean_stop_leaves_nothing(place, traffic, bpffs):
    assert traffic.passing() == set()
    assert place.tell("remove") == "removed"
    assert traffic.passing() == ALL
    assert not (bpffs / "fence").exists()
    shown = run(place.server.command("bpftool", "net", "show", "dev", "eth0")).stdout
    assert "fence" not in shown


def test_off_removes_what_a_previous_life_left(place, traffic, bpffs):
    place.kill()
    assert traffic.passing() == set()
    assert place.open_again(mode="off").greeting == "ready off new"
    assert traffic.passing() == ALL
    assert not (bpffs / "fence").exists()


def test_the_mechanism_may_change_between_two_lives(place, traffic, mode):
    other = {"tcx": "clsact", "clsact": "tcx"}[mode]
    place.permit("full")
    place.lease(10_000)
    place.kill()
    heir = place.open_again(mode=other)
    assert heir.greeting == f"ready {other} inherited"
    assert traffic.passing() == ALL
    heir.tell("remove")
    assert traffic.passing() == ALL
    assert "fence" not in run(place.server.command("bpftool", "net", "show", "dev", "eth0")).stdout


OTHERS = ("protocol", "802.1Q", "prio", "1", "u32", "match", "u32", "0", "0", "flowid", "1:")


def filters(server):
    """The priorities of the fence's filters, leaving and arriving."""
    shown = [run(server.command("tc", "filter", "show", "dev", "eth0", direction)).stdout
             for direction in ("egress", "ingress")]
    return [re.findall(r"pref (\d+) bpf .*handle 0x726f6f73", text) for text in shown]


def test_it_finds_a_place_behind_the_filters_of_others(lab, bpffs, stack):
    """At one priority the kernel allows one classifier and protocol."""
    server = lab.servers[0]
    add_vips(server)
    introduce(lab.client, server, BOTH)
    traffic = stack.enter_context(Traffic(lab.client, server, BOTH))
    server.run("tc", "qdisc", "add", "dev", "eth0", "clsact")
    for direction in ("egress", "ingress"):
        server.run("tc", "filter", "add", "dev", "eth0", direction, *OTHERS)
    first = Fencer(server, bpffs / "fence", mode="clsact")
    assert first.greeting == "ready clsact new"
    assert filters(server) == [["2"], ["2"]]
    assert traffic.passing() == set()
    assert first.tell("refresh") == "0"
    first.kill()
    heir = Fencer(server, bpffs / "fence", mode="clsact")
    assert heir.greeting == "ready clsact inherited"
    assert filters(server) == [["2"], ["2"]]
    server.run("tc", "filter", "delete", "dev", "eth0", "egress", "prio", "1")
    assert heir.tell("refresh") == "1"
    assert filters(server) == [["1"], ["2"]]
    assert traffic.passing() == set()
    assert heir.tell("remove") == "removed"
    assert filters(server) == [[], []]
    assert traffic.passing() == ALL


def test_a_leftover_is_found_wherever_it_stands(lab, bpffs):
    server = lab.servers[0]
    server.run("tc", "qdisc", "add", "dev", "eth0", "clsact")
    server.run("tc", "filter", "add", "dev", "eth0", "egress", *OTHERS)
    Fencer(server, bpffs / "fence", mode="clsact").kill()
    server.run("tc", "filter", "delete", "dev", "eth0", "egress", "prio", "1")
    heir = Fencer(server, bpffs / "fence", mode="tcx")
    assert heir.greeting == "ready tcx inherited"
    assert filters(server) == [[], []]
    heir.tell("remove")


def test_two_holders_are_one_too_many(place):
    assert "in use by another" in place.open_again().greeting


def test_what_is_missing_is_said(lab, bpffs):
    fencer = Fencer(lab.servers[0], lab.folder / "elsewhere" / "fence")
    assert re.fullmatch(r"error .*elsewhere is no bpffs \(mount -t bpf .*", fencer.greeting)
    helpless = Fencer(lab.servers[0], bpffs / "fence", prefix=("setpriv", "--bounding-set", "-all",
                                                               "--inh-caps", "-all"))
    assert "Operation not permitted" in helpless.greeting


def test_two_capabilities_and_a_directory_are_enough(lab, bpffs, mode):
    mine = bpffs / "roost"
    mine.mkdir(mode=0o700)
    lab.folder.chmod(0o711)
    os.chown(mine, 65534, 65534)
    few = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs",
           "--inh-caps", "-all,+net_admin,+bpf", "--ambient-caps", "+net_admin,+bpf",
           "--bounding-set", "-all,+net_admin,+bpf")
    server = lab.servers[0]
    first = Fencer(server, mine / "fence", mode=mode, prefix=few)
    assert first.greeting == f"ready {mode} new"
    first.kill()
    second = Fencer(server, mine / "fence", mode=mode, prefix=few)
    assert second.greeting == f"ready {mode} inherited"
    assert second.tell("remove") == "removed"


def test_what_filters_before_it_let_pass_is_told(new_lab, start):
    lab = new_lab(servers=1)
    server = lab.servers[0]
    server.run("tc", "qdisc", "add", "dev", "eth0", "clsact")
    server.run("tc", "filter", "add", "dev", "eth0", "egress", *OTHERS)
    cluster = start([VIP4], lab=lab,
                    config=lambda lab: roost_config(lab, {"www": [VIP4]}) | {"fence": "clsact"})
    reason = "on eth0 it does not see what filters before it let pass"
    fence = cluster.status(server)["fence"]
    assert (fence["protected"], fence["reason"]) == (False, reason)
    server.run("tc", "filter", "delete", "dev", "eth0", "egress", "prio", "1")
    eventually(lambda: cluster.status(server)["fence"]["protected"], within=8)
    assert cluster.status(server)["fence"]["reason"] is None
    assert cluster.log(server).count(f"fence: {reason}") == 1


def test_packets_of_every_kind_are_judged_right():
    done = run([find_fencer("fence-packets")], check=False, timeout=120)
    print(done.stdout)
    assert done.returncode == 0
    assert re.search(r"^[1-9]\d* passed, 0 failed$", done.stdout, re.MULTILINE)
