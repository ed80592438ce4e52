"""Containers of anybody's that have something of a project's: a network, a namespace, a volume."""

import json
import re
from collections.abc import Collection
from contextlib import suppress
from typing import NamedTuple

from jailoc.bin.engine import docker, tools
from jailoc.bin.engine.docker import LARGE, lines_of, run

_PARTS = (
    "json .Id", "json .Name", "json .HostConfig.NetworkMode", "json .HostConfig.PidMode",
    "json .HostConfig.IpcMode",
)  # fmt: skip
_FORMAT = (
    f"[{','.join(f'{{{{{each}}}}}' for each in _PARTS)},"
    "[{{range $name, $_ := .NetworkSettings.Networks}}{{json $name}},{{end}}null],"
    '[{{range .Mounts}}{{if eq .Type "volume"}}{{json .Name}},{{end}}{{end}}null]]'
)


class Neighbour(NamedTuple):
    """A container of somebody else's, and what it has of a project's."""

    name: str
    has: tuple[str, ...]
    """Names of networks and volumes, and `namespaces`."""


def neighbours(own: Collection[str], names: Collection[str]) -> tuple[Neighbour, ...]:
    """Return who else has what is a project's; containers of jailoc's that read volumes are nobody.

    Args:
        own: The project's containers, by id.
        names: Of its networks and volumes, whole.

    Raises:
        DockerError: the engine did not answer.
    """
    text = run(["ps", "--all", "--quiet", "--no-trunc"], what="list containers", timeout=30)
    others = [each for each in text.split() if each not in own]
    if not others:
        return ()
    # One that went away meanwhile has nothing any more.
    _, told, _ = docker.attempt(
        ["inspect", "--type", "container", "--format", _FORMAT, *others],
        what="inspect containers", timeout=60, limit=LARGE,
    )  # fmt: skip
    joined = {f"container:{each}" for each in own}
    found = []
    for line in lines_of(told):
        with suppress(ValueError):
            _, name, *modes, networks, volumes = json.loads(line)
            has = [each for each in (*networks, *volumes) if each in names]
            has += ["namespaces"] if joined & {*modes} else []
            if has and not re.fullmatch(tools.NAMED, name):
                found.append(Neighbour(name.removeprefix("/"), tuple(dict.fromkeys(has))))
    return tuple(sorted(found))
