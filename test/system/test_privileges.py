# SPDX-License-Identifier: GPL-3.0-or-later
"""What the daemon may do, who may tell it what to do, and the unit that it is meant to run under."""

import os
import pathlib
import pwd
import re
import shutil
import subprocess

import pytest

from conftest import V4
from roostlab import Roost, eventually
from roostlab.memory import MORE_EXPENDABLE, expendable
from roostlab.wait import ROOT, find_program

UNIT = ROOT / "contrib/systemd/roostd.service"
USER = 64321  # nobody has this number

# include/uapi/linux/capability.h
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_IPC_LOCK": 14, "CAP_SYS_NICE": 23,
                "CAP_PERFMON": 38, "CAP_BPF": 39}

# As the unit: bpffs is root's, and of it the daemon sees its own directory alone.
OWN_BPFFS = """set -e
mount -t bpf -o mode=700 bpf /sys/fs/bpf
install -d -o {user} -g 0 -m 0770 /sys/fs/bpf/roost
mount --bind /sys/fs/bpf/roost /mnt
mount -t tmpfs -o mode=755 tmpfs /sys/fs
mkdir -p /sys/fs/bpf/roost
mount --move /mnt /sys/fs/bpf/roost
exec "$@"
"""


class Status:
    """What the kernel says of a thread."""

    def __init__(self, path):
        fields = dict(line.split(":\t", 1) for line in path.read_text().splitlines() if ":\t" in line)
        self.name = fields["Name"].strip()
        self.users = set(fields["Uid"].split())
        self.permitted, self.effective, self.ambient, self.bounding = (
            _names(fields[key]) for key in ("CapPrm", "CapEff", "CapAmb", "CapBnd"))
        self.confined = fields["NoNewPrivs"].strip() == "1"
        self.filtered = fields["Seccomp"].strip() == "2"


def _names(mask):
    """The capabilities in a mask; those that this test has no name for as numbers."""
    known = {number: name for name, number in CAPABILITIES.items()}
    return {known.get(i, i) for i in range(64) if int(mask, 16) >> i & 1}


def threads(pids):
    """All threads of these processes."""
    return [Status(path) for pid in pids
            for path in pathlib.Path(f"/proc/{pid}/task").glob("*/status")]


def unit_option(name):
    return re.search(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)[1].split()


class UnitRoost(Roost):
    """roostd as the unit runs it: a user of no account, with the unit's capabilities and no others."""

    def __init__(self, lab, vips, **options):
        super().__init__(lab, vips, **options)
        lab.folder.chmod(0o755)
        self.path.chmod(0o644)
        self.home = lab.folder / "run"
        self.home.mkdir()
        os.chown(self.home, USER, USER)
        self.program = shutil.copy(find_program("roostd"), lab.folder)  # which that user may reach

    def command(self, server):
        capabilities = ",".join(f"+{name[4:].lower()}" for name in unit_option("AmbientCapabilities"))
        return ["unshare", "--mount", "sh", "-c", OWN_BPFFS.format(user=USER), "sh",
                "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs",
                "--bounding-set", f"-all,{capabilities}", "--inh-caps", f"-all,{capabilities}",
                "--ambient-caps", f"-all,{capabilities}",
                self.program, "-c", str(self.path), "-s", self.socket(server)]

    def socket(self, server):
        return str(self.home / f"{server.short}.sock")


def ask(cluster, command, user=0, groups=(0,)):
    """The operator's tool on the first server, as another user."""
    tool = shutil.copy(find_program("roost"), cluster.lab.folder)
    return subprocess.run(
        ["setpriv", f"--reuid={user}", f"--regid={groups[0]}", "--groups", ",".join(map(str, groups)),
         tool, command, "-s", cluster.socket(cluster.lab.servers[0])],
        capture_output=True, text=True, timeout=10, check=False)


# What it may do


def test_root_keeps_only_what_the_daemon_needs(start):
    cluster = start(V4[:3])
    for server in cluster.lab.servers:
        found = threads(cluster.running[server].family())
        assert {"roostd", "roostd-fast"} <= {t.name for t in found}
        for thread in found:
            assert thread.confined and thread.filtered, thread.name
            # the latter two in place of limits that could not be raised
            assert thread.bounding <= set(CAPABILITIES)
            assert thread.permitted <= set(CAPABILITIES)
            assert not thread.ambient
        fast = next(t for t in found if t.name == "roostd-fast")
        assert not fast.permitted
        # slow thread and guardian; of the daemon's, what it is done with is gone
        assert min((t.permitted for t in found if t.name == "roostd"), key=len) <= {
            "CAP_NET_ADMIN", "CAP_BPF", "CAP_IPC_LOCK"}


def test_without_the_filter_there_is_none(start, new_lab):
    """The control of the test above."""
    lab = new_lab(servers=1)
    cluster = Roost(lab, V4[:1])
    server = lab.servers[0]
    cluster.running[server] = server.spawn(*cluster.command(server), "-S", name="roostd")
    cluster.settle()
    assert not any(t.filtered for t in threads(cluster.running[server].family()))


def test_an_unprivileged_user_with_the_units_capabilities_takes_over_and_hands_over(new_lab):
    lab = new_lab(servers=3)
    cluster = UnitRoost(lab, V4[:3], interval="50ms")
    cluster.start()
    cluster.settle()
    for server in lab.servers:
        for thread in threads(cluster.running[server].family()):
            assert thread.users == {str(USER)}
            assert thread.confined and thread.filtered
            assert thread.permitted <= set(unit_option("AmbientCapabilities"))
            assert thread.bounding == set(unit_option("CapabilityBoundingSet"))
            assert not thread.ambient
        assert cluster.status(server)["fence"]["mechanism"] in ("tcx", "clsact")
    assert cluster.stop(lab.servers[0]) == 0
    cluster.settle(lab.servers[1:])
    lab.power_off(lab.servers[1])
    cluster.settle(lab.servers[2:])
    assert "filter" not in cluster.log(lab.servers[2])


def test_it_becomes_the_user_that_it_is_told(new_lab):
    lab = new_lab(servers=1)
    lab.folder.chmod(0o711)
    home = lab.folder / "run"
    cluster = Roost(lab, V4[:1])
    keys = lab.folder / "keys"  # that user's own, as the manual has it
    keys.write_text(f"1 {'07' * 32}\n")
    keys.chmod(0o600)
    os.chown(keys, pwd.getpwnam("nobody").pw_uid, 0)
    cluster.config["auth"] = {"mode": "enforce", "keys": str(keys)}
    cluster.write()
    cluster.socket = lambda server: str(home / f"{server.short}.sock")  # in a folder that isn't there
    server = lab.servers[0]
    cluster.running[server] = server.spawn(
        "unshare", "--mount", "sh", "-c", OWN_BPFFS.format(user=0), "sh",
        *cluster.command(server), "-u", "nobody", name="roostd")
    cluster.settle()
    nobody = home.stat().st_uid
    assert nobody != 0
    for thread in threads(cluster.running[server].family()):
        assert thread.users == {str(nobody)}
        assert thread.confined and thread.filtered
        assert thread.permitted <= set(CAPABILITIES)
    assert (home / f"{server.short}.sock").stat().st_uid == nobody
    # which takes a file that is nobody's, but root's
    guardian, daemon = cluster.running[server].pid, cluster.daemon_pid(server)
    assert expendable(daemon) == expendable(guardian) + MORE_EXPENDABLE


@pytest.mark.parametrize("options, said", [
    (["--reuid=64321", "--regid=64321", "--clear-groups"], "CAP_NET_ADMIN and CAP_NET_RAW are needed"),
    ([], "there is no user whoever"),
])
def test_what_it_lacks_is_said_in_one_line(new_lab, options, said):
    lab = new_lab(servers=1)
    lab.folder.chmod(0o755)
    cluster = Roost(lab, V4[:1])
    cluster.path.chmod(0o644)
    program = shutil.copy(find_program("roostd"), lab.folder)
    done = lab.servers[0].run(
        "setpriv", *options, program, "-c", str(cluster.path), "-s", "/nowhere/sock",
        *([] if options else ["-u", "whoever"]), check=False)
    assert done.returncode == 1
    assert said in done.stderr.splitlines()[-1]


# Who may tell it what to do


def with_control(lab, **groups):
    cluster = Roost(lab, V4[:1], interval="50ms")
    cluster.config["control"] = groups
    cluster.write()
    lab.folder.chmod(0o755)
    cluster.start()
    cluster.settle()
    return cluster


def test_groups_decide_who_may_ask_and_who_may_steer(new_lab):
    cluster = with_control(new_lab(servers=1), read="adm", steer="staff")
    adm, staff = 4, 50  # the same on every Debian
    assert ask(cluster, "status", USER, [USER, adm]).returncode == 0
    refused = ask(cluster, "drain", USER, [USER, adm])
    assert refused.returncode == 1
    assert refused.stderr == "roost: roostd refuses: only root and the group staff may steer\n"
    assert cluster.status(cluster.lab.servers[0])["state"] != "drained"
    assert ask(cluster, "status", USER, [USER, staff]).returncode == 0
    assert ask(cluster, "drain", USER, [USER, staff]).returncode == 0
    eventually(lambda: cluster.status(cluster.lab.servers[0])["state"] == "drained")
    assert f"drain, asked for by user {USER}" in cluster.log(cluster.lab.servers[0])
    refused = ask(cluster, "status", USER, [USER])
    assert refused.returncode == 1
    assert refused.stderr == "roost: roostd refuses: only root and the group adm may ask\n"


def test_by_default_the_socket_is_closed_to_others(new_lab):
    lab = new_lab(servers=1)
    cluster = Roost(lab, V4[:1], interval="50ms")
    lab.folder.chmod(0o755)
    cluster.start()
    cluster.settle()
    assert ask(cluster, "drain", USER, [USER, 0]).returncode == 0
    refused = ask(cluster, "status", USER, [USER])
    assert refused.returncode == 1
    assert "Permission denied" in refused.stderr


def test_a_group_that_is_not_there_is_said_before_anything_is_touched(new_lab):
    lab = new_lab(servers=1)
    cluster = Roost(lab, V4[:1])
    cluster.config["control"] = {"steer": "no-such-group"}
    cluster.write()
    done = lab.servers[0].run(*cluster.command(lab.servers[0]), check=False)
    assert done.returncode == 1
    assert done.stderr.endswith(": there is no group no-such-group on this machine\n")


# The unit


@pytest.fixture
def unit(tmp_path):
    """The unit with a daemon that is there."""
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace("/usr/sbin/roostd", find_program("roostd")))
    return path


def systemd_analyze(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True,
                          timeout=30, check=False)


def test_systemd_understands_the_unit(unit):
    done = systemd_analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_units_exposure_is_low(unit):
    """systemd-analyze counts from 0 to 10; the threshold is in tenths."""
    assert systemd_analyze("security", "--offline=yes", "--threshold=25", unit).returncode == 0
    # the control: without its filter of system calls it exposes more
    unit.write_text(re.sub("^SystemCallFilter.*", "", unit.read_text(), flags=re.MULTILINE))
    assert systemd_analyze("security", "--offline=yes", "--threshold=25", unit).returncode != 0
