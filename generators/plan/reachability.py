"""What becomes reachable between two firewalls, or stops being: exact, over whole ranges.

Both rule sets are walked through every door that either of them names. The address space is then
cut where any answer changes, and pieces with the same answers are put together again.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TypeAlias

from jailoc.generators.runtime.explain import PROTOCOLS, mentioned
from jailoc.model.address import AddressSet, Family, Network
from jailoc.model.effect import Door, Effect, Kind, Sign
from jailoc.model.firewall import Firewall, Protocol, loopback
from jailoc.model.rule_walk import accepted
from jailoc.model.special_ranges import ENGINE_POOLS, PUBLIC, SPECIAL

Lasting: TypeAlias = date | None
"""Until when something is open: its last day, `FOREVER`, or None for not at all."""
Turn: TypeAlias = tuple[Lasting, Lasting]
"""How long something is open, before and after."""
Lists: TypeAlias = dict[str, dict[int | None, date]]
"""What is open at unknown addresses: by name and port, until when."""

FOREVER = date.max
NETWORK = {Family.IPV4: 20, Family.IPV6: 56}
"""Up to this length a network may hold one that an engine gives out, whole."""
EACH = 8
"""Up to so many networks have a line of their own."""


def reachable(before: Firewall | None, after: Firewall | None) -> Iterator[Effect]:
    """Yield what becomes reachable or stops being; where there is no firewall, nothing is open.

    The sandbox's own loopback addresses do not count.
    """
    sides = [each for each in (before, after) if each is not None]
    for family in Family:
        ports = sorted({port for side in sides for port in mentioned(side.of(family).outgoing)})
        for turn, doors, found in _pieces(before, after, family, ports):
            for subject, networks in _spelt(family, found):
                yield _effect(f"{subject}, {_through(doors, ports)}", turn, networks, doors)
    yield from _at_run_time(_names(before), _names(after))
    yield from _at_run_time(_machine(before), _machine(after))
    old, new = _denied(before), _denied(after)
    for name in sorted(old ^ new):
        yield Effect(
            kind=Kind.REACHABLE,
            sign=Sign.MORE if name in old else Sign.LESS,
            subject=f"name {name} (denied: it does not resolve)",
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
        for index, side, lasting in sorted(cuts[place], key=lambda each: each[2] is not None):
            state[index][side] = lasting
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


def _names(firewall: Firewall | None) -> Lists:
    found: Lists = {}
    for each in firewall.names if firewall else ():
        ports = found.setdefault(each.key, {})
        ports[each.port] = max(ports.get(each.port, date.min), each.until or FOREVER)
    return found


def _denied(firewall: Firewall | None) -> set[str]:
    return {each.key for each in firewall.denied_names} if firewall else set()


def _machine(firewall: Firewall | None) -> Lists:
    ports: dict[int | None, date] = {}
    for each in firewall.host_ports if firewall else ():
        ports[each.port] = FOREVER
    return {"this machine": ports}


def _at_run_time(before: Lists, after: Lists) -> Iterator[Effect]:
    """Yield what is open at addresses that nobody knows yet."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, {}), after.get(name, {})
        turns: dict[Turn, list[int | None]] = {}
        for port in sorted(old.keys() | new.keys(), key=lambda each: each or 0):
            turn = (old.get(port), new.get(port))
            if turn[0] != turn[1]:
                turns.setdefault(turn, []).append(port)
        for turn, ports in turns.items():
            # Without a port it is open for every protocol.
            doors = tuple(
                Door(protocol=protocol, port=port)
                for protocol in PROTOCOLS
                for port in ports
                if protocol is not Protocol.ICMP or port is None
            )
            yield _effect(f"{name}, {_ports(set(ports), [])} (addresses known at run time)",
                          turn, (), doors)  # fmt: skip


def _effect(
    subject: str, turn: Turn, networks: tuple[Network, ...], doors: tuple[Door, ...]
) -> Effect:
    before, after = turn
    if before is not None and after is not None:
        return Effect(
            kind=Kind.REACHABLE,
            sign=Sign.CHANGED,
            subject=subject,
            before=_until(before),
            after=_until(after),
            networks=networks,
            doors=doors,
        )
    last = before or after
    end = "" if last in {None, FOREVER} else f", until {last}"
    return Effect(
        kind=Kind.REACHABLE,
        sign=Sign.MORE if before is None else Sign.LESS,
        subject=f"{subject}{end}",
        networks=networks,
        doors=doors,
    )


def _until(last: date) -> str:
    return "for good" if last == FOREVER else f"until {last}"


def _spelt(family: Family, found: AddressSet) -> list[tuple[str, tuple[Network, ...]]]:
    """Spell a set of addresses: each network, or all together where there are many."""
    networks = found.collapse()
    if whole := _public(family, found):
        return [(f"{whole} ({counted(found.size)})", networks)]
    if len(networks) <= EACH:
        return [(_network(each), (each,)) for each in networks]
    few = ", ".join(map(str, networks[:3]))
    rest = f"{len(networks) - 3:,} more networks ({counted(found.size)})"
    return [(f"{few} and {rest}", networks)]


def _network(network: Network) -> str:
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    family = Family(network.version)
    pools = AddressSet.networks(family, ENGINE_POOLS)
    machine = bool(AddressSet.networks(family, (network,)) & pools)
    own = ", none of this machine" if machine and network.prefixlen <= NETWORK[family] else ""
    return f"{network} ({counted(network.num_addresses)}{own})"


def _public(family: Family, found: AddressSet) -> str | None:
    """Name the public internet, whole or with few exceptions."""
    special = AddressSet.networks(family, (network for network, _ in SPECIAL))
    public = AddressSet.networks(family, PUBLIC) - special
    missing = (public - found).collapse()
    if found - public or len(missing) > EACH or 2 * found.size < public.size:
        return None
    name = f"the public internet (IPv{family.value})"
    return f"{name} but {', '.join(map(str, missing))}" if missing else name


def counted(number: int) -> str:
    """Say how many addresses there are.

    >>> counted(65536), counted(1 << 64), counted((1 << 64) + 1)
    ('65,536 addresses', '2^64 addresses', 'about 2^64 addresses')
    """
    if number == 1:
        return "1 address"
    if number <= 1 << 32:
        return f"{number:,} addresses"
    power = number.bit_length() - 1
    about = "" if number == 1 << power else "about "
    return f"{about}2^{power + (2 * number > 3 << power)} addresses"


def _through(doors: Sequence[Door], ports: list[int]) -> str:
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


def _ports(found: set[int | None], every: list[int]) -> str:
    """Say which ports, of those that have a rule of their own and all others (None)."""
    if None in found:
        missing = [str(each) for each in every if each not in found]
        return f"all ports but {', '.join(missing)}" if missing else "all ports"
    named = sorted(each for each in found if each is not None)
    return f"port{'s' * (len(named) > 1)} {', '.join(map(str, named))}"
