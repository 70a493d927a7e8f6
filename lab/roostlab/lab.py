# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines of a lab, how they are wired, and what can be done to them.

               switch: a namespace with one bridge
        ┌──────────┬──────────┬──────────┬──────────┐
       p1         p2         p3          pc         pr          the switch's ports
        │          │          │          │          │
    eth0 www1  eth0 www2  eth0 www3   eth0 client  eth0 router  one namespace each
     .11 ::11   .12 ::12   .13 ::13   .100 ::100    .1 ::1      in 10.1.1.0/24 and fd00:1::/64

A second client, the witness, is there on demand: it asks in ways that confuse its own neighbour table
(witness.py).

Faults come in three kinds: of a machine (power_off, and those of a daemon, which daemons.py has), of a
port's carrier (port_down), and of the switch, which goes on giving carrier but does not forward
between certain ports (cut, one_way, partition) or forwards only some frames (loss). The latter are
sets in the bridge's nftables, so each takes effect on all the ports at one instant.
"""

import atexit
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading

from . import net
from .wait import eventually, find_program

PREFIX = "roost"
NETWORK4, NETWORK6 = "10.1.1.", "fd00:1::"

SWITCH_RULES = """
table bridge lab {
    set cut { type ifname . ifname; }
    set lossy { type ifname . ifname; }
    chain forward {
        type filter hook forward priority 0;
        iifname . oifname @cut drop
        iifname . oifname @lossy numgen random mod 100 < PERCENT drop
    }
}
"""


class LabError(RuntimeError):
    """The lab was asked for something that it cannot do."""


class Process:
    """A program that runs inside a host until the lab ends, or somebody ends it."""

    def __init__(self, host, arguments, log, **options):
        self.host = host
        self.log = pathlib.Path(log)
        with open(log, "ab") as file:
            self.popen = subprocess.Popen(
                host.command(*arguments), stdin=options.pop("stdin", subprocess.DEVNULL),
                stdout=options.pop("stdout", file), stderr=file, start_new_session=True, **options)
        self.pid = self.popen.pid

    def family(self):
        """Its process id and those of all its descendants, parents first."""
        pids = [self.pid]
        for pid in pids:
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                        pids += [int(child) for child in file.read().split()]
            except OSError:
                pass  # it has just ended
        return pids

    def child(self):
        """The process id of its first child, or its own if it has none."""
        return self.family()[:2][-1]

    def signal(self, number):
        """To all of its processes at one instant, so that none can act on the end of another."""
        others = [pid for pid in self.family() if not self._is_in_group(pid)]
        for send, pid in ((os.killpg, self.pid), *((os.kill, pid) for pid in others)):
            try:
                send(pid, number)
            except ProcessLookupError:
                pass

    def _is_in_group(self, pid):
        try:
            return os.getpgid(pid) == self.pid
        except ProcessLookupError:
            return True

    def is_running(self):
        return self.popen.poll() is None

    def wait(self, within=10):
        """Its exit status."""
        return self.popen.wait(timeout=within)

    def kill(self):
        """Returns when all of its processes are gone, with what they had open."""
        if self.is_running():
            pids = self.family()
            self.signal(signal.SIGKILL)
            self.popen.wait()
            eventually(lambda: not any(map(_is_alive, pids)), every=0.001)

    def text(self):
        """What it has written so far."""
        return self.log.read_text(errors="replace")


def _is_alive(pid):
    """Whether it has anything open: one that nobody has waited for yet has not, without threads."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            state = file.read().rpartition(")")[2].split()[0]
        return state not in "ZX" or len(os.listdir(f"/proc/{pid}/task")) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


class Host(net.Namespace):
    """A machine: a network namespace with one interface, eth0, on the lab's switch."""

    def __init__(self, lab, name, number, port):
        super().__init__(f"{lab.prefix}-{name}")
        self.lab = lab
        self.short = name
        self.number = number
        self.port = port
        self.is_on = True
        self.ipv4 = f"{NETWORK4}{number}"
        self.ipv6 = f"{NETWORK6}{number}"
        self.mac = self.mac_of("eth0")
        self.echo = None

    def __repr__(self):
        return self.short

    def spawn(self, *arguments, name=None, **options):
        """Starts a program here; the lab ends it at the latest."""
        name = name or os.path.basename(arguments[0])
        process = Process(self, arguments, self.lab.folder / f"{self.short}-{name}.log", **options)
        self.lab.processes.append(process)
        return process

    def wire(self):
        """(Re)makes eth0, with its addresses and routes, and plugs it in."""
        self.lab.switch.ip(
            f"link add {self.port} type veth peer name eth0 netns {self.name} address {self.mac}",
            f"link set {self.port} master br0 up")
        self.ip("link set eth0 up", f"address add {self.ipv4}/{self.lab.prefix_length} dev eth0",
                f"address add {self.ipv6}/64 dev eth0 nodad")
        if self.lab.router and self is not self.lab.router:
            self.ip(f"route add default via {NETWORK4}1", f"route add default via {NETWORK6}1")
        eventually(self._has_link_local, within=5, every=0.005)

    def _has_link_local(self):
        return any(a["scope"] == "link" and not a.get("tentative")
                   for link in self.ip_json("-6", "address", "show", "dev", "eth0")
                   for a in link.get("addr_info", ()))

    def add_interface(self, name):
        """One more, eth1 or eth2, plugged into the same switch, with addresses in the same networks."""
        port, number = f"{self.port}-{name}", 100 * int(name[3:]) + self.number
        self.lab.switch.ip(
            f"link add {port} type veth peer name {name} netns {self.name} address {self.mac_of(name)}",
            f"link set {port} master br0 up")
        self.ip(f"link set {name} up", f"address add {NETWORK4}{number}/{self.lab.prefix_length} dev {name}",
                f"address add {NETWORK6}{number}/64 dev {name} nodad")

    def mac_of(self, device):
        return f"02:00:00:00:{int(device[3:]):02x}:{self.number:02x}"

    def addresses(self, device="eth0"):
        """The addresses on an interface, by address: what ip says of each."""
        try:
            links = self.ip_json("address", "show", "dev", device)
        except net.CommandFailed:
            return {}  # there is no such interface now
        return {a["local"]: a for link in links for a in link.get("addr_info", ()) if "local" in a}

    def start_echo(self):
        self.echo = self.spawn(find_program("echo"), str(self.number))


class Lab:
    """All of it, as a context manager. Namespaces are named after this process, so labs never meet."""

    _made = 0

    def __init__(self, servers=3, names=None, router=False, echo=True, witness=False, prefix_length=24):
        """witness: a second client, for Witness. prefix_length: of the IPv4 network; 16 makes room in
        10.1.0.0 for many VIPs."""
        if os.geteuid():
            raise LabError("network namespaces need root")
        Lab._made += 1
        sweep()
        self.prefix = f"{PREFIX}{os.getpid()}x{Lab._made}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{self.prefix}-"))
        self.processes = []
        self.switch = net.Namespace(f"{self.prefix}-switch")
        names = names or [f"www{i + 1}" for i in range(servers)]
        self.servers = [Host(self, name, 11 + i, f"p{i + 1}") for i, name in enumerate(names)]
        self.client = Host(self, "client", 100, "pc")
        self.router = Host(self, "router", 1, "pr") if router else None
        self.witness = Host(self, "witness", 101, "pw") if witness else None
        self.hosts = [*self.servers, self.client, *filter(None, (self.router, self.witness))]
        self.prefix_length = prefix_length
        self._with_echo = echo
        self._lossy = 0
        self._old_handler = None

    # Coming and going

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self._old_handler = signal.signal(signal.SIGTERM, _exit_in_order)
        atexit.register(self.close)
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _build(self):
        net.mount_bpffs()
        net.add_namespaces([self.switch.name, *(host.name for host in self.hosts)])
        # The switch itself is no neighbour of anybody.
        self.switch.sysctl({"net/ipv6/conf/all/disable_ipv6": 1, "net/ipv6/conf/default/disable_ipv6": 1})
        self.switch.ip("link add br0 type bridge mcast_snooping 0", "link set br0 up")
        self.switch.nft(SWITCH_RULES.replace("PERCENT", "0"))
        for host in self.hosts:
            host.sysctl({"net/ipv6/conf/all/accept_dad": 0, "net/ipv6/conf/default/accept_dad": 0,
                         "net/ipv6/conf/all/router_solicitations": 0,
                         "net/ipv6/conf/default/router_solicitations": 0,
                         "net/ipv4/ping_group_range": "0 2147483647"})
            host.ip("link set lo up")
            host.wire()
        if self._with_echo:
            for server in self.servers:
                server.start_echo()

    def close(self):
        """Ends every process and removes every namespace. Harmless the second time."""
        if self._old_handler is not None:
            signal.signal(signal.SIGTERM, self._old_handler)
            self._old_handler = None
        atexit.unregister(self.close)
        for process in reversed(self.processes):
            process.kill()
        self.processes.clear()
        for host in self.hosts:
            host.unpin()
        net.delete_namespaces([self.switch.name, *(host.name for host in self.hosts)])
        shutil.rmtree(self.folder, ignore_errors=True)

    # Looking around

    def holders(self, vips, servers=None):
        """Who has each VIP on an interface, by the kernel's word: {vip: [host, ...]}."""
        found = {vip: [] for vip in vips}
        for server in servers or self.servers:
            if server.is_on:
                for address in server.addresses():
                    if address in found:
                        found[address].append(server)
        return found

    # Faults of a machine

    def power_off(self, server):
        """The machine is gone between two instructions: its processes, then its link, then its memory."""
        server.is_on = False
        mine = [p for p in self.processes if p.host is server and p.is_running()]
        for process in mine:
            process.signal(signal.SIGKILL)
        self.port_down(server)
        for process in mine:
            process.popen.wait()
        self.processes = [p for p in self.processes if p not in mine]
        # A machine that is off remembers no address, and has no fence.
        server.unpin()
        server.ip("link set eth0 down", "address flush dev eth0", "link set eth0 up")

    def power_on(self, server):
        """It boots: link and addresses as at first, no daemon yet."""
        server.ip(f"address replace {server.ipv4}/{self.prefix_length} dev eth0",
                  f"address replace {server.ipv6}/64 dev eth0 nodad")
        if self.router:
            server.ip(f"route replace default via {NETWORK4}1", f"route replace default via {NETWORK6}1")
        self.port_up(server)
        eventually(server._has_link_local, within=5, every=0.005)
        if self._with_echo:
            server.start_echo()
        server.is_on = True

    # Faults of a port

    def port_down(self, host):
        """The host loses carrier."""
        self.switch.ip(f"link set {host.port} down")

    def port_up(self, host):
        self.switch.ip(f"link set {host.port} up")

    # Faults of the switch

    def cut(self, host):
        """The host keeps its carrier and reaches nobody."""
        self.partition([host], [h for h in self.hosts if h is not host])

    def one_way(self, source, destination):
        """What source sends does not reach destination; the other way is as it was."""
        self._update_set("cut", [(source.port, destination.port)])

    def partition(self, *groups):
        """Nothing crosses from one group of hosts to another."""
        self._update_set("cut", [(a.port, b.port) for one in groups for other in groups
                                 if one is not other for a in one for b in other])

    def heal(self):
        """No cut, no partition, no loss."""
        self.switch.nft("flush set bridge lab cut; flush set bridge lab lossy")

    def loss(self, percent, hosts=None):
        """That many percent of the frames between these hosts (else: the servers) are lost, each way.

        The client's frames get through, so that it sees what the loss does to the cluster.
        """
        hosts = hosts or self.servers
        pairs = [(a.port, b.port) for a in hosts for b in hosts if a is not b]
        if percent != self._lossy:
            self.switch.nft("delete table bridge lab\n" + SWITCH_RULES.replace("PERCENT", str(percent)))
            self._lossy = percent
        self._update_set("lossy", pairs)

    def _update_set(self, name, pairs):
        elements = ", ".join(f'"{a}" . "{b}"' for a, b in pairs)
        self.switch.nft(f"add element bridge lab {name} {{ {elements} }}")


def sweep():
    """Removes what labs left whose process was killed before it could tidy up."""
    stale = []
    for path in pathlib.Path("/run/netns").glob(f"{PREFIX}*"):
        made_by = re.fullmatch(rf"{PREFIX}(\d+)x\d+-\w+", path.name)
        if made_by and not os.path.exists(f"/proc/{made_by[1]}"):
            stale.append(path.name)
    for name in stale:
        for pid in net.run(["ip", "netns", "pids", name], check=False).stdout.split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        net.Namespace(name).unpin()
    net.delete_namespaces(stale)


def _exit_in_order(_number, _frame):
    """SIGTERM as an exception, so that every with block is left the usual way."""
    raise SystemExit(143)
