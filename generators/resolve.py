"""Turn a `Config` into one `Workspace`: merge the layers, decide the port, fill in defaults."""

import difflib
import ipaddress
from collections.abc import Iterable, Sequence
from typing import TypeVar

from jailoc.model.config import Config, Scope, WorkspaceConfig
from jailoc.model.diagnostic import refuse
from jailoc.model.document import dotted
from jailoc.model.environment import Variable
from jailoc.model.host import Host
from jailoc.model.mount import Mode, MountSpec, merge
from jailoc.model.path import clean
from jailoc.model.workspace import (
    FIRST_PORT,
    AllowedName,
    AllowedNetwork,
    Certificate,
    WorkPath,
    Workspace,
)

T = TypeVar("T")

DEFAULT_CPU = 2.0
DEFAULT_MEMORY = "4g"
AGENT_HOME = "/home/agent"

BUILT_IN_MOUNTS = (
    (".config/opencode", Mode.READ_ONLY),
    (".opencode", Mode.READ_ONLY),
    (".claude/transcripts", Mode.READ_WRITE),
    (".agents", Mode.READ_ONLY),
)
"""Mounted from the user's home to the agent's.

What the host's own OpenCode executes (its binary, its plugins) is read-only; `mounts` in the
configuration can say otherwise.
"""


def names(config: Config) -> tuple[str, ...]:
    """Return all workspace names in byte order, the order that ports are given out in."""
    return tuple(sorted(config.workspaces))


def resolve(config: Config, name: str, host: Host) -> Workspace:
    """Decide everything about one workspace.

    Raises:
        Refused: there is no workspace of that name.
    """
    every = names(config)
    if name not in every:
        close = difflib.get_close_matches(name, every, n=1)
        raise refuse(
            "workspace-unknown",
            f"workspace `{name}` not found",
            allowed=", ".join(every) or "none is configured",
            hint=f"did you mean `{close[0]}`?" if close else None,
        )
    mine, defaults = config.workspaces[name], config.defaults
    scope = dotted(("workspaces", name))
    layers: Sequence[tuple[str, Scope]] = (("defaults", defaults), (scope, mine))
    allowed = _union((f"{at}.allowed_hosts", each.allowed_hosts) for at, each in layers)
    literals = [
        AllowedNetwork(network=ipaddress.ip_network(text), origin=origin)
        for text, origin in allowed
        if _literal(text)
    ]
    networks = _union((f"{at}.allowed_networks", each.allowed_networks) for at, each in layers)
    image, image_origin = _image(mine, defaults.image, scope)
    return Workspace(
        name=name,
        port=FIRST_PORT + every.index(name),
        paths=tuple(
            WorkPath(path=path, origin=f"{scope}.paths[{index}]")
            for index, path in enumerate(dict.fromkeys(mine.paths))
        ),
        mounts=merge(
            (("built-in", built_in_mounts(host)),
             *((f"{at}.mounts", each.mounts) for at, each in layers))
        ),
        env=_environment(layers),
        allowed_names=tuple(
            AllowedName(name=text, origin=origin)
            for text, origin in allowed
            if text and not _literal(text)
        ),
        allowed_networks=(
            *literals,
            *(AllowedNetwork(network=network, origin=origin) for network, origin in networks),
        ),
        image=image,
        image_origin=image_origin,
        expose_port=_first(mine.expose_port, defaults.expose_port, True),
        enable_docker=_first(mine.enable_docker, defaults.enable_docker, True),
        cpu=_first(mine.cpu, defaults.cpu, DEFAULT_CPU),
        memory=_first(mine.memory, defaults.memory, DEFAULT_MEMORY),
        certificates=tuple(
            Certificate(text=host.files[path], origin=f"base.ca_certificates[{index}]")
            for index, path in enumerate(config.base.ca_certificates)
        ),
    )  # fmt: skip


def built_in_mounts(host: Host) -> tuple[MountSpec, ...]:
    """Return the weakest layer of mounts."""
    return tuple(
        MountSpec(host=clean(f"{host.home}/{name}"), container=f"{AGENT_HOME}/{name}", mode=mode)
        for name, mode in BUILT_IN_MOUNTS
    )


def _first(mine: T | None, default: T | None, built_in: T) -> T:
    if mine is not None:
        return mine
    return built_in if default is None else default


def _union(lists: Iterable[tuple[str, Iterable[T]]]) -> tuple[tuple[T, str], ...]:
    """Join lists in order, each item once, with the place of its first mention."""
    found: dict[T, str] = {}
    for at, items in lists:
        for index, item in enumerate(items):
            found.setdefault(item, f"{at}[{index}]")
    return tuple(found.items())


def _literal(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _environment(layers: Iterable[tuple[str, Scope]]) -> tuple[Variable, ...]:
    """Merge by key: the last value wins, the first position is kept."""
    found: dict[str, Variable] = {}
    for at, scope in layers:
        for index, entry in enumerate(scope.env):
            found[entry.key] = Variable(
                key=entry.key, value=entry.value, origin=f"{at}.env[{index}]"
            )
    return tuple(found.values())


def _image(mine: WorkspaceConfig, default: str | None, scope: str) -> tuple[str | None, str]:
    if mine.image is not None:
        return mine.image, f"{scope}.image"
    if default is not None:
        return default, "defaults.image"
    return None, "built-in"
