"""Containers of anybody's that have something of a project's: a network, a namespace, a volume."""

import json
import re
from collections.abc import Collection
from contextlib import suppress
from typing import NamedTuple

from jailoc.bin.engine import tools
from jailoc.bin.engine.docker import LARGE, DockerError, lines_of, run

_PARTS = (
    "json .Name", "json .HostConfig.NetworkMode", "json .HostConfig.PidMode",
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


def neighbours(
    own: Collection[str], names: Collection[str], read: Collection[str] = ()
) -> tuple[Neighbour, ...]:
    """Return who else has what is a project's.

    Args:
        own: The project's containers, by id.
        names: Of its networks and volumes, whole.
        read: Of those that containers of jailoc's read (`tools`), which are nobody while they do.

    Raises:
        DockerError: the engine did not answer.
    """
    told = _inspected(own)
    joined = {f"container:{each}" for each in own}
    found = []
    for line in lines_of(told):
        with suppress(ValueError):
            name, *modes, networks, volumes = json.loads(line)
            has = [each for each in (*networks, *volumes) if each in names]
            has += ["namespaces"] if joined & {*modes} else []
            tool = re.fullmatch(tools.NAMED, name) is not None and {*has} <= {*read}
            if has and not tool:
                found.append(Neighbour(name.removeprefix("/"), tuple(dict.fromkeys(has))))
    return tuple(sorted(found))


def _inspected(own: Collection[str], tries: int = 5) -> str:
    """Return what is said of all containers but one's own; one may go away meanwhile."""
    text = run(["ps", "--all", "--quiet", "--no-trunc"], what="list containers", timeout=30)
    others = [each for each in text.split() if each not in own]
    words = ["inspect", "--type", "container", "--format", _FORMAT, *others]
    try:
        return run(words, what="inspect containers", timeout=60, limit=LARGE) if others else ""
    except DockerError as error:
        if tries == 1 or error.cut:
            raise
        return _inspected(own, tries - 1)
