# SPDX-License-Identifier: GPL-3.0-or-later
"""The name server under a flood that nobody waits for: good questions are answered all the same, and
memory stays as it is. FLOOD_SECONDS says for how long."""

import json
import os
import pathlib
import select
import signal
import socket
import sys
import time

import dns.edns
import dns.message
import pytest

from conftest import V4
from roostlab import Roost, eventually
from roostlab.nameserver import NameServer, ask
from roostlab.net import inside

SECONDS = float(os.environ.get("FLOOD_SECONDS", "30"))
SLOW_SECONDS = 4
FLOOD = 20000  # datagrams a second
GOOD = FLOOD // 10
NAME = "www.example.com"

# Sends a question at a pace, or garbage and the question in turns, and never looks whether anything comes back.
FLOODER = """
import os, random, socket, sys, time
address, kind, rate = sys.argv[1], sys.argv[2], int(sys.argv[3])
query = bytes.fromhex(sys.argv[4])
random.seed(1)
garbage = [os.urandom(random.choice((0, 3, 12, 17, 40, 200, 1400))) for _ in range(200)]
mangled = [bytearray(query) for _ in range(200)]
for m in mangled:
    m[random.randrange(2, len(m))] = random.randrange(256)
bag = [query]
if kind == "mixed":
    bag = [each for bad in garbage + mangled for each in (bad, query)]
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
s.connect((address, 53))
sent, begun = 0, time.monotonic()
while True:
    while sent < (time.monotonic() - begun) * rate:
        try:
            s.send(bag[sent % len(bag)])
        except OSError:
            pass
        sent += 1
    time.sleep(0.001)
"""

# Begins questions over TCP from all the places that each of some addresses may have, and takes new ones for those that
# are lost.
TCP_FLOODER = """
import socket, sys, time
to, addresses = sys.argv[1], sys.argv[2:]
held = {a: [] for a in addresses}
def is_held(s):
    try:
        return s.recv(1, socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
while True:
    for a, mine in held.items():
        mine[:] = filter(is_held, mine)
        while len(mine) < 100:
            s = socket.socket()
            s.bind((a, 0))
            try:
                s.connect((to, 53))
                s.send(bytes((0, 32, 0)))
            except OSError:
                continue
            mine.append(s)
    time.sleep(0.01)
"""


def with_cookie(client, address):
    """A question with the cookie that the server gave (RFC 7873), which is no subject of limits."""
    own = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"12345678")
    answer = ask(client, address, NAME, use_edns=0, options=[own])
    cookie = next(o for o in answer.options if o.otype == dns.edns.OptionType.COOKIE)
    return dns.message.make_query(NAME, "A", use_edns=0, options=[
        dns.edns.GenericOption(dns.edns.OptionType.COOKIE, cookie.to_wire())])


def good_answers(client, address, query, seconds):
    """Asks GOOD times a second; how many questions, and how many answers with addresses."""
    wire = query.to_wire()
    asked = answered = 0
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with inside(client.name), socket.socket(family, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.connect((address, 53))
        s.setblocking(False)
        begun = time.monotonic()
        while (now := time.monotonic()) < begun + seconds + 0.5:
            while asked < min(now - begun, seconds) * GOOD:
                s.send(wire)
                asked += 1
            while select.select([s], [], [], 0)[0]:
                answer = s.recv(4096)
                answered += answer[7] == 2 and not answer[2] & 2
            time.sleep(0.002)
    return asked, answered


def resident_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


def flood(host, address, kind, rate):
    return host.spawn(sys.executable, "-c", FLOODER, address, kind, str(rate),
                      dns.message.make_query(NAME, "A").to_wire().hex(), name="flooder")


def test_a_flood_of_garbage_and_questions_stops_no_good_answer_and_grows_no_memory(new_lab):
    lab = new_lab(servers=1, echo=False, witness=True)
    server = lab.servers[0]
    cluster = Roost(lab, config={"interface": "eth0", "domain": "example.com",
                                 "nodes": {"www1": server.ipv4}, "services": {"www": V4[:2]}})
    nameserver = NameServer(server, cluster.path).start()
    good = with_cookie(lab.client, server.ipv4)
    flooder = flood(lab.witness, server.ipv4, "mixed", FLOOD)
    time.sleep(0.5)
    before, counted = resident_kib(nameserver.process.pid), nameserver.counters()
    asked, answered = good_answers(lab.client, server.ipv4, good, SECONDS)
    after, counters = resident_kib(nameserver.process.pid), nameserver.counters()
    assert flooder.is_running()
    flooder.kill()
    assert answered >= 0.95 * asked, f"{answered} of {asked}"
    assert after - before < 1024
    # the controls: there was a flood, of both kinds, and it was limited
    assert counters["udp4"] - counted["udp4"] > 5 * asked
    assert counters["ignored"] - counted["ignored"] > asked / 2
    assert counters["rrl_dropped"] - counted["rrl_dropped"] > asked


def test_questions_that_never_end_from_many_addresses_leave_places_for_others(new_lab):
    lab = new_lab(servers=1, echo=False, witness=True)
    server = lab.servers[0]
    cluster = Roost(lab, config={"interface": "eth0", "domain": "example.com",
                                 "nodes": {"www1": server.ipv4}, "services": {"www": V4[:2]}})
    nameserver = NameServer(server, cluster.path).start()
    many = [f"10.1.1.{host}" for host in range(120, 131)]
    lab.witness.ip(*(f"address add {address}/24 dev eth0" for address in many))
    flooder = lab.witness.spawn(sys.executable, "-c", TCP_FLOODER, server.ipv4, *many, name="flooder")
    eventually(lambda: nameserver.status()["connections"] == 1000)
    for _ in range(40):
        assert ask(lab.client, server.ipv4, NAME, tcp=True).answer
        time.sleep(0.02)
    assert flooder.is_running()
    flooder.kill()
    assert nameserver.counters()["tcp_evicted"] > 40


@pytest.mark.parametrize("address, slow, asker", [("10.1.1.11", "10.9.1.1/24", "10.9.1.2/24"),
                                                  ("fd00:1::11", "fd00:9::1/64", "fd00:9::2/64")])
def test_an_interface_that_is_too_slow_for_its_askers_is_not_in_the_way_of_others(new_lab, address, slow, asker):
    lab = new_lab(servers=1, echo=False, witness=True)
    server = lab.servers[0]
    server.ip(f"link add slow type veth peer name slow netns {lab.witness.name}",
              f"address add {slow} dev slow nodad", "link set slow up")
    lab.witness.ip(f"address add {asker} dev slow nodad", "link set slow up")
    slow = slow.partition("/")[0]
    server.run("tc", "qdisc", "add", "dev", "slow", "root", "tbf", "rate", "200kbit", "burst", "3000",
               "limit", "10000000")
    cluster = Roost(lab, config={"interface": "eth0", "domain": "example.com", "nodes": {"www1": server.ipv4},
                                 "services": {"www": V4[:2]}, "dns": {"rate": 0, "threads": 1}})
    nameserver = NameServer(server, cluster.path).start()

    def backlog():
        shown = server.run("tc", "-json", "-statistics", "qdisc", "show", "dev", "slow").stdout
        return json.loads(shown)[0]["backlog"]

    assert address in (server.ipv4, server.ipv6)
    assert ask(lab.witness, slow, NAME).answer
    flooder = flood(lab.witness, slow, "valid", GOOD)
    eventually(lambda: nameserver.counters()["unsent"] > 0)  # the buffer is full
    before = nameserver.counters()["unsent"]
    asked, answered = good_answers(lab.client, address, dns.message.make_query(NAME, "A"), SLOW_SECONDS)
    assert flooder.is_running()
    flooder.kill()
    assert answered >= 0.95 * asked, f"{answered} of {asked}"
    # the controls: it was slow all the time, and it was used
    assert nameserver.counters()["unsent"] - before > asked / 2
    assert backlog() > 0
    # and when it is slow no longer, its askers are answered again, from the address that they asked
    server.run("tc", "qdisc", "del", "dev", "slow", "root")
    eventually(lambda: ask(lab.witness, slow, NAME).answer)


def test_what_the_kernel_had_no_room_for_is_told(new_lab):
    lab = new_lab(servers=1, echo=False)
    server = lab.servers[0]
    cluster = Roost(lab, config={"interface": "eth0", "domain": "example.com", "nodes": {"www1": server.ipv4},
                                 "services": {"www": V4[:2]}, "dns": {"rate": 0, "threads": 1}})
    nameserver = NameServer(server, cluster.path).start()
    query, sent = dns.message.make_query(NAME, "A").to_wire(), 20000
    nameserver.process.signal(signal.SIGSTOP)
    with inside(lab.client.name), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(sent):
            s.sendto(query, (server.ipv4, 53))
    nameserver.process.signal(signal.SIGCONT)

    def told():
        status = nameserver.status()
        return [entry["dropped"] for entry in status["listen"]], status["counters"]["udp4"]

    eventually(lambda: sum(told()[0]) + told()[1] == sent)
    assert told()[0][0] > 0 and told()[0][1] == 0  # of IPv4 and of IPv6
