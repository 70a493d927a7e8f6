# SPDX-License-Identifier: GPL-3.0-or-later
"""What the file and the command line can ask for, and what they cannot."""

import json
import os
import re
import signal
import socket
import time

import pytest

from conftest import V4, V6
from roostlab import Capture, Roost, eventually
from roostlab.daemons import roost_config
from roostlab.net import inside


def test_unicast_peers_need_no_multicast(start, stack):
    cluster = start(V4[:3], peers="unicast")
    lab = cluster.lab
    capture = stack.enter_context(Capture(lab.servers[1]))
    heard = eventually(lambda: [p for p in capture.packets() if p.kind == "vrrp" and
                                p.destination == lab.servers[1].ipv4])
    assert {p.ttl for p in heard} == {255}
    assert not [p for p in capture.packets() if p.kind == "vrrp" and p.destination == "224.0.0.18"]
    lab.power_off(lab.servers[0])
    cluster.settle()


class Named(Roost):
    """All of whose servers are told which node they are."""

    node = "www2"

    def command(self, server):
        return [*super().command(server), "-n", self.node]


def test_a_machine_that_has_another_nodes_addresses_refuses_to_be_this_one(new_lab):
    lab = new_lab(servers=2)
    cluster = Named(lab, V4[:1], interval="50ms", peers="unicast")
    cluster.start()
    wrong, right = lab.servers
    assert cluster.running[wrong].wait(5) == 1
    assert "an address of www1 and none of www2, which -n says it is" in cluster.log(wrong)
    eventually(lambda: cluster.holders()[V4[0]] == [right])
    assert "which it is said to be" not in cluster.log(right)


def test_a_machine_whose_addresses_are_still_to_come_starts_with_a_warning(new_lab):
    lab = new_lab(servers=2)
    cluster = Named(lab, V4[:1], interval="50ms")
    server = lab.servers[1]
    server.ip(f"address delete {server.ipv4}/24 dev eth0", "address add 10.77.0.1/32 dev eth0")
    cluster.start(server)
    eventually(lambda: cluster.holders()[V4[0]] == [server])
    assert "this machine has no address of www2 yet, which it is said to be" in cluster.log(server)


def test_unicast_ipv6(start, new_lab):
    def config(lab):
        file = roost_config(lab, {"www": V6[:3]}, interval="50ms", peers="unicast")
        file["nodes"] = {s.short: [s.ipv4, s.ipv6] for s in lab.servers}
        return file
    cluster = start(V6[:3], config=config)
    cluster.lab.power_off(cluster.lab.servers[0])
    cluster.settle()


def test_version_2(start, stack):
    cluster = start(V4[:3], version=2, interval="1s")
    capture = stack.enter_context(Capture(cluster.lab.client))
    packets = eventually(lambda: [p for p in capture.packets() if p.kind == "vrrp"])
    assert {(p.version, p.interval) for p in packets} == {(2, 1.0)}
    cluster.lab.power_off(cluster.lab.servers[0])
    cluster.settle()


def test_nodes_with_different_versions_of_the_file_agree_on_one_holder(new_lab):
    """A rolling change of the file: VIPs were appended, another node has one taken away."""
    lab = new_lab(servers=3)
    cluster = Roost(lab, V4, interval="50ms")
    for server, vips in zip(lab.servers, (V4[:4], V4, V4[:1] + V4[2:])):
        path = lab.folder / f"{server.short}.yaml"
        path.write_text(json.dumps(roost_config(lab, {"www": vips}, interval="50ms")))
        cluster.paths[server] = path
    cluster.start()
    eventually(cluster.is_single)
    for down in lab.servers:
        lab.power_off(down)
        eventually(cluster.is_single)
        lab.power_on(down)
        cluster.start(down)
        eventually(lambda: cluster.status(down) and
                   all(v["holder"] for v in cluster.status(down)["vips"]))
        eventually(cluster.is_single)


def test_a_delay_of_preemption_is_kept_but_not_when_nobody_serves(start):
    cluster = start(V4[:3], preempt_delay="1s", settle=False)
    lab = cluster.lab
    eventually(cluster.is_single, within=0.9)  # nobody served: no delay
    lab.power_off(lab.servers[0])
    eventually(cluster.is_single)
    lab.power_on(lab.servers[0])
    began = time.monotonic()
    cluster.start(lab.servers[0])
    cluster.settle()
    assert time.monotonic() - began > 1


def test_two_clusters_share_a_segment(new_lab):
    """Their virtual routers have the same VRIDs."""
    lab = new_lab(servers=4)
    clusters = []
    for name, vips, servers in (("a", V4[:2], lab.servers[:2]), ("b", V4[2:4], lab.servers[2:])):
        file = roost_config(lab, {name: vips}, interval="50ms")
        file["nodes"] = {server.short: server.ipv4 for server in servers}
        cluster = Roost(lab, vips, config=file)
        cluster.path = lab.folder / f"{name}.yaml"
        cluster.write()
        cluster.start(*servers)
        clusters.append(cluster)
    for cluster in clusters:
        cluster.settle()
    lab.power_off(lab.servers[0])
    lab.power_off(lab.servers[3])
    for cluster in clusters:
        cluster.settle()


@pytest.mark.parametrize("mistake, complaint", [
    ("interfaces: eth0", "interface"),                   # an unknown key, and the nearest known one
    ("services: {www: [10.1.1.11]}", "10.1.1.11"),       # a node's own address
    ("services: {www: [10.1.1.201, 10.1.1.201]}", "10.1.1.201"),
    ("vrrp: {interval: 3ms}", "interval"),
    ("nodes: [", ""),
])
def test_a_bad_file_is_refused_before_anything_is_touched(new_lab, mistake, complaint):
    lab = new_lab(servers=1)
    good = {"interface": "interface: eth0", "nodes": "nodes: {www1: 10.1.1.11, www2: 10.1.1.12}",
            "services": "services: {www: [10.1.1.201, 10.1.1.202]}"}
    good.pop(mistake.split(":")[0], None)
    cluster = Roost(lab, V4[:2], text="\n".join([*good.values(), mistake]) + "\n")
    before = lab.servers[0].addresses()
    cluster.start()
    assert cluster.running[lab.servers[0]].wait(5) == 1
    assert re.search(r"roost\.yaml:\d+:\d+: ", cluster.log(lab.servers[0]))
    assert complaint in cluster.log(lab.servers[0])
    assert lab.servers[0].addresses() == before
    assert cluster.roost("check", cluster.path, check=False).returncode == 1


def test_a_server_without_a_nodes_address_says_so_and_waits_for_one(new_lab):
    lab = new_lab(servers=1)
    cluster = Roost(lab, V4[:1], config={"interface": "eth0", "nodes": {"a": "10.1.1.61", "b": "10.1.1.62"},
                                         "services": {"www": V4[:1]}, "vrrp": {"interval": "50ms"}})
    cluster.start()
    eventually(lambda: "address" in cluster.log(lab.servers[0]))
    assert V4[0] not in lab.servers[0].addresses()
    lab.servers[0].ip("address add 10.1.1.62/24 dev eth0")
    eventually(lambda: V4[0] in lab.servers[0].addresses())
    assert cluster.status(lab.servers[0])["node"] == "b"


def test_the_status_tells_everything(start):
    cluster = start(V4[:3] + V6[:3])
    server = cluster.lab.servers[0]

    def is_told():
        found = cluster.status(server)
        assert found["node"] == "www1" and found["cluster"] == "roost" and found["state"] == "serving"
        assert [n["name"] for n in found["nodes"]] == ["www1", "www2", "www3"]
        assert [n["self"] for n in found["nodes"]] == [True, False, False]
        assert [n["vips"] for n in found["nodes"]] == [2, 2, 2]
        assert found["interfaces"][0]["up"] and found["interfaces"][0]["ipv4"] == server.ipv4
        assert found["counters"]["sent"] > 0 and found["counters"]["accepted"] > 0
        holders = cluster.holders()
        for vip in found["vips"]:
            assert vip["holder"] == holders[vip["address"]][0].short
            assert vip["order"] == [s.short for s in cluster.orders()[vip["address"]]]
            assert vip["service"] == "www" and vip["interface"] == "eth0" and 1 <= vip["vrid"] <= 255
            assert (vip["state"] == "active") == vip["held"] == (vip["holder"] == "www1")
            assert vip["why"] and vip["since_s"] >= 0 and vip["since"].endswith("Z")
        return True
    eventually(is_told)
    text = cluster.roost("status", "-s", cluster.socket(server)).stdout
    assert all(vip in text for vip in cluster.vips)


def test_all_servers_tell_the_same_story(start):
    cluster = start(V4)

    def same():
        stories = [{v["address"]: v["holder"] for v in cluster.status(s)["vips"]} for s in cluster.lab.servers]
        return stories[0] == stories[1] == stories[2]
    eventually(same)


def test_the_journal_says_one_line_for_each_move(start):
    cluster = start(V4)
    lab = cluster.lab
    for vip, order in cluster.orders().items():
        lines = [line for line in cluster.log(order[0]).splitlines() if vip in line]
        assert lines, f"nothing about {vip}"
    lab.power_off(lab.servers[0])
    cluster.settle()
    for vip, order in cluster.orders().items():
        if order[0] is lab.servers[0]:
            assert [line for line in cluster.log(order[1]).splitlines() if vip in line]


def test_a_second_daemon_is_refused(start):
    cluster = start(V4[:2], servers=1)
    server = cluster.lab.servers[0]
    second = server.spawn(*cluster.command(server), name="second")
    assert second.wait(5) == 1
    assert cluster.is_single()


@pytest.mark.parametrize("fence", ["auto", "off"])
def test_a_second_daemon_is_refused_whatever_its_socket(start, fence):
    """It would take the first one's addresses and its fence for leftovers."""
    cluster = start(V4[:2], servers=1, config=lambda lab: roost_config(lab, {"www": V4[:2]}) | {"fence": fence})
    server = cluster.lab.servers[0]
    before = cluster.status(server)["fence"]
    command = cluster.command(server)
    command[command.index("-s") + 1] = str(cluster.lab.folder / "other.socket")
    for _ in range(20):  # it is not only those who ask first that are told
        second = server.spawn(*command, name="second")
        assert second.wait(5) == 1
        assert "another roostd runs in this network namespace" in second.text()
    assert cluster.is_single() and cluster.status(server)["fence"] == before


@pytest.mark.parametrize("listens", [False, True])
def test_a_user_who_takes_its_name_does_not_keep_it_from_starting(new_lab, stack, listens):
    """Names of Unix sockets without a file are free for all."""
    lab = new_lab(servers=1)
    server = lab.servers[0]
    with inside(server.name):
        taken = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    taker = os.fork()
    if taker == 0:
        os.setuid(64321)
        taken.bind("\0roostd")
        if listens:
            taken.listen()
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    stack.callback(os.waitpid, taker, 0)
    stack.callback(os.kill, taker, signal.SIGKILL)
    os.waitpid(taker, os.WUNTRACED)
    cluster = Roost(lab, V4[:1], interval="50ms")
    cluster.start()
    cluster.settle()
    assert "somebody who is no roostd has the name @roostd" in cluster.log(server)


@pytest.mark.parametrize("request_line", ["", "{", "null", '{"command":"dance"}', "x" * 20000],
                         ids=["empty", "half", "null", "unknown", "long"])
def test_a_bad_request_gets_an_answer_and_harms_nobody(start, request_line):
    cluster = start(V4[:2], servers=1)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(3)
        s.connect(cluster.socket(cluster.lab.servers[0]))
        try:
            s.sendall(request_line.encode() + b"\n")
            answer = s.recv(1 << 16)
        except (BrokenPipeError, ConnectionResetError):
            answer = b'{"error":"too long"}'  # it did not wait for the rest
    assert "error" in json.loads(answer)
    assert cluster.status(cluster.lab.servers[0])
