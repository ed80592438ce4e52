"""What jailoc keeps of workspaces that no container, record or configuration tells of.

A first start that was cut off leaves it, and one of a workspace that left the configuration.
"""

import json
import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from jailoc.bin.config import facts, task_records
from jailoc.bin.deploy import restic
from jailoc.bin.engine import container_list, containers
from jailoc.bin.host import records
from jailoc.model.sandbox import WORKSPACE, project
from jailoc.model.text import number_of

_BUILD = ".build"
_KEPT = ".kept"
_OTHERS = frozenset(("images", "tools"))
"""Builds of jailoc's that are no workspace's."""


def every() -> frozenset[str]:
    """Return the workspaces that have a directory of this user's among jailoc's own."""
    state, cache = facts.state_directory(), facts.cache_directory()
    built = {each.removesuffix(_BUILD) for each in _folders(cache) if each.endswith(_BUILD)}
    found = {*_folders(state), *_folders(state / _KEPT), *_folders(cache), *(built - _OTHERS)}
    return frozenset(each for each in found if re.fullmatch(WORKSPACE, each))


def _folders(place: Path) -> Iterator[str]:
    """Yield the directories of this user's in a directory; a link is none."""
    with suppress(OSError), os.scandir(place) as found:
        for each in found:
            with suppress(OSError):
                own = each.stat(follow_symlinks=False).st_uid == os.geteuid()
                if own and each.is_dir(follow_symlinks=False):
                    yield each.name


def untold(told: Collection[str], config: str, *, tasks: bool) -> dict[str, str]:
    """Return the workspaces that nothing but such a directory tells of, in order.

    Args:
        told: Those that are told of otherwise.
        config: The path of the configuration; what was started by another one is not returned.
        tasks: Whether their tasks go before.

    Returns:
        By name what there is that somebody may want to keep, or that may be another user's, in
        words; empty where there is nothing such.

    Raises:
        DockerError: the engine did not answer.
    """
    theirs = {name for name, place in records.starts() if _config(place) not in {None, config}}
    return {name: ", ".join(_kept(name, tasks)) for name in sorted(every() - {*told} - theirs)}


def _config(place: Path) -> str | None:
    """Return the configuration that something was started by; None if nobody knows."""
    with suppress(OSError, ValueError):
        found = json.loads(place.read_bytes())
        told = found.get("config") if isinstance(found, dict) else None
        return told if isinstance(told, str) else None
    return None


def _kept(name: str, tasks: bool) -> Iterator[str]:
    if left := () if tasks else task_records.of(name):
        yield number_of(len(left), "task")
    if taken := len(restic.times(name)):
        yield number_of(taken, "snapshot")
    if volumes := len(containers.owned("volume", project(name))):
        yield number_of(volumes, "volume")
    if made := len(container_list.listed(project(name), every=True)):
        yield f"{number_of(made, 'container')} that {'was' if made == 1 else 'were'} made elsewhere"
