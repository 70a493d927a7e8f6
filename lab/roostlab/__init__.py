# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster in a box: servers, a client and a router in network namespaces on one bridge.

    with Lab(servers=3) as lab:                 # everything is gone at the end, come what may
        cluster = Roost(lab, vips=["10.1.1.201", "fd00:1::201"])
        cluster.start()
        with Probe(lab.client, cluster.vips) as probe:
            lab.power_off(lab.servers[0])
            ...

The demo, the system tests, the interoperability tests and the benchmark all stand on it. It needs
root, iproute2 and nftables, and nothing from outside Python's standard library.
"""

from .capture import Capture
from .daemons import Cluster, Keepalived, Roost
from .holders import Holders
from .lab import Host, Lab, LabError
from .memory import MemoryGroup
from .probe import Probe
from .tracee import Tracee, thread_of
from .traffic import Traffic
from .wait import eventually, find_program, TimedOut
from .witness import Witness

__all__ = ["Capture", "Cluster", "Holders", "Host", "Keepalived", "Lab", "LabError", "MemoryGroup", "Probe",
           "Roost", "TimedOut", "Tracee", "Traffic", "Witness", "eventually", "find_program", "thread_of"]
