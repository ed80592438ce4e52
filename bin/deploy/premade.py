"""What the engine has under the names of a workspace's networks and volumes before it starts.

Compose takes it, whoever has made it: a label is what anybody's compose file says. Whoever has it
too reads what is handed over there, or answers in the place of others.
"""

import os
import shlex
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from jailoc.bin.deploy import existence
from jailoc.bin.engine import containers, disk, network
from jailoc.bin.engine.named import MadeVolume, made, named
from jailoc.bin.engine.neighbours import neighbours
from jailoc.bin.engine.volumes import proof
from jailoc.bin.host import records
from jailoc.generators.artefacts import compose_yaml
from jailoc.model.bundle import Bundle
from jailoc.model.diagnostic import refuse
from jailoc.model.sandbox import (
    COMPOSE_SERVICE,
    shared_volume,
    whole_shared,
)


class _Names(NamedTuple):
    """Whole names of what a start wants, or of what there is of that."""

    networks: frozenset[str]
    memory: frozenset[str]
    """Volumes that hold nothing once no container has them."""
    data: frozenset[str]
    shared: frozenset[str]


def _wanted(bundle: Bundle) -> _Names:
    compose, prefix = bundle.compose, f"{bundle.compose.name}_"
    return _Names(
        frozenset(
            f"{prefix}{key}"
            for each in compose.services.values()
            for key in compose_yaml.networks(each)
        ),
        frozenset(f"{prefix}{each.name}" for each in compose.memory),
        frozenset(f"{prefix}{each}" for each in compose.volumes),
        frozenset(map(whole_shared, compose.shared)),
    )


def _made_here(name: str, how: MadeVolume, wanted: _Names, project: str) -> bool:
    """Tell whether a volume is of the kind and of the project that it should be."""
    # One of another kind lies where its maker says.
    kind = "tmpfs" if name in wanted.memory else ""
    same = (how.driver, how.type, how.device) == ("local", kind, kind)
    return same and (name in wanted.shared or how.project == project)


def _others(name: str, how: MadeVolume, wanted: _Names) -> bool:
    """Tell whether a volume that workspaces share is another user's: `share` says whose."""
    return name in wanted.shared and how.user not in {"", str(os.getuid())}


def own_names(bundle: Bundle) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of what is a workspace's alone, and those among them that hold data."""
    wanted = _wanted(bundle)
    return wanted.networks | wanted.memory | wanted.data, wanted.data


class _StartedCompose(BaseModel):
    """What any version has written down of a start."""

    name: str
    services: dict[str, Any] = {}
    volumes: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()


class _Started(BaseModel):
    compose: _StartedCompose = _StartedCompose(name="")
    unproven: frozenset[str] | None = None

    @property
    def own(self) -> frozenset[str]:
        """Return what was the workspace's without a proof: none had one once."""
        every = frozenset(f"{self.compose.name}_{each}" for each in self.compose.volumes)
        return every if self.unproven is None else every & self.unproven

    @property
    def shared(self) -> frozenset[str]:
        """Return what it shared without a proof."""
        every = frozenset(map(whole_shared, self.compose.shared))
        return every if self.unproven is None else every & self.unproven


_Starts = tuple[tuple[str, _Started], ...]


def _started() -> _Starts:
    """Return what was written down of the last starts, by workspace."""
    every = []
    for name, place in records.starts():
        with suppress(OSError, ValidationError):
            every.append((name, _Started.model_validate_json(place.read_bytes())))
    return tuple(every)


def _had(starts: _Starts, workspace: str) -> frozenset[str]:
    """Return the volumes that a last start had without a proof: earlier versions made them.

    That of the workspace, and for what is shared that of any. When one was made the engine does not
    say: its `CreatedAt` is the time of the last change.
    """
    return frozenset(
        volume
        for name, last in starts
        for volume in (last.shared | last.own if name == workspace else last.shared)
    )


def _known(starts: _Starts, workspace: str) -> bool:
    """Tell whether the last start has written down what it had without a proof."""
    last = [last for name, last in starts if name == workspace]
    return bool(last) and all(each.unproven is not None for each in last)


def mark(workspace: str, volume: str) -> Path:
    """Return what says that a volume is this user's, whoever has made it."""
    return existence.kept(workspace) / volume


def untaken(bundle: Bundle, key: bytes) -> None:
    """Refuse where something has the right name, and this user's jailoc has not made it.

    What the last start had is the workspace's, and so is what its user says is (`mark`).

    Args:
        bundle: What is to be started.
        key: For the proof that a volume was made here.

    Raises:
        Refused: there is such a thing.
        DockerError: the engine did not answer.
    """
    _own(bundle, key)


def renew(bundle: Bundle, key: bytes) -> frozenset[str]:
    """Look once more, and remove networks and volumes in memory that the workspace has not now.

    Nothing is lost with them, and what is made in their place is nobody else's: a container that
    was made and did not begin yet gets them by their names when it does.

    Args:
        bundle: What is about to be started.
        key: For the proof that a volume was made here.

    Returns:
        Volumes, by their whole names, that are taken without that proof.

    Raises:
        Refused: something was not made here, or a container that is none of the workspace's has it.
        DockerError: the engine did not answer.
    """
    with ThreadPoolExecutor() as pool:
        used = pool.submit(_used, bundle)
        (there, unproven), wanted, own = _own(bundle, key), _wanted(bundle), used.result()
    anew = (wanted.networks | wanted.memory) - own.names
    if others := neighbours(own.containers, anew) if anew else ():
        told = ", ".join(f"`{each.name}` ({', '.join(each.has)})" for each in others)
        raise refuse(
            "foreign",
            f"{told} would be beside what starts of `{bundle.workspace}`, and is nothing that the "
            "configuration has",
            hint=f"`docker rm --force {' '.join(each.name for each in others)}`, or start it "
            "without that",
        )
    for name in sorted(there.networks & anew):
        network.remove(name)
    for name in sorted(there.memory & anew):
        disk.remove_volume(name)
    return unproven


def _own(bundle: Bundle, key: bytes) -> tuple[_Names, frozenset[str]]:
    """Return what there is of what a start wants, and what of that has no proof.

    Nobody else's is among it.
    """
    wanted, project = _wanted(bundle), bundle.compose.name
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(named, "network", f"{project}_")
        volumes = {name for name, _ in named("volume", f"{project}_")}
        networks = [each for each in asked.result() if each[0] in wanted.networks]
    if wanted.shared:
        volumes |= {name for name, _ in named("volume", shared_volume(""))}
    every = made(volumes & (wanted.memory | wanted.data | wanted.shared))
    own = {name: how for name, how in every.items() if _made_here(name, how, wanted, project)}
    unproven = frozenset(
        name
        for name, how in own.items()
        if name not in wanted.memory
        and how.made != proof(name, key)
        and not _others(name, how, wanted)
        and not mark(bundle.workspace, name).is_dir()
    )
    starts = _started() if unproven else ()
    foreign = unproven - _had(starts, bundle.workspace)
    foreign -= _used(bundle).names if foreign and not _known(starts, bundle.workspace) else set()
    taken = {f"network {name}" for name, whose in networks if whose != project}
    taken |= {f"volume {name}" for name in foreign | (every.keys() - own.keys())}
    if taken:
        told = ", ".join("{} `{}`".format(*each.split()) for each in sorted(taken))
        raise refuse(
            "foreign",
            f"jailoc has not made {told}, which a start of `{bundle.workspace}` would take by its "
            "name: whoever has made it may still be in it",
            hint="; ".join("`docker {} rm {}`".format(*each.split()) for each in sorted(taken))
            + ", if nothing in it is yours"
            + "".join(
                f"; if you have made `{each}` or an earlier jailoc has, `mkdir -p "
                f"{shlex.quote(str(mark(bundle.workspace, each)))}` says so"
                for each in sorted(foreign)
            ),
        )
    there = (each & every.keys() for each in wanted[1:])
    return _Names(frozenset(name for name, _ in networks), *there), unproven


class _Used(NamedTuple):
    """What a workspace has now, running or not."""

    containers: frozenset[str]
    """Their ids."""
    names: frozenset[str]
    """Of the networks and volumes of theirs, whole."""


def _used(bundle: Bundle) -> _Used:
    """Return what containers have of services of the workspace's, now or at its last start."""
    services = {*bundle.compose.services}.union(
        *(last.compose.services for name, last in _started() if name == bundle.workspace)
    )
    every = [
        each for each in containers.inspected(bundle.compose.name)
        if (each["Config"]["Labels"] or {}).get(COMPOSE_SERVICE) in services
    ]  # fmt: skip
    networks = (each["NetworkSettings"].get("Networks") or {} for each in every)
    mounts = (mount for each in every for mount in each.get("Mounts") or [])
    return _Used(
        frozenset(each["Id"] for each in every),
        frozenset((*chain(*networks), *(each.get("Name") or "" for each in mounts))),
    )
