"""Networks of the sandboxes against each other, and against what a sandbox is to reach."""

import ipaddress
from collections.abc import Iterator

from jailoc.generators.config.conflicts import found, holds
from jailoc.generators.config.resolve import names, resolve
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path, dotted
from jailoc.model.host import Host


def network_conflicts(document: Document, config: Config) -> Iterator[Diagnostic]:
    """Yield every subnet that overlaps with that of an earlier workspace."""
    before: list[tuple[str, Path, ipaddress.IPv4Network]] = []
    for name in names(config):
        place = _place(config, name)
        if place is None:
            continue
        text = config.workspaces[name].network.subnet or config.defaults.network.subnet
        network = ipaddress.IPv4Network(str(text))
        for other, where, taken in before:
            if network.overlaps(taken):
                position = document.value(where)
                line = f", line {position.line}" if position else ""
                yield found(
                    document,
                    place,
                    "subnet-twice",
                    f"subnet `{network}` of workspace `{name}` overlaps with `{taken}` of "
                    f"workspace `{other}` ({dotted(where)}{line})",
                    "a subnet for each workspace",
                    f"set `subnet` in [workspaces.{name}.network]",
                )
                break
        before.append((name, place, network))


def network_doubts(document: Document, config: Config, host: Host) -> Iterator[Diagnostic]:
    """Yield allowed networks that a sandbox's own subnet lies in, or hides."""
    for name in names(config):
        place = _place(config, name)
        if place is None:
            continue
        workspace = resolve(config, name, host)
        if workspace.subnet is None:
            continue
        own = ipaddress.IPv4Network(workspace.subnet)
        hidden = next((e for e in workspace.allowed_networks if holds(own, e.network)), None)
        if hidden is not None:
            yield found(
                document,
                place,
                "subnet-hides",
                f"subnet `{own}` of workspace `{name}` hides `{hidden.text}` ({hidden.origin}): "
                "packets to it would not leave the sandbox's own network",
                hint="choose a subnet that nobody has",
            )


def _place(config: Config, name: str) -> Path | None:
    if config.workspaces[name].network.subnet is not None:
        return ("workspaces", name, "network", "subnet")
    return ("defaults", "network", "subnet") if config.defaults.network.subnet else None
