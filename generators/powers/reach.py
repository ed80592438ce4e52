"""What becomes reachable between two firewalls, or stops being: exact, over whole ranges.

Both rule sets are walked through every door that either of them names. The address space is then
cut where any answer changes, pieces with the same answers are put together again, and each is told
with the entry that opens it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TypeAlias

from jailoc.generators.powers.alone import alone
from jailoc.generators.powers.places import are_many, contents, machine_words, range_rank
from jailoc.generators.powers.ranges import FEW, counted, spelt, within
from jailoc.generators.powers.together import together
from jailoc.generators.runtime.explain import PROTOCOLS, mentioned
from jailoc.model.address import AddressSet, Family, Network, loopback
from jailoc.model.egress import Egress
from jailoc.model.firewall import Firewall, Protocol
from jailoc.model.power import Direction, Door, PowerChange, Rank
from jailoc.model.rule_walk import accepted, walk

Lasting: TypeAlias = date | None
"""Until when something is open: its last day, `FOREVER`, or None for not at all."""
Turn: TypeAlias = tuple[Lasting, Lasting]
"""How long something is open, before and after."""

FOREVER = date.max
PUBLIC = "public"
"""What the rules say of the internet that nobody has named."""


def reachable(
    before: Firewall | None, after: Firewall | None, own: Sequence[Network] = ()
) -> Iterator[PowerChange]:
    """Yield what becomes reachable by address or stops being; without a firewall nothing is open.

    The sandbox's own loopback addresses do not count.

    Args:
        before: The rules that are left.
        after: The rules that are reached.
        own: Addresses of the machine, and its networks of IPv6; none where they are not known.
    """
    sides = [each for each in (before, after) if each is not None]
    if len({_plain(each) for each in sides}) == 1 and len(sides) == 2:
        return
    internet: dict[tuple[Turn, tuple[Door, ...]], list[Network]] = {}
    ports = sorted(
        {
            port
            for side in sides
            for family in Family
            for port in mentioned(side.of(family).outgoing)
        }
    )
    for family in Family:
        told: list[PowerChange] = []
        for turn, doors, found in _pieces(before, after, family, ports):
            # Of what is open on both sides the entry that ends first is told of, either way.
            ends = None not in turn and turn_way(turn) is Direction.WIDENS
            side, other = (before, after) if ends or turn[1] is None else (after, before)
            once = AddressSet(family)
            if other is not None:
                once = accepted(other.of(family), doors[0].protocol, doors[0].port)
            steady = _steady(other, family, doors, once)
            kept = _kept(other, family, doors, ports, found) if turn[1] is not None else ""
            for origin, named, part in _by_entry(side, family, doors[0], found):
                if None in turn and origin == PUBLIC and _egress(before) != _egress(after):
                    internet.setdefault((turn, doors), []).extend(part.collapse())
                    continue
                near = AddressSet.networks(family, named) & steady
                told += _changes(turn, doors, ports, family, origin, named, part, once, near, kept)
        yield from together(told, before, after, family)
    for (turn, doors), networks in internet.items():
        yield _internet(turn, doors, tuple(networks))
    yield from alone(before, after, own)


def _egress(firewall: Firewall | None) -> Egress | None:
    return firewall.egress if firewall else None


def _plain(firewall: Firewall) -> str:
    """Return the rules that decide about addresses, without the entries that they come from."""
    return repr(
        [
            [(each.model_copy(update={"comment": ""})) for each in firewall.of(family).outgoing]
            for family in Family
        ]
    )


def _kept(
    other: Firewall | None,
    family: Family,
    doors: tuple[Door, ...],
    ports: list[int],
    found: AddressSet,
) -> str:
    """Say through which ports the addresses were open before, where that was all."""
    if other is None or not any(each.port is None for each in doors):
        return ""
    changed = {each.port for each in doors}
    was = [
        port
        for port in ports
        if port not in changed and not found - accepted(other.of(family), Protocol.TCP, port, found)
    ]
    if not was:
        return ""
    return f" (before only port{'s' * (len(was) > 1)} {', '.join(map(str, was))})"


def _steady(
    other: Firewall | None, family: Family, doors: tuple[Door, ...], once: AddressSet
) -> AddressSet:
    """Return what is open on the other side through each door, of what is through the first one."""
    for door in doors[1:]:
        if other is None or not once:
            break
        once &= accepted(other.of(family), door.protocol, door.port)
    return once


def _by_entry(
    firewall: Firewall | None, family: Family, door: Door, found: AddressSet
) -> Iterator[tuple[str, tuple[Network, ...], AddressSet]]:
    """Yield the parts of what is open by the entry that opens each, with the entry's networks."""
    if firewall is None:
        return
    parts: dict[str, tuple[list[Network], AddressSet]] = {}
    for verdict in walk(firewall.of(family), found, door.protocol, door.port):
        if not verdict.accept or verdict.rule is None:
            continue
        networks, known = parts.setdefault(verdict.rule.comment, ([], AddressSet(family)))
        if verdict.rule.destination is not None:
            networks.append(verdict.rule.destination)
        parts[verdict.rule.comment] = (networks, known | verdict.matched)
    for origin, (networks, part) in parts.items():
        yield origin, tuple(dict.fromkeys(networks)), part


def _changes(
    turn: Turn,
    doors: tuple[Door, ...],
    ports: list[int],
    family: Family,
    origin: str,
    named: tuple[Network, ...],
    part: AddressSet,
    once: AddressSet,
    near: AddressSet,
    kept: str,
) -> Iterator[PowerChange]:
    """Yield the changes of what one entry opens; `near` is what else it has open on either side."""
    if len(named) == 1 and near.size <= part.size:
        spelled = [(within(family, named[0], part, near), part.collapse(), part)]
    else:
        spelled = spelt(family, part)
    for subject, networks, found in spelled:
        size = "" if found.size == 1 else counted(found.size)
        if near and len(named) == 1 and near.size <= part.size and None in turn:
            kept_word = "before" if turn[1] is not None else "still"
            size = f"{counted(near.size + found.size)}, {near.size:,} of them {kept_word}"
        own = machine_words(family, networks[0]) if len(networks) == 1 else ""
        if size:
            size = f" ({size}{own})"
        rank = range_rank(family, found, (each.port for each in doors), once)
        # An entry that held little of its range before opens no less than the range.
        if found == part and near.size <= part.size and are_many(family, found | near):
            rank = min(rank, Rank.HIGH, key=lambda each: each.order)
        what = contents(family, found, once)
        yield _change(
            turn, rank, subject, f"{subject}{size}, {through(doors, ports)}{kept}", what, origin,
            tuple(networks), doors,
        )  # fmt: skip


def _change(
    turn: Turn,
    rank: Rank,
    subject: str,
    words: str,
    what: str,
    origin: str,
    networks: tuple[Network, ...],
    doors: tuple[Door, ...],
) -> PowerChange:
    before, after = turn
    note = f": {what}" if what else ""
    way = turn_way(turn)
    if before is not None and after is not None:
        text = f"may reach {words}, {lasting(after)} (was {lasting(before)}){note}"
    elif after is not None:
        text = f"may reach {words}{_end(after)}{note}"
    else:
        text = f"may no longer reach {words}{_end(before)}"
    return PowerChange(
        rule="reach.network",
        way=way,
        rank=rank,
        subject=subject,
        text=text,
        before=None if before is None else lasting(before),
        after=None if after is None else lasting(after),
        origin=origin,
        networks=networks,
        doors=doors,
    )


def turn_way(turn: Turn) -> Direction:
    """Return which way it goes: open instead of closed, or for a longer time, widens."""
    before, after = turn
    return Direction.WIDENS if (after or date.min) > (before or date.min) else Direction.NARROWS


def _internet(turn: Turn, doors: tuple[Door, ...], networks: tuple[Network, ...]) -> PowerChange:
    opens = turn_way(turn) is Direction.WIDENS
    versions = sorted({each.version for each in networks})
    size = sum(each.num_addresses for each in networks if each.version == versions[0])
    which = " and ".join(f"IPv{each}" for each in versions)
    what = f"the public internet ({which}; {counted(size)} of IPv{versions[0]})"
    if sum(each.num_addresses for each in networks) <= FEW:
        # Other ports of it are named, and change in another way.
        few = ", ".join(str(each) for one in networks for each in one)
        what = f"{few}, of the public internet, at ports that no entry names"
    return PowerChange(
        rule="guard.egress",
        way=turn_way(turn),
        rank=Rank.HIGH,
        subject="the public internet",
        text=f"what is not named is open: may reach {what}"
        if opens
        else f"what is not named is closed: may no longer reach {what}",
        before="open" if turn[0] else "closed",
        after="open" if turn[1] else "closed",
        networks=networks,
        doors=doors,
    )


def _pieces(
    before: Firewall | None, after: Firewall | None, family: Family, ports: list[int]
) -> list[tuple[Turn, tuple[Door, ...], AddressSet]]:
    """Return the largest sets of addresses that change alike, each with the doors that change."""
    doors = [
        Door(protocol=protocol, port=port)
        for protocol in PROTOCOLS
        for port in ((None,) if protocol is Protocol.ICMP else (None, *ports))
    ]
    cuts: dict[int, list[tuple[int, int, Lasting]]] = {}
    for index, door in enumerate(doors):
        for side, firewall in enumerate((before, after)):
            for low, high, last in _lasting(firewall, family, door) if firewall else ():
                cuts.setdefault(low, []).append((index, side, last))
                cuts.setdefault(high + 1, []).append((index, side, None))
    state: list[list[Lasting]] = [[None, None] for _ in doors]
    changed: set[int] = set()
    found: dict[tuple[Turn, tuple[int, ...]], list[tuple[int, int]]] = {}
    places = sorted(cuts)
    for place, following in zip(places, [*places[1:], family.last + 1], strict=False):
        # What ends here comes first: something else may begin at the same address.
        for index, side, end in sorted(cuts[place], key=lambda each: each[2] is not None):
            state[index][side] = end
            differs = state[index][0] != state[index][1]
            changed.add(index) if differs else changed.discard(index)
        turns: dict[Turn, list[int]] = {}
        for index in sorted(changed):
            turns.setdefault((state[index][0], state[index][1]), []).append(index)
        for turn, indices in turns.items():
            found.setdefault((turn, tuple(indices)), []).append((place, following - 1))
    pieces = [
        (turn, tuple(doors[each] for each in indices), AddressSet.of(family, pairs))
        for (turn, indices), pairs in found.items()
    ]
    return sorted(pieces, key=lambda each: each[2].ranges[0])


def _lasting(firewall: Firewall, family: Family, door: Door) -> Iterator[tuple[int, int, date]]:
    """Yield every range that is open through a door, with its last day."""
    rules = firewall.of(family)
    days = sorted({each.until for each in rules.rules if each.until}, reverse=True)
    known = loopback(family)
    for day in dict.fromkeys((FOREVER, *days)):
        open_ = accepted(rules, door.protocol, door.port, on=day)
        yield from ((low, high, day) for low, high in (open_ - known).ranges)
        known |= open_


def lasting(last: date) -> str:
    """Say how long something is open."""
    return "for good" if last == FOREVER else f"until {last}"


def _end(last: Lasting) -> str:
    return "" if last in {None, FOREVER} else f", until {last}"


def through(doors: Sequence[Door], ports: list[int]) -> str:
    """Say through which doors, of all there are with these ports."""
    tcp, udp, icmp = (
        {each.port for each in doors if each.protocol is protocol} for protocol in PROTOCOLS
    )
    if tcp == udp and tcp:
        missing = "" if icmp or None not in tcp else ", not ICMP"
        return _ports(tcp, ports) + (" and ICMP" if icmp and None not in tcp else missing)
    words = [
        f"{_ports(found, ports)} ({name})" for found, name in ((tcp, "TCP"), (udp, "UDP")) if found
    ]
    return " and ".join([*words, *(["ICMP"] if icmp else [])])


def _ports(some: Iterable[int | None], every: list[int]) -> str:
    """Say which ports, of those that have a rule of their own and all others (None)."""
    found = set(some)
    if None in found:
        missing = [str(each) for each in every if each not in found]
        return f"every port but {', '.join(missing)}" if missing else "every port"
    named = sorted(each for each in found if each is not None)
    return f"port{'s' * (len(named) > 1)} {', '.join(map(str, named))}"
