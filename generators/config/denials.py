"""What is denied: allows that it closes whole, and denials that close nothing."""

from collections.abc import Iterator

from jailoc.generators.config.conflicts import found, holds
from jailoc.generators.config.resolve import denied_networks
from jailoc.model.address import LOOPBACK_IPV4, LOOPBACK_IPV6, written
from jailoc.model.allow_entry import HostEntry, NetworkEntry
from jailoc.model.config import Config, Scope
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path, dotted
from jailoc.model.egress import Egress
from jailoc.model.name_pattern import ClosedName, Name


def denied(document: Document, config: Config, at: Path, scope: Scope) -> Iterator[Diagnostic]:
    """Yield allows of a scope that what is denied there closes whole, and odd denials."""
    yield from _odd(document, config, at, scope)
    layers: list[tuple[str, Scope]] = [("defaults", config.defaults)]
    if at != ("defaults",):
        layers.append((dotted(at), scope))
    names = [
        ClosedName(name=each.name, origin=f"{where}.denied_hosts[{index}]")
        for where, layer in layers
        for index, each in enumerate(layer.denied_hosts)
        if each.is_name
    ]
    networks = denied_networks(layers)
    for key in ("allowed_hosts", "allowed_networks"):
        entries: tuple[HostEntry | NetworkEntry, ...] = getattr(scope, key)
        for index, entry in enumerate(entries):
            network = entry.address if isinstance(entry, HostEntry) else entry.network
            if network is not None:
                origin = next(
                    (
                        each.origin
                        for each in networks
                        if holds(each.network, network)
                        and (each.port is None or entry.ports == (each.port,))
                    ),
                    None,
                )
            elif isinstance(entry, HostEntry) and entry.name:
                mine = Name(name=entry.name, origin="")
                origin = next((each.origin for each in names if each.includes(mine)), None)
            else:
                continue
            if origin is not None:
                yield found(
                    document,
                    (*at, key, index),
                    "allow-denied",
                    f"`{_text(entry)}` stays closed: {origin} denies all of it",
                    hint="what is denied wins over every allow; remove one of the two",
                )


def _odd(document: Document, config: Config, at: Path, scope: Scope) -> Iterator[Diagnostic]:
    for key in ("denied_hosts", "denied_networks"):
        entries: tuple[HostEntry | NetworkEntry, ...] = getattr(scope, key)
        for index, entry in enumerate(entries):
            network = entry.address if isinstance(entry, HostEntry) else entry.network
            if network is not None and any(
                holds(each, network) for each in (LOOPBACK_IPV4, LOOPBACK_IPV6)
            ):
                yield found(
                    document,
                    (*at, key, index),
                    "deny-meaning",
                    f"`{_text(entry)}` is loopback, the sandbox itself: it cannot be closed",
                    hint="remove it",
                )
    egress = scope.egress or config.defaults.egress or Egress.PUBLIC
    named = [index for index, each in enumerate(scope.denied_hosts) if each.is_name]
    if named and egress is Egress.PUBLIC:
        yield found(
            document,
            (*at, "denied_hosts", named[0]),
            "deny-by-name",
            "names that are denied do not resolve, but their addresses stay open to who knows "
            'them, with `egress = "public"`',
            hint='deny their networks, too, or name what is open: egress = "allowlist"',
        )


def _text(entry: HostEntry | NetworkEntry) -> str:
    return entry.name if isinstance(entry, HostEntry) else written(entry.network)
