"""Tell what `verify` was refused itself from what the sandbox was, where both tried one place.

The kernel counts by place only. So `verify` leaves a note in the wall: the places that it tried,
and what the kernel had counted there before and after. Times are the wall's uptime, since its clock
is the kernel's own.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from jailoc.model.address import Address, written
from jailoc.model.base import Model
from jailoc.model.firewall import Protocol
from jailoc.model.rule_match import COUNTED

Carried = Protocol | int
"""A protocol, or the number of one that no rule names (IANA, protocol numbers)."""
Key = tuple[Address, Carried, int | None]


def word(protocol: Carried) -> str:
    """Return the name of a protocol, or its number."""
    return protocol.value if isinstance(protocol, Protocol) else str(protocol)


class Attempt(Model):
    """Connections to one place through one door that were refused."""

    address: Address
    protocol: Carried
    """ICMP is that of the address's family."""
    port: int | None
    """None for all but TCP and UDP."""
    times: int
    """At least 1. Where the kernel only counts, `MOST_COUNTED` stands for itself and more, and one
    an hour is forgotten."""
    ago: int
    """Seconds since the last one."""


class Own(NamedTuple):
    """What `verify` knew of a place when it had tried it."""

    counted: int
    """What the kernel had counted: its own tries and the sandbox's."""
    others: int
    """How many of these were the sandbox's."""
    last: int
    """When the last one of the sandbox's was, in seconds of uptime."""
    end: int
    """When `verify` had tried, likewise."""


def key(attempt: Attempt) -> Key:
    """Return the place of an attempt."""
    return attempt.address, attempt.protocol, attempt.port


def uptime(text: str) -> int:
    """Read /proc/uptime (proc(5)), in whole seconds; 0 if it is of any other form."""
    whole = text.partition(".")[0].strip()
    return int(whole) if whole.isdecimal() else 0


def note(
    sent: Iterable[Key],
    before: Iterable[Attempt],
    after: Iterable[Attempt],
    known: Mapping[Key, Own],
    times: tuple[int, int],
) -> dict[Key, Own]:
    """Return what is to be noted after probes were sent, one packet to each place.

    Args:
        sent: Where to.
        before: What the kernel had counted before.
        after: What it has counted since.
        known: The notes of an earlier time.
        times: The uptime before and after.
    """
    begun, end = times
    old = {key(each): each for each in before}
    mine = {key(each): each for each in without(before, known, begun)}
    tried = set(sent)
    found = dict(known)
    for each in after:
        place = key(each)
        if place not in tried:
            continue
        counted = old[place].times if place in old else 0
        # More than the one packet that was sent: the sandbox tried at the same time.
        meanwhile = max(each.times - counted - 1, 0)
        there = mine.get(place)
        last = end if meanwhile else begun - there.ago if there else 0
        found[place] = Own(each.times, (there.times if there else 0) + meanwhile, last, end)
    return {place: each for place, each in found.items() if end - each.end <= COUNTED}


def without(found: Iterable[Attempt], known: Mapping[Key, Own], now: int) -> tuple[Attempt, ...]:
    """Return what was counted less what `verify` tried.

    Args:
        found: What the kernel has counted.
        known: What `verify` has noted.
        now: The uptime.
    """
    return tuple(_without(found, known, now))


def _without(found: Iterable[Attempt], known: Mapping[Key, Own], now: int) -> Iterator[Attempt]:
    for each in found:
        own = known.get(key(each))
        if own is None:
            yield each
            continue
        # The kernel tells whole seconds, rounded up.
        more = each.times - own.counted
        if more > 0 or now - each.ago > own.end + 1:
            times = min(max(own.others + max(more, 1), 1), each.times)
            yield each.model_copy(update={"times": times})
        elif own.others and now - own.last <= COUNTED:
            ago = max(now - own.last, each.ago)
            yield each.model_copy(update={"times": min(own.others, each.times), "ago": ago})


def text(known: Mapping[Key, Own]) -> str:
    """Write notes, one place a line."""
    return "".join(
        f"{word(protocol)} {written(address)} {'-' if port is None else port} "
        f"{' '.join(map(str, own))}\n"
        for (address, protocol, port), own in known.items()
    )


def parse(text: str) -> dict[Key, Own]:
    """Read notes; lines of any other form are passed over."""
    found: dict[Key, Own] = {}
    for line in text.splitlines():
        try:
            protocol, address, port, *numbers = line.split(" ")
            place = (
                ipaddress.ip_address(address),
                int(protocol) if protocol.isdecimal() else Protocol(protocol),
                None if port == "-" else int(port),
            )
            found[place] = Own(*map(int, numbers))
        except (ValueError, TypeError):
            continue
    return found
