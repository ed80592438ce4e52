"""Ask the compiled rules whether something is open, and because of which line.

The answer comes from walking the rules as the kernel does, first match first, never from the
configuration; so it also says when the two would differ.
"""

from collections.abc import Iterable

from jailoc.model.address import AddressSet, Family, Network
from jailoc.model.base import Model
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Port
from jailoc.model.firewall import Chain, Firewall, Protocol, Rule, Target
from jailoc.model.rule_walk import accepted, walk
from jailoc.model.sandbox import WALL

CLOSED_BY_POLICY = "the chain's policy: what no rule opens is closed"


class Answer(Model):
    """What becomes of new connections to a network through one door."""

    network: Network
    protocol: Protocol | None
    """None for those that no rule names."""
    port: int | None
    """None for every port that no answer of this network names."""
    open: bool
    reason: str
    """The configuration entry that decides, or the words of the rule."""
    denied: bool = False
    """Whether it is closed whatever else is allowed."""


PROTOCOLS = (Protocol.TCP, Protocol.UDP, Protocol.ICMP)
"""ICMP is that of the address's family."""


def explain(firewall: Firewall, network: Network, port: int | None) -> tuple[Answer, ...]:
    """Return what the rules decide about a network, split where they decide differently.

    Args:
        firewall: The compiled rules; allowed names count as unknown addresses.
        network: One address, or more.
        port: The port that is asked about, for TCP and UDP; None asks about all, and ICMP.
    """
    rules = firewall.of(Family(network.version))
    doors = [port] if port else [None, *sorted(mentioned(rules.outgoing))]
    found: list[Answer] = []
    for protocol in PROTOCOLS[:2] if port else PROTOCOLS:
        usual = decide(firewall, network, protocol, doors[0])
        found += usual
        for door in doors[1:] if protocol is not Protocol.ICMP else ():
            special = decide(firewall, network, protocol, door)
            if [(each.network, each.open, each.reason) for each in special] != [
                (each.network, each.open, each.reason) for each in usual
            ]:
                found += special
    return tuple(found)


def let_in(bundle: Bundle) -> tuple[tuple[Port, str], ...]:
    """Return the published ports that the rules let in, each with the entry or words that do."""
    accepted = {
        rule.destination_port: rule.comment
        for rule in bundle.firewall.ipv4.of(Chain.INPUT)
        if rule.target is Target.ACCEPT and rule.protocol is Protocol.TCP
    }
    return tuple(
        (each, accepted[each.target])
        for each in bundle.compose.services[WALL].ports
        if each.target in accepted
    )


def decide(
    firewall: Firewall, network: Network, protocol: Protocol | None, port: int | None
) -> tuple[Answer, ...]:
    """Return what the rules decide about a network through one door, ascending by address.

    Without a protocol it is asked for those that no rule names.
    """
    family = Family(network.version)
    whole = AddressSet.networks(family, (network,))
    return tuple(
        sorted(
            (
                Answer(
                    network=each,
                    protocol=protocol,
                    port=port,
                    open=verdict.accept,
                    reason=verdict.rule.comment if verdict.rule else CLOSED_BY_POLICY,
                    denied=verdict.rule is not None and verdict.rule.denied,
                )
                for verdict in walk(firewall.of(family), whole, protocol, port)
                for each in verdict.matched.collapse()
            ),
            key=lambda each: int(each.network.network_address),
        )
    )


def opened(firewall: Firewall, network: Network, port: int | None) -> bool:
    """Tell whether every address of a network is open for TCP.

    Without a port it is asked for those that no rule names.
    """
    family = Family(network.version)
    whole = AddressSet.networks(family, (network,))
    return accepted(firewall.of(family), Protocol.TCP, port, whole) == whole


def shut(firewall: Firewall, network: Network, port: int | None) -> bool:
    """Tell whether no address of a network is open, by any protocol, on the port or on any."""
    family = Family(network.version)
    rules, whole = firewall.of(family), AddressSet.networks(family, (network,))
    doors = [port] if port else [None, *mentioned(rules.outgoing)]
    asked: list[tuple[Protocol, int | None]] = [
        (protocol, door) for protocol in PROTOCOLS[:2] for door in doors
    ]
    if not port:
        asked.append((Protocol.ICMP, None))
    return not any(accepted(rules, protocol, door, whole) for protocol, door in asked)


def mentioned(rules: Iterable[Rule]) -> set[int]:
    """Return the ports that rules name."""
    return {rule.destination_port for rule in rules if rule.destination_port}
