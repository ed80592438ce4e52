"""The wall's resolver, with two doors: names with a credential lead the sandbox to the proxy.

    proxy_resolver.py CONFIGURATION STATE UDP TCP PROXY-UDP PROXY-TCP EVENTS

CONFIGURATION has, besides what `resolver.py` reads, `credential-names`, one name a line. The
sandbox is answered with the proxy's address for them; at the second door, which the firewall keeps
for the proxy, real addresses are told, and opened to the proxy alone.
"""

import asyncio
import importlib.util
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from jailoc.generators.assets import resolver
else:  # isolated mode knows no directory of the program's own
    _spec = importlib.util.spec_from_file_location(
        "resolver", Path(__file__).with_name("resolver.py")
    )
    resolver = sys.modules["resolver"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(resolver)

PROXY = "127.0.0.54"
TOLD = 5
"""Seconds that an answer may be kept."""


@dataclass
class Credentialed:
    """The names that have a credential, as the file has them now."""

    place: Path
    stamp: int = 0
    names: frozenset[str] = frozenset()

    def __contains__(self, name: str | None) -> bool:
        """Tell whether a name, in lower case, has one."""
        stamp = self.place.stat().st_mtime_ns
        if stamp != self.stamp:
            self.names = frozenset(self.place.read_text().split())
            self.stamp = stamp
        return name in self.names


class ProxyResolver(resolver.Resolver):
    """Asks and opens as the wall's resolver does, under one of the names never for a wildcard."""

    made: "asyncio.Future[ProxyResolver]"
    credentialed: Credentialed

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Let the outer door know."""
        super().__init__(*arguments, **named)
        self.made.set_result(self)

    def covering(self, name: str | None) -> tuple[resolver.AllowedPattern, ...]:
        """Return the allowed names that a name falls under."""
        found = super().covering(name)
        if name in self.credentialed:
            return tuple(each for each in found if each.pattern == name)
        return found


@dataclass
class Outer:
    """Answers the sandbox."""

    inner: ProxyResolver
    credentialed: Credentialed = field(init=False)

    def __post_init__(self) -> None:
        """Share what is known."""
        self.credentialed = self.inner.credentialed

    async def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """Return the response to a query, or None if it is none."""
        own = self.own(wire)
        return await self.inner.answer(wire, tcp=tcp) if own is None else own

    def own(self, wire: bytes) -> bytes | None:
        """Return what is answered for a name with a credential; None for any other question."""
        if (alone := resolver.bare(wire)) is None:
            return None
        try:
            query = dns.message.from_wire(alone)
        except dns.exception.DNSException:
            return None
        if not isinstance(query, dns.message.QueryMessage) or query.flags & dns.flags.QR:
            return None
        if len(query.question) != 1 or query.question[0].rdclass != dns.rdataclass.IN:
            return None
        (question,) = query.question
        if resolver.spelt(question.name) not in self.credentialed:
            return None
        if self.inner.configuration.denies(question.name):
            return None
        result = resolver.empty(query, dns.rcode.NOERROR)
        if question.rdtype == dns.rdatatype.A:
            result.answer = [dns.rrset.from_text(question.name, TOLD, "IN", "A", PROXY)]
        return result.to_wire()


class OuterListener(resolver.UdpListener):
    """Where the sandbox asks over UDP; for a name with a credential nobody else has to be asked."""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a question."""
        own = cast("Outer", self.resolver).own(data)
        if own is None:
            super().datagram_received(data, addr)
        else:
            self.transport.sendto(own, addr)


async def outer(udp: int, tcp: int) -> None:
    """Serve the sandbox, as soon as the resolver is there."""
    # It answers, and that is all the listeners want of a resolver.
    answering = cast("resolver.Resolver", Outer(await ProxyResolver.made))
    gate = asyncio.Semaphore(resolver.AT_ONCE)
    doors = [socket.socket(fileno=each) for each in (udp, tcp)]
    for door in doors:
        door.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: OuterListener(answering, gate), sock=doors[0])
    streams = resolver.Streams(answering, gate)
    await asyncio.start_server(streams.serve, sock=doors[1], limit=resolver.LONGEST)


async def run(
    directory: Path, state: Path, numbers: list[int], record: resolver.EventRecord
) -> None:
    """Serve both doors until the wall ends."""
    ProxyResolver.made = asyncio.get_running_loop().create_future()
    ProxyResolver.credentialed = Credentialed(directory / "credential-names")
    resolver.Resolver = ProxyResolver  # type: ignore[misc]
    # One that ends takes the other with it.
    door, stream, *inner = numbers
    await asyncio.gather(
        outer(door, stream), resolver.run(directory, state, inner[0], inner[1], record)
    )


if __name__ == "__main__":
    kept = resolver.recorded(Path(sys.argv[1]), resolver.EVIDENCE, sys.argv[7])
    doors = [int(each) for each in sys.argv[3:7]]
    asyncio.run(run(Path(sys.argv[1]), Path(sys.argv[2]), doors, kept))
