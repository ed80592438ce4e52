"""How grave it is what a change opens in pieces: the same as if it had opened it in one.

A piece is a set of addresses with the same doors. What was open before at a single address through
a single port cuts a range into two of them, and two entries are two; neither makes a range less.
"""

from collections.abc import Sequence

from jailoc.generators.powers.places import in_wholes, range_rank, wholes
from jailoc.generators.powers.ranges import counted
from jailoc.model.address import AddressSet, Family
from jailoc.model.firewall import Firewall
from jailoc.model.power import Direction, Door, PowerChange, Rank
from jailoc.model.rule_walk import accepted

DNS = 53


def together(
    pieces: Sequence[PowerChange], before: Firewall | None, after: Firewall | None, family: Family
) -> list[PowerChange]:
    """Return changes of addresses; of those that are graver together, the largest says so.

    Args:
        pieces: Those of one family.
        before: The rules that are left.
        after: The rules that are reached.
        family: That of the addresses.
    """
    found = list(pieces)
    for way, other in ((Direction.WIDENS, before), (Direction.NARROWS, after)):
        mine = [index for index, each in enumerate(found) if each.way is way]
        for dns in (False, True):
            _sum(found, [each for each in mine if _through(found[each], dns)], other, family, dns)
    return found


def _through(change: PowerChange, dns: bool) -> bool:
    return any((door.port == DNS) is dns for door in change.doors)


def _sum(
    found: list[PowerChange],
    group: list[int],
    other: Firewall | None,
    family: Family,
    dns: bool,
) -> None:
    """Raise the largest piece of a group to all that it is, through any door and each."""
    if not group or any(found[each].rank is Rank.CRITICAL for each in group):
        return
    sets = {each: AddressSet.networks(family, found[each].networks) for each in group}
    _raise(found, group, sets, AddressSet(family), family, (DNS if dns else None,))
    behind: dict[Door, list[int]] = {}
    for each in group:
        for door in found[each].doors:
            if (door.port == DNS) is dns:
                behind.setdefault(door, []).append(each)
    for door, part in behind.items():
        once = AddressSet(family)
        if other is not None and in_wholes(family, _union(family, part, sets)):
            once = accepted(other.of(family), door.protocol, door.port)
        _raise(found, part, sets, once, family, (door.port,))


def _union(family: Family, part: Sequence[int], sets: dict[int, AddressSet]) -> AddressSet:
    return AddressSet.of(family, (pair for each in part for pair in sets[each].ranges))


def _raise(
    found: list[PowerChange],
    part: Sequence[int],
    sets: dict[int, AddressSet],
    once: AddressSet,
    family: Family,
    ports: tuple[int | None, ...],
) -> None:
    whole = _union(family, part, sets)
    rank = range_rank(family, whole, ports, once)
    if rank.order >= min(found[each].rank.order for each in part):
        return
    largest = max(part, key=lambda each: sets[each].size)
    change = found[largest]
    named = wholes(family, whole, once) if rank is Rank.CRITICAL else []
    rest = (
        "what was open" if named and not wholes(family, whole, AddressSet(family)) else "the rest"
    )
    what = named[0] if named else counted(whole.size)
    text = change.text
    if change.widens:
        text += f"{'; ' if ': ' in text else ': '}together with {rest}, {what}"
    found[largest] = change.model_copy(update={"rank": rank, "text": text})
