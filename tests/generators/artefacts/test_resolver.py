"""The wall's resolver: what it passes on, what it opens, and what it refuses, over real sockets."""

import asyncio
import hmac
import importlib.util
import ipaddress
import json
import math
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.artefacts import machine_rules
from jailoc.model.name_pattern import Name

PLACE = Path(__file__).parents[3] / "generators/assets/resolver.py"
SERVER = "127.0.0.77"
"""Where the upstream of these tests answers; loopback like the engine's own."""


def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wall_resolver", PLACE)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    sys.modules["wall_resolver"] = found
    spec.loader.exec_module(found)
    return found


resolver: Any = module()

ZONE = {
    ("db.example.com.", "A"): ["10.1.2.3", "10.1.2.4"],
    ("db.example.com.", "AAAA"): ["fd00::7"],
    ("evil.db.example.com.", "A"): ["10.6.6.6"],
    ("www.example.org.", "A"): ["11.22.33.44"],
    ("db.corp.example.", "A"): ["10.9.9.9"],
    ("alias.example.com.", "CNAME"): ["db.example.com."],
    ("loop.example.com.", "CNAME"): ["loop.example.com."],
}


def respond(wire: bytes, seen: list[str]) -> bytes:
    """Answer from the zone, with records beside the point for anyone who takes what comes."""
    query = dns.message.from_wire(wire)
    (question,) = query.question
    seen.append(question.name.to_text())
    response = dns.message.make_response(query, recursion_available=True)
    name, kind = question.name.to_text().lower(), question.rdtype.name
    while (alias := ZONE.get((name, "CNAME"))) and len(response.answer) < 3:
        response.answer.append(dns.rrset.from_text(name, 3600, "IN", "CNAME", *alias))
        name = alias[0]
    if found := ZONE.get((name, kind)):
        response.answer.append(dns.rrset.from_text(name, 3600, "IN", kind, *found))
        response.answer.append(dns.rrset.from_text("stray.test.", 3600, "IN", "A", "10.66.0.1"))
        response.additional.append(dns.rrset.from_text("more.test.", 3600, "IN", "A", "10.66.0.2"))
    elif not any(name == each for each, _ in ZONE):
        response.set_rcode(dns.rcode.NXDOMAIN)
    return bytes(response.to_wire(max_size=65535))


class Upstream(asyncio.DatagramProtocol):
    def __init__(self, seen: list[str], forge: bool, wires: list[bytes]) -> None:
        self.seen, self.forge, self.wires = seen, forge, wires

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.wires.append(data[2:])
        if self.forge:
            wrong = bytes([data[0] ^ 1]) + data[1:]
            self.transport.sendto(respond(wrong, []).replace(b"\x0a\x01", b"\x0a\x06"), addr)
        self.transport.sendto(respond(data, self.seen), addr)


@dataclass
class Place:
    """A resolver under test, with what it opened and what reached its upstream."""

    folder: Path
    opened: list[tuple[str, str, int]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    wires: list[bytes] = field(default_factory=list)
    """Every message that left, but for its number."""

    def ask(
        self, egress: str, names: list[str], question: str, kind: str = "A", *, forge: bool = False
    ) -> dns.message.Message:
        response: dns.message.Message = self.run(
            egress, names, lambda it: self._ask(it, question, kind), forge=forge
        )
        return response

    def run(
        self, egress: str, names: list[str], act: Callable[[Any], Any], *, forge: bool = False
    ) -> Any:
        (self.folder / "egress").write_text(f"{egress}\n")
        (self.folder / "names").write_text("".join(line(each) for each in names))

        async def all_of_it() -> Any:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(
                lambda: Upstream(self.seen, forge, self.wires), local_addr=(SERVER, resolver.PORT)
            )
            try:
                return await act(
                    resolver.Resolver(
                        resolver.Configuration.read(self.folder),
                        resolvers=self.folder / "resolv.conf",
                        hosts=self.folder / "hosts",
                    )
                )
            finally:
                transport.close()

        return asyncio.run(all_of_it())

    async def _ask(self, it: Any, question: str, kind: str) -> dns.message.Message:
        query = dns.message.make_query(question, kind)
        wire = await it.answer(query.to_wire(), tcp=False)
        response = dns.message.from_wire(wire)
        assert response.id == query.id
        return response


def line(name: str) -> str:
    if name.startswith("! "):
        return f"{name}\n"
    name, *more = name.split(" ")
    return " ".join((name, *map(str, Name(name=name, origin="x").door), *more)) + "\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    found = Place(tmp_path)
    (tmp_path / "resolv.conf").write_text(f"search corp.example\nnameserver {SERVER}\n")
    (tmp_path / "hosts").write_text("172.18.0.1 host.docker.internal # the machine\n")
    monkeypatch.setattr(resolver, "PORT", 10053)
    monkeypatch.setattr(
        resolver.AllowedPattern,
        "knock",
        lambda self, address, step: found.opened.append((self.pattern, address, step)),
    )
    return found


def addresses(response: dns.message.Message) -> set[str]:
    return {
        str(record.address)
        for each in response.answer
        if each.rdtype.name in {"A", "AAAA"}
        for record in each
    }


def test_an_allowed_name_is_open_before_its_answer_is_out(place: Place) -> None:
    response = place.ask("allowlist", ["db.example.com"], "DB.Example.com")
    assert {"10.1.2.3", "10.1.2.4"} <= addresses(response)
    assert {each[1:] for each in place.opened} == {("10.1.2.3", 0), ("10.1.2.4", 0)}
    assert max(each.ttl for each in response.answer) <= 60


def test_both_families_are_opened(place: Place) -> None:
    place.ask("public", ["db.example.com"], "db.example.com", "AAAA")
    assert place.opened == [("db.example.com", "fd00::7", 0)]


@pytest.mark.parametrize(
    ("pattern", "question", "opens"),
    [
        ("db.example.com", "evil.db.example.com", False),
        ("*.example.com", "db.example.com", True),
        ("*.example.com", "evil.db.example.com", True),
        ("*.db.example.com", "db.example.com", False),
        ("example.com", "db.example.com", False),
    ],
)
def test_a_name_is_itself_and_a_wildcard_what_is_below(
    place: Place, pattern: str, question: str, opens: bool
) -> None:
    place.ask("public", [pattern], question)
    assert bool(place.opened) == opens


def test_only_addresses_that_belong_to_the_question_are_opened(place: Place) -> None:
    place.ask("public", ["alias.example.com"], "alias.example.com")
    assert {address for _, address, _ in place.opened} == {"10.1.2.3", "10.1.2.4"}


def test_an_endless_chain_opens_nothing(place: Place) -> None:
    place.ask("public", ["loop.example.com"], "loop.example.com")
    assert not place.opened


def test_other_names_pass_in_public_and_nothing_opens(place: Place) -> None:
    response = place.ask("public", ["db.example.com"], "www.example.org")
    assert "11.22.33.44" in addresses(response)
    assert not place.opened


@pytest.mark.parametrize("egress", ["allowlist", "none"])
@pytest.mark.parametrize("kind", ["A", "AAAA", "TXT", "PTR", "ANY"])
def test_other_names_do_not_leave_where_egress_is_closed(
    place: Place, egress: str, kind: str
) -> None:
    response = place.ask(egress, ["db.example.com"], "secret-data.attacker.example", kind)
    assert response.rcode() == dns.rcode.NXDOMAIN
    assert not place.seen


@pytest.mark.parametrize("pattern", ["*.example.com", "db.example.com"])
def test_nothing_is_carried_out_through_a_name_whose_last_day_is_over(
    place: Place, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    """The wall runs on past that day, and nobody loads its rules anew."""
    end = 1_795_910_400

    async def act(it: Any) -> list[tuple[int, int]]:
        found = []
        for clock in (end - 1, end):
            monkeypatch.setattr(resolver.time, "time", lambda clock=clock: clock)
            it.expire()
            it.due.clear()
            await it.look_up_due()
            await it.answer(dns.message.make_query("db.example.com", "A").to_wire(), tcp=False)
            found.append((len(place.seen), len(it.open)))
        return found

    (asked, held), (later, closed) = place.run("allowlist", [f"{pattern} until={end}"], act)
    assert asked
    assert held, "on its last day it is open"
    assert (later, closed) == (asked, 0)


def messages(name: dns.name.Name) -> Iterator[bytes]:
    """Yield messages about one name that differ in everything that an agent can choose in one."""
    stuffed = dns.edns.GenericOption(cast("Any", 65001), b"secret" * 200)
    for kind in range(300):
        yield dns.message.make_query(name, cast("Any", kind)).to_wire()
    for flags in range(0, 1 << 15, 37):
        wire = bytearray(dns.message.make_query(name, "A").to_wire())
        wire[2:4] = flags.to_bytes(2)
        yield bytes(wire)
    for rdclass in range(300):
        yield dns.message.make_query(name, "A", rdclass=cast("Any", rdclass)).to_wire()
    for payload in (512, 1232, 4000, 65535):
        for flags in (0, dns.flags.DO, 0x7FFF):
            query = dns.message.make_query(name, "A")
            query.use_edns(0, flags, payload, options=[stuffed])
            yield query.to_wire(max_size=65535)
    query = dns.message.make_query(name, "A")
    for section in (query.answer, query.authority, query.additional):
        section.append(dns.rrset.from_text(name, 7, "IN", "TXT", "secret"))
        yield query.to_wire()
    yield dns.message.make_query(name, "A").to_wire() + b"secret"
    update = dns.update.UpdateMessage(name)
    update.add(name, 1, "TXT", "secret")
    yield update.to_wire()
    text = name.to_text()
    for mask in range(1 << 8):
        mixed = "".join(
            each.upper() if mask >> at % 8 & 1 else each for at, each in enumerate(text)
        )
        yield dns.message.make_query(mixed, "A").to_wire()


def carried(place: Place, names: list[str], asked: list[bytes]) -> set[bytes]:
    """Return what leaves when a sandbox with these names asks this, each message once."""

    async def act(it: Any) -> None:
        for wire in asked:
            for tcp in (False, True):
                await it.answer(wire, tcp=tcp)

    place.run("allowlist", names, act)
    return set(place.wires)


def test_a_question_for_an_allowed_name_carries_out_its_name_and_type_and_nothing_else(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With N names log2(6 N) bits a question; without this every bit of the message left."""
    names = ["db.example.com", "alias.example.com"]
    asked = [each for name in names for each in messages(dns.name.from_text(name))]
    assert len({each[2:] for each in asked}) > 3000
    left = carried(place, names, asked)
    assert len(left) == len(names) * len(resolver.TYPES)
    for wire in left:
        query = dns.message.from_wire(b"\0\0" + wire)
        (question,) = query.question
        assert question.name.to_text(omit_final_dot=True) in names
        assert not [*query.answer, *query.authority, *query.additional, *query.options]


def test_nothing_is_carried_out_through_names_that_are_not_allowed(place: Place) -> None:
    names = ["db.example.com", "*.example.com"]
    for text in ("secret.attacker.example", "example.com", "db.example.com.attacker.example",
                 r"evil\.example.com", r"db\.example.com", "db.example.com\\000", "."):  # fmt: skip
        assert not carried(place, names, list(messages(dns.name.from_text(text)))), text


def test_below_a_wildcard_only_letters_of_host_names_leave(place: Place) -> None:
    """At most log2(38) bits an octet of what a name has room for: 1,249 bits here a question."""
    suffix = dns.name.from_text("example.com")
    asked = [
        dns.message.make_query(dns.name.Name((bytes([octet]),)) + suffix, "A").to_wire()
        for octet in range(256)
    ]
    left = carried(place, ["*.example.com"], asked)
    assert len(left) == 38
    room = 255 - len(b"\7example\3com\0")
    octets = room - -(-room // 64)  # one in 64 is a length
    assert round(octets * math.log2(38)) == 1249


def test_a_label_with_a_dot_in_it_is_no_name_below_a_wildcard(place: Place) -> None:
    evil = dns.name.Name((b"evil.example", b"com", b""))
    for pattern in ("*.example.com", "evil.example.com"):
        response = place.ask("allowlist", [pattern], cast("Any", evil))
        assert (response.rcode(), place.seen, place.opened) == (dns.rcode.NXDOMAIN, [], [])
        assert not Name(name=pattern, origin="x").covers(evil.to_text(omit_final_dot=True))
    # The same text as a name of three labels is one.
    place.ask("allowlist", ["*.example.com"], "evil.example.com")
    assert place.seen == ["evil.example.com."]


@pytest.mark.parametrize("egress", ["public", "allowlist"])
@pytest.mark.parametrize(
    ("denied", "question"),
    [
        ("db.example.com", "db.example.com"),
        ("db.example.com", "DB.Example.COM"),
        ("*.example.com", "evil.db.example.com"),
        ("*.example.com", "db.example.com"),
        # By its alias, and from the search list.
        ("db.example.com", "alias.example.com"),
        ("*.db.example.com", "x.db.example.com"),
        ("db.corp.example", "db"),
        ("*.corp.example", "db"),
    ],
)
def test_a_denied_name_is_not_resolved_and_opens_nothing(
    place: Place, egress: str, denied: str, question: str
) -> None:
    allowed = ["*.example.com", "*.db.example.com", "db", "alias.example.com"]
    response = place.ask(egress, [*allowed, f"! {denied}"], question)
    assert (response.rcode(), response.answer, place.opened) == (dns.rcode.NXDOMAIN, [], [])


@pytest.mark.parametrize("kind", ["A", "AAAA", "TXT", "ANY", "HTTPS", "CNAME"])
def test_no_question_for_a_denied_name_leaves(place: Place, kind: str) -> None:
    response = place.ask("public", ["! *.example.com"], "secret-data.example.com", kind)
    assert (response.rcode(), place.seen) == (dns.rcode.NXDOMAIN, [])


def test_a_label_with_a_dot_in_it_does_not_pass_a_denied_wildcard(place: Place) -> None:
    for labels in ((b"x.y", b"example", b"com", b""), (b"\x00", b"EXAMPLE", b"com", b"")):
        response = place.ask("public", ["! *.example.com"], cast("Any", dns.name.Name(labels)))
        assert (response.rcode(), place.seen) == (dns.rcode.NXDOMAIN, [])


@pytest.mark.parametrize("denied", ["*.db.example.com", "b.example.com", "com"])
def test_only_what_is_denied_is_not_resolved(place: Place, denied: str) -> None:
    response = place.ask("public", ["*.example.com", f"! {denied}"], "db.example.com")
    assert {"10.1.2.3", "10.1.2.4"} <= addresses(response)
    assert place.opened


def test_a_name_that_leads_to_a_denied_one_is_not_opened_unasked_either(place: Place) -> None:
    async def act(it: Any) -> None:
        await it.look_up_due()

    place.run("allowlist", ["alias.example.com", "! db.example.com"], act)
    assert not place.opened


def test_a_refused_name_that_is_denied_is_remembered(place: Place) -> None:
    async def act(it: Any) -> list[str]:
        await self_ask(it, "db.example.com")
        return list(it.state()["refused"])

    async def self_ask(it: Any, name: str) -> None:
        await it.answer(dns.message.make_query(name, "A").to_wire(), tcp=False)

    assert place.run("public", ["! db.example.com"], act) == ["db.example.com"]


def test_an_address_of_the_machine_is_opened_under_its_own_name_alone(place: Place) -> None:
    async def act(it: Any) -> None:
        it.machine = frozenset({"10.1.2.3", "172.18.0.1"})
        await it.look_up_due()

    place.run("allowlist", ["db.example.com", "host.docker.internal"], act)
    assert {address for _, address, _ in place.opened} == {"10.1.2.4", "fd00::7", "172.18.0.1"}


def test_what_has_become_the_machines_is_held_open_under_its_own_name_alone(place: Place) -> None:
    async def act(it: Any) -> None:
        has = {"10.1.2.3", "172.18.0.1"}
        it.machine = frozenset({"172.18.0.1"})
        it.by_now = lambda: frozenset(has)
        await it.look_up_due()
        has.add("10.1.2.4")  # it was open, and becomes the machine's
        it.give_up()

    place.run("allowlist", ["db.example.com", "host.docker.internal"], act)
    assert {each[:2]: each[2] for each in place.opened} == {
        ("host.docker.internal", "172.18.0.1"): 0, ("db.example.com", "fd00::7"): 0,
        ("db.example.com", "10.1.2.4"): 1,
    }  # fmt: skip


def test_what_is_closed_is_told_before_anybody_is_asked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []

    async def slow(*_: object, **__: object) -> None:
        told.append(json.loads((place.folder / "state.json").read_text())["names"])

    async def act(it: Any) -> None:
        (name,) = it.configuration.names
        it.keep(name, ["10.1.2.3"])
        it.tell(place.folder)
        told.append(json.loads((place.folder / "state.json").read_text())["names"])
        it.open[name, "10.1.2.3"] = 0.0
        monkeypatch.setattr(it, "forward", slow)
        await it.renew(place.folder)

    place.run("allowlist", ["db.example.com"], act)
    assert told == [{"db.example.com": ["10.1.2.3"]}, *[{"db.example.com": []}] * 2]


def test_the_tables_are_where_the_rules_say() -> None:
    assert str(resolver.TABLES) == machine_rules.PLACE
    # The doors of names are elsewhere than the guard's, whatever they are.
    assert min(Name(name=f"a{number}.test", origin="x").door[0] for number in range(500)) > 1023


def heavy() -> bytes:
    """Return a question of 4,000 bytes that names 200,000 labels.

    Each server of a record (RFC 8005) is a pointer to a long name (RFC 1035, section 4.1.4).
    """
    name = b"".join(b"\x01a" for _ in range(126)) + b"\0"
    servers = b"\xc0\x0c" * 1800
    record = b"\xc0\x0c" + struct.pack("!HHIH", 55, 1, 0, 4 + 4 + len(servers))
    head = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 1)
    return head + name + b"\0\1\0\1" + record + b"\0\0\0\0" + b"\0\0\0\0" + servers


def test_nothing_but_the_question_is_read(place: Place) -> None:
    wire = heavy()
    seen = []

    async def act(it: Any) -> None:
        seen.append(await it.answer(wire, tcp=True))

    place.run("public", [], act)
    assert (seen, place.seen) == ([None], [])
    query = dns.message.make_query("db.example.com", "A", use_edns=0, payload=1232)
    query.use_edns(options=[dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(100))])
    alone = resolver.bare(query.to_wire())
    assert alone is not None
    read = dns.message.from_wire(alone)
    assert (read.question, read.payload, read.options) == (query.question, 1232, ())
    assert resolver.bare(wire) is None


def records(kind: int, data: bytes, count: int) -> bytes:
    """Return an answer of many records, whose owner is a long name."""
    name = b"".join(b"\x01a" for _ in range(126)) + b"\0"
    record = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 5, len(data)) + data
    return struct.pack("!6H", 7, 0x8180, 1, count, 0, 0) + name + b"\0\1\0\1" + record * count


def test_an_answer_that_names_megabytes_is_not_read() -> None:
    """Whoever runs the zone of an allowed name, or of any where the internet is open, sends it."""
    assert not resolver.modest(heavy_answer := records(55, bytes(8) + b"\xc0\x0c" * 30000, 1))
    assert len(heavy_answer) < 65536
    assert not resolver.modest(records(15, b"\0\1\xc0\x0c", 3500))
    # One that ends too early is read up to there.
    assert not resolver.modest(heavy_answer[:6] + b"\0\2" + heavy_answer[8:])
    # What a zone has is: hundreds of addresses, long texts, what is signed.
    assert resolver.modest(records(1, bytes(4), 250))
    assert resolver.modest(records(16, (b"\xff" + bytes(255)) * 200, 1))
    assert resolver.modest(records(46, bytes(300), 100))


@given(st.binary(max_size=60))
def test_whatever_is_no_message_is_none(data: bytes) -> None:
    found = resolver.bare(data.ljust(12, b"\0"))
    assert found is None or len(found) <= 72
    assert isinstance(resolver.modest(data.ljust(12, b"\0")), bool)


def test_a_name_of_a_service_opens_its_network_alone(place: Place) -> None:
    async def act(it: Any) -> None:
        it.services = (ipaddress.ip_network("10.1.2.4/30"),)
        await it.look_up_due()

    place.run("allowlist", ["db.example.com service"], act)
    assert {address for _, address, _ in place.opened} == {"10.1.2.4"}, "as if on the link"
    place.opened.clear()
    # And what is there is opened by no other name, whatever its zone answers.
    place.run("allowlist", ["db.example.com"], act)
    assert {address for _, address, _ in place.opened} == {"10.1.2.3", "fd00::7"}


def test_only_who_knows_the_token_proves_to_be_the_resolver(place: Place) -> None:
    async def act(it: Any) -> str:
        it.token = b"token"
        query = dns.message.make_query("0123.resolver.jailoc.invalid", "TXT")
        response = dns.message.from_wire(await it.answer(query.to_wire(), tcp=False))
        return response.answer[0].to_text()

    assert hmac.digest(b"token", b"0123", "sha256").hex() in place.run("none", [], act)
    assert not place.wires


def test_what_is_remembered_of_names_is_bounded_in_size(place: Place) -> None:
    """The state lies in memory of the wall: odd octets must not take more room than others."""

    async def act(it: Any) -> int:
        label = bytes(range(1, 32)) + b"\xff" * 32
        for number in range(resolver.MOST_REFUSED + 100):
            name = dns.name.Name((str(number).encode(), label, label, label, b""))
            await it.answer(dns.message.make_query(name, "A").to_wire(), tcp=False)
        return len(json.dumps(it.state()))

    assert place.run("none", [], act) < resolver.MOST_REFUSED * 320


async def connections(streams: Any, number: int) -> int:
    """Leave partial questions behind on many connections; return how many are held."""
    server = await asyncio.start_server(streams.serve, SERVER, 0, limit=resolver.LONGEST)
    port = server.sockets[0].getsockname()[1]
    kept = []
    for _ in range(number):
        _, writer = await asyncio.open_connection(SERVER, port)
        writer.write(b"\x0f\xff" + b"x" * 100)
        kept.append(writer)
    query = dns.message.make_query("db.example.com", "A").to_wire()
    reader, writer = await asyncio.open_connection(SERVER, port)
    writer.write(len(query).to_bytes(2) + query)
    assert int.from_bytes(await reader.readexactly(2)) > 12  # who asks is answered all the same
    held = len(streams.open)
    for each in (*kept, writer):
        each.transport.abort()
    server.close()
    async with asyncio.timeout(20):
        while len(asyncio.all_tasks()) > 1:  # what serves a connection closes it when it ends
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.05)
    return held


def test_connections_are_bounded_and_the_next_one_is_served(place: Place) -> None:
    async def act(it: Any) -> int:
        return await connections(resolver.Streams(it, asyncio.Semaphore(resolver.AT_ONCE)), 400)

    assert place.run("none", [], act) <= resolver.MOST_CONNECTIONS


def test_control_without_the_bound_every_connection_is_held(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "MOST_CONNECTIONS", 10_000)

    async def act(it: Any) -> int:
        return await connections(resolver.Streams(it, asyncio.Semaphore(resolver.AT_ONCE)), 400)

    assert place.run("none", [], act) >= 400


def test_a_question_that_never_ends_is_not_waited_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "IDLE", 0.3)

    async def act(it: Any) -> tuple[bytes, bytes]:
        streams = resolver.Streams(it, asyncio.Semaphore(1))
        server = await asyncio.start_server(streams.serve, SERVER, 0)
        port = server.sockets[0].getsockname()[1]
        said = []
        for text in (b"\x01", b"\xff\xff"):
            reader, writer = await asyncio.open_connection(SERVER, port)
            writer.write(text)
            said.append(await asyncio.wait_for(reader.read(), 5))
            writer.close()
        server.close()
        return said[0], said[1]

    assert place.run("none", [], act) == (b"", b"")


def test_hints_of_an_allowed_name_do_not_bypass_it(place: Place) -> None:
    response = place.ask("public", ["db.example.com"], "db.example.com", "HTTPS")
    assert (response.rcode(), response.answer, place.seen) == (dns.rcode.NOERROR, [], [])


def test_a_name_without_a_dot_is_looked_for_in_the_search_list(place: Place) -> None:
    response = place.ask("allowlist", ["db"], "db")
    assert "10.9.9.9" in addresses(response)
    assert place.opened == [("db", "10.9.9.9", 0)]


def test_a_forged_answer_with_another_id_is_not_taken(place: Place) -> None:
    response = place.ask("public", ["db.example.com"], "db.example.com", forge=True)
    assert "10.1.2.3" in addresses(response)
    assert {address for _, address, _ in place.opened} == {"10.1.2.3", "10.1.2.4"}


def test_a_dead_upstream_is_a_failure_and_no_opening(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.folder / "resolv.conf").write_text("nameserver 127.0.0.78\n")
    monkeypatch.setattr(resolver, "PATIENCE", 0.1)
    response = place.ask("public", ["db.example.com"], "db.example.com")
    assert response.rcode() == dns.rcode.SERVFAIL
    assert not place.opened


def test_names_are_opened_without_being_asked_and_closed_when_their_time_is_over(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(it: Any) -> dict[str, Any]:
        await it.look_up_due()
        first = it.state()
        monkeypatch.setattr(resolver, "HELD", -1)
        it.due.clear()
        await it.look_up_due()
        it.expire()
        return {"first": first, "last": it.state()}

    names = ["db.example.com", "host.docker.internal", "missing.example", "*.example.com"]
    found = place.run("allowlist", names, act)
    assert found["first"]["names"] == {
        "db.example.com": ["10.1.2.3", "10.1.2.4", "fd00::7"],
        "host.docker.internal": ["172.18.0.1"],
        "missing.example": [],
        "*.example.com": ["10.1.2.3", "10.1.2.4", "fd00::7"],
    }
    assert not any(found["last"]["names"].values())
    closed = {address for _, address, step in place.opened if step == 1}
    assert closed == {"10.1.2.3", "10.1.2.4", "fd00::7", "172.18.0.1"}


def test_refused_names_are_counted_and_the_oldest_forgotten(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "MOST_REFUSED", 2)

    async def act(it: Any) -> Any:
        for name in ("a.test", "b.test", "a.test", "c.test"):
            query = dns.message.make_query(name, "A")
            await it.answer(query.to_wire(), tcp=False)
        return it.state()["refused"]

    refused = place.run("none", [], act)
    assert {name: each["count"] for name, each in refused.items()} == {"a.test": 2, "c.test": 1}


def test_an_answer_that_is_too_long_is_cut_and_says_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [f"10.7.{each // 250}.{each % 250 + 1}" for each in range(300)]
    monkeypatch.setitem(ZONE, ("many.example.com.", "A"), many)
    response = place.ask("public", [], "many.example.com")
    assert response.flags & dns.flags.TC


@given(st.binary(max_size=80))
def test_what_is_no_question_gets_no_answer_and_harms_nothing(data: bytes) -> None:
    async def ask() -> bytes | None:
        it = resolver.Resolver(resolver.Configuration("none", (), ""))
        found: bytes | None = await it.answer(data, tcp=False)
        return found

    answer = asyncio.run(ask())
    assert answer is None or answer[:2] == data[:2]


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_only_a_response_to_the_same_question_counts(question: bytes, data: bytes) -> None:
    if resolver.answers(question, data):
        assert data[:2] == question[:2]
        assert data[2] & 0x80
        assert resolver.asked_in(data) == resolver.asked_in(question)


@given(
    st.lists(st.from_regex(r"(\*\.)?[a-z]{1,5}(\.[a-z]{1,5}){0,2}", fullmatch=True), unique=True)
)
def test_the_compiler_and_the_resolver_agree_on_what_a_name_covers(names: list[str]) -> None:
    for one in names:
        ours = Name(name=one, origin="x")
        theirs = resolver.AllowedPattern(one, *ours.door)
        assert all(ours.covers(each) == theirs.covers(each) for each in names)
        never = resolver.Configuration("public", (), "", (one,))
        assert all(
            ours.covers(each) == never.denies(dns.name.from_text(each))
            for each in names
            if not each.startswith("*.")
        )
        source, destination = ours.door
        assert 1024 <= source < 65536
        assert 1024 <= destination < 65535
        assert destination % 2 == 0


def message(name: str, kind: str = "A") -> bytes:
    query = dns.message.make_query(name, kind)
    query.id = 7
    return query.to_wire()


def answered(question: bytes, flags: int = 0x8000) -> bytes:
    return question[:2] + flags.to_bytes(2) + question[4:]


@pytest.mark.parametrize(
    ("data", "counts"),
    [
        (answered(message("db.example.com")), True),
        (answered(message("db.example.com"), 0x0180), False),  # a question, with RD and RA
        (answered(message("db.example.com", "AAAA")), False),
        (answered(message("dc.example.com")), False),
        (answered(message("db.example.com"))[:-1], False),
        (answered(message("DB.example.com")), True),
    ],
    ids=["same", "no response", "other type", "other name", "cut", "other case"],
)
def test_a_response_is_one_to_the_same_name_and_type(data: bytes, counts: bool) -> None:
    assert resolver.answers(message("db.example.com"), data) == counts


def test_a_label_has_up_to_sixty_three_octets() -> None:
    head = message("a.example")[:12]
    for length, there in ((63, True), (64, False)):
        asked = bytes([length]) + b"a" * length + b"\0\0\1\0\1"
        assert (resolver.asked_in(head + asked) == asked) == there


async def over_tcp(place: Place, wires: list[bytes]) -> asyncio.Server:
    """Serve the zone over TCP, too."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2))
        wires.append(await reader.readexactly(size))
        answer = respond(wires[-1], place.seen)
        writer.write(len(answer).to_bytes(2) + answer)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(serve, SERVER, resolver.PORT)


def test_what_is_cut_is_asked_for_again_over_tcp(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    wires: list[bytes] = []

    def cut(wire: bytes, seen: list[str]) -> bytes:
        short = dns.message.make_response(dns.message.from_wire(wire))
        short.flags |= dns.flags.TC
        return short.to_wire()

    async def act(it: Any) -> dns.message.Message:
        server = await over_tcp(place, wires)
        try:
            return await place._ask(it, "db.example.com", "A")
        finally:
            server.close()

    monkeypatch.setattr(
        Upstream,
        "datagram_received",
        lambda self, data, addr: self.transport.sendto(cut(data, []), addr),
    )
    response = place.run("allowlist", ["db.example.com"], act)
    assert {"10.1.2.3", "10.1.2.4"} <= addresses(response)
    assert len(wires) == 1
    assert {address for _, address, _ in place.opened} == {"10.1.2.3", "10.1.2.4"}


def test_each_resolver_is_asked_twice(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Upstream, data: bytes, addr: Any) -> None:
        self.wires.append(data[2:])
        told = bytearray(answered(data))
        told[7] = 1  # an answer that is not there
        self.transport.sendto(bytes(told[: 12 + len(resolver.asked_in(data))]), addr)

    monkeypatch.setattr(Upstream, "datagram_received", broken)

    async def act(it: Any) -> Any:
        return await it.forward(dns.name.from_text("db.example.com"), dns.rdatatype.A)

    assert place.run("public", [], act) is None
    assert len(place.wires) == 2


def test_what_stands_behind_a_question_is_passed_over(place: Place) -> None:
    async def act(it: Any) -> dns.message.Message:
        return dns.message.from_wire(await it.answer(message("db.example.com") + b"x", tcp=False))

    assert "10.1.2.3" in addresses(place.run("public", [], act))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("0123.resolver.jailoc.invalid", "A"), ("4.0123.resolver.jailoc.invalid", "TXT")],
)
def test_a_proof_is_told_below_its_one_name_and_as_text_alone(
    place: Place, name: str, kind: str
) -> None:
    assert place.ask("none", [], name, kind).answer == []
    assert not place.wires


def test_an_answer_found_in_the_search_list_says_under_which_name(place: Place) -> None:
    answer = place.ask("allowlist", ["db"], "db").answer
    assert answer[0].to_text() == "db. 60 IN CNAME db.corp.example."
    plain = place.ask("allowlist", ["db.example.com"], "db.example.com").answer
    assert [each for each in plain if each.rdtype == dns.rdatatype.CNAME] == []


def test_no_address_is_remembered_for_other_kinds_of_record(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ZONE, ("db.example.com.", "TXT"), ['"10.1.2.3"'])

    async def act(it: Any) -> dict[str, str]:
        await place._ask(it, "db.example.com", "TXT")
        first = dict(it.seen)
        await place._ask(it, "db.example.com", "A")
        return first | {"then": ",".join(sorted(it.seen))}

    assert place.run("public", ["db.example.com"], act) == {"then": "10.1.2.3,10.1.2.4"}


def test_a_new_address_is_news_and_is_kept_under_the_name_that_was_asked_for(place: Place) -> None:
    async def act(it: Any) -> list[bool]:
        news = []
        for name in ("DB.example.com", "db.example.com", "www.example.org"):
            it.changed = False
            await place._ask(it, name, "A")
            news.append(it.changed)
        assert set(it.seen.values()) == {"db.example.com", "www.example.org"}
        return news

    assert place.run("public", [], act) == [True, False, True]


def test_an_address_that_is_opened_anew_is_news_and_one_kept_open_is_not(place: Place) -> None:
    async def act(it: Any) -> list[bool]:
        news = []
        for address in ("10.1.2.3", "10.1.2.3", "10.1.2.4"):
            it.changed = False
            it.keep(it.configuration.names[0], [address])
            news.append(it.changed)
        return news

    assert place.run("public", ["db.example.com"], act) == [True, False, True]
