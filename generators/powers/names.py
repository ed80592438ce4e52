"""What becomes reachable by name, at addresses that nobody knows yet; and ports of this machine."""

from collections.abc import Iterable, Iterator
from datetime import date

from jailoc.generators.powers.places import (
    leads_inwards,
    machine_rank,
    name_words,
    port_words,
    through,
)
from jailoc.generators.powers.reach import FOREVER, lasting
from jailoc.generators.runtime.explain import PROTOCOLS
from jailoc.model.base import Model
from jailoc.model.egress import Egress
from jailoc.model.firewall import Firewall, Protocol
from jailoc.model.name_pattern import covering
from jailoc.model.power import Direction, Door, PowerChange
from jailoc.model.sandbox import MACHINE, engines_name


class Grant(Model):
    """A name that is let through; that of this machine stands for its ports."""

    name: str
    port: int | None
    until: date
    origin: str

    def covers(self, other: "Grant") -> bool:
        """Tell whether another one opens nothing beside this one."""
        below = self.name.startswith("*.") and other.name != MACHINE
        same = self.name == other.name or (below and other.name.endswith(self.name[1:]))
        return same and self.port in {None, other.port} and self.until >= other.until


def grants(firewall: Firewall | None) -> tuple[Grant, ...]:
    """Return what a firewall lets through by name."""
    if firewall is None:
        return ()
    found = [
        Grant(name=each.key, port=each.port, until=each.until or FOREVER, origin=each.origin)
        for each in firewall.names
    ]
    found += [
        Grant(name=MACHINE, port=each.port, until=FOREVER, origin=each.origin)
        for each in firewall.host_ports
    ]
    return tuple(found)


class _Grants:
    """Grants by name: there may be thousands, and each is compared with those that may cover it."""

    def __init__(self, every: Iterable[Grant]) -> None:
        self._by_name: dict[str, list[Grant]] = {}
        for each in every:
            self._by_name.setdefault(each.name, []).append(each)

    def over(self, grant: Grant) -> Iterator[Grant]:
        """Yield those with its name, or with a wildcard above that."""
        for name in covering(grant.name) if grant.name != MACHINE else (MACHINE,):
            yield from self._by_name.get(name, ())


def by_name(before: Firewall | None, after: Firewall | None) -> Iterator[PowerChange]:
    """Yield what is let through by name, or not any more."""
    old, new = grants(before), grants(after)
    sides = [each for each in (before, after) if each]
    open_to_all = [each for each in sides if each.egress is Egress.PUBLIC]
    public = len(open_to_all) == len(sides)
    for way, mine, others in ((Direction.WIDENS, new, old), (Direction.NARROWS, old, new)):
        known = _Grants(others)
        gone = [each for each in mine if not any(other.covers(each) for other in known.over(each))]
        apart = _Grants(gone)
        kept: dict[tuple[str, date], list[Grant]] = {}
        for each in dict.fromkeys(gone):
            if not any(other.covers(each) and not each.covers(other) for other in apart.over(each)):
                kept.setdefault((each.name, each.until), []).append(each)
        for (name, until), found in kept.items():
            # Where the other side opens all of the internet, a name opens what else its zone says.
            other = before if way is Direction.WIDENS else after
            ports = tuple(dict.fromkeys(each.port for each in found))
            anyway = public or other in open_to_all
            yield _change(way, name, until, ports, found[0].origin, others, anyway)


def _change(
    way: Direction,
    name: str,
    until: date,
    ports: tuple[int | None, ...],
    origin: str,
    others: tuple[Grant, ...],
    public: bool,
) -> PowerChange:
    was = [each for each in others if each.name == name]
    once = ""
    if was and way is Direction.WIDENS:
        told = ", ".join(dict.fromkeys(port_words(each.port) for each in was[:4]))
        dates = {each.until for each in was}
        day = f" {lasting(was[0].until)}" if dates != {until} else ""
        once = f" (was {told}{day})"
    end = "" if until == FOREVER else f", until {until}"
    told = ", ".join(map(port_words, sorted(ports, key=lambda each: each or 0)))
    machine = name == MACHINE
    rank, what = name_words(name, public=public)
    rank, subject = through(rank, ports), name
    if machine:
        rank = min((machine_rank(each) for each in ports), key=lambda each: each.order)
        what, subject = "", "this machine"
    verb = "may reach" if way is Direction.WIDENS else "may no longer reach"
    words = f"{told} of this machine" if machine else f"{name}, {told}"
    if way is Direction.NARROWS and public and not leads_inwards(name):
        words += ", where its addresses are not public"
    note = f": {what}" if what and way is Direction.WIDENS else ""
    both = ("closed", "open") if way is Direction.WIDENS else ("open", "closed")
    return PowerChange(
        rule="reach.machine" if machine or engines_name(name) else "reach.name",
        way=way,
        rank=rank,
        subject=f"{subject} {told}{end}",
        text=f"{verb} {words}{end}{once}{note}",
        before=both[0],
        after=both[1],
        origin=origin,
        doors=tuple(
            Door(protocol=protocol, port=port)
            for protocol in PROTOCOLS
            for port in ports
            if protocol is not Protocol.ICMP or port is None
        ),
    )
