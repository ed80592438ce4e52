"""From what was seen to what should be written: entries of an allowlist, each with its evidence."""

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

from jailoc.generators.runtime.blocked import HOST, NAMES, NO_HOST
from jailoc.generators.runtime.explain import decide
from jailoc.model.base import Model
from jailoc.model.evidence import PASSED, Evidence, Sighting
from jailoc.model.firewall import Firewall, Protocol
from jailoc.model.host_set import HostSet
from jailoc.model.name_pattern import covering
from jailoc.model.special_names import holds, unadvisable
from jailoc.model.special_ranges import advisable, special
from jailoc.model.text import number_of

SIBLINGS = 3
"""Names below one that are needed for a wildcard."""
SHARE = (2, 3)
"""Of a set's hosts that have to be seen for the set to be proposed."""
_ICMPV6 = 58
_CARRIED = {6: Protocol.TCP, 17: Protocol.UDP}


class Proposed(Model):
    """An entry that is proposed, and why."""

    key: str
    """`allow` or `allowed_hosts`."""
    to: str
    ports: tuple[int, ...] = ()
    count: int
    first: int
    last: int
    names: tuple[str, ...] = ()
    """What was seen of a wildcard or a set."""
    note: str = ""
    """What it opens beside what was seen."""
    live: bool = True
    """Whether it is an entry; a comment otherwise."""

    @property
    def why(self) -> str:
        """Return the reason that is written beside it."""
        day, last = _day(self.first), _day(self.last)
        when = day if day == last else f"{day} to {last}"
        names = f", {len(self.names)} names" if len(self.names) > 1 else ""
        return f"learned: {number_of(self.count, 'connection')}{names}, {when}"

    @property
    def door(self) -> str:
        """Return it as it may stand in a configuration, with one port at most."""
        if len(self.ports) != 1:
            return self.to
        return f"[{self.to}]:{self.ports[0]}" if ":" in self.to else f"{self.to}:{self.ports[0]}"


class Apart(Model):
    """Something that was seen and is not proposed."""

    what: str
    count: int
    reason: str


class Proposal(Model):
    """What should be written, and what should not."""

    entries: tuple[Proposed, ...]
    apart: tuple[Apart, ...]
    known: int
    """Doors that were seen and are open already by an entry."""


def _day(seconds: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=seconds // 86_400)).isoformat()


def propose(
    evidence: Evidence,
    firewall: Firewall,
    sets: Mapping[str, HostSet],
    registrable: Callable[[str], str | None],
    *,
    exact: bool = False,
    addresses: bool = False,
) -> Proposal:
    """Turn what the default let through into entries for `egress = "allowlist"`.

    Args:
        evidence: What was seen.
        firewall: The rules as they are compiled now.
        sets: Every set of hosts that can be named.
        registrable: Says which name below a public suffix a name belongs to; None if none.
        exact: Whether every name is proposed by itself.
        addresses: Whether addresses without a name are entries, too.
    """
    apart: list[Apart] = []
    doors: dict[str, dict[int, Sighting]] = {}
    known = 0
    for name, number, port, mark, seen in evidence.named:
        if mark != PASSED:
            continue
        if number not in _CARRIED or not port:
            reason = "no TCP and no UDP: a port of a name opens nothing for it"
        elif not _is_host(name):
            reason = NO_HOST
        elif any(each.covers(name) and each.port in {None, port} for each in firewall.names):
            known += 1
            continue
        elif (why := unadvisable(name)) is not None:
            reason = f"it {why}: opened by hand alone"
        else:
            mine = doors.setdefault(name, {})
            mine[port] = mine[port].joined(seen) if port in mine else seen
            continue
        apart.append(Apart(what=_shown(name, number, port), count=seen.count, reason=reason))
    entries = [*_sets(doors, sets)]
    entries += [] if exact else _wildcards(doors, registrable)
    entries += [_entry(each, (each,), doors[each]) for each in sorted(doors, key=_domain)]
    bare, skipped = _bare(evidence, firewall, addresses)
    vain, odd = _unresolved(evidence, firewall)
    return Proposal(
        entries=(*entries, *bare, *vain),
        apart=(*apart, *skipped, *_refused(evidence, firewall), *odd),
        known=known,
    )


def _is_host(name: str) -> bool:
    """Tell whether a name can be one of the internet; one label alone is the user's to know."""
    return "." in name and HOST.fullmatch(name) is not None


def _domain(name: str) -> list[str]:
    """Sort names as people read them: by domain."""
    return name.split(".")[::-1]


def _shown(place: str, number: int, port: int) -> str:
    ruled = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp"}
    name = (ruled | NAMES).get(number, f"protocol {number}")
    return f"{place} {name} {port}" if port else f"{place} {name}"


def _entry(
    to: str, names: Iterable[str], ports: Mapping[int, Sighting], note: str = ""
) -> Proposed:
    seen = list(ports.values())
    return Proposed(
        key="allowed_hosts",
        to=to,
        ports=tuple(sorted(ports)),
        count=sum(each.count for each in seen),
        first=min(each.first for each in seen),
        last=max(each.last for each in seen),
        names=tuple(names),
        note=note,
    )


def _sets(doors: dict[str, dict[int, Sighting]], sets: Mapping[str, HostSet]) -> list[Proposed]:
    """Take out what sets hold of which most hosts were seen."""
    found = []
    for name, chosen in sorted(sets.items()):
        wanted = {
            (each.name.lower(), port)
            for each in chosen.hosts
            if each.address is None and not each.name.startswith("*.")
            for port in each.ports
        }
        hit = sorted((host, port) for host, port in wanted if port in doors.get(host, {}))
        hosts, all_ = {host for host, _ in hit}, {host for host, _ in wanted}
        if not hit or len(hosts) * SHARE[1] < len(all_) * SHARE[0]:
            continue
        seen = [doors[host].pop(port) for host, port in hit]
        for host in hosts:
            if not doors[host]:
                del doors[host]
        more = sorted(f"{host}:{port}" for host, port in wanted - {*hit})
        found.append(
            Proposed(
                key="allow", to=f"@{name}",
                count=sum(each.count for each in seen),
                first=min(each.first for each in seen), last=max(each.last for each in seen),
                names=tuple(sorted(hosts)),
                note=f"opens also {', '.join(more)}, never seen" if more else "",
            )
        )  # fmt: skip
    return found


def _wildcards(
    doors: dict[str, dict[int, Sighting]], registrable: Callable[[str], str | None]
) -> list[Proposed]:
    """Take out names that have at least so many siblings with the same ports."""
    families: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for name, mine in doors.items():
        parent = name.partition(".")[2]
        top = registrable(parent) if parent else None
        if top and (parent == top or parent.endswith(f".{top}")) and holds(parent) is None:
            families.setdefault((parent, tuple(sorted(mine))), []).append(name)
    found = []
    for (parent, ports), names in sorted(families.items()):
        if len(names) < SIBLINGS:
            continue
        joined: dict[int, Sighting] = {}
        for name in names:
            for port, seen in doors.pop(name).items():
                joined[port] = joined[port].joined(seen) if port in joined else seen
        note = f"opens every name below {parent}, not only {', '.join(sorted(names))}"
        found.append(_entry(f"*.{parent}", sorted(names), {each: joined[each] for each in ports},
                            note))  # fmt: skip
    return found


def _bare(evidence: Evidence, firewall: Firewall, live: bool) -> tuple[list[Proposed], list[Apart]]:
    doors: dict[str, dict[int, Sighting]] = {}
    skipped = []
    for address, number, port, mark, seen in evidence.bare:
        if mark != PASSED:
            continue
        network = ipaddress.ip_network(address)
        reason = ""
        if number not in _CARRIED or not port:
            reason = "no TCP and no UDP"
        elif not advisable(network):
            reason = "a special range, which is opened by hand alone"
        else:
            (answer,) = decide(firewall, network, _CARRIED[number], port)
            if answer.denied:
                reason = f"denied by {answer.reason}"
            elif answer.open and answer.reason != "public":
                continue
            elif special(network):  # the default lets nothing through there: no wall tells this
                reason = "a special range, which is opened by hand alone"
        if reason:
            what = _shown(address, number, port)
            skipped.append(Apart(what=what, count=seen.count, reason=reason))
            continue
        mine = doors.setdefault(address, {})
        mine[port] = mine[port].joined(seen) if port in mine else seen
    found = [
        _entry(address, (), ports, "no name led there").model_copy(update={"live": live})
        for address, ports in sorted(doors.items(), key=lambda each: _number(each[0]))
    ]
    return found, skipped


def _number(address: str) -> tuple[int, int]:
    found = ipaddress.ip_address(address)
    return found.version, int(found)


def _unresolved(evidence: Evidence, firewall: Firewall) -> tuple[list[Proposed], list[Apart]]:
    """Return names that were asked for in vain, as comments: nobody knows their port."""
    found, apart = [], []
    for name, seen in sorted(evidence.unresolved, key=lambda each: _domain(each[0])):
        denial = firewall.denial(name)
        if denial or not _is_host(name):
            reason = f"denied by {denial.origin}" if denial else NO_HOST
            apart.append(Apart(what=name, count=seen.count, reason=reason))
        elif any(each.covers(name) for each in firewall.names):
            continue
        elif (why := unadvisable(name)) is not None:
            apart.append(Apart(what=name, count=seen.count, reason=f"it {why}"))
        else:
            found.append(
                Proposed(
                    key="allowed_hosts", to=name, count=seen.count,
                    first=seen.first, last=seen.last,
                    note="asked for and not resolved, so its port is not known", live=False,
                )
            )  # fmt: skip
    return found, apart


def _refused(evidence: Evidence, firewall: Firewall) -> list[Apart]:
    """Return what was refused and is still closed, with the reason."""
    found = []
    for address, number, port, seen in evidence.refused:
        if number == _ICMPV6 and address.startswith("ff02:"):
            continue  # the kernel asks its neighbours by itself (RFC 4861, RFC 3810)
        protocol = _CARRIED.get(number, Protocol.ICMP)
        network = ipaddress.ip_network(address)
        (answer,) = decide(firewall, network, protocol, port or None)
        if not answer.open:
            name = f" ({seen.also[-1]})" if seen.also else ""
            what = f"{_shown(address, number, port)}{name}"
            found.append(Apart(what=what, count=seen.count, reason=f"refused: {answer.reason}"))
    return found


def still_refused(evidence: Evidence, after: Firewall) -> tuple[str, ...]:
    """Return what passed and would not under other rules: doors, as people read them."""
    left = []
    doors = {(each.key, each.port) for each in after.names}
    for name, number, port, mark, _ in evidence.named:
        covered = number in _CARRIED and any(
            not doors.isdisjoint({(key, None), (key, port)}) for key in covering(name)
        )
        if mark == PASSED and not covered and not _all_open(after):
            left.append(_shown(name, number, port))
    for address, number, port, mark, _ in evidence.bare:
        (answer,) = decide(
            after, ipaddress.ip_network(address), _CARRIED.get(number, Protocol.ICMP), port or None
        )
        if mark == PASSED and not answer.open:
            left.append(_shown(address, number, port))
    return tuple(left)


def _all_open(firewall: Firewall) -> bool:
    return firewall.egress.value == "public"
