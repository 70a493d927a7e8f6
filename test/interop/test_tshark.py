# SPDX-License-Identifier: GPL-3.0-or-later
"""A second opinion on every kind of packet that we send: tshark must decode it without a complaint."""

import pytest

from conftest import V4, V6
from roostlab import Capture, eventually

CHECKSUM_GOOD = "1"


def fields(capture, display_filter, *names, preferences=()):
    """The given fields of each packet that matches."""
    arguments = ["-Y", display_filter, "-T", "fields", "-E", "separator=|"]
    for preference in preferences:
        arguments += ["-o", preference]
    for name in names:
        arguments += ["-e", name]
    return [line.split("|") for line in capture.tshark(*arguments).splitlines()]


def complaints(capture, preferences=()):
    return fields(capture, "_ws.expert || _ws.malformed", "frame.number", "_ws.expert.message",
                  preferences=preferences)


@pytest.mark.parametrize("version, vips, checksum", [
    (3, V4, "message"), (3, V4, "pseudo-header"), (3, V6, "auto"), (2, V4, "auto")],
    ids=["v3-message", "v3-pseudo-header", "v3-ipv6", "v2"])
def test_tshark_has_nothing_to_say(new_lab, start, stack, version, vips, checksum):
    lab = new_lab(servers=2, router=True)
    capture = stack.enter_context(Capture(lab.client))
    cluster = start(vips, lab=lab, version=version, checksum=checksum,
                    interval="1s" if version == 2 else "50ms")
    cluster.stop(lab.servers[0])  # priority 0, and the successor's announcements
    cluster.settle([lab.servers[1]])
    ours = " || ".join(f"eth.src == {s.mac}" for s in lab.servers)
    preference = [f"vrrp.v3_checksum_as_in_v2:{'TRUE' if checksum == 'message' else 'FALSE'}",
                  "ip.check_checksum:TRUE",
                  # A VIP that moved is at two MACs, one after the other.
                  "arp.detect_duplicate_ips:FALSE"]
    adverts = eventually(lambda: fields(capture, f"vrrp && ({ours})", "vrrp.version", "vrrp.checksum.status",
                                        "vrrp.prio", "ip.checksum.status", preferences=preference))
    assert {a[0] for a in adverts} == {str(version)}
    assert {a[1] for a in adverts} == {CHECKSUM_GOOD}
    assert "0" in {a[2] for a in adverts}, "no packet of priority 0 was captured"
    if vips is V4:
        assert {a[3] for a in adverts} == {CHECKSUM_GOOD}
        kinds = {"arp.isgratuitous == 1": "announcement",
                 f"arp.dst.proto_ipv4 == {lab.router.ipv4}": "question to the gateway"}
    else:
        kinds = {"icmpv6.type == 136 && ipv6.dst == ff02::1": "announcement",
                 f"icmpv6.nd.ns.target_address == {lab.router.ipv6}": "question to the gateway"}
    for display_filter, name in kinds.items():
        assert fields(capture, f"({display_filter}) && ({ours})", "frame.number"), f"no {name} was captured"
    assert [c for c in complaints(capture, preference) if c[1] and "gratuitous" not in c[1].lower()] == []


def test_control_tshark_complains_about_the_other_checksum(start, stack):
    cluster = start(V4[:2], servers=1, checksum="message")
    capture = stack.enter_context(Capture(cluster.lab.client, "proto 112"))
    eventually(capture.packets)
    seen = fields(capture, "vrrp", "vrrp.checksum.status",
                  preferences=["vrrp.v3_checksum_as_in_v2:FALSE"])
    assert seen and {s[0] for s in seen} != {CHECKSUM_GOOD}
