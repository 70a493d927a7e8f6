# SPDX-License-Identifier: GPL-3.0-or-later
"""FRR's vrrpd on a server of the lab. It wants zebra beside it, and a macvlan with the virtual MAC and
the VIP made beforehand, which it takes down and up (protodown) as it becomes Backup and Active."""

import os
import pathlib
import shutil

import pytest

from roostlab import eventually

PROGRAMS = pathlib.Path("/usr/lib/frr")
needs_frr = pytest.mark.skipif(not (PROGRAMS / "vrrpd").exists(), reason="FRR is not installed")


class Vrrpd:
    """One virtual router of one family on one server."""

    def __init__(self, lab, server, vip, vrid, priority, interval_ms=100, version=3):
        self.lab, self.server, self.vip, self.vrid = lab, server, vip, vrid
        self.is_v6 = ":" in vip
        self.device = "vrrp6" if self.is_v6 else "vrrp4"
        self.processes = []
        self.folder = lab.folder / f"{server.short}-frr"
        self.folder.mkdir()
        family = "ipv6" if self.is_v6 else "ip"
        (self.folder / "vrrpd.conf").write_text(
            f"interface eth0\n vrrp {vrid} version {version}\n vrrp {vrid} priority {priority}\n"
            f" vrrp {vrid} advertisement-interval {interval_ms}\n vrrp {vrid} {family} {vip}\n")
        (self.folder / "zebra.conf").write_text("")
        for path in (lab.folder, self.folder):  # both daemons run as the user frr
            os.chmod(path, 0o755)
        shutil.chown(self.folder, "frr", "frr")

    def make_device(self):
        """The macvlan that stands for the virtual router."""
        kind = 2 if self.is_v6 else 1
        length = 64 if self.is_v6 else 24
        # Else the kernel forgets the VIP whenever vrrpd takes the macvlan down.
        self.server.sysctl({"net/ipv4/conf/all/arp_ignore": 1, "net/ipv4/conf/all/arp_announce": 2,
                            "net/ipv6/conf/all/keep_addr_on_down": 1})
        self.server.ip(f"link add {self.device} link eth0 type macvlan mode bridge",
                       f"link set {self.device} addrgenmode {'none' if not self.is_v6 else 'random'}",
                       f"link set dev {self.device} address 00:00:5e:00:0{kind}:{self.vrid:02x}",
                       f"address add {self.vip}/{length} dev {self.device}" + (" nodad" if self.is_v6 else ""),
                       f"link set {self.device} up")

    def start(self):
        self.make_device()
        zebra = self.folder / "zserv.api"
        common = ["-z", str(zebra), "--vty_socket", str(self.folder), "-A", "127.0.0.1", "-P", "0"]
        for name in ("zebra", "vrrpd"):
            if name == "vrrpd":
                eventually(zebra.exists)  # else it would try again only after ten seconds
            self.processes.append(self.server.spawn(
                str(PROGRAMS / name), *common, "-f", str(self.folder / f"{name}.conf"),
                "-i", str(self.folder / f"{name}.pid"), "--log", "stdout",
                *([] if name == "zebra" else ["--log-level", "debug"])))

    def stop(self):
        """In order: vrrpd says priority 0."""
        process = self.processes.pop()
        process.popen.terminate()
        process.wait(5)
