"""What the engine has under the names of a workspace's networks and volumes before it starts.

Compose takes it, whoever has made it: a label is what anybody's compose file says. Whoever has it
too reads what is handed over there, or answers in the place of others.
"""

import os
import shlex
from contextlib import suppress
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from jailoc.bin.deploy import existence, observe
from jailoc.bin.engine import containers, disk, network
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.engine.named import MadeVolume, made, named
from jailoc.bin.engine.volumes import proof
from jailoc.generators.artefacts import compose_yaml
from jailoc.model.bundle import Bundle
from jailoc.model.diagnostic import refuse
from jailoc.model.sandbox import (
    COMPOSE_PROJECT,
    MADE_LABEL,
    SHARED_PREFIX,
    SHARED_USER_LABEL,
    shared_volume,
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
        frozenset(map(_shared, compose.shared)),
    )


def _shared(name: str) -> str:
    return shared_volume(name.removeprefix(SHARED_PREFIX))


def _made_here(name: str, how: MadeVolume, wanted: _Names, project: str) -> bool:
    """Tell whether a volume is of the kind and of the project that it should be."""
    # One of another kind lies where its maker says.
    kind = "tmpfs" if name in wanted.memory else ""
    same = {how.options.get(each, "") for each in ("type", "device")} == {kind}
    return same and (name in wanted.shared or how.labels.get(COMPOSE_PROJECT) == project)


def _others(name: str, how: MadeVolume, wanted: _Names) -> bool:
    """Tell whether a volume that workspaces share is another user's: `share` says whose."""
    user = how.labels.get(SHARED_USER_LABEL, "")
    return name in wanted.shared and user not in {"", str(os.getuid())}


class _VolumesOf(BaseModel):
    """Of what any version has written down of a start, the volumes."""

    name: str
    volumes: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()


class _StartOf(BaseModel):
    compose: _VolumesOf


def _had(workspace: str) -> set[str]:
    """Return the volumes that the last start had: those of earlier versions prove nothing."""
    with suppress(OSError, ValidationError):
        last = _StartOf.model_validate_json(observe.record(workspace).read_bytes()).compose
        return {*(f"{last.name}_{each}" for each in last.volumes), *map(_shared, last.shared)}
    return set()


def untaken(bundle: Bundle, key: bytes) -> None:
    """Refuse where something has the right name, and this user's jailoc has not made it.

    What the last start had is the workspace's, and so is what its user says is (`existence.kept`).

    Args:
        bundle: What is to be started.
        key: For the proof that a volume was made here.

    Raises:
        Refused: there is such a thing.
        DockerError: the engine did not answer.
    """
    _own(bundle, key)


def renew(bundle: Bundle, key: bytes) -> None:
    """Look once more, and remove networks and volumes in memory that the workspace has not now.

    Nothing is lost with them, and what is made in their place is nobody else's.

    Args:
        bundle: What is about to be started.
        key: For the proof that a volume was made here.

    Raises:
        Refused: something was not made here, or a container that is none of the workspace's has it.
        DockerError: the engine did not answer.
    """
    there = _own(bundle, key)
    used = _used(bundle.compose.name) if there.networks | there.memory else set()
    for kind, names, remove in (
        ("network", there.networks, network.remove),
        ("volume", there.memory, disk.remove_volume),
    ):
        for name in sorted(names - used):
            try:
                remove(name)
            except DockerError as error:
                raise refuse(
                    "foreign",
                    f"a container that is none of `{bundle.workspace}` has its {kind} `{name}`: it "
                    "would be beside what starts there",
                    hint=f"`docker ps --all --filter {kind}={name}` names it; remove it, or take "
                    f"it off (`docker network disconnect`), then `docker {kind} rm {name}`",
                ) from error


def _own(bundle: Bundle, key: bytes) -> _Names:
    """Return what there is of what a start wants; nobody else's is among it."""
    wanted, project = _wanted(bundle), bundle.compose.name
    networks = [each for each in named("network", f"{project}_") if each[0] in wanted.networks]
    volumes = {name for name, _ in named("volume", f"{project}_")}
    if wanted.shared:
        volumes |= {name for name, _ in named("volume", _shared(""))}
    every = made(volumes & (wanted.memory | wanted.data | wanted.shared))
    mark = existence.kept(bundle.workspace)
    own = {name: how for name, how in every.items() if _made_here(name, how, wanted, project)}
    unproven = {
        name
        for name, how in own.items()
        if name not in wanted.memory
        and how.labels.get(MADE_LABEL) != proof(name, key)
        and not _others(name, how, wanted)
    }
    if unproven and not mark.is_dir():
        unproven -= _had(bundle.workspace)
        unproven -= _used(project) if unproven else set()
    else:
        unproven = set()
    taken = {f"network {name}" for name, whose in networks if whose != project}
    taken |= {f"volume {name}" for name in unproven | every.keys() - own.keys()}
    if taken:
        told = ", ".join("{} `{}`".format(*each.split()) for each in sorted(taken))
        raise refuse(
            "foreign",
            f"jailoc has not made {told}, which a start of `{bundle.workspace}` would take by its "
            "name: whoever has made it may still be in it",
            hint="; ".join("`docker {} rm {}`".format(*each.split()) for each in sorted(taken))
            + ", if nothing in it is yours; if you have made it or an earlier jailoc has, "
            f"`mkdir -p {shlex.quote(str(mark))}` says so",
        )
    return _Names(
        frozenset(name for name, _ in networks), *(each & every.keys() for each in wanted[1:])
    )


def _used(project: str) -> set[str]:
    """Return the names of what the workspace's own containers have, running or not."""
    every = containers.inspected(project)
    return {
        *(name for each in every for name in each["NetworkSettings"].get("Networks") or {}),
        *(mount.get("Name") or "" for each in every for mount in each.get("Mounts") or []),
    }
