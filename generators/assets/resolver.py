"""Answers the sandbox's questions for names, and holds allowed names to their addresses.

Runs inside the wall as a user of its own without any capability. It asks the engine's resolver,
and before an answer for an allowed name reaches the sandbox it opens the addresses in it: it sends
a datagram that the firewall never lets out, but counts (JAILOC-LEARN in the rules). What may never
be opened is decided there, not here; what becomes the machine's own is closed by `guard.py`.

    resolver.py CONFIGURATION STATE UDP TCP EVENTS

CONFIGURATION is a directory with `egress` (one word) and `names` (one `NAME SOURCE DESTINATION` a
line: the ports to knock with, then `service` for one beside the agent, `until=SECONDS` for one that
is allowed no more from then on; or `! NAME`, which is never resolved, whatever is allowed). STATE
is a directory that it may write; beside it lie `machine`, addresses that are opened under no name
but the machine's own, and `services`, networks that are opened under names of services alone.
SIGHUP reads all four again. UDP and TCP are the numbers of the two sockets that it inherits, EVENTS
that of one on which the kernel tells of connections (`evidence.py`), or `-`. SIGUSR1 writes what is
known of them at once.

Nothing of a message from the sandbox goes on: what the engine's resolver is asked is a question of
this program's own, with a name in lower case, a known type and class IN, always first over UDP.
Terms are those of RFC 1034 and RFC 9499.
"""

import asyncio
import contextlib
import hashlib
import hmac
import importlib
import ipaddress
import json
import math
import os
import random
import re
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

LOOPBACK = "127.0.0.1"
PLACE = "127.0.0.53"
"""Where the engine's answers are awaited; the firewall lets nobody else send there."""
PORT = 53
PATIENCE = 2.0
"""Seconds to wait for one resolver; each is asked twice."""
SHOWN = 60
"""Highest time to live, in seconds, that the sandbox is told."""
HELD = 75
"""Seconds that an address stays open after it was last seen: who caches it asks again in time."""
AGAIN, SOON = 30, 10
"""Seconds after which an allowed name is looked up again: one that has addresses, one without."""
MOST_REFUSED = 500
"""Refused names that are remembered."""
MOST_SEEN = 1000
"""Addresses whose name is remembered."""
MOST_OPEN = 4096
"""Addresses that are open at the same time; more than a kernel's lists hold for forty names."""
AT_ONCE = 200
"""Questions that are under way at the same time."""
MOST_CONNECTIONS = 128
"""TCP connections; one more ends the oldest."""
LONGEST = 4096
"""Bytes of a question; names and types need some 300 (RFC 1035), the rest is options."""
PAUSE = 0.05
"""Seconds between two looks at what the kernel tells."""
IDLE = 10.0
"""Seconds that a TCP connection may take for a question, or to take an answer."""
ROOM = 1232
"""Bytes of an answer over UDP that pass every link (the DNS Flag Day of 2020)."""
MACHINE = "host.docker.internal"
TABLES = Path("/etc/jailoc-machine")
"""Where the kernel's tables of the machine are mounted, if they can be (`machine.py`)."""
OWN = dns.name.from_text("resolver.jailoc.invalid.")
"""Below it every question is answered with what only who knows the token can say."""
TYPES = frozenset(
    (
        dns.rdatatype.A,
        dns.rdatatype.AAAA,
        dns.rdatatype.CNAME,
        dns.rdatatype.MX,
        dns.rdatatype.SRV,
        dns.rdatatype.TXT,
    )
)
"""What is asked for where only named things are open; each more type is a part of a bit more."""
ADDRESSES = (dns.rdatatype.A, dns.rdatatype.AAAA)
PLAIN = re.compile(rb"[a-z0-9_-]{1,63}")
USUAL = frozenset(
    (
        *TYPES,
        dns.rdatatype.NS,
        dns.rdatatype.SOA,
        dns.rdatatype.PTR,
        dns.rdatatype.DNAME,
        dns.rdatatype.SVCB,
        dns.rdatatype.HTTPS,
        dns.rdatatype.DS,
        dns.rdatatype.DNSKEY,
        dns.rdatatype.RRSIG,
        dns.rdatatype.NSEC,
        dns.rdatatype.NSEC3,
        dns.rdatatype.TLSA,
        dns.rdatatype.CAA,
        dns.rdatatype.NAPTR,
    )
)
"""Records with two names at most."""
TEXTS = frozenset((*ADDRESSES, dns.rdatatype.TXT))
"""Records without any name."""
MOST_RECORDS, MOST_NAMING, MOST_UNUSUAL = 500, 128, 512
"""Records of an answer, those of them with names, and bytes of those of all other types."""
HINTS = (dns.rdatatype.SVCB, dns.rdatatype.HTTPS)
"""Records that carry addresses past the ones that are opened (RFC 9460)."""

SERVFAIL = dns.rcode.SERVFAIL
RCODES = frozenset((dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL, dns.rcode.REFUSED))
"""What the sandbox is told of how a question ended."""

system = random.SystemRandom()


@dataclass(frozen=True)
class AllowedPattern:
    """An allowed name, and how to knock for it."""

    pattern: str
    source: int
    destination: int
    service: bool = False
    """Whether it is a service beside the agent, whose addresses are on a link of the wall's."""
    end: float = math.inf
    """Seconds since the epoch from which on it is allowed no more."""

    @classmethod
    def read(cls, words: list[str]) -> "AllowedPattern":
        """Read what the compiler wrote, word by word."""
        name, source, destination, *more = words
        ends = [float(each.removeprefix("until=")) for each in more if each.startswith("until=")]
        return cls(name, int(source), int(destination), "service" in more, *ends)

    @property
    def lasts(self) -> bool:
        """Tell whether it is allowed still."""
        return time.time() < self.end

    def covers(self, name: str) -> bool:
        """Tell whether a name is this one, or below it for a wildcard."""
        if self.pattern.startswith("*."):
            return name.endswith(self.pattern[1:]) and len(name) >= len(self.pattern)
        return name == self.pattern

    def knock(self, address: str, step: int) -> None:
        """Open (0) or close (1) an address; the firewall counts the datagram and drops it."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Not permitted is the answer that the drop gives; no route means nothing to open.
            with contextlib.suppress(OSError):
                door.bind(("", self.source))
                door.sendto(b"", (address, self.destination + step))


@dataclass(frozen=True)
class Configuration:
    """What the compiler wrote."""

    egress: str
    names: tuple[AllowedPattern, ...]
    digest: str
    denied: tuple[str, ...] = ()

    @classmethod
    def read(cls, directory: Path) -> "Configuration":
        """Read both files of a directory."""
        egress, names = (directory / each for each in ("egress", "names"))
        texts = egress.read_bytes(), names.read_bytes()
        entries = [line.split() for line in texts[1].decode().splitlines()]
        return cls(
            egress=texts[0].decode().strip(),
            names=tuple(AllowedPattern.read(each) for each in entries if each[0] != "!"),
            digest=hashlib.sha256(b"".join(texts)).hexdigest(),
            denied=tuple(each[1] for each in entries if each[0] == "!"),
        )

    def covering(self, name: str) -> tuple[AllowedPattern, ...]:
        """Return the allowed names that a name falls under."""
        return tuple(each for each in self.names if each.lasts and each.covers(name))

    def denies(self, name: dns.name.Name) -> bool:
        """Tell whether a name is never resolved, however its labels are written."""
        for pattern in self.denied:
            place = dns.name.from_text(pattern.removeprefix("*."))
            below = pattern.startswith("*.")
            if (name.is_subdomain(place) and name != place) if below else name == place:
                return True
        return False


def spelt(name: dns.name.Name) -> str | None:
    """Return a name as it is compared, in lower case; None if it is none of a host.

    Labels are looked at one by one: one with a dot in it is no two labels (RFC 4343, section 2.1).
    """
    labels = [each.lower() for each in name.labels if each]
    if not labels or not all(map(PLAIN.fullmatch, labels)):
        return None
    return b".".join(labels).decode()


def upstream(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the resolvers and the search list of a resolv.conf(5)."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    for words in (line.split() for line in text.splitlines()):
        if words[:1] == ["nameserver"] and len(words) > 1:
            servers.append(words[1])
        elif words[:1] in (["search"], ["domain"]):
            search = tuple(each.strip(".").lower() for each in words[1:] if each.strip("."))
    return tuple(servers), search


def hosts(text: str, name: str) -> tuple[str, ...]:
    """Find a name in the text of a host table, such as /etc/hosts."""
    found = []
    for line in text.splitlines():
        words = line.partition("#")[0].lower().split()
        if name in words[1:]:
            found.append(words[0])
    return tuple(dict.fromkeys(found))


class Exchange(asyncio.DatagramProtocol):
    """One question to one resolver over UDP."""

    def __init__(self, question: bytes) -> None:
        self.question = question
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the question."""
        cast("asyncio.DatagramTransport", transport).sendto(self.question)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Take the first datagram that answers this question."""
        if answers(self.question, data) and not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """Give up on a resolver that cannot be reached."""
        if not self.answer.done():
            self.answer.set_exception(exc)


def answers(question: bytes, data: bytes) -> bool:
    """Tell whether a message is the response to a query: the same ID, and the same question."""
    if len(data) < 12 or data[:2] != question[:2] or not data[2] & 0x80:
        return False
    asked = asked_in(question)
    return asked is not None and asked == asked_in(data)


def asked_in(wire: bytes) -> bytes | None:
    """Return the question section of a message, in lower case (RFC 1035, section 4.1.2)."""
    if len(wire) < 12 or struct.unpack_from("!H", wire, 4)[0] != 1:
        return None
    place = 12
    while place < len(wire) and wire[place]:
        if wire[place] > 63:
            return None
        place += 1 + wire[place]
    end = place + 5
    return wire[12:end].lower() if end <= len(wire) else None


def bare(wire: bytes) -> bytes | None:
    """Return a query without what may stand beside its question, which is options (RFC 6891).

    Nothing else is read: a few bytes of a record can name megabytes (RFC 1035, section 4.1.4), and
    so can some options (RFC 9567). None if it is not one question.
    """
    question = asked_in(wire)
    if question is None:
        return None
    end = 12 + len(question)
    counts = struct.unpack_from("!3H", wire, 6)
    if counts == (0, 0, 0):
        return wire[:end]
    if counts == (0, 0, 1) and wire[end : end + 3] == b"\0\0\x29" and len(wire) >= end + 11:
        return wire[: end + 9] + b"\0\0"
    return None


def modest(wire: bytes) -> bool:
    """Tell whether an answer is read at little cost: whoever runs a zone chooses what is in it.

    A record of two bytes can name 255 (RFC 1035, section 4.1.4), and some types hold as many names
    as fit. What is no message is as cheap as any: reading it fails.
    """
    place, unusual, naming = 12, 0, 0
    try:
        questions, *counts = struct.unpack_from("!4H", wire, 4)
        if questions + sum(counts) > MOST_RECORDS:
            return False
        for number in range(questions + sum(counts)):
            while 0 < wire[place] < 64:
                place += 1 + wire[place]
            place += 2 if wire[place] else 1
            if number < questions:
                place += 4
                continue
            kind, size = struct.unpack_from("!H6xH", wire, place)
            unusual += 0 if kind in USUAL else size
            naming += 0 if kind in TEXTS else 1
            place += 10 + size
    except (struct.error, IndexError):
        pass  # what is there of it is read, up to where it ends
    return unusual <= MOST_UNUSUAL and naming <= MOST_NAMING


async def ask(server: str, wire: bytes, *, tcp: bool) -> bytes:
    """Ask one resolver; raise OSError or TimeoutError if it does not answer."""
    place = (PLACE, 0) if server.startswith("127.") else None
    loop = asyncio.get_running_loop()
    if not tcp:
        transport, exchange = await loop.create_datagram_endpoint(
            lambda: Exchange(wire), local_addr=place, remote_addr=(server, PORT)
        )
        try:
            return await asyncio.wait_for(exchange.answer, PATIENCE)
        finally:
            transport.close()
    reader, writer = await asyncio.wait_for(
        asyncio.open_connection(server, PORT, local_addr=place), PATIENCE
    )
    try:
        writer.write(struct.pack("!H", len(wire)) + wire)
        size = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), PATIENCE))[0]
        data = await asyncio.wait_for(reader.readexactly(size), PATIENCE)
    finally:
        writer.close()
    if not answers(wire, data):
        raise ConnectionError("not an answer")
    return data


class EventRecord(Protocol):
    """Where it is kept what happened (`evidence.Recorder`)."""

    door: socket.socket | None

    def watch(self, directory: Path) -> None:
        """Note which rules tell of connections."""

    def named(self, name: str, addresses: list[str]) -> None:
        """Remember the name that an answer was given for."""

    def unresolved(self, name: str) -> None:
        """Remember a name that was asked for in vain."""

    def read(self) -> int:
        """Read what the kernel has told."""
        ...

    def write(self) -> None:
        """Write it down."""

    def write_due(self) -> None:
        """Write it down if it is time."""

    def asked(self) -> None:
        """Read all, and write it down."""

    def missed(self) -> None:
        """Count what nobody was there to hear."""


@dataclass
class Resolver:
    """All that is remembered between two questions."""

    configuration: Configuration
    resolvers: Path = Path("/etc/resolv.conf")
    hosts: Path = Path("/etc/hosts")
    open: dict[tuple[AllowedPattern, str], float] = field(default_factory=dict)
    """Until when (monotonic seconds) an address stays open under a name."""
    due: dict[AllowedPattern, float] = field(default_factory=dict)
    """When a name is looked up again."""
    refused: dict[str, tuple[int, int]] = field(default_factory=dict)
    """How often, and when last (seconds since 1970), a name was asked for in vain."""
    seen: dict[str, str] = field(default_factory=dict)
    """The name under which an address was last asked for."""
    machine: frozenset[str] = frozenset()
    """Addresses that only the machine's own name opens."""
    by_now: Callable[[], frozenset[str]] | None = None
    """Says what the machine has at the moment, where its tables are mounted."""
    later: frozenset[str] = frozenset()
    """What has become the machine's since the rules were loaded."""
    services: tuple[ipaddress.IPv4Network, ...] = ()
    """Where the services beside the agent are: the names of services open these, and no others."""
    record: EventRecord | None = None
    token: bytes = b""
    """What shows that this program answered, and no other."""
    changed: bool = True

    async def forward(
        self, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> dns.message.Message | None:
        """Ask the container's resolvers in turn; None if none of them answers."""
        servers, _ = upstream(self.resolvers.read_text())
        query = dns.message.make_query(name.canonicalize(), kind, use_edns=0, payload=ROOM)
        query.id = system.getrandbits(16)
        wire = query.to_wire()
        for server in servers * 2:
            try:
                data = await ask(server, wire, tcp=False)
                if data[2] & 2:  # cut (TC)
                    data = await ask(server, wire, tcp=True)
                if not modest(data):
                    return None
                return dns.message.from_wire(data, ignore_trailing=True)
            except (OSError, TimeoutError, EOFError, dns.exception.DNSException):
                continue
        return None

    async def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """Return the response to a query, or None if it is none."""
        if len(wire) < 12 or wire[2] & 0x80:
            return None
        if wire[2] >> 3 != dns.opcode.QUERY:
            return unknown(wire)
        if (alone := bare(wire)) is None:
            return None
        try:
            query = dns.message.from_wire(alone)
        except dns.exception.DNSException:
            return None
        response = await self.respond(query)
        room = 65535 if tcp else min(max(query.payload, 512), LONGEST)
        try:
            return response.to_wire(max_size=room)
        except dns.exception.TooBig:
            short = dns.message.make_response(query, recursion_available=True)
            short.flags |= dns.flags.TC
            return short.to_wire()

    async def respond(
        self, query: dns.message.Message, *, asked: bool = True
    ) -> dns.message.Message:
        """Decide what becomes of a question; the sandbox has asked it, or nobody has."""
        (question,) = query.question
        if question.rdclass != dns.rdataclass.IN:
            return empty(query, dns.rcode.REFUSED)
        if question.name.is_subdomain(OWN):
            return self.proof(query)
        name = spelt(question.name)
        _, search = upstream(self.resolvers.read_text())
        # A name without a dot is looked for in the search list, too, as resolv.conf(5) says.
        longer = [f"{name}.{each}" for each in search] if name and "." not in name else []
        response = None
        for place in (name, *longer):
            target = dns.name.from_text(place) if place else question.name
            if self.configuration.denies(target):
                continue
            held = {*self.covering(place), *self.covering(name)}
            if not held and self.configuration.egress != "public":
                continue
            found = await self.look(query, target, held, recorded=asked)
            if found is None:
                continue
            if response is None or found.answer:
                response = found
            if found.answer:
                break
        if response is None:
            response = empty(query, dns.rcode.NXDOMAIN)
            self.refuse(name or question.name.to_text(omit_final_dot=True).lower())
        return response

    def covering(self, name: str | None) -> tuple[AllowedPattern, ...]:
        """Return the allowed names that a name falls under."""
        return self.configuration.covering(name) if name else ()

    def proof(self, query: dns.message.Message) -> dns.message.Message:
        """Answer a question about this program itself, without asking anybody."""
        (question,) = query.question
        result = empty(query, dns.rcode.NOERROR)
        if question.rdtype == dns.rdatatype.TXT and len(question.name) == len(OWN) + 1:
            text = hmac.digest(self.token, question.name.labels[0], "sha256").hex()
            result.answer = [dns.rrset.from_text(question.name, 0, "IN", "TXT", text)]
        return result

    async def look(
        self,
        query: dns.message.Message,
        name: dns.name.Name,
        held: Collection[AllowedPattern],
        *,
        recorded: bool = True,
    ) -> dns.message.Message | None:
        """Ask for a name, and open what an allowed one has before anybody else knows.

        Nothing is opened, and nothing told, of a name that leads to one that is denied.
        """
        (question,) = query.question
        kind = question.rdtype
        if dns.rdatatype.is_metatype(kind):  # transfers, ANY: nothing that a client needs
            return empty(query, dns.rcode.NOTIMP)
        limited = self.configuration.egress != "public" and kind not in TYPES
        if limited or (held and kind in HINTS):
            return empty(query, dns.rcode.NOERROR)
        response = await self.forward(name, kind)
        if response is None:
            return empty(query, SERVFAIL)
        if any(map(self.configuration.denies, passed(response))):
            return None
        self.learn(held, response, recorded=recorded)
        result = empty(query, response.rcode() if response.rcode() in RCODES else SERVFAIL)
        result.answer = response.answer
        for each in result.answer if held else ():
            each.ttl = min(each.ttl, SHOWN)
        if result.answer and name != question.name:
            alias = dns.rrset.from_text(question.name, SHOWN, "IN", "CNAME", name.to_text())
            result.answer = [alias, *result.answer]
        return result

    def learn(
        self, held: Collection[AllowedPattern], response: dns.message.Message, *, recorded: bool
    ) -> None:
        """Open the addresses in an answer that belong to the question; remember their name."""
        if not isinstance(response, dns.message.QueryMessage):
            return
        try:
            chain = response.resolve_chaining()
        except dns.exception.DNSException:
            return
        if chain.answer is None or chain.answer.rdtype not in ADDRESSES:
            return
        addresses = [str(record.address) for record in chain.answer]
        for address in addresses:
            self.changed |= address not in self.seen
            self.seen.pop(address, None)
            self.seen[address] = shown(response.question[0].name.to_text(omit_final_dot=True))
        while len(self.seen) > MOST_SEEN:
            del self.seen[next(iter(self.seen))]
        if self.record is not None and addresses and recorded:
            self.record.named(self.seen[addresses[-1]], addresses)
        if held:
            self.give_up()
        for each in held:
            self.keep(each, addresses)

    def keep(self, name: AllowedPattern, addresses: Iterable[str]) -> None:
        """Open addresses under a name, or keep them open."""
        end = time.monotonic() + HELD
        for address in addresses:
            if (address in self.machine or address in self.later) and name.pattern != MACHINE:
                continue
            place = ipaddress.ip_address(address)
            if name.service != any(place in each for each in self.services):
                continue
            name.knock(address, 0)
            self.changed |= (name, address) not in self.open
            self.open.pop((name, address), None)
            self.open[name, address] = end
        while len(self.open) > MOST_OPEN:
            self.close(*next(iter(self.open)))

    def give_up(self) -> None:
        """Hold nothing open that is the machine's by now.

        What it had when the rules were loaded stands in them.
        """
        if self.by_now is None:
            return
        self.later = self.by_now() - self.machine
        for name, address in [each for each in self.open if each[1] in self.later]:
            if name.pattern != MACHINE:
                self.close(name, address)

    def close(self, name: AllowedPattern, address: str) -> None:
        """Close an address under a name."""
        name.knock(address, 1)
        del self.open[name, address]
        self.changed = True

    def refuse(self, name: str) -> None:
        """Remember a name that was asked for in vain."""
        name = shown(name)
        if self.record is not None:
            self.record.unresolved(name)
        count, _ = self.refused.pop(name, (0, 0))
        self.refused[name] = (count + 1, int(time.time()))
        while len(self.refused) > MOST_REFUSED:
            del self.refused[next(iter(self.refused))]
        self.changed = True

    async def look_up(self, name: AllowedPattern) -> None:
        """Look an allowed name up without being asked, so that it is open when it is needed."""
        known = hosts(self.hosts.read_text(), name.pattern)
        self.keep(name, known)
        queries = [dns.message.make_query(name.pattern, each) for each in ADDRESSES]
        if not known:
            await asyncio.gather(*(self.respond(each, asked=False) for each in queries))
        found = any(each == name for each, _ in self.open)
        self.due[name] = time.monotonic() + (AGAIN if found else SOON)

    async def look_up_due(self) -> None:
        """Look up every name whose time has come."""
        now = time.monotonic()
        exact = [each for each in self.configuration.names
                 if each.lasts and not each.pattern.startswith("*.")]  # fmt: skip
        late = [each for each in exact if self.due.get(each, 0) <= now]
        for each in late:
            self.due[each] = now + 30
        gate = asyncio.Semaphore(32)

        async def one(name: AllowedPattern) -> None:
            async with gate:
                await self.look_up(name)

        await asyncio.gather(*(one(each) for each in late))

    def expire(self) -> None:
        """Close what is not valid any more, or not allowed any more."""
        now = time.monotonic()
        for (name, address), end in list(self.open.items()):
            if end <= now or not name.lasts or name not in self.configuration.names:
                self.close(name, address)

    async def renew(self, directory: Path) -> None:
        """Close what is over, look up what is due, and tell of both."""
        self.give_up()
        self.expire()
        self.tell(directory)  # before anybody is asked, who may be slow
        await self.look_up_due()
        self.tell(directory)

    def tell(self, directory: Path) -> None:
        """Write what the command line shows, if it has changed."""
        if self.changed:
            self.changed = False
            write(directory / "state.json", self.state())

    def state(self) -> dict[str, object]:
        """Return what the command line shows."""
        addresses: dict[str, list[str]] = {each.pattern: [] for each in self.configuration.names}
        for name, address in self.open:
            if name.pattern in addresses:
                addresses[name.pattern].append(address)
        return {
            "digest": self.configuration.digest,
            "names": {
                name: sorted(found, key=lambda each: ipaddress.ip_address(each).packed)
                for name, found in addresses.items()
            },
            "seen": self.seen,
            "refused": {
                name: {"count": count, "last": last} for name, (count, last) in self.refused.items()
            },
        }


def passed(response: dns.message.Message) -> set[dns.name.Name]:
    """Return the names that an answer leads through (CNAME and DNAME), whatever its order."""
    names = {each.name for each in response.answer}
    for each in response.answer:
        if each.rdtype in {dns.rdatatype.CNAME, dns.rdatatype.DNAME}:
            names |= {record.target for record in each}
    return names


def shown(name: str) -> str:
    """Return a name for people: one octet a character, so that none takes more room than others."""
    return re.sub(r"\\[0-9]{3}|\\.|[^A-Za-z0-9_.-]", "?", name).lower()[:253]


def unknown(wire: bytes) -> bytes:
    """Return the response to a kind of message that is not taken (RFC 1035, NOTIMP)."""
    return wire[:2] + bytes([0x80 | wire[2] & 0x79, dns.rcode.NOTIMP]) + bytes(8)


def empty(query: dns.message.Message, rcode: dns.rcode.Rcode) -> dns.message.Message:
    """Return a response without records."""
    response = dns.message.make_response(query, recursion_available=True)
    response.set_rcode(rcode)
    return response


class UdpListener(asyncio.DatagramProtocol):
    """Where the sandbox asks over UDP."""

    def __init__(self, resolver: Resolver, gate: asyncio.Semaphore) -> None:
        self.resolver, self.gate = resolver, gate
        self.tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go out."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a question; too many at once are dropped, and asked again."""
        if self.gate.locked():
            return
        task = asyncio.get_running_loop().create_task(self.serve(data, addr))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def serve(self, data: bytes, place: tuple[str, int]) -> None:
        """Answer one question."""
        async with self.gate:
            if (answer := await self.resolver.answer(data, tcp=False)) is not None:
                self.transport.sendto(answer, place)


@dataclass
class Streams:
    """Where the sandbox asks over TCP (RFC 7766)."""

    resolver: Resolver
    gate: asyncio.Semaphore
    open: dict[asyncio.StreamWriter, None] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the questions of one connection; one too many ends the oldest."""
        self.open[writer] = None
        while len(self.open) > MOST_CONNECTIONS:
            oldest = next(iter(self.open))
            del self.open[oldest]
            oldest.transport.abort()
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            while True:
                data = await asyncio.wait_for(asked_over(reader), IDLE)
                async with self.gate:
                    answer = await self.resolver.answer(data, tcp=True)
                if answer is None:
                    break
                writer.write(struct.pack("!H", len(answer)) + answer)
                await asyncio.wait_for(writer.drain(), IDLE)
        self.open.pop(writer, None)
        writer.close()


async def asked_over(reader: asyncio.StreamReader) -> bytes:
    """Read one question; raise EOFError if it is too long to be one."""
    size = struct.unpack("!H", await reader.readexactly(2))[0]
    if size > LONGEST:
        raise EOFError
    return await reader.readexactly(size)


def write(place: Path, data: object) -> None:
    """Replace a file in one step."""
    new = place.with_suffix(".new")
    new.write_text(json.dumps(data) + "\n")
    new.replace(place)


def around(place: Path) -> frozenset[str]:
    """Return the machine's addresses, from lines that end in one each; none if nobody said."""
    with contextlib.suppress(FileNotFoundError):
        return frozenset(line.split()[-1] for line in place.read_text().splitlines() if line)
    return frozenset()


async def run(
    directory: Path, state: Path, udp: int, tcp: int, record: EventRecord | None = None
) -> None:
    """Serve until the wall ends."""
    resolver = Resolver(Configuration.read(directory), record=record, token=os.urandom(32))
    resolver.by_now = tables(directory)
    (state / "token").write_bytes(resolver.token)
    gate = asyncio.Semaphore(AT_ONCE)
    loop = asyncio.get_running_loop()
    again = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, again.set)
    if record is not None:
        keep(loop, record)
        if (state / "pid").exists():  # of one that ended while its wall went on
            record.missed()
    # Whoever finds the number may send a signal.
    (state / "pid").write_text(f"{os.getpid()}\n")
    doors = [socket.socket(fileno=each) for each in (udp, tcp)]
    for door in doors:
        door.setblocking(False)
    await loop.create_datagram_endpoint(lambda: UdpListener(resolver, gate), sock=doors[0])
    streams = Streams(resolver, gate)
    await asyncio.start_server(streams.serve, sock=doors[1], limit=LONGEST)
    again.set()
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(again.wait(), 1)
        if again.is_set():
            again.clear()
            resolver.configuration = Configuration.read(directory)
            resolver.machine = around(state.parent / "machine")
            found = around(state.parent / "services")
            resolver.services = tuple(map(ipaddress.IPv4Network, sorted(found)))
            resolver.due.clear()
            if record is not None:
                record.watch(directory)
            resolver.changed = True
        await resolver.renew(state)
        if record is not None:
            record.write_due()


def tables(directory: Path) -> Callable[[], frozenset[str]] | None:
    """Return what reads the kernel's tables of the machine, where they are mounted."""
    if not TABLES.is_dir():
        return None
    sys.path.append(str(directory))
    return cast("Callable[[], frozenset[str]]", importlib.import_module("machine").by_now)


def keep(loop: asyncio.AbstractEventLoop, record: EventRecord) -> None:
    """Keep what the kernel tells, a little at a time, so that questions are answered in between."""

    def end() -> None:
        record.asked()
        os._exit(0)

    def hear() -> None:
        # Not woken by each packet, which would cost whoever sends it: `named` reads, too, so that
        # each connection gets the name that was asked for before it.
        if record.door is not None:
            loop.remove_reader(record.door)
            record.read()
            loop.call_later(PAUSE, listen)

    def listen() -> None:
        if record.door is not None:
            loop.add_reader(record.door, hear)

    listen()
    loop.add_signal_handler(signal.SIGUSR1, record.asked)
    loop.add_signal_handler(signal.SIGTERM, end)


def recorded(directory: Path, place: Path, events: str) -> EventRecord:
    """Return where it is kept what happens, on the socket that was inherited."""
    sys.path.append(str(directory))  # which -I leaves out; it is root's, and read-only
    evidence = importlib.import_module("evidence")
    door = None if events == "-" else socket.socket(fileno=int(events))
    recorder = evidence.Recorder(place, door)
    if SHOWN_REFUSED.parent.is_dir():
        recorder.shown = importlib.import_module("refusals").Shown(SHOWN_REFUSED)
    return cast("EventRecord", recorder)


EVIDENCE = Path("/evidence/evidence.json")
SHOWN_REFUSED = Path("/run/jailoc-refused/refused.json")

if __name__ == "__main__":
    kept = recorded(Path(sys.argv[1]), EVIDENCE, sys.argv[5])
    doors = int(sys.argv[3]), int(sys.argv[4])
    asyncio.run(run(Path(sys.argv[1]), Path(sys.argv[2]), *doors, kept))
