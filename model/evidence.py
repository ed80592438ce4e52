"""What the wall has seen of a sandbox's connections, as its resolver keeps it (`evidence.py`)."""

import hashlib
import ipaddress
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, field_validator

from jailoc.model.address import Address, Network, written
from jailoc.model.base import Model

VERSION = 1
REFUSED = "r"
"""The mark of what is refused."""
PASSED = "d"
"""The mark of what nobody named: the default let it through."""
MACHINE_PORT = "h"
"""The mark of ports of the machine."""
PROBER = 65531
"""Group of what `verify` sends, which is in no list."""
LONGEST = 253


def mark_of_name(mark: int) -> str:
    """Return the mark of an allowed name, from that of its connections."""
    return f"n{mark:08x}"


def mark_of_network(network: Network, port: int | None) -> str:
    """Return the mark of an allowed network: the same wherever the entry stands."""
    return "a" + hashlib.sha256(f"{written(network)} {port or 0}".encode()).hexdigest()[:8]


def _address(text: str) -> Address:
    return ipaddress.ip_address(text)


Name = Annotated[str, Field(max_length=LONGEST)]
Place = Annotated[str, Field(max_length=64), AfterValidator(lambda text: written(_address(text)))]
MOST = (1 << 53) - 1
"""What is counted no further, so that every reader of JSON has the same number (RFC 8259)."""
LATEST = 253_402_300_799
"""The last second of the year 9999: what writes dates knows no later one."""
Count = Annotated[int, Field(ge=0, le=MOST)]
Moment = Annotated[int, Field(ge=0, le=LATEST)]
Port = Annotated[int, Field(ge=0, le=65535)]
Number = Annotated[int, Field(ge=0, le=255)]


class Sighting(Model):
    """How often something was seen, and when (seconds since 1970)."""

    count: Annotated[int, Field(ge=1, le=MOST)]
    first: Moment
    last: Moment
    addresses: Annotated[tuple[Place, ...], Field(max_length=64)] = ()
    also: Annotated[tuple[Name, ...], Field(max_length=64)] = ()
    """Other names of the address."""

    def joined(self, other: "Sighting") -> "Sighting":
        """Return both together."""
        return Sighting(
            count=min(self.count + other.count, MOST),
            first=min(self.first, other.first),
            last=max(self.last, other.last),
            addresses=tuple(dict.fromkeys((*self.addresses, *other.addresses)))[:64],
            also=tuple(dict.fromkeys((*self.also, *other.also)))[:64],
        )


Door = tuple[Place, Number, Port, Sighting]


class Evidence(Model):
    """All that was kept of one sandbox, or of several machines together."""

    version: int
    workspace: str = ""
    """Only in a file that was exported."""
    heard: bool = True
    """Whether the kernel tells of connections at all."""
    names_since: Moment = 0
    spans: Annotated[tuple[tuple[Moment, Moment], ...], Field(max_length=4096)] = ()
    """When it was looked, from and to."""
    watched: dict[Annotated[str, Field(max_length=16)], Moment] = Field(default_factory=dict)
    """By mark, since when a rule has told of its connections without a break."""
    lost: Count = 0
    """Events that the kernel could not tell of, and one for each time that nobody heard any."""
    lost_last: Moment = 0
    """When the last one was; they are forgotten as entries are."""
    torn: bool = False
    """Whether an earlier file could not be read, and what was in it is gone."""
    others: dict[Annotated[str, Field(max_length=16)], Count] = Field(default_factory=dict)
    """Connections to what was not kept, by kind, since a bound was reached."""
    named: tuple[tuple[Name, Number, Port, str, Sighting], ...] = ()
    bare: tuple[tuple[Place, Number, Port, str, Sighting], ...] = ()
    refused: tuple[Door, ...] = ()
    probed: tuple[Door, ...] = ()
    unresolved: tuple[tuple[Name, Sighting], ...] = ()
    reached: tuple[tuple[Name, Number, Port, Sighting], ...] = ()
    """Allowed names that were reached: addresses that names share tell none apart."""
    used: tuple[tuple[Annotated[str, Field(max_length=16)], Sighting], ...] = ()

    @field_validator("version")
    @classmethod
    def _known(cls, value: int) -> int:
        if value != VERSION:
            raise ValueError("another version")
        return value

    @property
    def seconds(self) -> int:
        """Return for how long it was looked."""
        return sum(max(end - begin, 0) for begin, end in self.spans)


def read(text: str | bytes) -> Evidence | None:
    """Read evidence; None if it is none that this jailoc can read."""
    try:
        return Evidence.model_validate_json(text)
    except ValidationError:
        return None


def _watched(every: tuple[Evidence, ...]) -> dict[str, int]:
    """Return since when all have told of what all tell of."""
    marks = set.intersection(*({*each.watched} for each in every))
    return {mark: max(each.watched[mark] for each in every) for mark in sorted(marks)}


def merged(every: tuple[Evidence, ...]) -> Evidence:
    """Return the union: counts are added, times joined."""
    found: dict[str, dict[Any, Sighting]] = {}
    for each in every:
        for kind in ("named", "bare", "refused", "unresolved", "reached", "used"):
            entries = found.setdefault(kind, {})
            for *key, seen in getattr(each, kind):
                place = tuple(key)
                entries[place] = entries[place].joined(seen) if place in entries else seen
    names = {kind for each in every for kind in each.others}
    return Evidence(
        version=VERSION,
        workspace=every[0].workspace,
        heard=any(each.heard for each in every),
        names_since=max(each.names_since for each in every),
        spans=tuple(sorted({span for each in every for span in each.spans})),
        watched=_watched(every),
        lost=min(sum(each.lost for each in every), MOST),
        lost_last=max(each.lost_last for each in every),
        torn=any(each.torn for each in every),
        others={
            name: min(sum(each.others.get(name, 0) for each in every), MOST)
            for name in sorted(names)
        },
        **{
            kind: tuple((*key, seen) for key, seen in entries.items())
            for kind, entries in found.items()
        },
    )
