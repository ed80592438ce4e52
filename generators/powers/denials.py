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
    lifted = {Direction.WIDENS: after, Direction.NARROWS: before}

    def told(denial: PowerChange) -> bool:
        side = lifted.get(denial.way)
        if side is None or denial.rule != "guard.denied" or not denial.networks:
            return False
        family = Family(denial.networks[0].version)
        whole = AddressSet.networks(family, denial.networks)
        beside = AddressSet.networks(family, opened.get((denial.way, family.value), ()))
        return not whole - beside and _all_open(side, family, whole, denial.subject)

    return [each for each in kept if not told(each)]


def _all_open(firewall: Firewall, family: Family, whole: AddressSet, subject: str) -> bool:
    """Tell whether addresses are open for good through every door that a denial closed.

    A name opens each that is left: it is told of no address, for nobody knows where it leads. What
    another denial closes still, no name opens.
    """
    rules = firewall.of(family)
    port = subject.partition(" port ")[2]
    doors = (int(port),) if port else (None, *sorted(mentioned(rules.outgoing)))
    # DNS elsewhere stays closed where the internet is open, but for names.
    if not port and not any(each.port in {None, _DNS} for each in firewall.names):
        doors = tuple(each for each in doors if each != _DNS)
    return not any(
        not verdict.accept and not (verdict.rule is not None and verdict.rule.denied)
        for protocol in PROTOCOLS
        for door in doors
        if protocol is not Protocol.ICMP or door is None
        for verdict in walk(rules, whole, protocol, door, date.max)
    )
