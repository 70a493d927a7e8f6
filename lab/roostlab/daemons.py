# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that float the addresses, roost's and its rival's, behind one interface."""

import json
import os
import re
import signal

from . import net
from .wait import eventually, find_program


def place_priority(place, servers):
    """What roost gives to a place of an order, for up to four servers (plan_priority), so that a rival's
    successors wait as long as ours."""
    return 254 - (place * 126 // (servers - 1) if servers > 1 else 0)


class Cluster:
    """One daemon on each server, all floating the same VIPs."""

    name = "?"

    def __init__(self, lab, vips):
        self.lab = lab
        self.vips = list(vips)
        self.running = {}  # server: Process

    # What a subclass knows

    def command(self, server):
        """The command line of the daemon on a server."""
        raise NotImplementedError

    def orders(self):
        """The failover order of each VIP: {vip: [server, ...]}, the preferred first."""
        raise NotImplementedError

    # Starting and ending

    def start(self, *servers):
        """Starts the daemon on these servers (else: on all) and returns at once."""
        for server in servers or self.lab.servers:
            self.running[server] = server.spawn(*self.command(server), name=self.name)

    def stop(self, server, within=10):
        """Ends it in order, by SIGTERM, and returns its exit status."""
        process = self.running.pop(server)
        os.kill(process.pid, signal.SIGTERM)
        return process.wait(within)

    def kill(self, server):
        """SIGKILL to all its processes at once: they leave everything as it is."""
        self.running.pop(server).kill()

    def freeze(self, server):
        """SIGSTOP to all its processes at once."""
        self.running[server].signal(signal.SIGSTOP)

    def thaw(self, server):
        self.running[server].signal(signal.SIGCONT)

    def daemon_pid(self, server):
        """The process that floats the addresses: the child of the one that guards it."""
        return self.running[server].child()

    def is_ready(self, server):
        """It runs, and so does the one that guards it."""
        process = self.running.get(server)
        return process is not None and process.is_running() and process.child() != process.pid

    def crash(self, server, number=signal.SIGKILL):
        """A signal to the daemon alone; whoever guards it sees what comes of it. Returns its process id."""
        pid = self.daemon_pid(server)
        os.kill(pid, number)
        return pid

    def log(self, server):
        path = self.lab.folder / f"{server.short}-{self.name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # Looking at it

    def holders(self):
        return self.lab.holders(self.vips)

    def planned(self, servers=None):
        """Who should hold each VIP when these servers (else: those that are on) live: {vip: server}."""
        alive = servers if servers is not None else [s for s in self.lab.servers if s.is_on]
        return {vip: next((s for s in order if s in alive), None)
                for vip, order in self.orders().items()}

    def is_single(self):
        """Every VIP is on exactly one server."""
        return all(len(hosts) == 1 for hosts in self.holders().values())

    def is_as_planned(self, servers=None):
        planned = self.planned(servers)
        return all(hosts == [planned[vip]] for vip, hosts in self.holders().items())

    def settle(self, servers=None, within=15):
        """Waits until every VIP is where the plan wants it.

        It looks twice, since the servers are looked at one after the other, not at one instant.
        """
        eventually(lambda: self.is_as_planned(servers) and self.is_as_planned(servers), within,
                   message=lambda: f"{self.name} holds {self.holders()}, planned {self.planned(servers)}")

    def usage(self, server):
        """(CPU seconds used so far, resident bytes) of the daemon with all its processes."""
        cpu = resident = 0
        for pid in self.running[server].family():
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                    cpu += int(file.read().split()[0])
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                resident += 1024 * int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])
        return cpu / 1e9, resident


class Roost(Cluster):
    """roostd, with one file for all the servers."""

    name = "roostd"

    def __init__(self, lab, vips=None, config=None, text=None, **vrrp):
        """vips, with vrrp options; or a whole configuration as a dict, or as the file's text."""
        if config is None and text is None:
            config = roost_config(lab, {"www": vips}, **vrrp)
        super().__init__(lab, vips if vips is not None else _vips_of(config))
        self.config = config
        self.path = lab.folder / "roost.yaml"
        if text is not None:
            self.path.write_text(text)
        else:
            self.write()
        self.paths = {}  # a server may have a file of its own
        self._orders = None

    def write(self):
        """Makes the file of the configuration, which may have been changed."""
        self.path.write_text(json.dumps(self.config, indent=2))  # JSON is YAML, too

    def command(self, server):
        return [find_program("roostd"), "-c", str(self.paths.get(server, self.path)),
                "-s", self.socket(server)]

    def socket(self, server):
        return str(self.lab.folder / f"{server.short}.sock")

    def is_ready(self, server):
        return super().is_ready(server) and self.status(server) is not None

    def roost(self, *arguments, check=True):
        """Runs the operator's tool."""
        return net.run([find_program("roost"), *map(str, arguments)], check=check)

    def status(self, server):
        """What the daemon on a server says of itself; None while it does not answer."""
        done = self.roost("status", "--json", "-s", self.socket(server), check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def plan(self):
        return json.loads(self.roost("plan", "--json", self.path).stdout)

    def orders(self):
        if self._orders is None:
            by_name = {server.short: server for server in self.lab.servers}
            self._orders = {vip["address"]: [by_name[name] for name in vip["order"] if name in by_name]
                            for vip in self.plan()["orders"]}
        return self._orders


def roost_config(lab, services, **vrrp):
    """A configuration file for this lab's servers as a dict."""
    config = {"interface": "eth0", "nodes": {s.short: s.ipv4 for s in lab.servers}, "services": services}
    if vrrp:
        config["vrrp"] = vrrp
    return config


def _vips_of(config):
    """The addresses in a configuration, in the file's order, however they are written."""
    def flatten(entry):
        if isinstance(entry, str):
            return [entry]
        if isinstance(entry, list):
            return [address for part in entry for address in flatten(part)]
        return flatten(entry.get("addresses", entry.get("address", entry.get("vips", []))))
    return [vip for service in config["services"].values() for vip in flatten(service)]


class Keepalived(Cluster):
    """keepalived as its users spread VIPs: one vrrp_instance for each, priorities set by hand."""

    name = "keepalived"

    def __init__(self, lab, vips, interval=1.0, version=3, orders=None, priorities=None, vrids=None,
                 unicast=False, options=(), first=()):
        """orders, as Roost.orders() gives them, or priorities: {server: priority} for all VIPs alike.
        options: more lines for each instance; first: addresses that each lists before its VIP.
        """
        super().__init__(lab, vips)
        self.interval = interval
        self.version = version
        self.unicast = unicast
        self.options = options
        self.first = first
        self.priorities = priorities
        self.vrids = vrids or {}
        self._orders = orders or {vip: list(lab.servers) for vip in vips}

    def orders(self):
        return self._orders

    def command(self, server):
        path = self.lab.folder / f"{server.short}-keepalived.conf"
        path.write_text(self.config(server))
        pids = [self.lab.folder / f"{server.short}-keepalived{part}.pid" for part in ("", "-vrrp")]
        for pid in pids:
            pid.unlink(missing_ok=True)  # or what a killed one left would make it refuse to start
        return ["keepalived", "-n", "-P", "-l", "-f", str(path), "-p", str(pids[0]), "-r", str(pids[1])]

    def config(self, server):
        instances = [self._instance(index, vip, server) for index, vip in enumerate(self.vips)]
        return f"global_defs {{\n  vrrp_version {self.version}\n}}\n" + "".join(instances)

    def _instance(self, index, vip, server):
        is_v6 = ":" in vip
        if self.priorities:
            priority = self.priorities[server]
        else:
            priority = place_priority(self._orders[vip].index(server), len(self._orders[vip]))
        lines = ["state BACKUP", "interface eth0",
                 f"virtual_router_id {self.vrids.get(vip, index % 255 + 1)}",
                 f"priority {priority}", f"version {self.version}", f"advert_int {self.interval:g}",
                 *self.options]
        if self.unicast:
            peers = [h.ipv6 if is_v6 else h.ipv4 for h in self.lab.servers if h is not server]
            lines += [f"unicast_src_ip {server.ipv6 if is_v6 else server.ipv4}",
                      f"unicast_peer {{ {' '.join(peers)} }}" if len(peers) == 1 else
                      "unicast_peer {\n    " + "\n    ".join(peers) + "\n  }"]
        addresses = [f"    {address}/{128 if is_v6 else 32} dev eth0\n" for address in (*self.first, vip)]
        lines.append("virtual_ipaddress {\n" + "".join(addresses) + "  }")
        return f"vrrp_instance V{index + 1} {{\n  " + "\n  ".join(lines) + "\n}\n"
