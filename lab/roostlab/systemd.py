# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd as the first process of a server, with roost as `meson install` installs it.

It shares the programs with the machine that the lab is on, read-only, and nothing else: the root
directory, processes, mounts, control groups and bpffs are its own, and gone when it ends. So it boots
within a second, and nothing that a systemd does to a machine at boot reaches what is outside.
"""

import os
import pathlib
import signal

from . import net
from .lab import LabError
from .wait import build_directory, eventually

# The first process enters a control group of its own, alone: systemd can't divide one that has others in
# it. cgroup2 can be mounted anywhere, whatever the machine has at /sys/fs/cgroup.
BOOT = """set -e
mount -t cgroup2 cgroup2 /mnt
mkdir -p "/mnt/$1"
echo 0 >"/mnt/$1/cgroup.procs"
umount /mnt
exec unshare --cgroup sh -ec "$2" - "$3"
"""

# Whatever systemd finds unmounted it mounts itself, and not privately: so /dev and the control groups are
# there before. What of /sys and /proc/sys is the whole machine's can only be read, as in any container.
FURNISH = """
mkdir -p "$1/root"
mount -t tmpfs -o mode=755 root "$1/root"
cd "$1/root"
mkdir dev etc old proc run sys tmp usr var
ln -s usr/bin usr/lib usr/lib64 usr/sbin .
mount -t overlay -o "ro,lowerdir=$1/installed/usr:/usr" usr usr
mount -t tmpfs -o mode=755 dev dev
mknod -m 666 dev/tty c 5 0
for node in null:3 zero:5 full:7 random:8 urandom:9; do
	mknod -m 666 "dev/${node%:*}" c 1 "${node#*:}"
done
ln -s pts/ptmx dev/ptmx
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs sys sys
mount -o remount,bind,ro sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t bpf -o mode=700 bpf sys/fs/bpf
mount -t tmpfs -o mode=755 run run
echo 0123456789abcdef0123456789abcdef >etc/machine-id
pivot_root . old
umount -l old
exec env -i container=lab PATH=/usr/sbin:/usr/bin \\
	setpriv --bounding-set=-sys_boot,-sys_module,-sys_rawio,-sys_time,-syslog \\
	/lib/systemd/systemd --unit=basic.target --log-target=journal --show-status=no
"""

SWEEP = 'mount -t cgroup2 cgroup2 /mnt && find "/mnt/$1" -depth -type d -exec rmdir {} +'


class Systemd:
    """Boots on a host of the lab, and runs until close(); a context manager."""

    def __init__(self, host):
        self.host = host
        folder = host.lab.folder
        if not (folder / "installed").exists():
            net.run(["meson", "install", "-C", str(build_directory()), "--no-rebuild", "--quiet",
                     "--destdir", str(folder / "installed")])
        self.process = host.spawn(
            "unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child",
            "sh", "-c", BOOT, "-", host.name, FURNISH, str(folder), name="systemd")
        try:
            self.pid = eventually(self._find_first, within=10)
            eventually(self._has_booted, within=20)
            host.spawn("journalctl", "-D", str(self.path("/run/log/journal")), "-f", "-n", "all",
                       "-u", "roostd", "-u", "roost-dns", name="journal")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """As if the power were cut."""
        self.process.kill()
        net.run(["unshare", "--mount", "sh", "-c", SWEEP, "-", self.host.name], check=False)

    def shut_down(self):
        """In order, as by the power button; returns when the server is off."""
        os.kill(self.pid, signal.SIGRTMIN + 4)
        self.process.wait()

    def path(self, name):
        """Where a file of this server is found from outside."""
        return pathlib.Path(f"/proc/{self.pid}/root{name}")

    def run(self, *arguments, **options):
        """Runs a program of this server as its root would."""
        return self.host.run(*self._inside(*arguments), **options)

    def systemctl(self, *arguments, **options):
        return self.run("systemctl", *arguments, **options)

    def write(self, name, text):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def configure(self, unit, **settings):
        """Changes how a service is run, as an administrator would."""
        lines = "".join(f"{name}={value}\n" for name, value in settings.items())
        self.write(f"/etc/systemd/system/{unit}.service.d/lab.conf", f"[Service]\n{lines}")
        self.systemctl("daemon-reload")

    def show(self, unit, *properties):
        """What systemd says of a unit, as a dict."""
        out = self.systemctl("show", unit, *(f"--property={p}" for p in properties)).stdout
        return dict(line.split("=", 1) for line in out.splitlines())

    def find(self, program):
        """The process ids, as they are outside, of what runs under a name."""
        return [pid for pid in self.process.family() if _name(pid) == program]

    def journal(self, unit):
        return self.run("journalctl", "-o", "cat", "-u", unit).stdout

    def _inside(self, *arguments):
        return ["nsenter", "--target", str(self.pid), "--all",
                "env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", *arguments]

    def _find_first(self):
        """The process id, as it is outside, of systemd; before it is that, it is a shell's."""
        if not self.process.is_running():
            raise LabError(f"no systemd: {self.process.text()}")
        pid = self.process.child()
        return _name(pid) == "systemd" and pid

    def _has_booted(self):
        return self.systemctl("is-system-running", check=False).stdout.strip() in ("running", "degraded")


def _name(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""  # it has just ended
