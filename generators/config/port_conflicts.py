"""Ports of this machine that two of a configuration's workspaces would have, or one of them twice.

The document is read as it stands, as in `conflicts`.
"""

from collections.abc import Iterator

from pydantic_core import PydanticCustomError

from jailoc.generators.config.conflicts import found, workspaces
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path, dotted
from jailoc.model.published_port import MOST, PortMapping, parse_ports
from jailoc.model.sandbox import FIRST_PORT

Published = tuple[str, Path, PortMapping]
"""The workspace, the entry's place, and what it says."""


def port_conflicts(document: Document) -> Iterator[Diagnostic]:
    """Yield every port that is given twice, at the later entry."""
    servers = _servers(document)
    published = list(_published(document))
    taken = {*servers.values(), *(port for _, _, each in published for port, _ in each.pairs)}
    free = next(each for each in range(FIRST_PORT + len(servers), 1 << 17) if each not in taken)
    yield from _pinned(document, servers, free)
    yield from _twice(document, servers, published)
    yield from _many(document, published)


def _servers(document: Document) -> dict[str, int]:
    """Return the port of every workspace's server: its own, or by the place of its name."""
    return {
        name: value["port"] if isinstance(value.get("port"), int) else FIRST_PORT + index
        for index, (name, value) in enumerate(workspaces(document.data))
    }


def _published(document: Document) -> Iterator[Published]:
    for name, value in workspaces(document.data):
        entries = value.get("ports")
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            try:
                yield name, ("workspaces", name, "ports", index), parse_ports(entry)
            except PydanticCustomError:
                continue


def _pinned(document: Document, servers: dict[str, int], free: int) -> Iterator[Diagnostic]:
    holders: dict[int, list[str]] = {}
    for name, port in servers.items():
        holders.setdefault(port, []).append(name)
    for name, value in workspaces(document.data):
        others = [other for other in holders[servers[name]][:2] if other != name]
        if "port" in value and others:
            yield found(
                document,
                ("workspaces", name, "port"),
                "port-twice",
                f"port {servers[name]} is also that of workspace `{others[0]}`",
                f"a port that no workspace has, such as {free}",
                f"a workspace without `port` has {FIRST_PORT} and its place in the order of names",
            )


def _twice(
    document: Document, servers: dict[str, int], published: list[Published]
) -> Iterator[Diagnostic]:
    """Yield what is published and somebody has already; one word for each entry."""
    outside: dict[int, tuple[str, Path]] = {}
    inside: dict[tuple[str, int], Path] = {}
    by_port = {port: name for name, port in reversed(servers.items())}
    for name, place, each in published:
        for port, target in each.pairs:
            owner = by_port.get(port)
            before = outside.get(port)
            if owner is not None:
                pinned = document.value(("workspaces", owner, "port"))
                at = f" ({_line(document, ('workspaces', owner, 'port'))})" if pinned else ""
                mine = "this workspace" if owner == name else f"workspace `{owner}`"
                yield found(
                    document,
                    place,
                    "port-twice",
                    f"port {port} of this machine is that of {mine}'s server{at}",
                    "a port that nothing else of the configuration has",
                    f"publish another one, such as {port + 10000 if port < 50000 else port - 10000}"
                    f":{target}, or set `port` of `{owner}`",
                )
                break
            if before is not None:
                who = "" if before[0] == name else f" by workspace `{before[0]}`"
                yield found(
                    document,
                    place,
                    "port-twice",
                    f"port {port} of this machine is published{who} already "
                    f"({dotted(before[1])}, {_line(document, before[1])})",
                    "a port that nothing else of the configuration has",
                    f"publish another one: HOST:{target}",
                )
                break
            if (name, target) in inside:
                first = inside[name, target]
                yield found(
                    document,
                    place,
                    "port-twice",
                    f"port {target} inside is published already "
                    f"({dotted(first)}, {_line(document, first)})",
                    "each port inside once",
                    "one port of this machine is enough for all clients",
                )
                break
            outside[port] = (name, place)
            inside[name, target] = place


def _many(document: Document, published: list[Published]) -> Iterator[Diagnostic]:
    counts: dict[str, int] = {}
    for name, place, each in published:
        before = counts.get(name, 0)
        counts[name] = before + len(each.pairs)
        if before <= MOST < counts[name]:
            yield found(
                document,
                place,
                "ports",
                f"with this one workspace `{name}` publishes {counts[name]} ports",
                f"at most {MOST}",
            )


def _line(document: Document, place: Path) -> str:
    position = document.value(place)
    return f"line {position.line}" if position else "no line"
