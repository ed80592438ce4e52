"""Ask the compiled rules whether something is open, and because of which line.

The answer comes from walking the rules as the kernel does, first match first, never from the
configuration; so it also says when the two would differ.
"""

from collections.abc import Iterable

from jailoc.model.address import AddressSet, Family, Network
from jailoc.model.base import Model
from jailoc.model.firewall import Chain, Firewall, Protocol, Rule, Target, accepted

CLOSED_BY_POLICY = "the chain's policy: what no rule opens is closed"
UNNAMED = 65535
"""Stands for every port that no rule names."""


class Answer(Model):
    """What becomes of new connections to a network through one door."""

    network: Network
    protocol: Protocol
    port: int | None
    """None for every port that no answer of this network names."""
    open: bool
    reason: str
    """The configuration entry that decides, or the words of the rule."""


def explain(firewall: Firewall, network: Network, port: int | None) -> tuple[Answer, ...]:
    """Return what the rules decide about a network, split where they decide differently.

    Args:
        firewall: The compiled rules; allowed names count as unknown addresses.
        network: One address, or more.
        port: The port that is asked about; None asks about all.
    """
    family = Family(network.version)
    rules = (firewall.ipv4 if family is Family.IPV4 else firewall.ipv6).of(Chain.OUTPUT)
    doors = [port] if port else [None, *sorted(mentioned(rules))]
    found: list[Answer] = []
    for protocol in (Protocol.TCP, Protocol.UDP):
        usual = _decide(rules, network, protocol, doors[0])
        found += usual
        for door in doors[1:]:
            special = _decide(rules, network, protocol, door)
            if [(each.network, each.open, each.reason) for each in special] != [
                (each.network, each.open, each.reason) for each in usual
            ]:
                found += special
    return tuple(found)


def opened(firewall: Firewall, network: Network, port: int | None) -> bool:
    """Tell whether every address of a network is open for TCP.

    Without a port it is asked for those that no rule names.
    """
    return not _open(firewall, network, Protocol.TCP, port or UNNAMED)[1]


def shut(firewall: Firewall, network: Network, port: int | None) -> bool:
    """Tell whether no address of a network is open, for TCP or UDP, on the port or on any."""
    family = Family(network.version)
    rules = (firewall.ipv4 if family is Family.IPV4 else firewall.ipv6).of(Chain.OUTPUT)
    doors = [port] if port else [UNNAMED, *mentioned(rules)]
    return all(
        not _open(firewall, network, protocol, door)[0]
        for protocol in (Protocol.TCP, Protocol.UDP)
        for door in doors
    )


def mentioned(rules: Iterable[Rule]) -> set[int]:
    """Return the ports that rules name."""
    return {rule.destination_port for rule in rules if rule.destination_port}


def _open(
    firewall: Firewall, network: Network, protocol: Protocol, port: int
) -> tuple[AddressSet, AddressSet]:
    """Return the part of a network that is open, and the part that is not."""
    family = Family(network.version)
    rules = firewall.ipv4 if family is Family.IPV4 else firewall.ipv6
    whole = AddressSet.networks(family, (network,))
    reachable = accepted(rules, protocol, port)
    return whole & reachable, whole - reachable


def _decide(
    rules: tuple[Rule, ...], network: Network, protocol: Protocol, port: int | None
) -> list[Answer]:
    family = Family(network.version)
    undecided = AddressSet.networks(family, (network,))
    found: list[Answer] = []

    def settle(matched: AddressSet, is_open: bool, reason: str) -> None:
        found.extend(
            Answer(network=each, protocol=protocol, port=port, open=is_open, reason=reason)
            for each in matched.collapse()
        )

    for rule in rules:
        if rule.match is not None or rule.target in {Target.DNS, Target.NAMES}:
            continue
        if rule.protocol not in {None, protocol}:
            continue
        if rule.destination_port is not None and rule.destination_port != port:
            continue
        matched = undecided
        if rule.destination is not None:
            matched = undecided & AddressSet.networks(family, (rule.destination,))
        settle(matched, rule.target is Target.ACCEPT, rule.comment)
        undecided -= matched
    settle(undecided, False, CLOSED_BY_POLICY)
    return sorted(found, key=lambda each: int(each.network.network_address))
