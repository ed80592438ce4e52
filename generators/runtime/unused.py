"""Which entries of a configuration were never used while it was looked."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from jailoc.generators.config.conflicts import holds as covering
from jailoc.generators.config.host_sets import expanded
from jailoc.generators.config.resolve import holds
from jailoc.model.address import Network, is_single, written
from jailoc.model.allow_entry import HostEntry, NetworkEntry
from jailoc.model.base import Model
from jailoc.model.config import Config, Scope
from jailoc.model.document import dotted
from jailoc.model.evidence import (
    MACHINE_PORT,
    Evidence,
    mark_of_name,
    mark_of_network,
)
from jailoc.model.host import Host
from jailoc.model.host_set import entry_of
from jailoc.model.name_pattern import Name

DAY = 86_400


class Use(Model):
    """An entry, and what was seen of it."""

    place: tuple[str | int, ...]
    """Its path in the document."""
    text: str
    count: int
    last: int | None
    watched: int | None
    """Seconds for which it was looked; None if it was not."""
    addresses: tuple[str, ...] | None
    """What it resolves to now; None where there is nothing to resolve, or nobody knows."""
    swallowed: str | None
    """The entry that opens all of it, too."""
    ended: bool
    shared: bool
    """Whether other workspaces have it, too."""
    idle: bool
    """Whether it was looked for long enough, nothing was missed, and nothing was seen."""

    @property
    def origin(self) -> str:
        """Return where it stands."""
        return dotted(self.place)

    @property
    def goes(self) -> bool:
        """Tell whether its removal is proposed."""
        return not self.shared and (self.idle or self.ended)


def uses(
    config: Config,
    name: str,
    host: Host,
    evidence: Evidence,
    resolved: Mapping[str, tuple[str, ...]],
    now: int,
    days: float,
) -> tuple[Use, ...]:
    """Judge every entry that opens something to a workspace.

    Args:
        config: The configuration.
        name: The workspace.
        host: The machine.
        evidence: What was seen.
        resolved: The addresses that allowed names have now.
        now: Seconds since 1970.
        days: For how long it has to be looked before an entry counts as unused.
    """
    seen = dict(evidence.used)
    rows = tuple(_rows(config, name, host))
    found = []
    for row in rows:
        hits = [seen[mark] for mark in row.marks if mark in seen]
        hits += [sighting for name_, _, port, sighting in evidence.reached
                 if any(_covers(each, name_, port) for each in row.inside)]  # fmt: skip
        since = [evidence.watched[mark] for mark in row.marks if mark in evidence.watched]
        watched = now - max(since) if len(since) == len(row.marks) and since else None
        long = watched is not None and watched >= days * DAY
        found.append(
            Use(
                place=row.place,
                text=row.text,
                count=sum(each.count for each in hits),
                last=max((each.last for each in hits), default=None),
                watched=watched,
                addresses=_addresses(row.entry, resolved),
                swallowed=next((dotted(each.place) for each in rows if _swallows(each, row)), None),
                ended=row.ended,
                shared=row.place[0] == "defaults",
                idle=long and not hits and not evidence.lost,
            )
        )
    return tuple(found)


class _Row(NamedTuple):
    """An entry of the configuration."""

    place: tuple[str | int, ...]
    text: str
    marks: tuple[str, ...]
    inside: tuple[HostEntry | NetworkEntry, ...] = ()
    """What it opens by name or network."""
    ended: bool = False
    entry: HostEntry | NetworkEntry | None = None


def _rows(config: Config, name: str, host: Host) -> Iterator[_Row]:
    layers: tuple[tuple[tuple[str, ...], Scope], ...] = (
        (("defaults",), config.defaults),
        (("workspaces", name), config.workspaces[name]),
    )
    for at, scope in layers:
        every = expanded(config, [(dotted(at), scope)]).items()
        for index, chosen in enumerate(scope.allow):
            named = f"{dotted(at)}.allow[{index}]"
            inside = tuple(entry for entry, origin in every if entry_of(origin) == named)
            marks = tuple(mark for entry in inside for mark in _marks(entry))
            yield _Row((*at, "allow", index), f"@{chosen}", marks, inside)
        for index, entry in enumerate(scope.allowed_hosts):
            if entry.name:  # more than a comment
                yield _row((*at, "allowed_hosts", index), entry, host)
        for index, network in enumerate(scope.allowed_networks):
            yield _row((*at, "allowed_networks", index), network, host)
        for index, port in enumerate(scope.host_ports):
            yield _Row((*at, "host_ports", index), str(port), (f"{MACHINE_PORT}{port}",))


def _row(place: tuple[str | int, ...], entry: HostEntry | NetworkEntry, host: Host) -> _Row:
    ended = not holds(entry, host)
    return _Row(place, _text(entry), tuple(_marks(entry)), (entry,), ended, entry)


def _covers(entry: HostEntry | NetworkEntry, name: str, port: int) -> bool:
    """Tell whether an entry opens a port of a name."""
    if not isinstance(entry, HostEntry) or not entry.is_name:
        return False
    pattern = Name(name=entry.name, origin="")
    return pattern.covers(name) and (not entry.ports or port in entry.ports)


def _swallows(wide: _Row, narrow: _Row) -> bool:
    """Tell whether an entry opens all of another one; of two that are alike the first does."""
    if wide.place == narrow.place or wide.ended or not _holds(wide.entry, narrow.entry):
        return False
    return not _holds(narrow.entry, wide.entry) or wide.place < narrow.place


def _text(entry: HostEntry | NetworkEntry) -> str:
    name = entry.name if isinstance(entry, HostEntry) else written(entry.network)
    ports = ",".join(map(str, entry.ports))
    return f"{name} port {ports}" if ports else name


def _network(entry: HostEntry | NetworkEntry) -> Network | None:
    return entry.address if isinstance(entry, HostEntry) else entry.network


def _marks(entry: HostEntry | NetworkEntry) -> Iterator[str]:
    network = _network(entry)
    for port in entry.ports or (None,):
        if network is not None:
            yield mark_of_network(network, port)
        elif isinstance(entry, HostEntry) and entry.name:
            yield mark_of_name(Name(name=entry.name, port=port, origin="").mark)


def _addresses(
    entry: HostEntry | NetworkEntry | None, resolved: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...] | None:
    if not isinstance(entry, HostEntry) or entry.address is not None:
        return None
    return resolved.get(entry.name.rstrip(".").lower())


def _holds(wide: HostEntry | NetworkEntry | None, narrow: HostEntry | NetworkEntry | None) -> bool:
    """Tell whether one entry opens all that another one opens."""
    if wide is None or narrow is None:
        return False
    if wide.ports and not (narrow.ports and {*narrow.ports} <= {*wide.ports}):
        return False
    if wide.until is not None and (narrow.until is None or narrow.until > wide.until):
        return False
    mine, other = _network(wide), _network(narrow)
    if mine is not None and other is not None:
        # A range leaves this machine out, which an address named by itself does not.
        single = is_single(other) and not is_single(mine)
        return not single and covering(mine, other)
    if isinstance(wide, HostEntry) and isinstance(narrow, HostEntry) and mine is other is None:
        return Name(name=wide.name, origin="").includes(Name(name=narrow.name, origin=""))
    return False
