# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces and the commands that furnish them."""

import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys

BPFFS = pathlib.Path("/sys/fs/bpf")
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class CommandFailed(RuntimeError):
    """A command of the lab's own ended badly."""


def run(command, input=None, check=True, timeout=30):
    """Runs a command to its end and returns it, with its output as text."""
    done = subprocess.run(command, input=input, capture_output=True, text=True, timeout=timeout)
    if check and done.returncode:
        raise CommandFailed(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done


@contextlib.contextmanager
def inside(namespace):
    """This thread is in the namespace for the length of a with block; sockets made there stay there."""
    with open("/proc/thread-self/ns/net", "rb") as home, open(f"/run/netns/{namespace}", "rb") as away:
        if _libc.setns(away.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
        try:
            yield
        finally:
            _libc.setns(home.fileno(), CLONE_NEWNET)


class Namespace:
    """A network namespace of a given name."""

    def __init__(self, name):
        self.name = name

    def command(self, *arguments):
        """The command line that runs these arguments inside; its process id is the program's own.

        nsenter instead of ip netns exec: the latter also makes a mount namespace, and so hides
        what is pinned in a BPF file system.
        """
        return ["nsenter", f"--net=/run/netns/{self.name}", *arguments]

    def run(self, *arguments, **options):
        return run(self.command(*arguments), **options)

    def ip(self, *lines):
        """Carries out lines of ip's own language, as one batch."""
        run(["ip", "-n", self.name, "-batch", "-"], input="\n".join(lines) + "\n")

    def ip_json(self, *arguments):
        out = run(["ip", "-n", self.name, "-json", *arguments]).stdout
        return json.loads(out) if out.strip() else []

    def nft(self, rules):
        self.run("nft", "-f", "-", input=rules)

    def sysctl(self, settings):
        """Sets each of a mapping such as {"net/ipv6/conf/all/accept_dad": 0}."""
        with inside(self.name):
            for name, value in settings.items():
                with open(f"/proc/sys/{name}", "w", encoding="ascii") as file:
                    file.write(str(value))

    def fence(self):
        """Where a fence of this machine is pinned: by its number, as all share one bpffs."""
        return BPFFS / "roost" / str(os.stat(f"/run/netns/{self.name}").st_ino)

    def leases(self):
        """When each lease of that fence ends, in seconds of CLOCK_BOOTTIME; 0: it is closed."""
        shown = run(["bpftool", "-j", "map", "dump", "pinned", str(self.fence() / "leases")]).stdout
        return [int.from_bytes(bytes(int(byte, 16) for byte in lease["value"]), sys.byteorder) / 1e9
                for lease in json.loads(shown)]

    def unpin(self):
        """Takes down what daemons left that could not do it; a machine that goes takes it along."""
        if os.path.exists(f"/run/netns/{self.name}"):
            shutil.rmtree(self.fence(), ignore_errors=True)


def mount_bpffs():
    """As systemd does when a machine boots."""
    mounted = {line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()}
    if BPFFS.is_dir() and str(BPFFS) not in mounted:
        run(["mount", "-t", "bpf", "bpf", str(BPFFS)])


def add_namespaces(names):
    run(["ip", "-batch", "-"], input="".join(f"netns add {name}\n" for name in names))


def delete_namespaces(names):
    names = [name for name in names if os.path.exists(f"/run/netns/{name}")]
    if names:
        run(["ip", "-force", "-batch", "-"], input="".join(f"netns delete {n}\n" for n in names),
            check=False)
