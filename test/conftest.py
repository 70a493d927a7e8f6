# SPDX-License-Identifier: GPL-3.0-or-later
"""What the system and the interoperability tests share: labs that clean up, and logs of what failed."""

import contextlib
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

from roostlab import Lab, Roost  # noqa: E402

V4 = [f"10.1.1.{i}" for i in range(201, 207)]
V6 = [f"fd00:1::{i}" for i in range(201, 207)]


def pytest_collection_modifyitems(items):
    if os.geteuid():
        for item in items:
            item.add_marker(pytest.mark.skip(reason="network namespaces need root"))


@pytest.fixture
def stack():
    """Everything that a test enters is left at its end."""
    with contextlib.ExitStack() as entered:
        yield entered


@pytest.fixture
def new_lab(request, stack):
    """A function that builds a lab; its daemons' logs are shown if the test fails."""
    def build(**options):
        lab = stack.enter_context(Lab(**options))
        request.node.labs = [*getattr(request.node, "labs", []), lab]
        return lab
    return build


@pytest.fixture
def start(new_lab):
    """A function that starts roostd on a lab's servers and waits for the planned map."""
    def start_cluster(vips=None, servers=3, lab=None, config=None, settle=True, **vrrp):
        lab = lab or new_lab(servers=servers)
        vrrp.setdefault("interval", "50ms")
        cluster = Roost(lab, vips or V4, config=config(lab) if config else None, **vrrp)
        cluster.start()
        if settle:
            cluster.settle()
        return cluster
    return start_cluster


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        for lab in getattr(item, "labs", ()):
            for path in sorted(lab.folder.glob("*.log")):
                text = path.read_text(errors="replace")
                if text and "tcpdump" not in path.name:
                    report.sections.append((path.name, text[-6000:]))
