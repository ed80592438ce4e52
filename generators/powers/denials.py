"""When the loss of a denial is no news beside the addresses that open with it."""

from collections.abc import Iterable
from datetime import date

from jailoc.generators.runtime.explain import PROTOCOLS, mentioned
from jailoc.model.address import AddressSet, Family, Network
from jailoc.model.firewall import Firewall, Protocol
from jailoc.model.power import Direction, PowerChange
from jailoc.model.rule_walk import walk

_DNS = 53


def untold(
    found: Iterable[PowerChange], before: Firewall | None, after: Firewall | None
) -> list[PowerChange]:
    """Return changes without denials that go where their addresses open with them.

    Args:
        found: The changes.
        before: The rules that are left.
        after: The rules that are reached.
    """
    kept = list(found)
    opened: dict[tuple[Direction, int], list[Network]] = {}
    for each in kept:
        if each.rule in {"reach.network", "guard.egress"}:
            for network in each.networks:
                opened.setdefault((each.way, network.version), []).append(network)
    alike: dict[tuple[Direction, Family, str], list[PowerChange]] = {}
    for each in kept:
        if each.rule == "guard.denied" and each.networks:
            family = Family(each.networks[0].version)
            port = each.subject.partition(" port ")[2]
            alike.setdefault((each.way, family, port), []).append(each)
    told: list[PowerChange] = []
    for (way, family, port), denials in alike.items():
        side = after if way is Direction.WIDENS else before
        if side is None:
            continue
        whole = AddressSet.networks(family, (one for each in denials for one in each.networks))
        beside = AddressSet.networks(family, opened.get((way, family.value), ()))
        # All at once: each walk takes as long as there are rules.
        shut = (whole - beside) | _shut(side, family, whole, port)
        told += (each for each in denials if not AddressSet.networks(family, each.networks) & shut)
    return [each for each in kept if each not in told]


def _shut(firewall: Firewall, family: Family, whole: AddressSet, port: str) -> AddressSet:
    """Return the addresses that are not open for good through every door that a denial closed.

    A name opens each that is left: it is told of no address, for nobody knows where it leads. What
    another denial closes still, no name opens.
    """
    rules = firewall.of(family)
    doors = (int(port),) if port else (None, *sorted(mentioned(rules.outgoing)))
    # DNS elsewhere stays closed where the internet is open, but for names.
    if not port and not any(each.port in {None, _DNS} for each in firewall.names):
        doors = tuple(each for each in doors if each != _DNS)
    return AddressSet.of(
        family,
        (
            pair
            for protocol in PROTOCOLS
            for door in doors
            if protocol is not Protocol.ICMP or door is None
            for verdict in walk(rules, whole, protocol, door, date.max)
            if not verdict.accept and not (verdict.rule is not None and verdict.rule.denied)
            for pair in verdict.matched.ranges
        ),
    )
