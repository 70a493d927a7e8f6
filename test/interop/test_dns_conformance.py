# SPDX-License-Identifier: GPL-3.0-or-later
"""zonemaster and dnsviz look at zones of roost-dns from the root down, and have no complaint but those
that are named here."""

import concurrent.futures
import json
import os
import re
import shutil
import types

import pytest

dns = pytest.importorskip("dns", reason="python3-dnspython is not installed")
import dns.message  # noqa: E402

from internet import OURS, ROOT, SERVED, Internet, a_labels  # noqa: E402

pytestmark = pytest.mark.skipif(not shutil.which("zonemaster-cli") or not shutil.which("dnsviz"),
                                reason="zonemaster-cli or dnsviz is not installed")

# What zonemaster notes of our zones: why it may, and of which.
EXCEPTIONS = {
    "NEITHER_DNSKEY_NOR_DS": ("roost-dns has no DNSSEC", set(SERVED)),
    "NOT_SIGNED": ("roost-dns has no DNSSEC", set(SERVED)),
    "Z09_MISSING_MAIL_TARGET": ("only a master file brings MX", {"derived.example", "магазин.испытание"}),
    "RNAME_MAIL_DOMAIN_INVALID": ("hostmaster@derived.example would need MX, or addresses of the domain itself",
                                  {"derived.example"}),
}

# Further names, for dnsviz.
NAMES = ["www.derived.example", "one.derived.example", "nothing.derived.example", "any.магазин.испытание",
         "away.records.example", "leaf.renamed.records.example", "tree.records.example", "x.wild.records.example",
         "_sip._tcp.records.example", "large.records.example", "53.1.0.25.in-addr.arpa"]
PRINTED = {"www.derived.example": r"\n  .* A: 25\.0\.1\.[23], 25\.0\.1\.[23]\n",
           "leaf.renamed.records.example": r"\n  .* DNAME: www\.tree\.records\.example\.",
           "leveller.example": r"\n *W:CASE_NOT_PRESERVED"}  # a control
ADDRESSES = {address for addresses in OURS.values() for address in addresses}
LIMIT_S = 300  # of patience: on a quiet machine all takes a twentieth of that


# Faults of a server, and what is to be said of them

def modest(query, ask):
    """Is not authoritative."""
    answer = bytearray(ask(query))
    answer[2] &= ~0x04
    return bytes(answer)


def leveller(query, ask):
    """Gives the question back in small letters."""
    answer = ask(query)
    size = len(dns.message.from_wire(query).question[0].name.to_wire())
    return answer[:12] + answer[12:12 + size].lower() + answer[12 + size:]


def stubborn(query, ask):
    """Takes every version of EDNS for 0."""
    message = dns.message.from_wire(query)
    if message.edns > 0:
        message.use_edns(0, message.ednsflags & 0xffff, message.payload, options=message.options)
        query = message.to_wire()
    return ask(query)


def parrot(query, ask):
    """Repeats options that it does not know."""
    theirs, message = dns.message.from_wire(query), dns.message.from_wire(ask(query))
    if message.edns >= 0:
        message.use_edns(message.edns, message.ednsflags, message.payload,
                         options=[*message.options, *(o for o in theirs.options if o.otype > 20)])
    return message.to_wire()


def terse(query, ask):
    """Has no SOA beside nothing."""
    message = dns.message.from_wire(ask(query))
    message.authority.clear()
    return message.to_wire()


def forger(query, ask):
    """Does not give the asker's cookie back as it was."""
    cookies = [option.data[:8] for option in dns.message.from_wire(query).options if option.otype == 10]
    answer = ask(query)
    return answer.replace(cookies[0], cookies[0][::-1]) if cookies else answer


def honest(query, ask):
    """The control of the controls: the liar alone is no reason to complain."""
    return ask(query)


FAULTS = {fault.__name__: fault for fault in (modest, leveller, stubborn, parrot, terse, forger, honest)}
ZONEMASTER_SEES = {
    "modest": {"IS_NOT_AUTHORITATIVE", "CN01_SOA_RECORD_NOT_AA_UDP", "CN02_SOA_RECORD_NOT_AA_TCP"},
    "leveller": {"QNAME_CASE_INSENSITIVE"},
    "parrot": {"N11_RETURNS_UNKNOWN_OPTION_CODE"},
    "lame": {"NS_FAILED"},
    "honest": set(),
}
DNSVIZ_SEES = {
    "modest": {"NOT_AUTHORITATVE", "SERVER_NOT_AUTHORITATIVE"},  # sic
    "leveller": {"CASE_NOT_PRESERVED"},
    "stubborn": {"EDNS_VERSION_MISMATCH"},
    "terse": {"MISSING_SOA_FOR_NODATA", "MISSING_SOA_FOR_NXDOMAIN"},
    "forger": {"CLIENT_COOKIE_MISMATCH"},
    "lame": {"SERVER_INVALID_RESPONSE_UDP", "SERVER_INVALID_RESPONSE_TCP"},
    "honest": set(),
}


# The tools

# The program takes one zone, and most of its time to load: so it is loaded once, and forks.
ZONEMASTER = """
my ($folder, $hints, $at_once, @zones) = @ARGV;
for my $zone (@zones) {
    wait if $running++ >= $at_once;
    next if fork;
    open STDOUT, '>', "$folder/$zone.json";
    @ARGV = ('--json', '--level', 'INFO', '--hints', $hints, $zone);
    do '/usr/bin/zonemaster-cli';
    exit;
}
1 while wait > 0;
"""


def zonemaster(internet, zones):
    """Its messages on each zone, those of what is well included."""
    folder = internet.core.folder / "zonemaster"
    folder.mkdir()
    zones = [a_labels(zone) for zone in zones]
    internet.core.namespace.run("perl", "-MZonemaster::CLI", "-MZonemaster::Engine", "-e", ZONEMASTER, str(folder),
                                str(internet.hints), str(os.cpu_count()), *zones, timeout=LIMIT_S)
    return {zone: json.loads((folder / f"{zone}.json").read_text()) for zone in zones}


def dnsviz(internet, names, printed):
    """What grok says of each name, and what print says of some."""
    def run(*arguments):
        return internet.core.namespace.run("dnsviz", *arguments, timeout=LIMIT_S).stdout

    root = ",".join(f"ns.root=[{address}]" if ":" in address else f"ns.root={address}" for address in ROOT)
    file, nobody = str(internet.file("probe.json", "")), str(internet.file("trusted-keys", ""))
    run("probe", "-A", "-a", ".", "-E", "-n", "-t", "4", "-x", f".:{root}", "-o", file, *map(a_labels, names))
    read = "-r", file, "-t", nobody  # the root is not signed
    return json.loads(run("grok", "-l", "info", *read)), run("print", *read, *printed)


def example(faults):
    return [f"{fault}.example" for fault in faults]


@pytest.fixture(scope="module")
def verdicts():
    """Both tools work at the same time, as most of it is computing."""
    with Internet(FAULTS) as internet, concurrent.futures.ThreadPoolExecutor() as pool:
        yield types.SimpleNamespace(
            zonemaster=pool.submit(zonemaster, internet, [*SERVED, *example(ZONEMASTER_SEES)]),
            dnsviz=pool.submit(dnsviz, internet, [*SERVED, *NAMES, *example(DNSVIZ_SEES)], PRINTED))


def complaints(messages):
    return {m["tag"] for m in messages if m["level"] in ("NOTICE", "WARNING", "ERROR", "CRITICAL")}


def codes(part):
    """Of the errors and warnings anywhere in what grok says."""
    if isinstance(part, list):
        return set().union(*map(codes, part))
    if not isinstance(part, dict):
        return set()
    own = {found["code"] for kind in ("errors", "warnings") for found in part.get(kind, [])}
    return own.union(*map(codes, part.values()))


@pytest.mark.parametrize("zone", SERVED)
def test_zonemaster_has_no_complaint(verdicts, zone):
    messages = verdicts.zonemaster.result()[a_labels(zone)]
    # All that is expected, too: an exception that is never seen would hide something else one day.
    assert complaints(messages) == {tag for tag, (_, zones) in EXCEPTIONS.items() if zone in zones}, messages
    assert {m["args"]["ns"].split("/")[1] for m in messages if m["tag"] == "QNAME_CASE_SENSITIVE"} == ADDRESSES


@pytest.mark.parametrize("fault", ZONEMASTER_SEES)
def test_control_zonemaster_complains_of_faults(verdicts, fault):
    found = complaints(verdicts.zonemaster.result()[f"{fault}.example"])
    assert ZONEMASTER_SEES[fault] <= found
    assert ZONEMASTER_SEES[fault] or found == {"NEITHER_DNSKEY_NOR_DS", "NOT_SIGNED"}


@pytest.mark.parametrize("name", [*SERVED, *NAMES])
def test_dnsviz_has_no_complaint(verdicts, name):
    found = verdicts.dnsviz.result()[0][f"{a_labels(name)}."]
    assert not codes(found), found
    text = json.dumps(found)
    assert all(f'"{address}"' in text for address in ADDRESSES)
    assert name not in SERVED or found["delegation"]["status"] == "INSECURE"


@pytest.mark.parametrize("fault", DNSVIZ_SEES)
def test_control_dnsviz_complains_of_faults(verdicts, fault):
    found = codes(verdicts.dnsviz.result()[0][f"{fault}.example."])
    assert DNSVIZ_SEES[fault] <= found
    assert DNSVIZ_SEES[fault] or not found


def test_dnsviz_prints_what_is_served(verdicts):
    text = verdicts.dnsviz.result()[1]
    for what in PRINTED.values():
        assert re.search(what, text), text
    assert set(re.findall(r"^ *([EW]:\w+)", text, re.MULTILINE)) == {"W:CASE_NOT_PRESERVED"}
