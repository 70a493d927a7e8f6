# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones for other servers: NSD, Knot and BIND as secondaries, and who gets nothing."""

import base64
import contextlib
import json
import pathlib
import re
import socket
import struct
import subprocess
import time

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsigkeyring
import pytest

from conftest import V4, V6
from roostlab import Lab, eventually, find_program
from roostlab.nameserver import NameServer, addresses, ask
from roostlab.net import inside

KEY = "transfer.example"
SECRET = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(1, 33))).decode()
PORT = 5300

# A refresh after hours: what a secondary learns before, NOTIFY has told.
ZONE = """\
$TTL 300
@ IN SOA ns1 hostmaster {serial} 36000 6000 864000 60
@ NS ns1
@ MX 10 mail
ns1 A 10.1.1.11
mail A 10.1.1.20
mail AAAA fd00:1::20
alias CNAME mail
*.wild TXT "a wildcard"
text TXT "first" "second"
_sip._tcp SRV 1 2 5060 mail
sub NS ns.sub
ns.sub A 10.1.1.30
bücher A 10.1.1.40
{more}
"""
QUESTIONS = [("example.com", "SOA"), ("example.com", "NS"), ("example.com", "MX"), ("mail.example.com", "AAAA"),
             ("alias.example.com", "A"), ("x.wild.example.com", "TXT"), ("text.example.com", "TXT"),
             ("_sip._tcp.example.com", "SRV"), ("a.sub.example.com", "A"), ("none.example.com", "A"),
             ("xn--bcher-kva.example.com", "A"), ("www.float.example", "A"), ("www.float.example", "AAAA"),
             ("float.example", "SOA")]


class Primary(NameServer):
    """roost-dns with a zone from a file and a derived one."""

    def __init__(self, lab, transfer, signed=True, more=""):
        self.lab, self.more, self.serial = lab, more, 1
        self.zone, self.key = lab.folder / "example.com.zone", lab.folder / "key"
        self.write_zone()
        self.key.write_text(SECRET + "\n")
        self.key.chmod(0o600)
        config = {"interface": "eth0", "domain": "float.example", "nodes": {"dns1": lab.servers[0].ipv4},
                  "services": {"www": V4[:3] + V6[:2], "one": {"vips": V4[3:6], "rotation": "weighted"}},
                  "dns": {"port": PORT, "threads": 1, "rate": 0, "transfer": transfer,
                          "zones": {"example.com": str(self.zone)}}}
        if signed:
            config["dns"]["tsig"] = {"name": KEY, "algorithm": "hmac-sha256", "secret-file": str(self.key)}
        path = lab.folder / "roost.yaml"
        path.write_text(json.dumps(config))
        super().__init__(lab.servers[0], path)
        self.address = lab.servers[0].ipv4

    def write_zone(self):
        self.zone.write_text(ZONE.format(serial=self.serial, more=self.more))

    def change(self):
        """The next serial, with a record that tells it."""
        self.serial += 1
        self.more += f"\nserial{self.serial} A 10.1.1.50\n"
        self.write_zone()
        self.reload()


class Nsd:
    program, is_v6 = "/usr/sbin/nsd", False

    def command(self, host, primary, folder):
        zones = "".join(f"""zone:
  name: {zone}
  zonefile: {folder}/{zone}
  allow-notify: {primary} {KEY}
  request-xfr: AXFR {primary}@{PORT} {KEY}
""" for zone in ("example.com", "float.example"))
        (folder / "nsd.conf").write_text(f"""server:
  ip-address: {host.ipv4}@{PORT}
  server-count: 1
  round-robin: yes
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  xfrdir: "{folder}"
remote-control:
  control-enable: no
key:
  name: {KEY}
  algorithm: hmac-sha256
  secret: "{SECRET}"
{zones}""")
        return [self.program, "-d", "-c", str(folder / "nsd.conf")]


class Knot:
    program, is_v6 = "/usr/sbin/knotd", True

    def command(self, host, primary, folder):
        (folder / "knot.conf").write_text(f"""server:
    listen: [{host.ipv4}@{PORT}, {host.ipv6}@{PORT}]
    rundir: {folder}
    answer-rotation: on
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: {folder}
key:
  - id: {KEY}
    algorithm: hmac-sha256
    secret: {SECRET}
remote:
  - id: roost
    address: {primary}@{PORT}
    key: {KEY}
acl:
  - id: notify
    address: {primary}
    key: {KEY}
    action: notify
template:
  - id: default
    storage: {folder}
    master: roost
    acl: notify
zone:
  - domain: example.com
  - domain: float.example
""")
        return [self.program, "-c", str(folder / "knot.conf")]


class Bind:
    program, is_v6 = "/usr/sbin/named", False

    def command(self, host, primary, folder):
        zones = "".join(f"""zone "{zone}" {{
    type secondary; file "{folder}/{zone}"; primaries {{ {primary} port {PORT} key {KEY}; }};
}};
""" for zone in ("example.com", "float.example"))
        (folder / "named.conf").write_text(f"""options {{
    directory "{folder}"; pid-file "{folder}/pid"; session-keyfile "{folder}/session";
    listen-on port {PORT} {{ {host.ipv4}; }}; listen-on-v6 {{ none; }};
    recursion no; notify no; minimal-responses yes; dnssec-validation no;
}};
controls {{ }};
key "{KEY}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};
{zones}""")
        return [self.program, "-f", "-g", "-n", "1", "-c", str(folder / "named.conf")]


@pytest.fixture
def primary(new_lab):
    """A primary on the first server, the others may transfer; one that is no secondary is the client."""
    def build(servers=2, transfer=None, **options):
        lab = new_lab(servers=servers, echo=False)
        if transfer is None:
            transfer = [f"{address}@{PORT}" for host in lab.servers[1:] for address in (host.ipv4, host.ipv6)]
        return Primary(lab, transfer, **options)
    return build


def dig(host, primary, *arguments, program="dig"):
    """What it prints, complaints among it."""
    once = {"dig": "+tries=1", "kdig": "+retry=0"}[program]
    done = host.run(program, f"@{primary.address}", "-p", str(PORT), "+time=2", once, *arguments, check=False)
    return done.stdout + done.stderr


def check(server):
    return server.server.run(find_program("roost"), "check", str(server.path), check=False)


def records(text):
    """The records of a transfer, in a form that does not depend on who prints them."""
    lines = (line.split() for line in text.splitlines() if line and not line.startswith(";"))
    return sorted(" ".join(words) for words in lines if "TSIG" not in words)


def answer(client, address, name, rdtype):
    """What a server says, as far as two of them must agree: NS beside an answer is a matter of taste."""
    message = ask(client, address, name, rdtype, port=PORT)
    lines = [line for rrset in message.answer or message.authority for line in rrset.to_text().splitlines()]
    return message.rcode(), bool(message.flags & dns.flags.AA), sorted(lines)


# Secondaries


@pytest.mark.parametrize("kind", [Nsd, Knot, Bind], ids=lambda kind: kind.__name__)
def test_a_secondary_loads_the_zones_answers_alike_and_follows_a_reload(primary, kind):
    server = primary()
    secondary, client = server.lab.servers[1], server.lab.client
    folder = pathlib.Path(server.lab.folder / kind.__name__)
    folder.mkdir()
    server.lab.folder.chmod(0o755)
    server.start()
    address = server.server.ipv6 if kind.is_v6 else server.address
    process = secondary.spawn(*kind().command(secondary, address, folder), name=kind.__name__)

    def serial():
        return [r.serial for rrset in ask(client, secondary.ipv4, "example.com", "SOA", port=PORT, timeout=0.5).answer
                for r in rrset]

    def is_loaded():
        try:
            return serial() == [server.serial] and ask(
                client, secondary.ipv4, "www.float.example", port=PORT, timeout=0.5).answer
        except (OSError, dns.exception.Timeout):
            return False

    eventually(is_loaded, within=15, message=process.text)
    for name, rdtype in QUESTIONS:
        assert answer(client, secondary.ipv4, name, rdtype) == answer(client, server.address, name, rdtype)
    # with an order of its own, as roost.yaml(5) sets it up, and all of what we choose one from
    firsts = {addresses(ask(client, secondary.ipv4, "www.float.example", port=PORT))[0] for _ in range(50)}
    assert firsts == set(V4[:3])
    assert len(addresses(ask(client, server.address, "one.float.example", port=PORT))) == 1
    assert set(addresses(ask(client, secondary.ipv4, "one.float.example", port=PORT))) == set(V4[3:6])
    assert 'service one: "rotation: weighted" does not reach the secondaries' in check(server).stderr
    # RFC 1996: long before the SOA's refresh
    server.change()
    eventually(is_loaded, within=8, message=process.text)
    assert ask(client, secondary.ipv4, "serial2.example.com", port=PORT).answer


# Who gets a zone


def test_a_signed_transfer_is_whole_to_dig_and_kdig_and_over_many_messages(primary):
    server = primary(more="".join(f'r{i} TXT "record number {i}"\n' for i in range(5000)))
    host = server.lab.servers[1]
    server.start()
    question = ("-y", f"hmac-sha256:{KEY}:{SECRET}", "+noall", "+answer", "example.com", "AXFR")
    with_dig = records(dig(host, server, *question))
    with_kdig = records(dig(host, server, "+noidn", *question, program="kdig"))
    assert len(with_dig) == 5000 + 14  # the SOA twice (RFC 5936 2.2)
    assert with_dig == with_kdig
    assert sum(" SOA " in line for line in with_dig) == 2
    messages = dig(host, server, "-y", f"hmac-sha256:{KEY}:{SECRET}", "EXAMPLE.com", "AXFR")
    assert "messages 1," not in messages and "messages" in messages
    assert server.counters()["transfers"] == 3
    assert len(re.findall(r"the transfer of example\.com\., serial 1, to \S+ is complete after \d{6} bytes", server.log())) == 3


@pytest.mark.parametrize("asks, key, says, logged", [
    ("dns2", f"hmac-sha256:{KEY}:{OTHER}", "BADSIG", "BADSIG, its secret"),
    ("dns2", f"hmac-sha256:other.example:{SECRET}", "BADKEY", "BADKEY, "),
    ("dns2", f"hmac-sha512:{KEY}:{SECRET}", "BADKEY", "BADKEY, "),
    ("dns2", None, "REFUSED", "REFUSED, it does not sign"),
    ("client", f"hmac-sha256:{KEY}:{SECRET}", "REFUSED", "REFUSED, not in transfer:"),
    ("client", None, "REFUSED", "REFUSED, not in transfer:"),
    ("dns2", f"hmac-sha256:{KEY}:{SECRET}", None, None),
])
def test_who_may_not_transfer_is_told_so_and_so_is_the_log(shared, asks, key, says, logged):
    server = shared
    host = server.lab.servers[1] if asks == "dns2" else server.lab.client
    before = len(server.log())
    text = dig(host, server, *(["-y", key] if key else []), "example.com", "AXFR")
    kdig = dig(host, server, *(["-y", key] if key else []), "example.com", "AXFR", program="kdig")
    if says is None:  # the control: one that may
        assert "mail.example.com" in text
        return
    assert "mail.example.com" not in text
    address = host.ipv4 if asks == "dns2" else "10.1.1.100"
    assert server.log()[before:].count(f"a transfer of example.com. is refused to {address}: {logged}") == 2
    if says.startswith("BAD"):  # RFC 8945 5.2
        assert says in text
    else:
        assert "REFUSED" in kdig


@pytest.fixture(scope="module")
def shared():
    """One primary for all that only ask; secondary www2 and a stranger."""
    with Lab(servers=2, echo=False) as lab:
        yield Primary(lab, [f"{lab.servers[1].ipv4}@{PORT}"]).start()


def test_without_a_key_the_address_alone_decides(primary):
    server = primary(signed=False)
    server.start()
    host, client = server.lab.servers[1], server.lab.client
    assert "mail.example.com" in dig(host, server, "example.com", "AXFR")
    assert "mail.example.com" not in dig(client, server, "example.com", "AXFR")
    # a zone that is not here (RFC 5936 2.2.1)
    assert "NOTAUTH" in dig(host, server, "example.net", "AXFR", program="kdig")
    # a key that we do not have (RFC 8945 5.2.1)
    assert "BADKEY" in dig(host, server, "-y", f"hmac-sha256:{KEY}:{SECRET}", "example.com", "AXFR")


def test_ixfr_is_one_soa_to_who_is_current_and_the_zone_to_who_is_not(shared):
    host = shared.lab.servers[1]
    key = ("-y", f"hmac-sha256:{KEY}:{SECRET}", "+noall", "+answer")
    assert len(records(dig(host, shared, *key, "example.com", "IXFR=1"))) == 1
    assert len(records(dig(host, shared, *key, "example.com", "IXFR=5"))) == 1
    assert len(records(dig(host, shared, *key, "example.com", "IXFR=0"))) == 14
    # RFC 1995 2: over UDP it says only how new it is
    assert len(records(dig(host, shared, *key, "+notcp", "example.com", "IXFR=0"))) == 1


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_a_signed_question_gets_a_signed_answer_from_anywhere(shared, tcp):
    ring = dns.tsigkeyring.from_text({KEY: SECRET})
    query = dns.message.make_query("mail.example.com", "A", use_edns=0)
    query.use_tsig(ring, algorithm="hmac-sha256")
    with inside(shared.lab.client.name):
        send = dns.query.tcp if tcp else dns.query.udp
        reply = send(query, shared.address, port=PORT, timeout=2)  # verifies it
    assert reply.had_tsig and reply.tsig_error == 0
    assert reply.answer[0][0].address == "10.1.1.20"


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_a_secondary_whose_clock_is_wrong_is_told_in_the_log(shared, tcp, monkeypatch):
    """It asks for the SOA first, and for the zone only if it likes the answer."""
    query = dns.message.make_query("example.com", "SOA", use_edns=0)
    query.use_tsig(dns.tsigkeyring.from_text({KEY: SECRET}), algorithm="hmac-sha256")
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now - 3600)
        wire = query.to_wire()
    before = len(shared.log())
    with inside(shared.lab.servers[1].name), \
            socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as s:
        s.settimeout(2)
        s.connect((shared.address, PORT))
        s.sendall((struct.pack("!H", len(wire)) if tcp else b"") + wire)
        s.recv(4096)
    says = f"a signed question for example.com. is refused to {shared.lab.servers[1].ipv4}: BADTIME, its clock"
    assert says in shared.log()[before:]


def test_strangers_fill_no_log(primary):
    server = primary(signed=False)
    server.start()
    query = dns.message.make_query("example.com", "AXFR")
    with inside(server.lab.client.name):
        for _ in range(30):
            assert dns.query.tcp(query, server.address, port=PORT, timeout=2).rcode() == dns.rcode.REFUSED
    assert server.log().count("not in transfer:") == 10
    assert "no more lines like this one for a minute" in server.log()
    dig(server.lab.servers[1], server, "example.com", "AXFR")
    assert "is complete" in server.log()


# NOTIFY


def test_notify_is_repeated_until_it_is_acknowledged(primary):
    server = primary(transfer=["10.1.1.100@5301"])
    ring = dns.tsigkeyring.from_text({KEY: SECRET})
    with inside(server.lab.client.name):
        us = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with us:
        us.bind(("10.1.1.100", 5301))
        us.settimeout(5)
        server.start()
        heard = []

        def hear():
            message, sender = us.recvfrom(4096)
            notify = dns.message.from_wire(message, keyring=ring)
            assert notify.opcode() == dns.opcode.NOTIFY and notify.had_tsig
            assert notify.answer[0].rdtype == dns.rdatatype.SOA  # RFC 1996 3.7
            heard.append(notify.question[0].name.to_text())
            return notify, sender

        first = [hear() for _ in range(2)]
        assert sorted(heard) == ["example.com.", "float.example."]
        for notify, sender in (hear() for _ in range(2)):
            us.sendto(dns.message.make_response(notify).to_wire(), sender)
        assert len(first) == 2 and sorted(heard[2:]) == sorted(heard[:2])
        us.settimeout(2.5)
        with pytest.raises(TimeoutError):
            us.recv(4096)
        server.change()  # of one zone; both are told of all the same
        told = [hear() for _ in range(2)]
        assert sorted(heard[4:]) == sorted(heard[:2])
        secondary, = server.status()["secondaries"]
        assert secondary == {"address": "10.1.1.100", "port": 5301, "waiting": 2, "refused": 0, "unanswered": 0}
        notify, sender = next(each for each in told if each[0].question[0].name.to_text() == "example.com.")
        assert notify.answer[0][0].serial == 2
        refusal = dns.message.make_response(notify)
        refusal.set_rcode(dns.rcode.NOTAUTH)
        us.sendto(refusal.to_wire(), sender)
        eventually(lambda: "NOTIFY of example.com. to 10.1.1.100@5301 in vain: NOTAUTH" in server.log())
        assert server.status()["secondaries"][0]["refused"] == 1


def test_notify_to_us_is_not_implemented(shared):
    notify = dns.message.make_query("example.com", "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    with inside(shared.lab.client.name):
        reply = dns.query.udp(notify, shared.address, port=PORT, timeout=2)
    assert reply.rcode() == dns.rcode.NOTIMP


# Nobody is held up


def frames(connection):
    """Messages, as long as there are any."""
    def take(size):
        data = b""
        while len(data) < size:
            piece = connection.recv(size - len(data))
            if not piece:
                return data
            data += piece
        return data
    while head := take(2):
        yield take(struct.unpack("!H", head)[0])


def test_a_transfer_that_nobody_reads_is_of_one_edition_and_holds_nobody_up(primary):
    server = primary(signed=False, transfer=["10.1.1.100@5301"],
                     more="".join(f'r{i} TXT "{"x" * 200}"\n' for i in range(60000)))
    server.start()
    query = dns.message.make_query("example.com", "AXFR")
    wire = query.to_wire()
    with inside(server.lab.client.name):
        connection = socket.create_connection((server.address, PORT), timeout=10)
    with connection:
        connection.sendall(struct.pack("!H", len(wire)) + wire)
        messages = frames(connection)
        first = dns.message.from_wire(next(messages))
        server.change()
        assert ask(server.lab.client, server.address, "serial2.example.com", port=PORT, tcp=True).answer
        n, last = 1, None
        for last in messages:
            n += 1
            done = last.count(b"hostmaster") > 0
            if done:
                break
    assert n > 100
    eventually(lambda: "serial 1, to 10.1.1.100 is complete" in server.log())
    with inside(server.lab.client.name):
        connection = socket.create_connection((server.address, PORT), timeout=10)
    with connection:
        connection.sendall(struct.pack("!H", len(wire)) + wire)
        next(frames(connection))
    eventually(lambda: "serial 2, to 10.1.1.100 is broken off" in server.log())
    assert first.answer[0][0].serial == 1
    last = dns.message.from_wire(last, one_rr_per_rrset=True)
    assert last.answer[-1][0].serial == 1 and last.answer[-1].rdtype == dns.rdatatype.SOA


def test_a_reload_waits_behind_transfers_of_many_editions_and_says_so(primary):
    server = primary(signed=False, transfer=["10.1.1.100@5301"],
                     more="".join(f'r{i} TXT "{"x" * 200}"\n' for i in range(10000)))
    server.start()
    wire = dns.message.make_query("example.com", "AXFR").to_wire()
    with contextlib.ExitStack() as connections:
        for _ in range(16):
            with inside(server.lab.client.name):
                connection = connections.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(10)
            connection.connect((server.address, PORT))
            connection.sendall(struct.pack("!H", len(wire)) + wire)
            next(frames(connection))
            server.change()
        assert "the reload waits" not in server.log()
        server.hangup()
        server.hangup()
        eventually(lambda: server.log().count("the reload waits: transfers from 16 editions") == 1)
        command = subprocess.run([find_program("roost"), "dns", "reload", "-s", server.socket],
                                 capture_output=True, text=True, check=False)
        assert command.returncode == 1 and "put off until a transfer ends" in command.stderr
        assert server.reloads() == (16, 0)
    eventually(lambda: server.reloads() == (17, 0))


# The secret


def test_a_secret_that_others_can_read_is_refused(primary):
    server = primary()
    server.key.chmod(0o644)
    ended = server.try_to_start()
    assert ended.returncode != 0 and "0644" in ended.stderr and "chmod 0600" in ended.stderr
    server.key.chmod(0o600)
    server.key.write_text("no base64!\n")
    ended = server.try_to_start()
    assert ended.returncode != 0 and "base64" in ended.stderr
    assert f"{server.key}: error: this is not a secret in base64" in check(server).stderr
    server.key.write_text(SECRET + "\n")
    assert check(server).returncode == 0
