# SPDX-License-Identifier: GPL-3.0-or-later
"""The units under a systemd that is real: what they grant, and what it makes of stops, deaths and hangs.

One of two servers has a systemd of its own, and the VIPs; on the other roostd runs as in all other tests.
"""

import contextlib
import json
import os
import pathlib
import re
import signal

import pytest

from roostlab import Lab, LabError, Probe, Roost, Witness, eventually
from roostlab.daemons import roost_config
from roostlab.memory import exhaust
from roostlab.nameserver import addresses, ask
from roostlab.systemd import Systemd
from roostlab.wait import stays
from test_auth import write_keys
from test_dns import WWW, ZONE, Stream
from test_privileges import CAPABILITIES, threads, unit_option

VIPS = ["10.1.1.201", "fd00:1::201"]  # a bundle: one server has both
KEYS, ZONE_FILE = "/etc/roost/keys", "/etc/roost/example.org.zone"
HAND_OVER = 0.1  # two serve in one that is planned: for the linger, and until late neighbours are told
RUNNING = {"ActiveState": "active", "SubState": "running", "Result": "success", "NRestarts": "0"}
STOPPED = {"ActiveState": "inactive", "SubState": "dead", "Result": "success", "NRestarts": "0"}
NET_BIND_SERVICE, SYS_RESOURCE = 10, 24  # capabilities without a name in test_privileges


class UnitRoost(Roost):
    """roostd as a unit on one server, on the others as ever."""

    machine = None

    def boot(self, server):
        self.machine = Systemd(server)
        config = self.config | {"auth": self.config["auth"] | {"keys": KEYS}}
        self.machine.write("/etc/roost/roost.yaml", json.dumps(config))
        write_keys(self.machine.path(KEYS), 1)
        self.machine.run("chown", "roost:", KEYS)
        return self.machine

    def start(self, *servers):
        for server in servers or self.lab.servers:
            if self.machine and server is self.machine.host:
                self.machine.systemctl("start", "roostd")
            else:
                super().start(server)

    def is_ready(self, server):
        return self.status(server) is not None

    def socket(self, server):
        if self.machine and server is self.machine.host:
            return str(self.machine.path("/run/roost/roostd.sock"))
        return super().socket(server)


class Scene:
    """The cluster, and a client and the switch, which look at it."""

    def __init__(self, lab, stack, preempt=False, **settings):
        """settings: of the unit, other than it is shipped."""
        self.cluster = UnitRoost(lab, config=config(lab, interval="100ms", preempt=preempt))
        self.holder, self.successor = self.cluster.orders()[VIPS[0]]
        self.machine = stack.enter_context(boot(self.cluster, self.holder))
        if settings:
            self.machine.configure("roostd", **settings)
        self.cluster.start(self.holder)
        self.cluster.settle([self.holder])
        self.cluster.start(self.successor)
        eventually(lambda: self.cluster.is_ready(self.successor))
        self.client = stack.enter_context(Probe(lab.client, VIPS))
        self.switch = stack.enter_context(Witness(lab, VIPS))
        self.switch.wait_for_answers()
        eventually(lambda: all(self.client.answering().values()))
        self.guardian, = self.machine.find("roostd-guardian")
        self.daemon, = self.machine.find("roostd")
        self.pins = self.find_pins()
        self.since = self.client.update()

    def find_pins(self):
        """What the fence is pinned by: the files, and the kernel's numbers of what they stand for."""
        folder = self.machine.path("/sys/fs/bpf/roost")
        return {str(path.relative_to(folder)): path.stat().st_ino for path in folder.glob("*/*")}

    def unit(self):
        return self.machine.show("roostd", *RUNNING)

    def wait_for_restart(self):
        """Until systemd has started it anew, and it is ready."""
        wanted = RUNNING | {"NRestarts": "1"}
        eventually(lambda: self.unit() == wanted, within=10, message=lambda: f"the unit is {self.unit()}")
        eventually(lambda: self.cluster.is_ready(self.holder))

    def wait_for(self, server):
        eventually(lambda: set(self.client.answering().values()) == {server.number})

    def lost(self):
        """The questions that nobody answered, unless there are none."""
        return {o.vip: o.lost for o in self.client.outages(self.since) if o.lost}

    def order(self):
        """Who answered for both VIPs, one after the other, as the switch has it."""
        self.switch.update()
        assert self.switch.lost == 0, "the switch has not seen everything"
        first, second = (self.switch.servers_of(vip, self.since) for vip in VIPS)
        assert first == second
        return first

    def double(self):
        """For how long two answered, in seconds."""
        return self.switch.worst_double(self.since)

    def leftovers(self):
        return sorted(set(self.holder.addresses()) & set(VIPS))


def config(lab, **vrrp):
    """Signed, so that a life which could not read the keys or forgot the sequence would not be heard."""
    keys = write_keys(lab.folder / "keys", 1)
    return roost_config(lab, {"www": [VIPS]}, **vrrp) | {"auth": {"mode": "enforce", "keys": str(keys)}}


def boot(cluster, server):
    try:
        return cluster.boot(server)
    except LabError as error:
        if "unknown filesystem type" in str(error):  # as mount puts it
            pytest.skip(str(error))
        raise


@pytest.fixture
def start_scene(new_lab, stack):
    return lambda **options: Scene(new_lab(servers=2, witness=True), stack, **options)


@pytest.fixture(scope="module")
def single():
    """A server alone, for the tests that leave it as they found it: so that not each has to boot one."""
    with contextlib.ExitStack() as stack:
        lab = stack.enter_context(Lab(servers=1))
        dns = {"domain": "example.com", "dns": {"zones": {"example.org": ZONE_FILE}, "rate": 0}}
        cluster = UnitRoost(lab, config=config(lab, interval="100ms") | dns)
        stack.enter_context(boot(cluster, lab.servers[0]))
        yield cluster


@pytest.fixture
def alone(request, single):
    """roostd, just started."""
    request.node.labs = [single.lab]
    single.machine.systemctl("enable", "--now", "roostd")
    yield single
    single.machine.systemctl("stop", "roostd", "roost-dns")
    single.machine.configure("roostd")


# What they grant


def test_it_is_ready_when_systemd_says_so_and_may_do_what_its_unit_grants(alone):
    machine = alone.machine
    assert alone.status(machine.host)["fence"]["mechanism"] in ("tcx", "clsact")
    assert machine.show("roostd", "ActiveState", "Type", "WatchdogUSec", "UnitFileState") == {
        "ActiveState": "active", "Type": "notify", "WatchdogUSec": "1min", "UnitFileState": "enabled"}
    alone.settle()
    user = machine.run("id", "-u", "roost").stdout.strip()
    assert user != "0"
    found = {t.name: t for t in threads(machine.find("roostd-guardian") + machine.find("roostd"))}
    for name, thread in found.items():
        assert thread.users == {user}
        assert thread.confined and thread.filtered, name
        assert thread.bounding == set(unit_option("CapabilityBoundingSet"))
        assert not thread.ambient
    assert {name: thread.permitted for name, thread in found.items()} == {
        "roostd-guardian": set(unit_option("AmbientCapabilities")),
        "roostd": {"CAP_NET_ADMIN", "CAP_BPF"}, "roostd-fast": set()}
    # the control: who started it has more, and none of this
    first, = threads(machine.find("systemd"))
    assert first.permitted > set(CAPABILITIES) and not (first.confined or first.filtered)


def test_it_sees_of_the_machine_what_its_unit_shows(alone):
    daemon, = alone.machine.find("roostd")
    seen = pathlib.Path(f"/proc/{daemon}/root")
    alone.machine.run("mkdir", "/sys/fs/bpf/others", "/tmp/others")
    assert os.listdir(seen / "sys/fs/bpf") == ["roost"] and os.listdir(seen / "sys/fs/bpf/roost")
    assert os.listdir(seen / "tmp") == []


NO_LIMITS = {"LimitRTPRIO": "0", "LimitNICE": "0", "LimitMEMLOCK": "64K"}
NICE_AND_LOCK = "CAP_SYS_NICE CAP_IPC_LOCK"


def is_realtime(pid):
    return os.sched_getscheduler(pid) == os.SCHED_FIFO | os.SCHED_RESET_ON_FORK


def find_fast_thread(daemon):
    """It has its name a moment after it has begun."""
    names = {path: path.read_text().strip() for path in pathlib.Path(f"/proc/{daemon}/task").glob("*/comm")}
    return next((int(path.parent.name) for path, name in names.items() if name == "roostd-fast"), None)


def locked_kb(pid):
    return int(re.search(r"VmLck:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


@pytest.mark.parametrize("settings, expected", [
    ({}, True),
    (NO_LIMITS | {"CapabilityBoundingSet": NICE_AND_LOCK, "AmbientCapabilities": NICE_AND_LOCK}, True),
    (NO_LIMITS, False),
], ids=["limits", "capabilities", "neither"])
def test_it_runs_in_real_time_from_locked_memory_where_it_may(alone, settings, expected):
    machine = alone.machine
    if not settings and SYS_RESOURCE not in threads(machine.find("systemd"))[0].permitted:
        pytest.skip("on this machine nobody may raise a limit")
    machine.configure("roostd", **settings)
    machine.systemctl("restart", "roostd")
    (guardian,), (daemon,) = machine.find("roostd-guardian"), machine.find("roostd")
    fast = eventually(lambda: find_fast_thread(daemon))
    assert (is_realtime(guardian), is_realtime(fast)) == (expected, expected)
    assert not is_realtime(daemon)
    for pid in (guardian, daemon):
        # the keys in any case
        assert locked_kb(pid) > 64 if expected else 0 < locked_kb(pid) < 64
    alone.settle()
    last_start = machine.journal("roostd").rpartition("Starting ")[2]
    for said in ("without real-time scheduling", "memory is not locked"):
        assert (said in last_start) is not expected


def test_a_start_that_fails_is_tried_until_its_reason_is_gone(alone):
    machine = alone.machine
    machine.systemctl("stop", "roostd")
    machine.run("chown", "root:", KEYS)
    assert machine.systemctl("start", "roostd", check=False).returncode != 0
    assert f"{KEYS}: Permission denied" in machine.journal("roostd")
    machine.run("chown", "roost:", KEYS)
    eventually(lambda: alone.is_ready(machine.host))
    alone.settle()


# What systemd makes of it


def test_memory_that_runs_out_is_its_guardians_affair(alone, stack):
    machine, limit = alone.machine, 64 << 20
    if "memory" not in machine.path("/sys/fs/cgroup/cgroup.controllers").read_text().split():
        pytest.skip("no control groups of version 2 for memory")
    machine.configure("roostd", MemoryMax=limit, MemorySwapMax=0)
    machine.systemctl("restart", "roostd")
    guardian, (daemon,) = machine.find("roostd-guardian"), machine.find("roostd")
    group = machine.path("/sys/fs/cgroup/system.slice/roostd.service")
    hog = exhaust(group, group / "memory.events", limit)
    stack.callback(hog.kill)
    eventually(lambda: machine.find("roostd") not in ([], [daemon]))
    eventually(lambda: alone.is_ready(machine.host))
    hog.wait(10)
    # systemd has heard of it, too
    eventually(lambda: "killed by the OOM killer" in machine.journal("roostd"))
    assert machine.find("roostd-guardian") == guardian
    assert machine.show("roostd", *RUNNING) == RUNNING


def test_a_restart_loses_nothing(start_scene):
    scene = start_scene(preempt=True)
    scene.machine.systemctl("restart", "roostd")
    scene.wait_for(scene.holder)
    assert scene.lost() == {}
    assert scene.order() == [scene.holder, scene.successor, scene.holder]
    assert scene.double() < 2 * HAND_OVER
    assert scene.unit() == RUNNING
    # the fence was taken down and put up
    pins = scene.find_pins()
    assert pins and not set(pins.items()) & set(scene.pins.items())


def test_a_daemon_that_dies_is_its_guardians_affair(start_scene):
    scene = start_scene()
    os.kill(scene.daemon, signal.SIGKILL)
    scene.wait_for(scene.successor)
    eventually(lambda: scene.machine.find("roostd") not in ([], [scene.daemon]))
    eventually(lambda: scene.cluster.is_ready(scene.holder))
    assert scene.machine.find("roostd-guardian") == [scene.guardian]
    assert scene.unit() == RUNNING
    assert scene.order() == [scene.holder, scene.successor]
    assert scene.double() == 0
    assert scene.leftovers() == []


def test_a_guardian_that_dies_is_restarted_and_nothing_is_lost(start_scene):
    """Its daemon hands over."""
    scene = start_scene()
    os.kill(scene.guardian, signal.SIGKILL)
    scene.wait_for_restart()
    assert "Main process exited, code=killed, status=9/KILL" in scene.machine.journal("roostd")
    assert scene.lost() == {}
    assert scene.order() == [scene.holder, scene.successor]
    assert scene.double() < HAND_OVER
    assert scene.leftovers() == []


def test_when_both_die_the_next_life_finds_what_they_left(start_scene):
    scene = start_scene()
    os.kill(scene.guardian, signal.SIGSTOP)  # or it would clear up
    os.kill(scene.daemon, signal.SIGKILL)
    os.kill(scene.guardian, signal.SIGKILL)
    assert scene.leftovers() == VIPS
    scene.wait_for_restart()
    scene.wait_for(scene.successor)
    assert scene.leftovers() == []
    assert scene.order() == [scene.holder, scene.successor]
    assert scene.double() == 0
    # the fence stood all the time
    assert scene.find_pins() == scene.pins


def test_a_daemon_that_hangs_starves_the_watchdog(start_scene):
    scene = start_scene(WatchdogSec="2s")
    # the control: as long as it does not
    assert stays(lambda: scene.unit() == RUNNING, during=2.5, every=0.5)
    os.kill(scene.daemon, signal.SIGSTOP)
    scene.wait_for_restart()
    assert "Watchdog timeout (limit 2s)!" in scene.machine.journal("roostd")
    assert scene.order() == [scene.holder, scene.successor]
    assert scene.double() == 0
    assert scene.leftovers() == []


@pytest.mark.parametrize("way", ["stop", "shutdown"])
def test_who_is_told_to_stop_hands_over_and_leaves_nothing(start_scene, way):
    scene = start_scene()
    if way == "shutdown":
        scene.machine.shut_down()
    else:
        scene.machine.systemctl("stop", "roostd")
        assert scene.unit() == STOPPED
        assert scene.pins and not scene.find_pins()
        assert sorted(os.listdir(scene.machine.path("/run/roost"))) == ["roostd.sock.lock", "roostd.sock.sequence"]
    scene.wait_for(scene.successor)
    assert scene.leftovers() == []
    assert scene.lost() == {}
    assert scene.order() == [scene.holder, scene.successor]
    assert scene.double() < HAND_OVER


# The name server


def test_the_name_server_may_use_the_port_and_loses_no_query_by_reloads(alone):
    machine, client, server = alone.machine, alone.lab.client, alone.machine.host
    machine.write(ZONE_FILE, ZONE.format(serial=1, text="x"))
    machine.systemctl("enable", "--now", "roost-dns")
    alone.settle()
    for address in (server.ipv4, server.ipv6, *VIPS):
        assert addresses(ask(client, address, WWW)) == VIPS[:1]
    eventually(lambda: "roostd tells who holds which address" in machine.journal("roost-dns"))
    process, = machine.find("roost-dns")
    user = machine.run("id", "-u", "roost-dns").stdout.strip()
    assert user not in ("0", machine.run("id", "-u", "roost").stdout.strip())
    for thread in threads([process]):
        assert thread.users == {user}
        assert thread.confined and thread.filtered, thread.name
        assert thread.bounding == {NET_BIND_SERVICE}
        assert thread.permitted == ({NET_BIND_SERVICE} if thread.name == "roost-dns" else set())

    def zones_read():
        return json.loads(machine.run("roost", "dns", "--json").stdout)["zones_read"]["reloads"]
    with Stream(client, server.ipv4, "example.org", "SOA") as stream:
        for number in range(1, 6):
            machine.write(ZONE_FILE, ZONE.format(serial=1 + number, text="x"))
            machine.systemctl("reload", "roost-dns")
            assert zones_read() == number  # it has waited
        machine.systemctl("restart", "roostd")
        eventually(lambda: machine.show("roost-dns", "ActiveState") == {"ActiveState": "active"})
    assert stream.lost == 0 and stream.asked > 100
    assert len(stream.answers) >= 5  # what was asked did change
    assert machine.find("roost-dns") == [process]
    machine.systemctl("stop", "roost-dns")
    assert machine.show("roost-dns", "ActiveState", "Result") == {
        "ActiveState": "inactive", "Result": "success"}


def test_a_reload_that_fails_is_one_to_systemd_too(alone):
    machine = alone.machine
    machine.write(ZONE_FILE, ZONE.format(serial=1, text="x"))
    machine.systemctl("start", "roost-dns")
    process, = machine.find("roost-dns")
    machine.write(ZONE_FILE, ZONE.format(serial=2, text="x") + "broken A 10.1.1.300\n")
    done = machine.systemctl("reload", "roost-dns", check=False)
    assert done.returncode != 0
    status = machine.systemctl("status", "roost-dns", check=False)
    assert status.returncode == 0
    assert re.search(rf'Status: "zones of .* are served; the last reload failed: {ZONE_FILE}:6: ', status.stdout)
    assert "all zones stay as they were" in machine.journal("roost-dns")
    machine.write(ZONE_FILE, ZONE.format(serial=3, text="x"))
    machine.systemctl("reload", "roost-dns")
    assert "failed" not in machine.show("roost-dns", "StatusText")["StatusText"]
    # by hand
    machine.run("systemctl", "kill", "--signal=HUP", "roost-dns")
    eventually(lambda: json.loads(machine.run("roost", "dns", "--json").stdout)["zones_read"]["reloads"] == 2)
    assert machine.find("roost-dns") == [process]
    assert machine.show("roost-dns", "ActiveState", "SubState", "NRestarts") == {
        "ActiveState": "active", "SubState": "running", "NRestarts": "0"}
