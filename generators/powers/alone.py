"""Addresses that are named by themselves: a range never opens this machine, and such an entry does.

So does a network of IPv6 that is the machine's. Either in a range that was open is news, wherever
it may be one of the machine's.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jailoc.generators.powers.places import machine_rank, port_words
from jailoc.model.address import AddressSet, Family, Network, is_single, written
from jailoc.model.firewall import Firewall, Protocol, Target
from jailoc.model.power import Direction, PowerChange, Rank
from jailoc.model.rule_walk import accepted
from jailoc.model.special_ranges import (
    ENGINE_POOLS,
    LINK_LENGTH,
    machine_networks,
    names_alone,
    public,
)

EACH = 8
"""Up to so many addresses that are alike have a line of their own."""
_FEW = 3


class _Door(NamedTuple):
    """How addresses are told of together."""

    family: Family
    port: int | None
    mine: bool
    """Whether they are known for the machine's own."""


def alone(
    before: Firewall | None, after: Firewall | None, own: Sequence[Network]
) -> Iterator[PowerChange]:
    """Yield the addresses that were open in a range and now are by themselves, or the other way.

    Those of the machine are told of whatever was open before.

    Args:
        before: The rules that are left.
        after: The rules that are reached.
        own: Addresses of the machine, and its networks of IPv6; none where they are not known.
    """
    if before is None or after is None:
        return
    mine_v6 = machine_networks(map(written, own))
    old, new = _named(before, mine_v6), _named(after, mine_v6)
    for way, mine, others, side in (
        (Direction.WIDENS, new, old, before), (Direction.NARROWS, old, new, after),
    ):  # fmt: skip
        found: dict[_Door, list[Network]] = {}
        for network, port in mine:
            known = network in own and not network.is_loopback
            if others.keys() & {(network, port), (network, None)}:
                continue
            if known or _may_be_own(network, own):
                door = _Door(Family(network.version), port, known)
                found.setdefault(door, []).append(network)
        for door, networks in found.items():
            once = accepted(side.of(door.family), Protocol.TCP, door.port,
                            AddressSet.networks(door.family, networks))  # fmt: skip
            # What was not open at all is told of by its address.
            told = [each for each in networks if door.mine
                    or not AddressSet.networks(door.family, (each,)) - once]  # fmt: skip
            for group in [told] if len(told) > EACH else [[each] for each in told]:
                yield _change(way, door, group, mine[group[0], door.port])


def _may_be_own(network: Network, own: Sequence[Network]) -> bool:
    """Tell whether an address may be the machine's own.

    Those in engines' networks come and go, and so do those in its networks of IPv6 (RFC 8981).
    """
    return not own or any(
        each.version == network.version and network.network_address in each
        for each in (*ENGINE_POOLS, *own)
    )


def _change(way: Direction, door: _Door, networks: Sequence[Network], origin: str) -> PowerChange:
    few = ", ".join(map(_spelt, networks[:_FEW]))
    names = few if len(networks) <= _FEW else f"{few} and {len(networks) - _FEW} more"
    own = "this machine's own " + ("address" if all(map(is_single, networks)) else "network")
    through = "every port" if door.port is None else f"port {door.port}"
    verb = "may" if way is Direction.WIDENS else "may no longer"
    if door.mine:
        what = f"{port_words(door.port)}: {own}"
    else:
        what = f"{through}, even if it is {own}: the range that held it left this machine out"
    return PowerChange(
        rule="reach.machine",
        way=way,
        rank=machine_rank(door.port) if door.mine else Rank.HIGH,
        subject=f"{names} {through}",
        text=f"{verb} reach {names}, {what}",
        origin=origin,
    )


def _spelt(network: Network) -> str:
    return written(network.network_address if is_single(network) else network)


def _named(
    firewall: Firewall, machine: tuple[Network, ...]
) -> dict[tuple[Network, int | None], str]:
    """Return what opens this machine where it is an address or a network of it, with the entry."""
    return {
        (each.destination, each.destination_port): each.comment
        for family in Family
        for each in firewall.of(family).outgoing
        if each.target is Target.ACCEPT
        and each.destination is not None
        and (
            names_alone(each.destination, machine)
            or (family is Family.IPV6 and not machine and _of_one_link(each.destination))
        )
    }


def _of_one_link(network: Network) -> bool:
    """Tell whether a network may be one that a machine is in (RFC 4291, 2.5.4)."""
    return network.prefixlen >= LINK_LENGTH and public(network)
