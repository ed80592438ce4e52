"""Sets of IP addresses as sorted ranges, with exact arithmetic over the whole address space.

Only whole ranges are ever touched, so a question about 2**128 addresses costs as little as one
about four.
"""

import ipaddress
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from pydantic import PlainSerializer, WithJsonSchema

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_MAPPED = 0xFFFF
"""The upper 96 bits of an IPv6 address that holds an IPv4 one (RFC 4291, section 2.5.5.2)."""


def written(place: _Address | _Network) -> str:
    """Write an address or a network the same on every Python: an IPv4 address in IPv6 with dots.

    `str` does so from Python 3.13 on alone. All that is emitted, compared or shown goes through
    here, so that it is the same bytes everywhere, and what the wall's own Python writes.

    >>> written(ipaddress.ip_address("::ffff:a00:1"))
    '::ffff:10.0.0.1'
    >>> written(ipaddress.ip_network("::ffff:0:0/96"))
    '::ffff:0.0.0.0/96'
    """
    if isinstance(place, ipaddress.IPv6Network):
        return f"{written(place.network_address)}/{place.prefixlen}"
    if isinstance(place, ipaddress.IPv6Address) and int(place) >> 32 == _MAPPED:
        zone = "" if place.scope_id is None else f"%{place.scope_id}"
        return f"::ffff:{ipaddress.IPv4Address(int(place) & 0xFFFFFFFF)}{zone}"
    return str(place)


def _formats(*names: str) -> WithJsonSchema:
    """Keep what a schema says of the text, beside a serializer of our own."""
    every = [{"format": each, "type": "string"} for each in names]
    return WithJsonSchema({"anyOf": every}, mode="serialization")


_WRITTEN = PlainSerializer(written, return_type=str, when_used="json")
Network = Annotated[_Network, _WRITTEN, _formats("ipv4network", "ipv6network")]
Address = Annotated[_Address, _WRITTEN, _formats("ipv4", "ipv6")]


def is_single(network: _Network) -> bool:
    """Tell whether a network is one address.

    >>> is_single(ipaddress.ip_network("10.0.0.1")), is_single(ipaddress.ip_network("::/127"))
    (True, False)
    """
    return network.prefixlen == network.max_prefixlen


class Family(IntEnum):
    """An address family, by the version number of its protocol."""

    IPV4 = 4
    IPV6 = 6

    @property
    def last(self) -> int:
        """Return the highest address as a number."""
        return (1 << (32 if self is Family.IPV4 else 128)) - 1

    @property
    def bits(self) -> int:
        """Return the length of an address."""
        return 32 if self is Family.IPV4 else 128

    def address(self, number: int) -> Address:
        """Return the address of a number."""
        if self is Family.IPV4:
            return ipaddress.IPv4Address(number)
        return ipaddress.IPv6Address(number)

    def network(self, number: int, length: int) -> Network:
        """Return the network of an address and of its leading bits that count.

        Raises:
            ValueError: the address has others, too.
        """
        if self is Family.IPV4:
            return ipaddress.IPv4Network((number, length))
        return ipaddress.IPv6Network((number, length))


def _begin(pair: tuple[int, int]) -> int:
    return pair[0]


def _end(pair: tuple[int, int]) -> int:
    return pair[1]


def _near(ranges: tuple[tuple[int, int], ...], other: "AddressSet") -> tuple[tuple[int, int], ...]:
    """Return those of the ranges that lie between the first and the last address of another set."""
    first = bisect_left(ranges, other.ranges[0][0], key=_end)
    return ranges[first : bisect_right(ranges, other.ranges[-1][1], first, key=_begin)]


@dataclass(frozen=True, slots=True)
class AddressSet:
    """A set of addresses of one family.

    `ranges` are inclusive pairs, ascending, disjoint and never adjacent, so that equal sets are
    equal values.
    """

    family: Family
    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, family: Family, pairs: Iterable[tuple[int, int]]) -> "AddressSet":
        """Build the set that holds every given range, in any order and with any overlap.

        Raises:
            ValueError: a range is reversed or outside the address space.
        """
        merged: list[tuple[int, int]] = []
        last = family.last
        for low, high in sorted(pairs):
            if not 0 <= low <= high <= last:
                raise ValueError(f"not a range of IPv{family.value}: {low}..{high}")
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        return cls(family, tuple(merged))

    @classmethod
    def networks(cls, family: Family, networks: Iterable[Network]) -> "AddressSet":
        """Build the set of the given networks; those of the other family do not count."""
        return cls.of(
            family,
            (
                (int(each.network_address), int(each.broadcast_address))
                for each in networks
                if each.version == family.value
            ),
        )

    @classmethod
    def everything(cls, family: Family) -> "AddressSet":
        """Return the whole address space."""
        return cls(family, ((0, family.last),))

    def __or__(self, other: "AddressSet") -> "AddressSet":
        """Return the union."""
        return AddressSet.of(self._same(other), (*self.ranges, *other.ranges))

    def __and__(self, other: "AddressSet") -> "AddressSet":
        """Return the intersection."""
        family = self._same(other)
        if not self.ranges or not other.ranges:
            return AddressSet(family)
        found: list[tuple[int, int]] = []
        mine, theirs = iter(_near(self.ranges, other)), iter(_near(other.ranges, self))
        left, right = next(mine, None), next(theirs, None)
        while left and right:
            low, high = max(left[0], right[0]), min(left[1], right[1])
            if low <= high:
                found.append((low, high))
            if left[1] < right[1]:
                left = next(mine, None)
            else:
                right = next(theirs, None)
        return AddressSet(family, tuple(found))

    def __invert__(self) -> "AddressSet":
        """Return every address that is not in the set."""
        gaps: list[tuple[int, int]] = []
        start = 0
        for low, high in self.ranges:
            if start < low:
                gaps.append((start, low - 1))
            start = high + 1
        if start <= self.family.last:
            gaps.append((start, self.family.last))
        return AddressSet(self.family, tuple(gaps))

    def __sub__(self, other: "AddressSet") -> "AddressSet":
        """Return the addresses of this set that the other one lacks."""
        family = self._same(other)
        if not self.ranges or not other.ranges:
            return self
        # Of very many ranges all but a few stay as they are.
        near = _near(self.ranges, other)
        start = bisect_left(self.ranges, other.ranges[0][0], key=_end)
        rest = (AddressSet(family, near) & ~other).ranges
        return AddressSet(family, self.ranges[:start] + rest + self.ranges[start + len(near) :])

    def __contains__(self, address: Address) -> bool:
        """Tell whether an address is in the set."""
        number = int(address)
        return address.version == self.family.value and any(
            low <= number <= high for low, high in self.ranges
        )

    def __bool__(self) -> bool:
        """Tell whether there is any address at all."""
        return bool(self.ranges)

    @property
    def size(self) -> int:
        """Return the number of addresses."""
        return sum(high - low + 1 for low, high in self.ranges)

    def collapse(self) -> tuple[Network, ...]:
        """Return the fewest networks that together are this set, ascending."""
        return tuple(
            network
            for low, high in self.ranges
            for network in ipaddress.summarize_address_range(
                self.family.address(low),
                self.family.address(high),
            )
        )

    def _same(self, other: "AddressSet") -> Family:
        if self.family is not other.family:
            raise ValueError("sets of different families cannot be combined")
        return self.family


LOOPBACK_IPV4, LOOPBACK_IPV6 = ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")
"""The sandbox itself. Its own addresses are, too, but are known only at run time."""


def loopback(family: Family) -> AddressSet:
    """Return the addresses of a family that are always the sandbox itself."""
    return AddressSet.networks(family, (LOOPBACK_IPV4, LOOPBACK_IPV6))
