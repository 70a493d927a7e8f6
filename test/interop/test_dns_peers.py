# SPDX-License-Identifier: GPL-3.0-or-later
"""roost-dns gives the answers that NSD, Knot and BIND give, but for the choices that it documents
(doc/design/0015), and dig and kdig have no complaint about it.

SEED=n repeats a run of random questions, QUESTIONS=n makes it longer.
"""

import os
import pathlib
import random
import re
import signal
import socket
import struct

import pytest

dns = pytest.importorskip("dns", reason="python3-dnspython is not installed")
import dns.flags  # noqa: E402
import dns.message  # noqa: E402
import dns.name  # noqa: E402
import dns.rcode  # noqa: E402
import dns.rdatatype  # noqa: E402

from peers import Bind, Client, Knot, Nsd, Place, RoostDns  # noqa: E402
from roostlab import eventually  # noqa: E402

ZONES = pathlib.Path(__file__).parent / "zones"
QUESTIONS = int(os.environ.get("QUESTIONS", 3000))
TYPES = """A AAAA NS CNAME SOA MX PTR TXT SRV DNAME DS SVCB HTTPS HINFO NAPTR CAA LOC RP SSHFP TLSA
TYPE65400 TYPE999 ANY""".split()
ORIGINS = ["child.example.com.", "example.com.", "example.net."]  # what is within another one first
CAPITALS = {"svc4.example.com.", "svc5.example.com."}  # whose targets are written so
PARTS = ["rcode", "flags", "edns", "question", "answer", "authority", "additional"]
PREFIXES = ["www", "nothing", "a.b.c", "ns", "*", "_sip._tcp", "q.wild", "x"]


@pytest.fixture(scope="module")
def place():
    with Place() as place:
        yield place


@pytest.fixture(scope="module")
def zones(place):
    """The master files, and names with more addresses and text than a datagram of 512 bytes takes."""
    paths = {}
    for source in ZONES.glob("*.zone"):
        text = source.read_text()
        if source.stem == "example.com":
            text += "".join(f"many A 203.0.113.{i}\nmany6 AAAA 2001:db8:1::{i}\n" for i in range(1, 61))
            text += "".join(f"wide NS ns{i}.wide\nns{i}.wide A 192.0.2.{i}\nns{i}.wide AAAA 2001:db8:2::{i}\n"
                            for i in range(1, 21))
            text += "".join(f'text TXT "{i} of nine strings {80 * "x"}"\n' for i in range(1, 10))
        paths[source.stem] = place.folder / source.name
        paths[source.stem].write_text(text)
    return paths


@pytest.fixture(scope="module")
def ours(place, zones):
    return RoostDns(place, zones).start()


@pytest.fixture(scope="module")
def dig(place, ours):
    def ask(*arguments, program="dig"):
        return place.namespace.run(program, f"@{ours.address}", "+norecurse", *arguments).stdout
    return ask


# Random questions

def known_names(zones):
    """Every owner name, and each name above it."""
    names = set()
    for origin, path in zones.items():
        for line in path.read_text().splitlines():
            if line and line[0] not in "$;" and ".wide" not in line.split()[0]:
                owner = line.split()[0]
                name = dns.name.from_text(origin if owner == "@" else f"{owner}.{origin}")
                while name.is_subdomain(dns.name.from_text(origin)):
                    names.add(name.to_text())
                    name = name.parent()
    return sorted(names)


def random_question(rng, names):
    name = rng.choice(names)
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
        name = f"{rng.choice(PREFIXES)}.{name}"
    name = "".join(rng.choice([c.upper(), c]) for c in name)
    return dns.message.make_query(
        name, rng.choice(["A", "AAAA", rng.choice(TYPES), rng.choice(TYPES)]),
        use_edns=rng.choice([0, 0, -1]), payload=rng.choice([512, 1232, 4096]),
        want_dnssec=rng.random() < 0.1, flags=rng.choice([0, dns.flags.RD]))


# Each of these meets one of the choices below.
PLAIN = [("mail", "ANY"), ("many", "A"), ("across", "A"), ("itself", "A"), ("q.wildhttps", "HTTPS"),
         ("mxtwice", "MX"), ("mxglue", "MX"), ("x.wide", "A"), ("nothing.dname", "ANY"),
         ("svc4", "HTTPS"), ("*.wildhttps", "HTTPS"), ("svc5", "HTTPS")]


def questions(rng, names):
    """(query, whether over TCP), first the plain ones."""
    for name, record_type in PLAIN:
        yield dns.message.make_query(f"{name}.example.com", record_type), False
    for _ in range(QUESTIONS):
        yield random_question(rng, names), rng.random() < 0.3


class Answer:
    """What is compared: sets of records as text, without their order."""

    def __init__(self, wire, limit=65535):
        """limit: how many bytes it might have had."""
        self.limit = limit
        message = dns.message.from_wire(wire)
        self.rcode = dns.rcode.to_text(message.rcode())
        self.flags = set(dns.flags.to_text(message.flags).split())
        self.edns = message.edns
        self.question = [(str(q.name).lower(), q.rdclass, dns.rdatatype.to_text(q.rdtype))
                         for q in message.question]
        self.answer = records(message.answer)
        self.authority = records(message.authority)
        self.additional = records(message.additional)
        self.courtesy = set()
        # Beside an answer NS is a courtesy, which we leave out, with its addresses.
        if self.answer and self.question[0][2] != "NS":
            courtesy = {r for r in self.authority if kind(r) == "NS" and zone(owner(r)) == owner(r)}
            self.authority -= courtesy
            hosts = {last(r) for r in courtesy}
            self.courtesy = {r for r in self.additional if owner(r) in hosts}

    def without(self, additional):
        """Its parts, but for these additional records."""
        return {part: getattr(self, part) for part in PARTS} | {"additional": self.additional - additional}

    def is_truncated(self):
        return "TC" in self.flags

    def is_referral(self):
        return not self.answer and any(kind(r) == "NS" for r in self.authority)

    def leaves_zone(self):
        """Whether an alias in it leads from one of our zones into the other."""
        aliases = [r for r in self.answer if kind(r) == "CNAME"]
        return any(zone(last(r)) and zone(owner(r)) != zone(last(r)) for r in aliases)


def records(section):
    return {f"{rrset.name.to_text().lower()} {rrset.ttl} {dns.rdatatype.to_text(rrset.rdtype)} "
            f"{data.to_text().lower()}" for rrset in section for data in rrset}


def owner(record):
    return record.split()[0]


def kind(record):
    return record.split()[2]


def last(record):
    return record.split()[-1]


def zone(name):
    return next((o for o in ORIGINS if f".{name}".endswith(f".{o}")), None)


def difference(ours, theirs):
    """The parts that differ."""
    mine, others = ours.without(theirs.courtesy), theirs.without(theirs.courtesy)
    return {part for part in PARTS if mine[part] != others[part]}


# Where RFCs leave a choice: what it is, whose differs from ours, how it is recognized, and in which parts it shows.
CHOICES = {
    "ANY is answered with one RRset (RFC 8482 4.1)":
        ({"NSD", "Knot", "BIND"}, {"answer", "additional"},
         lambda o, t: o.question[0][2] == "ANY" and len({kind(r) for r in o.answer}) == 1
         and (o.answer <= t.answer or {kind(r) for r in t.answer} == {"SOA"}) and not o.additional),
    "ANY follows what a DNAME makes an alias":
        ({"BIND"}, {"rcode", "answer", "authority", "additional"},
         lambda o, t: o.question[0][2] == "ANY" and {kind(r) for r in t.answer} == {"DNAME", "CNAME"}
         and t.answer <= o.answer),
    "an answer that is cut short is to be ignored (RFC 2181 9)":
        ({"NSD", "Knot", "BIND"}, {"answer", "authority", "additional"},
         lambda o, t: o.is_truncated() and t.is_truncated()),
    "aliases are followed through all zones":
        ({"Knot", "BIND"}, {"rcode", "answer", "authority", "additional"},
         lambda o, t: o.leaves_zone() and t.answer <= o.answer),
    "a circle of aliases is told once":
        ({"BIND"}, {"rcode", "flags", "answer", "authority", "additional"},
         lambda o, t: t.rcode == "SERVFAIL" and o.rcode == "NOERROR"
         and {kind(r) for r in o.answer} == {"CNAME"}),
    "a wildcard's own addresses go with its HTTPS":
        ({"NSD", "Knot"}, {"additional"},
         lambda o, t: not t.additional and {owner(r) for r in o.additional} == {o.question[0][0]}),
    "a wildcard's own addresses go with its HTTPS, too, when that itself is asked for":
        ({"BIND"}, {"additional"},
         lambda o, t: o.question[0][0].startswith("*.") and t.additional == t.courtesy
         and {owner(r) for r in o.additional} == {o.question[0][0]}),
    "a target in capitals is the same name (RFC 4343 3)":
        ({"Knot"}, {"additional"},
         lambda o, t: {owner(r) for r in o.answer} & CAPITALS and not t.additional),
    "additional addresses are given to who takes only 512 bytes, too":
        ({"BIND"}, {"additional"},
         lambda o, t: o.answer and o.edns >= 0 and t.limit == 512 and not t.additional),
    "additional addresses, which are optional":
        ({"NSD"}, {"additional"}, lambda o, t: o.answer and not t.additional),
    "no address from below a cut, but for a referral":
        ({"Knot", "BIND"}, {"additional"},
         lambda o, t: o.answer and o.additional - t.courtesy < t.additional - t.courtesy
         and all(owner(r).endswith(".deleg.example.com.") for r in t.additional - t.courtesy - o.additional)),
    "glue that does not fit sets TC (RFC 9471 3.1)":
        ({"NSD", "BIND"}, {"flags", "additional"},
         lambda o, t: o.is_referral() and o.is_truncated() and o.flags - {"TC"} == t.flags),
}


def judge(server, ours, theirs):
    """The choices that explain something of how these differ, and the parts that none explains."""
    parts, chosen = difference(ours, theirs), []
    for what, (who, shows_in, matches) in CHOICES.items():
        if server.name in who and parts & shows_in and matches(ours, theirs):
            parts -= shows_in
            chosen.append(what)
    return chosen, parts


def test_strangers_give_the_same_answers(place, zones, ours):
    servers = [ours, Nsd(place, zones).start(), Knot(place, zones).start(), Bind(place, zones).start()]
    clients = [Client(place, server.address) for server in servers]
    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    rng = random.Random(seed)
    names = known_names(zones)
    chosen = set()
    differences = []
    for query, over_tcp in questions(rng, names):
        limit = 65535 if over_tcp else max(query.payload, 512)
        mine, *others = (Answer(client.ask(query.to_wire(), over_tcp), limit) for client in clients)
        for server, theirs in zip(servers[1:], others):
            choices, parts = judge(server, mine, theirs)
            chosen.update(choices)
            differences += [f"{server.name}, {part} of {query.question[0]}, {'TCP' if over_tcp else 'UDP'}: "
                            f"{getattr(mine, part)}, but {getattr(theirs, part)}" for part in sorted(parts)]
    for client in clients:
        client.close()
    for server in servers[1:]:
        server.stop()
    assert not differences, f"SEED={seed}\n" + "\n".join(differences[:20])
    # A choice that is never seen would hide something else one day.
    assert chosen == set(CHOICES), f"SEED={seed}, only {chosen}"


@pytest.mark.parametrize("part, change", [
    ("rcode", lambda m: m.set_rcode(dns.rcode.NXDOMAIN)),
    ("flags", lambda m: setattr(m, "flags", m.flags & ~dns.flags.AA)),
    ("answer", lambda m: m.answer[0].pop()),
    ("authority", lambda m: m.authority.append(m.answer[0])),
    ("additional", lambda m: m.additional.append(m.answer[0])),
])
def test_control_every_difference_is_seen(place, ours, part, change):
    client = Client(place, ours.address)
    wire = client.ask(dns.message.make_query("www.example.com", "A").to_wire(), over_tcp=True)
    client.close()
    message = dns.message.from_wire(wire)
    change(message)
    assert difference(Answer(wire), Answer(wire)) == set()
    assert difference(Answer(wire), Answer(message.to_wire())) == {part}
    assert judge(Knot, Answer(wire), Answer(message.to_wire())) == ([], {part})


def test_control_a_choice_in_one_part_hides_nothing_in_another(place, ours):
    client = Client(place, ours.address)
    wire = client.ask(dns.message.make_query("mxtwice.example.com", "MX").to_wire(), over_tcp=True)
    client.close()
    message = dns.message.from_wire(wire)
    message.additional.clear()
    optional = ["additional addresses, which are optional"]
    assert judge(Nsd, Answer(wire), Answer(message.to_wire())) == (optional, set())
    message.set_rcode(dns.rcode.NXDOMAIN)
    message.answer[0].pop()
    assert judge(Nsd, Answer(wire), Answer(message.to_wire())) == (optional, {"rcode", "answer"})


# dig and kdig

def cookie(output):
    return re.search(r"COOKIE: ([0-9a-f]+)( \(good\))?", output)


def test_dig_takes_our_cookies_as_good(dig):
    first = cookie(dig("www.example.com", "+cookie"))
    assert first and first[2] and len(first[1]) == 48
    again = cookie(dig("www.example.com", f"+cookie={first[1]}"))
    assert again[2] and again[1][:16] == first[1][:16]
    assert not cookie(dig("www.example.com", "+nocookie"))


SECRET = "e5e973e5a6b2a43f48e7dc849e37bfcf"


class CookieBind(Bind):
    """BIND that answers nobody without a cookie of its own."""
    name, address = "BIND-cookie", "127.0.0.18"
    options = f'cookie-algorithm siphash24; cookie-secret "{SECRET}"; require-server-cookie yes;'

    def origins(self):
        return []  # which it would not tell


class CookieRoost(RoostDns):
    name, address = "roost-cookie", "127.0.0.19"

    def command(self):
        path = pathlib.Path(self.file("secret", f"{self.secret}\n"))
        path.chmod(0o600)
        self.options = f"  cookie-secret-file: {path}\n"
        return super().command()


def test_servers_with_one_secret_take_each_others_cookies(place, zones):
    """RFC 9018 5; BIND says BADCOOKIE to one that it does not know. A reload brings another secret."""
    def ask(server, sent):
        out = place.namespace.run("dig", f"@{server.address}", "-b", "127.0.0.17", "+norecurse", "+nobadcookie",
                                  f"+cookie={sent}", "www.example.com").stdout
        return cookie(out)[1], "status: NOERROR" in out

    def is_taken(given_by_bind):
        return ask(roost, given_by_bind)[0] == given_by_bind

    client = "0102030405060708"
    bind, roost = CookieBind(place, zones).start(), CookieRoost(place, zones)
    roost.secret = SECRET[::-1]
    roost.start()
    given = eventually(lambda: ask(bind, client)[0])
    assert not ask(bind, client)[1] and ask(bind, given)[1]
    assert not is_taken(given) and not ask(bind, ask(roost, client)[0])[1]
    (roost.folder / "secret").write_text(f"# new, old\n{SECRET}\n{SECRET[::-1]}\n")
    roost.process.send_signal(signal.SIGHUP)
    eventually(lambda: is_taken(ask(bind, client)[0]))
    assert ask(bind, ask(roost, client)[0])[1]
    roost.stop()
    bind.stop()


def test_a_secret_that_others_may_read_is_refused(place, zones):
    roost = CookieRoost(place, zones)
    roost.secret = SECRET
    command = roost.command()
    secret = roost.folder / "secret"
    secret.chmod(0o640)
    done = place.namespace.run(*command, check=False)
    assert done.returncode == 1
    assert f"{secret}: its mode is 0640" in done.stderr and SECRET not in done.stderr
    secret.chmod(0o600)
    secret.write_text(SECRET[:-1])
    done = place.namespace.run(*command, check=False)
    assert f"{secret}:1: this is no secret" in done.stderr and SECRET[:-1] not in done.stderr


class ChaosRoost(RoostDns):
    name, address = "roost-chaos", "127.0.0.19"
    options = "  chaos: true\n"


def test_dig_is_told_which_version_this_is_if_the_file_says_so(place, zones, dig):
    """RFC 4892"""
    question = ["+noall", "+answer", "+comments", "CH", "TXT"]
    assert "status: REFUSED" in dig(*question, "version.bind")
    roost = ChaosRoost(place, zones).start()
    for name, text in (("version.bind", "roost-dns "), ("version.server", "roost-dns "),
                       ("hostname.bind", "one"), ("id.server", "one")):
        out = place.namespace.run("dig", f"@{roost.address}", "+norecurse", *question, name).stdout
        assert re.search(rf'^{name}\.\t+0\tCH\tTXT\t"{text}', out, re.MULTILINE), out
    roost.stop()


def test_dig_is_told_how_long_a_connection_may_idle(dig):
    """RFC 7828 3.3"""
    assert "TCP KEEPALIVE: 10.0 secs" in dig("+tcp", "+keepalive", "www.example.com")
    assert "TCP KEEPALIVE" not in dig("+tcp", "www.example.com")
    assert "TCP KEEPALIVE" not in dig("+notcp", "+keepalive", "www.example.com")


def test_dig_is_given_a_cookie_without_a_question(dig):
    """RFC 7873 5.4"""
    out = dig("+header-only", "+cookie")
    assert "status: NOERROR" in out and "QUERY: 0" in out and cookie(out)[2]
    ours = cookie(out)[1]
    assert "status: NOERROR" in dig("+header-only", f"+cookie={ours}")
    bad = ours[:-1] + ("0" if ours[-1] == "1" else "1")
    assert "status: BADCOOKIE" in dig("+header-only", "+nobadcookie", f"+cookie={bad}")


def test_dig_is_told_who_answered(dig):
    assert '("one")' in dig("www.example.com", "+nsid")
    assert "NSID" not in dig("www.example.com")


def test_kdig_is_told_who_answered(dig):
    assert '"one"' in dig("+nsid", "www.example.com", program="kdig")


def test_dig_is_told_which_version_of_edns_there_is(dig):
    """RFC 6891 6.1.3"""
    out = dig("www.example.com", "+edns=1", "+noednsnegotiation")
    assert "status: BADVERS" in out and "version: 0" in out


def test_options_and_flags_of_tomorrow_are_ignored(dig):
    """RFC 6891 6.1.2 and 6.1.4"""
    out = dig("www.example.com", "+ednsopt=65001:abcd", "+ednsflags=0x40", "+zflag", "+nocmd")
    assert "status: NOERROR" in out and "192.0.2.8" in out
    assert "65001" not in out and "MBZ" not in out


def test_dig_asks_again_over_tcp_what_was_cut_short(dig):
    out = dig("many.example.com", "+bufsize=512", "+noall", "+answer", "+comments")
    assert out.count("203.0.113.") == 60 and "Truncated, retrying in TCP mode" in out
    cut = dig("many.example.com", "+bufsize=512", "+ignore")
    assert re.search("flags:[a-z ]* tc", cut) and cut.count("203.0.113.") < 60


def test_dig_has_no_complaint(dig):
    for arguments in (["www.example.com"], ["nothing.example.com"], ["x.deleg.example.com"],
                      ["+tcp", "text.example.com", "TXT"], ["q.dname2.example.com", "ANY"], ["chaos.test"],
                      ["+opcode=notify", "example.com", "SOA"], ["+header-only"]):
        assert not re.search("WARNING|malformed|mismatch|unexpected", dig(*arguments)), arguments


def test_letters_come_back_as_they_were_asked(dig):
    assert "\nWwW.eXaMpLe.CoM.\t" in dig("WwW.eXaMpLe.CoM")


def test_one_connection_takes_many_questions(dig):
    """RFC 7766 6.2.1"""
    out = dig("+tcp", "+keepopen", *["www.example.com"] * 20, program="kdig")
    assert out.count("status: NOERROR") == 20
    assert dig("+tcp", "+keepopen", "www.example.com", "mail.example.com").count("status: NOERROR") == 2


def test_questions_on_one_connection_need_not_wait_for_answers(place, ours):
    """RFC 7766 6.2.1.1; the segments end where they like."""
    queries = {}
    for i in range(50):
        query = dns.message.make_query(["www", "many", "nothing"][i % 3] + ".example.com", "A", id=1000 + i)
        queries[query.id] = query
    stream = b"".join(struct.pack(">H", len(q.to_wire())) + q.to_wire() for q in queries.values())
    with place.inside():
        connection = socket.create_connection((ours.address, 53), 5)
    with connection, connection.makefile("rb") as file:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(stream), 33):
            connection.sendall(stream[start:start + 33])
        for _ in range(len(queries)):
            size, = struct.unpack(">H", file.read(2))
            answer = dns.message.from_wire(file.read(size))
            assert queries.pop(answer.id).is_response(answer)
    assert not queries
